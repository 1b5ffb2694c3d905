//! `housewright schema graph`: the way of rows as a picture (edge).

use super::super::error::{Answer, CommandError, Exit};
use super::super::project::Project;
use super::super::roles::Roles;
use super::super::{Form, Global, output};
use crate::report;
use crate::schema::graph;

/// Options of `schema graph`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    roles: Roles,
}

/// Hosts of EC2 are those of the snapshot: nobody is asked.
pub(super) fn run(global: &Global, options: &Options) -> Answer {
    let global = &Global { offline: true, ..global.clone() };
    let project = Project::load(global)?;
    let roles = options.roles.chosen(&project)?;
    let graph = graph(&project.fleet, &project.objects).around(&roles);
    if graph.nodes.is_empty() {
        return Err(CommandError::plain("no role that is looked at has an object that rows go through"));
    }
    match global.output {
        Form::Text | Form::Mermaid => output::plain(&report::mermaid(&graph)),
        Form::Svg => output::plain(&report::svg(&graph)),
        form => output::versioned(form, &graph),
    }
    Ok(Exit::Success)
}
