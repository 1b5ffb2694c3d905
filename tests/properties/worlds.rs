//! Random worlds: what happened to hosts since Housewright made them, and what it did to the world.

use std::collections::BTreeSet;

use housewright::fleet::HostName;
use housewright::plan::Hold;
use housewright::remote::{EntryKind, RemotePath, UnitName};
use housewright::sim::{SimFleet, SimHost, SimReplica, SimServer, Transition};
use housewright::transport::{ConnectError, SessionError};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::fleets::Shape;
use crate::world::name;

/// What happened to one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wound {
    /// The machine is new.
    Bare,
    /// Somebody stopped its unit.
    Stopped,
    /// Somebody edited a file.
    Edited,
    /// Somebody removed a file.
    Removed,
    /// A table is not there.
    Dropped,
    /// Its tables take no writes.
    Readonly,
    /// It cannot be reached.
    Unreachable,
    /// Its ClickHouse runs and does not answer.
    Silent,
    /// Its ClickHouse serves others and refuses us.
    Refusing,
}

/// Wounds that a run heals.
pub const CURABLE: [Wound; 5] = [Wound::Bare, Wound::Stopped, Wound::Edited, Wound::Removed, Wound::Dropped];
/// All of them.
pub const ALL: [Wound; 9] = [
    Wound::Bare,
    Wound::Stopped,
    Wound::Edited,
    Wound::Removed,
    Wound::Dropped,
    Wound::Readonly,
    Wound::Unreachable,
    Wound::Silent,
    Wound::Refusing,
];

pub type Wounds = Vec<(Index, Wound)>;

pub fn wounds(of: &'static [Wound]) -> impl Strategy<Value = Wounds> {
    proptest::collection::vec((any::<Index>(), proptest::sample::select(of)), 0..=4)
}

pub fn wound_all(sim: &SimFleet, shape: &Shape, wounds: &Wounds) {
    let hosts = shape.hosts();
    for (index, wound) in wounds {
        let host = name(&hosts[index.index(hosts.len())]);
        sim.with_host(&host, |sim| inflict(sim, *wound));
        tidied(sim, &host, *wound);
    }
}

/// What was dropped, or was on a host that is bare now, is in the coordination no more: `rejoin` is about what is.
fn tidied(sim: &SimFleet, name: &HostName, wound: Wound) {
    if !matches!(wound, Wound::Bare | Wound::Dropped) {
        return;
    }
    sim.with(|world| {
        let server = world.hosts.get(name).and_then(|host| host.server.as_ref());
        let has = |replica: &SimReplica| {
            server.is_some_and(|server| server.objects.iter().any(|live| Some(&live.name) == replica.table.as_ref()))
        };
        world.registry.retain(|_, replica| replica.host.as_ref() != Some(name) || has(replica));
    });
}

fn running(host: &SimHost) -> Option<UnitName> {
    host.units.iter().find(|(_, unit)| unit.running).map(|(name, _)| name.clone())
}

pub fn inflict(host: &mut SimHost, wound: Wound) {
    let managed = |host: &SimHost| {
        let is_file = |path: &RemotePath| host.text(path).is_some_and(|text| text.contains("Managed by"));
        host.entries.keys().filter(|path| is_file(path)).nth(1).cloned()
    };
    match wound {
        Wound::Bare => *host = SimHost::bare(),
        Wound::Stopped => {
            if let Some(unit) = running(host) {
                stop(host, &unit);
            }
        }
        Wound::Edited => {
            if let Some(entry) = managed(host).and_then(|path| host.entries.get_mut(&path)) {
                entry.kind = EntryKind::File("<clickhouse><nonsense>1</nonsense></clickhouse>".into());
            }
        }
        Wound::Removed => {
            if let Some(path) = managed(host) {
                host.entries.remove(&path);
            }
        }
        Wound::Dropped => with_server(host, |server| drop(server.objects.pop())),
        Wound::Readonly => with_server(host, |server| server.readonly = 1),
        Wound::Unreachable => {
            let reason = "connection timed out".to_owned();
            host.refuses = Some(ConnectError::Unreachable { address: "host".to_owned(), port: 22, reason });
        }
        Wound::Silent => with_server(host, |server| server.up = false),
        Wound::Refusing => with_server(host, |server| server.refuses = Some("SELECT".to_owned())),
    }
}

/// A machine that goes away in the middle of a run.
pub fn kill(host: &mut SimHost) {
    if let Some(unit) = running(host) {
        stop(host, &unit);
    }
    host.batch_fails = Some(SessionError::Lost("no route to host".to_owned()));
}

fn stop(host: &mut SimHost, unit: &UnitName) {
    if let Some(state) = host.units.get_mut(unit) {
        state.running = false;
    }
    if let Some(server) = host.server.as_mut().filter(|server| server.unit == *unit) {
        server.up = false;
    }
}

fn with_server(host: &mut SimHost, act: impl FnOnce(&mut SimServer)) {
    if let Some(server) = &mut host.server {
        act(server);
    }
}

/// A second world in the same state.
pub fn copy(sim: &SimFleet) -> SimFleet {
    let other = SimFleet::default();
    let (hosts, registry) = sim.with(|world| (world.hosts.clone(), world.registry.clone()));
    for (name, host) in hosts {
        other.put(name, host);
    }
    other.with(|world| world.registry = registry);
    other
}

/// What was taken away through us must never be too much.
pub fn never_too_much_is_away(shape: &Shape, log: &[Transition], outage_allowed: bool) -> Result<(), TestCaseError> {
    let mut away: BTreeSet<HostName> = BTreeSet::new();
    for Transition { host, serves, before, serving, .. } in log {
        if *serves {
            away.remove(host);
            continue;
        }
        if !*before {
            continue;
        }
        let group = if host.as_str().starts_with("keeper") { shape.keepers() } else { shape.shard_of(host.as_str()) };
        let others: Vec<_> = group.iter().map(|other| name(other)).filter(|other| other != host).collect();
        let also: Vec<_> = others.iter().filter(|other| away.contains(*other)).collect();
        prop_assert!(also.is_empty(), "{host} was taken away while {also:?} was away through us");
        if host.as_str().starts_with("data") && serving.contains(host) && !outage_allowed {
            prop_assert!(others.iter().any(|other| serving.contains(other)), "{host} was the last that served");
        }
        away.insert(host.clone());
    }
    Ok(())
}

/// Running units must have read what their files say now, as far as only a start reads it; not where it was held back.
pub fn nothing_waits_for_a_restart(sim: &SimFleet, held: &[Hold]) -> Result<(), TestCaseError> {
    use housewright::clickhouse::config::{ConfigDirectory, ConfigKeys, Disruption, HostSays, diff, disruption_of};
    let hosts = sim.with(|world| world.hosts.clone());
    for (name, host) in hosts.into_iter().filter(|(name, _)| held.iter().all(|hold| hold.host != *name)) {
        for (unit, state) in host.units.iter().filter(|(_, state)| state.running) {
            let keeper = unit.as_str().contains("keeper");
            for (path, entry) in &host.entries {
                let EntryKind::File(now) = &entry.kind else { continue };
                let reads = if keeper { path.as_str().contains("keeper") } else { path.as_str().contains(".d/") };
                let then = match state.started_with.get(path) {
                    Some(EntryKind::File(then)) => then.clone(),
                    _ => "<clickhouse/>".into(),
                };
                if !reads || then == now {
                    continue;
                }
                prop_assert!(!keeper, "{unit} on {name} runs with another `{path}`");
                let keys = |text: &[u8]| ConfigKeys::from_xml(std::str::from_utf8(text).unwrap()).unwrap();
                let Some(directory) = ConfigDirectory::of(path.as_str()) else { continue };
                let queues = host.server.iter().flat_map(|server| &server.objects).any(|live| live.engine == "Kafka");
                let says = HostSays { settings: None, consumes: queues };
                let (cost, _) = disruption_of(&diff(&keys(&then), &keys(now)), directory, says);
                prop_assert!(cost <= Disruption::Reattach, "{unit} on {name} runs with another `{path}`: {cost}");
            }
        }
    }
    Ok(())
}

/// No table of a host stays detached, and no marker speaks of one.
pub fn nothing_is_detached(sim: &SimFleet) -> Result<(), TestCaseError> {
    for (name, host) in sim.with(|world| world.hosts.clone()) {
        let detached: Vec<_> = host.server.iter().flat_map(|server| &server.flow.detached).collect();
        prop_assert!(detached.is_empty(), "detached on {name}: {detached:?}");
        let marker = RemotePath::new("/var/lib/housewright/detached").unwrap();
        prop_assert!(!host.entries.contains_key(&marker), "{name} still has its marker: {:?}", host.text(&marker));
    }
    Ok(())
}

/// No run that died leaves merges stopped.
pub fn merges_go_on(sim: &SimFleet) -> Result<(), TestCaseError> {
    for (name, host) in sim.with(|world| world.hosts.clone()) {
        let stopped = host.server.is_some_and(|server| server.up && server.health.merges_stopped);
        prop_assert!(!stopped, "merges stand still on {name}");
    }
    Ok(())
}
