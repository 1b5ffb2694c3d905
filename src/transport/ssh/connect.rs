//! From a name to an authenticated connection (edge).
//!
//! The connect timeout is for everything from resolving to authentication of one host; a jump host has its own.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use russh::Disconnect;
use russh::client::{self, DisconnectReason, Handle};
use russh::keys::PublicKeyOrCertificate;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::SshTransport;
use super::algorithms::config;
use super::host_key::{Judge, unusable};
use super::stream::QuickStream;
use crate::fleet::{Connection, Proxy};
use crate::transport::ConnectError;
use crate::transport::known_hosts::wanted;

/// An authenticated connection; it lives as long as somebody holds it.
pub(super) struct Link {
    pub handle: Handle<Client>,
    /// Why it ended, where the other side said so.
    pub ended: Arc<OnceLock<String>>,
    /// The connection that carries it.
    via: Option<Arc<Link>>,
}

impl Link {
    /// Says goodbye; the carrying connection stays for the others.
    pub(super) async fn close(&self) {
        let goodbye = self.handle.disconnect(Disconnect::ByApplication, "", "");
        let _ = timeout(Duration::from_secs(1), goodbye).await;
    }

    /// The reason of the end, or else what was seen of it.
    pub(super) fn reason(&self, seen: &dyn std::fmt::Display) -> String {
        let carrier = self.via.as_ref().and_then(|link| link.ended.get());
        self.ended.get().or(carrier).cloned().unwrap_or_else(|| seen.to_string())
    }
}

/// Whom to log in to, on the way to a host.
pub(super) struct Target<'a> {
    pub address: &'a str,
    pub port: u16,
    pub user: &'a str,
    /// Keys, known_hosts, policy and timeout.
    pub settings: &'a Connection,
}

/// Our side of a connection, as the library wants it.
pub(super) struct Client {
    judge: Judge,
    ended: Arc<OnceLock<String>>,
}

/// Why a handshake failed: our refusal, or the protocol.
#[derive(Debug)]
pub(super) enum HandshakeError {
    Refused(ConnectError),
    Ssh(russh::Error),
}

impl From<russh::Error> for HandshakeError {
    fn from(error: russh::Error) -> Self {
        Self::Ssh(error)
    }
}

impl client::Handler for Client {
    type Error = HandshakeError;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, HandshakeError> {
        self.judge.judge(shown).map(|()| true).map_err(HandshakeError::Refused)
    }

    async fn disconnected(&mut self, reason: DisconnectReason<HandshakeError>) -> Result<(), HandshakeError> {
        match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                let _ = self.ended.set(info.message);
                Ok(())
            }
            DisconnectReason::Error(error) => {
                if let HandshakeError::Ssh(error) = &error {
                    let _ = self.ended.set(error.to_string());
                }
                Err(error)
            }
        }
    }
}

impl SshTransport {
    /// Connects to a host, through its jump host or its command where it has one.
    pub(super) async fn reach(&self, connection: &Connection) -> Result<Arc<Link>, ConnectError> {
        let target = Target {
            address: &connection.address,
            port: connection.port,
            user: &connection.user,
            settings: connection,
        };
        let link = match &connection.proxy {
            Some(Proxy::Jump(jump)) => self.through(jump, &target).await,
            Some(Proxy::Command(command)) => self.by_command(command, &target).await,
            None => self.directly(&target).await,
        };
        link.map(Arc::new)
    }

    /// Connects over TCP.
    pub(super) async fn directly(&self, target: &Target<'_>) -> Result<Link, ConnectError> {
        let work = async {
            let stream = dial(target).await?;
            self.log_in(stream, target, None).await
        };
        timeout(target.settings.connect_timeout, work).await.unwrap_or_else(|_| Err(late(target)))
    }

    /// Connects over a channel of another connection.
    pub(super) async fn over(&self, via: Arc<Link>, target: &Target<'_>) -> Result<Link, ConnectError> {
        let work = async {
            let opened =
                via.handle.channel_open_direct_tcpip(target.address, u32::from(target.port), "127.0.0.1", 0).await;
            let channel = opened.map_err(|error| target.unreachable(via.reason(&error)))?;
            self.log_in(channel.into_stream(), target, Some(Arc::clone(&via))).await
        };
        timeout(target.settings.connect_timeout, work).await.unwrap_or_else(|_| Err(late(target)))
    }

    pub(super) async fn log_in<S>(
        &self,
        stream: S,
        target: &Target<'_>,
        via: Option<Arc<Link>>,
    ) -> Result<Link, ConnectError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let settings = target.settings;
        let files = self.known_hosts.files(&self.options.known_hosts_of(settings)).map_err(unusable)?;
        let own = self.options.home.as_deref().map(|home: &Path| home.join(".ssh/known_hosts"));
        let config = config(&wanted(&files, target.address, target.port));
        let judge = Judge {
            known_hosts: Arc::clone(&self.known_hosts),
            files,
            learn_to: settings.known_hosts.first().cloned().or(own),
            address: target.address.to_owned(),
            port: target.port,
            policy: settings.host_key_policy,
        };
        let ended = Arc::default();
        let client = Client { judge, ended: Arc::clone(&ended) };
        let mut handle =
            client::connect_stream(config, stream, client).await.map_err(|error| target.failed(error, &ended))?;
        self.authenticate(&mut handle, target, &ended).await?;
        Ok(Link { handle, ended, via })
    }
}

impl Target<'_> {
    pub(super) fn unreachable(&self, reason: String) -> ConnectError {
        ConnectError::Unreachable { address: self.address.to_owned(), port: self.port, reason }
    }

    fn failed(&self, error: HandshakeError, ended: &OnceLock<String>) -> ConnectError {
        match error {
            HandshakeError::Refused(error) => error,
            HandshakeError::Ssh(
                error @ (russh::Error::IO(_) | russh::Error::Disconnect | russh::Error::HUP | russh::Error::Elapsed(_)),
            ) => self.unreachable(ended.get().cloned().unwrap_or_else(|| error.to_string())),
            HandshakeError::Ssh(error) => {
                ConnectError::Protocol { address: self.address.to_owned(), reason: error.to_string() }
            }
        }
    }
}

pub(super) fn late(target: &Target<'_>) -> ConnectError {
    target.unreachable(format!("no answer within {:?}", target.settings.connect_timeout))
}

/// Tries the addresses of a name one after the other; the time is shared by them.
async fn dial(target: &Target<'_>) -> Result<QuickStream, ConnectError> {
    let resolve = |reason| ConnectError::Resolve { address: target.address.to_owned(), reason };
    let found = tokio::net::lookup_host((target.address, target.port)).await;
    let addresses: Vec<_> = found.map_err(|error| resolve(error.to_string()))?.collect();
    let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let mut failure = resolve("it has no addresses".to_owned());
    for address in addresses {
        match timeout(target.settings.connect_timeout / count, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                return QuickStream::new(stream).map_err(|error| target.unreachable(error.to_string()));
            }
            Ok(Err(error)) => failure = target.unreachable(error.to_string()),
            Err(_) => failure = late(target),
        }
    }
    Err(failure)
}
