//! `housewright apply`: does what the plan says, after a yes (edge).

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::context::{Context, Peers, block_on};
use super::error::{Answer, CommandError, Exit};
use super::interrupt::{Signals, UnderWay};
use super::output::{self, Events};
use super::plan::Planning;
use super::{Form, Global, saved};
use crate::apply::{Outcome, Run, Stopped, run as run_plan};
use crate::event::Sink;
use crate::fleet::Host;
use crate::observe::{Afterwards, Observed};
use crate::plan::{Plan, SavedPlan, plan};
use crate::report;
use crate::resource::HostFacts;

/// Options of `apply`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Options {
    /// A plan that was saved with `plan --out`; hosts that have moved since are refused
    ///
    /// `--limit`, `--allow`, `--only` and what says how the run goes through the fleet are those that it was made with.
    plan: Option<PathBuf>,
    /// Approve the plan without being asked
    #[arg(short, long)]
    yes: bool,
    /// How long a gate may stay shut, in seconds
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    gate_timeout: u64,
    #[command(flatten)]
    pub planning: Planning,
}

/// Set by the first Ctrl-C; the run stops at the next safe point.
static STOP: AtomicBool = AtomicBool::new(false);

/// How a run ended.
enum Ended {
    /// By itself, or at a safe point.
    Run(Outcome),
    /// At once, in the middle of what these hosts were doing.
    AtOnce(Value),
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    if global.output == Form::Yaml {
        return Err(CommandError::hinted("`apply` has no YAML form", "events come a line each: `-o json`"));
    }
    if global.output == Form::Json && !options.yes && options.plan.is_none() {
        return Err(CommandError::hinted(
            "`apply -o json` asks no question",
            "approve what comes with `--yes`, or name a plan that was saved with `plan --out`",
        ));
    }
    match &options.plan {
        None => with(global, options, None),
        Some(path) => {
            let saved = saved::read(path)?;
            let (global, options) = saved::options(global, options, &saved)?;
            with(&global, &options, Some(&saved))
        }
    }
}

fn with(global: &Global, options: &Options, saved: Option<&SavedPlan>) -> Answer {
    let context = Context::load(global)?;
    options.planning.rollout.check(|host| context.hosts.contains(host))?;
    block_on(async {
        let watched = output::sink(global, Events::AreProgress);
        let keep = |host: &Host, facts: &HostFacts| context.may_come_back(host, facts);
        let observed = context.observe(global, Peers::Too, Afterwards::KeepWhere(&keep), &*watched).await;
        let budget = options.planning.rollout.budget();
        let inputs = options.planning.inputs(&context, &observed, &budget);
        let mut plan = plan(&inputs);
        if let Some(saved) = saved {
            plan = saved::verified(saved, plan, (global, &inputs))?;
        }
        match global.output {
            Form::Text => output::result(&report::plan(&plan, options.planning.diff)),
            Form::Json | Form::Yaml => output::line(&json!({ "event": "planned", "plan": plan })),
        }
        let ended = if plan.is_empty() {
            Ended::Run(Outcome::default())
        } else if options.yes || saved.is_some() || asked().await? {
            let sink = match global.output {
                Form::Text => watched,
                Form::Json | Form::Yaml => output::sink(global, Events::AreTheResult),
            };
            context.relay.tell(Arc::clone(&sink));
            approved(&plan, &context, &observed, (global, options), &*sink).await
        } else {
            output::say("nothing was done");
            return Ok(Exit::Success);
        };
        let exit = exit(&plan, &ended);
        if let Ended::Run(_) = &ended {
            for open in observed.open.values() {
                open.session.close().await;
            }
        }
        finish(global, &plan, &ended, exit);
        Ok(exit)
    })?
}

/// Tells the outcome.
fn finish(global: &Global, plan: &Plan, ended: &Ended, exit: Exit) {
    match (global.output, ended) {
        (Form::Text, Ended::Run(outcome)) if !plan.is_empty() => {
            output::result(&format!("\n{}", report::recap(plan, outcome)));
        }
        (Form::Text, _) => {}
        (Form::Json | Form::Yaml, Ended::Run(outcome)) => output::line(&json!({
            "event": "run-finished",
            "finished": outcome.finished,
            "failed": outcome.failed,
            "left": outcome.left,
            "unreachable": plan.unreachable.keys().collect::<Vec<_>>(),
            "stopped": outcome.stopped.as_ref().map(|stopped| match stopped {
                Stopped::Failure => "failure",
                Stopped::Interrupted => "interrupted",
            }),
            "exit": exit.code(),
        })),
        (Form::Json | Form::Yaml, Ended::AtOnce(hosts)) => output::line(&json!({
            "event": "run-finished", "stopped": "at-once", "under-way": hosts, "exit": exit.code(),
        })),
    }
}

/// Asks beside the runtime, so that connections are kept alive while the operator reads.
async fn asked() -> Result<bool, CommandError> {
    tokio::task::spawn_blocking(|| output::confirm("Do it?"))
        .await
        .map_err(|error| CommandError::plain(format!("cannot ask: {error}")))?
}

async fn approved(
    plan: &Plan,
    context: &Context,
    observed: &Observed,
    (global, options): (&Global, &Options),
    sink: &dyn Sink,
) -> Ended {
    let sink = UnderWay::new(sink);
    let run = Run {
        desired: &context.desired,
        found: &observed.observation,
        open: &observed.open,
        at_once: global.forks,
        gate_timeout: Duration::from_secs(options.gate_timeout),
        stop: &STOP,
        sink: &sink,
    };
    let approved = plan.clone().approve();
    let mut signals = Signals::listen();
    tokio::select! {
        outcome = run_plan(&approved, &run) => Ended::Run(outcome),
        () = told_twice(&mut signals) => {
            let hosts = sink.hosts();
            let named: Vec<String> = hosts.iter().map(|(host, step)| format!("{host} ({step})")).collect();
            let named = if named.is_empty() { "no host".to_owned() } else { named.join(", ") };
            output::say(&format!("stopped at once; under way: {named}"));
            output::say("what they have by now is read anew by `housewright plan`");
            Ended::AtOnce(json!(hosts))
        }
    }
}

/// Comes to its end with the second signal.
async fn told_twice(signals: &mut Signals) {
    signals.next().await;
    STOP.store(true, Ordering::Relaxed);
    output::say("stopping at the next safe point; what has begun is finished first (once more: stop at once)");
    signals.next().await;
}

fn exit(plan: &Plan, ended: &Ended) -> Exit {
    let Ended::Run(outcome) = ended else { return Exit::Interrupted };
    match outcome.stopped {
        Some(Stopped::Failure) => Exit::Stopped,
        Some(Stopped::Interrupted) => Exit::Interrupted,
        None if outcome.failed.is_empty() && plan.unreachable.is_empty() && plan.holds.is_empty() => Exit::Success,
        None => Exit::Partial,
    }
}
