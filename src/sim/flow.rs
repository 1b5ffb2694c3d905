//! What flows through a simulated server: tables that are attached and detached, consumers, and what waits to be sent
//! (edge).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::SimServer;
use super::server::exception;
use crate::clickhouse::{ClickHouseError, Head, Rows, Statement, read_head, split};
use crate::problem::Source;
use crate::resource::{Detachment, FlowFacts, FlowQuestion, attach, detach, flush};
use crate::schema::{Family, ObjectName, ObservedObject};

/// What flows through a server, and what stands still.
#[derive(Debug, Clone, Default)]
pub struct Flow {
    /// Tables that are detached, and for how long.
    pub detached: Vec<(ObservedObject, Detachment)>,
    /// Files that Distributed tables have not sent yet.
    pub spooled: BTreeMap<ObjectName, u64>,
    /// A shard does not take what is sent.
    pub stuck: bool,
    /// No group gives a consumer any partition: there is no topic.
    pub no_topic: bool,
    /// What the views write to takes no rows.
    pub refuses_rows: bool,
    /// How often a table of it was taken away or brought back.
    pub rebalances: usize,
}

impl SimServer {
    /// Tables that were detached until a restart come back with it.
    pub(super) fn restarted(&mut self) {
        let (back, stay) = self.flow.detached.drain(..).partition(|(_, how)| *how == Detachment::UntilRestart);
        self.flow.detached = stay;
        let back: Vec<(ObservedObject, Detachment)> = back;
        self.objects.extend(back.into_iter().map(|(object, _)| object));
        self.health.restarted();
        self.warm_at = (!self.warm_up.is_zero()).then(|| tokio::time::Instant::now() + self.warm_up);
    }

    /// Whether a table of that name is detached: `CREATE TABLE IF NOT EXISTS` makes nothing then (25.8).
    pub(super) fn hides(&self, name: &ObjectName) -> bool {
        self.flow.detached.iter().any(|(object, _)| object.name == *name)
    }

    /// Answers what is asked or done about what flows; nothing where the statement is another.
    pub(super) fn flows(&mut self, statement: &Statement) -> Option<Result<Rows, ClickHouseError>> {
        if *statement == FlowFacts::statement(FlowQuestion::Whole) {
            return Some(Ok(self.about_flow()));
        }
        for how in [Detachment::ForGood, Detachment::UntilRestart] {
            let is = |object: &ObservedObject| detach(&object.name, how).as_ref() == Some(statement);
            if let Some(at) = self.objects.iter().position(is) {
                self.flow.detached.push((self.objects.remove(at), how));
                self.flow.rebalances += 1;
                return Some(Ok(Rows::default()));
            }
        }
        if let Some(at) =
            self.flow.detached.iter().position(|(object, _)| attach(&object.name).as_ref() == Some(statement))
        {
            self.objects.push(self.flow.detached.remove(at).0);
            self.flow.rebalances += 1;
            return Some(Ok(Rows::default()));
        }
        let is = |make: fn(&ObjectName) -> Option<Statement>| {
            move |name: &&ObjectName| make(name).as_ref() == Some(statement)
        };
        if let Some(name) = self.flow.spooled.keys().find(is(flush)).cloned() {
            if self.flow.stuck {
                return Some(Err(exception(279, "ALL_CONNECTION_TRIES_FAILED", "All connection tries failed")));
            }
            self.flow.spooled.remove(&name);
            return Some(Ok(Rows::default()));
        }
        match statement.text() {
            text if text.starts_with("ATTACH TABLE IF NOT EXISTS") => {
                let known = self.objects.iter().any(|object| attach(&object.name).as_ref() == Some(statement));
                let missing = || exception(390, "CANNOT_GET_CREATE_TABLE_QUERY", "Table doesn't exist");
                Some(if known { Ok(Rows::default()) } else { Err(missing()) })
            }
            text if text.starts_with("DETACH TABLE IF EXISTS") => Some(Ok(Rows::default())),
            text if text.starts_with("SYSTEM FLUSH DISTRIBUTED") => Some(Ok(Rows::default())),
            _ => None,
        }
    }

    /// Queue tables that a view reads from.
    fn consuming(&self) -> Vec<&ObjectName> {
        let read: Vec<_> = self.objects.iter().flat_map(sources).collect();
        let queues = self.objects.iter().filter(|object| Family::of(&object.engine) == Family::Queue);
        queues.map(|object| &object.name).filter(|name| read.contains(name)).collect()
    }

    fn about_flow(&self) -> Rows {
        let pair = |name: &ObjectName| match name {
            ObjectName::Relation { database, name } => vec![json!(database), json!(name)],
            _ => Vec::new(),
        };
        let with = |name: &ObjectName, rest: Vec<Value>| Value::Array([pair(name), rest].concat());
        let joined = u64::from(!self.flow.no_topic);
        // What its views write to takes nothing: rows are read again and again.
        let waits = u64::from(self.flow.refuses_rows);
        let complaint = if self.flow.refuses_rows {
            "Code: 242. DB::Exception: Table is in readonly mode"
        } else if self.flow.no_topic {
            "Broker: Unknown topic or partition\n0. ? @ 0x1"
        } else {
            ""
        };
        let consuming = self.consuming();
        let consumers = consuming
            .iter()
            .map(|name| with(name, vec![json!(1), json!(1), json!(joined), json!(waits), json!(complaint)]));
        let detached = self.flow.detached.iter();
        let said = if self.flow.stuck { "Code: 279. DB::NetException: All connection tries failed" } else { "" };
        let spooled =
            self.flow.spooled.iter().map(|(name, files)| with(name, vec![json!(files), json!(0), json!(said)]));
        let cells = [
            consuming.iter().map(|name| with(name, Vec::new())).collect(),
            consumers.collect(),
            detached.map(|(object, _)| with(&object.name, Vec::new())).collect(),
            spooled.collect(),
        ];
        Rows {
            columns: ["consuming", "consumers", "detached", "spooled"].map(str::to_owned).to_vec(),
            rows: vec![cells.map(Value::Array).to_vec()],
        }
    }
}

/// What a view reads from.
fn sources(object: &ObservedObject) -> Vec<ObjectName> {
    let source = Arc::new(Source { name: String::new(), text: object.create_query.clone() });
    let heads = split(&source).iter().map(read_head).collect::<Vec<_>>();
    let views = heads.into_iter().filter_map(|head| match head {
        Head::Create(create) if object.engine == "MaterializedView" => Some(create.sources),
        _ => None,
    });
    views.flatten().map(|table| ObjectName::relation(table.database.as_deref(), &table.name)).collect()
}
