//! The schema changes under rows that keep coming: none is lost, and nobody is restarted.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::fleet::{DATA, Fleet, SERVERS, eventually};
use crate::traffic::{Traffic, nothing_is_detached, starts};

/// What has the columns of an event, from the topic to the table that is read.
const EVENTS: [&str; 4] = [
    "roles/data/schema/sharded_events.sql",
    "roles/data/schema/events.sql",
    "roles/ingestion-events/schema/events_1_writable.sql",
    "roles/ingestion-events/schema/events_2_kafka.sql",
];

#[test]
fn a_column_goes_through_all_roles_while_rows_come() {
    let fleet = Fleet::provisioned().patient();
    let traffic = Traffic::start(&fleet);
    let before = starts(&fleet, &SERVERS);

    for file in EVENTS {
        fleet.edit(file, "    team_id Int64,\n", "    mood String,\n    team_id Int64,\n");
    }
    fleet.edit("roles/ingestion-events/schema/events_3_view.sql", "timestamp, team_id", "timestamp, mood, team_id");
    fleet.plan(&[]).exits(2).says(["sharded_events", "kafka_events", "events_mv", "mood"]);
    fleet.apply(&[]).exits(0);
    fleet.plan(&[]).exits(0).says(["nothing to do"]);

    produce(
        "{\"uuid\":\"11111111-1111-4111-8111-111111111111\",\"event\":\"felt\",\"properties\":\"{}\",\"timestamp\":\"2026-02-01 00:00:00\",\"mood\":\"glad\",\"team_id\":1,\"distinct_id\":\"m\",\"created_at\":\"2026-02-01 00:00:00\"}\n",
    );
    eventually(
        "the new column has its value on every host",
        || DATA.map(|host| fleet.sql(host, "SELECT DISTINCT mood FROM events WHERE event = 'felt'")),
        |moods| moods.iter().all(|mood| mood == "glad"),
    );
    assert_eq!(starts(&fleet, &SERVERS), before, "nobody is restarted");
    nothing_is_detached(&fleet, &SERVERS);
    let (reads, seen) = traffic.end(&fleet);
    reads.none_failed();
    assert_eq!(seen.away, [false; 4], "every data host served all the time");
    fleet.run(&["verify", "-i", "inventories/lab"]).exits(0);
}

fn produce(row: &str) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_housewright"))
        .args(["lab", "produce", "events", "--host", "ingestion-events-1"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("stdin").write_all(row.as_bytes()).expect("it reads the row");
    assert!(child.wait().expect("it ends").success(), "the broker does not take the row");
}
