//! `observed.yml`: the simulated world of a story.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use housewright::clickhouse::{Head, Statement, read_head, split};
use housewright::fleet::HostName;
use housewright::migration::MigrationId;
use housewright::migration::recording::RECORD_ROWS;
use housewright::plan::{Budget, Part};
use housewright::problem::Source;
use housewright::remote::{EntryKind, RemotePath, UnitName};
use housewright::resource::Detachment;
use housewright::schema::{ObjectName, ObservedObject};
use housewright::sim::{
    Act, Disk, Fate, Registry, SessionLoss, SimFleet, SimGround, SimHost, SimKeeper, SimKernel, SimPackage, SimReplica,
    SimServer,
};
use housewright::transport::{ConnectError, SessionError};
use serde::Deserialize;

/// As EC2 calls the model of an instance's own disks.
const INSTANCE_STORE: &str = "Amazon EC2 NVMe Instance Storage";

/// One file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// `fresh`: as the cloud gives a host. `bare`: as an image with ClickHouse leaves it. `converged`: as Housewright leaves it.
    state: Option<State>,
    /// Serial numbers of an instance's own disks, by host; there before anything else.
    #[serde(default)]
    disks: BTreeMap<HostName, Vec<String>>,
    /// Files of the inventory as they were when Housewright made the converged hosts.
    #[serde(default)]
    inventory_then: BTreeMap<String, String>,
    /// Text that was at the end of a role's `role.yml` then.
    #[serde(default)]
    roles_then: BTreeMap<String, String>,
    /// SQL files below `roles/` as they were then.
    #[serde(default)]
    schema_then: BTreeMap<String, String>,
    /// SQL files below `roles/` that are there now, and were not then.
    #[serde(default)]
    schema_now: BTreeMap<String, String>,
    /// `[text, other text]` of a template then.
    #[serde(default)]
    templates_then: BTreeMap<String, (String, String)>,
    /// Text that is at the end of a role's `role.yml` now, and was not then.
    #[serde(default)]
    roles_now: BTreeMap<String, String>,
    /// What is otherwise on some hosts.
    #[serde(default)]
    hosts: BTreeMap<HostName, Facts>,
    /// What happens between the plan and the run.
    #[serde(default)]
    after_the_plan: BTreeMap<HostName, Facts>,
    /// What happens right before a statement with this text.
    #[serde(default)]
    right_before: BTreeMap<String, BTreeMap<HostName, Facts>>,
    /// `--allow`.
    #[serde(default)]
    pub allow: Vec<String>,
    /// `--allow-destroy`.
    #[serde(default)]
    pub allow_destroy: Vec<String>,
    /// `--migration`.
    #[serde(default)]
    pub migration: Vec<String>,
    /// So many keepers that follow are not as far as their leader, from the run on.
    #[serde(default)]
    lagging: usize,
    /// A command with this text fails on the machine that runs Housewright.
    here_fails: Option<String>,
    /// `--limit`.
    pub limit: Option<String>,
    /// `--only`.
    pub only: Option<Part>,
    /// `--serial`, `--canary`, `--max-unavailable`, `--max-failures`, as a saved plan has them.
    #[serde(default)]
    pub budget: Budget,
    /// `restart` instead of `apply`.
    #[serde(default)]
    pub restart: bool,
}

#[derive(Debug, Deserialize, PartialEq, Eq, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum State {
    Fresh,
    Bare,
    Converged,
}

/// What is on a host, where it is not as the state says.
#[derive(Debug, Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Facts {
    state: Option<State>,
    /// Installed packages: `[version, held]`.
    #[serde(default)]
    packages: BTreeMap<String, (String, bool)>,
    /// Versions that the repositories have.
    #[serde(default)]
    offers: BTreeMap<String, BTreeSet<String>>,
    /// Values of the kernel's settings.
    #[serde(default)]
    sysctl: BTreeMap<String, String>,
    /// Files below /sys, as they are read.
    #[serde(default)]
    kernel_files: BTreeMap<String, String>,
    /// Swap that is on.
    #[serde(default)]
    swap: BTreeSet<String>,
    /// Swap that a line of /etc/fstab turns on at boot.
    #[serde(default)]
    fstab: BTreeSet<String>,
    /// Services that keep a clock: `running`, `stopped`, `masked` or `not-found`.
    #[serde(default)]
    clock: BTreeMap<String, String>,
    /// Whether the clock is right.
    synchronised: Option<bool>,
    /// The kind of container that the host is.
    container: Option<String>,
    /// Signatures on disks, by serial number.
    #[serde(default)]
    signatures: BTreeMap<String, String>,
    /// The instance was stopped and started: its own disks are empty, and what needed them does not run.
    #[serde(default)]
    stopped: bool,
    /// Users that are not there.
    #[serde(default)]
    no_users: Vec<String>,
    /// Work with this text fails.
    work_fails: Option<String>,
    /// Text of files; null removes one.
    #[serde(default)]
    files: BTreeMap<RemotePath, Option<String>>,
    /// `[text, other text]` in a file.
    #[serde(default)]
    replaced: BTreeMap<RemotePath, (String, String)>,
    /// Links that stand where something else stood.
    #[serde(default)]
    links: Vec<RemotePath>,
    /// `running`, `stopped`, `masked` or `not-found`.
    #[serde(default)]
    units: BTreeMap<UnitName, String>,
    /// Whether ClickHouse answers.
    answers: Option<bool>,
    /// Macros that its server still has, whatever its files say.
    #[serde(default)]
    macros: BTreeMap<String, String>,
    /// Tables that take no writes.
    readonly: Option<u64>,
    /// Statements of tables; null drops one.
    #[serde(default)]
    tables: BTreeMap<String, Option<String>>,
    /// Parts of its replicas, as the coordination has them.
    #[serde(default)]
    parts: BTreeMap<String, BTreeSet<String>>,
    /// Somebody else has the sessions of its replicas.
    session_taken: Option<bool>,
    /// How far behind its peers it is, in seconds.
    delay: Option<u64>,
    /// Parts of each of its tables that it has given up.
    lost: Option<u64>,
    /// What its server had is gone, and it runs.
    emptied: Option<bool>,
    /// Rows and bytes of tables.
    #[serde(default)]
    rows: BTreeMap<String, (u64, u64)>,
    /// Mutations of tables that are not done.
    #[serde(default)]
    mutations: BTreeMap<String, u64>,
    /// How many looks it takes its replicas to follow another.
    lags: Option<u64>,
    /// Statements that its replicas were told and it has not followed yet, each for so many looks.
    #[serde(default)]
    behind: Vec<(u64, String)>,
    /// So many statements about replicated tables lose the session with the coordination; whether they took hold.
    session_loss: Option<(u32, bool)>,
    /// Its record of these tables is gone.
    #[serde(default)]
    unrecorded: Vec<String>,
    /// A run ended between the making of these tables and the end of their record.
    #[serde(default)]
    begun: Vec<String>,
    /// How the last statement of a migration ended that a run was killed in: `unknown`, `running`, `finished`, `refused`, else its complaint.
    #[serde(default)]
    interrupted: BTreeMap<String, String>,
    /// A statement that is run once and holds the first text fails in the middle, with the second as complaint.
    fails: Option<(String, String)>,
    /// What its server complains of when it reloads, while it answers that all is well.
    complains: Option<(String, String)>,
    /// Errors about data since its start.
    #[serde(default)]
    errors: BTreeMap<String, String>,
    /// How many looks find tables that are still to be loaded.
    loading: Option<u64>,
    /// How long each running query takes, in seconds.
    #[serde(default)]
    queries: Vec<u64>,
    /// Tables that somebody detached for good.
    #[serde(default)]
    detached: Vec<String>,
    /// Files that a Distributed table has not sent yet.
    #[serde(default)]
    spooled: BTreeMap<String, u64>,
    /// A shard does not take what is sent.
    stuck: Option<bool>,
    /// What the views write to takes no rows.
    refuses_rows: Option<bool>,
    /// `unreachable`, `unknown-host-key`, `changed-host-key` or `authentication`.
    connect: Option<String>,
    /// `full` or `read-only`.
    disk: Option<String>,
    /// What systemd says when a unit does not start.
    start_fails: Option<String>,
    /// A start fails where a file holds the first text; systemd says the second.
    start_refuses: Option<(String, String)>,
    /// Statements with this text are refused.
    refuses: Option<String>,
    /// Commands of the operator's with this text fail on the host.
    hook_fails: Option<String>,
    /// What it answers to questions with the first text, for so many looks.
    #[serde(default)]
    asked: Vec<(String, String, u64)>,
    /// The connection breaks after so many commands of the next batch.
    lost_after: Option<usize>,
    /// And nobody gets through any more.
    #[serde(default)]
    lost_for_good: bool,
    /// Every batch ends so.
    batch_fails: Option<String>,
}

impl Story {
    /// Hosts as the cloud gives them, where the story begins so.
    pub fn begin(&self, sim: &SimFleet) {
        if self.state == Some(State::Fresh) {
            sim.with(|world| world.hosts.values_mut().for_each(|host| *host = SimHost::fresh()));
        }
        for (name, serials) in &self.disks {
            let add = |host: &mut SimHost| {
                for (index, serial) in serials.iter().enumerate() {
                    host.ground.devices.add(&format!("nvme{}n1", index + 1), serial, INSTANCE_STORE, 7 << 40);
                }
            };
            sim.with_host(name, add).unwrap_or_else(|| panic!("no host `{name}`"));
        }
    }

    pub fn converged(&self) -> bool {
        self.state == Some(State::Converged)
    }

    /// The inventory of then, in a directory of its own.
    pub fn inventory_then(&self, now: &Path) -> std::io::Result<tempfile::TempDir> {
        let then = tempfile::tempdir()?;
        copy(now, then.path())?;
        for (name, text) in &self.inventory_then {
            fs::write(then.path().join(name), text)?;
        }
        Ok(then)
    }

    /// The roles of then, in a directory of their own.
    pub fn roles_then(&self, now: &Path) -> std::io::Result<tempfile::TempDir> {
        let then = with_more(now, &self.roles_then)?;
        put_files(then.path(), &self.schema_then)?;
        Ok(then)
    }

    /// The roles of now, in a directory of their own where they are other ones.
    pub fn roles_now(&self, own: &Path) -> std::io::Result<Option<tempfile::TempDir>> {
        if self.roles_now.is_empty() && self.schema_now.is_empty() {
            return Ok(None);
        }
        let roles = with_more(own, &self.roles_now)?;
        put_files(roles.path(), &self.schema_now)?;
        Ok(Some(roles))
    }

    /// The templates of then, in a directory of their own.
    pub fn templates_then(&self, now: &Path) -> datatest_stable::Result<tempfile::TempDir> {
        let then = tempfile::tempdir()?;
        copy(now, then.path())?;
        for (name, (text, other)) in &self.templates_then {
            let path = then.path().join(name);
            let now = fs::read_to_string(&path)?;
            if !now.contains(text) {
                return Err(format!("`{name}` does not hold: {text}").into());
            }
            fs::write(&path, now.replace(text, other))?;
        }
        Ok(then)
    }

    /// Puts what the story says on the hosts.
    pub fn found(&self, sim: &SimFleet) -> datatest_stable::Result<()> {
        let before = self.right_before.values().flat_map(BTreeMap::keys);
        for name in self.hosts.keys().chain(self.after_the_plan.keys()).chain(before) {
            if sim.with_host(name, |_| ()).is_none() {
                return Err(format!("observed.yml speaks of `{name}`, which is not in the inventory").into());
            }
        }
        put(&self.hosts, sim);
        Ok(())
    }

    /// Does what happens after the plan.
    pub fn strike(&self, sim: &SimFleet) {
        sim.with(|world| {
            world.here_fails.clone_from(&self.here_fails);
            world.lagging = self.lagging;
        });
        put(&self.after_the_plan, sim);
        let mut left = self.right_before.clone();
        let strikes = move |host: &HostName, act: Act<'_>, hosts: &mut BTreeMap<HostName, SimHost>| {
            let Act::Statement(statement) = act else { return };
            for (_, facts) in left.iter_mut().filter(|(text, _)| statement.text().contains(text.as_str())) {
                if let (Some(facts), Some(sim)) = (facts.remove(host), hosts.get_mut(host)) {
                    facts.put(host, sim);
                }
            }
        };
        sim.with(|world| world.fate = Fate::new(strikes));
    }
}

/// Roles with more text at the end of some.
fn with_more(roles: &Path, more: &BTreeMap<String, String>) -> std::io::Result<tempfile::TempDir> {
    let with = tempfile::tempdir()?;
    copy(roles, with.path())?;
    for (role, text) in more {
        let path = with.path().join(role).join("role.yml");
        fs::write(&path, joined(&fs::read_to_string(&path)?, text))?;
    }
    Ok(with)
}

/// A role with more text: what stands below a key of its own goes below that key.
fn joined(role: &str, more: &str) -> String {
    let mut lines: Vec<&str> = role.lines().collect();
    let mut at = lines.len();
    for line in more.lines() {
        let is_key = !line.starts_with([' ', '-', '#']) && line.ends_with(':');
        match lines.iter().position(|own| is_key && *own == line) {
            Some(own) => at = own + 1,
            None => {
                at = if is_key { lines.len() } else { at };
                lines.insert(at, line);
                at += 1;
            }
        }
    }
    lines.join("\n") + "\n"
}

fn put_files(directory: &Path, files: &BTreeMap<String, String>) -> std::io::Result<()> {
    for (name, text) in files {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap())?;
        fs::write(path, text)?;
    }
    Ok(())
}

fn put(hosts: &BTreeMap<HostName, Facts>, sim: &SimFleet) {
    for (name, facts) in hosts {
        sim.with_host(name, |host| facts.put(name, host));
        sim.with(|world| facts.register(name, &mut world.registry));
    }
}

impl Facts {
    /// What somebody dropped is in the coordination no more; and what the story says of what is.
    fn register(&self, name: &HostName, registry: &mut Registry) {
        let dropped: BTreeSet<ObjectName> = self
            .tables
            .iter()
            .filter(|(_, text)| text.is_none())
            .map(|(name, _)| ObjectName::relation(None, name))
            .collect();
        let is_of = |replica: &SimReplica| replica.host.as_ref() == Some(name);
        registry.retain(|_, replica| {
            !is_of(replica) || replica.table.as_ref().is_none_or(|table| !dropped.contains(table))
        });
        for (table, parts) in &self.parts {
            let table = Some(ObjectName::relation(None, table));
            let replica = registry.values_mut().find(|replica| is_of(replica) && replica.table == table);
            replica
                .unwrap_or_else(|| panic!("no replica of {table:?} on `{name}`"))
                .parts
                .extend(parts.iter().cloned());
        }
        for replica in registry.values_mut().filter(|replica| is_of(replica)) {
            replica.taken = self.session_taken.unwrap_or(replica.taken);
        }
    }

    fn put(&self, name: &HostName, host: &mut SimHost) {
        match self.state {
            Some(State::Fresh) => *host = SimHost::fresh(),
            Some(State::Bare) => *host = SimHost::bare(),
            Some(State::Converged) | None => {}
        }
        self.ground(&mut host.ground);
        host.users.retain(|user| !self.no_users.contains(user));
        for (path, text) in &self.files {
            match text {
                Some(text) => set(host, path, text),
                None => {
                    host.entries.remove(path);
                }
            }
        }
        for (path, (from, to)) in &self.replaced {
            let text = host.text(path).unwrap_or_default();
            assert!(text.contains(from.as_str()), "`{from}` is not in `{path}` on `{name}`");
            set(host, path, &text.replace(from.as_str(), to));
        }
        for path in &self.links {
            if let Some(entry) = host.entries.get_mut(path) {
                entry.kind = EntryKind::Other;
            }
        }
        for (unit, state) in &self.units {
            if state == "not-found" {
                host.units.remove(unit);
            } else {
                let unit = host.units.entry(unit.clone()).or_default();
                (unit.running, unit.masked) = (state == "running", state == "masked");
            }
            if let Some(server) = host.server.as_mut().filter(|server| server.unit == *unit) {
                server.up = state == "running";
            }
        }
        host.disk = match self.disk.as_deref() {
            Some("full") => Disk::Full,
            Some("read-only") => Disk::ReadOnly,
            Some(other) => panic!("no disk is `{other}`"),
            None => host.disk,
        };
        for unit in host.units.values_mut() {
            unit.start_fails = self.start_fails.clone().or(unit.start_fails.take());
            unit.start_refuses = self.start_refuses.clone().or(unit.start_refuses.take());
        }
        host.refuses = self.connect.as_deref().map(|how| refusal(name, how)).or(host.refuses.take());
        host.lost_after = self.lost_after.or(host.lost_after);
        host.lost_for_good |= self.lost_for_good;
        host.hook_fails = self.hook_fails.clone().or(host.hook_fails.take());
        host.batch_fails = self.batch_fails.clone().map(SessionError::Lost).or(host.batch_fails.take());
        if self.stopped {
            host.ground.devices.stop_and_start(INSTANCE_STORE);
            host.units.values_mut().for_each(|unit| unit.running = false);
            if let Some(server) = &mut host.server {
                server.up = false;
                server.lose_everything();
            }
        }
        self.server(name, host);
    }

    fn ground(&self, ground: &mut SimGround) {
        let package = |(name, (version, held)): (&String, &(String, bool))| {
            (name.clone(), SimPackage { version: version.clone(), held: *held, half: false })
        };
        ground.packages.extend(self.packages.iter().map(package));
        for block in ground.devices.blocks.values_mut() {
            let kind = self.signatures.get(&block.serial).cloned();
            block.signatures.extend(kind.map(|kind| (kind, "old".to_owned(), String::new())));
        }
        ground.offers.extend(self.offers.clone());
        self.kernel(&mut ground.kernel);
        ground.work_fails = self.work_fails.clone().or(ground.work_fails.take());
    }

    fn kernel(&self, kernel: &mut SimKernel) {
        kernel.sysctl.extend(self.sysctl.clone());
        kernel.files.extend(self.kernel_files.clone());
        kernel.swap.extend(self.swap.clone());
        kernel.fstab.extend(self.fstab.clone());
        kernel.synchronized = self.synchronised.unwrap_or(kernel.synchronized);
        kernel.container = self.container.clone().or(kernel.container.take());
        for (unit, state) in &self.clock {
            if state == "not-found" {
                kernel.keepers.remove(unit);
                continue;
            }
            let running = state == "running";
            let keeper = SimKeeper { enabled: running, running, masked: state == "masked" };
            kernel.keepers.insert(unit.clone(), keeper);
        }
    }

    fn server(&self, name: &HostName, host: &mut SimHost) {
        let Some(server) = &mut host.server else { return };
        server.up = self.answers.unwrap_or(server.up);
        server.loaded.macros.extend(self.macros.clone());
        server.readonly = self.readonly.unwrap_or(server.readonly);
        server.delay = self.delay.unwrap_or(server.delay);
        server.lost = self.lost.unwrap_or(server.lost);
        if self.emptied == Some(true) {
            server.lose_everything();
        }
        server.refuses = self.refuses.clone().or(server.refuses.take());
        server.health.complains = self.complains.clone().or(server.health.complains.take());
        server.health.asked.extend(self.asked.clone());
        server.health.errors.extend(self.errors.clone());
        server.health.loading = self.loading.unwrap_or(server.health.loading);
        let end = |seconds: &u64| tokio::time::Instant::now() + std::time::Duration::from_secs(*seconds);
        server.health.queries.extend(self.queries.iter().map(end));
        for name in self.detached.iter().map(|name| ObjectName::relation(None, name)) {
            let at = server.objects.iter().position(|object| object.name == name);
            let table = at.map(|at| server.objects.remove(at)).unwrap_or_else(|| panic!("no table {name} to detach"));
            server.flow.detached.push((table, Detachment::ForGood));
        }
        for (name, files) in &self.spooled {
            server.flow.spooled.insert(ObjectName::relation(None, name), *files);
        }
        let named = |name: &String| ObjectName::relation(None, name);
        server.rows.extend(self.rows.iter().map(|(name, held)| (named(name), *held)));
        server.mutations.extend(self.mutations.iter().map(|(name, count)| (named(name), *count)));
        server.lags = self.lags.unwrap_or(server.lags);
        server.behind.extend(self.behind.iter().map(|(looks, text)| (*looks, Statement::new(text.clone()))));
        server.session_loss =
            self.session_loss.map(|(statements, done)| SessionLoss { statements, done }).or(server.session_loss);
        for name in &self.unrecorded {
            server.records.remove(&named(name)).unwrap_or_else(|| panic!("no record of {name}"));
        }
        for name in &self.begun {
            server.records.get_mut(&named(name)).unwrap_or_else(|| panic!("no record of {name}")).live.clear();
        }
        for (id, how) in &self.interrupted {
            interrupt(name, server, id, how);
        }
        server.errands.fails = self.fails.clone().or(server.errands.fails.take());
        server.flow.refuses_rows = self.refuses_rows.unwrap_or(server.flow.refuses_rows);
        server.flow.stuck = self.stuck.unwrap_or(server.flow.stuck);
        for (name, statement) in &self.tables {
            let name = ObjectName::relation(None, name);
            let old = server.objects.iter().position(|object| object.name == name).map(|at| server.objects.remove(at));
            if let Some(create_query) = statement.clone() {
                let engine = old.map_or_else(|| engine_of(&create_query), |old| old.engine);
                server.objects.push(ObservedObject { name, engine, create_query });
            }
        }
    }
}

/// A run was killed while the last statement ran: that is what the hosts have on record.
fn interrupt(host: &HostName, server: &mut SimServer, id: &str, how: &str) {
    let id: MigrationId = id.parse().unwrap();
    let row = server.migrations.get_mut(&(id.role.to_string(), u64::from(id.number))).expect("a record of it");
    let cell = |name: &str| RECORD_ROWS.iter().position(|column| *column == name).unwrap();
    let runs_it = row[cell("host")] == host.as_str();
    let all = row[cell("statements")].as_u64().unwrap();
    row[cell("state")] = "begun".into();
    row[cell("done")] = if runs_it { all - 1 } else { 0 }.into();
    let told = server.errands.told.last_mut().filter(|_| runs_it);
    row[cell("query")] = told.as_ref().map_or("", |told| told.query_id.as_str()).into();
    let Some(told) = told else { return };
    match how {
        "unknown" => server.errands.forgets = true,
        "running" => told.left = 9,
        "finished" => {}
        "refused" => told.ended = "ExceptionBeforeStart",
        complaint => (told.ended, told.complaint) = ("ExceptionWhileProcessing", complaint.to_owned()),
    }
}

/// The engine that a statement names.
fn engine_of(statement: &str) -> String {
    let source = Arc::new(Source { name: String::new(), text: statement.to_owned() });
    match split(&source).first().map(read_head) {
        Some(Head::Create(create)) => create.engine.map(|engine| engine.name).unwrap_or_default(),
        _ => String::new(),
    }
}

/// Another text in a file, or a new file of root.
fn set(host: &mut SimHost, path: &RemotePath, text: &str) {
    match host.entries.get_mut(path) {
        Some(entry) => entry.kind = EntryKind::File(text.to_owned().into()),
        None => host.put_file(path.as_str(), text),
    }
}

fn refusal(name: &HostName, how: &str) -> ConnectError {
    let address = name.to_string();
    let fingerprint = "SHA256:u3qVhBYJ1jSPlYHbMV0zPmLTFTzhYtVpvR6N0OYZzzA".to_owned();
    let known_hosts = || "/home/me/.ssh/known_hosts".to_owned();
    match how {
        "unreachable" => ConnectError::Unreachable { address, port: 22, reason: "connection timed out".to_owned() },
        "unknown-host-key" => {
            ConnectError::UnknownHostKey { address, port: 22, fingerprint, known_hosts: known_hosts() }
        }
        "changed-host-key" => {
            ConnectError::ChangedHostKey { address, fingerprint, known_hosts: known_hosts(), line: 7 }
        }
        "authentication" => {
            let (user, reason) = ("deploy".to_owned(), "no key was accepted".to_owned());
            ConnectError::Authentication { address, user, reason }
        }
        other => panic!("nobody refuses by `{other}`"),
    }
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)?
        } else {
            fs::copy(entry.path(), target).map(|_| ())?
        }
    }
    Ok(())
}
