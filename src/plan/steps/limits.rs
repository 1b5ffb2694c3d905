//! How long and how much: what an operator may want otherwise, with what it is where nobody says so (pure).

use std::time::Duration;

use serde_json::Value;

use crate::fleet::Host;
use crate::plan::Gate;
use crate::resource::{ClickHouseFacts, HostFacts};

/// A consumer finishes the block that it writes, which takes seconds; one that hangs does so for ever
/// (<https://github.com/ClickHouse/ClickHouse/issues/25523>).
const DRAIN: Duration = Duration::from_mins(2);

/// The long queries are the few; a server that goes down lets the short ones end by itself.
const QUERIES: Duration = Duration::from_secs(30);

/// As a peer that is asked before a restart must be: `ServerFacts::serves`.
const DELAY: Duration = Duration::from_mins(5);

/// A server that crashes on what it loads does so in the first seconds; longer would be paid by every wave.
const WINDOW: Duration = Duration::from_secs(2);

/// A session with the coordination that is lost comes back within its time-out, by default 30 s
/// (<https://clickhouse.com/docs/operations/server-configuration-parameters/settings#zookeeper>), and systemd starts a server that died.
const RETRY: Duration = Duration::from_secs(30);

/// The limits of one host's steps.
pub(in crate::plan) struct Limits {
    /// `drain_timeout`: to detach consumers and to send what is spooled.
    pub(in crate::plan) drain: Duration,
    /// `query_timeout`: for the queries that run before a restart.
    pub queries: Duration,
    /// `replica_delay_limit`: how far behind a replica may be that has come back.
    pub(in crate::plan) delay: Duration,
    /// `stable_window`: how long a server must be well that has come back.
    window: Duration,
    /// `retry_timeout`: how long a statement of the schema is sent again whose failure may pass by itself.
    pub(in crate::plan) retry: Duration,
}

impl Limits {
    /// Reads them from a host's variables.
    pub fn of(host: &Host) -> Self {
        let seconds = |name: &str, otherwise: Duration| {
            host.vars.get(name).and_then(Value::as_u64).map_or(otherwise, Duration::from_secs)
        };
        Self {
            drain: seconds("drain_timeout", DRAIN),
            queries: seconds("query_timeout", QUERIES),
            delay: seconds("replica_delay_limit", DELAY),
            window: seconds("stable_window", WINDOW),
            retry: seconds("retry_timeout", RETRY),
        }
    }

    /// The gate behind a start: what the server complained of before is no news.
    pub fn settled(&self, facts: &HostFacts) -> Gate {
        let known = match &facts.clickhouse {
            ClickHouseFacts::Up { server, .. } => server.errors.clone(),
            ClickHouseFacts::Down { .. } | ClickHouseFacts::NotAsked => std::collections::BTreeSet::new(),
        };
        Gate::Settled { delay_limit: self.delay, window: self.window, known }
    }
}
