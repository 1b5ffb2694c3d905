//! Reads what lab there is. Invariant: changes nothing, takes no lock, and needs root only to measure memory. edge

use std::net::Ipv4Addr;
use std::path::Path;

use serde::Serialize;

use super::LabHostKind;
use super::broker::Broker;
use super::error::LabError;
use super::process::{Process, Task, memory};
use super::spec::Paths;
use super::state::State;

/// A lab as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LabStatus {
    /// Whether it is there, and whole.
    pub condition: LabCondition,
    /// Where its `ClickHouse` comes from.
    pub clickhouse: Option<String>,
    /// Which broker it has, and whether that runs.
    pub broker: Option<(Broker, Running)>,
    /// Its hosts.
    pub hosts: Vec<HostStatus>,
}

/// Whether a lab is there, and whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum LabCondition {
    /// No lab.
    Down,
    /// `up` is at work, or was interrupted.
    Incomplete,
    /// `up` came to its end, but a host or the broker has ended since.
    Degraded,
    /// All is up.
    Up,
}

/// Whether a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Running {
    /// It runs.
    Yes {
        /// What it and its descendants hold in memory, in bytes (proportional set size).
        memory: u64,
    },
    /// It does not.
    No,
}

/// A host of the lab as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostStatus {
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// What it is for.
    pub kind: LabHostKind,
    /// Whether it is up.
    pub running: Running,
}

/// Reads the state of the lab.
///
/// # Errors
///
/// If the journal is there and cannot be read.
pub fn status(state_dir: &Path) -> Result<LabStatus, LabError> {
    let state = State::read(&Paths(state_dir))?;
    let alive = state.alive();
    let processes: Vec<Process> = alive.iter().map(|(_, _, process)| *process).collect();
    let sizes = memory(&processes);
    let running = |name: &str, task: Task| {
        let found = alive.iter().position(|(other, kind, _)| *other == name && *kind == task);
        found.and_then(|index| sizes.get(index)).map_or(Running::No, |memory| Running::Yes { memory: *memory })
    };
    let hosts: Vec<_> = state
        .spec()
        .map_or(&[][..], |spec| &spec.hosts)
        .iter()
        .map(|host| HostStatus {
            name: host.name.clone(),
            address: host.address,
            kind: host.kind,
            running: running(&host.name, Task::Host),
        })
        .collect();
    let broker = state.choice().map(|(_, broker)| (broker, running("broker", Task::Broker)));
    let whole = hosts.iter().all(|host| host.running != Running::No)
        && broker.is_none_or(|(_, running)| running != Running::No);
    let condition = match (state.spec().is_some(), state.complete()) {
        (false, _) => LabCondition::Down,
        (true, false) => LabCondition::Incomplete,
        (true, true) if whole => LabCondition::Up,
        (true, true) => LabCondition::Degraded,
    };
    Ok(LabStatus { condition, clickhouse: state.choice().map(|(text, _)| text.to_owned()), broker, hosts })
}
