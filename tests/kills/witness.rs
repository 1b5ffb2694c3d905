//! Who looks on from outside: after every act on a host, at the hosts alone, not at what the program says of itself.
//!
//! Only two things are taken from its events: which host is begun, and when the gate of its peers was open. A peer that dies
//! behind that gate is nobody's fault.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use housewright::event::{Event, Sink};
use housewright::fleet::{HostName, Placement};
use housewright::remote::{EntryKind, RemotePath, UnitName};
use housewright::resource::{Detached, Owed};
use housewright::sim::{SimHost, Transition, World};

use crate::faults::EDITED;
use crate::fleets::MEMBER;
use crate::world::Project;

/// What may be there of each file: what was, and what should be.
type Contents = BTreeMap<HostName, BTreeMap<RemotePath, Vec<Option<Bytes>>>>;

/// What holds of a fleet whatever happens.
pub struct Rules {
    shards: Vec<BTreeSet<HostName>>,
    keepers: BTreeSet<HostName>,
    contents: Contents,
    marker: RemotePath,
}

impl Rules {
    pub fn new(then: &Project, now: &Project) -> Self {
        let mut shards: BTreeMap<_, BTreeSet<HostName>> = BTreeMap::new();
        let mut keepers = BTreeSet::new();
        let mut contents = Contents::new();
        for host in now.fleet.hosts.values() {
            match &host.placement {
                Placement::Storage { shard, .. } => {
                    shards.entry((&host.role, *shard)).or_default().insert(host.name.clone());
                }
                Placement::Keeper { .. } => drop(keepers.insert(host.name.clone())),
                Placement::Stateless => {}
            }
            let (then, now) = (&then.desired[&host.name], &now.desired[&host.name]);
            let text = |desired: &housewright::render::Desired, path: &RemotePath| {
                desired.files.get(path).map(|file| file.content.bytes().expose().clone())
            };
            let paths: BTreeSet<_> = then.files.keys().chain(now.files.keys()).collect();
            let both = |path: &RemotePath| (path.clone(), vec![text(then, path), text(now, path)]);
            contents.insert(host.name.clone(), paths.into_iter().map(both).collect());
        }
        let marker = Owed::Attach(Detached::default()).marker().unwrap();
        Self { shards: shards.into_values().collect(), keepers, contents, marker }
    }

    fn shard(&self, host: &HostName) -> Option<&BTreeSet<HostName>> {
        self.shards.iter().find(|shard| shard.contains(host))
    }
}

/// What holds of one run besides.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// `--allow shard-outage`, `--allow quorum-outage`.
    pub outage: bool,
    /// Nothing from outside happens, and only one run is under way.
    pub alone: bool,
    /// So many hosts may be away.
    pub most: Option<usize>,
    /// The first host goes alone.
    pub canary: bool,
    /// So many hosts may fail.
    pub failures: usize,
    /// The hosts of a wave go one by one.
    pub one_by_one: bool,
    /// No server goes away at all.
    pub no_restart: bool,
}

#[derive(Default)]
pub struct Seen {
    pub limits: Limits,
    /// How many acts there were in this run.
    pub acts: usize,
    /// When each host's fate was another's.
    pub struck: BTreeMap<HostName, usize>,
    pub broken: Vec<String>,
    pub trail: Vec<String>,
    /// The step that was begun last.
    pub step: String,
    /// Tables were seen detached.
    pub detached: usize,
    pub given_back: usize,
    /// Who led when the run began.
    pub leader: Option<HostName>,
    leader_went: bool,
    log: usize,
    written: BTreeMap<HostName, tokio::time::Instant>,
    away: BTreeSet<HostName>,
    went: Vec<HostName>,
    gates: BTreeMap<HostName, usize>,
    /// Hosts that this run has begun: in its wave, and in all.
    begun: BTreeSet<HostName>,
    ours: BTreeSet<HostName>,
    failures: usize,
}

/// Shared by the world, the run's events and the driver.
#[derive(Clone)]
pub struct Witness(Arc<Rules>, Arc<Mutex<Seen>>);

impl Witness {
    pub fn new(rules: Arc<Rules>) -> Self {
        Self(rules, Arc::default())
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.1.lock().unwrap()
    }

    /// Another run begins.
    pub fn begin(&self, limits: Limits, leader: Option<HostName>) {
        let mut seen = self.seen();
        seen.trail.push(format!("== a run: {limits:?}"));
        (seen.limits, seen.acts, seen.failures, seen.leader_went) = (limits, 0, 0, false);
        (seen.leader, seen.went) = (leader, Vec::new());
        seen.gates.clear();
        seen.ours.clear();
        seen.struck.values_mut().for_each(|when| *when = 0);
    }

    /// The run has come to its end: what it took away and left so is down for all that follow.
    pub fn over(&self) {
        self.seen().went.clear();
    }

    pub fn look(&self, host: &HostName, world: &World) {
        let mut seen = self.seen();
        let from = seen.log;
        for transition in &world.log[from..] {
            seen.transition(&self.0, transition, world);
        }
        seen.log = world.log.len();
        seen.away.retain(|away| world.hosts.get(away).is_some_and(|host| !serves(host)));
        if let Some(sim) = world.hosts.get(host) {
            // Nothing is compared again where nobody wrote.
            if sim.written.is_some() && seen.written.get(host) != sim.written.as_ref() {
                seen.written.extend(sim.written.map(|at| (host.clone(), at)));
                seen.files(&self.0, host, sim);
            }
            seen.journal(&self.0, host, sim);
        }
    }
}

fn serves(host: &SimHost) -> bool {
    let member = UnitName::new(MEMBER).ok().and_then(|unit| host.units.get(&unit));
    match (member, &host.server) {
        (Some(member), _) => member.running,
        (None, Some(server)) => server.up && server.readonly() == 0,
        (None, None) => false,
    }
}

impl Seen {
    fn wrong(&mut self, what: String) {
        self.trail.push(format!("!! {what}"));
        self.broken.push(what);
    }

    fn transition(&mut self, rules: &Rules, transition: &Transition, world: &World) {
        let Transition { host, serves: back, before, serving, .. } = transition;
        self.trail.push(format!("   {host} {}", if *back { "is back" } else { "goes away" }));
        if *back || !*before {
            return;
        }
        if self.limits.no_restart {
            self.wrong(format!("{host} was restarted, and nothing should be"));
        }
        if let Some(shard) = rules.shard(host) {
            let others: Vec<_> = shard.iter().filter(|other| *other != host).collect();
            // What a run before this one took away counts as down: of three, the third may serve.
            let ours = |other: &HostName| self.ours.contains(host) && self.went.contains(other);
            if let Some(other) = others.iter().find(|other| self.away.contains(**other) && ours(other)) {
                self.wrong(format!("{host} was taken away while {other} of its shard was away through us"));
            }
            let one_serves = others.iter().any(|other| serving.contains(*other));
            let gate = self.gates.get(host);
            let excused = others.iter().any(|other| gate.is_some_and(|gate| self.struck.get(*other) > Some(gate)));
            if serving.contains(host) && !one_serves && !excused && !self.limits.outage {
                self.wrong(format!("{host} was the last of its shard that served"));
            }
            self.locked(host, others.len(), world);
        }
        if rules.keepers.contains(host) {
            self.member(rules, host, world);
        }
        self.budget(host);
        self.away.insert(host.clone());
        self.went.push(host.clone());
    }

    fn member(&mut self, rules: &Rules, host: &HostName, world: &World) {
        let others: Vec<_> = rules.keepers.iter().filter(|other| *other != host).collect();
        let running = others.iter().filter(|other| world.hosts.get(**other).is_some_and(serves)).count();
        let gate = self.gates.get(host);
        let excused = others.iter().any(|other| gate.is_some_and(|gate| self.struck.get(*other) > Some(gate)));
        if running < rules.keepers.len() / 2 + 1 && !excused && !self.limits.outage {
            self.wrong(format!("{host} was taken away, and {running} others are no quorum"));
        }
        self.locked(host, others.len(), world);
        if self.limits.alone && self.leader_went {
            self.wrong(format!("{host} went after the leader"));
        }
        self.leader_went |= self.leader.as_ref() == Some(host);
    }

    /// Nobody is taken away, of those that others stand in for, without the host's lock.
    fn locked(&mut self, host: &HostName, others: usize, world: &World) {
        if self.limits.alone && !self.limits.outage && others > 0 && !world.locks.contains_key(host) {
            self.wrong(format!("{host} was taken away without its lock"));
        }
    }

    fn budget(&mut self, host: &HostName) {
        if !self.limits.alone {
            return;
        }
        if let Some(most) = self.limits.most.filter(|most| self.away.len() >= *most) {
            self.wrong(format!("{host} was taken away while {:?} were, and {most} may be", self.away));
        }
        if let ([first], true) = (self.went.as_slice(), self.limits.canary)
            && self.away.contains(first)
        {
            self.wrong(format!("{host} was taken away while {first}, the first of all, was"));
        }
    }

    /// Each file is old or new, never half.
    fn files(&mut self, rules: &Rules, host: &HostName, sim: &SimHost) {
        for (path, may) in rules.contents.get(host).into_iter().flatten() {
            let is = match sim.entries.get(path).map(|entry| &entry.kind) {
                Some(EntryKind::File(is)) => Some(is),
                Some(_) => continue,
                None => None,
            };
            if !may.iter().any(|may| may.as_ref() == is) && is.is_none_or(|is| is.as_ref() != EDITED.as_bytes()) {
                self.wrong(format!("`{path}` on {host} is neither old nor new: {is:?}"));
            }
        }
    }

    /// Nothing is detached that the host itself does not know of.
    fn journal(&mut self, rules: &Rules, host: &HostName, sim: &SimHost) {
        let Some(server) = &sim.server else { return };
        let noted = sim.text(&rules.marker).unwrap_or_default();
        for (table, _) in &server.flow.detached {
            self.detached += 1;
            let name = table.name.to_string();
            let name = name.rsplit('.').next().unwrap_or_default().to_owned();
            if !noted.contains(&name) {
                self.wrong(format!("{name} is detached on {host}, and the host's note says {noted:?}"));
            }
        }
    }
}

impl Sink for Witness {
    fn emit(&self, event: Event) {
        let mut seen = self.seen();
        match event {
            Event::StepStarted { host, step } => {
                let late = seen.begun.insert(host.clone()) && seen.failures > seen.limits.failures;
                seen.ours.insert(host.clone());
                seen.trail.push(format!("{host}: {step}"));
                if late && seen.limits.one_by_one {
                    let failures = seen.failures;
                    seen.wrong(format!("{host} was begun behind {failures} failures"));
                }
                seen.step = step;
            }
            Event::StepFinished { host, step } if step.starts_with("gate: shard ") || step.ends_with(" serve") => {
                let acts = seen.acts;
                seen.gates.insert(host, acts);
            }
            Event::WaveStarted { title, .. } => {
                seen.begun.clear();
                seen.trail.push(format!("-- {title}"));
                if seen.failures > seen.limits.failures {
                    let failures = seen.failures;
                    seen.wrong(format!("`{title}` was begun behind {failures} failures"));
                }
            }
            Event::HostFailed { host, failure } => {
                seen.failures += usize::from(failure.stops_run);
                seen.given_back += usize::from(failure.given_back.is_some());
                seen.trail
                    .push(format!("{host} failed: {}: {} {:?}", failure.step, failure.reason, failure.given_back));
            }
            Event::FallbackStarted { host, step, .. } => seen.trail.push(format!("{host}: the way back from {step}")),
            Event::AnswerLost { host, step, .. } => seen.trail.push(format!("{host}: the answer to {step} is lost")),
            Event::GateWaiting { host, gate, because } => {
                seen.trail.push(format!("{host}: {gate}: {because}"));
                seen.step = gate;
            }
            Event::RunStopped { reason } => seen.trail.push(format!("stopped: {reason}")),
            _ => {}
        }
    }
}

/// The events of another run beside: only which hosts it begins.
pub struct Beside(pub Witness);

impl Sink for Beside {
    fn emit(&self, event: Event) {
        if let Event::StepStarted { host, step } = event {
            let mut seen = self.0.seen();
            seen.trail.push(format!("   another run: {host}: {step}"));
            // Who allows an outage by name has nobody's word for the other replicas, another run's neither.
            if !seen.limits.outage {
                seen.ours.insert(host);
            }
        }
    }
}
