//! Which hosts hold the same shard, by the inventory and by every sharded cluster (pure).
//!
//! A host may be in many clusters, and the shards of one need not be those of another: whoever takes hosts away looks at
//! all of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Fleet, HostName, Layout, Placement};

/// The hosts of each shard, and the shards of each host.
#[derive(Debug, Default)]
pub struct Shards<'a> {
    shards: Vec<BTreeSet<&'a HostName>>,
    of: BTreeMap<&'a HostName, Vec<usize>>,
}

impl<'a> Shards<'a> {
    /// Reads them off the fleet, each set of hosts once.
    #[must_use]
    pub fn of(fleet: &'a Fleet) -> Self {
        let mut shards = Self::default();
        let mut placed: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        let mut named: BTreeMap<&str, Vec<&HostName>> = BTreeMap::new();
        for host in fleet.hosts.values() {
            if let Placement::Storage { shard, .. } = host.placement {
                placed.entry((&host.role, shard)).or_default().insert(&host.name);
                named.entry(&host.fqdn).or_default().push(&host.name);
            }
        }
        placed.into_values().for_each(|hosts| shards.add(hosts));
        let sharded = fleet.clusters.values().filter(|cluster| cluster.layout == Layout::Sharded);
        for shard in sharded.flat_map(|cluster| &cluster.shards) {
            let hosts = shard.members.iter().filter_map(|member| named.get(member.host.as_str())).flatten();
            shards.add(hosts.copied().collect());
        }
        shards
    }

    /// Adds a shard, unless a known one has all of its hosts.
    fn add(&mut self, hosts: BTreeSet<&'a HostName>) {
        let Some(first) = hosts.first() else { return };
        let known = self.of.get(first).into_iter().flatten();
        if known.filter_map(|index| self.shards.get(*index)).any(|shard| hosts.is_subset(shard)) {
            return;
        }
        for host in &hosts {
            self.of.entry(host).or_default().push(self.shards.len());
        }
        self.shards.push(hosts);
    }

    /// The numbers of the shards that a host holds.
    pub fn shards(&self, host: &HostName) -> impl Iterator<Item = usize> {
        self.of.get(host).into_iter().flatten().copied()
    }

    /// The hosts of a shard, in order of name.
    pub fn hosts(&self, shard: usize) -> impl Iterator<Item = &'a HostName> {
        self.shards.get(shard).into_iter().flatten().copied()
    }

    /// All others that hold a shard of this host.
    #[must_use]
    pub fn peers(&self, host: &HostName) -> BTreeSet<&'a HostName> {
        self.shards(host).flat_map(|shard| self.hosts(shard)).filter(|peer| *peer != host).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{Cluster, ClusterName, ClusterShard, Host, Member, Reach, RoleName, Vars};

    fn name(name: &str) -> HostName {
        HostName::new(name).unwrap()
    }

    fn fleet(hosts: &[(&str, &str, u32)], clusters: &[(Layout, &[&[&str]])]) -> Fleet {
        let mut fleet = Fleet::default();
        for (host, role, shard) in hosts {
            let placement = Placement::Storage { shard: *shard, replica: (*host).to_owned() };
            let role = RoleName::new(*role).unwrap();
            let (fqdn, reach, vars) = (format!("{host}.internal"), Reach::Member, Vars::default());
            fleet.hosts.insert(name(host), Host { name: name(host), role, placement, fqdn, zone: None, reach, vars });
        }
        for (index, (layout, shards)) in clusters.iter().enumerate() {
            let member = |host: &&str| {
                let host = format!("{host}.internal");
                Member { host, port: 9000, secure: false, user: None, priority: None }
            };
            let shard = |hosts: &&[&str]| ClusterShard { members: hosts.iter().map(member).collect(), weight: None };
            let name = ClusterName::new(format!("c{index}")).unwrap();
            let shards = shards.iter().map(shard).collect();
            let cluster =
                Cluster { name: name.clone(), layout: *layout, shards, secret: None, internal_replication: true };
            fleet.clusters.insert(name, cluster);
        }
        fleet
    }

    fn peers(fleet: &Fleet, host: &str) -> Vec<String> {
        Shards::of(fleet).peers(&name(host)).into_iter().map(ToString::to_string).collect()
    }

    const HOSTS: [(&str, &str, u32); 4] = [("a1", "a", 1), ("a2", "a", 1), ("b1", "b", 1), ("b2", "b", 2)];

    #[test]
    fn a_shard_is_of_one_role_unless_a_cluster_says_otherwise() {
        let fleet = fleet(&HOSTS, &[]);
        assert_eq!(peers(&fleet, "a1"), ["a2"]);
        assert_eq!(peers(&fleet, "b1"), Vec::<String>::new());
    }

    #[test]
    fn a_host_has_peers_in_every_sharded_cluster() {
        let fleet = fleet(&HOSTS, &[(Layout::Sharded, &[&["a1", "b1"], &["b2"]]), (Layout::Sharded, &[&["a1", "a2"]])]);
        assert_eq!(peers(&fleet, "a1"), ["a2", "b1"]);
        assert_eq!(peers(&fleet, "b1"), ["a1"]);
        let shards = Shards::of(&fleet);
        assert_eq!(shards.shards(&name("a2")).count(), 1, "the same hosts are one shard");
        assert_eq!(shards.shards(&name("a1")).count(), 2);
    }

    #[test]
    fn a_cluster_that_names_every_host_as_a_copy_makes_no_shard() {
        let all = &["a1", "a2", "b1", "b2"][..];
        let fleet = fleet(&HOSTS, &[(Layout::SingleShard, &[all]), (Layout::OneShardPerHost, &[&["a1"], &["b1"]])]);
        assert_eq!(peers(&fleet, "b2"), Vec::<String>::new());
    }
}
