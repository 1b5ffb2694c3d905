//! Streams to a host's loopback over its connection (edge).

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use russh::ChannelOpenFailure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::connect::Link;
use crate::clickhouse::{Opener, Stream};
use crate::transport::SessionError;

/// One port behind a connection.
pub(super) struct Tunnel {
    link: Arc<Link>,
    port: u16,
}

/// How long an answer to a question may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long an answer to a question may be.
const LONGEST_ANSWER: u64 = 64 << 10;

impl Tunnel {
    pub(super) fn new(link: Arc<Link>, port: u16) -> Self {
        Self { link, port }
    }

    /// Writes a question and reads until the other side hangs up; our half stays open, because ZooKeeper drops who
    /// closes it before the answer.
    pub(super) async fn ask(&self, question: &[u8]) -> Result<Vec<u8>, SessionError> {
        let late = |_| SessionError::Silent { port: self.port, waited: PATIENCE };
        timeout(PATIENCE, self.exchange(question)).await.unwrap_or_else(|elapsed| Err(late(elapsed)))
    }

    async fn exchange(&self, question: &[u8]) -> Result<Vec<u8>, SessionError> {
        let port = self.port;
        let lost = |error: io::Error| SessionError::Lost(self.link.reason(&error));
        let mut stream = self.open().await.map_err(|error| match error.kind() {
            io::ErrorKind::ConnectionRefused => SessionError::Refused { port, reason: error.to_string() },
            io::ErrorKind::PermissionDenied => SessionError::Forbidden { port, reason: error.to_string() },
            _ => lost(error),
        })?;
        stream.write_all(question).await.map_err(lost)?;
        let mut answer = Vec::new();
        stream.take(LONGEST_ANSWER + 1).read_to_end(&mut answer).await.map_err(lost)?;
        if answer.len() as u64 > LONGEST_ANSWER {
            return Err(SessionError::Garbled(format!("port {port} does not end its answer")));
        }
        // The end of the connection looks like the end of the answer.
        if self.link.handle.is_closed() {
            return Err(SessionError::Lost(self.link.reason(&"in the middle of an answer")));
        }
        Ok(answer)
    }
}

#[async_trait]
impl Opener for Tunnel {
    async fn open(&self) -> io::Result<Box<dyn Stream>> {
        let opened =
            self.link.handle.channel_open_direct_tcpip("127.0.0.1", u32::from(self.port), "127.0.0.1", 0).await;
        match opened {
            Ok(channel) => Ok(Box::new(channel.into_stream())),
            Err(russh::Error::ChannelOpenFailure(reason)) => Err(refusal(self.port, &reason)),
            Err(error) => Err(io::Error::new(io::ErrorKind::BrokenPipe, self.link.reason(&error))),
        }
    }
}

/// Only a connect that failed says something about the port.
fn refusal(port: u16, reason: &ChannelOpenFailure) -> io::Error {
    let (kind, text) = match reason {
        ChannelOpenFailure::ConnectFailed => {
            (io::ErrorKind::ConnectionRefused, format!("nothing listens on port {port} of the host"))
        }
        ChannelOpenFailure::AdministrativelyProhibited => (
            io::ErrorKind::PermissionDenied,
            format!("sshd forbids the tunnel to port {port} of the host (`AllowTcpForwarding`, `PermitOpen`)"),
        ),
        other => (io::ErrorKind::Other, format!("sshd opens no tunnel to port {port} of the host ({other:?})")),
    };
    io::Error::new(kind, text)
}
