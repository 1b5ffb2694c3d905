//! Takes the lab down. Invariant: it removes what the journal names and nothing else, and the journal last, so that it can
//! itself be killed and run again. edge

use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use super::cgroup;
use super::error::LabError;
use super::files;
use super::network;
use super::process::{Process, Task, wait_for};
use super::spec::Paths;
use super::state::{Entry, Lock, State};
use super::sysctl;

/// Hosts that power off in order take about 2 s; 60 of them on two cores 7 s.
const PATIENCE: Duration = Duration::from_secs(20);

/// Takes down whatever lab is in the state directory, whole or not; nothing there is no error.
///
/// # Errors
///
/// Names what could not be removed; run it again.
pub fn down(state_dir: &Path, progress: &dyn Fn(&str)) -> Result<(), LabError> {
    if !rustix::process::geteuid().is_root() {
        return Err(LabError::NotRoot);
    }
    let paths = Paths(state_dir);
    if !state_dir.exists() {
        progress("no lab is up");
        return Ok(());
    }
    let lock = Lock::take(state_dir)?;
    let state = State::read(&paths)?;
    if state.entries.is_empty() {
        progress("no lab is up");
    }
    sweep(&lock, &paths, &state, progress)?;
    files::remove(&paths.lock())?;
    // Not an error if the user keeps something of his own there.
    let _ = std::fs::remove_dir(state_dir);
    Ok(())
}

/// Removes everything that the journal names.
pub(super) fn sweep(lock: &Lock, paths: &Paths<'_>, state: &State, progress: &dyn Fn(&str)) -> Result<(), LabError> {
    end_processes(state, progress);
    let this_boot = state.entries.iter().filter(|_| state.this_boot());
    for entry in this_boot {
        if let Entry::ControlGroup(group) = entry {
            cgroup::kill(group);
        }
    }
    let mut namespaces = 0;
    for entry in &state.entries {
        match entry {
            Entry::Namespace(name) if state.this_boot() => {
                namespaces += usize::from(network::exists(name));
                network::remove(lock, name)?;
            }
            Entry::ControlGroup(group) if state.this_boot() => cgroup::remove(group)?,
            Entry::Sysctl { path, old, new } if state.this_boot() && sysctl::put_back(path, old, new)? => {
                progress(&format!("put back {path}: {old}"));
            }
            _ => {}
        }
    }
    if state.this_boot() && state.entries.iter().any(|entry| matches!(entry, Entry::NamespaceDirectory)) {
        network::remove_directory(lock)?;
    }
    if namespaces > 0 {
        progress(&format!("removed {namespaces} network namespaces"));
    }
    for part in ["hosts", "ssh", "secrets", "log", "etc_hosts", "broker.py"] {
        files::remove(&paths.0.join(part))?;
    }
    remove_batches(paths.0)?;
    if !state.entries.is_empty() {
        progress(&format!("removed the state in {}", paths.0.display()));
    }
    files::remove(&paths.journal())
}

/// Ends the recorded processes: in order where that can be, then by force.
fn end_processes(state: &State, progress: &dyn Fn(&str)) {
    let alive = state.alive();
    if alive.is_empty() {
        return;
    }
    let names: Vec<_> = alive.iter().map(|(name, _, _)| *name).collect();
    progress(&format!("stopping {}", names.join(", ")));
    let processes: Vec<Process> = alive.iter().map(|(_, _, process)| *process).collect();
    if state.complete() {
        for (_, task, process) in &alive {
            process.signal(if *task == Task::Build { Signal::KILL } else { Signal::TERM });
        }
        let stubborn = wait_for(&processes, PATIENCE);
        for (name, _, _) in alive.iter().filter(|(_, _, process)| stubborn.contains(process)) {
            progress(&format!("{name} did not end within {} s and is killed", PATIENCE.as_secs()));
        }
    }
    // An interrupted `up` leaves nothing worth an orderly end; a systemd that is just starting would not hear of it.
    for process in &processes {
        process.signal(Signal::KILL);
    }
    wait_for(&processes, PATIENCE);
}

/// Removes the command files that a killed `up` may have left.
fn remove_batches(state_dir: &Path) -> Result<(), LabError> {
    for entry in std::fs::read_dir(state_dir).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("ip-") {
            files::remove(&entry.path())?;
        }
    }
    Ok(())
}
