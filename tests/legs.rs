//! `leg add` on this repository's own roles: what it writes is a schema without problems, and what is doubtful is refused.

use std::path::Path;
use std::process::Command;

const LAB: [&str; 2] = ["-i", "inventories/lab"];

/// A copy of the lab's project, with a second collection on every host.
fn project() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for part in ["inventories/lab", "roles", "templates"] {
        copy(Path::new(part), &directory.path().join(part));
    }
    let vars = directory.path().join("inventories/lab/group_vars/all.yml");
    let text = std::fs::read_to_string(&vars).unwrap();
    let both = "clickhouse_named_collections:\n  msk: { kafka_broker_list: \"msk-1:9092, msk-2:9092\" }\n  \
                mirror: { kafka_broker_list: \"other:9092,BROKER:9092\" }\n";
    std::fs::write(vars, text.replace("clickhouse_named_collections:\n", both)).unwrap();
    directory
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target)
        } else {
            std::fs::copy(path, target).map(drop).unwrap();
        }
    }
}

/// The exit code, and all that was said.
fn run(project: &Path, words: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_housewright"));
    command.current_dir(project).args(words).args(LAB);
    let output = command.env_remove("HOUSEWRIGHT_INVENTORY").env_remove("HOUSEWRIGHT_PROJECT").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

#[track_caller]
fn refused(project: &Path, words: &[&str], why: &[&str]) {
    let (code, said) = run(project, words);
    assert!(code == Some(1) && why.iter().all(|why| said.contains(why)), "{words:?}: {code:?}: {said}");
}

#[test]
fn each_of_the_labs_topics_gets_a_leg_that_checks() {
    let project = project();
    let root = project.path();
    let add = |topic, role| run(root, &["leg", "add", topic, "--from-collection", "msk", "--role", role]);
    for (topic, role) in [
        ("groups", "ingestion-small"),
        ("persons", "ingestion-medium"),
        ("events", "ingestion-events"),
        ("events", "shufflehog"),
    ] {
        let (code, said) = add(topic, role);
        assert_eq!(code, Some(0), "{said}");
    }
    let (code, said) = run(root, &["check"]);
    assert_eq!(code, Some(0), "{said}");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    insta::assert_snapshot!(read("roles/ingestion-events/schema/events_2_kafka_msk.sql"), @r"
    -- The firehose.
    CREATE TABLE IF NOT EXISTS kafka_events_msk
    (
        uuid UUID,
        event VARCHAR,
        properties VARCHAR,
        timestamp DateTime64(6, 'UTC'),
        team_id Int64,
        distinct_id VARCHAR,
        created_at DateTime64(6, 'UTC')
    )
    ENGINE = Kafka(msk,
        kafka_topic_list = 'events',
        kafka_group_name = 'clickhouse_msk',
        kafka_format = 'JSONEachRow',
        kafka_num_consumers = 4,
        kafka_thread_per_consumer = 1);
    ");
    // A view into a Kafka table: the sink is shared, and the topic that it writes to stays where it is.
    let shufflehog: Vec<String> = std::fs::read_dir(root.join("roles/shufflehog/schema"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with("_msk.sql"))
        .collect();
    assert_eq!(shufflehog.len(), 2, "{shufflehog:?}");
    assert!(shufflehog.iter().all(|name| !read(&format!("roles/shufflehog/schema/{name}")).contains("sink_msk")));
}

#[test]
fn what_is_doubtful_is_refused_and_nothing_is_written() {
    let project = project();
    let root = project.path();
    let add = |topic, collection| ["leg", "add", topic, "--from-collection", collection];
    refused(root, &add("grups", "msk"), &["no leg reads the topic `grups`", "groups"]);
    refused(root, &add("events", "msk"), &["several roles: `ingestion-events`, `shufflehog`", "--role ROLE"]);
    refused(root, &add("groups", "mks"), &["`mks` is not rendered for ingestion-small-1"]);
    refused(root, &add("groups", "warpstream_ingestion"), &["reads the topic from `warpstream_ingestion` already"]);
    refused(
        root,
        &add("groups", "mirror"),
        &["the broker `broker:9092`: each row would come twice", "--allow same-brokers"],
    );
    let other = ["leg", "add", "groups", "--from-collection", "msk", "--role", "shufflehog"];
    refused(root, &other, &["no leg in role `shufflehog` reads the topic `groups`", "`ingestion-small`"]);
    refused(root, &["leg", "remove", "groups", "--collection", "msk"], &["no leg reads the topic `groups` from `msk`"]);
    refused(
        root,
        &["leg", "remove", "groups", "--collection", "warpstream_ingestion"],
        &["`kafka_groups` is the only leg of the topic"],
    );
    refused(root, &["leg", "status", "grups"], &["no leg is meant"]);
    let files = || std::fs::read_dir(root.join("roles/ingestion-small/schema")).unwrap().count();
    let before = files();
    let (code, said) = run(root, &[&add("groups", "msk")[..], &["--dry-run"]].concat());
    assert!(code == Some(0) && said.contains("kafka_groups_msk") && said.contains("would write"), "{said}");
    assert_eq!(files(), before);
    // A file of the same name is not written over, and none beside it is written.
    std::fs::write(root.join("roles/ingestion-small/schema/groups_3_view_msk.sql"), "-- mine\n").unwrap();
    refused(root, &add("groups", "msk"), &["groups_3_view_msk.sql` is there already: nothing was written"]);
    assert_eq!(files(), before + 1);
    let allowed = [&add("groups", "mirror")[..], &["--allow", "same-brokers", "--group", "g"]].concat();
    let (code, said) = run(root, &allowed);
    assert!(code == Some(0) && said.contains("as consumer group g"), "{said}");
}
