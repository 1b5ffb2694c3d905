//! Backups of tables: who takes which, what is on record of them, how they are, and how they come back (pure).
//!
//! Every declared table of every shard is backed up by exactly one replica, and one without replicas by each host that has it. The
//! backups themselves are taken on the hosts, by a timer and a small script; nothing here decides at the time of a run.

mod assign;
mod check;
mod record;
mod spec;
mod survey;
mod trial;

#[cfg(test)]
mod tests;

pub use assign::{Assignment, assign};
pub use check::check;
pub use record::{BackupRecord, BackupState, Kind, RECORD_ROWS, ask, make, read};
pub use spec::{BACKUP, BACKUP_TABLES, Backup, Place, declared};
pub use survey::{Complaint, Covered, LOOKED_BACK, TableBackups, chain_of, latest, survey, whole};
pub use trial::{Counted, Trial, Verdict, is_scratch};
