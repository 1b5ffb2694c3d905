//! Role files out of live objects: the statements are ClickHouse 25.8's own.

use std::collections::BTreeMap;

use housewright::fleet::HostName;
use housewright::role::SchemaFile;
use housewright::schema::{ObjectName, ObservedObject, Records, RoleDump, diff, dump, read};

use crate::fleet::{fleet, role_name};

fn object(name: ObjectName, engine: &str, create_query: &str) -> ObservedObject {
    ObservedObject { name, engine: engine.to_owned(), create_query: create_query.to_owned() }
}

fn table(database: &str, name: &str, engine: &str, create_query: &str) -> ObservedObject {
    object(ObjectName::relation(Some(database), name), engine, create_query)
}

fn dumped(hosts: &[&[ObservedObject]]) -> RoleDump {
    let names = ["data-1a", "data-1b", "data-2a", "data-2b"].map(|name| HostName::new(name).unwrap());
    let live: BTreeMap<_, _> = names.into_iter().zip(hosts.iter().map(|objects| objects.to_vec())).collect();
    dump(&fleet("", ""), &live).remove(&role_name("data")).unwrap_or_default()
}

fn live() -> Vec<ObservedObject> {
    vec![
        object(ObjectName::Database("default".to_owned()), "Atomic", ""),
        object(ObjectName::Database("housewright".to_owned()), "Atomic", ""),
        object(ObjectName::Database("other".to_owned()), "Atomic", ""),
        object(ObjectName::Function("ff".to_owned()), "", "CREATE FUNCTION ff AS x -> (x + 1)"),
        table("housewright", "objects", "ReplacingMergeTree", "CREATE TABLE housewright.objects (a Int8) ENGINE = Log"),
        table(
            "default",
            "evt",
            "ReplacingMergeTree",
            "CREATE TABLE default.evt UUID '1e4d'\n(\n    `a` Enum8('x;y' = 1),\n    `s` String DEFAULT 'it\\'s'\n)\nENGINE = ReplacingMergeTree\nORDER BY (s, a)\nSETTINGS index_granularity = 8192",
        ),
        table(
            "other",
            "we ird",
            "MergeTree",
            "CREATE TABLE other.`we ird`\n(\n    `a` Int8\n)\nENGINE = MergeTree\nORDER BY a\nSETTINGS index_granularity = 8192, min_bytes_for_wide_part = 0",
        ),
        table(
            "default",
            "k",
            "Kafka",
            "CREATE TABLE default.k\n(\n    `a` Int8\n)\nENGINE = Kafka(warpstream_ingestion, kafka_topic_list = 't', kafka_group_name = 'g', kafka_format = 'JSONEachRow')",
        ),
        table(
            "default",
            "kv",
            "MaterializedView",
            "CREATE MATERIALIZED VIEW default.kv TO default.evt\n(\n    `a` Int8\n)\nAS SELECT a\nFROM default.k",
        ),
    ]
}

#[test]
fn what_is_written_reads_back_as_what_is_there() {
    let live = live();
    let dumped = dumped(&[&live, &live]);
    assert_eq!(dumped.left, []);
    let text: String = dumped.files.iter().map(|(name, text)| format!("-- {name}\n{text}")).collect();
    insta::assert_snapshot!(text, @r"
    -- 1_other.sql
    CREATE DATABASE IF NOT EXISTS other;
    -- 2_ff.sql
    CREATE FUNCTION IF NOT EXISTS ff AS x -> (x + 1);
    -- 3_evt.sql
    CREATE TABLE IF NOT EXISTS evt
    (
        `a` Enum8('x;y' = 1),
        `s` String DEFAULT 'it\'s'
    )
    ENGINE = ReplacingMergeTree
    ORDER BY (s, a);
    -- 3_other.we_ird.sql
    CREATE TABLE IF NOT EXISTS other.`we ird`
    (
        `a` Int8
    )
    ENGINE = MergeTree
    ORDER BY a
    SETTINGS index_granularity = 8192, min_bytes_for_wide_part = 0;
    -- 5_k.sql
    CREATE TABLE IF NOT EXISTS k
    (
        `a` Int8
    )
    ENGINE = Kafka(warpstream_ingestion, kafka_topic_list = 't', kafka_group_name = 'g', kafka_format = 'JSONEachRow');
    -- 6_kv.sql
    CREATE MATERIALIZED VIEW IF NOT EXISTS kv TO default.evt
    (
        `a` Int8
    )
    AS SELECT a
    FROM default.k;
    ");
    let mut fleet = fleet("", "");
    let role = fleet.roles.get_mut(&role_name("data")).unwrap();
    let file = |(name, text): (&String, &String)| SchemaFile {
        role: role.name.clone(),
        source: std::sync::Arc::new(housewright::problem::Source { name: name.clone(), text: text.clone() }),
    };
    role.schema = dumped.files.iter().map(file).collect();
    let (objects, problems) = read(role);
    assert_eq!((problems, objects.len()), (Vec::new(), dumped.files.len()));
    assert_eq!(diff(&objects, &live, &Records::new()), []);
}

#[test]
fn what_differs_is_secret_or_lives_elsewhere_is_told_and_not_written() {
    let mine = |name: &str, columns: &str| {
        table("default", name, "Log", &format!("CREATE TABLE default.{name} ({columns}) ENGINE = Log"))
    };
    let hidden = table(
        "default",
        "my",
        "MySQL",
        "CREATE TABLE default.my (`a` Int8) ENGINE = MySQL('127.0.0.1:1', 'd', 't', 'u', '[HIDDEN]')",
    );
    let literal = table(
        "default",
        "old",
        "MySQL",
        "CREATE TABLE default.old (`a` Int8) ENGINE = MySQL('127.0.0.1:1', 'd', 't', 'u', 'in plain text')",
    );
    let elsewhere = [
        object(ObjectName::Database("shop".to_owned()), "MySQL", ""),
        table("shop", "orders", "MySQL", "CREATE TABLE shop.orders (`a` Int8) ENGINE = MySQL"),
        object(ObjectName::Collection("warpstream_ingestion".to_owned()), "", ""),
        object(ObjectName::Collection("by_hand".to_owned()), "", ""),
    ];
    let first =
        [&elsewhere[..], &[mine("two", "a Int8"), mine("one", "a Int8"), hidden.clone(), literal.clone()]].concat();
    let second = [&elsewhere[..], &[mine("two", "a Int16"), hidden, literal]].concat();
    let dumped = dumped(&[&first, &second]);
    assert_eq!(dumped.files, BTreeMap::new());
    let left: Vec<String> = dumped.left.iter().map(|left| format!("{}: {}", left.object, left.why)).collect();
    assert!(!left.join("\n").contains("in plain text"));
    insta::assert_snapshot!(left.join("\n"), @r"
    shop: the server does not tell how to make a database of engine `MySQL`
    my: its statement holds a secret, which the server hides: put it into a named collection
    old: the password of `MySQL` is written out: statements stand in plans and logs
    one: only 1 of 2 hosts have it: `data-1a`
    two: it has 2 forms: on `data-1b`; `data-1a`
    by_hand: its values are secret: write it into `clickhouse_named_collections`
    ");
}
