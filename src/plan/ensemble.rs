//! An ensemble whose members change: one at a time, and no id twice (pure).
//!
//! Majorities of two memberships that differ by one member always have a member in common; of memberships that differ by more
//! they need not, and two halves would both take writes. Raft's library adds or removes one server at a time for the same
//! reason (<https://github.com/ClickHouse/ClickHouse/issues/69355>).

use std::collections::{BTreeMap, BTreeSet};

use super::change::HostChanges;
use super::{Hold, Inputs};
use crate::fleet::{Host, HostName, Placement};
use crate::remote::RemotePath;
use crate::render::Desired;
use crate::resource::{HostFacts, Membership, ObservedUnit};

/// How the ensemble that serves stands to the one that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nobody runs yet, or it is the wanted one.
    Settled,
    /// One member comes or goes.
    Changes(Change),
    /// It must not be changed so.
    Refused { reason: String, hint: String },
}

/// One member comes or goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// What members that run have read.
    pub old: Membership,
    /// Who comes.
    pub joining: BTreeSet<HostName>,
}

/// Compares what members that run have with what all should have.
pub(super) fn standing(inputs: &Inputs<'_>) -> Standing {
    let mut wanted: Option<Membership> = None;
    let mut forms: BTreeMap<Membership, &HostName> = BTreeMap::new();
    for host in members(inputs) {
        let Some((path, should)) = inputs.desired.get(&host.name).and_then(membership_file) else { continue };
        wanted.get_or_insert(should);
        if let Some(is) =
            inputs.observation.facts(&host.name).filter(|facts| runs(facts)).and_then(|facts| read(facts, path))
        {
            forms.entry(is).or_insert(&host.name);
        }
    }
    let Some(wanted) = wanted else { return Standing::Settled };
    forms.remove(&wanted);
    let refused = |reason: String, hint: &str| Standing::Refused { reason, hint: hint.to_owned() };
    let mut forms = forms.into_iter();
    let Some((old, first)) = forms.next() else { return Standing::Settled };
    if let Some((_, other)) = forms.next() {
        let reason =
            format!("`{first}` and `{other}` have been told of different members, and neither of the inventory's");
        return refused(
            reason,
            "bring the inventory to what one of them has, apply, and then change one member at a time",
        );
    }
    let reused = old.0.iter().find_map(|(id, was)| Some((id, was, wanted.0.get(id).filter(|is| *is != was)?)));
    if let Some((id, was, is)) = reused {
        let reason = format!("the id {id} is `{was}` in the ensemble that runs, and would be `{is}`");
        return refused(
            reason,
            "no id is used again: give a machine a number that none had, also where its name is new",
        );
    }
    let come: Vec<_> = wanted.0.keys().filter(|id| !old.0.contains_key(id)).collect();
    let go = old.0.keys().filter(|id| !wanted.0.contains_key(id)).count();
    match come.len() + go {
        // The same members at other ports: as any other change of the file.
        0 => Standing::Settled,
        1 => {
            let joins = |host: &&Host| matches!(&host.placement, Placement::Keeper { id } if come.contains(&id));
            let joining = members(inputs).filter(joins).map(|host| host.name.clone()).collect();
            Standing::Changes(Change { old, joining })
        }
        many => refused(
            format!(
                "{many} members differ: the ensemble that runs has the ids {}, the inventory {}",
                old.ids(),
                wanted.ids()
            ),
            "one at a time: add one and apply; a member that replaces another is added before the other goes",
        ),
    }
}

/// Holds back what must not be done to an ensemble: whoever would be told of the new members.
pub(super) fn hold_back(inputs: &Inputs<'_>, hosts: &mut Vec<HostChanges<'_>>, holds: &mut Vec<Hold>) {
    let Standing::Refused { reason, hint } = standing(inputs) else { return };
    hosts.retain(|changes| {
        let Some((path, _)) = membership_file(changes.desired).filter(|_| is_member(changes.host)) else { return true };
        let told = changes.files.iter().any(|file| file.path == *path);
        if told {
            holds.push(Hold {
                host: changes.host.name.clone(),
                what: "change the ensemble".to_owned(),
                reason: reason.clone(),
                hint: Some(hint.clone()),
            });
        }
        !told
    });
}

fn is_member(host: &Host) -> bool {
    matches!(host.placement, Placement::Keeper { .. })
}

fn members<'a>(inputs: &Inputs<'a>) -> impl Iterator<Item = &'a Host> {
    inputs.fleet.hosts.values().filter(|host| is_member(host))
}

/// The file that names the members, and those that it should name.
fn membership_file(desired: &Desired) -> Option<(&RemotePath, Membership)> {
    desired.files.iter().find_map(|(path, file)| Some((path, Membership::read(file.content.shown())?)))
}

fn read(facts: &HostFacts, path: &RemotePath) -> Option<Membership> {
    let content = facts.files.get(path)?.content.as_ref()?;
    Membership::read(std::str::from_utf8(content.expose()).ok()?)
}

/// Whether a coordination server runs there.
pub(super) fn runs(facts: &HostFacts) -> bool {
    facts.keeper.serves().is_ok() || facts.units.values().any(ObservedUnit::is_running)
}
