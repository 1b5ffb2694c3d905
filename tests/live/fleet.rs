//! The lab fleet as the tests see it: a copy of the project that they may change, the program, and a way onto each host
//! that is not the program's.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Deref;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::desk::Desk;

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
    desk: Desk,
    directory: tempfile::TempDir,
    down: bool,
    _turn: File,
}

impl Deref for Fleet {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.desk
    }
}

impl Fleet {
    /// Boots the lab of `inventories/lab`; its hosts are bare.
    pub fn up() -> Self {
        Self::begun(&["-i", "inventories/lab"])
    }

    /// Boots hosts that only answer SSH, for `inventories/fresh`.
    pub fn fresh() -> Self {
        Self::begun(&["-i", "inventories/fresh", "--fresh"])
    }

    fn begun(options: &[&str]) -> Self {
        let turn = turn();
        let directory = tempfile::tempdir().expect("a directory for the project");
        let desk = Desk::new(&directory.path().join("project"));
        let mut fleet = Self { desk, directory, down: true, _turn: turn };
        let status: Value =
            serde_json::from_str(&fleet.run(&["lab", "status", "-o", "json"]).exits(0).out).expect("JSON");
        assert_eq!(
            status["lab"], "down",
            "a lab is up that these tests did not start; take it away with `housewright lab down`, then run them again"
        );
        fleet.down = false;
        fleet.run(&[&["lab", "up"], options].concat()).exits(0);
        fleet
    }

    /// Boots the lab and provisions it.
    pub fn provisioned() -> Self {
        let fleet = Self::up();
        fleet.apply(&[]).exits(0);
        fleet
    }

    /// As [`Desk::be_patient`].
    pub fn patient(mut self) -> Self {
        self.desk.be_patient();
        self
    }

    /// Another operator of the same lab.
    pub fn operator(&self, name: &str) -> Desk {
        self.desk.copy(&self.directory.path().join(name))
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

    /// Files of the host that are half-written, and stagings that are left.
    #[track_caller]
    pub fn half_written(&self, host: &str) -> String {
        let script = "find /etc -name '.housewright*'; for f in /etc/clickhouse-server/*.d/*.xml; do \
                      tail -n 1 $f | grep -q '</clickhouse>' || echo $f is cut; done";
        self.on(host, script)
    }

    #[track_caller]
    pub fn nothing_is_half_written(&self, host: &str) {
        assert_eq!(self.half_written(host), "", "on {host}");
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

/// Looks until what it sees is right, and tells what it saw last where that never comes. The time is that of the slowest
/// case: a consumer that misses its group's first rebalance waits for the broker to forget it, 60 s with `ClickHouse`'s
/// `session.timeout.ms`.
#[track_caller]
pub fn eventually<S: std::fmt::Debug>(what: &str, look: impl Fn() -> S, right: impl Fn(&S) -> bool) {
    let began = Instant::now();
    let mut told = 0;
    loop {
        let seen = look();
        if right(&seen) {
            return;
        }
        let waited = began.elapsed().as_secs();
        assert!(waited < 120, "not after {waited} s: {what}; seen last: {seen:#?}");
        if waited >= told + 10 {
            told = waited;
            println!("waiting for {waited} s: {what}: {seen:?}");
        }
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
