//! What a host's objects lack or have otherwise (pure).
//!
//! Compares only what can be compared surely: the server keeps statements in a form of its own, and an object that was
//! created from the same text never differs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::engine::{Remote, collection, kafka_setting};
use super::object::{Object, ObjectKind, ObjectName};
use super::observe::ObservedObject;
use super::operation::{Difference, ObjectChange};
use super::read::from_statement;
use super::record::Records;
use crate::clickhouse::Value;
use crate::clickhouse::split;
use crate::problem::Source;
use crate::role::SchemaFile;

/// Compares one host's desired objects with its live ones; live objects that no role wants are left alone.
///
/// The order is that of `desired`.
#[must_use]
pub fn diff(desired: &[Object], observed: &[ObservedObject], _records: &Records) -> Vec<ObjectChange> {
    let live: BTreeMap<&ObjectName, &ObservedObject> = observed.iter().map(|object| (&object.name, object)).collect();
    let change = |object: &Object| match live.get(&object.name) {
        None => Some(ObjectChange::Create(object.clone())),
        Some(live) => {
            let why = differences(object, live);
            let hint = "change it by hand: this version only creates".to_owned();
            (!why.is_empty()).then(|| ObjectChange::Held { object: object.clone(), why, hint })
        }
    };
    desired.iter().filter_map(change).collect()
}

fn differences(object: &Object, live: &ObservedObject) -> Vec<Difference> {
    let mut found = Differences::default();
    let engine = match object.kind {
        ObjectKind::MaterializedView => "MaterializedView",
        ObjectKind::View => "View",
        ObjectKind::Dictionary => "Dictionary",
        // A database without ENGINE gets the server's default one, a table that of `default_table_engine`.
        ObjectKind::Table | ObjectKind::Database => object.engine_name(),
        ObjectKind::Function | ObjectKind::NamedCollection => return Vec::new(),
    };
    let parsed = parse(object, live);
    // Some engines have several names (`Iceberg`, `IcebergS3`): the statement keeps the one that was written.
    let written = parsed.as_ref().filter(|_| object.kind == ObjectKind::Table).map(Object::engine_name);
    if !engine.is_empty() {
        found.compare("engine", Some(engine), written.filter(|name| !name.is_empty()).or(Some(&live.engine)));
    }
    if let Some(parsed) = parsed.filter(|_| found.0.is_empty()) {
        inside(object, &parsed, &mut found);
    }
    found.0
}

/// Reads the server's statement as an object in the desired one's place.
fn parse(object: &Object, live: &ObservedObject) -> Option<Object> {
    let source = Arc::new(Source { name: live.name.to_string(), text: live.create_query.clone() });
    let file = SchemaFile { role: object.role.clone(), source };
    from_statement(&file, split(&file.source).first()?).ok()
}

fn inside(object: &Object, live: &Object, found: &mut Differences) {
    let names = |columns: &Option<Vec<String>>| columns.as_ref().map(|columns| columns.join(", "));
    // A view's columns are the query's own where the statement lists none.
    found.compare("columns", names(&object.columns).as_deref(), names(&live.columns).as_deref());
    let target = |object: &Object| object.target.as_ref().map(ObjectName::to_string);
    found.compare("target", target(object).as_deref(), target(live).as_deref());
    if let (Some(desired), Some(live)) = (Remote::of(object), Remote::of(live)) {
        found.compare("cluster", Some(&desired.cluster), Some(&live.cluster));
        found.compare("remote table", Some(&desired.table.to_string()), Some(&live.table.to_string()));
        let key = |remote: &Remote| match &remote.sharding_key {
            None => Some("none".to_owned()),
            Some(key) => plain_key(key),
        };
        found.compare("sharding key", key(&desired).as_deref(), key(&live).as_deref());
    }
    found.compare("named collection", collection(object), collection(live));
    for setting in
        ["kafka_topic_list", "kafka_group_name", "kafka_format", "kafka_num_consumers", "kafka_thread_per_consumer"]
    {
        found.compare(setting, kafka_setting(object, setting), kafka_setting(live, setting));
    }
}

/// A key of names and calls, without blanks. The server writes operators in brackets of its own, so that those cannot be
/// compared.
fn plain_key(key: &Value) -> Option<String> {
    let text = match key {
        Value::Expression(text) | Value::Name(text) | Value::Number(text) => text.replace([' ', '`', '"'], ""),
        Value::Text(_) => return None,
    };
    text.chars().all(|c| c.is_ascii_alphanumeric() || "_(),.".contains(c)).then(|| text.to_ascii_lowercase())
}

#[derive(Default)]
struct Differences(Vec<Difference>);

impl Differences {
    /// Two known values that are not equal; what one side does not tell is no difference.
    fn compare(&mut self, what: &'static str, desired: Option<&str>, observed: Option<&str>) {
        if let (Some(desired), Some(observed)) = (desired, observed)
            && desired != observed
        {
            self.0.push(Difference {
                what: what.to_owned(),
                desired: desired.to_owned(),
                observed: observed.to_owned(),
            });
        }
    }
}
