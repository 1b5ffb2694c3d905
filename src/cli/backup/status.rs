//! `housewright backup status`: how the backups of every declared table are (edge).

use serde_json::json;

use super::super::error::Answer;
use super::super::{Form, Global, output};
use super::ask::told;
use crate::backup::{TableBackups, survey};
use crate::report;

/// Options of `backup status`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {}

pub(super) fn run(global: &Global, _options: &Options) -> Answer {
    let told = told(global)?;
    let tables = survey(&told.project.fleet, &told.assignment, &told.records);
    match global.output {
        Form::Text => output::result(&report::backup_status(&tables, &told.without, output::width())),
        form => output::versioned(form, &json!({ "tables": tables, "unreachable": told.silent() })),
    }
    Ok(told.exit(!tables.is_empty() && tables.iter().all(TableBackups::is_well)))
}
