//! A small fleet of the talk's shape: two shards of two replicas, two ingestion hosts, and what a test adds.

use std::sync::Arc;

use housewright::fleet::{
    Cluster, ClusterName, ClusterShard, Fleet, Host, HostName, Layout, Member, Placement, Reach, RoleName,
};
use housewright::problem::{Problem, Severity, Source};
use housewright::role::{PlacementKind, Role, SchemaFile};
use housewright::schema::{Schema, check};
use serde_json::json;

pub const STORAGE: &str = "CREATE TABLE IF NOT EXISTS groups
(
group_type_index UInt8,
group_key VARCHAR,
created_at DateTime64,
team_id Int64,
group_properties VARCHAR,
_timestamp DateTime,
_offset UInt64
)
ENGINE = ReplicatedReplacingMergeTree(
'/clickhouse/tables/{shard}/posthog.groups', '{replica}', _timestamp)
ORDER BY (team_id, group_type_index, group_key)
";

pub const INGESTION: &str = "CREATE MATERIALIZED VIEW IF NOT EXISTS groups_mv
TO writable_groups -- ← writes into the Distributed table
AS SELECT
group_type_index, group_key, created_at, team_id, group_properties,
_timestamp, _offset
FROM kafka_groups; -- ← reads from the Kafka table engine
CREATE TABLE IF NOT EXISTS kafka_groups
(
group_type_index UInt8, group_key VARCHAR, created_at DateTime64,
team_id Int64, group_properties VARCHAR
)
ENGINE = Kafka(warpstream_ingestion, -- named collection (broker list)
kafka_topic_list = 'groups',
kafka_group_name = 'group1',
kafka_format = 'JSONEachRow');
CREATE TABLE IF NOT EXISTS writable_groups
(
group_type_index UInt8, group_key VARCHAR, created_at DateTime64,
team_id Int64, group_properties VARCHAR, _timestamp DateTime, _offset UInt64
)
ENGINE = Distributed('posthog_single_shard', 'default', 'groups');
";

pub fn role_name(name: &str) -> RoleName {
    RoleName::new(name).unwrap()
}

/// A fleet with these texts as the schemas of the roles `data` and `ingestion-small`.
pub fn fleet(data: &str, ingestion: &str) -> Fleet {
    let mut fleet = Fleet::default();
    for (shard, replica) in [(1, "a"), (1, "b"), (2, "a"), (2, "b")] {
        let placement = Placement::Storage { shard, replica: replica.to_owned() };
        add_host(&mut fleet, &format!("data-{shard}{replica}"), "data", placement);
    }
    for number in [1, 2] {
        add_host(&mut fleet, &format!("small-{number}"), "ingestion-small", Placement::Stateless);
    }
    add_cluster(&mut fleet, "posthog", Layout::Sharded, &[&["data-1a", "data-1b"], &["data-2a", "data-2b"]]);
    add_cluster(
        &mut fleet,
        "posthog_single_shard",
        Layout::SingleShard,
        &[&["data-1a", "data-1b", "data-2a", "data-2b"]],
    );
    add_cluster(&mut fleet, "ingestion-small", Layout::OneShardPerHost, &[&["small-1"], &["small-2"]]);
    add_role(&mut fleet, "data", PlacementKind::Storage, data);
    add_role(&mut fleet, "ingestion-small", PlacementKind::Stateless, ingestion);
    fleet
}

pub fn add_host(fleet: &mut Fleet, name: &str, role: &str, placement: Placement) {
    let name = HostName::new(name).unwrap();
    let vars = json!({ "clickhouse_named_collections": { "warpstream_ingestion": { "kafka_broker_list": "b:9092" } } });
    let host = Host {
        fqdn: format!("{name}.example.internal"),
        name: name.clone(),
        role: role_name(role),
        placement,
        zone: None,
        reach: Reach::Member,
        vars: vars.as_object().unwrap().clone().into(),
    };
    fleet.hosts.insert(name, host);
}

fn add_cluster(fleet: &mut Fleet, name: &str, layout: Layout, shards: &[&[&str]]) {
    let member = |host: &&str| Member {
        host: format!("{host}.example.internal"),
        port: 9000,
        secure: false,
        user: None,
        priority: None,
    };
    let shards =
        shards.iter().map(|hosts| ClusterShard { members: hosts.iter().map(member).collect(), weight: None }).collect();
    let name = ClusterName::new(name).unwrap();
    let cluster = Cluster { name: name.clone(), layout, shards, secret: None, internal_replication: true };
    fleet.clusters.insert(name, cluster);
}

pub fn add_role(fleet: &mut Fleet, name: &str, placement: PlacementKind, schema: &str) {
    let source = Arc::new(Source { name: format!("roles/{name}/schema/all.sql"), text: schema.to_owned() });
    let name = role_name(name);
    let role = Role {
        host_cluster_role: Some(name.to_string()),
        schema: vec![SchemaFile { role: name.clone(), source }],
        ..Role::empty(name.clone(), placement)
    };
    fleet.roles.insert(name, role);
}

/// Everything that reading and checking finds, as lines.
pub fn findings(fleet: &Fleet) -> Vec<String> {
    let (schema, mut problems) = Schema::read(fleet);
    problems.extend(check(fleet, &schema));
    problems.iter().map(line).collect()
}

pub fn line(problem: &Problem) -> String {
    let severity = if problem.severity == Severity::Note { "note " } else { "" };
    let hint = problem.hint.as_ref().map(|hint| format!(" | {hint}")).unwrap_or_default();
    format!("{severity}{} {problem}{hint}", problem.code)
}
