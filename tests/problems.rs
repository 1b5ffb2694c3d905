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
    d2: { hostClusterRole: data, shard: 0, replica: 1, raid_volumes: nvme1n1 }
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
    4 |     d2: { hostClusterRole: data, shard: 0, replica: 1, raid_volumes: nvme1n1 }
      |                                         ^

    error[HW0303]: `raid_volumes` must be a list, not `nvme1n1`
     --> hosts.yml:4:70
      |
    4 |     d2: { hostClusterRole: data, shard: 0, replica: 1, raid_volumes: nvme1n1 }
      |                                                                      ^^^^^^^
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
      raid_volumes: [nvme1n1]
      clickhouse_disk_balancer_enabled: yes
      shard: 4
";
    assert_snapshot!(written().hosts(text).said(), @r#"
    error[HW0309]: `raid_volumes` must be empty on hosts of the stateless role `ingestion-small`: they keep nothing
     --> hosts.yml:5:21
      |
    5 |       raid_volumes: [nvme1n1]
      |                     ^^^^^^^^^
      |
      = help: write `raid_volumes: []` for its group

    error[HW0309]: `clickhouse_disk_balancer_enabled` must be false on hosts of the stateless role `ingestion-small`: they keep nothing
     --> hosts.yml:6:41
      |
    6 |       clickhouse_disk_balancer_enabled: yes
      |                                         ^^^
      |
      = help: write `clickhouse_disk_balancer_enabled: false` for its group

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

    error[HW0317]: `layout` must be sharded, single_shard or one_shard_per_host, not `shardet`
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

    error[HW0108]: `secret` of cluster `keys` takes `env:NAME` or `file:PATH`, never the secret itself
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

    error[HW0112]: `two words` is not a host name: letters, digits, `.`, `-`, `_` and `:`, not starting with `-`
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
    error[HW0107]: vaulted values are not read yet
     --> group_vars/all.yml:2:3
      |
    2 |   $ANSIBLE_VAULT;1.1;AES256
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write `{ from_secret: env:NAME }` or `{ from_secret: file:PATH }`

    error[HW0108]: `from_secret` takes `env:NAME` or `file:PATH`, never the secret itself
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
    let missing = written().own_roles().hosts(ONE).said();
    assert!(missing.contains("error[HW0101]: cannot read `roles`"), "{missing}");
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
    assert!(said.starts_with("error[HW0106]: more than is read: anchors and aliases copy too much"), "{said}");
    assert!(started.elapsed().as_secs() < 2);
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

    error[HW0204]: `path` of a file of role `data`: `etc/a` is not a path on a host: it must be absolute
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
