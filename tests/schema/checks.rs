//! What `check` finds, one scene per rule.

use housewright::fleet::Placement;
use housewright::role::PlacementKind;
use serde_json::json;

use crate::fleet::{INGESTION, STORAGE, add_host, add_role, findings, fleet};

fn found(data: &str, ingestion: &str) -> String {
    findings(&fleet(data, ingestion)).join("\n")
}

#[test]
fn the_talk_has_no_problem_and_a_note_about_its_keeper_path() {
    insta::assert_snapshot!(found(STORAGE, INGESTION), @r"
    note HW0424 roles/ingestion-small/schema/all.sql:16:1: table `writable_groups` takes the hosts of cluster `posthog_single_shard` for copies of one shard, and `groups` has another part on each of 2 shards: `{shard}` is in its Keeper path | take `{shard}` out of the path of a table that every host has in full, or use a cluster with all shards
    ");
}

#[test]
fn sharded_events_of_the_talk_have_no_problem() {
    let data = "CREATE TABLE sharded_events (a Int8) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/events', '{replica}') ORDER BY a";
    let ingestion = "CREATE TABLE writable_events (a Int8) ENGINE = Distributed('posthog', 'default', 'sharded_events', sipHash64(a));
        CREATE TABLE kafka_events (a Int8) ENGINE = Kafka(warpstream_ingestion, kafka_topic_list = 'events', kafka_group_name = 'clickhouse',
        kafka_format = 'JSONEachRow', kafka_num_consumers = 4, kafka_thread_per_consumer = 1);
        CREATE MATERIALIZED VIEW events_mv TO writable_events AS SELECT a FROM kafka_events;";
    insta::assert_snapshot!(found(data, ingestion), @"");
}

#[test]
fn storage_does_not_belong_on_stateless_hosts_nor_kafka_on_data_hosts() {
    let data = "CREATE TABLE k (a Int8) ENGINE = Kafka(warpstream_ingestion, kafka_topic_list = 't', kafka_group_name = 'g', kafka_format = 'JSONEachRow')";
    let ingestion = "CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY a; CREATE TABLE n (a Int8) ENGINE = Null;
        CREATE MATERIALIZED VIEW v (a Int8) ENGINE = SummingMergeTree ORDER BY a AS SELECT a FROM n";
    insta::assert_snapshot!(found(data, ingestion), @r"
    note HW0411 roles/data/schema/all.sql:1:1: table `k` (`Kafka`) drains a queue on the storage role `data`: its work takes cores from the queries | move it to an ingestion role
    HW0410 roles/ingestion-small/schema/all.sql:1:1: table `t` keeps rows (`MergeTree`), and hosts of the stateless role `ingestion-small` are thrown away with theirs | move the statement to a storage role and write through a `Distributed` table
    HW0410 roles/ingestion-small/schema/all.sql:2:9: materialized view `v` keeps rows (`SummingMergeTree`), and hosts of the stateless role `ingestion-small` are thrown away with theirs | give the view a table with `TO`
    ");
}

#[test]
fn distributed_tables_need_their_cluster_their_table_and_a_key() {
    let ingestion = "CREATE TABLE a (x Int8) ENGINE = Distributed('posthog_single_shrd', 'default', 'groups');
        CREATE TABLE b (x Int8) ENGINE = Distributed('posthog', 'default', 'grups', rand());
        CREATE TABLE c (team_id Int64) ENGINE = Distributed('posthog', currentDatabase(), groups);
        CREATE TABLE n (x Int8) ENGINE = Null; CREATE TABLE d AS c ENGINE = Distributed(posthog, default, groups);
        CREATE MATERIALIZED VIEW v TO d AS SELECT * FROM n;
        CREATE TABLE e (x Int8) ENGINE = Distributed('ingestion-small', 'system', 'one');
        CREATE TABLE f (x Int8) ENGINE = Distributed('{cluster}', 'default', 'groups');";
    insta::assert_snapshot!(found(STORAGE, ingestion), @r"
    HW0420 roles/ingestion-small/schema/all.sql:1:1: table `a` names cluster `posthog_single_shrd`, which the fleet does not have | did you mean `posthog_single_shard`?
    HW0421 roles/ingestion-small/schema/all.sql:2:9: table `b` stands for `grups` on cluster `posthog`, which 4 of its 4 hosts do not have: `data-1a`, `data-1b`, `data-2a` and 1 more | did you mean `groups`?
    note HW0422 roles/ingestion-small/schema/all.sql:3:9: table `c` has no sharding key and cluster `posthog` has 2 shards: it can be read, not written to | add a key such as `sipHash64(distinct_id)`, or use a cluster of one shard
    HW0422 roles/ingestion-small/schema/all.sql:4:48: table `d` has no sharding key, cluster `posthog` has 2 shards, and view `v` writes to it: every insert fails | add a key such as `sipHash64(distinct_id)`, or use a cluster of one shard
    note HW0422 roles/ingestion-small/schema/all.sql:6:9: table `e` has no sharding key and cluster `ingestion-small` has 2 shards: it can be read, not written to | add a key such as `sipHash64(distinct_id)`, or use a cluster of one shard
    ");
}

#[test]
fn views_need_their_source_and_target_on_the_same_host() {
    let ingestion = "CREATE TABLE kafka_group (a Int8) ENGINE = Null; CREATE TABLE w (a Int8) ENGINE = Null;
        CREATE MATERIALIZED VIEW v TO groups AS SELECT * FROM kafka_groups JOIN system.one USING x;
        CREATE VIEW nowhere AS SELECT * FROM other.table";
    insta::assert_snapshot!(found(STORAGE, ingestion), @r"
    HW0430 roles/ingestion-small/schema/all.sql:2:9: materialized view `v` reads from `kafka_groups`, which role `ingestion-small` does not have | did you mean `kafka_group`?
    HW0431 roles/ingestion-small/schema/all.sql:2:9: materialized view `v` writes to `groups`, which role `ingestion-small` does not have | role `data` has it: reach it through a `Distributed` table, or create it here too
    HW0430 roles/ingestion-small/schema/all.sql:3:9: view `nowhere` reads from `other.table`, which role `ingestion-small` does not have
    ");
}

#[test]
fn keeper_paths_are_one_table_and_one_replica_each() {
    let table = |name: &str, path: &str, replica: &str| {
        format!("CREATE TABLE {name} (a Int8) ENGINE = ReplicatedMergeTree('{path}', '{replica}') ORDER BY a;\n")
    };
    let data = table("copy", "/t/copy", "{shard}-{replica}")
        + &table("twins", "/t/twins", "{replica}")
        + &table("one", "/t/{shard}/one", "{replica}")
        + &table("two", "/t/{shard}/one", "{replica}")
        + &table("three", "/t/{shard}/{table}", "{replica}")
        + "CREATE TABLE four (a Int8) ENGINE = ReplicatedMergeTree ORDER BY a;\n";
    let ingestion = "CREATE TABLE w (a Int8) ENGINE = Distributed('posthog', 'default', 'copy', rand())";
    insta::assert_snapshot!(found(&data, ingestion), @r"
    HW0441 roles/data/schema/all.sql:2:1: table `twins`: hosts `data-1a` and `data-2a` would both be replica `a` of `/t/twins` | the path and the replica name together must differ on every host: use `{shard}` and `{replica}`
    HW0442 roles/data/schema/all.sql:4:1: tables `one` and `two` share the Keeper path `/t/{shard}/one` | give each table its own path
    note HW0423 roles/ingestion-small/schema/all.sql:1:1: table `w` spreads rows over 2 shards of cluster `posthog`, and `copy` is one full copy on all of them: reads through it count each row 2 times | use a cluster of one shard, or put `{shard}` into the table's Keeper path
    ");
}

#[test]
fn kafka_tables_name_a_known_collection_and_their_own_group() {
    let kafka = |name: &str, arguments: &str| {
        format!("CREATE TABLE {name} (a Int8) ENGINE = Kafka({arguments}, kafka_format = 'JSONEachRow');\n")
    };
    let ingestion = kafka("a", "warpstream_ingestio, kafka_topic_list = 't', kafka_group_name = 'a'")
        + &kafka("b", "'broker:9092', 't', 'b'")
        + &kafka("c", "warpstream_ingestion, kafka_topic_list = 't', kafka_group_name = 'c', kafka_num_consumers = 4")
        + &kafka("d", "warpstream_ingestion, kafka_topic_list = 't', kafka_group_name = 'c'")
        + "CREATE NAMED COLLECTION own AS kafka_broker_list = 'x';"
        + &kafka("e", "own, kafka_topic_list = 't', kafka_group_name = 'c'");
    insta::assert_snapshot!(found("", &ingestion), @r"
    HW0452 roles/ingestion-small/schema/all.sql:1:1: table `a` uses the named collection `warpstream_ingestio`, which is not on `small-1`, `small-2` | did you mean `warpstream_ingestion`?
    note HW0450 roles/ingestion-small/schema/all.sql:2:1: table `b` has its brokers written in: `broker:9092` | name a collection, `Kafka(my_brokers, kafka_topic_list = ...)`: a Kafka table cannot be altered
    note HW0451 roles/ingestion-small/schema/all.sql:3:1: table `c` has 4 consumers on one thread | add `kafka_thread_per_consumer = 1`
    note HW0454 roles/ingestion-small/schema/all.sql:4:1: tables `c` and `d` both read topic `t` as group `c`: each gets a part of the rows | give every leg its own `kafka_group_name`
    ");
}

#[test]
fn collections_that_nothing_tells_about_are_a_note() {
    let mut fleet = fleet(STORAGE, INGESTION);
    for host in fleet.hosts.values_mut() {
        host.vars = housewright::fleet::Vars::default();
    }
    insta::assert_snapshot!(findings(&fleet).join("\n"), @r"
    note HW0424 roles/ingestion-small/schema/all.sql:16:1: table `writable_groups` takes the hosts of cluster `posthog_single_shard` for copies of one shard, and `groups` has another part on each of 2 shards: `{shard}` is in its Keeper path | take `{shard}` out of the path of a table that every host has in full, or use a cluster with all shards
    note HW0453 roles/ingestion-small/schema/all.sql:7:1: table `kafka_groups` uses the named collection `warpstream_ingestion`, and no `clickhouse_named_collections` tells whether it is on `small-1`, `small-2`
    ");
}

#[test]
fn roles_without_hosts_are_a_note_and_coordination_has_no_schema() {
    let mut fleet = fleet(STORAGE, INGESTION);
    add_role(&mut fleet, "events", PlacementKind::Stateless, "CREATE TABLE n (a Int8) ENGINE = Null");
    add_role(&mut fleet, "zookeeper", PlacementKind::Keeper, "CREATE TABLE n (a Int8) ENGINE = Null");
    add_host(&mut fleet, "zk-1", "zookeeper", Placement::Keeper { id: 1 });
    insta::assert_snapshot!(findings(&fleet).join("\n"), @r"
    note HW0407 roles/events/schema/all.sql:1:1: role `events` has 1 objects and no host in this inventory: nothing of its schema is applied
    note HW0424 roles/ingestion-small/schema/all.sql:16:1: table `writable_groups` takes the hosts of cluster `posthog_single_shard` for copies of one shard, and `groups` has another part on each of 2 shards: `{shard}` is in its Keeper path | take `{shard}` out of the path of a table that every host has in full, or use a cluster with all shards
    HW0412 roles/zookeeper/schema/all.sql:1:1: role `zookeeper` runs coordination and cannot have the table `n`
    ");
}

/// A non-sharded table as a fleet of several shards needs it: the shard is in the replica's name, not in the path.
#[test]
fn a_full_copy_on_every_host_behind_one_shard_is_meant() {
    let data =
        STORAGE.replace("/{shard}/posthog.groups', '{replica}'", "/noshard/posthog.groups', '{replica}-{shard}'");
    assert_eq!(found(&data, INGESTION), "");
}

#[test]
fn a_table_that_copies_another_needs_it_on_the_same_host() {
    insta::assert_snapshot!(found(STORAGE, "CREATE TABLE w AS groups ENGINE = Null"), @r"
    HW0430 roles/ingestion-small/schema/all.sql:1:1: table `w` copies the columns of `groups`, which role `ingestion-small` does not have | role `data` has it: reach it through a `Distributed` table, or create it here too
    ");
}

#[test]
fn a_view_without_a_table_hides_its_rows_and_codecs_belong_to_storage() {
    let data = format!(
        "{STORAGE}; CREATE MATERIALIZED VIEW v ENGINE = SummingMergeTree ORDER BY a AS SELECT 1 AS a FROM groups;"
    );
    let ingestion = "CREATE TABLE a (x Int8 CODEC(ZSTD)) ENGINE = Null; CREATE TABLE b (codec Int8) ENGINE = Null;
        CREATE TABLE c (x Int8 DEFAULT f(codec(1))) ENGINE = Buffer(default, a, 1, 1, 1, 1, 1, 1, 1);
        CREATE TABLE d (group_key String codec(LZ4)) ENGINE = Distributed('posthog_single_shard', 'default', 'groups');";
    let notes = found(&data, ingestion).lines().filter(|line| !line.contains("HW0424")).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(notes, @r"
    note HW0413 roles/data/schema/all.sql:14:3: materialized view `v` keeps its rows in a hidden table: to change the view is to lose them | create a table for the rows, and name it with `TO`
    note HW0414 roles/ingestion-small/schema/all.sql:1:1: table `a` (`Null`) keeps no rows, and has a `CODEC`: it does nothing | give the codec to the table that stores the column
    note HW0414 roles/ingestion-small/schema/all.sql:3:9: table `d` (`Distributed`) keeps no rows, and has a `CODEC`: it does nothing | give the codec to the table that stores the column
    ");
}

#[test]
fn a_distributed_table_has_no_column_that_its_remote_table_lacks() {
    let data = "CREATE TABLE t (a Int8, b Int8) ENGINE = MergeTree ORDER BY a;
        CREATE TABLE dark AS t ENGINE = MergeTree ORDER BY a;";
    let ingestion = "CREATE TABLE less (b Int8) ENGINE = Distributed('posthog_single_shard', 'default', 't');
        CREATE TABLE more (a Int8, c Int8, d Int8) ENGINE = Distributed('posthog_single_shard', 'default', 't');
        CREATE TABLE other (a INT1, b Nullable(Int8)) ENGINE = Distributed('posthog_single_shard', 'default', 't');
        CREATE TABLE unknown (c Int8) ENGINE = Distributed('posthog_single_shard', 'default', 'dark');";
    insta::assert_snapshot!(found(data, ingestion), @r"
    HW0425 roles/ingestion-small/schema/all.sql:2:9: table `more` has columns that `t` on cluster `posthog_single_shard` does not have: `c`, `d` | add them to `t` in role `data`, or take them out here
    note HW0427 roles/ingestion-small/schema/all.sql:3:9: column `b` of table `other` is `Nullable(Int8)`, and `Int8` in `t` on cluster `posthog_single_shard`: rows are converted on the way | give both the same type
    ");
}

#[test]
fn consumers_have_partitions_cores_and_threads() {
    let leg = |name: &str, topic: &str, group: &str, consumers: u8| {
        format!(
            "CREATE TABLE {name} (a Int8) ENGINE = Kafka(warpstream_ingestion, kafka_topic_list = '{topic}', kafka_group_name = '{group}',
            kafka_format = 'JSONEachRow', kafka_num_consumers = {consumers}, kafka_thread_per_consumer = 1);
            CREATE MATERIALIZED VIEW {name}_mv TO n AS SELECT a FROM {name};"
        )
    };
    let null = "CREATE TABLE n (a Int8) ENGINE = Null;";
    let ingestion =
        leg("enough", "events", "a", 4) + &leg("idle", "events", "b", 5) + &leg("dark", "else", "c", 6) + null;
    let mut fleet = fleet("", &ingestion);
    add_role(&mut fleet, "medium", PlacementKind::Stateless, &(leg("again", "else", "c", 6) + null));
    add_host(&mut fleet, "medium-1", "medium", Placement::Stateless);
    for host in fleet.hosts.values_mut().filter(|host| host.name.as_str().starts_with("small")) {
        let mut set = |name: &str, value| host.vars.insert(name.to_owned(), std::sync::Arc::new(value));
        set("kafka_topics", json!({ "events": { "partitions": 8 } }));
        set("clickhouse_cores", json!(5));
        set("clickhouse_settings", json!({ "background_message_broker_schedule_pool_size": 14 }));
    }
    insta::assert_snapshot!(findings(&fleet).join("\n"), @r"
    note HW0455 roles/ingestion-small/schema/all.sql:3:77: table `idle` runs 10 consumers on 2 hosts, and its topic has 8 partitions: 2 get no row | fewer hosts or a lower `kafka_num_consumers`, or more partitions
    HW0456 roles/ingestion-small/schema/all.sql:5:73: table `dark` wants 6 consumers, more than there are cores on `small-1`, `small-2` | lower `kafka_num_consumers`: the server refuses more consumers than cores
    note HW0457 roles/ingestion-small/schema/all.sql:1:1: role `ingestion-small` runs 15 consumers, and `background_message_broker_schedule_pool_size` is 14 on `small-1`, `small-2`: some never poll | take `background_message_broker_schedule_pool_size` out of `clickhouse_settings`: its size follows from the consumers
    note HW0454 roles/medium/schema/all.sql:1:1: table `again` of role `medium` and `dark` of role `ingestion-small` both read topic `else` as group `c`: each gets a part of the rows | give every leg its own `kafka_group_name`
    ");
}
