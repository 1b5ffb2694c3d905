//! Drift as a person reads it: by host, equal differences once (pure).

use std::collections::BTreeSet;
use std::fmt::Write;

use super::hosts::count;
use super::plan::{Diffs, diff_lines, foreign, head, is_told};
use super::style::{BAD, GOOD, HEAD, QUIET, WARN, paint};
use crate::plan::{Change, FleetDrift};

/// Every host where something differs, and what.
#[must_use]
pub fn drift(drift: &FleetDrift, diffs: Diffs) -> String {
    let (mut out, mut told) = (String::new(), BTreeSet::new());
    for (host, drift) in &drift.hosts {
        let _ = writeln!(out, "{}", paint(HEAD, host));
        for change in drift.changes.iter().filter(|change| is_told(change)) {
            let _ = writeln!(out, "  {}", head(change));
            if let Change::File { path, .. } = change
                && let Some(when) = drift.written.get(path)
            {
                let _ = writeln!(out, "      {}", paint(QUIET, format!("last written {when}")));
            }
            diff_lines(&mut out, change, diffs, &mut told);
        }
        for line in &drift.server {
            let _ = writeln!(out, "  {} the server: {line}", paint(WARN, "~"));
        }
        for hold in &drift.held {
            let _ = writeln!(out, "  {} {}: {}", paint(WARN, "!"), hold.what, hold.reason);
        }
        out.push('\n');
    }
    foreign(&mut out, &drift.foreign);
    for (host, why) in &drift.unreachable {
        let _ = writeln!(out, "{} {host}: {}", paint(BAD, "x"), why.reason);
    }
    let mut parts = Vec::new();
    if !drift.hosts.is_empty() {
        parts.push(paint(WARN, format!("{} differ", count(drift.hosts.len(), "host"))));
    }
    parts.push(paint(GOOD, format!("{} as written", drift.unchanged)));
    if !drift.unreachable.is_empty() {
        parts.push(paint(BAD, format!("{} not reached", drift.unreachable.len())));
    }
    let _ = writeln!(out, "{} {}", paint(HEAD, "diff:"), parts.join(", "));
    out
}
