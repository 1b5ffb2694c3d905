//! The manifest: which files of a host Housewright wrote, kept on the host itself (pure).
//!
//! It is written in the same write as the files, and names them before the first of them is renamed into its place: what
//! it does not name, Housewright did not write.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::ObservedFile;
use crate::remote::{DirectoryWrite, Expect, Expected, FileWrite, RemotePath, UnitName};
use crate::secret::Secret;

const DIRECTORY: &str = "/var/lib/housewright";
const FILE: &str = "/var/lib/housewright/manifest";

/// The form of the file; a newer form is not touched.
const FIRST_LINE: &str = "housewright manifest 1";

/// The files that Housewright wrote or adopted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest(pub BTreeMap<RemotePath, Written>);

/// What was written to a path.
#[derive(Clone, PartialEq, Eq)]
pub struct Written {
    /// SHA-256 of each content that may be there by us: more than one where a run was cut short.
    pub digests: BTreeSet<[u8; 32]>,
    /// The unit that reads it.
    pub unit: Option<UnitName>,
    /// Whether its text can be shown when it is removed.
    pub shows: Shows,
}

/// Whether a text can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// No secret was put into it.
    Text,
    /// A secret was, or nobody knows.
    Nothing,
}

/// Without the digests: that of a file with a secret says too much.
impl std::fmt::Debug for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Written").field("unit", &self.unit).field("shows", &self.shows).finish_non_exhaustive()
    }
}

/// The manifest as it is on a host.
#[derive(Debug, Clone, Default)]
pub struct ObservedManifest {
    /// What it says.
    pub files: Manifest,
    /// What must still be there when it is written again.
    pub state: Expected,
    /// Why it cannot be read.
    pub fault: Option<&'static str>,
}

impl Manifest {
    /// Where it is.
    #[must_use]
    pub fn path() -> Option<RemotePath> {
        RemotePath::new(FILE).ok()
    }

    /// Its directory, which is root's alone: the digests could tell a short secret.
    #[must_use]
    pub fn directory() -> Option<DirectoryWrite> {
        let root = "root".to_owned();
        Some(DirectoryWrite { path: RemotePath::new(DIRECTORY).ok()?, owner: root.clone(), group: root, mode: 0o700 })
    }

    /// The file itself.
    #[must_use]
    pub fn file(&self) -> Option<FileWrite> {
        let (content, root) = (Secret::new(Bytes::from(self.to_text())), "root".to_owned());
        Some(FileWrite { path: Self::path()?, content, owner: root.clone(), group: root, mode: 0o600 })
    }

    /// What must be there before it is written.
    #[must_use]
    pub fn expect(state: &Expected) -> Option<Expect> {
        Some(Expect { path: Self::path()?, state: state.clone() })
    }

    /// Names all files and all contents of both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for (path, written) in &other.0 {
            let known = both.0.entry(path.clone()).or_insert_with(|| written.clone());
            known.digests.extend(&written.digests);
            known.unit.clone_from(&written.unit);
            if written.shows == Shows::Nothing {
                known.shows = Shows::Nothing;
            }
        }
        both
    }

    /// A line for each content: digest, unit, whether it can be shown, path.
    fn to_text(&self) -> String {
        let mut text = format!("{FIRST_LINE}\n");
        for (path, written) in &self.0 {
            for digest in &written.digests {
                for byte in digest {
                    let _ = write!(text, "{byte:02x}");
                }
                let unit = written.unit.as_ref().map_or("-", UnitName::as_str);
                let shows = if written.shows == Shows::Text { "text" } else { "secret" };
                let _ = writeln!(text, " {unit} {shows} {path}");
            }
        }
        text
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let mut lines = text.lines();
        if lines.next() != Some(FIRST_LINE) {
            return Err("its first line is of no form that this program knows");
        }
        let mut manifest = Self::default();
        for line in lines {
            let one = line_of(line).ok_or("a line of it is damaged")?;
            manifest = manifest.union(&Self(BTreeMap::from([one])));
        }
        Ok(manifest)
    }
}

fn line_of(line: &str) -> Option<(RemotePath, Written)> {
    let mut parts = line.splitn(4, ' ');
    let digest = unhex(parts.next()?)?;
    let unit = match parts.next()? {
        "-" => None,
        name => Some(UnitName::new(name).ok()?),
    };
    let shows = match parts.next()? {
        "text" => Shows::Text,
        "secret" => Shows::Nothing,
        _ => return None,
    };
    let path = RemotePath::new(parts.next()?).ok()?;
    Some((path, Written { digests: BTreeSet::from([digest]), unit, shows }))
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (index, byte) in digest.iter_mut().enumerate() {
        let pair = text.get(index * 2..index * 2 + 2).filter(|pair| !pair.starts_with('+'))?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(digest)
}

impl ObservedManifest {
    /// Takes the manifest out of the files that were read.
    pub(super) fn take(files: &mut BTreeMap<RemotePath, ObservedFile>) -> Self {
        let Some(file) = Manifest::path().and_then(|path| files.remove(&path)) else { return Self::default() };
        let fault = |fault| Self { fault: Some(fault), ..Self::default() };
        let Some(content) = file.content else { return fault("it is no regular file") };
        let Ok(text) = std::str::from_utf8(content.expose()) else { return fault("it is no text") };
        match Manifest::parse(text) {
            Ok(files) => Self { files, state: Expected::Sha256(Sha256::digest(content.expose()).into()), fault: None },
            Err(why) => fault(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn observed(text: &str) -> ObservedManifest {
        let (owner, group) = ("root".to_owned(), "root".to_owned());
        let content = Some(Secret::new(Bytes::copy_from_slice(text.as_bytes())));
        let file = ObservedFile { owner, group, mode: 0o600, content };
        ObservedManifest::take(&mut BTreeMap::from([(Manifest::path().unwrap(), file)]))
    }

    fn written(digest: u8, unit: Option<&str>, shows: Shows) -> Written {
        Written { digests: BTreeSet::from([[digest; 32]]), unit: unit.map(|unit| UnitName::new(unit).unwrap()), shows }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            files in proptest::collection::btree_map(
                "/[^/\\p{C}]{1,9}x(/[a-z ]{1,5}y)?",
                (proptest::collection::btree_set(any::<[u8; 32]>(), 1..3), any::<bool>(), any::<bool>()),
                0..4,
            ),
        ) {
            let manifest = Manifest(files.into_iter().map(|(path, (digests, unit, text))| {
                let unit = unit.then(|| UnitName::new("clickhouse-server").unwrap());
                let shows = if text { Shows::Text } else { Shows::Nothing };
                (RemotePath::new(path).unwrap(), Written { digests, unit, shows })
            }).collect());
            let read = observed(&manifest.to_text());
            prop_assert_eq!((&read.files, read.fault), (&manifest, None));
            prop_assert!(read.state != Expected::Absent);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(housewright manifest 1\n)?([0-9a-f+é]{60,66} [-a] (text|secret)? ?/?[ -~]{0,9}\n){0,3}") {
            let read = observed(&text);
            prop_assert!(read.fault.is_none() || read.files == Manifest::default());
        }
    }

    #[test]
    fn no_manifest_is_an_empty_one_and_a_newer_one_is_not_taken_for_empty() {
        let none = ObservedManifest::take(&mut BTreeMap::new());
        assert_eq!((none.files, none.state, none.fault), (Manifest::default(), Expected::Absent, None));
        assert!(observed("housewright manifest 2\n").fault.is_some());
        assert!(observed("").fault.is_some());
        assert!(observed("housewright manifest 1\nabc - text /x\n").fault.is_some());
        assert!(observed("housewright manifest 1\n").fault.is_none());
    }

    #[test]
    fn a_union_forgets_no_content_and_no_secret() {
        let path = RemotePath::new("/a").unwrap();
        let one = Manifest(BTreeMap::from([(path.clone(), written(1, None, Shows::Nothing))]));
        let other = Manifest(BTreeMap::from([(path.clone(), written(2, Some("x"), Shows::Text))]));
        let both = one.union(&other);
        assert_eq!(both.0[&path].digests, BTreeSet::from([[1; 32], [2; 32]]));
        assert_eq!(
            (both.0[&path].shows, both.0[&path].unit.clone()),
            (Shows::Nothing, Some(UnitName::new("x").unwrap()))
        );
        assert!(!format!("{both:?}").contains("1, 1"));
    }
}
