//! From bare hosts to rows flowing, and what ClickHouse really answers to the program's own client.

use std::time::Duration;

use housewright::clickhouse::{ClickHouse, ClickHouseError, Endpoint, HttpClickHouse, Statement};

use crate::fleet::{DATA, Fleet, SERVERS, eventually};

#[test]
fn from_bare_hosts_to_rows_flowing() {
    let fleet = Fleet::up();
    fleet.run(&["check", "-i", "inventories/lab"]).exits(0).says(["9 hosts", "no problems"]);
    fleet.plan(&[]).exits(2).says(["9 hosts to change"]);
    let applied = fleet.apply(&[]);
    applied.exits(0).says(["9 hosts done"]);
    fleet.plan(&[]).exits(0).says(["nothing to do", "9 as desired"]);
    // Nothing is done, and nothing is asked, where nothing differs.
    fleet.run(&["apply", "-i", "inventories/lab"]).exits(0).says(["nothing to do"]);

    the_schema_is_where_it_belongs(&fleet);
    groups_flow(&fleet);
    persons_flow(&fleet);
    events_flow(&fleet);
    the_client_understands_clickhouse(&fleet);
}

/// The words of a statement, with spaces made equal.
fn created(fleet: &Fleet, host: &str, object: &str) -> String {
    let text = fleet.sql(host, &format!("SHOW CREATE TABLE {object} FORMAT TSVRaw"));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn has<const N: usize>(text: &str, words: [&str; N]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
}

const GROUPS: &str = "`group_type_index` UInt8, `group_key` String, `created_at` DateTime64(3), `team_id` Int64, \
                      `group_properties` String";

fn the_schema_is_where_it_belongs(fleet: &Fleet) {
    for (shard, replica, host) in [(1, 1, DATA[0]), (1, 2, DATA[1]), (2, 1, DATA[2]), (2, 2, DATA[3])] {
        let stored = created(fleet, host, "groups");
        has(
            &stored,
            [
                GROUPS,
                "`_timestamp` DateTime, `_offset` UInt64",
                "ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/posthog.groups', '{replica}', _timestamp)",
                "ORDER BY (team_id, group_type_index, group_key)",
            ],
        );
        let replica_of = "SELECT zookeeper_path, replica_name FROM system.replicas WHERE table = 'groups'";
        let expected = format!("/clickhouse/tables/{shard}/posthog.groups\t{replica}");
        assert_eq!(fleet.sql(host, replica_of), expected);
        assert_eq!(fleet.sql(host, "SELECT count() FROM system.tables WHERE engine = 'Kafka'"), "0", "{host}");
        assert_eq!(fleet.sql(host, "SELECT getMacro('hostClusterRole')"), "data");
    }
    has(
        &created(fleet, "ingestion-small-1", "writable_groups"),
        [
            GROUPS,
            "`_timestamp` DateTime, `_offset` UInt64",
            "ENGINE = Distributed('posthog_single_shard', 'default', 'groups')",
        ],
    );
    let kafka = created(fleet, "ingestion-small-1", "kafka_groups");
    has(&kafka, [GROUPS, "ENGINE = Kafka(warpstream_ingestion", "kafka_topic_list = 'groups'"]);
    has(&kafka, ["kafka_group_name = 'group1'", "kafka_format = 'JSONEachRow'"]);
    assert!(!kafka.contains("_timestamp"), "{kafka}");
    has(
        &created(fleet, "ingestion-small-1", "groups_mv"),
        ["MATERIALIZED VIEW", "TO default.writable_groups", "FROM default.kafka_groups", "_timestamp, _offset"],
    );
    for host in SERVERS.iter().filter(|host| !DATA.contains(host)) {
        let stored = "SELECT count() FROM system.tables WHERE database = 'default' AND engine LIKE '%MergeTree'";
        assert_eq!(fleet.sql(host, stored), "0", "{host}");
    }
    assert_eq!(fleet.sql("ingestion-medium-1", "EXISTS kafka_groups"), "0");
    assert_eq!(fleet.sql("ingestion-small-1", "SELECT getMacro('hostClusterRole')"), "small");
}

fn produce(fleet: &Fleet, topic: &str, host: &str, row: &str) {
    let script = "exec \"$0\" lab produce \"$1\" --host \"$2\" <<EOF\n$3\nEOF";
    let program = env!("CARGO_BIN_EXE_housewright");
    let status =
        std::process::Command::new("sh").args(["-c", script, program, topic, host, row]).status().expect("a shell");
    assert!(status.success());
    let _ = fleet;
}

/// How many rows each data host has.
fn counts(fleet: &Fleet, from: &str) -> [String; 4] {
    DATA.map(|host| fleet.sql(host, &format!("SELECT count() FROM {from}")))
}

/// How many different events a table has: Kafka delivers at least once.
fn distinct(fleet: &Fleet, host: &str, table: &str) -> u32 {
    fleet.sql(host, &format!("SELECT uniqExact(uuid) FROM {table}")).parse().expect("a number")
}

/// What the consumers of the events are doing, for the message where nothing arrives.
fn consumers(fleet: &Fleet) -> String {
    let select = "SELECT assignments.partition_id, assignments.current_offset, num_messages_read, exceptions.text, \
                  num_rebalance_assignments, num_rebalance_revocations, last_poll_time FROM system.kafka_consumers";
    fleet.sql("ingestion-events-1", select)
}

/// A row takes the way from its topic to both replicas of a shard.
pub fn groups_flow(fleet: &Fleet) {
    let row = r#"{"group_type_index":1,"group_key":"live","created_at":"2026-01-01 00:00:00","team_id":2,"group_properties":"{\"a\":1}"}"#;
    produce(fleet, "groups", "ingestion-small-1", row);
    // The view writes to one replica of one shard; replication gives the row to the other.
    eventually(
        "the group is on both replicas of one shard",
        || counts(fleet, "groups WHERE group_key = 'live' AND team_id = 2 AND group_properties = '{\"a\":1}'"),
        |counts| *counts == ["1", "1", "0", "0"] || *counts == ["0", "0", "1", "1"],
    );
}

fn persons_flow(fleet: &Fleet) {
    let row = r#"{"id":"6a2f41a3-c54c-fce8-32d2-0324e1c32e22","team_id":2,"properties":"{}","is_deleted":0,"version":3,"created_at":"2026-01-01 00:00:00.000"}"#;
    produce(fleet, "persons", "ingestion-medium-1", row);
    eventually(
        "the person is on every data host",
        || counts(fleet, "persons WHERE version = 3"),
        |counts| *counts == ["1", "1", "1", "1"],
    );
}

fn events_flow(fleet: &Fleet) {
    let rows: Vec<_> = (0..20)
        .map(|n| format!(r#"{{"uuid":"6a2f41a3-c54c-fce8-32d2-0324e1c3{n:04}","event":"pageview","properties":"{{}}","timestamp":"2026-01-01 00:00:00.000000","team_id":2,"distinct_id":"person {n}","created_at":"2026-01-01 00:00:00.000000"}}"#))
        .collect();
    produce(fleet, "events", "ingestion-events-1", &rows.join("\n"));
    eventually(
        "the events are spread over the shards",
        || (DATA.map(|host| distinct(fleet, host, "sharded_events")), consumers(fleet)),
        |([a, b, c, d], _)| a == b && c == d && *a > 0 && *c > 0 && a + c == 20,
    );
    assert_eq!(DATA.map(|host| distinct(fleet, host, "events")), [20; 4], "each sees all shards");
    let astray = "SELECT countIf(sipHash64(distinct_id) % 2 + 1 != toUInt64(getMacro('shard'))) FROM sharded_events";
    assert_eq!(DATA.map(|host| fleet.sql(host, astray)), ["0"; 4], "each row is where its key says");

    let reader = "CREATE TABLE live_sink (line String) ENGINE = Kafka(warpstream_ingestion, kafka_topic_list = \
                  'property_definitions', kafka_group_name = 'live', kafka_format = 'JSONAsString')";
    fleet.sql("ingestion-small-1", reader);
    let select = "SELECT _key, JSONExtractString(line, 'event'), JSONExtractInt(line, 'team_id') FROM live_sink LIMIT 1 \
                  SETTINGS stream_like_engine_allow_direct_select = 1";
    eventually(
        "the re-keyed event is in its topic",
        || fleet.sql("ingestion-small-1", select),
        |line| line == "2:pageview\tpageview\t2",
    );
    fleet.sql("ingestion-small-1", "DROP TABLE live_sink SYNC");
}

fn the_client_understands_clickhouse(fleet: &Fleet) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    housewright::lab::enter_namespace("hwlab").expect("the lab's network");
    let endpoint = Endpoint { http_port: 8123, user: "default".to_owned(), password: None };
    let client = HttpClickHouse::direct("10.77.2.41", &endpoint, Duration::from_secs(10));
    let ask = |statement: &str| runtime.block_on(client.execute(&Statement::new(statement)));
    let rows =
        ask("SELECT number AS n, toString(number) AS t, 18446744073709551615 AS big FROM numbers(3)").expect("rows");
    assert_eq!(rows.columns, ["n", "t", "big"]);
    assert_eq!((rows.number(2, "n"), rows.text(1, "t")), (Some(2), Some("1".to_owned())));
    assert_eq!(rows.number(0, "big"), Some(u64::MAX));
    assert_eq!(ask("CREATE DATABASE IF NOT EXISTS live").expect("no rows").rows.len(), 0);
    assert_eq!(ask("DROP DATABASE live").expect("no rows").rows.len(), 0);
    let error = ask("SELEC 1").expect_err("a syntax error");
    assert!(matches!(&error, ClickHouseError::Exception { code: 62, .. }), "{error:?}");
    let error = ask("SELECT throwIf(number = 70000, 'late') FROM numbers(100000)").expect_err("an error after rows");
    assert!(matches!(&error, ClickHouseError::Exception { code: 395, .. }), "{error:?}");
    fleet.on("shufflehog-1", "systemctl stop clickhouse-server");
    let error = ask("SELECT 1").expect_err("nobody answers");
    assert!(matches!(error, ClickHouseError::Refused(_)), "{error:?}");
    fleet.on("shufflehog-1", "systemctl start clickhouse-server");
}
