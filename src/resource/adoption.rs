//! Files of others that are to become ours: what the manifest says of them then, and what follows (pure).
//!
//! A file is taken over with the content that was seen, and nothing but the manifest is written: what becomes of the file is
//! the next plan's, which people see before it is done.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::config_tree::root;
use super::ownership::user;
use super::{HostFacts, Kept, Manifest, ObservedFile, Shows, Written, ownership};
use crate::remote::{Expect, Expected, RemotePath, UnitName, WriteSet};
use crate::render::Desired;

/// A file that can be taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// What the next plan does with it.
    pub fate: Fate,
    /// What the manifest says of it from then on.
    written: Written,
    /// What must still be there when it does.
    expect: Expect,
}

/// What the next plan does with a file that was taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// The role has a file of this name: it is written, with the difference shown.
    Overwritten,
    /// No role has one: it is removed.
    Removed,
}

/// Why a file of somebody else cannot be taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAdoptable {
    /// It is a link or the like.
    #[error("it is no regular file")]
    NoFile,
    /// This unit runs or starts at boot, and reads it or is it.
    #[error("`{0}` runs or starts at boot, and needs it")]
    InUse(UnitName),
}

/// What is taken over on one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Takeover {
    /// By path.
    pub files: BTreeMap<RemotePath, Foreign>,
    /// The manifest as it was read.
    before: Manifest,
    expect: Expect,
}

/// All files on a host that are not ours and that adopting is about: in the servers' directories, in the place of ours, and
/// what was ours until somebody edited it.
#[must_use]
pub fn adoptable(desired: &Desired, facts: &HostFacts) -> BTreeMap<RemotePath, Result<Foreign, NotAdoptable>> {
    let own = ownership(desired, facts);
    let edited = own.kept.iter().filter(|(_, why)| **why == Kept::Edited).map(|(path, _)| path);
    let paths = own.in_the_way.iter().chain(&own.foreign).chain(edited);
    paths.map(|path| (path.clone(), foreign(path, desired, facts))).collect()
}

fn foreign(path: &RemotePath, desired: &Desired, facts: &HostFacts) -> Result<Foreign, NotAdoptable> {
    let observed = facts.files.get(path).or_else(|| facts.config_tree.get(path));
    let content = observed.and_then(|file: &ObservedFile| file.content.as_ref()).ok_or(NotAdoptable::NoFile)?;
    let digest: [u8; 32] = Sha256::digest(content.expose()).into();
    let known = facts.manifest.files.0.get(path);
    let unit = match (desired.files.get(path), known) {
        (Some(ours), _) => ours.unit.clone(),
        (None, Some(known)) => known.unit.clone(),
        (None, None) => reader(path, desired),
    };
    // Nobody knows whether a secret is in it.
    let written = Written { digests: BTreeSet::from([digest]), unit, shows: Shows::Nothing };
    let expect = Expect { path: path.clone(), state: Expected::Sha256(digest) };
    if desired.files.contains_key(path) {
        return Ok(Foreign { fate: Fate::Overwritten, written, expect });
    }
    match user(path, &written, desired, facts) {
        Some(unit) => Err(NotAdoptable::InUse(unit)),
        None => Ok(Foreign { fate: Fate::Removed, written, expect }),
    }
}

/// The unit that reads what lies beside a file of the role's.
fn reader(path: &RemotePath, desired: &Desired) -> Option<UnitName> {
    let root = root(path)?;
    let beside = desired.files.iter().filter(|(other, _)| super::config_tree::root(other).as_ref() == Some(&root));
    let units = beside.filter_map(|(_, file)| file.unit.clone());
    units.into_iter().find(|unit| desired.units.contains_key(unit))
}

impl Takeover {
    /// Takes these files of a host over; nothing where its manifest cannot be read.
    #[must_use]
    pub fn of(files: BTreeMap<RemotePath, Foreign>, facts: &HostFacts) -> Option<Self> {
        let expect = Manifest::expect(&facts.manifest.state).filter(|_| facts.manifest.fault.is_none())?;
        Some(Self { files, before: facts.manifest.files.clone(), expect })
    }

    /// The manifest as it will be.
    #[must_use]
    pub fn manifest(&self) -> Manifest {
        let mut manifest = self.before.clone();
        manifest.0.extend(self.files.iter().map(|(path, file)| (path.clone(), file.written.clone())));
        manifest
    }

    /// Writes it, where every file is still the one that was seen and nobody has written the manifest.
    #[must_use]
    pub fn write(&self) -> Option<WriteSet> {
        let expects = self.files.values().map(|file| file.expect.clone()).chain([self.expect.clone()]).collect();
        let (directories, files) = (vec![Manifest::directory()?], vec![self.manifest().file()?]);
        Some(WriteSet { expects, directories, files, ..WriteSet::default() })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::render::{Content, DesiredFile, DesiredUnit};
    use crate::resource::ObservedManifest;
    use crate::secret::Secret;

    const OURS: &str = "/etc/clickhouse-server/config.d/ours.xml";
    const MINE: &str = "/etc/clickhouse-server/config.d/mine.xml";
    const LEFT: &str = "/etc/clickhouse-server/users.d/left.xml";

    fn path(path: &str) -> RemotePath {
        RemotePath::new(path).unwrap()
    }

    fn unit() -> UnitName {
        UnitName::new("clickhouse-server").unwrap()
    }

    fn observed(content: Option<&str>) -> ObservedFile {
        let content = content.map(|text| Secret::new(Bytes::copy_from_slice(text.as_bytes())));
        ObservedFile { owner: "root".to_owned(), group: "root".to_owned(), mode: 0o644, content }
    }

    fn desired() -> Desired {
        let (owner, group) = ("root".to_owned(), "root".to_owned());
        let file = DesiredFile {
            content: Content::plain("ours"),
            owner,
            group,
            mode: 0o644,
            unit: Some(unit()),
            early: false,
            over_package: false,
        };
        let mut desired = Desired { files: BTreeMap::from([(path(OURS), file)]), ..Desired::default() };
        desired.units.insert(unit(), DesiredUnit { enabled: true, running: true });
        desired
    }

    fn facts(mine: Option<&str>) -> HostFacts {
        let mut facts = HostFacts::default();
        facts.files.insert(path(OURS), observed(Some("theirs")));
        facts.files.insert(path(LEFT), observed(Some("edited")));
        facts.config_tree.insert(path(MINE), observed(mine));
        let known = Written { digests: BTreeSet::from([[7; 32]]), unit: Some(unit()), shows: Shows::Text };
        let files = Manifest(BTreeMap::from([(path(LEFT), known)]));
        facts.manifest = ObservedManifest { files, state: Expected::Sha256([1; 32]), fault: None };
        facts
    }

    #[test]
    fn what_is_taken_over_is_ours_with_the_content_that_was_seen() {
        let (desired, facts) = (desired(), facts(Some("mine")));
        let files: BTreeMap<_, _> =
            adoptable(&desired, &facts).into_iter().map(|(path, file)| (path, file.unwrap())).collect();
        let fates: Vec<_> = files.iter().map(|(path, file)| (path.as_str(), file.fate)).collect();
        assert_eq!(fates, [(MINE, Fate::Removed), (OURS, Fate::Overwritten), (LEFT, Fate::Removed)]);
        let takeover = Takeover::of(files, &facts).unwrap();
        let written = takeover.manifest();
        for (name, text) in [(MINE, "mine"), (OURS, "theirs"), (LEFT, "edited")] {
            let known = &written.0[&path(name)];
            assert_eq!(known.digests, BTreeSet::from([Sha256::digest(text).into()]), "{name}");
            assert_eq!((known.unit.clone(), known.shows), (Some(unit()), Shows::Nothing), "{name}");
        }
        let set = takeover.write().unwrap();
        assert_eq!(
            set.files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(),
            ["/var/lib/housewright/manifest"]
        );
        assert_eq!((set.expects.len(), set.removals.len(), set.closing.is_none()), (4, 0, true));

        // The next plan removes the one and writes the other.
        let mut next = facts;
        next.files.insert(path(MINE), observed(Some("mine")));
        next.manifest.files = written;
        let own = ownership(&desired, &next);
        assert_eq!(own.removals.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), [MINE, LEFT]);
        assert!(own.in_the_way.is_empty() && own.foreign.is_empty() && own.kept.is_empty());
        assert!(own.removals.iter().all(|file| !file.diff.contains("mine") || file.path.as_str() == MINE));
        assert!(adoptable(&desired, &next).is_empty());
    }

    #[test]
    fn a_link_and_what_a_unit_needs_are_not_taken_over() {
        let (mut desired, facts) = (desired(), facts(None));
        assert_eq!(adoptable(&desired, &facts)[&path(MINE)], Err(NotAdoptable::NoFile));
        desired.units.clear();
        assert_eq!(adoptable(&desired, &facts)[&path(LEFT)], Err(NotAdoptable::InUse(unit())));
    }

    #[test]
    fn a_manifest_that_cannot_be_read_is_not_written() {
        let mut facts = facts(None);
        facts.manifest.fault = Some("a line of it is damaged");
        assert_eq!(Takeover::of(BTreeMap::new(), &facts), None);
    }
}
