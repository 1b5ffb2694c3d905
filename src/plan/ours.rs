//! Whose files are: what is held back because of it, and what is only told (pure).

use std::collections::{BTreeMap, BTreeSet};

use super::{Hold, Inputs};
use crate::fleet::HostName;
use crate::remote::RemotePath;
use crate::resource::{HostFacts, Kept, Manifest, Ownership, ownership};

/// Holds everything on a host back where the server would read another file in the place of one of ours, or where nobody
/// knows what is ours.
pub(super) fn whole(host: &HostName, own: &Ownership, facts: &HostFacts) -> Vec<Hold> {
    let hold = |reason, hint| Hold { host: host.clone(), what: "change anything".to_owned(), reason, hint: Some(hint) };
    if let (Some(fault), Some(path)) = (facts.manifest.fault, Manifest::path()) {
        let hint = "is it of a newer Housewright? Otherwise move it away: then nothing is known as ours, and nothing is removed";
        return vec![hold(
            format!("`{path}`, which says what Housewright wrote, cannot be read: {fault}"),
            hint.to_owned(),
        )];
    }
    let foreign = |path: &RemotePath| {
        let reason = format!("`{path}` is there, and Housewright did not write it");
        let word = path.as_word();
        hold(
            reason,
            format!("look at it; `housewright adopt --limit {host} {word}` lets the next plan write ours in its place"),
        )
    };
    own.in_the_way.iter().map(foreign).collect()
}

/// Holds back the removal of files that are not as we left them, or that somebody still needs.
pub(super) fn kept(host: &HostName, own: &Ownership) -> Vec<Hold> {
    let hold = |(path, why): (&RemotePath, &Kept)| {
        let (reason, hint) = match why {
            Kept::Edited => (
                "somebody has changed it since Housewright wrote it".to_owned(),
                format!(
                    "look at it; `housewright adopt --limit {host} {}` lets the next plan remove it as it is now",
                    path.as_word()
                ),
            ),
            Kept::NoFile => (
                "something that is no regular file is in its place".to_owned(),
                format!("look at it and move it away: `ls -ld {path}`"),
            ),
            Kept::InUse(unit) => (
                format!("`{unit}` runs or starts at boot, and needs it"),
                format!("if it is not needed any more, on `{host}`: `sudo systemctl disable --now {unit}`"),
            ),
        };
        Hold { host: host.clone(), what: format!("remove `{path}`"), reason, hint: Some(hint) }
    };
    own.kept.iter().map(hold).collect()
}

/// Files in the servers' directories that are not ours, of the hosts that may be changed.
pub(super) fn foreign(inputs: &Inputs<'_>) -> BTreeMap<HostName, BTreeSet<RemotePath>> {
    let of = |host: &HostName| {
        let own = ownership(inputs.desired.get(host)?, inputs.observation.facts(host)?);
        (!own.foreign.is_empty()).then(|| (host.clone(), own.foreign))
    };
    inputs.hosts.iter().filter_map(of).collect()
}
