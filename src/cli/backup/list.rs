//! `housewright backup list`: every backup that is on record (edge).

use serde_json::json;

use super::super::error::Answer;
use super::super::{Form, Global, output};
use super::ask::told;
use crate::report;

/// Options of `backup list`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {}

pub(super) fn run(global: &Global, _options: &Options) -> Answer {
    let told = told(global)?;
    match global.output {
        Form::Text => output::result(&report::backup_list(&told.records, &told.without, output::width())),
        form => output::versioned(form, &json!({ "hosts": told.records, "unreachable": told.silent() })),
    }
    Ok(told.exit(true))
}
