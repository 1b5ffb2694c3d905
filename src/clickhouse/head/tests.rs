//! What heads are read from statements as people write them.

use std::sync::Arc;

use super::*;
use crate::clickhouse::split;
use crate::problem::Source;

fn heads(text: &str) -> Vec<Head> {
    split(&Arc::new(Source { name: "x.sql".to_owned(), text: text.to_owned() })).iter().map(read_head).collect()
}

fn create(text: &str) -> Create {
    match heads(text).remove(0) {
        Head::Create(create) => *create,
        other @ Head::Other { .. } => panic!("{other:?}"),
    }
}

fn sources(text: &str) -> Vec<String> {
    create(text)
        .sources
        .into_iter()
        .map(|table| table.database.map(|database| format!("{database}.")).unwrap_or_default() + &table.name)
        .collect()
}

#[test]
fn kafka_table_of_the_talk() {
    let create = create(
        "CREATE TABLE IF NOT EXISTS kafka_groups
        (
        group_type_index UInt8, group_key VARCHAR, created_at DateTime64(3, 'UTC'),
        team_id Int64, group_properties VARCHAR
        )
        ENGINE = Kafka(warpstream_ingestion, -- named collection (broker list)
        kafka_topic_list = 'groups',
        kafka_group_name = 'group1',
        kafka_format = 'JSONEachRow');",
    );
    assert_eq!((create.kind, create.when_present), (CreateKind::Table, WhenPresent::Leave));
    assert_eq!(
        create.columns.map(|columns| columns.join(" ")).as_deref(),
        Some("group_type_index group_key created_at team_id group_properties")
    );
    let engine = create.engine.expect("an engine");
    assert_eq!(engine.name, "Kafka");
    assert_eq!(engine.positional(0), Some(&Value::Name("warpstream_ingestion".to_owned())));
    assert_eq!(engine.setting("kafka_group_name"), Some(&Value::Text("group1".to_owned())));
}

#[test]
fn materialized_view_of_the_talk() {
    let text = "CREATE MATERIALIZED VIEW IF NOT EXISTS groups_mv
        TO writable_groups -- ← writes into the Distributed table
        AS SELECT group_type_index, _offset FROM kafka_groups; -- ← reads from the Kafka table engine";
    let create = create(text);
    assert_eq!(create.target.map(|target| target.name).as_deref(), Some("writable_groups"));
    assert_eq!(sources(text), ["kafka_groups"]);
}

#[test]
fn distributed_with_a_sharding_key() {
    let engine = create("CREATE TABLE w (a Int8) ENGINE = Distributed('posthog', default, \"sharded_events\", sipHash64(distinct_id, 1)) SETTINGS a = -1, b = 'x'").engine.expect("an engine");
    assert_eq!(engine.arguments.len(), 4);
    assert_eq!(engine.positional(2), Some(&Value::Name("sharded_events".to_owned())));
    assert_eq!(engine.positional(3), Some(&Value::Expression("sipHash64 ( distinct_id , 1 )".to_owned())));
    assert_eq!(engine.settings[0], ("a".to_owned(), Value::Expression("- 1".to_owned())));
    assert_eq!(engine.settings[1], ("b".to_owned(), Value::Text("x".to_owned())));
}

#[test]
fn on_cluster_or_replace_and_odd_names() {
    let create = create("create or replace table `we``ird`.\"na me\" on cluster '{cluster}' (a Int8) engine Memory");
    assert_eq!((create.database.as_deref(), create.name.as_str()), (Some("we`ird"), "na me"));
    assert_eq!(create.when_present, WhenPresent::Replace);
    assert_eq!(create.on_cluster.expect("a cluster").line_column(), (1, 43));
    assert_eq!(create.engine.map(|engine| engine.name).as_deref(), Some("Memory"));
}

#[test]
fn columns_are_not_indexes_and_a_nested_column_hides_them() {
    let columns =
        |list: &str| create(&format!("CREATE TABLE t ({list}) ENGINE = Memory")).columns.map(|names| names.join(" "));
    assert_eq!(
        columns("index String, INDEX i a TYPE minmax, `b c` Int8 DEFAULT f(1, 2), PROJECTION p (SELECT a), CONSTRAINT c CHECK a > 1, PRIMARY KEY (a), projection UInt8, n.a Array(Int8)").as_deref(),
        Some("index b c projection n.a")
    );
    assert_eq!(columns("a Int8, n Nested(x Int8)"), None);
}

#[test]
fn sources_are_tables_and_nothing_else() {
    for (query, expected) in [
        ("SELECT a FROM b.c AS x, d LEFT JOIN e ON x.f = e.f, g", vec!["b.c", "d", "e"]),
        ("WITH x AS (SELECT * FROM x) SELECT * FROM x JOIN y USING a", vec!["x", "y"]),
        ("SELECT extract(day FROM ts), trim(both ' ' FROM s) FROM t ARRAY JOIN u, v", vec!["t"]),
        ("SELECT * FROM numbers(10), remote('a', b.c), t FINAL WHERE a IS NOT DISTINCT FROM b", vec!["t"]),
        (
            "SELECT * FROM (SELECT a FROM `in ner` UNION ALL SELECT a FROM b) AS s WHERE a IN (SELECT q FROM z)",
            vec!["in ner", "b", "z"],
        ),
        (
            "WITH 1 AS one, c AS (SELECT 1) SELECT (SELECT max(a) FROM c) FROM k GLOBAL ANY LEFT JOIN c USING (a)",
            vec!["k"],
        ),
        ("SELECT ' FROM nowhere' -- FROM here\n FROM t GROUP BY a, b", vec!["t"]),
        ("FROM t SELECT a, b", vec!["t"]),
    ] {
        assert_eq!(sources(&format!("CREATE VIEW v AS {query}")), expected, "{query}");
    }
    assert_eq!(sources("CREATE TABLE w AS db.t ENGINE = Null"), ["db.t"]);
    assert_eq!(
        sources("CREATE DICTIONARY d (id UInt64) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 't' DB 'b')) LAYOUT(FLAT())"),
        ["b.t"]
    );
}

#[test]
fn inner_engine_settings_and_refresh() {
    let create = create(
        "CREATE MATERIALIZED VIEW mv (a UInt8) ENGINE = MergeTree PARTITION BY a ORDER BY a TTL d TO VOLUME 'x'
         SETTINGS index_granularity = 1, disk = disk(type = 'local') POPULATE AS SELECT a FROM t SETTINGS max_threads = 1",
    );
    assert_eq!(create.target, None);
    assert_eq!(create.engine.map(|engine| engine.settings.len()), Some(2));
    let refreshed = self::create("CREATE MATERIALIZED VIEW mv REFRESH EVERY 1 DAY APPEND TO d.t AS SELECT 1");
    assert_eq!(refreshed.target.and_then(|target| target.database).as_deref(), Some("d"));
}

#[test]
fn other_statements_say_whether_they_destroy() {
    let effects: Vec<(String, Effect)> = heads("drop table x; SELECT 1; CREATE USER u; alter table t drop column c; CREATE; CREATE TEMPORARY TABLE t (a Int8); INSERT INTO t VALUES (1)")
        .into_iter()
        .map(|head| match head {
            Head::Other { verb, effect } => (verb, effect),
            Head::Create(create) => panic!("{create:?}"),
        })
        .collect();
    let verbs: Vec<&str> = effects.iter().map(|(verb, _)| verb.as_str()).collect();
    assert_eq!(verbs, ["DROP TABLE", "SELECT", "CREATE USER", "ALTER TABLE", "CREATE", "CREATE TEMPORARY", "INSERT"]);
    let destructive = effects.iter().filter(|(_, effect)| *effect == Effect::Destroys).count();
    assert_eq!(destructive, 2);
}
