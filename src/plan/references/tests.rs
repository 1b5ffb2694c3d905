//! What is held because tables use it, and what is not.

use super::*;
use crate::clickhouse::config::{ConfigKeys, diff};
use crate::resource::Stored;
use crate::schema::ObservedObject;

const EVENTS: (&str, &str) = (
    "ReplicatedMergeTree",
    "CREATE TABLE default.events (`a` String) ENGINE = ReplicatedMergeTree('/t/{shard}/events', '{replica}-{rack}') ORDER BY a",
);
const KAFKA: (&str, &str) = (
    "Kafka",
    "CREATE TABLE default.kafka (`a` String) ENGINE = Kafka(warpstream, kafka_topic_list = 'x', kafka_client_id = '{rack}')",
);
const WRITABLE: (&str, &str) = (
    "Distributed",
    "CREATE TABLE default.writable (`a` String) ENGINE = Distributed('{cluster}', 'default', 'events')",
);
const VIEW: (&str, &str) = (
    "MaterializedView",
    "CREATE MATERIALIZED VIEW default.mv TO default.writable (`a` String) DEFINER = ingest SQL SECURITY DEFINER AS SELECT a FROM default.kafka",
);

fn facts(objects: &[(&str, &str)]) -> HostFacts {
    let relation = |name: &str| ObjectName::relation(None, name);
    let objects = objects.iter().map(|(engine, create_query)| ObservedObject {
        name: relation(create_query.split(['.', ' ']).nth(if create_query.contains("VIEW") { 4 } else { 3 }).unwrap()),
        engine: (*engine).to_owned(),
        create_query: (*create_query).to_owned(),
    });
    let many = (1..=7).map(|number| relation(&format!("t{number}"))).collect();
    let server = ServerFacts {
        macros: BTreeMap::from([("cluster".to_owned(), "posthog".to_owned())]),
        stored: Stored {
            policies: BTreeMap::from([("hot".to_owned(), many)]),
            disks: BTreeMap::from([("d2".to_owned(), BTreeMap::from([(relation("events"), 12)]))]),
        },
        ..ServerFacts::default()
    };
    let clickhouse = ClickHouseFacts::Up { server: Box::new(server), objects: objects.collect() };
    HostFacts { clickhouse, ..HostFacts::default() }
}

fn changes(old: &str, new: &str) -> Vec<KeyChange> {
    let keys = |xml: &str| ConfigKeys::from_xml(&format!("<clickhouse>{xml}</clickhouse>")).unwrap();
    diff(&keys(old), &keys(new))
}

fn found(directory: ConfigDirectory, old: &str, new: &str, facts: &HostFacts) -> Vec<String> {
    let host = HostName::new("data-1a").unwrap();
    let holds = super::holds(&host, directory, &changes(old, new), facts);
    holds.into_iter().map(|hold| format!("{}: {}", hold.what, hold.reason)).collect()
}

fn config(old: &str, new: &str) -> Vec<String> {
    found(ConfigDirectory::Config, old, new, &facts(&[EVENTS, KAFKA, WRITABLE, VIEW]))
}

const NOTHING: [&str; 0] = [];

fn storage(disks: &str, policies: &str) -> String {
    format!("<storage_configuration><disks>{disks}</disks><policies>{policies}</policies></storage_configuration>")
}

#[test]
fn a_policy_that_tables_use_is_held() {
    let policy = |name: &str| format!("<{name}><volumes><v><disk>d1</disk></v></volumes></{name}>");
    let old = storage("", &(policy("hot") + &policy("cold")));
    assert_eq!(
        config(&old, &storage("", &policy("cold"))),
        ["remove the storage policy `hot`: 7 tables store their parts by it: t1, t2, t3, t4, t5 and 2 more"]
    );
    assert_eq!(config(&old, "").len(), 1, "the whole section goes");
    assert_eq!(config(&old, &storage("", &policy("hot"))), NOTHING);
    let moved = storage("", &(policy("cold") + &policy("hot")));
    assert_eq!(config(&old, &moved), NOTHING, "only the order changes");
}

#[test]
fn a_disk_that_holds_parts_is_held() {
    let disk = |name: &str| format!("<{name}><path>/{name}/</path></{name}>");
    let old = storage(&(disk("d1") + &disk("d2") + &disk("d3")), "");
    assert_eq!(
        config(&old, &storage(&(disk("d1") + &disk("d3")), "")),
        ["take the disk `d2` away: 12 parts are on it: events"]
    );
    assert_eq!(config(&old, &storage(&(disk("d1") + &disk("d2")), "")), NOTHING);
}

#[test]
fn a_disk_that_holds_parts_stays_in_its_policy() {
    let policy = |disks: &[&str]| {
        let disks = format!("<disk>{}</disk>", disks.join("</disk><disk>"));
        storage("", &format!("<p><volumes><v>{disks}</v></volumes></p>"))
    };
    let held = ["take the disk `d2` away: 12 parts are on it: events"];
    assert_eq!(config(&policy(&["d1", "d2"]), &policy(&["d1"])), held);
    assert_eq!(config(&policy(&["d2", "d1"]), &policy(&["d1"])), held);
    assert_eq!(config(&policy(&["d1", "d2"]), &policy(&["d2", "d1"])), NOTHING);
    assert_eq!(config(&policy(&["d2", "d3"]), &policy(&["d2"])), NOTHING);
    assert_eq!(config(&policy(&["d2"]), &policy(&["d2", "d3"])), NOTHING);
}

#[test]
fn a_collection_that_a_table_uses_is_held() {
    let both = "<named_collections><warpstream><a>SEEKRET</a></warpstream><other><a>1</a></other></named_collections>";
    let other = "<named_collections><other><a>1</a></other></named_collections>";
    assert_eq!(config(both, other), ["remove the named collection `warpstream`: 1 object uses it: kafka"]);
    let used = "<named_collections><warpstream><a>2</a></warpstream></named_collections>";
    assert_eq!(config(both, used), NOTHING);
}

#[test]
fn a_cluster_that_a_table_names_is_held_also_behind_a_macro() {
    let cluster =
        "<remote_servers><posthog><shard><replica><host>a</host></replica></shard></posthog></remote_servers>";
    assert_eq!(config(cluster, ""), ["remove the cluster `posthog`: 1 object uses it: writable"]);
    assert_eq!(config(&cluster.replace("posthog", "spare"), ""), NOTHING);
    let replaced = cluster.replace("<remote_servers>", "<remote_servers replace=\"1\">");
    assert_eq!(config(&replaced, cluster), NOTHING, "an attribute is no cluster");
}

#[test]
fn a_macro_that_replicated_tables_keep_is_held() {
    let of = |shard: &str, rack: &str| format!("<macros><shard>{shard}</shard>{rack}<free>1</free></macros>");
    let rack = |name: &str| format!("<rack>{name}</rack>");
    let why =
        "1 replicated table keeps its value unexpanded, so the next start would put them elsewhere in Keeper: events";
    let old = of("1", &rack("SEEKRET"));
    assert_eq!(config(&old, &of("2", &rack("SEEKRET"))), [format!("change the macro `shard` from 1 to 2: {why}")]);
    assert_eq!(config(&old, &of("1", &rack("x"))), [format!("change the macro `rack` to another value: {why}")]);
    assert_eq!(config(&old, &of("1", "")), [format!("change the macro `rack` away: {why}")]);
    assert_eq!(config(&old, &old.replace("<free>1</free>", "")), NOTHING);
    assert_eq!(config("", &old), NOTHING, "a new macro moves nothing");
    let cluster = |name: &str| format!("<macros><cluster>{name}</cluster></macros>");
    let by_cluster =
        (EVENTS.0, "CREATE TABLE default.c (`a` String) ENGINE = ReplicatedMergeTree('/{cluster}/c', 'r') ORDER BY a");
    let held = |old: &str, new: &str| {
        found(ConfigDirectory::Config, &cluster(old), &cluster(new), &facts(&[by_cluster])).len()
    };
    assert_eq!(
        (held("posthog", "other"), held("other", "posthog")),
        (1, 0),
        "the server has `posthog`: only the file was another"
    );
}

#[test]
fn coordination_that_replicated_tables_write_by_is_held() {
    let old = "<zookeeper><node><host>a</host></node><node><host>b</host></node></zookeeper>";
    assert_eq!(config(old, ""), ["take the coordination `zookeeper` away: 1 replicated table writes by it: events"]);
    assert_eq!(config(old, "<zookeeper><node><host>a</host></node></zookeeper>"), NOTHING, "another one is left");
    assert_eq!(config(old, "<zookeeper><node><host>c</host></node></zookeeper>"), NOTHING);
    assert_eq!(found(ConfigDirectory::Config, old, "", &facts(&[KAFKA])), NOTHING);
}

#[test]
fn a_macro_of_a_silent_server_is_held_where_it_places_replicas() {
    let down = HostFacts { clickhouse: ClickHouseFacts::Down { reason: "x".to_owned() }, ..HostFacts::default() };
    let held = |old: &str, new: &str| found(ConfigDirectory::Config, old, new, &down).len();
    assert_eq!(held("<macros><shard>1</shard></macros>", "<macros><shard>2</shard></macros>"), 1);
    assert_eq!(held("<macros><free>1</free></macros>", "<macros><free>2</free></macros>"), 0);
    assert_eq!(held("", "<macros><shard>2</shard></macros>"), 0, "a host that is made");
}

#[test]
fn what_moves_from_one_file_to_another_is_not_gone() {
    let mut both = changes("<macros><shard>1</shard></macros>", "");
    both.extend(changes("", "<macros><shard>1</shard></macros>"));
    let host = HostName::new("data-1a").unwrap();
    assert_eq!(super::holds(&host, ConfigDirectory::Config, &both, &facts(&[EVENTS])), vec![]);
    let cluster =
        "<remote_servers><posthog><shard><replica><host>a</host></replica></shard></posthog></remote_servers>";
    let mut both = changes("", cluster);
    both.extend(changes(cluster, ""));
    assert_eq!(super::holds(&host, ConfigDirectory::Config, &both, &facts(&[WRITABLE])), vec![]);
}

#[test]
fn a_definer_is_held() {
    let users = "<users><ingest><password>SEEKRET</password></ingest><other><a>1</a></other></users>";
    let held = |new: &str| found(ConfigDirectory::Users, users, new, &facts(&[VIEW]));
    assert_eq!(held("<users><other><a>1</a></other></users>"), ["remove the user `ingest`: 1 object uses it: mv"]);
    assert_eq!(held("<users><ingest><password>x</password></ingest></users>"), NOTHING);
}

#[test]
fn the_tables_that_keep_a_changed_collection_are_named() {
    let facts = facts(&[EVENTS, KAFKA]);
    let old = "<named_collections><warpstream><a>1</a></warpstream><x><a>1</a></x></named_collections>";
    let stale = |new: &str| super::stale(&changes(old, new), &facts).unwrap().into_iter().map(ToString::to_string);
    assert_eq!(stale(&old.replace("<warpstream><a>1", "<warpstream><a>2")).collect::<Vec<_>>(), ["kafka"]);
    assert_eq!(stale(&old.replace("<x><a>1", "<x><a>2")).count(), 0);
    assert!(super::stale(&changes(old, ""), &HostFacts::default()).is_none(), "a server that was not asked");
}
