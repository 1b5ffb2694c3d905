//! Properties over the simulated world: random fleets, random wounds, random changes.

#[path = "properties/fleets.rs"]
mod fleets;
#[path = "properties/migrations.rs"]
mod migrations;
#[path = "properties/ownership.rs"]
mod ownership;
#[path = "properties/rejoin.rs"]
mod rejoin;
#[path = "properties/together.rs"]
mod together;
#[path = "properties/withdrawn.rs"]
mod withdrawn;
mod world;
#[path = "properties/worlds.rs"]
mod worlds;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use fleets::{Order, Shape, changes, order, project, project_with, shape};
use housewright::apply::Stopped;
use housewright::event::{Event, Sink};
use housewright::inventory::pattern;
use housewright::observe::Observed;
use housewright::observe::recorded::{Hiding, Recorded};
use housewright::plan::{Compared, Fingerprints, Permissions, Plan, SavedPlan, SavedPlanError};
use housewright::remote::{Command, EntryKind, WriteSet};
use housewright::report::{Diffs, facts, plan as show, status};
use housewright::secret::keyed::DigestKey;
use housewright::sim::{Act, Disk, Fate, SimFleet};
use proptest::prelude::*;
use proptest::sample::Index;
use world::{How, Project, Record, block_on, name, plain};
use worlds::{
    ALL, CURABLE, copy, inflict, kill, never_too_much_is_away, nothing_is_detached, nothing_waits_for_a_restart,
    wound_all, wounds,
};

/// `HOUSEWRIGHT_CASES=500 cargo test --test properties` looks longer.
fn config() -> ProptestConfig {
    let cases = std::env::var("HOUSEWRIGHT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(12);
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() }
}

/// A world that was made from the inventory without changes, and then wounded.
fn made(shape: &Shape, wounds: &worlds::Wounds) -> SimFleet {
    let then = project(shape, &[], &Order::plain());
    let sim = then.bare_world();
    let (_, outcome) = block_on(then.apply(&sim));
    assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
    wound_all(&sim, shape, wounds);
    sim.with(|world| world.log.clear());
    sim
}

/// A world whose hosts have an old secret, and the project that has a new one.
fn with_a_secret(
    shape: &Shape,
    changes: &[fleets::Change],
    wounds: &worlds::Wounds,
    old: &str,
    new: &str,
) -> (SimFleet, Project) {
    let secret = |value: &str| {
        let value = value.to_owned();
        move |_: &str| value.clone()
    };
    let macros = "clickhouse_macros: { code: { from_secret: \"env:MACRO\" }, auth: plain }\n";
    let then = project_with(shape, &[], &Order::plain(), macros, secret(old));
    let sim = then.bare_world();
    block_on(then.apply(&sim));
    wound_all(&sim, shape, wounds);
    (sim, project_with(shape, changes, &Order::plain(), macros, secret(new)))
}

/// Calls back with each event's number before it is kept.
struct Watch<F: Fn(usize, &Event) + Send + Sync>(AtomicUsize, F);

impl<F: Fn(usize, &Event) + Send + Sync> Sink for Watch<F> {
    fn emit(&self, event: Event) {
        self.1(self.0.fetch_add(1, Ordering::Relaxed), &event);
    }
}

proptest! {
    #![proptest_config(config())]

    /// Law two: an apply followed by a plan is an empty plan.
    #[test]
    fn after_an_apply_there_is_nothing_to_do(
        shape in shape(), changes in changes(), wounds in wounds(&CURABLE), allowed: bool,
    ) {
        let sim = made(&shape, &wounds);
        let mut project = project(&shape, &changes, &Order::plain());
        project.permissions = Permissions { shard_outage: allowed, quorum_outage: allowed, ..Permissions::default() };
        let (plan, outcome) = block_on(project.apply(&sim));
        prop_assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
        prop_assert_eq!(outcome.finished.iter().collect::<BTreeSet<_>>(), plan.changed_hosts());
        let next = block_on(project.plan_now(&sim));
        // What was held for want of a second replica may go when the first plan has started one.
        if plan.holds.is_empty() {
            prop_assert!(next.is_empty() && next.holds.is_empty(), "{}", plain(&show(&next, Diffs::Fold)));
            prop_assert_eq!(next.unchanged.len(), shape.hosts().len());
        } else {
            let held: BTreeSet<_> = plan.holds.iter().map(|hold| &hold.host).collect();
            let again = next.changed_hosts();
            prop_assert!(again.iter().all(|host| held.contains(*host)), "{}", plain(&show(&next, Diffs::Fold)));
        }
        nothing_waits_for_a_restart(&sim, &plan.holds)?;
        nothing_is_detached(&sim)?;
        sim.with(|world| never_too_much_is_away(&shape, &world.log, allowed))?;
    }

    /// Machines die between waves: what is away through us is never too much.
    #[test]
    fn never_the_last_replica_also_when_others_die(
        shape in shape(), changes in changes(), wounds in wounds(&ALL),
        deaths in proptest::collection::vec((any::<Index>(), 0_usize..6), 0..=3), at_once in 1_usize..8,
    ) {
        let sim = made(&shape, &wounds);
        let project = project(&shape, &changes, &Order::plain());
        let hosts = shape.hosts();
        let waves = AtomicUsize::new(0);
        let watch = Watch(AtomicUsize::new(0), |_, event: &Event| {
            if matches!(event, Event::WaveStarted { .. }) {
                let wave = waves.fetch_add(1, Ordering::Relaxed);
                for (index, _) in deaths.iter().filter(|(_, when)| *when == wave) {
                    sim.with_host(&name(&hosts[index.index(hosts.len())]), kill);
                }
            }
        });
        block_on(async {
            let observed = project.observe(&sim, &watch).await;
            let how = How { at_once, stop: &AtomicBool::new(false), sink: &watch };
            project.run(project.plan(&observed), &observed, how).await
        });
        sim.with(|world| never_too_much_is_away(&shape, &world.log, false))?;
    }

    /// The order in which an inventory is written means nothing.
    #[test]
    fn the_order_of_the_inventory_does_not_matter(
        shape in shape(), changes in changes(), wounds in wounds(&ALL), order in order(),
    ) {
        let sim = made(&shape, &wounds);
        let text = |order: &Order| {
            let plan = block_on(project(&shape, &changes, order).plan_now(&sim));
            SavedPlan::new(&plan).to_text()
        };
        prop_assert_eq!(text(&Order::plain()), text(&order));
    }

    /// Whoever pulls the plug after any event: the next runs bring it to the end.
    #[test]
    fn a_crash_after_any_event_converges(
        shape in shape(), changes in changes(), wounds in wounds(&CURABLE), crash in any::<Index>(), at_once in 1_usize..8,
    ) {
        let mut project = project(&shape, &changes, &Order::plain());
        project.permissions = Permissions { shard_outage: true, quorum_outage: true, ..Permissions::default() };
        let sim = made(&shape, &wounds);
        let count = {
            let (sim, watch) = (copy(&sim), Watch(AtomicUsize::new(0), |_, _: &Event| {}));
            block_on(watched(&project, &sim, &watch, at_once, std::future::pending()));
            watch.0.into_inner()
        };
        let crash = crash.index(count.max(1));
        let pulled = tokio::sync::Notify::new();
        let watch = Watch(AtomicUsize::new(0), |number, _: &Event| if number == crash { pulled.notify_one() });
        block_on(watched(&project, &sim, &watch, at_once, pulled.notified()));
        // A server looks at its files every two seconds; a run that was cut has left it no time yet.
        block_on(async { tokio::time::sleep(std::time::Duration::from_secs(5)).await });
        let mut next = block_on(project.plan_now(&sim));
        for _ in 0..2 {
            block_on(project.apply(&sim));
            next = block_on(project.plan_now(&sim));
        }
        prop_assert!(next.is_empty() && next.holds.is_empty(), "{}", plain(&show(&next, Diffs::Fold)));
        nothing_waits_for_a_restart(&sim, &[])?;
        nothing_is_detached(&sim)?;
    }

    /// A remote process that ends anywhere in a batch: the next runs bring it to the end, and no restart is forgotten.
    #[test]
    fn a_connection_that_breaks_anywhere_converges(
        shape in shape(), changes in changes(), wounds in wounds(&CURABLE), victim in any::<Index>(),
        commands in 0_usize..6, batches in 0_usize..2,
    ) {
        let mut project = project(&shape, &changes, &Order::plain());
        project.permissions = Permissions { shard_outage: true, quorum_outage: true, ..Permissions::default() };
        let sim = made(&shape, &wounds);
        let hosts = shape.hosts();
        let victim = name(&hosts[victim.index(hosts.len())]);
        let begun = AtomicUsize::new(0);
        let watch = Watch(AtomicUsize::new(0), |_, event: &Event| {
            if matches!(event, Event::StepStarted { host, .. } if *host == victim)
                && begun.fetch_add(1, Ordering::Relaxed) == batches
            {
                sim.with_host(&victim, |host| host.lost_after = Some(commands));
            }
        });
        block_on(watched(&project, &sim, &watch, 4, std::future::pending()));
        sim.with_host(&victim, |host| host.lost_after = None);
        block_on(async { tokio::time::sleep(std::time::Duration::from_secs(5)).await });
        block_on(project.apply(&sim));
        let next = block_on(project.plan_now(&sim));
        prop_assert!(next.is_empty() && next.holds.is_empty(), "{}", plain(&show(&next, Diffs::Fold)));
        nothing_waits_for_a_restart(&sim, &[])?;
        nothing_is_detached(&sim)?;
    }

    /// An answer that is lost once, anywhere, costs no host: what was done is found there, the rest is done.
    #[test]
    fn a_lost_answer_is_found_on_the_host(
        shape in shape(), changes in changes(), wounds in wounds(&CURABLE), victim in any::<Index>(),
        commands in 0_usize..6, steps in 0_usize..6, statement: bool,
    ) {
        let mut project = project(&shape, &changes, &Order::plain());
        project.permissions = Permissions { shard_outage: true, quorum_outage: true, ..Permissions::default() };
        let sim = made(&shape, &wounds);
        let hosts = shape.hosts();
        let victim = name(&hosts[victim.index(hosts.len())]);
        let begun = AtomicUsize::new(0);
        let watch = Watch(AtomicUsize::new(0), |_, event: &Event| {
            if matches!(event, Event::StepStarted { host, .. } if *host == victim)
                && begun.fetch_add(1, Ordering::Relaxed) == steps
            {
                sim.with_host(&victim, |host| if statement { host.answers_lost = 1 } else { host.lost_after = Some(commands) });
            }
        });
        let outcome = block_on(async {
            let observed = project.observe(&sim, &watch).await;
            let how = How { at_once: 4, stop: &AtomicBool::new(false), sink: &watch };
            project.run(project.plan(&observed), &observed, how).await
        });
        prop_assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
        sim.with_host(&victim, |host| (host.lost_after, host.answers_lost) = (None, 0));
        let next = block_on(project.plan_now(&sim));
        prop_assert!(next.is_empty() && next.holds.is_empty(), "{}", plain(&show(&next, Diffs::Fold)));
        nothing_waits_for_a_restart(&sim, &[])?;
    }

    /// A server that refuses the new files runs with its old ones, byte for byte, and the next plan says all of it again.
    #[test]
    fn a_refused_configuration_is_given_back(
        shape in shape(), victim in any::<Index>(), more in changes(), at_once in 1_usize..8, full: bool,
    ) {
        let changes: Vec<_> = more.into_iter().chain([fleets::Change::Setting]).collect::<BTreeSet<_>>().into_iter().collect();
        let mut project = project(&shape, &changes, &Order::plain());
        project.permissions = Permissions { shard_outage: true, quorum_outage: true, ..Permissions::default() };
        let sim = made(&shape, &Vec::new());
        let servers: Vec<_> = shape.storage();
        let victim = name(&servers[victim.index(servers.len())]);
        let files = || sim.with_host(&victim, |host| {
            let is_file = |entry: &&housewright::remote::Entry| {
                matches!(entry.kind, EntryKind::File(_)) && !entry.path.as_str().starts_with("/run/")
            };
            host.entries.values().filter(is_file).cloned().collect::<Vec<_>>()
        }).unwrap();
        sim.with_host(&victim, |host| for unit in host.units.values_mut() {
            unit.start_refuses = Some(("/data/clickhouse/".to_owned(), "no such directory".to_owned()));
        });
        let (before, first) = (files(), block_on(project.plan_now(&sim)));
        if full {
            // The disk is full when the old files are to come back.
            let (victim, mut writes) = (victim.clone(), 0);
            sim.with(|world| world.fate = Fate::new(move |host, act, hosts| {
                let notes_only = |set: &WriteSet| set.files.iter().all(|file| file.path.as_str().starts_with("/run/"));
                if *host == victim && matches!(act, Act::Command(Command::Write(set)) if !notes_only(set)) {
                    writes += 1;
                    if let (2.., Some(host)) = (writes, hosts.get_mut(host)) {
                        host.disk = Disk::Full;
                    }
                }
            }));
        }
        let record = Record::default();
        let outcome = block_on(async {
            let observed = project.observe(&sim, &record).await;
            let how = How { at_once, stop: &AtomicBool::new(false), sink: &record };
            project.run(project.plan(&observed), &observed, how).await
        });
        let failure = outcome.failed.get(&victim);
        let back = failure.and_then(|failure| failure.given_back.clone());
        // Another host of a wave that failed before it may have kept it from beginning.
        prop_assume!(failure.is_some());
        let Some(back) = back else { return Err(TestCaseError::fail(format!("{failure:?}"))) };
        if full {
            prop_assert!(back.failed.is_some() && !failure.unwrap().owes.is_empty(), "{failure:?}");
            sim.with(|world| world.fate = Fate::default());
            sim.with_host(&victim, |host| {
                host.disk = Disk::Fine;
                host.units.values_mut().for_each(|unit| unit.start_refuses = None);
            });
            block_on(project.apply(&sim));
            let next = block_on(project.plan_now(&sim));
            prop_assert!(next.is_empty() && next.holds.is_empty(), "{}", plain(&show(&next, Diffs::Fold)));
            return Ok(());
        }
        prop_assert_eq!(back.failed, None);
        prop_assert!(failure.unwrap().owes.is_empty(), "{:?}", failure);
        prop_assert_eq!(files(), before);
        let up = sim.with_host(&victim, |host| host.server.as_ref().is_some_and(|server| server.up)).unwrap();
        prop_assert!(up);
        let again = block_on(project.plan_now(&sim));
        let about = |plan: &housewright::plan::Plan| {
            let hosts = plan.waves.iter().flat_map(|wave| &wave.hosts).filter(|host| host.host == victim);
            hosts.map(|host| (host.changes.clone(), host.reasons.clone())).collect::<Vec<_>>()
        };
        prop_assert_eq!(about(&first), about(&again));
        sim.with(|world| never_too_much_is_away(&shape, &world.log, true))?;
    }

    /// A saved plan is the plan; in another world what is left of it is a part of both.
    #[test]
    fn a_saved_plan_is_run_only_in_the_world_that_it_was_made_in(
        shape in shape(), changes in changes(), wounds in wounds(&ALL), index in any::<Index>(),
        wound in proptest::sample::select(&ALL[..]),
    ) {
        let sim = made(&shape, &wounds);
        let project = project(&shape, &changes, &Order::plain());
        let key = DigestKey::new([7; 32]);
        let look = || {
            let observed = block_on(project.observe(&sim, &Record::default()));
            let plan = project.plan(&observed);
            let from = Fingerprints::of(&plan, &project.inputs(&observed), std::collections::BTreeMap::new(), &key);
            (plan, from)
        };
        let (before, from) = look();
        let text = SavedPlan::new(&before).at(0, 60).from(from).to_text();
        let saved = SavedPlan::read(&text).unwrap();
        prop_assert_eq!(saved.to_text(), text);
        for diffs in [Diffs::None, Diffs::Fold, Diffs::Each] {
            prop_assert_eq!(show(saved.plan(), diffs), show(&before, diffs));
        }
        let (same, from) = look();
        prop_assert_eq!(saved.against(same, Some(&from)), Ok((before.clone(), Compared::All)));
        let victim = name(&shape.hosts()[index.index(shape.hosts().len())]);
        sim.with_host(&victim, |host| inflict(host, wound));
        let (other, from) = look();
        let parts = |plan: &Plan| -> Vec<String> {
            plan.waves.iter().flat_map(|wave| &wave.hosts).map(|host| serde_json::to_string(host).unwrap()).collect()
        };
        match saved.against(other.clone(), Some(&from)) {
            Ok((plan, _)) => {
                let (was, is) = (parts(&before), parts(&other));
                prop_assert!(parts(&plan).iter().all(|part| was.contains(part) && is.contains(part)));
                prop_assert!(plan.waves.iter().all(|wave| !wave.hosts.is_empty()));
                let fewer = plan.changed_hosts().len() < before.changed_hosts().len();
                prop_assert!(!fewer || !plan.holds.is_empty() || !plan.unreachable.is_empty());
            }
            Err(error) => prop_assert!(matches!(error, SavedPlanError::Moved(_)) && other != before, "{error}"),
        }
    }

    /// A recorded observation gives the plan that the hosts gave, and holds no secret, neither the old ones nor the new.
    #[test]
    fn a_recorded_observation_gives_the_same_plan(
        shape in shape(), changes in changes(), wounds in wounds(&ALL), old in "[!-~]{6,24}", new in "[!-~ ]{6,24}",
    ) {
        let (old, new) = (format!("q7{old}"), format!("z9{new}"));
        let (sim, project) = with_a_secret(&shape, &changes, &wounds, &old, &new);
        let observed = block_on(project.observe(&sim, &Record::default()));
        let online = project.plan(&observed);
        let key = DigestKey::new([7; 32]);
        let hiding = Hiding { desired: &project.desired, secrets: &project.secrets, key: &key };
        let text = Recorded::new(&observed.observation, 0, &hiding).unwrap().to_text();
        for value in [&old, &new] {
            let quoted = serde_json::to_string(value).unwrap();
            for form in [value.as_str(), quoted.trim_matches('"'), &quick_xml::escape::escape(value.as_str())] {
                prop_assert!(!text.contains(form), "`{form}` is in what is recorded");
            }
        }
        let recorded = Recorded::read(&text).unwrap();
        let hosts = observed.observation.hosts.keys().cloned().collect();
        let observation = recorded.observation(&hosts, &hiding).unwrap();
        let offline = project.plan(&Observed { observation, ..Observed::default() });
        prop_assert_eq!(show(&offline, Diffs::Each), show(&online, Diffs::Each));
        prop_assert_eq!(SavedPlan::new(&offline).to_text(), SavedPlan::new(&online).to_text());
        prop_assert!(recorded.not_asked(&hosts, &project.desired).is_empty());
        let other = DigestKey::new([8; 32]);
        let other = Hiding { key: &other, ..hiding };
        prop_assert!(recorded.observation(&hosts, &other).is_err());
    }

    /// No secret is ever in what people and machines read.
    #[test]
    fn no_secret_is_ever_shown(
        shape in shape(), changes in changes(), wounds in wounds(&ALL), old in "[!-~]{6,24}", new in "[!-~ ]{6,24}",
    ) {
        let (old, new) = (format!("q7{old}"), format!("z9{new}"));
        let (sim, project) = with_a_secret(&shape, &changes, &wounds, &old, &new);
        let record = Record::default();
        let mut shown = block_on(async {
            let observed = project.observe(&sim, &record).await;
            let plan = project.plan(&observed);
            let mut shown = plain(&show(&plan, Diffs::Each)) + &SavedPlan::new(&plan).to_text() + &format!("{plan:?}");
            shown += &format!("{:?}", observed.observation);
            shown += &status(&project.fleet, &project.desired, &observed.observation, None);
            shown += &serde_json::to_string(&facts(&observed.observation)).unwrap();
            let how = How { at_once: 32, stop: &AtomicBool::new(false), sink: &record };
            shown += &format!("{:?}", project.run(plan, &observed, how).await);
            shown
        });
        for event in record.take() {
            shown += &serde_json::to_string(&event).unwrap();
        }
        for value in [&old, &new] {
            for form in [value.clone(), quick_xml::escape::escape(value.as_str()).into_owned()] {
                prop_assert!(!shown.contains(&form), "`{form}` is in what is shown");
            }
        }
    }

    /// Whatever the operator writes into variables, XML files stay XML and say it.
    #[test]
    fn every_rendered_xml_parses(shape in shape(), changes in changes(), text in "[ -~äß€]{1,30}") {
        // With braces a text is an expression, unless it says that it is none; Ansible types others behind that tag.
        let tag = if text.contains('{') { "!unsafe" } else { "" };
        let vars = format!("clickhouse_macros: {{ free: {tag} {} }}\n", serde_json::to_string(&text).unwrap());
        let project = project_with(&shape, &changes, &Order::plain(), &vars, |_| text.clone());
        for desired in project.desired.values() {
            for (path, file) in desired.files.iter().filter(|(path, _)| path.as_str().ends_with(".xml")) {
                for content in [std::str::from_utf8(file.content.bytes().expose()).unwrap(), file.content.shown()] {
                    let document = roxmltree::Document::parse(content);
                    prop_assert!(document.is_ok(), "{path}: {:?}\n{content}", document.err());
                    let document = document.unwrap();
                    if let Some(free) = document.descendants().find(|node| node.has_tag_name("free")) {
                        prop_assert_eq!(free.text().unwrap_or_default(), text.as_str());
                    }
                }
            }
        }
    }
}

/// Observes, plans and applies until the end or until the plug is pulled.
async fn watched(project: &Project, sim: &SimFleet, sink: &dyn Sink, at_once: usize, plug: impl Future<Output = ()>) {
    let work = async {
        let observed = project.observe(sim, sink).await;
        let how = How { at_once, stop: &AtomicBool::new(false), sink };
        project.run(project.plan(&observed), &observed, how).await
    };
    tokio::select! {
        biased;
        () = plug => {}
        _ = work => {}
    }
}

#[test]
fn an_empty_choice_of_hosts_is_an_error() {
    let shape = Shape { shards: vec![2], ingestion: 1, keepers: 1 };
    let project = project(&shape, &[], &Order::plain());
    for limit in ["no-such-host", "data:!data", "data:&coordination", "x*"] {
        assert!(pattern::select(&project.inventory, limit).is_err(), "{limit}");
    }
}

#[test]
fn what_was_not_begun_is_no_success() {
    let shape = Shape { shards: vec![1], ingestion: 4, keepers: 1 };
    let project = project(&shape, &[], &Order::plain());
    let sim = project.bare_world();
    let stop = AtomicBool::new(false);
    // In the very last wave, one host at a time, the operator interrupts after the first.
    let last = Mutex::new(false);
    let watch = Watch(AtomicUsize::new(0), |_, event: &Event| match event {
        Event::WaveStarted { wave, waves, .. } => *last.lock().unwrap() = wave == waves,
        Event::HostFinished { .. } if *last.lock().unwrap() => stop.store(true, Ordering::Relaxed),
        _ => {}
    });
    let outcome = block_on(async {
        let observed = project.observe(&sim, &watch).await;
        let how = How { at_once: 1, stop: &stop, sink: &watch };
        project.run(project.plan(&observed), &observed, how).await
    });
    assert_eq!(outcome.left.len(), 3);
    assert_eq!(outcome.stopped, Some(Stopped::Interrupted));
}

#[test]
fn after_a_failure_that_stops_the_run_no_other_host_is_begun() {
    let shape = Shape { shards: vec![2, 2, 2], ingestion: 0, keepers: 1 };
    let sim = made(&shape, &Vec::new());
    let project = project(&shape, &[fleets::Change::Setting], &Order::plain());
    for host in shape.hosts() {
        sim.with_host(&name(&host), |host| {
            host.units.values_mut().for_each(|unit| unit.start_fails = Some("no".to_owned()));
        });
    }
    let outcome = block_on(async {
        let record = Record::default();
        let observed = project.observe(&sim, &record).await;
        let how = How { at_once: 1, stop: &AtomicBool::new(false), sink: &record };
        project.run(project.plan(&observed), &observed, how).await
    });
    assert_eq!(outcome.failed.len(), 1, "{:?}", outcome.failed);
    assert_eq!(outcome.left.len(), 5);
}
