//! `housewright balance`: makes the disks of servers even by moving parts (edge).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;
use serde_json::{Value, json};

use super::context::{block_on, transport};
use super::error::{Answer, CommandError, Exit};
use super::interrupt::Signals;
use super::output::{self, Events};
use super::project::Project;
use super::{Form, Global};
use crate::apply::{Balance, BalanceEnd, Balanced, ask_layout, balance};
use crate::balance::{Aim, BalancePlan, Pool, plan};
use crate::clickhouse::{ClickHouse, Endpoint};
use crate::event::{Event, Sink, chain};
use crate::fleet::{Host, HostName};
use crate::report;
use crate::size;
use crate::transport::lasting::{self, Lasting, Patience};
use crate::transport::{Session, advice};

/// The variable that lets a host's parts be moved.
const ENABLED: &str = "clickhouse_disk_balancer_enabled";

/// Options of `balance`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Show what would be moved, and move nothing
    #[arg(long)]
    dry_run: bool,
    /// How far apart the fullest and the emptiest disk of a server may be, in percent of their size; a run that begins goes on
    /// to half of it
    #[arg(long, default_value_t = 10, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=90))]
    target_spread: u8,
    /// How much may be moved on each host in this run
    #[arg(long, default_value = "1TiB", value_name = "SIZE", value_parser = size::bytes)]
    max_bytes: u64,
    /// How much may be moved on each host in a second
    #[arg(long, default_value = "100MB", value_name = "SIZE", value_parser = rate)]
    max_rate: u64,
    /// Approve it without being asked
    #[arg(short, long)]
    yes: bool,
}

fn rate(text: &str) -> Result<u64, String> {
    size::bytes(text).and_then(|rate| if rate == 0 { Err("0 would move nothing".to_owned()) } else { Ok(rate) })
}

/// Set by the first Ctrl-C: no further move is begun.
static STOP: AtomicBool = AtomicBool::new(false);

/// A server that is asked, and what it said.
struct Server {
    session: Arc<dyn Session>,
    clickhouse: Arc<dyn ClickHouse>,
}

/// What all of them said.
#[derive(Default)]
struct Surveyed {
    servers: BTreeMap<HostName, Server>,
    plans: BTreeMap<HostName, BalancePlan>,
    unreachable: BTreeMap<HostName, String>,
    refused: BTreeMap<HostName, String>,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    if global.output != Form::Text && !options.dry_run && !options.yes {
        let hint = "approve it with `--yes`, or look first with `--dry-run`";
        return Err(CommandError::hinted("`balance` as data asks no question", hint));
    }
    let project = Project::load(global)?;
    let (chosen, skipped) = chosen(&project, global)?;
    let endpoints = project.endpoints(&project.passwords_of_servers()?);
    let targets: Vec<(&Host, Endpoint)> =
        chosen.iter().filter_map(|host| Some((*host, endpoints.get(&host.name)?.clone()))).collect();
    if targets.is_empty() {
        return Err(CommandError::plain("none of the chosen hosts runs ClickHouse"));
    }
    project.enter_network()?;
    for host in &skipped {
        output::say(&format!("{host}: left alone: `{ENABLED}` is not true there"));
    }
    let aim = Aim::of_spread(options.target_spread, options.max_bytes);
    let sink = output::sink(global, Events::AreProgress);
    block_on(async {
        let surveyed = survey(&targets, &aim, global.forks, &sink).await;
        let nothing = surveyed.plans.values().all(|plan| plan.moves.is_empty());
        let exit = if options.dry_run || nothing {
            told(global, &surveyed, &skipped, None);
            exit(&surveyed, &BTreeMap::new())
        } else {
            if global.output == Form::Text {
                output::result(&report::balance_plans(&surveyed.plans));
            }
            if options.yes || asked().await? {
                let done = moved(global, &surveyed, (&aim, options.max_rate), &*sink).await;
                told(global, &surveyed, &skipped, Some(&done));
                exit(&surveyed, &done)
            } else {
                output::say("nothing was done");
                Exit::Success
            }
        };
        for server in surveyed.servers.values() {
            server.session.close().await;
        }
        Ok(exit)
    })?
}

/// The hosts that let their parts be moved, and those that do not; none is an error, because it would look like success.
fn chosen<'a>(project: &'a Project, global: &Global) -> Result<(Vec<&'a Host>, BTreeSet<HostName>), CommandError> {
    let hosts = project.chosen(global)?;
    let hosts = hosts.iter().filter_map(|name| project.fleet.hosts.get(name));
    let is_enabled = |host: &&Host| host.vars.get(ENABLED) == Some(&Value::Bool(true));
    let (enabled, others): (Vec<_>, Vec<_>) = hosts.partition(is_enabled);
    if enabled.is_empty() {
        return Err(CommandError::hinted(
            format!("none of the chosen hosts has `{ENABLED}: true`"),
            "set it for the group of the hosts that store; a stateless host has nothing to balance",
        ));
    }
    Ok((enabled, others.into_iter().map(|host| host.name.clone()).collect()))
}

/// Asks all of them, and plans; the connections stay open.
async fn survey(targets: &[(&Host, Endpoint)], aim: &Aim, at_once: usize, sink: &Arc<dyn Sink>) -> Surveyed {
    sink.emit(Event::ObserveStarted { hosts: targets.len() });
    let transport = &Lasting::new(Arc::new(transport(BTreeMap::new(), None)), Arc::clone(sink));
    let answers = futures_util::stream::iter(targets).map(|(host, endpoint)| async move {
        sink.emit(Event::HostConnecting { host: host.name.clone() });
        let session = match lasting::connect(transport, host, Patience::FIRST, &**sink).await {
            Ok(session) => session,
            Err(error) => {
                let (reason, hint) = (chain(&error), advice::connect(&error, host));
                sink.emit(Event::HostUnreachable { host: host.name.clone(), reason: reason.clone(), hint });
                return (&host.name, Err(reason));
            }
        };
        let clickhouse = session.clickhouse(endpoint);
        let layout = ask_layout(&*clickhouse).await.map_err(|error| chain(&error));
        sink.emit(Event::HostObserved { host: host.name.clone() });
        (&host.name, Ok((Server { session, clickhouse }, layout)))
    });
    let answers: Vec<_> = answers.buffer_unordered(at_once.max(1)).collect().await;
    let mut surveyed = Surveyed::default();
    for (name, answer) in answers {
        match answer {
            Ok((server, layout)) => {
                surveyed.servers.insert(name.clone(), server);
                match layout {
                    Ok(layout) => drop(surveyed.plans.insert(name.clone(), plan(&layout, aim))),
                    Err(reason) => drop(surveyed.refused.insert(name.clone(), reason)),
                }
            }
            Err(reason) => drop(surveyed.unreachable.insert(name.clone(), reason)),
        }
    }
    let reached = surveyed.servers.len();
    sink.emit(Event::ObserveFinished { reached, unreachable: targets.len() - reached });
    surveyed
}

/// Asks beside the runtime, so that connections are kept alive while the operator reads.
async fn asked() -> Result<bool, CommandError> {
    tokio::task::spawn_blocking(|| output::confirm("Move them?"))
        .await
        .map_err(|error| CommandError::plain(format!("cannot ask: {error}")))?
}

/// Moves parts on all hosts that have some to move, one at a time on each.
async fn moved(
    global: &Global,
    surveyed: &Surveyed,
    (aim, rate): (&Aim, u64),
    sink: &dyn Sink,
) -> BTreeMap<HostName, Balanced> {
    let run = &Balance { aim: *aim, rate, stop: &STOP, sink };
    let hosts = surveyed.plans.iter().filter(|(_, plan)| !plan.moves.is_empty());
    let servers = hosts.filter_map(|(name, _)| Some((name, surveyed.servers.get(name)?)));
    let work = futures_util::stream::iter(servers)
        .map(|(name, server)| async move {
            let done = balance(name, &*server.clickhouse, run).await;
            sink.emit(Event::HostFinished { host: name.clone() });
            (name.clone(), done)
        })
        .buffer_unordered(global.forks.max(1))
        .collect();
    let mut signals = Signals::listen();
    tokio::select! {
        done = work => done,
        () = told_twice(&mut signals) => {
            output::say("stopped at once; a move under way goes on at its server, and is whole or not at all");
            BTreeMap::new()
        }
    }
}

/// Comes to its end with the second signal.
async fn told_twice(signals: &mut Signals) {
    signals.next().await;
    STOP.store(true, Ordering::Relaxed);
    output::say("stopping behind the moves that are under way (once more: stop at once)");
    signals.next().await;
}

/// Shows what is planned, or what was done.
fn told(
    global: &Global,
    surveyed: &Surveyed,
    skipped: &BTreeSet<HostName>,
    done: Option<&BTreeMap<HostName, Balanced>>,
) {
    if global.output == Form::Text {
        let text = match done {
            None => report::balance_plans(&surveyed.plans),
            Some(done) => format!("\n{}", report::balanced(&surveyed.plans, done)),
        };
        output::result(&text);
        for (host, reason) in &surveyed.refused {
            output::say(&format!("{host}: {reason}"));
        }
        return;
    }
    let host = |(name, plan): (&HostName, &BalancePlan)| {
        let done = done.and_then(|done| done.get(name));
        (name.to_string(), json!({ "planned": plan, "spread": spread(&plan.before), "done": done }))
    };
    let hosts: serde_json::Map<String, Value> = surveyed.plans.iter().map(host).collect();
    let value = json!({
        "hosts": hosts,
        "left-alone": skipped,
        "unreachable": surveyed.unreachable,
        "refused": surveyed.refused,
    });
    output::versioned(global.output, &value);
}

/// The widest spread of a host.
fn spread(pools: &[Pool]) -> u64 {
    pools.iter().map(|pool| pool.spread).max().unwrap_or_default()
}

fn exit(surveyed: &Surveyed, done: &BTreeMap<HostName, Balanced>) -> Exit {
    let ended = |end: fn(&BalanceEnd) -> bool| done.values().any(|done| end(&done.end));
    if STOP.load(Ordering::Relaxed) || ended(|end| *end == BalanceEnd::Interrupted) {
        Exit::Interrupted
    } else if !surveyed.refused.is_empty() || ended(|end| matches!(end, BalanceEnd::Failed(_) | BalanceEnd::Held(_))) {
        Exit::Partial
    } else if !surveyed.unreachable.is_empty() {
        Exit::Unreachable
    } else {
        Exit::Success
    }
}
