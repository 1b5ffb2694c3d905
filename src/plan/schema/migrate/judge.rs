//! Whether a migration is to be run at a place, from which statement on, by whom; or why nobody may (pure).

use std::collections::{BTreeMap, BTreeSet};

use super::place::Place;
use crate::fleet::HostName;
use crate::migration::{GoOn, Interrupted, Migration, MigrationRecord, Outcome, Progress};
use crate::plan::Inputs;
use crate::resource::ClickHouseFacts;

/// What is to be done at a place.
pub(super) enum Judged<'a> {
    /// It is done; some hosts do not know.
    Done { by: &'a str, lack: Vec<&'a HostName> },
    /// It is to be run.
    Run(Running<'a>),
    /// Nobody may, now.
    Held { host: &'a HostName, reason: String, hint: Option<String> },
}

/// How it is run at a place.
pub(super) struct Running<'a> {
    pub carrier: &'a HostName,
    /// All hosts of the place.
    pub hosts: Vec<&'a HostName>,
    /// How many statements are done.
    pub done: u32,
    pub attempt: u32,
    /// What the hosts have on record; nothing where they have none.
    pub records: BTreeMap<&'a HostName, &'a MigrationRecord>,
}

type Refusal = (String, Option<String>);

/// What a host tells.
enum Told<'a> {
    Record(&'a MigrationRecord),
    None,
    /// Why it tells nothing.
    Nothing(String),
}

/// Judges a place.
pub(super) fn judge<'a>(inputs: &Inputs<'a>, place: &Place<'a>, starting: &BTreeSet<HostName>) -> Judged<'a> {
    let here = place.hosts.iter().copied().find(|host| inputs.hosts.contains(*host));
    let Some(first) = here.or(place.hosts.first().copied()) else { return Judged::Done { by: "", lack: Vec::new() } };
    let (mut records, mut silent, mut lack) = (BTreeMap::new(), Vec::new(), Vec::new());
    for host in &place.hosts {
        match told(inputs, place.migration, host, starting) {
            Told::Record(record) => drop(records.insert(*host, record)),
            Told::None => lack.push(*host),
            Told::Nothing(why) => silent.push((*host, why)),
        }
    }
    let held = |(reason, hint): Refusal| Judged::Held { host: first, reason, hint };
    let done = records.values().find(|record| record.progress == Progress::Done).copied();
    if let Some((host, record)) = records.iter().find(|(_, record)| is_another(place.migration, record))
        && (done.is_some() || !nothing_done(inputs, place.migration, &records))
    {
        return held(changed(place.migration, host, record));
    }
    if let Some(done) = done {
        let unaware = records.iter().filter(|(_, record)| record.progress == Progress::Begun).map(|(host, _)| *host);
        let may_change = |host: &&HostName| inputs.hosts.contains(*host);
        let mut lack: Vec<&HostName> = lack.into_iter().chain(unaware).filter(may_change).collect();
        lack.sort();
        return Judged::Done { by: &done.host, lack };
    }
    if let Some((host, why)) = silent.first() {
        let reason = format!("`{host}` does not tell whether it was run there: {why}");
        return held((reason, Some("bring it up, or take it out of the inventory".to_owned())));
    }
    if let Some(host) = place.hosts.iter().find(|host| !inputs.hosts.contains(**host)) {
        let reason = format!("`--limit` leaves out `{host}`, which would not know of it");
        return held((reason, Some("name all hosts of its place, or none".to_owned())));
    }
    match going_on(inputs, place, &records) {
        Err(refusal) => held(refusal),
        Ok((done, attempt)) => match carrier(inputs, place, &records, starting) {
            Err(refusal) => held(refusal),
            Ok(carrier) => Judged::Run(Running { carrier, hosts: place.hosts.clone(), done, attempt, records }),
        },
    }
}

fn told<'a>(inputs: &Inputs<'a>, migration: &Migration, host: &HostName, starting: &BTreeSet<HostName>) -> Told<'a> {
    use crate::resource::HostObservation::{Reached, Unreachable};
    match inputs.observation.hosts.get(host) {
        None => Told::Nothing("it was not asked".to_owned()),
        Some(Unreachable { reason, .. }) => Told::Nothing(reason.clone()),
        Some(Reached(facts)) => match (&facts.clickhouse, &facts.migrations) {
            (ClickHouseFacts::Up { .. }, records) => {
                records.as_ref().and_then(|records| records.get(&migration.id)).map_or(Told::None, Told::Record)
            }
            // It is asked again behind its start, before anything is run.
            (ClickHouseFacts::Down { .. }, _) if starting.contains(host) => Told::None,
            (ClickHouseFacts::Down { reason }, _) => Told::Nothing(reason.clone()),
            (ClickHouseFacts::NotAsked, _) => Told::Nothing("its role has no ClickHouse".to_owned()),
        },
    }
}

/// Whether what is on record is another text than the file's.
fn is_another(migration: &Migration, record: &MigrationRecord) -> bool {
    record.checksum != migration.checksum
}

/// Whether its first statement was never sent, or was refused before it did anything: then there is nothing that another
/// text would contradict.
fn nothing_done(inputs: &Inputs<'_>, migration: &Migration, records: &BTreeMap<&HostName, &MigrationRecord>) -> bool {
    let own = records.iter().find(|(host, record)| host.as_str() == record.host).map(|(_, record)| *record);
    let harmless = own.is_some_and(|own| own.query.is_empty() || matches!(own.outcome, Outcome::Refused(_)));
    let said = inputs.go_on.iter().any(|(id, how)| *id == migration.id && *how == GoOn::Repeat);
    let runs = own.is_some_and(|own| own.outcome == Outcome::Running);
    records.values().all(|record| record.done == 0) && !runs && (harmless || said)
}

fn changed(migration: &Migration, host: &HostName, record: &MigrationRecord) -> Refusal {
    let what = match record.progress {
        Progress::Done => "run",
        Progress::Begun => "begun",
    };
    let short = |checksum: &str| checksum.chars().take(8).collect::<String>();
    let reason = format!(
        "its file has changed since it was {what}: `{host}` has {} on record ({}, {}), the file is {}",
        short(&record.checksum),
        record.name,
        record.at,
        short(&migration.checksum)
    );
    (reason, Some("put the file back as it was, and write a new migration with the next number".to_owned()))
}

/// How many statements are done, and which attempt it is.
fn going_on(
    inputs: &Inputs<'_>,
    place: &Place<'_>,
    records: &BTreeMap<&HostName, &MigrationRecord>,
) -> Result<(u32, u32), Refusal> {
    let migration = place.migration;
    let id = &migration.id;
    let allowed = inputs.allow_destroy.contains(&id.to_string());
    let Some(last) = records.values().max_by_key(|record| (record.attempt, record.done)) else {
        if migration.destroys && !allowed {
            let hint = format!("look at it, and allow it by name: `--allow-destroy {id}`");
            return Err(("it takes rows away".to_owned(), Some(hint)));
        }
        return Ok((0, 1));
    };
    let own = records.iter().find(|(host, _)| host.as_str() == last.host).map(|(_, record)| *record);
    let (done, attempt) = (last.done, last.attempt.saturating_add(1));
    let outcome = own.map_or(&Outcome::Unknown, |own| &own.outcome);
    let said = inputs.go_on.iter().rfind(|(named, _)| named == id).map(|(_, how)| *how);
    let query = own.map_or("", |own| own.query.as_str());
    let statement = format!("statement {} of {}", done + 1, last.statements);
    let how = match (outcome, said) {
        (Outcome::Running, _) => {
            let reason = format!("{statement} still runs on `{}`, as query `{query}`", last.host);
            return Err((reason, Some("let it end; `housewright plan` looks again".to_owned())));
        }
        // It was announced, and never sent.
        _ if own.is_some_and(|own| own.query.is_empty()) => GoOn::Repeat,
        (Outcome::Finished, _) => GoOn::Next,
        (Outcome::Refused(_), _) => GoOn::Repeat,
        (Outcome::Failed(_) | Outcome::Unknown, Some(said)) => said,
        (Outcome::Unknown, None) if migration.interrupted == Interrupted::Repeat => GoOn::Repeat,
        (outcome, None) => {
            let ended = match outcome {
                Outcome::Failed(complaint) => format!("failed in the middle: {complaint}"),
                _ => format!("was begun on `{}` at {}, and nobody knows how it ended", last.host, last.at),
            };
            let reason = format!("{statement} {ended}");
            let hint = format!(
                "look at query `{query}` on `{}`, then `--migration {id}=repeat` to run it again, or `{id}=next` where it is done",
                last.host
            );
            return Err((reason, Some(hint)));
        }
    };
    Ok((if how == GoOn::Next { (done + 1).min(migration.count()) } else { done.min(migration.count()) }, attempt))
}

/// Who has begun it, where that one is well; else the first that takes writes; else the first that is started.
fn carrier<'a>(
    inputs: &Inputs<'a>,
    place: &Place<'a>,
    records: &BTreeMap<&'a HostName, &'a MigrationRecord>,
    starting: &BTreeSet<HostName>,
) -> Result<&'a HostName, Refusal> {
    let serves = |host: &&&HostName| match inputs.observation.facts(host).map(|facts| &facts.clickhouse) {
        Some(ClickHouseFacts::Up { server, .. }) => server.serves().is_ok(),
        _ => false,
    };
    let began = |host: &&&HostName| records.values().any(|record| record.host == host.as_str());
    let hosts = || place.hosts.iter();
    let found = hosts()
        .find(|host| began(host) && serves(host))
        .or_else(|| hosts().find(serves))
        .or_else(|| hosts().find(|host| starting.contains(**host)));
    found.copied().ok_or_else(|| {
        let reason = "none of its hosts takes writes and is up to date".to_owned();
        (reason, Some("mend them first: `housewright status`".to_owned()))
    })
}
