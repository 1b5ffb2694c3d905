//! `housewright run`: one command on hosts (edge).

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::context::{Context, Peers, block_on};
use super::error::{Answer, CommandError, Exit};
use super::output::{self, Events};
use super::plan::Planning;
use super::restart::named;
use super::{Form, Global};
use crate::apply::{CommandRun, Order, Run, ThisMachine, run_command};
use crate::observe::Afterwards;
use crate::plan::{Plan, plan};
use crate::report;
use crate::resource::HostObservation;

/// Options of `run`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Every host of the inventory; without it, `--limit` must name them
    #[arg(long)]
    all: bool,
    /// The command takes servers away: go in the waves of a restart, and wait until each server serves again
    #[arg(long)]
    disruptive: bool,
    /// Give the command to `sh -c` as one line
    #[arg(long)]
    shell: bool,
    /// How long a server may take to serve again, in seconds
    #[arg(long, default_value_t = 120, value_name = "SECONDS", requires = "disruptive")]
    gate_timeout: u64,
    #[command(flatten)]
    planning: Planning,
    /// The program and its arguments, behind `--`; never a secret: everybody on the host can read it
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    named(global, options.all, "asked to run it")?;
    let context = if options.disruptive { Context::load(global)? } else { Context::without_files(global)? };
    if context.hosts.is_empty() {
        return Err(CommandError::plain("there is no host to run it on"));
    }
    options.planning.rollout.check(|host| context.hosts.contains(host))?;
    let argv = if options.shell {
        vec!["sh".to_owned(), "-c".to_owned(), options.command.join(" ")]
    } else {
        options.command.clone()
    };
    let sink = output::sink(global, Events::AreProgress);
    let peers = if options.disruptive { Peers::Too } else { Peers::Not };
    block_on(async {
        let observed = context.observe(global, peers, Afterwards::KeepWhere(&|_, _| true), &*sink).await;
        let planning = Planning { restart: Some(BTreeSet::new()), ..options.planning.over(&context.project.fleet) };
        let budget = planning.rollout.budget();
        let restart =
            if options.disruptive { plan(&planning.inputs(&context, &observed, &budget)) } else { Plan::default() };
        let stop = AtomicBool::new(false);
        let run = Run {
            desired: &context.desired,
            found: &observed.observation,
            here: &ThisMachine,
            open: &observed.open,
            at_once: global.forks,
            gate_timeout: Duration::from_secs(options.gate_timeout),
            stop: &stop,
            sink: &*sink,
        };
        let answered = context.hosts.iter().filter(|host| observed.open.contains_key(*host)).cloned().collect();
        let order = if options.disruptive { Order::AsRestarted(&restart, &run) } else { Order::Together(&answered) };
        let command = CommandRun { argv: &argv, order, open: &observed.open, at_once: global.forks };
        let mut ran = run_command(&command).await;
        let holds = &restart.holds;
        for (host, found) in &observed.observation.hosts {
            if let (true, HostObservation::Unreachable { reason, .. }) = (context.hosts.contains(host), found) {
                ran.answers.insert(host.clone(), Err(reason.clone()));
            }
        }
        for open in observed.open.values() {
            open.session.close().await;
        }
        match global.output {
            Form::Text => output::result(&report::ran(&ran, holds)),
            form => output::data(form, &report::ran_data(&ran, holds)),
        }
        Ok(match (&ran.stopped, ran.succeeded() && holds.is_empty()) {
            (Some(_), _) => Exit::Stopped,
            (None, true) => Exit::Success,
            (None, false) if holds.is_empty() && ran.failed().all(|host| !observed.open.contains_key(host)) => {
                Exit::Unreachable
            }
            (None, false) => Exit::Partial,
        })
    })?
}
