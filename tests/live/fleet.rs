//! The lab fleet as the tests see it: a copy of the project that they may change, the program, and a way onto each host
//! that is not the program's.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;

const HOUSEWRIGHT: &str = env!("CARGO_BIN_EXE_housewright");
const STATE: &str = "/var/lib/housewright-lab";

/// Every host of the lab with a `ClickHouse` server.
pub const SERVERS: [&str; 8] = [
    "data-1-1",
    "data-1-2",
    "data-2-1",
    "data-2-2",
    "ingestion-events-1",
    "ingestion-medium-1",
    "ingestion-small-1",
    "shufflehog-1",
];
pub const DATA: [&str; 4] = ["data-1-1", "data-1-2", "data-2-1", "data-2-2"];

/// Waits for the machine's one lab; held as long as it is used.
pub fn turn() -> File {
    let path = std::env::temp_dir().join("housewright-live.lock");
    let file = File::options().create(true).append(true).open(&path).expect("the live tier needs a lock file");
    file.lock().expect("the live tier needs its turn");
    file
}

/// A lab that is up, for one test.
pub struct Fleet {
    directory: tempfile::TempDir,
    down: bool,
    started: Instant,
    /// How long a gate may stay shut, in seconds.
    patience: &'static str,
    _turn: File,
}

/// What a run of the program answered.
#[derive(Debug)]
pub struct Run {
    /// Nothing where a signal ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Run {
    /// Both streams.
    pub fn text(&self) -> String {
        format!("{}{}", self.err, self.out)
    }

    #[track_caller]
    pub fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "\n{}", self.text());
        self
    }

    /// Each of the words is said somewhere.
    #[track_caller]
    pub fn says<const N: usize>(&self, words: [&str; N]) -> &Self {
        for word in words {
            assert!(self.text().contains(word), "`{word}` is not in:\n{}", self.text());
        }
        self
    }

    #[track_caller]
    pub fn never_says<const N: usize>(&self, words: [&str; N]) -> &Self {
        for word in words {
            assert!(!self.text().contains(word), "`{word}` is in:\n{}", self.text());
        }
        self
    }

    /// One line says all of this, and the next one is a hint with that.
    #[track_caller]
    pub fn explains<const N: usize>(&self, words: [&str; N], hint: &str) -> &Self {
        let lines: Vec<_> = self.err.lines().collect();
        let found = lines.iter().position(|line| words.iter().all(|word| line.contains(word)));
        let found = found.unwrap_or_else(|| panic!("no line has all of {words:?} in:\n{}", self.text()));
        let next = lines.get(found + 1).copied().unwrap_or_default();
        assert!(
            next.contains("hint:") && next.contains(hint),
            "no hint with `{hint}` after {words:?}:\n{}",
            self.text()
        );
        self
    }
}

impl Fleet {
    /// Boots the lab of `inventories/lab`; its hosts are bare.
    pub fn up() -> Self {
        let turn = turn();
        let directory = tempfile::tempdir().expect("a directory for the project");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for part in ["inventories", "roles", "templates"] {
            copy(&root.join(part), &directory.path().join(part));
        }
        let mut fleet = Self { directory, down: true, started: Instant::now(), patience: "20", _turn: turn };
        let status: Value =
            serde_json::from_str(&fleet.run(&["lab", "status", "-o", "json"]).exits(0).out).expect("JSON");
        assert_eq!(
            status["lab"], "down",
            "a lab is up that these tests did not start; take it away with `housewright lab down`, then run them again"
        );
        fleet.down = false;
        fleet.run(&["lab", "up", "-i", "inventories/lab"]).exits(0);
        fleet
    }

    /// Boots the lab and provisions it.
    pub fn provisioned() -> Self {
        let fleet = Self::up();
        fleet.apply(&[]).exits(0);
        fleet
    }

    /// Gates may stay shut as long as a consumer group takes to notice the dead: the broker gives out no partition before.
    pub fn patient(mut self) -> Self {
        self.patience = "100";
        self
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        println!("{:6.1} s  housewright {}", self.started.elapsed().as_secs_f32(), arguments.join(" "));
        let mut command = Command::new(HOUSEWRIGHT);
        command.args(arguments).current_dir(self.directory.path()).env_remove("HOUSEWRIGHT_LAB_DIR");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output().expect("the program starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        Run { code: output.status.code(), out, err }
    }

    pub fn plan(&self, options: &[&str]) -> Run {
        self.run(&[&["plan", "-i", "inventories/lab", "--detailed-exitcode"], options].concat())
    }

    pub fn apply(&self, options: &[&str]) -> Run {
        self.run(&[&["apply", "-i", "inventories/lab", "--yes", "--gate-timeout", self.patience], options].concat())
    }

    /// Applies until the hosts are as desired, and proves it with a plan.
    #[track_caller]
    pub fn converges(&self) {
        self.apply(&[]).exits(0);
        self.plan(&[]).exits(0).says(["nothing to do"]);
    }

    /// Starts an apply in the background.
    pub fn start_apply(&self, options: &[&str]) -> Running {
        let arguments =
            [&["apply", "-i", "inventories/lab", "--yes", "--gate-timeout", self.patience], options].concat();
        let mut child = self.command(&arguments).spawn().expect("the program starts");
        let (sender, lines) = mpsc::channel();
        let err = child.stderr.take().expect("stderr");
        std::thread::spawn(move || {
            for line in BufReader::new(err).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Running { child, lines, err: String::new() }
    }

    /// Runs a shell script on a host as root, past the program.
    #[track_caller]
    pub fn on(&self, host: &str, script: &str) -> String {
        let output = ssh(host, script);
        assert!(output.0, "on {host}: {script}: {}", output.2);
        output.1.trim().to_owned()
    }

    /// Powers a host off; the connection on which it is told so may break.
    pub fn power_off(&self, host: &str) {
        ssh(host, "systemctl poweroff --force");
        eventually(
            "the host is off",
            || self.run(&["lab", "status"]).out,
            |out| out.lines().any(|line| line.contains(host) && line.ends_with("down")),
        );
    }

    /// Puts a full disk in the place of a host's directory, with the same files.
    #[track_caller]
    pub fn fill(&self, host: &str, directory: &str) {
        self.on(
            host,
            &format!(
                "cp -a {directory} /root/kept; mount -t tmpfs -o size=96k,uid=clickhouse,gid=clickhouse,mode=750 full {directory}; \
                 cp -a /root/kept/. {directory}; dd if=/dev/zero of={directory}/filler bs=4k 2>/dev/null; true"
            ),
        );
    }

    /// Asks a host's `ClickHouse`, past the program.
    #[track_caller]
    pub fn sql(&self, host: &str, statement: &str) -> String {
        match ask(host, statement) {
            Ok((200, text)) => text.trim().to_owned(),
            other => panic!("on {host}: {statement}: {other:?}"),
        }
    }

    /// Adds text to a file of the project.
    pub fn append(&self, below: &str, text: &str) {
        let path = self.path(below);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        let mut file = File::options().create(true).append(true).open(path).expect("a file of the project");
        file.write_all(text.as_bytes()).expect("it takes the text");
    }

    /// Changes a file of the project.
    #[track_caller]
    pub fn edit(&self, below: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path(below)).expect("a file of the project");
        assert!(text.contains(from), "`{from}` is not in {below}");
        std::fs::write(self.path(below), text.replace(from, to)).expect("it takes the text");
    }

    /// Changes one macro of every server, which costs a reload.
    pub fn set_macro(&self, value: &str) {
        let vars = "inventories/lab/group_vars/clickhouse.yml";
        std::fs::write(self.path(vars), format!("clickhouse_macros: {{live: {value}}}\n")).expect("it takes the text");
    }

    /// What a host's server says of that macro.
    #[track_caller]
    pub fn read_macro(&self, host: &str) -> String {
        self.sql(host, "SELECT substitution FROM system.macros WHERE macro = 'live'")
    }

    /// The main process of a host's server: another one after each restart.
    #[track_caller]
    pub fn pid(&self, host: &str) -> String {
        self.on(host, "systemctl show -P MainPID clickhouse-server")
    }

    /// No file of the host is half-written, and no staging is left.
    #[track_caller]
    pub fn nothing_is_half_written(&self, host: &str) {
        let script = "find /etc -name '.housewright*'; for f in /etc/clickhouse-server/*.d/*.xml; do \
                      tail -n 1 $f | grep -q '</clickhouse>' || echo $f is cut; done";
        assert_eq!(self.on(host, script), "", "on {host}");
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if !self.down {
            let run = self.run(&["lab", "down"]);
            if !std::thread::panicking() {
                run.exits(0);
            }
        }
    }
}

/// An apply in the background.
pub struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
    err: String,
}

impl Running {
    /// Waits for a line.
    #[track_caller]
    pub fn wait_for(&mut self, word: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let line = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now()));
            let line = line.unwrap_or_else(|_| panic!("it never said `{word}`:\n{}", self.err));
            self.err += &format!("{line}\n");
            if line.contains(word) {
                return;
            }
        }
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().expect("kill").success());
    }

    pub fn end(mut self) -> Run {
        let mut out = String::new();
        if let Some(mut stdout) = self.child.stdout.take() {
            stdout.read_to_string(&mut out).expect("text");
        }
        let status = self.child.wait().expect("it ends");
        self.err.extend(self.lines.iter().map(|line| line + "\n"));
        Run { code: status.code(), out, err: self.err }
    }
}

/// Looks until what it sees is right, and tells what it saw last where that never comes. The time is that of the slowest
/// case: a consumer that misses its group's first rebalance waits for the broker to forget it, 60 s with `ClickHouse`'s
/// `session.timeout.ms`.
#[track_caller]
pub fn eventually<S: std::fmt::Debug>(what: &str, look: impl Fn() -> S, right: impl Fn(&S) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let seen = look();
        if right(&seen) {
            return;
        }
        assert!(Instant::now() < deadline, "not after 120 s: {what}; seen last: {seen:#?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Does the same for many hosts at a time.
pub fn each<'a, T: Send>(hosts: &[&'a str], what: impl Fn(&'a str) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = hosts.iter().map(|host| scope.spawn(|| what(host))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// Sends a statement over HTTP from inside the lab's network; the status and the text.
fn ask(host: &str, statement: &str) -> std::io::Result<(u16, String)> {
    let address = address_of(host);
    let inside = || {
        housewright::lab::enter_namespace("hwlab").map_err(std::io::Error::other)?;
        let mut stream = TcpStream::connect_timeout(&SocketAddr::from((address, 8123)), Duration::from_secs(5))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let length = statement.len();
        write!(stream, "POST / HTTP/1.0\r\nContent-Length: {length}\r\n\r\n{statement}")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        Ok((head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_default(), body.to_owned()))
    };
    std::thread::scope(|scope| scope.spawn(inside).join().expect("no panic"))
}

/// As `inventories/lab/hosts.yml` says.
pub fn address_of(host: &str) -> [u8; 4] {
    match host {
        "data-1-1" => [10, 77, 1, 11],
        "data-1-2" => [10, 77, 1, 12],
        "data-2-1" => [10, 77, 1, 21],
        "data-2-2" => [10, 77, 1, 22],
        "ingestion-small-1" => [10, 77, 2, 11],
        "ingestion-medium-1" => [10, 77, 2, 21],
        "ingestion-events-1" => [10, 77, 2, 31],
        "shufflehog-1" => [10, 77, 2, 41],
        other => panic!("no server on {other}"),
    }
}

/// Runs `ip` in the network namespace of a host.
pub fn ip(host: &str, words: &[&str]) {
    let namespace = format!("hwlab-{host}");
    let status = Command::new("ip").args(["-n", &namespace]).args(words).status().expect("ip");
    assert!(status.success(), "ip -n {namespace} {words:?}");
}

fn ssh(host: &str, script: &str) -> (bool, String, String) {
    let output = Command::new("ip")
        .args(["netns", "exec", "hwlab", "ssh", "-F", &format!("{STATE}/ssh/config"), &format!("root@{host}"), script])
        .stdin(Stdio::null())
        .output()
        .expect("ssh");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("the project") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
