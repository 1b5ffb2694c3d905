//! One host of the simulated world (edge: its clock is tokio's).

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::{Loaded, SimGround, SimServer};
use crate::remote::{Entry, EntryKind, RemotePath, UnitName};
use crate::transport::{ConnectError, SessionError};

/// A host's state.
#[derive(Debug, Clone, Default)]
pub struct SimHost {
    /// Files and directories, by path.
    pub entries: BTreeMap<RemotePath, Entry>,
    /// Users and groups that exist.
    pub users: BTreeSet<String>,
    /// What its servers stand on.
    pub ground: SimGround,
    /// Units that systemd knows.
    pub units: BTreeMap<UnitName, SimUnit>,
    /// ClickHouse, where it is installed.
    pub server: Option<SimServer>,
    /// What the disk allows.
    pub disk: Disk,
    /// A connect fails so.
    pub refuses: Option<ConnectError>,
    /// No packet goes to it or comes from it: what runs there goes on, and nobody hears of it.
    pub cut_off: bool,
    /// The one setting that its server does not know.
    pub refuses_setting: Option<String>,
    /// Every batch fails so, before its first command.
    pub batch_fails: Option<SessionError>,
    /// The connection is lost after this many commands of batches that do something; they are done, and nobody hears of the last.
    pub lost_after: Option<usize>,
    /// So many next statements are done, and the connection is lost before their answer.
    pub answers_lost: u32,
    /// When the connection is lost, no other is taken any more.
    pub lost_for_good: bool,
    /// A write is killed, once, after so many of its files were renamed or removed.
    pub write_killed_after: Option<usize>,
    /// Files of known units that were changed since systemd has read them, with what it has read.
    pub unread: BTreeMap<RemotePath, Option<EntryKind>>,
    /// Commands of the operator's that hold this text fail.
    pub hook_fails: Option<String>,
    /// When files were written last.
    pub written: Option<tokio::time::Instant>,
}

/// What a host's disk allows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Disk {
    /// Everything.
    #[default]
    Fine,
    /// No byte more.
    Full,
    /// No change at all.
    ReadOnly,
}

/// A unit's state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "systemd's own independent switches")]
pub struct SimUnit {
    /// Starts at boot.
    pub enabled: bool,
    /// Runs.
    pub running: bool,
    /// `systemctl mask` was here: it cannot be enabled or started.
    pub masked: bool,
    /// Its file is not the one any more that systemd has read.
    pub stale: bool,
    /// A start or restart fails so.
    pub start_fails: Option<String>,
    /// A start fails so where one of the host's files holds the first text.
    pub start_refuses: Option<(String, String)>,
    /// The host's files as they were when it started.
    pub started_with: BTreeMap<RemotePath, EntryKind>,
}

impl SimHost {
    /// A host as an image leaves it: ClickHouse installed, nothing configured, nothing started.
    #[must_use]
    pub fn bare() -> Self {
        let mut host = Self { ground: SimGround::usual(), ..Self::default() };
        host.users.extend(["root", "clickhouse", "zookeeper"].map(str::to_owned));
        for path in [
            "/",
            "/run",
            "/etc",
            "/etc/clickhouse-server",
            "/etc/systemd",
            "/etc/systemd/system",
            "/etc/sysctl.d",
            "/etc/tmpfiles.d",
            "/var",
            "/var/lib",
        ] {
            host.put_directory(path);
        }
        if let Ok(unit) = UnitName::new("clickhouse-server") {
            host.units.insert(unit.clone(), SimUnit::default());
            host.server = Some(SimServer::new(unit));
        }
        host
    }

    /// A host as the cloud gives it: systemd, sshd, and nothing of ours.
    #[must_use]
    pub fn fresh() -> Self {
        let mut host = Self::bare();
        host.users.retain(|user| user == "root");
        host.units.clear();
        host.server = None;
        if let Ok(path) = RemotePath::new("/etc/clickhouse-server") {
            host.entries.remove(&path);
        }
        host
    }

    /// A pod as its operator runs it: its server serves, and has read this. Nobody gets at its files and units.
    #[must_use]
    pub fn pod(loaded: Loaded) -> Self {
        let mut host = Self::bare();
        if let Some(server) = &mut host.server {
            (server.up, server.loaded) = (true, loaded);
        }
        host
    }

    /// Puts a directory of root.
    pub fn put_directory(&mut self, path: &str) {
        self.put(path, 0o755, EntryKind::Directory);
    }

    /// Puts a file of root.
    pub fn put_file(&mut self, path: &str, content: &str) {
        self.put(path, 0o644, EntryKind::File(Bytes::from(content.to_owned())));
    }

    fn put(&mut self, path: &str, mode: u32, kind: EntryKind) {
        if let Ok(path) = RemotePath::new(path) {
            let (owner, group) = ("root".to_owned(), "root".to_owned());
            self.entries.insert(path.clone(), Entry { path, owner, group, mode, kind });
        }
    }

    /// The text of a file.
    #[must_use]
    pub fn text(&self, path: &RemotePath) -> Option<String> {
        match &self.entries.get(path)?.kind {
            EntryKind::File(content) => Some(String::from_utf8_lossy(content).into_owned()),
            EntryKind::Directory | EntryKind::Other => None,
        }
    }

    /// All XML files below a directory, in order of path, as ClickHouse reads them.
    #[must_use]
    pub fn xml_below(&self, directory: &str) -> Vec<String> {
        let xml = |path: &&RemotePath| {
            path.parent().as_str() == directory && path.file_name().rsplit('.').next() == Some("xml")
        };
        let paths = self.entries.keys().filter(xml);
        paths.filter_map(|path| self.text(path)).collect()
    }
}
