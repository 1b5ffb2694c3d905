//! Desired objects against what a ClickHouse 25.8 wrote into `system.tables` after creating them.

use housewright::clickhouse::Rows;
use housewright::schema::{
    Difference, ObjectChange, ObjectName, ObservedObject, ROWS, Records, Schema, diff, read_objects,
};
use serde_json::json;

use crate::fleet::{INGESTION, fleet, role_name};

/// More statements, each of which the server keeps in another form than it is written in.
const MORE: &str = "
CREATE TABLE w2 AS writable_groups ENGINE = Distributed(posthog, currentDatabase(), groups, sipHash64(team_id));
CREATE TABLE k2 (a UInt8) ENGINE = Kafka SETTINGS kafka_broker_list='localhost:1', kafka_topic_list = 'groups', kafka_group_name = 'group1', kafka_format = 'JSONEachRow', kafka_num_consumers=2;
CREATE TABLE k3 (a UInt8) ENGINE = Kafka('localhost:1', 'groups', 'g3', 'JSONEachRow');
CREATE MATERIALIZED VIEW mv2 (a UInt8) ENGINE=MergeTree ORDER BY a AS with x as (select 1 as a) SELECT a FROM k2 join x on x.a=k2.a;
CREATE VIEW v1 AS SELECT * FROM groups;
CREATE FUNCTION lin AS (x, k) -> k*x;
CREATE DICTIONARY d (id UInt64, v String DEFAULT '') PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'groups' DB 'default')) LAYOUT(FLAT()) LIFETIME(0);
CREATE TABLE `we ird.name` (`a b` UInt8, \"c\" String) ENGINE=Memory;
CREATE NAMED COLLECTION nc AS a='b';
";

/// Copied from a server's answer.
fn observed() -> Vec<ObservedObject> {
    let row = |kind: &str, name: &str, engine: &str, query: &str| {
        vec![json!(kind), json!("default"), json!(name), json!(engine), json!(query)]
    };
    let rows = Rows {
        columns: ROWS.iter().map(ToString::to_string).collect(),
        rows: vec![
            row("collection", "nc", "", ""),
            row("database", "default", "Atomic", ""),
            row("function", "lin", "", "CREATE FUNCTION lin AS (x, k) -> (k * x)"),
            row(
                "relation",
                "d",
                "Dictionary",
                "CREATE DICTIONARY default.d (`id` UInt64, `v` String DEFAULT '') PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'groups' DB 'default')) LIFETIME(MIN 0 MAX 0) LAYOUT(FLAT())",
            ),
            row(
                "relation",
                "groups_mv",
                "MaterializedView",
                "CREATE MATERIALIZED VIEW default.groups_mv TO default.writable_groups (`group_type_index` UInt8, `group_key` String, `created_at` DateTime64(3), `team_id` Int64, `group_properties` String, `_timestamp` Nullable(DateTime), `_offset` UInt64) AS SELECT group_type_index, group_key, created_at, team_id, group_properties, _timestamp, _offset FROM default.kafka_groups",
            ),
            row(
                "relation",
                "k2",
                "Kafka",
                "CREATE TABLE default.k2 (`a` UInt8) ENGINE = Kafka SETTINGS kafka_broker_list = 'localhost:1', kafka_topic_list = 'groups', kafka_group_name = 'group1', kafka_format = 'JSONEachRow', kafka_num_consumers = 2",
            ),
            row(
                "relation",
                "k3",
                "Kafka",
                "CREATE TABLE default.k3 (`a` UInt8) ENGINE = Kafka('localhost:1', 'groups', 'g3', 'JSONEachRow')",
            ),
            row(
                "relation",
                "kafka_groups",
                "Kafka",
                "CREATE TABLE default.kafka_groups (`group_type_index` UInt8, `group_key` String, `created_at` DateTime64(3), `team_id` Int64, `group_properties` String) ENGINE = Kafka(warpstream_ingestion, kafka_topic_list = 'groups', kafka_group_name = 'group1', kafka_format = 'JSONEachRow')",
            ),
            row(
                "relation",
                "mv2",
                "MaterializedView",
                "CREATE MATERIALIZED VIEW default.mv2 (`a` UInt8) ENGINE = MergeTree ORDER BY a SETTINGS index_granularity = 8192 AS WITH x AS (SELECT 1 AS a) SELECT a FROM default.k2 INNER JOIN x ON x.a = k2.a",
            ),
            row("relation", "unmanaged", "Memory", "CREATE TABLE default.unmanaged (`a` UInt8) ENGINE = Memory"),
            row(
                "relation",
                "v1",
                "View",
                "CREATE VIEW default.v1 (`group_type_index` UInt8, `group_key` String) AS SELECT * FROM default.groups",
            ),
            row(
                "relation",
                "w2",
                "Distributed",
                "CREATE TABLE default.w2 (`group_type_index` UInt8, `group_key` String, `created_at` DateTime64(3), `team_id` Int64, `group_properties` String, `_timestamp` DateTime, `_offset` UInt64) ENGINE = Distributed('posthog', 'default', 'groups', sipHash64(team_id))",
            ),
            row(
                "relation",
                "we ird.name",
                "Memory",
                "CREATE TABLE default.`we ird.name` (`a b` UInt8, `c` String) ENGINE = Memory",
            ),
            row(
                "relation",
                "writable_groups",
                "Distributed",
                "CREATE TABLE default.writable_groups (`group_type_index` UInt8, `group_key` String, `created_at` DateTime64(3), `team_id` Int64, `group_properties` String, `_timestamp` DateTime, `_offset` UInt64) ENGINE = Distributed('posthog_single_shard', 'default', 'groups')",
            ),
        ],
    };
    read_objects(&rows)
}

fn changes(ingestion: &str, observed: &[ObservedObject]) -> Vec<ObjectChange> {
    let (schema, problems) = Schema::read(&fleet("", ingestion));
    assert_eq!(problems, vec![]);
    diff(schema.of(&role_name("ingestion-small")), observed, &Records::new())
}

#[test]
fn objects_created_from_the_same_text_do_not_differ() {
    assert_eq!(changes(&(INGESTION.to_owned() + MORE), &observed()), vec![]);
}

#[test]
fn what_is_missing_is_created_in_the_order_of_the_files() {
    let names: Vec<String> = changes(INGESTION, &[])
        .into_iter()
        .map(|change| match change {
            ObjectChange::Create(object) => object.name.to_string(),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["groups_mv", "kafka_groups", "writable_groups"]);
}

#[test]
fn what_differs_says_why() {
    let why = |sql: &str| -> String {
        let changes = changes(sql, &observed());
        let lines = changes.iter().map(|change| match change {
            ObjectChange::Create(object) => format!("create {}", object.name),
            ObjectChange::Alter { object, why, .. }
            | ObjectChange::Recreate { object, why }
            | ObjectChange::Held { object, why, .. } => {
                let why: Vec<String> = why.iter().map(Difference::to_string).collect();
                format!("{}: {}", object.name, why.join("; "))
            }
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    let kafka = "CREATE TABLE k3 (a UInt8, b UInt8) ENGINE = Kafka('localhost:1', 'groups', 'g4', 'JSONEachRow');";
    assert_eq!(
        why(kafka),
        "k3: engine is `Kafka('localhost:1', 'groups', 'g3', 'JSONEachRow')`, should be `Kafka('localhost:1', 'groups', 'g4', 'JSONEachRow')`; column b is missing: `UInt8`"
    );
    let collection = "CREATE TABLE kafka_groups (group_type_index UInt8, group_key VARCHAR, created_at DateTime64, team_id Int64, group_properties VARCHAR) ENGINE = Kafka(msk, kafka_topic_list = 'groups');";
    assert_eq!(
        why(collection),
        "kafka_groups: engine is `Kafka(warpstream_ingestion, kafka_topic_list = 'groups', kafka_group_name = 'group1', kafka_format = 'JSONEachRow')`, should be `Kafka(msk, kafka_topic_list = 'groups')`"
    );
    let engine = "CREATE TABLE w2 (a Int8) ENGINE = Null";
    assert_eq!(
        why(engine),
        "w2: engine is `Distributed('posthog', 'default', 'groups', sipHash64(team_id))`, should be `Null`"
    );
    let key =
        "CREATE TABLE w2 AS writable_groups ENGINE = Distributed(posthog, default, groups2, sipHash64(`group_key`));";
    assert_eq!(
        why(key),
        "w2: engine is `Distributed('posthog', 'default', 'groups', sipHash64(team_id))`, should be `Distributed(posthog, default, groups2, sipHash64(`group_key`))`"
    );
    let target = "CREATE MATERIALIZED VIEW groups_mv TO w2 AS SELECT * FROM kafka_groups";
    assert_eq!(
        why(target),
        "groups_mv: target is `default.writable_groups`, should be `w2`; query is `SELECT group_type_index, group_key, created_at, team_id, group_properties, _timestamp, _offset FROM default.kafka_groups`, should be `SELECT * FROM kafka_groups`"
    );
    assert_eq!(why("CREATE DATABASE other; CREATE DATABASE default"), "create other");
    assert!(ObjectName::relation(None, "x") < ObjectName::Function("a".to_owned()));
}
