//! Ways into a lab that is up: a shell, a command, messages to its broker. Invariant: they see the lab's network and host
//! names through namespaces of their own; the machine's /etc/hosts and `ssh_config` stay as they are. edge

use std::path::Path;
use std::process::{Command, ExitStatus};

use super::broker::{self, Client, ConsumerGroup, Which};
use super::error::LabError;
use super::network::inside;
use super::spec::{LAB_NAMESPACE, LabHost, LabSpec, Paths, namespace_of};
use super::state::{Lock, State};

/// Lays the lab's names over the machine's in a private mount namespace, then becomes the command.
const DRESS: &str = r#"mount --bind "$1" /etc/hosts; [ ! -f /etc/ssh/ssh_config ] || mount --bind "$2" /etc/ssh/ssh_config
shift 2; exec "$@""#;

/// Opens a shell in the lab's network namespace, or on one of its hosts, on the caller's terminal.
///
/// # Errors
///
/// If no lab is up or the host is not in it.
pub fn shell(state_dir: &Path, host: Option<&str>) -> Result<ExitStatus, LabError> {
    if let Some(name) = host {
        let spec = running(state_dir)?;
        let host = find(&spec, name)?;
        let config = Paths(state_dir).ssh_config();
        return exec(
            state_dir,
            &["ssh".to_owned(), "-F".to_owned(), config.to_string_lossy().into_owned(), host.name.clone()],
        );
    }
    let shell = std::env::var("SHELL").unwrap_or_else(|_| "/bin/sh".to_owned());
    exec(state_dir, &[shell])
}

/// Runs a command in the lab's network namespace with the caller's standard streams, and returns how it ended.
///
/// The hosts' names resolve there, and `ssh HOST` uses the lab's key.
///
/// # Errors
///
/// If no lab is up, the caller is not root or the command cannot be started.
pub fn exec(state_dir: &Path, argv: &[String]) -> Result<ExitStatus, LabError> {
    running(state_dir)?;
    let paths = Paths(state_dir);
    inside(LAB_NAMESPACE, || {
        Command::new("unshare")
            .args(["--mount", "--propagation", "slave", "sh", "-c", DRESS, "lab"])
            .args([paths.etc_hosts(), paths.ssh_config()])
            .args(argv)
            .env("HOUSEWRIGHT_LAB_DIR", state_dir)
            .status()
            .map_err(|source| LabError::Start { command: argv.join(" "), source })
    })
}

/// Sends lines (JSON rows) to a topic at a broker that a host uses; returns how many messages were acknowledged.
///
/// # Errors
///
/// If no lab is up, the host is not in it, or the broker refuses messages.
pub fn produce(
    state_dir: &Path,
    (host, which): (&str, Which),
    topic: &str,
    lines: &[String],
) -> Result<usize, LabError> {
    at_broker(state_dir, host, which, |client| broker::send(client, topic, lines))
}

/// Asks a broker that a host uses what a consumer group of a topic is; it joins the group for that, for a moment.
///
/// # Errors
///
/// If no lab is up, the host is not in it, or the broker does not answer.
pub fn group(
    state_dir: &Path,
    (host, which): (&str, Which),
    topic: &str,
    name: &str,
) -> Result<ConsumerGroup, LabError> {
    at_broker(state_dir, host, which, |client| broker::group(client, topic, name))
}

fn at_broker<T>(
    state_dir: &Path,
    host: &str,
    which: Which,
    ask: impl FnOnce(&Client<'_>) -> Result<T, LabError>,
) -> Result<T, LabError> {
    let spec = running(state_dir)?;
    let host = find(&spec, host)?;
    let paths = Paths(state_dir);
    let state = State::read(&paths)?;
    let (_, kind) = state.choice().ok_or_else(|| LabError::NotUp(state_dir.to_owned()))?;
    let packages = broker::client(&Lock::take(state_dir)?, &spec.cache_dir)?;
    let program = state_dir.join("broker.py");
    let namespace = namespace_of(&host.name);
    ask(&Client { broker: kind, which, namespace, program: &program, packages: &packages })
}

fn running(state_dir: &Path) -> Result<LabSpec, LabError> {
    let state = State::read(&Paths(state_dir))?;
    let spec = state.spec().filter(|_| state.complete());
    spec.cloned().ok_or_else(|| LabError::NotUp(state_dir.to_owned()))
}

fn find<'a>(spec: &'a LabSpec, name: &str) -> Result<&'a LabHost, LabError> {
    spec.hosts.iter().find(|host| host.name == name).ok_or_else(|| LabError::UnknownHost {
        name: name.to_owned(),
        known: spec.hosts.iter().map(|host| host.name.clone()).collect(),
    })
}
