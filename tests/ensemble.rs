//! Ensembles whose members change, in a simulated world: at every moment a majority of the old and of the new members serves.

mod world;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use housewright::fleet::HostName;
use housewright::render::load::templates;
use housewright::sim::{SimFleet, Witness, World};
use proptest::prelude::*;
use world::{Project, block_on, name};

fn project(role: &str, ids: &BTreeSet<u32>) -> Project {
    let mut hosts = format!("all:\n  vars: {{ hostClusterRole: {role} }}\n  hosts:\n");
    for id in ids {
        let _ = writeln!(hosts, "    keeper-{id:02}: {{ keeper_id: {id} }}");
    }
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("hosts.yml"), hosts).unwrap();
    let secret = |_: &str| String::new();
    Project::load(directory.path(), Path::new("roles"), templates(Path::new("templates")), secret)
        .unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn host(id: u32) -> HostName {
    name(&format!("keeper-{id:02}"))
}

/// How many of these run.
fn running(world: &World, ids: &BTreeSet<u32>) -> usize {
    let runs =
        |id: &&u32| world.hosts.get(&host(**id)).is_some_and(|host| host.units.values().any(|unit| unit.running));
    ids.iter().filter(runs).count()
}

/// A world of these members, as Housewright made it.
fn made(role: &str, old: &BTreeSet<u32>, new: &BTreeSet<u32>) -> SimFleet {
    let sim = project(role, &old.union(new).copied().collect()).bare_world();
    let (_, outcome) = block_on(project(role, old).apply(&sim));
    assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
    sim
}

/// What a run says while both majorities are looked at.
fn watched(sim: &SimFleet, project: &Project, old: &BTreeSet<u32>, new: &BTreeSet<u32>) -> Vec<String> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (said, old, new) = (Arc::clone(&seen), old.clone(), new.clone());
    // Whoever joins is up before the others are told.
    let joined = Arc::new(Mutex::new(false));
    sim.with(|world| {
        world.witness = Witness::new(move |_, world| {
            let mut joined = joined.lock().unwrap();
            *joined |= running(world, &new) == new.len();
            let lost =
                running(world, &old) < old.len() / 2 + 1 || (*joined && running(world, &new) < new.len() / 2 + 1);
            if lost {
                said.lock().unwrap().push(format!(
                    "{} of the old, {} of the new",
                    running(world, &old),
                    running(world, &new)
                ));
            }
        });
    });
    let (_, outcome) = block_on(project.apply(sim));
    assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
    sim.with(|world| world.witness = Witness::default());
    let seen = seen.lock().unwrap();
    seen.clone()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn one_member_that_comes_is_told_to_all_and_no_majority_is_ever_lost(
        old in prop::collection::btree_set(1..12_u32, 3..=6),
        comes in 1..13_u32,
        zookeeper in any::<bool>(),
    ) {
        prop_assume!(!old.contains(&comes));
        let role = if zookeeper { "zookeeper" } else { "keeper" };
        let new: BTreeSet<u32> = old.iter().copied().chain([comes]).collect();
        let (sim, wanted) = (made(role, &old, &new), project(role, &new));
        prop_assert_eq!(watched(&sim, &wanted, &old, &new), Vec::<String>::new());
        let rest = block_on(wanted.plan_now(&sim));
        prop_assert!(rest.is_empty() && rest.holds.is_empty(), "{:?}", rest);
    }

    #[test]
    fn one_member_that_goes_costs_no_majority_or_is_held(
        old in prop::collection::btree_set(1..12_u32, 3..=7),
        goes in any::<prop::sample::Index>(),
    ) {
        let goes = *goes.get(&old.iter().copied().collect::<Vec<_>>());
        let new: BTreeSet<u32> = old.iter().copied().filter(|id| *id != goes).collect();
        let (sim, wanted) = (made("keeper", &old, &new), project("keeper", &new));
        let leader_goes = sim.with(|world| world.leader == Some(host(goes)));
        prop_assert_eq!(watched(&sim, &wanted, &old, &new), Vec::<String>::new());
        let rest = block_on(wanted.plan_now(&sim));
        // Of fewer than five, those that can be asked are no majority while one of them is away; and who leads goes last.
        prop_assert_eq!(rest.holds.is_empty(), old.len() >= 5 && !leader_goes, "{:?}", rest.holds);
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn more_than_one_member_is_never_changed_at_once(
        old in prop::collection::btree_set(1..9_u32, 1..=5),
        new in prop::collection::btree_set(1..9_u32, 1..=5),
    ) {
        prop_assume!(old.symmetric_difference(&new).count() > 1);
        // Of members that are all gone nobody knows.
        prop_assume!(!old.is_disjoint(&new));
        let (sim, wanted) = (made("keeper", &old, &new), project("keeper", &new));
        let plan = block_on(wanted.plan_now(&sim));
        prop_assert!(plan.is_empty(), "{:?}", plan.waves);
        prop_assert!(plan.holds.iter().any(|hold| hold.reason.contains("members differ")), "{:?}", plan.holds);
    }
}

#[test]
fn a_change_that_was_interrupted_goes_on() {
    let (old, new) = ([1, 2, 3].into(), [1, 2, 3, 4].into());
    let (sim, wanted) = (made("keeper", &old, &new), project("keeper", &new));
    // Of the old members the first alone was told.
    let mut part = project("keeper", &new);
    part.hosts = [host(1), host(4)].into();
    let (_, outcome) = block_on(part.apply(&sim));
    assert_eq!(outcome.finished.len(), 2, "{outcome:?}");
    assert_eq!(watched(&sim, &wanted, &old, &new), Vec::<String>::new());
    let rest = block_on(wanted.plan_now(&sim));
    assert!(rest.is_empty() && rest.holds.is_empty(), "{rest:?}");
}

#[test]
fn nobody_is_told_of_a_member_that_does_not_run() {
    let (old, new) = ([1, 2, 3].into(), [1, 2, 3, 4].into());
    let sim = made("keeper", &old, &new);
    let mut part = project("keeper", &new);
    part.hosts = [host(1), host(2), host(3)].into();
    let plan = block_on(part.plan_now(&sim));
    assert!(plan.is_empty(), "{plan:?}");
    assert!(
        plan.holds.iter().all(|hold| hold.reason.contains("does not run")) && plan.holds.len() == 3,
        "{:?}",
        plan.holds
    );
}
