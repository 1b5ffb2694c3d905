//! What a dump of live objects became, for people (pure).

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use super::hosts::count;
use super::style::{BAD, GOOD, HEAD, WARN, paint};
use crate::fleet::{HostName, RoleName};
use crate::observe::NoRows;
use crate::schema::RoleDump;

/// All files one after the other, each below its name.
#[must_use]
pub fn schema_files(roles: &BTreeMap<RoleName, RoleDump>) -> String {
    let mut out = String::new();
    for (role, dump) in roles {
        for (name, text) in &dump.files {
            let _ = writeln!(out, "-- roles/{role}/schema/{name}\n{text}");
        }
    }
    out
}

/// What has no file and why, and a line that counts.
#[must_use]
pub fn schema_dump(
    roles: &BTreeMap<RoleName, RoleDump>,
    without: &BTreeMap<HostName, NoRows>,
    to: Option<&Path>,
) -> String {
    let mut out = String::new();
    for (role, dump) in roles.iter().filter(|(_, dump)| !dump.left.is_empty()) {
        let _ = writeln!(out, "{} is not written:", paint(HEAD, role));
        for left in &dump.left {
            let name = serde_json::to_value(&left.object).unwrap_or_default();
            let name = name.as_str().map_or_else(|| left.object.to_string(), str::to_owned);
            let _ = writeln!(out, "  {} {name}: {}", paint(WARN, "!"), left.why);
        }
    }
    for (host, why) in without {
        let _ = writeln!(out, "{} {host}: {}", paint(BAD, "x"), why.reason());
    }
    let files: usize = roles.values().map(|dump| dump.files.len()).sum();
    let left: usize = roles.values().map(|dump| dump.left.len()).sum();
    let to = to.map(|directory| format!(" in `{}`", directory.display())).unwrap_or_default();
    let mut parts = vec![paint(GOOD, format!("{} of {}{to}", count(files, "file"), count(roles.len(), "role")))];
    if left > 0 {
        parts.push(paint(WARN, format!("{} left out", count(left, "object"))));
    }
    if !without.is_empty() {
        parts.push(paint(BAD, format!("{} without an answer", count(without.len(), "host"))));
    }
    let _ = write!(out, "{} {}", paint(HEAD, "schema dump:"), parts.join(", "));
    out
}
