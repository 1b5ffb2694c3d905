//! From SQL to objects and problems.

use housewright::report::diagnostic::{Colour, render};
use housewright::schema::{ObjectName, Schema, without_hosts};

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
fn a_secret_in_a_statement_is_refused_wherever_it_stands() {
    for statement in [
        "CREATE TABLE t (a Int8) ENGINE = Kafka(c) SETTINGS kafka_sasl_password = 'hunter2'",
        "CREATE TABLE t (a Int8) ENGINE = Kafka(c) SETTINGS `kafka_sasl_password`='hunter2'",
        "CREATE TABLE t (a Int8) ENGINE = MySQL('h:1', 'd', 't', 'u', 'hunter2')",
        "CREATE TABLE t (a Int8) ENGINE = URL('https://u:hunter2@h/x', CSV)",
        "CREATE NAMED COLLECTION n AS host = 'h', password = 'hunter2'",
        "CREATE DICTIONARY d (a Int8) PRIMARY KEY a SOURCE(MYSQL(USER 'u' PASSWORD 'hunter2')) LIFETIME(1)",
        "CREATE VIEW v AS SELECT * FROM remote('h', view(SELECT 1), SETTINGS password = 'hunter2')",
        "CREATE USER u IDENTIFIED WITH sha256_password BY 'hunter2'",
        "CREATE TABLE t (a Int8) ENGINE = URL('https://h', headers('Authorization' = 'Bearer hunter2'))",
    ] {
        let (_, problems) = Schema::read(&fleet(statement, ""));
        let found = problems.iter().find(|problem| problem.code == "HW0408");
        assert!(found.is_some(), "{statement}: {problems:?}");
        let shown = render(&problems, Colour::Plain);
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    for statement in [
        "CREATE TABLE t (password String DEFAULT '', token String) ENGINE = Kafka(c, kafka_topic_list = 'x')",
        "CREATE VIEW v AS SELECT * FROM t WHERE key = 'a' AND token = 'b' ORDER BY 'c'",
        "CREATE DICTIONARY d (a Int8) PRIMARY KEY a SOURCE(CLICKHOUSE(USER 'u' PASSWORD '' TABLE 't')) LIFETIME(1)",
    ] {
        let (_, problems) = Schema::read(&fleet(statement, ""));
        assert!(problems.iter().all(|problem| problem.code != "HW0408"), "{statement}: {problems:?}");
    }
}

#[test]
fn roles_with_a_schema_and_no_host_are_noted() {
    let all = fleet("CREATE TABLE t (a Int8) ENGINE = Memory", INGESTION);
    let mut used = all.clone();
    used.roles.remove(&role_name("data"));
    let found: Vec<String> = without_hosts(&all.roles, &used).iter().map(ToString::to_string).collect();
    let expected = "roles/data/schema/all.sql:1:1: role `data` has 1 objects and no host in this inventory: nothing of its schema is applied";
    assert_eq!(found, [expected]);
    assert!(without_hosts(&all.roles, &all).is_empty());
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
    note HW0404 roles/data/schema/all.sql:3:1: `OR REPLACE` is read as a plain `CREATE`: rows stay, what differs is altered | remove `OR REPLACE`
    HW0402 roles/data/schema/all.sql:4:1: `SELECT` makes no object that a role's schema can hold | write `CREATE DATABASE | TABLE | MATERIALIZED VIEW | VIEW | DICTIONARY | FUNCTION | NAMED COLLECTION`
    HW0405 roles/data/schema/all.sql:5:42: `v` is created twice: first at roles/data/schema/all.sql:5:1 | one object has one owner
    ");
}
