//! A run dies behind any act of a migration: none of its statements is done twice, and it ends done or held.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use housewright::event::Event;
use housewright::fleet::{HostName, RoleName};
use housewright::migration;
use housewright::problem::Source;
use housewright::report::{Diffs, plan as show};
use housewright::role::SchemaFile;
use housewright::sim::{SimFleet, SimHost, Witness};
use tokio::sync::Notify;

use super::fleets::{Order, Shape, project};
use super::world::{Project, block_on, name, plain};
use super::worlds::copy;
use super::{Watch, made, watched};

const STATEMENTS: [&str; 2] = ["INSERT INTO persons SELECT * FROM old", "OPTIMIZE TABLE persons FINAL"];

fn with(shape: &Shape, header: &str) -> Project {
    let mut project = project(shape, &[], &Order::plain());
    let role = RoleName::new("data").unwrap();
    let text = format!("-- housewright: {header}\n{};", STATEMENTS.join(";\n"));
    let source = Arc::new(Source { name: "0001_a.sql".to_owned(), text });
    project.fleet.roles.get_mut(&role).unwrap().migrations = vec![SchemaFile { role: role.clone(), source }];
    let read = migration::read(&project.fleet.roles, &project.objects);
    assert_eq!(read.problems, []);
    project.migrations = read.roles;
    project
}

/// How often each statement was done on the hosts of each place.
fn done(sim: &SimFleet, header: &str) -> BTreeMap<(String, String), usize> {
    let place = |host: &HostName| match header {
        _ if header.contains("fleet") => String::new(),
        _ if header.contains("shard") => host.as_str()[..6].to_owned(),
        _ => host.to_string(),
    };
    let mut counts = BTreeMap::new();
    for (host, sim) in sim.with(|world| world.hosts.clone()) {
        for errand in sim.server.iter().flat_map(|server| &server.errands.told) {
            *counts.entry((place(&host), errand.text.clone())).or_default() += 1;
        }
    }
    counts
}

/// Runs it until so many acts are done, then two runs more; says whether it had fewer acts.
fn killed(project: &Project, sim: &SimFleet, crash: usize, header: &str, harmless: bool) -> bool {
    let (pulled, runs, acts) =
        (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let watch = Watch(AtomicUsize::new(0), |_, event: &Event| {
        if matches!(event, Event::WaveStarted { .. }) {
            runs.store(true, Ordering::Relaxed);
        }
    });
    let (pull, begun, count) = (pulled.clone(), runs.clone(), acts.clone());
    sim.with(|world| {
        world.witness = Witness::new(move |_, _| {
            if begun.load(Ordering::Relaxed) && count.fetch_add(1, Ordering::Relaxed) == crash {
                pull.notify_one();
            }
        });
    });
    block_on(watched(project, sim, &watch, 4, pulled.notified()));
    sim.with(|world| world.witness = Witness::default());
    let fewer = acts.load(Ordering::Relaxed) <= crash;
    while let (plan, outcome) = block_on(project.apply(sim))
        && !plan.is_empty()
    {
        assert!(outcome.failed.is_empty(), "{header}, act {crash}: {:?}", outcome.failed);
    }
    let next = block_on(project.plan_now(sim));
    let shown = format!("{header}, act {crash}: {}", plain(&show(&next, Diffs::Fold)));
    assert!(next.is_empty(), "{shown}");
    let counts = done(sim, header);
    let most = if harmless { 2 } else { 1 };
    assert!(counts.values().all(|count| *count <= most), "{shown}{counts:?}");
    let places = if header.contains("fleet") {
        1
    } else if header.contains("shard") {
        2
    } else {
        3
    };
    if next.holds.is_empty() {
        assert_eq!(counts.len(), places * STATEMENTS.len(), "{shown}{counts:?}");
    } else {
        assert!(!harmless, "{shown}");
    }
    fewer
}

#[test]
fn a_migration_that_is_killed_behind_any_act_is_never_done_twice() {
    let shape = Shape { shards: vec![2, 1], ingestion: 0, keepers: 1 };
    let world = made(&shape, &Vec::new());
    for (scope, how, forgets) in [
        ("fleet", "hold", true),
        ("shard", "hold", false),
        ("shard", "hold", true),
        ("shard", "repeat", true),
        ("host", "hold", false),
    ] {
        let header = format!("once per {scope}, if interrupted {how}");
        let project = with(&shape, &header);
        for crash in 0.. {
            let sim = copy(&world);
            for host in shape.storage() {
                sim.with_host(&name(&host), |host| host.server.as_mut().unwrap().errands.forgets = forgets);
            }
            if killed(&project, &sim, crash, &header, how == "repeat") {
                assert!(crash > 10, "{header}: the run has only {crash} acts");
                break;
            }
        }
    }
}

#[test]
fn a_carrier_that_loses_its_disks_is_remembered_by_the_others() {
    let shape = Shape { shards: vec![2], ingestion: 0, keepers: 1 };
    for scope in ["fleet", "shard"] {
        let header = format!("once per {scope}");
        let (project, sim) = (with(&shape, &header), made(&shape, &Vec::new()));
        block_on(project.apply(&sim));
        assert_eq!(done(&sim, &header).into_values().collect::<Vec<_>>(), [1, 1]);
        sim.with_host(&name("data-1-a"), |host| *host = SimHost::bare());
        // The coordination has its replicas: they are forgotten once its server runs.
        block_on(project.apply(&sim));
        block_on(project.apply(&sim));
        let next = block_on(project.plan_now(&sim));
        assert!(next.is_empty() && next.holds.is_empty(), "{}", plain(&show(&next, Diffs::Fold)));
        assert_eq!(done(&sim, &header), BTreeMap::new(), "its own log went with its disks, and nobody else ran it");
    }
}
