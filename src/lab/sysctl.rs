//! The one kernel setting that a large lab changes. Invariant: the old value is in the journal before the new one is set,
//! and is put back only if nobody else has set another since. edge

use std::path::Path;

use super::error::LabError;
use super::files::{self, failed};
use super::state::{Entry, Journal};

/// Every systemd takes about four inotify instances of the machine's root user, of whom the kernel allows 128 by default;
/// a host beyond that hangs at boot without a word.
const INSTANCES: &str = "/proc/sys/fs/inotify/max_user_instances";
const PER_HOST: usize = 8;
const OTHERS: usize = 64;

/// Allows as many inotify instances as the hosts need.
pub(super) fn raise_instances(journal: &Journal, hosts: usize, progress: &dyn Fn(&str)) -> Result<(), LabError> {
    let path = Path::new(INSTANCES);
    let old = files::read(path)?.trim().to_owned();
    let needed = hosts * PER_HOST + OTHERS;
    if hosts <= 25 || old.parse::<usize>().is_ok_and(|allowed| allowed >= needed) {
        return Ok(());
    }
    let new = needed.max(8192).to_string();
    progress(&format!("setting fs.inotify.max_user_instances from {old} to {new} while the lab is up"));
    journal.add(&Entry::Sysctl { path: INSTANCES.to_owned(), old, new: new.clone() })?;
    std::fs::write(path, new).map_err(failed("write", path))
}

/// Puts a setting back.
pub(super) fn put_back(path: &str, old: &str, new: &str) -> Result<bool, LabError> {
    let path = Path::new(path);
    if files::read(path)?.trim() != new {
        return Ok(false);
    }
    std::fs::write(path, old).map_err(failed("write", path))?;
    Ok(true)
}
