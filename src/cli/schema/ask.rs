//! Asks hosts for their objects, and for nothing else (edge).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::super::Global;
use super::super::context::{block_on, transport};
use super::super::error::CommandError;
use super::super::output::{self, Events};
use super::super::project::Project;
use crate::clickhouse::{Bounds, Statement};
use crate::fleet::HostName;
use crate::observe::{Asked, NoRows, Said, ask_each};
use crate::schema::{ObservedObject, read_objects};

/// Far more than the objects of any server that people look after.
const BOUNDS: Bounds = Bounds { rows: 200_000, bytes: 512 << 20, time: Duration::from_mins(1) };

/// What the chosen hosts have.
pub(super) struct Live {
    /// The objects of each host that answered.
    pub objects: BTreeMap<HostName, Vec<ObservedObject>>,
    /// Why the others have none.
    pub without: BTreeMap<HostName, NoRows>,
}

/// Asks them one question.
pub(in crate::cli) fn rows(
    global: &Global,
    project: &Project,
    hosts: &BTreeSet<HostName>,
    question: &Statement,
) -> Result<Said, CommandError> {
    let mut endpoints = project.endpoints(&project.passwords_of_servers()?);
    let hosts = hosts.iter().filter_map(|name| project.fleet.hosts.get(name));
    let groups: Vec<_> =
        hosts.filter_map(|host| Some(vec![Asked { host, endpoint: endpoints.remove(&host.name)? }])).collect();
    if groups.is_empty() {
        return Err(CommandError::plain("none of the chosen hosts runs ClickHouse"));
    }
    project.enter_network()?;
    let sink = output::sink(global, Events::AreProgress);
    let said = block_on(ask_each(&transport(BTreeMap::new(), None), &groups, question, &BOUNDS, global.forks, &*sink))?;
    Ok(said.into_iter().flatten().collect())
}

/// Asks them for objects.
pub(super) fn objects(
    global: &Global,
    project: &Project,
    hosts: &BTreeSet<HostName>,
    question: &Statement,
) -> Result<Live, CommandError> {
    let mut live = Live { objects: BTreeMap::new(), without: BTreeMap::new() };
    for (host, answer) in rows(global, project, hosts, question)? {
        match answer {
            // Half a list would be told as objects that are missing.
            Ok(rows) if rows.len() > BOUNDS.rows => {
                let why = NoRows::Refused(format!("it has more than {} objects", BOUNDS.rows));
                live.without.insert(host, why);
            }
            Ok(rows) => drop(live.objects.insert(host, read_objects(&rows))),
            Err(why) => drop(live.without.insert(host, why)),
        }
    }
    Ok(live)
}
