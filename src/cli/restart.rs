//! `housewright restart`: servers anew, in waves, with nothing changed (edge).

use std::collections::BTreeSet;

use super::error::{Answer, CommandError};
use super::plan::Planning;
use super::{Global, apply};
use crate::remote::UnitName;

/// Options of `restart`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Restart this unit; by default ClickHouse, and on coordination servers every unit of their role
    #[arg(long, value_name = "UNIT")]
    unit: Vec<String>,
    /// Every host of the inventory; without it, `--limit` must name them
    #[arg(long)]
    all: bool,
    /// Approve the plan without being asked
    #[arg(short, long)]
    yes: bool,
    /// How long a gate may stay shut, in seconds
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    gate_timeout: u64,
    #[command(flatten)]
    planning: Planning,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    named(global, options.all, "restarted")?;
    let units: Result<BTreeSet<UnitName>, CommandError> = options.unit.iter().map(|unit| parsed(unit)).collect();
    let mut planning = options.planning.clone();
    if planning.rollout.only.is_some() {
        return Err(CommandError::hinted("`restart` has one part only", "leave `--only` out"));
    }
    planning.restart = Some(units?);
    apply::run(global, &apply::Options::asking(options.yes, options.gate_timeout, planning))
}

fn parsed(unit: &str) -> Result<UnitName, CommandError> {
    UnitName::new(unit).map_err(|error| CommandError::plain(format!("`--unit {unit}`: {error}")))
}

/// Refuses a verb that would touch every host because nobody said which.
pub(super) fn named(global: &Global, all: bool, done: &str) -> Result<(), CommandError> {
    match (&global.limit, all) {
        (Some(_), false) | (None, true) => return Ok(()),
        (Some(_), true) => {
            return Err(CommandError::hinted("`--limit` and `--all` say different things", "leave one out"));
        }
        (None, false) => {}
    }
    Err(CommandError::hinted(
        format!("nobody said which hosts are to be {done}"),
        "name them with `--limit PATTERN`, or say `--all`",
    ))
}
