//! A control group per host. Invariant: two hosts never share one: their systemds would take each other's services for
//! their own. edge

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::error::LabError;
use super::files;
use super::spec::LAB_NAMESPACE;
use super::state::{Entry, Journal};

/// Makes the groups of a host, one in each hierarchy in which systemd keeps its tree, to hold its first process.
pub(super) fn make(journal: &Journal, host: &str) -> Result<Vec<PathBuf>, LabError> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let groups: Vec<_> = hierarchies(&mounts).iter().map(|root| root.join(LAB_NAMESPACE).join(host)).collect();
    for group in &groups {
        journal.add(&Entry::ControlGroup(group.clone()))?;
        files::directory(group)?;
    }
    Ok(groups)
}

/// Kills whatever is left in a group and those below it: all of it began with the host's recorded process.
///
/// systemd-nspawn that is killed leaves its host running, and ends late if told to while the host's systemd is just starting.
pub(super) fn kill(group: &Path) {
    for _ in 0..ATTEMPTS {
        let members = members(group);
        if members.is_empty() {
            return;
        }
        for member in members {
            let _ = kill_process(member, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Killed processes leave their group within milliseconds; a few may have started others meanwhile.
const ATTEMPTS: usize = 300;

fn members(group: &Path) -> Vec<Pid> {
    let text = std::fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    // 0 stands for a process of another process namespace; none is in a group of ours.
    let mut found: Vec<_> = text.lines().filter_map(|line| line.parse().ok()).filter_map(Pid::from_raw).collect();
    for entry in std::fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(members(&entry.path()));
        }
    }
    found
}

/// Removes a group that no process is in any more, and the lab's own if this was its last.
pub(super) fn remove(group: &Path) -> Result<(), LabError> {
    if group.exists() {
        remove_tree(group)?;
    }
    if let Some(parent) = group.parent() {
        // It is not empty before the last host's.
        let _ = std::fs::remove_dir(parent);
    }
    Ok(())
}

/// A control group's files cannot be removed, its directories can.
fn remove_tree(group: &Path) -> Result<(), LabError> {
    for entry in std::fs::read_dir(group).map_err(files::failed("read", group))?.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_tree(&entry.path())?;
        }
    }
    std::fs::remove_dir(group).map_err(files::failed("remove", group))
}

/// Returns the mount points of the unified hierarchy and of version 1's `name=systemd`, see `proc_pid_mountinfo(5)`.
fn hierarchies(mounts: &str) -> Vec<PathBuf> {
    let of_systemd = |line: &&str| {
        let kind = line.split_once(" - ").map(|(_, rest)| rest.split(' ').collect::<Vec<_>>()).unwrap_or_default();
        match kind[..] {
            ["cgroup2", ..] => true,
            ["cgroup", _, options] => options.split(',').any(|option| option == "name=systemd"),
            _ => false,
        }
    };
    mounts.lines().filter(of_systemd).filter_map(|line| line.split(' ').nth(4)).map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_hierarchies_of_systemd() {
        let hybrid = "30 24 0:26 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw,nsdelegate\n\
                      31 24 0:27 / /sys/fs/cgroup/systemd rw shared:10 - cgroup cgroup rw,xattr,name=systemd\n\
                      32 24 0:28 / /sys/fs/cgroup/memory rw shared:11 - cgroup cgroup rw,memory\n";
        assert_eq!(hierarchies(hybrid), ["/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"].map(PathBuf::from));
    }
}
