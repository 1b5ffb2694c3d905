//! What is done with the tables that consume a queue around a restart and a reload (pure).
//!
//! Invariant: nothing is detached that the host has not noted before, and all that was noted is attached behind.

use std::collections::BTreeSet;
use std::time::Duration;

use super::limits::Limits;
use crate::fleet::Placement;
use crate::plan::change::HostChanges;
use crate::plan::queues::{Whereabouts, consuming, owed, these, unreadable_marker};
use crate::plan::{Gate, Step};
use crate::resource::{ClickHouseFacts, Detached, Detachment, Owed};
use crate::schema::ObjectName;

/// The part of a host's steps that is about its queues.
pub(super) struct Queues {
    /// What is detached from the first of the steps on.
    detach: Detached,
    how: Detachment,
    /// What an earlier run detached, or this one does.
    noted: Detached,
    /// What is attached behind.
    attach: BTreeSet<ObjectName>,
    /// What is spooled has to be sent before the restart.
    drain: bool,
    /// The server answers when it is time to attach.
    answers: bool,
    limit: Duration,
    /// The host's note of what is detached can be read.
    readable: bool,
}

impl Queues {
    /// Decides it from what was found on the host.
    pub fn of(host: &HostChanges<'_>, limits: &Limits) -> Self {
        let (restarts, reattaches) = (host.restarts_clickhouse(), host.reattaches());
        let answered = matches!(host.facts.clickhouse, ClickHouseFacts::Up { .. });
        let detach = match (restarts, reattaches) {
            (true, _) => consuming(host.facts),
            (false, true) => these(host.facts, &host.cost.reattach),
            (false, false) => Detached::default(),
        };
        let mut noted = detach.clone();
        let mut attach: BTreeSet<_> = detach.names().cloned().collect();
        for (name, (table, place)) in owed(host.facts) {
            noted.0.entry(name.clone()).or_insert_with(|| table.clone());
            if place == Whereabouts::Detached {
                attach.insert(name.clone());
            }
        }
        Self {
            detach,
            // A reattach that comes to no end is ended by any restart.
            how: if restarts { Detachment::ForGood } else { Detachment::UntilRestart },
            noted,
            attach,
            drain: restarts && answered && host.host.placement == Placement::Stateless,
            answers: answered || host.starts_clickhouse(),
            limit: limits.drain,
            readable: unreadable_marker(host.facts).is_none(),
        }
    }

    /// Notes, detaches and drains. The table is detached and not its view: with several views, rows would be lost
    /// (<https://github.com/ClickHouse/ClickHouse/issues/6533>).
    pub fn before_restart(&self) -> Vec<Step> {
        if self.how != Detachment::ForGood {
            return Vec::new();
        }
        let mut steps = Vec::new();
        if !self.detach.0.is_empty() {
            steps.push(super::note(self.journal().into_iter().collect()));
            steps.extend(self.detach());
        }
        if self.drain {
            steps.push(Step::Gate(Gate::Drained { limit: self.limit }));
        }
        steps
    }

    /// Brings back what is away, and waits until it consumes.
    pub fn behind(&self) -> Vec<Step> {
        if !self.answers {
            return Vec::new();
        }
        let mut steps = Vec::new();
        if self.how == Detachment::UntilRestart {
            steps.extend(self.detach());
        }
        if !self.attach.is_empty() {
            steps.push(Step::Attach { tables: self.attach.clone() });
        }
        if !self.noted.0.is_empty() {
            let tables = self.noted.0.iter().map(|(name, table)| (name.clone(), table.proof)).collect();
            steps.push(Step::Gate(Gate::Consuming { tables }));
        }
        steps
    }

    fn detach(&self) -> Option<Step> {
        let tables: BTreeSet<_> = self.detach.names().cloned().collect();
        (!tables.is_empty()).then_some(Step::Detach { tables, how: self.how, limit: self.limit })
    }

    /// The marker of all that is detached from its write on.
    pub fn journal(&self) -> Option<Owed> {
        (!self.noted.0.is_empty()).then(|| Owed::Attach(self.noted.clone()))
    }

    /// Whether behind the last step nothing is detached any more.
    pub fn come_back(&self) -> bool {
        self.answers && self.readable
    }
}
