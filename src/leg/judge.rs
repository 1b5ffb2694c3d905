//! Whether a leg is proven, and whether one has drained its topic, by what its hosts told twice (pure).
//!
//! Every bar has its threshold and what was found; a host without an answer clears none.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Leg;
use super::sample::{POLLED_WITHIN, Sample, TableSample};
use crate::fleet::HostName;
use crate::schema::ObjectName;

/// So many files may wait to be sent on one host: with asynchronous inserts a few always do, and a shard that takes none
/// leaves more within a minute.
const MOST_WAITING: u64 = 20;
/// A leg is drained when it reads nothing for so long, where the server tells no lag: a block of what was read is written on
/// after 7.5 s (`stream_flush_interval_ms`), so nothing is on its way then either.
const QUIET_FOR: u64 = 8_000;

/// What the hosts of a leg told of it, together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegState {
    /// The Kafka table.
    pub table: ObjectName,
    /// The named collection that has its brokers.
    pub collection: Option<String>,
    /// Its consumer group.
    pub group: Option<String>,
    /// The hosts that should have it.
    pub hosts: usize,
    /// Those that did not answer.
    pub silent: Vec<HostName>,
    /// Those that answered and do not have its table.
    pub without: Vec<HostName>,
    /// How many consumers there should be.
    pub wanted: u64,
    /// The first look, added up.
    #[serde(skip)]
    pub before: TableSample,
    /// The second one.
    #[serde(flatten)]
    pub now: TableSample,
    /// How many messages were read between the two; nothing where a counter began anew.
    pub read: Option<u64>,
    /// The shortest time between the two looks, in milliseconds.
    pub window: u64,
    /// The most files that wait on one host.
    pub most_waiting: u64,
}

impl LegState {
    /// Messages per minute.
    #[must_use]
    pub fn per_minute(&self) -> Option<u64> {
        Some(self.read?.saturating_mul(60_000) / self.window.max(1))
    }
}

/// Puts together what the hosts of a leg told.
#[must_use]
pub fn state(leg: &Leg<'_>, hosts: &[&HostName], samples: &BTreeMap<HostName, (Sample, Sample)>) -> LegState {
    let mut state = LegState {
        table: leg.table.name.clone(),
        collection: leg.collection().map(str::to_owned),
        group: leg.group().map(str::to_owned),
        hosts: hosts.len(),
        silent: Vec::new(),
        without: Vec::new(),
        wanted: leg.consumers().saturating_mul(hosts.len() as u64),
        before: TableSample::default(),
        now: TableSample { lag: Some(0), ..TableSample::default() },
        read: Some(0),
        window: u64::MAX,
        most_waiting: 0,
    };
    for host in hosts {
        let Some((before, now)) = samples.get(*host) else {
            state.silent.push((*host).clone());
            continue;
        };
        state.window = state.window.min(now.at.saturating_sub(before.at));
        let (Some(first), Some(second)) = (before.tables.get(&leg.table.name), now.tables.get(&leg.table.name)) else {
            state.without.push((*host).clone());
            continue;
        };
        let targets = leg.targets.iter().filter_map(|target| now.tables.get(&target.name));
        let (waiting, broken) = targets.fold((0, 0), |(w, b), target| (w + target.waiting, b + target.broken));
        state.most_waiting = state.most_waiting.max(waiting);
        state.now.waiting += waiting;
        state.now.broken += broken;
        state.read = state.read.and_then(|read| Some(read + second.messages.checked_sub(first.messages)?));
        add(&mut state.before, first);
        add(&mut state.now, second);
        // A consumer without partitions is behind nothing.
        let lag = second.lag.or((second.consumers > 0 && second.partitions == 0).then_some(0));
        state.now.lag = state.now.lag.zip(lag).map(|(one, other)| one + other);
    }
    if state.now.partitions == 0 {
        state.now.lag = None;
    }
    if state.window == u64::MAX {
        state.window = 0;
    }
    state
}

fn add(sum: &mut TableSample, one: &TableSample) {
    sum.consumers += one.consumers;
    sum.polling += one.polling;
    sum.partitions += one.partitions;
    sum.messages += one.messages;
    sum.stuck += one.stuck;
    sum.errors += one.errors;
    sum.complaint = one.complaint.clone().or(sum.complaint.take());
}

/// Whose bar it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The leg that stays.
    Stays,
    /// The leg that goes.
    Goes,
}

/// One threshold, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bar {
    /// Whose.
    pub of: Subject,
    /// The leg's table.
    pub table: ObjectName,
    /// What must be.
    pub wanted: String,
    /// What is.
    pub found: String,
    /// Whether it is cleared.
    pub met: bool,
    /// The permission that lifts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<&'static str>,
}

/// What shows that a leg carries its topic.
#[must_use]
pub fn proven(state: &LegState) -> Vec<Bar> {
    let mut bars = active(Subject::Stays, state);
    let read = state.read.unwrap_or_default();
    bars.push(Bar {
        permission: Some("idle"),
        ..bar(
            Subject::Stays,
            state,
            "reads messages, or has none left to read".to_owned(),
            format!("{}, {}", messages(state), lag(state)),
            read > 0 || state.now.lag == Some(0),
        )
    });
    bars.push(bar(
        Subject::Stays,
        state,
        format!("at most {MOST_WAITING} files of its Distributed tables wait on a host, none is broken"),
        format!("{} wait, {} broken", state.most_waiting, state.now.broken),
        state.most_waiting <= MOST_WAITING && state.now.broken == 0,
    ));
    bars
}

/// What shows that a leg has nothing left to read.
#[must_use]
pub fn drained(state: &LegState) -> Vec<Bar> {
    let mut bars = active(Subject::Goes, state);
    let quiet = state.read == Some(0) && state.window >= QUIET_FOR;
    bars.push(bar(
        Subject::Goes,
        state,
        format!("its lag is 0; where no server tells it, it reads nothing for {} s", QUIET_FOR / 1000),
        format!("{}, {}", lag(state), messages(state)),
        state.read == Some(0) && (state.now.lag == Some(0) || (state.now.lag.is_none() && quiet)),
    ));
    for bar in &mut bars {
        bar.permission = Some("lag");
    }
    bars
}

/// What is wrong with a leg by itself, whatever others do.
#[must_use]
pub fn well(state: &LegState) -> Vec<Bar> {
    active(Subject::Stays, state)
}

fn active(of: Subject, state: &LegState) -> Vec<Bar> {
    let there = state.hosts - state.silent.len() - state.without.len();
    let now = &state.now;
    let mut stopped = format!("{} of {} consumers poll, {} partitions", now.polling, state.wanted, now.partitions);
    if there < state.hosts {
        stopped = format!("it is on {there} of {} hosts; {stopped}", state.hosts);
    }
    let complaint = now.complaint.as_ref().map(|said| format!(": {said}")).unwrap_or_default();
    vec![
        bar(
            of,
            state,
            format!(
                "all {} consumers on {} hosts have polled within {POLLED_WITHIN} s, and have partitions",
                state.wanted, state.hosts
            ),
            stopped,
            there == state.hosts && now.polling >= state.wanted && now.partitions > 0 && state.hosts > 0,
        ),
        bar(
            of,
            state,
            "no errors meanwhile, and what is read is written on".to_owned(),
            format!("{} errors{complaint}; {} consumers stuck", now.errors, now.stuck),
            now.errors == 0 && now.stuck == 0,
        ),
    ]
}

fn bar(of: Subject, state: &LegState, wanted: String, found: String, met: bool) -> Bar {
    Bar { of, table: state.table.clone(), wanted, found, met, permission: None }
}

fn lag(state: &LegState) -> String {
    state.now.lag.map_or_else(|| "lag not told".to_owned(), |lag| format!("lag {lag}"))
}

fn messages(state: &LegState) -> String {
    let seconds = state.window / 1000;
    match state.read {
        Some(read) => format!("{read} messages read in {seconds} s"),
        None => "its counters began anew".to_owned(),
    }
}

/// How much the quietest leg of a topic reads of what the busiest one reads, in percent.
#[must_use]
pub fn parity(states: &[LegState]) -> Option<u64> {
    let read: Vec<u64> = states.iter().map(LegState::per_minute).collect::<Option<_>>()?;
    let (least, most) = (read.iter().min()?, read.iter().max()?);
    (read.len() > 1 && *most > 0).then(|| least * 100 / most)
}
