//! Whose a file is, whatever happens: what leaves a role goes once, nothing of others ever does, and no killed write lies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use housewright::apply::{Outcome, adopt};
use housewright::clickhouse::config::{ConfigDirectory, ConfigKeys, Disruption, HostSays, diff, disruption_of};
use housewright::event::Event;
use housewright::fleet::HostName;
use housewright::plan::{Permissions, Plan, Wanted, adoption};
use housewright::remote::{Command, EntryKind, RemotePath, UnitAction};
use housewright::report::{Diffs, plan as show};
use housewright::sim::{Act, Fate, SimFleet};
use housewright::transport::SessionError;
use housewright::transport::shell::STAGING;
use proptest::prelude::*;
use proptest::sample::Index;
use sha2::{Digest, Sha256};

use crate::fleets::{Change, Order, Shape, changes, project, shape};
use crate::world::{How, Project, Record, block_on, name, plain};
use crate::worlds::{nothing_is_detached, nothing_waits_for_a_restart};
use crate::{Watch, config, made};

const CONFIG: &str = "/etc/clickhouse-server/";
/// Read at the start only: without it, the server has to be started anew.
const AT_START: &str = "/etc/clickhouse-server/config.d/graceful_stop.xml";
/// Without these a server is another one; that is held, and no story of files.
const NEEDED: [&str; 3] = ["macros.xml", "remote_servers.xml", "users.xml"];

/// All files of a host, with their contents.
type Files = BTreeMap<RemotePath, Vec<u8>>;

fn path(text: &str) -> RemotePath {
    RemotePath::new(text).unwrap()
}

/// What is staged beside them is read by nobody, and swept by the next run.
fn files(sim: &SimFleet, host: &HostName) -> Files {
    let entries = sim.with_host(host, |host| host.entries.clone()).unwrap();
    let of = |(path, entry): (RemotePath, housewright::remote::Entry)| match entry.kind {
        EntryKind::File(content) => Some((path, content.to_vec())),
        EntryKind::Directory | EntryKind::Other => None,
    };
    let is_read = |path: &RemotePath| path.as_str().starts_with("/etc/") && !path.as_str().contains(STAGING);
    entries.into_iter().filter_map(of).filter(|(path, _)| is_read(path)).collect()
}

fn manifest(sim: &SimFleet, host: &HostName) -> Option<Vec<u8>> {
    sim.with_host(host, |host| host.text(&path("/var/lib/housewright/manifest"))).flatten().map(String::into_bytes)
}

/// Takes some files out of all roles.
fn lose(project: &mut Project, lost: &[Index]) -> BTreeSet<RemotePath> {
    let all: BTreeSet<_> = project.desired.values().flat_map(|desired| desired.files.keys()).cloned().collect();
    let can_go = |path: &RemotePath| path.as_str().starts_with(CONFIG) && !NEEDED.contains(&path.file_name());
    let all: Vec<_> = all.into_iter().filter(can_go).collect();
    let lost: BTreeSet<_> = lost.iter().map(|index| all[index.index(all.len())].clone()).collect();
    for desired in project.desired.values_mut() {
        desired.files.retain(|path, _| !lost.contains(path));
    }
    lost
}

/// Puts files of somebody else on hosts.
fn put_theirs(sim: &SimFleet, shape: &Shape, theirs: &[(Index, bool)]) -> BTreeSet<(HostName, RemotePath)> {
    let hosts: Vec<_> = shape.hosts().into_iter().filter(|host| !host.starts_with("keeper")).collect();
    let put = |(number, (host, users)): (usize, &(Index, bool))| {
        let host = name(&hosts[host.index(hosts.len())]);
        let (directory, text) = if *users {
            ("users.d", "<clickhouse><profiles><theirs><max_threads>7</max_threads></theirs></profiles></clickhouse>")
        } else {
            ("config.d", "<clickhouse><max_concurrent_queries>7</max_concurrent_queries></clickhouse>")
        };
        let path = path(&format!("{CONFIG}{directory}/theirs-{number}.xml"));
        sim.with_host(&host, |host| {
            host.put_file(path.as_str(), text);
            // It was there when the servers were started.
            for unit in host.units.values_mut().filter(|unit| unit.running) {
                unit.started_with.insert(path.clone(), EntryKind::File(text.into()));
            }
        });
        (host, path)
    };
    theirs.iter().enumerate().map(put).collect()
}

/// What writes have removed, in order.
fn removals(sim: &SimFleet) -> Arc<Mutex<Vec<(HostName, RemotePath)>>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    sim.with(|world| {
        world.fate = Fate::new(move |host, act, _| {
            if let Act::Command(Command::Write(set)) = act {
                // The host's own binary looks at the tree without them.
                let config = |path: &&RemotePath| path.as_str().starts_with(CONFIG);
                assert!(set.check.is_some() || !set.removals.iter().any(|path| config(&path)), "{:?}", set.removals);
                notes.lock().unwrap().extend(set.removals.iter().map(|path| (host.clone(), path.clone())));
            }
        });
    });
    seen
}

async fn take_over(project: &Project, sim: &SimFleet, word: &str) {
    let observed = project.observe(sim, &Record::default()).await;
    let found = adoption(&project.inputs(&observed), &[word.parse::<Wanted>().unwrap()]).unwrap();
    let results = adopt(&found.hosts, &observed.open, 4).await;
    assert!(results.values().all(Result::is_ok), "{results:?}");
    for open in observed.open.values() {
        open.session.close().await;
    }
}

/// Allows outages, and takes the files of others over where that is wanted; says whether it was.
fn may_take_over(project: &mut Project, sim: &SimFleet, wanted: bool) -> bool {
    free(project);
    if wanted {
        block_on(take_over(project, sim, "/etc/clickhouse-server/*theirs-*"));
    }
    wanted
}

fn run(project: &Project, sim: &SimFleet, at_once: usize) -> (Plan, Outcome) {
    let record = Record::default();
    block_on(async {
        let observed = project.observe(sim, &record).await;
        let how = How { at_once, stop: &AtomicBool::new(false), sink: &record };
        let plan = project.plan(&observed);
        (plan.clone(), project.run(plan, &observed, how).await)
    })
}

fn free(project: &mut Project) {
    project.permissions = Permissions { shard_outage: true, quorum_outage: true, ..Permissions::default() };
}

/// No running server has read a file that is gone and that only a start forgets.
fn nobody_reads_what_is_gone(sim: &SimFleet, lost: &BTreeSet<RemotePath>) -> Result<(), TestCaseError> {
    for (name, host) in sim.with(|world| world.hosts.clone()) {
        for (unit, state) in host.units.iter().filter(|(_, state)| state.running) {
            for path in lost.iter().filter(|path| !host.entries.contains_key(*path)) {
                let Some(EntryKind::File(then)) = state.started_with.get(path) else { continue };
                let keys = ConfigKeys::from_xml(std::str::from_utf8(then).unwrap()).unwrap();
                let directory = ConfigDirectory::of(path.as_str()).unwrap();
                let consumes = host.server.iter().flat_map(|server| &server.objects).any(|live| live.engine == "Kafka");
                let says = HostSays { settings: None, consumes };
                let mut changes = diff(&keys, &ConfigKeys::default());
                // `remove="remove"` of what nobody else has.
                changes.retain(|change| !change.path.starts_with("distributed_ddl"));
                let (cost, _) = disruption_of(&changes, directory, says);
                prop_assert!(cost < Disruption::Restart, "{unit} on {name} runs with `{path}`, which is gone");
            }
        }
    }
    Ok(())
}

fn lost() -> impl Strategy<Value = Vec<Index>> {
    proptest::collection::vec(any::<Index>(), 0..=3)
}

fn theirs() -> impl Strategy<Value = Vec<(Index, bool)>> {
    proptest::collection::vec((any::<Index>(), any::<bool>()), 0..=4)
}

proptest! {
    #![proptest_config(config())]

    /// What leaves a role is removed once on every host that has it; what others put there stays, until it is taken over.
    #[test]
    fn what_leaves_a_role_goes_once_and_nothing_of_others_ever(
        shape in shape(), changes in changes(), lost in lost(), theirs in theirs(), taken_over: bool, at_once in 1_usize..8,
    ) {
        let sim = made(&shape, &Vec::new());
        let had: BTreeMap<_, _> = shape.hosts().iter().map(|host| (name(host), files(&sim, &name(host)))).collect();
        let theirs = put_theirs(&sim, &shape, &theirs);
        let mut project = project(&shape, &changes, &Order::plain());
        let lost = lose(&mut project, &lost);
        let taken_over = may_take_over(&mut project, &sim, taken_over && !theirs.is_empty());
        let removed = removals(&sim);
        let (plan, outcome) = run(&project, &sim, at_once);
        prop_assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
        let held: BTreeSet<_> = plan.holds.iter().map(|hold| hold.host.clone()).collect();
        let lost_on = |host: &HostName| had[host].keys().filter(|path| lost.contains(*path)).cloned().collect::<Vec<_>>();
        let mut due: Vec<_> = had.keys().flat_map(|host| lost_on(host).into_iter().map(|path| (host.clone(), path))).collect();
        due.extend(theirs.iter().filter(|_| taken_over).cloned());
        due.retain(|(host, _)| !held.contains(host));
        due.sort();
        let seen = || {
            let mut seen = removed.lock().unwrap().clone();
            seen.retain(|(host, _)| !held.contains(host));
            seen.sort();
            seen
        };
        prop_assert_eq!(seen(), due.clone());
        for (host, path) in &due {
            prop_assert!(!files(&sim, host).contains_key(path), "{} is still on {}", path, host);
        }
        for (host, path) in theirs.iter().filter(|_| !taken_over) {
            prop_assert!(files(&sim, host).contains_key(path), "{} is gone from {}", path, host);
        }
        let next = block_on(project.plan_now(&sim));
        prop_assert!(next.changed_hosts().iter().all(|host| held.contains(*host)), "{}", plain(&show(&next, Diffs::Fold)));
        let foreign: BTreeSet<_> =
            next.foreign.iter().flat_map(|(host, paths)| paths.iter().map(|path| (host.clone(), path.clone()))).collect();
        prop_assert_eq!(foreign, if taken_over { BTreeSet::new() } else { theirs.clone() });
        run(&project, &sim, at_once);
        prop_assert_eq!(seen(), due);
        nothing_waits_for_a_restart(&sim, &plan.holds)?;
        if held.is_empty() {
            let gone = theirs.iter().map(|(_, path)| path.clone()).chain(lost).collect();
            nobody_reads_what_is_gone(&sim, &gone)?;
        }
    }

    /// A write that is killed between any two renames leaves each file old or new, says no more than it did, and the next
    /// run brings it to the end.
    #[test]
    fn a_killed_write_leaves_old_or_new_and_never_lies(
        shape in shape(), changes in changes(), lost in lost(), theirs in theirs(), taken_over: bool,
        victim in any::<Index>(), nth in 0_usize..3, after in 0_usize..12, dark: bool, at_once in 1_usize..8,
    ) {
        let sim = made(&shape, &Vec::new());
        let theirs = put_theirs(&sim, &shape, &theirs);
        let mut project = project(&shape, &changes, &Order::plain());
        let lost = lose(&mut project, &lost);
        let taken_over = may_take_over(&mut project, &sim, taken_over && !theirs.is_empty());
        let hosts = shape.hosts();
        let victim = name(&hosts[victim.index(hosts.len())]);
        let (before, named_before) = (files(&sim, &victim), manifest(&sim, &victim));
        let end = {
            let sim = crate::worlds::copy(&sim);
            let (plan, _) = run(&project, &sim, at_once);
            prop_assume!(plan.holds.is_empty());
            (files(&sim, &victim), manifest(&sim, &victim))
        };
        let (writes, killed) = (AtomicUsize::new(0), Arc::new(AtomicBool::new(false)));
        let (struck, is_victim) = (Arc::clone(&killed), victim.clone());
        sim.with(|world| world.fate = Fate::new(move |host, act, hosts| {
            let Some(host) = hosts.get_mut(host).filter(|_| *host == is_victim) else { return };
            if struck.load(Ordering::Relaxed) {
                // Too few files for it to come to that, or nobody gets there any more.
                let spared = host.write_killed_after.take().is_some();
                host.batch_fails = (dark && !spared).then(|| SessionError::Lost("no route to host".to_owned()));
            } else if matches!(act, Act::Command(Command::Write(_))) && writes.fetch_add(1, Ordering::Relaxed) == nth {
                host.write_killed_after = Some(after);
                struck.store(true, Ordering::Relaxed);
            }
        }));
        run(&project, &sim, at_once);
        sim.with(|world| world.fate = Fate::default());
        sim.with_host(&victim, |host| (host.batch_fails, host.write_killed_after) = (None, None));

        let now = files(&sim, &victim);
        for path in before.keys().chain(now.keys()).chain(end.0.keys()).collect::<BTreeSet<_>>() {
            let is = now.get(path);
            prop_assert!(is == before.get(path) || is == end.0.get(path), "{path} is neither old nor new");
        }
        let observed = block_on(project.observe(&sim, &Record::default()));
        let facts = observed.observation.facts(&victim).unwrap();
        prop_assert_eq!(facts.manifest.fault, None);
        let named = &facts.manifest.files.0;
        for (path, text) in &now {
            let digest: [u8; 32] = Sha256::digest(text).into();
            let says = named.get(path).map(|known| known.digests.contains(&digest));
            prop_assert!(says.unwrap_or(before.get(path) == Some(text)), "{path} is not as the manifest has it");
        }
        for (host, path) in theirs.iter().filter(|(host, _)| *host == victim && !taken_over) {
            prop_assert!(!named.contains_key(path), "{path} on {host} is called ours");
        }
        let says = manifest(&sim, &victim);
        if says == end.1 && end.1 != named_before {
            prop_assert!(end.0 == now, "it says that all is written");
        }
        if says == named_before && end.1 != named_before {
            prop_assert!(before == now, "it does not say that something is written");
        }

        block_on(async { tokio::time::sleep(std::time::Duration::from_secs(5)).await });
        run(&project, &sim, at_once);
        let next = block_on(project.plan_now(&sim));
        prop_assert!(next.is_empty() && next.holds.is_empty(), "{}", plain(&show(&next, Diffs::Fold)));
        prop_assert!((files(&sim, &victim), manifest(&sim, &victim)) == end);
        nothing_waits_for_a_restart(&sim, &[])?;
        let gone = theirs.iter().map(|(_, path)| path.clone()).chain(lost).collect();
        nobody_reads_what_is_gone(&sim, &gone)?;
        nothing_is_detached(&sim)?;
    }

    /// A server that does not start without a file that left its role gets it back, and the manifest with it.
    #[test]
    fn what_left_a_role_is_given_back_where_the_start_fails(
        shape in shape(), more in changes(), victim in any::<Index>(), at_once in 1_usize..8, lost in lost(),
    ) {
        let sim = made(&shape, &Vec::new());
        let changes: Vec<_> = more.into_iter().filter(|change| *change != Change::Keeper).collect();
        let mut project = project(&shape, &changes, &Order::plain());
        free(&mut project);
        lose(&mut project, &lost);
        for desired in project.desired.values_mut() {
            desired.files.remove(&path(AT_START));
        }
        let servers = shape.storage();
        let victim = name(&servers[victim.index(servers.len())]);
        let (before, named_before) = (files(&sim, &victim), manifest(&sim, &victim));
        let first = block_on(project.plan_now(&sim));
        let costs = |plan: &Plan| {
            let hosts = plan.waves.iter().flat_map(|wave| &wave.hosts).filter(|host| host.host == victim);
            hosts.map(|host| (host.disruption, host.changes.clone(), host.reasons.clone())).collect::<Vec<_>>()
        };
        prop_assume!(first.holds.is_empty());
        prop_assert_eq!(costs(&first)[0].0, Disruption::Restart, "a removed key that only a start forgets");
        let (mut starts, is_victim) = (0, victim.clone());
        sim.with(|world| world.fate = Fate::new(move |host, act, hosts| {
            let Some(host) = hosts.get_mut(host).filter(|_| *host == is_victim) else { return };
            let anew = matches!(act, Act::Command(Command::Unit { action: UnitAction::Restart, .. }));
            starts += usize::from(anew);
            let why = (anew && starts == 1).then(|| "it wants the file".to_owned());
            host.units.values_mut().for_each(|unit| unit.start_fails.clone_from(&why));
        }));
        let watch = Watch(AtomicUsize::new(0), |_, _: &Event| {});
        let outcome = block_on(async {
            let observed = project.observe(&sim, &watch).await;
            let how = How { at_once, stop: &AtomicBool::new(false), sink: &watch };
            project.run(project.plan(&observed), &observed, how).await
        });
        // Nothing else fails here, and no earlier wave is without the victim's peers.
        let Some(failure) = outcome.failed.get(&victim) else { return Err(TestCaseError::fail(format!("{outcome:?}"))) };
        let back = failure.given_back.clone().unwrap();
        prop_assert_eq!((back.failed, back.left), (None, Vec::new()));
        prop_assert!((files(&sim, &victim), manifest(&sim, &victim)) == (before, named_before));
        let up = sim.with_host(&victim, |host| host.server.as_ref().is_some_and(|server| server.up)).unwrap();
        prop_assert!(up);
        prop_assert_eq!(costs(&block_on(project.plan_now(&sim))), costs(&first));
    }
}
