//! The lab's Kafka broker. Invariant: every ingestion host reaches it as `broker:9092`, whichever it is. edge

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

    /// The namespace in which its process runs.
    pub(super) fn namespace(self) -> String {
        match self {
            Self::Mock => LAB_NAMESPACE.to_owned(),
            Self::Tansu => namespace_of("broker"),
        }
    }
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
    for namespace in &namespaces {
        let address = IpAddr::V4(broker.address());
        while !inside(namespace, || Ok(answers(address, PORT)))? {
            if Instant::now() > deadline || !process.alive() {
                return Err(LabError::BrokerFailed { log: files::last_lines(&log, 8) });
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }
    Ok(())
}

/// Sends lines to a topic from a host's namespace; returns how many messages the broker acknowledged.
pub(super) fn send(
    broker: Broker,
    namespace: &str,
    program: &Path,
    client: &Path,
    topic: &str,
    lines: &[String],
) -> Result<usize, LabError> {
    let address = format!("{}:{PORT}", broker.address());
    let command = format!("python3 {} produce {address} {topic}", program.display());
    let started = |source| LabError::Start { command: command.clone(), source };
    let output = inside(namespace, || {
        let mut child = Command::new("python3")
            .arg(program)
            .args(["produce", &address, topic])
            .env("PYTHONPATH", client)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(started)?;
        if let Some(mut input) = child.stdin.take() {
            // A producer that ended early says why on its standard error.
            let _ = input.write_all(format!("{}\n", lines.join("\n")).as_bytes());
        }
        child.wait_with_output().map_err(started)
    })?;
    let printed = String::from_utf8_lossy(&output.stdout);
    match printed.trim().parse() {
        Ok(count) if output.status.success() => Ok(count),
        _ => {
            let stderr = files::tail(&String::from_utf8_lossy(&output.stderr), 4);
            Err(LabError::Command { command, status: output.status.to_string(), stderr })
        }
    }
}
