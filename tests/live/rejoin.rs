//! Servers that lost all that they had, as a stop and start of an instance leaves them: their replicas are forgotten where another has
//! their parts, made anew, and filled; what only they had is named, and goes by its name alone.

use crate::fleet::{DATA, Fleet, eventually};

const LOST: &str = "data-1-2";
const OTHER: &str = "data-1-1";
const TABLES: [&str; 3] = ["groups", "persons", "sharded_events"];

/// What a table has: how many rows, and which.
fn rows(fleet: &Fleet, host: &str, table: &str) -> String {
    fleet.sql(host, &format!("SELECT count(), sum(cityHash64(*)) FROM {table} FINAL"))
}

/// Rows of their own, by a number that says where they begin.
fn insert(fleet: &Fleet, host: &str, from: u32) {
    let numbers = format!("FROM numbers({from}, 1000)");
    for select in [
        format!("groups SELECT 0, toString(number), 0, 1, '{{}}', 0, number {numbers}"),
        format!(
            "persons SELECT toUUID(concat('00000000-0000-0000-0000-', leftPad(toString(number), 12, '0'))), 1, '', 0, 1, 0, 0, 0 {numbers}"
        ),
        format!(
            "sharded_events SELECT toUUID(concat('00000000-0000-0000-0000-', leftPad(toString(number), 12, '0'))), 'e', '', \
             toDateTime64('2026-01-15 00:00:00', 6, 'UTC') + toIntervalDay(number % 60), 1, toString(number), 0, 0, 0 {numbers}"
        ),
    ] {
        fleet.sql(host, &format!("INSERT INTO {select}"));
    }
}

/// Ends a server as the loss of its instance does, and starts one that has nothing.
fn loses_everything(fleet: &Fleet) {
    fleet.on(
        LOST,
        "systemctl kill -s KILL clickhouse-server; systemctl stop clickhouse-server; rm -rf /var/lib/clickhouse/*",
    );
    fleet.on(LOST, "systemctl start clickhouse-server");
    eventually(
        "its session of before is over",
        || {
            let active = "SELECT max(replica_is_active['2']) FROM system.replicas WHERE table = 'groups'";
            (fleet.on(LOST, "systemctl is-active clickhouse-server"), fleet.sql(OTHER, active))
        },
        |(runs, active)| runs == "active" && active == "0",
    );
}

#[test]
fn a_server_that_lost_everything_gets_it_back_from_the_others() {
    let fleet = Fleet::provisioned();
    let replica = fleet.sql(LOST, "SELECT substitution FROM system.macros WHERE macro = 'replica'");
    assert_eq!(replica, "2", "the test asks for it by this name");
    for (at, host) in DATA.iter().enumerate() {
        insert(&fleet, host, 10_000 * u32::try_from(at).unwrap());
    }
    for table in TABLES {
        fleet.sql(OTHER, &format!("OPTIMIZE TABLE {table} FINAL"));
        let all = rows(&fleet, OTHER, table);
        eventually("the replicas are alike", || rows(&fleet, LOST, table), |is| *is == all);
    }
    let before = TABLES.map(|table| rows(&fleet, OTHER, table));

    loses_everything(&fleet);
    let plan = fleet.plan(&[]);
    plan.exits(2)
        .says(["the coordination forgets replica `2`: data-1-2 has nothing of it, and all that it had is here"]);
    plan.never_says(["held back"]);
    fleet.apply(&[]).exits(0).says(["drop replica `2` of groups out of the coordination"]);
    for (table, was) in TABLES.iter().zip(&before) {
        eventually("it has all rows again", || rows(&fleet, LOST, table), |is| is == was);
        assert_eq!(rows(&fleet, OTHER, table), *was, "{table}: nobody lost any");
    }
    fleet.plan(&[]).exits(0).says(["nothing to do"]);

    // Rows that were on no other replica when it went.
    fleet.sql(LOST, "SYSTEM STOP REPLICATED SENDS groups");
    fleet.sql(LOST, "INSERT INTO groups SELECT 1, toString(number), 0, 1, 'alone', 0, 0 FROM numbers(10)");
    loses_everything(&fleet);
    let held = fleet.plan(&[]);
    held.exits(2)
        .says(["create `groups`: replica `2` of it is in the coordination: 1 of its parts is not on `data-1-1`"]);
    held.says(["--allow-destroy data-1-2:default.groups"]);
    fleet
        .apply(&[])
        .exits(3)
        .says(["drop replica `1-2` of persons out of the coordination"])
        .never_says(["of groups out of"]);
    let registered = "SELECT count() FROM system.zookeeper WHERE path = '/clickhouse/tables/1/posthog.groups/replicas'";
    assert_eq!(fleet.sql(OTHER, registered), "2", "what only it had keeps its trace");
    let destroy = ["--allow-destroy", "data-1-2:default.groups"];
    fleet.plan(&destroy).exits(2).says(["what only it had is given up: 1 part"]);
    fleet.apply(&destroy).exits(0);
    for (table, was) in TABLES.iter().zip(&before) {
        eventually("it has all rows again", || rows(&fleet, LOST, table), |is| is == was);
    }
    fleet.plan(&[]).exits(0).says(["nothing to do"]);

    // A table that somebody detached is no loss, and a server that lost one table alone is none that lost all.
    fleet.sql(LOST, "DETACH TABLE sharded_events PERMANENTLY");
    fleet.plan(&[]).exits(2).says(["held back"]).never_says(["forgets replica"]);
    fleet.sql(LOST, "ATTACH TABLE sharded_events");
    fleet.sql(LOST, "DROP TABLE sharded_events");
    fleet.plan(&[]).exits(2).says(["create `sharded_events`"]).never_says(["forgets replica"]);
}
