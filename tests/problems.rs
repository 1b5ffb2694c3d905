//! What an operator reads when something is wrong: the real texts, with place, source line and advice.

mod written;

use std::collections::BTreeSet;
use std::path::Path;

use insta::assert_snapshot;
use written::written;

/// A data host that is right, for the tests that are about something else.
const ONE: &str = "all: { hosts: { d1: { hostClusterRole: data, shard: 1, replica: 1 } } }";

#[test]
fn a_misspelt_role_variable() {
    assert_snapshot!(written().hosts("all:\n  hosts:\n    d1:\n      hostClusterRol: data\n      shard: 1\n").said(), @r#"
    error[HW0301]: host `d1` has no `hostClusterRole`
     --> hosts.yml:3:5
      |
    3 |     d1:
      |     ^^
      |
      = help: did you mean `hostClusterRole` where you wrote `hostClusterRol`?

    note[HW0310]: `hostClusterRol` means nothing to Housewright
     --> hosts.yml:4:7
      |
    4 |       hostClusterRol: data
      |       ^^^^^^^^^^^^^^
      |
      = help: did you mean `hostClusterRole`?
    "#);
}

#[test]
fn a_role_that_nobody_defined() {
    let text = "all:\n  children:\n    data:\n      hosts: { d1: , d2: }\n      vars: { hostClusterRole: dta }\n";
    assert_snapshot!(written().hosts(text).said(), @r#"
    error[HW0302]: no role has the hostClusterRole `dta`
     --> hosts.yml:5:32
      |
    5 |       vars: { hostClusterRole: dta }
      |                                ^^^
      |
      = help: did you mean `data`?
    "#);
}

#[test]
fn wrong_types_and_a_shard_zero() {
    let text = "all:
  hosts:
    d1: { hostClusterRole: data, shard: one, replica: 1 }
    d2: { hostClusterRole: data, shard: 0, replica: 1, raid_volumes: [nvme1n1] }
";
    assert_snapshot!(written().hosts(text).said(), @r#"
    error[HW0303]: `shard` must be a whole number from 1, not `one`
     --> hosts.yml:3:41
      |
    3 |     d1: { hostClusterRole: data, shard: one, replica: 1 }
      |                                         ^^^

    error[HW0303]: `shard` must be a whole number from 1, not `0`
     --> hosts.yml:4:41
      |
    4 |     d2: { hostClusterRole: data, shard: 0, replica: 1, raid_volumes: [nvme1n1] }
      |                                         ^

    error[HW0303]: `raid_volumes`: each item must be a mapping, not `nvme1n1`
     --> hosts.yml:4:71
      |
    4 |     d2: { hostClusterRole: data, shard: 0, replica: 1, raid_volumes: [nvme1n1] }
      |                                                                       ^^^^^^^
      |
      = help: write a mapping with `name`, `level`, `devices`, `mount`
    "#);
}

#[test]
fn a_replica_and_an_address_held_twice() {
    let text = "all:
  vars: { hostClusterRole: data }
  hosts:
    d1: { shard: 1, replica: 1, ansible_host: 10.0.0.1 }
    d2: { shard: 1, replica: 1, ansible_host: 10.0.0.1 }
";
    assert_snapshot!(written().hosts(text).said(), @r#"
    error[HW0305]: the hosts `d1` and `d2` are both replica `1` of shard 1 of role `data`
     --> hosts.yml:5:30
      |
    5 |     d2: { shard: 1, replica: 1, ansible_host: 10.0.0.1 }
      |                              ^
      |
      = help: `d1` says so at hosts.yml:4:30

    error[HW0308]: the hosts `d1` and `d2` have the same address `10.0.0.1`
     --> hosts.yml:5:47
      |
    5 |     d2: { shard: 1, replica: 1, ansible_host: 10.0.0.1 }
      |                                               ^^^^^^^^
      |
      = help: `d1` says so at hosts.yml:4:47
    "#);
}

#[test]
fn gaps_are_only_noted() {
    let text = "all:
  vars: { hostClusterRole: data }
  hosts:
    d1: { shard: 1, replica: 1 }
    d2: { shard: 1, replica: 2 }
    d3: { shard: 3, replica: 1 }
";
    assert_snapshot!(written().hosts(text).said(), @r#"
    note[HW0306]: role `data` has a shard 3, but no shard 2
     --> hosts.yml:6:18
      |
    6 |     d3: { shard: 3, replica: 1 }
      |                  ^

    note[HW0306]: shard 3 of role `data` has no replica 2, other shards have
     --> hosts.yml:6:18
      |
    6 |     d3: { shard: 3, replica: 1 }
      |                  ^
    "#);
}

#[test]
fn keepers_with_one_id() {
    let text = "all: { vars: { hostClusterRole: keeper }, hosts: { k1: { keeper_id: 1 }, k2: { keeper_id: 1 } } }";
    assert_snapshot!(written().hosts(text).said(), @r#"
    error[HW0307]: the hosts `k1` and `k2` are both keeper_id 1 of role `keeper`
     --> hosts.yml:1:91
      |
    1 | all: { vars: { hostClusterRole: keeper }, hosts: { k1: { keeper_id: 1 }, k2: { keeper_id: 1 } } }
      |                                                                                           ^
      |
      = help: `k1` says so at hosts.yml:1:69
    "#);
}

#[test]
fn an_ingestion_host_that_stores() {
    let text = "all:
  hosts:
    i1:
      hostClusterRole: small
      backup_tables: [db.t]
      clickhouse_disk_balancer_enabled: yes
      shard: 4
";
    assert_snapshot!(written().hosts(text).said(), @r#"
    error[HW0309]: `backup_tables` must be empty on hosts of the stateless role `ingestion-small`: they keep nothing
     --> hosts.yml:5:22
      |
    5 |       backup_tables: [db.t]
      |                      ^^^^^^
      |
      = help: write `backup_tables: []` for their group, or move this to the hosts that store

    error[HW0309]: `clickhouse_disk_balancer_enabled` must be false on hosts of the stateless role `ingestion-small`: they keep nothing
     --> hosts.yml:6:41
      |
    6 |       clickhouse_disk_balancer_enabled: yes
      |                                         ^^^
      |
      = help: write `clickhouse_disk_balancer_enabled: false` for their group, or move this to the hosts that store

    note[HW0322]: `shard` means nothing to the role `ingestion-small`
     --> hosts.yml:7:14
      |
    7 |       shard: 4
      |              ^
    "#);
}

#[test]
fn clusters_that_clickhouse_would_refuse() {
    let text = "clickhouse_clusters:
  empty: { hosts: [], layout: single_shard }
  near: { hosts: dat, layout: shardet }
  keys: { host: all, layout: sharded, hosts: all, secret: hunter2 }
  1st: {}
";
    let inventory = "all: { children: { data: { hosts: { d1: { hostClusterRole: data, shard: 1, replica: 1 } } } } }";
    assert_snapshot!(written().hosts(inventory).group_vars("all.yml", text).said(), @r#"
    error[HW0318]: cluster `empty` has no hosts
     --> group_vars/all.yml:2:3
      |
    2 |   empty: { hosts: [], layout: single_shard }
      |   ^^^^^
      |
      = help: give it `hosts: <group>` or `members: [...]`

    error[HW0118]: no host and no group is called `dat`
     --> group_vars/all.yml:3:18
      |
    3 |   near: { hosts: dat, layout: shardet }
      |                  ^^^
      |
      = help: did you mean `data`?

    error[HW0317]: `layout` of cluster `near`: must be `sharded`, `single_shard` or `one_shard_per_host`, not `shardet`
     --> group_vars/all.yml:3:31
      |
    3 |   near: { hosts: dat, layout: shardet }
      |                               ^^^^^^^
      |
      = help: did you mean `sharded`?

    error[HW0316]: cluster `keys` has no key `host`
     --> group_vars/all.yml:4:11
      |
    4 |   keys: { host: all, layout: sharded, hosts: all, secret: ***
      |           ^^^^
      |
      = help: did you mean `hosts`?

    error[HW0108]: `secret` of cluster `keys` takes `env:NAME`, `file:PATH` or `exec:COMMAND`, never the secret itself
     --> group_vars/all.yml:4:59
      |
    4 |   keys: { host: all, layout: sharded, hosts: all, secret: ***
      |                                                           ^^^

    error[HW0321]: `1st` is not a cluster name: a letter or `_`, then letters, digits, `_`, `-`
     --> group_vars/all.yml:5:3
      |
    5 |   1st: {}
      |   ^^^
    "#);
}

#[test]
fn weights_and_members_that_contradict_each_other() {
    let text = "clickhouse_clusters:
  pods:
    members: ['p-[0:2]', p-1, { hots: q, port: 9000 }, { host: r, weight: many }, { host: s, weigth: 3 }]
    layout: single_shard
  data: { hosts: all, layout: single_shard, weight: { d1: 1, d2: 2, d3: 3 }, priority: 0 }
";
    let hosts = "all: { vars: { hostClusterRole: data, shard: 1 }, hosts: { d1: { replica: 1 }, d2: { replica: 2 } } }";
    assert_snapshot!(written().hosts(hosts).group_vars("all.yml", text).said(), @r#"
    error[HW0171]: the member `p-1:9000` stands twice in this cluster
     --> group_vars/all.yml:3:26
      |
    3 |     members: ['p-[0:2]', p-1, { hots: q, port: 9000 }, { host: r, weight: many }, { host: s, weigth: 3 }]
      |                          ^^^
      |
      = help: remove one of the two

    error[HW0316]: a member has no key `hots`
     --> group_vars/all.yml:3:33
      |
    3 |     members: ['p-[0:2]', p-1, { hots: q, port: 9000 }, { host: r, weight: many }, { host: s, weigth: 3 }]
      |                                 ^^^^
      |
      = help: did you mean `host`?

    error[HW0317]: `weight` of a member: must be a whole number from 0 to 10000, not `many`
     --> group_vars/all.yml:3:75
      |
    3 |     members: ['p-[0:2]', p-1, { hots: q, port: 9000 }, { host: r, weight: many }, { host: s, weigth: 3 }]
      |                                                                           ^^^^

    error[HW0316]: a member has no key `weigth`
     --> group_vars/all.yml:3:94
      |
    3 |     members: ['p-[0:2]', p-1, { hots: q, port: 9000 }, { host: r, weight: many }, { host: s, weigth: 3 }]
      |                                                                                              ^^^^^^
      |
      = help: did you mean `weight`?

    error[HW0170]: in cluster `data`, `d1` and `d2` are in one shard, and the weights 1 and 2 are for both
     --> group_vars/all.yml:5:53
      |
    5 |   data: { hosts: all, layout: single_shard, weight: { d1: 1, d2: 2, d3: 3 }, priority: 0 }
      |                                                     ^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: a shard has one weight: choose all hosts of the shard in one pattern

    error[HW0118]: no host and no group is called `d3`
     --> group_vars/all.yml:5:69
      |
    5 |   data: { hosts: all, layout: single_shard, weight: { d1: 1, d2: 2, d3: 3 }, priority: 0 }
      |                                                                     ^^
      |
      = help: did you mean `d1`?

    error[HW0317]: `priority` of cluster `data`: must be a whole number from 1 to 1000000 or a mapping, not `0`
     --> group_vars/all.yml:5:88
      |
    5 |   data: { hosts: all, layout: single_shard, weight: { d1: 1, d2: 2, d3: 3 }, priority: 0 }
      |                                                                                        ^
    "#);
}

#[test]
fn one_misspelt_key_is_one_problem() {
    let text = "clickhouse_clusters: { c: { hosts: all, layuot: sharded }, d: { hosts: all } }";
    assert_snapshot!(written().hosts(ONE).group_vars("all.yml", text).said(), @r#"
    error[HW0316]: cluster `c` has no key `layuot`
     --> group_vars/all.yml:1:41
      |
    1 | clickhouse_clusters: { c: { hosts: all, layuot: sharded }, d: { hosts: all } }
      |                                         ^^^^^^
      |
      = help: did you mean `layout`?

    error[HW0317]: cluster `d` lacks `layout`
     --> group_vars/all.yml:1:63
      |
    1 | clickhouse_clusters: { c: { hosts: all, layuot: sharded }, d: { hosts: all } }
      |                                                               ^^^^^^^^^^^^^^
      |
      = help: add `layout`: `sharded`, `single_shard` or `one_shard_per_host`
    "#);
}

#[test]
fn one_place_is_told_once_however_many_hosts_have_it() {
    let text = "all:
  vars: { backup_tables: [db.t] }
  children:
    small: { hosts: { 's-[1:3]': }, vars: { hostClusterRole: small } }
    medium: { hosts: { m-1: }, vars: { hostClusterRole: medium } }
    data: { hosts: { 'd-[1:9]': }, vars: { hostClusterRole: data, replica: 1 } }
    nobody: { hosts: { 'n-[1:40]': } }
";
    assert_snapshot!(written().hosts(text).said(), @r#"
    error[HW0309]: `backup_tables` must be empty on hosts of the stateless roles `ingestion-medium` and `ingestion-small`: they keep nothing
     --> hosts.yml:2:26
      |
    2 |   vars: { backup_tables: [db.t] }
      |                          ^^^^^^
      |
      = help: write `backup_tables: []` for their group, or move this to the hosts that store

    error[HW0304]: 9 hosts of role `data` have no `shard`: `d-1`, `d-2`, `d-3` and 6 more
     --> hosts.yml:6:22
      |
    6 |     data: { hosts: { 'd-[1:9]': }, vars: { hostClusterRole: data, replica: 1 } }
      |                      ^^^^^^^^^
      |
      = help: write `shard: 1` (or another number) beside the host

    error[HW0301]: 40 hosts have no `hostClusterRole`: `n-1`, `n-2`, `n-3` and 37 more
     --> hosts.yml:7:24
      |
    7 |     nobody: { hosts: { 'n-[1:40]': } }
      |                        ^^^^^^^^^^
      |
      = help: say in `group_vars/` what its group is: one of `data`, `events`, `keeper`, `medium`, `shufflehog`, `small`, `zookeeper`
    "#);
}

#[test]
fn what_many_hosts_share_is_told_once() {
    let text = "all:
  vars: { hostClusterRole: data, shard: 1, ansible_host: 10.0.0.1 }
  hosts: { 'd-[1:5]': { replica: 1 } }
  children: { k: { hosts: { k1: , k2: , k3: }, vars: { hostClusterRole: keeper, keeper_id: 3, ansible_host: '{k}' } } }
";
    assert_snapshot!(written().hosts(text).said(), @r#"
    note[HW0322]: `shard` means nothing to the role `keeper`
     --> hosts.yml:2:41
      |
    2 |   vars: { hostClusterRole: data, shard: 1, ansible_host: 10.0.0.1 }
      |                                         ^

    error[HW0308]: the hosts `d-1`, `d-2`, `d-3` and 2 more have the same address `10.0.0.1`
     --> hosts.yml:2:58
      |
    2 |   vars: { hostClusterRole: data, shard: 1, ansible_host: 10.0.0.1 }
      |                                                          ^^^^^^^^
      |
      = help: `ansible_host` is said once for all of them: say it beside each host

    error[HW0305]: the hosts `d-1`, `d-2`, `d-3` and 2 more are all replica `1` of shard 1 of role `data`
     --> hosts.yml:3:34
      |
    3 |   hosts: { 'd-[1:5]': { replica: 1 } }
      |                                  ^
      |
      = help: `replica` is said once for all of them: say it beside each host

    error[HW0307]: the hosts `k1`, `k2` and `k3` are all keeper_id 3 of role `keeper`
     --> hosts.yml:4:92
      |
    4 |   children: { k: { hosts: { k1: , k2: , k3: }, vars: { hostClusterRole: keeper, keeper_id: 3, ansible_host: '{k}' } } }
      |                                                                                            ^
      |
      = help: `keeper_id` is said once for all of them: say it beside each host

    error[HW0308]: the hosts `k1`, `k2` and `k3` have the same address `{k}`
     --> hosts.yml:4:109
      |
    4 |   children: { k: { hosts: { k1: , k2: , k3: }, vars: { hostClusterRole: keeper, keeper_id: 3, ansible_host: '{k}' } } }
      |                                                                                                             ^^^^^
      |
      = help: `ansible_host` is said once for all of them: say it beside each host
    "#);
}

#[test]
fn a_sharded_cluster_with_an_ingestion_host() {
    let text = "clickhouse_clusters: { c: { hosts: all, layout: sharded } }";
    let inventory = "all: { hosts: { i1: { hostClusterRole: small } } }";
    assert_snapshot!(written().hosts(inventory).group_vars("all.yml", text).said(), @r#"
    error[HW0320]: cluster `c` is sharded, and host `i1` has no shard: its role is `ingestion-small`
     --> group_vars/all.yml:1:36
      |
    1 | clickhouse_clusters: { c: { hosts: all, layout: sharded } }
      |                                    ^^^
      |
      = help: choose storage hosts, or another `layout`
    "#);
}

#[test]
fn a_sharded_cluster_over_two_storage_roles() {
    let role = |name: &str| {
        format!("placement: storage\nhostClusterRole: {name}\nunits: [{{ name: c }}]\nclickhouse: {{ unit: c }}\n")
    };
    let text = "clickhouse_clusters: { c: { hosts: all, layout: sharded } }";
    let hosts = "all: { hosts: { a1: { hostClusterRole: a, shard: 1, replica: 1 }, b1: { hostClusterRole: b, shard: 1, replica: 2 } } }";
    let written = written().own_roles().file("roles/a/role.yml", role("a")).file("roles/b/role.yml", role("b"));
    let said = written.hosts(hosts).group_vars("all.yml", text).said();
    assert!(
        said.contains("error[HW0323]: cluster `c` is sharded over several roles: host `b1` has the role `b`"),
        "{said}"
    );
}

#[test]
fn host_keys_that_nobody_checks() {
    let args = "ansible_ssh_common_args: -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -A";
    assert_snapshot!(written().hosts(ONE).group_vars("all.yml", args).said(), @r#"
    error[HW0311]: `StrictHostKeyChecking=no` lets anybody pose as this host
     --> group_vars/all.yml:1:26
      |
    1 | ansible_ssh_common_args: -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -A
      |                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write `accept-new`, or collect the keys

    error[HW0311]: `UserKnownHostsFile=/dev/null` forgets every host key
     --> group_vars/all.yml:1:26
      |
    1 | ansible_ssh_common_args: -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -A
      |                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: name a file that is kept

    note[HW0313]: the ssh argument `-A` is not followed
     --> group_vars/all.yml:1:26
      |
    1 | ansible_ssh_common_args: -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -A
      |                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn broken_yaml_stops_before_anything_is_guessed() {
    assert_snapshot!(written().hosts("all:\n  hosts:\n   - x: [1\n").said(), @r#"
    error[HW0104]: not YAML: unclosed bracket '['
     --> hosts.yml:3:9
      |
    3 |    - x: [1
      |         ^
      |
      = help: close it, or put the value into quotes
    "#);
}

#[test]
fn duplicate_and_unknown_keys() {
    let text = "all:\n  host: {}\n  hosts: { d1: { hostClusterRole: data, shard: 1, shard: 2, replica: 1 } }\n";
    assert_snapshot!(written().hosts(text).said(), @r#"
    error[HW0110]: group `all` has no key `host`
     --> hosts.yml:2:3
      |
    2 |   host: {}
      |   ^^^^
      |
      = help: did you mean `hosts`?

    error[HW0105]: the key `shard` stands twice in this mapping
     --> hosts.yml:3:51
      |
    3 |   hosts: { d1: { hostClusterRole: data, shard: 1, shard: 2, replica: 1 } }
      |                                                   ^^^^^
      |
      = help: remove one of the two
    "#);
}

#[test]
fn groups_in_a_circle() {
    let text = "a: { children: { b: } }\nb: { children: { c: } }\nc: { children: { a: } }\n";
    assert_snapshot!(written().hosts(text).said(), @r#"
    error[HW0113]: groups contain each other: `b` > `c` > `a` > `b`
     --> hosts.yml:1:18
      |
    1 | a: { children: { b: } }
      |                  ^
      |
      = help: take one of them out of the other's `children`
    "#);
}

#[test]
fn bad_ranges_and_names() {
    let text = "all:\n  hosts:\n    data-[01:3]:\n    'two words':\n  children:\n    '': {}\n";
    assert_snapshot!(written().hosts(text).said(), @r#"
    error[HW0111]: `data-[01:3]` is not a host: start and end of the range `[01:3]` must have equally many digits
     --> hosts.yml:3:5
      |
    3 |     data-[01:3]:
      |     ^^^^^^^^^^^

    error[HW0112]: `two words` is not a host name: letters, digits, `.`, `-`, `_`, `:`, `+` and `@`, beginning with a letter, a digit, `_` or `:`
     --> hosts.yml:4:5
      |
    4 |     'two words':
      |     ^^^^^^^^^^^

    error[HW0112]: a group without a name
     --> hosts.yml:6:5
      |
    6 |     '': {}
      |     ^^
    "#);
}

#[test]
fn vault_and_secrets() {
    let text = "a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\nb: { from_secret: hunter2 }\n";
    assert_snapshot!(written().hosts(ONE).group_vars("all.yml", text).said(), @r#"
    error[HW0130]: this is no vaulted text: it is damaged: salt, HMAC or data are not whole
     --> group_vars/all.yml:2:3
      |
    2 |   ***
      |   ^^^
      |
      = help: `ansible-vault encrypt_string` and `ansible-vault encrypt` write them

    error[HW0108]: `from_secret` takes `env:NAME`, `file:PATH` or `exec:COMMAND`, never the secret itself
     --> group_vars/all.yml:4:19
      |
    4 | b: { from_secret: ***
      |                   ^^^
    "#);
}

#[test]
fn a_password_is_not_repeated() {
    let text = "all: { hosts: { d1: { hostClusterRole: data, shard: 1, replica: 1, ansible_password: hunter2 } } }";
    let more = "ansible_become_pass: >-\n  hunter2\napi_token: |\n  {{ x }} hunter2\n";
    let said = written().hosts(text).group_vars("all.yml", more).said();
    assert_eq!(said.matches("note[HW0313]").count(), 2, "{said}");
    assert!(!said.contains("hunter2") && said.contains("ansible_password: ***"), "{said}");
}

#[test]
fn a_role_that_stores_says_how_its_server_is_asked() {
    let role = "placement: storage\nhostClusterRole: data\n";
    assert_snapshot!(written().own_roles().hosts(ONE).file("roles/data/role.yml", role).said(), @r#"
    error[HW0212]: role `data` stores data, and nothing says how its ClickHouse is asked
     --> roles/data/role.yml:1:1
      |
    1 | placement: storage
      | ^^^^^^^^^^^^^^^^^^
      |
      = help: add `clickhouse: { unit: clickhouse-server }`, or include a role that has it
    "#);
}

#[test]
fn ini_and_variables_for_nobody() {
    assert_snapshot!(written().file("hosts", "[data]\ndata-1 shard=1 replica\n[dta:vars]\nx=1\n").said(), @r#"
    error[HW0136]: a host's variable is `name=value`
     --> hosts:2:16
      |
    2 | data-1 shard=1 ***
      |                ^^^
      |
      = help: put a value with blanks into quotes; one host a line, and a comment begins with `#`

    error[HW0138]: variables of a group that is nowhere declared: `dta`
     --> hosts:3:1
      |
    3 | [dta:vars]
      | ^^^^^^^^^^
      |
      = help: did you mean `data`?
    "#);
    assert_snapshot!(written().file("hosts.toml", "[data]\nx = 1\n").said(), @r#"
    error[HW0114]: TOML inventories are not read
     --> hosts.toml:1:1
      |
    1 | [data]
      | ^^^^^^
      |
      = help: write it as YAML: `ansible-inventory --list --yaml` prints it so
    "#);
    assert_snapshot!(written().hosts(ONE).group_vars("al.yml", "x: 1").said(), @r#"
    note[HW0116]: variables for a group that does not exist: `al`
     --> group_vars/al.yml:1:1
      |
    1 | x: 1
      | ^^^^
      |
      = help: did you mean `all`?
    "#);
}

#[test]
fn files_that_nobody_can_read() {
    assert_snapshot!(written().file("hosts.yml", b"all:\n  hosts: { \xff: }\n").said(), @r#"
    error[HW0103]: not UTF-8: byte 16 is wrong
     --> hosts.yml:2:12
      |
    2 |   hosts: { �: }
      |            ^
      |
      = help: save the file as UTF-8
    "#);
    let big = written().file("hosts.yml", "#".repeat(17 << 20)).said();
    assert!(big.contains("hosts.yml` is larger than 16 MB"), "{big}");
    assert_snapshot!(big, @r#"
    error[HW0102]: `hosts.yml` is larger than 16 MB
    --> hosts.yml
     = help: is it an inventory? one of 10,000 hosts has about one megabyte
    "#);
    assert_snapshot!(written().own_roles().hosts(ONE).said(), @r#"
    error[HW0101]: cannot read `roles`: there is no such file or directory
    --> roles
    "#);
    assert_snapshot!(written().said(), @r#"
    error[HW0101]: cannot read `inventory`: there is no such file or directory
    --> inventory
    "#);
}

#[test]
fn files_that_are_no_files_and_links_in_a_circle() {
    use std::os::unix::fs::symlink;

    let written = written().hosts(ONE).file("group_vars/all.yml", "x: 1").file("host_vars/d1/a.yml", "y: 1");
    let path = written.path();
    symlink(path.join("2.yml"), path.join("1.yml")).unwrap();
    symlink(path.join("1.yml"), path.join("2.yml")).unwrap();
    symlink("/nowhere/hosts.yml", path.join("3.yml")).unwrap();
    // A file that can be opened and not be read, even by root.
    symlink("/proc/self/mem", path.join("4.yml")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(path.join("5.yml")).status().unwrap();
    assert!(made.success());
    let started = std::time::Instant::now();
    assert_snapshot!(written.said(), @r#"
    error[HW0101]: cannot read `1.yml`: links lead in a circle
    --> 1.yml

    error[HW0101]: cannot read `2.yml`: links lead in a circle
    --> 2.yml

    error[HW0101]: cannot read `3.yml`: there is no such file or directory
    --> 3.yml

    error[HW0101]: cannot read `4.yml`: input/output error
    --> 4.yml

    error[HW0101]: cannot read `5.yml`: it is not a file
    --> 5.yml
    "#);
    assert!(started.elapsed().as_secs() < 5);
}

#[test]
fn a_secret_in_plain_text_is_noted_and_not_repeated() {
    let text = "s3_secret_key: hunter2\nusers: [{ password: hunter2, token_file: /x, password_sha256_hex: ab }]\n\
                api_token: \"{{ other_token }}\"\nother_token: { from_secret: env:TOKEN }\n";
    assert_snapshot!(written().hosts(ONE).group_vars("all.yml", text).said(), @r#"
    note[HW0127]: `s3_secret_key` looks like a secret in plain text
     --> group_vars/all.yml:1:16
      |
    1 | s3_secret_key: ***
      |                ^^^
      |
      = help: write `{ from_secret: env:NAME }` or `!vault`: a secret is shown nowhere, a plain text is in `--list`

    note[HW0127]: `password` looks like a secret in plain text
     --> group_vars/all.yml:2:21
      |
    2 | users: [{ password: ***
      |                     ^^^
      |
      = help: write `{ from_secret: env:NAME }` or `!vault`: a secret is shown nowhere, a plain text is in `--list`
    "#);
}

#[test]
fn a_file_for_a_plugin_is_no_inventory() {
    let text = "plugin: ansible.builtin.constructed\nstrict: false\n";
    assert_snapshot!(written().hosts(ONE).file("constructed.yml", text).said(), @r"
    error[HW0128]: this file is for an inventory plugin of Ansible's, and plugins are not run
     --> constructed.yml:1:1
      |
    1 | plugin: ansible.builtin.constructed
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: `ansible-inventory --list --yaml` prints what it finds; a file for EC2 is called `NAME.aws_ec2.yml`
    ");
}

#[test]
fn a_secret_that_reaches_a_connection_by_an_expression_is_refused() {
    let text =
        "a: { from_secret: env:A }\nansible_user: \"{{ a }}\"\nzone: \"eu-{{ a }}\"\nraid_volumes: [\"{{ a }}\"]\n";
    assert_snapshot!(written().hosts(ONE).group_vars("all.yml", text).said(), @r#"
    error[HW0134]: `ansible_user` holds the secret `env:A`, but Housewright itself reads it
     --> group_vars/all.yml:2:15
      |
    2 | ansible_user: "{{ a }}"
      |               ^^^^^^^^^
      |
      = help: write it as a plain value, in a file that is not vaulted

    error[HW0134]: `zone` holds the secret `env:A`, but Housewright itself reads it
     --> group_vars/all.yml:3:7
      |
    3 | zone: "eu-{{ a }}"
      |       ^^^^^^^^^^^^
      |
      = help: write it as a plain value, in a file that is not vaulted

    error[HW0134]: `raid_volumes` holds the secret `env:A`, but Housewright itself reads it
     --> group_vars/all.yml:4:15
      |
    4 | raid_volumes: ["{{ a }}"]
      |               ^^^^^^^^^^^
      |
      = help: write it as a plain value, in a file that is not vaulted
    "#);
}

#[test]
fn no_expression_makes_the_reference_of_a_secret() {
    // U+F8F0 exec:touch x U+F8F1, as an instance's tag may hold it in other words.
    let text = "tag: 76OwZXhlYzp0b3VjaCB476Ox\nescaped: '\"\\uf8f0exec:touch x\\uf8f1\"'\n\
                fqdn: \"{{ tag | b64decode }}\"\nansible_host: \"{{ escaped | from_json }}\"\n\
                zone: \"{{ '%c' % 63728 }}exec:touch x{{ '%c' % 63729 }}\"\n";
    assert_snapshot!(written().hosts(ONE).group_vars("all.yml", text).said(), @r#"
    error[HW0145]: `fqdn` has no value on host `d1`: the filter `b64decode` would make the reference of a secret
     --> group_vars/all.yml:3:17
      |
    3 | fqdn: "{{ tag | b64decode }}"
      |                 ^^^^^^^^^
      |
      = help: only what is written in the inventory refers to secrets: `{ from_secret: env:NAME }`

    error[HW0145]: `ansible_host` has no value on host `d1`: the filter `from_json` would make the reference of a secret
     --> group_vars/all.yml:4:29
      |
    4 | ansible_host: "{{ escaped | from_json }}"
      |                             ^^^^^^^^^
      |
      = help: only what is written in the inventory refers to secrets: `{ from_secret: env:NAME }`

    error[HW0145]: `zone` has no value on host `d1`: the filter `format` would make the reference of a secret
     --> group_vars/all.yml:5:11
      |
    5 | zone: "{{ '%c' % 63728 }}exec:touch x{{ '%c' % 63729 }}"
      |           ^^^^^^^^^^^^
      |
      = help: only what is written in the inventory refers to secrets: `{ from_secret: env:NAME }`
    "#);
}

#[test]
fn directories_that_lead_back_to_themselves() {
    use std::os::unix::fs::symlink;

    let written = written().hosts(ONE).file("sub/more.yml", "all:").file("group_vars/all/a.yml", "x: 1");
    let path = written.path();
    // Two in one directory: each would double what is read at every level.
    symlink(&path, path.join("sub/up-1")).unwrap();
    symlink(&path, path.join("sub/up-2")).unwrap();
    symlink(path.join("group_vars/all"), path.join("group_vars/all/again")).unwrap();
    assert_snapshot!(written.said(), @r#"
    error[HW0101]: cannot read `group_vars/all/again`: its link leads back to a directory that it is in
    --> group_vars/all/again
     = help: remove the link

    error[HW0101]: cannot read `sub/up-1`: its link leads back to a directory that it is in
    --> sub/up-1
     = help: remove the link

    error[HW0101]: cannot read `sub/up-2`: its link leads back to a directory that it is in
    --> sub/up-2
     = help: remove the link
    "#);
}

#[test]
fn a_file_that_only_others_may_read() {
    use std::os::unix::fs::PermissionsExt;

    let written = written().hosts(ONE).group_vars("all.yml", "x: 1");
    let file = written.path().join("group_vars/all.yml");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o000)).unwrap();
    // Root may read everything.
    let expected = if std::fs::read(&file).is_ok() {
        ""
    } else {
        "error[HW0101]: cannot read `group_vars/all.yml`: permission denied\n --> group_vars/all.yml"
    };
    assert_eq!(written.said(), expected);
}

#[test]
fn a_file_of_fifty_megabytes_is_not_read() {
    let line = "data-host-with-a-long-name: { shard: 1, replica: 1 }\n";
    let written = written().hosts(ONE).group_vars("all.yml", &line.repeat((50 << 20) / line.len()));
    let started = std::time::Instant::now();
    assert_snapshot!(written.said(), @r#"
    error[HW0102]: `group_vars/all.yml` is larger than 16 MB
    --> group_vars/all.yml
     = help: is it an inventory? one of 10,000 hosts has about one megabyte
    "#);
    assert!(started.elapsed().as_secs() < 5);
}

#[test]
fn yaml_that_is_nearly_right() {
    let said = |text: &str| written().hosts(ONE).group_vars("all.yml", text).said();
    assert_snapshot!(said("a: b\n c: d\n"), @r#"
    error[HW0104]: not YAML: mapping values are not allowed in this context
     --> group_vars/all.yml:2:3
      |
    2 |  c: d
      |   ^
      |
      = help: is this line indented too far, or does a value with `: ` in it lack quotes?
    "#);
    assert_snapshot!(said("a:\n\tb: c\n"), @r#"
    error[HW0104]: not YAML: tabs disallowed within this context (block indentation)
     --> group_vars/all.yml:2:2
      |
    2 |     b: c
      |     ^
      |
      = help: indent with spaces
    "#);
    assert_snapshot!(said("a: 'it is\nb: c\n"), @r#"
    error[HW0104]: not YAML: invalid indentation in multiline quoted scalar
     --> group_vars/all.yml:2:1
      |
    2 | b: c
      | ^
      |
      = help: is a quote never closed?
    "#);
    assert_snapshot!(said("zone: {{ region }}\n"), @r#"
    error[HW0104]: to YAML `{{` is a mapping in a mapping
     --> group_vars/all.yml:1:8
      |
    1 | zone: {{ region }}
      |        ^^^^^^^^^^
      |
      = help: put the whole value into quotes: `"{{ ... }}"`
    "#);
    assert_snapshot!(said("a: b\n---\nc: d\n"), @r#"
    error[HW0104]: a second document begins here
     --> group_vars/all.yml:2:1
      |
    2 | ---
      | ^^^
      |
      = help: remove the `---`
    "#);
    assert_snapshot!(said("a: @b\n"), @r#"
    error[HW0104]: not YAML: unexpected character: `@'
     --> group_vars/all.yml:1:4
      |
    1 | a: @b
      |    ^
      |
      = help: put the value into quotes
    "#);
}

#[test]
fn an_ingestion_host_with_backups() {
    let text = "all: { vars: { hostClusterRole: events, backup_tables: [default.events] }, hosts: { e1: , e2: } }";
    assert_snapshot!(written().hosts(text).said(), @r#"
    error[HW0309]: `backup_tables` must be empty on hosts of the stateless role `ingestion-events`: they keep nothing
     --> hosts.yml:1:56
      |
    1 | all: { vars: { hostClusterRole: events, backup_tables: [default.events] }, hosts: { e1: , e2: } }
      |                                                        ^^^^^^^^^^^^^^^^
      |
      = help: write `backup_tables: []` for their group, or move this to the hosts that store
    "#);
}

#[test]
fn a_host_that_lacks_what_its_role_needs() {
    let text = "all:
  hosts: { d1: { hostClusterRole: data, replica: 1 }, k1: { hostClusterRole: keeper } }
";
    assert_snapshot!(written().hosts(text).said(), @r#"
    error[HW0304]: host `d1` of role `data` has no `shard`
     --> hosts.yml:2:12
      |
    2 |   hosts: { d1: { hostClusterRole: data, replica: 1 }, k1: { hostClusterRole: keeper } }
      |            ^^
      |
      = help: write `shard: 1` (or another number) beside the host

    error[HW0304]: host `k1` of role `keeper` has no `keeper_id`
     --> hosts.yml:2:55
      |
    2 |   hosts: { d1: { hostClusterRole: data, replica: 1 }, k1: { hostClusterRole: keeper } }
      |                                                       ^^
      |
      = help: write `keeper_id: 1` (or another number) beside the host
    "#);
}

#[test]
fn ranges_that_count_to_nowhere() {
    let text = "all:
  hosts:
    'a-[5:1]': {}
    'b-[1:9:0]': {}
    'c-[1:z]': {}
    'd-[1:5': {}
    'e-[1:2000000]': {}
";
    assert_snapshot!(written().hosts(text).said(), @r#"
    error[HW0111]: `a-[5:1]` is not a host: the range `[5:1]` ends before it starts
     --> hosts.yml:3:5
      |
    3 |     'a-[5:1]': {}
      |     ^^^^^^^^^

    error[HW0111]: `b-[1:9:0]` is not a host: the step of the range `[1:9:0]` is not a whole number from 1
     --> hosts.yml:4:5
      |
    4 |     'b-[1:9:0]': {}
      |     ^^^^^^^^^^^

    error[HW0111]: `c-[1:z]` is not a host: the range `[1:z]` is neither of numbers nor of single letters
     --> hosts.yml:5:5
      |
    5 |     'c-[1:z]': {}
      |     ^^^^^^^^^

    error[HW0111]: `d-[1:5` is not a host: a `[` without its `]`
     --> hosts.yml:6:5
      |
    6 |     'd-[1:5': {}
      |     ^^^^^^^^

    error[HW0111]: `e-[1:2000000]` is not a host: the range `[1:2000000]` stands for more than 100000 hosts
     --> hosts.yml:7:5
      |
    7 |     'e-[1:2000000]': {}
      |     ^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn a_broken_file_of_variables_hides_nothing_and_is_not_repeated_by_its_hosts() {
    let hosts = "all:
  children:
    data: { hosts: { 'd-[1:30]': } }
    small: { hosts: { s1: { zone: [a] }, s2: } , vars: { hostClusterRole: smal } }
";
    let said = written()
        .hosts(hosts)
        .group_vars("data.yml", "hostClusterRole: data\n shard: 1\n")
        .group_vars("all.yml", "clickhouse_clusters: { c: { hosts: dta, layout: single_shard, sceure: true } }")
        .said();
    assert_snapshot!(said, @r#"
    error[HW0118]: no host and no group is called `dta`
     --> group_vars/all.yml:1:36
      |
    1 | clickhouse_clusters: { c: { hosts: dta, layout: single_shard, sceure: true } }
      |                                    ^^^
      |
      = help: did you mean `data`?

    error[HW0316]: cluster `c` has no key `sceure`
     --> group_vars/all.yml:1:63
      |
    1 | clickhouse_clusters: { c: { hosts: dta, layout: single_shard, sceure: true } }
      |                                                               ^^^^^^
      |
      = help: did you mean `secure`?

    error[HW0104]: not YAML: mapping values are not allowed in this context
     --> group_vars/data.yml:2:7
      |
    2 |  shard: 1
      |       ^
      |
      = help: is this line indented too far, or does a value with `: ` in it lack quotes?

    error[HW0303]: `zone` must be a text, not a list
     --> hosts.yml:4:35
      |
    4 |     small: { hosts: { s1: { zone: [a] }, s2: } , vars: { hostClusterRole: smal } }
      |                                   ^^^

    error[HW0302]: no role has the hostClusterRole `smal`
     --> hosts.yml:4:75
      |
    4 |     small: { hosts: { s1: { zone: [a] }, s2: } , vars: { hostClusterRole: smal } }
      |                                                                           ^^^^
      |
      = help: did you mean `small`?
    "#);
}

#[test]
fn a_broken_inventory_file_makes_nothing_else_missing() {
    let clusters = "clickhouse_clusters: { c: { hosts: data, layout: single_shard, prot: 9000 } }";
    let said = written()
        .file("1.yml", "all: { children: { small: { hosts: { s1: { raid_volumes: no } } } } }")
        .file("2.yml", "data: { hosts: { d1: }\n")
        .group_vars("all.yml", clusters)
        .group_vars("data.yml", "hostClusterRole: data")
        .said();
    assert_snapshot!(said, @r#"
    error[HW0303]: `raid_volumes` must be a list, not `no`, which YAML reads as `false`
     --> 1.yml:1:58
      |
    1 | all: { children: { small: { hosts: { s1: { raid_volumes: no } } } } }
      |                                                          ^^

    error[HW0104]: not YAML: unclosed bracket '{'
     --> 2.yml:1:7
      |
    1 | data: { hosts: { d1: }
      |       ^
      |
      = help: close it, or put the value into quotes

    error[HW0316]: cluster `c` has no key `prot`
     --> group_vars/all.yml:1:64
      |
    1 | clickhouse_clusters: { c: { hosts: data, layout: single_shard, prot: 9000 } }
      |                                                                ^^^^
      |
      = help: did you mean `port`?
    "#);
}

#[test]
fn a_broken_role_is_not_missed_by_its_hosts() {
    let said = written()
        .own_roles()
        .hosts("all: { hosts: { d1: { hostClusterRole: data, shard: one }, f1: { hostClusterRole: free } } }")
        .file("roles/data/role.yml", "include: [base]\nhostClusterRole: data\n")
        .file("roles/base/role.yml", "placement: [storage\n")
        .said();
    assert_snapshot!(said, @r#"
    error[HW0303]: `shard` must be a whole number from 1, not `one`
     --> hosts.yml:1:53
      |
    1 | all: { hosts: { d1: { hostClusterRole: data, shard: one }, f1: { hostClusterRole: free } } }
      |                                                     ^^^

    error[HW0104]: not YAML: unclosed bracket '['
     --> roles/base/role.yml:1:12
      |
    1 | placement: [storage
      |            ^
      |
      = help: close it, or put the value into quotes
    "#);
}

#[test]
fn a_yaml_bomb_is_refused_at_once() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let copies = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{copies}]\n"));
    }
    let started = std::time::Instant::now();
    let said = written().hosts(ONE).group_vars("all.yml", &text).said();
    assert_snapshot!(said, @r#"
    error[HW0106]: more than is read: anchors and aliases copy too much
     --> group_vars/all.yml:5:9
      |
    5 | a4: &a4 [*a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3]
      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
    assert!(started.elapsed().as_secs() < 2);
}

#[test]
fn a_mode_is_octal_with_or_without_quotes_and_never_decimal() {
    let role = |mode: &str| {
        format!("placement: stateless\nhostClusterRole: data\ndirectories: [{{ path: /a, mode: {mode} }}]\n")
    };
    let hosts = "all: { hosts: { d1: { hostClusterRole: data } } }";
    let said = |mode: &str| written().own_roles().hosts(hosts).file("roles/data/role.yml", role(mode)).said();
    for mode in ["0640", "'640'", "'0640'"] {
        assert!(!said(mode).contains("mode"), "{}", said(mode));
    }
    assert_snapshot!(said("644"), @r#"
    error[HW0204]: `mode` of a directory of role `data`: must be an octal number such as "0640", not `644`
     --> roles/data/role.yml:3:33
      |
    3 | directories: [{ path: /a, mode: 644 }]
      |                                 ^^^
      |
      = help: write `"0644"`
    "#);
    assert_snapshot!(said("0o644"), @r#"
    error[HW0204]: `mode` of a directory of role `data`: must be an octal number such as "0640", not `0o644`
     --> roles/data/role.yml:3:33
      |
    3 | directories: [{ path: /a, mode: 0o644 }]
      |                                 ^^^^^
    "#);
}

#[test]
fn a_number_that_is_octal_to_yaml_is_no_shard() {
    let hosts = "all: { hosts: { a: { hostClusterRole: data, shard: 010, replica: 1 } } }";
    assert_snapshot!(written().hosts(hosts).said(), @r#"
    error[HW0303]: `shard` must be a whole number from 1, not `010`, which is octal to YAML: 8
     --> hosts.yml:1:52
      |
    1 | all: { hosts: { a: { hostClusterRole: data, shard: 010, replica: 1 } } }
      |                                                    ^^^
    "#);
    let hosts = "all: { hosts: { a: { hostClusterRole: data, shard: 01, replica: 1 } } }";
    assert_snapshot!(written().hosts(hosts).said(), @"");
}

#[test]
fn roles_say_what_is_wrong_with_them() {
    let data = "include: [base, bse]
placement: storage
hostClusterRole: data
files:
  - { template: a.tera, path: etc/a, mode: 0640 }
  - { template: a.tera, path: /etc/a, unit: clickhous-server }
  - { path: /etc/a }
units: [{ name: clickhouse-server, enabeld: true }]
clickhouse: { unit: clickhouse-server }
";
    let said = written()
        .own_roles()
        .hosts(ONE)
        .file("roles/data/role.yml", data)
        .file("roles/base/role.yml", "include: [data]")
        .file("roles/free/role.yml", "hostClusterRole: free")
        .file("roles/empty/schema/a.sql", "")
        .said();
    assert_snapshot!(said, @r#"
    error[HW0201]: `roles/empty` has no `role.yml`
     |
     = help: a role's directory begins with its `role.yml`

    error[HW0206]: roles include each other: `base` > `data` > `base`
     --> roles/data/role.yml:1:11
      |
    1 | include: [base, bse]
      |           ^^^^

    error[HW0205]: no role is called `bse`
     --> roles/data/role.yml:1:17
      |
    1 | include: [base, bse]
      |                 ^^^
      |
      = help: did you mean `base`?

    error[HW0204]: `path` of a file of role `data`: must be an absolute path, not `etc/a`
     --> roles/data/role.yml:5:31
      |
    5 |   - { template: a.tera, path: etc/a, mode: 0640 }
      |                               ^^^^^

    error[HW0210]: role `data` has no unit `clickhous-server`
     --> roles/data/role.yml:6:5
      |
    6 |   - { template: a.tera, path: /etc/a, unit: clickhous-server }
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: did you mean `clickhouse-server`?

    error[HW0203]: a file of role `data` lacks `template`
     --> roles/data/role.yml:7:5
      |
    7 |   - { path: /etc/a }
      |     ^^^^^^^^^^^^^^^^

    error[HW0202]: a unit of role `data` has no key `enabeld`
     --> roles/data/role.yml:8:36
      |
    8 | units: [{ name: clickhouse-server, enabeld: true }]
      |                                    ^^^^^^^
      |
      = help: did you mean `enabled`?

    error[HW0207]: neither role `free` nor a role that it includes says its placement
     --> roles/free/role.yml:1:1
      |
    1 | hostClusterRole: free
      | ^^^^^^^^^^^^^^^^^^^^^
      |
      = help: add `placement: storage`, `stateless` or `keeper`
    "#);
}

#[test]
fn every_code_is_in_the_list_of_problems() {
    fn codes(path: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                codes(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(path).unwrap();
                let quoted = text.split("\"HW").skip(1).filter_map(|rest| rest.split('"').next());
                found.extend(quoted.filter(|code| code.len() == 4).map(|code| format!("HW{code}")));
            }
        }
    }
    let mut found = BTreeSet::new();
    codes(Path::new("src"), &mut found);
    let listed = std::fs::read_to_string("docs/problems.md").unwrap();
    let missing: Vec<_> = found.iter().filter(|code| !listed.contains(&format!("| {code} |"))).collect();
    assert!(found.len() > 40 && missing.is_empty(), "not in docs/problems.md: {missing:?}");
}
