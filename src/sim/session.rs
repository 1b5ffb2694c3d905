//! A session to a simulated host: batches do to the world what the real ones do to a host (edge).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::ground;
use super::hook::program;
use super::process::Process;
use super::server::SimClickHouse;
use super::unit::{daemon_reload, start_unit, unit_state};
use super::write::write;
use super::{Act, SimFleet, SimHost, Transition, no_route};
use crate::clickhouse::{ClickHouse, Endpoint};
use crate::fleet::{Host, HostName, Reach};
use crate::remote::{
    Batch, Command, Entry, EntryKind, Output, RemotePath, Status, TreeRead, UnitAction, UnitName, pack_entries,
};
use crate::transport::{Claim, HostLock, Session, SessionError};

/// How long a server is away when it restarts.
const RESTART: Duration = Duration::from_millis(600);

#[derive(Clone)]
pub(super) struct SimSession {
    fleet: SimFleet,
    host: HostName,
    /// How it names itself to others that want the lock.
    name: String,
    /// It was lost; its ClickHouse's tunnels with it.
    ended: Arc<AtomicBool>,
    /// Nothing but its ClickHouse answers.
    http_alone: bool,
}

impl SimSession {
    pub(super) fn new(fleet: SimFleet, host: &Host, number: usize) -> Self {
        let http_alone = matches!(host.reach, Reach::Http(_));
        Self { fleet, host: host.name.clone(), name: format!("session {number}"), ended: Arc::default(), http_alone }
    }

    /// What hangs on the connection goes with it.
    fn end(&self) {
        self.fleet.unlock(&self.host, &self.name);
    }

    fn lost(&self) -> SessionError {
        self.end();
        self.ended.store(true, Ordering::Relaxed);
        self.fleet.with_host(&self.host, |host| {
            if host.lost_for_good {
                host.refuses = Some(no_route(&self.host));
            }
        });
        SessionError::Lost("broken pipe".to_owned())
    }

    /// Finds out that the host is cut off; it has not noticed: what the connection held there stays.
    fn cut_off(&self) -> Option<SessionError> {
        if !self.fleet.is_cut_off(&self.host) {
            return None;
        }
        self.ended.store(true, Ordering::Relaxed);
        self.fleet.with(|world| world.ghosts.insert(self.name.clone()));
        Some(SessionError::Lost("connection timed out".to_owned()))
    }

    /// Why nothing on the host can be asked.
    fn fails(&self) -> Option<SessionError> {
        if self.ended.load(Ordering::Relaxed) {
            return Some(SessionError::Ended("broken pipe".to_owned()));
        }
        if let Some(error) = self.cut_off() {
            return Some(error);
        }
        self.fleet.with(|world| match world.hosts.get(&self.host) {
            Some(host) => host.batch_fails.clone(),
            None => Some(SessionError::Lost("the host is gone".to_owned())),
        })
    }

    fn on_host(&self, act: impl FnOnce(&mut SimHost) -> Output) -> Output {
        self.fleet.with_host(&self.host, act).unwrap_or_else(|| failed(255, "the host is gone"))
    }

    /// Runs a batch's commands, until the first that fails.
    async fn process(&self, batch: &Batch) -> Result<Vec<Output>, SessionError> {
        if let Some(command) = batch.commands.first() {
            self.fleet.before(&self.host, Act::Command(command));
        }
        let (fails, lost_after) = self.fleet.with(|world| {
            world.batches += 1;
            match world.hosts.get_mut(&self.host) {
                Some(host) => (host.batch_fails.clone(), lost_after(host, batch)),
                None => (Some(SessionError::Lost("the host is gone".to_owned())), None),
            }
        });
        if let Some(error) = fails {
            return Err(error);
        }
        let mut outputs: Vec<Output> = Vec::new();
        for (index, command) in batch.commands.iter().enumerate() {
            if lost_after == Some(index) {
                return Err(self.lost());
            }
            if index > 0 {
                self.fleet.before(&self.host, Act::Command(command));
            }
            let output = if outputs.last().is_some_and(|last| !last.succeeded()) {
                Output { status: Status::NotRun, stdout: Bytes::new(), stderr: Bytes::new() }
            } else {
                self.command(command).await
            };
            self.fleet.after(&self.host);
            outputs.push(output);
        }
        if lost_after.is_some() {
            return Err(self.lost());
        }
        Ok(outputs)
    }

    async fn command(&self, command: &Command) -> Output {
        match command {
            Command::Run { argv } => self.on_host(|host| program(host, argv)),
            Command::Ask { argv } => self.on_host(|host| ground::ask(host, argv)),
            Command::Work { argv, .. } => self.on_host(|host| ground::work(host, argv)),
            Command::Read { paths } => self.on_host(|host| read(host, paths)),
            Command::ReadTree(tree) => self.on_host(|host| read_tree(host, tree)),
            Command::Write(write_set) => self.on_host(|host| write(host, write_set)),
            Command::UnitState { units } => self.on_host(|host| unit_state(host, units)),
            Command::DaemonReload => self.on_host(daemon_reload),
            Command::Unit { unit, action: UnitAction::Enable } => self.on_host(|host| match host.units.get_mut(unit) {
                Some(state) if state.masked => {
                    failed(1, &format!("Failed to enable unit: Unit {} is masked.", unit.as_str()))
                }
                Some(unit) => {
                    unit.enabled = true;
                    // It reads all units again by itself.
                    daemon_reload(host)
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
        if state.masked {
            return failed(1, &format!("Failed to start {0}: Unit {0} is masked.", unit.as_str()));
        }
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

    /// Notes that the host's unit went away or came back, and with it its server.
    fn serve(&self, unit: &UnitName, serves: bool) {
        self.fleet.with(|world| {
            let answers =
                |host: &SimHost| host.server.as_ref().is_some_and(|server| server.up && server.readonly() == 0);
            let serving = world.hosts.iter().filter(|(_, host)| answers(host)).map(|(name, _)| name.clone()).collect();
            let Some(before) = world.hosts.get_mut(&self.host).and_then(|host| host.note(unit, serves)) else { return };
            world.elect();
            let (host, unit) = (self.host.clone(), unit.clone());
            world.log.push(Transition { host, unit, serves, before, serving });
            world.seen(&self.host);
        });
    }
}

/// After how many commands of this batch the connection is lost, where it is lost in this one.
fn lost_after(host: &mut SimHost, batch: &Batch) -> Option<usize> {
    let (left, count) = (host.lost_after.filter(|_| acts(batch))?, batch.commands.len());
    host.lost_after = left.checked_sub(count).filter(|left| *left > 0);
    (left <= count).then_some(left)
}

/// Whether a batch does something, and not only looks.
fn acts(batch: &Batch) -> bool {
    batch.commands.iter().any(|command| {
        !matches!(
            command,
            Command::Ask { .. } | Command::Read { .. } | Command::ReadTree(_) | Command::UnitState { .. }
        )
    })
}

#[async_trait]
impl Session for SimSession {
    async fn run(&self, batch: &Batch) -> Result<Vec<Output>, SessionError> {
        tokio::task::yield_now().await;
        if self.http_alone {
            return Err(SessionError::HttpAlone);
        }
        if self.ended.load(Ordering::Relaxed) {
            return Err(SessionError::Ended("broken pipe".to_owned()));
        }
        if let Some(error) = self.cut_off() {
            return Err(error);
        }
        let (session, batch) = (self.clone(), batch.clone());
        let answer = Process::new(async move { session.process(&batch).await }).await;
        self.cut_off().map_or(answer, Err)
    }

    fn clickhouse(&self, _endpoint: &Endpoint) -> Arc<dyn ClickHouse> {
        Arc::new(SimClickHouse::new(self.fleet.clone(), self.host.clone(), self.name.clone(), Arc::clone(&self.ended)))
    }

    async fn ask(&self, port: u16, question: &[u8]) -> Result<Vec<u8>, SessionError> {
        tokio::task::yield_now().await;
        match self.fails() {
            Some(error) => Err(error),
            None if self.http_alone => Err(SessionError::HttpAlone),
            None => self.fleet.with(|world| world.keeper_answers(&self.host, port, question)),
        }
    }

    async fn lock(&self) -> Result<Box<dyn HostLock>, SessionError> {
        tokio::task::yield_now().await;
        match self.fails() {
            Some(error) => Err(error),
            None => self.fleet.lock(&self.host, &self.name),
        }
    }

    fn is_open(&self) -> bool {
        !self.ended.load(Ordering::Relaxed)
    }

    async fn claim(&self, claim: Claim) -> Result<Box<dyn HostLock>, SessionError> {
        match claim {
            Claim::Free => {}
            Claim::Again => self.fleet.lay_ghosts(&self.host),
            Claim::Anyone => self.fleet.with(|world| drop(world.locks.remove(&self.host))),
        }
        self.lock().await
    }

    async fn close(&self) {
        self.end();
    }
}

pub(super) fn done(stdout: impl Into<Vec<u8>>) -> Output {
    Output { status: Status::Exited(0), stdout: Bytes::from(stdout.into()), stderr: Bytes::new() }
}

pub(super) fn failed(code: u8, stderr: &str) -> Output {
    Output { status: Status::Exited(code), stdout: Bytes::new(), stderr: Bytes::from(stderr.to_owned()) }
}

fn read(host: &SimHost, paths: &[RemotePath]) -> Output {
    let file = |path: &RemotePath| host.entries.get(path).is_some_and(|entry| matches!(entry.kind, EntryKind::File(_)));
    if let Some(path) = paths.iter().find(|path| file(&path.parent())) {
        return failed(2, &format!("tar: {path}: Cannot stat: Not a directory"));
    }
    let entries: Vec<Entry> = paths.iter().filter_map(|path| host.entries.get(path).cloned()).collect();
    match pack_entries(&entries) {
        Ok(archive) => done(archive),
        Err(error) => failed(2, &error.to_string()),
    }
}

fn read_tree(host: &SimHost, tree: &TreeRead) -> Output {
    let found: Vec<&Entry> = host.entries.values().filter(|entry| tree.covers(&entry.path)).collect();
    let size = |entry: &Entry| match &entry.kind {
        EntryKind::File(content) => content.len().div_ceil(1024) as u64,
        EntryKind::Directory | EntryKind::Other => 0,
    };
    if found.len() > tree.most_files {
        return failed(1, &format!("more than {} files", tree.most_files));
    }
    if let Some(large) = found.iter().find(|entry| size(entry) > tree.most_kib) {
        return failed(1, &format!("{}: larger than {} KiB", large.path, tree.most_kib));
    }
    match pack_entries(&found.into_iter().cloned().collect::<Vec<_>>()) {
        Ok(archive) => done(archive),
        Err(error) => failed(2, &error.to_string()),
    }
}
