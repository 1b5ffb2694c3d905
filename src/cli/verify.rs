//! `housewright verify`: every proof that the hosts are as they should be (edge).

use super::context::{Context, Peers, block_on};
use super::error::{Answer, Exit};
use super::output::{self, Events};
use super::plan::Planning;
use super::{Form, Global};
use crate::observe::Afterwards;
use crate::plan::{Budget, proofs};
use crate::report;

/// Options of `verify`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {}

pub(super) fn run(global: &Global, _options: &Options) -> Answer {
    let context = Context::load(global)?;
    let sink = output::sink(global, Events::AreProgress);
    let observed = block_on(context.observe(global, Peers::Not, Afterwards::Close, &*sink))?;
    let (planning, budget) = (Planning::default(), Budget::default());
    let proofs = proofs(&planning.inputs(&context, &observed, &budget));
    match global.output {
        Form::Text => output::result(&report::verify(&proofs)),
        form => output::data(form, &proofs),
    }
    let all = !proofs.is_empty() && proofs.values().flatten().all(|proof| proof.holds);
    Ok(if all { Exit::Success } else { Exit::Partial })
}
