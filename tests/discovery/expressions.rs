//! `compose`, `groups` and `keyed_groups`: what expressions give, and what becomes of those that fail.

use housewright::fleet::HostName;
use insta::assert_snapshot;
use serde_json::json;

use crate::cloud::{Cloud, instance, run};
use crate::written::{Written, written};

const HEAD: &str = "plugin: aws_ec2\nregions: [eu-central-1]\nhostnames: ['tag:Name']\n";

fn cloud() -> Cloud {
    Cloud::default().region(
        "eu-central-1",
        [
            instance("i-1", "10.0.0.1", &[("Name", "a.example"), ("Role", "small"), ("Shard", "3"), ("Teams", "x, y")]),
            instance("i-2", "10.0.0.2", &[("Name", "b"), ("Role", "small")]),
        ],
    )
}

fn with(text: &str) -> Written {
    written().file("x.aws_ec2.yml", format!("{HEAD}{text}"))
}

#[tokio::test]
async fn compose_gives_variables_with_their_types() {
    let written = with(
        "compose:
  hostClusterRole: tags.Role | default('small')
  number: tags.Shard | default(7) | int
  list: tags['Teams'].split(',') | map('trim') | list
  text: \"'10.0.' ~ instance_id\"
  in_zone: placement.availability_zone.endswith('a')
  ansible_host: \"'host-' ~ private_ip_address\"
  not_seen: number + 1
",
    );
    let loaded = run(&written).resolve(&cloud()).await.unwrap();
    let vars = |name: &str| loaded.fleet.hosts[&HostName::new(name).unwrap()].vars.clone();
    let (a, b) = (vars("a.example"), vars("b"));
    assert_eq!(a.get("number"), Some(&json!(3)));
    assert_eq!(b.get("number"), Some(&json!(7)));
    assert_eq!(a.get("list"), Some(&json!(["x", "y"])));
    assert_eq!(b.get("list"), None, "what fails gives nothing");
    assert_eq!(a.get("text"), Some(&json!("10.0.i-1")));
    assert_eq!(a.get("in_zone"), Some(&json!(true)));
    assert_eq!(a.get("ansible_host"), Some(&json!("host-10.0.0.1")));
    assert_eq!(a.get("not_seen"), None, "expressions see the facts, not each other");
}

#[tokio::test]
async fn groups_see_what_compose_gives() {
    let written = with(
        "compose: { hostClusterRole: tags.Role, number: tags.Shard | int }
groups:
  third: number == 3
  named-b: inventory_hostname == 'b'
  short: inventory_hostname_short == 'a'
  fails: no_such_thing.at_all
keyed_groups:
  - { key: tags, prefix: tag }
  - { key: number | string, prefix: number, parent_group: \"shards of {{ placement.region }}\" }
  - { key: tags.Nothing, prefix: none, default_value: none }
",
    );
    let loaded = run(&written).resolve(&cloud()).await.unwrap();
    let mut groups: Vec<String> = loaded
        .inventory
        .groups
        .iter()
        .map(|(name, group)| {
            let hosts = group.hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            let children = group.children.keys().cloned().collect::<Vec<_>>().join(",");
            format!("{name}: {hosts} {children}").trim_end().to_owned()
        })
        .filter(|line| !line.starts_with("all") && !line.starts_with("ungrouped"))
        .collect();
    groups.sort();
    assert_snapshot!(groups.join("\n"), @"
    aws_ec2: a.example,b
    named_b: b
    number_3: a.example
    shards_of_eu_central_1:  number_3
    short: a.example
    tag_Name_a_example: a.example
    tag_Name_b: b
    tag_Role_small: a.example,b
    tag_Shard_3: a.example
    tag_Teams_x__y: a.example
    third: a.example
    ");
}

#[tokio::test]
async fn a_value_that_can_name_no_group_is_an_error_as_with_ansible() {
    let written =
        with("placement_tags: { role: Role }\nkeyed_groups: [{ key: tags.Shard | default(0) | int, prefix: n }]\n");
    assert_snapshot!(run(&written).said(&cloud()).await, @"
    error[HW0160]: a keyed group of the instance `i-1` of `eu-central-1`: `tags.Shard | default(0) | int`: its value must be a text, a list or a mapping, not `3`
     --> x.aws_ec2.yml:5:23
      |
    5 | keyed_groups: [{ key: ***
      |                       ^^^
      |
      = help: make a text of it, such as `| string`
    ");
}

#[tokio::test]
async fn strict_tells_instance_key_and_expression() {
    let written = with(
        "strict: true
placement_tags: { role: Role }
compose: { number: tags.Shard | int }
groups: { third: tags.Shardd == '3' }
keyed_groups: [{ key: tags.Teams, prefix: team }]
",
    );
    assert_snapshot!(run(&written).said(&cloud()).await, @"
    error[HW0160]: `number` of the instance `i-2` of `eu-central-1`: `tags.Shard | int`: the mapping has no key `Shard`
     --> x.aws_ec2.yml:6:20
      |
    6 | compose: { number: tags.Shard | int }
      |                    ^^^^^^^^^^^^^^^^
      |
      = help: give it a default, such as `| default('')`, or take `strict: true` out

    error[HW0160]: the group `third` of the instance `i-1` of `eu-central-1`: `tags.Shardd == '3'`: the mapping has no key `Shardd`
     --> x.aws_ec2.yml:7:18
      |
    7 | groups: { third: tags.Shardd == '3' }
      |                  ^^^^^^^^^^^^^^^^^^
      |
      = help: give it a default, such as `| default('')`, or take `strict: true` out

    error[HW0160]: the group `third` of the instance `i-2` of `eu-central-1`: `tags.Shardd == '3'`: the mapping has no key `Shardd`
     --> x.aws_ec2.yml:7:18
      |
    7 | groups: { third: tags.Shardd == '3' }
      |                  ^^^^^^^^^^^^^^^^^^
      |
      = help: give it a default, such as `| default('')`, or take `strict: true` out

    error[HW0160]: a keyed group of the instance `i-2` of `eu-central-1`: `tags.Teams`: the mapping has no key `Teams`
     --> x.aws_ec2.yml:8:23
      |
    8 | keyed_groups: [{ key: ***
      |                       ^^^
      |
      = help: give it a default, such as `| default('')`, or take `strict: true` out
    ");
}

#[tokio::test]
async fn an_expression_that_cannot_be_read_is_told_even_without_strict() {
    let written = with(
        "compose:
  a: tags.Role | defualt('x')
  b: tags.Role |
  c: lookup('pipe', 'id')
groups: { d: \"security_groups | json_query('[].group_id')\" }
keyed_groups: [{ key: tags.Role, parent_group: '{{ x' }]
",
    );
    assert_snapshot!(run(&written).said(&cloud()).await, @r#"
    error[HW0160]: `tags.Role | defualt('x')`: there is no filter `defualt`
     --> x.aws_ec2.yml:5:6
      |
    5 |   a: tags.Role | defualt('x')
      |      ^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: did you mean `default`?

    error[HW0160]: `tags.Role |`: unexpected end of input, expected identifier
     --> x.aws_ec2.yml:6:6
      |
    6 |   b: tags.Role |
      |      ^^^^^^^^^^^

    error[HW0160]: `lookup('pipe', 'id')`: the function `lookup` is not read in an inventory
     --> x.aws_ec2.yml:7:6
      |
    7 |   c: lookup('pipe', 'id')
      |      ^^^^^^^^^^^^^^^^^^^^
      |
      = help: the meaning of an inventory may not depend on hidden input: for a secret write `{ from_secret: env:NAME }` or `{ from_secret: file:PATH }`, else write the value itself

    error[HW0160]: `security_groups | json_query('[].group_id')`: the filter `json_query` is not read in an inventory
     --> x.aws_ec2.yml:8:14
      |
    8 | groups: { d: "security_groups | json_query('[].group_id')" }
      |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write it with `map(attribute=...)`, `selectattr` and `list`

    error[HW0160]: `{{ x`: unexpected end of input, expected end of variable block
     --> x.aws_ec2.yml:9:23
      |
    9 | keyed_groups: [{ key: ***
      |                       ^^^
    "#);
}

#[tokio::test]
async fn one_variable_is_not_given_by_two_keys() {
    let written = with("compose: { shard: tags.Shard }\nplacement_tags: { role: Role, shard: Shard }\n");
    assert_snapshot!(run(&written).said(&cloud()).await, @"
    error[HW0120]: `compose` and `placement_tags` both say `shard`
     --> x.aws_ec2.yml:4:19
      |
    4 | compose: { shard: tags.Shard }
      |                   ^^^^^^^^^^
      |
      = help: remove one of the two: the tag `Shard` says it already
    ");
}
