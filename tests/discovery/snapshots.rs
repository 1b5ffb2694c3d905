//! The snapshot means what the answer meant that it was made from.

use std::fs;
use std::path::Path;

use housewright::discovery::compare::compare;
use housewright::discovery::snapshot::recorded;
use housewright::discovery::{
    Accepted, Ask, Cache, Found, Instance, Terms, Written as Wrote, discover, read_snapshot, write,
};
use housewright::fleet::{ClusterName, ConnectionDefaults, HostName, Placement, load};
use housewright::inventory::Inventory;
use insta::assert_snapshot;
use proptest::prelude::*;

use crate::cloud::{Cloud, NOW, Run, data, instance, run};
use crate::{SOURCE, one_region, two_regions, written};

fn cloud() -> Cloud {
    Cloud::default()
        .region(
            "us-east-1",
            [data("i-0a1", "10.0.0.1", "data-1", "1", "07"), data("i-0a2", "10.0.0.2", "data-2", "1", "yes")],
        )
        .region(
            "eu-central-1",
            [instance("i-0b1", "10.1.0.1", &[("Role", "small"), ("Note", "{{ x }} \u{e9} # \"\\")])],
        )
}

/// Everything that an inventory says, in order.
fn all(inventory: &Inventory) -> String {
    inventory.list(None).json()
}

fn snapshot(written: &crate::Written) -> String {
    fs::read_to_string(written.path().join("discovered.yml")).unwrap()
}

#[tokio::test]
async fn a_snapshot_is_an_inventory_with_a_head() {
    let written = two_regions();
    let (_, found) = run(&written).read(&cloud()).await;
    let wrote = write(&found, NOW).unwrap();
    assert_eq!(wrote, [Wrote::New(written.path().join("discovered.yml"))]);
    let digests = regex::Regex::new("=[0-9a-f]{16}").unwrap();
    let text = digests
        .replace_all(&snapshot(&written), "=DIGEST")
        .replace(&format!("housewright {}", env!("CARGO_PKG_VERSION")), "housewright VERSION");
    assert_snapshot!(text, @r#"
    # Listed by EC2 at 2026-11-22T12:00:00Z, written by housewright VERSION.
    # `housewright discover --write` writes it anew, `--offline` reads it; do not edit it.
    # of settings=DIGEST query=DIGEST eu-central-1=1 us-east-1=2: fleet.aws_ec2.yml

    aws_ec2:
      hosts:
        data-1:
          ansible_host: "10.0.0.1"
          hostClusterRole: data
          instance_id: i-0a1
          instance_type: i4i.4xlarge
          placement:
            availability_zone: us-east-1a
            region: us-east-1
          private_ip_address: "10.0.0.1"
          replica: "07"
          shard: 1
          tags:
            Name: data-1
            Replica: "07"
            Role: data
            Shard: "1"
          zone: us-east-1a
        data-2:
          ansible_host: "10.0.0.2"
          hostClusterRole: data
          instance_id: i-0a2
          instance_type: i4i.4xlarge
          placement:
            availability_zone: us-east-1a
            region: us-east-1
          private_ip_address: "10.0.0.2"
          replica: "yes"
          shard: 1
          tags:
            Name: data-2
            Replica: "yes"
            Role: data
            Shard: "1"
          zone: us-east-1a
        "10.1.0.1":
          ansible_host: "10.1.0.1"
          hostClusterRole: small
          instance_id: i-0b1
          instance_type: i4i.4xlarge
          placement:
            availability_zone: eu-central-1a
            region: eu-central-1
          private_ip_address: "10.1.0.1"
          tags:
            Note: !unsafe "{{ x }} é # \"\\"
            Role: small
          zone: eu-central-1a
    role_data:
      hosts:
        data-1:
        data-2:
    us_east_1a:
      hosts:
        data-1:
        data-2:
    role_small:
      hosts:
        "10.1.0.1":
    eu_central_1a:
      hosts:
        "10.1.0.1":
    "#);
}

#[tokio::test]
async fn offline_means_what_was_listed() {
    let written = two_regions().group_vars("role_data.yml", "ansible_user: deploy");
    let (mut read, found) = run(&written).read(&cloud()).await;
    write(&found, NOW).unwrap();
    let live = all(&read.assemble());
    let offline = all(&run(&written).with(Ask::Snapshot).await.0.assemble());
    assert_eq!(live, offline);
    assert!(live.contains("data-1") && live.contains("10.1.0.1"));
    assert_eq!(run(&written).offline().await.unwrap().fleet.hosts.len(), 3);
    // The snapshot is no second source of hosts while EC2 is asked.
    assert_eq!(all(&run(&written).read(&cloud()).await.0.assemble()), live);
}

#[tokio::test]
async fn a_snapshot_that_says_the_same_is_left_alone() {
    let written = two_regions();
    let (_, found) = run(&written).read(&cloud()).await;
    write(&found, NOW).unwrap();
    let before = snapshot(&written);
    assert_eq!(write(&found, NOW + 60).unwrap(), [Wrote::Same(written.path().join("discovered.yml"))]);
    assert_eq!(snapshot(&written), before);
}

#[tokio::test]
async fn without_a_fitting_snapshot_offline_is_refused() {
    let written = one_region();
    assert_snapshot!(run(&written).shown(run(&written).offline().await), @"
    error[HW0165]: there is no snapshot `discovered.yml` to read the hosts of this file from
     --> fleet.aws_ec2.yml:1:1
      |
    1 | plugin: amazon.aws.aws_ec2
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: `housewright discover --write` asks EC2 and writes it
    ");
    let written = written.file("discovered.yml", "all:\n  hosts:\n    a: { hostClusterRole: small }\n");
    assert_snapshot!(run(&written).shown(run(&written).offline().await), @"
    error[HW0165]: this is no snapshot that `housewright discover --write` wrote: its first lines are not
     --> discovered.yml:1:1
      |
    1 | all:
      | ^^^^
      |
      = help: give a file of your own another name
    ");
    fs::remove_file(written.path().join("discovered.yml")).unwrap();
    let (_, found) =
        run(&written).read(&Cloud::default().region("eu-central-1", [data("i-1", "10.0.0.1", "a", "1", "a")])).await;
    write(&found, NOW).unwrap();
    let written = written.file("more.aws_ec2.yml", SOURCE);
    assert_snapshot!(run(&written).shown(run(&written).offline().await), @"
    error[HW0165]: `discovered.yml` has no hosts of this file
     --> more.aws_ec2.yml:1:1
      |
    1 | plugin: amazon.aws.aws_ec2
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write it anew: `housewright discover --write`
    ");
}

#[tokio::test]
async fn a_snapshot_older_than_its_file_is_a_note() {
    let written = two_regions();
    let (_, found) = run(&written).read(&cloud()).await;
    write(&found, NOW).unwrap();
    let written = written.file("fleet.aws_ec2.yml", format!("{SOURCE}# later\n"));
    assert_snapshot!(run(&written).shown(run(&written).offline().await), @"
    note[HW0168]: `discovered.yml` was written before this file was changed
     --> fleet.aws_ec2.yml:1:1
      |
    1 | plugin: amazon.aws.aws_ec2
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: `housewright discover` shows what differs, `--write` writes it anew
    ");
}

#[tokio::test]
async fn a_fleet_does_not_shrink_against_its_snapshot_either() {
    let written = one_region();
    let with = |size: usize| {
        let one = |n: usize| data(&format!("i-{n}"), &format!("10.0.0.{n}"), &format!("d-{n}"), "1", &format!("{n}"));
        Cloud::default().region("eu-central-1", (1..=size).map(one))
    };
    let (_, found) = run(&written).read(&with(5)).await;
    write(&found, NOW).unwrap();
    fs::remove_dir_all(written.path().join(".cache")).unwrap();
    assert_snapshot!(run(&written).said(&with(2)).await, @"
    error[HW0151]: `eu-central-1` had 5 instances (`discovered.yml` of 2026-11-22T12:00:00Z) and has 2: 60 % of them are gone, more than `max_shrink: 20%` allows; gone: i-3, i-4, i-5
     --> fleet.aws_ec2.yml:2:11
      |
    2 | regions: [eu-central-1]
      |           ^^^^^^^^^^^^
      |
      = help: were they ended on purpose? Then `--accept shrink:eu-central-1`, once
    ");
}

#[tokio::test]
async fn hosts_of_a_file_that_was_deleted_are_no_hosts() {
    let one = SOURCE.replace("us-east-1, ", "");
    let written = written().file("a.aws_ec2.yml", SOURCE.replace(", eu-central-1", "")).file("b.aws_ec2.yml", &one);
    let (_, found) = run(&written).read(&cloud()).await;
    write(&found, NOW).unwrap();
    assert_eq!(run(&written).offline().await.unwrap().fleet.hosts.len(), 3);
    fs::remove_file(written.path().join("b.aws_ec2.yml")).unwrap();
    let text = snapshot(&written);
    let version = format!("housewright {}", env!("CARGO_PKG_VERSION"));
    let written = written.file("discovered.yml", text.replace(&version, "housewright VERSION"));
    let said = run(&written).shown(run(&written).offline().await);
    assert!(said.contains("this snapshot has hosts of a file that is not there: `b.aws_ec2.yml`"), "{said}");
    fs::remove_file(written.path().join("a.aws_ec2.yml")).unwrap();
    assert_snapshot!(run(&written).shown(run(&written).offline().await), @"
    error[HW0165]: this is the snapshot of a file that is not there: `a.aws_ec2.yml`, `b.aws_ec2.yml`
     --> discovered.yml:1:1
      |
    1 | # Listed by EC2 at 2026-11-22T12:00:00Z, written by housewright VERSION.
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: remove it, or bring the file back; hosts that are to stay go into a file of another name
    ");
    // A file of one's own of this name is an inventory like any other.
    let written = written.file("discovered.yml", "all:\n  hosts:\n    a: { hostClusterRole: small }\n");
    assert_eq!(run(&written).offline().await.unwrap().fleet.hosts.len(), 1);
}

#[tokio::test]
async fn a_snapshot_that_is_not_whole_is_refused() {
    let written = two_regions();
    let (_, found) = run(&written).read(&cloud()).await;
    write(&found, NOW).unwrap();
    let whole = snapshot(&written);
    let cut = whole.split_once("    data-2:").unwrap().0.to_owned();
    let moved = whole.replacen("region: us-east-1", "region: eu-central-1", 1);
    let conflict = whole.replacen("aws_ec2:", "<<<<<<< HEAD\naws_ec2:", 1);
    let head = whole.replacen("# of ", "<<<<<<< HEAD\n# of ", 1);
    let nothing = whole.lines().take(3).collect::<Vec<_>>().join("\n");
    let mut said = String::new();
    for text in [&cut, &moved, &conflict, &head, &nothing] {
        fs::write(written.path().join("discovered.yml"), text).unwrap();
        let offline = run(&written).shown(run(&written).offline().await);
        let lines: Vec<&str> =
            offline.lines().filter(|line| line.starts_with("error") || line.contains("help")).collect();
        said += &format!("{}\n", lines.join("\n"));
        assert_eq!(run(&written).said(&cloud()).await, offline, "asked live");
    }
    assert_snapshot!(said, @"
    error[HW0165]: this snapshot is not whole: its head says 3 hosts, it has 1
      = help: take it as it was committed; or remove it, and `housewright discover --write` writes it anew
    error[HW0165]: this snapshot is not whole: its head says 1 host in `eu-central-1`, it has 2
      = help: take it as it was committed; or remove it, and `housewright discover --write` writes it anew
    error[HW0104]: not YAML: mapping values are not allowed in this context
      = help: is this line indented too far, or does a value with `: ` in it lack quotes?
    error[HW0165]: this is no snapshot that `housewright discover --write` wrote: its first lines are not
      = help: give a file of your own another name
    error[HW0165]: this snapshot is not whole: its head says 3 hosts, it has 0
      = help: take it as it was committed; or remove it, and `housewright discover --write` writes it anew
    ");
}

/// The worked region of the repository, as CI checks it: nobody is asked.
#[tokio::test]
async fn the_worked_region_is_the_fleet_of_its_snapshot() {
    let mut read = load::read(Path::new("inventories/eu-west-1"), Path::new("roles"));
    let (ask, accepted, cache) = (Ask::Snapshot, Accepted::default(), Cache::default());
    discover(&mut read.documents, &Terms { ask, accepted, cache, now: NOW }, &mut read.problems).await;
    let loaded = read.resolve(&ConnectionDefaults::default()).unwrap();
    assert_eq!(loaded.notes, [], "the snapshot is as new as its file");
    let placed =
        |kind: fn(&Placement) -> bool| loaded.fleet.hosts.values().filter(|host| kind(&host.placement)).count();
    assert_eq!(placed(|placement| matches!(placement, Placement::Storage { .. })), 9);
    assert_eq!(placed(|placement| matches!(placement, Placement::Keeper { .. })), 3);
    assert_eq!(placed(|placement| *placement == Placement::Stateless), 7);
    let posthog = &loaded.fleet.clusters[&ClusterName::new("posthog").unwrap()];
    assert!(posthog.shards.len() == 3 && posthog.shards.iter().all(|shard| shard.members.len() == 3));
    let data = &loaded.fleet.hosts[&HostName::new("data-02-b").unwrap()];
    assert_eq!(data.placement, Placement::Storage { shard: 2, replica: "b".to_owned() });
    assert_eq!(data.zone.as_deref(), Some("eu-west-1b"));
    assert_eq!(data.vars.get("instance_store_disks").unwrap()[0]["count"], 4);
    assert_eq!(loaded.inventory.hosts_of("ingestion").len(), 7);
}

fn differences(written: &crate::Written, found: &[Found]) -> String {
    let (_, node) = read_snapshot(&written.path().join("fleet.aws_ec2.yml")).unwrap();
    let before = recorded(&node, &[&found[0].source]);
    let hosts: Vec<_> = found.iter().flat_map(|found| found.hosts.clone()).collect();
    let lines = compare(&before, &hosts).iter().map(|line| line.to_json().to_string()).collect::<Vec<_>>();
    lines.join("\n")
}

#[tokio::test]
async fn differences_are_told_by_the_instances_identity() {
    let written = one_region();
    let fact = |mut instance: Instance, name: &str, value: &str| {
        instance.facts.insert(name.to_owned(), value.into());
        instance
    };
    let before = Cloud::default().region(
        "eu-central-1",
        ["1", "2", "3", "4", "5"].map(|n| data(&format!("i-{n}"), &format!("10.0.0.{n}"), &format!("d-{n}"), "1", n)),
    );
    let (_, found) = run(&written).read(&before).await;
    write(&found, NOW).unwrap();
    assert_eq!(differences(&written, &found), "");
    let now = Cloud::default().region(
        "eu-central-1",
        [
            data("i-1", "10.0.0.1", "d-1", "1", "1"),
            fact(data("i-2", "10.0.0.2", "d-2", "2", "2"), "instance_type", "i4i.8xlarge"),
            data("i-33", "10.0.0.33", "d-3", "1", "3"),
            data("i-4", "10.0.0.4", "d-44", "1", "4"),
            data("i-6", "10.0.0.6", "d-6", "1", "6"),
        ],
    );
    let (_, found) = Run { accept: &["shrink:eu-central-1"], ..run(&written) }.read(&now).await;
    assert_snapshot!(differences(&written, &found), @r#"
    {"host":"d-2","instance":"i-2","region":"eu-central-1","difference":"changed","variables":[{"variable":"instance_type","before":"i4i.4xlarge","now":"i4i.8xlarge"},{"variable":"shard","before":1,"now":2},{"variable":"tags.Shard","before":"1","now":"2"}]}
    {"host":"d-3","instance":"i-33","region":"eu-central-1","difference":"replaced","instance_before":"i-3"}
    {"host":"d-44","instance":"i-4","region":"eu-central-1","difference":"renamed","host_before":"d-4"}
    {"host":"d-5","instance":"i-5","region":"eu-central-1","difference":"gone"}
    {"host":"d-6","instance":"i-6","region":"eu-central-1","difference":"new"}
    "#);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn any_tags_are_the_same_offline(tags in prop::collection::btree_map("[a-zA-Z][a-zA-Z0-9:/ _.@+=-]{0,10}", "(?s).{0,20}", 0..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let tags: Vec<(&str, &str)> = tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let mut all_tags = vec![("Role", "small")];
        all_tags.extend(tags.into_iter().filter(|(key, _)| !["Role", "Name", "Shard", "Replica"].contains(key)));
        let cloud = Cloud::default().region("eu-central-1", [instance("i-1", "10.0.0.1", &all_tags)]);
        let written = one_region();
        let (mut read, found) = runtime.block_on(run(&written).read(&cloud));
        prop_assert!(read.problems.is_empty(), "{:?}", read.problems);
        write(&found, NOW).unwrap();
        let offline = runtime.block_on(run(&written).with(Ask::Snapshot)).0.assemble();
        prop_assert_eq!(all(&read.assemble()), all(&offline));
    }
}
