//! How the backups of every declared table are (pure): by shard, whoever took them, and by host where a table has no replicas.
//!
//! What is wrong is said with numbers; a table is well when nothing is.

use std::collections::{BTreeMap, BTreeSet};

use super::assign::Assignment;
use super::record::whose;
use super::{Backup, BackupRecord, BackupState, Kind};
use crate::fleet::{Fleet, HostName, Placement, RoleName};
use crate::schema::ObjectName;

/// How far back gaps are looked for, in hours: two weeks, as a full backup is usually a week apart from the next.
pub const LOOKED_BACK: u64 = 14 * 24;
const HOUR: u64 = 3600;

/// A table as far as backups know it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Covered {
    /// The role of its hosts.
    pub role: RoleName,
    /// Their shard.
    pub shard: u32,
    /// The table.
    pub table: ObjectName,
    /// The host that takes its backups.
    pub host: HostName,
}

/// What is wrong with the backups of a table.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Complaint {
    /// There is no whole backup.
    Never,
    /// The last one is too old, in hours.
    Old { hours: u64, most: u64 },
    /// There was none for so many hours before the one of this time.
    Gap { before: String, hours: u64, most: u64 },
    /// The last chain has more than it may have.
    Long { chain: String, backups: u64, most: u64 },
    /// The last chain lacks one that others build on.
    Broken { missing: String },
    /// A backup died in the middle: what it wrote is left where it is.
    Lost { name: String },
    /// The last attempt failed.
    Failed { name: String, why: String },
}

/// How the backups of one table are.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TableBackups {
    /// Which table, and who takes them.
    #[serde(flatten)]
    pub covered: Covered,
    /// The last full one that is whole.
    pub last_full: Option<BackupRecord>,
    /// The last one that is whole.
    pub last: Option<BackupRecord>,
    /// How many whole ones the last chain has.
    pub chain: u64,
    /// One that is being taken.
    pub running: Option<String>,
    /// What is wrong.
    pub complaints: Vec<Complaint>,
}

impl TableBackups {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.complaints.is_empty()
    }
}

/// The last whole backup of a table that is still there.
#[must_use]
pub fn latest<'a>(records: impl IntoIterator<Item = &'a BackupRecord>) -> Option<&'a BackupRecord> {
    let whole = records.into_iter().filter(|record| record.state == BackupState::Done);
    whole.max_by(|one, other| (&one.chain, one.number, &one.name).cmp(&(&other.chain, other.number, &other.name)))
}

/// The backups that one needs, itself first; the name that is missing where one is.
///
/// # Errors
/// The name of the base that is not there, or not whole.
pub fn chain_of<'a>(record: &'a BackupRecord, records: &'a [BackupRecord]) -> Result<Vec<&'a BackupRecord>, String> {
    let mut chain = vec![record];
    let mut at = record;
    while !at.base.is_empty() {
        let base = records.iter().find(|base| base.name == at.base && base.state == BackupState::Done);
        // A number that does not go down could go on for ever.
        at = base.filter(|base| base.number < at.number).ok_or_else(|| at.base.clone())?;
        chain.push(at);
    }
    if at.kind == Kind::Full { Ok(chain) } else { Err(format!("{} has no base", at.name)) }
}

/// Whether everything that a backup needs is there and whole.
#[must_use]
pub fn whole(record: &BackupRecord, records: &[BackupRecord]) -> bool {
    record.state == BackupState::Done && chain_of(record, records).is_ok()
}

/// Looks at every table that somebody takes backups of; `records` are those of the hosts that answered.
#[must_use]
pub fn survey(
    fleet: &Fleet,
    assignment: &Assignment,
    records: &BTreeMap<HostName, Vec<BackupRecord>>,
) -> Vec<TableBackups> {
    let mut all = Vec::new();
    for (name, tables) in assignment.iter().filter(|(name, _)| records.contains_key(*name)) {
        let Some(host) = fleet.hosts.get(name) else { continue };
        let (Placement::Storage { shard, .. }, Some(backup)) = (&host.placement, Backup::of(host)) else { continue };
        let peers: BTreeSet<&HostName> = fleet.shard_peers(host).into_iter().map(|peer| &peer.name).collect();
        for table in tables {
            // A table that others back up too has no replicas: theirs are not its own.
            let alone =
                peers.iter().filter(|peer| assignment.get(**peer).is_some_and(|own| own.contains(table))).count();
            let of_table =
                records.iter().filter(|(taker, _)| if alone > 1 { *taker == name } else { peers.contains(taker) });
            // A host that was given another shard keeps the record of its old one.
            let here = |record: &&BackupRecord| {
                record.table == *table
                    && whose(&record.name).is_none_or(|(role, at, _)| role == host.role && at == *shard)
            };
            let mut own: Vec<BackupRecord> = of_table.flat_map(|(_, own)| own).filter(here).cloned().collect();
            own.sort_by(|one, other| (other.age, &one.chain, one.number).cmp(&(one.age, &other.chain, other.number)));
            let covered = Covered { role: host.role.clone(), shard: *shard, table: table.clone(), host: name.clone() };
            all.push(look(covered, &own, &backup));
        }
    }
    all.sort_by(|one, other| one.covered.cmp(&other.covered));
    all
}

/// Looks at the backups of one table, the oldest first.
fn look(covered: Covered, records: &[BackupRecord], backup: &Backup) -> TableBackups {
    let done: Vec<&BackupRecord> = records.iter().filter(|record| record.state == BackupState::Done).collect();
    let last = done.last().copied();
    let last_full = done.iter().rev().find(|record| record.kind == Kind::Full).copied();
    let chain = last.map_or(0, |last| done.iter().filter(|record| record.chain == last.chain).count() as u64);
    let mut complaints = Vec::new();
    let most = backup.max_age;
    match last {
        None => complaints.push(Complaint::Never),
        Some(last) => {
            if last.age > most * HOUR {
                complaints.push(Complaint::Old { hours: last.age / HOUR, most });
            }
            if chain > backup.longest_chain {
                complaints.push(Complaint::Long {
                    chain: last.chain.clone(),
                    backups: chain,
                    most: backup.longest_chain,
                });
            }
            if let Err(missing) = chain_of(last, records) {
                complaints.push(Complaint::Broken { missing });
            }
        }
    }
    // What was removed by now was there in its time.
    let taken: Vec<&BackupRecord> =
        records.iter().filter(|record| matches!(record.state, BackupState::Done | BackupState::Deleted)).collect();
    for (one, next) in taken.iter().zip(taken.iter().skip(1)) {
        let between = one.age.saturating_sub(next.age);
        if between > most * HOUR && next.age < LOOKED_BACK * HOUR {
            complaints.push(Complaint::Gap { before: next.began.clone(), hours: between / HOUR, most });
        }
    }
    let lost = records.iter().filter(|record| record.state == BackupState::Lost);
    complaints.extend(lost.map(|record| Complaint::Lost { name: record.name.clone() }));
    let failed = records.iter().rev().take_while(|record| record.state != BackupState::Done);
    if let Some(record) = failed.into_iter().find(|record| record.state == BackupState::Failed) {
        complaints.push(Complaint::Failed { name: record.name.clone(), why: record.complaint.clone() });
    }
    let running = records.iter().find(|record| record.state == BackupState::Running);
    TableBackups {
        covered,
        last_full: last_full.cloned(),
        last: last.cloned(),
        chain,
        running: running.map(|record| record.name.clone()),
        complaints,
    }
}
