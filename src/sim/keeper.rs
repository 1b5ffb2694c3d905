//! The simulated keepers: one ensemble, of all hosts that have a keeper's unit (edge).

use super::{SimHost, World};
use crate::fleet::HostName;
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

impl World {
    /// Lets the keepers that run elect a leader: the old one stays; without a majority there is none.
    pub(super) fn elect(&mut self) {
        let keepers: Vec<_> =
            self.hosts.iter().filter_map(|(name, host)| host.keeper().map(|(_, runs)| (name, runs))).collect();
        let running: Vec<_> = keepers.iter().filter(|(_, runs)| *runs).map(|(name, _)| *name).collect();
        let stays = self.leader.as_ref().filter(|leader| running.contains(leader));
        let leader = stays.or_else(|| running.last().copied()).cloned();
        self.leader = leader.filter(|_| running.len() * 2 > keepers.len());
    }

    /// What a host's keeper answers to a four-letter word.
    pub(super) fn keeper_answers(
        &mut self,
        host: &HostName,
        port: u16,
        question: &[u8],
    ) -> Result<Vec<u8>, SessionError> {
        self.elect();
        let keepers = self.hosts.values().filter(|host| host.keeper().is_some()).count();
        if self.hosts.get(host).and_then(SimHost::keeper) != Some((port, true)) {
            let reason = format!("nothing listens on port {port} of the host");
            return Err(SessionError::Refused { port, reason });
        }
        let mode = match &self.leader {
            _ if question == b"ruok" => return Ok(b"imok".to_vec()),
            leader if question == b"mntr" => {
                let leads = leader.as_ref() == Some(host);
                let others = self.hosts.values().filter(|host| host.keeper().is_some_and(|(_, runs)| runs)).count();
                let synced = format!("zk_synced_followers\t{}\n", others.saturating_sub(1 + self.lagging));
                return Ok(if leads { synced.into() } else { Vec::new() });
            }
            _ if question != b"srvr" => return Ok(Vec::new()),
            None => return Ok(b"This ZooKeeper instance is not currently serving requests\n".to_vec()),
            Some(_) if keepers == 1 => "standalone",
            Some(leader) if leader == host => "leader",
            Some(_) => "follower",
        };
        Ok(format!("Zookeeper version: 3.8.4\nConnections: 1\nZxid: 0x100000002\nMode: {mode}\nNode count: 5\n").into())
    }
}
