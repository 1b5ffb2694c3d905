//! What a write does to a simulated host, in the order of the real one (edge: it notes the time).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::session::{done, failed};
use super::unit::touched;
use super::{Disk, SimHost};
use crate::remote::{
    DirectoryWrite, Entry, EntryKind, Expect, Expected, FileWrite, Output, RemotePath, Status, WriteSet,
};
use crate::transport::shell::{EXPECTATION_FAILED, PARTLY_WRITTEN, STAGED_REFUSED, STAGING};

/// Writes, or says why not.
pub(super) fn write(host: &mut SimHost, write: &WriteSet) -> Output {
    if let Err(refusal) = checked(host, write) {
        return refusal;
    }
    stage(host, write);
    match rename(host, write) {
        Ok(()) => {
            unstage(host, write);
            done("")
        }
        // Nobody cleans up behind a process that was killed.
        Err(killed @ Output { status: Status::Signalled(_), .. }) => killed,
        Err(refusal) => {
            unstage(host, write);
            refusal
        }
    }
}

/// All files beside their places, before the first of them is renamed.
fn stage(host: &mut SimHost, write: &WriteSet) {
    for file in write.files.iter().chain(&write.closing) {
        let (path, staging) = (staged(&file.path), staging(&file.path.parent()));
        let (Some(path), Some(staging)) = (path, staging) else { continue };
        host.put_directory(staging.as_str());
        let (owner, group, mode) = (file.owner.clone(), file.group.clone(), file.mode);
        let kind = EntryKind::File(file.content.expose().clone());
        host.entries.insert(path.clone(), Entry { path, owner, group, mode, kind });
    }
}

fn unstage(host: &mut SimHost, write: &WriteSet) {
    let directories: BTreeSet<_> = write.files.iter().chain(&write.closing).map(|file| file.path.parent()).collect();
    host.entries.retain(|path, _| !directories.iter().any(|directory| is_staged(path, directory)));
}

fn staging(directory: &RemotePath) -> Option<RemotePath> {
    RemotePath::new(format!("{}/{STAGING}", directory.as_str().trim_end_matches('/'))).ok()
}

fn staged(path: &RemotePath) -> Option<RemotePath> {
    RemotePath::new(format!("{}/{}", staging(&path.parent())?, path.file_name())).ok()
}

/// All that comes before the first change of something that is there.
fn checked(host: &mut SimHost, write: &WriteSet) -> Result<(), Output> {
    unexpected(host, write, |state| *state == Expected::Absent)?;
    let names = write.directories.iter().flat_map(|directory| [&directory.owner, &directory.group]);
    let names = names.chain(write.files.iter().chain(&write.closing).flat_map(|file| [&file.owner, &file.group]));
    if let Some(name) = names.into_iter().find(|name| !host.users.contains(*name)) {
        return Err(failed(1, &format!("invalid user: '{name}'")));
    }
    let checks_only = write.directories.is_empty() && write.files.is_empty() && write.removals.is_empty();
    let sums = |state: &Expected| *state != Expected::Absent;
    if write.files.is_empty() && write.closing.is_none() {
        unexpected(host, write, sums)?;
    }
    // `/run` is in memory.
    let on_disk = |file: &FileWrite| !file.path.as_str().starts_with("/run/");
    let in_memory = write.directories.is_empty() && write.removals.is_empty();
    let in_memory = in_memory && !write.files.iter().chain(&write.closing).any(on_disk);
    match host.disk {
        Disk::Full if !(checks_only || in_memory) => return Err(failed(2, "write error: No space left on device")),
        Disk::ReadOnly if !(checks_only || in_memory) => {
            return Err(failed(1, "cannot create directory: Read-only file system"));
        }
        Disk::Fine | Disk::Full | Disk::ReadOnly => {}
    }
    host.entries.retain(|path, _| !write.sweeps.iter().any(|directory| is_staged(path, directory)));
    for directory in &write.directories {
        create(host, directory)?;
    }
    for file in write.files.iter().chain(&write.closing) {
        let parent = file.path.parent();
        if !matches!(kind(host, &parent), Some(EntryKind::Directory | EntryKind::Other)) {
            return Err(failed(1, &format!("mkdir: cannot create directory '{parent}': No such file or directory")));
        }
    }
    unexpected(host, write, sums)?;
    refused(host, write)
}

/// The one setting that this world's servers do not know, unless a host says another.
const UNKNOWN_SETTING: &str = "no_such_setting";

/// What the host's own binary says of the users that the write brings.
fn refused(host: &SimHost, write: &WriteSet) -> Result<(), Output> {
    let Some(root) = &write.check else { return Ok(()) };
    let users = format!("{root}/users.d/");
    let text = |file: &FileWrite| String::from_utf8_lossy(file.content.expose()).into_owned();
    let mut texts = write.files.iter().filter(|file| file.path.as_str().starts_with(&users)).map(text);
    let unknown = host.refuses_setting.as_deref().unwrap_or(UNKNOWN_SETTING);
    if texts.any(|text| text.contains(&format!("<{unknown}>"))) {
        let message = format!(
            "clickhouse refuses the configuration as it would be: Code: 115. DB::Exception: \
             Unknown setting '{unknown}': while parsing profile 'default' in users configuration file"
        );
        return Err(failed(STAGED_REFUSED, &message));
    }
    Ok(())
}

/// Whether a write that was killed has left it in a directory.
fn is_staged(path: &RemotePath, directory: &RemotePath) -> bool {
    let staging = format!("{directory}/{STAGING}");
    path.as_str() == staging || path.as_str().starts_with(&format!("{staging}/"))
}

fn kind<'a>(host: &'a SimHost, path: &RemotePath) -> Option<&'a EntryKind> {
    host.entries.get(path).map(|entry| &entry.kind)
}

fn unexpected(host: &SimHost, write: &WriteSet, about: impl Fn(&Expected) -> bool) -> Result<(), Output> {
    let holds = |expect: &&Expect| match (&expect.state, kind(host, &expect.path)) {
        (Expected::Absent, is) => is.is_none(),
        (Expected::Whatever, _) => true,
        (Expected::Sha256(digest), Some(EntryKind::File(content))) => Sha256::digest(content)[..] == digest[..],
        (Expected::Sha256(_), _) => false,
    };
    match write.expects.iter().filter(|expect| about(&expect.state)).find(|expect| !holds(expect)) {
        Some(broken) => Err(failed(EXPECTATION_FAILED, &format!("{}: changed since it was read", broken.path))),
        None => Ok(()),
    }
}

/// As `install -d` does, for a directory that is missing.
fn create(host: &mut SimHost, directory: &DirectoryWrite) -> Result<(), Output> {
    match kind(host, &directory.path) {
        Some(EntryKind::Directory | EntryKind::Other) => return Ok(()),
        Some(EntryKind::File(_)) => {
            return Err(failed(1, &format!("install: cannot create directory '{}': File exists", directory.path)));
        }
        None => {}
    }
    let mut above = directory.path.parent();
    while !host.entries.contains_key(&above) && above.as_str() != "/" {
        host.put_directory(above.as_str());
        above = above.parent();
    }
    mend(host, directory);
    Ok(())
}

fn mend(host: &mut SimHost, directory: &DirectoryWrite) {
    if kind(host, &directory.path) == Some(&EntryKind::Other) {
        return;
    }
    let DirectoryWrite { path, owner, group, mode } = directory.clone();
    host.entries.insert(path.clone(), Entry { path, owner, group, mode, kind: EntryKind::Directory });
}

/// Directory by directory; the first one where a rename fails is the last.
fn rename(host: &mut SimHost, write: &WriteSet) -> Result<(), Output> {
    for directory in &write.directories {
        mend(host, directory);
    }
    let mut parents: Vec<RemotePath> = Vec::new();
    for file in &write.files {
        let parent = file.path.parent();
        if !parents.contains(&parent) {
            parents.push(parent);
        }
    }
    for parent in parents {
        let mut failures = String::new();
        for file in write.files.iter().filter(|file| file.path.parent() == parent) {
            alive(host)?;
            if kind(host, &file.path) == Some(&EntryKind::Directory) {
                let _ = writeln!(failures, "mv: cannot overwrite directory '{}' with non-directory", file.path);
            } else {
                put(host, file);
            }
        }
        if !failures.is_empty() {
            return Err(failed(PARTLY_WRITTEN, &failures));
        }
    }
    for path in &write.removals {
        alive(host)?;
        if kind(host, path) == Some(&EntryKind::Directory) {
            return Err(failed(PARTLY_WRITTEN, &format!("rm: cannot remove '{path}': Is a directory")));
        }
        if let Some(old) = host.entries.remove(path) {
            touched(host, path, Some(old.kind));
            host.written = Some(tokio::time::Instant::now());
        }
    }
    if let Some(file) = &write.closing {
        alive(host)?;
        put(host, file);
    }
    Ok(())
}

/// Counts down to the moment at which the host kills the write.
fn alive(host: &mut SimHost) -> Result<(), Output> {
    match &mut host.write_killed_after {
        None => Ok(()),
        Some(0) => {
            host.write_killed_after = None;
            Err(Output { status: Status::Signalled("KILL".to_owned()), ..failed(0, "") })
        }
        Some(left) => {
            *left -= 1;
            Ok(())
        }
    }
}

fn put(host: &mut SimHost, file: &FileWrite) {
    if let Some(staged) = staged(&file.path) {
        host.entries.remove(&staged);
    }
    let (path, kind) = (file.path.clone(), EntryKind::File(file.content.expose().clone()));
    let (owner, group, mode) = (file.owner.clone(), file.group.clone(), file.mode);
    let old = host.entries.insert(path.clone(), Entry { path, owner, group, mode, kind });
    touched(host, &file.path, old.map(|entry| entry.kind));
    host.written = Some(tokio::time::Instant::now());
}
