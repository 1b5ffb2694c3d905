//! Examples and properties of the balancer (pure).

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::clickhouse::Rows;

const GB: u64 = 1_000_000_000;

fn part(number: usize, disk: &str, policy: &str, bytes: u64) -> Part {
    let name = PartName { database: "default".to_owned(), table: policy.to_owned(), part: format!("all_{number:04}") };
    Part { name, disk: disk.to_owned(), policy: policy.to_owned(), bytes, busy: None }
}

/// Disks by size, with nothing on them but these parts of one table; each is on the disk of its number.
fn layout(sizes: &[u64], parts: &[(usize, u64)]) -> Layout {
    let name = |at: usize| format!("d{at}");
    let mut layout = Layout::default();
    for (at, total) in sizes.iter().enumerate() {
        let disk = Disk { total: *total, free: *total, unreserved: *total, unfit: None };
        layout.disks.insert(name(at), disk);
    }
    let disks = (0..sizes.len()).map(name).collect();
    layout.volumes.push(Volume { policy: "jbod".to_owned(), name: "main".to_owned(), disks });
    for (number, (at, bytes)) in parts.iter().enumerate() {
        put(&mut layout, part(number, &name(*at), "jbod", *bytes));
    }
    layout
}

/// Puts a part on its disk, where there is room.
fn put(layout: &mut Layout, part: Part) {
    let Some(disk) = layout.disks.get_mut(&part.disk).filter(|disk| disk.unreserved >= part.bytes) else { return };
    disk.free -= part.bytes;
    disk.unreserved -= part.bytes;
    layout.parts.push(part);
}

fn make(layout: &mut Layout, step: &Move) {
    let part = layout.parts.iter_mut().find(|part| part.name == step.part).unwrap();
    assert_eq!((&part.disk, part.bytes), (&step.from, step.bytes));
    part.disk.clone_from(&step.to);
    for (disk, add) in [(&step.from, true), (&step.to, false)] {
        let disk = layout.disks.get_mut(disk).unwrap();
        for free in [&mut disk.free, &mut disk.unreserved] {
            *free = if add { *free + step.bytes } else { *free - step.bytes };
        }
    }
}

fn moves(plan: &BalancePlan) -> Vec<String> {
    plan.moves.iter().map(|step| format!("{} {} {}>{}", step.part.part, step.bytes, step.from, step.to)).collect()
}

fn aim() -> Aim {
    Aim::of_spread(10, u64::MAX)
}

#[test]
fn the_largest_parts_that_fit_go_to_where_they_are_missed() {
    // 60 % on average: d0 has 30 too much, d1 20 and d2 10 too little.
    let found =
        plan(&layout(&[100, 100, 50], &[(0, 25), (0, 25), (0, 10), (0, 10), (0, 20), (1, 40), (2, 20)]), &aim());
    assert_eq!(moves(&found), ["all_0004 20 d0>d1", "all_0002 10 d0>d2"]);
    assert_eq!(found.after.iter().map(|pool| pool.spread).collect::<Vec<_>>(), [0]);
    assert_eq!(found.why, Why::Even);
}

#[test]
fn nothing_moves_under_the_spread_that_begins_a_run() {
    let even = layout(&[100, 100], &[(0, 5), (0, 5), (0, 5)]);
    assert_eq!(plan(&even, &Aim::of_spread(15, u64::MAX)).moves, []);
    // One that has begun goes on to half of it.
    let found = plan(&even, &Aim::of_spread(14, u64::MAX));
    assert_eq!((moves(&found).len(), found.why), (1, Why::Even));
}

#[test]
fn a_part_that_is_too_large_is_moved_only_where_most_of_it_is_missed() {
    // 30 too much on d0, and every part has 40: 20 % apart is better than 60 %.
    let found = plan(&layout(&[100, 100], &[(0, 40), (0, 40), (1, 20)]), &aim());
    assert_eq!((moves(&found), found.after[0].spread), (vec!["all_0000 40 d0>d1".to_owned()], WHOLE / 5));
    let found = plan(&layout(&[100, 100], &[(0, 60), (1, 10)]), &aim());
    assert_eq!((found.moves.len(), found.why), (0, Why::NothingFits));
}

#[test]
fn what_is_busy_unfit_or_of_another_volume_stays() {
    let full = || layout(&[100, 100], &[(0, 30), (0, 30), (0, 30)]);
    let mut busy = full();
    busy.parts[0].busy = Some("in a merge".to_owned());
    assert_eq!(moves(&plan(&busy, &aim())), ["all_0001 30 d0>d1"]);

    let mut unfit = full();
    unfit.disks.get_mut("d1").unwrap().unfit = Some("broken".to_owned());
    assert_eq!(plan(&unfit, &aim()).why, Why::NothingToCompare);

    let mut apart = full();
    let volume = |name: &str, disk: &str| Volume {
        policy: "jbod".to_owned(),
        name: name.to_owned(),
        disks: vec![disk.to_owned()],
    };
    apart.volumes = vec![volume("hot", "d0"), volume("cold", "d1")];
    assert_eq!(plan(&apart, &aim()).why, Why::NothingToCompare);

    let mut full_target = full();
    full_target.disks.get_mut("d1").unwrap().unreserved = 34;
    assert_eq!(plan(&full_target, &aim()).why, Why::NothingFits, "5 stay free");

    let found = plan(&full(), &Aim::of_spread(10, 20));
    assert_eq!((found.moves.len(), found.why), (0, Why::Budget));
}

/// Disks of several sizes, policies that overlap, parts that somebody else has, and parts that are busy.
fn any_layout() -> impl Strategy<Value = Layout> {
    let disks = prop::collection::vec((1..2_000 * GB, 0..100_u64), 2..6);
    let volumes = prop::collection::vec(prop::collection::vec(0..6_usize, 1..5), 1..4);
    let parts = prop::collection::vec((0..6_usize, 0..4_usize, 0..40_u32, 0..GB, 0..10_u8), 0..150);
    (disks, volumes, parts).prop_map(|(disks, volumes, parts)| {
        let mut layout = Layout::default();
        let name = |at: usize| format!("d{}", at % disks.len());
        for (at, (total, other)) in disks.iter().enumerate() {
            let free = total - total / 200 * other;
            layout.disks.insert(name(at), Disk { total: *total, free, unreserved: free - free / 50, unfit: None });
        }
        for (at, names) in volumes.iter().enumerate() {
            let disks: BTreeSet<String> = names.iter().map(|at| name(*at)).collect();
            let disks = disks.into_iter().collect();
            layout.volumes.push(Volume { policy: format!("p{at}"), name: "v".to_owned(), disks });
        }
        for (number, (disk, policy, power, bytes, busy)) in parts.into_iter().enumerate() {
            let mut part =
                part(number, &name(disk), &format!("p{}", policy % volumes.len()), (bytes << (power / 4)) >> 3);
            part.busy = (busy == 0).then(|| "in a merge".to_owned());
            put(&mut layout, part);
        }
        layout
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_move_makes_it_better_and_an_even_server_is_left_alone(
        mut layout in any_layout(), percent in 2..30_u8, bytes in prop_oneof![Just(u64::MAX), 0..500 * GB]
    ) {
        let aim = Aim::of_spread(percent, bytes);
        let found = plan(&layout, &aim);
        prop_assert_eq!(&found, &plan(&layout, &aim));
        prop_assert_eq!(&found.before, &pools(&layout));
        prop_assert!(found.bytes() <= bytes);
        let (mut course, mut taken) = (Course::default(), BTreeSet::new());
        for step in &found.moves {
            // What the executor chooses from what it sees then is what was planned.
            let chosen = next(&layout, &aim, &course);
            prop_assert_eq!(chosen.as_ref(), Ok(step));
            prop_assert!(taken.insert(step.part.clone()), "twice: {:?}", step);
            let part = layout.parts.iter().find(|part| part.name == step.part).unwrap();
            prop_assert_eq!(&part.busy, &None);
            let home = layout.volumes.iter().find(|volume| volume.policy == part.policy && volume.disks.contains(&step.from));
            prop_assert!(home.is_some_and(|volume| volume.disks.contains(&step.to)), "{:?}", step);
            let spreads = |layout: &Layout| pools(layout).iter().map(|pool| pool.spread).collect::<Vec<_>>();
            let before = spreads(&layout);
            make(&mut layout, step);
            course.note(step, step.bytes);
            let target = &layout.disks[&step.to];
            prop_assert!(target.unreserved >= target.total / FLOOR);
            for (before, after) in before.iter().zip(spreads(&layout)) {
                prop_assert!(after <= *before, "{before} {after} {step:?}");
            }
        }
        prop_assert_eq!(&found.after, &pools(&layout));
        let again = plan(&layout, &aim);
        match found.why {
            // Another run goes on. It may take a small part back where a large one, that this run could not afford, goes.
            Why::Budget => {
                for (is, was) in again.after.iter().zip(&again.before) {
                    prop_assert!(is.spread <= was.spread, "{is:?} {was:?}");
                }
            }
            // What a run has moved once it leaves alone; only with such a part can another go on.
            Why::NothingFits => {
                prop_assert!(again.moves.first().is_none_or(|step| taken.contains(&step.part)), "{:?}", again.moves);
            }
            Why::Even | Why::NothingToCompare => prop_assert_eq!(again.moves, vec![]),
        }
    }

    #[test]
    fn no_more_than_twice_the_surplus_is_moved(layout in any_layout()) {
        let found = plan(&layout, &aim());
        for pool in &found.before {
            let sum = |of: fn(&PoolDisk) -> u64| pool.disks.iter().map(|disk| u128::from(of(disk))).sum::<u128>();
            let (used, total) = (sum(|disk| disk.used), sum(|disk| disk.total));
            let too_much = |disk: &PoolDisk| u128::from(disk.used).saturating_sub(u128::from(disk.total) * used / total);
            let surplus: u128 = pool.disks.iter().map(too_much).sum();
            let here = |step: &&Move| pool.disks.iter().any(|disk| disk.name == step.from);
            let moved: u128 = found.moves.iter().filter(here).map(|step| u128::from(step.bytes)).sum();
            prop_assert!(moved <= surplus * 2, "{moved} of {surplus}");
        }
    }
}

#[test]
fn answers_of_a_server_are_read_and_half_an_answer_is_an_error() {
    let rows = |columns: &[&str], rows: Vec<Vec<Value>>| Rows {
        columns: columns.iter().map(ToString::to_string).collect(),
        rows,
    };
    let disks = rows(
        &["name", "total", "free", "unreserved", "unfit"],
        vec![
            vec![json!("d1"), json!(100), json!(60), json!(50), json!("")],
            vec![json!("s3"), json!(u64::MAX), json!(u64::MAX), json!(u64::MAX), json!("not a local disk")],
        ],
    );
    let volumes =
        rows(&["policy", "volume", "disks"], vec![vec![json!("tiered"), json!("hot"), json!(["d1", "it's"])]]);
    let columns = ["database", "table", "part", "disk", "policy", "bytes", "busy"];
    let row =
        vec![json!("db"), json!("t"), json!("all_1_1_0"), json!("d1"), json!("tiered"), json!(7), json!("in a merge")];
    let layout = read(&disks, &volumes, &rows(&columns, vec![row.clone()])).unwrap();
    assert_eq!(layout.disks["d1"], Disk { total: 100, free: 60, unreserved: 50, unfit: None });
    assert_eq!(layout.disks["s3"].unfit.as_deref(), Some("not a local disk"));
    assert_eq!(layout.volumes[0].disks, ["d1", "it's"]);
    assert_eq!((layout.parts[0].bytes, layout.parts[0].busy.as_deref()), (7, Some("in a merge")));
    assert!(read(&disks, &volumes, &rows(&columns[1..], vec![row[1..].to_vec()])).is_err());
    assert!(read(&volumes, &disks, &rows(&columns, vec![])).is_err());
}

#[test]
fn a_name_in_a_move_stays_a_name() {
    let name = PartName { database: "d`b".to_owned(), table: "t".to_owned(), part: "it's".to_owned() };
    let step = Move { part: name, bytes: 1, from: "a".to_owned(), to: "b'".to_owned() };
    assert_eq!(
        statement(&step, 5).text(),
        r"ALTER TABLE `d\`b`.`t` MOVE PART 'it\'s' TO DISK 'b\'' SETTINGS max_local_write_bandwidth = 5"
    );
}
