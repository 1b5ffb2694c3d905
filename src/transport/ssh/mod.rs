//! SSH in this process (edge).
//!
//! One connection per host and run; nothing is sent to a host before its key is judged; every wait has an end.

mod algorithms;
mod auth;
mod connect;
mod host_key;
mod jump;
mod keys;
mod lock;
mod proxy;
mod session;
mod stream;
mod tunnel;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::known_hosts::KnownHosts;
use super::{ConnectError, LOCK_FILE, Session, Transport};
use crate::fleet::{Connection, Host, Reach};

/// What is the same for all hosts of a run.
#[derive(Debug, Clone)]
pub struct SshOptions {
    /// How long one batch may take; the restart of a server with much data is in one.
    pub batch_timeout: Duration,
    /// How long one statement may take.
    pub statement_timeout: Duration,
    /// Where `.ssh` is.
    pub home: Option<PathBuf>,
    /// The agent's socket.
    pub agent: Option<PathBuf>,
    /// The known_hosts file that stands behind the user's own.
    pub system_known_hosts: PathBuf,
    /// The file on each host whose lock a run holds.
    pub lock_file: String,
    /// How this run names itself to others that want the lock.
    pub holder: String,
}

impl Default for SshOptions {
    fn default() -> Self {
        Self {
            batch_timeout: Duration::from_mins(5),
            statement_timeout: Duration::from_mins(1),
            home: None,
            agent: None,
            system_known_hosts: PathBuf::from("/etc/ssh/ssh_known_hosts"),
            lock_file: LOCK_FILE.to_owned(),
            holder: format!("process {}", std::process::id()),
        }
    }
}

impl SshOptions {
    /// Takes home, agent and the operator's name from `$HOME`, `$SSH_AUTH_SOCK` and `$USER`.
    #[must_use]
    pub fn from_environment() -> Self {
        let path = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let user = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
        let user = user.filter(|user| !user.is_empty()).unwrap_or_else(|| "somebody".to_owned());
        let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let holder = format!("{user}@{machine} (process {})", std::process::id());
        Self { home: path("HOME"), agent: path("SSH_AUTH_SOCK"), holder, ..Self::default() }
    }

    fn known_hosts_of(&self, connection: &Connection) -> Vec<PathBuf> {
        if !connection.known_hosts.is_empty() {
            return connection.known_hosts.clone();
        }
        let own = self.home.iter().map(|home| home.join(".ssh/known_hosts"));
        own.chain([self.system_known_hosts.clone()]).collect()
    }
}

/// Opens SSH sessions; files and jump hosts are shared by all of them.
#[derive(Debug)]
pub struct SshTransport {
    options: SshOptions,
    known_hosts: Arc<KnownHosts>,
    keys: keys::Keys,
    jumps: jump::Jumps,
}

impl SshTransport {
    /// Makes a transport that has not read or opened anything yet.
    #[must_use]
    pub fn new(options: SshOptions) -> Self {
        Self { options, known_hosts: Arc::default(), keys: keys::Keys::default(), jumps: jump::Jumps::default() }
    }
}

#[async_trait]
impl Transport for SshTransport {
    async fn connect(&self, host: &Host) -> Result<Arc<dyn Session>, ConnectError> {
        let Reach::Ssh(connection) = &host.reach else {
            return Err(ConnectError::Member { host: host.name.to_string() });
        };
        let link = self.reach(connection).await?;
        Ok(Arc::new(session::SshSession::new(link, connection.privilege, &self.options)))
    }
}
