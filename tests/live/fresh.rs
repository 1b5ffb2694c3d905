//! From hosts that only answer SSH to rows flowing, by one command; killed at any point and repeated, it comes to the same end.

use std::time::{Duration, Instant};

use crate::fleet::{Fleet, SERVERS};
use crate::the_way::groups_flow;

const FRESH: &str = "inventories/fresh";
/// Of a whole run: before anything is written, in the midst of packages, and in the waves of the schema.
const KILLED_AFTER: [u64; 4] = [1, 4, 9, 16];
/// Of a run that begins later than this, behind those that were killed, nobody is hindered any more.
const WHOLE: Duration = Duration::from_mins(5);

#[test]
fn from_hosts_that_only_answer_ssh_to_rows_flowing() {
    let fleet = Fleet::fresh();
    for host in SERVERS {
        fleet.on(
            host,
            "! test -e /usr/bin/clickhouse && ! getent passwd clickhouse && ! test -e /etc/clickhouse-server",
        );
    }
    fleet.run(&["plan", "-i", FRESH, "--detailed-exitcode"]).exits(2).says(["9 hosts to change"]);
    for seconds in KILLED_AFTER {
        let mut run = fleet.start(&["apply", "--yes", "-i", FRESH]);
        if !run.ends_before(Instant::now() + Duration::from_secs(seconds)) {
            run.signal("KILL");
        }
        run.end();
    }
    // A killed run's package managers may still be at it, and locks last until a host has noticed: the next run says so, or waits.
    let late = Instant::now() + WHOLE;
    while fleet.run(&["apply", "--yes", "-i", FRESH]).code != Some(0) {
        assert!(Instant::now() < late, "no run was whole");
    }
    fleet.run(&["plan", "-i", FRESH, "--detailed-exitcode"]).exits(0).says(["nothing to do", "9 as desired"]);
    let held = "dpkg-query -W -f='${db:Status-Abbrev} ${Version}' clickhouse-server";
    for host in SERVERS {
        assert_eq!(fleet.on(host, held), "hi  25.8.2.1", "{host}");
    }
    groups_flow(&fleet);
    another_version(&fleet);
}

/// The same servers go to another version of their packages, shard by shard.
fn another_version(fleet: &Fleet) {
    fleet.edit("inventories/fresh/group_vars/all/packages.yml", "25.8.2.1", "25.8.2.2");
    let plan = fleet.run(&["plan", "-i", FRESH, "--limit", "data"]);
    plan.says(["25.8.2.1 -> 25.8.2.2", "4 restarts", "one replica of"]);
    fleet.run(&["apply", "--yes", "-i", FRESH, "--limit", "data"]).exits(0).says(["4 hosts done"]);
    for host in ["data-1-1", "data-2-2"] {
        assert_eq!(fleet.on(host, "dpkg-query -W -f='${Version}' clickhouse-server"), "25.8.2.2", "{host}");
    }
    fleet.run(&["plan", "-i", FRESH, "--limit", "data", "--detailed-exitcode"]).exits(0).says(["nothing to do"]);
}
