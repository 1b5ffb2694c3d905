//! `housewright backup verify`: the last chains are whole, and the servers can read what is written about them (edge).

use std::time::Duration;

use serde_json::json;

use super::super::error::Answer;
use super::super::{Form, Global, output};
use super::ask::{Wanted, What, Work, id, told};
use crate::apply::Depth;
use crate::backup::chain_of;
use crate::report::{self, Attempt};

/// Reading what is written about a backup of many parts takes seconds.
const LIMIT: Duration = Duration::from_mins(10);

/// Options of `backup verify`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    wanted: Wanted,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    let told = told(global)?;
    let (mut attempts, mut meant) = (Vec::new(), Vec::new());
    for (host, record) in told.meant(&options.wanted)? {
        let records = told.records.get(&host).map(Vec::as_slice).unwrap_or_default();
        match chain_of(&record, records) {
            Ok(chain) => meant.extend(chain.into_iter().map(|one| (host.clone(), one.clone()))),
            Err(missing) => {
                let outcome = Err(format!("its chain lacks `{missing}`"));
                attempts.push(Attempt { host, record, outcome });
            }
        }
    }
    let work = Work { id: id(), limit: LIMIT, what: What::Try(Depth::Looked) };
    attempts.extend(told.attempt(global, &meant, &work)?);
    let well = !attempts.is_empty() && attempts.iter().all(Attempt::is_well);
    match global.output {
        Form::Text => output::result(&report::backups_tried("verify", &attempts, &told.without)),
        form => output::versioned(form, &json!({ "backups": attempts, "unreachable": told.silent() })),
    }
    Ok(told.exit(well))
}
