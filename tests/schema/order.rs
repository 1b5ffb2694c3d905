//! One order over all roles.

use housewright::schema::{Schema, Stage, cycles};

use crate::fleet::{INGESTION, STORAGE, findings, fleet};

fn lines(schema: &Schema) -> Vec<String> {
    let stages = schema.stages();
    let line = |stage: &housewright::schema::SchemaStage| {
        let roles = stage.roles.iter().map(|(role, objects)| {
            let names: Vec<String> = objects.iter().map(|object| object.name.to_string()).collect();
            format!("{role}: {}", names.join(", "))
        });
        format!("{} | {}", stage.stage, roles.collect::<Vec<_>>().join("; "))
    };
    stages.iter().map(line).collect()
}

#[test]
fn the_talk_is_storage_distributed_kafka_view() {
    let fleet = fleet(STORAGE, INGESTION);
    let (schema, problems) = Schema::read(&fleet);
    assert_eq!(problems, vec![]);
    assert_eq!(
        lines(&schema),
        [
            "storage | data: groups",
            "distributed | ingestion-small: writable_groups",
            "queues | ingestion-small: kafka_groups",
            "views | ingestion-small: groups_mv",
        ]
    );
}

#[test]
fn what_is_depended_on_comes_first_whatever_it_is() {
    let data = "CREATE DICTIONARY d (id UInt64) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'a_view')) LAYOUT(FLAT());
        CREATE VIEW b_view AS SELECT 1; CREATE VIEW a_view AS SELECT * FROM b_view JOIN other.t USING x;
        CREATE TABLE other.t (x Int8) ENGINE = MergeTree ORDER BY x; CREATE DATABASE other;
        CREATE FUNCTION f AS x -> x; CREATE TABLE reads AS other.t ENGINE = Distributed('posthog', 'other', 't');";
    let other = "CREATE TABLE far (x Int8) ENGINE = Distributed('posthog', 'default', 'reads');";
    let (schema, problems) = Schema::read(&fleet(data, other));
    assert_eq!(problems, vec![]);
    assert_eq!(
        lines(&schema),
        [
            "databases | data: other",
            "functions and named collections | data: f",
            "storage | data: other.t",
            "distributed | data: reads",
            "distributed | ingestion-small: far",
            "views | data: b_view, a_view, d",
        ]
    );
}

#[test]
fn a_cycle_is_a_problem_and_the_order_still_ends() {
    let fleet = fleet(
        "CREATE VIEW a AS SELECT * FROM b; CREATE VIEW b AS SELECT * FROM c; CREATE VIEW c AS SELECT * FROM a;",
        "",
    );
    let found = findings(&fleet);
    assert_eq!(found, ["HW0406 roles/data/schema/all.sql:1:1: objects wait for each other: `a` -> `b` -> `c` -> `a`"]);
    let (schema, _) = Schema::read(&fleet);
    let stages = schema.stages();
    assert_eq!(stages.iter().map(|stage| stage.roles.values().map(Vec::len).sum::<usize>()).sum::<usize>(), 3);
}

#[test]
fn two_roles_that_look_at_each_other_end_too() {
    let far = |table: &str, cluster: &str, remote: &str| {
        format!("CREATE TABLE {table} (x Int8) ENGINE = Distributed('{cluster}', 'default', '{remote}')")
    };
    let (schema, _) = Schema::read(&fleet(&far("a", "ingestion-small", "b"), &far("b", "posthog", "a")));
    assert!(!schema.stages().is_empty());
}

#[test]
fn the_order_of_the_files_does_not_matter() {
    let statements: Vec<&str> = INGESTION.split_inclusive(";").collect();
    let turned: String = statements.iter().rev().copied().collect();
    let names = |ingestion: &str| lines(&Schema::read(&fleet(STORAGE, ingestion)).0);
    assert_eq!(names(INGESTION), names(&turned));
    assert!(Stage::Storage < Stage::Proxy && Stage::Proxy < Stage::Queue && Stage::Queue < Stage::View);
    assert_eq!(cycles(&[]), vec![]);
}
