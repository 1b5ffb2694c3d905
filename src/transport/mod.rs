//! Reaching a host: the first seam (edge).
//!
//! One connection per host and run; one batch per phase; ClickHouse over a tunnel of the same connection.

pub mod advice;
mod framing;
pub mod http;
pub mod known_hosts;
pub mod lasting;
pub mod shell;
pub mod ssh;
mod ways;

use std::sync::Arc;

use async_trait::async_trait;

use crate::clickhouse::{ClickHouse, Endpoint};
use crate::fleet::Host;
use crate::remote::{Batch, Output};

pub use http::{HttpOptions, HttpTransport};
pub use shell::Claim;
pub use ssh::{SshOptions, SshTransport};
pub use ways::Ways;

/// Whose lock a run holds on a host; `/run` is root's own and empty after a reboot.
pub const LOCK_FILE: &str = "/run/housewright.lock";

/// Opens sessions.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Connects and authenticates to a host.
    ///
    /// # Errors
    /// Says which of the steps (resolve, connect, host key, authenticate) failed and why.
    async fn connect(&self, host: &Host) -> Result<Arc<dyn Session>, ConnectError>;
}

/// One authenticated connection to one host.
#[async_trait]
pub trait Session: Send + Sync {
    /// Runs a batch as one remote process; one output per command, in order.
    ///
    /// # Errors
    /// Only where the batch as a whole could not run or its answer did not arrive; a command that fails is an output.
    async fn run(&self, batch: &Batch) -> Result<Vec<Output>, SessionError>;

    /// Asks a port of the host's loopback one question and reads the answer to its end, as ZooKeeper's four-letter words
    /// do it.
    ///
    /// # Errors
    /// Tells a port that refuses from one that stays silent and from an sshd that forwards nothing.
    async fn ask(&self, port: u16, question: &[u8]) -> Result<Vec<u8>, SessionError>;

    /// Takes the host's lock: one run at a time changes a host.
    ///
    /// # Errors
    /// Names the holder where somebody else has it.
    async fn lock(&self) -> Result<Box<dyn HostLock>, SessionError>;

    /// Takes the lock as [`Session::lock`] does, or from somebody who has it: the process there that holds it is ended.
    ///
    /// # Errors
    /// Names the holder where it is none that the claim is about.
    async fn claim(&self, claim: Claim) -> Result<Box<dyn HostLock>, SessionError>;

    /// ClickHouse on that host, over this connection.
    fn clickhouse(&self, endpoint: &Endpoint) -> Arc<dyn ClickHouse>;

    /// Whether the connection is there, as far as this side knows.
    fn is_open(&self) -> bool;

    /// Says goodbye; errors do not matter any more.
    async fn close(&self);
}

/// A host's lock; it is released when this is dropped, when the connection ends and when this process does.
pub trait HostLock: Send + Sync {}

/// Why a host could not be connected to.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum ConnectError {
    /// The name does not resolve.
    #[error("cannot resolve `{address}`: {reason}")]
    Resolve { address: String, reason: String },
    /// No TCP connection, or no SSH answer in time.
    #[error("cannot reach `{address}:{port}`: {reason}")]
    Unreachable { address: String, port: u16, reason: String },
    /// No known_hosts line for the host.
    #[error("the host key of `{address}` is not known ({fingerprint})")]
    UnknownHostKey { address: String, port: u16, fingerprint: String, known_hosts: String },
    /// A known_hosts line for the host has another key.
    #[error("the host key of `{address}` has changed: it offers {fingerprint}, `{known_hosts}:{line}` has another")]
    ChangedHostKey { address: String, fingerprint: String, known_hosts: String, line: usize },
    /// A known_hosts line marks the key as revoked.
    #[error("the host key of `{address}` is revoked ({fingerprint}, `{known_hosts}:{line}`)")]
    RevokedHostKey { address: String, fingerprint: String, known_hosts: String, line: usize },
    /// A known_hosts line names an authority for the host, and its certificate does not hold.
    #[error("the host certificate of `{address}` is not valid: {reason} (`{known_hosts}:{line}`)")]
    HostCertificate { address: String, reason: String, known_hosts: String, line: usize },
    /// A known_hosts file could not be read or written.
    #[error("cannot use `{path}`: {reason}")]
    KnownHosts { path: String, reason: String },
    /// A key file or the agent could not be used at all.
    #[error("cannot use the key `{path}`: {reason}")]
    Key { path: String, reason: String },
    /// The host took none of the keys.
    #[error("`{address}` refused user `{user}`: {reason}")]
    Authentication { address: String, user: String, reason: String },
    /// The jump host failed.
    #[error("cannot pass the jump host `{jump}`")]
    Jump {
        jump: String,
        #[source]
        source: Box<ConnectError>,
    },
    /// The inventory says that the host is not reached so.
    #[error("`{host}` is not reached in this way")]
    Member { host: String },
    /// The other side does not prove by TLS that it is the host.
    #[error("`{address}` does not prove that it is the host: {reason}")]
    Tls { address: String, reason: String },
    /// A file with authorities cannot be used.
    #[error("cannot use the authorities in `{path}`: {reason}")]
    Authorities { path: String, reason: String },
    /// Anything else of the SSH protocol.
    #[error("SSH to `{address}` failed: {reason}")]
    Protocol { address: String, reason: String },
}

impl ConnectError {
    /// Whether another attempt can help: the network or a busy sshd, and nothing that somebody has to change.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Protocol { .. } => true,
            Self::Jump { source, .. } => source.may_pass(),
            Self::Resolve { .. } | Self::Member { .. } | Self::KnownHosts { .. } | Self::Key { .. } => false,
            Self::UnknownHostKey { .. } | Self::ChangedHostKey { .. } | Self::RevokedHostKey { .. } => false,
            Self::HostCertificate { .. } | Self::Authentication { .. } => false,
            Self::Tls { .. } | Self::Authorities { .. } => false,
        }
    }
}

/// Why a session has no answer.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum SessionError {
    /// The connection ended in the middle: whether the host has done what it was told is not known.
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// The connection had ended before: the host was told nothing.
    #[error("the connection has ended: {0}")]
    Ended(String),
    /// No answer in time.
    #[error("no answer within {0:?}; what was begun on the host goes on there")]
    Timeout(std::time::Duration),
    /// `sudo -n` refused: a password is asked for, or the user may not.
    #[error("sudo refused: {0}")]
    Sudo(String),
    /// The remote side did not speak our framing: a broken shell, a banner in the way.
    #[error("the host's answer cannot be understood: {0}")]
    Garbled(String),
    /// Nothing listens on the port.
    #[error("{reason}")]
    Refused { port: u16, reason: String },
    /// The host's sshd may not open a connection to the port for us, so nothing is known of who listens.
    #[error("{reason}")]
    Forbidden { port: u16, reason: String },
    /// The port took the connection and did not answer in time.
    #[error("port {port} of the host gave no answer within {waited:?}")]
    Silent { port: u16, waited: std::time::Duration },
    /// Somebody else holds the host's lock.
    #[error("another run works on the host: {holder}")]
    Locked { holder: String },
    /// The host's lock cannot be taken at all: its file cannot be written, or there is no `flock`.
    #[error("the host's lock cannot be taken: {0}")]
    NoLock(String),
    /// Its ClickHouse alone is asked, over HTTP: nothing else is done on the host.
    #[error("the host has no way in but its ClickHouse's HTTP")]
    HttpAlone,
    /// The batch cannot be put into words for a shell.
    #[error("the batch cannot be sent: {0}")]
    Unspeakable(String),
}
