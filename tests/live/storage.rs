//! What `clickhouse_storage` becomes, read by a real server.

use std::fs;
use std::process::Command;

use crate::keys::server::Server;

const HOSTS: &str = "all: { hosts: { d1: { hostClusterRole: data, shard: 1, replica: 1 }, k1: { hostClusterRole: zookeeper, keeper_id: 1 } }, \
    vars: { clickhouse_clusters: { posthog: { hosts: d1, layout: sharded }, posthog_single_shard: { hosts: d1, layout: single_shard } } } }\n";

/// The program's own file of a host with these variables, without its root element.
fn rendered(vars: &str) -> String {
    let inventory = tempfile::tempdir().unwrap();
    fs::create_dir(inventory.path().join("group_vars")).unwrap();
    fs::write(inventory.path().join("hosts.yml"), HOSTS).unwrap();
    fs::write(inventory.path().join("group_vars/all.yml"), vars).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_housewright"));
    command.args(["render", "--project", env!("CARGO_MANIFEST_DIR"), "--file", "storage.xml", "-i"]);
    let output = command.arg(inventory.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, inside) = text.split_once("<clickhouse>").unwrap();
    inside.split_once("</clickhouse>").unwrap().0.to_owned()
}

#[test]
fn a_server_has_the_policies_that_are_declared() {
    let disks = tempfile::tempdir().unwrap();
    let at = disks.path().display();
    let more = "move_factor: 0.25, keep_free_space: 1MiB";
    let vars = format!(
        "clickhouse_disks: {{ cold: {{ path: {at}/cold/ }} }}\n\
         clickhouse_storage:\n  {{ policy: tiered, {more}, volumes: [\n    \
         {{ name: hot, disks: [default], max_data_part_size: 1GiB }},\n    \
         {{ name: warm, disks: [{at}/a, {at}/b], load_balancing: least_used }},\n    \
         {{ name: cold, disks: [cold], prefer_not_to_merge: true, perform_ttl_move_on_insert: false }}] }}\n"
    );
    // 25.8 takes a first `storage_configuration` at its start: a reload brings neither its policies nor an error.
    let config = include_str!("keys/config.xml").replace("</clickhouse>", &format!("{}</clickhouse>", rendered(&vars)));
    let server = Server::start_with(&config);
    let is = server
        .sql(
            "SELECT volume_name, arrayMap(d -> replaceRegexpOne(d, '^.*_', ''), disks), max_data_part_size, round(move_factor, 2), \
             prefer_not_to_merge, perform_ttl_move_on_insert, load_balancing \
             FROM system.storage_policies WHERE policy_name = 'tiered' ORDER BY volume_priority",
        )
        .unwrap();
    assert_eq!(
        is,
        "hot\t['default']\t1073741824\t0.25\t0\t1\tROUND_ROBIN\n\
         warm\t['a','b']\t0\t0.25\t0\t1\tLEAST_USED\n\
         cold\t['cold']\t0\t0.25\t1\t0\tROUND_ROBIN"
    );
    let kept = "SELECT countIf(keep_free_space = 1048576) FROM system.disks WHERE match(name, '_[ab]$')";
    assert_eq!(server.sql(kept).unwrap(), "2");
    let table = "CREATE TABLE tiers (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS storage_policy = 'tiered'";
    server.sql(table).unwrap();
    server.sql("INSERT INTO tiers VALUES (1)").unwrap();
    server.sql("ALTER TABLE tiers MOVE PARTITION tuple() TO VOLUME 'warm'").unwrap();
    let lies = "SELECT path LIKE '%/a/%' OR path LIKE '%/b/%' FROM system.parts WHERE active AND table = 'tiers'";
    assert_eq!(server.sql(lies).unwrap(), "1");
}
