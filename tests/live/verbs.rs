//! The verbs beside `plan` and `apply`, on a fleet that serves: look, prove, restart, run, record, stop, go on.

use crate::fleet::{DATA, Fleet, SERVERS, each, eventually};
use crate::roll::{pool_is_in_force, set_pool};
use crate::traffic::{Traffic, nothing_is_detached, starts};

const INGESTION: [&str; 4] = ["ingestion-events-1", "ingestion-medium-1", "ingestion-small-1", "shufflehog-1"];
const MACROS: &str = "/etc/clickhouse-server/config.d/macros.xml";

#[test]
fn the_verbs_look_prove_and_restart() {
    let fleet = Fleet::provisioned().patient();
    status_has_a_line_per_host(&fleet);
    a_restart_rolls_under_traffic(&fleet);
    what_is_broken_by_hand_is_found(&fleet);
    a_recorded_fleet_gives_the_same_plan(&fleet);
    the_objects_are_asked_for_compared_and_written(&fleet);
    a_command_runs_on_hosts(&fleet);
    what_is_written_is_restarted_later(&fleet);
}

#[test]
fn a_run_that_is_told_to_stop_leaves_no_table_detached() {
    let fleet = Fleet::provisioned().patient();
    the_first_signal_lets_the_host_finish(&fleet, "INT");
    the_first_signal_lets_the_host_finish(&fleet, "HUP");
    the_second_signal_tells_what_is_open(&fleet);
}

fn verb(name: &'static str) -> [&'static str; 3] {
    [name, "-i", "inventories/lab"]
}

fn status_has_a_line_per_host(fleet: &Fleet) {
    let run = fleet.run(&verb("status"));
    run.exits(0).says(["host ", "place", "replicas", "consumers", "disk", "state"]);
    for host in SERVERS {
        let line = run.out.lines().find(|line| line.starts_with(host));
        assert!(line.is_some_and(|line| line.ends_with("serving")), "{}", run.out);
    }
}

fn a_restart_rolls_under_traffic(fleet: &Fleet) {
    let traffic = Traffic::start(fleet);
    let before = starts(fleet, &SERVERS);
    let run = fleet.run(&[&verb("restart")[..], &["--limit", "clickhouse", "--yes", "--gate-timeout", "100"]].concat());
    run.exits(0).says(["8 hosts done", "one replica of each of 2 shards"]);
    for (host, table) in INGESTION.iter().zip(["kafka_events", "kafka_persons", "kafka_groups", "kafka_events_json"]) {
        run.says([&format!(". {host}: detach {table}"), &format!(". {host}: attach {table}")]);
    }
    assert_eq!(starts(fleet, &SERVERS), before.map(|count| count + 1), "each server once");
    nothing_is_detached(fleet, &SERVERS);
    let (reads, seen) = traffic.end(fleet);
    reads.none_failed();
    assert!(seen.both.is_empty(), "both replicas of a shard were away: {:?}", seen.both);
    assert_eq!(seen.away, [true; 4], "{} looks were too few to see the restarts", seen.looks);
}

fn what_is_broken_by_hand_is_found(fleet: &Fleet) {
    fleet.run(&verb("verify")).exits(0).says(["verify: 9 hosts as they should be"]);
    fleet.run(&verb("diff")).exits(0);

    fleet.on("data-2-2", &format!("sed -i 's/>2</>2<!-- by hand --></' {MACROS}"));
    fleet.sql("ingestion-small-1", "DETACH TABLE kafka_groups");
    let verify = fleet.run(&verb("verify"));
    verify.exits(3).says([
        &format!("x files: not as desired: {MACROS}"),
        "x objects: `kafka_groups` is missing",
        "x consumers: 0 of 1 Kafka consumers are there",
        "verify: 7 of 9 hosts as they should be",
    ]);
    let diff = fleet.run(&verb("diff"));
    diff.exits(2).says(["data-2-2", MACROS, "by hand", "kafka_groups"]);

    fleet.sql("ingestion-small-1", "ATTACH TABLE kafka_groups");
    fleet.apply(&[]).exits(0);
    eventually("all is proven again", || fleet.run(&verb("verify")), |run| run.code == Some(0));
    fleet.run(&verb("diff")).exits(0);
}

fn a_recorded_fleet_gives_the_same_plan(fleet: &Fleet) {
    fleet.set_macro("recorded");
    set_pool(fleet, 9020);
    fleet.run(&[&verb("facts")[..], &["--out", "facts.json"]].concat()).exits(0);
    let (live, recorded) = (fleet.plan(&[]), fleet.plan(&["--observed", "facts.json"]));
    live.exits(2);
    recorded.exits(2);
    assert_eq!(live.out, recorded.out);
}

/// What the lab's roles made reads back as what they want.
fn the_objects_are_asked_for_compared_and_written(fleet: &Fleet) {
    let question = "SELECT getMacro('hostClusterRole') AS role";
    let run = fleet.run(&[&verb("sql")[..], &["--role", "data", question]].concat());
    run.exits(0).says(["host", "role", "sql: 4 rows of 4 hosts"]).says(DATA);
    let run = fleet.run(&[&verb("sql")[..], &["--role", "data", "--each-shard", "-o", "csv", question]].concat());
    run.exits(0);
    assert_eq!(run.out.lines().count(), 3, "a heading and a line for each shard: {}", run.out);
    let drift = ["schema", "drift", "-i", "inventories/lab"];
    fleet.run(&drift).exits(0).says(["8 hosts as the role wants"]);
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().to_str().unwrap();
    let run = fleet.run(&["schema", "dump", "-i", "inventories/lab", "--out", out]);
    run.exits(0);
    for file in
        ["data/schema/3_sharded_events.sql", "data/schema/4_events.sql", "shufflehog/schema/6_shufflehog_mv.sql"]
    {
        assert!(directory.path().join("roles").join(file).is_file(), "{file}: {}", run.err);
    }
}

fn a_command_runs_on_hosts(fleet: &Fleet) {
    let on = |limit, more: &[&str]| fleet.run(&[&verb("run")[..], &["--limit", limit], more].concat());
    let run = on("data", &["--", "cat", "/etc/hostname"]);
    run.exits(0).says(["data-2-1  exit 0", "  | data-2-1", "run: exit 0 on 4 of 4 hosts"]);
    on("data-1-*", &["--shell", "--", "test $(hostname) = data-1-1 || exit 7"])
        .exits(3)
        .says(["data-1-2  exit 7", "run: exit 0 on 1 of 2 hosts"]);

    let before = starts(fleet, &DATA);
    let watch = crate::traffic::Watch::start();
    on("data", &["--disruptive", "--", "systemctl", "restart", "clickhouse-server"])
        .exits(0)
        .says(["run: exit 0 on 4 of 4 hosts"]);
    let seen = watch.end();
    assert!(seen.both.is_empty(), "both replicas of a shard were away: {:?}", seen.both);
    assert_eq!(starts(fleet, &DATA), before.map(|count| count + 1), "each server once");

    // Whose lock it is, is said to who asks; and nobody is there to say that its run is gone.
    let unlock = [&verb("unlock")[..], &["data-1-1"]].concat();
    fleet.run(&unlock).exits(0).says(["data-1-1: it is not locked"]);
    let slow = fleet.start(&[&verb("run")[..], &["--limit", "data-1-1", "--disruptive", "--", "sleep", "5"]].concat());
    eventually("the run has the lock", || fleet.run(&unlock).out, |out| out.contains("left locked by"));
    slow.end().exits(0);
    fleet.run(&unlock).exits(0).says(["data-1-1: it is not locked"]);
}

/// The change of [`a_recorded_fleet_gives_the_same_plan`], in two halves.
fn what_is_written_is_restarted_later(fleet: &Fleet) {
    let before = starts(fleet, &SERVERS);
    fleet.apply(&["--only", "config"]).exits(0).says(["restart"]);
    assert_eq!(starts(fleet, &SERVERS), before, "nobody is restarted");
    each(&SERVERS, |host| assert_eq!(fleet.read_macro(host), "recorded", "{host}"));
    fleet.run(&verb("verify")).exits(3).says(["x finished: an earlier run owes: restart of clickhouse-server"]);

    fleet.apply(&["--only", "restart"]).exits(0).says(["8 hosts done"]);
    assert_eq!(starts(fleet, &SERVERS), before.map(|count| count + 1), "each server once");
    pool_is_in_force(fleet, 9020);
    nothing_is_detached(fleet, &SERVERS);
    fleet.plan(&[]).exits(0).says(["nothing to do"]);
}

/// Hosts one after the other, so that some are still to be begun when the signal comes.
fn restarts<'a>() -> Vec<&'a str> {
    [&verb("restart")[..], &["--limit", "ingestion", "--forks", "1", "--yes", "--gate-timeout", "100"]].concat()
}

fn the_first_signal_lets_the_host_finish(fleet: &Fleet, signal: &str) {
    let before = starts(fleet, &INGESTION);
    let mut run = fleet.start(&restarts());
    run.wait_for(": detach kafka_");
    run.signal(signal);
    let run = run.end();
    run.exits(130).says([
        "stopping at the next safe point",
        "interrupted: no further ",
        ": attach kafka_",
        "nothing is detached any more",
        "recap: 1 host done, 3 not done",
        "to go on: `housewright restart --limit ",
    ]);
    nothing_is_detached(fleet, &INGESTION);
    let after = starts(fleet, &INGESTION);
    let more: usize = after.iter().zip(&before).map(|(after, before)| after - before).sum();
    assert_eq!(more, 1, "one host was begun, and once: {before:?}, {after:?}");
    fleet.run(&verb("verify")).exits(0);
}

fn the_second_signal_tells_what_is_open(fleet: &Fleet) {
    let mut run = fleet.start(&restarts());
    run.wait_for(": detach kafka_");
    run.signal("INT");
    run.wait_for("stopping at the next safe point");
    run.signal("INT");
    let run = run.end();
    run.exits(130).says([
        "stopped at once; under way: ",
        "may owe: ",
        "attaching kafka_",
        "`housewright apply --limit ",
    ]);
    let open = fleet.run(&verb("verify"));
    open.exits(3).says(["x finished: an earlier run owes: ", "attaching kafka_"]);
    // It may be in the middle of its restart.
    fleet.serves_everywhere();
    fleet.converges();
    nothing_is_detached(fleet, &INGESTION);
    fleet.run(&verb("verify")).exits(0);
}
