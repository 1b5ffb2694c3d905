//! How near the disk balancer is to what cannot be done with less, and what its plan costs.
//!
//! `cargo bench --no-default-features --bench balance`; random and awkward sets of disks, each beside lower bounds of its bytes
//! and moves. It fails where a plan moves more than its set allows.

use std::time::Instant;

use housewright::balance::{Aim, BalancePlan, Disk, Layout, Part, PartName, Pool, Volume, WHOLE, Why, plan};
use housewright::size;

const GB: u64 = 1_000_000_000;
/// A run begins above 10 % and goes on to 5 %.
const SPREAD: u8 = 10;
const RUNS: u64 = 20;

/// Numbers that are the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }
}

/// Parts as merges leave them: each tier is ten times as large as the one before, up to 150 GB.
fn merged(random: &mut Random) -> u64 {
    let tier = 10_u64.pow(u32::try_from(random.below(4)).unwrap_or(0));
    (GB / 10) * tier + random.below(GB / 20 * tier)
}

type Size = fn(&mut Random) -> u64;

/// Disks by size and by how full they are, filled with parts of a size.
fn layout(disks: &[(u64, u64)], seed: u64, bytes: Size) -> Layout {
    let (mut layout, mut random) = (Layout::default(), Random(seed));
    for (at, (total, percent)) in disks.iter().enumerate() {
        let (name, total) = (format!("d{at}"), total * GB);
        let (mut free, wanted) = (total, total / 100 * percent);
        while total - free < wanted {
            let bytes = bytes(&mut random).min(free);
            let part = format!("all_{}_0", layout.parts.len());
            let part = PartName { database: "default".to_owned(), table: "events".to_owned(), part };
            free -= bytes;
            layout.parts.push(Part { name: part, disk: name.clone(), policy: "jbod".to_owned(), bytes, busy: None });
        }
        layout.disks.insert(name, Disk { total, free, unreserved: free, unfit: None });
    }
    let disks = layout.disks.keys().cloned().collect();
    layout.volumes.push(Volume { policy: "jbod".to_owned(), name: "main".to_owned(), disks });
    layout
}

/// No plan that ends at the spread moves fewer bytes, and none makes fewer moves: wherever the band of fullness lies in the end,
/// what stands above it must leave, and what is missing below it must come.
fn bounds(layout: &Layout, pool: &Pool, spread: u64) -> (u64, usize) {
    const STEPS: u64 = 2_000;
    let mut by_disk: Vec<Vec<u64>> = Vec::new();
    for disk in &pool.disks {
        let mut sizes: Vec<u64> =
            layout.parts.iter().filter(|part| part.disk == disk.name).map(|part| part.bytes).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        by_disk.push(sizes);
    }
    let mut all = by_disk.concat();
    all.sort_unstable_by(|a, b| b.cmp(a));
    let fewest = |sizes: &[u64], mut bytes: u64| {
        let needed = sizes.iter().take_while(|size| {
            let more = bytes > 0;
            bytes = bytes.saturating_sub(**size);
            more
        });
        needed.count()
    };
    let share =
        |total: u64, of: u64| u64::try_from(u128::from(total) * u128::from(of) / u128::from(WHOLE)).unwrap_or(0);
    let at = |step: u64| {
        // The upper end is taken a step higher than it is, so that nothing between two steps is lower.
        let (low, high) = (step * WHOLE / STEPS, (step + 1) * WHOLE / STEPS + spread);
        let over = |disk: &housewright::balance::PoolDisk| disk.used.saturating_sub(share(disk.total, high));
        let missing: u64 = pool.disks.iter().map(|disk| share(disk.total, low).saturating_sub(disk.used)).sum();
        let leaves: u64 = pool.disks.iter().map(over).sum();
        let moves = pool.disks.iter().zip(&by_disk).map(|(disk, sizes)| fewest(sizes, over(disk))).sum();
        (leaves.max(missing), fewest(&all, missing).max(moves))
    };
    let bytes = (0..STEPS).map(|step| at(step).0).min().unwrap_or(0);
    (bytes, (0..STEPS).map(|step| at(step).1).min().unwrap_or(0))
}

struct Set {
    name: &'static str,
    disks: &'static [(u64, u64)],
    bytes: Size,
    /// Bytes that a plan may move beside the lower bound.
    most: f64,
}

const SETS: [Set; 7] = [
    Set { name: "three unequal disks", disks: &[(1000, 80), (500, 30), (250, 10)], bytes: merged, most: 1.15 },
    Set {
        name: "a new disk beside three",
        disks: &[(7500, 70), (7500, 72), (7500, 69), (7500, 0)],
        bytes: merged,
        most: 1.05,
    },
    Set {
        name: "twelve disks, one full",
        disks: &[
            (2000, 93),
            (2000, 50),
            (2000, 51),
            (2000, 52),
            (2000, 49),
            (2000, 50),
            (2000, 50),
            (2000, 48),
            (2000, 50),
            (2000, 53),
            (2000, 50),
            (2000, 47),
        ],
        bytes: merged,
        most: 1.05,
    },
    Set { name: "many small parts", disks: &[(200, 90), (200, 20), (400, 60)], bytes: |_| GB / 8, most: 1.02 },
    Set {
        name: "parts of one large size",
        disks: &[(1000, 84), (1000, 36), (500, 14)],
        bytes: |_| 120 * GB,
        most: 1.0,
    },
    Set {
        name: "powers of two",
        disks: &[(1000, 88), (700, 40), (300, 5)],
        bytes: |random| (GB / 4) << random.below(10),
        most: 1.2,
    },
    Set { name: "a disk of a hundredth", disks: &[(8000, 60), (8000, 40), (80, 0)], bytes: merged, most: 1.2 },
];

fn found(layout: &Layout) -> BalancePlan {
    plan(layout, &Aim::of_spread(SPREAD, u64::MAX))
}

#[expect(clippy::cast_precision_loss, reason = "ratios are read by people")]
fn main() {
    println!("{:<26} {:>7} {:>14} {:>11} {:>21} {:>6}", "20 runs each", "parts", "spread", "moves", "bytes", "ratio");
    let mut failed = false;
    for set in &SETS {
        let (mut parts, mut moves, mut fewest, mut bytes, mut least, mut stuck) = (0, 0, 0, 0, 0, 0);
        let (mut before, mut after) = (0, 0);
        for seed in 0..RUNS {
            let layout = layout(set.disks, seed, set.bytes);
            let plan = found(&layout);
            let (bytes_bound, moves_bound) = bounds(&layout, &plan.before[0], u64::from(SPREAD) * WHOLE / 200);
            stuck += u64::from(plan.why == Why::NothingFits);
            (parts, moves, fewest) = (parts + layout.parts.len(), moves + plan.moves.len(), fewest + moves_bound);
            (bytes, least) = (bytes + plan.bytes(), least + bytes_bound);
            (before, after) = (before + plan.before[0].spread, after + plan.after[0].spread);
        }
        let ratio = bytes as f64 / least.max(1) as f64;
        let percent = |spread: u64| spread as f64 * 100.0 / WHOLE as f64 / RUNS as f64;
        let spread = format!("{:.1} -> {:.1} %", percent(before), percent(after));
        let runs = usize::try_from(RUNS).unwrap_or(1);
        let moved = format!("{} ({})", moves / runs, fewest / runs);
        let sizes = format!("{} ({})", size::words(bytes / RUNS), size::words(least / RUNS));
        let stuck = if stuck > 0 { format!("  {stuck} end before 5 %") } else { String::new() };
        println!("{:<26} {:>7} {spread:>14} {moved:>11} {sizes:>21} {ratio:>6.3}{stuck}", set.name, parts / runs);
        if ratio > set.most {
            println!("{}: more than {} times the lower bound", set.name, set.most);
            failed = true;
        }
    }
    let sizes: [Size; 2] = [|_| GB * 5, |_| GB / 2];
    for size in sizes {
        let layout = layout(&[(40_000, 80), (40_000, 20), (20_000, 50)], 1, size);
        let started = Instant::now();
        let plan = found(&layout);
        println!("{} parts: {} moves planned in {:?}", layout.parts.len(), plan.moves.len(), started.elapsed());
    }
    assert!(!failed, "more is moved than a set allows");
}
