//! Evens out the disks that storage policies put together, by moving parts from one to another (pure).
//!
//! A move never makes the disks less even, never leaves its target without free space, and never takes a part for the
//! second time; what was made even gives no further move. The reasons are in
//! [decision 0036](../../docs/decisions/0036-the-disk-balancer.md).

mod ask;
mod field;
mod plan;
mod pool;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use ask::{DISKS, PARTS, VOLUMES, read, statement};
pub use plan::{BalancePlan, Why, next, plan, pools};
pub use pool::{Pool, PoolDisk};

/// Of this many parts a fullness is told, and compared.
pub const WHOLE: u64 = 1_000_000;

/// The part of a target's size that stays free behind a move: merges and inserts need room there, whatever the balancer does.
pub const FLOOR: u64 = 20;

/// The disks of one server, and what lies on them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// Disks by name.
    pub disks: BTreeMap<String, Disk>,
    /// Volumes of the policies that tables have.
    pub volumes: Vec<Volume>,
    /// Active parts of tables whose policy has a volume of several disks.
    pub parts: Vec<Part>,
}

/// A disk as the server sees it; `keep_free_space_bytes` is neither in its size nor in what is free.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Disk {
    /// Its size in bytes.
    pub total: u64,
    /// What is free.
    pub free: u64,
    /// What is free and not spoken for by merges, moves and inserts under way.
    pub unreserved: u64,
    /// Why it cannot be compared with others.
    pub unfit: Option<String>,
}

/// Disks of a policy that stand in for each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// The policy's name.
    pub policy: String,
    /// Its own name.
    pub name: String,
    /// Its disks.
    pub disks: Vec<String>,
}

/// An active part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Which.
    pub name: PartName,
    /// The disk that it is on.
    pub disk: String,
    /// Its table's policy.
    pub policy: String,
    /// Its size on disk.
    pub bytes: u64,
    /// Why it is left alone.
    pub busy: Option<String>,
}

/// The name of a part on its server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PartName {
    /// The database.
    pub database: String,
    /// The table.
    pub table: String,
    /// The part.
    pub part: String,
}

/// How even the disks are to be, and how much may be moved for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aim {
    /// A pool is begun when its spread is above this, of [`WHOLE`].
    pub begin_above: u64,
    /// One that was begun is even enough at this, of [`WHOLE`].
    pub end_at: u64,
    /// Bytes that a run may move.
    pub bytes: u64,
}

impl Aim {
    /// Begins above a spread in percent and goes on to half of it: rows that come in between do not begin the next run.
    #[must_use]
    pub fn of_spread(percent: u8, bytes: u64) -> Self {
        let begin_above = u64::from(percent) * (WHOLE / 100);
        Self { begin_above, end_at: begin_above / 2, bytes }
    }
}

/// What a run has done so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Course {
    /// Parts that it has taken, also those that did not go.
    pub taken: BTreeSet<PartName>,
    /// Disks that parts were taken from: their pools are begun.
    pub begun: BTreeSet<String>,
    /// Bytes that it has moved.
    pub bytes: u64,
}

/// One part that goes to another disk of its volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Move {
    /// Which.
    #[serde(flatten)]
    pub part: PartName,
    /// Its size.
    pub bytes: u64,
    /// The disk that it is on.
    pub from: String,
    /// The disk that it goes to.
    pub to: String,
}

impl Course {
    /// Notes a move that was made, or tried.
    pub fn note(&mut self, step: &Move, bytes: u64) {
        self.taken.insert(step.part.clone());
        self.begun.insert(step.from.clone());
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

#[cfg(test)]
mod tests;
