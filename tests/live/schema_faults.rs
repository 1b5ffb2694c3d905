//! The schema changes while hosts die, sessions with the coordination break, replicas lag, statements are refused and two
//! operators run at once: nothing is done twice, nothing is lost, and the next run comes to the end.

use std::collections::BTreeSet;

use crate::desk::Run;
use crate::fleet::{DATA, Fleet, SERVERS, each, eventually, ip};
use crate::traffic::nothing_is_detached;

const VARS: &str = "inventories/lab/group_vars/all.yml";
const TABLE: &str = "roles/data/schema/sharded_events.sql";
const QUEUE: &str = "roles/ingestion-events/schema/events_2_kafka.sql";
/// So many statements of a table last long enough for something to happen between two of them.
const MANY: usize = 60;
/// The rows of a shard: how many, and which.
const ROWS: &str = "SELECT count(), sum(cityHash64(uuid, event, properties, distinct_id)) FROM sharded_events";
const PATH: &str = "/clickhouse/tables/{shard}/posthog.sharded_events";

#[test]
fn a_schema_that_meets_faults_comes_to_its_end_in_the_next_run() {
    let fleet = Fleet::provisioned();
    for host in ["data-1-1", "data-2-1"] {
        fleet.sql(
            host,
            "INSERT INTO sharded_events (uuid, event, properties, timestamp, team_id, distinct_id) \
             SELECT generateUUIDv4(), 'kept', '{}', '2026-02-01 00:00:00', 1, toString(number) FROM numbers(1000)",
        );
    }
    eventually(
        "both replicas of a shard have the rows",
        || DATA.map(|host| fleet.sql(host, ROWS)),
        |rows| rows[0] == rows[1] && rows[2] == rows[3] && rows.iter().all(|rows| rows.starts_with("1000\t")),
    );
    let rows = DATA.map(|host| fleet.sql(host, ROWS));
    let mut table =
        Table { fleet: &fleet, columns: 0, altered: DATA.map(|host| altered(&fleet, host)), sent_again: [0; 4] };

    a_host_dies_between_two_statements(&mut table);
    the_coordination_is_away_for_a_while(&mut table);
    the_coordination_stays_away(&mut table);
    a_replica_lags(&mut table);
    two_at_once(&mut table);
    a_statement_is_refused(&fleet);
    a_host_dies_while_its_queue_is_made_anew(&fleet);

    assert_eq!(DATA.map(|host| fleet.sql(host, ROWS)), rows, "rows are lost");
    nothing_is_detached(&fleet, &SERVERS);
}

/// How often the replicas of a host's shard have agreed on other columns.
fn altered(fleet: &Fleet, host: &str) -> usize {
    let path = format!("replaceOne('{PATH}', '{{shard}}', getMacro('shard'))");
    let asked = format!("SELECT version FROM system.zookeeper WHERE path = {path} AND name = 'columns'");
    fleet.sql(host, &asked).parse().expect("a version")
}

/// The table of both shards, and how often it was altered before.
struct Table<'a> {
    fleet: &'a Fleet,
    columns: usize,
    altered: [usize; 4],
    /// What was sent again to the replicas of the shard: 25.8 notes also a change that changes nothing.
    sent_again: [usize; 4],
}

impl Table<'_> {
    /// Wants more columns; the first of them.
    fn wants(&mut self, more: usize) -> String {
        let first = self.columns;
        self.columns += more;
        let columns: String = (first..self.columns).map(|number| format!("    fault_{number} UInt8,\n")).collect();
        self.fleet.edit(TABLE, "    team_id Int64,\n", &format!("{columns}    team_id Int64,\n"));
        format!("fault_{first}")
    }

    /// Counts the statements whose answer the run did not get.
    fn saw(&mut self, run: &Run) {
        for (shard, hosts) in [("data-1-", 0..2), ("data-2-", 2..4)] {
            let is_sent_again = |line: &&str| line.trim_start().starts_with(&format!("~ {shard}"));
            let step = |line: &str| Some(line.split_once("add column ")?.1.split(' ').next()?.to_owned());
            let steps: BTreeSet<String> = run.err.lines().filter(is_sent_again).filter_map(step).collect();
            self.sent_again[hosts].iter_mut().for_each(|count| *count += steps.len());
        }
    }

    /// The next runs bring every replica to all columns, each of which was added once; and then there is nothing to do.
    #[track_caller]
    fn comes_to_its_end(&self) {
        self.fleet.serves_everywhere();
        self.fleet.converges();
        let count = "SELECT count() FROM system.columns WHERE table = 'sharded_events' AND name LIKE 'fault_%'";
        for (at, host) in DATA.into_iter().enumerate() {
            assert_eq!(self.fleet.sql(host, count), self.columns.to_string(), "{host}");
            let once = self.altered[at] + self.columns;
            let is = altered(self.fleet, host);
            assert!(
                (once..=once + self.sent_again[at]).contains(&is),
                "{host}: {is} changes, {once} columns, each once"
            );
        }
    }
}

/// Its server comes back by itself, and the run goes on or the next one does.
///
/// It has been told of a change, and has not made it yet. Killed in the midst of making one, a 25.8 may stay read-only for good:
/// <https://github.com/ClickHouse/ClickHouse/issues/115549>.
fn a_host_dies_between_two_statements(table: &mut Table<'_>) {
    table.wants(MANY);
    table.fleet.sql("data-1-1", "SYSTEM STOP REPLICATION QUEUES sharded_events");
    let mut run = table.fleet.start_apply(&[]);
    run.wait_for("data-2-1: sharded_events: add column");
    let told = "SELECT count() > 0 FROM system.processes WHERE query LIKE 'ALTER TABLE sharded_events%'";
    eventually("its statement is under way", || table.fleet.sql("data-1-1", told), |told| told == "1");
    table.fleet.on("data-1-1", "systemctl kill -s KILL clickhouse-server");
    let run = run.end();
    assert!(matches!(run.code, Some(0 | 4)), "{}", run.text());
    table.saw(&run);
    assert!(table.sent_again[0] > 0, "nothing was under way when it died\n{}", run.text());
    table.comes_to_its_end();
}

/// A statement whose session is lost is sent again until there is another one.
fn the_coordination_is_away_for_a_while(table: &mut Table<'_>) {
    table.wants(MANY);
    let mut run = table.fleet.start_apply(&[]);
    run.wait_for("data-1-1: sharded_events: add column");
    table.fleet.on("keeper-1", "systemctl restart zookeeper");
    let run = run.end();
    run.exits(0);
    table.saw(&run);
    table.comes_to_its_end();
}

fn the_coordination_stays_away(table: &mut Table<'_>) {
    table.fleet.append(VARS, "retry_timeout: 3\n");
    table.wants(MANY);
    let mut run = table.fleet.start_apply(&["--limit", "data-1-1,data-1-2"]);
    run.wait_for("data-1-1: sharded_events: add column");
    ip("keeper-1", &["link", "set", "eth0", "down"]);
    let run = run.end();
    ip("keeper-1", &["link", "set", "eth0", "up"]);
    run.exits(4).explains(["x data-1-1: sharded_events: add column", "still so after"], "is the coordination well?");
    table.saw(&run);
    table.fleet.edit(VARS, "retry_timeout: 3\n", "");
    table.comes_to_its_end();
}

/// It is waited for, and what its peers have is not altered again.
fn a_replica_lags(table: &mut Table<'_>) {
    let column = table.wants(1);
    table.fleet.sql("data-2-2", "SYSTEM STOP REPLICATION QUEUES sharded_events");
    let limit = ["--limit", "data-2-1,data-2-2", "--gate-timeout", "3"];
    let arguments = [&["apply", "-i", "inventories/lab", "--yes"], &limit[..]].concat();
    let run = table.fleet.run(&arguments);
    run.exits(4).says(["x data-2-2: gate: sharded_events is what its replicas agreed on: still shut after 3 s"]);
    let again = table.fleet.run(&arguments);
    again.exits(4).says(["x data-2-2: gate: sharded_events is what its replicas agreed on: still shut after 3 s"]);
    again.never_says([&format!("add column `{column}`")]);
    table.fleet.sql("data-2-2", "SYSTEM START REPLICATION QUEUES sharded_events");
    table.comes_to_its_end();
}

/// Each host takes one of the two.
fn two_at_once(table: &mut Table<'_>) {
    table.wants(5);
    let (first, second) = (table.fleet.start_apply(&[]), table.fleet.start_apply(&[]));
    for run in [first.end(), second.end()] {
        assert!(matches!(run.code, Some(0 | 3 | 4)), "{}", run.text());
        for line in run.err.lines().filter(|line| line.trim_start().starts_with("x ")) {
            let told = ["another run works on the host", "has changed since"];
            assert!(told.iter().any(|why| line.contains(why)) && line.contains("nothing was changed"), "{line}");
        }
    }
    table.comes_to_its_end();
}

/// Only the server knows that no type has two values of one name.
fn a_statement_is_refused(fleet: &Fleet) {
    let broken = "roles/ingestion-small/schema/fault.sql";
    let table = |name: &str, kind: &str| format!("CREATE TABLE IF NOT EXISTS {name} (a {kind}) ENGINE = Null;\n");
    let (good, bad) = ("Enum8('a' = 1, 'b' = 2)", "Enum8('a' = 1, 'b' = 1)");
    let text = [table("fault_1", "UInt8"), table("fault_2", bad), table("fault_3", "UInt8")].concat();
    fleet.append(broken, &text);
    let run = fleet.apply(&[]);
    run.exits(4).explains(["x ingestion-small-1: create fault_2:"], "mend the statement of `fault_2`");
    let host = "ingestion-small-1";
    assert_eq!(fleet.sql(host, "SELECT name FROM system.tables WHERE name LIKE 'fault_%'"), "fault_1");
    fleet.edit(broken, bad, good);
    fleet.converges();
    let recorded =
        "SELECT count() FROM housewright.objects FINAL WHERE name LIKE 'fault_%' AND live != '' AND NOT gone";
    assert_eq!(fleet.sql(host, recorded), "3");
}

/// Between the drop of a queue and its making: it is there in the end, with its group.
fn a_host_dies_while_its_queue_is_made_anew(fleet: &Fleet) {
    let host = "ingestion-events-1";
    fleet.edit(
        QUEUE,
        "kafka_thread_per_consumer = 1",
        "kafka_thread_per_consumer = 1,\n    kafka_max_block_size = 5000",
    );
    let mut run = fleet.start_apply(&[]);
    run.wait_for("drop events_mv");
    fleet.on(host, "systemctl kill -s KILL clickhouse-server");
    let run = run.end();
    assert!(matches!(run.code, Some(0 | 4)), "{}", run.text());
    fleet.serves_everywhere();
    fleet.converges();
    let made = fleet.sql(host, "SELECT create_table_query FROM system.tables WHERE name = 'kafka_events'");
    assert!(
        made.contains("kafka_max_block_size = 5000") && made.contains("kafka_group_name = \\'clickhouse\\'"),
        "{made}"
    );
    assert_eq!(fleet.sql(host, "SELECT count() FROM system.tables WHERE name = 'events_mv'"), "1");
    each(&SERVERS, |host| fleet.nothing_is_half_written(host));
}
