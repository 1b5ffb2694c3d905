//! `housewright backup`: what the hosts' timers take, seen and used from here (edge).

mod ask;
mod list;
mod restore;
mod run;
mod status;
mod verify;

use clap::Subcommand;

use super::Global;
use super::error::Answer;

/// Options of `backup`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Every declared table of every shard: its last backups, and what is wrong with them; exits with 3 when something is
    Status(status::Options),
    /// Take backups now, as the hosts' timers do
    Run(run::Options),
    /// Every backup that is on record
    List(list::Options),
    /// Prove that the last backups can be read: every one of their chain is there, and the server reads what is written about it
    Verify(verify::Options),
    /// Bring the last backups back: into a scratch database that is counted and dropped, or with `--for-real` into the table
    Restore(restore::Options),
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    match &options.verb {
        Verb::Status(options) => status::run(global, options),
        Verb::Run(options) => run::run(global, options),
        Verb::List(options) => list::run(global, options),
        Verb::Verify(options) => verify::run(global, options),
        Verb::Restore(options) => restore::run(global, options),
    }
}
