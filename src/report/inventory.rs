//! The inventory for people: the fleet as a table, and where a variable's value comes from; secrets are hidden (pure).

use std::fmt::Write;

use serde_json::Value;

use super::hosts::count;
use super::style::{GOOD, HEAD, QUIET, paint};
use crate::fleet::{Fleet, Host, Placement, Reach};
use crate::inventory::{Entry, InventoryHost, Owner};
use crate::secret::{look, mask_markers};

/// Roles with their hosts, then clusters with their shards.
#[must_use]
pub fn fleet(fleet: &Fleet, hosts: &[&Host]) -> String {
    let mut out = String::new();
    for (name, role) in &fleet.roles {
        let of_role: Vec<_> = hosts.iter().filter(|host| host.role == *name).collect();
        if of_role.is_empty() {
            continue;
        }
        let macro_value = role.host_cluster_role.as_deref().unwrap_or_default();
        let hosts = count(of_role.len(), "host");
        let _ = writeln!(out, "role {name} (hostClusterRole {macro_value}, {hosts}): {}", role.description);
        for host in of_role {
            let zone = host.zone.as_ref().map(|zone| format!("  {zone}")).unwrap_or_default();
            let _ = writeln!(out, "  {:24} {:20} {}{zone}", host.name, place(host), address(host));
        }
    }
    for (name, cluster) in &fleet.clusters {
        let replicas: usize = cluster.shards.iter().map(|shard| shard.members.len()).sum();
        let (shards, replicas) = (count(cluster.shards.len(), "shard"), count(replicas, "replica"));
        let _ = writeln!(out, "cluster {name}: {shards}, {replicas}");
    }
    out
}

/// `data, shard 1 replica 2`: what a host is, beside its name in the tree of groups.
#[must_use]
pub fn about(host: &Host) -> String {
    let zone = host.zone.as_ref().map(|zone| format!("  {zone}")).unwrap_or_default();
    let member = match host.reach {
        Reach::Ssh(_) => "",
        Reach::Http(_) => "  over HTTP",
        Reach::Member => "  member only",
    };
    format!("{:18} {}{zone}{member}", host.role, place(host))
}

/// What a host keeps: `shard 1 replica 2`, `stateless`, `keeper 3`.
#[must_use]
pub fn place(host: &Host) -> String {
    match &host.placement {
        Placement::Storage { shard, replica } => format!("shard {shard} replica {replica}"),
        Placement::Stateless => "stateless".to_owned(),
        Placement::Keeper { id } => format!("keeper {id}"),
    }
}

/// How a host is reached.
#[must_use]
pub fn address(host: &Host) -> String {
    match &host.reach {
        Reach::Ssh(connection) => format!("{}@{}:{}", connection.user, connection.address, connection.port),
        Reach::Http(connection) => connection.url(),
        Reach::Member => "a member only: somebody else runs it".to_owned(),
    }
}

/// A variable, or a value inside one: `backup.s3.region`.
#[derive(Debug, Clone, Copy)]
pub struct Path<'a> {
    /// The variable.
    pub variable: &'a str,
    /// Keys and positions below it, divided by `.`; empty for the variable itself.
    pub below: &'a str,
}

impl<'a> Path<'a> {
    /// Reads a path: the longest name that is a variable is the variable.
    #[must_use]
    pub fn find(text: &'a str, is_variable: impl Fn(&str) -> bool) -> Option<Self> {
        let dots = text.match_indices('.').map(|(at, _)| (&text[..at], &text[at + 1..]));
        let mut splits = dots.chain([(text, "")]).collect::<Vec<_>>().into_iter().rev();
        splits.find(|(name, _)| is_variable(name)).map(|(variable, below)| Self { variable, below })
    }

    fn of<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        let mut keys = self.below.split('.').filter(|key| !key.is_empty());
        keys.try_fold(value, |value, key| match value {
            Value::Array(items) => items.get(key.parse::<usize>().ok()?),
            _ => value.get(key),
        })
    }

    /// One line of JSON in which nothing is readable that is, or looks like, a secret.
    fn shown(&self, value: &Value) -> Option<String> {
        let hidden = look::hide(&serde_json::json!({ self.variable: value }));
        self.of(hidden.get(self.variable)?).map(|value| mask_markers(&value.to_string()))
    }
}

/// Every definition of a variable, weakest first, the one that wins marked; then the value that it has after resolving,
/// where that is another.
#[must_use]
pub fn explain(written: &InventoryHost, path: Path<'_>, of_role: Option<&Value>, resolved: Option<&Value>) -> String {
    let absent = || "nothing".to_owned();
    let mut lines: Vec<(String, String, String)> = Vec::new();
    if let Some(value) = of_role {
        lines.push(("role.yml".to_owned(), "the role's default".to_owned(), path.shown(value).unwrap_or_else(absent)));
    }
    for (owner, entry) in written.definitions(path.variable) {
        let value = path.shown(&entry.value.to_json()).unwrap_or_else(absent);
        lines.push((entry.key_span.to_string(), owned(owner), value));
    }
    let widths = [width(&lines, |line| &line.0), width(&lines, |line| &line.1)];
    let mut out = String::new();
    for (position, (place, owner, value)) in lines.iter().enumerate() {
        let wins = position + 1 == lines.len();
        let line = format!("{place:0$}  {owner:1$}  {value}", widths[0], widths[1]);
        let line = if wins { format!("{} {line}", paint(GOOD, "*")) } else { paint(QUIET, format!("  {line}")) };
        let _ = writeln!(out, "{line}");
    }
    let wins = lines.pop().map(|(.., value)| value);
    match resolved.and_then(|value| path.shown(value)) {
        Some(value) if wins.is_some_and(|wins| wins != value) => {
            let _ = writeln!(out, "{} {value}", paint(HEAD, "="));
        }
        _ => {}
    }
    out
}

/// Every variable of a host with the place that wins, in order of name.
#[must_use]
pub fn explain_all(written: &InventoryHost) -> String {
    let vars = written.vars();
    let lines: Vec<(String, String, String)> = vars
        .iter()
        .map(|(name, entry)| ((*name).to_owned(), of_entry(name, entry), entry.key_span.to_string()))
        .collect();
    let width = width(&lines, |line| &line.0);
    let mut out = String::new();
    for (name, value, place) in lines {
        let _ = writeln!(out, "{name:width$}  {value}  {}", paint(QUIET, place));
    }
    out
}

fn width(lines: &[(String, String, String)], part: impl Fn(&(String, String, String)) -> &String) -> usize {
    lines.iter().map(|line| part(line).chars().count()).max().unwrap_or_default()
}

fn owned(owner: &Owner) -> String {
    match owner {
        Owner::Group(name) => format!("group {name}"),
        Owner::Host(name) => format!("host {name}"),
    }
}

fn of_entry(name: &str, entry: &Entry) -> String {
    Path { variable: name, below: "" }.shown(&entry.value.to_json()).unwrap_or_default()
}
