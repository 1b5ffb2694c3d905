//! Processes that outlive the command that starts them. Invariant: a process is written to the journal before it does
//! anything (it waits at a gate until then), and only a process whose start time is the recorded one is ever ended. edge

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, pidfd_open, pidfd_send_signal, waitpid};
use serde::{Deserialize, Serialize};

use super::error::LabError;
use super::files::failed;
use super::state::{Entry, Journal};

/// A process by its id and the time at which it started, in clock ticks since boot: ids are used again, pairs are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Process {
    pub(super) pid: i32,
    pub(super) started: u64,
}

/// What a recorded process is, and so how it is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Task {
    /// systemd-nspawn of a host: SIGTERM makes the host power off.
    Host,
    /// A broker: SIGTERM.
    Broker,
    /// A step that fills the cache, in a process namespace of its own: SIGKILL ends it and all that it started.
    Build,
}

/// The gate: the journal's line is written before the word that opens it, and end of file means that the lab's command
/// died in between. `exec` keeps the process id and the start time.
const GATE: &str = r#"read -r word || exit 1; exec "$@" </dev/null"#;

/// Starts a detached process, records it, puts it into its control groups, and only then lets it run.
pub(super) fn start(
    journal: &Journal,
    name: &str,
    task: Task,
    argv: &[String],
    log: &Path,
    groups: &[PathBuf],
) -> Result<Process, LabError> {
    let output = File::create(log).map_err(failed("create", log))?;
    let errors = output.try_clone().map_err(failed("open", log))?;
    let spawned = |source| LabError::Start { command: argv.join(" "), source };
    let mut child = Command::new("sh")
        .args(["-c", GATE, "gate", "setsid"])
        .args(argv)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(output)
        .stderr(errors)
        .spawn()
        .map_err(spawned)?;
    let pid = i32::try_from(child.id()).unwrap_or_default();
    let process = started(pid)
        .map(|started| Process { pid, started })
        .ok_or_else(|| spawned(std::io::Error::other("it ended at once")))?;
    journal.add(&Entry::Process { name: name.to_owned(), task, process })?;
    for group in groups {
        let members = group.join("cgroup.procs");
        fs::write(&members, pid.to_string()).map_err(failed("write", &members))?;
    }
    if let Some(mut gate) = child.stdin.take() {
        gate.write_all(b"go\n").map_err(spawned)?;
    }
    Ok(process)
}

/// Reads field 22 of /proc/PID/stat; a zombie counts as ended, and is reaped if it is ours.
fn started(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name in brackets, which may itself hold brackets and spaces.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    if fields.next()? == "Z" {
        let _ = waitpid(Pid::from_raw(pid), WaitOptions::NOHANG);
        return None;
    }
    fields.nth(18)?.parse().ok()
}

impl Process {
    pub(super) fn alive(self) -> bool {
        started(self.pid) == Some(self.started)
    }

    /// Sends a signal to exactly this process: the descriptor is opened first, so that the id cannot change hands
    /// between the check and the signal.
    pub(super) fn signal(self, signal: Signal) {
        let Some(pid) = Pid::from_raw(self.pid) else { return };
        let Ok(descriptor) = pidfd_open(pid, PidfdFlags::empty()) else { return };
        if self.alive() {
            let _ = pidfd_send_signal(descriptor, signal);
        }
    }
}

/// Waits until all have ended; returns those that have not.
pub(super) fn wait_for(processes: &[Process], limit: Duration) -> Vec<Process> {
    let deadline = Instant::now() + limit;
    loop {
        let left: Vec<_> = processes.iter().copied().filter(|process| process.alive()).collect();
        if left.is_empty() || Instant::now() >= deadline {
            return left;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Returns the memory in bytes that a process and all its descendants hold for themselves (proportional set size).
pub(super) fn memory(roots: &[Process]) -> Vec<u64> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<i32>().ok());
        parents.extend(parent.map(|parent| (pid, parent)));
    }
    roots
        .iter()
        .map(|root| {
            let mut family = vec![root.pid];
            let mut next = 0;
            while let Some(&member) = family.get(next) {
                family.extend(parents.iter().filter(|(_, parent)| *parent == member).map(|(pid, _)| *pid));
                next += 1;
            }
            family.iter().map(|pid| proportional_set(*pid)).sum()
        })
        .collect()
}

fn proportional_set(pid: i32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let kilobytes = text
        .lines()
        .find_map(|line| line.strip_prefix("Pss:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or_default() * 1024
}
