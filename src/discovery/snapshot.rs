//! The snapshot `discovered.yml` (pure): a static inventory of what EC2 listed, for Housewright and Ansible alike.
//!
//! Its head says when it was written and of which files, so that it is neither taken for another file's nor for new.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use super::baseline::Baseline;
use super::source::digest;
use super::{DiscoveredHost, DiscoverySource, layout, time};
use crate::inventory::{Entry, Node};
use crate::report::hosts::count;

/// The name of a snapshot, beside the discovery files that it is of.
pub const FILE: &str = "discovered.yml";

/// What the head says of one discovery file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Of {
    /// The file's name, without its directory.
    pub file: String,
    /// A digest of all that the file says.
    pub settings: String,
    /// A digest of what it asks EC2.
    pub query: String,
    /// How many instances each region had.
    pub regions: BTreeMap<String, usize>,
}

/// The head of a snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// When EC2 was asked, in seconds since 1970.
    pub written: u64,
    /// The files.
    pub of: Vec<Of>,
}

impl Of {
    /// What is to be said of a file and its hosts.
    #[must_use]
    pub fn new(source: &DiscoverySource, hosts: &[DiscoveredHost]) -> Self {
        let mut regions: BTreeMap<String, usize> =
            source.regions.iter().map(|(region, _)| (region.clone(), 0)).collect();
        for host in hosts {
            *regions.entry(host.region.clone()).or_default() += 1;
        }
        Self {
            file: source.file().rsplit('/').next().unwrap_or_default().to_owned(),
            settings: source.settings_digest(),
            query: source.query_digest(),
            regions,
        }
    }
}

impl Head {
    /// Reads the comments at the beginning of a text; none where they are not those of a snapshot.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut comments = text.lines().map_while(|line| line.strip_prefix("# "));
        let written = comments.next()?.strip_prefix("Listed by EC2 at ")?.split_once(',')?.0;
        let mut head = Self { written: time::seconds(written)?, of: Vec::new() };
        for line in comments {
            let Some(line) = line.strip_prefix("of ") else { continue };
            head.of.push(Of::read(line)?);
        }
        (!head.of.is_empty()).then_some(head)
    }
}

impl Of {
    fn count(&self) -> usize {
        self.regions.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    fn read(line: &str) -> Option<Self> {
        let mut of =
            Self { file: String::new(), settings: String::new(), query: String::new(), regions: BTreeMap::new() };
        let (words, file) = line.split_once(": ")?;
        for word in words.split(' ') {
            match word.split_once('=')? {
                ("settings", digest) => digest.clone_into(&mut of.settings),
                ("query", digest) => digest.clone_into(&mut of.query),
                (region, count) => drop(of.regions.insert(region.to_owned(), count.parse().ok()?)),
            }
        }
        file.clone_into(&mut of.file);
        Some(of)
    }

    fn line(&self) -> String {
        let regions: Vec<String> = self.regions.iter().map(|(region, count)| format!("{region}={count}")).collect();
        format!("# of settings={} query={} {}: {}\n", self.settings, self.query, regions.join(" "), self.file)
    }
}

/// Writes a snapshot.
#[must_use]
pub fn write(head: &Head, hosts: &[DiscoveredHost]) -> String {
    let mut out = format!("# Listed by EC2 at {}, written by housewright {}.\n", time::utc(head.written), version());
    out.push_str("# `housewright discover --write` writes it anew, `--offline` reads it; do not edit it.\n");
    head.of.iter().for_each(|of| out.push_str(&of.line()));
    let _ = write!(out, "\n{}", layout::inventory(hosts));
    out
}

fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Whether two snapshots say the same, whenever they were written.
#[must_use]
pub fn same(a: &str, b: &str) -> bool {
    let behind_first = |text: &str| text.split_once('\n').map(|(_, rest)| rest.to_owned());
    behind_first(a) == behind_first(b)
}

/// One host of a snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The instance's identity, where the facts have it.
    pub instance: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// Its variables.
    pub vars: Value,
}

/// The hosts of a snapshot by name; facts are found under the names that the sources give them.
#[must_use]
pub fn recorded(document: &Node, sources: &[&DiscoverySource]) -> BTreeMap<String, Recorded> {
    hosts(document).iter().map(|entry| (entry.key.clone(), record(entry, sources))).collect()
}

fn hosts(document: &Node) -> &[Entry] {
    let hosts = document.get(layout::EVERY).and_then(|group| group.get("hosts")).and_then(Node::entries);
    hosts.unwrap_or_default()
}

fn record(entry: &Entry, sources: &[&DiscoverySource]) -> Recorded {
    let fact = |name: &str| sources.iter().find_map(|source| entry.value.get(&source.fact_name(name)));
    let text = |node: Option<&Node>| node.and_then(Node::text).map(str::to_owned);
    let region = text(fact("placement").and_then(|placement| placement.get("region")));
    Recorded { instance: text(fact("instance_id")), region, vars: entry.value.to_json() }
}

/// What a snapshot says that each region of a source had, whatever the source asks by now; nothing where it is of other files.
#[must_use]
pub fn baselines(head: &Head, document: &Node, source: &DiscoverySource) -> BTreeMap<String, Baseline> {
    let Some(at) = head.position(source) else { return BTreeMap::new() };
    let hosts = head.hosts(at, document).iter().map(|entry| record(entry, &[source])).collect::<Vec<_>>();
    let mut baselines = BTreeMap::new();
    for (region, count) in head.of.get(at).iter().flat_map(|of| &of.regions) {
        let here = hosts.iter().filter(|host| host.region.as_ref() == Some(region));
        let baseline = Baseline {
            snapshot: Some(digest(&document.span.source.text)),
            query: head.of.get(at).map(|of| of.query.clone()).unwrap_or_default(),
            count: *count,
            ids: here.filter_map(|host| host.instance.clone()).collect(),
            from: format!("`{FILE}` of {}", time::utc(head.written)),
        };
        baselines.insert(region.clone(), baseline);
    }
    baselines
}

/// Tells where a snapshot has not as many hosts as its head says; a snapshot that was cut or merged is no fleet.
///
/// Regions are counted where a source is given, and its facts say the region of each of its hosts.
#[must_use]
pub fn miscounted(head: &Head, document: &Node, source: Option<&DiscoverySource>) -> Option<String> {
    let said = head.of.iter().fold(0, |sum: usize, of| sum.saturating_add(of.count()));
    let told = |place: &str, said, is| format!("its head says {}{place}, it has {is}", count(said, "host"));
    if said != hosts(document).len() {
        return Some(told("", said, hosts(document).len()));
    }
    let source = source?;
    let at = head.position(source)?;
    let regions = head.hosts(at, document).iter().map(|entry| record(entry, &[source]).region);
    let regions: Vec<String> = regions.collect::<Option<_>>()?;
    let is = |region: &str| regions.iter().filter(|other| *other == region).count();
    let mut counted = head.of.get(at)?.regions.iter().map(|(region, said)| (region, *said, is(region)));
    let (region, said, is) = counted.find(|(_, said, is)| said != is)?;
    Some(told(&format!(" in `{region}`"), said, is))
}

impl Head {
    /// Where it speaks of a file: by the file's name, or under another name by what was asked.
    fn position(&self, source: &DiscoverySource) -> Option<usize> {
        let (own, query) = (source.file().rsplit('/').next().unwrap_or_default(), source.query_digest());
        let named = self.of.iter().position(|of| of.file == own);
        named.or_else(|| self.of.iter().position(|of| of.query == query))
    }

    /// The hosts of one of its files: they stand in the order of the files.
    fn hosts<'a>(&self, at: usize, document: &'a Node) -> &'a [Entry] {
        let before = self.of.iter().take(at).fold(0, |sum: usize, of| sum.saturating_add(of.count()));
        let end = before.saturating_add(self.of.get(at).map_or(0, Of::count));
        hosts(document).get(before..end).unwrap_or_default()
    }
}
