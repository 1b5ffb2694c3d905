//! Instances become hosts by the rules of a discovery file, and an incomplete answer stops everything.

mod written;

use std::collections::BTreeMap;
use std::path::Path;

use async_trait::async_trait;
use housewright::discovery::{Discovery, DiscoveryError, Instance, InstanceQuery, discover};
use housewright::fleet::{ConnectionDefaults, HostName, Placement, Reach, load};
use insta::assert_snapshot;
use written::{Written, written};

const SOURCE: &str = "plugin: amazon.aws.aws_ec2
regions: [us-east-1, eu-central-1]
filters: { 'tag:fleet': posthog, instance-state-name: [running] }
hostnames: ['tag:Name', private-ip-address]
keyed_groups:
  - { key: tags.role, prefix: role }
  - { key: placement.availability_zone, prefix: '', separator: '' }
compose:
  hostClusterRole: tags.role
  shard: tags.shard
  replica: tags['replica']
";

/// Answers by region; a region that it does not know fails.
struct Cloud(BTreeMap<&'static str, Vec<Instance>>);

#[async_trait]
impl Discovery for Cloud {
    async fn instances(&self, query: &InstanceQuery) -> Result<Vec<Instance>, DiscoveryError> {
        match self.0.get(query.region.as_str()) {
            None => Err(DiscoveryError::Failed { region: query.region.clone(), source: "expired token".into() }),
            Some(instances) if instances.is_empty() => Err(DiscoveryError::empty(query)),
            Some(instances) => Ok(instances.clone()),
        }
    }
}

fn instance(id: &str, ip: &str, tags: &[(&str, &str)]) -> Instance {
    Instance {
        id: id.to_owned(),
        zone: "us-east-1a".to_owned(),
        private_ip: Some(ip.to_owned()),
        tags: tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        ..Instance::default()
    }
}

fn data(id: &str, ip: &str, name: &str) -> Instance {
    instance(id, ip, &[("Name", name), ("role", "data"), ("shard", "1"), ("replica", id)])
}

async fn read(written: &Written, cloud: &Cloud) -> Result<load::Read, DiscoveryError> {
    let mut read = load::read(&written.path(), Path::new("roles"));
    discover(&mut read.documents, cloud, &mut read.problems).await?;
    Ok(read)
}

#[tokio::test]
async fn instances_of_two_regions_are_one_fleet() {
    let cloud = Cloud(BTreeMap::from([
        ("us-east-1", vec![data("i-1", "10.0.0.1", "data-1"), data("i-2", "10.0.0.2", "data-2")]),
        ("eu-central-1", vec![instance("i-3", "10.1.0.1", &[("role", "small")])]),
    ]));
    let written = written().file("fleet.aws_ec2.yml", SOURCE).group_vars("role_data.yml", "ansible_user: deploy");
    let loaded = read(&written, &cloud).await.unwrap().resolve(&ConnectionDefaults::default()).unwrap();
    let host = &loaded.fleet.hosts[&HostName::new("data-2").unwrap()];
    assert_eq!(host.placement, Placement::Storage { shard: 1, replica: "i-2".to_owned() });
    assert_eq!(host.zone.as_deref(), Some("us-east-1a"));
    let Reach::Ssh(connection) = &host.reach else { panic!("a member") };
    assert_eq!((connection.address.as_str(), connection.user.as_str()), ("10.0.0.2", "deploy"));
    assert!(loaded.fleet.hosts.contains_key(&HostName::new("10.1.0.1").unwrap()));
    assert_eq!(loaded.inventory.hosts_of("us_east_1a").len(), 3);
    assert_eq!(loaded.inventory.hosts_of("aws_ec2").len(), 3);
}

#[tokio::test]
async fn a_region_that_fails_or_is_empty_is_an_error() {
    let written = written().file("fleet.aws_ec2.yml", SOURCE);
    let fails = Cloud(BTreeMap::from([("us-east-1", vec![data("i-1", "10.0.0.1", "data-1")])]));
    assert_snapshot!(read(&written, &fails).await.unwrap_err(), @"cannot list the instances of `eu-central-1`");
    let empty = Cloud(BTreeMap::from([("us-east-1", vec![])]));
    assert_snapshot!(read(&written, &empty).await.unwrap_err(), @"no instance of `us-east-1` answers to the filters `instance-state-name=running`, `tag:fleet=posthog`");
}

#[tokio::test]
async fn instances_without_a_name_a_role_or_with_anothers_name_are_problems() {
    let cloud = Cloud(BTreeMap::from([
        ("us-east-1", vec![data("i-1", "10.0.0.1", "data-1"), data("i-2", "10.0.0.2", "data-1"), Instance::default()]),
        ("eu-central-1", vec![instance("i-3", "10.1.0.1", &[])]),
    ]));
    let written = written().file("fleet.aws_ec2.yml", SOURCE);
    let problems = read(&written, &cloud).await.unwrap().resolve(&ConnectionDefaults::default()).unwrap_err();
    assert_snapshot!(written.shown(&problems), @r#"
    error[HW0123]: the instance `` has none of the `hostnames`
     --> fleet.aws_ec2.yml:1:1
      |
    1 | plugin: amazon.aws.aws_ec2
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: tag it, or name another attribute

    error[HW0123]: the instances `i-1` and `i-2` are both called `data-1`
     --> fleet.aws_ec2.yml:1:1
      |
    1 | plugin: amazon.aws.aws_ec2
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^

    error[HW0301]: host `10.1.0.1` has no `hostClusterRole`
     --> fleet.aws_ec2.yml:1:1
      |
    1 | plugin: amazon.aws.aws_ec2
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: say in `group_vars/` what its group is: one of `data`, `events`, `keeper`, `medium`, `shufflehog`, `small`, `zookeeper`
    "#);
}

#[test]
fn a_discovery_file_that_nobody_asked_about_is_a_problem() {
    let said =
        written().hosts("all: { hosts: { d1: { hostClusterRole: small } } }").file("x.aws_ec2.yml", SOURCE).said();
    assert_snapshot!(said, @r#"
    error[HW0124]: this run does not ask EC2, and the hosts of this file would be missing
     --> x.aws_ec2.yml:1:1
      |
    1 | plugin: amazon.aws.aws_ec2
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: move the file out of the inventory, or write its hosts down
    "#);
}

#[tokio::test]
async fn keys_that_are_not_read_are_problems() {
    let text = "plugin: aws_ec2\nregion: us-east-1\nhostnames: ['{{ x }}']\nfilters: [a]\n";
    let written = written().file("x.aws_ec2.yml", text);
    let problems = read(&written, &Cloud(BTreeMap::new())).await.unwrap().problems;
    assert_snapshot!(written.shown(&problems), @r#"
    error[HW0120]: an EC2 discovery file has no key `region`
     --> x.aws_ec2.yml:2:1
      |
    2 | region: us-east-1
      | ^^^^^^
      |
      = help: did you mean `regions`?

    error[HW0120]: an EC2 discovery file lacks `regions`
     --> x.aws_ec2.yml:1:1
      |
    1 | plugin: aws_ec2
      | ^^^^^^^^^^^^^^^

    error[HW0120]: `filters` of an EC2 discovery file: must be a mapping, not a list
     --> x.aws_ec2.yml:4:10
      |
    4 | filters: [a]
      |          ^^^

    error[HW0120]: `hostnames` of an EC2 discovery file: `{{ x }}` is not read yet: write a tag (`tags.Name`, `tag:Name`) or an attribute
     --> x.aws_ec2.yml:3:13
      |
    3 | hostnames: ['{{ x }}']
      |             ^^^^^^^^^
    "#);
}
