//! Whether a server that was started or told to read its files is well: what it has loaded, what it complains of (pure).
//!
//! Measured on 25.8: most of what is wrong with a configuration comes back as the answer to `SYSTEM RELOAD CONFIG`. A
//! storage policy that cannot be had does not: the server answers well, keeps the old ones, and counts an error.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Applied;
use crate::clickhouse::{ClickHouseError, Rows, Statement};

/// Errors that say that rows or disks are not as they should be. Their counters begin at the server's start; queries of
/// users raise none of them.
const ABOUT_DATA: &str =
    "'CORRUPTED_DATA', 'CHECKSUM_DOESNT_MATCH', 'TOO_MANY_UNEXPECTED_DATA_PARTS', 'UNKNOWN_DISK', 'UNKNOWN_POLICY'";

/// Errors that only a configuration raises.
const ABOUT_CONFIG: &str = "'CANNOT_LOAD_CONFIG', 'UNKNOWN_DISK', 'UNKNOWN_POLICY', 'UNKNOWN_ELEMENT_IN_CONFIG', \
     'EXCESSIVE_ELEMENT_IN_CONFIG', 'INVALID_CONFIG_PARAMETER', 'SHARD_HAS_NO_CONNECTIONS', 'CANNOT_COMPILE_REGEXP'";

/// More of a complaint is a stack trace.
const COMPLAINT: usize = 300;

/// What a server says of its health.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HealthFacts {
    /// Tables that are still to be loaded: it answers before (`async_load_databases`).
    pub loading: u64,
    /// The first table that could not be loaded, and why.
    pub broken: Option<String>,
    /// Replicated tables.
    pub replicas: u64,
    /// Those that take no writes.
    pub readonly: u64,
    /// Those whose session with the coordination is over.
    pub expired: u64,
    /// How far behind its peers the slowest is, in seconds.
    pub delay: u64,
    /// Errors about data since its start, with the last message of each.
    pub errors: BTreeMap<String, String>,
    /// Members by cluster: `shard/replica host:port`.
    pub members: BTreeMap<String, BTreeSet<String>>,
    /// How many members of a cluster the server takes for itself.
    pub local: BTreeMap<String, u64>,
}

impl HealthFacts {
    /// The names of the errors about data, for the probe of a plan.
    #[must_use]
    pub fn ask_errors() -> String {
        format!("(SELECT groupArray(name) FROM system.errors WHERE name IN ({ABOUT_DATA}))")
    }

    /// The statement that asks for all of it: one row.
    #[must_use]
    pub fn statement() -> Statement {
        Statement::new(format!(
            "SELECT \
             (SELECT countIf(status = 'PENDING') FROM system.asynchronous_loader) AS loading, \
             (SELECT any(concat(job, ': ', ifNull(exception, ''))) FROM system.asynchronous_loader \
             WHERE status = 'FAILED') AS broken, \
             (SELECT (count(), countIf(is_readonly), countIf(is_session_expired), max(absolute_delay)) \
             FROM system.replicas) AS replicas, \
             (SELECT groupArray((name, last_error_message)) FROM system.errors WHERE name IN ({ABOUT_DATA})) AS errors, \
             (SELECT groupArray((cluster, concat(toString(shard_num), '/', toString(replica_num), ' ', host_name, ':', \
             toString(port)), is_local)) FROM system.clusters) AS members"
        ))
    }

    /// Reads its row.
    ///
    /// # Errors
    /// Refuses an answer of another shape.
    pub fn parse(rows: &Rows) -> Result<Self, ClickHouseError> {
        let replicas = cell(rows, "replicas")?.as_array().ok_or_else(|| garbled("replicas"))?;
        let count = |index: usize| replicas.get(index).and_then(number).ok_or_else(|| garbled("replicas"));
        let mut health = Self {
            // NULL where there are no jobs.
            loading: number(cell(rows, "loading")?).unwrap_or_default(),
            broken: cell(rows, "broken")?.as_str().and_then(first_line),
            replicas: count(0)?,
            readonly: count(1)?,
            expired: count(2)?,
            delay: count(3)?,
            ..Self::default()
        };
        for item in tuples(rows, "errors")? {
            let [Value::String(name), Value::String(message)] = item else { return Err(garbled("errors")) };
            health.errors.insert(name.clone(), first_line(message).unwrap_or_default());
        }
        for item in tuples(rows, "members")? {
            let [Value::String(cluster), Value::String(member), local] = item else { return Err(garbled("members")) };
            health.members.entry(cluster.clone()).or_default().insert(member.clone());
            *health.local.entry(cluster.clone()).or_default() += number(local).ok_or_else(|| garbled("members"))?;
        }
        Ok(health)
    }

    /// Tells whether it has loaded everything and is up to date; `known` errors it had before.
    ///
    /// # Errors
    /// Says what is not well yet, or not any more.
    pub fn settled(&self, delay_limit: u64, known: &BTreeSet<String>) -> Result<(), String> {
        let new = self.errors.iter().find(|(name, _)| !known.contains(*name));
        match self {
            Self { broken: Some(broken), .. } => Err(format!("a table was not loaded: {broken}")),
            Self { loading: 1.., .. } => Err(format!("{} tables are still to be loaded", self.loading)),
            Self { readonly: 1.., .. } => Err(format!("{} of {} replicas are read-only", self.readonly, self.replicas)),
            Self { expired: 1.., .. } => {
                Err(format!("{} of {} replicas have no session with the coordination", self.expired, self.replicas))
            }
            Self { delay, .. } if *delay > delay_limit => {
                Err(format!("a replica is {delay} s behind its peers, at most {delay_limit} s may be"))
            }
            _ => match new {
                Some((name, message)) => Err(format!("since its start it complains of {name}: {message}")),
                None => Ok(()),
            },
        }
    }

    /// Says the first member of a cluster that the server has otherwise than its files say.
    #[must_use]
    pub fn misses(&self, applied: &Applied) -> Option<String> {
        for (cluster, wanted) in &applied.members {
            let has = self.members.get(cluster);
            if let Some(member) = wanted.iter().find(|member| !has.is_some_and(|has| has.contains(*member))) {
                return Some(format!("cluster `{cluster}` has no member {member}"));
            }
            if let Some(member) = has.into_iter().flatten().find(|member| !wanted.contains(*member)) {
                return Some(format!("cluster `{cluster}` still has the member {member}"));
            }
        }
        for cluster in &applied.own {
            let local = self.local.get(cluster).copied().unwrap_or_default();
            if local != 1 {
                return Some(format!("the server takes {local} members of cluster `{cluster}` for itself, not 1"));
            }
        }
        None
    }
}

/// How often a server has complained of a configuration, and its last words each time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Complaints(BTreeMap<String, (u64, String)>);

impl Complaints {
    /// The statement that asks for them.
    #[must_use]
    pub fn statement() -> Statement {
        Statement::new(format!(
            "SELECT (SELECT groupArray((name, value, last_error_message)) FROM system.errors \
             WHERE name IN ({ABOUT_CONFIG}) \
             OR (name = 'BAD_ARGUMENTS' AND last_error_message ILIKE '%storage polic%')) AS complaints"
        ))
    }

    /// Reads its row.
    ///
    /// # Errors
    /// Refuses an answer of another shape.
    pub fn parse(rows: &Rows) -> Result<Self, ClickHouseError> {
        let mut complaints = BTreeMap::new();
        for item in tuples(rows, "complaints")? {
            let [Value::String(name), value, Value::String(message)] = item else { return Err(garbled("complaints")) };
            let value = number(value).ok_or_else(|| garbled("complaints"))?;
            complaints.insert(name.clone(), (value, first_line(message).unwrap_or_default()));
        }
        Ok(Self(complaints))
    }

    /// The complaints that came since others were counted.
    #[must_use]
    pub fn since(&self, before: &Self) -> Option<String> {
        let counted = |name: &str| before.0.get(name).map_or(0, |(count, _)| *count);
        let new = self.0.iter().filter(|(name, (count, _))| *count > counted(name));
        let new: Vec<_> = new.map(|(name, (_, message))| format!("{name}: {message}")).collect();
        (!new.is_empty()).then(|| new.join("; "))
    }
}

/// Asks how many queries run that have run for so long: those of users, not this one.
#[must_use]
pub fn running_queries(since: std::time::Duration) -> Statement {
    Statement::new(format!(
        "SELECT count() AS left, toUInt64(max(elapsed)) AS longest FROM system.processes \
         WHERE query_id != queryID() AND elapsed >= {:.3}",
        since.as_secs_f64()
    ))
}

fn garbled(what: &str) -> ClickHouseError {
    ClickHouseError::Garbled(format!("no `{what}` in the answer about the server's health"))
}

fn cell<'a>(rows: &'a Rows, column: &str) -> Result<&'a Value, ClickHouseError> {
    let index = rows.columns.iter().position(|name| name == column).ok_or_else(|| garbled(column))?;
    rows.rows.first().and_then(|row| row.get(index)).ok_or_else(|| garbled(column))
}

fn tuples<'a>(rows: &'a Rows, column: &str) -> Result<impl Iterator<Item = &'a [Value]>, ClickHouseError> {
    let items = cell(rows, column)?.as_array().ok_or_else(|| garbled(column))?;
    Ok(items.iter().map(|item| item.as_array().map(Vec::as_slice).unwrap_or_default()))
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn first_line(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(line.chars().take(COMPLAINT).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn health(loading: Value, broken: &str, replicas: Value, errors: Value) -> HealthFacts {
        let columns = ["loading", "broken", "replicas", "errors", "members"].map(str::to_owned).to_vec();
        let members = json!([["posthog", "1/1 a:9000", 1], ["posthog", "1/2 b:9000", 0], ["all", "1/1 a:9000", "0"]]);
        HealthFacts::parse(&Rows { columns, rows: vec![vec![loading, json!(broken), replicas, errors, members]] })
            .unwrap()
    }

    #[test]
    fn a_server_is_settled_when_all_is_loaded_and_it_complains_of_nothing_new() {
        let known = BTreeSet::from(["CORRUPTED_DATA".to_owned()]);
        let said = |health: HealthFacts| health.settled(10, &known);
        let quiet = || json!([]);
        assert_eq!(said(health(json!(null), "", json!([3, 0, 0, 10]), json!([["CORRUPTED_DATA", "part"]]))), Ok(()));
        let waits = [
            (health(json!(2), "", json!([3, 1, 0, 0]), quiet()), "2 tables are still to be loaded"),
            (health(json!(0), "t: no such disk\n0. ?", json!([3, 0, 0, 0]), quiet()), "t: no such disk"),
            (health(json!(0), "", json!(["3", "1", 0, 0]), quiet()), "1 of 3 replicas are read-only"),
            (health(json!(0), "", json!([3, 0, 2, 0]), quiet()), "2 of 3 replicas have no session"),
            (health(json!(0), "", json!([3, 0, 0, 11]), quiet()), "11 s behind its peers, at most 10 s"),
            (health(json!(0), "", json!([3, 0, 0, 0]), json!([["UNKNOWN_DISK", "Unknown disk d"]])), "Unknown disk d"),
        ];
        for (health, because) in waits {
            assert!(said(health).unwrap_err().contains(because), "{because}");
        }
    }

    #[test]
    fn every_member_is_compared_and_the_server_finds_itself_once() {
        let health = health(json!(0), "", json!([0, 0, 0, 0]), json!([]));
        let applied = |cluster: &str, members: &[&str], own: &[&str]| Applied {
            members: BTreeMap::from([(
                cluster.to_owned(),
                members.iter().map(|member| (*member).to_owned()).collect(),
            )]),
            own: own.iter().map(|cluster| (*cluster).to_owned()).collect(),
            ..Applied::default()
        };
        let both = ["1/1 a:9000", "1/2 b:9000"];
        assert_eq!(health.misses(&applied("posthog", &both, &["posthog"])), None);
        let said = |applied: Applied| health.misses(&applied).unwrap();
        assert_eq!(said(applied("posthog", &["1/1 a:9000"], &[])), "cluster `posthog` still has the member 1/2 b:9000");
        let moved = applied("posthog", &["1/1 a:9000", "1/2 b:9440"], &[]);
        assert_eq!(said(moved), "cluster `posthog` has no member 1/2 b:9440");
        assert_eq!(
            said(applied("posthog", &both, &["all"])),
            "the server takes 0 members of cluster `all` for itself, not 1"
        );
    }

    #[test]
    fn only_what_is_new_is_a_complaint_of_this_reload() {
        let complaints = |items: Value| {
            Complaints::parse(&Rows { columns: vec!["complaints".to_owned()], rows: vec![vec![items]] }).unwrap()
        };
        let before = complaints(json!([["UNKNOWN_DISK", 1, "Unknown disk old"]]));
        assert_eq!(before.since(&before), None);
        let after = complaints(json!([["UNKNOWN_DISK", "2", "Unknown disk new\n0."], ["CANNOT_LOAD_CONFIG", 1, "x"]]));
        assert_eq!(after.since(&before).as_deref(), Some("CANNOT_LOAD_CONFIG: x; UNKNOWN_DISK: Unknown disk new"));
    }
}
