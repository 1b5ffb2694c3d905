//! Asks many servers one question of somebody, each over a connection of its own (edge).
//!
//! Nothing is changed: the servers refuse what does not only read.

use futures_util::StreamExt;

use crate::clickhouse::{Bounds, ClickHouseError, Endpoint, Rows, Statement};
use crate::event::{Event, Sink, chain};
use crate::fleet::{Host, HostName};
use crate::transport::lasting::{self, Patience};
use crate::transport::{Transport, advice};

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

async fn ask(
    transport: &dyn Transport,
    asked: &Asked<'_>,
    question: &Statement,
    bounds: &Bounds,
    sink: &dyn Sink,
) -> Result<Rows, NoRows> {
    let host = asked.host.name.clone();
    sink.emit(Event::HostConnecting { host: host.clone() });
    let session = match lasting::connect(transport, asked.host, Patience::FIRST, sink).await {
        Ok(session) => session,
        Err(error) => {
            let (reason, hint) = (chain(&error), advice::connect(&error, asked.host));
            sink.emit(Event::HostUnreachable { host, reason: reason.clone(), hint });
            return Err(NoRows::Unreachable(reason));
        }
    };
    let answer = session.clickhouse(&asked.endpoint).ask(question, bounds).await;
    session.close().await;
    sink.emit(Event::HostObserved { host });
    answer.map_err(|error| match error {
        ClickHouseError::Refused(_) | ClickHouseError::Unreachable(_) => NoRows::Unreachable(chain(&error)),
        ClickHouseError::Timeout(_)
        | ClickHouseError::Exception { .. }
        | ClickHouseError::TooLong(_)
        | ClickHouseError::Garbled(_) => NoRows::Refused(chain(&error)),
    })
}
