//! The ClickHouse server itself: version, macros, clusters, replicas, consumers (pure).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::health::HealthFacts;
use super::settings;
use super::stored::{self, Stored};
use crate::clickhouse::config::ServerSettings;
use crate::clickhouse::{ClickHouseError, Rows, Statement};
use crate::secret::look::HIDDEN;

/// What a server says about itself.
#[derive(Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ServerFacts {
    /// `version()`.
    pub version: String,
    /// Seconds since its start.
    pub uptime: u64,
    /// `system.macros`.
    #[serde(skip)]
    pub macros: BTreeMap<String, String>,
    /// Number of replicas in each entry of `system.clusters`.
    pub clusters: BTreeMap<String, u64>,
    /// Replicated tables.
    pub replicas: u64,
    /// Those of them that take no writes.
    pub readonly: u64,
    /// How far behind its peers the slowest of them is, in seconds.
    pub delay: u64,
    /// Kafka consumers that are subscribed.
    pub consumers: u64,
    /// What it says about its own settings; empty where it does not.
    pub settings: ServerSettings,
    /// Where its tables keep their parts.
    pub stored: Stored,
    /// Bytes that are free and bytes in all, by disk; disks without an end are not in here.
    pub disks: BTreeMap<String, (u64, u64)>,
    /// Errors about data that it has counted since its start, by name.
    pub errors: BTreeSet<String>,
    /// How many members of each cluster it takes for itself.
    pub local: BTreeMap<String, u64>,
}

/// Without the values that can be secrets.
impl fmt::Debug for ServerFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerFacts")
            .field("version", &self.version)
            .field("uptime", &self.uptime)
            .field("macros", &self.shown_macros())
            .field("clusters", &self.clusters)
            .field("replicas", &self.replicas)
            .field("readonly", &self.readonly)
            .field("delay", &self.delay)
            .field("consumers", &self.consumers)
            .field("stored", &self.stored)
            .finish_non_exhaustive()
    }
}

/// A replica that is further behind does not stand in for one that is not: it is being filled, or something is wrong.
const MOST_DELAY: u64 = 300;

/// The macro that says which configuration was read.
pub const GENERATION: &str = "generation";

/// Macros that say where a host belongs; any other can hold a secret.
const PLAIN_MACROS: [&str; 7] =
    ["shard", "replica", "hostClusterRole", "hostClusterType", "cluster", GENERATION, "layer"];

/// Whether a macro's value may be shown.
#[must_use]
pub fn shown_macro(name: &str) -> bool {
    PLAIN_MACROS.contains(&name)
}

impl ServerFacts {
    /// The macros for people: the values of those that cannot hold a secret, the names of the others.
    #[must_use]
    pub fn shown_macros(&self) -> BTreeMap<&str, &str> {
        let shown = |name: &str| PLAIN_MACROS.contains(&name);
        self.macros.iter().map(|(name, value)| (name.as_str(), if shown(name) { value } else { HIDDEN })).collect()
    }

    /// Which of our configurations it has read last, where that told one.
    #[must_use]
    pub fn generation(&self) -> Option<&str> {
        self.macros.get(GENERATION).map(String::as_str)
    }

    /// Tells whether it takes writes and is up to date; the error says why not.
    ///
    /// # Errors
    /// A replica is read-only, or far behind its peers.
    pub fn serves(&self) -> Result<(), String> {
        match self {
            Self { readonly: 1.., .. } => Err(format!("{} of {} replicas are read-only", self.readonly, self.replicas)),
            Self { delay, .. } if *delay > MOST_DELAY => Err(format!("a replica is {delay} s behind its peers")),
            _ => Ok(()),
        }
    }
}

/// What a server must tell after it has read its configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Applied {
    /// Macros by name.
    pub macros: BTreeMap<String, String>,
    /// Number of replicas by cluster.
    pub clusters: BTreeMap<String, u64>,
    /// Members by cluster, `shard/replica host:port`, where the files say all of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub members: BTreeMap<String, BTreeSet<String>>,
    /// Clusters in which the server must find itself.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub own: BTreeSet<String>,
}

impl Applied {
    /// The same, whatever the generation is.
    #[must_use]
    pub fn without_generation(&self) -> Self {
        let mut others = self.clone();
        others.macros.remove(GENERATION);
        others
    }

    /// Says the first thing that a server tells otherwise.
    #[must_use]
    pub fn missing_in(&self, server: &ServerFacts) -> Option<String> {
        for (name, want) in &self.macros {
            let is = server.macros.get(name).map_or("missing", |is| is.trim());
            if is != want.trim() {
                // What the server still has may be an old secret; the usual macros are none.
                let plain = PLAIN_MACROS.contains(&name.as_str());
                let text = if plain { format!("is {is}, not {want}") } else { "is not as its files say".to_owned() };
                return Some(format!("macro `{name}` {text}"));
            }
        }
        for (name, want) in &self.clusters {
            let is = server.clusters.get(name).copied().unwrap_or_default();
            if is != *want {
                return Some(format!("cluster `{name}` has {is} replicas, not {want}"));
            }
        }
        None
    }
}

/// Where ClickHouse's packages have the server write what goes wrong.
pub const SERVER_LOG: &str = "/var/log/clickhouse-server/clickhouse-server.err.log";

/// The probe of a server: one statement, one row.
pub struct Server;

impl Server {
    /// The statement that asks for all of it.
    #[must_use]
    pub fn statement() -> Statement {
        Statement::new(format!(
            "SELECT version() AS version, uptime() AS uptime, \
             (SELECT groupArray((macro, substitution)) FROM system.macros) AS macros, \
             (SELECT groupArray((cluster, c)) FROM (SELECT cluster, count() AS c FROM system.clusters GROUP BY cluster)) AS clusters, \
             (SELECT (count(), countIf(is_readonly), max(absolute_delay)) FROM system.replicas) AS replicas, \
             (SELECT count() FROM system.kafka_consumers) AS consumers, \
             (SELECT groupArray((name, free_space, total_space)) FROM system.disks) AS disks, \
             {} AS settings, {} AS policies, {} AS parts, {} AS errors, \
             (SELECT groupArray((cluster, l)) FROM (SELECT cluster, sum(is_local) AS l FROM system.clusters GROUP BY cluster)) AS local",
            settings::ASK,
            stored::ASK_POLICIES,
            stored::ASK_PARTS,
            HealthFacts::ask_errors(),
        ))
    }

    /// Reads its row.
    ///
    /// # Errors
    /// Refuses an answer of another shape.
    pub fn parse(rows: &Rows) -> Result<ServerFacts, ClickHouseError> {
        let garbled = |what: &str| ClickHouseError::Garbled(format!("no `{what}` in the answer to the server probe"));
        let pairs = |column: &str| -> Result<Vec<(String, Value)>, ClickHouseError> {
            let index = rows.columns.iter().position(|name| name == column).ok_or_else(|| garbled(column))?;
            let cell = rows.rows.first().and_then(|row| row.get(index)).ok_or_else(|| garbled(column))?;
            let pair = |item: &Value| match item.as_array().map(Vec::as_slice) {
                Some([Value::String(name), value]) => Ok((name.clone(), value.clone())),
                _ => Err(garbled(column)),
            };
            cell.as_array().ok_or_else(|| garbled(column))?.iter().map(pair).collect()
        };
        let cell = |column: &str| {
            let index = rows.columns.iter().position(|name| name == column)?;
            rows.rows.first()?.get(index)
        };
        let replicas = rows.rows.first().zip(rows.columns.iter().position(|name| name == "replicas"));
        let replicas = replicas.and_then(|(row, index)| row.get(index)?.as_array().cloned()).unwrap_or_default();
        let count = |index: usize| replicas.get(index).and_then(number).ok_or_else(|| garbled("replicas"));
        Ok(ServerFacts {
            version: rows.text(0, "version").ok_or_else(|| garbled("version"))?,
            uptime: rows.number(0, "uptime").ok_or_else(|| garbled("uptime"))?,
            macros: pairs("macros")?
                .into_iter()
                .map(|(name, value)| (name, value.as_str().unwrap_or_default().to_owned()))
                .collect(),
            clusters: pairs("clusters")?
                .into_iter()
                .map(|(name, value)| (name, number(&value).unwrap_or_default()))
                .collect(),
            replicas: count(0)?,
            readonly: count(1)?,
            delay: count(2)?,
            consumers: rows.number(0, "consumers").ok_or_else(|| garbled("consumers"))?,
            disks: cell("disks").and_then(Value::as_array).into_iter().flatten().filter_map(disk).collect(),
            settings: cell("settings").map(settings::read).unwrap_or_default(),
            errors: cell("errors").map(names).unwrap_or_default(),
            local: cell("local").map(counts).unwrap_or_default(),
            stored: stored::read(cell("policies").unwrap_or(&Value::Null), cell("parts").unwrap_or(&Value::Null)),
        })
    }
}

/// Object storage says that it has all the bytes that a number can count.
const ENDLESS: u64 = 1 << 60;

fn disk(row: &Value) -> Option<(String, (u64, u64))> {
    let [name, free, total] = row.as_array()?.as_slice() else { return None };
    let total = number(total).filter(|total| (1..ENDLESS).contains(total))?;
    Some((name.as_str()?.to_owned(), (number(free)?.min(total), total)))
}

fn names(cell: &Value) -> BTreeSet<String> {
    cell.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn counts(cell: &Value) -> BTreeMap<String, u64> {
    let pair = |item: &Value| Some((item.get(0)?.as_str()?.to_owned(), number(item.get(1)?)?));
    cell.as_array().into_iter().flatten().filter_map(pair).collect()
}

pub(super) fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(replicas: Value) -> Rows {
        let columns = ["version", "uptime", "macros", "clusters", "replicas", "consumers"].map(str::to_owned).to_vec();
        let macros = json!([["shard", "1"], ["replica", "a"]]);
        let clusters = json!([["posthog", "4"], ["all", 9]]);
        Rows { columns, rows: vec![vec![json!("25.8.2.1"), json!("77"), macros, clusters, replicas, json!(2)]] }
    }

    #[test]
    fn numbers_are_read_also_where_the_server_quotes_them() {
        let server = Server::parse(&rows(json!(["5", "1", "0"]))).unwrap();
        assert_eq!((server.uptime, server.replicas, server.readonly, server.consumers), (77, 5, 1, 2));
        assert_eq!(server.clusters, BTreeMap::from([("posthog".to_owned(), 4), ("all".to_owned(), 9)]));
        assert_eq!(server.macros["replica"], "a");
    }

    #[test]
    fn an_answer_of_another_shape_is_refused() {
        for replicas in [json!(null), json!([]), json!([5]), json!(["five", 0, 0]), json!([5, 1])] {
            let error = Server::parse(&rows(replicas)).unwrap_err();
            assert!(error.to_string().contains("no `replicas`"), "{error}");
        }
        assert!(Server::parse(&Rows::default()).is_err());
        assert!(Server::parse(&Rows { rows: Vec::new(), ..rows(json!([0, 0, 0])) }).is_err());
    }

    #[test]
    fn the_first_thing_that_a_server_has_not_taken_is_named() {
        let server = Server::parse(&rows(json!([0, 0, 0]))).unwrap();
        let want = |macros: &[(&str, &str)], clusters: &[(&str, u64)]| Applied {
            macros: macros.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            clusters: clusters.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
            ..Applied::default()
        };
        assert_eq!(want(&[("shard", "1")], &[("posthog", 4)]).missing_in(&server), None);
        let missing = want(&[("shard", "2")], &[]).missing_in(&server);
        assert_eq!(missing.as_deref(), Some("macro `shard` is 1, not 2"));
        let missing = want(&[("hostClusterRole", "data")], &[]).missing_in(&server);
        assert_eq!(missing.as_deref(), Some("macro `hostClusterRole` is missing, not data"));
        let missing = want(&[], &[("posthog", 5)]).missing_in(&server);
        assert_eq!(missing.as_deref(), Some("cluster `posthog` has 4 replicas, not 5"));
        let missing = want(&[], &[("new", 1)]).missing_in(&server);
        assert_eq!(missing.as_deref(), Some("cluster `new` has 0 replicas, not 1"));
    }
}
