//! Host patterns, as `--limit` and clusters take them (pure): Ansible's, and the selectors `role=`, `shard=` and `zone=`.
//!
//! The order and the meaning of parts are those of Ansible's `InventoryManager`. What Ansible passes over with a warning is a
//! problem here: a part that selects nothing, and a whole that selects nothing.

mod glob;
mod terms;

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexSet;

use super::tree::Inventory;
use crate::fleet::HostName;
use crate::jinja::{self, Kind};
use crate::problem::{Problem, near_name};
pub(crate) use glob::glob;
use terms::{Slice, ordered, split, subscript};

/// What a resolved host is selected by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fact {
    /// The name of its role.
    pub role: String,
    /// Its shard, where it has one.
    pub shard: Option<u32>,
    /// Its zone, where it has one.
    pub zone: Option<String>,
}

/// What the parts of a pattern are looked up in.
pub struct Selection<'a> {
    /// Hosts and groups.
    pub inventory: &'a Inventory,
    /// The resolved hosts, for selectors.
    pub facts: &'a BTreeMap<HostName, Fact>,
    /// Reads the file of an `@file` part.
    pub read_file: &'a dyn Fn(&str) -> Result<String, Problem>,
}

/// The selectors, by what stands before `=`.
const SELECTORS: [&str; 3] = ["role", "shard", "zone"];

/// Selects hosts without selectors and files.
///
/// # Errors
/// A part that names no host and no group, and a pattern that selects nothing, are problems.
pub fn select(inventory: &Inventory, pattern: &str) -> Result<BTreeSet<HostName>, Problem> {
    Selection { inventory, facts: &BTreeMap::new(), read_file: &no_files }.select(pattern)
}

/// Says that patterns in files stand on the command line only.
///
/// # Errors
/// Always.
pub fn no_files(path: &str) -> Result<String, Problem> {
    let problem = Problem::new("HW0117", format!("`@{path}`: only `--limit` reads patterns from a file"));
    Err(problem.hint("write the patterns themselves"))
}

impl Selection<'_> {
    /// Selects hosts: first every union, then every `&` intersection, then every `!` exclusion.
    ///
    /// # Errors
    /// A part that cannot be read or selects nothing, and a pattern that selects nothing, are problems.
    pub fn select(&self, pattern: &str) -> Result<BTreeSet<HostName>, Problem> {
        self.in_order(&[pattern]).map(|hosts| hosts.into_iter().collect())
    }

    /// Selects hosts by several patterns, which are parts of one, in Ansible's order.
    ///
    /// # Errors
    /// As [`Self::select`].
    pub fn in_order(&self, patterns: &[&str]) -> Result<IndexSet<HostName>, Problem> {
        let mut terms = Vec::new();
        for term in patterns.iter().flat_map(|pattern| split(pattern)) {
            match term.strip_prefix('@') {
                // A line is a part as it is.
                Some(path) => terms.extend((self.read_file)(path)?.lines().map(|line| line.trim().to_owned())),
                None => terms.push(term),
            }
        }
        let mut selected: IndexSet<HostName> = IndexSet::new();
        for term in ordered(terms) {
            let other = self.term(term.trim_start_matches(['&', '!']), &term)?;
            match term.chars().next() {
                Some('&') => {
                    let other: BTreeSet<HostName> = other.into_iter().collect();
                    selected.retain(|host| other.contains(host));
                }
                Some('!') => {
                    let other: BTreeSet<HostName> = other.into_iter().collect();
                    selected.retain(|host| !other.contains(host));
                }
                _ => selected.extend(other),
            }
        }
        if selected.is_empty() {
            return Err(Problem::new("HW0118", format!("the pattern `{}` selects no host", patterns.join(","))));
        }
        Ok(selected)
    }

    /// The hosts of one part, some perhaps twice: a slice counts them as Ansible does.
    fn term(&self, term: &str, written: &str) -> Result<Vec<HostName>, Problem> {
        let is_union = !written.starts_with(['&', '!']);
        if let (true, Some(host)) = (is_union, self.host(term)) {
            return Ok(vec![host]);
        }
        if let Some((key, value)) = term.split_once('=') {
            return self.selector(key, value, term);
        }
        if let Some(expression) = term.strip_prefix('~') {
            return self.regex(expression, term);
        }
        let (name, slice) = subscript(term);
        let (mut found, mut matches_group) = (Vec::new(), false);
        for group in self.inventory.groups.keys().filter(|group| glob(name, group)) {
            matches_group = true;
            found.extend(self.inventory.hosts_of(group));
        }
        if !matches_group || name.contains(['.', '?', '*', '[']) {
            match self.host(name).filter(|_| !name.contains(['?', '*', '['])) {
                Some(host) => found.push(host),
                None => found.extend(self.inventory.hosts.keys().filter(|host| glob(name, host.as_str())).cloned()),
            }
        }
        if found.is_empty() && !matches_group {
            return Err(self.unknown(name));
        }
        if found.is_empty() && is_union {
            let problem = Problem::new("HW0118", format!("the group `{name}` has no hosts"));
            return Err(problem.hint("`housewright inventory --graph` shows the groups and their hosts"));
        }
        slice.map_or(Ok(found.clone()), |slice| sliced(&found, slice, term))
    }

    fn host(&self, name: &str) -> Option<HostName> {
        let name = HostName::new(name).ok()?;
        self.inventory.hosts.contains_key(&name).then_some(name)
    }

    /// `role=data`, `shard=1`, `zone=us-east-1?`.
    fn selector(&self, key: &str, value: &str, term: &str) -> Result<Vec<HostName>, Problem> {
        if !SELECTORS.contains(&key) {
            let mut problem = Problem::new("HW0149", format!("`{term}`: hosts are not selected by `{key}`"));
            problem.hint = near_name(key, SELECTORS)
                .or_else(|| Some(format!("the selectors are {}", SELECTORS.map(|key| format!("`{key}=`")).join(", "))));
            return Err(problem);
        }
        let of = |fact: &Fact| match key {
            "role" => Some(fact.role.clone()),
            "shard" => fact.shard.map(|shard| shard.to_string()),
            _ => fact.zone.clone(),
        };
        let hosts = self.inventory.hosts.keys().filter_map(|host| Some((host, of(self.facts.get(host)?)?)));
        let hosts: Vec<(&HostName, String)> = hosts.collect();
        let found: Vec<HostName> =
            hosts.iter().filter(|(_, held)| glob(value, held)).map(|(host, _)| (*host).clone()).collect();
        if found.is_empty() {
            let held: BTreeSet<&str> = hosts.iter().map(|(_, held)| held.as_str()).collect();
            let mut problem = Problem::new("HW0149", format!("`{term}`: no host has this {key}"));
            problem.hint = near_name(value, held.iter().copied()).or_else(|| {
                let some: Vec<&str> = held.into_iter().take(20).collect();
                (!some.is_empty()).then(|| format!("there are {}", some.join(", ")))
            });
            return Err(problem);
        }
        Ok(found)
    }

    /// Names of groups and hosts that begin with a match.
    fn regex(&self, expression: &str, term: &str) -> Result<Vec<HostName>, Problem> {
        let regex = jinja::regex_at_begin(expression).map_err(|wrong| {
            let mut problem = Problem::new("HW0117", format!("`{term}`: {}", wrong.message));
            problem.hint = if wrong.kind == Kind::Unsupported { wrong.hint } else { None };
            problem
        })?;
        let mut found: Vec<HostName> = Vec::new();
        for group in self.inventory.groups.keys().filter(|group| regex.is_match(group)) {
            found.extend(self.inventory.hosts_of(group));
        }
        found.extend(self.inventory.hosts.keys().filter(|host| regex.is_match(host.as_str())).cloned());
        if found.is_empty() {
            let problem = Problem::new("HW0118", format!("no host and no group begins with a match of `{term}`"));
            return Err(problem.hint("an expression is matched from the name's begin: write `~.*name` for any place"));
        }
        Ok(found)
    }

    fn unknown(&self, name: &str) -> Problem {
        let groups = self.inventory.groups.keys().map(String::as_str);
        let names = groups.clone().chain(self.inventory.hosts.keys().map(HostName::as_str));
        let mut problem = Problem::new("HW0118", format!("no host and no group is called `{name}`"));
        problem.hint = near_name(name, names).or_else(|| {
            let groups: Vec<&str> = groups.take(20).collect();
            Some(format!("the groups are {}", groups.join(", ")))
        });
        problem
    }
}

/// A slice of what a part selects; the end is in it.
fn sliced(found: &[HostName], slice: Slice, term: &str) -> Result<Vec<HostName>, Problem> {
    let count = found.len();
    let kept = match slice {
        Slice::One(index) => {
            let index = if index < 0 { index + i64::try_from(count).unwrap_or(i64::MAX) } else { index };
            usize::try_from(index).ok().and_then(|index| found.get(index..=index))
        }
        Slice::Range(start, end) => {
            let end = end.map_or(count, |end| end.saturating_add(1).min(count));
            found.get(start..end).filter(|kept| !kept.is_empty())
        }
    };
    kept.map(<[HostName]>::to_vec).ok_or_else(|| {
        let hosts = if count == 1 { "one host".to_owned() } else { format!("{count} hosts") };
        let problem =
            Problem::new("HW0148", format!("`{term}`: the slice is outside of the {hosts} that it is taken of"));
        problem.hint("the first host has the number 0, and the end of a slice is in it")
    })
}
