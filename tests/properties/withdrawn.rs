//! A run dies, and what it was about is wanted no more: the next run leaves nothing of it.

use std::sync::atomic::AtomicUsize;

use housewright::event::Event;
use housewright::plan::Permissions;
use housewright::report::{Diffs, plan as show};
use tokio::sync::Notify;

use super::fleets::{Change, Order, Shape, project};
use super::world::{block_on, plain};
use super::worlds::{merges_go_on, nothing_is_detached, nothing_waits_for_a_restart};
use super::{Watch, made, watched};

#[test]
fn a_change_that_is_withdrawn_behind_a_crash_leaves_nothing() {
    let shape = Shape { shards: vec![2], ingestion: 0, keepers: 1 };
    let [wanted, withdrawn] = [&[Change::Setting][..], &[]].map(|changes| {
        let mut project = project(&shape, changes, &Order::plain());
        project.permissions = Permissions { shard_outage: true, quorum_outage: true, ..Permissions::default() };
        project
    });
    let mut crash = 0;
    loop {
        let sim = made(&shape, &Vec::new());
        let pulled = Notify::new();
        let watch = Watch(AtomicUsize::new(0), |number, _: &Event| {
            if number == crash {
                pulled.notify_one();
            }
        });
        block_on(watched(&wanted, &sim, &watch, 4, pulled.notified()));
        if watch.0.into_inner() <= crash {
            break;
        }
        for _ in 0..2 {
            block_on(withdrawn.apply(&sim));
        }
        let next = block_on(withdrawn.plan_now(&sim));
        assert!(next.is_empty() && next.holds.is_empty(), "event {crash}: {}", plain(&show(&next, Diffs::Fold)));
        for rule in [merges_go_on(&sim), nothing_is_detached(&sim), nothing_waits_for_a_restart(&sim, &[])] {
            rule.unwrap_or_else(|broken| panic!("event {crash}: {broken}"));
        }
        crash += 1;
    }
    assert!(crash > 30, "the run has only {crash} events");
}

/// A directory that is missing says nothing of what is to go.
#[test]
fn a_schema_that_is_gone_as_a_whole_drops_nothing() {
    let shape = Shape { shards: vec![2], ingestion: 1, keepers: 1 };
    let sim = made(&shape, &Vec::new());
    let mut project = project(&shape, &[], &Order::plain());
    project.objects.values_mut().for_each(Vec::clear);
    let plan = block_on(project.plan_now(&sim));
    assert!(plan.waves.is_empty(), "{}", plain(&show(&plan, Diffs::Fold)));
    assert!(
        plan.holds.len() > 3 && plan.holds.iter().all(|hold| hold.reason.contains("no schema at all")),
        "{:?}",
        plan.holds
    );
}
