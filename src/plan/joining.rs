//! A replica that joins: the others list it once it has its tables and has caught up (pure).
//!
//! A server that is in `remote_servers` is read from and written to at once. One that has no tables yet refuses both, and
//! one that is still fetching answers with less than there is.

use std::collections::{BTreeMap, BTreeSet};

use super::steps::Limits;
use super::{Change, HostPlan, Inputs, Step, Wave, schema};
use crate::clickhouse::config::Disruption;
use crate::fleet::{Host, HostName, Placement, RoleName};
use crate::resource::ClickHouseFacts;
use crate::schema::{ObjectName, Stage};

/// Puts what lists a joining replica on the other hosts behind the waves that make its tables.
pub(super) fn behind_tables(inputs: &Inputs<'_>, configuration: Vec<Wave>, schema: Vec<Wave>) -> Vec<Wave> {
    let joining = joining(inputs, &schema);
    let (listing, rest): (Vec<_>, Vec<_>) = configuration
        .into_iter()
        .partition(|wave| !joining.is_empty() && wave.hosts.iter().all(|host| lists(inputs, host)));
    if listing.is_empty() {
        let again = again(&schema);
        let waits = caught_up(inputs, &joining.into_iter().filter(|host| again.contains(*host)).collect());
        return rest.into_iter().chain(schema).chain(waits).collect();
    }
    let names: Vec<&str> = joining.iter().map(|host| host.as_str()).collect();
    let why = format!("; behind the tables of {}: nobody asks a replica that has none", names.join(", "));
    let relies_on: BTreeSet<HostName> = joining.iter().map(|host| (*host).clone()).collect();
    let listing = listing.into_iter().map(|wave| Wave {
        reason: format!("{}{why}", wave.reason),
        relies_on: wave.relies_on.union(&relies_on).cloned().collect(),
        ..wave
    });
    rest.into_iter().chain(schema).chain(caught_up(inputs, &joining)).chain(listing.collect::<Vec<_>>()).collect()
}

/// Whose replicas were there before: the others list them all the time.
fn again(schema: &[Wave]) -> BTreeSet<HostName> {
    let changes = schema.iter().flat_map(|wave| &wave.hosts).flat_map(|host| &host.changes);
    let of = |change: &Change| match change {
        Change::ReplicaForget { of, .. } => Some(of.clone()),
        _ => None,
    };
    changes.filter_map(of).collect()
}

/// Storage hosts that get tables here that others of their role have.
fn joining<'a>(inputs: &Inputs<'a>, schema: &[Wave]) -> BTreeSet<&'a HostName> {
    let makes = |part: &HostPlan| part.changes.iter().any(|change| matches!(change, Change::Object { .. }));
    let gets =
        |host: &Host| schema.iter().flat_map(|wave| &wave.hosts).any(|part| part.host == host.name && makes(part));
    let storage: Vec<(&Host, BTreeSet<&ObjectName>)> = inputs
        .fleet
        .hosts
        .values()
        .filter(|host| matches!(host.placement, Placement::Storage { .. }))
        .map(|host| (host, tables(inputs, host)))
        .collect();
    let mut of_role: BTreeMap<&RoleName, BTreeSet<&ObjectName>> = BTreeMap::new();
    for (host, tables) in &storage {
        of_role.entry(&host.role).or_default().extend(tables);
    }
    let lacks = |(host, tables): &&(&Host, BTreeSet<&ObjectName>)| {
        of_role.get(&host.role).is_some_and(|all| !all.is_subset(tables)) && gets(host)
    };
    storage.iter().filter(lacks).map(|(host, _)| &host.name).collect()
}

/// Those of the tables that its role stores rows in that a host's server has.
fn tables<'a>(inputs: &Inputs<'a>, host: &Host) -> BTreeSet<&'a ObjectName> {
    let Some(ClickHouseFacts::Up { objects, .. }) = inputs.observation.facts(&host.name).map(|facts| &facts.clickhouse)
    else {
        return BTreeSet::new();
    };
    let live: BTreeSet<&ObjectName> = objects.iter().map(|live| &live.name).collect();
    let wanted = inputs.objects.get(&host.role).map(Vec::as_slice).unwrap_or_default();
    let stored = wanted.iter().filter(|object| Stage::of(object) == Stage::Storage);
    stored.map(|object| &object.name).filter(|name| live.contains(name)).collect()
}

/// Whether a host's part changes nothing but who is in the clusters that its server knows already.
fn lists(inputs: &Inputs<'_>, part: &HostPlan) -> bool {
    let known = |cluster: &str| match inputs.observation.facts(&part.host).map(|facts| &facts.clickhouse) {
        Some(ClickHouseFacts::Up { server, .. }) => server.clusters.contains_key(cluster),
        _ => false,
    };
    let mut clusters = 0;
    let only = part.changes.iter().all(|change| match change {
        Change::File { .. } => true,
        Change::Setting(setting) => match setting.key.strip_prefix("remote_servers/") {
            Some(rest) => {
                clusters += 1;
                known(rest.split('/').next().unwrap_or_default())
            }
            None => setting.is_generation(),
        },
        _ => false,
    });
    only && clusters > 0 && part.disruption == Disruption::Reload
}

/// Waits until they have fetched what the others have.
fn caught_up(inputs: &Inputs<'_>, joining: &BTreeSet<&HostName>) -> Option<Wave> {
    let wait = |name: &&HostName| {
        let (host, facts) = (inputs.fleet.hosts.get(*name)?, inputs.observation.facts(name)?);
        Some(schema::part(name, Vec::new(), vec![Step::Gate(Limits::of(host).settled(facts))]))
    };
    let hosts = joining.iter().filter_map(wait).collect();
    schema::wave("schema: joining replicas".to_owned(), "until they have what the others have", hosts)
}
