//! What a host's part of a plan was made from, checked on the host again right before its first step (pure).
//!
//! A plan that was read from a file knows nothing of it, and what is not known is never met.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sha2::{Digest, Sha256};

use super::{Change, Inputs, Plan, over_http};
use crate::fleet::HostName;
use crate::ground::{Answers, Question};
use crate::remote::{RemotePath, UnitName};
use crate::render::Desired;
use crate::resource::{HostFacts, Identity, ObservedDirectory, ObservedFile, ObservedUnit, Probe};

/// What must still be so on a host before anything is done there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Nobody knows: the plan was read from a file. It is never met.
    #[default]
    Unknown,
    /// The host's part in an earlier wave has checked it, or there is nothing of ours to check but its objects.
    Checked,
    /// What was seen when the plan was made.
    Seen(Box<Seen>),
}

/// What was seen on a host: all that is managed there, and all of ClickHouse's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    probe: Probe,
    entries: BTreeMap<RemotePath, Entry>,
    units: BTreeMap<UnitName, Unit>,
    /// What work that cannot be undone was planned from.
    sealed: Answers,
}

/// A file or directory: owner, group, mode and, of a file, a digest of its content, which may be a secret's.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    metadata: (String, String, u32),
    content: Option<[u8; 32]>,
}

/// What of a unit does not change by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Unit {
    load: String,
    file_state: String,
    runs: bool,
}

/// How a host is not as its part of the plan has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moved {
    /// Nobody knows what it was.
    Unknown,
    /// A unit that ran does not run: the host may serve less than before.
    Stopped(UnitName),
    /// Anything else, in words.
    Other(String),
}

impl Precondition {
    fn of(desired: &Desired, facts: &HostFacts, changes: &[Change]) -> Self {
        let (entries, units) = (entries(facts), units(facts));
        let probe = Probe::of(desired).with(&facts.manifest.files);
        Self::Seen(Box::new(Seen { probe, entries, units, sealed: facts.ground.only(&sealed(changes)) }))
    }

    /// What has to be asked of the host; nothing where there is nothing to check.
    #[must_use]
    pub fn probe(&self) -> Option<&Probe> {
        match self {
            Self::Seen(seen) => Some(&seen.probe),
            Self::Unknown | Self::Checked => None,
        }
    }

    /// Says what is not as it was; `now` is the answer to the [probe](Self::probe).
    #[must_use]
    pub fn moved(&self, now: Option<&HostFacts>) -> Vec<Moved> {
        match (self, now) {
            (Self::Checked, _) => Vec::new(),
            (Self::Seen(seen), Some(facts)) => seen.moved(facts),
            (Self::Unknown, _) | (Self::Seen(_), None) => vec![Moved::Unknown],
        }
    }
}

impl Seen {
    fn moved(&self, facts: &HostFacts) -> Vec<Moved> {
        let (now, units) = (entries(facts), units(facts));
        let mut moved = Vec::new();
        for path in self.entries.keys().chain(now.keys().filter(|path| !self.entries.contains_key(*path))) {
            let what = match (self.entries.get(path), now.get(path)) {
                (was, is) if was == is => continue,
                (_, None) => "is gone",
                (None, _) => "is there now",
                (Some(was), Some(is)) if was.content == is.content => "has another owner or mode",
                _ => "has changed",
            };
            moved.push(Moved::Other(format!("`{path}` {what}")));
        }
        for (unit, was) in &self.units {
            match units.get(unit) {
                Some(is) if is == was => {}
                Some(is) if was.runs && !is.runs => moved.push(Moved::Stopped(unit.clone())),
                None if was.runs => moved.push(Moved::Stopped(unit.clone())),
                Some(is) if is.runs && !was.runs => moved.push(Moved::Other(format!("`{unit}` runs now"))),
                _ => moved.push(Moved::Other(format!("`{unit}` has another state"))),
            }
        }
        let others = self.sealed.moved(&facts.ground);
        moved.extend(others.map(|question| Moved::Other(format!("`{}` answers otherwise", question.argv().join(" ")))));
        moved
    }
}

impl Moved {
    /// The first few, in words, and how many there are besides.
    #[must_use]
    pub fn list(all: &[Self]) -> String {
        const SHOWN: usize = 5;
        let mut texts: Vec<_> = all.iter().take(SHOWN).map(ToString::to_string).collect();
        if all.len() > SHOWN {
            texts.push(format!("and {} more", all.len() - SHOWN));
        }
        texts.join("; ")
    }
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("what it was planned from is not known"),
            Self::Stopped(unit) => write!(f, "`{unit}` does not run any more"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

fn entries(facts: &HostFacts) -> BTreeMap<RemotePath, Entry> {
    let file = |(path, file): (&RemotePath, &ObservedFile)| {
        let content = file.content.as_ref().map(|content| Sha256::digest(content.expose()).into());
        (path.clone(), Entry { metadata: (file.owner.clone(), file.group.clone(), file.mode), content })
    };
    let directory = |(path, is): (&RemotePath, &ObservedDirectory)| {
        (path.clone(), Entry { metadata: (is.owner.clone(), is.group.clone(), is.mode), content: None })
    };
    // Users come and go without us.
    let identity = Identity::paths();
    let files = facts.files.iter().filter(|(path, _)| !identity.contains(path)).chain(&facts.config_tree);
    files.map(file).chain(facts.directories.iter().map(directory)).collect()
}

fn sealed(changes: &[Change]) -> Vec<Question> {
    let of = |change: &Change| match change {
        Change::Ground(ground) => ground.sealed.clone(),
        _ => Vec::new(),
    };
    changes.iter().flat_map(of).collect()
}

fn units(facts: &HostFacts) -> BTreeMap<UnitName, Unit> {
    let unit = |unit: &ObservedUnit| Unit {
        load: unit.load.clone(),
        file_state: unit.file_state.clone(),
        runs: unit.is_running(),
    };
    facts.units.iter().map(|(name, found)| (name.clone(), unit(found))).collect()
}

/// Puts what each host was planned from to its first part in the plan; a later part follows from the first.
pub(super) fn expect(inputs: &Inputs<'_>, plan: &mut Plan) {
    let mut checked: BTreeSet<HostName> = BTreeSet::new();
    for host in plan.waves.iter_mut().flat_map(|wave| &mut wave.hosts) {
        host.expects = if checked.insert(host.host.clone()) {
            match (inputs.desired.get(&host.host), inputs.observation.facts(&host.host)) {
                (Some(desired), Some(facts)) => Precondition::of(desired, facts, &host.changes),
                // It has no files of ours, and its objects are looked at before the first wave.
                (None, Some(_)) if inputs.fleet.hosts.get(&host.host).is_some_and(over_http::is_one) => {
                    Precondition::Checked
                }
                _ => Precondition::Unknown,
            }
        } else {
            Precondition::Checked
        };
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::render::{Content, DesiredFile, DesiredUnit};
    use crate::resource::Owed;
    use crate::secret::Secret;

    fn path(text: &str) -> RemotePath {
        RemotePath::new(text).unwrap()
    }

    fn desired() -> Desired {
        let mut desired = Desired::default();
        let (owner, group) = ("root".to_owned(), "root".to_owned());
        let file = DesiredFile {
            content: Content::plain("new"),
            owner,
            group,
            mode: 0o644,
            unit: None,
            early: false,
            over_package: false,
        };
        desired.files.insert(path("/etc/a"), file.clone());
        desired.files.insert(path("/etc/b"), file);
        desired.units.insert(UnitName::new("ch").unwrap(), DesiredUnit { enabled: true, running: true });
        desired
    }

    fn facts(content: &str, mode: u32, active: &str) -> HostFacts {
        let mut facts = HostFacts::default();
        let content = Some(Secret::new(Bytes::from(content.to_owned())));
        let (owner, group) = ("root".to_owned(), "root".to_owned());
        facts.files.insert(path("/etc/a"), ObservedFile { owner, group, mode, content });
        let (load, file_state) = ("loaded".to_owned(), "enabled".to_owned());
        let unit = ObservedUnit { load, active: active.to_owned(), file_state, is_stale: false };
        facts.units.insert(UnitName::new("ch").unwrap(), unit);
        facts
    }

    fn moved(now: &HostFacts) -> String {
        let was = Precondition::of(&desired(), &facts("old", 0o644, "active"), &[]);
        was.moved(Some(now)).iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn what_has_moved_is_named_and_what_has_not_is_not() {
        assert_eq!(moved(&facts("old", 0o644, "active")), "");
        assert_eq!(moved(&facts("old", 0o644, "reloading")), "");
        assert_eq!(moved(&facts("newer", 0o644, "active")), "`/etc/a` has changed");
        assert_eq!(moved(&facts("old", 0o600, "active")), "`/etc/a` has another owner or mode");
        assert_eq!(moved(&facts("old", 0o644, "failed")), "`ch` does not run any more");
        let mut other = facts("old", 0o644, "active");
        other.files.remove(&path("/etc/a"));
        other
            .directories
            .insert(path("/etc/b"), ObservedDirectory { owner: String::new(), group: String::new(), mode: 0 });
        assert_eq!(moved(&other), "`/etc/a` is gone; `/etc/b` is there now");
    }

    #[test]
    fn a_marker_of_an_interrupted_run_is_a_move() {
        let mut now = facts("old", 0o644, "active");
        let marker = Owed::Restart(UnitName::new("ch").unwrap()).marker().unwrap();
        let file = now.files.values().next().unwrap().clone();
        now.files.insert(marker, file);
        assert!(moved(&now).contains("is there now"), "{}", moved(&now));
    }

    #[test]
    fn what_is_not_known_is_never_met() {
        let now = facts("old", 0o644, "active");
        assert_eq!(Precondition::default().moved(Some(&now)), [Moved::Unknown]);
        assert_eq!(Precondition::of(&desired(), &now, &[]).moved(None), [Moved::Unknown]);
        assert_eq!(Precondition::Checked.moved(None), []);
    }
}
