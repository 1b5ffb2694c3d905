//! Streams to a server's port, over TLS unless the inventory says otherwise (edge).

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::ServerName;

use super::trust::Trust;
use crate::clickhouse::{Opener, Stream};
use crate::fleet::HttpConnection;
use crate::transport::ConnectError;

/// So long the stream that proved that somebody answers waits for its first question.
const FRESH: Duration = Duration::from_millis(500);

/// Where, and how the other side proves who it is.
pub(super) struct Dial {
    address: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    limit: Duration,
    first: Mutex<Option<(Instant, Box<dyn Stream>)>>,
}

impl Dial {
    pub(super) fn new(way: &HttpConnection, trust: &Trust) -> Result<Self, ConnectError> {
        let tls = match &way.tls {
            None => None,
            Some(tls) => {
                let connector = TlsConnector::from(trust.of(tls.ca.as_deref())?);
                let name = ServerName::try_from(tls.server_name.clone()).map_err(|error| ConnectError::Tls {
                    address: way.address.clone(),
                    reason: format!("`{}` is no name for a certificate ({error})", tls.server_name),
                })?;
                Some((connector, name))
            }
        };
        let (address, port, limit) = (way.address.clone(), way.port, way.connect_timeout);
        Ok(Self { address, port, tls, limit, first: Mutex::default() })
    }

    /// Opens the first stream, and keeps it for the first question.
    pub(super) async fn first(&self) -> Result<(), ConnectError> {
        let stream = self.dial().await?;
        *self.first.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), stream));
        Ok(())
    }

    async fn dial(&self) -> Result<Box<dyn Stream>, ConnectError> {
        let unreachable =
            |reason: String| ConnectError::Unreachable { address: self.address.clone(), port: self.port, reason };
        let late = |_| unreachable(format!("no answer within {:?}", self.limit));
        timeout(self.limit, async {
            let mut found = tokio::net::lookup_host((self.address.as_str(), self.port))
                .await
                .map_err(|error| ConnectError::Resolve { address: self.address.clone(), reason: error.to_string() })?;
            let first = found.next().ok_or_else(|| ConnectError::Resolve {
                address: self.address.clone(),
                reason: "it has no address".to_owned(),
            })?;
            let all: Vec<_> = std::iter::once(first).chain(found).collect();
            let stream = TcpStream::connect(all.as_slice()).await.map_err(|error| unreachable(error.to_string()))?;
            stream.set_nodelay(true).map_err(|error| unreachable(error.to_string()))?;
            let Some((connector, name)) = &self.tls else { return Ok(Box::new(stream) as Box<dyn Stream>) };
            let stream = connector.connect(name.clone(), stream).await.map_err(|error| self.no_proof(&error))?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
        .await
        .unwrap_or_else(|elapsed| Err(late(elapsed)))
    }

    /// A certificate that does not hold is for somebody to look at; a connection that broke may pass.
    fn no_proof(&self, error: &io::Error) -> ConnectError {
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
        match cause {
            Some(cause) => ConnectError::Tls { address: self.address.clone(), reason: cause.to_string() },
            None => ConnectError::Unreachable {
                address: self.address.clone(),
                port: self.port,
                reason: format!("no TLS: {error}"),
            },
        }
    }
}

#[async_trait]
impl Opener for Dial {
    async fn open(&self) -> io::Result<Box<dyn Stream>> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((since, stream)) = first
            && since.elapsed() < FRESH
        {
            return Ok(stream);
        }
        self.dial().await.map_err(|error| {
            let kind = match &error {
                ConnectError::Unreachable { reason, .. } if reason.contains("refused") => {
                    io::ErrorKind::ConnectionRefused
                }
                _ => io::ErrorKind::Other,
            };
            io::Error::new(kind, error.to_string())
        })
    }
}
