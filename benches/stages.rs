//! What each stage costs, for fleets and schemas of growing size: the cost must stay linear in hosts and in objects.
//!
//! `cargo bench --no-default-features --bench stages`; the fleet is simulated, so nothing but our own work is measured.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use housewright::apply::{Run, run};
use housewright::clickhouse::Endpoint;
use housewright::event::{Event, Sink};
use housewright::fleet::{ConnectionDefaults, load};
use housewright::observe::{Afterwards, Target, observe};
use housewright::plan::{Budget, Inputs, Permissions, Plan, plan};
use housewright::render::{self, load::templates};
use housewright::resource::{HostObservation, Observation, Probe};
use housewright::schema::Schema;
use housewright::secret::SecretStore;
use housewright::sim::{SimFleet, SimHost};

struct Silent;

impl Sink for Silent {
    fn emit(&self, _: Event) {}
}

/// Three replicas of each shard, one Keeper, the repository's own roles and templates.
fn write_inventory(directory: &Path, data: usize) {
    let mut hosts = "all:\n  children:\n    coordination:\n      hosts:\n        keeper-1: { keeper_id: 1 }\n    data:\n      hosts:\n".to_owned();
    for index in 0..data {
        let _ =
            writeln!(hosts, "        data-{index:04}: {{ shard: {}, replica: \"{}\" }}", index / 3 + 1, index % 3 + 1);
    }
    let vars = "clickhouse_clusters:\n  posthog: { hosts: data, layout: sharded }\n  posthog_single_shard: { hosts: data, layout: single_shard }\n";
    let group_vars = directory.join("group_vars");
    std::fs::create_dir_all(&group_vars).unwrap();
    std::fs::write(directory.join("hosts.yml"), hosts).unwrap();
    std::fs::write(group_vars.join("all.yml"), vars).unwrap();
    std::fs::write(group_vars.join("data.yml"), "hostClusterRole: data\n").unwrap();
    std::fs::write(group_vars.join("coordination.yml"), "hostClusterRole: zookeeper\n").unwrap();
}

/// The repository's roles; `data` has this many objects more, of the kinds that a fleet has: storage with 30 columns, a
/// Distributed table over it, a buffer that keeps nothing, a view that fills it, and one to read.
fn roles(directory: &Path, objects: usize, columns: usize) -> PathBuf {
    let roles = directory.join("roles");
    let own = |role: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("roles").join(role);
    for role in ["clickhouse", "data", "keeper", "zookeeper"] {
        std::fs::create_dir_all(roles.join(role)).unwrap();
        std::fs::copy(own(role).join("role.yml"), roles.join(role).join("role.yml")).unwrap();
    }
    let columns: Vec<String> =
        (0..columns).map(|at| format!("property_{at:02} LowCardinality(String) DEFAULT '' CODEC(ZSTD(3))")).collect();
    let columns = format!("team_id Int64, distinct_id String, timestamp DateTime64(6, 'UTC'), {}", columns.join(", "));
    let plain = columns.replace(" CODEC(ZSTD(3))", "");
    let mut sql = String::new();
    for at in 0..objects {
        let (table, kind) = (at / 5, at % 5);
        let name = format!("events_{table:03}");
        let _ = match kind {
            0 => writeln!(
                sql,
                "CREATE TABLE stored_{name} ({columns}, INDEX by_team team_id TYPE minmax GRANULARITY 4) ENGINE = \
                 ReplicatedReplacingMergeTree('/clickhouse/tables/{{shard}}/{name}', '{{replica}}', timestamp) \
                 PARTITION BY toYYYYMM(timestamp) ORDER BY (team_id, toDate(timestamp), distinct_id) \
                 TTL toDateTime(timestamp) + INTERVAL 90 DAY SETTINGS index_granularity = 4096;"
            ),
            1 => writeln!(
                sql,
                "CREATE TABLE {name} ({plain}) ENGINE = \
                 Distributed('posthog', 'default', 'stored_{name}', sipHash64(distinct_id));"
            ),
            2 => writeln!(sql, "CREATE TABLE incoming_{name} ({plain}) ENGINE = Null;"),
            3 => writeln!(
                sql,
                "CREATE MATERIALIZED VIEW fill_{name} TO stored_{name} AS \
                 SELECT * FROM incoming_{name} WHERE team_id != 0 AND distinct_id NOT IN ('a', 'b');"
            ),
            _ => writeln!(
                sql,
                "CREATE VIEW daily_{name} AS SELECT team_id, toDate(timestamp) AS day, count() AS events \
                 FROM {name} GROUP BY team_id, day ORDER BY day;"
            ),
        };
    }
    let schema = roles.join("data/schema");
    std::fs::create_dir_all(&schema).unwrap();
    std::fs::write(schema.join("events.sql"), sql).unwrap();
    roles
}

fn timed<T>(spent: &mut Vec<(&'static str, Duration)>, stage: &'static str, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let answer = work();
    spent.push((stage, started.elapsed()));
    answer
}

/// Columns of a table, before one more comes to each.
const COLUMNS: usize = 30;

fn measure(Size { hosts, objects }: Size) -> Vec<(&'static str, Duration)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = tempfile::tempdir().unwrap();
    let inventory = directory.path().join("inventory");
    write_inventory(&inventory, hosts);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let mut spent = Vec::new();
    let loaded = timed(&mut spent, "read and resolve", || {
        load::load(&inventory, &roles(directory.path(), objects, COLUMNS), &ConnectionDefaults::default()).unwrap()
    });
    let fleet = loaded.fleet;
    let templates = templates(&root.join("templates")).unwrap();
    let desired = timed(&mut spent, "render", || render::render(&fleet, &templates, &SecretStore::default()).unwrap());
    let (schema, _) = timed(&mut spent, "schema", || Schema::read(&fleet));
    let world = SimFleet::default();
    fleet.hosts.keys().for_each(|name| world.put(name.clone(), SimHost::bare()));
    let endpoint = || Endpoint { http_port: 8123, user: "default".to_owned(), password: None };
    let targets = || {
        let target = |host| Target { host, probe: Probe::of(&desired[&host.name]), endpoint: Some(endpoint()) };
        fleet.hosts.values().map(target).collect::<Vec<_>>()
    };
    let asked = |afterwards| runtime.block_on(observe(&world, targets(), 32, afterwards, &Silent));
    let observed = timed(&mut spent, "observe (simulated)", || asked(Afterwards::KeepWhere(&|_, _| true)));
    let chosen: BTreeSet<_> = fleet.hosts.keys().cloned().collect();
    let planned = |observation: &Observation, schema: &Schema, permissions: Permissions| -> Plan {
        plan(&Inputs {
            fleet: &fleet,
            desired: &desired,
            objects: &schema.roles,
            migrations: &std::collections::BTreeMap::new(),
            observation,
            hosts: &chosen,
            permissions,
            budget: &Budget::default(),
            only: None,
            restart: None,
            allow_destroy: &[],
            go_on: &[],
        })
    };
    let first =
        timed(&mut spent, "plan a bootstrap", || planned(&observed.observation, &schema, Permissions::default()));
    let outcome = timed(&mut spent, "apply (simulated)", || {
        runtime.block_on(run(
            &first.approve(),
            &Run {
                desired: &desired,
                found: &observed.observation,
                open: &observed.open,
                here: &housewright::apply::ThisMachine,
                at_once: 32,
                gate_timeout: Duration::from_secs(60),
                stop: &AtomicBool::new(false),
                sink: &Silent,
            },
        ))
    });
    assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
    let observed = timed(&mut spent, "observe again", || asked(Afterwards::Close));
    let mut observation = observed.observation;
    let none = timed(&mut spent, "plan no change", || planned(&observation, &schema, Permissions::default()));
    assert!(none.is_empty(), "a plan after an apply is empty");
    if objects == 0 {
        return spent;
    }
    let wider = roles(directory.path(), objects, COLUMNS + 1);
    let wider = load::load(&inventory, &wider, &ConnectionDefaults::default()).unwrap().fleet;
    let (wider, _) = Schema::read(&wider);
    let altered = timed(&mut spent, "plan a column more", || planned(&observation, &wider, Permissions::default()));
    let statements = altered.waves.iter().flat_map(|wave| &wave.hosts).map(|host| host.changes.len()).sum::<usize>();
    // Storage, Distributed and Null tables; a replicated one is altered on one replica of its shard, its record on all.
    assert!(statements >= hosts * (objects / 5) * 2, "{statements} changes");
    for host in observation.hosts.values_mut() {
        if let HostObservation::Reached(facts) = host {
            facts.records.iter_mut().for_each(|records| records.clear());
        }
    }
    let adopting = Permissions { adopt_objects: true, ..Permissions::default() };
    timed(&mut spent, "plan without records", || planned(&observation, &schema, adopting));
    spent
}

/// How big a fleet and its data role's schema are.
#[derive(Debug, Clone, Copy)]
struct Size {
    hosts: usize,
    objects: usize,
}

/// How much dearer the biggest schema may be than the smallest, by the piece: more would not be linear. Timings are noisy.
///
/// Fleets are not held to it: every host's files name every host, so a host of a bigger fleet costs more.
const DEARER: f64 = 2.0;

/// Prints what a piece costs at each size; says which stages cost more of it at the last than at the first.
fn table(piece: &str, sizes: &[Size], pieces: impl Fn(&Size) -> usize) -> Vec<String> {
    let runs: Vec<_> = sizes.iter().map(|size| measure(*size)).collect();
    print!("\n{piece:26}");
    sizes.iter().for_each(|size| print!("{:>20}", format!("{} hosts x {}", size.hosts, size.objects)));
    println!("{:>10}", "all, ms");
    let mut dearer = Vec::new();
    for (index, (stage, _)) in runs[0].iter().enumerate() {
        let each = |(size, run): (&Size, &Vec<(&str, Duration)>)| {
            run[index].1.as_secs_f64() * 1e6 / f64::from(u32::try_from(pieces(size)).unwrap())
        };
        let costs: Vec<f64> = sizes.iter().zip(&runs).map(each).collect();
        print!("{stage:26}");
        costs.iter().for_each(|cost| print!("{cost:>20.1}"));
        println!("{:>10.0}", runs[runs.len() - 1][index].1.as_secs_f64() * 1e3);
        let (first, last) = (costs[0], costs[costs.len() - 1]);
        if last > first * DEARER {
            dearer.push(format!("{stage}: {first:.1} -> {last:.1} {piece}"));
        }
    }
    dearer
}

fn main() {
    let of = |hosts, objects| Size { hosts, objects };
    let hosts = [of(30, 0), of(120, 0), of(480, 0)];
    table("us per host", &hosts, |size| size.hosts);
    let wider = [of(30, 200), of(60, 200), of(120, 200)];
    table("us per host and object", &wider, |size| size.hosts * size.objects);
    let deeper = [of(60, 100), of(60, 200), of(60, 400)];
    let dearer = table("us per host and object", &deeper, |size| size.hosts * size.objects);
    assert!(dearer.is_empty(), "not linear:\n{}", dearer.join("\n"));
}
