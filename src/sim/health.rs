//! What a simulated server says of its health, and the queries that run in it (edge: queries end on tokio's clock).

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::SimServer;
use crate::clickhouse::{Rows, Statement, question};
use crate::fleet::HostName;
use crate::resource::{Complaints, HealthFacts, ask_time};

/// The time that every server of the world tells: none of its clocks goes on.
const NOW: &str = "2026.01.01 00:00:00";

/// How a server is, beside its replicas.
#[derive(Debug, Clone, Default)]
pub struct Health {
    /// How many more looks at it find tables that are still to be loaded.
    pub loading: u64,
    /// Errors about data since its start, with the last message of each.
    pub errors: BTreeMap<String, String>,
    /// What it complains of when it reloads, while it answers that all is well.
    pub complains: Option<(String, String)>,
    /// How often it did.
    pub complained: u64,
    /// When each of its running queries ends.
    pub queries: Vec<Instant>,
    /// What it answers to questions of its role that hold the first text: that many more looks with the first answer, then 1.
    pub asked: Vec<(String, String, u64)>,
    /// Somebody stopped merges.
    pub merges_stopped: bool,
}

impl Health {
    /// Counters, queries and stopped merges end with the server.
    pub(super) fn restarted(&mut self) {
        self.errors.clear();
        self.queries.clear();
        self.merges_stopped = false;
    }

    pub(super) fn reloaded(&mut self) {
        self.complained += u64::from(self.complains.is_some());
    }
}

impl SimServer {
    /// How many members of each cluster are the host itself.
    pub(super) fn local(&self, name: &HostName) -> BTreeMap<String, u64> {
        let count = |members: &Vec<String>| members.iter().filter(|member| is_local(member, name)).count() as u64;
        self.loaded.members.iter().map(|(cluster, members)| (cluster.clone(), count(members))).collect()
    }

    /// Answers what is asked or done about its health; nothing where the statement is another.
    pub(super) fn healthy(&mut self, name: &HostName, statement: &Statement) -> Option<Rows> {
        if *statement == HealthFacts::statement() {
            return Some(self.about_health(name));
        }
        if *statement == Complaints::statement() {
            let complains = self.health.complains.iter().filter(|_| self.health.complained > 0);
            let cell = complains.map(|(name, message)| json!([name, self.health.complained, message])).collect();
            return Some(row(&["complaints"], vec![cell]));
        }
        if let Some((_, elapsed)) =
            statement.text().split_once("system.processes WHERE query_id != queryID() AND elapsed >= ")
        {
            let now = Instant::now();
            self.health.queries.retain(|end| *end > now);
            let left = self.health.queries.len();
            let longest = elapsed.parse::<f64>().unwrap_or_default();
            return Some(row(&["left", "longest"], vec![json!(left), json!(longest)]));
        }
        if *statement == ask_time() {
            return Some(row(&["now", "started"], vec![json!(NOW), json!(NOW)]));
        }
        match statement.text() {
            "SYSTEM STOP MERGES" => self.health.merges_stopped = true,
            "SYSTEM START MERGES" => self.health.merges_stopped = false,
            _ => return None,
        }
        Some(Rows::default())
    }

    /// What it says to a question that a role has written: 1, unless the test says otherwise.
    pub(super) fn answers(&mut self, statement: &Statement) -> Option<Rows> {
        question(statement.text()).ok()?;
        let known =
            |(text, _, left): &&mut (String, String, u64)| *left > 0 && statement.text().contains(text.as_str());
        let other = self.health.asked.iter_mut().find(known).map(|(_, answer, left)| {
            *left -= 1;
            answer.clone()
        });
        Some(row(&["answer"], vec![json!(other.unwrap_or_else(|| "1".to_owned()))]))
    }

    fn about_health(&mut self, name: &HostName) -> Rows {
        let loading = self.health.loading;
        self.health.loading = loading.saturating_sub(1);
        let members = self.loaded.members.iter().flat_map(|(cluster, members)| {
            members.iter().map(move |member| json!([cluster, member, u8::from(is_local(member, name))]))
        });
        let cells = vec![
            json!(loading),
            json!(""),
            json!([self.replicas(), self.readonly(), 0, self.delay]),
            self.health.errors.iter().map(|(name, message)| json!([name, message])).collect(),
            members.collect(),
        ];
        row(&["loading", "broken", "replicas", "errors", "members"], cells)
    }
}

fn row(columns: &[&str], cells: Vec<Value>) -> Rows {
    Rows { columns: columns.iter().map(|name| (*name).to_owned()).collect(), rows: vec![cells] }
}

/// The world's name service: a host is its name, in any domain.
fn is_local(member: &str, name: &HostName) -> bool {
    let address = member.split(' ').nth(1).and_then(|address| address.rsplit_once(':'));
    address.is_some_and(|(host, _)| host.split('.').next() == Some(name.as_str()))
}

/// The members of a cluster's element, as `system.clusters` has them.
pub(super) fn members(cluster: roxmltree::Node<'_, '_>) -> Vec<String> {
    let mut members = Vec::new();
    for (shard_at, shard) in named(cluster, "shard") {
        for (replica_at, replica) in named(shard, "replica") {
            let text = |name| named(replica, name).next().and_then(|(_, node)| node.text()).unwrap_or_default().trim();
            members.push(format!("{}/{} {}:{}", shard_at + 1, replica_at + 1, text("host"), text("port")));
        }
    }
    members
}

fn named<'a, 'i>(
    node: roxmltree::Node<'a, 'i>,
    name: &'static str,
) -> impl Iterator<Item = (usize, roxmltree::Node<'a, 'i>)> {
    node.children().filter(move |child| child.has_tag_name(name)).enumerate()
}
