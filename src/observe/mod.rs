//! Asks every host for everything at once: one connection and one batch per host, in parallel (edge).
//!
//! A host that does not answer is a fact, not the end of the run.

mod question;
pub mod recorded;
mod registration;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use question::{Asked, NoRows, Said, ask_each, ask_twice};
pub use registration::{Ways, add_registrations};

use futures_util::StreamExt;

use crate::clickhouse::{ClickHouse, ClickHouseError, Endpoint, is_yes};
use crate::event::{Event, Sink, chain};
use crate::fleet::{Host, HostName, Placement};
use crate::migration::{self, MigrationRecords};
use crate::resource::{
    ClickHouseFacts, Contents, FlowFacts, FlowQuestion, HealthFacts, HostFacts, HostObservation, KeeperFacts,
    Observation, Owed, Probe, SRVR, SeenSettings, Server,
};
use crate::role::SqlGate;
use crate::schema::{self, Family, ObjectName, ObjectRecords, recording};
use crate::transport::lasting::{self, Patience};
use crate::transport::{Session, Transport, advice};

/// One host to ask, and what.
pub struct Target<'a> {
    /// Whom.
    pub host: &'a Host,
    /// Files and units.
    pub probe: Probe,
    /// Its ClickHouse, where the role has one.
    pub endpoint: Option<Endpoint>,
}

/// What was found, and the connections that are still open.
#[derive(Default)]
pub struct Observed {
    /// The facts.
    pub observation: Observation,
    /// An open connection for each host that answered.
    pub open: BTreeMap<HostName, Open>,
}

/// An open connection to a host, and its ClickHouse over it.
#[derive(Clone)]
pub struct Open {
    /// For batches.
    pub session: Arc<dyn Session>,
    /// For statements, where the role has a server.
    pub clickhouse: Option<Arc<dyn ClickHouse>>,
    /// Where a coordination server answers.
    pub keeper_port: Option<u16>,
}

/// Which hosts' connections are used again; the others are closed as soon as the host has answered.
#[derive(Clone, Copy)]
pub enum Afterwards<'a> {
    /// None.
    Close,
    /// Those of which this says so.
    KeepWhere(&'a (dyn Fn(&Host, &HostFacts) -> bool + Sync)),
}

impl Afterwards<'_> {
    fn keeps(self, host: &Host, facts: &HostFacts) -> bool {
        match self {
            Self::Close => false,
            Self::KeepWhere(wanted) => wanted(host, facts),
        }
    }
}

/// Asks all targets, at most `at_once` of them at a time.
pub async fn observe(
    transport: &dyn Transport,
    targets: Vec<Target<'_>>,
    at_once: usize,
    afterwards: Afterwards<'_>,
    sink: &dyn Sink,
) -> Observed {
    sink.emit(Event::ObserveStarted { hosts: targets.len() });
    let mut answers = futures_util::stream::iter(targets)
        .map(|target| async move {
            let name = target.host.name.clone();
            sink.emit(Event::HostConnecting { host: name.clone() });
            (name, ask(transport, &target, afterwards, sink).await)
        })
        .buffer_unordered(at_once.max(1));
    let (mut observed, mut contents, mut seen) = (Observed::default(), Contents::default(), SeenSettings::default());
    while let Some((name, answer)) = answers.next().await {
        let found = match answer {
            Ok((mut facts, open)) => {
                contents.share(&mut facts);
                seen.share(&mut facts.clickhouse);
                sink.emit(Event::HostObserved { host: name.clone() });
                observed.open.extend(open.map(|open| (name.clone(), open)));
                HostObservation::Reached(Box::new(facts))
            }
            Err((reason, hint)) => {
                sink.emit(Event::HostUnreachable { host: name.clone(), reason: reason.clone(), hint: hint.clone() });
                HostObservation::Unreachable { reason, hint }
            }
        };
        observed.observation.hosts.insert(name, found);
    }
    let hosts = &observed.observation.hosts;
    let reached = hosts.values().filter(|host| matches!(host, HostObservation::Reached(_))).count();
    sink.emit(Event::ObserveFinished { reached, unreachable: hosts.len() - reached });
    observed
}

type Answer = (HostFacts, Option<Open>);
type NoAnswer = (String, Option<String>);

async fn ask(
    transport: &dyn Transport,
    target: &Target<'_>,
    afterwards: Afterwards<'_>,
    sink: &dyn Sink,
) -> Result<Answer, NoAnswer> {
    let session = lasting::connect(transport, target.host, Patience::FIRST, sink)
        .await
        .map_err(|error| (chain(&error), advice::connect(&error, target.host)))?;
    let clickhouse = target.endpoint.as_ref().map(|endpoint| session.clickhouse(endpoint));
    let open = Open { session, clickhouse, keeper_port: target.host.keeper_port() };
    match ask_open(&open, target).await {
        Ok(facts) if afterwards.keeps(target.host, &facts) => Ok((facts, Some(open))),
        facts => {
            open.session.close().await;
            facts.map(|facts| (facts, None))
        }
    }
}

async fn ask_open(open: &Open, target: &Target<'_>) -> Result<HostFacts, NoAnswer> {
    let mut facts = HostFacts::default();
    if target.host.has_files() {
        facts = read(open, &target.probe, target.host).await?;
        if let Some(more) = target.probe.follow_up(&facts) {
            facts = read(open, &more, target.host).await?;
        }
    }
    if let Some(clickhouse) = &open.clickhouse {
        facts.clickhouse = ask_clickhouse(&**clickhouse).await;
        // Both at once: neither waits for the other's answer.
        let tables = [recording::own_table(), migration::recording::own_table()];
        let (records, migrations) = tokio::join!(
            where_there(&facts, &tables[0], ask_records(&**clickhouse)),
            where_there(&facts, &tables[1], ask_migrations(&**clickhouse, &target.host.name)),
        );
        match records.and_then(|records| Ok((records, migrations?))) {
            Ok((records, migrations)) => (facts.records, facts.migrations) = (records, migrations),
            Err(error) => facts.clickhouse = ClickHouseFacts::Down { reason: chain(&error) },
        }
        if may_flow(target.host, &facts) {
            match ask_flow(&**clickhouse).await {
                Ok(flow) => facts.flow = flow,
                Err(error) => facts.clickhouse = ClickHouseFacts::Down { reason: chain(&error) },
            }
        }
    }
    if let Some(port) = open.keeper_port {
        facts.keeper = ask_keeper(&*open.session, port).await;
    }
    Ok(facts)
}

async fn read(open: &Open, probe: &Probe, host: &Host) -> Result<HostFacts, NoAnswer> {
    let outputs = open.session.run(&probe.batch()).await;
    let outputs = outputs.map_err(|error| (chain(&error), advice::session(&error, &host.name)))?;
    probe.parse(&outputs).map_err(|error| (chain(&error), None))
}

/// Asks a coordination server whether it serves.
pub async fn ask_keeper(session: &dyn Session, port: u16) -> KeeperFacts {
    match session.ask(port, SRVR).await {
        Ok(answer) => KeeperFacts::read(&answer),
        Err(error) => KeeperFacts::Down { reason: chain(&error) },
    }
}

/// Asks a ClickHouse server how well it is, and for all members of its clusters.
///
/// # Errors
/// It does not answer, or not so.
pub async fn ask_health(clickhouse: &dyn ClickHouse) -> Result<HealthFacts, ClickHouseError> {
    HealthFacts::parse(&clickhouse.execute(&HealthFacts::statement()).await?)
}

/// Whether something may consume there, or did before it was detached.
fn may_flow(host: &Host, facts: &HostFacts) -> bool {
    let ClickHouseFacts::Up { objects, .. } = &facts.clickhouse else { return false };
    host.placement == Placement::Stateless
        || facts.owed.iter().any(|owed| matches!(owed, Owed::Attach(_)))
        || objects.iter().any(|object| Family::of(&object.engine) == Family::Queue)
}

/// Asks where one of Housewright's own tables is there.
async fn where_there<T>(
    facts: &HostFacts,
    table: &ObjectName,
    asked: impl Future<Output = Result<T, ClickHouseError>>,
) -> Result<Option<T>, ClickHouseError> {
    let ClickHouseFacts::Up { objects, .. } = &facts.clickhouse else { return Ok(None) };
    if objects.iter().any(|object| object.name == *table) { asked.await.map(Some) } else { Ok(None) }
}

/// Asks a ClickHouse server what Housewright has made there.
///
/// # Errors
/// It does not answer, or not so.
pub async fn ask_records(clickhouse: &dyn ClickHouse) -> Result<ObjectRecords, ClickHouseError> {
    recording::read_records(&clickhouse.execute(&recording::ask()).await?)
}

/// Asks a ClickHouse server what was run there once; where something was begun and does not run, also how that ended.
///
/// # Errors
/// It does not answer, or not so.
pub async fn ask_migrations(clickhouse: &dyn ClickHouse, host: &HostName) -> Result<MigrationRecords, ClickHouseError> {
    let mut records = migration::recording::read(&clickhouse.execute(&migration::recording::ask()).await?)?;
    let open = migration::recording::open_queries(&records, host);
    if open.is_empty() {
        return Ok(records);
    }
    match clickhouse.execute(&migration::recording::ask_ends(open)).await {
        Ok(rows) => migration::recording::add_ends(&mut records, &rows),
        // A server without a log of queries, or that does not show it, knows nothing of how they ended.
        Err(ClickHouseError::Exception { .. }) => {}
        Err(error) => return Err(error),
    }
    Ok(records)
}

/// Asks a ClickHouse server the questions of its role.
pub async fn ask_questions(
    clickhouse: &dyn ClickHouse,
    gates: &BTreeMap<String, SqlGate>,
) -> Vec<(String, Result<(), String>)> {
    let mut answers = Vec::new();
    for (name, gate) in gates {
        let rows = clickhouse.execute(&gate.query).await;
        answers.push((name.clone(), rows.map_err(|error| chain(&error)).and_then(|rows| is_yes(&rows))));
    }
    answers
}

/// Asks a ClickHouse server what flows through it.
///
/// # Errors
/// It does not answer, or not so.
pub async fn ask_flow(clickhouse: &dyn ClickHouse) -> Result<FlowFacts, ClickHouseError> {
    // UNKNOWN_TABLE, UNKNOWN_IDENTIFIER: a server before 24.8.
    match clickhouse.execute(&FlowFacts::statement(FlowQuestion::Whole)).await {
        Err(ClickHouseError::Exception { code: 60 | 47, .. }) => {
            FlowFacts::parse(&clickhouse.execute(&FlowFacts::statement(FlowQuestion::WithoutDetached)).await?)
        }
        answer => FlowFacts::parse(&answer?),
    }
}

/// Asks a ClickHouse server for its own state and its objects.
pub async fn ask_clickhouse(clickhouse: &dyn ClickHouse) -> ClickHouseFacts {
    let answer = async {
        let server = Server::parse(&clickhouse.execute(&Server::statement()).await?)?;
        let objects = schema::read_objects(&clickhouse.execute(&schema::statement()).await?);
        Ok::<_, ClickHouseError>(ClickHouseFacts::Up { server: Box::new(server), objects })
    };
    answer.await.unwrap_or_else(|error| ClickHouseFacts::Down { reason: chain(&error) })
}
