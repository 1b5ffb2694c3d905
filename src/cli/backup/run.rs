//! `housewright backup run`: the hosts' own units, started now (edge).

use std::collections::BTreeSet;

use super::super::context::{Context, Peers, block_on};
use super::super::error::{Answer, CommandError, Exit};
use super::super::output::{self, Events};
use super::super::{Form, Global};
use super::ask::hosts;
use crate::apply::{CommandRun, Order, run_command};
use crate::backup::assign;
use crate::observe::Afterwards;
use crate::report;
use crate::resource::HostObservation;

/// Options of `backup run`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Full ones, which begin new chains; by default only what is new since the last
    #[arg(long)]
    full: bool,
    /// Start them, and do not wait until they have ended
    #[arg(long)]
    no_wait: bool,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    let mut context = Context::without_files(global)?;
    let assignment = assign(&context.project.fleet, &context.project.objects);
    context.hosts = hosts(global, &context.project)?.into_iter().filter(|host| assignment.contains_key(host)).collect();
    if context.hosts.is_empty() {
        return Err(CommandError::plain("none of the chosen hosts has a table to back up: other replicas do it"));
    }
    let kind = if options.full { "full" } else { "incremental" };
    let mut argv = vec!["systemctl".to_owned(), "start".to_owned()];
    argv.extend(options.no_wait.then(|| "--no-block".to_owned()));
    argv.push(format!("housewright-backup-{kind}.service"));
    let sink = output::sink(global, Events::AreProgress);
    block_on(async {
        let observed = context.observe(global, Peers::Not, Afterwards::KeepWhere(&|_, _| true), &*sink).await;
        let answered: BTreeSet<_> =
            context.hosts.iter().filter(|host| observed.open.contains_key(*host)).cloned().collect();
        let order = Order::Together(&answered);
        let command = CommandRun { argv: &argv, order, open: &observed.open, at_once: global.forks };
        let mut ran = run_command(&command).await;
        for (host, found) in &observed.observation.hosts {
            if let (true, HostObservation::Unreachable { reason, .. }) = (context.hosts.contains(host), found) {
                ran.answers.insert(host.clone(), Err(reason.clone()));
            }
        }
        for open in observed.open.values() {
            open.session.close().await;
        }
        match global.output {
            Form::Text => output::result(&report::ran(&ran, &[])),
            form => output::data(form, &report::ran_data(&ran, &[])),
        }
        if !ran.succeeded() {
            output::say("`housewright backup status` tells why; on a host: `journalctl -u 'housewright-backup-*'`");
        }
        Ok(match ran.succeeded() {
            true => Exit::Success,
            false if ran.failed().all(|host| !observed.open.contains_key(host)) => Exit::Unreachable,
            false => Exit::Partial,
        })
    })?
}
