//! `housewright status`: one line per host (edge).

use super::context::{Context, Peers, block_on};
use super::error::{Answer, Exit};
use super::output::{self, Events};
use super::{Form, Global};
use crate::observe::Afterwards;
use crate::report;
use crate::resource::HostObservation;

/// Options of `status`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {}

pub(super) fn run(global: &Global, _options: &Options) -> Answer {
    let context = Context::load(global)?;
    let sink = output::sink(global, Events::AreProgress);
    let observed = block_on(context.observe(global, Peers::Not, Afterwards::Close, &*sink))?;
    match global.output {
        Form::Text => output::result(&report::status(
            &context.project.fleet,
            &context.desired,
            &observed.observation,
            output::width(),
        )),
        form => output::data(form, &report::status_data(&context.desired, &observed.observation)),
    }
    let all_serve = observed.observation.hosts.values().all(HostObservation::serves);
    Ok(if all_serve { Exit::Success } else { Exit::Partial })
}
