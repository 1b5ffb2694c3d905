//! The disk balancer on a real server with three disks of different sizes: what it chooses, what its query chooses, what it moves.

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use housewright::apply::{Balance, BalanceEnd, ask_layout, balance};
use housewright::balance::{Aim, Course, Layout, Move, Why, next, plan, pools};
use housewright::clickhouse::{Endpoint, HttpClickHouse};
use housewright::event::{Event, Sink};
use housewright::fleet::HostName;
use housewright::lab::{default_cache_dir, local_clickhouse};

use crate::keys::server::Server;

/// Below the server's directory; in megabytes. They are there for the server alone.
const DISKS: [(&str, u32); 3] = [("disks/a", 240), ("disks/b", 120), ("disks/c", 60)];
const AIM: (u8, u64) = (10, u64::MAX);

struct Silent;

impl Sink for Silent {
    fn emit(&self, _: Event) {}
}

struct World {
    server: Server,
    clickhouse: HttpClickHouse,
    runtime: tokio::runtime::Runtime,
}

impl World {
    /// Parts of 1 to 12 MB lie on the first disk, but for two; nothing merges.
    fn new() -> Self {
        let server = Server::start_on(include_str!("balance/config.xml"), &DISKS);
        let endpoint = Endpoint { http_port: server.port(), user: "default".to_owned(), password: None };
        let clickhouse = HttpClickHouse::direct("127.0.0.1", &endpoint, Duration::from_mins(1));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let world = Self { server, clickhouse, runtime };
        for table in ["`a``table`", "other"] {
            let create = "(batch UInt32, id UInt64, text String) ENGINE = MergeTree ORDER BY id";
            let settings = "SETTINGS storage_policy = 'jbod', old_parts_lifetime = 1";
            world.sql(&format!("CREATE TABLE {table} {create} {settings}"));
            world.sql(&format!("SYSTEM STOP MERGES {table}"));
        }
        for batch in 1..=16_u32 {
            let table = if batch % 2 == 0 { "other" } else { "`a``table`" };
            let rows = batch * 7_000;
            world.sql(&format!("INSERT INTO {table} SELECT {batch}, number, randomString(100) FROM numbers({rows})"));
        }
        world.unbalance();
        world
    }

    fn sql(&self, statement: &str) -> String {
        self.server.sql(statement).unwrap_or_else(|error| panic!("{statement}: {error}"))
    }

    /// Everything back to the first disk, but for what is on the second of two small parts.
    fn unbalance(&self) {
        for part in self.layout().parts.iter().filter(|part| part.disk != "a") {
            let table = part.name.table.replace('`', "``");
            self.sql(&format!("ALTER TABLE `{table}` MOVE PART '{}' TO DISK 'a'", part.name.part));
        }
    }

    fn layout(&self) -> Layout {
        self.runtime.block_on(ask_layout(&self.clickhouse)).unwrap()
    }

    /// What the query of the timer answers.
    fn asked(&self, aim: &Aim, course: &Course) -> Option<String> {
        let hashes = |texts: Vec<String>| {
            let all = texts.iter().map(|text| self.sql(&format!("SELECT cityHash64({text})")));
            format!("[{}]", all.collect::<Vec<_>>().join(","))
        };
        let text = |text: &str| format!("'{}'", text.replace('\'', "\\'"));
        let taken =
            course.taken.iter().map(|part| [&part.database, &part.table, &part.part].map(|name| text(name)).join(", "));
        let begun = course.begun.iter().map(|disk| text(disk)).collect();
        let values = [
            ("{begun:Array(UInt64)}", format!("CAST({}, 'Array(UInt64)')", hashes(begun))),
            ("{taken:Array(UInt64)}", format!("CAST({}, 'Array(UInt64)')", hashes(taken.collect()))),
            ("{begin:UInt64}", aim.begin_above.to_string()),
            ("{end:UInt64}", aim.end_at.to_string()),
            ("{bytes:UInt64}", (aim.bytes - course.bytes).to_string()),
            ("{rate:UInt64}", "1000000000".to_owned()),
        ];
        let query = values.iter().fold(query(), |query, (name, value)| query.replace(name, value));
        let answer = self.sql(&format!("{query} FORMAT TSVRaw"));
        Some(answer.split('\t').nth(3)?.to_owned())
    }

    /// Rows and a checksum of what was there from the beginning.
    fn rows(&self) -> String {
        let of = |table| format!("SELECT count() AS rows, sum(cityHash64(*)) AS sum FROM {table} WHERE batch > 0");
        self.sql(&format!("SELECT * FROM ({} UNION ALL {}) ORDER BY rows", of("`a``table`"), of("other")))
    }
}

fn query() -> String {
    let template = include_str!("../../templates/clickhouse/balance.sql.tera");
    let lines = template.lines().filter(|line| !line.starts_with("{#") && !line.contains("{{"));
    lines.collect::<Vec<_>>().join("\n")
}

fn surplus(layout: &Layout) -> u64 {
    let pool = &pools(layout)[0];
    let (used, total) = pool.disks.iter().fold((0, 0), |(used, total), disk| (used + disk.used, total + disk.total));
    pool.disks.iter().map(|disk| disk.used.saturating_sub(disk.total * (used / 1000) / (total / 1000))).sum()
}

#[test]
fn the_timers_query_chooses_what_the_planner_chooses_before_every_move() {
    let world = World::new();
    for aim in [Aim::of_spread(AIM.0, AIM.1), Aim::of_spread(2, 30_000_000)] {
        world.unbalance();
        let (mut course, mut moves) = (Course::default(), 0);
        loop {
            let layout = world.layout();
            let chosen = next(&layout, &aim, &course);
            let statement = |step: &Move| housewright::balance::statement(step, 1_000_000_000).text().to_owned();
            assert_eq!(chosen.as_ref().ok().map(statement), world.asked(&aim, &course), "{course:?}");
            let Ok(step) = chosen else { break };
            world.sql(&statement(&step));
            course.note(&step, step.bytes);
            moves += 1;
        }
        assert!(moves >= 3, "{moves} moves");
    }
}

#[test]
fn three_unequal_disks_are_evened_out_while_rows_come_in() {
    let world = World::new();
    let (before, rows) = (world.layout(), world.rows());
    let aim = Aim::of_spread(AIM.0, AIM.1);
    let planned = plan(&before, &aim);
    let end = AtomicBool::new(false);
    let done = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !end.load(Ordering::Relaxed) {
                world.sql("INSERT INTO other SELECT 0, number, 'new' FROM numbers(100)");
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let run = Balance { aim, rate: 20_000_000, stop: &AtomicBool::new(false), sink: &Silent };
        let host = HostName::new("data-1-a").unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let endpoint = Endpoint { http_port: world.server.port(), user: "default".to_owned(), password: None };
        let clickhouse = HttpClickHouse::direct("127.0.0.1", &endpoint, Duration::from_mins(1));
        let done = runtime.block_on(balance(&host, &clickhouse, &run));
        end.store(true, Ordering::Relaxed);
        done
    });
    let bytes: u64 = done.moved.iter().map(|step| step.bytes).sum();
    eprintln!(
        "spread {} -> {}, {} moves ({} planned) of {bytes} bytes; {} are too much on the first disk",
        planned.before[0].spread,
        done.after[0].spread,
        done.moved.len(),
        planned.moves.len(),
        surplus(&before)
    );
    assert_eq!(done.end, BalanceEnd::Done(Why::Even));
    assert!(planned.before[0].spread > 300_000 && done.after[0].spread <= 50_000, "{:?}", done.after);
    assert!(bytes <= surplus(&before) * 12 / 10);
    let parts: BTreeSet<_> = done.moved.iter().map(|step| &step.part).collect();
    assert_eq!(parts.len(), done.moved.len(), "no part twice");
    assert_eq!(world.rows(), rows);
    assert_eq!(plan(&world.layout(), &aim).moves, []);
}

#[test]
fn the_script_of_the_timer_does_it_alone() {
    let world = World::new();
    let rows = world.rows();
    let directory = tempfile::tempdir().unwrap();
    let here = |name: &str| directory.path().join(name);
    let values = [
        ("{{ managed_by }}", ""),
        ("{{ clickhouse_disk_balancer_spread }}", "10"),
        ("{{ clickhouse_disk_balancer_gigabytes }}", "1"),
        ("{{ clickhouse_disk_balancer_megabytes_per_second }}", "100"),
        ("{{ clickhouse_tcp_port }}", &world.server.free_port(1).to_string()),
    ];
    let template = include_str!("../../templates/clickhouse/balance.sh.tera").to_owned();
    let script = values.iter().fold(template, |text, (name, value)| text.replace(name, value));
    assert!(!script.contains("{{"), "{script}");
    std::fs::write(here("housewright-balance.sh"), script).unwrap();
    std::fs::write(here("housewright-balance.sql"), query()).unwrap();
    let clickhouse = local_clickhouse(&default_cache_dir()).unwrap();
    symlink(clickhouse.get_program(), here("clickhouse-client")).unwrap();
    let run = || {
        let mut command = Command::new("sh");
        for (name, value) in clickhouse.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        let path = format!("{}:{}", directory.path().display(), std::env::var("PATH").unwrap_or_default());
        command.env("PATH", path).env("RUNTIME_DIRECTORY", directory.path());
        let output = command.arg(here("housewright-balance.sh")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let planned = plan(&world.layout(), &Aim::of_spread(10, 1_000_000_000));
    let said = run();
    let moves: Vec<String> =
        planned.moves.iter().map(|step| housewright::balance::statement(step, 100_000_000).text().to_owned()).collect();
    assert_eq!(said.lines().collect::<Vec<_>>(), moves);
    assert!(pools(&world.layout())[0].spread <= 50_000);
    assert_eq!((run(), world.rows()), (String::new(), rows));
}
