//! Files of others that become ours: what follows for each, and what came of it (pure).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::hosts::{count, short};
use super::style::{BAD, GOOD, HEAD, QUIET, WARN, paint};
use crate::apply::Refusal;
use crate::fleet::HostName;
use crate::plan::Adoption;
use crate::remote::RemotePath;
use crate::resource::Fate;

/// Each file once, with its hosts and with what the next plan does with it.
#[must_use]
pub fn adoption(adoption: &Adoption) -> String {
    let mut folded: BTreeMap<(&RemotePath, Fate), Vec<&HostName>> = BTreeMap::new();
    for (host, takeover) in &adoption.hosts {
        for (path, file) in &takeover.files {
            folded.entry((path, file.fate)).or_default().push(host);
        }
    }
    let mut out = String::new();
    if !folded.is_empty() {
        let _ = writeln!(out, "{}", paint(HEAD, "to be Housewright's own"));
    }
    for ((path, fate), hosts) in &folded {
        let (sign, follows) = match fate {
            Fate::Overwritten => (paint(WARN, "~"), "the next plan writes the role's file in its place"),
            Fate::Removed => (paint(BAD, "-"), "no role renders it: the next plan REMOVES it"),
        };
        let _ = writeln!(out, "  {sign} {path}  {}", paint(QUIET, format!("on {}", short(hosts))));
        let _ = writeln!(out, "      {follows}");
    }
    if !folded.is_empty() {
        out.push_str("      by itself this changes no file: only the hosts' lists of what is Housewright's own\n");
    }
    for (host, path, why) in &adoption.refused {
        let _ = writeln!(out, "  {} {host}: take over `{path}`: {why}", paint(WARN, "!"));
    }
    out.push('\n');
    out
}

/// What came of it, in a line, and each host where nothing did.
#[must_use]
pub fn adopted(adoption: &Adoption, results: &BTreeMap<HostName, Result<(), Refusal>>) -> String {
    let mut out = String::new();
    let mut done: Vec<&HostName> = Vec::new();
    let mut paths: BTreeSet<&RemotePath> = BTreeSet::new();
    for (host, takeover) in &adoption.hosts {
        match results.get(host) {
            Some(Ok(())) => {
                done.push(host);
                paths.extend(takeover.files.keys());
            }
            Some(Err((reason, hint))) => {
                let _ = writeln!(out, "{} {host}: {reason}", paint(BAD, "x"));
                if let Some(hint) = hint {
                    let _ = writeln!(out, "    {}", paint(QUIET, format!("hint: {hint}")));
                }
            }
            None => {}
        }
    }
    let mut parts = vec![format!("{} taken over on {}", count(paths.len(), "file"), count(done.len(), "host"))];
    let failed = adoption.hosts.len() - done.len();
    if failed > 0 {
        parts.push(paint(BAD, format!("{failed} failed")));
    }
    if !adoption.refused.is_empty() {
        parts.push(paint(WARN, format!("{} held back", adoption.refused.len())));
    }
    if !done.is_empty() {
        parts.push(format!("{} shows what follows", paint(GOOD, "`housewright plan`")));
    }
    let _ = writeln!(out, "{} {}", paint(HEAD, "adopt:"), parts.join(", "));
    out
}
