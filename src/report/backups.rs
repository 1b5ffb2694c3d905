//! Backups, for people: how they are, which there are, and what came back (pure).

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::hosts::count;
use super::style::{BAD, GOOD, HEAD, QUIET, WARN, paint};
use super::table::{Side, lines};
use crate::apply::Tried;
use crate::backup::{BackupRecord, BackupState, Complaint, Kind, TableBackups, Verdict};
use crate::duration::words;
use crate::fleet::HostName;
use crate::observe::NoRows;

/// What became of a backup that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Where.
    pub host: HostName,
    /// Which one.
    pub record: BackupRecord,
    /// The counts where its rows came back, or why it failed.
    pub outcome: Result<Option<Tried>, String>,
}

impl Attempt {
    /// Whether it can be relied on.
    #[must_use]
    pub fn is_well(&self) -> bool {
        let differs = |tried: &Tried| tried.verdict == Verdict::Differs;
        self.outcome.as_ref().is_ok_and(|tried| !tried.as_ref().is_some_and(differs))
    }
}

impl Serialize for Attempt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("host", &self.host)?;
        map.serialize_entry("backup", &self.record)?;
        map.serialize_entry("well", &self.is_well())?;
        match &self.outcome {
            Ok(Some(tried)) => map.serialize_entry("tried", tried)?,
            Ok(None) => {}
            Err(why) => map.serialize_entry("failed", why)?,
        }
        map.end()
    }
}

/// A line for each table of each shard, what is wrong under it, and a line that counts.
#[must_use]
pub fn backup_status(tables: &[TableBackups], without: &BTreeMap<HostName, NoRows>, width: Option<usize>) -> String {
    let left = ["role", "shard", "table", "by", "last full", "last", "chain", "now"];
    let heading: Vec<_> = left.iter().map(|name| ((*name).to_owned(), Side::Left)).collect();
    let ago = |record: &Option<BackupRecord>| record.as_ref().map_or("never".to_owned(), |one| words(one.age));
    let row = |one: &TableBackups| {
        vec![
            one.covered.role.to_string(),
            one.covered.shard.to_string(),
            one.covered.table.to_string(),
            one.covered.host.to_string(),
            ago(&one.last_full),
            ago(&one.last),
            one.chain.to_string(),
            if one.running.is_some() { "running".to_owned() } else { String::new() },
        ]
    };
    let rows: Vec<_> = tables.iter().map(row).collect();
    let mut all = lines(&heading, &rows, width).into_iter();
    let mut out = String::new();
    out.extend(all.next().map(|line| line + "\n"));
    for (line, one) in all.zip(tables) {
        let _ = writeln!(out, "{line}");
        for complaint in &one.complaints {
            let _ = writeln!(out, "  {} {}", paint(WARN, "!"), in_words(complaint));
        }
    }
    silent(&mut out, without);
    let bad = tables.iter().filter(|one| !one.is_well()).count();
    let text = if bad == 0 { "all well".to_owned() } else { format!("{bad} not well") };
    let _ = writeln!(out, "{} {}: {text}", paint(HEAD, "backup:"), count(tables.len(), "table"));
    out
}

fn in_words(complaint: &Complaint) -> String {
    match complaint {
        Complaint::Never => "there is no backup".to_owned(),
        Complaint::Old { hours, most } => format!("the last one is {hours} h old, and may be {most} h"),
        Complaint::Gap { before, hours, most } => {
            format!("there was none for {hours} h before that of {before} (UTC), and {most} h are meant")
        }
        Complaint::Long { chain, backups, most } => {
            format!("the chain of {chain} has {backups} backups, and may have {most}")
        }
        Complaint::Broken { missing } => format!("the last chain lacks {missing}: it cannot be restored"),
        Complaint::Lost { name } => {
            format!("{name} died in the middle: what it wrote and its lock are left at its place")
        }
        Complaint::Failed { name, why } => format!("{name} failed: {why}"),
    }
}

/// A line for each backup that is on record.
#[must_use]
pub fn backup_list(
    records: &BTreeMap<HostName, Vec<BackupRecord>>,
    without: &BTreeMap<HostName, NoRows>,
    width: Option<usize>,
) -> String {
    let left = ["host", "table", "kind", "state", "began (UTC)", "rows", "bytes", "place", "name"];
    let side = |name: &str| if matches!(name, "rows" | "bytes") { Side::Right } else { Side::Left };
    let heading: Vec<_> = left.iter().map(|name| ((*name).to_owned(), side(name))).collect();
    let row = |host: &HostName, record: &BackupRecord| {
        vec![
            host.to_string(),
            record.table.to_string(),
            match record.kind {
                Kind::Full => "full".to_owned(),
                Kind::Incremental => format!("incremental {}", record.number),
            },
            match record.state {
                BackupState::Running => "running",
                BackupState::Lost => "lost",
                BackupState::Done => "done",
                BackupState::Failed => "failed",
                BackupState::Deleted => "deleted",
            }
            .to_owned(),
            record.began.clone(),
            record.rows_before.to_string(),
            record.bytes.to_string(),
            record.place.word(),
            record.name.clone(),
        ]
    };
    let rows: Vec<_> =
        records.iter().flat_map(|(host, records)| records.iter().map(move |record| row(host, record))).collect();
    // A name is copied into `--backup`: the widest column is not cut for the others where it is piped.
    let mut out: String = lines(&heading, &rows, width).into_iter().map(|line| line + "\n").collect();
    silent(&mut out, without);
    let _ = writeln!(out, "{} {} on record", paint(HEAD, "backup list:"), count(rows.len(), "backup"));
    out
}

/// What came of each that was tried, and a line that counts.
#[must_use]
pub fn backups_tried(verb: &str, attempts: &[Attempt], without: &BTreeMap<HostName, NoRows>) -> String {
    let mut out = String::new();
    for Attempt { host, record, outcome } in attempts {
        let (style, mark, text) = match outcome {
            Ok(None) => (GOOD, "ok", "can be read".to_owned()),
            Ok(Some(tried)) => {
                let Tried { back, live, verdict } = tried;
                match verdict {
                    Verdict::Equal => {
                        (GOOD, "ok", format!("{} rows, checksum {:016x}: as in the table", back.rows, back.checksum))
                    }
                    Verdict::AsOfThen => (
                        GOOD,
                        "ok",
                        format!("{} rows, as many as when it was taken; the table has {} by now", back.rows, live.rows),
                    ),
                    Verdict::Differs => (
                        BAD,
                        "x",
                        format!(
                            "{} rows, checksum {:016x}: the table had {} to {} rows when it was taken, and has {}, checksum {:016x}, now",
                            back.rows,
                            back.checksum,
                            record.rows_before.min(record.rows_after),
                            record.rows_before.max(record.rows_after),
                            live.rows,
                            live.checksum
                        ),
                    ),
                }
            }
            Err(why) => (BAD, "x", why.clone()),
        };
        let _ = writeln!(out, "{} {host} {}: {text}", paint(style, mark), paint(HEAD, &record.table));
        let _ = writeln!(out, "  {}", paint(QUIET, &record.name));
    }
    silent(&mut out, without);
    let good = attempts.iter().filter(|one| one.is_well()).count();
    let text = format!("{good} of {} well", count(attempts.len(), "backup"));
    let _ = writeln!(out, "{} {text}", paint(HEAD, format!("backup {verb}:")));
    out
}

fn silent(out: &mut String, without: &BTreeMap<HostName, NoRows>) {
    for (host, why) in without {
        let _ = writeln!(out, "{} {host}: {}", paint(BAD, "x"), why.reason());
    }
}
