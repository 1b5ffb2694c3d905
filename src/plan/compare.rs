//! A saved plan against the one that is made now, host by host (pure).
//!
//! What is run is the plan of now, for the hosts whose part in it is the one that was saved; never anything else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;

use super::{Change, Fingerprints, Hold, HostPlan, Plan, SavedPlan, SavedPlanError, Wave};
use crate::fleet::HostName;

/// More than that of a host's differences are counted.
const MOST_SAID: usize = 4;
/// More hosts than that are counted.
const MOST_HOSTS: usize = 10;

/// Whether the values of secrets could be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// Everything was.
    All,
    /// Only what the plan shows: the key of digests here is not the one that was used.
    WhatIsShown,
}

impl SavedPlan {
    /// Gives the part of the plan of now that is as it was saved; a host that has moved is held back.
    ///
    /// # Errors
    /// Nothing is left to do, or a canary has moved, or hosts would go in another order.
    pub fn against(&self, now: Plan, from: Option<&Fingerprints>) -> Result<(Plan, Compared), SavedPlanError> {
        let keyed = self.made_from().zip(from).filter(|(then, now)| then.key == now.key);
        let moved = moved(self.plan(), &now, keyed);
        let compared = if keyed.is_some() { Compared::All } else { Compared::WhatIsShown };
        let stays = |wave: &Wave| wave.hosts.iter().any(|host| !moved.contains_key(&host.host));
        let then = &self.plan().waves;
        let changes_anything = !then.is_empty() || !now.is_empty();
        if changes_anything && !moved.is_empty() && !then.iter().any(stays) {
            return Err(refused("", &moved, keyed));
        }
        if let Some(canary) = canaries(then).find(|host| moved.contains_key(*host)) {
            let why = format!("`{canary}` would go first, so that what breaks, breaks there; ");
            return Err(refused(&why, &moved, keyed));
        }
        let Some(waves) = in_saved_order(then, &now.waves, &moved) else {
            return Err(refused("the hosts would go in another order now; ", &moved, keyed));
        };
        let mut holds = now.holds;
        holds.retain(|hold| !moved.contains_key(&hold.host));
        holds.extend(moved.iter().map(|(host, why)| hold(host, why)));
        holds.sort();
        Ok((Plan { waves, holds, ..now }, compared))
    }
}

/// The hosts of each first wave of several that do the same: those behind it rely on them.
fn canaries(waves: &[Wave]) -> impl Iterator<Item = &HostName> {
    let first = |wave: &&Wave| wave.title.contains(" 1 of ");
    waves.iter().filter(first).flat_map(|wave| &wave.hosts).map(|host| &host.host)
}

/// Puts the parts of now into the waves that were saved; nothing where they do not fit.
fn in_saved_order(then: &[Wave], now: &[Wave], moved: &BTreeMap<HostName, Vec<String>>) -> Option<Vec<Wave>> {
    let stays = |host: &&HostPlan| !moved.contains_key(&host.host);
    let mut parts = now.iter().map(|wave| wave.hosts.iter().filter(stays).cloned().collect::<Vec<_>>());
    let mut waves = Vec::new();
    for wave in then.iter().filter(|wave| wave.hosts.iter().any(|host| stays(&host))) {
        let hosts = parts.find(|hosts| !hosts.is_empty())?;
        let names = |hosts: &[HostPlan]| hosts.iter().map(|host| host.host.clone()).collect::<Vec<_>>();
        let saved: Vec<_> = wave.hosts.iter().filter(stays).cloned().collect();
        if names(&hosts) != names(&saved) {
            return None;
        }
        waves.push(Wave { hosts, ..wave.clone() });
    }
    parts.all(|hosts| hosts.is_empty()).then_some(waves)
}

fn hold(host: &HostName, why: &[String]) -> Hold {
    Hold {
        host: host.clone(),
        what: "do what the saved plan says".to_owned(),
        reason: format!("it has moved since the plan was saved: {}", said(why)),
        hint: Some(format!("look at what it is now: `housewright plan --limit {host}`")),
    }
}

/// Names what has moved, of each host.
fn refused(
    why: &str,
    moved: &BTreeMap<HostName, Vec<String>>,
    keyed: Option<(&Fingerprints, &Fingerprints)>,
) -> SavedPlanError {
    let inputs = keyed.map(|(then, now)| {
        let differs = |(name, digest): &(&String, _)| now.inputs.get(*name) != Some(*digest);
        then.inputs.iter().filter(differs).map(|(name, _)| name.as_str()).collect::<Vec<_>>()
    });
    let mut text = why.to_owned();
    if let Some(inputs) = inputs.filter(|inputs| !inputs.is_empty()) {
        let _ = write!(text, "what is written here has changed since it was saved ({}); ", inputs.join(", "));
    }
    let hosts = if moved.len() == 1 { "1 host has".to_owned() } else { format!("{} hosts have", moved.len()) };
    let _ = write!(text, "{hosts} moved since it was saved");
    for (host, why) in moved.iter().take(MOST_HOSTS) {
        let _ = write!(text, "\n  {host}: {}", said(why));
    }
    if moved.len() > MOST_HOSTS {
        let _ = write!(text, "\n  and {} more", moved.len() - MOST_HOSTS);
    }
    SavedPlanError::Moved(text)
}

fn said(why: &[String]) -> String {
    let mut texts: Vec<_> = why.iter().take(MOST_SAID).cloned().collect();
    if why.len() > MOST_SAID {
        texts.push(format!("and {} more", why.len() - MOST_SAID));
    }
    texts.join("; ")
}

/// A host's part of a plan.
#[derive(Default)]
struct HostPart<'a> {
    plans: Vec<&'a HostPlan>,
    /// What is held back; the words of a reason differ from one asking to the next.
    holds: BTreeSet<&'a str>,
    unreachable: bool,
    unchanged: bool,
}

fn parts(plan: &Plan) -> BTreeMap<&HostName, HostPart<'_>> {
    let mut parts: BTreeMap<&HostName, HostPart<'_>> = BTreeMap::new();
    for host in plan.waves.iter().flat_map(|wave| &wave.hosts) {
        parts.entry(&host.host).or_default().plans.push(host);
    }
    for hold in &plan.holds {
        parts.entry(&hold.host).or_default().holds.insert(&hold.what);
    }
    for host in plan.unreachable.keys() {
        parts.entry(host).or_default().unreachable = true;
    }
    for host in &plan.unchanged {
        parts.entry(host).or_default().unchanged = true;
    }
    parts
}

/// Each host that is not as it was, and how.
fn moved(then: &Plan, now: &Plan, keyed: Option<(&Fingerprints, &Fingerprints)>) -> BTreeMap<HostName, Vec<String>> {
    let (was, is) = (parts(then), parts(now));
    let none = HostPart::default();
    let names: BTreeSet<&HostName> = was.keys().chain(is.keys()).copied().collect();
    let mut moved = BTreeMap::new();
    for name in names {
        let (was, is) = (was.get(name).unwrap_or(&none), is.get(name).unwrap_or(&none));
        let mut why = was.differences(is);
        if why.is_empty()
            && let Some((then, now)) = keyed
        {
            why = unseen(name, then, now);
        }
        if !why.is_empty() {
            moved.insert(name.clone(), why);
        }
    }
    moved
}

impl HostPart<'_> {
    fn differences(&self, now: &Self) -> Vec<String> {
        let mut why = Vec::new();
        match (self.unreachable, now.unreachable) {
            (true, false) => why.push("it did not answer then".to_owned()),
            (false, true) => return vec!["it does not answer now".to_owned()],
            _ => {}
        }
        let (was, is) = (changes(&self.plans), changes(&now.plans));
        let other =
            was.iter().filter(|change| !is.contains(change)).chain(is.iter().filter(|change| !was.contains(change)));
        let other: BTreeSet<_> = other.map(|(subject, _)| subject).collect();
        why.extend(other.into_iter().map(|subject| format!("{subject} differs in another way now")));
        why.extend(now.holds.difference(&self.holds).map(|what| format!("`{what}` is held back now")));
        why.extend(self.holds.difference(&now.holds).map(|what| format!("`{what}` is not held back any more")));
        let visible = |plans: &[&HostPlan]| plans.iter().map(shown).collect::<Vec<_>>();
        if why.is_empty() && visible(&self.plans) != visible(&now.plans) {
            why.push("other steps would be done now".to_owned());
        }
        if why.is_empty() && self.unchanged != now.unchanged {
            why.push("it is not what it was".to_owned());
        }
        why
    }
}

/// Each change, with what it is about.
fn changes(plans: &[&HostPlan]) -> Vec<(String, Value)> {
    let changes = plans.iter().flat_map(|plan| &plan.changes);
    changes.map(|change| (subject(change), shown(change))).collect()
}

fn shown(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// What a change is about, by the names that its visible form has.
fn subject(change: &Change) -> String {
    let shown = shown(change);
    let name = |key: &str| shown.get("of").and_then(|of| of.get(key)).and_then(Value::as_str);
    let kind = shown.get("change").and_then(Value::as_str).unwrap_or("something");
    match ["path", "unit", "name"].into_iter().find_map(name) {
        Some(name) => format!("{kind} `{name}`"),
        None => format!("what is {kind}"),
    }
}

/// What a plan does not show, by its digests.
fn unseen(host: &HostName, then: &Fingerprints, now: &Fingerprints) -> Vec<String> {
    let (was, is) = match (then.hosts.get(host), now.hosts.get(host)) {
        (Some(was), Some(is)) => (was, is),
        (None, None) => return Vec::new(),
        _ => return vec!["it is not what it was".to_owned()],
    };
    let mut why = Vec::new();
    if was.desired != is.desired {
        let other = |(reference, digest): &(&String, _)| then.secrets.get(*reference).is_some_and(|was| was != *digest);
        let secrets: Vec<_> = now.secrets.iter().filter(other).map(|(name, _)| format!("`{name}`")).collect();
        why.push(if secrets.is_empty() {
            "what should be there has changed where the plan does not show it".to_owned()
        } else {
            format!("a secret has another value now: {}", secrets.join(", "))
        });
    }
    let sections = [
        (was.files != is.files, "files on it have changed where the plan does not show it"),
        (was.units != is.units, "its units have another state"),
        (was.servers != is.servers, "its server tells another version, macros or clusters"),
        (was.objects != is.objects, "its objects are others"),
    ];
    why.extend(sections.into_iter().filter(|(differs, _)| *differs).map(|(_, text)| text.to_owned()));
    why
}
