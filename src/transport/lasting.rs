//! Sessions that outlive their connection: it is opened again when it is needed and gone (edge).
//!
//! Nothing is ever sent twice from here: a batch whose answer was lost is an error for the caller, who knows what may be
//! done again. The host's lock is taken again before anything else, or the session stays closed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as Plain, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{Claim, ConnectError, HostLock, Session, SessionError, Transport};
use crate::clickhouse::{Bounds, ClickHouse, ClickHouseError, Endpoint, Errand, Rows, Statement};
use crate::event::{Event, Sink, chain};
use crate::fleet::Host;
use crate::remote::{Batch, Output};

/// How long a host is tried again.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    attempts: u32,
    at_most: Duration,
}

impl Patience {
    /// For the first connection: a full queue of sshd (`MaxStartups`) is over in a second; a host that is down stays down,
    /// and a time-out has taken long enough.
    pub const FIRST: Self = Self { attempts: 3, at_most: Duration::from_secs(6) };
    /// For a host that a run is in the middle of: a router that starts anew takes less than a minute.
    pub const AGAIN: Self = Self { attempts: 12, at_most: Duration::from_mins(1) };
}

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// Connects to a host, again and again while that can help.
///
/// # Errors
/// The last attempt's error.
pub async fn connect(
    transport: &dyn Transport,
    host: &Host,
    patience: Patience,
    sink: &dyn Sink,
) -> Result<Arc<dyn Session>, ConnectError> {
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    for attempt in 1.. {
        let error = match transport.connect(host).await {
            Ok(session) => return Ok(session),
            Err(error) => error,
        };
        if !error.may_pass() || attempt >= patience.attempts || started.elapsed() >= patience.at_most {
            return Err(error);
        }
        let wait = jittered(pause);
        let pause_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        sink.emit(Event::ConnectRetried { host: host.name.clone(), reason: chain(&error), attempt, pause_ms });
        tokio::time::sleep(wait).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Err(ConnectError::Protocol { address: host.name.to_string(), reason: "nobody tried".to_owned() })
}

/// Between a half and one and a half of it, so that hosts of a wave do not come back in step.
fn jittered(pause: Duration) -> Duration {
    let mut random = [128];
    // Without randomness the pause is as it is.
    let _ = getrandom::fill(&mut random);
    pause / 2 + pause * u32::from(random[0]) / 255
}

/// A transport whose sessions open their connection again.
pub struct Lasting {
    transport: Arc<dyn Transport>,
    sink: Arc<dyn Sink>,
}

impl Lasting {
    /// Tells the sink when a host is tried again.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, sink: Arc<dyn Sink>) -> Self {
        Self { transport, sink }
    }
}

#[async_trait]
impl Transport for Lasting {
    async fn connect(&self, host: &Host) -> Result<Arc<dyn Session>, ConnectError> {
        let session = self.transport.connect(host).await?;
        let (transport, sink) = (Arc::clone(&self.transport), Arc::clone(&self.sink));
        let current = Mutex::new(Current { session, number: 0 });
        let line =
            Line { transport, sink, host: host.clone(), current, lock: Arc::default(), closed: AtomicBool::new(false) };
        Ok(Arc::new(LastingSession(Arc::new(line))))
    }
}

/// One host's way, over one connection after the other.
struct Line {
    transport: Arc<dyn Transport>,
    sink: Arc<dyn Sink>,
    host: Host,
    current: Mutex<Current>,
    lock: Arc<Lock>,
    closed: AtomicBool,
}

struct Current {
    session: Arc<dyn Session>,
    number: u64,
}

/// The host's lock, wherever it is held now.
#[derive(Default)]
struct Lock {
    wanted: AtomicBool,
    held: Plain<Option<Box<dyn HostLock>>>,
}

impl Lock {
    fn put(&self, lock: Option<Box<dyn HostLock>>) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = lock;
    }
}

impl Line {
    /// The connection, opened again where it has ended.
    async fn current(&self) -> Result<(Arc<dyn Session>, u64), SessionError> {
        let mut current = self.current.lock().await;
        if !current.session.is_open() && !self.closed.load(Ordering::Relaxed) {
            let session = connect(&*self.transport, &self.host, Patience::AGAIN, &*self.sink)
                .await
                .map_err(|error| SessionError::Ended(format!("it cannot be opened again: {}", chain(&error))))?;
            if self.lock.wanted.load(Ordering::Relaxed) {
                self.lock.put(Some(session.claim(Claim::Again).await?));
            }
            *current = Current { session, number: current.number + 1 };
        }
        Ok((Arc::clone(&current.session), current.number))
    }
}

struct LastingSession(Arc<Line>);

#[async_trait]
impl Session for LastingSession {
    async fn run(&self, batch: &Batch) -> Result<Vec<Output>, SessionError> {
        let (session, _) = self.0.current().await?;
        match session.run(batch).await {
            // The host was told nothing: the other end has hung up meanwhile.
            Err(SessionError::Ended(_)) if !session.is_open() => self.0.current().await?.0.run(batch).await,
            answer => answer,
        }
    }

    async fn ask(&self, port: u16, question: &[u8]) -> Result<Vec<u8>, SessionError> {
        self.0.current().await?.0.ask(port, question).await
    }

    async fn lock(&self) -> Result<Box<dyn HostLock>, SessionError> {
        self.claim(Claim::Free).await
    }

    async fn claim(&self, claim: Claim) -> Result<Box<dyn HostLock>, SessionError> {
        let held = self.0.current().await?.0.claim(claim).await?;
        self.0.lock.wanted.store(true, Ordering::Relaxed);
        self.0.lock.put(Some(held));
        Ok(Box::new(LastingLock(Arc::clone(&self.0.lock))))
    }

    fn clickhouse(&self, endpoint: &Endpoint) -> Arc<dyn ClickHouse> {
        Arc::new(LastingClickHouse { line: Arc::clone(&self.0), endpoint: endpoint.clone(), current: Plain::default() })
    }

    fn is_open(&self) -> bool {
        !self.0.closed.load(Ordering::Relaxed)
    }

    async fn close(&self) {
        self.0.closed.store(true, Ordering::Relaxed);
        self.0.current.lock().await.session.close().await;
    }
}

struct LastingLock(Arc<Lock>);

impl HostLock for LastingLock {}

impl Drop for LastingLock {
    fn drop(&mut self) {
        self.0.wanted.store(false, Ordering::Relaxed);
        self.0.put(None);
    }
}

/// The same server, over whichever connection there is.
struct LastingClickHouse {
    line: Arc<Line>,
    endpoint: Endpoint,
    current: Plain<Option<(u64, Arc<dyn ClickHouse>)>>,
}

impl LastingClickHouse {
    async fn current(&self) -> Result<Arc<dyn ClickHouse>, ClickHouseError> {
        let (session, number) =
            self.line.current().await.map_err(|error| ClickHouseError::Unreachable(chain(&error)))?;
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match &*current {
            Some((of, client)) if *of == number => Ok(Arc::clone(client)),
            _ => {
                let client = session.clickhouse(&self.endpoint);
                *current = Some((number, Arc::clone(&client)));
                Ok(client)
            }
        }
    }
}

#[async_trait]
impl ClickHouse for LastingClickHouse {
    async fn execute(&self, statement: &Statement) -> Result<Rows, ClickHouseError> {
        self.current().await?.execute(statement).await
    }

    async fn run(&self, errand: &Errand<'_>) -> Result<(), ClickHouseError> {
        self.current().await?.run(errand).await
    }

    async fn ask(&self, question: &Statement, bounds: &Bounds) -> Result<Rows, ClickHouseError> {
        self.current().await?.ask(question, bounds).await
    }
}
