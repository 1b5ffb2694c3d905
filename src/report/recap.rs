//! The recap: one line per host that was to change, and one line for the whole (pure).

use std::collections::BTreeMap;
use std::fmt::Write;

use super::hosts::count;
use super::style::{BAD, GOOD, HEAD, WARN, paint};
use crate::apply::Outcome;
use crate::clickhouse::config::Disruption;
use crate::event::Failure;
use crate::fleet::HostName;
use crate::plan::{Change, Plan};
use crate::resource::Owed;

#[derive(Default)]
struct Row {
    ground: usize,
    files: usize,
    directories: usize,
    units: usize,
    objects: usize,
    migrations: usize,
    traffic: bool,
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
                Change::Ground(_) => row.ground += 1,
                Change::Directory(_) => row.directories += 1,
                Change::File { .. } => row.files += 1,
                Change::Record { .. } => {}
                Change::Owed(Owed::Traffic) => row.traffic = true,
                Change::Unit(_) | Change::Owed(_) | Change::StaleUnit { .. } => row.units += 1,
                // Its files count.
                Change::Setting(_) | Change::Secret { .. } => {}
                Change::Object { .. }
                | Change::ObjectAlter { .. }
                | Change::ObjectRecreate { .. }
                | Change::ObjectDrop { .. }
                | Change::ObjectRecord { .. }
                | Change::ObjectForget { .. }
                | Change::ReplicaForget { .. } => row.objects += 1,
                Change::Migration { .. } => row.migrations += 1,
                // What another host runs.
                Change::MigrationRecord { .. } => {}
            }
        }
    }
    let width = rows.keys().map(|host| host.as_str().len()).max().unwrap_or_default().max(4);
    let mut out = format!("{}\n", paint(HEAD, format!("{:width$}  {:9}  changes", "host", "result")));
    for (host, row) in &rows {
        let (style, result, text) = match outcome.failed.get(*host) {
            Some(failure) => (BAD, "failed", failed(failure)),
            None if outcome.left.contains(*host) => (WARN, "not done", String::new()),
            None => (GOOD, "ok", row.text()),
        };
        let padded = if text.is_empty() { result.to_owned() } else { format!("{result:9}  ") };
        let line = format!("{host:width$}  {}{text}", paint(style, padded));
        let _ = writeln!(out, "{line}");
    }
    for (host, why) in &plan.unreachable {
        let _ = writeln!(out, "{host:width$}  {}  {}", paint(BAD, format!("{:9}", "no answer")), why.reason);
    }
    let numbers = [
        (outcome.failed.len(), "failed"),
        (outcome.left.len(), "not done"),
        (plan.unreachable.len(), "not reached"),
        (plan.unchanged.len(), "as desired before"),
        (plan.holds.len(), "held back"),
    ];
    let mut parts = vec![format!("{} done", count(outcome.finished.len(), "host"))];
    parts.extend(numbers.iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{number} {what}")));
    let _ = writeln!(out, "\n{} {}", paint(HEAD, "recap:"), parts.join(", "));
    out
}

/// The step, what became of the way back, and what is still to do.
fn failed(failure: &Failure) -> String {
    let mut text = failure.step.clone();
    if let Some(back) = &failure.given_back {
        let _ = match &back.failed {
            Some((step, _)) => write!(text, "; the way back failed: {step}"),
            None => write!(text, "; {}", back.text()),
        };
    }
    if !failure.owes.is_empty() {
        let _ = write!(text, "; owed: {}", failure.owes.join(", "));
    }
    text
}

impl Row {
    fn text(&self) -> String {
        let mut parts = Vec::new();
        for (number, noun) in [
            (self.ground, "prerequisite"),
            (self.directories, "directory"),
            (self.files, "file"),
            (self.units, "unit change"),
            (self.objects, "object"),
            (self.migrations, "migration"),
        ] {
            match (number, noun) {
                (0, _) => {}
                (2.., "directory") => parts.push(format!("{number} directories")),
                _ => parts.push(count(number, noun)),
            }
        }
        parts.extend(self.traffic.then(|| "in traffic again".to_owned()));
        match self.disruption {
            Disruption::None => {}
            Disruption::Reload => parts.push("reloaded".to_owned()),
            Disruption::Reattach => parts.push("reattached".to_owned()),
            Disruption::Restart => parts.push("restarted".to_owned()),
        }
        parts.join(", ")
    }
}
