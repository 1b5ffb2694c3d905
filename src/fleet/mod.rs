//! What the inventory means: hosts, placements and clusters, resolved and validated (pure).

mod cluster;
mod doubts;
mod host;
mod http;
mod ids;
pub mod load;
mod resolve;
mod rollout;
mod shards;
mod storage;
mod traffic;
mod vars;

use std::collections::{BTreeMap, BTreeSet};

pub use cluster::{Cluster, ClusterShard, Layout, Member};
pub use doubts::Doubts;
pub use host::{Connection, Host, HostKeyPolicy, JumpHost, Placement, Privilege, Proxy, Reach};
pub use http::{HTTP_VARIABLE, HttpConnection, Tls};
pub use ids::{ClusterName, HostName, NameError, RoleName};
pub use resolve::{ConnectionDefaults, in_order, resolve};
pub(crate) use resolve::{place, words};
pub use rollout::{ROLLOUT, RolloutDefaults};
pub use shards::Shards;
pub use storage::{DEFAULT_DISK, STORAGE, Storage};
pub use traffic::{Hook, Place, TRAFFIC_HOOKS, TrafficHooks};
pub use vars::{Seen, Values, Vars};

use crate::inventory::pattern::Fact;
use crate::role::Role;

/// What resolved hosts are selected by.
fn facts(hosts: &BTreeMap<HostName, Host>) -> BTreeMap<HostName, Fact> {
    let fact = |host: &Host| {
        let shard = match host.placement {
            Placement::Storage { shard, .. } => Some(shard),
            Placement::Stateless | Placement::Keeper { .. } => None,
        };
        Fact { role: host.role.to_string(), shard, zone: host.zone.clone() }
    };
    hosts.iter().map(|(name, host)| (name.clone(), fact(host))).collect()
}

/// The resolved and validated whole.
#[derive(Debug, Clone, Default)]
pub struct Fleet {
    /// Every host of the inventory, pods included.
    pub hosts: BTreeMap<HostName, Host>,
    /// Every entry of `remote_servers`; the same on every host.
    pub clusters: BTreeMap<ClusterName, Cluster>,
    /// The roles that hosts have, with their includes merged in.
    pub roles: BTreeMap<RoleName, Role>,
    /// The network namespace in which every connection is opened, where the inventory names one.
    pub network_namespace: Option<String>,
    /// How runs go through it where no option says so.
    pub rollout: RolloutDefaults,
}

impl Fleet {
    /// The role of a host.
    #[must_use]
    pub fn role_of(&self, host: &Host) -> Option<&Role> {
        self.roles.get(&host.role)
    }

    /// What the hosts are selected by.
    #[must_use]
    pub fn facts(&self) -> BTreeMap<HostName, Fact> {
        facts(&self.hosts)
    }

    /// All hosts that stand in for some of these: other replicas of their shards in any cluster, other members of their
    /// ensemble.
    #[must_use]
    pub fn stand_ins(&self, hosts: &BTreeSet<HostName>) -> BTreeSet<HostName> {
        let shards = Shards::of(self);
        let is_member = |host: &&Host| matches!(host.placement, Placement::Keeper { .. });
        let mut peers: BTreeSet<_> = hosts.iter().flat_map(|host| shards.peers(host)).collect();
        if hosts.iter().filter_map(|host| self.hosts.get(host)).any(|host| is_member(&host)) {
            peers.extend(self.hosts.values().filter(is_member).map(|host| &host.name));
        }
        peers.into_iter().cloned().collect()
    }

    /// Hosts that stand in for each other: the replicas of a shard, or the members of the ensemble; itself included.
    #[must_use]
    pub fn peers(&self, host: &Host) -> Vec<&Host> {
        match &host.placement {
            Placement::Storage { .. } => self.shard_peers(host),
            Placement::Keeper { .. } => {
                self.hosts.values().filter(|peer| matches!(peer.placement, Placement::Keeper { .. })).collect()
            }
            Placement::Stateless => Vec::new(),
        }
    }

    /// Hosts that hold the same shard: the host itself included, in order of replica.
    #[must_use]
    pub fn shard_peers(&self, host: &Host) -> Vec<&Host> {
        let Placement::Storage { shard, .. } = &host.placement else { return Vec::new() };
        self.hosts
            .values()
            .filter(|peer| {
                peer.role == host.role
                    && matches!(&peer.placement, Placement::Storage { shard: theirs, .. } if theirs == shard)
            })
            .collect()
    }
}
