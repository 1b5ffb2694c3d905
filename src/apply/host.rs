//! One host's way through its steps, and the way back where they fail (edge).
//!
//! Neighbours that one remote process can do go in one batch. What a step means is the plan's; here is only how far a
//! host has come.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::batch::{self, StepError};
use super::statement::execute;
use super::{Run, gate, hook, once, precondition, queue, restore, work};
use crate::clickhouse::{ClickHouse, Errand, Statement};
use crate::event::{Event, Failure, GivenBack, chain};
use crate::fleet::HostName;
use crate::plan::{FailurePolicy, Gate, HostPlan, Step};
use crate::remote::{UnitAction, UnitName};
use crate::resource::{Complaints, Owed, SERVER_LOG};

/// How far a host has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Something on it may be another than before.
    pub changed: bool,
    /// A server was told to read its files, or may have been.
    pub told: bool,
    /// Units that were started anew.
    pub restarted: Vec<UnitName>,
    /// The time before a restart, by the server's own clock.
    pub noted: Option<String>,
    /// What the host owes by now.
    pub owed: BTreeSet<Owed>,
    /// What became of files that were given back.
    pub restored: restore::Restored,
}

impl Progress {
    /// Notes a step that was begun and may have been done.
    pub(super) fn note(&mut self, step: &Step) {
        match step {
            Step::Gate(_) | Step::Unless { .. } | Step::Where { .. } => return,
            Step::Unit { unit, action } => {
                self.told |= *action != UnitAction::Enable;
                if *action == UnitAction::Restart && !self.restarted.contains(unit) {
                    self.restarted.push(unit.clone());
                }
            }
            Step::ReloadConfig => self.told = true,
            Step::Write { owes, .. } | Step::Restore { owes, .. } => self.owed.extend(owes.iter().cloned()),
            Step::Settle { owed } => self.owed.retain(|one| !owed.contains(one)),
            Step::NoteTime | Step::AwaitQueries { .. } => return,
            Step::DaemonReload
            | Step::Execute { .. }
            | Step::Once { .. }
            | Step::Detach { .. }
            | Step::Attach { .. }
            | Step::Hook { .. }
            | Step::Work(_)
            | Step::StopMerges
            | Step::StartMerges => {}
        }
        self.changed = true;
    }
}

/// Runs all steps of a host; `failed` hears of a failure that stops the run before the way back is gone.
pub(super) async fn run(plan: &HostPlan, run: &Run<'_>, failed: &AtomicUsize) -> Result<(), Failure> {
    if let Err(failure) = precondition::check(plan, run).await {
        failed.fetch_add(usize::from(failure.stops_run), Ordering::Relaxed);
        return Err(failure);
    }
    let mut progress = Progress::default();
    let Err(error) = go(plan, &plan.steps, run, &mut progress).await else { return Ok(()) };
    // A gate that stays shut says that somebody serves less than before, also where we changed nothing yet.
    let stops_run = (progress.changed || error.at_gate) && plan.on_failure == FailurePolicy::StopRun;
    failed.fetch_add(usize::from(stops_run), Ordering::Relaxed);
    let given_back = way_back(plan, &error, &mut progress, run).await;
    let StepError { step, reason, hint, .. } = error;
    let owes = progress.owed.iter().map(ToString::to_string).collect();
    Err(Failure { step, reason, hint, changed: progress.changed, stops_run, owes, given_back })
}

/// Goes the way back that the plan has for a host that has come so far.
async fn way_back(plan: &HostPlan, error: &StepError, progress: &mut Progress, run: &Run<'_>) -> Option<GivenBack> {
    let steps = plan.fallback.after(error.at_last, progress.told);
    let always = &plan.fallback.always;
    if !progress.changed || (steps.is_empty() && always.is_empty()) {
        return None;
    }
    let (host, step, reason) = (plan.host.clone(), error.step.clone(), error.reason.clone());
    run.sink.emit(Event::FallbackStarted { host, step, reason });
    progress.restarted.clear();
    let done = go(plan, steps, run, progress).await;
    let last = go(plan, always, run, progress).await;
    let failed = done.and(last).err().map(|error| (error.step, error.reason));
    let well = |step: &Step| matches!(step, Step::Gate(Gate::Serving | Gate::KeeperServing));
    let serves = failed.is_none() && steps.iter().any(well);
    let out_of_traffic = progress.owed.contains(&Owed::Traffic);
    let Progress { restarted, restored, .. } = progress;
    let restore::Restored { files, left } = std::mem::take(restored);
    Some(GivenBack { files, left, restarted: std::mem::take(restarted), serves, failed, out_of_traffic })
}

/// Goes through steps until one fails.
async fn go(plan: &HostPlan, steps: &[Step], run: &Run<'_>, progress: &mut Progress) -> Result<(), StepError> {
    let mut rest = steps;
    while let Some(first) = rest.first() {
        let count = together(rest);
        let (now, later) = rest.split_at(count);
        match first {
            _ if batch::takes(first) => batch::run(plan, now, run, progress).await?,
            Step::Unless { gate, steps } => unless(plan, gate, steps, run, progress).await?,
            Step::Where { gates, steps } => where_open(plan, gates, steps, run, progress).await?,
            Step::Restore { directories, files, record, owes } => {
                progress.note(first);
                run.sink.emit(Event::StepStarted { host: plan.host.clone(), step: first.to_string() });
                let what = restore::What { directories, files, record: record.as_deref(), owes };
                progress.restored = restore::give_back(&plan.host, &what, run)
                    .await
                    .map_err(|(reason, hint)| StepError::new(first, reason, hint))?;
                run.sink.emit(Event::StepFinished { host: plan.host.clone(), step: first.to_string() });
            }
            _ => single(plan, first, run, progress).await?,
        }
        rest = later;
    }
    Ok(())
}

/// How many of the next steps are one batch, which can carry one write.
fn together(steps: &[Step]) -> usize {
    let mut writes = 0;
    let fits = |step: &&Step| {
        writes += usize::from(matches!(step, Step::Write { .. }));
        batch::takes(step) && writes <= 1
    };
    steps.iter().take_while(fits).count().max(1)
}

/// Does the steps where all gates are open now.
async fn where_open(
    plan: &HostPlan,
    gates: &[Gate],
    steps: &[Step],
    run: &Run<'_>,
    progress: &mut Progress,
) -> Result<(), StepError> {
    for gate in gates {
        if let Err(because) = gate::look(&plan.host, gate, run).await {
            let gate = gate.to_string();
            run.sink.emit(Event::GateWaiting { host: plan.host.clone(), gate, because });
            return Ok(());
        }
    }
    Box::pin(go(plan, steps, run, progress)).await
}

/// Does the steps where the gate is shut now.
async fn unless(
    plan: &HostPlan,
    gate: &Gate,
    steps: &[Step],
    run: &Run<'_>,
    progress: &mut Progress,
) -> Result<(), StepError> {
    match gate::look(&plan.host, gate, run).await {
        Ok(()) => Ok(()),
        Err(_) => Box::pin(go(plan, steps, run, progress)).await,
    }
}

/// Runs a step that speaks to a server.
async fn single(plan: &HostPlan, step: &Step, run: &Run<'_>, progress: &mut Progress) -> Result<(), StepError> {
    run.sink.emit(Event::StepStarted { host: plan.host.clone(), step: step.to_string() });
    progress.note(step);
    let result = match step {
        Step::ReloadConfig => reload(plan, step, run).await,
        Step::StopMerges => execute(plan, step, &Statement::new("SYSTEM STOP MERGES"), run).await,
        Step::StartMerges => execute(plan, step, &Statement::new("SYSTEM START MERGES"), run).await,
        Step::AwaitQueries { limit } => gate::queries(&plan.host, step, *limit, run).await,
        Step::Execute { statement, .. } => execute(plan, step, statement, run).await,
        Step::Once { statement, query_id, limit, .. } => {
            once::run(&plan.host, step, &Errand { statement, query_id, limit: *limit }, run).await
        }
        Step::Detach { tables, how, limit } => queue::detach(&plan.host, tables, *how, *limit, run).await,
        Step::Attach { tables } => queue::attach(&plan.host, tables, run).await,
        Step::NoteTime => {
            progress.noted = gate::time(&plan.host, "now", run).await.ok();
            Ok(())
        }
        Step::Gate(Gate::Quiet { log }) => gate::quiet(&plan.host, log, progress.noted.as_deref(), run).await,
        Step::Gate(gate) => gate::wait(&plan.host, gate, run).await,
        Step::Work(work) => work::run(&plan.host, work, run).await,
        Step::Hook { hook, .. } => hook::run(&plan.host, hook, run).await,
        Step::Write { .. } | Step::DaemonReload | Step::Unit { .. } | Step::Settle { .. } => Ok(()),
        Step::Restore { .. } | Step::Unless { .. } | Step::Where { .. } => Ok(()),
    };
    result.map_err(|(reason, hint)| StepError::new(step, reason, hint))?;
    run.sink.emit(Event::StepFinished { host: plan.host.clone(), step: step.to_string() });
    Ok(())
}

/// Reloads, and tells what the server complains of although it answers well.
async fn reload(plan: &HostPlan, step: &Step, run: &Run<'_>) -> Result<(), (String, Option<String>)> {
    let before = complaints(plan, run).await?;
    execute(plan, step, &Statement::new("SYSTEM RELOAD CONFIG"), run).await?;
    match complaints(plan, run).await?.since(&before) {
        None => Ok(()),
        Some(said) => Err((
            format!("the server answered that all is well, and complained: {said}"),
            Some(format!("it keeps what it had of that; `sudo tail -n 50 {SERVER_LOG}` on `{}`", plan.host)),
        )),
    }
}

async fn complaints(plan: &HostPlan, run: &Run<'_>) -> Result<Complaints, (String, Option<String>)> {
    let rows = gate::rows(&plan.host, &Complaints::statement(), run).await.map_err(|because| (because, None))?;
    Complaints::parse(&rows).map_err(|error| (chain(&error), None))
}

/// The ClickHouse of a host, over its open connection.
pub(super) fn clickhouse(host: &HostName, run: &Run<'_>) -> Option<Arc<dyn ClickHouse>> {
    run.open.get(host)?.clickhouse.clone()
}
