//! A config change rolled over a fleet that serves: a writer inserts through Kafka and a reader reads both shards all the
//! time, and what is promised is looked at from the outside.

use std::time::Duration;

use crate::fleet::{DATA, Fleet, SERVERS, each, eventually, ip};
use crate::traffic::{Traffic, nothing_is_detached, starts};

const VARS: &str = "inventories/lab/group_vars/all.yml";

/// Changes a setting of every server that is read at start only.
fn set_pool(fleet: &Fleet, size: u32) {
    let text = std::fs::read_to_string(fleet.path(VARS)).expect("the lab's variables");
    let lines = text.lines().filter(|line| !line.starts_with("  max_thread_pool_size:"));
    let with = |line: &str| match line {
        "clickhouse_settings:" => format!("{line}\n  max_thread_pool_size: {size}\n"),
        line => format!("{line}\n"),
    };
    std::fs::write(fleet.path(VARS), lines.map(with).collect::<String>()).expect("it takes the text");
}

#[track_caller]
fn pool_is_in_force(fleet: &Fleet, size: u32) {
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
    assert!(reads.failed.is_empty(), "{reads}: {:#?}", reads.failed);
    assert!(seen.both.is_empty(), "both replicas of a shard were away: {:?}", seen.both);
    assert_eq!(seen.away, [true; 4], "{} looks were too few to see the restarts", seen.looks);
    fleet.plan(&[]).exits(0).says(["nothing to do"]);
}

/// What breaks from outside while a change rolls stops it or is waited for, and never takes a shard away through us.
#[test]
#[ignore = "five minutes: `cargo nextest run --features live --test live --run-ignored only roll::`"]
fn a_roll_that_meets_faults_keeps_its_promises() {
    let fleet = Fleet::provisioned().patient();
    let traffic = Traffic::start(&fleet);
    a_server_is_killed(&fleet);
    a_host_is_cut_off(&fleet);
    a_disk_is_full(&fleet);
    a_server_refuses_its_configuration(&fleet);
    nothing_is_detached(&fleet, &SERVERS);
    let (_, seen) = traffic.end(&fleet);
    assert!(seen.both.is_empty(), "both replicas of a shard were away: {:?}", seen.both);
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
    let mut run = fleet.start_apply(&[]);
    run.wait_for("wave 1 of");
    fleet.on("data-2-1", "systemctl kill -s KILL clickhouse-server");
    let run = run.end();
    assert!(matches!(run.code, Some(0 | 3 | 4)), "{}", run.text());
    eventually(
        "systemd brings it back",
        || fleet.on("data-2-1", "curl -s localhost:8123/ping || true"),
        |ping| ping == "Ok.",
    );
    comes_to_its_end(fleet, 9010);
}

fn a_host_is_cut_off(fleet: &Fleet) {
    set_pool(fleet, 9011);
    let mut run = fleet.start_apply(&[]);
    run.wait_for("wave 1 of");
    ip("data-2-2", &["link", "set", "eth0", "down"]);
    let run = run.end();
    assert!(matches!(run.code, Some(3 | 4)), "{}", run.text());
    // While it is away, nobody takes its peer.
    let peer = starts(fleet, &["data-2-1"]);
    let held = fleet.apply(&[]);
    assert!(matches!(held.code, Some(3 | 4)), "{}", held.text());
    assert_eq!(starts(fleet, &["data-2-1"]), peer, "{}", held.text());
    ip("data-2-2", &["link", "set", "eth0", "up"]);
    eventually("it answers again", || fleet.sql("data-2-2", "SELECT 1"), |one| one == "1");
    // The host has not noticed yet that the run that was cut off is gone.
    fleet.run(&["unlock", "-i", "inventories/lab", "--yes", "data-2-2"]).exits(0);
    comes_to_its_end(fleet, 9011);
}

fn a_disk_is_full(fleet: &Fleet) {
    set_pool(fleet, 9012);
    let directory = "/etc/clickhouse-server/config.d";
    fleet.fill("data-1-2", directory);
    let before = starts(fleet, &["data-1-2"]);
    let run = fleet.apply(&[]);
    assert!(matches!(run.code, Some(3 | 4)), "{}", run.text());
    run.says(["No space left on device"]);
    assert_eq!(starts(fleet, &["data-1-2"]), before, "what could not be written restarts nobody");
    fleet.on("data-1-2", &format!("umount {directory}; rm -rf /root/kept"));
    comes_to_its_end(fleet, 9012);
}

/// The server does not start with the new files: it gets the old ones back and serves, and the run stops there.
fn a_server_refuses_its_configuration(fleet: &Fleet) {
    let before = starts(fleet, &SERVERS);
    let text = std::fs::read_to_string(fleet.path(VARS)).expect("the lab's variables");
    // The file is well formed and the value a path: only the start finds that nothing can be written there.
    fleet.edit(VARS, "clickhouse_settings:\n", "clickhouse_settings:\n  path: /proc/nowhere/\n");
    let run = fleet.apply(&[]);
    assert!(matches!(run.code, Some(3 | 4)), "{}", run.text());
    let after = starts(fleet, &SERVERS);
    let touched = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    assert!(touched <= 1, "the canary alone meets it: {before:?}, {after:?}\n{}", run.text());
    for host in DATA {
        assert_eq!(fleet.sql(host, "SELECT 1"), "1", "{host} serves with its previous files\n{}", run.text());
    }
    std::fs::write(fleet.path(VARS), text).expect("it takes the text");
    comes_to_its_end(fleet, 9012);
}

/// The program dies at fifty moments of its way, again and again; whatever it left is found and brought to its end.
#[test]
#[ignore = "five minutes: `cargo nextest run --features live --test live --run-ignored only roll::`"]
fn fifty_deaths_of_the_program_leave_nothing_behind() {
    let fleet = Fleet::provisioned().patient();
    let traffic = Traffic::start(&fleet);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let (mut size, mut killed, mut runs) = (9100, 0, 0);
    set_pool(&fleet, size);
    while killed < 50 {
        // A reload, a restart and a schema step all have their turn in the time of one run.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let run = fleet.start_apply(&[]);
        std::thread::sleep(Duration::from_millis((random >> 33) % 5000));
        run.signal("KILL");
        let run = run.end();
        runs += 1;
        match run.code {
            None => killed += 1,
            // It was faster than its death: the next one has something to do.
            Some(_) => {
                size += 1;
                set_pool(&fleet, size);
                fleet.set_macro(&format!("death{killed}"));
            }
        }
        assert!(runs < 150, "most runs end before their death");
        // What was under way on a host comes to its end there.
        std::thread::sleep(Duration::from_millis(700));
        each(&DATA, |host| fleet.nothing_is_half_written(host));
    }
    comes_to_its_end(&fleet, size);
    let (_, seen) = traffic.end(&fleet);
    assert!(seen.both.is_empty(), "both replicas of a shard were away: {:?}", seen.both);
}
