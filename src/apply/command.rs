//! One command of the operator's on many hosts: all at once, or in the waves of a restart (edge).
//!
//! A command that takes servers away asks before each host what a restart asks: that the host is as it was seen, and that
//! those who stand in for it serve.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::Instant;

use super::discreet::Discreet;
use super::{Run, gate, lock, precondition};
use crate::event::{Failure, chain};
use crate::fleet::HostName;
use crate::observe::{Open, ask_clickhouse, ask_keeper};
use crate::plan::{Gate, HostPlan, Plan, Step};
use crate::remote::{Batch, Command, Output};
use crate::resource::{ClickHouseFacts, KeeperFacts};

/// How often servers are asked whether they serve again.
const PAUSE: Duration = Duration::from_secs(1);

/// What is run, and on whom.
pub struct CommandRun<'a> {
    /// The program and its arguments; no shell sees them.
    pub argv: &'a [String],
    /// Who goes when.
    pub order: Order<'a>,
    /// Connections to them.
    pub open: &'a BTreeMap<HostName, Open>,
    /// How many hosts run it at a time.
    pub at_once: usize,
}

/// Who goes when.
#[derive(Clone, Copy)]
pub enum Order<'a> {
    /// All of them: the command takes nothing away.
    Together(&'a BTreeSet<HostName>),
    /// As the plan of a restart has it: its hosts are locked, and each waits for its peers before and for itself behind.
    AsRestarted(&'a Plan, &'a Run<'a>),
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Ran {
    /// Each host's answer, or why there is none.
    pub answers: BTreeMap<HostName, Result<Output, String>>,
    /// Hosts on which it was not run, because an earlier one failed.
    pub left: BTreeSet<HostName>,
    /// Why it was not run on them.
    pub stopped: Option<String>,
}

impl Ran {
    /// Whether every host ran it and it exited with 0 there.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.stopped.is_none() && !self.answers.is_empty() && self.failed().next().is_none()
    }

    /// Where it failed, or could not be run.
    pub fn failed(&self) -> impl Iterator<Item = &HostName> {
        let bad = |answer: &Result<Output, String>| !answer.as_ref().is_ok_and(Output::succeeded);
        self.answers.iter().filter(move |(_, answer)| bad(answer)).map(|(host, _)| host)
    }
}

/// Runs it on every host, or until the first failure where servers must serve again.
pub async fn run_command(command: &CommandRun<'_>) -> Ran {
    match command.order {
        Order::Together(hosts) => {
            let answers = futures_util::stream::iter(hosts)
                .map(|host| async move { (host.clone(), told(host, command).await) })
                .buffer_unordered(command.at_once.max(1));
            Ran { answers: answers.collect().await, ..Ran::default() }
        }
        Order::AsRestarted(plan, run) => {
            let files = run.desired.values().flat_map(|desired| desired.files.values());
            let secrets = files.flat_map(|file| file.content.values()).map(|(_, value)| value);
            let discreet = Discreet::new(secrets, run.sink);
            in_turn(plan, command, &Run { sink: &discreet, ..*run }, &discreet).await
        }
    }
}

async fn in_turn(plan: &Plan, command: &CommandRun<'_>, run: &Run<'_>, discreet: &Discreet<'_>) -> Ran {
    let mut ran = Ran::default();
    let _locks = match lock::take(plan, run).await {
        Ok(locks) => locks,
        Err((host, failure)) => {
            ran.stopped = Some(format!("`{host}` cannot be locked: {}", discreet.failure(failure).reason));
            ran.left = plan.changed_hosts().into_iter().cloned().collect();
            return ran;
        }
    };
    for wave in &plan.waves {
        if ran.stopped.is_some() {
            ran.left.extend(wave.hosts.iter().map(|host| host.host.clone()));
            continue;
        }
        let answers: Vec<_> = futures_util::stream::iter(&wave.hosts)
            .map(|host| async move {
                let answer = turn(host, command, run).await;
                (host.host.clone(), answer.map_err(|failure| discreet.failure(failure).reason))
            })
            .buffer_unordered(command.at_once.max(1))
            .collect()
            .await;
        let failed = answers.iter().find(|(_, answer)| !answer.as_ref().is_ok_and(Output::succeeded));
        ran.stopped = failed.map(|(host, answer)| match answer {
            Ok(_) => format!("the command failed on `{host}`"),
            Err(why) => format!("`{host}`: {why}"),
        });
        ran.answers.extend(answers);
    }
    ran
}

/// One host: as it was seen, its peers serve, the command, and it serves again.
async fn turn(plan: &HostPlan, command: &CommandRun<'_>, run: &Run<'_>) -> Result<Output, Failure> {
    let host = &plan.host;
    precondition::check(plan, run).await?;
    let failure = |reason: String| Failure {
        step: "run the command".to_owned(),
        reason,
        hint: None,
        changed: false,
        stops_run: true,
        owes: Vec::new(),
        given_back: None,
    };
    for gate in plan.steps.iter().filter_map(of_peers) {
        gate::wait(host, gate, run).await.map_err(|(reason, _)| failure(format!("{gate}: {reason}")))?;
    }
    let output = told(host, command).await.map_err(failure)?;
    if output.succeeded() {
        let open = run.open.get(host).ok_or_else(|| failure("no connection to it".to_owned()))?;
        serving(open, run.gate_timeout).await.map_err(failure)?;
    }
    Ok(output)
}

/// What a restart asks of those who stand in for a host.
fn of_peers(step: &Step) -> Option<&Gate> {
    match step {
        Step::Gate(gate @ (Gate::PeersServing { .. } | Gate::QuorumServing { .. })) => Some(gate),
        _ => None,
    }
}

/// Runs it on one host.
async fn told(host: &HostName, command: &CommandRun<'_>) -> Result<Output, String> {
    let open = command.open.get(host).ok_or("no connection to it")?;
    let batch = Batch { commands: vec![Command::Run { argv: command.argv.to_vec() }] };
    let outputs = open.session.run(&batch).await.map_err(|error| chain(&error))?;
    outputs.into_iter().next().ok_or_else(|| "the host gave no answer".to_owned())
}

/// Waits until the host's server, where it has one, takes writes again.
async fn serving(open: &Open, patience: Duration) -> Result<(), String> {
    let started = Instant::now();
    loop {
        let because = match look(open).await {
            Ok(()) => return Ok(()),
            Err(because) => because,
        };
        if started.elapsed() >= patience {
            return Err(format!("it does not serve {} s after the command: {because}", patience.as_secs()));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn look(open: &Open) -> Result<(), String> {
    if let Some(clickhouse) = &open.clickhouse {
        match ask_clickhouse(&**clickhouse).await {
            ClickHouseFacts::Up { server, .. } => server.serves()?,
            ClickHouseFacts::Down { reason } => return Err(reason),
            ClickHouseFacts::NotAsked => {}
        }
    }
    if let Some(port) = open.keeper_port {
        match ask_keeper(&*open.session, port).await {
            KeeperFacts::Down { reason } => return Err(reason),
            KeeperFacts::Up { .. } | KeeperFacts::NotAsked => {}
        }
    }
    Ok(())
}
