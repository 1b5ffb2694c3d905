//! A session to a simulated host: batches do to the world what the real ones do to a host (edge).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::server::SimClickHouse;
use super::{Disk, SimFleet, SimHost, SimUnit, Transition};
use crate::clickhouse::{ClickHouse, Endpoint};
use crate::fleet::HostName;
use crate::remote::{
    Batch, Command, Entry, EntryKind, Expected, Output, RemotePath, Status, UnitAction, UnitName, WriteSet,
    pack_entries,
};
use crate::transport::{Session, SessionError};

/// How long a server is away when it restarts.
const RESTART: Duration = Duration::from_millis(600);
/// The exit status of a write whose expectations do not hold, as the real transport has it.
const EXPECTATION_FAILED: u8 = 73;

pub(super) struct SimSession {
    fleet: SimFleet,
    host: HostName,
}

impl SimSession {
    pub(super) fn new(fleet: SimFleet, host: HostName) -> Self {
        Self { fleet, host }
    }

    fn on_host(&self, act: impl FnOnce(&mut SimHost) -> Output) -> Output {
        self.fleet.with_host(&self.host, act).unwrap_or_else(|| failed(255, "the host is gone"))
    }

    async fn command(&self, command: &Command) -> Output {
        match command {
            Command::Run { argv } if argv.first().is_some_and(|program| program == "true") => done(""),
            Command::Run { argv } => failed(127, &format!("{}: not found", argv.first().map_or("", String::as_str))),
            Command::Read { paths } => self.on_host(|host| read(host, paths)),
            Command::Write(write_set) => self.on_host(|host| write(host, write_set)),
            Command::UnitState { units } => self.on_host(|host| unit_state(host, units)),
            Command::DaemonReload => self.on_host(daemon_reload),
            Command::Unit { unit, action: UnitAction::Enable } => self.on_host(|host| match host.units.get_mut(unit) {
                Some(unit) => {
                    unit.enabled = true;
                    done("")
                }
                None => failed(1, &format!("Failed to enable unit: Unit file {} does not exist.", unit.as_str())),
            }),
            Command::Unit { unit, action } => self.start(unit, *action).await,
        }
    }

    async fn start(&self, unit: &UnitName, action: UnitAction) -> Output {
        let Some(state) = self.fleet.with_host(&self.host, |host| host.units.get(unit).cloned()).flatten() else {
            return failed(5, &format!("Failed to start {0}: Unit {0} not found.", unit.as_str()));
        };
        if state.running && action == UnitAction::Start {
            return done("");
        }
        self.serve(unit, false);
        tokio::time::sleep(RESTART).await;
        let output = self.on_host(|host| start_unit(host, unit));
        if output.succeeded() {
            self.serve(unit, true);
        }
        output
    }

    /// Notes that the host's server went away or came back.
    fn serve(&self, unit: &UnitName, serves: bool) {
        self.fleet.with(|world| {
            let Some(host) = world.hosts.get_mut(&self.host) else { return };
            if let Some(state) = host.units.get_mut(unit) {
                state.running = serves;
            }
            if let Some(server) = host.server.as_mut().filter(|server| server.unit == *unit) {
                if server.up != serves {
                    world.log.push(Transition { host: self.host.clone(), serves });
                }
                server.up = serves;
            }
        });
    }
}

#[async_trait]
impl Session for SimSession {
    async fn run(&self, batch: &Batch) -> Result<Vec<Output>, SessionError> {
        tokio::task::yield_now().await;
        let fails = self.fleet.with(|world| {
            world.batches += 1;
            world.hosts.get(&self.host).and_then(|host| host.batch_fails.clone())
        });
        if let Some(error) = fails {
            return Err(error);
        }
        let mut outputs: Vec<Output> = Vec::new();
        for command in &batch.commands {
            let output = if outputs.last().is_some_and(|last| !last.succeeded()) {
                Output { status: Status::NotRun, stdout: Bytes::new(), stderr: Bytes::new() }
            } else {
                self.command(command).await
            };
            outputs.push(output);
        }
        Ok(outputs)
    }

    fn clickhouse(&self, _endpoint: &Endpoint) -> Arc<dyn ClickHouse> {
        Arc::new(SimClickHouse::new(self.fleet.clone(), self.host.clone()))
    }

    async fn close(&self) {}
}

fn done(stdout: impl Into<Vec<u8>>) -> Output {
    Output { status: Status::Exited(0), stdout: Bytes::from(stdout.into()), stderr: Bytes::new() }
}

fn failed(code: u8, stderr: &str) -> Output {
    Output { status: Status::Exited(code), stdout: Bytes::new(), stderr: Bytes::from(stderr.to_owned()) }
}

fn read(host: &SimHost, paths: &[RemotePath]) -> Output {
    let entries: Vec<Entry> = paths.iter().filter_map(|path| host.entries.get(path).cloned()).collect();
    match pack_entries(&entries) {
        Ok(archive) => done(archive),
        Err(error) => failed(2, &error.to_string()),
    }
}

fn write(host: &mut SimHost, write: &WriteSet) -> Output {
    let names = write.directories.iter().flat_map(|directory| [&directory.owner, &directory.group]);
    let names = names.chain(write.files.iter().flat_map(|file| [&file.owner, &file.group]));
    if let Some(name) = names.into_iter().find(|name| !host.users.contains(*name)) {
        return failed(1, &format!("invalid user: '{name}'"));
    }
    match host.disk {
        Disk::Fine => {}
        Disk::Full => return failed(2, "write error: No space left on device"),
        Disk::ReadOnly => return failed(1, "cannot create directory: Read-only file system"),
    }
    for expect in &write.expects {
        let is = host.entries.get(&expect.path).map(|entry| &entry.kind);
        let holds = match (&expect.state, is) {
            (Expected::Absent, is) => is.is_none(),
            (Expected::Sha256(digest), Some(EntryKind::File(content))) => Sha256::digest(content)[..] == digest[..],
            (Expected::Sha256(_), _) => false,
        };
        if !holds {
            return failed(EXPECTATION_FAILED, &format!("{}: changed since it was read", expect.path));
        }
    }
    for directory in &write.directories {
        let (owner, group, mode) = (directory.owner.clone(), directory.group.clone(), directory.mode);
        let entry = Entry { path: directory.path.clone(), owner, group, mode, kind: EntryKind::Directory };
        host.entries.insert(directory.path.clone(), entry);
    }
    for file in &write.files {
        let (owner, group, mode) = (file.owner.clone(), file.group.clone(), file.mode);
        let kind = EntryKind::File(file.content.expose().clone());
        host.entries.insert(file.path.clone(), Entry { path: file.path.clone(), owner, group, mode, kind });
    }
    done("")
}

fn unit_state(host: &SimHost, units: &[UnitName]) -> Output {
    let mut text = String::new();
    for name in units {
        let (load, active, file) = match host.units.get(name) {
            None => ("not-found", "inactive", ""),
            Some(unit) => (
                "loaded",
                if unit.running { "active" } else { "inactive" },
                if unit.enabled { "enabled" } else { "disabled" },
            ),
        };
        text += &format!("Id={}\nLoadState={load}\nActiveState={active}\nUnitFileState={file}\n\n", name.as_str());
    }
    done(text)
}

/// Unit files that were written become units.
fn daemon_reload(host: &mut SimHost) -> Output {
    let written = host.entries.keys().filter(|path| path.parent().as_str() == "/etc/systemd/system");
    let names: Vec<_> = written.filter_map(|path| UnitName::new(path.file_name()).ok()).collect();
    for name in names {
        host.units.entry(name).or_insert_with(SimUnit::default);
    }
    done("")
}

fn start_unit(host: &mut SimHost, unit: &UnitName) -> Output {
    if let Some(reason) = host.units.get(unit).and_then(|unit| unit.start_fails.clone()) {
        return failed(1, &format!("Job for {} failed. {reason}", unit.as_str()));
    }
    if host.server.as_ref().is_some_and(|server| server.unit == *unit) {
        let loaded = super::server::Loaded::read(host);
        let Some(server) = host.server.as_mut() else { return done("") };
        match loaded {
            Ok(loaded) => server.loaded = loaded,
            Err(error) => return failed(1, &format!("Job for {} failed. {error}", unit.as_str())),
        }
    }
    done("")
}
