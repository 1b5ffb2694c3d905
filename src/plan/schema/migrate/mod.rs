//! Migrations: behind all that is made, before anything is dropped; each is run once where its header says (pure).
//!
//! That one begins is written on every host of its place before its first statement, and that it is done behind its last;
//! so no host that loses its disks makes it run twice. What nobody can know for sure is held.

mod judge;
mod place;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Gate, Hold, HostPlan, Inputs, Step, Wave};
use super::wave;
use crate::fleet::HostName;
use crate::migration::{MigrationId, recording};
use judge::{Judged, Running};
use place::Place;

/// The waves, and what they mean for those behind them.
pub(super) struct Migrated<'a> {
    waves: Vec<Wave>,
    /// The last migration that each host has in this plan.
    last: BTreeMap<&'a HostName, &'a MigrationId>,
    /// The first one that is held on each host.
    held: BTreeMap<&'a HostName, &'a MigrationId>,
}

/// Plans all of them in order of their numbers; one that is held holds the later ones of its hosts.
///
/// `starting`: hosts whose ClickHouse the plan starts first.
pub(super) fn plan<'a>(inputs: &Inputs<'a>, starting: &BTreeSet<HostName>, holds: &mut Vec<Hold>) -> Migrated<'a> {
    let mut all = Migrated { waves: Vec::new(), last: BTreeMap::new(), held: BTreeMap::new() };
    let mut known: BTreeMap<&HostName, HostPlan> = BTreeMap::new();
    let mut waves = Vec::new();
    for (migration, places) in place::all(inputs) {
        let mut runs: Vec<Running<'a>> = Vec::new();
        for place in places {
            match judge::judge(inputs, &place, starting) {
                Judged::Done { by, lack } => {
                    for host in lack {
                        steps::known(
                            migration,
                            by,
                            known.entry(host).or_insert_with(|| super::part(host, vec![], vec![])),
                        );
                    }
                }
                Judged::Held { host, reason, hint } => {
                    holds.push(held(host, migration, reason, hint));
                    all.hold(&place);
                }
                Judged::Run(running) => match all.behind(&place) {
                    Some(other) => {
                        let (host, reason) = (running.carrier, format!("`{other}` is to be run before it"));
                        holds.push(held(host, migration, reason, None));
                        all.hold(&place);
                    }
                    None => runs.push(running),
                },
            }
        }
        waves.extend(steps::waves(migration, &runs, &all.last));
        for host in runs.iter().flat_map(|running| &running.hosts) {
            all.last.insert(host, &migration.id);
        }
    }
    let reason = "another host has run them for these: they are not run again";
    all.waves.extend(wave("migrations: the hosts' records".to_owned(), reason, known.into_values().collect()));
    all.waves.extend(waves);
    with_tables(inputs, &mut all.waves);
    all
}

fn held(host: &HostName, migration: &crate::migration::Migration, reason: String, hint: Option<String>) -> Hold {
    Hold { host: host.clone(), what: format!("run migration `{}`", migration.id), reason, hint }
}

impl<'a> Migrated<'a> {
    fn hold(&mut self, place: &Place<'a>) {
        for host in &place.hosts {
            self.held.entry(host).or_insert(&place.migration.id);
        }
    }

    /// One that is held on a host of a place.
    fn behind(&self, place: &Place<'_>) -> Option<&'a MigrationId> {
        place.hosts.iter().find_map(|host| self.held.get(host).copied())
    }

    /// Puts the waves before those that drop: what is dropped may be what a migration reads.
    pub fn before(self, mut dropping: Vec<Wave>, holds: &mut Vec<Hold>) -> Vec<Wave> {
        for wave in &mut dropping {
            wave.hosts.retain(|host| {
                let Some(id) = self.held.get(&host.host) else { return true };
                let what = format!("drop {} objects that no role of the host wants", host.changes.len());
                let reason = format!("migration `{id}` is to be run before it");
                holds.push(Hold { host: host.host.clone(), what, reason, hint: None });
                false
            });
            for host in &mut wave.hosts {
                let gate = self.last.get(&host.host).map(|id| done(id));
                host.steps.splice(0..0, gate);
            }
        }
        dropping.retain(|wave| !wave.hosts.is_empty());
        self.waves.into_iter().chain(dropping).collect()
    }
}

/// Waits for nothing: the host knows by now, or something went wrong.
fn done(id: &MigrationId) -> Step {
    let (name, limit) = (format!("migration {id} is done"), Some(std::time::Duration::ZERO));
    Step::Gate(Gate::Asked { name, query: recording::ask_done(id), limit, hint: None })
}

/// Makes the table of records where the first of these waves touches a host that has none.
fn with_tables(inputs: &Inputs<'_>, waves: &mut [Wave]) {
    let mut has: BTreeSet<HostName> = BTreeSet::new();
    for host in waves.iter_mut().flat_map(|wave| &mut wave.hosts) {
        let facts = inputs.observation.facts(&host.host);
        if facts.is_some_and(|facts| facts.migrations.is_some()) || !has.insert(host.host.clone()) {
            continue;
        }
        host.steps.splice(0..0, steps::table());
    }
}
