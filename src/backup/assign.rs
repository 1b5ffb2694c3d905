//! Which host backs up which table (pure).
//!
//! A replicated table of a shard is backed up by exactly one of the shard's hosts, a table without replicas by each of them. Equal
//! input gives an equal answer, and hosts of one shard differ by one table at most.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::spec::{Backup, declared};
use crate::fleet::{Fleet, Host, HostName, Placement, Reach, RoleName};
use crate::schema::{Object, ObjectName};

/// The tables of each host that has some to back up.
pub type Assignment = BTreeMap<HostName, BTreeSet<ObjectName>>;

/// Says who takes which.
#[must_use]
pub fn assign(fleet: &Fleet, objects: &BTreeMap<RoleName, Vec<Object>>) -> Assignment {
    let mut shards: BTreeMap<(&RoleName, u32), Vec<&Host>> = BTreeMap::new();
    for host in fleet.hosts.values().filter(|host| host.reach != Reach::Member) {
        if let (Placement::Storage { shard, .. }, Some(_)) = (&host.placement, Backup::of(host)) {
            shards.entry((&host.role, *shard)).or_default().push(host);
        }
    }
    let mut assignment = Assignment::new();
    for ((role, _), hosts) in shards {
        let objects = objects.get(role).map(Vec::as_slice).unwrap_or_default();
        shard(&hosts, objects, &mut assignment);
    }
    assignment
}

fn shard(hosts: &[&Host], objects: &[Object], assignment: &mut Assignment) {
    let mut wanted: BTreeMap<ObjectName, Vec<&Host>> = BTreeMap::new();
    for host in hosts {
        for name in declared(host).into_iter().filter_map(|(_, name)| name).collect::<BTreeSet<_>>() {
            wanted.entry(name).or_default().push(host);
        }
    }
    let engine = |name: &ObjectName| objects.iter().find(|object| object.name == *name).map(Object::engine_name);
    let mut taken: BTreeMap<&HostName, usize> = BTreeMap::new();
    for (name, hosts) in wanted {
        let takers = match engine(&name) {
            Some(engine) if is_replicated(engine) => one_of(&name, &hosts, &taken).into_iter().collect(),
            Some(engine) if engine.ends_with("MergeTree") => hosts,
            // The checks tell of it.
            _ => Vec::new(),
        };
        for host in takers {
            *taken.entry(&host.name).or_default() += 1;
            assignment.entry(host.name.clone()).or_default().insert(name.clone());
        }
    }
}

/// Whether an engine keeps the same rows on the other replicas of its shard.
pub(super) fn is_replicated(engine: &str) -> bool {
    engine.starts_with("Replicated") && engine.ends_with("MergeTree")
}

/// One that serves no queries before one that does, then the one with fewest tables, then by a digest of both: so the first host
/// of every shard is not always the one with more.
fn one_of<'a>(table: &ObjectName, hosts: &[&'a Host], taken: &BTreeMap<&HostName, usize>) -> Option<&'a Host> {
    let lot = |host: &Host| Sha256::digest(format!("{table}\n{}", host.name));
    let rank = |host: &&&Host| (!is_offline(host), taken.get(&host.name).copied().unwrap_or_default(), lot(host));
    hosts.iter().min_by_key(rank).copied()
}

/// The macro `hostClusterType` of replicas beside the queries of people.
fn is_offline(host: &Host) -> bool {
    host.vars.get("hostClusterType").and_then(Value::as_str) == Some("offline")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::fleet::Vars;
    use crate::problem::Source;
    use crate::role::{PlacementKind, Role, SchemaFile};
    use crate::schema::read;

    const REPLICATED: usize = 9;

    fn role() -> RoleName {
        RoleName::new("data").unwrap()
    }

    /// Tables `r0`... with replicas, and `own` without.
    fn objects() -> BTreeMap<RoleName, Vec<Object>> {
        let replicated = |n: usize| {
            format!(
                "CREATE TABLE r{n} (a Int8) ENGINE = ReplicatedMergeTree('/r{n}/{{shard}}', '{{replica}}') ORDER BY a;\n"
            )
        };
        let mut text = (0..REPLICATED).map(replicated).collect::<Vec<_>>().concat();
        text += "CREATE TABLE own (a Int8) ENGINE = MergeTree ORDER BY a; CREATE VIEW seen AS SELECT 1 AS a;";
        let schema = vec![SchemaFile { role: role(), source: Source { name: "a.sql".to_owned(), text }.into() }];
        let (objects, problems) = read(&Role { schema, ..Role::empty(role(), PlacementKind::Storage) });
        assert_eq!(problems, []);
        [(role(), objects)].into()
    }

    fn fleet(shards: &[usize], tables: &[String], offline: &[bool]) -> Fleet {
        let mut fleet = Fleet::default();
        for (shard, replicas) in shards.iter().enumerate() {
            for replica in 0..*replicas {
                let name = HostName::new(format!("data-{shard}-{replica}")).unwrap();
                let kind = if offline.get(replica).copied().unwrap_or_default() { "offline" } else { "online" };
                let vars = json!({ "backup_tables": tables, "backup": { "disk": "b" }, "hostClusterType": kind });
                let reach = Reach::Ssh(connection());
                let placement =
                    Placement::Storage { shard: u32::try_from(shard).unwrap() + 1, replica: replica.to_string() };
                let vars = Vars::from(vars.as_object().unwrap().clone());
                let fqdn = name.to_string();
                fleet.hosts.insert(name.clone(), Host { name, role: role(), placement, fqdn, zone: None, reach, vars });
            }
        }
        fleet
    }

    fn connection() -> crate::fleet::Connection {
        crate::fleet::Connection {
            address: "a".to_owned(),
            port: 22,
            user: "u".to_owned(),
            identity_files: Vec::new(),
            known_hosts: Vec::new(),
            host_key_policy: crate::fleet::HostKeyPolicy::Strict,
            proxy: None,
            privilege: crate::fleet::Privilege::Login,
            connect_timeout: std::time::Duration::from_secs(1),
        }
    }

    proptest! {
        #[test]
        fn every_table_of_every_shard_has_one_taker_and_they_differ_by_one_table_at_most(
            shards in prop::collection::vec(1_usize..5, 1..6),
            tables in prop::collection::btree_set(0..REPLICATED, 1..=REPLICATED),
            offline in prop::collection::vec(any::<bool>(), 5),
        ) {
            let names: Vec<String> = tables.iter().map(|n| format!("default.r{n}")).chain(["own".to_owned(), "seen".to_owned()]).collect();
            let (fleet, objects) = (fleet(&shards, &names, &offline), objects());
            let assignment = assign(&fleet, &objects);
            prop_assert_eq!(&assignment, &assign(&fleet, &objects), "equal input, equal output");
            for (shard, replicas) in shards.iter().enumerate() {
                let of = |replica: usize| assignment.get(&HostName::new(format!("data-{shard}-{replica}")).unwrap());
                let mine: Vec<_> = (0..*replicas).map(|replica| of(replica).cloned().unwrap_or_default()).collect();
                for n in &tables {
                    let name = ObjectName::relation(None, &format!("r{n}"));
                    prop_assert_eq!(mine.iter().filter(|own| own.contains(&name)).count(), 1, "{} of shard {}", name, shard);
                }
                let own = ObjectName::relation(None, "own");
                prop_assert!(mine.iter().all(|tables| tables.contains(&own)), "without replicas, each its own");
                prop_assert!(!mine.iter().flatten().any(|name| *name == ObjectName::relation(None, "seen")));
                let is_offline = |replica: &usize| offline.get(*replica).copied().unwrap_or_default();
                let any_offline = (0..*replicas).any(|replica| is_offline(&replica));
                let takers = (0..*replicas).filter(|replica| is_offline(replica) || !any_offline);
                let counts: Vec<usize> = takers.map(|replica| mine[replica].len()).collect();
                prop_assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{:?}", counts);
                let busy = (0..*replicas).filter(|replica| any_offline && !is_offline(replica));
                prop_assert!(busy.map(|replica| mine[replica].len()).all(|count| count <= 1), "only its own without replicas");
            }
        }
    }

    #[test]
    fn a_shard_that_comes_or_goes_moves_nothing_of_the_others() {
        let names: Vec<String> = (0..REPLICATED).map(|n| format!("r{n}")).collect();
        let (two, three) = (fleet(&[2, 3], &names, &[]), fleet(&[2, 3, 4], &names, &[]));
        let (two, three) = (assign(&two, &objects()), assign(&three, &objects()));
        assert!(two.iter().all(|(host, tables)| three.get(host) == Some(tables)));
        // The first replica is not the one with more in every shard.
        let many = assign(&fleet(&[2; 12], &names, &[]), &objects());
        let first = (0..12).filter(|n| many[&HostName::new(format!("data-{n}-0")).unwrap()].len() == 5).count();
        assert!((1..12).contains(&first), "{first}");
    }
}
