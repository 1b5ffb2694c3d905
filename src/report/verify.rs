//! Proofs per host, as a person reads them (pure).

use std::collections::BTreeMap;
use std::fmt::Write;

use super::hosts::count;
use super::style::{BAD, GOOD, HEAD, QUIET, paint};
use crate::fleet::HostName;
use crate::plan::Proof;

/// One line for a host that is as it should be, and one for each thing that is not.
#[must_use]
pub fn verify(proofs: &BTreeMap<HostName, Vec<Proof>>) -> String {
    let width = proofs.keys().map(|host| host.as_str().len()).max().unwrap_or_default();
    let mut out = String::new();
    for (host, proofs) in proofs {
        let seen = proofs.iter().filter(|proof| proof.holds).map(|proof| format!("{} {}", proof.what, proof.seen));
        let seen = paint(QUIET, seen.collect::<Vec<_>>().join(", "));
        let verdict = if proofs.iter().all(|proof| proof.holds) { paint(GOOD, "ok    ") } else { paint(BAD, "not ok") };
        let _ = writeln!(out, "{host:width$}  {verdict}  {seen}");
        for proof in proofs.iter().filter(|proof| !proof.holds) {
            let _ = writeln!(out, "{:width$}    {} {}: {}", "", paint(BAD, "x"), proof.what, proof.seen);
        }
    }
    let good = proofs.values().filter(|proofs| proofs.iter().all(|proof| proof.holds)).count();
    let of = count(proofs.len(), "host");
    let verdict = if good == proofs.len() {
        paint(GOOD, format!("{of} as they should be"))
    } else {
        paint(BAD, format!("{good} of {of} as they should be"))
    };
    let _ = writeln!(out, "\n{} {verdict}", paint(HEAD, "verify:"));
    out
}
