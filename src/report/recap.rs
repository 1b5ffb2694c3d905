//! The recap: one line per host that was to change, and one line for the whole (pure).

use std::collections::BTreeMap;
use std::fmt::Write;

use super::hosts::count;
use super::style::{BAD, GOOD, HEAD, WARN, paint};
use crate::apply::Outcome;
use crate::clickhouse::config::Disruption;
use crate::fleet::HostName;
use crate::plan::{Change, Plan};

#[derive(Default)]
struct Row {
    files: usize,
    directories: usize,
    units: usize,
    objects: usize,
    disruption: Disruption,
}

/// Writes the table.
#[must_use]
pub fn recap(plan: &Plan, outcome: &Outcome) -> String {
    let mut rows: BTreeMap<&HostName, Row> = BTreeMap::new();
    for host in plan.waves.iter().flat_map(|wave| &wave.hosts) {
        let row = rows.entry(&host.host).or_default();
        row.disruption = row.disruption.max(host.disruption);
        for change in &host.changes {
            match change {
                Change::Directory(_) => row.directories += 1,
                Change::File { .. } => row.files += 1,
                Change::Unit(_) | Change::Owed(_) => row.units += 1,
                Change::Object { .. } => row.objects += 1,
            }
        }
    }
    let width = rows.keys().map(|host| host.as_str().len()).max().unwrap_or_default().max(4);
    let mut out = format!("{}\n", paint(HEAD, format!("{:width$}  {:8}  changes", "host", "result")));
    for (host, row) in &rows {
        let (style, result) = if outcome.failed.contains_key(*host) {
            (BAD, "failed")
        } else if outcome.left.contains(*host) {
            (WARN, "not done")
        } else {
            (GOOD, "ok")
        };
        let _ = writeln!(out, "{host:width$}  {}  {}", paint(style, format!("{result:8}")), row.text());
    }
    for (host, why) in &plan.unreachable {
        let _ = writeln!(out, "{host:width$}  {}  {}", paint(BAD, format!("{:8}", "no answer")), why.reason);
    }
    let _ = writeln!(
        out,
        "{} {} done, {} failed, {} not done, {} not reached, {} as desired before, {} held back",
        paint(HEAD, "recap:"),
        count(outcome.finished.len(), "host"),
        outcome.failed.len(),
        outcome.left.len(),
        plan.unreachable.len(),
        plan.unchanged.len(),
        plan.holds.len(),
    );
    out
}

impl Row {
    fn text(&self) -> String {
        let mut parts = Vec::new();
        for (number, noun) in [
            (self.directories, "directory"),
            (self.files, "file"),
            (self.units, "unit change"),
            (self.objects, "object"),
        ] {
            match (number, noun) {
                (0, _) => {}
                (2.., "directory") => parts.push(format!("{number} directories")),
                _ => parts.push(count(number, noun)),
            }
        }
        match self.disruption {
            Disruption::None => {}
            Disruption::Reload => parts.push("reloaded".to_owned()),
            Disruption::Reattach => parts.push("reattached".to_owned()),
            Disruption::Restart => parts.push("restarted".to_owned()),
        }
        parts.join(", ")
    }
}
