//! `housewright apply`: does what the plan says, after a yes (edge).

use std::collections::{BTreeMap, BTreeSet};
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
use super::resume::{self, Both};
use super::{Form, Global, saved};
use crate::apply::{Outcome, Run, Stopped, ThisMachine, run as run_plan};
use crate::event::Sink;
use crate::fleet::{Host, HostName};
use crate::journal::{PastRun, new_run};
use crate::observe::{Afterwards, Observed};
use crate::plan::{Plan, SavedPlan, Step, plan};
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
    pub yes: bool,
    /// Go on with a run that came to no end: with its options, when it is still about the same; the newest one unless named
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = "", conflicts_with = "plan")]
    pub resume: Option<String>,
    /// Where journals of runs are kept; by default in the user's state directory
    #[arg(long, value_name = "DIR", env = "HOUSEWRIGHT_JOURNAL")]
    pub journal: Option<PathBuf>,
    /// How long a gate may stay shut, in seconds
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    gate_timeout: u64,
    #[command(flatten)]
    pub planning: Planning,
}

impl Options {
    /// What an apply without a saved plan is asked for.
    pub(super) fn asking(yes: bool, gate_timeout: u64, planning: Planning) -> Self {
        let journal = std::env::var_os("HOUSEWRIGHT_JOURNAL").map(PathBuf::from);
        Self { plan: None, yes, resume: None, journal, gate_timeout, planning }
    }
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
    if let Some(run) = &options.resume {
        let run = Some(run.as_str()).filter(|run| !run.is_empty());
        let (global, options, past) = resume::options(global, options, run)?;
        return resumed(&global, &options, &past);
    }
    match &options.plan {
        None => with(global, options, None, None),
        Some(path) => {
            let saved = saved::read(path)?;
            let (global, options) = saved::options(global, options, &saved)?;
            with(&global, &options, Some(&saved), None)
        }
    }
}

/// A saved plan is old by now: of it, only the options count.
fn resumed(global: &Global, options: &Options, past: &PastRun) -> Answer {
    match &options.plan {
        None => with(global, options, None, Some(past)),
        Some(path) => {
            let (global, options) = saved::options(global, options, &saved::read(path)?)?;
            with(&global, &options, None, Some(past))
        }
    }
}

fn with(global: &Global, options: &Options, saved: Option<&SavedPlan>, past: Option<&PastRun>) -> Answer {
    let mut context = Context::load(global)?;
    let run = new_run().map_err(|error| CommandError::plain(format!("cannot name the run: {error}")))?;
    context.run = Some(run.clone());
    let digest = resume::digest(&context);
    match past {
        Some(past) => resume::same(past, &digest)?,
        None => resume::mention(global, options),
    }
    let options = &Options { planning: options.planning.over(&context.project.fleet), ..options.clone() };
    options.planning.rollout.check(|host| context.hosts.contains(host))?;
    block_on(async {
        if past.is_some_and(|past| !past.under_way.is_empty()) {
            // A process on a host outlives the program: a plan made in the middle of a restart would refuse its host.
            output::say("what was begun on the hosts has a moment to come to its end");
            tokio::time::sleep(resume::LAST_WORDS).await;
        }
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
            _ => output::line(&json!({ "event": "planned", "plan": plan })),
        }
        let mut journal = None;
        let ended = if plan.is_empty() {
            Ended::Run(Outcome::default())
        } else if options.yes || saved.is_some() || asked().await? {
            let sink = match global.output {
                Form::Text => watched,
                _ => output::sink(global, Events::AreTheResult),
            };
            context.relay.tell(Arc::clone(&sink));
            journal = resume::begin(&plan, (&run, digest), past, (global, options))?;
            output::say(&format!("run {run}"));
            approved(&plan, &context, &observed, (global, options), &Both(&*sink, journal.as_ref())).await
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
        let next = go_on(&plan, &ended, journal.is_some().then_some(run.as_str()), options);
        finish(global, &plan, &ended, (exit, &run, next.as_deref()));
        if let Some(journal) = journal {
            journal.end(exit.code(), &summary(&plan, &ended));
        }
        Ok(exit)
    })?
}

/// Tells the outcome, and the command to go on with.
fn finish(global: &Global, plan: &Plan, ended: &Ended, (exit, run, next): (Exit, &str, Option<&str>)) {
    if global.output == Form::Text {
        if let Ended::Run(outcome) = ended
            && !plan.is_empty()
        {
            output::result(&format!("\n{}", report::recap(plan, outcome)));
        }
        if let Some(next) = next {
            let when = if exit == Exit::Stopped {
                "other files: `housewright plan`; the same again, when the cause is mended"
            } else {
                "to go on"
            };
            output::say(&format!("run {run} is not done; {when}: `{next}`"));
        }
        return;
    }
    let mut line = json!({ "event": "run-finished", "run": run, "exit": exit.code(), "next": next });
    if let (Value::Object(line), Value::Object(more)) = (&mut line, summary(plan, ended)) {
        line.extend(more);
    }
    output::line(&line);
}

/// What is done and what is not, as data.
fn summary(plan: &Plan, ended: &Ended) -> Value {
    match ended {
        Ended::Run(outcome) => json!({
            "finished": outcome.finished,
            "failed": outcome.failed,
            "left": outcome.left,
            "unreachable": plan.unreachable.keys().collect::<Vec<_>>(),
            "stopped": outcome.stopped.as_ref().map(|stopped| match stopped {
                Stopped::Failure => "failure",
                Stopped::Interrupted => "interrupted",
            }),
        }),
        Ended::AtOnce(hosts) => json!({ "stopped": "at-once", "under-way": hosts }),
    }
}

/// The command that goes on, where something is left that this run knows of.
fn go_on(plan: &Plan, ended: &Ended, run: Option<&str>, options: &Options) -> Option<String> {
    let left: BTreeSet<&str> = match ended {
        Ended::Run(outcome) => outcome.failed.keys().chain(&outcome.left).map(HostName::as_str).collect(),
        Ended::AtOnce(hosts) => hosts.as_object().into_iter().flatten().map(|(host, _)| host.as_str()).collect(),
    };
    let at_once = matches!(ended, Ended::AtOnce(_));
    if plan.is_empty() || left.is_empty() && !at_once {
        return None;
    }
    let limit = left.into_iter().collect::<Vec<_>>().join(":");
    Some(match (&options.planning.restart, run) {
        (None, Some(run)) => format!("housewright apply --resume {run}"),
        // A restart has nothing to go on with but hosts; what was under way is brought back first.
        (Some(_), _) if !at_once => format!("housewright restart --limit {limit}"),
        (Some(_), _) if !limit.is_empty() => format!("housewright apply --limit {limit}"),
        (None | Some(_), _) => "housewright apply".to_owned(),
    })
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
        here: &ThisMachine,
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
            let open = open(plan, &hosts);
            for (host, owes) in open.iter().filter(|(_, owes)| !owes.is_empty()) {
                output::say(&format!("`{host}` may owe: {}", owes.join(", ")));
            }
            output::say("what they have by now is read anew by the next run");
            let host = |(host, step): (&HostName, &String)| (host.to_string(), json!({ "step": step, "may-owe": open.get(host) }));
            Ended::AtOnce(hosts.iter().map(host).collect())
        }
    }
}

/// What hosts in the middle of their steps may owe: a marker on each tells the next run.
fn open(plan: &Plan, hosts: &BTreeMap<HostName, String>) -> BTreeMap<HostName, Vec<String>> {
    let owed = |name: &HostName| {
        let plans = plan.waves.iter().flat_map(|wave| &wave.hosts).filter(|host| host.host == *name);
        let owes = plans.flat_map(|host| &host.steps).filter_map(|step| match step {
            Step::Write { owes, .. } => Some(owes),
            _ => None,
        });
        owes.flatten().map(ToString::to_string).collect::<BTreeSet<_>>().into_iter().collect()
    };
    hosts.keys().map(|name| (name.clone(), owed(name))).collect()
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
        None if !(outcome.failed.is_empty() && plan.holds.is_empty()) => Exit::Partial,
        None if !plan.unreachable.is_empty() => Exit::Unreachable,
        None => Exit::Success,
    }
}
