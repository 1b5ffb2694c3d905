//! The steps of a migration: what is written on whom, and what is run (pure).

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::{execute, part, wave};
use super::done as is_done;
use super::judge::Running;
use crate::clickhouse::Statement;
use crate::fleet::HostName;
use crate::migration::recording::{self, Mark, Next};
use crate::migration::{Migration, MigrationId};
use crate::plan::{Change, Gate, HostPlan, Step, Verb, Wave};

/// Makes the table of records.
pub(super) fn table() -> [Step; 1] {
    [execute(recording::own_table().to_string(), Verb::Create, recording::make())]
}

/// Lets a host know of what another one has done.
pub(super) fn known(migration: &Migration, by: &str, host: &mut HostPlan) {
    let mark = Mark { host: by, attempt: 0, done: migration.count(), next: Next::Nothing };
    host.steps.push(record(migration, &mark));
    host.changes.push(noted(migration, by));
}

/// All hosts of its places note that it begins; one host of each runs it; the others note that it is done. Where a place is
/// one host, all of that is one wave.
pub(super) fn waves(
    migration: &Migration,
    runs: &[Running<'_>],
    last: &BTreeMap<&HostName, &MigrationId>,
) -> Vec<Wave> {
    let (mut first, mut second, mut third) = (Vec::new(), Vec::new(), Vec::new());
    for running in runs {
        let begin = |host: &HostName| {
            let before = last.get(host).map(|id| is_done(id)).into_iter();
            before.chain([stands(migration, running, host), begins(migration, running)]).collect::<Vec<_>>()
        };
        let others: Vec<&HostName> = running.hosts.iter().copied().filter(|host| *host != running.carrier).collect();
        let change = vec![Change::Migration {
            id: migration.id.to_string(),
            name: migration.name.clone(),
            scope: migration.scope,
            statements: migration.count(),
            done: running.done,
            destroys: migration.destroys,
        }];
        if others.is_empty() {
            let steps = begin(running.carrier).into_iter().chain(run(migration, running)).collect();
            first.push(part(running.carrier, change, steps));
            continue;
        }
        first.push(part(running.carrier, Vec::new(), begin(running.carrier)));
        let gate = told(
            &others,
            format!("the other hosts know that migration {} begins", migration.id),
            recording::ask_begun(&migration.id, running.attempt),
        );
        second.push(part(running.carrier, change, [gate].into_iter().chain(run(migration, running)).collect()));
        for host in others {
            let change = vec![noted(migration, running.carrier.as_str())];
            first.push(part(host, change, begin(host)));
            let name = format!("migration {} is done on {}", migration.id, running.carrier);
            let gate = told(&[running.carrier], name, recording::ask_done(&migration.id));
            third.push(part(host, Vec::new(), vec![gate, done(migration, running)]));
        }
    }
    let sorted = |mut parts: Vec<HostPlan>| {
        parts.sort_by(|one, other| one.host.cmp(&other.host));
        parts
    };
    let alone = second.is_empty();
    let title = |what: &str| format!("migration {} {}{what}", migration.id, migration.name);
    let scope = migration.scope.to_string();
    let begins = if alone { "" } else { ": begin" };
    let why = if alone { scope.as_str() } else { "whoever has to know of it knows before its first statement" };
    [
        wave(title(begins), why, sorted(first)),
        wave(title(""), &scope, sorted(second)),
        wave(title(": done"), "on the others, so that none of them runs it again", sorted(third)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The host's record is still what the plan was made from.
fn stands(migration: &Migration, running: &Running<'_>, host: &HostName) -> Step {
    let id = &migration.id;
    let query = running.records.get(host).map_or_else(|| recording::ask_none(id), |is| recording::ask_stands(id, is));
    let name = format!("nobody has run migration {id} meanwhile");
    Step::Gate(Gate::Asked { name, query, limit: Some(Duration::ZERO), hint: None })
}

fn told(hosts: &[&HostName], name: String, query: Statement) -> Step {
    Step::Gate(Gate::Told { hosts: hosts.iter().map(|host| (*host).clone()).collect(), name, query })
}

/// The statements, each behind a note of what is done before it.
fn run<'a>(migration: &'a Migration, running: &'a Running<'_>) -> impl Iterator<Item = Step> + use<'a> {
    let count = migration.count();
    let statements = migration.statements.iter().zip(1..).skip(running.done as usize);
    let steps = statements.flat_map(move |(statement, number)| {
        let mark = mark(running, number - 1, Next::Sent);
        let what = format!("migration {}, statement {number} of {count}", migration.id);
        let note = execute(format!("that {what}, begins"), Verb::Note, recording::write(migration, &mark));
        let query_id = migration.query_id(number, running.attempt);
        [note, Step::Once { what, statement: statement.clone(), query_id, limit: migration.limit }]
    });
    steps.chain([done(migration, running)])
}

fn begins(migration: &Migration, running: &Running<'_>) -> Step {
    let mark = mark(running, running.done, Next::Announced);
    execute(format!("that migration {} begins", migration.id), Verb::Note, recording::write(migration, &mark))
}

fn done(migration: &Migration, running: &Running<'_>) -> Step {
    record(migration, &mark(running, migration.count(), Next::Nothing))
}

fn record(migration: &Migration, mark: &Mark<'_>) -> Step {
    execute(format!("migration {}", migration.id), Verb::Record, recording::write(migration, mark))
}

fn mark<'a>(running: &'a Running<'_>, done: u32, next: Next) -> Mark<'a> {
    Mark { host: running.carrier.as_str(), attempt: running.attempt, done, next }
}

fn noted(migration: &Migration, by: &str) -> Change {
    Change::MigrationRecord { id: migration.id.to_string(), name: migration.name.clone(), by: by.to_owned() }
}
