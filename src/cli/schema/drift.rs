//! `housewright schema drift`: the objects of every host against its role (edge).

use serde_json::json;

use super::super::error::{Answer, Exit};
use super::super::project::Project;
use super::super::roles::Roles;
use super::super::{Form, Global, output};
use super::ask;
use crate::report;
use crate::schema::{self, Drifted};

/// Options of `schema drift`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    roles: Roles,
    /// Objects that no role wants count as a difference too
    #[arg(long)]
    strict: bool,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    let project = Project::load(global)?;
    output::notes(&project.notes);
    let hosts = options.roles.hosts(&project, global)?;
    let live = ask::objects(global, &project, &hosts, &schema::statement())?;
    let drift = schema::drift(&project.fleet, &project.objects, &live.objects);
    let asked = live.objects.len();
    match global.output {
        Form::Text => output::result(&report::schema_drift(&drift, &live.without, asked)),
        form => {
            let without: serde_json::Map<_, _> =
                live.without.iter().map(|(host, why)| (host.to_string(), json!(why.reason()))).collect();
            output::versioned(form, &json!({ "drift": drift, "asked": asked, "unreachable": without }));
        }
    }
    let counts = |drifted: &Drifted| options.strict || !matches!(drifted, Drifted::Unmanaged { .. });
    Ok(match (live.without.is_empty(), drift.iter().any(|one| counts(&one.drifted))) {
        (false, _) => Exit::Unreachable,
        (true, true) => Exit::Changes,
        (true, false) => Exit::Success,
    })
}
