//! Fleets in code, over the roles and variables as they lie on the disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use housewright::fleet::{
    Cluster, ClusterName, ClusterShard, Connection, Fleet, Host, HostKeyPolicy, HostName, Layout, Member, Placement,
    Privilege, Reach, RoleName,
};
use housewright::problem::{Problem, Source};
use housewright::remote::{RemotePath, UnitName};
use housewright::render::{Templates, load, render, secrets_of};
use housewright::role::{DirectorySpec, FileSpec, PlacementKind, Role, SchemaFile, UnitSpec};
use housewright::secret::{Secret, SecretRef, SecretStore};
use serde_json::{Map, Value, json};

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn yaml(path: &str) -> Map<String, Value> {
    let text = fs::read_to_string(root().join(path)).unwrap();
    let vars: Value = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
    with_markers(&vars).as_object().unwrap().clone()
}

/// The value with each `{from_secret: ...}` as the readers give it: as the secret's marker.
fn with_markers(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(with_markers).collect(),
        Value::Object(map) => match map.get("from_secret").and_then(Value::as_str) {
            Some(written) => SecretRef::parse(written).unwrap().marker().into(),
            None => Value::Object(map.iter().map(|(key, item)| (key.clone(), with_markers(item))).collect()),
        },
        other => other.clone(),
    }
}

fn mode(spec: &Value) -> u32 {
    u32::from_str_radix(spec["mode"].as_str().unwrap(), 8).unwrap()
}

fn text(spec: &Value, key: &str) -> String {
    spec[key].as_str().unwrap().to_owned()
}

fn only_with(spec: &Value) -> Vec<String> {
    match &spec["only_with"] {
        Value::String(name) => vec![name.clone()],
        Value::Array(names) => names.iter().map(|name| name.as_str().unwrap().to_owned()).collect(),
        _ => Vec::new(),
    }
}

/// Reads a role and merges what it includes.
pub fn role(name: &str) -> Role {
    let mut own = yaml(&Path::new("roles").join(name).join("role.yml").to_string_lossy());
    let mut role = Role {
        host_cluster_role: own.get("hostClusterRole").map(|value| value.as_str().unwrap().to_owned()),
        ..Role::empty(RoleName::new(name).unwrap(), PlacementKind::Stateless)
    };
    let mut take = |key: &str| own.remove(key).unwrap_or(json!([])).as_array().cloned().unwrap();
    for included in take("include") {
        let included = self::role(included.as_str().unwrap());
        role.vars.extend(included.vars);
        role.directories.extend(included.directories);
        role.files.extend(included.files);
        role.units.extend(included.units);
    }
    for spec in take("directories") {
        let directory = DirectorySpec {
            owner: text(&spec, "owner"),
            group: text(&spec, "group"),
            mode: mode(&spec),
            only_with: only_with(&spec),
        };
        role.directories.insert(RemotePath::new(text(&spec, "path")).unwrap(), directory);
    }
    for spec in take("files") {
        let file = FileSpec {
            template: text(&spec, "template"),
            owner: text(&spec, "owner"),
            group: text(&spec, "group"),
            mode: mode(&spec),
            unit: spec["unit"].as_str().map(|unit| UnitName::new(unit).unwrap()),
            early: false,
            over_package: false,
            only_with: only_with(&spec),
        };
        role.files.insert(RemotePath::new(text(&spec, "path")).unwrap(), file);
    }
    for spec in take("units") {
        let only_with = only_with(&spec);
        role.units
            .insert(UnitName::new(text(&spec, "name")).unwrap(), UnitSpec { enabled: true, running: true, only_with });
    }
    if let Some(Value::Object(vars)) = own.remove("vars") {
        role.vars.extend(vars);
    }
    role.schema.extend(schema(&role.name));
    role
}

fn schema(role: &RoleName) -> Vec<SchemaFile> {
    let directory = root().join("roles").join(role.as_str()).join("schema");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(directory).map(|entries| entries.map(|entry| entry.unwrap().path()).collect()).unwrap_or_default();
    paths.sort();
    let file = |path: &PathBuf| SchemaFile {
        role: role.clone(),
        source: Arc::new(Source { name: path.display().to_string(), text: fs::read_to_string(path).unwrap() }),
    };
    paths.iter().map(file).collect()
}

fn connection() -> Connection {
    Connection {
        address: String::new(),
        port: 22,
        user: "deploy".to_owned(),
        identity_files: Vec::new(),
        known_hosts: Vec::new(),
        host_key_policy: HostKeyPolicy::Strict,
        proxy: None,
        privilege: Privilege::Sudo,
        connect_timeout: Duration::from_secs(5),
    }
}

/// Hosts take the variables that were given before them.
#[derive(Default)]
pub struct FleetBuilder {
    fleet: Fleet,
    vars: Map<String, Value>,
    roles: BTreeMap<String, Role>,
}

impl FleetBuilder {
    pub fn vars(mut self, vars: Map<String, Value>) -> Self {
        self.vars.extend(vars);
        self
    }

    pub fn host(mut self, name: &str, role_name: &str, fqdn: &str, placement: Placement) -> Self {
        let role = self.roles.entry(role_name.to_owned()).or_insert_with(|| role(role_name)).clone();
        let mut vars = role.vars.clone();
        vars.extend(self.vars.clone());
        let host = Host {
            name: HostName::new(name).unwrap(),
            role: role.name.clone(),
            placement,
            fqdn: fqdn.to_owned(),
            zone: None,
            reach: Reach::Ssh(connection()),
            vars: vars.into(),
        };
        self.fleet.roles.insert(role.name.clone(), role);
        self.fleet.hosts.insert(host.name.clone(), host);
        self
    }

    pub fn cluster(mut self, name: &str, layout: Layout, shards: &[&[&str]], secret: &str) -> Self {
        let member =
            |host: &&str| Member { host: (*host).to_owned(), port: 9000, secure: false, user: None, priority: None };
        let cluster = Cluster {
            name: ClusterName::new(name).unwrap(),
            layout,
            shards: shards
                .iter()
                .map(|hosts| ClusterShard { members: hosts.iter().map(member).collect(), weight: None })
                .collect(),
            secret: SecretRef::parse(secret),
            internal_replication: true,
        };
        self.fleet.clusters.insert(cluster.name.clone(), cluster);
        self
    }

    pub fn build(self) -> Fleet {
        self.fleet
    }
}

pub fn storage(shard: u32, replica: &str) -> Placement {
    Placement::Storage { shard, replica: replica.to_owned() }
}

/// The lab: its group_vars as they lie on the disk, its hosts below a network's first two numbers.
pub fn lab(network: &str, more: Map<String, Value>) -> Fleet {
    let at = |rest: &str| format!("{network}.{rest}");
    let secret = "file:/var/lib/housewright-lab/secrets/cluster_secret";
    let data = ["1.11", "1.12", "1.21", "1.22"].map(at);
    let [d11, d12, d21, d22] = data.each_ref().map(String::as_str);
    let ingestion = ["2.11", "2.21", "2.31", "2.41"].map(at);
    let [small, medium, events, shufflehog] = ingestion.each_ref().map(String::as_str);
    FleetBuilder::default()
        .vars(yaml("inventories/lab/group_vars/all.yml"))
        .vars(yaml("inventories/lab/group_vars/coordination.yml"))
        .vars(more)
        .host("keeper-1", "zookeeper", &at("0.10"), Placement::Keeper { id: 1 })
        .host("data-1-1", "data", d11, storage(1, "1"))
        .host("data-1-2", "data", d12, storage(1, "2"))
        .host("data-2-1", "data", d21, storage(2, "1"))
        .host("data-2-2", "data", d22, storage(2, "2"))
        .host("ingestion-small-1", "ingestion-small", small, Placement::Stateless)
        .host("ingestion-medium-1", "ingestion-medium", medium, Placement::Stateless)
        .host("ingestion-events-1", "ingestion-events", events, Placement::Stateless)
        .host("shufflehog-1", "shufflehog", shufflehog, Placement::Stateless)
        .cluster("posthog", Layout::Sharded, &[&[d11, d12], &[d21, d22]], secret)
        .cluster("posthog_single_shard", Layout::SingleShard, &[&[d11, d12, d21, d22]], secret)
        .cluster("ingestion-small", Layout::OneShardPerHost, &[&[small]], secret)
        .cluster("ingestion-medium", Layout::OneShardPerHost, &[&[medium]], secret)
        .cluster("ingestion-events", Layout::OneShardPerHost, &[&[events]], secret)
        .cluster("shufflehog", Layout::OneShardPerHost, &[&[shufflehog]], secret)
        .build()
}

/// Three keepers, brokers with passwords, users, a cluster over TLS: what the lab does not have.
pub fn production() -> Fleet {
    let mut fleet = FleetBuilder::default()
        .vars(yaml("inventories/us-east-1/group_vars/all.yml"))
        .vars(yaml("inventories/us-east-1/group_vars/data.yml"))
        .host("keeper-1", "keeper", "keeper-1", Placement::Keeper { id: 1 })
        .host("keeper-2", "keeper", "keeper-2", Placement::Keeper { id: 2 })
        .host("keeper-3", "keeper", "keeper-3", Placement::Keeper { id: 3 })
        .host("data-01-a", "data", "data-01-a", storage(1, "a"))
        .cluster("posthog", Layout::Sharded, &[&["data-01-a"]], "env:CLICKHOUSE_CLUSTER_SECRET")
        .cluster("tls_without_secret", Layout::OneShardPerHost, &[&["logs-1"]], "")
        .build();
    let cluster = fleet.clusters.get_mut(&ClusterName::new("tls_without_secret").unwrap()).unwrap();
    cluster.internal_replication = false;
    for member in cluster.shards.iter_mut().flat_map(|shard| &mut shard.members) {
        *member = Member { port: 9440, secure: true, user: Some("reader".to_owned()), ..member.clone() };
    }
    fleet
}

/// A host that stores nothing: brokers, small pools, a quota.
pub fn production_ingestion() -> Fleet {
    FleetBuilder::default()
        .vars(yaml("inventories/us-east-1/group_vars/all.yml"))
        .vars(yaml("inventories/us-east-1/group_vars/ingestion.yml"))
        .vars(yaml("inventories/us-east-1/group_vars/ingestion_events.yml"))
        .host("ingestion-events-01", "ingestion-events", "ingestion-events-01", Placement::Stateless)
        .cluster(
            "ingestion-events",
            Layout::OneShardPerHost,
            &[&["ingestion-events-01"]],
            "env:CLICKHOUSE_CLUSTER_SECRET",
        )
        .build()
}

pub fn templates() -> Templates {
    load::templates(&root().join("templates")).unwrap_or_else(|problems| panic!("{}", shown(&problems)))
}

/// A store in which every secret has the same value.
pub fn all_secrets(fleet: &Fleet, value: &str) -> SecretStore {
    let mut store = SecretStore::default();
    for reference in secrets_of(fleet) {
        store.insert(reference, Secret::new(value.to_owned()));
    }
    store
}

/// A fleet with one host and one file, `a.xml`, from this template.
pub fn one_file(template: &str, vars: &Value) -> (Fleet, Result<Templates, Vec<Problem>>) {
    one_file_of("a.xml", template, vars)
}

/// What comes out of a template of this name, as the host gets it, with every secret's value this one.
pub fn text_of(name: &str, template: &str, vars: &Value, secret: &str) -> Result<(String, String), String> {
    let (fleet, templates) = one_file_of(name, template, vars);
    let desired = templates.and_then(|templates| render(&fleet, &templates, &all_secrets(&fleet, secret)));
    let desired = desired.map_err(|problems| shown(&problems))?;
    let content = &desired.values().next().unwrap().files.values().next().unwrap().content;
    Ok((String::from_utf8(content.bytes().expose().to_vec()).unwrap(), content.shown().to_owned()))
}

/// The same with a file that is no XML.
pub fn one_plain_file(template: &str, vars: &Value) -> (Fleet, Result<Templates, Vec<Problem>>) {
    one_file_of("a.env", template, vars)
}

fn one_file_of(name: &str, template: &str, vars: &Value) -> (Fleet, Result<Templates, Vec<Problem>>) {
    let mut fleet = FleetBuilder::default()
        .vars(with_markers(vars).as_object().unwrap().clone())
        .host("small-1", "ingestion-small", "small-1", Placement::Stateless)
        .build();
    let file = FileSpec {
        template: format!("{name}.tera"),
        owner: "root".to_owned(),
        group: "root".to_owned(),
        mode: 0o644,
        unit: None,
        early: false,
        over_package: false,
        only_with: Vec::new(),
    };
    for role in fleet.roles.values_mut() {
        role.files = BTreeMap::from([(RemotePath::new(format!("/etc/{name}")).unwrap(), file.clone())]);
    }
    let source = Source { name: format!("templates/{name}.tera"), text: template.to_owned() };
    (fleet, Templates::new(BTreeMap::from([(format!("{name}.tera"), Arc::new(source))])))
}

pub fn shown(problems: &[Problem]) -> String {
    let one = |problem: &Problem| match &problem.hint {
        Some(hint) => format!("{} {problem}\n  hint: {hint}\n", problem.code),
        None => format!("{} {problem}\n", problem.code),
    };
    problems.iter().map(one).collect()
}

pub fn problems_of(template: &str, vars: &Value) -> String {
    let (fleet, templates) = one_file(template, vars);
    let rendered = templates.and_then(|templates| render(&fleet, &templates, &all_secrets(&fleet, "s3cr<t")));
    shown(&rendered.err().unwrap_or_default())
}
