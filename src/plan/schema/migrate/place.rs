//! Where a migration is run once: the fleet, a shard, a host, with all hosts that have to know of it (pure).

use std::collections::BTreeMap;

use crate::fleet::{Host, HostName, Placement, Reach, RoleName};
use crate::migration::{Migration, Scope};
use crate::plan::Inputs;

/// One of its places.
pub(super) struct Place<'a> {
    pub migration: &'a Migration,
    /// In order of name; never empty.
    pub hosts: Vec<&'a HostName>,
}

/// Role and shard, or the host.
type Key<'a> = (Option<&'a RoleName>, Option<u32>, Option<&'a HostName>);

/// All migrations that hosts of the fleet have, in order of number and then of role, with the places where hosts may be
/// changed.
///
/// One that several roles include is one migration. Members, which nobody reaches, have no part in any.
pub(super) fn all<'a>(inputs: &Inputs<'a>) -> Vec<(&'a Migration, Vec<Place<'a>>)> {
    let mut found: BTreeMap<(u32, &RoleName), (&Migration, Vec<&Host>)> = BTreeMap::new();
    for host in inputs.fleet.hosts.values().filter(|host| host.reach != Reach::Member) {
        for migration in inputs.migrations.get(&host.role).into_iter().flatten() {
            let key = (migration.id.number, &migration.id.role);
            found.entry(key).or_insert_with(|| (migration, Vec::new())).1.push(host);
        }
    }
    let places = |(migration, hosts): (&'a Migration, Vec<&'a Host>)| {
        let mut groups: BTreeMap<Key<'_>, Vec<&HostName>> = BTreeMap::new();
        for host in hosts {
            let key = match (migration.scope, &host.placement) {
                (Scope::Fleet, _) => (None, None, None),
                (Scope::Shard, Placement::Storage { shard, .. }) => (Some(&host.role), Some(*shard), None),
                (Scope::Shard | Scope::Host, _) => (None, None, Some(&host.name)),
            };
            groups.entry(key).or_default().push(&host.name);
        }
        let place = |hosts: Vec<&'a HostName>| Place { migration, hosts };
        let may_change = |place: &Place<'_>| place.hosts.iter().any(|host| inputs.hosts.contains(*host));
        (migration, groups.into_values().map(place).filter(may_change).collect())
    };
    found.into_values().map(places).collect()
}
