//! Random fleets: how many of what, in which order they are written, and what changes in their inventory.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use housewright::problem::{Problem, Source};
use housewright::render::Templates;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::world::Project;

/// How many hosts of what.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Replicas of each shard.
    pub shards: Vec<usize>,
    pub ingestion: usize,
    pub keepers: usize,
}

pub fn shape() -> impl Strategy<Value = Shape> {
    let keepers = prop_oneof![Just(1_usize), Just(3)];
    let shards = prop_oneof![
        3 => proptest::collection::vec(1_usize..=4, 1..=3),
        1 => proptest::collection::vec(2_usize..=3, 4..=6),
    ];
    (shards, 0_usize..=4, keepers).prop_map(|(shards, ingestion, keepers)| Shape { shards, ingestion, keepers })
}

impl Shape {
    pub fn storage(&self) -> Vec<String> {
        let shards = self.shards.iter().enumerate();
        shards.flat_map(|(shard, replicas)| (0..*replicas).map(move |replica| data(shard, replica))).collect()
    }

    pub fn keepers(&self) -> Vec<String> {
        (1..=self.keepers).map(|id| format!("keeper-{id}")).collect()
    }

    pub fn hosts(&self) -> Vec<String> {
        let ingestion = (1..=self.ingestion).map(|number| format!("small-{number}"));
        self.keepers().into_iter().chain(self.storage()).chain(ingestion).collect()
    }

    /// The hosts of a storage host's shard, itself included.
    pub fn shard_of(&self, host: &str) -> Vec<String> {
        let Some(start) = host.strip_prefix("data-").and_then(|rest| rest.split('-').next()) else { return Vec::new() };
        self.storage().into_iter().filter(|other| other.starts_with(&format!("data-{start}-"))).collect()
    }
}

fn data(shard: usize, replica: usize) -> String {
    format!("data-{}-{}", shard + 1, ["a", "b", "c", "d"][replica])
}

/// What is different in the inventory or the templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// A setting that the server takes at its start only.
    Setting,
    /// One more cluster.
    Cluster,
    /// The text of a template, not its meaning.
    Comment,
    /// A setting of a profile.
    Profile,
    /// What a Keeper reads at its start.
    Keeper,
    /// A new named collection.
    Collection,
    /// An existing named collection.
    Brokers,
}

pub fn changes() -> impl Strategy<Value = Vec<Change>> {
    use Change::{Brokers, Cluster, Collection, Comment, Keeper, Profile, Setting};
    proptest::sample::subsequence(vec![Setting, Cluster, Comment, Profile, Keeper, Collection, Brokers], 0..=4)
}

/// A way to write the same inventory: the order of hosts, groups and keys.
#[derive(Debug, Clone)]
pub struct Order(Vec<Index>);

pub fn order() -> impl Strategy<Value = Order> {
    proptest::collection::vec(any::<Index>(), 64).prop_map(Order)
}

impl Order {
    /// As they come.
    pub fn plain() -> Self {
        Self(Vec::new())
    }

    fn shuffle(&self, mut lines: Vec<String>) -> String {
        for (at, index) in self.0.iter().enumerate().take(lines.len()) {
            let other = index.index(lines.len());
            lines.swap(at, other);
        }
        lines.concat()
    }
}

/// Reads the project that a shape, changes and an order make.
pub fn project(shape: &Shape, changes: &[Change], order: &Order) -> Project {
    project_with(shape, changes, order, "", |reference| format!("the value of {reference}"))
}

pub fn project_with(
    shape: &Shape,
    changes: &[Change],
    order: &Order,
    more_vars: &str,
    secret: impl Fn(&str) -> String,
) -> Project {
    let files = tempfile::tempdir().unwrap();
    let path = files.path();
    fs::create_dir(path.join("group_vars")).unwrap();
    fs::write(path.join("hosts.yml"), hosts(shape, order)).unwrap();
    fs::write(path.join("group_vars/all.yml"), vars(changes, order) + more_vars).unwrap();
    let project = Project::load(path, Path::new("roles"), templates(changes), secret);
    project.unwrap_or_else(|problems| panic!("{}", said(&problems)))
}

fn said(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

fn hosts(shape: &Shape, order: &Order) -> String {
    let keeper = |name: String| format!("        {name}: {{ keeper_id: {} }}\n", &name["keeper-".len()..]);
    let storage = |name: String| {
        let (shard, replica) = name["data-".len()..].split_once('-').unwrap();
        format!("        {name}: {{ shard: {shard}, replica: {replica} }}\n")
    };
    let small = (1..=shape.ingestion).map(|number| format!("        small-{number}:\n")).collect();
    let group = |name: &str, role: &str, hosts: Vec<String>| {
        let hosts = order.shuffle(hosts);
        if hosts.is_empty() {
            return String::new();
        }
        order.shuffle(vec![format!("    {name}:\n      vars: {{ hostClusterRole: {role} }}\n      hosts:\n{hosts}")])
    };
    let groups = vec![
        group("coordination", "keeper", shape.keepers().into_iter().map(keeper).collect()),
        group("data", "data", shape.storage().into_iter().map(storage).collect()),
        group("ingestion_small", "small", small),
    ];
    format!("all:\n  children:\n{}", order.shuffle(groups))
}

fn vars(changes: &[Change], order: &Order) -> String {
    let has = |change| changes.contains(&change);
    let mut clusters = vec![
        "  posthog: { hosts: data, layout: sharded, secret: \"env:CLUSTER_SECRET\" }\n".to_owned(),
        "  posthog_single_shard: { hosts: data, layout: single_shard, secret: \"env:CLUSTER_SECRET\" }\n".to_owned(),
    ];
    if has(Change::Cluster) {
        clusters.push("  everybody: { hosts: data, layout: one_shard_per_host }\n".to_owned());
    }
    let brokers = if has(Change::Brokers) { "other:9092" } else { "broker:9092" };
    let mut collections = vec![format!("  warpstream_ingestion: {{ kafka_broker_list: \"{brokers}\" }}\n")];
    if has(Change::Collection) {
        collections.push("  another: { kafka_broker_list: \"another:9092\" }\n".to_owned());
    }
    let mut parts = vec![
        format!("clickhouse_clusters:\n{}", order.shuffle(clusters)),
        format!("clickhouse_named_collections:\n{}", order.shuffle(collections)),
        "clickhouse_users: { metrics: { password: { from_secret: \"env:METRICS_PASSWORD\" }, profile: default } }\n"
            .to_owned(),
    ];
    if has(Change::Setting) {
        parts.push("clickhouse_settings: { path: /data/clickhouse/ }\n".to_owned());
    }
    if has(Change::Profile) {
        parts.push("clickhouse_profiles: { default: { max_memory_usage: 10000000000 } }\n".to_owned());
    }
    if has(Change::Keeper) {
        parts.push("keeper_raft_port: 9235\n".to_owned());
    }
    order.shuffle(parts)
}

fn templates(changes: &[Change]) -> Result<Templates, Vec<Problem>> {
    fn walk(directory: &Path, found: &mut BTreeMap<String, Arc<Source>>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|end| end == "tera") {
                let name = path.strip_prefix("templates").unwrap().to_string_lossy().into_owned();
                found.insert(
                    name,
                    Arc::new(Source { name: path.display().to_string(), text: fs::read_to_string(path).unwrap() }),
                );
            }
        }
    }
    let mut sources = BTreeMap::new();
    walk(Path::new("templates"), &mut sources);
    if changes.contains(&Change::Comment) {
        let macros = sources.get_mut("clickhouse/config.d/macros.xml.tera").unwrap();
        let text = macros.text.clone() + "<!-- the end -->\n";
        *macros = Arc::new(Source { name: macros.name.clone(), text });
    }
    Templates::new(sources)
}
