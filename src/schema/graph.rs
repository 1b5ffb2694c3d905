//! How rows flow through the fleet's objects: topics, queues, views, proxies, storage and its readers (pure).
//!
//! An edge goes the way that rows go. Only what a statement says surely becomes one.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::engine::{Family, Remote, collection, kafka_setting};
use super::object::{Object, ObjectKind, ObjectName};
use crate::clickhouse::Value;
use crate::fleet::{Cluster, Fleet, Placement, RoleName};
use crate::role::PlacementKind;

/// All objects that rows flow through, by the roles that have them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// The roles that have some.
    pub roles: BTreeMap<RoleName, GraphRole>,
    /// Topics and objects; edges name them by their place here.
    pub nodes: Vec<Node>,
    /// Where rows go.
    pub edges: Vec<Edge>,
}

/// A role as the picture tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GraphRole {
    /// What its hosts keep.
    pub placement: PlacementKind,
    /// How many hosts it has.
    pub hosts: usize,
    /// How many shards they hold.
    pub shards: usize,
}

/// What something does with rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeKind {
    /// A topic of a broker.
    Topic,
    /// A table that drains a queue, or fills one.
    Queue,
    /// A materialized view.
    Flow,
    /// A table that passes rows on.
    Proxy,
    /// A table that keeps rows.
    Storage,
    /// A view.
    View,
    /// A dictionary.
    Dictionary,
}

/// One thing in the picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// The role whose hosts have it; none for topics.
    pub role: Option<RoleName>,
    /// Its name.
    pub name: String,
    /// What it does with rows.
    pub kind: NodeKind,
    /// The engine, or where a topic's brokers are.
    pub about: String,
}

/// Where rows go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Edge {
    /// From which node.
    pub from: usize,
    /// To which node.
    pub to: usize,
    /// The cluster over which they go to other hosts.
    pub cluster: Option<String>,
}

/// Reads the flow of a whole fleet.
#[must_use]
pub fn graph(fleet: &Fleet, schema: &BTreeMap<RoleName, Vec<Object>>) -> Graph {
    let mut building = Building { fleet, graph: Graph::default(), at: BTreeMap::new(), topics: BTreeMap::new() };
    for (role, objects) in schema {
        for object in objects {
            building.object(role, object);
        }
    }
    for (role, objects) in schema {
        let written: BTreeSet<&ObjectName> = objects.iter().filter_map(|object| object.target.as_ref()).collect();
        for object in objects {
            building.flows(role, object, written.contains(&object.name));
        }
    }
    let mut graph = building.graph;
    graph.edges.sort();
    graph.edges.dedup();
    graph
}

impl Graph {
    /// What rows of these roles' objects come from and go to, and nothing else.
    #[must_use]
    pub fn around(self, roles: &BTreeSet<RoleName>) -> Self {
        let own = |node: &Node| node.role.as_ref().is_some_and(|role| roles.contains(role));
        let own: BTreeSet<usize> =
            self.nodes.iter().enumerate().filter(|(_, node)| own(node)).map(|(at, _)| at).collect();
        let mut kept = own.clone();
        for (from, to) in [(Edge::from as Way, Edge::to as Way), (Edge::to, Edge::from)] {
            let mut seen = own.clone();
            let mut left: Vec<usize> = own.iter().copied().collect();
            while let Some(at) = left.pop() {
                let next = self.edges.iter().filter(|edge| from(edge) == at).map(to);
                left.extend(next.filter(|next| seen.insert(*next)));
            }
            kept.extend(seen);
        }
        let new: BTreeMap<usize, usize> = kept.iter().enumerate().map(|(new, old)| (*old, new)).collect();
        let edge = |edge: Edge| Some(Edge { from: *new.get(&edge.from)?, to: *new.get(&edge.to)?, ..edge });
        let edges = self.edges.into_iter().filter_map(edge).collect();
        let nodes: Vec<Node> =
            self.nodes.into_iter().enumerate().filter(|(at, _)| kept.contains(at)).map(|(_, node)| node).collect();
        let mut left = self.roles;
        left.retain(|role, _| nodes.iter().any(|node| node.role.as_ref() == Some(role)));
        Self { roles: left, nodes, edges }
    }
}

type Way = fn(&Edge) -> usize;

impl Edge {
    fn from(&self) -> usize {
        self.from
    }

    fn to(&self) -> usize {
        self.to
    }
}

struct Building<'a> {
    fleet: &'a Fleet,
    graph: Graph,
    at: BTreeMap<(&'a RoleName, &'a ObjectName), usize>,
    /// Topics by brokers and name.
    topics: BTreeMap<(String, String), usize>,
}

impl<'a> Building<'a> {
    fn object(&mut self, role: &'a RoleName, object: &'a Object) {
        let Some((kind, about)) = about(object) else { return };
        self.at.insert((role, &object.name), self.graph.nodes.len());
        self.graph.nodes.push(Node { role: Some(role.clone()), name: object.name.to_string(), kind, about });
        if !self.graph.roles.contains_key(role) {
            self.graph.roles.insert(role.clone(), self.role(role));
        }
    }

    fn role(&self, role: &RoleName) -> GraphRole {
        let hosts = self.fleet.hosts.values().filter(|host| host.role == *role);
        let shards: BTreeSet<u32> = hosts
            .clone()
            .filter_map(|host| match host.placement {
                Placement::Storage { shard, .. } => Some(shard),
                Placement::Stateless | Placement::Keeper { .. } => None,
            })
            .collect();
        let placement = self.fleet.roles.get(role).map_or(PlacementKind::Stateless, |role| role.placement);
        GraphRole { placement, hosts: hosts.count(), shards: shards.len() }
    }

    fn flows(&mut self, role: &'a RoleName, object: &'a Object, is_written: bool) {
        let Some(own) = self.at.get(&(role, &object.name)).copied() else { return };
        let local = |name: &ObjectName| self.at.get(&(role, name)).copied();
        // The columns of `CREATE TABLE a AS b` are b's; no row goes from one to the other.
        if object.kind != ObjectKind::Table {
            let sources: Vec<usize> = object.sources.iter().filter_map(local).collect();
            self.graph.edges.extend(sources.into_iter().map(|from| Edge { from, to: own, cluster: None }));
        }
        if let Some(to) = object.target.as_ref().and_then(|target| self.at.get(&(role, target)).copied()) {
            self.graph.edges.push(Edge { from: own, to, cluster: None });
        }
        if object.engine_name() == "Buffer"
            && let Some(to) = buffered(object).and_then(|name| self.at.get(&(role, &name)).copied())
        {
            self.graph.edges.push(Edge { from: own, to, cluster: None });
        }
        if let Some(remote) = Remote::of(object) {
            self.remote(role, own, &remote, is_written);
        }
        for topic in topics(object) {
            let from = self.topic(topic);
            let edge = if is_written {
                Edge { from: own, to: from, cluster: None }
            } else {
                Edge { from, to: own, cluster: None }
            };
            self.graph.edges.push(edge);
        }
    }

    /// Rows go to the cluster's hosts where something here writes to the table, and come from there where it is read.
    fn remote(&mut self, role: &RoleName, own: usize, remote: &Remote, is_written: bool) {
        let cluster = self.fleet.clusters.values().find(|cluster| cluster.name.as_str() == remote.cluster);
        let of = cluster.map_or_else(|| BTreeSet::from([role]), |cluster| roles_of(self.fleet, cluster));
        for there in of.into_iter().filter_map(|there| self.at.get(&(there, &remote.table))) {
            let (from, to) = if is_written { (own, *there) } else { (*there, own) };
            if from != to {
                self.graph.edges.push(Edge { from, to, cluster: Some(remote.cluster.clone()) });
            }
        }
    }

    fn topic(&mut self, topic: (String, String)) -> usize {
        if let Some(at) = self.topics.get(&topic) {
            return *at;
        }
        let at = self.graph.nodes.len();
        let (about, name) = topic.clone();
        self.graph.nodes.push(Node { role: None, name, kind: NodeKind::Topic, about });
        self.topics.insert(topic, at);
        at
    }
}

/// The roles of a cluster's hosts that the inventory knows.
fn roles_of<'a>(fleet: &'a Fleet, cluster: &Cluster) -> BTreeSet<&'a RoleName> {
    let members: BTreeSet<&str> =
        cluster.shards.iter().flat_map(|shard| &shard.members).map(|member| member.host.as_str()).collect();
    let hosts = fleet.hosts.values();
    let is_member =
        |host: &&crate::fleet::Host| members.contains(host.fqdn.as_str()) || members.contains(host.name.as_str());
    hosts.filter(is_member).map(|host| &host.role).collect()
}

fn about(object: &Object) -> Option<(NodeKind, String)> {
    let engine = object.engine_name();
    Some(match object.kind {
        ObjectKind::Database | ObjectKind::Function | ObjectKind::NamedCollection => return None,
        ObjectKind::View => (NodeKind::View, "view".to_owned()),
        ObjectKind::Dictionary => (NodeKind::Dictionary, "dictionary".to_owned()),
        ObjectKind::MaterializedView if object.target.is_none() && !engine.is_empty() => {
            (NodeKind::Flow, format!("materialized view, {engine}"))
        }
        ObjectKind::MaterializedView => (NodeKind::Flow, "materialized view".to_owned()),
        ObjectKind::Table => {
            let kind = match Family::of(engine) {
                Family::Queue => NodeKind::Queue,
                Family::Proxy => NodeKind::Proxy,
                Family::Storage | Family::Other => NodeKind::Storage,
            };
            let key = Remote::of(object).and_then(|remote| remote.sharding_key);
            let consumers = kafka_setting(object, "kafka_num_consumers").filter(|count| *count != "1");
            (
                kind,
                match (key, consumers) {
                    (Some(key), _) => format!("{engine} by {}", written(&key)),
                    (None, Some(count)) => format!("{engine}, {count} consumers"),
                    (None, None) => engine.to_owned(),
                },
            )
        }
    })
}

fn written(key: &Value) -> String {
    match key {
        Value::Text(text) | Value::Name(text) | Value::Number(text) => text.clone(),
        Value::Expression(text) => text.replace(" ( ", "(").replace(" )", ")").replace(" ,", ","),
    }
}

/// Each topic of a Kafka table, with where its brokers are.
fn topics(object: &Object) -> Vec<(String, String)> {
    let Some(list) = kafka_setting(object, "kafka_topic_list") else { return Vec::new() };
    let brokers = collection(object).or_else(|| kafka_setting(object, "kafka_broker_list")).unwrap_or("topic");
    let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| (brokers.to_owned(), name.to_owned())).collect()
}

/// `Buffer(database, table, ...)`.
fn buffered(object: &Object) -> Option<ObjectName> {
    let engine = object.engine.as_ref()?;
    let database = match engine.positional(0)? {
        Value::Expression(_) => None,
        other => other.literal(),
    };
    Some(ObjectName::relation(database, engine.positional(1)?.literal()?))
}
