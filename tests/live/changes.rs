//! Changes of a running fleet: a reload where it does, a rolling restart where it must, and a saved plan.

use crate::fleet::{DATA, Fleet, SERVERS, each};
use crate::traffic::Watch;

const VARS: &str = "inventories/lab/group_vars/all.yml";

#[test]
fn a_running_fleet_changes() {
    let fleet = Fleet::provisioned();
    a_new_cluster_is_a_reload(&fleet);
    a_restart_is_one_replica_at_a_time(&fleet);
    a_saved_plan_is_run(&fleet);
    a_saved_plan_is_refused_when_a_host_has_changed(&fleet);
    a_file_that_changes_during_the_run_is_not_overwritten(&fleet);
}

fn pids(fleet: &Fleet) -> Vec<String> {
    each(&SERVERS, |host| fleet.pid(host))
}

fn a_new_cluster_is_a_reload(fleet: &Fleet) {
    let before = pids(fleet);
    fleet.edit(
        VARS,
        "clickhouse_clusters:\n",
        "clickhouse_clusters:\n  fresh:\n    hosts: data\n    layout: sharded\n",
    );
    let plan = fleet.plan(&[]);
    plan.exits(2).says(["8 hosts to change", "8 reload"]).never_says([" restart"]);
    fleet.apply(&[]).exits(0);
    for host in SERVERS {
        let clusters = "SELECT count(), uniq(shard_num) FROM system.clusters WHERE cluster = 'fresh'";
        assert_eq!(fleet.sql(host, clusters), "4\t2", "{host}");
    }
    assert_eq!(pids(fleet), before, "no server was restarted");
    fleet.plan(&[]).exits(0);
}

fn a_restart_is_one_replica_at_a_time(fleet: &Fleet) {
    let before = pids(fleet);
    fleet.edit(VARS, "clickhouse_settings:\n", "clickhouse_settings:\n  max_thread_pool_size: 9000\n");
    fleet.plan(&[]).exits(2).says(["8 hosts to change", "8 restart", "one replica of each of 2 shards"]);
    let watch = Watch::start();
    fleet.apply(&[]).exits(0).says(["8 hosts done"]);
    let seen = watch.end();
    assert!(seen.both.is_empty(), "all replicas of a shard were away: {seen:?}");
    assert_eq!(seen.away, [true; 4], "{} looks were too few to see the restarts", seen.looks);
    for (host, (now, before)) in SERVERS.iter().zip(pids(fleet).iter().zip(&before)) {
        assert_ne!(now, before, "{host} was not restarted");
        assert_eq!(fleet.on(host, "systemctl show -P NRestarts clickhouse-server"), "0", "{host}");
    }
    assert_eq!(
        fleet.sql(DATA[0], "SELECT value FROM system.server_settings WHERE name = 'max_thread_pool_size'"),
        "9000"
    );
    fleet.plan(&[]).exits(0);
}

fn a_saved_plan_is_run(fleet: &Fleet) {
    fleet.set_macro("saved");
    fleet.plan(&["--out", "saved.plan"]).exits(2);
    fleet.apply(&["saved.plan"]).exits(0);
    assert_eq!(fleet.read_macro("data-2-2"), "saved");
    // What was done is done: the same plan does not fit any more.
    fleet.apply(&["saved.plan"]).exits(1).says(["the saved plan is not run", "hint:", "housewright plan"]);
}

fn a_saved_plan_is_refused_when_a_host_has_changed(fleet: &Fleet) {
    fleet.set_macro("late");
    fleet.plan(&["--out", "late.plan"]).exits(2);
    let file = "/etc/clickhouse-server/config.d/macros.xml";
    fleet.on("data-1-2", &format!("sed -i 's/>2</>2<!-- by hand --></' {file}"));
    let run = fleet.apply(&["late.plan"]);
    run.exits(3).says([
        "data-1-2: do what the saved plan says: it has moved since the plan was saved",
        "macros.xml` differs in another way now",
        "`housewright plan --limit data-1-2`",
    ]);
    assert_eq!(fleet.read_macro("data-1-1"), "late", "the others go on");
    assert_eq!(fleet.read_macro("data-1-2"), "saved", "nothing was done there");
    fleet.plan(&[]).exits(2).says(["-        <replica>2<!-- by hand --></replica>"]);
    fleet.converges();
}

fn a_file_that_changes_during_the_run_is_not_overwritten(fleet: &Fleet) {
    fleet.edit(VARS, "  max_thread_pool_size: 9000\n", "  max_thread_pool_size: 9001\n");
    let mut run = fleet.start_apply(&["--limit", "data"]);
    run.wait_for("wave 1 of 3");
    // The waves behind it wait for the canary to serve again.
    fleet.on("data-1-2", "echo '<!-- by hand -->' >> /etc/clickhouse-server/config.d/settings.xml");
    let run = run.end();
    run.exits(3).explains(
        ["x data-1-2: check that it is as it was planned", "settings.xml` has changed", "nothing was changed"],
        "housewright plan",
    );
    run.says(["3 hosts done, 1 failed"]);
    assert!(fleet.on("data-1-2", "tail -n 1 /etc/clickhouse-server/config.d/settings.xml").contains("by hand"));
    assert_eq!(fleet.on("data-1-2", "find /etc -name '.housewright*'"), "");
    fleet.converges();
}
