//! Which secrets the fleet refers to (pure).
//!
//! Only a marker is a reference here: a mapping that merely looks like one, such as tags of an instance, is none.

use std::collections::BTreeSet;

use crate::fleet::{Fleet, Host, Reach, Seen};
use crate::secret::SecretRef;

/// Every secret that rendering the fleet and reaching its ClickHouse servers can need.
#[must_use]
pub fn secrets_of(fleet: &Fleet) -> BTreeSet<SecretRef> {
    let mut secrets = in_files(fleet, &|host| host.has_files());
    let passwords = fleet.roles.values().filter_map(|role| role.clickhouse.as_ref()?.password.clone());
    secrets.extend(passwords);
    secrets.extend(passwords_over_http(fleet));
    secrets
}

/// Every secret that rendering the pods of the fleet can need; an operator's pods get the values from Kubernetes.
#[must_use]
pub fn secrets_of_pods(fleet: &Fleet) -> BTreeSet<SecretRef> {
    in_files(fleet, &|host| host.vars.get(crate::k8s::VARIABLE).is_some())
}

fn in_files(fleet: &Fleet, wanted: &dyn Fn(&Host) -> bool) -> BTreeSet<SecretRef> {
    let mut secrets: BTreeSet<SecretRef> =
        fleet.clusters.values().filter_map(|cluster| cluster.secret.clone()).collect();
    let mut seen = Seen::default();
    for host in fleet.hosts.values().filter(|host| wanted(host)) {
        for value in host.vars.fresh_values(&mut seen) {
            SecretRef::collect(value, &mut secrets);
        }
    }
    secrets
}

/// The passwords of servers that are asked over HTTP.
pub fn passwords_over_http(fleet: &Fleet) -> impl Iterator<Item = SecretRef> {
    fleet.hosts.values().filter_map(|host| match &host.reach {
        Reach::Http(connection) => connection.password.clone(),
        Reach::Ssh(_) | Reach::Member => None,
    })
}
