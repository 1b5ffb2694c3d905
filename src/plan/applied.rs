//! What a server must tell once it has taken the rendered files: their macros and clusters (pure).

use std::collections::{BTreeMap, BTreeSet};

use crate::clickhouse::config::{ConfigDirectory, ConfigKeys};
use crate::fleet::Host;
use crate::render::Desired;
use crate::resource::{Applied, ClickHouseFacts, HostFacts};

/// One member of a cluster, as far as it was read.
#[derive(Default)]
struct Member {
    host: Option<String>,
    port: Option<String>,
}

/// What can be asked of a server: a cluster in which it did not find itself before is none of its own.
pub(super) fn expected(host: &Host, desired: &Desired, facts: &HostFacts) -> Applied {
    let mut applied = said(host, desired);
    applied.own.retain(|cluster| found(facts, cluster));
    applied
}

/// Reads the macros and the clusters' members out of the files that ClickHouse merges.
pub(super) fn said(host: &Host, desired: &Desired) -> Applied {
    let mut applied = Applied::default();
    let mut clusters: BTreeMap<String, BTreeMap<(u64, u64), Member>> = BTreeMap::new();
    for (path, file) in &desired.files {
        if ConfigDirectory::of(path.as_str()) != Some(ConfigDirectory::Config) {
            continue;
        }
        // Never the real text: what is expected stands in the plan, in events and in logs.
        for entry in ConfigKeys::from_file(path.as_str(), file.content.shown()).unwrap_or_default().entries {
            // `replica` is a macro here, and elsewhere an element of a list: `replica[1]`.
            let parts: Vec<_> = entry.path.split('/').map(numbered).collect();
            let value = || entry.shown().to_owned();
            match parts.as_slice() {
                // A macro with a secret is not compared: the server tells its value, the plan must not.
                [("macros", _), (name, _)] if !name.starts_with('@') && !entry.shown().contains('‹') => {
                    applied.macros.insert((*name).to_owned(), value());
                }
                [("remote_servers", _), (cluster, _), ("shard", shard), ("replica", replica), (key, _)] => {
                    let members = clusters.entry((*cluster).to_owned()).or_default();
                    let member = members.entry((*shard, *replica)).or_default();
                    match *key {
                        "host" => member.host = Some(value()),
                        "port" => member.port = Some(value()),
                        _ => continue,
                    }
                }
                _ => {}
            }
            if let [("remote_servers", _), (cluster, _), .., ("host", _)] = parts.as_slice() {
                *applied.clusters.entry((*cluster).to_owned()).or_default() += 1;
            }
        }
    }
    for (cluster, members) in clusters {
        if members.values().any(|member| member.host.as_deref() == Some(host.fqdn.as_str())) {
            applied.own.insert(cluster.clone());
        }
        let known = |((shard, replica), member): (&(u64, u64), &Member)| {
            let (host, port) = (member.host.as_ref()?, member.port.as_ref()?);
            let is_plain = !host.contains('‹') && port.bytes().all(|byte| byte.is_ascii_digit());
            is_plain.then(|| format!("{shard}/{replica} {host}:{port}"))
        };
        let all: Option<BTreeSet<_>> = members.iter().map(known).collect();
        let all = all.filter(|all| Some(&(all.len() as u64)) == applied.clusters.get(&cluster));
        applied.members.extend(all.map(|all| (cluster, all)));
    }
    applied
}

/// Whether a server may be expected to find itself in a cluster: not one that did not before, behind an address that is
/// none of its own.
fn found(facts: &HostFacts, cluster: &str) -> bool {
    match &facts.clickhouse {
        ClickHouseFacts::Up { server, .. } => server.local.get(cluster).is_none_or(|local| *local == 1),
        ClickHouseFacts::Down { .. } | ClickHouseFacts::NotAsked => true,
    }
}

/// `replica[2]` as its name and its number; one without a number is the first.
fn numbered(part: &str) -> (&str, u64) {
    let (name, number) = part.split_once('[').unwrap_or((part, "1]"));
    (name, number.trim_end_matches(']').parse().unwrap_or(1))
}
