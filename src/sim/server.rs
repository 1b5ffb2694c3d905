//! A simulated ClickHouse server: what it was told by files when it started or reloaded, and the objects in it (edge).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::session_loss::connection_loss;
use super::{Act, Errands, Flow, Health, SessionLoss, SimDisks, SimFleet, SimHost, SimRecord, health};
use crate::clickhouse::{
    ClickHouse, ClickHouseError, Create, CreateKind, Errand, Head, Rows, Statement, WhenPresent, read_head, split,
};
use crate::fleet::HostName;
use crate::problem::Source;
use crate::remote::UnitName;
use crate::resource::Server;
use crate::schema::{self, ObjectName, ObservedObject};

/// The directory whose files the server merges.
const CONFIG: &str = "/etc/clickhouse-server/config.d";

/// The setting that a reload can only increase.
const GROWS: &str = "background_pool_size";

/// How often the server looks whether its files have changed: `config_reload_interval_ms`.
const LOOKS: Duration = Duration::from_secs(2);

/// A server's state.
#[derive(Debug, Clone)]
pub struct SimServer {
    /// The unit that it runs in.
    pub unit: UnitName,
    /// Its id: another one in each directory of data.
    pub id: String,
    /// Whether it answers.
    pub up: bool,
    /// What it read when it started or reloaded.
    pub loaded: Loaded,
    /// Settings of the first level as they were when it started: a reload takes [`GROWS`] of them where it is more.
    pub started_with: BTreeMap<String, String>,
    /// What lives in it.
    pub objects: Vec<ObservedObject>,
    /// Rows of `housewright.objects`, the latest of each object.
    pub records: BTreeMap<ObjectName, SimRecord>,
    /// Rows of `housewright.migrations`, the latest of each, in the order of [`RECORD_ROWS`](crate::migration::recording::RECORD_ROWS).
    pub migrations: BTreeMap<(String, u64), Vec<Value>>,
    /// What it was told to run once.
    pub errands: Errands,
    /// Rows and bytes of tables; of a table that is not in here, none.
    pub rows: BTreeMap<ObjectName, (u64, u64)>,
    /// Mutations of tables that are not done.
    pub mutations: BTreeMap<ObjectName, u64>,
    /// Statements that its replicas were told and it has not followed yet: how many looks it takes, and the statement.
    pub behind: Vec<(u64, Statement)>,
    /// How many looks it takes this replica to follow another.
    pub lags: u64,
    /// Its session with the coordination is lost.
    pub session_loss: Option<SessionLoss>,
    /// How often a statement made it another than it was, by what it did.
    pub effects: BTreeMap<String, usize>,
    /// Replicated tables that take no writes.
    pub readonly: u64,
    /// So long after each start its replicas take no writes: they have no session with the coordination yet.
    pub warm_up: Duration,
    /// When that is over, since its last start.
    pub warm_at: Option<Instant>,
    /// How far behind its peers it is, in seconds.
    pub delay: u64,
    /// Parts of each of its tables that it has given up in its time.
    pub lost: u64,
    /// Parts on disks beside `default`: disk, database, table, how many.
    pub parts: Vec<(String, String, String, u64)>,
    /// Statements that contain this are refused.
    pub refuses: Option<String>,
    /// What flows through it.
    pub flow: Flow,
    /// What it says of its health.
    pub health: Health,
    /// Its disks, where a test gives it several.
    pub disks: SimDisks,
}

/// What a server has read from its files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// `system.macros`.
    pub macros: BTreeMap<String, String>,
    /// Number of replicas by cluster.
    pub clusters: BTreeMap<String, u64>,
    /// Members by cluster: `shard/replica host:port`.
    pub members: BTreeMap<String, Vec<String>>,
    /// Settings of the first level.
    pub settings: BTreeMap<String, String>,
}

impl SimServer {
    /// A server that is installed and was never started.
    #[must_use]
    pub fn new(unit: UnitName) -> Self {
        Self {
            unit,
            id: fresh_id(),
            up: false,
            loaded: Loaded::default(),
            started_with: BTreeMap::new(),
            objects: Vec::new(),
            records: BTreeMap::new(),
            migrations: BTreeMap::new(),
            errands: Errands::default(),
            rows: BTreeMap::new(),
            mutations: BTreeMap::new(),
            behind: Vec::new(),
            lags: 0,
            session_loss: None,
            effects: BTreeMap::new(),
            parts: Vec::new(),
            readonly: 0,
            warm_up: Duration::ZERO,
            warm_at: None,
            delay: 0,
            lost: 0,
            refuses: None,
            flow: Flow::default(),
            health: Health::default(),
            disks: SimDisks::default(),
        }
    }

    /// How many replicated tables take no writes right now.
    #[must_use]
    pub fn readonly(&self) -> u64 {
        let cold = self.warm_at.is_some_and(|at| Instant::now() < at) && self.replicas() > 0;
        self.readonly.max(u64::from(cold))
    }

    /// Its directory of data is another one now, with nothing in it.
    pub fn lose_everything(&mut self) {
        self.id = fresh_id();
        self.objects.clear();
        self.records.clear();
        self.flow.detached.clear();
        self.rows.clear();
    }

    /// Notes that a statement made it another.
    pub(super) fn took_hold(&mut self, what: String) {
        *self.effects.entry(what).or_default() += 1;
    }

    pub(super) fn replicas(&self) -> usize {
        self.objects.iter().filter(|object| object.engine.starts_with("Replicated")).count()
    }
}

/// Never told anybody, so that it may be another in each run of a test.
fn fresh_id() -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed).to_string()
}

impl SimServer {
    fn grow(&mut self, loaded: &Loaded) {
        let size = |settings: &BTreeMap<String, String>| settings.get(GROWS).and_then(|size| size.parse::<u64>().ok());
        if let Some(new) = size(&loaded.settings).filter(|new| Some(*new) > size(&self.started_with)) {
            self.started_with.insert(GROWS.to_owned(), new.to_string());
        }
    }
}

impl Loaded {
    /// Reads the files as the server does; an empty cluster is refused, and broken XML too.
    pub(super) fn read(host: &SimHost) -> Result<Self, String> {
        let mut loaded = Self::default();
        for text in host.xml_below(CONFIG) {
            let document = roxmltree::Document::parse(&text).map_err(|error| format!("CANNOT_LOAD_CONFIG: {error}"))?;
            for section in document.root_element().children().filter(roxmltree::Node::is_element) {
                let children = section.children().filter(roxmltree::Node::is_element);
                match section.tag_name().name() {
                    "macros" => loaded.macros.extend(
                        children
                            .map(|child| (child.tag_name().name().to_owned(), child.text().unwrap_or("").to_owned())),
                    ),
                    "remote_servers" => {
                        loaded.members.extend(
                            children.clone().map(|child| (child.tag_name().name().to_owned(), health::members(child))),
                        );
                        loaded.clusters.extend(children.map(|child| {
                            let replicas = child.descendants().filter(|node| node.has_tag_name("replica")).count();
                            (child.tag_name().name().to_owned(), replicas as u64)
                        }));
                    }
                    name => {
                        let text = section.text().unwrap_or_default().trim();
                        loaded.settings.insert(name.to_owned(), text.to_owned());
                    }
                }
            }
        }
        match loaded.clusters.iter().find(|(_, replicas)| **replicas == 0) {
            Some((name, _)) => Err(format!("No cluster elements specified in config at path remote_servers.{name}")),
            None => Ok(loaded),
        }
    }
}

/// The way to one server of the world.
pub(super) struct SimClickHouse {
    fleet: SimFleet,
    host: HostName,
    session: String,
    ended: Arc<AtomicBool>,
}

impl SimClickHouse {
    pub(super) fn new(fleet: SimFleet, host: HostName, session: String, ended: Arc<AtomicBool>) -> Self {
        Self { fleet, host, session, ended }
    }

    /// The connection is over, and the host has not noticed: what it held there stays.
    fn lost(&self) -> ClickHouseError {
        self.ended.store(true, Ordering::Relaxed);
        self.fleet.with(|world| world.ghosts.insert(self.session.clone()));
        ClickHouseError::Unreachable("the connection was lost".to_owned())
    }
}

#[async_trait]
impl ClickHouse for SimClickHouse {
    async fn execute(&self, statement: &Statement) -> Result<Rows, ClickHouseError> {
        self.sent(statement, None).await
    }

    async fn run(&self, errand: &Errand<'_>) -> Result<(), ClickHouseError> {
        let answer = self.sent(errand.statement, Some(errand.query_id)).await.map(|_| ());
        // Whoever dies here has told the server and heard nothing.
        tokio::task::yield_now().await;
        answer
    }
}

impl SimClickHouse {
    async fn sent(&self, statement: &Statement, errand: Option<&str>) -> Result<Rows, ClickHouseError> {
        tokio::task::yield_now().await;
        if self.ended.load(Ordering::Relaxed) {
            return Err(ClickHouseError::Unreachable("the connection has ended".to_owned()));
        }
        if self.fleet.is_cut_off(&self.host) {
            return Err(self.lost());
        }
        self.fleet.before(&self.host, Act::Statement(statement));
        let (mut answer, loss) = self.fleet.with(|world| {
            let Some(host) = world.hosts.get_mut(&self.host) else { return (None, None) };
            let loss = match &mut host.server {
                Some(server) if server.up => server.loses_its_session(statement),
                _ => return (Some(Err(ClickHouseError::Refused("connection refused".to_owned()))), None),
            };
            if loss == Some(false) {
                return (Some(Err(connection_loss())), loss);
            }
            let known = world.coordination(&self.host, statement);
            let done = || Some(execute(world.hosts.get_mut(&self.host)?, &self.host, (statement, errand)));
            (known.or_else(done), loss)
        });
        if let Some(Ok(_)) = &answer {
            if errand.is_none() {
                self.fleet.carry(&self.host, statement);
            }
            if loss.is_some() {
                answer = Some(Err(connection_loss()));
            }
        }
        self.fleet.after(&self.host);
        let lost = self.fleet.with_host(&self.host, |host| match host.answers_lost {
            0 => false,
            left => {
                host.answers_lost = left - 1;
                true
            }
        });
        if lost == Some(true) || self.fleet.is_cut_off(&self.host) {
            return Err(self.lost());
        }
        answer.unwrap_or_else(|| Err(ClickHouseError::Unreachable("the host is gone".to_owned())))
    }
}

pub(super) fn exception(code: i32, name: &str, message: impl Into<String>) -> ClickHouseError {
    ClickHouseError::Exception { code, name: name.to_owned(), message: message.into() }
}

fn execute(
    host: &mut SimHost,
    name: &HostName,
    (statement, errand): (&Statement, Option<&str>),
) -> Result<Rows, ClickHouseError> {
    let noticed = host.written.take_if(|written| written.elapsed() >= LOOKS).is_some();
    let told = statement.text() == "SYSTEM RELOAD CONFIG";
    let reads = (noticed || told).then(|| Loaded::read(host));
    let Some(server) = host.server.as_mut() else {
        return Err(ClickHouseError::Refused("not installed".to_owned()));
    };
    if let (true, Some(Ok(loaded))) = (noticed, &reads) {
        server.loaded = loaded.clone();
    }
    if let Some(query_id) = errand {
        return server.errand(statement, query_id);
    }
    // The record of a statement holds its text.
    let notes = statement.text().starts_with("INSERT INTO housewright.");
    if server.refuses.as_ref().is_some_and(|text| !notes && statement.text().contains(text.as_str())) {
        return Err(exception(497, "ACCESS_DENIED", "refused by the test"));
    }
    if *statement == Server::statement() {
        return Ok(about(server, name));
    }
    if *statement == schema::statement() {
        server.follows();
        return Ok(objects(server));
    }
    if let Some(reloaded) = reads.filter(|_| told) {
        return match reloaded {
            Ok(loaded) => {
                server.grow(&loaded);
                server.loaded = loaded;
                server.health.reloaded();
                Ok(Rows::default())
            }
            Err(message) if message.starts_with("CANNOT") => Err(exception(347, "CANNOT_LOAD_CONFIG", message)),
            Err(message) => {
                // Measured on 25.8: an empty cluster leaves the server without any.
                server.loaded.clusters.clear();
                server.loaded.members.clear();
                Err(exception(297, "SHARD_HAS_NO_CONNECTIONS", message))
            }
        };
    }
    if let Some(answer) = server.healthy(name, statement).or_else(|| server.about_disks(statement)) {
        return Ok(answer);
    }
    match server.flows(statement) {
        Some(answer) => answer,
        None => match server.alters(statement) {
            Some(answer) => answer,
            None => server.answers(statement).map_or_else(|| create(server, statement), Ok),
        },
    }
}

fn create(server: &mut SimServer, statement: &Statement) -> Result<Rows, ClickHouseError> {
    let source = Arc::new(Source { name: String::new(), text: statement.text().to_owned() });
    let heads: Vec<_> = split(&source).iter().map(read_head).collect();
    let Some(Head::Create(create)) = heads.into_iter().next() else {
        return Err(exception(62, "SYNTAX_ERROR", format!("the simulated server does not know: {}", statement.text())));
    };
    let object = observed(&create, statement);
    let is_there = server.objects.iter().any(|live| live.name == object.name);
    if is_there && create.when_present == WhenPresent::Fail {
        return Err(exception(57, "TABLE_ALREADY_EXISTS", format!("{} already exists", object.name)));
    }
    if !is_there && !server.hides(&object.name) {
        server.took_hold(format!("create {}", object.name));
        server.objects.push(object);
    }
    Ok(Rows::default())
}

pub(super) fn observed(create: &Create, statement: &Statement) -> ObservedObject {
    let name = match create.kind {
        CreateKind::Database => ObjectName::Database(create.name.clone()),
        CreateKind::Function => ObjectName::Function(create.name.clone()),
        CreateKind::NamedCollection => ObjectName::Collection(create.name.clone()),
        CreateKind::Table | CreateKind::MaterializedView | CreateKind::View | CreateKind::Dictionary => {
            ObjectName::relation(create.database.as_deref(), &create.name)
        }
    };
    let engine = match create.kind {
        CreateKind::MaterializedView => "MaterializedView".to_owned(),
        CreateKind::View => "View".to_owned(),
        CreateKind::Dictionary => "Dictionary".to_owned(),
        _ => create.engine.as_ref().map(|engine| engine.name.clone()).unwrap_or_default(),
    };
    // No server keeps these words.
    let create_query = statement.text().replacen("IF NOT EXISTS ", "", 1);
    ObservedObject { name, engine, create_query }
}

fn about(server: &SimServer, name: &HostName) -> Rows {
    let pairs =
        |map: Vec<(&String, Value)>| Value::Array(map.into_iter().map(|(name, value)| json!([name, value])).collect());
    let replicas = server.replicas();
    let consumers = server.objects.iter().filter(|object| object.engine == "Kafka").count();
    Rows {
        columns: [
            "version",
            "uptime",
            "macros",
            "clusters",
            "replicas",
            "consumers",
            "settings",
            "policies",
            "parts",
            "errors",
            "local",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: vec![vec![
            json!("25.8.2.1"),
            json!(1),
            pairs(server.loaded.macros.iter().map(|(name, value)| (name, json!(value))).collect()),
            pairs(server.loaded.clusters.iter().map(|(name, count)| (name, json!(count))).collect()),
            json!([replicas, server.readonly(), server.delay]),
            json!(consumers),
            settings(server),
            policies(server),
            server.parts.iter().map(|(disk, database, table, count)| json!([disk, database, table, count])).collect(),
            server.health.errors.keys().map(|name| json!(name)).collect(),
            server.local(name).into_iter().map(|(cluster, count)| json!([cluster, count])).collect(),
        ]],
    }
}

/// A few of `system.server_settings`, one of each kind.
fn settings(server: &SimServer) -> Value {
    let running =
        |name: &str, otherwise: &str| server.started_with.get(name).map_or(otherwise, String::as_str).to_owned();
    json!([
        [GROWS, running(GROWS, "16"), "UInt64", "IncreaseOnly"],
        ["max_concurrent_queries", "0", "UInt64", "Yes"],
        ["max_connections", running("max_connections", "4096"), "Int32", "No"],
        ["mark_cache_policy", running("mark_cache_policy", "SLRU"), "String", "No"],
    ])
}

/// The tables whose statements name a storage policy.
fn policies(server: &SimServer) -> Value {
    let row = |object: &ObservedObject| {
        let (_, rest) = object.create_query.split_once("storage_policy = '")?;
        let ObjectName::Relation { database, name } = &object.name else { return None };
        Some(json!([rest.split_once('\'')?.0, database, name]))
    };
    server.objects.iter().filter_map(row).collect()
}

fn objects(server: &SimServer) -> Rows {
    let row = |object: &ObservedObject| {
        let (kind, database, name) = match &object.name {
            ObjectName::Database(name) => ("database", "", name),
            ObjectName::Relation { database, name } => ("relation", database.as_str(), name),
            ObjectName::Function(name) => ("function", "", name),
            ObjectName::Collection(name) => ("collection", "", name),
        };
        [kind, database, name, &object.engine, &object.create_query].map(|text| json!(text)).to_vec()
    };
    Rows { columns: schema::ROWS.map(str::to_owned).to_vec(), rows: server.objects.iter().map(row).collect() }
}
