//! Asks many servers one question of somebody, each over a connection of its own (edge).
//!
//! Nothing is changed: the servers refuse what does not only read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;

use crate::clickhouse::{Bounds, ClickHouseError, Endpoint, Rows, Statement};
use crate::event::{Event, Sink, chain};
use crate::fleet::{Host, HostName};
use crate::transport::lasting::{self, Patience};
use crate::transport::{Session, Transport, advice};

/// A server that may answer.
pub struct Asked<'a> {
    /// Its host.
    pub host: &'a Host,
    /// Where it answers there.
    pub endpoint: Endpoint,
}

/// Why there are no rows of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRows {
    /// The host or its server was not reached.
    Unreachable(String),
    /// The server answered, and not with rows.
    Refused(String),
}

impl NoRows {
    /// In words.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Unreachable(reason) | Self::Refused(reason) => reason,
        }
    }
}

/// What the servers said that may stand in for each other, in the order in which they were asked.
pub type Said = Vec<(HostName, Result<Rows, NoRows>)>;

/// Asks one server of each group, the next one where it has no rows; at most `at_once` groups at a time.
pub async fn ask_each(
    transport: &dyn Transport,
    groups: &[Vec<Asked<'_>>],
    question: &Statement,
    bounds: &Bounds,
    at_once: usize,
    sink: &dyn Sink,
) -> Vec<Said> {
    sink.emit(Event::ObserveStarted { hosts: groups.len() });
    let answers: Vec<Said> = futures_util::stream::iter(groups)
        .map(|group| async move {
            let mut said = Said::new();
            for asked in group {
                let answer = ask(transport, asked, question, bounds, sink).await;
                let ends = answer.is_ok();
                said.push((asked.host.name.clone(), answer));
                if ends {
                    break;
                }
            }
            said
        })
        .buffered(at_once.max(1))
        .collect()
        .await;
    let has_rows = |said: &&Said| said.iter().any(|(_, answer)| answer.is_ok());
    let reached = answers.iter().filter(has_rows).count();
    sink.emit(Event::ObserveFinished { reached, unreachable: answers.len() - reached });
    answers
}

/// Asks each server the same twice, with a pause between, over one connection; at most `at_once` at a time.
pub async fn ask_twice(
    transport: &dyn Transport,
    servers: &[Asked<'_>],
    question: &Statement,
    (bounds, pause): (&Bounds, Duration),
    at_once: usize,
    sink: &dyn Sink,
) -> BTreeMap<HostName, Result<[Rows; 2], NoRows>> {
    sink.emit(Event::ObserveStarted { hosts: servers.len() });
    let answers: BTreeMap<_, _> = futures_util::stream::iter(servers)
        .map(|asked| async move {
            let answer = async {
                let session = connect(transport, asked, sink).await?;
                let clickhouse = session.clickhouse(&asked.endpoint);
                let answer = async {
                    let first = clickhouse.ask(question, bounds).await?;
                    tokio::time::sleep(pause).await;
                    Ok([first, clickhouse.ask(question, bounds).await?])
                }
                .await;
                session.close().await;
                sink.emit(Event::HostObserved { host: asked.host.name.clone() });
                answer.map_err(|error| no_rows(&error))
            };
            (asked.host.name.clone(), answer.await)
        })
        .buffer_unordered(at_once.max(1))
        .collect()
        .await;
    let reached = answers.values().filter(|answer| answer.is_ok()).count();
    sink.emit(Event::ObserveFinished { reached, unreachable: answers.len() - reached });
    answers
}

async fn ask(
    transport: &dyn Transport,
    asked: &Asked<'_>,
    question: &Statement,
    bounds: &Bounds,
    sink: &dyn Sink,
) -> Result<Rows, NoRows> {
    let session = connect(transport, asked, sink).await?;
    let answer = session.clickhouse(&asked.endpoint).ask(question, bounds).await;
    session.close().await;
    sink.emit(Event::HostObserved { host: asked.host.name.clone() });
    answer.map_err(|error| no_rows(&error))
}

async fn connect(transport: &dyn Transport, asked: &Asked<'_>, sink: &dyn Sink) -> Result<Arc<dyn Session>, NoRows> {
    let host = asked.host.name.clone();
    sink.emit(Event::HostConnecting { host: host.clone() });
    lasting::connect(transport, asked.host, Patience::FIRST, sink).await.map_err(|error| {
        let (reason, hint) = (chain(&error), advice::connect(&error, asked.host));
        sink.emit(Event::HostUnreachable { host, reason: reason.clone(), hint });
        NoRows::Unreachable(reason)
    })
}

fn no_rows(error: &ClickHouseError) -> NoRows {
    match error {
        ClickHouseError::Refused(_) | ClickHouseError::Unreachable(_) => NoRows::Unreachable(chain(error)),
        ClickHouseError::Timeout(_)
        | ClickHouseError::Exception { .. }
        | ClickHouseError::TooLong(_)
        | ClickHouseError::Garbled(_) => NoRows::Refused(chain(error)),
    }
}
