//! Runs that do not reach their end, and runs that meet: nothing is half-written, and the next run converges.

use std::time::Duration;

use crate::fleet::{DATA, Fleet, SERVERS, each};

const VARS: &str = "inventories/lab/group_vars/all.yml";

#[test]
fn an_interrupted_run_leaves_whole_hosts_and_the_next_converges() {
    let fleet = Fleet::up();
    killed_while_it_installs(&fleet);
    fleet.converges();
    stopped_in_the_last_wave(&fleet);
    stopped_in_a_rolling_restart(&fleet);
    killed_in_a_rolling_restart(&fleet);
    killed_while_a_host_writes(&fleet);
    two_at_once(&fleet);
}

fn whole(fleet: &Fleet) {
    each(&SERVERS, |host| fleet.nothing_is_half_written(host));
}

/// Kills the first run at several moments; each goes on where the one before was.
fn killed_while_it_installs(fleet: &Fleet) {
    for word in ["wave 1", "wave 2", "write", "wave 4", "create"] {
        let mut run = fleet.start_apply(&[]);
        run.wait_for(word);
        run.signal("KILL");
        assert_eq!(run.end().code, None);
    }
    // What was under way on a host comes to its end there.
    std::thread::sleep(Duration::from_secs(1));
    whole(fleet);
}

fn stopped_in_the_last_wave(fleet: &Fleet) {
    fleet.set_macro("last");
    let mut run = fleet.start_apply(&["--limit", "ingestion", "--forks", "1"]);
    run.wait_for("wave 2 of 2");
    run.wait_for("write macros.xml");
    run.signal("INT");
    run.end().exits(130).says(["interrupted: no further host is begun", "2 hosts done, 2 not done"]);
    whole(fleet);
    fleet.converges();
}

fn stopped_in_a_rolling_restart(fleet: &Fleet) {
    fleet.edit(VARS, "clickhouse_settings:\n", "clickhouse_settings:\n  max_thread_pool_size: 9004\n");
    let before = each(&DATA, |host| fleet.pid(host));
    let mut run = fleet.start_apply(&[]);
    run.wait_for("wave 1 of");
    run.signal("INT");
    let run = run.end();
    run.exits(130).says(["stopping at the next safe point", "interrupted: no further wave is begun", "not done"]);
    let after = each(&DATA, |host| fleet.pid(host));
    assert_eq!(before[1..], after[1..], "the waves behind the canary were not begun");
    assert_ne!(before[0], after[0], "what had begun was finished");
    for host in DATA {
        assert_eq!(fleet.sql(host, "SELECT 1"), "1");
    }
    whole(fleet);
    fleet.converges();
}

fn killed_in_a_rolling_restart(fleet: &Fleet) {
    fleet.edit(VARS, "  max_thread_pool_size: 9004\n", "  max_thread_pool_size: 9005\n");
    let mut run = fleet.start_apply(&[]);
    run.wait_for("wave 1 of");
    std::thread::sleep(Duration::from_millis(150));
    run.signal("KILL");
    run.end();
    std::thread::sleep(Duration::from_secs(1));
    whole(fleet);
    fleet.converges();
    settings_are_in_force(fleet, "9005");
}

/// Every server runs with what its files say.
fn settings_are_in_force(fleet: &Fleet, port: &str) {
    for host in SERVERS {
        let value = fleet.sql(host, "SELECT value FROM system.server_settings WHERE name = 'max_thread_pool_size'");
        assert_eq!(value, port, "{host} has the file but runs without it");
    }
}

/// The program dies while the host moves the new files into place: the restart that they need must not be forgotten.
fn killed_while_a_host_writes(fleet: &Fleet) {
    each(&DATA, |host| {
        fleet.on(
            host,
            "printf '#!/bin/sh\\nsleep 1; exec /usr/bin/mv \"$@\"\\n' > /usr/local/bin/mv; chmod 755 /usr/local/bin/mv",
        );
    });
    fleet.edit(VARS, "  max_thread_pool_size: 9005\n", "  max_thread_pool_size: 9006\n");
    let mut run = fleet.start_apply(&[]);
    run.wait_for("wave 1 of");
    std::thread::sleep(Duration::from_millis(600));
    run.signal("KILL");
    run.end();
    std::thread::sleep(Duration::from_millis(2500));
    each(&DATA, |host| {
        fleet.on(host, "rm /usr/local/bin/mv");
    });
    whole(fleet);
    fleet.converges();
    settings_are_in_force(fleet, "9006");
}

/// Each host takes one of the two; the other is told who has it, or that it has changed.
fn two_at_once(fleet: &Fleet) {
    for round in 0..3 {
        fleet.set_macro(&format!("round{round}"));
        let (first, second) = (fleet.start_apply(&[]), fleet.start_apply(&[]));
        let runs = [first.end(), second.end()];
        for run in &runs {
            assert!(matches!(run.code, Some(0 | 3 | 4)), "{}", run.text());
            for line in run.err.lines().filter(|line| line.trim_start().starts_with("x ")) {
                assert!(line.contains("nothing was changed"), "{line}");
                let moved = ["another run works on the host", "macros.xml: FAILED", "did NOT match"];
                assert!(moved.iter().any(|why| line.contains(why)), "{line}");
            }
        }
        whole(fleet);
        for host in SERVERS {
            assert_eq!(fleet.read_macro(host), format!("round{round}"), "{host}");
        }
        fleet.plan(&[]).exits(0);
    }
}
