//! `housewright schema`: the roles' databases, tables and views, looked at as a whole (edge).

use clap::Subcommand;

use super::error::{Answer, CommandError, Exit};
use super::project::Project;
use super::roles::Roles;
use super::{Form, Global, output};
use crate::report;
use crate::schema::graph;

/// Options of `schema`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The way of rows through all objects as a picture, without any network: `-o svg`, or Mermaid text for documentation
    Graph(Graph),
}

/// Options of `schema graph`.
#[derive(Debug, clap::Args)]
struct Graph {
    #[command(flatten)]
    roles: Roles,
}

impl Options {
    /// Whether the answer is a picture.
    pub(super) fn is_picture(&self) -> bool {
        matches!(self.verb, Verb::Graph(_))
    }
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    match &options.verb {
        Verb::Graph(options) => draw(global, options),
    }
}

/// Hosts of EC2 are those of the snapshot: nobody is asked.
fn draw(global: &Global, options: &Graph) -> Answer {
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
