//! A backup comes back: into a scratch database to be counted, or into its own table (pure).
//!
//! The table of the trial is a plain MergeTree of the same columns and order, never a replicated one: the backup's own statement
//! names the path in the coordination at which the live table is, and two tables must not be one replica. Measured: 25.8 answers
//! `REPLICA_ALREADY_EXISTS` to such a restore, and takes the parts into a plain table with `allow_different_table_def`; they
//! come back with the same digests.

use super::BackupRecord;
use crate::clickhouse::{Bounds, ClickHouseError, Rows, Statement, TokenKind, lex, quote_name, quote_text};
use crate::schema::ObjectName;

/// How the database of a trial begins; nothing else is ever dropped.
const SCRATCH: &str = "housewright_restore_";
/// What its comment says; a database without it is not ours.
const OURS: &str = "scratch of `housewright backup restore`";

/// The trial of one backup on one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    database: String,
    table: ObjectName,
    from: String,
}

/// Rows of a table, and a sum over all of them that does not depend on their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Counted {
    /// How many.
    pub rows: u64,
    /// The sum.
    pub checksum: u64,
}

/// What came of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It has the rows that the table has now, by count and checksum.
    Equal,
    /// It has as many rows as the table had while it was taken; the table has gone on since.
    AsOfThen,
    /// It has another number of rows.
    Differs,
}

impl Trial {
    /// A trial with an id of its own.
    #[must_use]
    pub fn new(id: &str, record: &BackupRecord) -> Self {
        let id: String = id.chars().filter(char::is_ascii_alphanumeric).collect();
        Self { database: format!("{SCRATCH}{id}"), table: record.table.clone(), from: record.place.of(&record.name) }
    }

    /// The database in which it is made.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    fn names(&self) -> (&str, &str) {
        match &self.table {
            ObjectName::Relation { database, name } => (database, name),
            ObjectName::Database(name) | ObjectName::Function(name) | ObjectName::Collection(name) => ("", name),
        }
    }

    fn live(&self) -> String {
        let (database, name) = self.names();
        format!("{}.{}", quote_name(database), quote_name(name))
    }

    fn scratch(&self) -> String {
        format!("{}.{}", quote_name(&self.database), quote_name(self.names().1))
    }

    /// Asks how the table was made.
    #[must_use]
    pub fn ask_statement(&self) -> Statement {
        let (database, name) = self.names();
        Statement::new(format!(
            "SELECT engine_full AS engine, toUInt64(ifNull(total_rows, 0)) AS rows FROM system.tables WHERE database = {} AND name = {}",
            quote_text(database),
            quote_text(name)
        ))
    }

    /// The statements that make the scratch table like the live one, out of [`Trial::ask_statement`]'s answer. Merges are stopped
    /// there: they would remove rows, by their age or because others replace them, before they are counted.
    ///
    /// # Errors
    /// Says why there are none.
    pub fn make(&self, answer: &Rows) -> Result<[Statement; 3], String> {
        let engine = answer.text(0, "engine").ok_or("the table is not there")?;
        let engine = plain_engine(&engine).ok_or("its engine is none of the MergeTree family")?;
        Ok([
            Statement::new(format!("CREATE DATABASE {} COMMENT {}", quote_name(&self.database), quote_text(OURS))),
            Statement::new(format!("CREATE TABLE {} AS {} ENGINE = {engine}", self.scratch(), self.live())),
            Statement::new(format!("SYSTEM STOP MERGES {}", self.scratch())),
        ])
    }

    /// How many rows the live table has, out of [`Trial::ask_statement`]'s answer; nothing where it is not there.
    #[must_use]
    pub fn rows(answer: &Rows) -> Option<u64> {
        answer.number(0, "rows")
    }

    /// Brings the backup back into the scratch table.
    #[must_use]
    pub fn restore(&self) -> Statement {
        self.restore_with("allow_different_table_def = 1")
    }

    /// Reads what is written about the backup and its base, and brings no rows back.
    #[must_use]
    pub fn look(&self) -> Statement {
        self.restore_with("allow_different_table_def = 1, structure_only = 1")
    }

    fn restore_with(&self, settings: &str) -> Statement {
        Statement::new(format!(
            "RESTORE TABLE {} AS {} FROM {} SETTINGS {settings}",
            self.live(),
            self.scratch(),
            self.from
        ))
    }

    /// Brings the backup back into its own table, which is there and has no rows, unless `more_rows` allows both.
    #[must_use]
    pub fn restore_live(&self, more_rows: bool) -> Statement {
        let more = if more_rows { " SETTINGS allow_non_empty_tables = 1" } else { "" };
        Statement::new(format!("RESTORE TABLE {} FROM {}{more}", self.live(), self.from))
    }

    /// Counts the scratch table.
    #[must_use]
    pub fn count_scratch(&self) -> Statement {
        count(&self.scratch())
    }

    /// Counts the live table.
    #[must_use]
    pub fn count_live(&self) -> Statement {
        count(&self.live())
    }

    /// Asks whether the database is the trial's own; nothing else is dropped.
    #[must_use]
    pub fn ask_ours(&self) -> Statement {
        Statement::new(format!(
            "SELECT count() = 1 FROM system.databases WHERE name = {} AND comment = {}",
            quote_text(&self.database),
            quote_text(OURS)
        ))
    }

    /// Drops the database of the trial.
    #[must_use]
    pub fn drop(&self) -> Statement {
        Statement::new(format!("DROP DATABASE {} SYNC", quote_name(&self.database)))
    }

    /// How much the answers to its questions may be, and how long they may take: a checksum reads the whole table.
    #[must_use]
    pub fn bounds(time: std::time::Duration) -> Bounds {
        Bounds { rows: 10, bytes: 16 << 20, time }
    }
}

/// Whether a database is called as those of trials are.
#[must_use]
pub fn is_scratch(database: &str) -> bool {
    database.starts_with(SCRATCH)
}

/// All columns that are kept, in the order of the table: what an ALIAS or a virtual column says follows from them.
fn count(table: &str) -> Statement {
    Statement::new(format!("SELECT count() AS rows, sum(cityHash64(*)) AS checksum FROM {table}"))
}

impl Counted {
    /// Reads the answer.
    ///
    /// # Errors
    /// Refuses an answer of another shape.
    pub fn read(rows: &Rows) -> Result<Self, ClickHouseError> {
        let number = |column: &str| {
            let garbled = || ClickHouseError::Garbled(format!("no `{column}` in the count"));
            rows.number(0, column).ok_or_else(garbled)
        };
        Ok(Self { rows: number("rows")?, checksum: number("checksum")? })
    }
}

impl Verdict {
    /// Judges what came back by what is there, and by what was there while the backup was taken.
    #[must_use]
    pub fn of(back: Counted, live: Counted, record: &BackupRecord) -> Self {
        let least = record.rows_before.min(record.rows_after);
        let most = record.rows_before.max(record.rows_after);
        if back == live {
            Self::Equal
        } else if (least..=most).contains(&back.rows) {
            Self::AsOfThen
        } else {
            Self::Differs
        }
    }
}

/// The engine with its clauses, a replicated one made a plain one: its first two arguments are the path and the replica's name.
fn plain_engine(full: &str) -> Option<String> {
    let Some(rest) = full.strip_prefix("Replicated") else {
        return full.split('(').next()?.contains("MergeTree").then(|| full.to_owned());
    };
    let tokens: Vec<_> = lex(rest).into_iter().filter(|token| token.kind != TokenKind::Space).collect();
    let text = |index: usize| tokens.get(index).map_or("", |token| token.text(rest));
    if !text(0).ends_with("MergeTree") {
        return None;
    }
    if text(1) != "(" {
        return Some(rest.to_owned());
    }
    let (mut depth, mut commas) = (0_u32, 0);
    for (index, token) in tokens.iter().enumerate().skip(1) {
        match text(index) {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.checked_sub(1)?,
            "," if depth == 1 => commas += 1,
            _ => continue,
        }
        // Behind the second comma the plain engine's arguments begin; with one comma there are none.
        if commas == 2 || depth == 0 {
            let keep = if commas == 2 { token.range.end } else { token.range.start };
            return Some(format!("{}({}", text(0), rest.get(keep..)?.trim_start()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::backup::{BackupState, Kind, Place};

    fn record(before: u64, after: u64) -> BackupRecord {
        BackupRecord {
            name: "p/data/shard-1/a/default.ev/C/001-full-C".to_owned(),
            table: ObjectName::relation(None, "ev"),
            kind: Kind::Full,
            chain: "C".to_owned(),
            number: 1,
            base: String::new(),
            place: Place::Collection("store".to_owned()),
            state: BackupState::Done,
            rows_before: before,
            rows_after: after,
            bytes: 1,
            complaint: String::new(),
            began: "2026-11-23 02:00:00".to_owned(),
            age: 1,
        }
    }

    #[test]
    fn a_replicated_engine_becomes_a_plain_one() {
        let plain = |full| plain_engine(full).unwrap();
        assert_eq!(
            plain("ReplicatedReplacingMergeTree('/t/{shard}/ev,(', '{replica}', ver) PARTITION BY (a, b) ORDER BY a"),
            "ReplacingMergeTree(ver) PARTITION BY (a, b) ORDER BY a"
        );
        assert_eq!(plain("ReplicatedMergeTree('/t', '{replica}') ORDER BY (a, b)"), "MergeTree() ORDER BY (a, b)");
        assert_eq!(plain("ReplicatedMergeTree ORDER BY (a, b)"), "MergeTree ORDER BY (a, b)");
        assert_eq!(
            plain("ReplicatedSummingMergeTree('/t', 'r', (a, b)) ORDER BY k"),
            "SummingMergeTree((a, b)) ORDER BY k"
        );
        assert_eq!(plain("MergeTree ORDER BY a"), "MergeTree ORDER BY a");
        for full in ["", "Replicated", "ReplicatedMergeTree('/t'", "Log", "ReplicatedMergeTree)"] {
            assert!(plain_engine(full).is_none_or(|engine| !engine.contains("'/t'")), "{full}");
        }
    }

    #[test]
    fn a_trial_never_names_the_path_of_the_live_table() {
        let trial = Trial::new("20261123-7", &record(1, 1));
        let answer = Rows {
            columns: vec!["engine".to_owned()],
            rows: vec![vec![json!("ReplicatedMergeTree('/t', '{replica}') ORDER BY a TTL t + toIntervalDay(1)")]],
        };
        let made = trial.make(&answer).unwrap().map(|statement| statement.text().to_owned());
        assert_eq!(
            made[0],
            "CREATE DATABASE `housewright_restore_202611237` COMMENT 'scratch of `housewright backup restore`'"
        );
        assert_eq!(
            made[1],
            "CREATE TABLE `housewright_restore_202611237`.`ev` AS `default`.`ev` ENGINE = MergeTree() ORDER BY a TTL t + toIntervalDay(1)"
        );
        assert_eq!(made[2], "SYSTEM STOP MERGES `housewright_restore_202611237`.`ev`");
        assert_eq!(
            trial.restore().text(),
            "RESTORE TABLE `default`.`ev` AS `housewright_restore_202611237`.`ev` \
             FROM S3(`store`, 'p/data/shard-1/a/default.ev/C/001-full-C') SETTINGS allow_different_table_def = 1"
        );
        assert!(trial.make(&Rows::default()).is_err());
    }

    #[test]
    fn what_came_back_is_judged_by_now_and_by_then() {
        let counted = |rows, checksum| Counted { rows, checksum };
        let of = |back, live, before, after| Verdict::of(back, live, &record(before, after));
        assert_eq!(of(counted(5, 9), counted(5, 9), 0, 0), Verdict::Equal);
        assert_eq!(of(counted(5, 9), counted(7, 1), 4, 6), Verdict::AsOfThen);
        assert_eq!(of(counted(5, 9), counted(7, 1), 6, 5), Verdict::AsOfThen);
        assert_eq!(of(counted(5, 9), counted(5, 1), 6, 7), Verdict::Differs, "as many rows, and others");
        assert_eq!(of(counted(0, 0), counted(7, 1), 6, 7), Verdict::Differs);
    }
}
