//! A region from the first question to a snapshot.

use insta::assert_snapshot;

use crate::program::{Program, SOURCE};
use crate::server::{Fault, When, region};

#[tokio::test]
async fn discover_shows_writes_and_compares() {
    let server = region(7, When::Never, Fault::Silence).await;
    let program = Program::new(server.port);
    let said = program.run(&["discover", "--detailed-exitcode"]).await;
    assert_eq!(said.code, 2, "{said:?}");
    assert_snapshot!(said.out, @"
    clickhouse.aws_ec2.yml: 7 hosts in eu-west-1
      new       small-0                  i-000                eu-west-1
      new       small-1                  i-001                eu-west-1
      new       small-2                  i-002                eu-west-1
      new       small-3                  i-003                eu-west-1
      new       small-4                  i-004                eu-west-1
      new       small-5                  i-005                eu-west-1
      new       small-6                  i-006                eu-west-1
    discover: 7 hosts; there is no snapshot to compare with: `--write` writes one
    ");
    assert!(!program.path("discovered.yml").exists(), "nothing is written unasked");
    let said = program.run(&["discover", "--write"]).await;
    assert_eq!((said.code, said.out.lines().last()), (0, Some("wrote discovered.yml")), "{said:?}");
    let said = program.run(&["discover", "--detailed-exitcode"]).await;
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "clickhouse.aws_ec2.yml: 7 hosts in eu-west-1\ndiscover: EC2 and the snapshot agree\n")
    );
    drop(server);
    let more = region(8, When::Never, Fault::Silence).await;
    let program = program.with("AWS_ENDPOINT_URL", &format!("http://127.0.0.1:{}", more.port));
    let said = program.run(&["discover", "--detailed-exitcode", "-o", "json"]).await;
    assert_eq!(said.code, 2, "{said:?}");
    assert_snapshot!(said.out, @r#"
    {
      "files": [
        {
          "file": "clickhouse.aws_ec2.yml",
          "regions": {
            "eu-west-1": 8
          }
        }
      ],
      "snapshot": true,
      "differences": [
        {
          "host": "small-7",
          "instance": "i-007",
          "region": "eu-west-1",
          "difference": "new"
        }
      ],
      "written": [],
      "problems": []
    }
    "#);
    let fewer = region(5, When::Never, Fault::Silence).await;
    let program = program.with("AWS_ENDPOINT_URL", &format!("http://127.0.0.1:{}", fewer.port));
    let said = program.run(&["discover"]).await;
    assert!(said.code == 1 && said.err.contains("HW0151"), "{said:?}");
    let said = program.run(&["discover", "--accept", "shrink:eu-west-1"]).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert_snapshot!(said.out, @"
    clickhouse.aws_ec2.yml: 5 hosts in eu-west-1
      gone      small-5                  i-005                eu-west-1
      gone      small-6                  i-006                eu-west-1
    discover: 2 gone; the snapshot says otherwise
    ");
}

#[tokio::test]
async fn nobody_is_asked_offline_nor_by_check() {
    let server = region(7, When::Never, Fault::Silence).await;
    let program = Program::new(server.port).file("group_vars/all.yml", "clickhouse_clusters: {}\n");
    for verb in ["check", "inventory"] {
        let said = program.run(&[verb, "--offline"]).await;
        assert!(said.code == 1 && said.err.contains("HW0165"), "{said:?}");
    }
    assert_eq!(server.requests.lock().unwrap().len(), 0);
    assert_eq!(program.run(&["discover", "--write"]).await.code, 0);
    let asked = server.requests.lock().unwrap().len();
    let live = program.run(&["inventory", "--list"]).await;
    assert!(server.requests.lock().unwrap().len() > asked, "`inventory` asks");
    drop(server);
    let offline = program.run(&["inventory", "--list", "--offline"]).await;
    assert_eq!((offline.code, &offline.out), (0, &live.out), "{offline:?}");
    let said = program.run(&["check"]).await;
    assert!(!said.err.contains("cannot list"), "`check` asks nobody: {said:?}");
    let said = program.run(&["discover", "--offline"]).await;
    assert_snapshot!(said.err, @"
    error: `discover` asks EC2, and `--offline` forbids it
    hint: `housewright inventory --offline` shows what the snapshot says
    ");
}

#[tokio::test]
async fn a_kept_answer_is_not_asked_for_again_until_it_is_refreshed() {
    let server = region(7, When::Never, Fault::Silence).await;
    let program = Program::new(server.port).file("clickhouse.aws_ec2.yml", &(SOURCE.to_owned() + "cache: true\n"));
    let asked = || server.requests.lock().unwrap().len();
    program.run(&["inventory"]).await;
    let first = asked();
    program.run(&["inventory"]).await;
    assert_eq!(asked(), first);
    program.run(&["inventory", "--refresh"]).await;
    assert_eq!(asked(), 2 * first);
    let other = program.with("AWS_ACCESS_KEY_ID", "AKIAOTHER");
    other.run(&["inventory"]).await;
    assert_eq!(asked(), 3 * first, "an answer to another key is not used");
}

#[tokio::test]
async fn what_cannot_be_accepted_is_told() {
    let program = Program::new(9);
    let said = program.run(&["inventory", "--accept", "everything"]).await;
    assert_eq!(said.code, 1);
    assert_snapshot!(said.err, @"error: `everything` cannot be accepted: write `empty:REGION` or `shrink:REGION`");
}

#[tokio::test]
async fn requests_carry_what_the_file_says() {
    let server = region(3, When::Never, Fault::Silence).await;
    let source = SOURCE.to_owned()
        + "include_filters: [{ 'tag:A': [x, y] }, { vpc-id: vpc-1, instance-state-name: running }]\nexclude_filters: [{ 'tag:B': z }]\nmax_shrink: 100%\n";
    let program = Program::new(server.port).file("clickhouse.aws_ec2.yml", &source);
    let said = program.run(&["inventory", "--accept", "empty:eu-west-1"]).await;
    assert_eq!(said.code, 1, "everything is excluded: {said:?}");
    let bodies: Vec<String> = server.requests.lock().unwrap().iter().map(|(_, body)| body.clone()).collect();
    let state = "instance-state-name&Filter.2.Value.1=pending&Filter.2.Value.2=running&Filter.2.Value.3=stopping&Filter.2.Value.4=stopped";
    assert_eq!(bodies.len(), 3, "{bodies:?}");
    assert!(bodies[0].contains("Filter.1.Name=tag%3AB&Filter.1.Value.1=z") && bodies[0].contains(state), "{bodies:?}");
    assert!(bodies[1].contains("Filter.1.Name=tag%3AA&Filter.1.Value.1=x&Filter.1.Value.2=y"), "{bodies:?}");
    assert!(
        bodies[2].contains("Filter.1.Name=instance-state-name&Filter.1.Value.1=running&Filter.2.Name=vpc-id"),
        "{bodies:?}"
    );
    assert!(bodies.iter().all(|body| body.contains("MaxResults=5")), "{bodies:?}");
}
