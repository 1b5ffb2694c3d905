//! Backups on a real server: the hosts' own script as it is rendered, to a disk and to a bucket; drills, chains, what is removed, and
//! what a kill leaves.
//!
//! One server on the loopback; the script is told the test's directories in the place of a host's.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};
use std::{fs, thread};

use housewright::apply::{Depth, Tried, Trier};
use housewright::backup::{self, BackupRecord, BackupState, Kind, Trial, Verdict, chain_of, latest};
use housewright::clickhouse::{ClickHouse, Endpoint, HttpClickHouse};
use housewright::lab::{default_cache_dir, local_clickhouse};

use crate::keys::server::Server;

const ROLE: &str = "placement: storage
hostClusterRole: data
include: [backup]
units: [{ name: clickhouse-server }]
clickhouse: { unit: clickhouse-server }
";
/// Enough that a backup of a few megabytes can be killed in the middle.
const BANDWIDTH: u64 = 4_000_000;

struct Host {
    server: Server,
    clickhouse: HttpClickHouse,
    /// What Housewright renders for the host, and the project that it renders.
    project: tempfile::TempDir,
}

impl Host {
    /// A server with the table `ev`, whose backups go to a place.
    fn new(place: &str, bucket: u16) -> Self {
        let config = include_str!("backups/config.xml").replace("{bucket}", &bucket.to_string());
        let server = Server::start_with(&config);
        let endpoint = Endpoint { http_port: server.port(), user: "default".to_owned(), password: None };
        let clickhouse = HttpClickHouse::direct("127.0.0.1", &endpoint, Duration::from_secs(20));
        let host = Self { server, clickhouse, project: tempfile::tempdir().unwrap() };
        host.write("roles/data/role.yml", ROLE);
        host.write("roles/backup/role.yml", include_str!("../../roles/backup/role.yml"));
        let ev = "CREATE TABLE ev (a UInt64, s String) ENGINE = ReplacingMergeTree ORDER BY a;";
        host.write("roles/data/schema/ev.sql", ev);
        symlink(fs::canonicalize("templates").unwrap(), host.project.path().join("templates")).unwrap();
        let inventory = format!(
            "all: {{ children: {{ data: {{ hosts: {{ data-1: {{ shard: 1, replica: a }} }}, vars: {{ hostClusterRole: data, \
             clickhouse_http_port: {}, clickhouse_disks: {{ backups: {{ type: local, path: /b/ }} }}, \
             clickhouse_named_collections: {{ store: {{ url: u }} }}, backup_tables: [ev], \
             backup: {{ {place}, longest_chain: 2, keep_chains: 1, bandwidth: {BANDWIDTH} }} }} }} }} }}",
            host.server.port()
        );
        host.write("inventory/hosts.yml", &inventory);
        let root = host.project.path();
        let rendered = Command::new(env!("CARGO_BIN_EXE_housewright"))
            .args(["render", "--limit", "data-1", "--to"])
            .arg(root.join("out"))
            .arg("-i")
            .arg(root.join("inventory"))
            .output()
            .unwrap();
        assert!(rendered.status.success(), "{}", String::from_utf8_lossy(&rendered.stderr));
        let written = |name: &str| root.join("out/data-1/etc/clickhouse-server").join(name);
        let script = fs::read_to_string(written("housewright-backup.sh")).unwrap();
        let config = host.server.path("etc/config.xml").display().to_string();
        let script = script.replace("/etc/clickhouse-server/config.xml", &config);
        let headers = written("housewright-backup.headers").display().to_string();
        host.write("run/script", &script.replace("/etc/clickhouse-server/housewright-backup.headers", &headers));
        host.clickhouse_on_the_path();
        host.server.sql(ev).unwrap();
        host.insert(0, 50_000);
        host
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.project.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The script calls `clickhouse disks`.
    fn clickhouse_on_the_path(&self) {
        let command = local_clickhouse(&default_cache_dir()).unwrap();
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words: Vec<String> = words.map(|word| format!("'{}'", word.display())).collect();
        let set =
            command.get_envs().filter_map(|(name, value)| Some(format!("{}='{}'", name.display(), value?.display())));
        let text = format!("#!/bin/sh\n{} exec {} \"$@\"\n", set.collect::<Vec<_>>().join(" "), words.join(" "));
        self.write("bin/clickhouse", &text);
        let path = self.project.path().join("bin/clickhouse");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Distinct rows, which no merge takes away.
    fn insert(&self, from: u64, rows: u64) {
        self.server
            .sql(&format!("INSERT INTO ev SELECT number, hex(sipHash128(number)) FROM numbers({from}, {rows})"))
            .unwrap();
    }

    fn script(&self, kind: &str) -> Command {
        let path = format!("{}:{}", self.project.path().join("bin").display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("sh");
        command.arg(self.project.path().join("run/script")).arg(kind);
        command.env("PATH", path).env("RUNTIME_DIRECTORY", self.project.path().join("run"));
        command
    }

    fn run(&self, kind: &str) -> Output {
        // Names have the second in them.
        thread::sleep(Duration::from_millis(1100));
        self.script(kind).output().unwrap()
    }

    /// Runs it, and it must go well.
    fn back_up(&self, kind: &str) {
        let output = self.run(kind);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    async fn records(&self) -> Vec<BackupRecord> {
        backup::read(&self.clickhouse.execute(&backup::ask()).await.unwrap()).unwrap()
    }

    async fn last(&self) -> BackupRecord {
        latest(&self.records().await).unwrap().clone()
    }

    async fn attempt(&self, record: &BackupRecord, depth: Depth) -> Result<Option<Tried>, String> {
        let trier = Trier { clickhouse: &self.clickhouse, limit: Duration::from_secs(60), id: "t" };
        let tried = trier.attempt(&Trial::new("t1", record), record, depth).await;
        let left = "SELECT count() FROM system.databases WHERE name LIKE 'housewright_restore_%'";
        assert_eq!(self.server.sql(left).unwrap(), "0", "the scratch is gone whatever came of it");
        tried
    }

    /// Full, incremental on top of it, and both come back as they were.
    async fn full_and_incremental_come_back(&self) {
        // Where there is no chain, whatever was asked for is a full one.
        self.back_up("incremental");
        self.insert(50_000, 500);
        self.back_up("incremental");
        let records = self.records().await;
        let told: Vec<_> = records.iter().map(|one| (one.kind, one.number, one.state, one.rows_before)).collect();
        let done = BackupState::Done;
        assert_eq!(told, [(Kind::Full, 1, done, 50_000), (Kind::Incremental, 2, done, 50_500)]);
        assert!(records[1].bytes * 5 < records[0].bytes, "it holds what is new alone: {records:?}");
        assert_eq!(chain_of(&records[1], &records).unwrap().len(), 2);

        let tried = self.attempt(&records[1], Depth::Counted).await.unwrap().unwrap();
        assert_eq!((tried.verdict, tried.back.rows), (Verdict::Equal, 50_500));
        let first = self.attempt(&records[0], Depth::Counted).await.unwrap().unwrap();
        assert_eq!((first.verdict, first.back.rows, first.live.rows), (Verdict::AsOfThen, 50_000, 50_500));
        assert_ne!(first.back.checksum, first.live.checksum);
        assert_eq!(self.attempt(&records[1], Depth::Looked).await, Ok(None));
    }
}

fn files_below(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.path().is_dir() { found.extend(files_below(&entry.path())) } else { found.push(entry.path()) }
    }
    found
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(30), "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[tokio::test]
async fn backups_on_a_disk_come_back_and_old_chains_go() {
    let host = Host::new("disk: backups", 1);
    host.full_and_incremental_come_back().await;
    let first = host.last().await;

    // The chain is as long as it may be: the next one is full, and the chain before it is removed.
    host.back_up("incremental");
    let last = host.last().await;
    assert_eq!((last.kind, last.number), (Kind::Full, 1));
    let below = files_below(&host.server.path("disks/a"));
    assert!(below.iter().all(|path| path.to_string_lossy().contains(&last.chain)), "{below:?}");
    let states: Vec<_> = host.records().await.into_iter().map(|one| (one.chain == first.chain, one.state)).collect();
    assert_eq!(states, [(true, BackupState::Deleted), (true, BackupState::Deleted), (false, BackupState::Done)]);

    // A base that somebody removed is found without bringing rows back, and so is one that the record lacks.
    host.back_up("incremental");
    let second = host.last().await;
    assert_eq!(second.base, last.name);
    fs::remove_dir_all(host.server.path("disks/a").join(&last.name)).unwrap();
    for depth in [Depth::Looked, Depth::Counted] {
        let why = host.attempt(&second, depth).await.unwrap_err();
        assert!(why.contains("BACKUP_NOT_FOUND"), "{why}");
    }

    // For real: never beside rows that are there, and never into a table that nobody made.
    host.back_up("full");
    let (whole, trier) =
        (host.last().await, Trier { clickhouse: &host.clickhouse, limit: Duration::from_secs(60), id: "r" });
    let trial = Trial::new("r1", &whole);
    let why = trier.restore_live(&trial, false).await.unwrap_err();
    assert!(why.contains("50500 rows"), "{why}");
    host.server.sql("TRUNCATE TABLE ev").unwrap();
    assert_eq!(trier.restore_live(&trial, false).await.unwrap().rows, 50_500);
    assert_eq!(trier.restore_live(&trial, true).await.unwrap().rows, 101_000);
    host.server.sql("DROP TABLE ev SYNC").unwrap();
    assert!(trier.restore_live(&trial, true).await.unwrap_err().contains("not there"));
    let output = host.run("full");
    assert!(!output.status.success(), "a table that is gone is a run that failed");
    let failed = host.records().await.pop().unwrap();
    assert_eq!((failed.state, failed.complaint.as_str()), (BackupState::Failed, "the table is not there"));
}

#[tokio::test]
async fn a_backup_that_was_killed_is_found_and_the_next_one_is_whole() {
    let mut host = Host::new("disk: backups", 1);
    host.insert(50_000, 800_000);
    let child: Child = host.script("full").spawn().unwrap();
    wait_until("a backup begins", || host.server.sql("SELECT count() FROM system.backups") == Ok("1".to_owned()));
    let running = host.last_of(BackupState::Running).await;
    // Two at a time: neither the script nor, where the script was killed, the server takes the second.
    assert_eq!(host.run("full").status.code(), Some(75));
    host.server.die_and_start();
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success(), "whoever waits for it is told");
    let lost = host.last_of(BackupState::Lost).await;
    assert_eq!(lost.name, running.name);
    let left = files_below(&host.server.path("disks/a").join(&lost.name));
    assert!(left.iter().any(|path| path.ends_with(".lock")), "what it leaves is there: {left:?}");
    host.back_up("incremental");
    let whole = host.last().await;
    assert_eq!(whole.kind, Kind::Full, "nothing builds on what is not whole");
    let tried = host.attempt(&whole, Depth::Counted).await.unwrap().unwrap();
    assert_eq!((tried.verdict, tried.back.rows), (Verdict::Equal, 850_000));
    // It goes with the chains of its time.
    host.back_up("full");
    let left = files_below(&host.server.path("disks/a").join(&lost.name));
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_script_that_was_killed_leaves_its_backup_to_the_server_and_the_next_run_notes_its_end() {
    let host = Host::new("disk: backups", 1);
    host.insert(50_000, 700_000);
    let mut child = host.script("full").spawn().unwrap();
    wait_until("a backup begins", || host.server.sql("SELECT count() FROM system.backups") == Ok("1".to_owned()));
    child.kill().unwrap();
    child.wait().unwrap();
    let running = host.last_of(BackupState::Running).await;
    let output = host.run("full");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("the server takes another backup"), "{said}");
    let created = "SELECT count() FROM system.backups WHERE status = 'BACKUP_CREATED'";
    wait_until("it ends", || host.server.sql(created) == Ok("1".to_owned()));
    host.back_up("incremental");
    let last = host.last().await;
    assert_eq!((last.kind, last.base), (Kind::Incremental, running.name));
}

impl Host {
    async fn last_of(&self, state: BackupState) -> BackupRecord {
        let records = self.records().await;
        records.into_iter().find(|one| one.state == state).unwrap_or_else(|| panic!("none is {state:?}"))
    }
}

#[cfg(feature = "python")]
#[tokio::test]
async fn backups_in_a_bucket_come_back_and_nobody_sees_its_key() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    let mut bucket = Command::new(crate::python::interpreter())
        .arg("tests/live/backups/bucket.py")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(bucket.stdout.take().unwrap()).lines();
    let port = lines.find_map(|line| line.ok()?.strip_prefix("ready ")?.parse().ok()).unwrap();
    let host = Host::new("s3: { collection: store }", port);
    host.full_and_incremental_come_back().await;
    host.server.sql("SYSTEM FLUSH LOGS").unwrap();
    let seen = "SELECT count() FROM system.query_log WHERE query LIKE '%BACKUP%store%'";
    assert_ne!(host.server.sql(seen).unwrap(), "0");
    let shown = "SELECT (SELECT count() FROM system.query_log WHERE position(concat(query, exception), concat('the-secret', '-key')) > 0) \
                 + (SELECT count() FROM system.backups WHERE position(concat(name, base_backup_name, error), concat('the-secret', '-key')) > 0)";
    assert_eq!(host.server.sql(shown).unwrap(), "0");
    let script = fs::read_to_string(host.project.path().join("run/script")).unwrap();
    assert!(script.contains("store") && !script.contains("the-secret"));
    bucket.kill().unwrap();
    bucket.wait().unwrap();
}
