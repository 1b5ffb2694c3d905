//! Neighbouring steps as one remote process; an answer that was lost is found again on the host (edge).
//!
//! A step is done again only where the host shows that it was not done, or where twice is as good as once.

use super::host::Progress;
use super::{Run, gate, recover, write};
use crate::event::{Event, chain};
use crate::plan::{Gate, HostPlan, Step};
use crate::remote::{Batch, Command, Output, Status};
use crate::transport::shell::EXPECTATION_FAILED;
use crate::transport::{Session, SessionError, advice};

/// A connection that is lost so often within one batch is no bad luck.
const MOST_LOSSES: u32 = 4;

/// Why a step failed.
pub(super) struct StepError {
    pub step: String,
    pub reason: String,
    pub hint: Option<String>,
    pub at_gate: bool,
    /// What comes last failed: the host is well.
    pub at_last: bool,
}

impl StepError {
    pub(super) fn new(step: &Step, reason: String, hint: Option<String>) -> Self {
        let (at_gate, at_last) = (matches!(step, Step::Gate(_)), step.is_last());
        Self { step: step.to_string(), reason, hint, at_gate, at_last }
    }
}

/// Whether a step is part of a remote process.
pub(super) fn takes(step: &Step) -> bool {
    match step {
        Step::Write { .. } | Step::DaemonReload | Step::Unit { .. } | Step::Settle { .. } => true,
        Step::Gate(Gate::UnitsRunning { .. }) => true,
        Step::Restore { .. } | Step::Unless { .. } | Step::Where { .. } | Step::Hook { .. } | Step::Work(_) => false,
        Step::NoteTime | Step::StopMerges | Step::StartMerges | Step::AwaitQueries { .. } => false,
        Step::ReloadConfig
        | Step::Execute { .. }
        | Step::Once { .. }
        | Step::Detach { .. }
        | Step::Attach { .. }
        | Step::Gate(_) => false,
    }
}

/// Runs neighbouring steps as one batch; a write and the units that it concerns are one round trip.
pub(super) async fn run(
    plan: &HostPlan,
    steps: &[Step],
    run: &Run<'_>,
    progress: &mut Progress,
) -> Result<(), StepError> {
    let whole = |steps: &[Step]| steps.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let fail = |reason: String, hint| StepError { step: whole(steps), reason, hint, at_gate: false, at_last: false };
    let open = run.open.get(&plan.host).ok_or_else(|| fail("no connection".to_owned(), None))?;
    run.sink.emit(Event::StepStarted { host: plan.host.clone(), step: whole(steps) });
    let mut todo = steps.to_vec();
    for losses in 0.. {
        let commands: Option<Vec<_>> = todo.iter().map(|step| command(plan, step, run)).collect();
        let commands =
            commands.ok_or_else(|| fail("the plan asks for a file that is not rendered".to_owned(), None))?;
        let reason = match open.session.run(&Batch { commands }).await {
            Ok(outputs) if losses > 0 && unexpected(&outputs) && losses < MOST_LOSSES => {
                "what was begun went on".to_owned()
            }
            Ok(outputs) => return judge_all(plan, &todo, &outputs, run, progress),
            Err(error) => {
                if may_have_begun(&error) {
                    todo.iter().for_each(|step| progress.note(step));
                }
                match error {
                    SessionError::Lost(reason) if losses < MOST_LOSSES => reason,
                    error => return Err(fail(chain(&error), advice::session(&error, &plan.host))),
                }
            }
        };
        run.sink.emit(Event::AnswerLost { host: plan.host.clone(), step: whole(&todo), reason });
        let rest = recover::rest(plan, &todo, &*open.session, run).await;
        let rest = rest.map_err(|(reason, hint)| fail(reason, hint))?;
        for done in todo.iter().filter(|step| !rest.iter().any(|left| left.to_string() == step.to_string())) {
            run.sink.emit(Event::StepFinished { host: plan.host.clone(), step: done.to_string() });
        }
        if rest.is_empty() {
            break;
        }
        todo = rest;
    }
    Ok(())
}

/// Runs a batch that only reads, again where its answer was lost.
pub(super) async fn read(session: &dyn Session, batch: &Batch) -> Result<Vec<Output>, SessionError> {
    for _ in 0..MOST_LOSSES {
        match session.run(batch).await {
            Err(SessionError::Lost(_)) => {}
            answer => return answer,
        }
    }
    session.run(batch).await
}

/// Whether the host may have begun with a batch of which no answer came.
fn may_have_begun(error: &SessionError) -> bool {
    !matches!(error, SessionError::Ended(_) | SessionError::Unspeakable(_) | SessionError::Sudo(_))
}

/// Whether a write found other files than those that were read: after a loss, its own.
fn unexpected(outputs: &[Output]) -> bool {
    outputs.iter().any(|output| output.status == Status::Exited(EXPECTATION_FAILED))
}

fn judge_all(
    plan: &HostPlan,
    steps: &[Step],
    outputs: &[Output],
    run: &Run<'_>,
    progress: &mut Progress,
) -> Result<(), StepError> {
    for (step, output) in steps.iter().zip(outputs) {
        if let Err(reason) = judge(step, output) {
            if write::changed(step, output) {
                progress.note(step);
            }
            return Err(StepError::new(step, reason, write::hint(step, output, &plan.host)));
        }
        progress.note(step);
        run.sink.emit(Event::StepFinished { host: plan.host.clone(), step: step.to_string() });
    }
    Ok(())
}

fn command(plan: &HostPlan, step: &Step, run: &Run<'_>) -> Option<Command> {
    match step {
        Step::Write { directories, files, removals, record, owes } => {
            let step = write::Write { directories, files, removals, record: record.as_deref(), owes };
            write::command(run.desired.get(&plan.host)?, &step).map(Command::Write)
        }
        Step::Settle { owed } => Some(write::settle(owed)),
        Step::DaemonReload => Some(Command::DaemonReload),
        Step::Unit { unit, action } => Some(Command::Unit { unit: unit.clone(), action: *action }),
        Step::Gate(Gate::UnitsRunning { units }) => Some(Command::UnitState { units: units.clone() }),
        Step::Restore { .. } | Step::Unless { .. } | Step::Where { .. } | Step::Hook { .. } | Step::Work(_) => None,
        Step::NoteTime | Step::StopMerges | Step::StartMerges | Step::AwaitQueries { .. } => None,
        Step::ReloadConfig
        | Step::Execute { .. }
        | Step::Once { .. }
        | Step::Detach { .. }
        | Step::Attach { .. }
        | Step::Gate(_) => None,
    }
}

/// Says whether a command's answer is what the step promised.
fn judge(step: &Step, output: &Output) -> Result<(), String> {
    succeeded(output)?;
    if let Step::Gate(Gate::UnitsRunning { units }) = step {
        return gate::units_running(units, &String::from_utf8_lossy(&output.stdout));
    }
    Ok(())
}

/// Says how a command failed that did not exit with 0.
pub(super) fn succeeded(output: &Output) -> Result<(), String> {
    match &output.status {
        Status::Exited(0) => Ok(()),
        Status::Exited(code) => Err(format!("{} (exit status {code})", last_lines(output))),
        Status::Signalled(signal) => Err(format!("ended by signal {signal}: {}", last_lines(output))),
        Status::NotRun => Err("an earlier step failed".to_owned()),
    }
}

/// The end of what a command complained about: enough to act on, not a page.
fn last_lines(output: &Output) -> String {
    const LINES: usize = 6;
    const LONGEST_LINE: usize = 400;
    let complaint = output.complaint();
    let lines: Vec<_> = complaint.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let start = lines.len().saturating_sub(LINES);
    // ClickHouse writes a stack behind its exception, which hides it.
    let cause = |line: &&&str| line.contains("Exception: ") || line.contains("e.what() = ");
    let told = lines.get(..start).unwrap_or_default().iter().rfind(cause);
    let words = |line: &&str| line.split(", Stack trace (").next().unwrap_or_default().to_owned();
    let told = told.map(|line| words(line).chars().take(LONGEST_LINE).collect::<String>());
    let ends = lines.get(start..).unwrap_or_default().iter().map(|line| (*line).to_owned());
    let stack = |line: &String| line.split_once(". ").is_some_and(|(number, _)| number.parse::<u32>().is_ok());
    let text = told.into_iter().chain(ends.filter(|line| !stack(line))).collect::<Vec<_>>().join("; ");
    if text.is_empty() { "it said nothing".to_owned() } else { text }
}
