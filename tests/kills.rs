//! Ten thousand rolls over simulated fleets, each from the first look to the last: random fleets, changes, budgets and faults,
//! and a Housewright that is killed anywhere.
//!
//! A witness looks on from outside, after every act on a host. In the end all faults are lifted, and the runs that follow
//! must bring the fleet to what is wanted, with no restart too many where nothing went wrong.
//! `HOUSEWRIGHT_CASES=100000` looks longer, `HOUSEWRIGHT_SEED=7` elsewhere.

#[path = "kills/faults.rs"]
mod faults;
#[path = "kills/fleets.rs"]
mod fleets;
#[path = "kills/witness.rs"]
mod witness;
mod world;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use faults::{Fault, What, fault, lift, revive, strike, victim};
use fleets::{Change, KEPT, ROWS, Shape, changes, project, restarts, shape};
use housewright::apply::Outcome;
use housewright::clickhouse::{lex, unquote};
use housewright::event::Failure;
use housewright::fleet::{HostName, Placement};
use housewright::plan::{Amount, Budget, Canary, Hold, Part, Permissions, Plan};
use housewright::remote::EntryKind;
use housewright::schema::recording::is_own;
use housewright::schema::{Object, ObjectName};
use housewright::sim::{Fate, SimFleet, SimServer};
use housewright::transport::shell::STAGING;
use proptest::prelude::*;
use tokio::sync::Notify;
use witness::{Beside, Limits, Rules, Witness};
use world::{How, Project, Record, block_on};

/// So many rolls at least, in all tests of this file together.
const CASES: usize = 10_000;
/// Each is a process of its own for nextest.
const TESTS: usize = 4;
/// Behind the faults, so many runs bring any fleet to its end.
const MOST_RUNS: usize = 5;
/// A killed unit is started again by systemd behind so many acts.
const REVIVED_AFTER: usize = 9;

/// A fleet, and what is rolled over it.
#[derive(Debug, Clone)]
struct Story {
    shape: Shape,
    /// A restarted server takes no writes for so long.
    warm_up_ms: u64,
    rolls: Vec<Roll>,
}

/// A change: once without faults, and then with them.
#[derive(Debug, Clone)]
struct Roll {
    changes: BTreeSet<Change>,
    clean: Options,
    attempts: Vec<Attempt>,
}

#[derive(Debug, Clone)]
struct Options {
    budget: Budget,
    only: Option<Part>,
    outage: bool,
    at_once: usize,
}

#[derive(Debug, Clone)]
struct Attempt {
    options: Options,
    faults: Vec<Fault>,
    /// Housewright is killed, in thousandths of what a run without faults does.
    kill: Option<usize>,
    /// How long until somebody begins again.
    pause_ms: u64,
    /// The first run that follows still meets the faults.
    lasting: bool,
}

fn options() -> impl Strategy<Value = Options> {
    let amount = || prop_oneof![(1_usize..4).prop_map(Amount::Hosts), (20_u8..=100).prop_map(Amount::Percent)];
    let canary = prop_oneof![4 => Just(1_usize), 1 => Just(0), 1 => Just(2)].prop_map(Canary::Each);
    let serial = prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(amount(), 1..=2)];
    let unavailable = prop::option::weighted(0.3, amount());
    let failures = prop_oneof![4 => Just(0_usize), 1 => Just(1)];
    let budget = (serial, canary, unavailable, failures).prop_map(|(serial, canary, max_unavailable, max_failures)| {
        Budget { serial, canary, max_unavailable, max_failures }
    });
    let only = prop::sample::select(vec![Part::Config, Part::Host, Part::Restart, Part::Schema]);
    (budget, prop::option::weighted(0.15, only), prop::bool::weighted(0.3), 1_usize..8)
        .prop_map(|(budget, only, outage, at_once)| Options { budget, only, outage, at_once })
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let faults = prop_oneof![
        2 => Just(Vec::new()).boxed(),
        5 => prop::collection::vec(fault(), 1).boxed(),
        2 => prop::collection::vec(fault(), 2..=3).boxed(),
    ];
    let pause = prop_oneof![1 => Just(0_u64), 1 => 0_u64..700, 1 => Just(6000)];
    (options(), faults, prop::option::weighted(0.6, 0_usize..1000), pause, any::<bool>())
        .prop_map(|(options, faults, kill, pause_ms, lasting)| Attempt { options, faults, kill, pause_ms, lasting })
}

fn story() -> impl Strategy<Value = Story> {
    let roll = (changes(), options(), prop::collection::vec(attempt(), 8..=10))
        .prop_map(|(changes, clean, attempts)| Roll { changes, clean, attempts });
    let warm_up = prop_oneof![1 => Just(0_u64), 2 => 0_u64..4000];
    (shape(), warm_up, prop::collection::vec(roll, 1..=2)).prop_map(|(shape, warm_up_ms, rolls)| Story {
        shape,
        warm_up_ms,
        rolls,
    })
}

/// What was met, so that the rolls cannot become trivial in silence.
#[derive(Debug, Default)]
struct Met {
    fleets: usize,
    cases: usize,
    runs: usize,
    /// By what happened.
    struck: BTreeMap<String, usize>,
    /// By the step in whose middle Housewright was killed.
    killed: BTreeMap<String, usize>,
    /// Units that were taken away through us.
    restarted: usize,
    /// How often a look found a detached table.
    detached: usize,
    given_back: usize,
    /// Rolls that something held back until it was allowed.
    held: usize,
    /// Rolls with nothing but a kill.
    only_killed: usize,
    failed: usize,
}

type Checked = Result<(), TestCaseError>;

macro_rules! check {
    ($holds:expr, $($text:tt)*) => {
        if !$holds {
            return Err(TestCaseError::fail(format!($($text)*)));
        }
    };
}

/// Ends a future behind so many polls: the process is killed there.
struct Killed<F> {
    work: Pin<Box<F>>,
    left: Option<usize>,
    polls: usize,
}

impl<F: Future> Future for Killed<F> {
    type Output = (Option<F::Output>, usize);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.left == Some(self.polls) {
            return Poll::Ready((None, self.polls));
        }
        self.polls += 1;
        let polls = self.polls;
        self.work.as_mut().poll(context).map(|done| (Some(done), polls))
    }
}

/// How much a run without faults does: what the moments of faults and kills are shares of.
#[derive(Debug, Clone, Copy, Default)]
struct Length {
    polls: usize,
    acts: usize,
}

/// A world in the middle of a case.
struct Scene<'a> {
    sim: SimFleet,
    witness: Witness,
    then: &'a Project,
    now: &'a mut Project,
    changes: &'a BTreeSet<Change>,
    met: &'a RefCell<Met>,
}

impl<'a> Scene<'a> {
    fn new(
        base: &SimFleet,
        (then, now, rules): (&'a Project, &'a mut Project, &Arc<Rules>),
        roll: &'a Roll,
        met: &'a RefCell<Met>,
    ) -> Self {
        let sim = SimFleet::default();
        for (name, host) in base.with(|world| world.hosts.clone()) {
            sim.put(name, host);
        }
        let witness = Witness::new(Arc::clone(rules));
        let looks = witness.clone();
        sim.with(|world| {
            world.witness = housewright::sim::Witness::new(move |host, world| looks.look(host, world));
        });
        Self { sim, witness, then, now, changes: &roll.changes, met }
    }

    fn set(&mut self, options: &Options) {
        self.now.budget = options.budget.clone();
        self.now.only = options.only;
        self.now.permissions =
            Permissions { shard_outage: options.outage, quorum_outage: options.outage, ..Permissions::default() };
    }

    fn limits(&self, alone: bool, at_once: usize) -> Limits {
        let budget = &self.now.budget;
        Limits {
            outage: self.now.permissions.shard_outage,
            alone,
            most: match budget.max_unavailable {
                Some(Amount::Hosts(most)) => Some(most),
                _ => None,
            },
            canary: alone && !matches!(budget.canary, Canary::Each(0)),
            failures: budget.max_failures,
            one_by_one: at_once == 1,
            no_restart: matches!(self.now.only, Some(Part::Config | Part::Schema)),
        }
    }

    /// Looks, plans and begins a run with its faults; kills it where that is wanted.
    async fn first(
        &mut self,
        options: &Options,
        faults: &[Fault],
        kill: Option<usize>,
        length: Length,
    ) -> Result<Length, TestCaseError> {
        self.set(options);
        let alone = faults.is_empty();
        let observed = self.now.observe(&self.sim, &Record::default()).await;
        self.witness.begin(self.limits(alone, options.at_once), self.sim.with(|world| world.leader.clone()));
        let plan = self.now.plan(&observed);
        let (stop, second) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
        let two = faults.iter().any(|fault| fault.what == What::SecondRun);
        let struck = self.fate(faults, length, &stop, &second);
        let how = How { at_once: options.at_once, stop: &stop, sink: &self.witness };
        let left = kill.map(|kill| 1 + length.polls * kill / 1000);
        let work = Killed { work: Box::pin(self.now.run(plan, &observed, how)), left, polls: 0 };
        let first = async {
            let done = work.await;
            self.witness.over();
            second.notify_one();
            done
        };
        let other = async {
            if two {
                second.notified().await;
                let sink = Beside(self.witness.clone());
                let observed = self.now.observe(&self.sim, &sink).await;
                let how = How { at_once: 4, stop: &AtomicBool::new(false), sink: &sink };
                self.now.run(self.now.plan(&observed), &observed, how).await;
            }
        };
        let ((outcome, polls), ()) = tokio::join!(first, other);
        drop(observed);
        let acts = self.witness.seen().acts;
        let mut met = self.met.borrow_mut();
        met.runs += 1;
        for what in struck.lock().unwrap().iter() {
            *met.struck.entry(what.name()).or_default() += 1;
        }
        match &outcome {
            None => {
                let step = kind(&self.witness.seen().step);
                *met.killed.entry(step).or_default() += 1;
            }
            Some(outcome) if alone && kill.is_none() => self.nothing_failed(outcome)?,
            Some(outcome) if !two => self.is_given_back(outcome)?,
            Some(_) => {}
        }
        Ok(Length { polls, acts })
    }

    fn nothing_failed(&self, outcome: &Outcome) -> Checked {
        check!(outcome.failed.is_empty() && outcome.stopped.is_none(), "it failed by itself: {outcome:?}");
        Ok(())
    }

    /// Lets the faults strike in the course of the run.
    fn fate(
        &self,
        faults: &[Fault],
        length: Length,
        stop: &Arc<AtomicBool>,
        second: &Arc<Notify>,
    ) -> Arc<std::sync::Mutex<Vec<What>>> {
        let struck = Arc::new(std::sync::Mutex::new(Vec::new()));
        let mut left: Vec<_> = faults.iter().map(|fault| (length.acts * fault.when / 1000, fault.clone())).collect();
        let (witness, stop, second, told) =
            (self.witness.clone(), Arc::clone(stop), Arc::clone(second), Arc::clone(&struck));
        let mut dead: Vec<(usize, HostName)> = Vec::new();
        let fate = Fate::new(move |_, _, hosts| {
            let mut seen = witness.seen();
            seen.acts += 1;
            let acts = seen.acts;
            left.retain(|(when, fault)| {
                if *when >= acts {
                    return true;
                }
                let name = victim(hosts, &fault.victim).clone();
                seen.struck.insert(name.clone(), acts);
                seen.trail.push(format!("** {:?} {name}", fault.what));
                told.lock().unwrap().push(fault.what);
                match fault.what {
                    What::Interrupted => stop.store(true, Ordering::Relaxed),
                    What::SecondRun => second.notify_one(),
                    What::Killed => dead.push((acts + REVIVED_AFTER, name.clone())),
                    _ => {}
                }
                strike(fault.what, hosts.get_mut(&name).unwrap());
                false
            });
            dead.retain(|(when, name)| {
                let waits = *when > acts;
                if !waits {
                    revive(hosts.get_mut(name).unwrap());
                }
                waits
            });
        });
        self.sim.with(|world| world.fate = fate);
        struck
    }

    async fn again(&mut self, alone: bool) -> (Plan, Outcome) {
        let observed = self.now.observe(&self.sim, &Record::default()).await;
        self.witness.begin(self.limits(alone, 4), self.sim.with(|world| world.leader.clone()));
        let plan = self.now.plan(&observed);
        let how = How { at_once: 4, stop: &AtomicBool::new(false), sink: &self.witness };
        self.met.borrow_mut().runs += 1;
        (plan.clone(), self.now.run(plan, &observed, how).await)
    }

    /// Runs until there is nothing to do; what is held back is allowed then, where only that is missing.
    async fn converge(&mut self, alone: bool) -> Checked {
        self.now.only = None;
        let mut last = String::new();
        let stays = !self.changes.contains(&Change::Named);
        let has_rows = |hold: &Hold| stays && hold.what == format!("drop `{KEPT}`");
        for _ in 0..MOST_RUNS {
            // What was killed is up again, and servers have looked at their files.
            tokio::time::sleep(Duration::from_secs(6)).await;
            let (plan, outcome) = self.again(alone).await;
            let holds: Vec<&Hold> = plan.holds.iter().filter(|hold| !has_rows(hold)).collect();
            if plan.is_empty() && holds.is_empty() {
                check!(plan.unreachable.is_empty(), "unreachable: {:?}", plan.unreachable);
                return self.as_desired();
            }
            if plan.is_empty() {
                check!(!self.now.permissions.shard_outage, "held for ever: {holds:?}");
                for hold in holds {
                    check!(self.stands_alone(&hold.host), "held back for nothing: {hold:?}");
                }
                self.now.permissions =
                    Permissions { shard_outage: true, quorum_outage: true, ..Permissions::default() };
                self.met.borrow_mut().held += 1;
            } else {
                check!(outcome.failed.is_empty(), "a run without faults failed: {:?}", outcome.failed);
            }
            last = format!("{:?} {:?}", plan.waves.iter().flat_map(|wave| &wave.hosts).collect::<Vec<_>>(), plan.holds);
        }
        Err(TestCaseError::fail(format!("it comes to no end: {last}")))
    }

    /// Whether nobody can stand in for a host.
    fn stands_alone(&self, host: &HostName) -> bool {
        let host = &self.now.fleet.hosts[host];
        let others = self.now.fleet.hosts.values().filter(|other| other.name != host.name && other.role == host.role);
        match &host.placement {
            Placement::Storage { shard, .. } => !others
                .into_iter()
                .any(|other| matches!(&other.placement, Placement::Storage { shard: of, .. } if of == shard)),
            Placement::Keeper { .. } => others.count() < 2,
            Placement::Stateless => false,
        }
    }

    /// The end state is the plan's, seen on the hosts.
    fn as_desired(&self) -> Checked {
        for (name, host) in self.sim.with(|world| world.hosts.clone()) {
            let desired = &self.now.desired[&name];
            for (path, file) in &desired.files {
                let is = host.entries.get(path);
                let same = is.is_some_and(|is| {
                    let content = EntryKind::File(file.content.bytes().expose().clone());
                    (&is.kind, &is.owner, is.mode) == (&content, &file.owner, file.mode)
                });
                check!(same, "`{path}` on {name} is not as desired");
            }
            for path in self.then.desired[&name].files.keys().filter(|path| !desired.files.contains_key(*path)) {
                check!(!host.entries.contains_key(path), "`{path}` is still on {name}");
            }
            for (path, entry) in &host.entries {
                // Where it was the way back that was killed, nothing may be left to write: the next write takes its staging away.
                let killed = |line: &String| line.starts_with("** WriteKilled") && line.ends_with(name.as_str());
                let staged = path.as_str().contains(STAGING);
                let half =
                    staged && matches!(entry.kind, EntryKind::File(_)) && !self.witness.seen().trail.iter().any(killed);
                // What was staged of a marker is none.
                let owed = path.file_name().starts_with("housewright-owes") || path.file_name() == "detached";
                let owed = owed && !staged;
                check!(!half && !owed, "`{path}` is left on {name}");
            }
            for unit in desired.units.keys() {
                let is = host.units.get(unit);
                check!(is.is_some_and(|unit| unit.running && unit.enabled && !unit.stale), "{unit} on {name}: {is:?}");
                let started = is.map(|unit| &unit.started_with);
                for (path, file) in desired.files.iter().filter(|(path, _)| self.read_at_start_only(path.as_str())) {
                    let content = EntryKind::File(file.content.bytes().expose().clone());
                    let with = started.and_then(|files| files.get(path));
                    check!(with == Some(&content), "{unit} on {name} runs with another `{path}`");
                }
            }
            if let Some(server) = &host.server {
                check!(server.flow.detached.is_empty(), "detached on {name}: {:?}", server.flow.detached);
                check!(!server.health.merges_stopped || !server.up, "merges stand still on {name}");
                let wanted = self.now.fleet.hosts.get(&name).and_then(|host| self.now.objects.get(&host.role));
                self.schema_is(&name, server, wanted.map(Vec::as_slice).unwrap_or_default())?;
            }
        }
        check!(
            self.sim.with(|world| world.locks.is_empty()),
            "a lock is left: {:?}",
            self.sim.with(|world| world.locks.clone())
        );
        Ok(())
    }

    /// A server has what its role wants and nothing else, and its records say so.
    fn schema_is(&self, name: &HostName, server: &SimServer, wanted: &[Object]) -> Checked {
        for object in wanted {
            let is = server.objects.iter().find(|is| is.name == object.name);
            let is = is.map(|is| words(&is.create_query)).unwrap_or_default();
            let should_be = words(&object.statement.text().replacen("IF NOT EXISTS ", "", 1));
            check!(is == should_be, "{} on {name} is {}", object.name, is.join(" "));
            let record = server.records.get(&object.name).map(|record| words(&record.statement));
            check!(
                record == Some(words(object.statement.text())),
                "the record of {} on {name}: {record:?}",
                object.name
            );
        }
        let kept = ObjectName::relation(None, KEPT);
        let is_held = self.changes.contains(&Change::Unwanted) && !self.changes.contains(&Change::Named);
        for object in server.objects.iter().filter(|object| !is_own(&object.name)) {
            let stays = is_held && object.name == kept || wanted.iter().any(|wanted| wanted.name == object.name);
            check!(stays, "{} is still on {name}", object.name);
        }
        for (object, record) in server.records.iter().filter(|(_, record)| !record.gone) {
            let is_there = server.objects.iter().any(|is| is.name == *object);
            check!(is_there && !record.live.is_empty(), "the record of {object} on {name}: {record:?}");
        }
        let rows = |what: &str| server.effects.contains_key(&format!("rows of {what} go"));
        check!(!rows("old") && (!rows(KEPT) || self.changes.contains(&Change::Named)), "rows are gone on {name}");
        Ok(())
    }

    /// Nothing had its effect twice; what is made anew had it once for each try.
    fn nothing_is_done_twice(&self, anew: bool) -> Checked {
        for (name, host) in self.sim.with(|world| world.hosts.clone()) {
            let effects = host.server.map(|server| server.effects).unwrap_or_default();
            let tried = |what: &str| anew && ["kafka_events", "events_mv"].iter().any(|name| what.contains(name));
            let twice = effects.iter().find(|(what, count)| **count > 1 && !tried(what));
            check!(twice.is_none(), "twice on {name}: {twice:?}");
        }
        Ok(())
    }

    /// Who says that a host has what it had before has its queues and views there.
    fn is_given_back(&self, outcome: &Outcome) -> Checked {
        let back = |failure: &Failure| failure.given_back.as_ref().is_some_and(|back| back.failed.is_none());
        for (name, _) in outcome.failed.iter().filter(|(_, failure)| back(failure)) {
            let server = self.sim.with_host(name, |host| host.server.clone()).flatten();
            let role = self.now.fleet.hosts.get(name).map(|host| &host.role);
            let stays = role.and_then(|role| self.now.objects.get(role)).into_iter().flatten().filter(|object| {
                let was = role.and_then(|role| self.then.objects.get(role));
                was.is_some_and(|was| was.iter().any(|was| was.name == object.name))
            });
            for object in stays {
                let has = |server: &SimServer| server.objects.iter().any(|is| is.name == object.name);
                check!(server.as_ref().is_some_and(has), "{} is away on {name}, which was given back", object.name);
            }
        }
        Ok(())
    }

    /// Of the files that this roll changes, those that no reload reads.
    fn read_at_start_only(&self, path: &str) -> bool {
        let has = |change| self.changes.contains(&change);
        (path.ends_with("/settings.xml") && has(Change::Setting))
            || (path.ends_with("/limits.conf") && has(Change::Unit))
            || (path.ends_with("/zoo.cfg") && has(Change::Member))
    }

    /// How often each host's unit was started since the beginning.
    fn restarted(&self) -> BTreeMap<HostName, usize> {
        let mut count: BTreeMap<_, usize> = BTreeMap::new();
        self.sim.with(|world| {
            for transition in world.log.iter().filter(|transition| transition.serves) {
                *count.entry(transition.host.clone()).or_default() += 1;
            }
        });
        count
    }

    fn restarted_as_owed(&self, kills: usize) -> Checked {
        let restarted = self.restarted();
        for host in self.now.fleet.hosts.values() {
            let (owed, is) = (restarts(self.changes, host), restarted.get(&host.name).copied().unwrap_or_default());
            // A member is told to be well before its restart is no longer owed: who is killed in between does it again.
            let more = if matches!(host.placement, Placement::Keeper { .. }) { kills * owed } else { 0 };
            check!((owed..=owed + more).contains(&is), "{} was restarted {is} times, {owed} were owed", host.name);
        }
        Ok(())
    }

    fn nothing_broke(&self) -> Checked {
        let seen = self.witness.seen();
        check!(seen.broken.is_empty(), "{}", seen.broken.join("\n"));
        Ok(())
    }

    fn told(&self, outcome: Checked) -> Checked {
        let mut met = self.met.borrow_mut();
        let seen = self.witness.seen();
        met.cases += 1;
        met.detached += seen.detached;
        met.given_back += seen.given_back;
        met.restarted += self.restarted().values().sum::<usize>();
        outcome.map_err(|error| {
            met.failed += 1;
            if met.failed == 1 {
                eprintln!("it fails, and is made smaller now: {error}");
            }
            let from = seen.trail.len().saturating_sub(120);
            TestCaseError::fail(format!("{error}\nwhat happened:\n{}", seen.trail[from..].join("\n")))
        })
    }
}

/// The tokens of a statement that mean something.
fn words(text: &str) -> Vec<String> {
    let tokens = lex(text).into_iter().filter(housewright::clickhouse::Token::is_significant);
    tokens.map(|token| unquote(token.text(text))).collect()
}

/// What kind of step it is, in a word or two.
fn kind(step: &str) -> String {
    let words: Vec<_> = step.split([' ', ',']).collect();
    match words.as_slice() {
        _ if step.contains("restart ") => "restart".to_owned(),
        ["gate:", second, ..] => format!("gate: {second}"),
        [table, ..] if table.ends_with(':') => "alter".to_owned(),
        ["start", "merges"] => "start merges".to_owned(),
        [first, ..] => (*first).to_owned(),
        [] => String::new(),
    }
}

/// The world as the fleet was before: everything is in its place and runs.
fn made(then: &Project, warm_up_ms: u64) -> SimFleet {
    let sim = then.bare_world();
    sim.with(|world| {
        for host in world.hosts.values_mut() {
            host.put_directory("/etc/zookeeper");
        }
    });
    let (_, outcome) = block_on(then.apply(&sim));
    assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
    assert!(block_on(then.plan_now(&sim)).is_empty());
    sim.with(|world| {
        for host in world.hosts.values_mut() {
            host.written = None;
            if let Some(server) = &mut host.server {
                (server.warm_up, server.warm_at) = (Duration::from_millis(warm_up_ms), None);
                server.effects.clear();
                if server.objects.iter().any(|object| object.name == ObjectName::relation(None, KEPT)) {
                    server.rows.insert(ObjectName::relation(None, KEPT), ROWS);
                }
            }
        }
    });
    sim
}

/// One change without faults: each server starts anew exactly as often as the change costs.
fn clean(scene: &mut Scene<'_>, options: &Options) -> Result<Length, TestCaseError> {
    let length = block_on(async {
        let length = scene.first(options, &[], None, Length::default()).await?;
        scene.converge(true).await?;
        Ok::<_, TestCaseError>(length)
    })?;
    scene.nothing_broke()?;
    scene.nothing_is_done_twice(false)?;
    scene.restarted_as_owed(0)?;
    Ok(length)
}

fn attempted(scene: &mut Scene<'_>, attempt: &Attempt, length: Length) -> Checked {
    let Attempt { options, faults, kill, pause_ms, lasting } = attempt;
    let ended = block_on(async {
        scene.first(options, faults, *kill, length).await?;
        tokio::time::sleep(Duration::from_millis(*pause_ms)).await;
        if *lasting && !faults.is_empty() {
            scene.again(false).await;
        }
        lift(&scene.sim);
        scene.converge(faults.is_empty() && kill.is_none()).await
    });
    scene.nothing_broke()?;
    ended?;
    scene.nothing_is_done_twice(true)?;
    if faults.is_empty() {
        scene.met.borrow_mut().only_killed += usize::from(kill.is_some());
        scene.restarted_as_owed(usize::from(kill.is_some()))?;
    }
    Ok(())
}

fn told(story: &Story, met: &RefCell<Met>) -> Checked {
    let then = project(&story.shape, &BTreeSet::new());
    let base = made(&then, story.warm_up_ms);
    met.borrow_mut().fleets += 1;
    for roll in &story.rolls {
        let mut now = project(&story.shape, &roll.changes);
        let rules = Arc::new(Rules::new(&then, &now));
        let mut first = Scene::new(&base, (&then, &mut now, &rules), roll, met);
        let length = clean(&mut first, &roll.clean);
        let length = match length {
            Ok(length) => length,
            Err(error) => return first.told(Err(error)),
        };
        first.told(Ok(()))?;
        for attempt in &roll.attempts {
            let mut next = Scene::new(&base, (&then, &mut now, &rules), roll, met);
            let outcome = attempted(&mut next, attempt, length);
            next.told(outcome)?;
        }
    }
    Ok(())
}

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

/// Rolls until there were enough of them.
fn roll(part: u8) {
    let wanted = number("HOUSEWRIGHT_CASES", CASES).div_ceil(TESTS);
    let seed = u8::try_from(number("HOUSEWRIGHT_SEED", 0)).unwrap();
    let config = ProptestConfig {
        cases: u32::MAX,
        failure_persistence: None,
        max_shrink_iters: 300,
        max_shrink_time: 60_000,
        ..ProptestConfig::default()
    };
    let mut bytes = [seed; 32];
    bytes[0] = part;
    let rng = proptest::test_runner::TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &bytes);
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(config.clone(), rng);
    let met = RefCell::new(Met::default());
    while met.borrow().cases < wanted {
        let tree = story().new_tree(&mut runner).unwrap();
        let mut one = proptest::test_runner::TestRunner::new(ProptestConfig { cases: 1, ..config.clone() });
        if let Err(failure) = one.run_one(tree, |story| told(&story, &met)) {
            panic!("part {part} of seed {seed}, behind {} rolls: {failure}", met.borrow().cases);
        }
    }
    let met = met.into_inner();
    println!("{met:#?}");
    met.is_not_trivial();
}

impl Met {
    /// Every fault has struck, and Housewright was killed in every kind of step.
    fn is_not_trivial(&self) {
        let share = |of: usize| self.cases / of;
        for what in What::NAMES {
            let count = self.struck.get(what).copied().unwrap_or_default();
            assert!(count >= share(300), "{what} struck {count} times in {} rolls", self.cases);
        }
        // What is over in an instant is met seldom.
        let long = ["restart", "write", "gate: shard", "gate: all", "reload", "stop", "let"].map(|step| (step, 500));
        for (step, of) in long.into_iter().chain([("detach", 4000), ("attach", 4000)]) {
            let count = self.killed.get(step).copied().unwrap_or_default();
            assert!(count >= share(of), "{count} kills in `{step}` in {} rolls: {:?}", self.cases, self.killed);
        }
        assert!(self.restarted > self.cases && self.detached > self.cases / 2, "{self:?}");
        assert!(self.given_back >= share(100) && self.held >= share(100) && self.only_killed >= share(20), "{self:?}");
    }
}

/// A small fleet, and a kill at every point of the roll of some changes.
fn killed_everywhere(changes: &[Change], steps: &[&str]) -> Met {
    let shape = Shape { storage: vec![vec![2]], ingestion: vec![1], keepers: 0, zones: 0 };
    let budget = Budget::default();
    let clean = Options { budget, only: None, outage: false, at_once: 4 };
    let changes = changes.iter().copied().collect();
    let whole = Roll { changes, clean: clean.clone(), attempts: Vec::new() };
    let at =
        |kill| Attempt { options: clean.clone(), faults: Vec::new(), kill: Some(kill), pause_ms: 0, lasting: false };
    let attempts = (0..1000).step_by(5).map(at).collect();
    let story = Story { shape, warm_up_ms: 0, rolls: vec![Roll { attempts, ..whole }] };
    let met = RefCell::new(Met::default());
    if let Err(failure) = told(&story, &met) {
        panic!("{failure}");
    }
    let met = met.into_inner();
    assert!(met.only_killed == 200 && met.killed.values().sum::<usize>() > 190, "{met:?}");
    assert!(steps.iter().all(|step| met.killed.contains_key(*step)), "{met:?}");
    met
}

#[test]
fn a_kill_anywhere_in_a_restart_leaves_nothing_behind() {
    let met = killed_everywhere(&[Change::Setting], &["attach"]);
    assert!(met.detached > 0, "{met:?}");
}

/// Tables that are detached until a restart are detached all the same.
#[test]
fn a_kill_anywhere_in_a_reattach_leaves_nothing_behind() {
    let met = killed_everywhere(&[Change::Brokers], &["attach"]);
    assert!(met.detached > 0, "{met:?}");
}

/// Between any two statements.
#[test]
fn a_kill_anywhere_in_a_change_of_the_schema_leaves_nothing_behind() {
    let changes = [Change::Object, Change::Column, Change::Query, Change::Unwanted, Change::Named];
    killed_everywhere(&changes, &["alter", "create", "drop", "note", "record", "take"]);
}

#[test]
fn a_kill_anywhere_in_the_making_anew_of_a_queue_leaves_nothing_behind() {
    killed_everywhere(&[Change::Queue, Change::Column, Change::Query], &["alter", "create", "drop", "note", "record"]);
}

#[test]
fn ten_thousand_rolls_keep_to_their_rules_first_part() {
    roll(1);
}

#[test]
fn ten_thousand_rolls_keep_to_their_rules_second_part() {
    roll(2);
}

#[test]
fn ten_thousand_rolls_keep_to_their_rules_third_part() {
    roll(3);
}

#[test]
fn ten_thousand_rolls_keep_to_their_rules_fourth_part() {
    roll(4);
}
