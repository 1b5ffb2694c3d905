//! The simulated keepers: one ensemble, of all hosts that have a keeper's unit (edge).

use std::collections::BTreeSet;

use super::{SimHost, World};
use crate::fleet::HostName;
use crate::remote::EntryKind;
use crate::resource::Membership;
use crate::transport::SessionError;

/// The units that are keepers, each with the port where it takes clients.
const KEEPERS: [(&str, u16); 2] = [("zookeeper", 2181), ("clickhouse-keeper", 9181)];

impl SimHost {
    /// The port of the host's keeper, and whether it runs.
    fn keeper(&self) -> Option<(u16, bool)> {
        let unit = |name: &str| self.units.iter().find(|(unit, _)| unit.to_string() == name).map(|(_, state)| state);
        KEEPERS.iter().find_map(|(name, port)| unit(name).map(|state| (*port, state.running)))
    }
}

/// Who the keepers are that a keeper has been told of, by what it was started with.
fn members(world: &World, name: &HostName) -> BTreeSet<HostName> {
    let Some(host) = world.hosts.get(name) else { return BTreeSet::new() };
    let started = host.units.values().filter(|unit| unit.running).flat_map(|unit| unit.started_with.values());
    let text = |kind: &EntryKind| match kind {
        EntryKind::File(content) => Some(String::from_utf8_lossy(content).into_owned()),
        EntryKind::Directory | EntryKind::Other => None,
    };
    let told = started.filter_map(text).find_map(|text| Membership::read(&text));
    let named: BTreeSet<String> = told.into_iter().flat_map(|members| members.0.into_values()).collect();
    let known = world.hosts.keys().filter(|host| named.contains(host.as_str())).cloned();
    let known: BTreeSet<HostName> = known.collect();
    // A story may give its hosts other names, or let a keeper run that nobody started.
    let all = || world.hosts.iter().filter(|(_, host)| host.keeper().is_some()).map(|(name, _)| name.clone()).collect();
    if known.is_empty() { all() } else { known }
}

impl World {
    /// Lets the keepers that run elect a leader: the old one stays; without a majority of those that it was told of there is none.
    pub(super) fn elect(&mut self) {
        let runs = |host: &SimHost| host.keeper().is_some_and(|(_, runs)| runs);
        let running: BTreeSet<&HostName> =
            self.hosts.iter().filter(|(_, host)| runs(host)).map(|(name, _)| name).collect();
        // A member votes for those alone that it was told of.
        let votes = |voter: &HostName, name: &HostName| running.contains(voter) && members(self, voter).contains(name);
        let may_lead = |name: &&HostName| {
            let members = members(self, name);
            members.iter().filter(|voter| votes(voter, name)).count() * 2 > members.len() && votes(name, name)
        };
        let stays = self.leader.as_ref().filter(|leader| may_lead(leader));
        let leader = stays.or_else(|| running.iter().rev().copied().find(|name| may_lead(name)));
        self.leader = leader.cloned();
    }

    /// The members that follow the leader, itself included.
    fn following(&self) -> BTreeSet<HostName> {
        let told = self.leader.as_ref().map(|leader| members(self, leader)).unwrap_or_default();
        let runs = |name: &HostName| self.hosts.get(name).and_then(SimHost::keeper).is_some_and(|(_, runs)| runs);
        told.into_iter().filter(runs).collect()
    }

    /// What a host's keeper answers to a four-letter word.
    pub(super) fn keeper_answers(
        &mut self,
        host: &HostName,
        port: u16,
        question: &[u8],
    ) -> Result<Vec<u8>, SessionError> {
        self.elect();
        let following = self.following();
        let alone = self.leader.as_ref().is_some_and(|leader| members(self, leader).len() == 1);
        if self.hosts.get(host).and_then(SimHost::keeper) != Some((port, true)) {
            let reason = format!("nothing listens on port {port} of the host");
            return Err(SessionError::Refused { port, reason });
        }
        let mode = match &self.leader {
            _ if question == b"ruok" => return Ok(b"imok".to_vec()),
            leader if question == b"mntr" => {
                let leads = leader.as_ref() == Some(host);
                let synced = format!("zk_synced_followers\t{}\n", following.len().saturating_sub(1 + self.lagging));
                return Ok(if leads { synced.into() } else { Vec::new() });
            }
            _ if question != b"srvr" => return Ok(Vec::new()),
            None => return Ok(b"This ZooKeeper instance is not currently serving requests\n".to_vec()),
            // It runs, and nobody was told of it.
            Some(_) if !following.contains(host) => {
                return Ok(b"This ZooKeeper instance is not currently serving requests\n".to_vec());
            }
            Some(_) if alone => "standalone",
            Some(leader) if leader == host => "leader",
            Some(_) => "follower",
        };
        Ok(format!("Zookeeper version: 3.8.4\nConnections: 1\nZxid: 0x100000002\nMode: {mode}\nNode count: 5\n").into())
    }
}
