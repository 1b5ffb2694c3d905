//! ClickHouse over HTTP from here, to hosts that have no other way in (edge).
//!
//! Nothing is sent before the other side has proven by TLS who it is, unless the inventory switches TLS off; every wait has an end.

mod dial;
mod lock;
mod trust;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use super::{Claim, ConnectError, HostLock, Session, SessionError, Transport};
use crate::clickhouse::{ClickHouse, Endpoint, HttpClickHouse};
use crate::fleet::{Host, HostName, Reach};
use crate::remote::{Batch, Output};
use dial::Dial;

/// What is the same for all hosts of a run.
#[derive(Debug, Clone, Default)]
pub struct HttpOptions {
    /// Who asks each server: a host's lock is a query on it.
    pub endpoints: BTreeMap<HostName, Endpoint>,
    /// How this run names itself to others that want the lock.
    pub holder: String,
}

/// How long one statement may take, as over SSH.
const STATEMENT: Duration = Duration::from_mins(1);

/// Opens sessions; what authorities are trusted is read once.
#[derive(Debug, Default)]
pub struct HttpTransport {
    options: HttpOptions,
    trust: trust::Trust,
}

impl HttpTransport {
    /// Makes a transport that has not read or opened anything yet.
    #[must_use]
    pub fn new(options: HttpOptions) -> Self {
        Self { options, trust: trust::Trust::default() }
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn connect(&self, host: &Host) -> Result<Arc<dyn Session>, ConnectError> {
        let Reach::Http(way) = &host.reach else {
            return Err(ConnectError::Member { host: host.name.to_string() });
        };
        let dial = Arc::new(Dial::new(way, &self.trust)?);
        // Whether somebody answers is known before anything is asked; the first question goes over this very connection.
        dial.first().await?;
        let authority = format!("{}:{}", way.address, way.port);
        let endpoint = self.options.endpoints.get(&host.name).cloned();
        let holder = self.options.holder.clone();
        Ok(Arc::new(HttpSession { dial, authority, endpoint, holder, ended: Arc::default() }))
    }
}

struct HttpSession {
    dial: Arc<Dial>,
    authority: String,
    endpoint: Option<Endpoint>,
    holder: String,
    /// It was closed, or its lock is gone.
    ended: Arc<AtomicBool>,
}

impl HttpSession {
    fn client(&self, endpoint: &Endpoint) -> HttpClickHouse {
        let dial = Arc::clone(&self.dial);
        HttpClickHouse::over(dial, endpoint, STATEMENT).named(&self.authority)
    }
}

#[async_trait]
impl Session for HttpSession {
    async fn run(&self, _: &Batch) -> Result<Vec<Output>, SessionError> {
        Err(SessionError::HttpAlone)
    }

    async fn ask(&self, _: u16, _: &[u8]) -> Result<Vec<u8>, SessionError> {
        Err(SessionError::HttpAlone)
    }

    async fn lock(&self) -> Result<Box<dyn HostLock>, SessionError> {
        self.claim(Claim::Free).await
    }

    async fn claim(&self, claim: Claim) -> Result<Box<dyn HostLock>, SessionError> {
        let none = || SessionError::NoLock("its role has no ClickHouse".to_owned());
        let endpoint = self.endpoint.as_ref().ok_or_else(none)?;
        lock::take([self.client(endpoint), self.client(endpoint)], &self.holder, claim, &self.ended).await
    }

    fn clickhouse(&self, endpoint: &Endpoint) -> Arc<dyn ClickHouse> {
        Arc::new(self.client(endpoint))
    }

    fn is_open(&self) -> bool {
        !self.ended.load(Ordering::Relaxed)
    }

    async fn close(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}
