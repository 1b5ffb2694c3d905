//! The way of rows through the objects of all roles.

use std::collections::BTreeSet;

use housewright::report::{mermaid, svg};
use housewright::schema::{Graph, Schema, graph};

use crate::fleet::{INGESTION, STORAGE, fleet, role_name};

fn drawn(data: &str, ingestion: &str) -> Graph {
    let fleet = fleet(data, ingestion);
    let (schema, problems) = Schema::read(&fleet);
    assert_eq!(problems, []);
    graph(&fleet, &schema.roles)
}

#[test]
fn rows_go_from_the_topic_through_the_cluster_into_storage_and_to_its_readers() {
    let data = format!(
        "{STORAGE}; CREATE TABLE all_groups AS groups ENGINE = Distributed('posthog', 'default', 'groups');
        CREATE VIEW latest AS SELECT * FROM all_groups; CREATE FUNCTION f AS x -> x;
        CREATE DICTIONARY d (k UInt64) PRIMARY KEY k SOURCE(CLICKHOUSE(TABLE 'groups')) LAYOUT(FLAT()) LIFETIME(1)"
    );
    insta::assert_snapshot!(mermaid(&drawn(&data, INGESTION)), @r#"
    flowchart LR
      n7[/"groups<br/>warpstream_ingestion"/]
      subgraph r0["data: 4 hosts, 2 shards"]
        n0[("groups<br/>ReplicatedReplacingMergeTree")]
        n1["all_groups<br/>Distributed"]
        n2(["latest<br/>view"])
        n3["d<br/>dictionary"]
      end
      subgraph r1["ingestion-small: 2 hosts, stateless"]
        n4(["groups_mv<br/>materialized view"])
        n5["kafka_groups<br/>Kafka"]
        n6["writable_groups<br/>Distributed"]
      end
      n0 -->|"posthog"| n1
      n0 --> n3
      n1 --> n2
      n4 --> n6
      n5 --> n4
      n6 -->|"posthog_single_shard"| n0
      n7 --> n5
    "#);
}

#[test]
fn a_queue_that_a_view_writes_to_fills_its_topic() {
    let ingestion = "CREATE TABLE k (a Int8) ENGINE = Kafka('b:9092', 'one,two', 'g', 'JSONEachRow');
        CREATE TABLE sink (a Int8) ENGINE = Kafka('b:9092', 'three', 'g2', 'JSONEachRow');
        CREATE MATERIALIZED VIEW v TO sink AS SELECT a FROM k;
        CREATE TABLE again (a Int8) ENGINE = Kafka('b:9092', 'three', 'g3', 'JSONEachRow');
        CREATE TABLE buffer (a Int8) ENGINE = Buffer(currentDatabase(), 'sink', 1, 1, 1, 1, 1, 1, 1);";
    let graph = drawn("", ingestion);
    let name = |at: usize| graph.nodes[at].name.as_str();
    let ways: BTreeSet<_> = graph.edges.iter().map(|edge| (name(edge.from), name(edge.to))).collect();
    let expected = [
        ("buffer", "sink"),
        ("k", "v"),
        ("one", "k"),
        ("sink", "three"),
        ("three", "again"),
        ("two", "k"),
        ("v", "sink"),
    ];
    assert_eq!(ways.into_iter().collect::<Vec<_>>(), expected);
    assert!(svg(&graph).contains(">three<"));
}

#[test]
fn around_a_role_is_what_its_rows_come_from_and_go_to() {
    let data = format!("{STORAGE}; CREATE TABLE alone (a Int8) ENGINE = MergeTree ORDER BY a");
    let whole = drawn(&data, INGESTION);
    let names = |graph: &Graph| graph.nodes.iter().map(|node| node.name.clone()).collect::<BTreeSet<_>>();
    let around = whole.clone().around(&BTreeSet::from([role_name("ingestion-small")]));
    let lost: Vec<String> = names(&whole).difference(&names(&around)).cloned().collect();
    assert_eq!((lost, around.edges.len()), (vec!["alone".to_owned()], whole.edges.len()));
    assert_eq!(whole.clone().around(&BTreeSet::from([role_name("data")])), whole);
    assert!(whole.around(&BTreeSet::new()).nodes.is_empty());
}
