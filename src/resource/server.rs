//! The ClickHouse server itself: version, macros, clusters, replicas, consumers (pure).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::clickhouse::{ClickHouseError, Rows, Statement};
use crate::fleet::ClusterName;

/// What a server says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerFacts {
    /// `version()`.
    pub version: String,
    /// Seconds since its start.
    pub uptime: u64,
    /// `system.macros`.
    pub macros: BTreeMap<String, String>,
    /// Number of replicas in each entry of `system.clusters`.
    pub clusters: BTreeMap<String, u64>,
    /// Replicated tables.
    pub replicas: u64,
    /// Those of them that take no writes.
    pub readonly: u64,
    /// Kafka consumers that are subscribed.
    pub consumers: u64,
}

impl ServerFacts {
    /// Compares what the server tells with what its files say.
    ///
    /// # Errors
    /// Names the first macro or cluster that is another.
    pub fn tells(
        &self,
        macros: &BTreeMap<String, String>,
        clusters: &BTreeMap<ClusterName, u64>,
    ) -> Result<(), String> {
        for (name, want) in macros {
            let is = self.macros.get(name).map_or("missing", String::as_str);
            if is != want {
                return Err(format!("macro `{name}` is {is}, not {want}"));
            }
        }
        for (name, want) in clusters {
            let is = self.clusters.get(name.as_str()).copied().unwrap_or_default();
            if is != *want {
                return Err(format!("cluster `{name}` has {is} replicas, not {want}"));
            }
        }
        Ok(())
    }
}

/// The probe of a server: one statement, one row.
pub struct Server;

impl Server {
    /// The statement that asks for all of it.
    #[must_use]
    pub fn statement() -> Statement {
        Statement::new(
            "SELECT version() AS version, uptime() AS uptime, \
             (SELECT groupArray((macro, substitution)) FROM system.macros) AS macros, \
             (SELECT groupArray((cluster, c)) FROM (SELECT cluster, count() AS c FROM system.clusters GROUP BY cluster)) AS clusters, \
             (SELECT (count(), countIf(is_readonly)) FROM system.replicas) AS replicas, \
             (SELECT count() FROM system.kafka_consumers) AS consumers",
        )
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
            consumers: rows.number(0, "consumers").ok_or_else(|| garbled("consumers"))?,
        })
    }
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}
