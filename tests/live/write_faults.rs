//! Hosts on which a step fails: disks, units, a `ClickHouse` that does not come. The host keeps what it had, the cause is
//! told, the others finish or are left alone, and the next run converges.

use crate::fleet::Fleet;

#[test]
fn a_step_that_fails_is_told_and_leaves_a_whole_host() {
    let fleet = Fleet::provisioned();
    disks(&fleet);
    dead_servers(&fleet);
    refused_statements(&fleet);
    a_reload_that_would_be_refused(&fleet);
    a_server_that_does_not_come_back(&fleet);
}

fn disks(fleet: &Fleet) {
    fleet.set_macro("disks");
    let directory = "/etc/clickhouse-server/config.d";
    fleet.fill("data-1-1", directory);
    fleet.on("data-2-1", &format!("mount --bind {directory} {directory}; mount -o remount,bind,ro {directory}"));
    let before = ["data-1-1", "data-2-1"].map(|host| fleet.on(host, &format!("sha256sum {directory}/*.xml")));
    let run = fleet.apply(&[]);
    run.exits(3).says(["6 hosts done, 2 failed"]);
    run.explains(["x data-1-1: write macros.xml", "No space left on device", "nothing was changed"], "df -h");
    run.explains(["x data-2-1: write macros.xml", "Read-only file system", "nothing was changed"], "findmnt");
    for (host, before) in ["data-1-1", "data-2-1"].iter().zip(before) {
        assert_eq!(fleet.on(host, &format!("sha256sum {directory}/*.xml")), before, "{host}");
        fleet.nothing_is_half_written(host);
        assert_eq!(fleet.read_macro(host), "");
        assert_eq!(fleet.on(host, &format!("umount {directory}; rm -rf /root/kept")), "");
    }
    for host in ["data-1-2", "data-2-2", "ingestion-small-1"] {
        assert_eq!(fleet.read_macro(host), "disks", "{host}");
    }
    fleet.converges();
}

/// A server that is down is started; where it cannot be, only its own host is out.
fn dead_servers(fleet: &Fleet) {
    fleet.on("data-1-1", "systemctl disable --now clickhouse-server");
    fleet.on("data-2-1", "systemctl mask --now clickhouse-server");
    fleet.on(
        "data-2-2",
        "systemctl stop clickhouse-server; echo '<clickhouse><profiles><default><max_threads>abc</max_threads></default></profiles></clickhouse>' \
         > /etc/clickhouse-server/users.d/zz.xml",
    );
    fleet.set_macro("dead");
    let run = fleet.apply(&[]);
    run.exits(3).says(["7 hosts done, 1 failed"]);
    run.says(["! data-2-1: start clickhouse-server: somebody masked", "`systemctl unmask clickhouse-server`"]);
    run.explains(["x data-2-2: start clickhouse-server", "exit status 1"], "clickhouse-server.err.log");
    assert_eq!(fleet.read_macro("data-1-1"), "dead");
    assert_eq!(fleet.on("data-1-1", "systemctl is-enabled clickhouse-server"), "enabled");
    for host in ["data-2-1", "data-2-2"] {
        fleet.nothing_is_half_written(host);
    }
    fleet.on("data-2-1", "systemctl unmask clickhouse-server");
    fleet.on("data-2-2", "rm /etc/clickhouse-server/users.d/zz.xml; systemctl stop clickhouse-server");
    fleet.converges();
}

/// The server refuses a statement of the schema that passes the check.
fn refused_statements(fleet: &Fleet) {
    let file = "roles/ingestion-small/schema/wrong.sql";
    fleet.append(file, "CREATE TABLE IF NOT EXISTS wrong (a NowhereKnown) ENGINE = Null;\n");
    let run = fleet.apply(&[]);
    assert_ne!(run.code, Some(0), "{}", run.text());
    run.explains(["x ingestion-small-1: create wrong", "NowhereKnown", "code 50"], "housewright");
    std::fs::remove_file(fleet.path(file)).expect("the file");
    fleet.converges();
}

/// A file that is not ours would make the server refuse all of them: nothing is written there, and the others go on.
fn a_reload_that_would_be_refused(fleet: &Fleet) {
    let (vars, by_hand) = ("inventories/lab/group_vars/all.yml", "/etc/clickhouse-server/config.d/zz.xml");
    fleet.edit(
        vars,
        "clickhouse_clusters:\n",
        "clickhouse_clusters:\n  fresh:\n    hosts: data\n    layout: sharded\n",
    );
    fleet.on("data-1-1", &format!("echo '<clickhouse><half' > {by_hand}"));
    let run = fleet.apply(&[]);
    run.exits(3).says(["! data-1-1: ", "zz.xml", "7 hosts done", "1 held back"]);
    assert_eq!(fleet.sql("data-1-1", "SELECT count() FROM system.clusters WHERE cluster = 'posthog'"), "4");
    fleet.on("data-1-1", &format!("rm {by_hand}"));
    fleet.converges();
    assert_eq!(fleet.sql("data-1-1", "SELECT count() FROM system.clusters WHERE cluster = 'fresh'"), "4");
}

/// The run stops, so that the shard's other replica goes on serving.
fn a_server_that_does_not_come_back(fleet: &Fleet) {
    fleet.on(
        "data-1-1",
        "echo '<clickhouse><path>/proc/nowhere/</path></clickhouse>' > /etc/clickhouse-server/config.d/zz.xml",
    );
    let kept = ["data-1-2", "data-2-2", "ingestion-small-1"].map(|host| (host, fleet.pid(host)));
    fleet.edit(
        "inventories/lab/group_vars/all.yml",
        "clickhouse_settings:\n",
        "clickhouse_settings:\n  max_thread_pool_size: 9004\n",
    );
    let run = fleet.apply(&[]);
    run.exits(4).says(["stopped:", "`data-1-1` failed", "not done"]);
    run.explains(
        ["x data-1-1: failed in restart clickhouse-server", "previous files are back"],
        "clickhouse-server.err.log",
    );
    for (host, pid) in kept {
        assert_eq!(fleet.pid(host), pid, "{host} was left alone");
    }
    fleet.nothing_is_half_written("data-1-1");

    fleet.on("data-1-1", "rm /etc/clickhouse-server/config.d/zz.xml; systemctl stop clickhouse-server");
    // While the one does not serve, the other is not taken away; with the next run it is.
    let run = fleet.apply(&[]);
    run.exits(3).says(["data-1-2: restart: shard 1: 1 of 2 replicas serves", "7 hosts done", "1 held back"]);
    fleet.converges();
    assert_eq!(
        fleet.sql("data-1-2", "SELECT value FROM system.server_settings WHERE name = 'max_thread_pool_size'"),
        "9004"
    );
}
