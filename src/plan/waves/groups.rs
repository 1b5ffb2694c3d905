//! The groups of which only so many hosts may be away at a time (pure).
//!
//! Of a shard and of an ensemble it is one, whatever the options say; of a role and of its part in a zone it is a share.

use std::collections::{BTreeMap, BTreeSet};

use crate::fleet::{ClusterName, Fleet, Host, HostName, Layout, Placement, RoleName, Shards};
use crate::plan::{Amount, Inputs};

/// While half of the hosts is away, the others have twice their work: what a fleet with two replicas of each shard has to
/// bear anyway when a zone fails.
const SHARE: Amount = Amount::Percent(50);

/// Hosts that stand in for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group<'a> {
    /// All hosts of the run.
    Run,
    /// The coordination servers.
    Ensemble,
    /// The replicas of a shard.
    Shard(usize),
    /// The storage hosts of a cluster whose hosts all have the same rows.
    Copies(&'a ClusterName),
    /// The hosts of a role; of a stateless one a consumer group.
    Role(&'a RoleName),
    /// The hosts of a role in one zone.
    Zone(&'a RoleName, &'a str),
}

/// What goes away in a wave, and so which groups count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Nothing that serves.
    Write,
    /// Nothing, but a configuration that a server refuses is refused by all that read it.
    Reload,
    /// The server.
    Restart,
}

/// How many of a group may be away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit {
    /// How many there are.
    pub all: usize,
    /// How many of them may be away at a time through us.
    pub most: usize,
}

/// All groups of a fleet.
pub(super) struct Groups<'a> {
    pub shards: &'a Shards<'a>,
    copies: BTreeMap<&'a HostName, Vec<&'a ClusterName>>,
    /// How many hosts a group has, and how many of them do not serve and are not mended by this plan.
    counts: BTreeMap<Group<'a>, (usize, usize)>,
    share: Amount,
    run: Option<usize>,
    spare: usize,
}

impl<'a> Groups<'a> {
    /// Counts them; `going`: hosts that this plan takes away.
    pub fn of(inputs: &Inputs<'a>, shards: &'a Shards<'a>, going: &BTreeSet<&HostName>) -> Self {
        let fleet = inputs.fleet;
        let budget = inputs.budget;
        let (share, run) = match budget.max_unavailable {
            Some(Amount::Hosts(most)) => (SHARE, Some(most)),
            share => (share.unwrap_or(SHARE), None),
        };
        // A host that failed stays away while the run goes on.
        let spare = budget.max_failures;
        let (copies, counts) = (copies(fleet), BTreeMap::new());
        let mut groups = Self { shards, copies, counts, share, run, spare };
        for host in fleet.hosts.values() {
            let found = inputs.observation.hosts.get(&host.name);
            let away = found.is_some_and(|found| !found.serves()) && !going.contains(&host.name);
            for group in groups.around(host, Action::Restart) {
                let (all, down) = groups.counts.entry(group).or_default();
                *all += 1;
                *down += usize::from(away);
            }
        }
        groups
    }

    /// The groups that a host is in, as far as they count for what is done.
    pub fn around(&self, host: &'a Host, action: Action) -> Vec<Group<'a>> {
        let mut groups = Vec::new();
        if action == Action::Write {
            return groups;
        }
        groups.extend(self.shards.shards(&host.name).map(Group::Shard));
        if let Placement::Keeper { .. } = host.placement {
            groups.push(Group::Ensemble);
        }
        if action == Action::Reload {
            return groups;
        }
        groups.extend(self.run.map(|_| Group::Run));
        if !matches!(host.placement, Placement::Keeper { .. }) {
            groups.push(Group::Role(&host.role));
            groups.extend(host.zone.as_deref().map(|zone| Group::Zone(&host.role, zone)));
            groups.extend(self.copies.get(&host.name).into_iter().flatten().map(|cluster| Group::Copies(cluster)));
        }
        groups
    }

    /// How many of a group may be away.
    pub fn limit(&self, group: Group<'a>) -> Limit {
        let (all, down) = self.counts.get(&group).copied().unwrap_or_default();
        let most = match group {
            Group::Shard(_) | Group::Ensemble => 1,
            Group::Run => self.run.unwrap_or(all),
            Group::Copies(_) | Group::Role(_) | Group::Zone(..) => {
                self.share.of(all).saturating_sub(down + self.spare).max(1)
            }
        };
        Limit { all, most }
    }

    /// The share that holds for roles and zones.
    pub fn share(&self) -> Amount {
        self.share
    }

    /// A host's place among the replicas of its shard.
    pub fn turn(&self, host: &HostName) -> usize {
        let shard = self.shards.shards(host).next();
        shard.and_then(|shard| self.shards.hosts(shard).position(|other| other == host)).unwrap_or_default()
    }
}

/// The clusters of which a storage host is one of several copies.
fn copies(fleet: &Fleet) -> BTreeMap<&HostName, Vec<&ClusterName>> {
    let storage = fleet.hosts.values().filter(|host| matches!(host.placement, Placement::Storage { .. }));
    let named: BTreeMap<_, _> = storage.map(|host| (host.fqdn.as_str(), &host.name)).collect();
    let mut copies: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for cluster in fleet.clusters.values().filter(|cluster| cluster.layout == Layout::SingleShard) {
        for member in cluster.shards.iter().flat_map(|shard| &shard.members) {
            if let Some(host) = named.get(member.host.as_str()) {
                copies.entry(*host).or_default().push(&cluster.name);
            }
        }
    }
    copies
}
