//! A project over a simulated world: what the command line does, without terminal and network.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use housewright::apply::{Here, Outcome, Run};
use housewright::clickhouse::Endpoint;
use housewright::event::{Event, Sink};
use housewright::fleet::load::read;
use housewright::fleet::{ConnectionDefaults, Fleet, HostName, Reach, RoleName};
use housewright::inventory::Inventory;
use housewright::migration::{GoOn, MigrationId, RoleMigrations};
use housewright::observe::{Afterwards, Observed, Target, Ways, add_registrations, observe};
use housewright::plan::{Budget, Inputs, Part, Permissions, Plan, doubts, plan};
use housewright::problem::Problem;
use housewright::project::{self, Checked};
use housewright::remote::UnitName;
use housewright::render::{self, Desired, Templates};
use housewright::resource::Probe;
use housewright::reveal::{self, Ask, PasswordSource, Passwords};
use housewright::schema::Object;
use housewright::secret::{Secret, SecretRef, SecretStore};
use housewright::sim::{Loaded, SimFleet, SimHost};
use housewright::transport::lasting::Lasting;

pub fn name(text: &str) -> HostName {
    HostName::new(text).unwrap()
}

/// Takes the colours away.
pub fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// Small fleets with the repository's roles: that most of them have no host is no news.
fn of_the_story(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.retain(|problem| problem.code != "HW0407");
    problems
}

/// Everything that the operator wrote, and what should be on the hosts.
pub struct Project {
    pub inventory: Inventory,
    pub fleet: Fleet,
    pub objects: BTreeMap<RoleName, Vec<Object>>,
    pub migrations: RoleMigrations,
    pub notes: Vec<Problem>,
    pub desired: BTreeMap<HostName, Desired>,
    pub endpoints: BTreeMap<HostName, Endpoint>,
    pub secrets: SecretStore,
    /// Hosts that may be changed.
    pub hosts: BTreeSet<HostName>,
    pub permissions: Permissions,
    /// `--allow-destroy`.
    pub allow_destroy: Vec<String>,
    /// `--migration`.
    pub go_on: Vec<(MigrationId, GoOn)>,
    pub budget: Budget,
    pub only: Option<Part>,
    /// A restart of these units instead of the changes; of those that serve where none is named.
    pub restart: Option<BTreeSet<UnitName>>,
    /// The machine that runs the operator's commands.
    pub here: Arc<dyn Here>,
}

impl Project {
    /// Reads it as `housewright check` does; every secret gets the value that `secret` gives, vaulted ones their own by the
    /// password in `.vault_password`.
    pub fn load(
        inventory: &Path,
        roles: &Path,
        templates: Result<Templates, Vec<Problem>>,
        secret: impl Fn(&str) -> String,
    ) -> Result<Self, Vec<Problem>> {
        let source = PasswordSource::file(&inventory.join(".vault_password").to_string_lossy());
        let passwords = Passwords::new(vec![source], Ask::Never);
        let mut read = read(inventory, roles);
        reveal::open_files(&mut read.documents, &passwords, &mut read.problems);
        let Checked { inventory, fleet, objects, migrations, templates, notes } =
            project::check(read, templates, &ConnectionDefaults::default()).map_err(of_the_story)?;
        let notes = of_the_story(notes);
        let (vaulted, others): (BTreeSet<_>, BTreeSet<_>) =
            render::secrets_of(&fleet).into_iter().partition(|reference| matches!(reference, SecretRef::Vault(_)));
        let mut secrets = reveal::values(&vaulted, &inventory, &passwords)?;
        for reference in others {
            let value = secret(&reference.to_string());
            secrets.insert(reference, Secret::new(value));
        }
        let desired = render::render(&fleet, &templates, &secrets)?;
        let endpoint = |host: &housewright::fleet::Host| {
            let clickhouse = fleet.role_of(host)?.clickhouse.as_ref()?;
            let (http_port, user) = (clickhouse.http_port, clickhouse.user.clone());
            Some((host.name.clone(), Endpoint { http_port, user, password: None }))
        };
        let endpoints = fleet.hosts.values().filter_map(endpoint).collect();
        let reached = fleet.hosts.values().filter(|host| host.reach != Reach::Member);
        let hosts = reached.map(|host| host.name.clone()).collect();
        let permissions = Permissions::default();
        Ok(Self {
            inventory,
            fleet,
            objects,
            migrations,
            notes,
            desired,
            endpoints,
            secrets,
            hosts,
            permissions,
            allow_destroy: Vec::new(),
            go_on: Vec::new(),
            budget: Budget::default(),
            only: None,
            restart: None,
            here: Arc::new(SimFleet::default()),
        })
    }

    /// Every host as an image leaves it.
    pub fn bare_world(&self) -> SimFleet {
        let sim = SimFleet::default();
        for host in self.desired.keys() {
            sim.put(host.clone(), SimHost::bare());
        }
        for host in self.fleet.hosts.values().filter(|host| matches!(host.reach, Reach::Http(_))) {
            sim.put(host.name.clone(), SimHost::pod(self.of_operator(host)));
        }
        sim
    }

    /// What an operator that was given our manifest has a pod's server read.
    fn of_operator(&self, host: &housewright::fleet::Host) -> Loaded {
        let role = self.fleet.role_of(host).and_then(|role| role.host_cluster_role.clone()).unwrap();
        let replicas =
            |cluster: &housewright::fleet::Cluster| cluster.shards.iter().map(|shard| shard.members.len() as u64).sum();
        let clusters = self.fleet.clusters.values().map(|cluster| (cluster.name.to_string(), replicas(cluster)));
        Loaded {
            macros: BTreeMap::from([("hostClusterRole".to_owned(), role)]),
            clusters: clusters.collect(),
            ..Loaded::default()
        }
    }

    /// Asks the hosts and the other replicas of their shards.
    pub async fn observe(&self, sim: &SimFleet, sink: &dyn Sink) -> Observed {
        let mut names = self.hosts.clone();
        names.extend(self.fleet.stand_ins(&self.hosts));
        let target = |host| {
            let host: &housewright::fleet::Host = self.fleet.hosts.get(host)?;
            let probe = match self.desired.get(&host.name) {
                Some(desired) => Probe::of(desired),
                None => matches!(host.reach, Reach::Http(_)).then(|| Probe::of(&Desired::default()))?,
            };
            Some(Target { host, probe, endpoint: self.endpoints.get(&host.name).cloned() })
        };
        let sim = Lasting::new(Arc::new(sim.clone()), Arc::new(Record::default()));
        let targets = names.iter().filter_map(target).collect();
        let mut observed = observe(&sim, targets, 32, Afterwards::KeepWhere(&|_, _| true), sink).await;
        let doubts = doubts(&self.fleet, &self.desired, &self.objects, &observed.observation, &self.hosts);
        let ways = Ways { transport: &sim, fleet: &self.fleet, endpoints: &self.endpoints, at_once: 32 };
        add_registrations(ways, &doubts, &mut observed, sink).await;
        observed
    }

    pub fn plan(&self, observed: &Observed) -> Plan {
        plan(&self.inputs(observed))
    }

    pub fn inputs<'a>(&'a self, observed: &'a Observed) -> Inputs<'a> {
        Inputs {
            fleet: &self.fleet,
            desired: &self.desired,
            objects: &self.objects,
            migrations: &self.migrations,
            observation: &observed.observation,
            hosts: &self.hosts,
            permissions: self.permissions,
            allow_destroy: &self.allow_destroy,
            go_on: &self.go_on,
            budget: &self.budget,
            only: self.only,
            restart: self.restart.as_ref(),
        }
    }

    pub async fn run(&self, plan: Plan, observed: &Observed, how: How<'_>) -> Outcome {
        let run = Run {
            here: &*self.here,
            desired: &self.desired,
            found: &observed.observation,
            open: &observed.open,
            at_once: how.at_once,
            gate_timeout: Duration::from_secs(120),
            stop: how.stop,
            sink: how.sink,
        };
        housewright::apply::run(&plan.approve(), &run).await
    }

    /// Observes, plans and applies.
    pub async fn apply(&self, sim: &SimFleet) -> (Plan, Outcome) {
        let (sink, stop) = (Record::default(), AtomicBool::new(false));
        let observed = self.observe(sim, &sink).await;
        let plan = self.plan(&observed);
        let how = How { at_once: 32, stop: &stop, sink: &sink };
        (plan.clone(), self.run(plan, &observed, how).await)
    }

    /// What would be done now.
    pub async fn plan_now(&self, sim: &SimFleet) -> Plan {
        self.plan(&self.observe(sim, &Record::default()).await)
    }
}

#[derive(Clone, Copy)]
pub struct How<'a> {
    pub at_once: usize,
    pub stop: &'a AtomicBool,
    pub sink: &'a dyn Sink,
}

/// Keeps the events.
#[derive(Default, Clone)]
pub struct Record(pub Arc<Mutex<Vec<Event>>>);

impl Sink for Record {
    fn emit(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

impl Record {
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Runs a future on one thread, on a clock that jumps to the next timer when everybody waits.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(future)
}
