//! From SQL to objects and problems.

use housewright::schema::{ObjectName, Schema};

use crate::fleet::{INGESTION, STORAGE, findings, fleet, role_name};

#[test]
fn the_talk_is_read_as_it_is_written() {
    let (schema, _) = Schema::read(&fleet(STORAGE, INGESTION));
    let storage = schema.of(&role_name("data")).first().unwrap();
    assert_eq!(storage.statement.text(), STORAGE.trim_end());
    let view = schema.of(&role_name("ingestion-small")).first().unwrap();
    assert!(view.statement.text().contains("-- ← writes into the Distributed table\nAS SELECT"));
    let depends: Vec<String> = view.depends_on.iter().map(ObjectName::to_string).collect();
    assert_eq!(depends, ["kafka_groups", "writable_groups"]);
    assert_eq!(view.span.to_string(), "roles/ingestion-small/schema/all.sql:1:1");
}

#[test]
fn if_not_exists_is_put_before_the_name() {
    let (schema, _) = Schema::read(&fleet(
        "/* é */ create table /* x */ `a b`.c (x Int8) engine = Memory; CREATE DATABASE IF NOT EXISTS d;
         CREATE FUNCTION f AS x -> x; CREATE NAMED COLLECTION n AS a = 'b'",
        "",
    ));
    let texts: Vec<&str> = schema.of(&role_name("data")).iter().map(|object| object.statement.text()).collect();
    assert_eq!(
        texts,
        [
            "create table /* x */ IF NOT EXISTS `a b`.c (x Int8) engine = Memory",
            "CREATE DATABASE IF NOT EXISTS d",
            "CREATE FUNCTION IF NOT EXISTS f AS x -> x",
            "CREATE NAMED COLLECTION IF NOT EXISTS n AS a = 'b'",
        ]
    );
}

#[test]
fn everything_but_create_is_refused_at_once() {
    let found = findings(&fleet(
        "DROP TABLE groups;\nCREATE TABLE t ON CLUSTER posthog (a Int8) ENGINE = Memory;\nCREATE OR REPLACE TABLE u (a Int8) ENGINE = Memory;\nSELECT 1;\nCREATE TABLE v (a Int8) ENGINE = Memory; CREATE VIEW default.v AS SELECT 1;\n'",
        "",
    ));
    insta::assert_snapshot!(found.join("\n"), @r"
    HW0401 roles/data/schema/all.sql:6:1: this string is never closed
    HW0402 roles/data/schema/all.sql:1:1: `DROP TABLE` has no place in a role's schema: it says what should be there | write `CREATE DATABASE | TABLE | MATERIALIZED VIEW | VIEW | DICTIONARY | FUNCTION | NAMED COLLECTION`
    HW0403 roles/data/schema/all.sql:2:16: `ON CLUSTER` is refused: the statement goes to exactly the hosts whose role has it | remove `ON CLUSTER ...`
    HW0404 roles/data/schema/all.sql:3:1: `CREATE OR REPLACE` of `u` is refused: it drops what is there, rows and all | write `CREATE ... IF NOT EXISTS`; what differs is found by comparing
    HW0402 roles/data/schema/all.sql:4:1: `SELECT` makes no object that a role's schema can hold | write `CREATE DATABASE | TABLE | MATERIALIZED VIEW | VIEW | DICTIONARY | FUNCTION | NAMED COLLECTION`
    HW0405 roles/data/schema/all.sql:5:42: `v` is created twice: first at roles/data/schema/all.sql:5:1 | one object has one owner
    ");
}
