//! Rows that flow through a server: tables that consume a queue, and what waits to be sent on (pure).
//!
//! A queue's table consumes while a view reads from it. `DETACH ... PERMANENTLY` outlives a restart. Of a table that is
//! detached, for good or not, `CREATE TABLE IF NOT EXISTS` says that all is well and makes nothing (measured on 25.8), so
//! what is detached is a fact of its own.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::clickhouse::{ClickHouseError, Rows, Statement, quote_name};
use crate::schema::ObjectName;

/// What flows through a server, and what stands still.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FlowFacts {
    /// Queue tables that a view reads from, so that they consume.
    pub consuming: BTreeSet<ObjectName>,
    /// Kafka tables' consumers.
    pub consumers: BTreeMap<ObjectName, ConsumerFacts>,
    /// Tables that are detached, for good or until a restart; unknown on servers that do not tell.
    pub detached: Option<BTreeSet<ObjectName>>,
    /// What Distributed tables have on this host's disk and not sent yet.
    pub spooled: BTreeMap<ObjectName, Spool>,
}

/// The consumers of one Kafka table, together.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ConsumerFacts {
    /// How many there are.
    pub count: u64,
    /// How many asked the broker for rows within [`POLLED_WITHIN`].
    pub polling: u64,
    /// How many their group has given partitions since they were made.
    pub joined: u64,
    /// How many have read rows and written none of them on yet, as far as they tell.
    #[serde(default)]
    pub stuck: u64,
    /// The last complaint of one that its group has given nothing, or that is stuck.
    pub complaint: Option<String>,
}

/// Blocks of rows that a Distributed table has not sent yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Spool {
    /// Files that are still to be sent.
    pub files: u64,
    /// Files that will never be sent: somebody has to look at them.
    pub broken: u64,
    /// Why the last attempt failed.
    pub complaint: Option<String>,
}

/// A consumer polls several times in it, also when its topic is empty.
pub const POLLED_WITHIN: u64 = 60;

/// A consumer that has read rows since it was made, and committed no offset: it collects its first block, or what its views
/// write to takes none. Measured on 25.8: then `num_messages_read` grows with every attempt, and its partitions come and
/// go; a topic without new rows leaves it at 0, and is no reason to wait. The counters begin with the table's attach. How
/// far a group is behind is not told: `rdkafka_stat` is empty.
pub(crate) const STUCK: &str =
    "num_messages_read > 0 AND num_commits = 0 AND (notEmpty(assignments.topic) OR notEmpty(exceptions.text))";

/// More of a complaint is a stack trace.
const COMPLAINT: usize = 200;

/// The names of the engines that consume, as SQL has a list of them.
const QUEUES: &str = "'Kafka', 'RabbitMQ', 'NATS', 'FileLog', 'S3Queue', 'AzureQueue'";

impl FlowFacts {
    /// The statement that asks for all of it: one row. `system.detached_tables` came with 24.8.
    #[must_use]
    pub fn statement(question: FlowQuestion) -> Statement {
        let detached = match question {
            FlowQuestion::Whole => "(SELECT groupArray((database, table)) FROM system.detached_tables)",
            FlowQuestion::WithoutDetached => "NULL",
        };
        Statement::new(format!(
            "SELECT \
             (SELECT groupArray((database, name)) FROM system.tables \
             WHERE engine IN ({QUEUES}) AND notEmpty(dependencies_table)) AS consuming, \
             (SELECT groupArray((database, table, c, p, j, w, e)) FROM (SELECT database, table, count() AS c, \
             countIf(last_poll_time > now() - {POLLED_WITHIN}) AS p, countIf(num_rebalance_assignments > 0) AS j, \
             countIf({STUCK}) AS w, anyIf(exceptions.text[-1], num_rebalance_assignments = 0 OR {STUCK}) AS e \
             FROM system.kafka_consumers GROUP BY database, table)) AS consumers, \
             {detached} AS detached, \
             (SELECT groupArray((database, table, f, b, e)) FROM (SELECT database, table, sum(data_files) AS f, \
             sum(broken_data_files) AS b, anyIf(last_exception, data_files > 0) AS e \
             FROM system.distribution_queue GROUP BY database, table) WHERE f + b > 0) AS spooled"
        ))
    }

    /// Reads its row.
    ///
    /// # Errors
    /// Refuses an answer of another shape.
    pub fn parse(rows: &Rows) -> Result<Self, ClickHouseError> {
        let consumers = |row: &[Value]| {
            let [count, polling, joined, stuck, complaint] = row else { return None };
            let (count, polling) = (number(count)?, number(polling)?);
            let (joined, stuck) = (number(joined)?, number(stuck)?);
            Some(ConsumerFacts { count, polling, joined, stuck, complaint: first_line(complaint) })
        };
        let spool = |row: &[Value]| {
            let [files, broken, complaint] = row else { return None };
            Some(Spool { files: number(files)?, broken: number(broken)?, complaint: first_line(complaint) })
        };
        let name = |row: &[Value]| row.is_empty().then_some(());
        let names = |column| Ok(tables(rows, column, name)?.map(|tables| tables.into_keys().collect()));
        Ok(Self {
            consuming: names("consuming")?.unwrap_or_default(),
            consumers: tables(rows, "consumers", consumers)?.unwrap_or_default(),
            detached: names("detached")?,
            spooled: tables(rows, "spooled", spool)?.unwrap_or_default(),
        })
    }

    /// Tells whether a Kafka table consumes; the error says what is still missing.
    ///
    /// # Errors
    /// It has no consumer, none asks for rows, its group has given it nothing, or what it reads it does not write on.
    pub fn consumes(&self, table: &ObjectName, proof: Proof) -> Result<(), String> {
        if proof == Proof::Attached {
            return Ok(());
        }
        let Some(consumers) = self.consumers.get(table) else { return Err(format!("{table} has no consumer yet")) };
        let said = consumers.complaint.as_ref().map(|said| format!(": {said}")).unwrap_or_default();
        match (consumers, proof) {
            (ConsumerFacts { polling: 0, .. }, _) => Err(format!("{table}: no consumer asks for rows yet{said}")),
            (ConsumerFacts { joined: 0, count, .. }, Proof::Joined) => {
                Err(format!("{table}: the group has given none of its {count} consumers a partition yet{said}"))
            }
            (ConsumerFacts { stuck: stuck @ 1.., count, .. }, Proof::Joined) => Err(format!(
                "{table}: {stuck} of its {count} consumers read rows and have written none of them on yet{said}"
            )),
            _ => Ok(()),
        }
    }
}

/// How much a server can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowQuestion {
    /// All.
    Whole,
    /// Not what is detached: it has no table for it.
    WithoutDetached,
}

/// What shows that a table consumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// It is there: nothing reads from it, or the server tells nothing of its kind of queue.
    Attached,
    /// It asks for rows: its group gave it nothing before either, perhaps there is no topic yet.
    Polling,
    /// Its group has given it partitions, as before.
    Joined,
}

/// Detaches a table, and waits until nothing uses it.
#[must_use]
pub fn detach(table: &ObjectName, how: Detachment) -> Option<Statement> {
    let how = match how {
        Detachment::ForGood => " PERMANENTLY",
        Detachment::UntilRestart => "",
    };
    Some(Statement::new(format!("DETACH TABLE IF EXISTS {}{how} SYNC", qualified(table)?)))
}

/// How a table is detached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detachment {
    /// It stays so over a restart.
    ForGood,
    /// A restart attaches it.
    UntilRestart,
}

/// Attaches a table; also where that was done already.
#[must_use]
pub fn attach(table: &ObjectName) -> Option<Statement> {
    Some(Statement::new(format!("ATTACH TABLE IF NOT EXISTS {}", qualified(table)?)))
}

/// Sends what a Distributed table has spooled; it fails where a shard does not take it.
#[must_use]
pub fn flush(table: &ObjectName) -> Option<Statement> {
    Some(Statement::new(format!("SYSTEM FLUSH DISTRIBUTED {}", qualified(table)?)))
}

fn qualified(table: &ObjectName) -> Option<String> {
    match table {
        ObjectName::Relation { database, name } => Some(format!("{}.{}", quote_name(database), quote_name(name))),
        ObjectName::Database(_) | ObjectName::Function(_) | ObjectName::Collection(_) => None,
    }
}

/// Reads an array of tuples that begin with a table's name; nothing where the cell is NULL.
fn tables<T>(
    rows: &Rows,
    column: &str,
    rest: impl Fn(&[Value]) -> Option<T>,
) -> Result<Option<BTreeMap<ObjectName, T>>, ClickHouseError> {
    let garbled = || ClickHouseError::Garbled(format!("no `{column}` in the answer about what flows"));
    let index = rows.columns.iter().position(|name| name == column).ok_or_else(garbled)?;
    let cell = rows.rows.first().and_then(|row| row.get(index)).ok_or_else(garbled)?;
    if cell.is_null() {
        return Ok(None);
    }
    let read = |item: &Value| match item.as_array()?.as_slice() {
        [Value::String(database), Value::String(name), values @ ..] => {
            Some((ObjectName::relation(Some(database), name), rest(values)?))
        }
        _ => None,
    };
    let items = cell.as_array().ok_or_else(garbled)?;
    items.iter().map(|item| read(item).ok_or_else(garbled)).collect::<Result<_, _>>().map(Some)
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// The first line that says something; what follows is a stack trace.
fn first_line(text: &Value) -> Option<String> {
    let line = text.as_str()?.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(line.chars().take(COMPLAINT).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table(name: &str) -> ObjectName {
        ObjectName::relation(None, name)
    }

    fn rows(consumers: Value, detached: Value) -> Rows {
        let columns = ["consuming", "consumers", "detached", "spooled"].map(str::to_owned).to_vec();
        let spooled = json!([["default", "writable", 2, "1", "Code: 279.\n\nConnection refused"]]);
        Rows { columns, rows: vec![vec![json!([["default", "kafka_groups"]]), consumers, detached, spooled]] }
    }

    #[test]
    fn the_answer_is_read_with_and_without_what_is_detached() {
        let consumers = json!([["default", "kafka_groups", 4, 4, "1", 0, "Broker: Unknown topic\n0. ? @ 0x1"]]);
        let flow = FlowFacts::parse(&rows(consumers.clone(), json!([["other db", "k"]]))).unwrap();
        assert_eq!(flow.consuming, BTreeSet::from([table("kafka_groups")]));
        let complaint = Some("Broker: Unknown topic".to_owned());
        let facts = ConsumerFacts { count: 4, polling: 4, joined: 1, stuck: 0, complaint };
        assert_eq!(flow.consumers, BTreeMap::from([(table("kafka_groups"), facts)]));
        assert_eq!(flow.detached, Some(BTreeSet::from([ObjectName::relation(Some("other db"), "k")])));
        let complaint = Some("Code: 279.".to_owned());
        assert_eq!(flow.spooled[&table("writable")], Spool { files: 2, broken: 1, complaint });
        assert_eq!(FlowFacts::parse(&rows(consumers, json!(null))).unwrap().detached, None);
    }

    #[test]
    fn an_answer_of_another_shape_is_refused() {
        for consumers in [json!("no"), json!([["default"]]), json!([["default", "k", "four", 1, 1, 0, ""]])] {
            assert!(FlowFacts::parse(&rows(consumers.clone(), json!([]))).is_err(), "{consumers}");
        }
        assert!(FlowFacts::parse(&Rows::default()).is_err());
    }

    #[test]
    fn a_table_consumes_when_its_group_has_given_it_partitions_or_never_did() {
        let flow = |polling: u64, joined: u64| {
            let stuck = joined / 2;
            let said = "Broker: Unknown topic or partition\n0.";
            let consumers = json!([["default", "k", 2, polling, joined, stuck, said]]);
            FlowFacts::parse(&rows(consumers, json!([]))).unwrap()
        };
        let said = |flow: FlowFacts, proof| flow.consumes(&table("k"), proof).unwrap_err();
        assert_eq!(flow(1, 1).consumes(&table("k"), Proof::Joined), Ok(()));
        assert_eq!(flow(1, 0).consumes(&table("k"), Proof::Polling), Ok(()));
        assert_eq!(
            said(flow(2, 0), Proof::Joined),
            "k: the group has given none of its 2 consumers a partition yet: Broker: Unknown topic or partition"
        );
        assert_eq!(
            said(flow(0, 0), Proof::Polling),
            "k: no consumer asks for rows yet: Broker: Unknown topic or partition"
        );
        assert_eq!(
            said(flow(2, 2), Proof::Joined),
            "k: 1 of its 2 consumers read rows and have written none of them on yet: Broker: Unknown topic or partition"
        );
        assert_eq!(flow(2, 2).consumes(&table("k"), Proof::Polling), Ok(()));
        assert_eq!(said(FlowFacts::default(), Proof::Polling), "k has no consumer yet");
    }

    #[test]
    fn a_name_is_one_identifier_whatever_it_holds() {
        let evil = ObjectName::relation(Some("a`b"), "x; DROP TABLE y");
        let text = |statement: Option<Statement>| statement.unwrap().text().to_owned();
        assert_eq!(
            text(detach(&evil, Detachment::ForGood)),
            r"DETACH TABLE IF EXISTS `a\`b`.`x; DROP TABLE y` PERMANENTLY SYNC"
        );
        assert_eq!(text(detach(&table("k"), Detachment::UntilRestart)), "DETACH TABLE IF EXISTS `default`.`k` SYNC");
        assert_eq!(attach(&ObjectName::Database("d".to_owned())), None);
    }
}
