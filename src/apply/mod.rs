//! Does what an approved plan says: wave after wave, the hosts of a wave in parallel (edge).
//!
//! No decision is made here: steps, their order, and what a failure means are the plan's.

mod adopt;
mod balance;
mod batch;
mod command;
mod discreet;
mod gate;
mod hook;
mod host;
mod lock;
mod once;
mod precondition;
mod queue;
mod recover;
mod restore;
mod statement;
mod there;
mod trial;
mod work;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;

pub use adopt::{Refusal, adopt};
pub use balance::{Balance, BalanceEnd, Balanced, QUERY_ID, ask_layout, balance};
pub use command::{CommandRun, Order, Ran, run_command};
use discreet::Discreet;
pub use hook::{Here, ThisMachine};
pub use trial::{Depth, Tried, Trier};

use crate::event::{Event, Failure, Sink};
use crate::fleet::HostName;
use crate::observe::Open;
use crate::plan::{ApprovedPlan, HostPlan, Plan, Wave};
use crate::render::Desired;
use crate::resource::Observation;

/// All that a run works with.
pub struct Run<'a> {
    /// The contents to write.
    pub desired: &'a BTreeMap<HostName, Desired>,
    /// What was there before: what a host gets back when it fails.
    pub found: &'a Observation,
    /// Open connections, also to peers that are only asked for their health.
    pub open: &'a BTreeMap<HostName, Open>,
    /// The machine that runs this.
    pub here: &'a dyn Here,
    /// How many hosts are worked on at a time.
    pub at_once: usize,
    /// How long a gate may stay shut.
    pub gate_timeout: Duration,
    /// Set from outside to stop at the next safe point: no wave and no host is begun any more.
    pub stop: &'a AtomicBool,
    /// Takes the events.
    pub sink: &'a dyn Sink,
}

/// How a run ended.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Hosts of the plan that went through all of their waves.
    pub finished: BTreeSet<HostName>,
    /// Hosts that failed, with the failure.
    pub failed: BTreeMap<HostName, Failure>,
    /// Hosts that were not begun, or not in all of their waves.
    pub left: BTreeSet<HostName>,
    /// Why the run stopped before its end.
    pub stopped: Option<Stopped>,
}

/// Why a run stopped before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// A host that served before failed.
    Failure,
    /// The operator asked for it.
    Interrupted,
}

/// Runs an approved plan to its end, or to its first failure that stops the run.
pub async fn run(plan: &ApprovedPlan, run: &Run<'_>) -> Outcome {
    let files = run.desired.values().flat_map(|desired| desired.files.values());
    let discreet = Discreet::new(files.flat_map(|file| file.content.values()).map(|(_, value)| value), run.sink);
    let mut outcome = waves(plan.plan(), &Run { sink: &discreet, ..*run }).await;
    let failed = std::mem::take(&mut outcome.failed);
    outcome.failed = failed.into_iter().map(|(host, failure)| (host, discreet.failure(failure))).collect();
    outcome
}

async fn waves(plan: &Plan, run: &Run<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    let mut left: BTreeMap<&HostName, usize> = BTreeMap::new();
    for host in plan.waves.iter().flat_map(|wave| &wave.hosts) {
        *left.entry(&host.host).or_default() += 1;
    }
    let locks = match lock::take(plan, run).await {
        Ok(locks) => locks,
        Err((host, failure)) => {
            run.sink.emit(Event::RunStopped { reason: format!("`{host}` cannot be locked: nothing was changed") });
            outcome.failed.insert(host.clone(), failure);
            outcome.stopped = Some(Stopped::Failure);
            outcome.left = left.into_keys().filter(|name| **name != host).cloned().collect();
            return outcome;
        }
    };
    for (host, failure) in precondition::schema(plan, run).await {
        run.sink.emit(Event::HostFailed { host: host.clone(), failure: failure.clone() });
        outcome.failed.insert(host, failure);
    }
    for (index, wave) in plan.waves.iter().enumerate() {
        if run.stop.load(Ordering::Relaxed) {
            outcome.stopped = Some(Stopped::Interrupted);
            run.sink.emit(Event::RunStopped { reason: "interrupted: no further wave is begun".to_owned() });
            break;
        }
        let place = (index + 1, plan.waves.len());
        let before =
            |host: &HostName| plan.waves.iter().take(index).flat_map(|wave| &wave.hosts).any(|plan| plan.host == *host);
        let lacks = |host: &&HostName| outcome.failed.contains_key(*host) || !before(host);
        if let Some(host) = wave.relies_on.iter().find(lacks) {
            outcome.stopped = Some(Stopped::Failure);
            let reason = format!("`{}` relies on what `{host}` was to have, and has not", wave.title);
            run.sink.emit(Event::RunStopped { reason });
            break;
        }
        for name in run_wave(wave, place, plan.max_failures, run, &mut outcome).await {
            if let Some(count) = left.get_mut(&name) {
                *count -= 1;
            }
        }
        let mut failures = outcome.failed.iter().filter(|(_, failure)| failure.stops_run);
        let count = failures.clone().count();
        if let (Some((host, failure)), true) = (failures.next(), count > plan.max_failures) {
            let reason = match plan.max_failures {
                0 => format!("`{host}` failed in: {}", failure.step),
                most => format!("{count} hosts that served failed, and {most} may"),
            };
            outcome.stopped = Some(Stopped::Failure);
            run.sink.emit(Event::RunStopped { reason });
            break;
        }
    }
    drop(locks);
    for (host, count) in left {
        if outcome.failed.contains_key(host) {
            continue;
        }
        let set = if count == 0 { &mut outcome.finished } else { &mut outcome.left };
        set.insert(host.clone());
    }
    // Hosts of the last wave may not have been begun either.
    if outcome.stopped.is_none() && !outcome.left.is_empty() {
        outcome.stopped = Some(Stopped::Interrupted);
        run.sink.emit(Event::RunStopped { reason: "interrupted: no further host is begun".to_owned() });
    }
    outcome
}

/// Runs one wave; answers with the hosts that went through it.
async fn run_wave(
    wave: &Wave,
    (index, waves): (usize, usize),
    max_failures: usize,
    run: &Run<'_>,
    outcome: &mut Outcome,
) -> Vec<HostName> {
    let hosts: Vec<&HostPlan> = wave.hosts.iter().filter(|host| !outcome.failed.contains_key(&host.host)).collect();
    if hosts.is_empty() {
        return Vec::new();
    }
    let names = hosts.iter().map(|host| host.host.clone()).collect();
    run.sink.emit(Event::WaveStarted { wave: index, waves, title: wave.title.clone(), hosts: names });
    let failed = &AtomicUsize::new(outcome.failed.values().filter(|failure| failure.stops_run).count());
    let mut answers = futures_util::stream::iter(hosts)
        .map(|host| async move {
            if run.stop.load(Ordering::Relaxed) || failed.load(Ordering::Relaxed) > max_failures {
                return None;
            }
            Some((host.host.clone(), host::run(host, run, failed).await))
        })
        .buffer_unordered(run.at_once.max(1));
    let mut finished = Vec::new();
    while let Some(answer) = answers.next().await {
        match answer {
            Some((host, Ok(()))) => {
                run.sink.emit(Event::HostFinished { host: host.clone() });
                finished.push(host);
            }
            Some((host, Err(failure))) => {
                run.sink.emit(Event::HostFailed { host: host.clone(), failure: failure.clone() });
                outcome.failed.insert(host, failure);
            }
            None => {}
        }
    }
    run.sink.emit(Event::WaveFinished { wave: index });
    finished
}
