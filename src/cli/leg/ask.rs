//! Asks the hosts of legs for their tables, twice (edge).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::super::Global;
use super::super::context::{block_on, transport};
use super::super::error::CommandError;
use super::super::output::{self, Events};
use super::super::project::Project;
use crate::clickhouse::Bounds;
use crate::event::chain;
use crate::fleet::{HostName, Reach};
use crate::leg::{Leg, LegState, question, read_sample, state};
use crate::observe::{Asked, NoRows, ask_twice};

/// One row for each table of a leg.
const BOUNDS: Bounds = Bounds { rows: 10_000, bytes: 16 << 20, time: Duration::from_secs(30) };

/// What the legs' hosts told.
pub(super) struct Told {
    /// Each leg, in the order of the legs.
    pub legs: Vec<LegState>,
    /// Hosts without an answer, and why.
    pub without: BTreeMap<HostName, NoRows>,
}

/// Asks them all; a leg is judged by all of its hosts, so `--limit` does not count.
pub(super) fn ask(
    global: &Global,
    project: &Project,
    legs: &[Leg<'_>],
    window: Duration,
) -> Result<Told, CommandError> {
    let mut endpoints = project.endpoints(&project.passwords_of_servers()?);
    let hosts_of = |leg: &Leg<'_>| -> Vec<&HostName> {
        let hosts = project.fleet.hosts.values();
        hosts
            .filter(|host| leg.roles.contains(&host.role) && host.reach != Reach::Member)
            .map(|host| &host.name)
            .collect()
    };
    let names: BTreeSet<&HostName> = legs.iter().flat_map(hosts_of).collect();
    let hosts = names.iter().filter_map(|name| project.fleet.hosts.get(*name));
    let servers: Vec<Asked<'_>> =
        hosts.filter_map(|host| Some(Asked { host, endpoint: endpoints.remove(&host.name)? })).collect();
    if servers.is_empty() {
        return Err(CommandError::plain("no host of the inventory has a leg"));
    }
    let tables = legs.iter().flat_map(|leg| leg.targets.iter().copied().chain([leg.table]));
    let question = question(&tables.map(|table| table.name.clone()).collect(), window.as_secs().max(1));
    project.enter_network()?;
    let sink = output::sink(global, Events::AreProgress);
    let answers = block_on(ask_twice(
        &transport(BTreeMap::new(), None),
        &servers,
        &question,
        (&BOUNDS, window),
        global.forks,
        &*sink,
    ))?;
    let (mut samples, mut without) = (BTreeMap::new(), BTreeMap::new());
    for (host, answer) in answers {
        let read = answer.and_then(|[before, now]| {
            let sample = |rows| read_sample(rows).map_err(|error| NoRows::Refused(chain(&error)));
            Ok((sample(&before)?, sample(&now)?))
        });
        match read {
            Ok(two) => drop(samples.insert(host, two)),
            Err(why) => drop(without.insert(host, why)),
        }
    }
    let legs = legs.iter().map(|leg| state(leg, &hosts_of(leg), &samples)).collect();
    Ok(Told { legs, without })
}
