//! A config change rolled over a fleet that serves: a writer inserts through Kafka and a reader reads both shards all the
//! time, and what is promised is looked at from the outside.

use crate::desk::Desk;
use crate::fleet::{DATA, Fleet, SERVERS, each, ip};
use crate::traffic::{Failed, Traffic, nothing_is_detached, starts};

const VARS: &str = "inventories/lab/group_vars/all.yml";

/// Changes a setting of every server that is read at start only.
pub fn set_pool(desk: &Desk, size: u32) {
    let text = std::fs::read_to_string(desk.path(VARS)).expect("the lab's variables");
    let lines = text.lines().filter(|line| !line.starts_with("  max_thread_pool_size:"));
    let with = |line: &str| match line {
        "clickhouse_settings:" => format!("{line}\n  max_thread_pool_size: {size}\n"),
        line => format!("{line}\n"),
    };
    std::fs::write(desk.path(VARS), lines.map(with).collect::<String>()).expect("it takes the text");
}

#[track_caller]
pub fn pool_is_in_force(fleet: &Fleet, size: u32) {
    for host in SERVERS {
        let value = fleet.sql(host, "SELECT value FROM system.server_settings WHERE name = 'max_thread_pool_size'");
        assert_eq!(value, size.to_string(), "{host}");
    }
}

#[test]
fn a_fleet_serves_while_a_change_rolls_over_it() {
    let fleet = Fleet::provisioned().patient();
    let traffic = Traffic::start(&fleet);

    let before = starts(&fleet, &SERVERS);
    fleet.set_macro("rolled");
    fleet.apply(&[]).exits(0);
    each(&SERVERS, |host| assert_eq!(fleet.read_macro(host), "rolled", "{host}"));
    assert_eq!(starts(&fleet, &SERVERS), before, "a reload restarts nobody");

    set_pool(&fleet, 9001);
    fleet.apply(&[]).exits(0);
    pool_is_in_force(&fleet, 9001);
    assert_eq!(starts(&fleet, &SERVERS), before.map(|count| count + 1), "each server once");
    nothing_is_detached(&fleet, &SERVERS);

    let (reads, seen) = traffic.end(&fleet);
    reads.none_failed();
    assert!(seen.both.is_empty(), "both replicas of a shard were away: {:?}", seen.both);
    assert_eq!(seen.away, [true; 4], "{} looks were too few to see the restarts", seen.looks);
    fleet.plan(&[]).exits(0).says(["nothing to do"]);
}

/// What breaks from outside while a change rolls stops it or is waited for, and never takes a shard away through us.
#[test]
fn a_roll_that_meets_faults_keeps_its_promises() {
    let fleet = Fleet::provisioned();
    let traffic = Traffic::start(&fleet);
    a_server_is_killed(&fleet);
    a_host_is_cut_off(&fleet);
    let fleet = fleet.patient();
    disks_are_full(&fleet);
    a_server_refuses_its_configuration(&fleet);
    nothing_is_detached(&fleet, &SERVERS);
    let (reads, seen) = traffic.end(&fleet);
    assert!(seen.both.is_empty(), "both replicas of a shard were away: {:?}", seen.both);
    // A server that is killed takes what it was answering along; a host that is cut off lets nobody know.
    println!("failed reads: {:#?}", reads.failed);
    let met = ["data-2-1", "10.77.1.21", "data-2-2", "10.77.1.22"];
    let allowed = |(_, error): &Failed| !error.starts_with("no host") && met.iter().any(|host| error.contains(host));
    assert!(reads.failed.iter().all(allowed), "a read failed on a host that no fault met");
}

/// The whole fleet runs with what is written, and nothing is half-done.
#[track_caller]
fn comes_to_its_end(fleet: &Fleet, size: u32) {
    fleet.converges();
    pool_is_in_force(fleet, size);
    each(&SERVERS, |host| fleet.nothing_is_half_written(host));
    nothing_is_detached(fleet, &SERVERS);
}

/// The canary restarts while the other shard's first replica dies: its other replica waits until it is back.
fn a_server_is_killed(fleet: &Fleet) {
    set_pool(fleet, 9010);
    let mut run = fleet.start_apply(&["--limit", "data"]);
    run.wait_for("wave 1 of");
    fleet.on("data-2-1", "systemctl kill -s KILL clickhouse-server");
    let run = run.end();
    assert!(matches!(run.code, Some(0 | 3 | 4)), "{}", run.text());
    fleet.serves_everywhere();
}

/// Its peer is not taken, by this run nor by the next.
fn a_host_is_cut_off(fleet: &Fleet) {
    set_pool(fleet, 9011);
    let peer = starts(fleet, &["data-2-1"]);
    let mut run = fleet.start_apply(&["--limit", "data"]);
    run.wait_for("wave 1 of");
    ip("data-2-2", &["link", "set", "eth0", "down"]);
    let run = run.end();
    run.exits(4).says(["data-2-1: gate: shard 2 served by data-2-2", "(nothing was changed)"]);
    let held = fleet.apply(&["--limit", "data-2-1"]);
    held.exits(3).says(["data-2-1: restart: shard 2"]);
    assert_eq!(starts(fleet, &["data-2-1"]), peer, "{}", held.text());
    ip("data-2-2", &["link", "set", "eth0", "up"]);
    // The host has not noticed yet that the run that was cut off is gone.
    fleet.run(&["unlock", "-i", "inventories/lab", "--yes", "data-2-2"]).exits(0);
    // Its tables are read-only until they have a session with the coordination again.
    fleet.serves_everywhere();
}

/// Full are a data host's, whose peer then goes on serving, and the ingestion host's whose tables are detached just then.
fn disks_are_full(fleet: &Fleet) {
    set_pool(fleet, 9012);
    let (full, directory) = (["data-1-2", "ingestion-events-1"], "/etc/clickhouse-server/config.d");
    each(&full, |host| fleet.fill(host, directory));
    let before = starts(fleet, &full);
    let run = fleet.apply(&["--max-failures", "1"]);
    run.exits(4);
    for host in full {
        run.says([&format!("x {host}: write 2 files: "), "No space left on device"]);
        run.explains([&format!("x {host}: failed in write 2 files; no file had changed, it serves")], "df -h");
    }
    assert_eq!(starts(fleet, &full), before, "what could not be written restarts nobody");
    nothing_is_detached(fleet, &SERVERS);
    for host in full {
        fleet.on(host, &format!("umount {directory}; rm -rf /root/kept"));
    }
    comes_to_its_end(fleet, 9012);
}

/// The server does not start with the new files: it gets the old ones back and serves, and the run stops there.
fn a_server_refuses_its_configuration(fleet: &Fleet) {
    let before = starts(fleet, &SERVERS);
    let text = std::fs::read_to_string(fleet.path(VARS)).expect("the lab's variables");
    // The file is well formed and the value a path: only the start finds that nothing can be written there.
    fleet.edit(VARS, "clickhouse_settings:\n", "clickhouse_settings:\n  path: /proc/nowhere/\n");
    let run = fleet.apply(&[]);
    // The server's own words are in the reason.
    run.exits(4).says([
        "x data-1-1: restart clickhouse-server: std::exception",
        "in create_directories: No such file or directory [\"/proc/nowhere\"]",
        "its 2 previous files are back, clickhouse-server started anew, it serves as before",
    ]);
    let after = starts(fleet, &SERVERS);
    assert_eq!(after[1..], before[1..], "the canary alone meets it\n{}", run.text());
    for host in DATA {
        assert_eq!(fleet.sql(host, "SELECT 1"), "1", "{host} serves with its previous files\n{}", run.text());
    }
    std::fs::write(fleet.path(VARS), text).expect("it takes the text");
    comes_to_its_end(fleet, 9012);
}
