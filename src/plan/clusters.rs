//! Proof that all hosts have the same clusters, and that each finds itself in its own and in no other (pure).
//!
//! `is_local` is the server's own word: an address of the member is one of its interfaces', and the port is its own. A
//! server that does not find itself goes over the network to itself, and `ON CLUSTER` waits for ever.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Inputs, Proof, applied};
use crate::fleet::HostName;
use crate::resource::{Applied, HealthFacts};

/// What is said of more differences is how many there are.
const NAMED: usize = 2;

type Members = Arc<BTreeSet<String>>;

/// The clusters of all hosts that were asked; equal ones are kept once.
#[derive(Debug, Default)]
pub struct SeenClusters {
    hosts: BTreeMap<HostName, Result<Seen, String>>,
    known: BTreeSet<Members>,
}

#[derive(Debug)]
struct Seen {
    members: BTreeMap<String, Members>,
    local: BTreeMap<String, u64>,
}

impl SeenClusters {
    /// Takes a host's answer.
    pub fn add(&mut self, host: HostName, answer: Result<HealthFacts, String>) {
        let seen = answer.map(|health| {
            let members = health.members.into_iter().map(|(cluster, members)| (cluster, self.share(members)));
            Seen { members: members.collect(), local: health.local }
        });
        self.hosts.insert(host, seen);
    }

    fn share(&mut self, members: BTreeSet<String>) -> Members {
        if let Some(known) = self.known.get(&members) {
            return Arc::clone(known);
        }
        let members = Arc::new(members);
        self.known.insert(Arc::clone(&members));
        members
    }

    /// The most frequent form of each cluster, and how many hosts have it; the first of equally many.
    fn usual(&self) -> BTreeMap<&str, (&Members, usize)> {
        let mut counts: BTreeMap<&str, BTreeMap<&Members, usize>> = BTreeMap::new();
        for (cluster, members) in self.hosts.values().flatten().flat_map(|seen| &seen.members) {
            *counts.entry(cluster).or_default().entry(members).or_default() += 1;
        }
        let mut usual = BTreeMap::new();
        for (cluster, forms) in counts {
            // Of equals the last one is the greatest.
            usual.extend(forms.into_iter().rev().max_by_key(|(_, hosts)| *hosts).map(|most| (cluster, most)));
        }
        usual
    }
}

/// One proof for each host that was asked.
#[must_use]
pub fn cluster_proofs(inputs: &Inputs<'_>, seen: &SeenClusters) -> BTreeMap<HostName, Proof> {
    let usual = seen.usual();
    let names: BTreeSet<&str> = inputs.fleet.hosts.values().map(|host| host.fqdn.as_str()).collect();
    let proof = |(name, answer): (&HostName, &Result<Seen, String>)| {
        let host = inputs.fleet.hosts.get(name)?;
        let said = applied::said(host, inputs.desired.get(name)?);
        let verdict = match answer {
            Err(why) => Err(format!("they were not told: {why}")),
            Ok(seen) => of_host(seen, &said, &usual, &names),
        };
        Some((name.clone(), Proof::new("clusters", verdict)))
    };
    seen.hosts.iter().filter_map(proof).collect()
}

fn of_host(
    seen: &Seen,
    said: &Applied,
    usual: &BTreeMap<&str, (&Members, usize)>,
    names: &BTreeSet<&str>,
) -> Result<String, String> {
    let none = Members::default();
    for (cluster, wanted) in &said.members {
        let is = seen.members.get(cluster).unwrap_or(&none);
        differ(cluster, is, wanted, "its files say")?;
    }
    // Whatever its files do not say all of, such as a cluster of somebody else's file.
    for (cluster, is) in seen.members.iter().filter(|(cluster, _)| !said.members.contains_key(*cluster)) {
        if let Some((wanted, hosts)) = usual.get(cluster.as_str()) {
            differ(cluster, is, wanted, &format!("{hosts} other hosts have"))?;
        }
    }
    for (cluster, local) in &seen.local {
        let own = said.own.contains(cluster);
        // A member under a name that is no host's can be this one.
        let aliased =
            || seen.members.get(cluster).is_some_and(|members| members.iter().any(|one| !is_known(one, names)));
        let wanted = u64::from(own);
        if *local != wanted && (own || *local > 1 || !aliased()) {
            return Err(format!("the server takes {local} members of cluster `{cluster}` for itself, not {wanted}"));
        }
    }
    Ok(format!("{}, itself in {}", seen.members.len(), seen.local.values().filter(|local| **local == 1).count()))
}

/// Whether `shard/replica host:port` has the name of a host.
fn is_known(member: &str, names: &BTreeSet<&str>) -> bool {
    let host = member.split_once(' ').and_then(|(_, address)| address.rsplit_once(':'));
    host.is_some_and(|(host, _)| names.contains(host))
}

/// Names what is missing and what is too much.
fn differ(cluster: &str, is: &BTreeSet<String>, wanted: &BTreeSet<String>, who: &str) -> Result<(), String> {
    let few = |all: Vec<&String>| {
        let named = all.iter().take(NAMED).map(|member| member.as_str()).collect::<Vec<_>>().join(", ");
        match all.len().saturating_sub(NAMED) {
            0 => named,
            more => format!("{named} and {more} more"),
        }
    };
    let missing = || few(wanted.difference(is).collect());
    let strange = || few(is.difference(wanted).collect());
    match (is.is_superset(wanted), wanted.is_superset(is)) {
        (true, true) => Ok(()),
        (false, true) => Err(format!("cluster `{cluster}` lacks {}, which {who}", missing())),
        (true, false) => Err(format!("cluster `{cluster}` has {} beside what {who}", strange())),
        (false, false) => Err(format!("cluster `{cluster}` has {} and not {}, which {who}", strange(), missing())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(clusters: &[(&str, &[&str], u64)]) -> HealthFacts {
        let mut health = HealthFacts::default();
        for (cluster, members, local) in clusters {
            let members = members.iter().map(|member| (*member).to_owned()).collect();
            health.members.insert((*cluster).to_owned(), members);
            health.local.insert((*cluster).to_owned(), *local);
        }
        health
    }

    fn told(host: &[(&str, &[&str], u64)], said: &Applied) -> Result<String, String> {
        let mut seen = SeenClusters::default();
        let name = |name: &str| HostName::new(name).unwrap();
        seen.add(name("a"), Ok(health(host)));
        let others: [(&str, &[&str], u64); 2] =
            [("posthog", &["1/1 a:9000", "1/2 b:9000"], 1), ("theirs", &["1/1 x:1"], 0)];
        for other in ["b", "c"] {
            seen.add(name(other), Ok(health(&others)));
        }
        let Some(Ok(host)) = seen.hosts.get(&name("a")) else { panic!("no answer") };
        of_host(host, said, &seen.usual(), &BTreeSet::from(["a", "b"]))
    }

    fn said(own: &[&str]) -> Applied {
        let members = ["1/1 a:9000", "1/2 b:9000"].map(str::to_owned);
        Applied {
            members: BTreeMap::from([("posthog".to_owned(), BTreeSet::from(members))]),
            own: own.iter().map(|own| (*own).to_owned()).collect(),
            ..Applied::default()
        }
    }

    #[test]
    fn what_is_missing_and_what_is_too_much_is_named() {
        let both: &[&str] = &["1/1 a:9000", "1/2 b:9000"];
        let own = said(&["posthog"]);
        assert_eq!(told(&[("posthog", both, 1), ("theirs", &["1/1 x:1"], 0)], &own), Ok("2, itself in 1".to_owned()));
        let wrong = |host: &[(&str, &[&str], u64)]| told(host, &own).unwrap_err();
        assert_eq!(
            wrong(&[("posthog", &["1/1 a:9000"], 1)]),
            "cluster `posthog` lacks 1/2 b:9000, which its files say"
        );
        assert_eq!(wrong(&[]), "cluster `posthog` lacks 1/1 a:9000, 1/2 b:9000, which its files say");
        assert_eq!(
            wrong(&[("posthog", &["1/1 a:9000", "1/2 b:9001"], 1)]),
            "cluster `posthog` has 1/2 b:9001 and not 1/2 b:9000, which its files say"
        );
        assert_eq!(
            wrong(&[("posthog", both, 1), ("theirs", &["1/1 x:1", "2/1 y:1"], 0)]),
            "cluster `theirs` has 2/1 y:1 beside what 2 other hosts have"
        );
    }

    #[test]
    fn a_host_finds_itself_once_in_its_own_clusters_and_in_no_other() {
        let both: &[&str] = &["1/1 a:9000", "1/2 b:9000"];
        let wrong = |local: u64, own: &[&str]| told(&[("posthog", both, local)], &said(own)).unwrap_err();
        let words = |local: u64, wanted: u64| {
            format!("the server takes {local} members of cluster `posthog` for itself, not {wanted}")
        };
        assert_eq!(wrong(0, &["posthog"]), words(0, 1));
        assert_eq!(wrong(2, &["posthog"]), words(2, 1));
        assert_eq!(wrong(1, &[]), words(1, 0));
        // `x` is no host's name: it may be this one.
        assert!(told(&[("posthog", both, 1), ("theirs", &["1/1 x:1"], 1)], &said(&["posthog"])).is_ok());
        assert!(told(&[("posthog", both, 1), ("theirs", &["1/1 x:1"], 2)], &said(&["posthog"])).is_err());
    }
}
