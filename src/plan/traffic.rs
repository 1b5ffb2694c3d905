//! Whether a host that an earlier run took out of traffic can be brought back now (pure).
//!
//! A host that is not well gets no traffic, and one whose way back nobody names stays where it is: both are told.

use super::Hold;
use crate::fleet::{Host, TrafficHooks};
use crate::resource::{ClickHouseFacts, HostFacts, KeeperFacts, Owed};

/// A host's traffic, around what a plan does there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct HostTraffic {
    /// The operator's commands.
    pub hooks: TrafficHooks,
    /// An earlier run took it out, and nothing brought it back.
    pub is_out: bool,
    /// It is out, and well: it can be brought back as it is.
    pub returns: bool,
}

impl HostTraffic {
    /// Looks at what the inventory names and what was found.
    pub fn of(host: &Host, facts: &HostFacts) -> Self {
        let (hooks, is_out) = (host.traffic_hooks(), facts.owed.contains(&Owed::Traffic));
        let returns = is_out && !hooks.is_empty() && is_well(facts).is_ok();
        Self { hooks, is_out, returns }
    }

    /// Why it stays out although nothing else is done on it, where it does.
    pub fn stays_out(&self, host: &Host, facts: &HostFacts) -> Option<Hold> {
        let hold = |reason, hint: String| {
            Some(Hold {
                host: host.name.clone(),
                what: "bring it back into traffic".to_owned(),
                reason,
                hint: Some(hint),
            })
        };
        let marker = Owed::Traffic.marker().map(|marker| marker.to_string()).unwrap_or_default();
        match is_well(facts) {
            _ if !self.is_out || self.returns => None,
            _ if self.hooks.is_empty() => hold(
                "an earlier run took it out, and its `traffic_hooks` name no way back".to_owned(),
                format!("bring it back by hand, then remove `{marker}`"),
            ),
            Err(why) => {
                hold(format!("an earlier run took it out, and it is not well: {why}"), "mend it first".to_owned())
            }
            Ok(()) => None,
        }
    }
}

/// Whether the host's servers, where it has some, serve.
fn is_well(facts: &HostFacts) -> Result<(), String> {
    match &facts.clickhouse {
        ClickHouseFacts::Up { server, .. } => server.serves()?,
        ClickHouseFacts::Down { reason } => return Err(reason.clone()),
        ClickHouseFacts::NotAsked => {}
    }
    match &facts.keeper {
        KeeperFacts::Down { reason } => Err(reason.clone()),
        KeeperFacts::Up { .. } | KeeperFacts::NotAsked => Ok(()),
    }
}
