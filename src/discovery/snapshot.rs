//! The snapshot `discovered.yml` (pure): a static inventory of what EC2 listed, for Housewright and Ansible alike.
//!
//! Its head says when it was written and of which files, so that it is neither taken for another file's nor for new.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use super::guard::{Had, LastGood};
use super::{DiscoveredHost, DiscoverySource, layout, time};
use crate::inventory::Node;

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
        Some(head)
    }
}

impl Of {
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
    let hosts = document.get(layout::EVERY).and_then(|group| group.get("hosts")).and_then(Node::entries);
    let mut recorded = BTreeMap::new();
    for entry in hosts.unwrap_or_default() {
        let fact = |name: &str| sources.iter().find_map(|source| entry.value.get(&source.fact_name(name)));
        let text = |node: Option<&Node>| node.and_then(Node::text).map(str::to_owned);
        let region = text(fact("placement").and_then(|placement| placement.get("region")));
        let host = Recorded { instance: text(fact("instance_id")), region, vars: entry.value.to_json() };
        recorded.insert(entry.key.clone(), host);
    }
    recorded
}

/// What a snapshot says of the last good answer to a source's query; none where it is of another query.
#[must_use]
pub fn last_good(head: &Head, hosts: &BTreeMap<String, Recorded>, source: &DiscoverySource) -> Option<LastGood> {
    let query = source.query_digest();
    let of = head.of.iter().find(|of| of.query == query)?;
    let mut regions: BTreeMap<String, Had> = BTreeMap::new();
    for (region, count) in &of.regions {
        let here = hosts.values().filter(|host| host.region.as_ref() == Some(region));
        let ids = here.filter_map(|host| host.instance.clone()).collect();
        regions.insert(region.clone(), Had { count: *count, ids });
    }
    Some(LastGood { written: head.written, regions, from: format!("`{FILE}` of {}", time::utc(head.written)) })
}
