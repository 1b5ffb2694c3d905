//! A host's ClickHouse configuration as it is and as it will be: which of its effective keys change (pure).
//!
//! A key that another file overrides is no change, and where a file goes, what it hid comes back.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::masked;
use crate::clickhouse::config::effective::{Attributes, Effective, EffectiveError, Sources, is_part};
use crate::clickhouse::config::{ConfigDirectory, KeyChange, MASK, diff};
use crate::event::chain;
use crate::remote::RemotePath;
use crate::render::Desired;
use crate::resource::{HostFacts, Removal, Shows};
use crate::secret::Secret;

/// What a server finds of a configuration by its path.
const MAIN_ENDINGS: [&str; 3] = ["xml", "yaml", "yml"];
/// What the server reads of its users' configuration.
/// <https://github.com/ClickHouse/ClickHouse/blob/v25.8.2.1-lts/src/Access/UsersConfigAccessStorage.cpp>
const USERS_KEYS: [&str; 4] = ["users", "profiles", "quotas", "roles"];
/// Stands in where no main file was seen.
const EMPTY: &[u8] = b"<clickhouse/>";

/// What becomes of one configuration.
pub(super) struct Compared {
    pub directory: ConfigDirectory,
    pub outcome: Outcome,
}

/// What is known of it.
pub(super) enum Outcome {
    /// What changes, in the order of the new one.
    Keys(Vec<KeyChange>),
    /// It cannot be merged here: each file counts by itself. The reason.
    FileByFile(String),
    /// The server would refuse it.
    Refused(String),
}

/// A configuration: the directory of its main file, and which one it is.
type Place = (RemotePath, ConfigDirectory);

/// Files by path; without content where something else is in a file's place.
type Files<'a> = BTreeMap<&'a str, Option<&'a Secret<Bytes>>>;

/// Compares every configuration that the files are a part of.
///
/// A file that nothing renders goes; `old` is whether people may see what such files hold.
pub(super) fn compare(files: &[&RemotePath], old: Shows, desired: &Desired, facts: &HostFacts) -> Vec<Compared> {
    let places: BTreeSet<Place> = files.iter().flat_map(|path| places(path)).collect();
    if places.is_empty() {
        return Vec::new();
    }
    let is = seen(facts);
    let mut will_be = is.clone();
    for path in files {
        match desired.files.get(*path) {
            Some(new) => will_be.insert(path.as_str(), Some(new.content.bytes())),
            None => will_be.remove(path.as_str()),
        };
    }
    // The same with the texts for people: where the values differ, they are secrets.
    let contents = || desired.files.iter().map(|(path, file)| (path.as_str(), &file.content));
    let texts: BTreeMap<&str, Secret<Bytes>> = contents()
        .filter(|(path, content)| will_be.contains_key(path) && content.has_secrets())
        .map(|(path, content)| (path, Secret::new(Bytes::copy_from_slice(content.shown().as_bytes()))))
        .collect();
    let mut shown = will_be.clone();
    shown.extend(texts.iter().map(|(path, text)| (*path, Some(text))));
    let contents: Vec<_> = contents().map(|(_, content)| content).filter(|content| content.has_secrets()).collect();
    let outcome = |place: &Place| match (merge(place, &is), merge(place, &will_be)) {
        (_, Err(Why::Refused(why))) => Outcome::Refused(why),
        (_, Err(Why::NotHere(why))) | (Err(Why::Refused(why) | Why::NotHere(why)), _) => {
            Outcome::FileByFile(format!("its configuration is compared file by file: {why}"))
        }
        (Ok(old_keys), Ok(new)) => {
            let (before, new) = (old_keys.tree.keys(Attributes::Merged), new.tree.keys(Attributes::Merged));
            let mut changes = diff(&before, &new);
            if old == Shows::Nothing {
                masked::mask_old(&mut changes);
            }
            if !texts.is_empty() && !changes.is_empty() {
                let shown = merge(place, &shown).map(|shown| shown.tree.keys(Attributes::Merged)).unwrap_or_default();
                masked::mask(&mut changes, &masked::hidden_paths(&new, &shown), &contents);
            }
            // What `conf.d` holds for the server is in both, and nobody looks for it among the users.
            changes.retain(|change| place.1 == ConfigDirectory::Config || is_of_users(change));
            Outcome::Keys(changes)
        }
    };
    places.into_iter().map(|place| Compared { outcome: outcome(&place), directory: place.1 }).collect()
}

/// Why the server would refuse what a host should have beside what it has.
pub(super) fn refused(desired: &Desired, removals: &[Removal], facts: &HostFacts) -> Option<String> {
    let places: BTreeSet<Place> = desired.files.keys().flat_map(places).collect();
    let mut will_be = seen(facts);
    will_be.retain(|path, _| !removals.iter().any(|file| file.path.as_str() == *path));
    will_be.extend(desired.files.iter().map(|(path, file)| (path.as_str(), Some(file.content.bytes()))));
    places.iter().find_map(|place| match merge(place, &will_be) {
        Err(Why::Refused(why)) => Some(why),
        Err(Why::NotHere(_)) | Ok(_) => None,
    })
}

/// The server's own settings of the first level, as the files say that are on the host now; nothing where they cannot be merged
/// here. What looks like a secret is left out.
pub(super) fn written_settings(desired: &Desired, facts: &HostFacts) -> Vec<(String, String)> {
    let places = desired.files.keys().flat_map(places).filter(|(_, directory)| *directory == ConfigDirectory::Config);
    let Some(place) = places.min() else { return Vec::new() };
    let keys = merge(&place, &seen(facts)).map(|effective| effective.tree.keys(Attributes::Merged)).unwrap_or_default();
    let plain = keys.entries.into_iter().filter(|entry| !entry.path.contains(['/', '[', '@']) && entry.shown() != MASK);
    plain.map(|entry| (entry.path.clone(), entry.shown().to_owned())).collect()
}

fn seen(facts: &HostFacts) -> Files<'_> {
    let seen = facts.files.iter().chain(&facts.config_tree);
    seen.map(|(path, file)| (path.as_str(), file.content.as_ref())).collect()
}

/// Whether a file is a part of a configuration that is compared as a whole.
pub(super) fn is_compared(path: &RemotePath) -> bool {
    !places(path).is_empty()
}

/// The configurations that a file is a part of: what is in `conf.d` is merged into each that lies beside it.
fn places(path: &RemotePath) -> Vec<Place> {
    let (directory, name) = (path.parent(), path.file_name());
    let root = directory.parent();
    match directory.file_name() {
        "config.d" => vec![(root, ConfigDirectory::Config)],
        "users.d" => vec![(root, ConfigDirectory::Users)],
        "conf.d" => vec![(root.clone(), ConfigDirectory::Config), (root, ConfigDirectory::Users)],
        _ => match name.rsplit_once('.').filter(|(_, ending)| MAIN_ENDINGS.contains(ending)) {
            Some(("config", _)) => vec![(directory, ConfigDirectory::Config)],
            Some(("users", _)) => vec![(directory, ConfigDirectory::Users)],
            _ => Vec::new(),
        },
    }
}

fn is_of_users(change: &KeyChange) -> bool {
    let key = change.path.split(['/', '[']).next().unwrap_or_default();
    USERS_KEYS.contains(&key)
}

/// Why there is no effective configuration.
enum Why {
    Refused(String),
    /// It is not known, or more than is read here.
    NotHere(String),
}

fn merge((root, directory): &Place, files: &Files<'_>) -> Result<Effective, Why> {
    let stem = match directory {
        ConfigDirectory::Config => "config",
        ConfigDirectory::Users => "users",
    };
    let mains = MAIN_ENDINGS.map(|ending| format!("{}/{stem}.{ending}", root.as_str().trim_end_matches('/')));
    let main = mains.iter().find(|main| files.contains_key(main.as_str())).unwrap_or(&mains[0]);
    let counts = |path: &str| path == main || is_part(main, path);
    if let Some((path, _)) = files.iter().find(|(path, content)| content.is_none() && counts(path)) {
        return Err(Why::NotHere(format!("`{path}` is no regular file")));
    }
    let empty = Secret::new(Bytes::from_static(EMPTY));
    let mut read: BTreeMap<_, _> = files.iter().filter_map(|(path, content)| Some((*path, (*content)?))).collect();
    read.entry(main).or_insert(&empty);
    let sources = Sources { main, files: read, ..Sources::default() };
    sources.effective().map_err(|error| reason(&error))
}

fn reason(error: &EffectiveError) -> Why {
    let text = chain(error);
    if error.is_the_servers() { Why::Refused(text) } else { Why::NotHere(text) }
}
