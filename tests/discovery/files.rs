//! What discovery files may say.

use insta::assert_snapshot;

use crate::cloud::{Cloud, run};
use crate::written;

async fn said(text: &str) -> String {
    let written = written().file("x.aws_ec2.yml", text);
    run(&written).said(&Cloud::default()).await
}

#[tokio::test]
async fn slips_are_told_with_near_names() {
    let text = "plugin: aws_ec3
region: us-east-1
filter: {}
hostnames: [private-ip-adress, 'tag:', 7, { prefix: x }, { name: private-ip-address, prefixx: a }]
keyed_groups: [{ prefix: a }, { key: [a] }, { key: a, default_value: b, trailing_separator: false }]
compose: [a]
placement_tags: { roles: Role }
max_shrink: 20
cache_timeout: 0
";
    assert_snapshot!(said(text).await, @"
    error[HW0120]: an EC2 discovery file lacks `regions`
     --> x.aws_ec2.yml:1:1
      |
    1 | plugin: aws_ec3
      | ^^^^^^^^^^^^^^^

    error[HW0120]: `plugin` of an EC2 discovery file: must be amazon.aws.aws_ec2, not `aws_ec3`
     --> x.aws_ec2.yml:1:9
      |
    1 | plugin: aws_ec3
      |         ^^^^^^^

    error[HW0120]: an EC2 discovery file has no key `region`
     --> x.aws_ec2.yml:2:1
      |
    2 | region: us-east-1
      | ^^^^^^
      |
      = help: did you mean `regions`?

    error[HW0120]: an EC2 discovery file has no key `filter`
     --> x.aws_ec2.yml:3:1
      |
    3 | filter: {}
      | ^^^^^^
      |
      = help: did you mean `filters`?

    error[HW0120]: `hostnames` of an EC2 discovery file: `private-ip-adress` is no tag and no attribute of an instance: did you mean `private-ip-address`?
     --> x.aws_ec2.yml:4:13
      |
    4 | hostnames: [private-ip-adress, 'tag:', 7, { prefix: x }, { name: private-ip-address, prefixx: a }]
      |             ^^^^^^^^^^^^^^^^^

    error[HW0120]: `hostnames` of an EC2 discovery file: takes a tag or an attribute, not `7`
     --> x.aws_ec2.yml:4:40
      |
    4 | hostnames: [private-ip-adress, 'tag:', 7, { prefix: x }, { name: private-ip-address, prefixx: a }]
      |                                        ^

    error[HW0120]: a host name lacks `name`
     --> x.aws_ec2.yml:4:43
      |
    4 | hostnames: [private-ip-adress, 'tag:', 7, { prefix: x }, { name: private-ip-address, prefixx: a }]
      |                                           ^^^^^^^^^^^^^

    error[HW0120]: a host name has no key `prefixx`
     --> x.aws_ec2.yml:4:86
      |
    4 | hostnames: [private-ip-adress, 'tag:', 7, { prefix: x }, { name: private-ip-address, prefixx: a }]
      |                                                                                      ^^^^^^^
      |
      = help: did you mean `prefix`?

    error[HW0120]: a keyed group lacks `key`
     --> x.aws_ec2.yml:5:16
      |
    5 | keyed_groups: [{ prefix: a }, { key: ***
      |                ^^^^^^^^^^^^^

    error[HW0120]: `key` of a keyed group: takes an expression, such as `tags.Role`, not a list
     --> x.aws_ec2.yml:5:38
      |
    5 | keyed_groups: [{ prefix: a }, { key: ***
      |                                      ^^^

    error[HW0120]: `trailing_separator` of a keyed group: does not go together with `default_value`
     --> x.aws_ec2.yml:5:38
      |
    5 | keyed_groups: [{ prefix: a }, { key: ***
      |                                      ^^^

    error[HW0120]: `compose` of an EC2 discovery file: must be a mapping, not a list
     --> x.aws_ec2.yml:6:10
      |
    6 | compose: [a]
      |          ^^^

    error[HW0120]: `placement_tags` has no key `roles`
     --> x.aws_ec2.yml:7:19
      |
    7 | placement_tags: { roles: Role }
      |                   ^^^^^
      |
      = help: did you mean `role`?

    error[HW0120]: `max_shrink` of an EC2 discovery file: must be a share from `0%` to `100%`, not `20`
     --> x.aws_ec2.yml:8:13
      |
    8 | max_shrink: 20
      |             ^^

    error[HW0120]: `cache_timeout` of an EC2 discovery file: must be a number of seconds from 1, not `0`
     --> x.aws_ec2.yml:9:16
      |
    9 | cache_timeout: 0
      |                ^
    ");
}

#[tokio::test]
async fn regions_are_named_one_by_one() {
    for regions in ["[]", "[all, '*']", "[a b]", "{ a: b }", "[eu-west-1, eu-west-1]"] {
        let said = said(&format!("plugin: aws_ec2\nregions: {regions}\n")).await;
        assert!(said.contains("HW0120"), "{regions}: {said}");
    }
}

#[tokio::test]
async fn credentials_in_the_file_are_refused_and_not_repeated() {
    let said =
        said("plugin: aws_ec2\nregions: [eu-west-1]\naws_access_key: AKIAHUNTER2\naws_secret_key: hunter2\n").await;
    assert!(!said.to_lowercase().contains("hunter2"), "{said}");
    assert_snapshot!(said, @"
    error[HW0108]: `aws_access_key`: credentials are never written into the inventory
     --> x.aws_ec2.yml:3:17
      |
    3 | aws_access_key: ***
      |                 ^^^
      |
      = help: leave the key out: the environment, `profile`, SSO or the machine's role has them, and change a key that was written out

    error[HW0108]: `aws_secret_key`: credentials are never written into the inventory
     --> x.aws_ec2.yml:4:17
      |
    4 | aws_secret_key: ***
      |                 ^^^
      |
      = help: leave the key out: the environment, `profile`, SSO or the machine's role has them, and change a key that was written out
    ");
}

#[tokio::test]
async fn what_is_evaluated_by_ansible_only_is_refused() {
    let text = "plugin: aws_ec2\nregions: [eu-west-1]\nprofile: \"{{ lookup('env', 'AWS_PROFILE') }}\"\n";
    assert_snapshot!(said(text).await, @r#"
    error[HW0120]: `profile` of an EC2 discovery file: is not evaluated: write the value, or leave the key out and `AWS_PROFILE` holds
     --> x.aws_ec2.yml:3:10
      |
    3 | profile: "{{ lookup('env', 'AWS_PROFILE') }}"
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
}

#[tokio::test]
async fn keys_of_the_plugin_that_are_not_read_are_notes() {
    let text = "plugin: aws_ec2
regions: [eu-central-1]
strict_permissions: true
use_contrib_script_compatible_sanitization: true
cache_plugin: jsonfile
allow_duplicated_hosts: false
hostnames: [private-ip-address]
placement_tags: { role: Role }
";
    let written = written().file("x.aws_ec2.yml", text);
    let cloud =
        Cloud::default().region("eu-central-1", [crate::cloud::instance("i-1", "10.0.0.1", &[("Role", "small")])]);
    assert_snapshot!(run(&written).said(&cloud).await, @"
    note[HW0166]: `use_contrib_script_compatible_sanitization` is not read: group names have letters, digits and `_` only
     --> x.aws_ec2.yml:4:1
      |
    4 | use_contrib_script_compatible_sanitization: true
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: remove it, or nothing

    note[HW0166]: `cache_plugin` is not read: the cache is in the user's cache directory
     --> x.aws_ec2.yml:5:1
      |
    5 | cache_plugin: jsonfile
      | ^^^^^^^^^^^^
      |
      = help: remove it, or nothing
    ");
}

#[tokio::test]
async fn a_build_that_cannot_ask_says_so() {
    let written =
        written().hosts("all: { hosts: { d1: { hostClusterRole: small } } }").file("x.aws_ec2.yml", crate::SOURCE);
    let (read, _) = run(&written).with(housewright::discovery::Ask::Nobody).await;
    let said = run(&written).shown(read.resolve(&housewright::fleet::ConnectionDefaults::default()));
    assert_snapshot!(said, @"
    error[HW0124]: this build cannot ask EC2, and the hosts of this file would be missing
     --> x.aws_ec2.yml:1:1
      |
    1 | plugin: amazon.aws.aws_ec2
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: `--offline` reads the snapshot; a build with the feature `ec2` asks
    ");
}
