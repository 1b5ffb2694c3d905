//! Hosts written by hand and discovered ones meet in one fleet; what both claim is told with both places.

use insta::assert_snapshot;

use crate::cloud::{Cloud, data, instance, run};
use crate::{SOURCE, one_region};

fn cloud() -> Cloud {
    Cloud::default().region(
        "eu-central-1",
        [
            data("i-0a1", "10.0.0.1", "data-1", "1", "a"),
            instance("i-0b2", "10.0.0.2", &[("Role", "small"), ("Name", "small-1")]),
        ],
    )
}

#[tokio::test]
async fn written_and_discovered_hosts_are_one_fleet() {
    let hosts = "data:\n  vars: { hostClusterRole: data }\n  hosts:\n    data-2: { shard: 1, replica: b, ansible_host: 10.0.0.3 }\n";
    let written = one_region().hosts(hosts).file("host_vars/small-1.yml", "zone: mine");
    let loaded = run(&written).resolve(&cloud()).await.unwrap();
    assert_eq!(loaded.fleet.hosts.len(), 3);
    let small = &loaded.fleet.hosts[&housewright::fleet::HostName::new("small-1").unwrap()];
    assert_eq!(small.zone.as_deref(), Some("mine"), "host_vars/ is stronger than what EC2 says");
}

#[tokio::test]
async fn a_host_of_the_same_name_is_told() {
    let written = one_region().hosts("small:\n  hosts:\n    small-1: { hostClusterRole: small }\n");
    assert_snapshot!(run(&written).said(&cloud()).await, @"
    error[HW0164]: the host `small-1` is written here, and EC2 lists it: fleet.aws_ec2.yml: i-0b2 of eu-central-1:1:1
     --> hosts.yml:3:5
      |
    3 |     small-1: { hostClusterRole: small }
      |     ^^^^^^^
      |
      = help: remove it here; what only you know of it goes into `host_vars/`, its groups into `groups` of the `aws_ec2.yml` file
    ");
}

#[tokio::test]
async fn an_address_and_a_replica_that_both_have_are_told() {
    let hosts = "data:\n  vars: { hostClusterRole: data }\n  hosts:\n    data-9: { shard: 1, replica: a, ansible_host: 10.0.0.1 }\n";
    let written = one_region().hosts(hosts);
    assert_snapshot!(run(&written).said(&cloud()).await, @"
    error[HW0305]: the hosts `data-1` and `data-9` are both replica `a` of shard 1 of role `data`
     --> hosts.yml:4:34
      |
    4 |     data-9: { shard: 1, replica: a, ansible_host: 10.0.0.1 }
      |                                  ^
      |
      = help: `data-1` says so at fleet.aws_ec2.yml: i-0a1 of eu-central-1:9:10

    error[HW0308]: the hosts `data-1` and `data-9` have the same address `10.0.0.1`
     --> hosts.yml:4:51
      |
    4 |     data-9: { shard: 1, replica: a, ansible_host: 10.0.0.1 }
      |                                                   ^^^^^^^^
      |
      = help: `data-1` says so at fleet.aws_ec2.yml: i-0a1 of eu-central-1:1:15
    ");
}

#[tokio::test]
async fn two_files_that_find_one_instance_are_told() {
    let written = one_region().file("other.aws_ec2.yml", SOURCE.replace("us-east-1, ", ""));
    assert_snapshot!(run(&written).said(&cloud()).await, @"
    error[HW0123]: `fleet.aws_ec2.yml` finds the instance `i-0a1` too, as `data-1`
     --> other.aws_ec2.yml:1:1
      |
    1 | plugin: amazon.aws.aws_ec2
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: make the filters of one of the two files narrower

    error[HW0123]: `fleet.aws_ec2.yml` finds the instance `i-0b2` too, as `small-1`
     --> other.aws_ec2.yml:1:1
      |
    1 | plugin: amazon.aws.aws_ec2
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: make the filters of one of the two files narrower
    ");
}
