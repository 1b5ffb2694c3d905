//! How the objects of hosts differ from their roles', for people: by role and kind, equal differences once (pure).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::hosts::{count, short};
use super::style::{BAD, GOOD, HEAD, PLACE, QUIET, WARN, paint};
use crate::fleet::HostName;
use crate::observe::NoRows;
use crate::schema::{Drifted, ObjectDrift};

/// Every difference, and a line that counts.
#[must_use]
pub fn schema_drift(drift: &[ObjectDrift], without: &BTreeMap<HostName, NoRows>, asked: usize) -> String {
    let mut out = String::new();
    let mut role = None;
    for one in drift {
        if role != Some(&one.role) {
            let gap = if role.is_some() { "\n" } else { "" };
            let _ = writeln!(out, "{gap}{}", paint(HEAD, &one.role));
            role = Some(&one.role);
        }
        let (mark, style) = match one.drifted {
            Drifted::Missing => ("+", BAD),
            Drifted::Differs { .. } => ("~", WARN),
            Drifted::Unmanaged { .. } => ("?", QUIET),
        };
        let about = match &one.drifted {
            Drifted::Unmanaged { engine } if !engine.is_empty() => format!(" ({engine})"),
            _ => String::new(),
        };
        let place = one.written.as_ref().map(|place| format!("  {}", paint(PLACE, place))).unwrap_or_default();
        let _ = writeln!(
            out,
            "  {} {:<9}  {}{about}  {}{place}",
            paint(style, mark),
            one.drifted,
            name(one),
            paint(QUIET, format!("on {}: {}", count(one.hosts.len(), "host"), short(&one.hosts)))
        );
        if let Drifted::Differs { why } = &one.drifted {
            for why in why {
                let _ = writeln!(out, "      {why}");
            }
        }
    }
    if !drift.is_empty() {
        out.push('\n');
    }
    for (host, why) in without {
        let _ = writeln!(out, "{} {host}: {}", paint(BAD, "x"), why.reason());
    }
    let _ = writeln!(out, "{} {}", paint(HEAD, "schema drift:"), summary(drift, without, asked));
    out
}

/// `function f` where the name alone could be a table's.
fn name(drift: &ObjectDrift) -> String {
    serde_json::to_value(&drift.object)
        .ok()
        .and_then(|name| name.as_str().map(str::to_owned))
        .unwrap_or_else(|| drift.object.to_string())
}

fn summary(drift: &[ObjectDrift], without: &BTreeMap<HostName, NoRows>, asked: usize) -> String {
    let of = |wanted: fn(&Drifted) -> bool| drift.iter().filter(|one| wanted(&one.drifted)).count();
    let kinds = [
        (of(|drifted| *drifted == Drifted::Missing), "missing", BAD),
        (of(|drifted| matches!(drifted, Drifted::Differs { .. })), "differing", WARN),
        (of(|drifted| matches!(drifted, Drifted::Unmanaged { .. })), "unmanaged", QUIET),
    ];
    let mut parts: Vec<String> = kinds
        .into_iter()
        .filter(|(number, _, _)| *number > 0)
        .map(|(number, word, style)| paint(style, format!("{number} {word}")))
        .collect();
    let wrong: BTreeSet<&HostName> = drift
        .iter()
        .filter(|one| !matches!(one.drifted, Drifted::Unmanaged { .. }))
        .flat_map(|one| &one.hosts)
        .collect();
    parts.push(paint(GOOD, format!("{} as the role wants", count(asked - wrong.len(), "host"))));
    if !without.is_empty() {
        parts.push(paint(BAD, format!("{} without an answer", count(without.len(), "host"))));
    }
    parts.join(", ")
}
