//! `housewright schema adopt`: objects that others made, and that are as their role wants them, become Housewright's own (edge).

use crate::cli::error::{Answer, CommandError};
use crate::cli::plan::{Allow, Planning};
use crate::cli::{Global, apply};
use crate::plan::Part;

/// Options of `schema adopt`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Options {
    /// Take them over without being asked
    #[arg(short, long)]
    yes: bool,
    /// How long a gate may stay shut, in seconds
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    gate_timeout: u64,
    #[command(flatten)]
    planning: Planning,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    let mut planning = options.planning.clone();
    if planning.rollout.only.is_some() {
        return Err(CommandError::hinted("`schema adopt` has one part only", "leave `--only` out"));
    }
    planning.allow.push(Allow::AdoptObjects);
    planning.rollout.only = Some(Part::Records);
    apply::run(global, &apply::Options::asking(options.yes, options.gate_timeout, planning))
}
