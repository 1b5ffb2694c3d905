//! One real server on the loopback, in a directory of its own; it goes with the test.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use housewright::lab::{default_cache_dir, local_clickhouse};

const PATIENCE: Duration = Duration::from_secs(30);

/// A server with a configuration that can be changed.
pub struct Server {
    process: Child,
    directory: tempfile::TempDir,
    port: u16,
    /// Ports that nothing listens on at first.
    free: [u16; 2],
}

impl Server {
    /// Starts it and waits until it answers.
    pub fn start() -> Self {
        Self::start_with(include_str!("config.xml"))
    }

    /// As [`Server::start`], with another configuration.
    pub fn start_with(config: &str) -> Self {
        Self::start_on(config, &[])
    }

    /// With disks of their own in memory, by directory and megabytes: they are in the server's mount namespace, and go with it.
    pub fn start_on(config: &str, disks: &[(&str, u32)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        for name in ["etc/config.d", "etc/users.d", "data/user_files", "disks/a", "disks/b", "disks/c"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        let listeners = [0; 3].map(|any| TcpListener::bind((Ipv4Addr::LOCALHOST, any)).unwrap());
        let [port, free @ ..] = listeners.map(|listener| listener.local_addr().unwrap().port());
        let config = config.replace("{root}", &root.display().to_string());
        let config = config
            .replace("{port}", &port.to_string())
            .replace("{p1}", &free[0].to_string())
            .replace("{p2}", &free[1].to_string());
        fs::write(root.join("etc/config.xml"), config).unwrap();
        fs::write(root.join("etc/users.xml"), include_str!("users.xml")).unwrap();
        fs::write(root.join("dictionary.xml"), include_str!("dictionary.xml")).unwrap();
        fs::write(root.join("function.xml"), include_str!("function.xml")).unwrap();
        let server = Self { process: run(&root, disks), directory, port, free };
        server.wait();
        server
    }

    /// Kills it as a power failure would, and starts it anew.
    pub fn die_and_start(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.process = run(&self.path(""), &[]);
        self.wait();
    }

    fn wait(&self) {
        let started = Instant::now();
        while self.sql("SELECT 1").is_err() {
            assert!(started.elapsed() < PATIENCE, "the server does not answer: {}", self.said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// A path below its directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().canonicalize().unwrap().join(name)
    }

    fn said(&self) -> String {
        fs::read_to_string(self.path("stdout")).unwrap_or_default()
            + &fs::read_to_string(self.path("err.log")).unwrap_or_default()
    }

    /// Writes the file of `config.d` and reloads; the error is the server's.
    pub fn put(&self, xml: &str) -> Result<(), String> {
        self.write("etc/config.d/key.xml", xml)
    }

    /// Writes the file of `users.d` and reloads.
    pub fn put_users(&self, xml: &str) -> Result<(), String> {
        self.write("etc/users.d/key.xml", xml)
    }

    fn write(&self, name: &str, xml: &str) -> Result<(), String> {
        let beside = self.path("etc/.new");
        fs::write(&beside, format!("<clickhouse>{}</clickhouse>", self.filled(xml))).unwrap();
        fs::rename(beside, self.path(name)).unwrap();
        self.sql("SYSTEM RELOAD CONFIG").map(drop)
    }

    /// Puts directory and ports in.
    fn filled(&self, text: &str) -> String {
        let root = self.directory.path().canonicalize().unwrap();
        let ports = [("{port}", self.port), ("{p1}", self.free[0]), ("{p2}", self.free[1])];
        let text = text.replace("{root}", &root.display().to_string());
        ports.iter().fold(text, |text, (name, port)| text.replace(name, &port.to_string()))
    }

    /// Where it answers HTTP.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A port that nothing but this server may take: the first or the second one.
    pub fn free_port(&self, free: usize) -> u16 {
        self.free[free - 1]
    }

    /// Runs a statement; rows are lines of tab-separated fields.
    pub fn sql(&self, statement: &str) -> Result<String, String> {
        let answer = self.ask(self.port, "POST", "/", &self.filled(statement));
        let (status, body) = answer.map_err(|error| error.to_string())?;
        if status == 200 { Ok(body) } else { Err(body) }
    }

    /// What a free port answers to a GET, or at 0 the server's own.
    pub fn http(&self, free: usize, path: &str) -> String {
        let port = if free == 0 { self.port } else { self.free[free - 1] };
        match self.ask(port, "GET", path, "") {
            Ok((status, body)) => format!("{status} {}", body.lines().next().unwrap_or_default()),
            Err(error) => error.kind().to_string(),
        }
    }

    /// Whether something listens on a free port.
    pub fn listens(&self, free: usize) -> bool {
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.free[free - 1])).is_ok()
    }

    fn ask(&self, port: u16, method: &str, path: &str, body: &str) -> std::io::Result<(u16, String)> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "{method} {path} HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        Ok((status, body.trim_end().to_owned()))
    }
}

fn run(root: &Path, disks: &[(&str, u32)]) -> Child {
    let mut command =
        local_clickhouse(&default_cache_dir()).expect("the lab's ClickHouse: `housewright lab fetch` fetches it");
    command.args(["server", "--config-file"]).arg(root.join("etc/config.xml"));
    if !disks.is_empty() {
        let mount = |(name, size): &(&str, u32)| {
            format!("mount -t tmpfs -o size={size}m tmpfs {} && ", root.join(name).display())
        };
        let script = disks.iter().map(mount).collect::<String>() + "exec \"$@\"";
        let mut alone = Command::new("unshare");
        alone.args(["--mount", "--propagation", "private", "sh", "-c", &script, "sh"]);
        alone.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            alone.env(name, value.unwrap_or_default());
        }
        command = alone;
    }
    let log = fs::File::create(root.join("stdout")).unwrap();
    let process = command.env("CLICKHOUSE_WATCHDOG_ENABLE", "0").stdout(log.try_clone().unwrap()).stderr(log);
    process.stdin(Stdio::null()).spawn().unwrap()
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
