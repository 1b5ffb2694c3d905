//! `housewright sql`: one question to many servers, one table (edge).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::context::{block_on, transport};
use super::error::{Answer, CommandError, Exit};
use super::output::{self, Events};
use super::project::Project;
use super::roles::Roles;
use super::{Form, Global};
use crate::clickhouse::{Bounds, Endpoint, question};
use crate::fleet::{Fleet, HostName, Placement};
use crate::observe::{Asked, NoRows, Said, ask_each};
use crate::report::{Asking, Separated};

/// Options of `sql`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    roles: Roles,
    /// Ask one replica of each shard, the next one where it has no answer; hosts without a shard are asked each
    #[arg(long)]
    each_shard: bool,
    /// Rows that are taken of each host
    #[arg(long, default_value_t = 1000, value_name = "N")]
    rows: usize,
    /// MiB that an answer may have
    #[arg(long, default_value_t = 16, value_name = "MIB")]
    size: usize,
    /// How long a server may work on it, in seconds
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    time: u64,
    /// One SELECT; never a secret: everybody on this machine can read it
    #[arg(value_name = "QUERY")]
    query: String,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    let query = question(&options.query).map_err(|why| {
        CommandError::hinted(
            format!("this is not asked: {why}"),
            "write one SELECT; what changes something belongs into a role",
        )
    })?;
    let project = Project::load(global)?;
    let hosts = options.roles.hosts(&project, global)?;
    let endpoints = project.endpoints(&project.passwords_of_servers()?);
    let groups = groups(&project.fleet, &endpoints, &hosts, options.each_shard);
    if groups.is_empty() {
        return Err(CommandError::plain("none of the chosen hosts runs ClickHouse"));
    }
    project.enter_network()?;
    let bounds =
        Bounds { rows: options.rows, bytes: options.size << 20, time: Duration::from_secs(options.time.max(1)) };
    let sink = output::sink(global, Events::AreProgress);
    let said = block_on(ask_each(&transport(BTreeMap::new(), None), &groups, &query, &bounds, global.forks, &*sink))?;
    let asking = Asking { said: &said, most: options.rows };
    match global.output {
        Form::Csv => separated(&asking, Separated::Commas),
        Form::Tsv => separated(&asking, Separated::Tabs),
        Form::Text => output::result(&asking.text(output::width())),
        form => output::versioned(form, &asking.data()),
    }
    Ok(exit(&said))
}

/// Servers that may stand in for each other: the replicas of a shard, else each alone.
fn groups<'a>(
    fleet: &'a Fleet,
    endpoints: &BTreeMap<HostName, Endpoint>,
    hosts: &BTreeSet<HostName>,
    each_shard: bool,
) -> Vec<Vec<Asked<'a>>> {
    let mut groups: BTreeMap<_, Vec<Asked<'a>>> = BTreeMap::new();
    for host in hosts.iter().filter_map(|name| fleet.hosts.get(name)) {
        let Some(endpoint) = endpoints.get(&host.name).cloned() else { continue };
        let key = match host.placement {
            Placement::Storage { shard, .. } if each_shard => (&host.role, Some(shard), None),
            _ => (&host.role, None, Some(&host.name)),
        };
        groups.entry(key).or_default().push(Asked { host, endpoint });
    }
    groups.into_values().collect()
}

/// What has no place in a table goes to the person.
fn separated(asking: &Asking<'_>, by: Separated) {
    output::plain(&asking.separated(by));
    for warning in asking.warnings() {
        output::say(&warning);
    }
}

fn exit(said: &[Said]) -> Exit {
    let without = said.iter().filter(|group| !group.iter().any(|(_, answer)| answer.is_ok()));
    let mut answers = without.flatten().filter_map(|(_, answer)| answer.as_ref().err()).peekable();
    if answers.peek().is_none() {
        Exit::Success
    } else if answers.all(|why| matches!(why, NoRows::Unreachable(_))) {
        Exit::Unreachable
    } else {
        Exit::Partial
    }
}
