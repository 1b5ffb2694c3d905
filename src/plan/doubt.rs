//! Which replicas may be in the coordination already although their servers lack the tables, and whom to ask (pure).

use std::collections::{BTreeMap, BTreeSet};

use super::applied;
use crate::fleet::{Fleet, Host, HostName, Placement, RoleName};
use crate::render::Desired;
use crate::resource::{ClickHouseFacts, Doubt, Observation, Place};
use crate::schema::{Object, ObjectName};

/// Finds storage hosts that lack replicated tables of their role, as far as that is known, and who can tell of them.
#[must_use]
pub fn doubts(
    fleet: &Fleet,
    desired: &BTreeMap<HostName, Desired>,
    objects: &BTreeMap<RoleName, Vec<Object>>,
    observation: &Observation,
    hosts: &BTreeSet<HostName>,
) -> BTreeMap<HostName, Doubt> {
    let of = |name: &HostName| {
        let (host, facts) = (fleet.hosts.get(name)?, observation.facts(name)?);
        let stores = matches!(host.placement, Placement::Storage { .. });
        let wanted = objects.get(&host.role).filter(|_| stores)?;
        let (macros, has, answers) = match &facts.clickhouse {
            ClickHouseFacts::Up { server, objects } => {
                (server.macros.clone(), objects.iter().map(|live| &live.name).collect(), true)
            }
            ClickHouseFacts::Down { .. } => (applied::said(host, desired.get(name)?).macros, BTreeSet::new(), false),
            ClickHouseFacts::NotAsked => return None,
        };
        let lacks = wanted.iter().filter(|object| !has.contains(&object.name));
        let places: Vec<Place> = lacks.filter_map(|object| Place::of(object, &macros)).collect();
        let peers = peers(fleet, host, &places, observation);
        let asked = !places.is_empty() && (answers || !peers.is_empty());
        asked.then(|| (name.clone(), Doubt { places, answers, peers }))
    };
    hosts.iter().filter_map(of).collect()
}

/// Hosts of the same role whose servers have one of the tables; which replicas those are, they tell by its path.
fn peers(fleet: &Fleet, host: &Host, places: &[Place], observation: &Observation) -> Vec<HostName> {
    let tables: BTreeSet<&ObjectName> = places.iter().map(|place| &place.table).collect();
    let has = |peer: &&Host| match observation.facts(&peer.name).map(|facts| &facts.clickhouse) {
        Some(ClickHouseFacts::Up { objects, .. }) => objects.iter().any(|live| tables.contains(&live.name)),
        _ => false,
    };
    let others = fleet.hosts.values().filter(|peer| peer.role == host.role && peer.name != host.name);
    let mut peers: Vec<&Host> = others.filter(has).collect();
    // Those of the shard first: where the host's own server does not answer, the first one tells.
    let shard = |host: &Host| match host.placement {
        Placement::Storage { shard, .. } => Some(shard),
        Placement::Stateless | Placement::Keeper { .. } => None,
    };
    peers.sort_by_key(|peer| (shard(peer) != shard(host), peer.name.clone()));
    peers.into_iter().map(|peer| peer.name.clone()).collect()
}
