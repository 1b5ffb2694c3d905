//! `housewright schema migrations`: what was run once, and where (edge).

use std::collections::BTreeMap;

use serde_json::json;

use super::super::error::{Answer, CommandError, Exit};
use super::super::project::Project;
use super::super::roles::Roles;
use super::super::{Form, Global, output};
use super::ask;
use crate::migration::{MigrationRecords, recording, survey};
use crate::observe::NoRows;
use crate::report;

/// Options of `schema migrations`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    roles: Roles,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    let project = Project::load(global)?;
    output::notes(&project.notes);
    let hosts = options.roles.hosts(&project, global)?;
    let (mut records, mut without) = (BTreeMap::new(), BTreeMap::new());
    for (host, answer) in ask::rows(global, &project, &hosts, &recording::ask())? {
        match answer {
            Ok(rows) => {
                let read = recording::read(&rows).map_err(|error| CommandError::plain(format!("`{host}`: {error}")))?;
                records.insert(host, read);
            }
            // Nothing was ever run there: neither the table nor, maybe, its database is there.
            Err(NoRows::Refused(reason))
                if ["UNKNOWN_TABLE", "UNKNOWN_DATABASE"].iter().any(|name| reason.contains(name)) =>
            {
                records.insert(host, MigrationRecords::new());
            }
            Err(why) => drop(without.insert(host, why)),
        }
    }
    let told = survey(&project.fleet, &project.migrations, &records);
    match global.output {
        Form::Text => output::result(&report::schema_migrations(&told, &without, records.len())),
        form => {
            let silent: BTreeMap<String, &str> =
                without.iter().map(|(host, why)| (host.to_string(), why.reason())).collect();
            output::versioned(form, &json!({ "migrations": told, "asked": records.len(), "unreachable": silent }));
        }
    }
    Ok(if without.is_empty() { Exit::Success } else { Exit::Unreachable })
}
