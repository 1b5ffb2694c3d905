//! What a server tells of its legs' tables at one time, and how it is asked (pure).
//!
//! Measured on 25.8: `num_messages_read` and `num_commits` begin with the table's attach; `rdkafka_stat`, out of which the lag
//! is read, is empty there, so a lag is known only where a server fills it.

use std::collections::{BTreeMap, BTreeSet};

use crate::clickhouse::{ClickHouseError, Rows, Statement, quote_text};
use crate::resource::STUCK;
use crate::schema::ObjectName;

/// A consumer polls several times in it, also when its topic is empty.
pub use crate::resource::POLLED_WITHIN;

/// What the servers tell of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct TableSample {
    /// How many consumers it has.
    pub consumers: u64,
    /// How many of them asked the broker for rows within [`POLLED_WITHIN`] seconds.
    pub polling: u64,
    /// How many partitions the group has given to them.
    pub partitions: u64,
    /// How many messages they have read since the table was attached.
    pub messages: u64,
    /// How many consumers have read messages and written none of them on yet.
    pub stuck: u64,
    /// How far they are behind the ends of their partitions, where the server tells it of all of them.
    pub lag: Option<u64>,
    /// How many errors they have had lately.
    pub errors: u64,
    /// The last of these.
    pub complaint: Option<String>,
    /// Files of a Distributed table that wait to be sent.
    pub waiting: u64,
    /// Files of it that will never be sent.
    pub broken: u64,
}

/// What one host tells at one time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// When, by the host's own clock, in milliseconds.
    pub at: u64,
    /// The tables that are there.
    pub tables: BTreeMap<ObjectName, TableSample>,
}

/// More of a complaint is a stack trace.
const COMPLAINT: usize = 200;

/// The partitions of one consumer with a state of their own: `-1` is librdkafka's own
/// (<https://github.com/confluentinc/librdkafka/blob/master/STATISTICS.md>).
const ACTIVE: &str = "arrayFilter(p -> JSONExtractString(p.2, 'fetch_state') = 'active', \
     arrayFlatten(arrayMap(t -> JSONExtractKeysAndValuesRaw(t.2, 'partitions'), JSONExtractKeysAndValuesRaw(rdkafka_stat, 'topics'))))";

/// Asks for some tables, and for their errors of so many seconds; a table that is not there has no row, and the time has one of
/// its own.
#[must_use]
pub fn question(tables: &BTreeSet<ObjectName>, errors_within: u64) -> Statement {
    let pairs = tables.iter().filter_map(|table| match table {
        ObjectName::Relation { database, name } => Some(format!("({}, {})", quote_text(database), quote_text(name))),
        ObjectName::Database(_) | ObjectName::Function(_) | ObjectName::Collection(_) => None,
    });
    let pairs = pairs.collect::<Vec<_>>().join(", ");
    let recent = format!("arrayCount(t -> t > now() - {errors_within}, exceptions.time)");
    Statement::new(format!(
        "SELECT toUnixTimestamp64Milli(now64(3)) AS at, '' AS database, '' AS table, 0 AS consumers, 0 AS polling, \
         0 AS partitions, 0 AS messages, 0 AS stuck, 0 AS told, 0 AS lag, 0 AS errors, '' AS complaint, 0 AS waiting, 0 AS broken \
         UNION ALL \
         SELECT toUnixTimestamp64Milli(now64(3)), t.database, t.name, c.c, c.p, c.n, c.m, c.s, c.told, c.lag, c.e, c.said, \
         d.f, d.b \
         FROM (SELECT database, name FROM system.tables WHERE (database, name) IN ({pairs})) AS t \
         LEFT JOIN (SELECT database, table, count() AS c, countIf(last_poll_time > now() - {POLLED_WITHIN}) AS p, \
         sum(length(assignments.partition_id)) AS n, sum(num_messages_read) AS m, countIf({STUCK}) AS s, \
         toUInt8(sum(length({ACTIVE})) = n AND n > 0 AND min(arrayAll(p -> JSONExtractInt(p.2, 'consumer_lag') >= 0, {ACTIVE}))) AS told, \
         sum(arraySum(arrayMap(p -> greatest(JSONExtractInt(p.2, 'consumer_lag'), 0), {ACTIVE}))) AS lag, \
         sum({recent}) AS e, anyIf(exceptions.text[-1], {recent} > 0) AS said \
         FROM system.kafka_consumers GROUP BY database, table) AS c ON c.database = t.database AND c.table = t.name \
         LEFT JOIN (SELECT database, table, sum(data_files) AS f, sum(broken_data_files) AS b \
         FROM system.distribution_queue GROUP BY database, table) AS d ON d.database = t.database AND d.table = t.name"
    ))
}

/// Reads the answer.
///
/// # Errors
/// Refuses an answer of another shape.
pub fn read_sample(rows: &Rows) -> Result<Sample, ClickHouseError> {
    let mut sample = Sample::default();
    for row in 0..rows.len() {
        let number = |column: &str| {
            let garbled = || ClickHouseError::Garbled(format!("no number `{column}` in the answer about legs"));
            rows.number(row, column).ok_or_else(garbled)
        };
        sample.at = sample.at.max(number("at")?);
        let text = |column: &str| rows.text(row, column).filter(|text| !text.is_empty());
        let Some(table) = text("table") else { continue };
        let told = number("told")? > 0;
        let found = TableSample {
            consumers: number("consumers")?,
            polling: number("polling")?,
            partitions: number("partitions")?,
            messages: number("messages")?,
            stuck: number("stuck")?,
            lag: told.then_some(number("lag")?),
            errors: number("errors")?,
            complaint: text("complaint").and_then(|text| first_line(&text)),
            waiting: number("waiting")?,
            broken: number("broken")?,
        };
        sample.tables.insert(ObjectName::relation(text("database").as_deref(), &table), found);
    }
    if sample.at == 0 {
        return Err(ClickHouseError::Garbled("no time in the answer about legs".to_owned()));
    }
    Ok(sample)
}

fn first_line(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(line.chars().filter(|c| !c.is_control()).take(COMPLAINT).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const COLUMNS: [&str; 14] = [
        "at",
        "database",
        "table",
        "consumers",
        "polling",
        "partitions",
        "messages",
        "stuck",
        "told",
        "lag",
        "errors",
        "complaint",
        "waiting",
        "broken",
    ];

    fn rows(rows: Vec<Vec<Value>>) -> Rows {
        Rows { columns: COLUMNS.map(str::to_owned).to_vec(), rows }
    }

    /// As a 25.8 answers, where `rdkafka_stat` is empty.
    #[test]
    fn a_lag_is_known_only_where_the_server_tells_it() {
        let time = || {
            vec![
                json!(1_795_397_776_011_u64),
                json!(""),
                json!(""),
                json!(0),
                json!(0),
                json!(0),
                json!(0),
                json!(0),
                json!(0),
                json!(0),
                json!(0),
                json!(""),
                json!(0),
                json!(0),
            ]
        };
        let table = |told: u64, lag: u64| {
            vec![
                json!("1795397776016"),
                json!("default"),
                json!("k"),
                json!(1),
                json!(1),
                json!(4),
                json!(50),
                json!(0),
                json!(told),
                json!(lag),
                json!(1),
                json!("\nBroker: Unknown topic\u{1b}[2J\n0. ? @"),
                json!(2),
                json!(0),
            ]
        };
        let k = ObjectName::relation(None, "k");
        let sample = read_sample(&rows(vec![time(), table(0, 0)])).unwrap();
        assert_eq!((sample.at, sample.tables[&k].lag), (1_795_397_776_016, None));
        assert_eq!(sample.tables[&k].complaint.as_deref(), Some("Broker: Unknown topic[2J"));
        assert_eq!(read_sample(&rows(vec![table(1, 7)])).unwrap().tables[&k].lag, Some(7));
        assert!(read_sample(&rows(vec![time()])).unwrap().tables.is_empty());
        for wrong in
            [rows(vec![]), Rows::default(), rows(vec![vec![json!(1), json!("default"), json!("k"), json!("many")]])]
        {
            assert!(read_sample(&wrong).is_err());
        }
    }
}
