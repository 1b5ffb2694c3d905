//! The readers take any text: no panic, bounded work, and the order in which things are written does not matter.

mod written;

use std::sync::Arc;

use housewright::clickhouse::config::effective::{Attributes, Sources, Tree, Unknown};
use housewright::inventory::{Documents, Inventory, Written, pattern, yaml};
use housewright::problem::Source;
use housewright::secret::Secret;
use proptest::prelude::*;
use written::written;

fn inventory(text: &str) -> Inventory {
    let mut problems = Vec::new();
    let source = Arc::new(Source { name: "hosts.yml".to_owned(), text: text.to_owned() });
    let inventories = yaml::read(&source, &mut problems).map(Written::Yaml).into_iter().collect();
    Inventory::assemble(&Documents { inventories, ..Documents::default() }, &mut problems)
}

fn selected(pattern: &str) -> String {
    let text = "data: { hosts: { 'data-[1:3]-[a:b]': } }\nsmall: { hosts: { i1: , i2: , 'fe80::1': } }\nzone_a: { hosts: { data-1-a: , i1: } }\n";
    match pattern::select(&inventory(text), pattern) {
        Ok(hosts) => hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        Err(problem) => format!("{}: {}", problem, problem.hint.clone().unwrap_or_default()),
    }
}

#[test]
fn patterns_select_as_in_ansible() {
    let cases = [
        ("data-1-a", "data-1-a"),
        ("small", "fe80::1 i1 i2"),
        ("fe80::1", "fe80::1"),
        ("data:&zone_a", "data-1-a"),
        ("all:!data", "fe80::1 i1 i2"),
        ("!data,!i2", "fe80::1 i1"),
        ("data-?-a", "data-1-a data-2-a data-3-a"),
        ("data-[12]-*", "data-1-a data-1-b data-2-a data-2-b"),
        ("data-[!12]-*", "data-3-a data-3-b"),
        ("i1,data-3*", "data-3-a data-3-b i1"),
        ("zone_*:!i?", "data-1-a"),
        ("dta", "no host and no group is called `dta`: did you mean `data`?"),
        ("i1:!all", "the pattern `i1:!all` selects no host: "),
        ("data[0]", "data-1-a"),
        ("data[-1],data[1:2]", "data-1-b data-2-a data-3-b"),
        ("~i.", "i1 i2"),
        (
            "data[6:]",
            "`data[6:]`: the slice is outside of the 6 hosts that it is taken of: the first host has the number 0, and the end of a slice is in it",
        ),
        ("~i(", "`~i(`: `i(` is no regular expression: unclosed group: "),
        (
            "~(?!i)x",
            "`~(?!i)x`: the regular expression `(?!i)x` uses look-around or a back-reference: write it without: they can take unbounded time, and are not read",
        ),
        (
            "~1",
            "no host and no group begins with a match of `~1`: an expression is matched from the name's begin: write `~.*name` for any place",
        ),
        ("rol=data", "`rol=data`: hosts are not selected by `rol`: did you mean `role`?"),
        ("@hosts.retry", "`@hosts.retry`: only `--limit` reads patterns from a file: write the patterns themselves"),
    ];
    for (pattern, expected) in cases {
        assert_eq!(selected(pattern), expected, "{pattern}");
    }
}

#[test]
fn precedence_is_ansibles() {
    let text = "all:
  vars: { v: all }
  children:
    top: { vars: { v: top }, children: { low: } }
    low: { vars: { v: low }, hosts: { h1: , h2: { v: host } } }
    beside: { hosts: { h1: }, vars: { w: beside } }
    aside: { hosts: { h1: }, vars: { w: aside, ansible_group_priority: 2 } }
";
    let base = || written().hosts(text);
    let value = |written: &written::Written, host: &str, name: &str| {
        let mut problems = Vec::new();
        let documents = housewright::inventory::load::read(&[&written.path()], None, &mut problems);
        let inventory = Inventory::assemble(&documents, &mut problems);
        let host = &inventory.hosts[&housewright::fleet::HostName::new(host).unwrap()];
        (host.var(name).unwrap().value.describe(), host.definitions(name).len())
    };
    assert_eq!(value(&base(), "h1", "v"), ("`low`".to_owned(), 3));
    assert_eq!(value(&base(), "h2", "v"), ("`host`".to_owned(), 4));
    assert_eq!(value(&base(), "h1", "w"), ("`aside`".to_owned(), 2));
    // A file of group_vars/, even that of `all`, wins over every group written in the inventory.
    let files = base().group_vars("all.yml", "v: all file");
    assert_eq!(value(&files, "h1", "v"), ("`all file`".to_owned(), 4));
    let files =
        files.group_vars("top/a.yml", "v: top a").group_vars("top/b", "v: top b").group_vars("top.yml", "v: no");
    assert_eq!(value(&files, "h1", "v").0, "`top b`");
    assert_eq!(value(&files, "h2", "v").0, "`host`");
    let files = files.file("host_vars/h2.json", r#"{"v": "host file"}"#);
    assert_eq!(value(&files, "h2", "v").0, "`host file`");
}

/// Pieces that mean something to YAML, so that arbitrary texts get past the first line.
fn yaml_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("a: "),
        Just("- "),
        Just("\n"),
        Just("\n  "),
        Just("&x "),
        Just("*x"),
        Just("<<: "),
        Just("["),
        Just("]"),
        Just("{"),
        Just("}"),
        Just(", "),
        Just("!vault "),
        Just("!!int "),
        Just("'"),
        Just("\""),
        Just("|\n"),
        Just("---\n"),
        Just("from_secret: env:A"),
        Just("all: "),
        Just("hosts: "),
        Just("h-[1:3]: "),
        Just("children: "),
        Just("é"),
        Just("? "),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// Pieces of a server's configuration, well-formed or not.
fn config_text() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec![
        "<clickhouse>",
        "</clickhouse>",
        "<a>",
        "</a>",
        "<a/>",
        "<b x='1'>",
        "</b>",
        "<include incl='a'/>",
        "<a remove='1'>",
        "<a replace='1'/>",
        "<b from_env='A'/>",
        "<include from_env='A' merge='1'/>",
        "<include_from>/etc/metrika.xml",
        "</include_from>",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<?",
        "?>",
        "<!DOCTYPE a>",
        "&lt;",
        "&x;",
        "é",
        " ",
        "\n",
        "1",
        "a: ",
        "b:\n  ",
        "- ",
        "\"@x\": ",
        "\"#text\": ",
        "&x ",
        "*x",
        "<<: ",
        "{",
        "}",
        "[",
        "]",
        "~",
        "'",
        "|\n  ",
    ]);
    let pieces = || prop::collection::vec(piece.clone(), 0..30).prop_map(|pieces| pieces.concat());
    prop_oneof![pieces(), pieces().prop_map(|inside| format!("<clickhouse>{inside}</clickhouse>"))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_files_are_a_configuration_or_refused(
        texts in prop::collection::vec(config_text(), 1..5), value in config_text(), known in any::<bool>(),
    ) {
        let paths = ["/c/config.xml", "/c/config.d/a.yaml", "/c/config.d/b.xml", "/c/conf.d/c.conf", "/etc/metrika.xml"];
        let texts: Vec<_> = texts.into_iter().map(|text| Secret::new(text.into())).collect();
        let sources = Sources {
            main: paths[0],
            files: paths.into_iter().zip(&texts).collect(),
            environment: [("A".to_owned(), Secret::new(value))].into(),
            unknown: if known { Unknown::Absent } else { Unknown::Kept },
        };
        if let Ok(made) = sources.effective() {
            let _ = made.tree.keys(Attributes::Merged);
            let whole = made.tree.whole();
            // YAML makes elements of names that XML does not have.
            if let Ok(again) = Tree::from_xml(whole.expose()) {
                prop_assert!(again.whole() == whole, "{}", whole.expose());
            }
        }
    }

    #[test]
    fn any_yaml_is_read_or_refused(text in yaml_text()) {
        inventory(&text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(?s).{0,200}") {
        inventory(&text);
    }

    #[test]
    fn any_pattern_selects_or_fails(pattern in r"[a-z0-9*?,:&!\[\]~-]{0,30}|.{0,30}") {
        selected(&pattern);
    }

}

/// Pieces of CREATE statements, well-formed or not.
fn create_text() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec![
        "CREATE TABLE t ",
        "CREATE VIEW v ",
        "CREATE MATERIALIZED VIEW m ",
        "CREATE DICTIONARY d ",
        "CREATE FUNCTION f ",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        "a ",
        "`b c` ",
        "\"d\" ",
        "UInt8 ",
        "Nullable(",
        "Nested(",
        "Tuple(",
        "Enum8('x' = ",
        "DECIMAL(9",
        "DOUBLE PRECISION ",
        "NULL ",
        "NOT NULL ",
        "DEFAULT ",
        "MATERIALIZED ",
        "ALIAS ",
        "EPHEMERAL ",
        "CODEC(",
        "TTL ",
        "COMMENT ",
        "SETTINGS ",
        "STATISTICS(",
        "INDEX i ",
        "PROJECTION p ",
        "CONSTRAINT c CHECK ",
        "TYPE minmax ",
        "GRANULARITY ",
        "PRIMARY KEY ",
        "ORDER BY ",
        "PARTITION BY ",
        "SAMPLE BY ",
        "ENGINE = ",
        "MergeTree ",
        "Kafka(",
        "Distributed(",
        "AS ",
        "SELECT ",
        "FROM t ",
        "WITH ",
        "TO ",
        "REFRESH ",
        "DEFINER = ",
        "SOURCE(",
        "LAYOUT(",
        "LIFETIME(",
        "RANGE(",
        "MIN ",
        "MAX ",
        "INTERVAL ",
        "1 ",
        "-",
        "1e9 ",
        "0x",
        "'s' ",
        "'",
        "$$",
        "=",
        "=",
        "<",
        ">",
        ":",
        "|",
        "?",
        "->",
        ".",
        ";",
        "/*",
        "--",
        "\n",
        "é",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// A role with any text as its migration.
fn migration(name: &str, text: &str) -> usize {
    let role = housewright::fleet::RoleName::new("data").unwrap();
    let source = std::sync::Arc::new(housewright::problem::Source { name: name.to_owned(), text: text.to_owned() });
    let migrations = vec![housewright::role::SchemaFile { role: role.clone(), source }];
    let empty = housewright::role::Role::empty(role.clone(), housewright::role::PlacementKind::Storage);
    let objects = [(role.clone(), object("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a"))].into();
    let read = housewright::migration::read(
        &[(role.clone(), housewright::role::Role { migrations, ..empty })].into(),
        &objects,
    );
    read.roles[&role].len() + read.problems.len()
}

/// One object of a role, with any statement.
fn object(text: &str) -> Vec<housewright::schema::Object> {
    let name = housewright::fleet::RoleName::new("data").unwrap();
    let source = std::sync::Arc::new(housewright::problem::Source { name: "a.sql".to_owned(), text: text.to_owned() });
    let schema = vec![housewright::role::SchemaFile { role: name.clone(), source }];
    let role = housewright::role::Role {
        schema,
        ..housewright::role::Role::empty(name, housewright::role::PlacementKind::Storage)
    };
    housewright::schema::read(&role).0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_a_migration_or_a_problem(text in create_text(), header in "[a-z0-9, ]{0,30}", name in "[0-9a-z_./é]{0,12}") {
        for text in [
            text.clone(),
            format!("-- housewright: once per host\n{text}"),
            format!("-- housewright: {header}\nALTER TABLE t {text}"),
            format!("-- housewright: once per shard, limit {header}\nDROP {text}"),
        ] {
            let numbered = format!("0001_{name}.sql");
            prop_assert!(migration(&numbered, &text) > 0 && migration(&name, &text) > 0);
        }
    }

    #[test]
    fn any_two_statements_are_compared(
        ours in create_text(), theirs in create_text(), recorded in create_text(), as_applied in any::<bool>(),
    ) {
        use housewright::schema::{ObservedObject, Recorded, Records, diff};
        for text in [ours.clone(), format!("CREATE TABLE t (a UInt8, {ours}"), format!("CREATE TABLE t (a UInt8) ENGINE = {ours}")] {
            let objects = object(&text);
            let live: Vec<_> = objects.iter().map(|object| ObservedObject {
                name: object.name.clone(),
                engine: "MergeTree".to_owned(),
                create_query: theirs.clone(),
            }).collect();
            let record = |statement: &str, live_is_as_applied| -> Records {
                let record = |object: &housewright::schema::Object| Recorded {
                    role: object.role.clone(), statement: statement.to_owned(), live_is_as_applied,
                };
                objects.iter().map(|object| (object.name.clone(), record(object))).collect()
            };
            let _ = diff(&objects, &live, &record(&recorded, as_applied));
            let _ = diff(&objects, &live, &Records::new());
            // What is recorded as it is wanted never differs.
            for object in &objects {
                let same: Vec<_> = objects.iter().filter(|other| other.name == object.name).collect();
                if let [one] = same.as_slice() {
                    let live: Vec<_> = live.iter().filter(|live| live.name == one.name).map(|live| ObservedObject {
                        create_query: one.statement.text().to_owned(), engine: one.engine_name().to_owned(), ..live.clone()
                    }).collect();
                    let wanted = std::slice::from_ref(*one);
                    prop_assert_eq!(diff(wanted, &live, &record(one.statement.text(), true)), vec![], "{}", text);
                    prop_assert_eq!(diff(wanted, &live, &Records::new()), vec![], "{}", text);
                }
            }
        }
    }
}

proptest! {
    // Each case reads the roles from the disk twice.
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_order_of_hosts_groups_and_keys_does_not_matter(seed in any::<[u8; 16]>()) {
        let mut groups = [
            "  - data: { hosts: { d1: { shard: 1, replica: 2 }, d2: { replica: 1, shard: 1 } }, vars: { hostClusterRole: data } }",
            "  - small: { vars: { hostClusterRole: small, zone: a }, hosts: { i1: , i2: } }",
            "  - zone_b: { hosts: { i2: , d1: }, vars: { zone: b } }",
            "  - clusters: { hosts: { i1: } }",
        ].map(|line| line.trim_start_matches("  - "));
        let plain = groups.join("\n");
        for (at, with) in seed.iter().enumerate() {
            groups.swap(at % 4, usize::from(*with) % 4);
        }
        let clusters = "clickhouse_clusters: { c: { hosts: data, layout: sharded }, all: { layout: one_shard_per_host, hosts: all } }";
        let resolved = |text: &str| format!("{:#?}", written().hosts(text).group_vars("all.yml", clusters).fleet());
        let again = resolved(&groups.join("\n"));
        prop_assert_eq!(resolved(&plain).replace("hosts.yml", ""), again.replace("hosts.yml", ""));
    }
}
