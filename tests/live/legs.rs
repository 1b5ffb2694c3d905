//! A topic moves from one broker to another under rows that keep coming: none is lost, none comes twice, nobody restarts.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use crate::fleet::{DATA, Fleet, SERVERS, eventually};
use crate::traffic::{nothing_is_detached, starts};

const HOST: &str = "ingestion-small-1";
const LAB: &str = "inventories/lab";
const ROWS: u64 = 40;

#[test]
fn a_topic_moves_to_another_broker_while_rows_come() {
    let fleet = Fleet::provisioned().patient();
    let before = starts(&fleet, &SERVERS);
    // Both brokers have the topic before anybody reads it there.
    produce("broker2", "");
    let writer = Writer::start();
    eventually("the first rows are stored", || stored(&fleet), |rows| *rows != "0\t0");

    let add = ["leg", "add", "groups", "--from-collection", "second", "-i", LAB];
    fleet
        .run(&add)
        .exits(1)
        .explains(["`second` is not rendered for ingestion-small-1"], "clickhouse_named_collections");
    let first = "  warpstream_ingestion:\n    kafka_broker_list: broker:9092\n";
    let second = "  second:\n    kafka_broker_list: broker2:9092\n";
    fleet.edit("inventories/lab/group_vars/all.yml", first, &format!("{first}{second}"));
    fleet.run(&[&add[..], &["--dry-run"]].concat()).exits(0).says(["kafka_groups_second", "would write"]);
    fleet.run(&add).exits(0).says(["wrote roles/ingestion-small/schema/groups_2_kafka_second.sql", "group1_second"]);
    fleet.run(&add).exits(1).says(["reads the topic from `second` already"]);
    fleet.run(&["check", "-i", LAB]).exits(0).says(["no problems"]);
    fleet.apply(&[]).exits(0);
    fleet.plan(&[]).exits(0).says(["nothing to do"]);

    // Nothing has moved yet: the old leg reads, and the new one has nothing to read.
    let remove = ["leg", "remove", "groups", "--collection", "warpstream_ingestion", "-i", LAB];
    fleet.run(&remove).exits(3).says(["nothing was written", "messages read in"]);
    assert!(fleet.path("roles/ingestion-small/schema/groups_2_kafka.sql").exists());

    writer.to_second_broker();
    eventually("the new leg reads, and both are well", || status(&fleet), |(code, read)| *code == Some(0) && *read > 0);
    // The old leg stands still as soon as it has read its last message.
    eventually("the old leg has drained its topic", || fleet.run(&remove).code, |code| *code == Some(0));
    assert!(!fleet.path("roles/ingestion-small/schema/groups_2_kafka.sql").exists());

    // In the same breath the collection goes from the hosts that used it: not before the table that takes it.
    let vars = "inventories/lab/group_vars/ingestion_small.yml";
    fleet.append(vars, &format!("clickhouse_named_collections:\n{second}"));
    let planned = fleet.plan(&[]);
    planned.exits(2).says([
        "groups_mv",
        "kafka_groups",
        "writable_groups",
        "remove the named collection `warpstream_ingestion`",
    ]);
    fleet.apply(&[]).exits(3);
    fleet.apply(&[]).exits(0);
    fleet.plan(&[]).exits(0).says(["nothing to do"]);

    let written = writer.end();
    let all = fleet.sql(
        DATA[0],
        &format!("SELECT count(), sum(cityHash64(group_key, group_properties)) FROM ({})", rows(written)),
    );
    eventually("every row is stored once", || stored(&fleet), |sum| *sum == all);
    println!("{written} rows written, count and checksum of what is stored: {}", all.replace('\t', ", "));
    assert_eq!(
        fleet.sql(HOST, "SELECT groupArray(name) FROM system.tables WHERE engine = 'Kafka'"),
        "['kafka_groups_second']"
    );
    assert_eq!(starts(&fleet, &SERVERS), before, "nobody is restarted");
    nothing_is_detached(&fleet, &SERVERS);
    fleet.run(&["leg", "status", "groups", "-i", LAB]).exits(0).says(["kafka_groups_second", "1 leg well"]);
    fleet.run(&["verify", "-i", LAB]).exits(0);
    // The broker forgets a member that went without a word after its session, 60 s with ClickHouse's setting.
    eventually(
        "the old group is empty, and has read all",
        || group(&fleet, "group1", "broker"),
        |(empty, behind)| *empty && *behind == 0,
    );
}

/// What all shards have: number and checksum. Every host of a shard has the same.
fn stored(fleet: &Fleet) -> String {
    let table = "clusterAllReplicas('posthog', 'default', 'groups')";
    let own = "hostName() IN ('data-1-1', 'data-2-1') AND group_key LIKE 'leg%'";
    fleet
        .sql(DATA[0], &format!("SELECT count(), sum(cityHash64(group_key, group_properties)) FROM {table} WHERE {own}"))
}

/// The writer's rows, made anew by a server's own functions.
fn rows(written: u64) -> String {
    format!(
        "SELECT concat('leg', toString(number)) AS group_key, \
         concat('{{\"n\":', toString(number * number), '}}') AS group_properties FROM numbers({written})"
    )
}

/// The exit code of `leg status`, and how much the new leg reads.
fn status(fleet: &Fleet) -> (Option<i32>, u64) {
    let run = fleet.run(&["leg", "status", "groups", "--window", "3s", "-o", "json", "-i", LAB]);
    let told: Value = serde_json::from_str(&run.out).expect("JSON");
    let legs = told["topics"][0]["legs"].as_array().cloned().unwrap_or_default();
    let new = legs.iter().find(|leg| leg["collection"] == "second");
    (run.code, new.and_then(|leg| leg["read"].as_u64()).unwrap_or_default())
}

/// Whether a consumer group is empty, and how far it is behind, by the broker's own word.
fn group(fleet: &Fleet, name: &str, broker: &str) -> (bool, u64) {
    let run = fleet.run(&["lab", "group", "groups", name, "--host", HOST, "--broker", broker, "-o", "json"]);
    let told: Value = serde_json::from_str(&run.out).expect("JSON");
    let number = |key: &str| told[key].as_u64().unwrap_or(u64::MAX);
    (told["empty"] == true, number("end") - number("committed"))
}

/// Writes numbered groups to the topic `groups`, a batch at a time.
struct Writer {
    stop: Arc<AtomicBool>,
    second: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Writer {
    fn start() -> Self {
        let (stop, second, written) = <(Arc<AtomicBool>, Arc<AtomicBool>, Arc<AtomicU64>)>::default();
        let thread = std::thread::spawn({
            let (stop, second, written) = (Arc::clone(&stop), Arc::clone(&second), Arc::clone(&written));
            move || {
                while !stop.load(Ordering::Relaxed) {
                    let broker = if second.load(Ordering::Relaxed) { "broker2" } else { "broker" };
                    let first = written.load(Ordering::Relaxed);
                    produce(broker, &(first..first + ROWS).map(row).collect::<String>());
                    written.store(first + ROWS, Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(300));
                }
            }
        });
        Self { stop, second, written, thread }
    }

    fn to_second_broker(&self) {
        self.second.store(true, Ordering::Relaxed);
    }

    fn end(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the writer");
        self.written.load(Ordering::Relaxed)
    }
}

fn row(n: u64) -> String {
    format!(
        "{{\"group_type_index\":1,\"group_key\":\"leg{n}\",\"created_at\":\"2026-01-01 00:00:00\",\"team_id\":2,\"group_properties\":\"{{\\\"n\\\":{}}}\"}}\n",
        n * n
    )
}

fn produce(broker: &str, rows: &str) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_housewright"))
        .args(["lab", "produce", "groups", "--host", HOST, "--broker", broker])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("stdin").write_all(rows.as_bytes()).expect("it reads the rows");
    assert!(child.wait().expect("it ends").success(), "the broker does not take rows");
}
