//! What a live object takes from its server's configuration, by the statement that would make it (pure).
//!
//! It reads tokens and never guesses from text inside a longer string, so it neither sees a name in a comment nor
//! misses one for its quotes.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::engine::TAKES_COLLECTION;
use super::object::ObjectName;
use super::observe::ObservedObject;
use crate::clickhouse::{CreateKind, Engine, Head, StatementText, TokenKind, Value, read_head, split, unquote};
use crate::problem::Source;

/// Macros that the server fills in for each table: no configuration holds them
/// ([ReplicatedMergeTree](https://clickhouse.com/docs/engines/table-engines/mergetree-family/replication)).
const BUILT_IN: [&str; 4] = ["database", "table", "uuid", "server_uuid"];
/// Table functions beside those named as engines whose first argument may be a named collection
/// ([named collections](https://clickhouse.com/docs/operations/named-collections)).
const COLLECTION_FUNCTIONS: [&str; 12] = [
    "remote",
    "remoteSecure",
    "gcs",
    "iceberg",
    "icebergAzure",
    "deltaLake",
    "hudi",
    "s3Cluster",
    "urlCluster",
    "azureBlobStorageCluster",
    "hdfsCluster",
    "mongodb",
];
/// Table functions whose first argument is a cluster.
const CLUSTER_FUNCTIONS: [&str; 2] = ["cluster", "clusterAllReplicas"];

/// What one object takes from the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uses {
    /// The object.
    pub name: ObjectName,
    /// Its engine, of a materialized view the one of its own storage.
    pub engine: String,
    /// Macros that stand unexpanded in its engine's arguments or settings.
    pub macros: BTreeSet<String>,
    /// Clusters, as they are written: a macro may stand for one.
    pub clusters: BTreeSet<String>,
    /// The named collection that its engine keeps from the moment when it was attached.
    pub kept_collection: Option<String>,
    /// Named collections, the kept one among them.
    pub collections: BTreeSet<String>,
    /// The user as whom a view reads and writes.
    pub definer: Option<String>,
}

impl Uses {
    /// Reads an object; nothing where its statement is not shown.
    #[must_use]
    pub fn of(object: &ObservedObject) -> Option<Self> {
        let source = Arc::new(Source { name: String::new(), text: object.create_query.clone() });
        let statement = split(&source).into_iter().next()?;
        let (engine, kind) = match read_head(&statement) {
            Head::Create(create) => (create.engine, Some(create.kind)),
            Head::Other { .. } => (None, None),
        };
        let mut uses = Self {
            name: object.name.clone(),
            engine: engine.as_ref().map_or_else(|| object.engine.clone(), |engine| engine.name.clone()),
            macros: BTreeSet::new(),
            clusters: BTreeSet::new(),
            kept_collection: None,
            collections: BTreeSet::new(),
            definer: None,
        };
        if let Some(engine) = &engine {
            uses.read_engine(engine);
        }
        uses.read_tokens(&statement, kind == Some(CreateKind::Dictionary));
        Some(uses)
    }

    /// Whether it is a replica of a table of other hosts: then its macros say which one.
    #[must_use]
    pub fn is_replicated(&self) -> bool {
        self.engine.starts_with("Replicated")
    }

    fn read_engine(&mut self, engine: &Engine) {
        let arguments = engine.arguments.iter().map(|argument| &argument.value);
        for value in arguments.chain(engine.settings.iter().map(|(_, value)| value)) {
            if let Value::Text(text) | Value::Expression(text) = value {
                self.macros.extend(macros(text));
            }
        }
        let first = engine.positional(0);
        if engine.name == "Distributed" {
            self.clusters.extend(first.and_then(Value::literal).map(str::to_owned));
        }
        if let (true, Some(Value::Name(name))) = (TAKES_COLLECTION.contains(&engine.name.as_str()), first) {
            self.kept_collection = Some(name.clone());
            self.collections.insert(name.clone());
        }
    }

    /// Table functions, the sources of dictionaries, and the definer.
    fn read_tokens(&mut self, statement: &StatementText, dictionary: bool) {
        let text = |at: usize| statement.tokens.get(at).map_or("", |token| token.text(&statement.span.source.text));
        let kind = |at: usize| statement.tokens.get(at).map(|token| token.kind);
        let named = |at: usize, is: &[&str]| is.iter().any(|name| name.eq_ignore_ascii_case(text(at)));
        for at in 0..statement.tokens.len() {
            if kind(at) != Some(TokenKind::Word) {
                continue;
            }
            let is_name = matches!(kind(at + 2), Some(TokenKind::Word | TokenKind::Quoted));
            let whole = matches!(text(at + 3), "," | ")");
            if text(at + 1) == "(" && whole {
                if is_name && (named(at, &TAKES_COLLECTION) || named(at, &COLLECTION_FUNCTIONS)) {
                    self.collections.insert(unquote(text(at + 2)));
                }
                if named(at, &CLUSTER_FUNCTIONS) && (is_name || kind(at + 2) == Some(TokenKind::Text)) {
                    self.clusters.insert(unquote(text(at + 2)));
                }
            }
            if dictionary && named(at, &["NAME"]) && kind(at + 1).is_some_and(|kind| kind != TokenKind::Symbol) {
                self.collections.insert(unquote(text(at + 1)));
            }
            if named(at, &["DEFINER"]) && text(at + 1) == "=" {
                self.definer = Some(unquote(text(at + 2)));
            }
        }
    }
}

/// The names in `{...}`.
fn macros(text: &str) -> impl Iterator<Item = String> {
    let inside = text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name));
    let plain = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    inside.filter(plain).filter(|name| !BUILT_IN.contains(name)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uses(engine: &str, create_query: &str) -> Uses {
        let name = ObjectName::relation(None, "t");
        Uses::of(&ObservedObject { name, engine: engine.to_owned(), create_query: create_query.to_owned() }).unwrap()
    }

    fn texts(set: &BTreeSet<String>) -> Vec<&str> {
        set.iter().map(String::as_str).collect()
    }

    #[test]
    fn a_replicated_table_uses_the_macros_of_its_path() {
        let uses = uses(
            "ReplicatedReplacingMergeTree",
            "CREATE TABLE default.t (`a` String DEFAULT '{nope}') ENGINE = ReplicatedReplacingMergeTree('/clickhouse/{layer}/{shard}/{database}.{table}', '{replica}', ver) ORDER BY a SETTINGS storage_policy = 'hot'",
        );
        assert_eq!(texts(&uses.macros), ["layer", "replica", "shard"]);
        assert!(uses.is_replicated());
    }

    #[test]
    fn a_kafka_table_keeps_its_collection() {
        let uses = uses(
            "Kafka",
            "CREATE TABLE default.t (`a` String) ENGINE = Kafka(warpstream, kafka_topic_list = 'x') SETTINGS kafka_client_id = '{replica}'",
        );
        assert_eq!(uses.kept_collection.as_deref(), Some("warpstream"));
        assert_eq!((texts(&uses.collections), texts(&uses.macros)), (vec!["warpstream"], vec!["replica"]));
    }

    #[test]
    fn a_distributed_table_and_a_view_name_clusters() {
        let table =
            uses("Distributed", "CREATE TABLE default.t (`a` String) ENGINE = Distributed('posthog', 'default', 'x')");
        assert_eq!(texts(&table.clusters), ["posthog"]);
        let table = uses(
            "Distributed",
            "CREATE TABLE default.t (`a` String) ENGINE = Distributed('{cluster}', 'default', 'x')",
        );
        assert_eq!((texts(&table.clusters), texts(&table.macros)), (vec!["{cluster}"], vec!["cluster"]));
        let view = uses(
            "View",
            "CREATE VIEW default.t AS SELECT cluster, 'cluster(no)' FROM clusterAllReplicas('all', system.one) JOIN s3(creds, filename = 'x')",
        );
        assert_eq!((texts(&view.clusters), texts(&view.collections)), (vec!["all"], vec!["creds"]));
        assert_eq!(view.kept_collection, None);
    }

    #[test]
    fn dictionaries_and_definers_are_read() {
        let dictionary = uses(
            "Dictionary",
            "CREATE DICTIONARY default.t (`a` UInt64) PRIMARY KEY a SOURCE(MYSQL(NAME mysql1 TABLE 't')) LIFETIME(MIN 0 MAX 1) LAYOUT(FLAT())",
        );
        assert_eq!(texts(&dictionary.collections), ["mysql1"]);
        let view = uses(
            "MaterializedView",
            "CREATE MATERIALIZED VIEW default.t TO default.x (`a` String) DEFINER = ingest SQL SECURITY DEFINER AS SELECT a FROM default.y",
        );
        assert_eq!(view.definer.as_deref(), Some("ingest"));
    }

    proptest::proptest! {
        #[test]
        fn every_statement_is_read(text in "[A-Za-z0-9 (),'`{}=.]{0,60}") {
            let name = ObjectName::relation(None, "t");
            let _ = Uses::of(&ObservedObject { name, engine: "Kafka".to_owned(), create_query: format!("CREATE TABLE t (a String) ENGINE = {text}") });
        }
    }
}
