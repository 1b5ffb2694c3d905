//! What each stage costs per host, for fleets of growing size: the cost must stay linear.
//!
//! `cargo bench --no-default-features --bench stages`; the fleet is simulated, so nothing but our own work is measured.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use housewright::apply::{Run, run};
use housewright::clickhouse::Endpoint;
use housewright::event::{Event, Sink};
use housewright::fleet::{ConnectionDefaults, load};
use housewright::observe::{Afterwards, Target, observe};
use housewright::plan::{Budget, Inputs, Permissions, plan};
use housewright::render::{self, load::templates};
use housewright::resource::Probe;
use housewright::schema::Schema;
use housewright::secret::SecretStore;
use housewright::sim::{SimFleet, SimHost};

struct Silent;

impl Sink for Silent {
    fn emit(&self, _: Event) {}
}

/// Three replicas of each shard, one Keeper, the repository's own roles and templates.
fn inventory(directory: &Path, data: usize) {
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

fn timed<T>(spent: &mut Vec<(&'static str, Duration)>, stage: &'static str, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let answer = work();
    spent.push((stage, started.elapsed()));
    answer
}

fn measure(hosts: usize) -> Vec<(&'static str, Duration)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = tempfile::tempdir().unwrap();
    inventory(directory.path(), hosts);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let mut spent = Vec::new();
    let loaded = timed(&mut spent, "read and resolve", || {
        load::load(directory.path(), &root.join("roles"), &ConnectionDefaults::default()).unwrap()
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
    let planned = |observation| {
        plan(&Inputs {
            fleet: &fleet,
            desired: &desired,
            objects: &schema.roles,
            migrations: &std::collections::BTreeMap::new(),
            observation,
            hosts: &chosen,
            permissions: Permissions::default(),
            budget: &Budget::default(),
            only: None,
            restart: None,
            allow_destroy: &[],
            go_on: &[],
        })
    };
    let first = timed(&mut spent, "plan a bootstrap", || planned(&observed.observation));
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
    let observed = asked(Afterwards::Close);
    let second = timed(&mut spent, "plan no change", || planned(&observed.observation));
    assert!(second.is_empty(), "a plan after an apply is empty");
    spent
}

fn main() {
    let sizes = [30, 120, 480];
    let runs: Vec<_> = sizes.iter().map(|hosts| measure(*hosts)).collect();
    print!("{:22}", "microseconds per host");
    sizes.iter().for_each(|hosts| print!("{:>12}", format!("{hosts} hosts")));
    println!();
    for (index, (stage, _)) in runs[0].iter().enumerate() {
        print!("{stage:22}");
        for (hosts, run) in sizes.iter().zip(&runs) {
            print!("{:>12.0}", run[index].1.as_secs_f64() * 1e6 / f64::from(u32::try_from(*hosts).unwrap()));
        }
        println!();
    }
}
