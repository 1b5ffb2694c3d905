//! A replica that the coordination knows and whose server lacks the table: whether it is empty, and who has its rows (pure).
//!
//! A server makes an id of its own in a new directory of data, and each replica is registered with the id of the server that made
//! it. So a server of another id than the replica's is none that lost sight of its tables: its directory is another.
//!
//! A part of a replica is on another one where an active part there covers its blocks, by `MergeTreePartInfo::contains`:
//! <https://github.com/ClickHouse/ClickHouse/blob/v25.8.2.29-lts/src/Storages/MergeTree/MergeTreePartInfo.h>.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clickhouse::{ClickHouseError, Rows, Statement, quote_name, quote_text};
use crate::fleet::HostName;
use crate::schema::{Object, ObjectName};

/// Macros that the server has for every table, and that are not told of a host.
const OF_THE_TABLE: [&str; 2] = ["database", "table"];

/// How many parts are named.
const NAMED: usize = 3;

/// A replica of a table, by what the coordination calls it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The table.
    pub table: ObjectName,
    /// The auxiliary coordination that keeps it, where it is one.
    pub coordination: Option<String>,
    /// The table's path.
    pub path: String,
    /// The replica's name.
    pub replica: String,
}

/// Replicas that one host may be registered with, and whom to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// The replicas that it would be.
    pub places: Vec<Place>,
    /// Its own server answers.
    pub answers: bool,
    /// Whose servers have tables of its role.
    pub peers: Vec<HostName>,
}

/// What is known of a replica that is registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Which.
    pub place: Place,
    /// What the server says whose replica it would be; nothing where it does not answer.
    pub here: Option<Here>,
    /// What the servers say that have the table.
    pub peers: BTreeMap<HostName, PeerReplica>,
}

/// What a server says of a table that it lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Here {
    /// How many tables of that name it has after all: attached, detached, or dropped and not gone.
    pub objects: u64,
    /// Its id.
    pub server: String,
    /// The id of the server that made the replica.
    pub creator: String,
}

/// What another replica's server says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerReplica {
    /// What the table is called there.
    pub table: ObjectName,
    /// It takes no writes, or has no session.
    pub away: bool,
    /// How far behind it is, in seconds.
    pub delay: u64,
    /// How many parts it has given up in its time.
    pub lost: u64,
    /// The registered replica has a session.
    pub active: bool,
    /// How many parts of the registered replica it has not.
    pub parts: u64,
    /// The first of them.
    pub few: Vec<String>,
    /// A digest of all their names.
    pub digest: String,
}

impl Place {
    /// Where an object's replica is with a host's macros; nothing where that is not told, or is another one each time.
    #[must_use]
    pub fn of(object: &Object, macros: &BTreeMap<String, String>) -> Option<Self> {
        let ObjectName::Relation { database, name } = &object.name else { return None };
        let engine = object.engine.as_ref().filter(|engine| engine.name.starts_with("Replicated"))?;
        let own = OF_THE_TABLE.iter().zip([database, name]).map(|(key, value)| (*key, value.as_str()));
        let known: BTreeMap<&str, &str> =
            macros.iter().map(|(key, value)| (key.as_str(), value.as_str())).chain(own).collect();
        let argument = |index| expand(engine.positional(index)?.literal()?, &known);
        let (full, replica) = (argument(0)?, argument(1)?);
        let (coordination, path) = match full.split_once(":/") {
            Some((name, path)) if !name.contains('/') => (Some(name.to_owned()), path),
            _ => (None, full.strip_prefix('/').unwrap_or(&full)),
        };
        let path = format!("/{}", path.trim_end_matches('/'));
        Some(Self {
            table: object.name.clone(),
            coordination: coordination.filter(|name| name != "default"),
            path,
            replica,
        })
    }

    fn replica_path(&self) -> String {
        format!("{}/replicas/{}", self.path, self.replica)
    }

    fn keeper(&self) -> String {
        self.coordination.as_ref().map(|name| format!(" AND zookeeperName = {}", quote_text(name))).unwrap_or_default()
    }

    /// Asks a server which of these replicas are registered; they are all of one coordination.
    #[must_use]
    pub fn ask_registered(places: &[&Self]) -> Option<Statement> {
        let keeper = places.first()?.keeper();
        let paths: BTreeSet<String> =
            places.iter().map(|place| quote_text(&format!("{}/replicas", place.path))).collect();
        let pairs: Vec<String> = places
            .iter()
            .map(|place| {
                format!("({}, {})", quote_text(&format!("{}/replicas", place.path)), quote_text(&place.replica))
            })
            .collect();
        let paths: Vec<String> = paths.into_iter().collect();
        Some(Statement::new(format!(
            "SELECT path AS registered, name FROM system.zookeeper WHERE path IN ({}){keeper} AND (path, name) IN ({})",
            paths.join(", "),
            pairs.join(", "),
        )))
    }

    /// Whether an answer to that has it.
    #[must_use]
    pub fn is_in(&self, rows: &Rows) -> bool {
        let path = format!("{}/replicas", self.path);
        let is = |row: usize, column: &str, text: &str| rows.text(row, column).as_deref() == Some(text);
        (0..rows.len()).any(|row| is(row, "registered", &path) && is(row, "name", &self.replica))
    }

    /// Asks the server whose replica it would be.
    #[must_use]
    pub fn ask_here(&self) -> Statement {
        let (database, name) = self.names();
        let counted = |table: &str, column: &str| {
            format!("(SELECT count() FROM system.{table} WHERE database = {database} AND {column} = {name})")
        };
        Statement::new(format!(
            "SELECT {} + {} + {} AS objects, toString(serverUUID()) AS server, splitByChar('|', ifNull((SELECT value FROM \
             system.zookeeper WHERE path = {} AND name = 'creator_info'), ''))[2] AS creator",
            counted("tables", "name"),
            counted("detached_tables", "table"),
            counted("dropped_tables", "table"),
            quote_text(&self.replica_path()),
        ))
    }

    /// Asks a server that has the table.
    #[must_use]
    pub fn ask_peer(&self) -> Statement {
        let (path, replica) = (quote_text(&self.path), quote_text(&self.replica_path()));
        let parts = quote_text(&format!("{}/parts", self.replica_path()));
        let lost = |index: usize| format!("toInt64OrZero(w.n[{index}])");
        let (first, last, level, mutation) = (lost(2), lost(3), lost(4), lost(5));
        Statement::new(format!(
            "SELECT r.database AS database, r.table AS table, r.is_readonly OR r.is_session_expired AS away, \
             r.absolute_delay AS delay, r.lost_part_count AS lost, \
             (SELECT countIf(name = 'is_active') FROM system.zookeeper WHERE path = {replica}) AS active, \
             s.parts AS parts, s.few AS few, s.digest AS digest FROM system.replicas AS r, (\
             SELECT count() AS parts, arraySlice(arraySort(groupArray(name)), 1, {NAMED}) AS few, \
             toString(sipHash64(arraySort(groupArray(name)))) AS digest FROM (SELECT w.name AS name FROM (\
             SELECT name, splitByChar('_', name) AS n FROM system.zookeeper WHERE path = {parts}) AS w LEFT JOIN (\
             SELECT n[1] AS partition, groupArray(arrayMap(x -> toInt64OrZero(x), arraySlice(n, 2))) AS has FROM (\
             SELECT splitByChar('_', name) AS n FROM system.parts WHERE active AND (database, table) IN (\
             SELECT database, table FROM system.replicas WHERE zookeeper_path = {path} AND zookeeper_name = 'default')) \
             WHERE length(n) IN (4, 5) GROUP BY n[1]) AS h ON h.partition = w.n[1] WHERE length(w.n) NOT IN (4, 5) OR NOT \
             arrayExists(p -> p[1] <= {first} AND p[2] >= {last} AND p[3] >= {level} AND p[4] >= {mutation} AND \
             (p[3] > {level} OR p[1] = {first} AND p[2] = {last}), h.has))) AS s \
             WHERE r.zookeeper_path = {path} AND r.zookeeper_name = 'default'"
        ))
    }

    /// Asks the server whose replica it would be whether it surely has nothing of it.
    #[must_use]
    pub fn is_empty_here(&self) -> Statement {
        let here = self.ask_here();
        Statement::new(format!("SELECT objects = 0 AND creator != '' AND creator != server FROM ({})", here.text()))
    }

    /// Asks the peer whether it takes writes, the replica has no session, and just these parts would be lost.
    ///
    /// What only the replica had is what its peers wait for: they are behind by that.
    #[must_use]
    pub fn may_go(&self, seen: &PeerReplica, delay: Duration) -> Statement {
        let ends = if seen.parts == 0 { format!(" AND delay <= {}", delay.as_secs()) } else { String::new() };
        Statement::new(format!(
            "SELECT count() = 1 FROM ({}) WHERE NOT away AND active = 0 AND lost = {} AND parts = {} AND digest = {}{ends}",
            self.ask_peer().text(),
            seen.lost,
            seen.parts,
            quote_text(&seen.digest),
        ))
    }

    /// Has the peer take it out of the coordination; sent twice it does no more, and one that is active is refused.
    #[must_use]
    pub fn forget(&self, seen: &PeerReplica) -> Option<Statement> {
        let ObjectName::Relation { database, name } = &seen.table else { return None };
        let (replica, database, name) = (quote_text(&self.replica), quote_name(database), quote_name(name));
        Some(Statement::new(format!("SYSTEM DROP REPLICA {replica} FROM TABLE {database}.{name}")))
    }

    fn names(&self) -> (String, String) {
        match &self.table {
            ObjectName::Relation { database, name } => (quote_text(database), quote_text(name)),
            ObjectName::Database(name) | ObjectName::Function(name) | ObjectName::Collection(name) => {
                (quote_text(""), quote_text(name))
            }
        }
    }
}

impl Here {
    /// Reads the answer to [`Place::ask_here`].
    ///
    /// # Errors
    /// Refuses an answer of another shape.
    pub fn parse(rows: &Rows) -> Result<Self, ClickHouseError> {
        let text = |column: &str| rows.text(0, column).ok_or_else(|| garbled(column));
        let objects = rows.number(0, "objects").ok_or_else(|| garbled("objects"))?;
        Ok(Self { objects, server: text("server")?, creator: text("creator")? })
    }

    /// Says why it may have something of the replica.
    ///
    /// # Errors
    /// It has a table of that name, or is the server that made the replica, or nobody knows who that was.
    pub fn is_empty(&self) -> Result<(), String> {
        match self {
            Self { objects: 1.., .. } => Err("its server has it, detached, or dropped and not yet gone".to_owned()),
            Self { creator, .. } if creator.is_empty() => {
                Err("the coordination does not tell which server made that replica".to_owned())
            }
            Self { creator, server, .. } if creator == server => {
                Err("its server made that replica in this very directory of data, and what it wrote may be there"
                    .to_owned())
            }
            _ => Ok(()),
        }
    }
}

impl PeerReplica {
    /// Reads the answer to [`Place::ask_peer`]; nothing where the server has no replica of it.
    ///
    /// # Errors
    /// Refuses an answer of another shape.
    pub fn parse(rows: &Rows) -> Result<Option<Self>, ClickHouseError> {
        if rows.is_empty() {
            return Ok(None);
        }
        let text = |column: &str| rows.text(0, column).ok_or_else(|| garbled(column));
        let number = |column: &str| rows.number(0, column).ok_or_else(|| garbled(column));
        let few = rows.columns.iter().position(|name| name == "few").and_then(|at| rows.rows.first()?.get(at));
        let few = few.and_then(Value::as_array).ok_or_else(|| garbled("few"))?;
        Ok(Some(Self {
            table: ObjectName::relation(Some(&text("database")?), &text("table")?),
            away: number("away")? != 0,
            delay: number("delay")?,
            lost: number("lost")?,
            active: number("active")? != 0,
            parts: number("parts")?,
            few: few.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            digest: text("digest")?,
        }))
    }
}

fn garbled(column: &str) -> ClickHouseError {
    ClickHouseError::Garbled(format!("no `{column}` in the answer about a replica"))
}

/// Puts macros in; nothing where one is not known.
fn expand(text: &str, macros: &BTreeMap<&str, &str>) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        let (name, after) = behind.split_once('}')?;
        out.push_str(before);
        out.push_str(macros.get(name)?);
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}
