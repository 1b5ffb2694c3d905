//! `housewright apply`: does what the plan says, after a yes (edge).

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::context::{Context, Peers, block_on};
use super::error::{Answer, CommandError, Exit};
use super::output::{self, Events};
use super::plan::Planning;
use super::{Form, Global};
use crate::apply::{Outcome, Run, Stopped, run as run_plan};
use crate::event::Sink;
use crate::observe::Afterwards;
use crate::plan::{Plan, SavedPlan};
use crate::report;

/// Options of `apply`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// A plan that was saved with `plan --out`; refused when anything has changed since
    plan: Option<PathBuf>,
    /// Approve the plan without being asked
    #[arg(short, long)]
    yes: bool,
    /// How long a gate may stay shut, in seconds
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    gate_timeout: u64,
    #[command(flatten)]
    planning: Planning,
}

/// Set by Ctrl-C; the run stops at the next safe point.
static STOP: AtomicBool = AtomicBool::new(false);

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    let context = Context::load(global)?;
    let saved = options.plan.as_ref().map(|path| read(path)).transpose()?;
    let sink = output::sink(global, Events::AreTheResult);
    block_on(async {
        let observed = context.observe(global, Peers::Too, Afterwards::Keep, &*sink).await;
        let plan = options.planning.plan(&context, &observed);
        if let Some(saved) = &saved {
            SavedPlan::new(&plan).check(saved).map_err(|error| {
                CommandError::hinted(
                    format!("the saved plan is not run: {error}"),
                    "look at what it is now: `housewright plan`",
                )
            })?;
        }
        if global.output == Form::Text {
            output::result(&report::plan(&plan, options.planning.diff));
        }
        let outcome = if plan.is_empty() {
            Outcome::default()
        } else if options.yes || saved.is_some() || output::confirm("Do it?")? {
            approved(plan.clone(), &context, &observed, (global, options), &*sink).await
        } else {
            output::say("nothing was done");
            return Ok(Exit::Success);
        };
        for open in observed.open.values() {
            open.session.close().await;
        }
        if global.output == Form::Text && !plan.is_empty() {
            output::result(&format!("\n{}", report::recap(&plan, &outcome)));
        }
        Ok(exit(&plan, &outcome))
    })?
}

async fn approved(
    plan: Plan,
    context: &Context,
    observed: &crate::observe::Observed,
    (global, options): (&Global, &Options),
    sink: &dyn Sink,
) -> Outcome {
    let listener = tokio::spawn(async {
        if tokio::signal::ctrl_c().await.is_ok() {
            STOP.store(true, Ordering::Relaxed);
            output::say("stopping at the next safe point; what has begun is finished first");
        }
    });
    let run = Run {
        desired: &context.desired,
        open: &observed.open,
        at_once: global.forks,
        gate_timeout: Duration::from_secs(options.gate_timeout),
        stop: &STOP,
        sink,
    };
    let outcome = run_plan(&plan.approve(), &run).await;
    listener.abort();
    outcome
}

fn read(path: &PathBuf) -> Result<String, CommandError> {
    std::fs::read_to_string(path)
        .map_err(|error| CommandError::plain(format!("cannot read the plan `{}`: {error}", path.display())))
}

fn exit(plan: &Plan, outcome: &Outcome) -> Exit {
    match outcome.stopped {
        Some(Stopped::Failure) => Exit::Stopped,
        Some(Stopped::Interrupted) => Exit::Interrupted,
        None if outcome.failed.is_empty() && plan.unreachable.is_empty() && plan.holds.is_empty() => Exit::Success,
        None => Exit::Partial,
    }
}
