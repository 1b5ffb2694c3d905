//! Asks who of the coordination's replicas has no table any more, and who has its rows (edge).
//!
//! Nobody is asked where no table is missing. What is not answered is not known, and nothing is done about it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::StreamExt;

use super::Observed;
use crate::clickhouse::{ClickHouse, Endpoint, Rows, Statement};
use crate::event::Sink;
use crate::fleet::{Fleet, HostName};
use crate::resource::{Doubt, Here, HostObservation, PeerReplica, Place, Registration};
use crate::transport::lasting::{self, Patience};
use crate::transport::{Session, Transport};

/// Whom to ask, and how.
#[derive(Clone, Copy)]
pub struct Ways<'a> {
    /// To hosts whose connections were closed.
    pub transport: &'a dyn Transport,
    /// The hosts.
    pub fleet: &'a Fleet,
    /// Where their servers answer.
    pub endpoints: &'a BTreeMap<HostName, Endpoint>,
    /// How many at a time.
    pub at_once: usize,
}

/// Adds what is registered to what was found.
pub async fn add_registrations(
    ways: Ways<'_>,
    doubts: &BTreeMap<HostName, Doubt>,
    observed: &mut Observed,
    sink: &dyn Sink,
) {
    let asked: BTreeSet<&HostName> =
        doubts.iter().flat_map(|(name, doubt)| doubt.peers.iter().chain(doubt.answers.then_some(name))).collect();
    let open = &observed.open;
    let servers: BTreeMap<&HostName, Server> = futures_util::stream::iter(asked)
        .map(|name| async move {
            let kept = open.get(name).and_then(|open| open.clickhouse.clone());
            let server = match kept {
                Some(clickhouse) => Some(Server { clickhouse, session: None }),
                None => connect(ways, name, sink).await,
            };
            server.map(|server| (name, server))
        })
        .buffer_unordered(ways.at_once.max(1))
        .filter_map(|server| async move { server })
        .collect()
        .await;
    let servers = &servers;
    let found: Vec<(&HostName, Vec<Registration>)> = futures_util::stream::iter(doubts)
        .map(|(name, doubt)| async move { (name, of_host(name, doubt, servers).await) })
        .buffer_unordered(ways.at_once.max(1))
        .collect()
        .await;
    for server in servers.values() {
        if let Some(session) = &server.session {
            session.close().await;
        }
    }
    for (name, registrations) in found {
        if let Some(HostObservation::Reached(facts)) = observed.observation.hosts.get_mut(name) {
            facts.registrations = registrations;
        }
    }
}

/// A server that is asked, and a connection that is only for that.
struct Server {
    clickhouse: Arc<dyn ClickHouse>,
    session: Option<Arc<dyn Session>>,
}

impl Server {
    /// Once more where the answer was lost.
    async fn ask(&self, question: &Statement) -> Option<Rows> {
        match self.clickhouse.execute(question).await {
            Err(error) if error.passes() => self.clickhouse.execute(question).await.ok(),
            answer => answer.ok(),
        }
    }
}

async fn connect(ways: Ways<'_>, name: &HostName, sink: &dyn Sink) -> Option<Server> {
    let (host, endpoint) = (ways.fleet.hosts.get(name)?, ways.endpoints.get(name)?);
    let session = lasting::connect(ways.transport, host, Patience::FIRST, sink).await.ok()?;
    Some(Server { clickhouse: session.clickhouse(endpoint), session: Some(session) })
}

async fn of_host(name: &HostName, doubt: &Doubt, servers: &BTreeMap<&HostName, Server>) -> Vec<Registration> {
    let own = servers.get(name).filter(|_| doubt.answers);
    let peers: Vec<(&HostName, &Server)> =
        doubt.peers.iter().filter_map(|peer| Some((peer, servers.get(peer)?))).collect();
    let tellers: Vec<&Server> = own.into_iter().chain(peers.iter().map(|(_, server)| *server)).collect();
    let mut registrations = Vec::new();
    for place in registered(&doubt.places, &tellers).await {
        let mut registration = Registration { place: place.clone(), here: None, peers: BTreeMap::new() };
        if place.coordination.is_none() {
            if let Some(own) = own {
                registration.here = own.ask(&place.ask_here()).await.and_then(|rows| Here::parse(&rows).ok());
            }
            for (peer, server) in &peers {
                let told = server.ask(&place.ask_peer()).await.and_then(|rows| PeerReplica::parse(&rows).ok()?);
                registration.peers.extend(told.map(|told| ((*peer).clone(), told)));
            }
        }
        registrations.push(registration);
    }
    registrations
}

/// Those of the replicas that are registered, by the first server that tells.
async fn registered<'p>(places: &'p [Place], tellers: &[&Server]) -> Vec<&'p Place> {
    let mut by_coordination: BTreeMap<&Option<String>, Vec<&Place>> = BTreeMap::new();
    for place in places {
        by_coordination.entry(&place.coordination).or_default().push(place);
    }
    let mut registered = Vec::new();
    for places in by_coordination.into_values() {
        let Some(question) = Place::ask_registered(&places) else { continue };
        for teller in tellers {
            if let Some(rows) = teller.ask(&question).await {
                registered.extend(places.iter().filter(|place| place.is_in(&rows)));
                break;
            }
        }
    }
    registered
}
