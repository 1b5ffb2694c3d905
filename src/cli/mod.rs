//! The command line: one file per verb; errors and exit codes at the edge (edge).

mod adopt;
mod apply;
mod backup;
mod balance;
mod check;
mod context;
mod diff;
mod discover;
mod effective;
mod error;
mod facts;
mod github;
mod interrupt;
mod inventory;
mod json_schema;
mod k8s;
mod lab;
mod leg;
mod output;
mod plan;
mod project;
mod recorded;
mod render;
mod restart;
mod resume;
mod roles;
mod rollout;
mod run;
mod saved;
mod schema;
mod show;
mod sql;
mod status;
mod unlock;
mod vault;
mod verify;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use error::{Answer, CommandError, Exit};

/// A push-based provisioner for ClickHouse fleets.
///
/// Plans like Terraform, pushes over SSH, restarts ClickHouse without ever taking a shard away, and puts each
/// schema object on exactly the hosts whose role needs it.
#[derive(Debug, Parser)]
#[command(name = "housewright", version, propagate_version = true, after_help = error::EXIT_CODES, max_term_width = 110)]
pub struct CommandLine {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    global: Global,
}

/// Options of every verb.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Inventory: a directory with hosts.yml, group_vars/ and host_vars/, or one file
    #[arg(short, long, global = true, env = "HOUSEWRIGHT_INVENTORY", value_name = "DIR")]
    inventory: Option<PathBuf>,
    /// Directory with roles/ and templates/; by default the nearest one above the inventory
    #[arg(long, global = true, env = "HOUSEWRIGHT_PROJECT", value_name = "DIR")]
    project: Option<PathBuf>,
    /// Hosts to work on: names, groups, globs, `~REGEX`, `GROUP[0:2]`, `@FILE`, `role=`, `shard=`, `zone=`; `,` adds, `:&` intersects,
    /// `:!` takes away
    #[arg(short, long, global = true, value_name = "PATTERN")]
    limit: Option<String>,
    #[command(flatten)]
    vault: vault::Options,
    /// How many hosts are worked on at a time
    #[arg(short, long, global = true, default_value_t = 32, value_name = "N")]
    forks: usize,
    /// Take the hosts of `*.aws_ec2.yml` from the snapshot `discovered.yml` instead of asking EC2
    #[arg(long, global = true, env = "HOUSEWRIGHT_OFFLINE")]
    offline: bool,
    /// Ask EC2 although an answer that is kept (`cache: true`) is new enough
    #[arg(long, global = true, conflicts_with = "offline")]
    refresh: bool,
    /// Accept an answer of EC2 that is otherwise refused: `empty:REGION` has no instances, `shrink:REGION` has lost many
    #[arg(long, global = true, value_name = "WHAT:REGION")]
    accept: Vec<String>,
    /// Form of the result
    #[arg(short, long, global = true, value_enum, default_value_t, value_name = "FORM")]
    output: Form,
    /// Colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    color: ColorWhen,
    /// Do not move anything on the terminal: plain lines
    #[arg(long, global = true, env = "HOUSEWRIGHT_PLAIN")]
    plain: bool,
}

/// Form of a result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people
    #[default]
    Text,
    /// For machines
    Json,
    /// For machines and people
    Yaml,
    /// For a pull request: `plan` and `show`
    Markdown,
    /// For spreadsheets: `sql`
    Csv,
    /// For programs that read tables: `sql`
    Tsv,
    /// For documentation: `schema graph`
    Mermaid,
    /// A picture: `schema graph`
    Svg,
}

/// When colours are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum ColorWhen {
    /// On a terminal that has them
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Check everything that is written, without any network
    Check(check::Options),
    /// Ask EC2 for hosts, compare them with the snapshot `discovered.yml`, write it
    Discover(discover::Options),
    /// Show the hosts that the inventory means
    Inventory(inventory::Options),
    /// Write the files that hosts should have to standard output or a directory
    Render(render::Options),
    /// Ask the hosts what is there
    Facts(facts::Options),
    /// Show what would be done, and why
    Plan(plan::Options),
    /// Show a plan that was saved with `plan --out`
    Show(show::Options),
    /// Do it
    Apply(apply::Options),
    /// Restart servers in the same waves as a change would, with nothing changed
    Restart(restart::Options),
    /// What differs now between the hosts and what was written; exits with 2 when something does
    Diff(diff::Options),
    /// Prove that the hosts are as they should be; exits with 3 when one is not
    Verify(verify::Options),
    /// Run one command on hosts
    Run(run::Options),
    /// Ask many servers one question: one table with a column for the host
    Sql(sql::Options),
    /// One line per host: what it is and how it is; exits with 3 when one does not serve
    Status(status::Options),
    /// Make files of others Housewright's own: the next plan writes its own in their place, or removes them
    Adopt(adopt::Options),
    /// Make the disks of servers even by moving parts between them
    Balance(balance::Options),
    /// Take a host's lock from a run that is gone for good
    Unlock(unlock::Options),
    /// The roles' databases, tables and views: draw, compare, dump them
    Schema(schema::Options),
    /// A topic's way in goes over from one broker to another: a leg is added, watched, removed
    Leg(leg::Options),
    /// Pods of the Altinity operator: its manifests, from the same topology as the other hosts
    K8s(k8s::Options),
    /// Backups of the hosts' tables: how they are, take them now, try them, bring them back
    Backup(backup::Options),
    /// JSON Schemas of inventories, variables, roles and discovery files, for editors
    JsonSchema(json_schema::Options),
    /// A role-true local fleet to try a change on
    Lab(lab::Options),
    /// Write the completions of a shell to standard output
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

impl Verb {
    /// The verbs that have a form, where this one has it not, and the form's name.
    fn lacks(&self, form: Form) -> Option<(&'static str, &'static str)> {
        match (form, self) {
            (Form::Text | Form::Json | Form::Yaml, _) => None,
            (Form::Markdown, Self::Plan(_) | Self::Show(_)) | (Form::Csv | Form::Tsv, Self::Sql(_)) => None,
            (Form::Mermaid | Form::Svg, Self::Schema(options)) if options.is_picture() => None,
            (Form::Markdown, _) => Some(("`plan` and `show` have", "markdown")),
            (Form::Csv, _) => Some(("`sql` has", "csv")),
            (Form::Tsv, _) => Some(("`sql` has", "tsv")),
            (Form::Mermaid, _) => Some(("`schema graph` has", "mermaid")),
            (Form::Svg, _) => Some(("`schema graph` has", "svg")),
        }
    }
}

/// Runs the command line of this process to its exit.
#[must_use]
pub fn main() -> Exit {
    match CommandLine::try_parse() {
        Ok(line) => run(&line),
        Err(error) => output::usage(&error),
    }
}

/// Runs a command line to its exit.
#[must_use]
pub fn run(line: &CommandLine) -> Exit {
    output::choose_colors(line.global.color);
    let global = &line.global;
    if let Some((verbs, form)) = line.verb.lacks(global.output) {
        output::error(&CommandError::hinted(
            format!("only {verbs} an answer in this form"),
            format!("leave `-o {form}` out"),
        ));
        return Exit::Invalid;
    }
    let answer = match &line.verb {
        Verb::Check(options) => check::run(global, options),
        Verb::Discover(options) => discover::run(global, options),
        Verb::Inventory(options) => inventory::run(global, options),
        Verb::Render(options) => render::run(global, options),
        Verb::Facts(options) => facts::run(global, options),
        Verb::Plan(options) => plan::run(global, options),
        Verb::Show(options) => show::run(global, options),
        Verb::Apply(options) => apply::run(global, options),
        Verb::Restart(options) => restart::run(global, options),
        Verb::Diff(options) => diff::run(global, options),
        Verb::Verify(options) => verify::run(global, options),
        Verb::Run(options) => run::run(global, options),
        Verb::Sql(options) => sql::run(global, options),
        Verb::Status(options) => status::run(global, options),
        Verb::Adopt(options) => adopt::run(global, options),
        Verb::Balance(options) => balance::run(global, options),
        Verb::Unlock(options) => unlock::run(global, options),
        Verb::Schema(options) => schema::run(global, options),
        Verb::Leg(options) => leg::run(global, options),
        Verb::K8s(options) => k8s::run(global, options),
        Verb::Backup(options) => backup::run(global, options),
        Verb::JsonSchema(options) => json_schema::run(global, options),
        Verb::Lab(options) => lab::run(global, options),
        Verb::Completions { shell } => Ok(output::completions(*shell)),
    };
    answer.unwrap_or_else(|error| {
        output::error(&error);
        Exit::Invalid
    })
}
