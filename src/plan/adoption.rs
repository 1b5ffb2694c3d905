//! Which files of others an operator means, and what becomes of each when it is ours (pure).
//!
//! A word that fits nothing is an error before anything is done: nobody knows what was meant.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use super::Inputs;
use crate::fleet::HostName;
use crate::inventory::pattern::glob;
use crate::remote::RemotePath;
use crate::resource::{HostFacts, HostObservation, Manifest, Takeover, adoptable};

/// Files of others, as an operator names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted(String);

impl FromStr for Wanted {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let is_pattern = word.contains(['*', '?', '[']);
        match RemotePath::new(word) {
            Err(error) if !is_pattern => Err(error.to_string()),
            _ if !word.starts_with('/') => Err("a pattern is about whole paths: it begins with `/`".to_owned()),
            _ => Ok(Self(word.to_owned())),
        }
    }
}

impl Wanted {
    /// As it was written, or as a shell would understand it.
    #[must_use]
    pub fn fits(&self, path: &RemotePath) -> bool {
        self.0 == path.as_str() || glob(&self.0, path.as_str())
    }
}

/// What is taken over, by host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Adoption {
    /// What is taken over.
    pub hosts: BTreeMap<HostName, Takeover>,
    /// What is not, and why.
    pub refused: BTreeSet<(HostName, RemotePath, String)>,
}

/// A word that fits no file of somebody else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}`: {why}")]
pub struct NothingMeant {
    word: String,
    why: String,
}

/// Finds the files that are meant on the hosts that answered.
///
/// # Errors
/// Each word that fits none of them.
pub fn adoption(inputs: &Inputs<'_>, wanted: &[Wanted]) -> Result<Adoption, Vec<NothingMeant>> {
    let mut adoption = Adoption::default();
    let mut fitted: BTreeSet<usize> = BTreeSet::new();
    for (name, facts, desired) in reached(inputs) {
        let mut files = BTreeMap::new();
        for (path, file) in adoptable(desired, facts) {
            let fits: Vec<_> =
                (0..wanted.len()).filter(|at| wanted.get(*at).is_some_and(|word| word.fits(&path))).collect();
            if fits.is_empty() {
                continue;
            }
            fitted.extend(fits);
            match file {
                Ok(file) => drop(files.insert(path, file)),
                Err(why) => drop(adoption.refused.insert((name.clone(), path, why.to_string()))),
            }
        }
        if files.is_empty() {
            continue;
        }
        match (Takeover::of(files.clone(), facts), Manifest::path()) {
            (Some(takeover), _) => drop(adoption.hosts.insert(name.clone(), takeover)),
            (None, manifest) => {
                let manifest = manifest.map(|path| path.to_string()).unwrap_or_default();
                let fault = facts.manifest.fault.unwrap_or("nobody knows why");
                let why = || format!("`{manifest}`, which says what is ours, cannot be read: {fault}");
                adoption.refused.extend(files.into_keys().map(|path| (name.clone(), path, why())));
            }
        }
    }
    let nothing = |(at, word): (usize, &Wanted)| {
        (!fitted.contains(&at)).then(|| NothingMeant { word: word.0.clone(), why: why(inputs, word) })
    };
    let unmet: Vec<_> = wanted.iter().enumerate().filter_map(nothing).collect();
    if unmet.is_empty() { Ok(adoption) } else { Err(unmet) }
}

fn reached<'a>(
    inputs: &Inputs<'a>,
) -> impl Iterator<Item = (&'a HostName, &'a HostFacts, &'a crate::render::Desired)> + use<'a> {
    let (observation, desired) = (inputs.observation, inputs.desired);
    inputs.hosts.iter().filter_map(move |name| Some((name, observation.facts(name)?, desired.get(name)?)))
}

/// Why a word fits nothing that could be taken over.
fn why(inputs: &Inputs<'_>, word: &Wanted) -> String {
    let mut ours = BTreeSet::new();
    let mut elsewhere = BTreeSet::new();
    for (name, facts, desired) in reached(inputs) {
        let known = desired.files.keys().chain(facts.manifest.files.0.keys());
        if known.filter(|path| facts.files.contains_key(*path)).any(|path| word.fits(path)) {
            ours.insert(name.as_str());
        } else if facts.config_tree.keys().any(|path| word.fits(path)) {
            elsewhere.insert(name.as_str());
        }
    }
    let first = |hosts: &BTreeSet<&str>| hosts.first().map(|host| format!("`{host}`")).unwrap_or_default();
    let silent = |found: &&HostObservation| matches!(found, HostObservation::Unreachable { .. });
    if !ours.is_empty() {
        format!("on {} it is Housewright's own already", first(&ours))
    } else if !elsewhere.is_empty() {
        format!(
            "on {} it is in no directory whose files are merged; where a role renders it, `apply` takes its place",
            first(&elsewhere)
        )
    } else if inputs.observation.hosts.values().any(|found| silent(&found)) {
        "no host that answered has such a file of somebody else".to_owned()
    } else {
        "no host has such a file of somebody else".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_a_path_or_a_pattern_of_whole_paths() {
        let fits =
            |word: &str, path: &str| word.parse::<Wanted>().map(|word| word.fits(&RemotePath::new(path).unwrap()));
        assert_eq!(fits("/etc/a.xml", "/etc/a.xml"), Ok(true));
        assert_eq!(fits("/etc/a.xml", "/etc/b.xml"), Ok(false));
        assert_eq!(fits("/etc/*/config.d/m*.xml", "/etc/clickhouse-server/config.d/mine.xml"), Ok(true));
        assert_eq!(fits("/etc/a[1].xml", "/etc/a[1].xml"), Ok(true));
        for wrong in ["mine.xml", "*.xml", "/etc/../a.xml", "/etc//a", "", "etc/a"] {
            assert!(wrong.parse::<Wanted>().is_err(), "{wrong}");
        }
    }
}
