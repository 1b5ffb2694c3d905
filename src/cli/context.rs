//! What the verbs that speak to hosts share: the runtime, the transport, one observation (edge).

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use super::error::CommandError;
use super::project::Project;
use super::{Global, output};
use crate::clickhouse::Endpoint;
use crate::event::{Event, Sink};
use crate::fleet::{Host, HostName, Reach};
use crate::observe::{Afterwards, Observed, Target, Ways as Servers, add_registrations, observe};
use crate::plan::doubts;
use crate::render::Desired;
use crate::resource::{HostFacts, Probe, is_as_desired};
use crate::secret::SecretStore;
use crate::transport::lasting::Lasting;
use crate::transport::{HttpOptions, HttpTransport, SshOptions, SshTransport, Ways};

/// Runs a future to its end on one thread: the client needs 1 ms of CPU per host.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::plain(format!("cannot start the runtime: {error}")))?;
    let answer = runtime.block_on(future);
    // What still blocks a thread, such as a name that does not resolve, is not waited for.
    runtime.shutdown_background();
    Ok(answer)
}

/// The way to hosts, as this user has it; a lock of a host is taken as one of these endpoints' users.
pub(super) fn transport(endpoints: BTreeMap<HostName, Endpoint>, run: Option<&str>) -> Ways {
    let mut options = SshOptions::from_environment();
    if let Some(run) = run {
        options.holder = format!("{} in run {run}", options.holder);
    }
    let http = HttpOptions { endpoints, holder: options.holder.clone() };
    Ways { ssh: SshTransport::new(options), http: HttpTransport::new(http) }
}

/// A project with what should be on each of its hosts.
pub(super) struct Context {
    pub project: Project,
    pub desired: BTreeMap<HostName, Desired>,
    pub endpoints: BTreeMap<HostName, Endpoint>,
    /// Hosts that the operator chose and that are reached.
    pub hosts: BTreeSet<HostName>,
    /// How the run is called, where there is one: whoever waits for a lock reads it.
    pub run: Option<String>,
    /// The values of all secrets.
    pub secrets: SecretStore,
    /// Where connections that are opened again tell of it.
    pub relay: Arc<Relay>,
}

/// Passes events on to the reporter of the moment.
#[derive(Default)]
pub(super) struct Relay(Mutex<Option<Arc<dyn Sink>>>);

impl Relay {
    /// From now on to this one.
    pub(super) fn tell(&self, sink: Arc<dyn Sink>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sink);
    }
}

impl Sink for Relay {
    fn emit(&self, event: Event) {
        let sink = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(sink) = sink {
            sink.emit(event);
        }
    }
}

impl Context {
    /// Loads, resolves and renders everything, and enters the fleet's network namespace where it has one.
    pub(super) fn load(global: &Global) -> Result<Self, CommandError> {
        let context = Self::without_network(global)?;
        context.project.enter_network()?;
        Ok(context)
    }

    /// The same where no host is asked.
    pub(super) fn without_network(global: &Global) -> Result<Self, CommandError> {
        let project = Project::load(global)?;
        output::notes(&project.notes);
        let hosts = project.chosen(global)?;
        let secrets = project.secrets()?;
        let desired = project.render(&secrets)?;
        let endpoints = project.endpoints(&secrets);
        Ok(Self { project, desired, endpoints, hosts, run: None, secrets, relay: Arc::default() })
    }

    /// The chosen hosts and those that stand in for them.
    pub(super) fn asked(&self) -> BTreeSet<HostName> {
        let fleet = &self.project.fleet;
        let mut names = self.hosts.clone();
        names.extend(fleet.stand_ins(&self.hosts));
        names.retain(|name| fleet.hosts.get(name).is_some_and(|host| host.reach != Reach::Member));
        names
    }

    /// Loads and resolves only: no secret is read, and nothing is rendered.
    pub(super) fn without_files(global: &Global) -> Result<Self, CommandError> {
        let project = Project::load(global)?;
        let hosts = project.chosen(global)?;
        project.enter_network()?;
        let (desired, endpoints) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self {
            project,
            desired,
            endpoints,
            secrets: crate::secret::SecretStore::default(),
            hosts,
            run: None,
            relay: Arc::default(),
        })
    }

    /// Asks the chosen hosts; with `peers`, also the other replicas of their shards.
    pub(super) async fn observe(
        &self,
        global: &Global,
        peers: Peers,
        afterwards: Afterwards<'_>,
        sink: &dyn Sink,
    ) -> Observed {
        let fleet = &self.project.fleet;
        let mut names = self.hosts.clone();
        if peers == Peers::Too {
            names.extend(fleet.stand_ins(&self.hosts));
        }
        let hosts = names.iter().filter_map(|name| fleet.hosts.get(name)).filter(|host| host.reach != Reach::Member);
        let targets = hosts.map(|host| self.target(host)).collect();
        let ways = transport(self.endpoints.clone(), self.run.as_deref());
        let transport = Lasting::new(Arc::new(ways), Arc::clone(&self.relay) as Arc<dyn Sink>);
        let mut observed = observe(&transport, targets, global.forks, afterwards, sink).await;
        if peers == Peers::Too {
            let doubts = doubts(fleet, &self.desired, &self.project.objects, &observed.observation, &self.hosts);
            let ways = Servers { transport: &transport, fleet, endpoints: &self.endpoints, at_once: global.forks };
            add_registrations(ways, &doubts, &mut observed, sink).await;
        }
        observed
    }

    /// Whether an apply may come back to a host: something differs, or its servers are asked again.
    pub(super) fn may_come_back(&self, host: &Host, facts: &HostFacts) -> bool {
        let right = self.desired.get(&host.name).is_none_or(|desired| is_as_desired(desired, facts));
        !right || self.endpoints.contains_key(&host.name) || host.keeper_port().is_some()
    }

    fn target<'a>(&self, host: &'a Host) -> Target<'a> {
        let probe = self.desired.get(&host.name).map_or_else(|| Probe::of(&Desired::default()), Probe::of);
        Target { host, probe, endpoint: self.endpoints.get(&host.name).cloned() }
    }
}

/// Whether replicas that were not chosen are asked for their health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peers {
    /// They are.
    Too,
    /// They are not.
    Not,
}
