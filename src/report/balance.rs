//! What the balancer would do or has done, host by host (pure).

use std::collections::BTreeMap;
use std::fmt::Write;

use super::hosts::count;
use super::style::{BAD, GOOD, HEAD, QUIET, WARN, paint};
use crate::apply::{BalanceEnd, Balanced};
use crate::balance::{BalancePlan, Move, Pool, WHOLE, Why};
use crate::fleet::HostName;
use crate::size;

/// Signs of a bar.
const BAR: u64 = 20;
/// Moves that are shown one by one.
const SHOWN: usize = 10;

/// What would be moved on each host.
#[must_use]
pub fn balance_plans(plans: &BTreeMap<HostName, BalancePlan>) -> String {
    let mut out = String::new();
    for (host, plan) in plans {
        head(&mut out, host, &plan.moves, &paint(QUIET, why(plan.why)));
        pictures(&mut out, &plan.before, Some(&plan.after));
        for step in plan.moves.iter().take(SHOWN) {
            let _ = writeln!(out, "  {} {}", paint(GOOD, ">"), words(step));
        }
        if plan.moves.len() > SHOWN {
            let _ = writeln!(out, "  {}", paint(QUIET, format!("and {} more", plan.moves.len() - SHOWN)));
        }
    }
    let moves = plans.values().flat_map(|plan| &plan.moves);
    let _ = writeln!(out, "\n{} {} to make", paint(HEAD, "balance:"), summary(moves, plans.len()));
    out
}

/// What was moved on each host.
#[must_use]
pub fn balanced(before: &BTreeMap<HostName, BalancePlan>, done: &BTreeMap<HostName, Balanced>) -> String {
    let mut out = String::new();
    for (host, balanced) in done {
        let end = match &balanced.end {
            BalanceEnd::Done(reason) => paint(QUIET, why(*reason)),
            BalanceEnd::Interrupted => paint(WARN, "interrupted"),
            BalanceEnd::Held(reason) => paint(WARN, format!("held back: {reason}")),
            BalanceEnd::Failed(reason) => paint(BAD, reason),
        };
        head(&mut out, host, &balanced.moved, &end);
        let pools = before.get(host).map(|plan| plan.before.as_slice()).unwrap_or_default();
        pictures(&mut out, pools, Some(&balanced.after));
        for (step, reason) in &balanced.left {
            let _ = writeln!(out, "  {} {}: {reason}", paint(WARN, "~"), words(step));
        }
    }
    let moves = done.values().flat_map(|balanced| &balanced.moved);
    let _ = writeln!(out, "\n{} {} made", paint(HEAD, "balance:"), summary(moves, done.len()));
    out
}

fn summary<'a>(moves: impl Iterator<Item = &'a Move>, hosts: usize) -> String {
    let (moves, bytes) = moves.fold((0, 0_u64), |(moves, bytes), step| (moves + 1, bytes.saturating_add(step.bytes)));
    format!("{} of {} on {}", count(moves, "move"), size::words(bytes), count(hosts, "host"))
}

fn head(out: &mut String, host: &HostName, moves: &[Move], end: &str) {
    let bytes = moves.iter().map(|step| step.bytes).sum();
    let moves = if moves.is_empty() {
        "nothing to move".to_owned()
    } else {
        format!("{}, {}", count(moves.len(), "move"), size::words(bytes))
    };
    let _ = writeln!(out, "{}  {moves}; {end}", paint(HEAD, host));
}

/// A line for each disk, with two bars where it changes.
fn pictures(out: &mut String, before: &[Pool], after: Option<&[Pool]>) {
    let disks = |pools: &[Pool]| pools.iter().flat_map(|pool| pool.disks.clone()).collect::<Vec<_>>();
    let (before, after) = (disks(before), disks(after.unwrap_or_default()));
    let width = before.iter().map(|disk| disk.name.chars().count()).max().unwrap_or_default();
    for disk in &before {
        let then = after.iter().find(|then| then.name == disk.name && then.used != disk.used);
        let then = then.map(|then| format!(" -> {}", picture(then.fullness))).unwrap_or_default();
        let (name, total) = (&disk.name, size::words(disk.total));
        let _ = writeln!(out, "  {name:width$}  {total:>8}  {}{then}", picture(disk.fullness));
    }
}

/// A share as a bar and as a number.
fn picture(fullness: u64) -> String {
    let signs = (fullness * BAR + WHOLE / 2) / WHOLE;
    let bar: String = (0..BAR).map(|at| if at < signs { '#' } else { '.' }).collect();
    let tenths = fullness * 1000 / WHOLE;
    format!("{bar} {:>3}.{} %", tenths / 10, tenths % 10)
}

fn words(step: &Move) -> String {
    let (part, bytes) = (&step.part, size::words(step.bytes));
    format!("{}.{} {}  {bytes}  {} -> {}", part.database, part.table, part.part, step.from, step.to)
}

fn why(why: Why) -> &'static str {
    match why {
        Why::NothingToCompare => "no table has a volume of several local disks",
        Why::Even => "the disks are even enough",
        Why::NothingFits => "no other part would make the disks more even",
        Why::Budget => "a further run goes on: this one has moved what it may",
    }
}
