//! Whose a file is: what of ours is not wanted any more, and what is not ours (pure).
//!
//! The [manifest](super::Manifest) says what is ours. A file in the server's directories that it does not name is never
//! touched; one that it names and that holds another content was edited, and is not removed either.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::config_tree::is_fragment;
use super::{HostFacts, Manifest, ObservedFile, ObservedUnit, Shows, Written, text_diff};
use crate::remote::{Expect, Expected, RemotePath, UnitName};
use crate::render::{Desired, DesiredFile, Removed, is_ours_by_header, mask_removed};

/// What the manifest and the host's files say together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ownership {
    /// Files that we wrote, as we wrote them, and that nothing renders now.
    pub removals: Vec<Removal>,
    /// Files that we wrote, that nothing renders now, and that cannot be removed.
    pub kept: BTreeMap<RemotePath, Kept>,
    /// Files in the server's directories that are not ours.
    pub foreign: BTreeSet<RemotePath>,
    /// Such files where one of ours should be.
    pub in_the_way: BTreeSet<RemotePath>,
    /// How the manifest has to be written again, where it has to.
    pub record: Option<Record>,
}

/// One file to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Which.
    pub path: RemotePath,
    /// The unit that read it.
    pub unit: Option<UnitName>,
    /// Whether people may see what it holds.
    pub shows: Shows,
    /// Unified diff for people, secrets masked.
    pub diff: Arc<str>,
    /// What must still be there.
    pub expect: Expect,
}

/// Why a file of ours is not removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// Its content is not ours.
    Edited,
    /// It is a link or a directory now.
    NoFile,
    /// This unit runs or starts at boot, and reads it or is it.
    InUse(UnitName),
}

/// The manifest, written again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What must be there before.
    pub expect: Expect,
    /// What it was.
    pub before: Manifest,
    /// From before the first file to behind the last: what was and what will be ours.
    pub during: Manifest,
    /// When all is done.
    pub after: Manifest,
    /// Files about which it changes although they are not touched.
    pub untouched: usize,
}

impl Record {
    /// The same in two writes: the first names all that will be ours, and writes some of it.
    #[must_use]
    pub fn halves(&self) -> Option<(Self, Self)> {
        let named = self.during.file()?;
        let state = Expected::Sha256(Sha256::digest(named.content.expose()).into());
        let expect = Expect { path: named.path, state };
        let first = Self { after: self.during.clone(), ..self.clone() };
        Some((first, Self { expect, before: self.during.clone(), ..self.clone() }))
    }
}

/// Where systemd's own files of units are.
const UNIT_FILES: &str = "/etc/systemd/system";

impl Ownership {
    /// Leaves these files as they are, and what the manifest says of them.
    pub fn leave(&mut self, paths: &BTreeSet<RemotePath>) {
        self.removals.retain(|file| !paths.contains(&file.path));
        let Some(mut record) = self.record.take() else { return };
        for path in paths {
            match record.before.0.get(path) {
                Some(known) => drop(record.after.0.insert(path.clone(), known.clone())),
                None => drop(record.after.0.remove(path)),
            }
        }
        record.during = record.before.union(&record.after);
        self.record = (record.before != record.after).then_some(record);
    }
}

/// Compares what the manifest says with what is there and what should be.
#[must_use]
pub fn ownership(desired: &Desired, facts: &HostFacts) -> Ownership {
    let manifest = &facts.manifest.files;
    let mut own = Ownership::default();
    let mut after = Manifest::default();
    let mut touched = BTreeSet::new();
    for (path, file) in &desired.files {
        let observed = facts.files.get(path);
        match whose(path, file, observed, facts) {
            Whose::Ours => {
                if observed.and_then(|is| is.content.as_ref()) != Some(file.content.bytes()) {
                    touched.insert(path);
                }
                after.0.insert(path.clone(), written(file));
            }
            Whose::Foreign => drop(own.in_the_way.insert(path.clone())),
            Whose::Unclear => after.0.extend(manifest.0.get(path).map(|known| (path.clone(), known.clone()))),
        }
    }
    for (path, known) in manifest.0.iter().filter(|(path, _)| !desired.files.contains_key(*path)) {
        match of_unwanted(path, known, desired, facts) {
            Unwanted::Gone => {}
            Unwanted::Kept(why) => {
                own.kept.insert(path.clone(), why);
                after.0.insert(path.clone(), known.clone());
            }
            Unwanted::Removed(removal) => {
                touched.insert(path);
                own.removals.push(removal);
            }
        }
    }
    let others = facts.config_tree.keys().filter(|path| is_fragment(path));
    own.foreign =
        others.filter(|path| !desired.files.contains_key(*path) && !manifest.0.contains_key(*path)).cloned().collect();
    if after != *manifest && facts.manifest.fault.is_none() {
        let differs = |path: &&RemotePath| manifest.0.get(*path) != after.0.get(*path) && !touched.contains(*path);
        let paths: BTreeSet<_> = manifest.0.keys().chain(after.0.keys()).collect();
        let untouched = paths.into_iter().filter(differs).count();
        let during = manifest.union(&after);
        own.record = Manifest::expect(&facts.manifest.state).map(|expect| Record {
            expect,
            untouched,
            before: manifest.clone(),
            during,
            after,
        });
    }
    own
}

/// Whose a file is that stands where one of ours should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Nothing is there, or it is ours, or equal, or a package's that ours takes the place of.
    Ours,
    /// Somebody put it into a directory that belongs to the server.
    Foreign,
    /// Something that is no file is there.
    Unclear,
}

fn whose(path: &RemotePath, wanted: &DesiredFile, observed: Option<&ObservedFile>, facts: &HostFacts) -> Whose {
    let Some(observed) = observed else {
        return if facts.directories.contains_key(path) { Whose::Unclear } else { Whose::Ours };
    };
    match &observed.content {
        None => Whose::Unclear,
        Some(content) if content == wanted.content.bytes() => Whose::Ours,
        Some(_) if is_fragment(path) && is_foreign(path, facts) => Whose::Foreign,
        Some(_) => Whose::Ours,
    }
}

/// Whether neither the manifest nor a file's own header says that we wrote it. The header is of versions that kept no
/// manifest.
pub(super) fn is_foreign(path: &RemotePath, facts: &HostFacts) -> bool {
    let headed = |file: &ObservedFile| file.content.as_ref().is_some_and(|text| is_ours_by_header(text.expose()));
    !facts.manifest.files.0.contains_key(path) && !facts.files.get(path).is_some_and(headed)
}

fn written(file: &DesiredFile) -> Written {
    Written {
        digests: BTreeSet::from([file.content.digest()]),
        unit: file.unit.clone(),
        shows: if file.content.has_secrets() { Shows::Nothing } else { Shows::Text },
    }
}

/// What becomes of a file that is named and not wanted.
enum Unwanted {
    Gone,
    Kept(Kept),
    Removed(Removal),
}

fn of_unwanted(path: &RemotePath, known: &Written, desired: &Desired, facts: &HostFacts) -> Unwanted {
    if facts.directories.contains_key(path) {
        return Unwanted::Kept(Kept::NoFile);
    }
    let Some(observed) = facts.files.get(path) else { return Unwanted::Gone };
    let Some(content) = &observed.content else { return Unwanted::Kept(Kept::NoFile) };
    let digest: [u8; 32] = Sha256::digest(content.expose()).into();
    if !known.digests.contains(&digest) {
        return Unwanted::Kept(Kept::Edited);
    }
    if let Some(unit) = user(path, known, desired, facts) {
        return Unwanted::Kept(Kept::InUse(unit));
    }
    let shows = if known.shows == Shows::Text { Removed::Text } else { Removed::Secret };
    let shown = mask_removed(content.expose(), shows, desired.files.values().map(|file| &file.content));
    Unwanted::Removed(Removal {
        path: path.clone(),
        unit: known.unit.clone(),
        shows: known.shows,
        diff: text_diff::unified(path, &shown, "").into(),
        expect: Expect { path: path.clone(), state: Expected::Sha256(digest) },
    })
}

/// The unit that would be left without a file that it needs: its own file, or one that it reads and that nobody restarts
/// it for. What systemd was not asked about counts as running.
pub(super) fn user(path: &RemotePath, known: &Written, desired: &Desired, facts: &HostFacts) -> Option<UnitName> {
    let used = |unit: &UnitName| facts.units.get(unit).is_none_or(ObservedUnit::is_running);
    let own = unit_of(path);
    let starts = |unit: &UnitName| facts.units.get(unit).is_some_and(|is| is.file_state == "enabled");
    if let Some(unit) = own.filter(|unit| used(unit) || starts(unit)) {
        return Some(unit);
    }
    known.unit.clone().filter(|unit| !desired.units.contains_key(unit) && used(unit))
}

/// The unit whose own file this is.
fn unit_of(path: &RemotePath) -> Option<UnitName> {
    (path.parent().as_str() == UNIT_FILES).then(|| UnitName::new(path.file_name()).ok()).flatten()
}

/// The units whose state decides whether files may be removed.
pub(super) fn units<'a>(unwanted: impl Iterator<Item = (&'a RemotePath, &'a Written)>) -> BTreeSet<UnitName> {
    unwanted.flat_map(|(path, written)| unit_of(path).into_iter().chain(written.unit.clone())).collect()
}
