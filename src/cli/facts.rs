//! `housewright facts`: what is on the hosts now (edge).

use super::Global;
use super::context::{Context, Peers, block_on};
use super::error::{Answer, Exit};
use super::output::{self, Events};
use crate::observe::Afterwards;
use crate::report;
use crate::resource::HostObservation;

/// Options of `facts`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {}

pub(super) fn run(global: &Global, _options: &Options) -> Answer {
    let context = Context::load(global)?;
    let sink = output::sink(global, Events::AreProgress);
    let observed = block_on(context.observe(global, Peers::Not, Afterwards::Close, &*sink))?;
    output::data(global.output, &report::facts(&observed.observation));
    let whole = observed.observation.hosts.values().all(|host| matches!(host, HostObservation::Reached(_)));
    Ok(if whole { Exit::Success } else { Exit::Partial })
}
