//! Which pods make which installation: by their variable, and by the names that the operator gives them (pure).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{VARIABLE, rules};
use crate::fleet::{Fleet, Host, HostName, Placement};
use crate::inventory::Inventory;
use crate::problem::{Problem, Span};

/// One `ClickHouseInstallation`.
#[derive(Debug, Clone)]
pub struct Installation<'a> {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The operator's own clusters, by name.
    pub clusters: BTreeMap<String, Cluster<'a>>,
}

/// The pods of one of the operator's clusters; all are alike.
#[derive(Debug, Clone)]
pub struct Cluster<'a> {
    /// Its pods, by shard and replica, both from 0: all of a rectangle.
    pub hosts: BTreeMap<(u32, u32), &'a Host>,
    /// How many shards.
    pub shards: u32,
    /// How many replicas each has.
    pub replicas: u32,
    /// The server's image.
    pub image: String,
    /// `requests` and `limits`.
    pub resources: Option<Value>,
    /// The size of the local disk.
    pub cache_size: String,
    /// Its class.
    pub storage_class: Option<String>,
    /// The Kubernetes Secret with the values that the pods need.
    pub secret: String,
}

/// How much a pod keeps for itself where the inventory does not say.
const CACHE: &str = "10Gi";

/// Reads what the pods' variables and names say; a host with a problem is in none.
#[must_use]
pub fn installations<'a>(inventory: &Inventory, fleet: &'a Fleet) -> (Vec<Installation<'a>>, Vec<Problem>) {
    let mut found: BTreeMap<(String, String), BTreeMap<String, Vec<Pod<'a>>>> = BTreeMap::new();
    let mut problems = Vec::new();
    for host in fleet.hosts.values() {
        let Some(Value::Object(record)) = host.vars.get(VARIABLE) else { continue };
        match pod(host, record) {
            Ok(pod) => {
                let key = (pod.text("namespace"), pod.text("installation"));
                found.entry(key).or_default().entry(pod.text("cluster")).or_default().push(pod);
            }
            Err(problem) => problems.push(placed(problem, inventory, &host.name)),
        }
    }
    let mut installations = Vec::new();
    for ((namespace, name), pods) in found {
        let mut clusters = BTreeMap::new();
        for (cluster, pods) in pods {
            match of_cluster(fleet, (&name, &cluster), &pods) {
                Ok(whole) => clusters.extend(whole.map(|whole| (cluster, whole))),
                Err((host, problem)) => problems.push(placed(problem, inventory, &host)),
            }
        }
        installations.push(Installation { namespace, name, clusters });
    }
    problems.dedup_by(|one, other| one.message == other.message);
    (installations, problems)
}

/// One pod as it is written.
struct Pod<'a> {
    host: &'a Host,
    place: (u32, u32),
    record: &'a Map<String, Value>,
}

impl Pod<'_> {
    fn text(&self, key: &str) -> String {
        text(self.record, key).unwrap_or_default()
    }
}

fn text(record: &Map<String, Value>, key: &str) -> Option<String> {
    match record.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn pod<'a>(host: &'a Host, record: &'a Map<String, Value>) -> Result<Pod<'a>, Problem> {
    let get = |key: &str| text(record, key).filter(|text| !text.is_empty());
    let (Some(installation), Some(cluster)) = (get("installation"), get("cluster")) else {
        // The vocabulary has told that they are missing.
        return Err(Problem::new("HW0601", format!("`{VARIABLE}` of host `{}` is not whole", host.name)));
    };
    rules::cluster_name(&cluster).map_err(|why| {
        let message = format!("`{cluster}` cannot be a cluster of the operator: {why}");
        let hint = "it is the operator's own, beside `clickhouse_clusters`: any short name will do";
        Problem::new("HW0602", message).hint(hint)
    })?;
    if host.placement != Placement::Stateless {
        let message =
            format!("host `{}` is a pod, and its role `{}` keeps what must not be lost", host.name, host.role);
        let hint = "the disk of a pod goes with it: give it a role with `placement: stateless`";
        return Err(Problem::new("HW0603", message).hint(hint));
    }
    let prefix = format!("chi-{installation}-{cluster}-");
    let place = host.name.as_str().strip_prefix(&prefix).and_then(|rest| rest.split_once('-'));
    let place = place.and_then(|(shard, replica)| Some((number(shard)?, number(replica)?)));
    let place = place.ok_or_else(|| {
        let message =
            format!("the operator calls no pod of `{installation}` and its cluster `{cluster}` `{}`", host.name);
        Problem::new("HW0604", message)
            .hint(format!("it calls them `{prefix}[0:2]-0`: shard, then replica, both from 0"))
    })?;
    rules::host_name(host.name.as_str()).map_err(|why| {
        let message = format!("`{}` is too long for a pod: {why}", host.name);
        Problem::new("HW0604", message).hint("shorten `installation` or `cluster`")
    })?;
    if let Some(why) = get("image").and_then(|image| rules::image(&image).err()) {
        let message = format!("the image of host `{}` is not pinned: {why}", host.name);
        return Err(Problem::new("HW0605", message).hint("name a version: `clickhouse/clickhouse-server:25.8.2`"));
    }
    Ok(Pod { host, place, record })
}

/// A number as the operator writes it: no zero before it.
fn number(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn of_cluster<'a>(
    fleet: &Fleet,
    (installation, name): (&str, &str),
    pods: &[Pod<'a>],
) -> Result<Option<Cluster<'a>>, (HostName, Problem)> {
    let Some(first) = pods.first() else { return Ok(None) };
    let fail = |host: &Host, problem| Err((host.name.clone(), problem));
    if fleet.clusters.keys().any(|cluster| cluster.as_str() == name) {
        let message = format!("`{name}` is a cluster of `clickhouse_clusters` and one of the operator's");
        let hint = "the server would merge the two: call the operator's otherwise";
        return fail(first.host, Problem::new("HW0602", message).hint(hint));
    }
    if let Some(other) = pods.iter().find(|pod| pod.record != first.record) {
        let message = format!(
            "`{}` and `{}` are in one cluster, and their `{VARIABLE}` differ",
            first.host.name, other.host.name
        );
        let hint = "the operator has one template for all pods of a cluster: say it once, for their group";
        return fail(other.host, Problem::new("HW0606", message).hint(hint));
    }
    let hosts: BTreeMap<(u32, u32), &Host> = pods.iter().map(|pod| (pod.place, pod.host)).collect();
    let count = |numbers: BTreeSet<u32>| numbers.last().map_or(0, |last| last.saturating_add(1));
    let shards = count(hosts.keys().map(|(shard, _)| *shard).collect());
    let replicas = count(hosts.keys().map(|(_, replica)| *replica).collect());
    if u64::from(shards) * u64::from(replicas) != hosts.len() as u64 {
        let all = (0..shards).flat_map(|shard| (0..replicas).map(move |replica| (shard, replica)));
        let missing = all.take(hosts.len() + 1).find(|place| !hosts.contains_key(place)).unwrap_or_default();
        let message = format!(
            "the operator makes {shards} shards of {replicas}, and `chi-{installation}-{name}-{}-{}` is not in the inventory",
            missing.0, missing.1
        );
        let hint = "a pod that nobody knows would get no schema: write all of them, with ranges";
        return fail(first.host, Problem::new("HW0606", message).hint(hint));
    }
    Ok(Some(Cluster {
        shards,
        replicas,
        image: first.text("image"),
        resources: first.record.get("resources").filter(|resources| !resources.is_null()).cloned(),
        cache_size: text(first.record, "cache_size").unwrap_or_else(|| CACHE.to_owned()),
        storage_class: text(first.record, "storage_class"),
        secret: text(first.record, "secret").unwrap_or_else(|| format!("{installation}-secrets")),
        hosts,
    }))
}

fn placed(problem: Problem, inventory: &Inventory, host: &HostName) -> Problem {
    let span: Option<&Span> = inventory.hosts.get(host).map(|host| match host.var(VARIABLE) {
        Some(entry) => &entry.value.span,
        None => &host.span,
    });
    match span {
        Some(span) => problem.at(span),
        None => problem,
    }
}
