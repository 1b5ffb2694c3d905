//! One host's way through its steps: neighbours that one remote process can do go in one batch (edge).

use std::sync::Arc;

use super::{Run, gate, precondition, write};
use crate::clickhouse::{ClickHouse, ClickHouseError, Statement};
use crate::event::{Event, Failure, chain};
use crate::fleet::HostName;
use crate::plan::{FailurePolicy, Gate, HostPlan, Step};
use crate::remote::{Batch, Command, Output, Status};
use crate::transport::advice;

/// Why a step failed.
pub(super) struct StepError {
    pub step: String,
    pub reason: String,
    pub hint: Option<String>,
    /// Whether the host may have changed in this step.
    pub changed: bool,
}

/// Runs all steps of a host.
pub(super) async fn run(plan: &HostPlan, run: &Run<'_>) -> Result<(), Failure> {
    precondition::check(plan, run).await?;
    let mut changed = false;
    let mut rest = plan.steps.as_slice();
    while let Some(first) = rest.first() {
        let count = rest.iter().take_while(|step| in_batch(step)).count().max(1);
        let (now, later) = rest.split_at(count);
        let done = if in_batch(first) { batch(plan, now, run).await } else { single(plan, first, run).await };
        if let Err(error) = done {
            let changed = changed || error.changed;
            return Err(Failure {
                step: error.step,
                reason: error.reason,
                hint: error.hint,
                changed,
                // A gate that stays shut says that somebody serves less than before, also where we changed nothing yet.
                stops_run: (changed || matches!(first, Step::Gate(_))) && plan.on_failure == FailurePolicy::StopRun,
            });
        }
        changed |= now.iter().any(|step| !matches!(step, Step::Gate(_)));
        rest = later;
    }
    Ok(())
}

/// Whether a step is part of a remote process.
fn in_batch(step: &Step) -> bool {
    match step {
        Step::Write { .. } | Step::DaemonReload | Step::Unit { .. } | Step::Settle { .. } => true,
        Step::Gate(Gate::UnitsRunning { .. }) => true,
        Step::ReloadConfig | Step::Execute { .. } | Step::Gate(_) => false,
    }
}

/// Runs neighbouring steps as one batch; a write and the units that it concerns are one round trip.
async fn batch(plan: &HostPlan, steps: &[Step], run: &Run<'_>) -> Result<(), StepError> {
    let whole = steps.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let fail = |reason: String, hint, changed| StepError { step: whole.clone(), reason, hint, changed };
    let open = run.open.get(&plan.host).ok_or_else(|| fail("no connection".to_owned(), None, false))?;
    let mut commands = Vec::new();
    for step in steps {
        commands.push(
            command(plan, step, run)
                .ok_or_else(|| fail("the plan asks for a file that is not rendered".to_owned(), None, false))?,
        );
    }
    run.sink.emit(Event::StepStarted { host: plan.host.clone(), step: whole.clone() });
    let outputs = open
        .session
        .run(&Batch { commands })
        .await
        .map_err(|error| fail(chain(&error), advice::session(&error, &plan.host), true))?;
    let mut changed = false;
    for (step, output) in steps.iter().zip(&outputs) {
        if let Err(reason) = judge(step, output) {
            let touched = changed || write::changed(step, output);
            let hint = write::hint(step, output, &plan.host);
            return Err(StepError { step: step.to_string(), reason, hint, changed: touched });
        }
        changed = true;
        run.sink.emit(Event::StepFinished { host: plan.host.clone(), step: step.to_string() });
    }
    Ok(())
}

fn command(plan: &HostPlan, step: &Step, run: &Run<'_>) -> Option<Command> {
    match step {
        Step::Write { directories, files, owes } => {
            write::command(run.desired.get(&plan.host)?, directories, files, owes).map(Command::Write)
        }
        Step::Settle { owed } => Some(write::settle(owed)),
        Step::DaemonReload => Some(Command::DaemonReload),
        Step::Unit { unit, action } => Some(Command::Unit { unit: unit.clone(), action: *action }),
        Step::Gate(Gate::UnitsRunning { units }) => Some(Command::UnitState { units: units.clone() }),
        Step::ReloadConfig | Step::Execute { .. } | Step::Gate(_) => None,
    }
}

/// Says whether a command's answer is what the step promised.
fn judge(step: &Step, output: &Output) -> Result<(), String> {
    match &output.status {
        Status::Exited(0) => {}
        Status::Exited(code) => return Err(format!("{} (exit status {code})", last_lines(output))),
        Status::Signalled(signal) => return Err(format!("ended by signal {signal}: {}", last_lines(output))),
        Status::NotRun => return Err("an earlier step failed".to_owned()),
    }
    if let Step::Gate(Gate::UnitsRunning { units }) = step {
        return gate::units_running(units, &String::from_utf8_lossy(&output.stdout));
    }
    Ok(())
}

/// The end of what a command complained about: enough to act on, not a page.
fn last_lines(output: &Output) -> String {
    const LINES: usize = 6;
    let complaint = output.complaint();
    let lines: Vec<_> = complaint.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let start = lines.len().saturating_sub(LINES);
    let text = lines.get(start..).unwrap_or_default().join("; ");
    if text.is_empty() { "it said nothing".to_owned() } else { text }
}

/// Runs a step that speaks to ClickHouse.
async fn single(plan: &HostPlan, step: &Step, run: &Run<'_>) -> Result<(), StepError> {
    run.sink.emit(Event::StepStarted { host: plan.host.clone(), step: step.to_string() });
    let result = match step {
        Step::ReloadConfig => execute(plan, step, &Statement::new("SYSTEM RELOAD CONFIG"), run).await,
        Step::Execute { statement, .. } => execute(plan, step, statement, run).await,
        Step::Gate(gate) => gate::wait(&plan.host, gate, run).await,
        Step::Write { .. } | Step::DaemonReload | Step::Unit { .. } | Step::Settle { .. } => Ok(()),
    };
    result.map_err(|(reason, hint)| StepError {
        step: step.to_string(),
        reason,
        hint,
        changed: !matches!(step, Step::Gate(_)),
    })?;
    run.sink.emit(Event::StepFinished { host: plan.host.clone(), step: step.to_string() });
    Ok(())
}

async fn execute(
    plan: &HostPlan,
    step: &Step,
    statement: &Statement,
    run: &Run<'_>,
) -> Result<(), (String, Option<String>)> {
    let clickhouse = clickhouse(&plan.host, run).ok_or_else(|| ("no connection".to_owned(), None))?;
    clickhouse.execute(statement).await.map(|_| ()).map_err(|error| {
        let hint = match (step, &error) {
            (Step::Execute { object, .. }, ClickHouseError::Exception { .. }) => {
                format!("mend the statement of `{object}` in its role's `schema/`, then `housewright plan`")
            }
            // SHARD_HAS_NO_CONNECTIONS, measured on 25.8.
            (_, ClickHouseError::Exception { code: 297, .. }) => {
                "the server has forgotten ALL clusters until it reads a good file: mend it at once, then `housewright apply`".to_owned()
            }
            (_, ClickHouseError::Exception { .. }) => {
                "the server keeps its old configuration; mend it, then `housewright plan`".to_owned()
            }
            _ => format!("is the server well? `housewright status --limit {}`", plan.host),
        };
        (chain(&error), Some(hint))
    })
}

/// The ClickHouse of a host, over its open connection.
pub(super) fn clickhouse(host: &HostName, run: &Run<'_>) -> Option<Arc<dyn ClickHouse>> {
    run.open.get(host)?.clickhouse.clone()
}
