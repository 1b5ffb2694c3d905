//! What instances become.

use housewright::fleet::{HostName, Placement, Reach};
use insta::assert_snapshot;

use crate::cloud::{Cloud, data, instance, run};
use crate::{SOURCE, one_region, two_regions, written};

fn host(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

#[tokio::test]
async fn instances_of_two_regions_are_one_fleet() {
    let cloud = Cloud::default()
        .region("us-east-1", [data("i-1", "10.0.0.1", "data-1", "1", "a"), data("i-2", "10.0.0.2", "data-2", "1", "b")])
        .region("eu-central-1", [instance("i-3", "10.1.0.1", &[("Role", "small")])]);
    let written = two_regions().group_vars("role_data.yml", "ansible_user: deploy");
    let loaded = run(&written).resolve(&cloud).await.unwrap();
    let data = &loaded.fleet.hosts[&host("data-2")];
    assert_eq!(data.placement, Placement::Storage { shard: 1, replica: "b".to_owned() });
    assert_eq!(data.zone.as_deref(), Some("us-east-1a"));
    let Reach::Ssh(connection) = &data.reach else { panic!("a member") };
    assert_eq!((connection.address.as_str(), connection.user.as_str()), ("10.0.0.2", "deploy"));
    assert!(loaded.fleet.hosts.contains_key(&host("10.1.0.1")));
    for (group, hosts) in [("aws_ec2", 3), ("role_data", 2), ("role_small", 1), ("us_east_1a", 2), ("eu_central_1a", 1)]
    {
        assert_eq!(loaded.inventory.hosts_of(group).len(), hosts, "{group}");
    }
}

#[tokio::test]
async fn instances_without_a_name_and_with_the_name_of_another_are_told() {
    let cloud = Cloud::default().region(
        "eu-central-1",
        [
            data("i-1", "10.0.0.1", "data-1", "1", "a"),
            data("i-2", "10.0.0.2", "data-1", "1", "b"),
            instance("i-3", "", &[("Role", "small")]),
            instance("i-4", "10.0.0.4", &[("Role", "small"), ("Name", "no name")]),
        ],
    );
    assert_snapshot!(run(&one_region()).said(&cloud).await, @"
    error[HW0123]: the instance `i-3` of `eu-central-1` has none of the `hostnames`
     --> fleet.aws_ec2.yml:1:1
      |
    1 | plugin: amazon.aws.aws_ec2
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: tag it, or name another attribute

    error[HW0123]: the instance `i-4` of `eu-central-1`: `no name` is not a host name: letters, digits, `.`, `-`, `_`, `:`, `+` and `@`, beginning with a letter, a digit, `_` or `:`
     --> fleet.aws_ec2.yml:1:1
      |
    1 | plugin: amazon.aws.aws_ec2
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^

    error[HW0123]: the instances `i-1` of `eu-central-1` and `i-2` of `eu-central-1` are both called `data-1`
     --> fleet.aws_ec2.yml:1:1
      |
    1 | plugin: amazon.aws.aws_ec2
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: give one of them another tag, or exclude it by `exclude_filters`
    ");
}

#[tokio::test]
async fn placement_tags_that_are_missing_or_make_no_sense_are_told() {
    let cloud = Cloud::default().region(
        "eu-central-1",
        [
            instance("i-1", "10.0.0.1", &[("Name", "a")]),
            instance("i-2", "10.0.0.2", &[("Name", "b"), ("Role", "")]),
            data("i-3", "10.0.0.3", "c", "first", "a"),
            data("i-4", "10.0.0.4", "d", "0", "a"),
            data("i-5", "10.0.0.5", "e", "1", "a"),
        ],
    );
    assert_snapshot!(run(&one_region()).said(&cloud).await, @"
    error[HW0161]: the instance `i-1` of `eu-central-1` has no tag `Role`
     --> fleet.aws_ec2.yml:1:1
      |
    1 | plugin: amazon.aws.aws_ec2
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: tag it, with the hostClusterRole of a role: `aws ec2 create-tags --region eu-central-1 --resources i-1 --tags Key=Role,Value=...`

    error[HW0161]: the instance `i-2` of `eu-central-1` has no tag `Role`
     --> fleet.aws_ec2.yml:1:1
      |
    1 | plugin: amazon.aws.aws_ec2
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: tag it, with the hostClusterRole of a role: `aws ec2 create-tags --region eu-central-1 --resources i-2 --tags Key=Role,Value=...`

    error[HW0162]: the instance `i-3` of `eu-central-1` has the tag `Shard=first`; `shard` is a whole number from 1
     --> fleet.aws_ec2.yml:1:1
      |
    1 | plugin: amazon.aws.aws_ec2
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: tag it: `aws ec2 create-tags --region eu-central-1 --resources i-3 --tags Key=Shard,Value=1`

    error[HW0162]: the instance `i-4` of `eu-central-1` has the tag `Shard=0`; `shard` is a whole number from 1
     --> fleet.aws_ec2.yml:1:1
      |
    1 | plugin: amazon.aws.aws_ec2
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: tag it: `aws ec2 create-tags --region eu-central-1 --resources i-4 --tags Key=Shard,Value=1`
    ");
}

#[tokio::test]
async fn a_tag_that_no_instance_has_is_told_once() {
    let cloud = Cloud::default().region(
        "eu-central-1",
        (0..50).map(|n| data(&format!("i-{n}"), &format!("10.0.0.{n}"), &format!("data-{n}"), "1", &format!("{n}"))),
    );
    let source =
        SOURCE.replace("us-east-1, ", "").replace("role: Role", "role: role").replace("shard: Shard", "shard: Schard");
    let written = written().file("fleet.aws_ec2.yml", source);
    assert_snapshot!(run(&written).said(&cloud).await, @"
    error[HW0161]: no instance has the tag `role`
     --> fleet.aws_ec2.yml:5:25
      |
    5 | placement_tags: { role: role, shard: Schard, replica: Replica }
      |                         ^^^^
      |
      = help: did you mean `Role`?

    note[HW0161]: no instance has the tag `Schard`
     --> fleet.aws_ec2.yml:5:38
      |
    5 | placement_tags: { role: role, shard: Schard, replica: Replica }
      |                                      ^^^^^^
      |
      = help: did you mean `Shard`?
    ");
}

#[tokio::test]
async fn a_storage_host_without_its_tags_is_told_by_its_instance() {
    let cloud = Cloud::default().region(
        "eu-central-1",
        [instance("i-1", "10.0.0.1", &[("Name", "a"), ("Role", "data")]), data("i-2", "10.0.0.2", "b", "1", "a")],
    );
    assert_snapshot!(run(&one_region()).said(&cloud).await, @r#"
    error[HW0304]: host `a` of role `data` has no `replica`
     --> fleet.aws_ec2.yml: i-1 of eu-central-1:1:1
      |
    1 | ansible_host: "10.0.0.1"
      | ^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: tag the instance `i-1`, and name the tag in `placement_tags`

    error[HW0304]: host `a` of role `data` has no `shard`
     --> fleet.aws_ec2.yml: i-1 of eu-central-1:1:1
      |
    1 | ansible_host: "10.0.0.1"
      | ^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: tag the instance `i-1`, and name the tag in `placement_tags`
    "#);
}

#[tokio::test]
async fn two_instances_that_claim_one_replica_are_both_named() {
    let cloud = Cloud::default().region(
        "eu-central-1",
        [data("i-0a1", "10.0.0.1", "data-1", "1", "a"), data("i-0b2", "10.0.0.2", "data-2", "1", "a")],
    );
    assert_snapshot!(run(&one_region()).said(&cloud).await, @"
    error[HW0305]: the hosts `data-1` and `data-2` are both replica `a` of shard 1 of role `data`
     --> fleet.aws_ec2.yml: i-0b2 of eu-central-1:9:10
      |
    9 | replica: a
      |          ^
      |
      = help: `data-1` says so at fleet.aws_ec2.yml: i-0a1 of eu-central-1:9:10
    ");
}

#[tokio::test]
async fn tags_are_never_taken_for_secrets_or_templates() {
    let cloud = Cloud::default().region(
        "eu-central-1",
        [
            instance("i-1", "10.0.0.1", &[("from_secret", "file:/etc/shadow")]),
            instance("i-2", "10.0.0.2", &[("Role", "small"), ("Note", "\u{F8F0}env:HOME\u{F8F1}")]),
        ],
    );
    let source = SOURCE.replace("us-east-1, ", "").replace("placement_tags", "#");
    let written = written().file("fleet.aws_ec2.yml", source);
    assert_snapshot!(run(&written).said(&cloud).await, @"
    error[HW0163]: the instance `i-1` of `eu-central-1`: a value is called `from_secret`
     --> fleet.aws_ec2.yml:1:1
      |
    1 | plugin: amazon.aws.aws_ec2
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: a tag or another fact would be taken for the reference of a secret: rename or remove it

    error[HW0163]: the instance `i-2` of `eu-central-1`: a value has the marks of a secret's reference
     --> fleet.aws_ec2.yml:1:1
      |
    1 | plugin: amazon.aws.aws_ec2
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: a tag or another fact would be taken for the reference of a secret: rename or remove it
    ");
    let template = "{{ lookup('pipe', 'id') }}";
    let cloud = Cloud::default()
        .region("eu-central-1", [instance("i-1", "10.0.0.1", &[("Role", "small"), ("Note", template)])]);
    let loaded = run(&one_region()).resolve(&cloud).await.unwrap();
    let tags = &loaded.fleet.hosts[&host("10.0.0.1")].vars.get("tags").unwrap()["Note"];
    assert_eq!(tags, template);
}

#[tokio::test]
async fn facts_take_a_prefix_and_a_suffix() {
    let cloud = Cloud::default().region("eu-central-1", [instance("i-1", "10.0.0.1", &[("Role", "small")])]);
    let source = SOURCE.replace("us-east-1, ", "") + "hostvars_prefix: aws_\nhostvars_suffix: _ec2\n";
    let written = written().file("fleet.aws_ec2.yml", source);
    let loaded = run(&written).resolve(&cloud).await.unwrap();
    let vars = &loaded.fleet.hosts[&host("10.0.0.1")].vars;
    assert_eq!(vars.get("aws_instance_id_ec2").unwrap(), "i-1");
    assert!(vars.get("instance_id").is_none());
    assert_eq!(vars.get("hostClusterRole").unwrap(), "small");
    assert_eq!(loaded.inventory.hosts_of("role_small").len(), 1);
}
