//! `housewright backup restore`: a drill, or with `--for-real` the table's rows (edge).

use std::time::Duration;

use clap::ValueEnum;
use serde_json::json;

use super::super::error::{Answer, CommandError, Exit};
use super::super::{Form, Global, output};
use super::ask::{Wanted, What, Work, id, told};
use crate::apply::Depth;
use crate::duration::seconds;
use crate::report::{self, Attempt};

/// Options of `backup restore`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    wanted: Wanted,
    /// Into the tables themselves, which must be there and empty, and not into a scratch database
    #[arg(long)]
    for_real: bool,
    /// Do what is otherwise refused
    #[arg(long, value_enum, value_name = "WHAT", requires = "for_real")]
    allow: Vec<Allow>,
    /// Do it without being asked
    #[arg(short, long, requires = "for_real")]
    yes: bool,
    /// How long one statement may take
    #[arg(long, value_parser = seconds, default_value = "6h", value_name = "TIME")]
    time: u64,
}

/// What is refused without a word for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Allow {
    /// The rows of the backup come beside those that the table has: what is in both is there twice
    RowsTwice,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    if options.for_real && global.output != Form::Text && !options.yes {
        return Err(CommandError::hinted("a restore as data asks no question", "approve it with `--yes`"));
    }
    let told = told(global)?;
    let meant = told.meant(&options.wanted)?;
    let (verb, what) = if options.for_real {
        ("restore", What::Live { more_rows: options.allow.contains(&Allow::RowsTwice) })
    } else {
        ("restore drill", What::Try(Depth::Counted))
    };
    if options.for_real && !options.yes {
        for (host, record) in &meant {
            output::say(&format!("{host}: {} from {}", record.table, record.name));
        }
        if !output::confirm("Bring the rows of these back into their tables?")? {
            output::say("nothing was done");
            return Ok(Exit::Success);
        }
    }
    let work = Work { id: id(), limit: Duration::from_secs(options.time.max(1)), what };
    let attempts = told.attempt(global, &meant, &work)?;
    let well = !attempts.is_empty() && attempts.iter().all(Attempt::is_well);
    match global.output {
        Form::Text => output::result(&report::backups_tried(verb, &attempts, &told.without)),
        form => output::versioned(form, &json!({ "backups": attempts, "unreachable": told.silent() })),
    }
    Ok(told.exit(well))
}
