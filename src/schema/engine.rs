//! What engines have to do with rows, queues and other hosts (pure).

use super::object::{Object, ObjectKind, ObjectName};
use crate::clickhouse::Value;

/// What a table's engine does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// It keeps rows on the host's disk.
    Storage,
    /// It keeps rows in memory, or none, or elsewhere.
    Other,
    /// It passes rows on to other tables.
    Proxy,
    /// It drains a queue in the background.
    Queue,
}

/// Engines that keep their rows in files on the host, beside the MergeTree family
/// ([table engines](https://clickhouse.com/docs/engines/table-engines)).
const ON_DISK: [&str; 8] = ["Log", "StripeLog", "TinyLog", "EmbeddedRocksDB", "Join", "Set", "File", "TimeSeries"];
const QUEUES: [&str; 6] = ["Kafka", "RabbitMQ", "NATS", "FileLog", "S3Queue", "AzureQueue"];
const PROXIES: [&str; 3] = ["Distributed", "Buffer", "Merge"];
/// Engines whose first argument may be a named collection.
pub(super) const TAKES_COLLECTION: [&str; 14] = [
    "Kafka",
    "RabbitMQ",
    "NATS",
    "S3",
    "S3Queue",
    "AzureQueue",
    "AzureBlobStorage",
    "URL",
    "MySQL",
    "PostgreSQL",
    "MongoDB",
    "Redis",
    "HDFS",
    "IcebergS3",
];

impl Family {
    /// The family of an engine by its name.
    #[must_use]
    pub fn of(engine: &str) -> Self {
        if engine.ends_with("MergeTree") || ON_DISK.contains(&engine) {
            Self::Storage
        } else if QUEUES.contains(&engine) {
            Self::Queue
        } else if PROXIES.contains(&engine) {
            Self::Proxy
        } else {
            Self::Other
        }
    }
}

/// The table that a Distributed table stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// The cluster, as it is written.
    pub cluster: String,
    /// The table on the cluster's hosts.
    pub table: ObjectName,
    /// How rows are spread, where it says so.
    pub sharding_key: Option<Value>,
}

impl Remote {
    /// Reads it from a Distributed table; nothing for other objects, and where an argument is no plain name.
    #[must_use]
    pub fn of(object: &Object) -> Option<Self> {
        let engine = object.engine.as_ref().filter(|engine| engine.name == "Distributed")?;
        let cluster = engine.positional(0)?.literal()?.to_owned();
        let database = match engine.positional(1)? {
            // `currentDatabase()`: the connection's.
            Value::Expression(text) if text.to_ascii_lowercase().starts_with("currentdatabase") => None,
            Value::Expression(_) => return None,
            other => other.literal(),
        };
        let table = ObjectName::relation(database, engine.positional(2)?.literal()?);
        Some(Self { cluster, table, sharding_key: engine.positional(3).cloned() })
    }
}

/// A named collection that a table's engine takes its settings from.
#[must_use]
pub fn collection(object: &Object) -> Option<&str> {
    let engine = object.engine.as_ref().filter(|engine| TAKES_COLLECTION.contains(&engine.name.as_str()))?;
    if object.kind != ObjectKind::Table {
        return None;
    }
    match engine.positional(0)? {
        Value::Name(name) => Some(name),
        _ => None,
    }
}

/// A setting of a Kafka table, whether it is positional, `key = value` or under SETTINGS.
#[must_use]
pub fn kafka_setting<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    const POSITIONS: [&str; 4] = ["kafka_broker_list", "kafka_topic_list", "kafka_group_name", "kafka_format"];
    let engine = object.engine.as_ref().filter(|engine| engine.name == "Kafka")?;
    if let Some(value) = engine.setting(name) {
        return value.literal();
    }
    let position = POSITIONS.iter().position(|known| *known == name)?;
    match engine.positional(position)? {
        Value::Text(text) => Some(text),
        _ => None,
    }
}
