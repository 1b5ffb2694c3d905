//! Which secrets the fleet refers to (pure).
//!
//! Only a marker is a reference here: a mapping that merely looks like one, such as tags of an instance, is none.

use std::collections::BTreeSet;

use crate::fleet::{Fleet, Reach, Seen};
use crate::secret::SecretRef;

/// Every secret that rendering the fleet and reaching its ClickHouse servers can need.
#[must_use]
pub fn secrets_of(fleet: &Fleet) -> BTreeSet<SecretRef> {
    let mut secrets: BTreeSet<SecretRef> =
        fleet.clusters.values().filter_map(|cluster| cluster.secret.clone()).collect();
    let passwords = fleet.roles.values().filter_map(|role| role.clickhouse.as_ref()?.password.clone());
    secrets.extend(passwords);
    let mut seen = Seen::default();
    for host in fleet.hosts.values().filter(|host| !matches!(host.reach, Reach::Member)) {
        for value in host.vars.fresh_values(&mut seen) {
            SecretRef::collect(value, &mut secrets);
        }
    }
    secrets
}
