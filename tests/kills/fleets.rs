//! Random fleets that are cheap to make: the desired state is written down, not rendered.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use housewright::clickhouse::Endpoint;
use housewright::fleet::{
    Cluster, ClusterName, ClusterShard, Connection, Fleet, Host, HostKeyPolicy, Layout, Member, Placement, Privilege,
    Reach, RoleName, Vars,
};
use housewright::inventory::Inventory;
use housewright::plan::{Budget, Permissions};
use housewright::problem::Source;
use housewright::remote::{RemotePath, UnitName};
use housewright::render::{Content, Desired, DesiredDirectory, DesiredFile, DesiredUnit};
use housewright::role::{ClickHouseSpec, PlacementKind, Role, SchemaFile};
use housewright::schema::Schema;
use housewright::secret::SecretStore;
use housewright::sim::SimFleet;
use proptest::prelude::*;

use crate::world::{Project, name};

pub const SERVER: &str = "clickhouse-server";
pub const MEMBER: &str = "zookeeper";
/// What only the new settings hold: a server can be told to refuse it.
pub const NEW_SETTING: &str = "/data/clickhouse/";
/// What only the new users hold: a host's binary can be told to refuse it.
pub const NEW_USER: &str = "metrics";

/// How many hosts of what.
#[derive(Debug, Clone)]
pub struct Shape {
    /// By role: the replicas of each shard.
    pub storage: Vec<Vec<usize>>,
    /// By role: how many hosts consume.
    pub ingestion: Vec<usize>,
    pub keepers: usize,
    pub zones: usize,
}

pub fn shape() -> impl Strategy<Value = Shape> {
    let replicas = prop_oneof![1 => Just(1_usize), 5 => Just(2), 2 => Just(3)];
    let shards =
        prop_oneof![3 => prop::collection::vec(replicas.clone(), 1..=2), 1 => prop::collection::vec(replicas, 3)];
    let storage = prop_oneof![5 => prop::collection::vec(shards.clone(), 1), 1 => prop::collection::vec(shards, 2)];
    let hosts = prop_oneof![3 => Just(1_usize), 1 => Just(2)];
    let ingestion = prop_oneof![2 => Just(Vec::new()).boxed(), 3 => prop::collection::vec(hosts, 1..=2).boxed()];
    (storage, ingestion, prop::sample::select(vec![0_usize, 0, 1, 3]), 0_usize..=2)
        .prop_map(|(storage, ingestion, keepers, zones)| Shape { storage, ingestion, keepers, zones })
}

/// What is different in what the hosts should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// A setting that a server takes at its start only.
    Setting,
    /// A file of its unit.
    Unit,
    /// One more macro.
    Macro,
    /// One more cluster.
    Cluster,
    /// A user.
    User,
    /// Where the brokers are: tables keep it.
    Brokers,
    /// A file that goes from a role.
    Dropped,
    /// The text of a file, and not its meaning.
    Comment,
    /// What a member of the ensemble reads at its start.
    Member,
    /// More objects, on every host that has some.
    Object,
    /// One more column, from the queue to the table.
    Column,
    /// A setting of the queue.
    Queue,
    /// What a view selects.
    Query,
    /// Objects that no role wants any more, one of them with rows in it.
    Unwanted,
    /// The operator allows to drop the one with rows, too.
    Named,
}

const ALL: [Change; 15] = [
    Change::Setting,
    Change::Unit,
    Change::Macro,
    Change::Cluster,
    Change::User,
    Change::Brokers,
    Change::Dropped,
    Change::Comment,
    Change::Member,
    Change::Object,
    Change::Column,
    Change::Queue,
    Change::Query,
    Change::Unwanted,
    Change::Named,
];

/// Changes of what is in the servers.
pub const SCHEMA: [Change; 5] = [Change::Object, Change::Column, Change::Queue, Change::Query, Change::Unwanted];

/// The table that no role wants any more, and that holds rows.
pub const KEPT: &str = "kept";
/// Rows and bytes of it.
pub const ROWS: (u64, u64) = (5, 500);

pub fn changes() -> impl Strategy<Value = BTreeSet<Change>> {
    let one = prop::sample::select(ALL.to_vec());
    let restart = prop::sample::select(vec![Change::Setting, Change::Setting, Change::Unit, Change::Brokers]);
    let schema = prop::sample::select(SCHEMA.to_vec());
    // Most of what can go wrong is about restarts, about what is detached, and about statements.
    let first = prop_oneof![5 => restart.clone().prop_map(Some), 3 => schema.prop_map(Some), 2 => Just(None)];
    (first, prop::collection::btree_set(one, 0..=2)).prop_map(|(first, mut rest)| {
        rest.extend(first);
        if rest.is_empty() {
            rest.insert(Change::Macro);
        }
        if rest.contains(&Change::Named) {
            rest.insert(Change::Unwanted);
        }
        rest
    })
}

/// How often the changes restart a host's unit: what an operator expects who has read the table of disruptions.
pub fn restarts(changes: &BTreeSet<Change>, host: &Host) -> usize {
    let costs = |change: &Change| match (change, &host.placement) {
        (Change::Member, Placement::Keeper { .. }) => true,
        (_, Placement::Keeper { .. }) => false,
        (Change::Setting | Change::Unit, _) => true,
        _ => false,
    };
    usize::from(changes.iter().any(costs))
}

fn role(role: &RoleName, placement: PlacementKind, schema: &str) -> Role {
    let unit = UnitName::new(SERVER).unwrap();
    let clickhouse = ClickHouseSpec { unit, http_port: 8123, user: "default".to_owned(), password: None };
    let source = Arc::new(Source { name: format!("{role}.sql"), text: schema.to_owned() });
    Role {
        host_cluster_role: Some(role.to_string()),
        clickhouse: (placement != PlacementKind::Keeper).then_some(clickhouse),
        schema: vec![SchemaFile { role: role.clone(), source }],
        ..Role::empty(role.clone(), placement)
    }
}

/// What a storage role has in its servers.
fn stored(changes: &BTreeSet<Change>) -> String {
    let has = |change| changes.contains(&change);
    let table = |name: &str, columns: &str| {
        format!(
            "CREATE TABLE IF NOT EXISTS {name} ({columns}) \
             ENGINE = ReplicatedMergeTree('/clickhouse/{{hostClusterRole}}/{{shard}}/{name}', '{{replica}}') ORDER BY id;\n"
        )
    };
    let mut all = table("events", columns(changes));
    if has(Change::Object) {
        all += &table("persons", "id UInt64");
    }
    if !has(Change::Unwanted) {
        all += &table("old", "id UInt64");
        all += &table(KEPT, "id UInt64");
    }
    all
}

fn columns(changes: &BTreeSet<Change>) -> &'static str {
    if changes.contains(&Change::Column) { "id UInt64, mood String" } else { "id UInt64" }
}

/// What an ingestion role has in its servers.
fn flowing(changes: &BTreeSet<Change>) -> String {
    let has = |change| changes.contains(&change);
    let columns = columns(changes);
    let leg = |name: &str, columns: &str, more: &str, query: &str| {
        format!(
            "CREATE TABLE IF NOT EXISTS kafka_{name} ({columns}) ENGINE = Kafka(brokers, kafka_topic_list = '{name}', \
             kafka_group_name = 'clickhouse', kafka_format = 'JSONEachRow'{more});\n\
             CREATE MATERIALIZED VIEW IF NOT EXISTS {name}_mv TO writable_events AS SELECT {query} FROM kafka_{name};\n"
        )
    };
    let more = if has(Change::Queue) { ", kafka_max_block_size = 1000" } else { "" };
    let query = match (has(Change::Column), has(Change::Query)) {
        (false, false) => "id",
        (true, false) => "id, mood",
        (false, true) => "id + 1 AS id",
        (true, true) => "id + 1 AS id, mood",
    };
    let mut all = format!(
        "CREATE TABLE IF NOT EXISTS writable_events ({columns}) ENGINE = Distributed('all', 'default', 'events', id);\n"
    );
    all += &leg("events", columns, more, query);
    if has(Change::Object) {
        all += &leg("more", "id UInt64", "", "id");
    }
    if !has(Change::Unwanted) {
        all += "CREATE TABLE IF NOT EXISTS nothing (id UInt64) ENGINE = Null;\n";
    }
    all
}

/// The fleet of a shape with changes, as a project.
pub fn project(shape: &Shape, changes: &BTreeSet<Change>) -> Project {
    let mut fleet = Fleet::default();
    // A server is looked at often enough in half the time.
    let vars = Vars::from(serde_json::Map::from_iter([("stable_window".to_owned(), 1.into())]));
    let mut add = |host: String, role_name: String, placement: Placement, turn: usize| {
        let role_name = RoleName::new(&role_name).unwrap();
        let (kind, schema) = match placement {
            Placement::Storage { .. } => (PlacementKind::Storage, stored(changes)),
            Placement::Stateless => (PlacementKind::Stateless, flowing(changes)),
            Placement::Keeper { .. } => (PlacementKind::Keeper, String::new()),
        };
        fleet.roles.entry(role_name.clone()).or_insert_with(|| role(&role_name, kind, &schema));
        let zone = (shape.zones > 0).then(|| format!("zone-{}", turn % shape.zones));
        let host = Host {
            name: name(&host),
            role: role_name,
            placement,
            fqdn: format!("{host}.internal"),
            zone,
            reach: Reach::Ssh(connection()),
            vars: vars.clone(),
        };
        fleet.hosts.insert(host.name.clone(), host);
    };
    for (role, shards) in shape.storage.iter().enumerate() {
        for (shard, replicas) in shards.iter().enumerate() {
            for replica in 0..*replicas {
                let number = u32::try_from(shard + 1).unwrap();
                let placement = Placement::Storage { shard: number, replica: format!("r{replica}") };
                add(format!("data{role}-{number}-{replica}"), format!("data{role}"), placement, replica);
            }
        }
    }
    for (role, hosts) in shape.ingestion.iter().enumerate() {
        (0..*hosts).for_each(|host| {
            add(format!("small{role}-{host}"), format!("small{role}"), Placement::Stateless, host);
        });
    }
    for id in 1..=shape.keepers {
        let placement = Placement::Keeper { id: u32::try_from(id).unwrap() };
        add(format!("keeper-{id}"), "keeper".to_owned(), placement, id);
    }
    let copies = storage(&fleet).map(|host| host.fqdn.clone()).collect();
    cluster(&mut fleet, "all", Layout::SingleShard, copies);
    let desired = fleet.hosts.values().map(|host| (host.name.clone(), desired(&fleet, host, changes))).collect();
    let (schema, problems) = Schema::read_roles(&fleet.roles);
    assert!(problems.is_empty(), "{problems:?}");
    let endpoint = |host: &Host| {
        fleet.role_of(host)?.clickhouse.as_ref()?;
        Some((host.name.clone(), Endpoint { http_port: 8123, user: "default".to_owned(), password: None }))
    };
    Project {
        inventory: Inventory::default(),
        endpoints: fleet.hosts.values().filter_map(endpoint).collect(),
        hosts: fleet.hosts.keys().cloned().collect(),
        fleet,
        objects: schema.roles,
        migrations: Default::default(),
        notes: Vec::new(),
        desired,
        secrets: SecretStore::default(),
        permissions: Permissions::default(),
        allow_destroy: changes.contains(&Change::Named).then(|| format!("default.{KEPT}")).into_iter().collect(),
        go_on: Vec::new(),
        budget: Budget::default(),
        only: None,
        restart: None,
        here: Arc::new(SimFleet::default()),
    }
}

pub fn storage(fleet: &Fleet) -> impl Iterator<Item = &Host> {
    fleet.hosts.values().filter(|host| matches!(host.placement, Placement::Storage { .. }))
}

/// A simulated fleet looks at nothing of it.
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

fn cluster(fleet: &mut Fleet, cluster: &str, layout: Layout, hosts: Vec<String>) {
    let member = |host| Member { host, port: 9000, secure: false, user: None, priority: None };
    let shard = ClusterShard { members: hosts.into_iter().map(member).collect(), weight: None };
    let name = ClusterName::new(cluster).unwrap();
    let cluster = Cluster { name: name.clone(), layout, shards: vec![shard], secret: None, internal_replication: true };
    fleet.clusters.insert(name, cluster);
}

fn desired(fleet: &Fleet, host: &Host, changes: &BTreeSet<Change>) -> Desired {
    let has = |change| changes.contains(&change);
    let mut desired = Desired::default();
    let (owner, unit) = match host.placement {
        Placement::Keeper { .. } => ("zookeeper", UnitName::new(MEMBER).unwrap()),
        _ => ("clickhouse", UnitName::new(SERVER).unwrap()),
    };
    let mut file = |path: &str, owner: &str, text: String| {
        let path = RemotePath::new(path).unwrap();
        let (content, owner) = (Content::plain(text), owner.to_owned());
        let directory = DesiredDirectory { owner: owner.clone(), group: owner.clone(), mode: 0o750 };
        if path.parent().as_str() != "/etc/systemd/system" {
            desired.directories.insert(path.parent(), directory);
        }
        let (group, unit) = (owner.clone(), Some(unit.clone()));
        desired
            .files
            .insert(path, DesiredFile { content, owner, group, mode: 0o640, unit, early: false, over_package: false });
    };
    if let Placement::Keeper { .. } = host.placement {
        let member = |host: &Host| match host.placement {
            Placement::Keeper { id } => Some(format!("server.{id}={}:2888:3888\n", host.fqdn)),
            Placement::Storage { .. } | Placement::Stateless => None,
        };
        let members: String = fleet.hosts.values().filter_map(member).collect();
        let tick = if has(Change::Member) { 3000 } else { 2000 };
        file("/etc/zookeeper/zoo.cfg", owner, format!("clientPort=2181\ntickTime={tick}\n{members}"));
        file("/etc/systemd/system/zookeeper.service", "root", "[Service]\nExecStart=/bin/zoo\n".to_owned());
    } else {
        let xml = |inner: String| format!("<clickhouse>\n{inner}</clickhouse>\n");
        let config = |file: &str| format!("/etc/clickhouse-server/config.d/{file}.xml");
        let mut macros = vec![("hostClusterRole", host.role.to_string())];
        if let Placement::Storage { shard, replica } = &host.placement {
            macros.extend([("shard", shard.to_string()), ("replica", replica.clone())]);
        }
        macros.extend(has(Change::Macro).then(|| ("generation", "2".to_owned())));
        let macros: String = macros.iter().map(|(name, value)| format!("<{name}>{value}</{name}>\n")).collect();
        let replica = |host: &Host| format!("<replica><host>{}</host><port>9000</port></replica>\n", host.fqdn);
        let all: String = storage(fleet).map(replica).collect();
        let more = if has(Change::Cluster) { format!("<more><shard>\n{all}</shard></more>\n") } else { String::new() };
        let comment = if has(Change::Comment) { "<!-- by hand -->\n" } else { "" };
        file(
            &config("fleet"),
            owner,
            xml(format!(
                "{comment}<macros>\n{macros}</macros>\n<remote_servers replace=\"1\">\n<all><shard>\n{all}</shard></all>\n{more}</remote_servers>\n"
            )),
        );
        let setting = if has(Change::Setting) { NEW_SETTING } else { "/var/lib/clickhouse/" };
        let broker = if has(Change::Brokers) { "other:9092" } else { "broker:9092" };
        file(
            &config("settings"),
            owner,
            xml(format!(
                "<path>{setting}</path>\n<named_collections><brokers><kafka_broker_list>{broker}</kafka_broker_list></brokers></named_collections>\n"
            )),
        );
        let user = if has(Change::User) { format!("<{NEW_USER}><no_password/></{NEW_USER}>") } else { String::new() };
        let users = format!("<users><other><no_password/></other>{user}</users>\n");
        file("/etc/clickhouse-server/users.d/users.xml", owner, xml(users));
        if !has(Change::Dropped) {
            let quota = "<quotas><default><interval><duration>60</duration></interval></default></quotas>\n";
            file("/etc/clickhouse-server/users.d/quota.xml", owner, xml(quota.to_owned()));
        }
        let limit = if has(Change::Unit) { 2000 } else { 1000 };
        let limits = format!("[Service]\nLimitNOFILE={limit}\n");
        file("/etc/systemd/system/clickhouse-server.service.d/limits.conf", "root", limits);
    }
    desired.units.insert(unit, DesiredUnit { enabled: true, running: true });
    desired
}
