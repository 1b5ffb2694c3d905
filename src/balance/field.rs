//! What the planner moves parts on: pools with their goals, and the parts of each disk by size (pure).
//!
//! The rule for the next move is here, and once more in `templates/clickhouse/balance.sql.tera` for the timer on the hosts.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::pool::{Pool, PoolDisk, fullness, joined, volumes};
use super::{Aim, Course, FLOOR, Layout, Move, PartName, WHOLE};

/// A part may go when at least three quarters of it are too much where it is and too little where it goes. So at least half
/// of what is moved makes the disks more even. Above 1/√2 no part that has gone can be worth another move.
const FITS: (u128, u128) = (3, 4);

/// Parts of a disk, by size.
type Stack<'a> = BTreeMap<u64, BTreeSet<&'a PartName>>;

pub(super) struct Field<'a> {
    disks: BTreeMap<&'a str, State>,
    pools: Vec<BTreeSet<&'a str>>,
    volumes: Vec<(&'a str, Vec<&'a str>)>,
    stacks: BTreeMap<(usize, &'a str), Stack<'a>>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    total: u64,
    used: u64,
    unreserved: u64,
    pool: usize,
}

/// A move that could be next; the least is.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate<'a> {
    /// How many bytes go where they are wanted, less those that do not.
    useful: Reverse<u64>,
    bytes: u64,
    from: &'a str,
    to: &'a str,
    part: &'a PartName,
    volume: usize,
}

impl<'a> Field<'a> {
    pub(super) fn new(layout: &'a Layout, taken: &BTreeSet<PartName>) -> Self {
        let volumes = volumes(layout);
        let pools = joined(&volumes);
        let mut disks = BTreeMap::new();
        for (pool, names) in pools.iter().enumerate() {
            for name in names {
                let Some(disk) = layout.disks.get(*name) else { continue };
                let used = disk.total.saturating_sub(disk.free);
                disks.insert(*name, State { total: disk.total, used, unreserved: disk.unreserved, pool });
            }
        }
        let mut homes: BTreeMap<(&str, &str), (usize, &str)> = BTreeMap::new();
        for (index, (policy, names)) in volumes.iter().enumerate() {
            homes.extend(names.iter().map(|name| ((*policy, *name), (index, *name))));
        }
        let mut stacks: BTreeMap<_, Stack<'_>> = BTreeMap::new();
        for part in &layout.parts {
            let home = homes.get(&(part.policy.as_str(), part.disk.as_str()));
            if let Some(home) = home.filter(|_| part.busy.is_none() && part.bytes > 0 && !taken.contains(&part.name)) {
                stacks.entry(*home).or_default().entry(part.bytes).or_default().insert(&part.name);
            }
        }
        Self { disks, pools, volumes, stacks }
    }

    /// The pools as they are now.
    pub(super) fn pools(&self) -> Vec<Pool> {
        self.pools.iter().map(|names| self.pool(names)).collect()
    }

    fn pool(&self, names: &BTreeSet<&str>) -> Pool {
        let disk = |name: &&str| self.disks.get(name).map(|disk| PoolDisk::new(name, disk.total, disk.used));
        Pool::new(names.iter().filter_map(disk).collect())
    }

    /// How many bytes each disk has too much; too few are negative.
    fn surplus(&self) -> BTreeMap<&'a str, i128> {
        let sum = |pool: usize, of: fn(&State) -> u64| {
            self.disks.values().filter(|disk| disk.pool == pool).map(|disk| u128::from(of(disk))).sum::<u128>()
        };
        let sums: Vec<_> =
            (0..self.pools.len()).map(|pool| (sum(pool, |disk| disk.used), sum(pool, |disk| disk.total))).collect();
        let surplus = |disk: &State| {
            let (used, total) = sums.get(disk.pool).copied().unwrap_or((0, 1));
            let goal = u128::from(disk.total).saturating_mul(used) / total.max(1);
            i128::from(disk.used) - i128::try_from(goal).unwrap_or(i128::MAX)
        };
        self.disks.iter().map(|(name, disk)| (*name, surplus(disk))).collect()
    }

    /// The pools whose spread is worth a move.
    pub(super) fn active(&self, aim: &Aim, course: &Course) -> Vec<bool> {
        let is_active = |names: &BTreeSet<&str>| {
            let begun = names.iter().any(|name| course.begun.contains(*name));
            self.pool(names).spread > if begun { aim.end_at } else { aim.begin_above }
        };
        self.pools.iter().map(is_active).collect()
    }

    /// The best move now.
    pub(super) fn next(&self, aim: &Aim, course: &Course) -> Option<Move> {
        let (surplus, active) = (self.surplus(), self.active(aim, course));
        let budget = aim.bytes.saturating_sub(course.bytes);
        let mut best: Option<Candidate<'_>> = None;
        for ((volume, from), stack) in &self.stacks {
            let Some(source) = self.disks.get(from).filter(|disk| active.get(disk.pool) == Some(&true)) else {
                continue;
            };
            let Some((_, names)) = self.volumes.get(*volume) else { continue };
            for to in names {
                let Some(target) = self.disks.get(to) else { continue };
                let much = |name: &str| surplus.get(name).copied().unwrap_or(0);
                // Where both are near enough to their goals, nothing is won.
                if !(is_outside(much(from), source, aim) || is_outside(-much(to), target, aim)) {
                    continue;
                }
                let room = u64::try_from(much(from).min(-much(to))).unwrap_or(0);
                let most = budget.min(target.unreserved.saturating_sub(target.total / FLOOR));
                for (bytes, part) in fitting(stack, (source, target), room, most).into_iter().flatten() {
                    let useful = Reverse(room.min(bytes).saturating_sub(bytes.saturating_sub(room)));
                    let candidate = Candidate { useful, bytes, from, to, part, volume: *volume };
                    if best.as_ref().is_none_or(|best| candidate < *best) {
                        best = Some(candidate);
                    }
                }
            }
        }
        best.map(|best| Move {
            part: best.part.clone(),
            bytes: best.bytes,
            from: best.from.to_owned(),
            to: best.to.to_owned(),
        })
    }

    /// Makes a move here, as the server would.
    pub(super) fn make(&mut self, step: &Move) {
        for (_, stack) in self.stacks.iter_mut().filter(|((_, disk), _)| *disk == step.from) {
            let names = stack.get_mut(&step.bytes);
            if names.is_some_and(|names| names.remove(&step.part) && names.is_empty()) {
                stack.remove(&step.bytes);
            }
        }
        if let Some(source) = self.disks.get_mut(step.from.as_str()) {
            source.used = source.used.saturating_sub(step.bytes);
            source.unreserved = source.unreserved.saturating_add(step.bytes);
        }
        if let Some(target) = self.disks.get_mut(step.to.as_str()) {
            target.used = target.used.saturating_add(step.bytes);
            target.unreserved = target.unreserved.saturating_sub(step.bytes);
        }
    }
}

/// Whether a disk has so much too much, or too little, that it is outside of the band that a run ends in.
fn is_outside(bytes: i128, disk: &State, aim: &Aim) -> bool {
    bytes.saturating_mul(2 * i128::from(WHOLE)) > i128::from(disk.total) * i128::from(aim.end_at)
}

type Found<'a> = Option<(u64, &'a PartName)>;

/// The largest part that goes wholly into the room, and the smallest one that is larger and still worth it.
fn fitting<'a>(stack: &Stack<'a>, (source, target): (&State, &State), room: u64, most: u64) -> [Found<'a>; 2] {
    if room == 0 {
        return [None, None];
    }
    let first = |(bytes, names): (&u64, &BTreeSet<&'a PartName>)| names.first().map(|name| (*bytes, *name));
    let is_worth = |(bytes, _): &(u64, &PartName)| {
        let fits = u128::from(*bytes) * FITS.0 <= u128::from(room) * FITS.1;
        let target_after = fullness(target.used.saturating_add(*bytes), target.total);
        let source_after = fullness(source.used.saturating_sub(*bytes), source.total);
        let order_stays =
            target_after <= fullness(source.used, source.total) && source_after >= fullness(target.used, target.total);
        *bytes <= most && fits && order_stays
    };
    let whole = stack.range(..=room.min(most)).next_back().and_then(first);
    [whole, stack.range(room.saturating_add(1)..).next().and_then(first).filter(is_worth)]
}
