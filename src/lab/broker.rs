//! The lab's Kafka brokers. Invariant: every ingestion host reaches the first as `broker:9092`, whichever it is, and the
//! second, to which topics move, as `broker2:9092`. edge

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::base::digest;
use super::command::{build, find, run};
use super::error::LabError;
use super::files;
use super::host::answers;
use super::network::inside;
use super::process::{self, Task};
use super::spec::{BrokerChoice, LAB_BROKER, LAB_NAMESPACE, LabHostKind, LabSpec, Paths, namespace_of};
use super::state::{Journal, Lock};

const PROGRAM: &str = include_str!("files/broker.py");
const WHEEL: &str = "confluent-kafka==2.16.1";
const PORT: u16 = 9092;

/// The broker that a lab runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Broker {
    /// librdkafka's mock cluster, relayed into the namespace of every ingestion host.
    Mock,
    /// Tansu, in a namespace of its own.
    Tansu,
}

impl Broker {
    pub(super) fn choose(choice: BrokerChoice, cache_dir: &Path) -> Result<Self, LabError> {
        match (choice, tansu(cache_dir)) {
            (BrokerChoice::Mock, _) | (BrokerChoice::Auto, None) => Ok(Self::Mock),
            (BrokerChoice::Tansu | BrokerChoice::Auto, Some(_)) => Ok(Self::Tansu),
            (BrokerChoice::Tansu, None) => Err(LabError::BadSpec(format!(
                "tansu is neither on PATH nor at `{}`; `cargo install tansu --features dynostore --root {}` builds it",
                cache_dir.join("bin/tansu").display(),
                cache_dir.display(),
            ))),
        }
    }

    /// The address to which the name `broker` resolves on the lab's hosts.
    pub(super) fn address(self) -> Ipv4Addr {
        match self {
            Self::Mock => Ipv4Addr::LOCALHOST,
            Self::Tansu => LAB_BROKER,
        }
    }

    /// The same of `broker2`; Tansu is alone.
    pub(super) fn second_address(self) -> Option<Ipv4Addr> {
        match self {
            Self::Mock => Some(Ipv4Addr::new(127, 0, 0, 2)),
            Self::Tansu => None,
        }
    }

    fn address_of(self, which: Which) -> Result<Ipv4Addr, LabError> {
        match which {
            Which::Broker => Ok(self.address()),
            Which::Broker2 => self
                .second_address()
                .ok_or_else(|| LabError::BadSpec("it has no second broker: `lab up --broker mock` has one".to_owned())),
        }
    }

    /// The namespace in which its process runs.
    pub(super) fn namespace(self) -> String {
        match self {
            Self::Mock => LAB_NAMESPACE.to_owned(),
            Self::Tansu => namespace_of("broker"),
        }
    }
}

/// One of the lab's brokers, by its name there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Which {
    /// `broker`.
    #[default]
    Broker,
    /// `broker2`, to which a topic can move.
    Broker2,
}

/// What a consumer group is to its broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumerGroup {
    /// Whoever joins it is given all partitions: nobody else is in it.
    pub empty: bool,
    /// How many messages it has committed.
    pub committed: u64,
    /// How many there are.
    pub end: u64,
}

fn tansu(cache_dir: &Path) -> Option<PathBuf> {
    let cached = cache_dir.join("bin/tansu");
    if cached.is_file() { Some(cached) } else { find("tansu") }
}

/// Returns where the Kafka client of the mock broker and of `produce` is or will be: a directory for PYTHONPATH. Its
/// compiled part fits one version of Python only.
pub(super) fn client(lock: &Lock, cache_dir: &Path) -> Result<PathBuf, LabError> {
    let version = run(lock, "python3", &["--version"])?;
    Ok(cache_dir.join(format!("python-{}", digest(&[WHEEL, version.trim()]))))
}

/// Fetches the Kafka client.
pub(super) fn make_client(journal: &Journal, target: &Path) -> Result<(), LabError> {
    let building = target.with_extension("building");
    files::remove(&building)?;
    let root = building.to_string_lossy();
    let argv = ["python3", "-m", "pip", "install", "--quiet", "--only-binary=:all:", "--target", &root, WHEEL];
    build(journal, "kafka client", &argv, &target.with_extension("log"))?;
    files::rename(&building, target)
}

/// Starts the broker and waits until it answers everywhere.
pub(super) fn start(broker: Broker, journal: &Journal, spec: &LabSpec, client: &Path) -> Result<(), LabError> {
    let paths = Paths(&spec.state_dir);
    let program = spec.state_dir.join("broker.py");
    files::write(&program, 0o644, PROGRAM)?;
    let log = paths.log("broker");
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let namespaces: Vec<String> = match broker {
        Broker::Mock => {
            let ingestion = spec.hosts.iter().filter(|host| host.kind == LabHostKind::Ingestion);
            ingestion.map(|host| namespace_of(&host.name)).collect()
        }
        Broker::Tansu => vec![broker.namespace()],
    };
    let argv = match broker {
        Broker::Mock => {
            let words = ["env", &format!("PYTHONPATH={}", text(client)), "python3", &text(&program), "serve"];
            words.iter().map(|word| (*word).to_owned()).chain(namespaces.iter().cloned()).collect()
        }
        Broker::Tansu => {
            let binary = tansu(&spec.cache_dir).unwrap_or_else(|| PathBuf::from("tansu"));
            let url = format!("tcp://{LAB_BROKER}:{PORT}");
            let words =
                ["--listener-url", &url, "--advertised-listener-url", &url, "--storage-engine", "memory://tansu/"];
            std::iter::once(text(&binary)).chain(words.iter().map(|word| (*word).to_owned())).collect::<Vec<_>>()
        }
    };
    let process = inside(&broker.namespace(), || process::start(journal, "broker", Task::Broker, &argv, &log, &[]))?;
    let deadline = Instant::now() + Duration::from_secs(30);
    let addresses = std::iter::once(broker.address()).chain(broker.second_address()).map(IpAddr::V4);
    for (namespace, address) in addresses.flat_map(|address| namespaces.iter().map(move |name| (name, address))) {
        while !inside(namespace, || Ok(answers(address, PORT)))? {
            if Instant::now() > deadline || !process.alive() {
                return Err(LabError::BrokerFailed { log: files::last_lines(&log, 8) });
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }
    Ok(())
}

/// A client of a broker in a host's namespace.
pub(super) struct Client<'a> {
    pub(super) broker: Broker,
    pub(super) which: Which,
    pub(super) namespace: String,
    pub(super) program: &'a Path,
    pub(super) packages: &'a Path,
}

/// Sends lines to a topic; returns how many messages the broker acknowledged.
pub(super) fn send(client: &Client<'_>, topic: &str, lines: &[String]) -> Result<usize, LabError> {
    client.ask(&["produce"], &[topic], &format!("{}\n", lines.join("\n")), |printed| printed.trim().parse().ok())
}

/// Asks what a consumer group of a topic is.
pub(super) fn group(client: &Client<'_>, topic: &str, name: &str) -> Result<ConsumerGroup, LabError> {
    client.ask(&["group"], &[topic, name], "", |printed| serde_json::from_str(printed).ok())
}

impl Client<'_> {
    fn ask<T: Send>(
        &self,
        verb: &[&str],
        words: &[&str],
        lines: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, LabError> {
        let address = format!("{}:{PORT}", self.broker.address_of(self.which)?);
        let arguments: Vec<&str> = [verb, &[&address], words].concat();
        let command = format!("python3 {} {}", self.program.display(), arguments.join(" "));
        let started = |source| LabError::Start { command: command.clone(), source };
        let output = inside(&self.namespace, || {
            let mut child = Command::new("python3")
                .arg(self.program)
                .args(&arguments)
                .env("PYTHONPATH", self.packages)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .map_err(started)?;
            if let Some(mut input) = child.stdin.take() {
                // A client that ended early says why on its standard error.
                let _ = input.write_all(lines.as_bytes());
            }
            child.wait_with_output().map_err(started)
        })?;
        match read(&String::from_utf8_lossy(&output.stdout)) {
            Some(answer) if output.status.success() => Ok(answer),
            _ => {
                let stderr = files::tail(&String::from_utf8_lossy(&output.stderr), 4);
                Err(LabError::Command { command, status: output.status.to_string(), stderr })
            }
        }
    }
}
