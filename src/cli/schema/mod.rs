//! `housewright schema`: the roles' databases, tables and views, as a whole (edge).

mod adopt;
pub(super) mod ask;
mod drift;
mod dump;
mod graph;
mod migrations;

use clap::Subcommand;

use super::Global;
use super::error::Answer;

/// Options of `schema`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The way of rows through all objects as a picture, without any network: `-o svg`, or Mermaid text for documentation
    Graph(graph::Options),
    /// The objects of every host against its role: missing, differing, unmanaged; exits with 2 when something differs
    Drift(drift::Options),
    /// Role files out of what the hosts have: what all hosts of a role have alike
    Dump(dump::Options),
    /// Objects that are as their role wants them and that Housewright did not make become its own: the hosts' records say so,
    /// and nothing else changes
    Adopt(adopt::Options),
    /// What was run once, and where: every migration of the roles, and what each host has on record of it
    Migrations(migrations::Options),
}

impl Options {
    /// Whether the answer is a picture.
    pub(super) fn is_picture(&self) -> bool {
        matches!(self.verb, Verb::Graph(_))
    }
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    match &options.verb {
        Verb::Graph(options) => graph::run(global, options),
        Verb::Drift(options) => drift::run(global, options),
        Verb::Dump(options) => dump::run(global, options),
        Verb::Adopt(options) => adopt::run(global, options),
        Verb::Migrations(options) => migrations::run(global, options),
    }
}
