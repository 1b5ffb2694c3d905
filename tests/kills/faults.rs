//! What goes wrong from outside in the middle of a run.

use std::collections::BTreeMap;

use housewright::fleet::HostName;
use housewright::remote::{EntryKind, UnitName};
use housewright::schema::ObjectName;
use housewright::sim::{Disk, SessionLoss, SimFleet, SimHost};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::fleets::{NEW_SETTING, NEW_USER, ROWS};

/// What somebody else writes into a file of ours.
pub const EDITED: &str = "<clickhouse><max_connections>7</max_connections></clickhouse>";

/// What a server can be told to refuse.
const REFUSED: [&str; 6] =
    ["ALTER TABLE", "MODIFY QUERY", "CREATE TABLE", "CREATE MATERIALIZED VIEW", "DROP TABLE", "ENGINE = Kafka"];

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// A server is killed, and systemd starts it again a little later.
    Killed,
    /// A server is killed and stays down.
    Stopped,
    /// A host is cut off by its network.
    CutOff,
    /// Its disk is full.
    DiskFull,
    /// Its disk takes no change.
    DiskReadOnly,
    /// Its unit does not start, whatever its files are.
    StartFails,
    /// Its server refuses what is new at its start.
    StartRefuses,
    /// Its server swallows a reload, and only counts an error.
    ReloadSwallowed,
    /// Its own binary refuses what is staged.
    StagedRefused,
    /// The answer to a statement is lost.
    AnswerLost,
    /// A process on it is killed behind so many commands.
    ProcessKilled(usize),
    /// A write is killed behind so many renames.
    WriteKilled(usize),
    /// Its replicas take no writes.
    Readonly,
    /// It loads its tables for a while.
    Loading,
    /// What it has spooled cannot be sent.
    Stuck,
    /// Somebody edits a file of ours.
    Edited,
    /// It loses its session with the coordination: for so many statements about replicated tables, which take hold all the same.
    SessionLost(u32, bool),
    /// It follows its replicas after so many looks.
    Lagging(u64),
    /// It refuses to alter, to make or to drop.
    Refusing(usize),
    /// Rows come into a table that had none.
    RowsCome,
    /// The operator interrupts the run.
    Interrupted,
    /// Another operator begins the same run.
    SecondRun,
}

impl What {
    /// One of each, for counting.
    pub const NAMES: [&'static str; 22] = [
        "Killed",
        "Stopped",
        "CutOff",
        "DiskFull",
        "DiskReadOnly",
        "StartFails",
        "StartRefuses",
        "ReloadSwallowed",
        "StagedRefused",
        "AnswerLost",
        "ProcessKilled",
        "WriteKilled",
        "Readonly",
        "Loading",
        "Stuck",
        "Edited",
        "SessionLost",
        "Lagging",
        "Refusing",
        "RowsCome",
        "Interrupted",
        "SecondRun",
    ];

    pub fn name(self) -> String {
        format!("{self:?}").split('(').next().unwrap_or_default().to_owned()
    }
}

/// What happens when, and to whom.
#[derive(Debug, Clone)]
pub struct Fault {
    pub what: What,
    pub victim: Index,
    /// In thousandths of what a run without faults does.
    pub when: usize,
}

pub fn fault() -> impl Strategy<Value = Fault> {
    let what = prop_oneof![
        2 => Just(What::Killed),
        1 => Just(What::Stopped),
        2 => Just(What::CutOff),
        1 => Just(What::DiskFull),
        1 => Just(What::DiskReadOnly),
        1 => Just(What::StartFails),
        2 => Just(What::StartRefuses),
        1 => Just(What::ReloadSwallowed),
        1 => Just(What::StagedRefused),
        2 => Just(What::AnswerLost),
        2 => (0_usize..6).prop_map(What::ProcessKilled),
        1 => (0_usize..6).prop_map(What::WriteKilled),
        1 => Just(What::Readonly),
        1 => Just(What::Loading),
        1 => Just(What::Stuck),
        1 => Just(What::Edited),
        2 => (prop::sample::select(vec![1_u32, 1, 2, 500]), any::<bool>()).prop_map(|(count, done)| What::SessionLost(count, done)),
        1 => prop::sample::select(vec![1_u64, 3, 20, 500]).prop_map(What::Lagging),
        2 => (0..REFUSED.len()).prop_map(What::Refusing),
        1 => Just(What::RowsCome),
        1 => Just(What::Interrupted),
        2 => Just(What::SecondRun),
    ];
    (what, any::<Index>(), 0_usize..1000).prop_map(|(what, victim, when)| Fault { what, victim, when })
}

/// Lets it happen to a host; what happens to the run is the driver's.
pub fn strike(what: What, host: &mut SimHost) {
    match what {
        What::Killed | What::Stopped => drop(host.die()),
        What::CutOff => host.cut_off = true,
        What::DiskFull => host.disk = Disk::Full,
        What::DiskReadOnly => host.disk = Disk::ReadOnly,
        What::StartFails => {
            host.units.values_mut().for_each(|unit| unit.start_fails = Some("it fails".to_owned()));
        }
        What::StartRefuses => {
            let refuses = Some((NEW_SETTING.to_owned(), "no such directory".to_owned()));
            host.units.values_mut().for_each(|unit| unit.start_refuses.clone_from(&refuses));
        }
        What::ReloadSwallowed => {
            if let Some(server) = &mut host.server {
                server.health.complains = Some(("UNKNOWN_POLICY".to_owned(), "no such policy".to_owned()));
            }
        }
        What::StagedRefused => host.refuses_setting = Some(NEW_USER.to_owned()),
        What::AnswerLost => host.answers_lost = 1,
        What::ProcessKilled(after) => host.lost_after = Some(after),
        What::WriteKilled(after) => host.write_killed_after = Some(after),
        What::Readonly => with_server(host, |server| server.readonly = 1),
        What::Loading => with_server(host, |server| server.health.loading = 5),
        What::Stuck => with_server(host, |server| {
            server.flow.stuck = true;
            server.flow.spooled.insert(ObjectName::relation(None, "writable_events"), 3);
        }),
        What::Edited => {
            let file = |entry: &&mut housewright::remote::Entry| entry.path.as_str().ends_with("/settings.xml");
            if let Some(entry) = host.entries.values_mut().find(file) {
                entry.kind = EntryKind::File(EDITED.into());
            }
        }
        What::SessionLost(statements, done) => {
            with_server(host, |server| server.session_loss = Some(SessionLoss { statements, done }));
        }
        What::Lagging(looks) => with_server(host, |server| server.lags = looks),
        What::Refusing(at) => with_server(host, |server| server.refuses = Some(REFUSED[at].to_owned())),
        What::RowsCome => with_server(host, |server| {
            let old = ObjectName::relation(None, "old");
            if server.objects.iter().any(|object| object.name == old) {
                server.rows.insert(old, ROWS);
            }
        }),
        What::Interrupted | What::SecondRun => {}
    }
}

fn with_server(host: &mut SimHost, act: impl FnOnce(&mut housewright::sim::SimServer)) {
    if let Some(server) = &mut host.server {
        act(server);
    }
}

/// systemd starts what died.
pub fn revive(host: &mut SimHost) {
    let units: Vec<UnitName> =
        host.units.iter().filter(|(_, unit)| unit.enabled && !unit.running).map(|(name, _)| name.clone()).collect();
    for unit in units {
        host.revive(&unit);
    }
}

/// Everything from outside is over; the hosts have noticed which connections are gone.
pub fn lift(sim: &SimFleet) {
    sim.with(|world| {
        for host in world.hosts.values_mut() {
            (host.cut_off, host.disk, host.refuses_setting) = (false, Disk::Fine, None);
            (host.answers_lost, host.lost_after, host.write_killed_after) = (0, None, None);
            for unit in host.units.values_mut() {
                (unit.start_fails, unit.start_refuses) = (None, None);
            }
            if let Some(server) = &mut host.server {
                (server.readonly, server.health.loading, server.health.complains) = (0, 0, None);
                (server.session_loss, server.lags, server.refuses) = (None, 0, None);
                server.behind.iter_mut().for_each(|(left, _)| *left = 1);
                // Somebody has taken them out again.
                server.rows.remove(&ObjectName::relation(None, "old"));
                server.flow.stuck = false;
            }
        }
        let ghosts = &world.ghosts;
        world.locks.retain(|_, holder| !ghosts.contains(holder));
        world.fate = housewright::sim::Fate::default();
    });
}

/// Hosts by a random index.
pub fn victim<'a, V>(hosts: &'a BTreeMap<HostName, V>, index: &Index) -> &'a HostName {
    hosts.keys().nth(index.index(hosts.len())).unwrap()
}
