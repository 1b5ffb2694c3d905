//! Static checks of a rendered file: what ClickHouse or systemd would refuse, or worse, take (pure).

use std::collections::BTreeSet;
use std::sync::Arc;

use roxmltree::{Document, Node};
use serde_json::Value;

use super::Content;
use super::escape::Escape;
use crate::problem::{Problem, Source, Span};
use crate::remote::RemotePath;

/// Checks a rendered file by its kind; the places are in the text as people see it, secrets masked.
pub(super) fn check(path: &RemotePath, template: &str, content: &Content) -> Vec<Problem> {
    let extension = path.file_name().rsplit('.').next().unwrap_or_default();
    match (content.escape(), extension) {
        (Escape::Xml, _) | (_, "xml") => xml(path, template, content),
        (Escape::Yaml, _) | (_, "yaml" | "yml") => yaml(path, template, content),
        (Escape::FromEnv | Escape::Environment, _) => environment(path, template, content),
        (Escape::Plain, _) => Vec::new(),
    }
}

fn source(path: &RemotePath, template: &str, content: &Content) -> Arc<Source> {
    let name = format!("{path} (rendered from {template})");
    Arc::new(Source { name, text: content.shown().to_owned() })
}

/// systemd takes no control character but tab and newline into an environment
/// ([`env_value_is_valid`](https://github.com/systemd/systemd/blob/main/src/basic/env-util.c)), and drops the variable.
fn environment(path: &RemotePath, template: &str, content: &Content) -> Vec<Problem> {
    let real = std::str::from_utf8(content.bytes().expose()).unwrap_or_default();
    if !real.contains(|c: char| c.is_control() && c != '\n' && c != '\t') {
        return Vec::new();
    }
    let message = "a value holds a control character: systemd would drop the variable";
    vec![Problem::new("HW0505", message).at(&Span::new(source(path, template, content), 0..0))]
}

/// The server reads YAML files as the same elements that it reads XML files as.
///
/// The real text is read: a masked line need not be YAML any more.
fn yaml(path: &RemotePath, template: &str, content: &Content) -> Vec<Problem> {
    let source = source(path, template, content);
    let root: Value = match serde_yaml::from_slice(content.bytes().expose()) {
        Ok(root) => root,
        Err(error) => return vec![no_yaml(&source, &error)],
    };
    let root = root.get("clickhouse").or_else(|| root.get("yandex")).unwrap_or(&root);
    let clusters = root.get("remote_servers").and_then(Value::as_object).into_iter().flatten();
    clusters.filter_map(|(name, cluster)| empty_cluster_of_yaml(&source, name, cluster)).collect()
}

/// The line is told and nothing of the parser's words behind it: they could quote a value.
fn no_yaml(source: &Arc<Source>, error: &serde_yaml::Error) -> Problem {
    let line = error.location().map_or(1, |location| location.line());
    let skipped = source.text.split_inclusive('\n').take(line.saturating_sub(1));
    let at = skipped.map(str::len).sum::<usize>().min(source.text.len());
    Problem::new("HW0505", "the rendered YAML cannot be read").at(&Span::new(Arc::clone(source), at..at))
}

/// As [`empty_cluster`], for an entry of YAML.
fn empty_cluster_of_yaml(source: &Arc<Source>, name: &str, cluster: &Value) -> Option<Problem> {
    let elsewhere = ["@remove", "@incl", "@from_zk", "@from_env", "node", "discovery"];
    if name.starts_with('@') || elsewhere.iter().any(|key| cluster.get(key).is_some()) {
        return None;
    }
    let shards = match cluster.get("shard") {
        Some(Value::Array(shards)) => shards.iter().collect(),
        Some(shard) => vec![shard],
        None => Vec::new(),
    };
    let empty = |shard: &&&Value| shard.get("replica").is_none_or(|replica| replica == &Value::Array(Vec::new()));
    let what = match (shards.is_empty(), shards.iter().find(empty)) {
        (true, _) => "no shard",
        (false, Some(_)) => "a shard without a replica",
        (false, None) => return None,
    };
    let message = format!("cluster `{name}` has {what}: ClickHouse would empty `system.clusters` on reload");
    let at = source.text.find(&format!("{name}:")).map_or(0..0, |at| at..at + name.len());
    Some(Problem::new("HW0506", message).at(&Span::new(Arc::clone(source), at)))
}

fn xml(path: &RemotePath, template: &str, content: &Content) -> Vec<Problem> {
    let source = source(path, template, content);
    let document = match Document::parse(&source.text) {
        Ok(document) => document,
        Err(error) => return vec![not_well_formed(&source, &error)],
    };
    let real = std::str::from_utf8(content.bytes().expose()).unwrap_or_default();
    if content.has_secrets() && Document::parse(real).is_err() {
        return vec![unfit_secret(&source, content)];
    }
    document
        .descendants()
        .filter(|node| node.has_tag_name("remote_servers"))
        .flat_map(|servers| servers.children().filter(Node::is_element))
        .filter_map(|cluster| empty_cluster(&source, cluster))
        .collect()
}

fn not_well_formed(source: &Arc<Source>, error: &roxmltree::Error) -> Problem {
    let at = offset(&source.text, error.pos().row, error.pos().col);
    let width = source.text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    let reason = error.to_string();
    let reason = reason.rsplit_once(" at ").map_or(reason.as_str(), |(reason, _)| reason);
    Problem::new("HW0505", format!("the rendered XML is not well-formed: {reason}"))
        .at(&Span::new(Arc::clone(source), at..at + width))
}

/// The parser's message is not told: it could quote the value.
fn unfit_secret(source: &Arc<Source>, content: &Content) -> Problem {
    let names: BTreeSet<String> = content.values().map(|(secret, _)| format!("`{secret}`")).collect();
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    let message = format!("a secret holds a character that its file cannot: one of {names}");
    Problem::new("HW0505", message).at(&Span::new(Arc::clone(source), 0..0))
}

/// `<shard>` with a `<replica>` in each, or a plain list of `<node>`.
///
/// ClickHouse 25.8 answers an entry without members with `SHARD_HAS_NO_CONNECTIONS` on reload, and from then on
/// `system.clusters` is empty until a good file comes: all Distributed tables of the host are dead.
fn empty_cluster(source: &Arc<Source>, cluster: Node) -> Option<Problem> {
    let mut shards = cluster.children().filter(|node| node.has_tag_name("shard")).peekable();
    let name = cluster.tag_name().name();
    // Hosts can also come from elsewhere, and a removed cluster needs none.
    let elsewhere = ["remove", "incl", "from_zk", "from_env"].iter().any(|name| cluster.has_attribute(*name));
    let plain = cluster.children().any(|node| node.has_tag_name("node") || node.has_tag_name("discovery"));
    let message = if elsewhere || plain {
        return None;
    } else if shards.peek().is_none() {
        format!("cluster `{name}` has no shard: ClickHouse would empty `system.clusters` on reload")
    } else if shards.any(|shard| !shard.children().any(|node| node.has_tag_name("replica"))) {
        format!("cluster `{name}` has a shard without a replica: ClickHouse would empty `system.clusters` on reload")
    } else {
        return None;
    };
    Some(Problem::new("HW0506", message).at(&Span::new(Arc::clone(source), cluster.range())))
}

/// Turns row and column, both from 1 and the column in characters, into a byte offset.
fn offset(text: &str, row: u32, column: u32) -> usize {
    let skip = |count: u32| usize::try_from(count.saturating_sub(1)).unwrap_or_default();
    let start: usize = text.split_inclusive('\n').take(skip(row)).map(str::len).sum();
    let line = text.get(start..).unwrap_or_default();
    start + line.chars().take(skip(column)).map(char::len_utf8).sum::<usize>()
}
