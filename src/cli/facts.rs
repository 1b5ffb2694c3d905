//! `housewright facts`: what is on the hosts now (edge).

use std::path::PathBuf;

use super::context::{Context, Peers, block_on};
use super::discover::now;
use super::error::{Answer, Exit};
use super::output::{self, Events};
use super::{Global, recorded};
use crate::observe::Afterwards;
use crate::report;
use crate::resource::HostObservation;

/// Options of `facts`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Record all that a plan needs, for `plan --observed FILE`; it holds no secrets
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    let context = Context::load(global)?;
    let sink = output::sink(global, Events::AreProgress);
    let peers = if options.out.is_some() { Peers::Too } else { Peers::Not };
    let asked_at = now();
    let observed = block_on(context.observe(global, peers, Afterwards::Close, &*sink))?;
    match &options.out {
        Some(path) => recorded::write(path, &context, &observed.observation, asked_at)?,
        None => output::data(global.output, &report::facts(&observed.observation)),
    }
    let whole = observed.observation.hosts.values().all(|host| matches!(host, HostObservation::Reached(_)));
    Ok(if whole { Exit::Success } else { Exit::Unreachable })
}
