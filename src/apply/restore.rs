//! Gives files back as they were when the host was asked (edge).
//!
//! A file that is neither what was there before nor what this run wrote is somebody else's: it is left as it is, and told.
//! Old contents may hold secrets: they go where new ones go, to the stdin of a write.

use std::collections::BTreeSet;

use super::there::There;
use super::{Run, batch, write};
use crate::event::chain;
use crate::fleet::HostName;
use crate::remote::{Batch, Command, DirectoryWrite, FileWrite, RemotePath, Status, WriteSet};
use crate::resource::{HostFacts, Manifest, Owed, Record};
use crate::transport::shell::EXPECTATION_FAILED;
use crate::transport::{SessionError, advice};

/// What became of files that were to be given back.
#[derive(Debug, Default)]
pub(super) struct Restored {
    /// How many had changed and are as they were before.
    pub files: usize,
    /// Those that somebody else has changed.
    pub left: Vec<RemotePath>,
}

/// What somebody changes between the look and the write is looked at again, and a lost answer too; not for ever.
const MOST_TRIES: u32 = 4;

/// What a restore step says.
pub(super) struct What<'a> {
    pub directories: &'a [RemotePath],
    pub files: &'a [RemotePath],
    pub record: Option<&'a Record>,
    pub owes: &'a BTreeSet<Owed>,
}

/// Gives directories and files back, and marks what is owed from then on.
pub(super) async fn give_back(
    host: &HostName,
    what: &What<'_>,
    run: &Run<'_>,
) -> Result<Restored, (String, Option<String>)> {
    let plain = |text: &str| (text.to_owned(), None);
    let open = run.open.get(host).ok_or_else(|| plain("no connection"))?;
    let found = run.found.facts(host).ok_or_else(|| plain("nobody knows what was there before"))?;
    let lost = |error: SessionError| (chain(&error), advice::session(&error, host));
    let (mut tries, mut given) = (0, BTreeSet::new());
    loop {
        tries += 1;
        let paths = what.files.iter().cloned().chain(what.record.and_then(|_| Manifest::path())).collect();
        let look = Batch { commands: vec![Command::Read { paths }] };
        let answer = batch::read(&*open.session, &look).await.map_err(lost)?;
        let answer = answer.first().ok_or_else(|| plain("no answer"))?;
        let there = There::read(answer).map_err(|reason| (reason, None))?;
        let Back { mut set, mut restored } = back(host, what.files, found, &there, run);
        // One of them may be back by a write whose answer was lost.
        given.extend(set.files.iter().map(|file| file.path.clone()).chain(set.removals.iter().cloned()));
        restored.files = given.iter().filter(|path| !restored.left.contains(path)).count();
        if let Some(record) = what.record {
            manifest(record, &there, &restored, &mut set);
        }
        set.directories.extend(what.directories.iter().filter_map(|path| directory(path, found)));
        set.files.splice(0..0, what.owes.iter().filter_map(Owed::file));
        if set.files.is_empty() && set.directories.is_empty() && set.removals.is_empty() {
            return Ok(restored);
        }
        let outputs = match open.session.run(&Batch { commands: vec![Command::Write(set)] }).await {
            Err(SessionError::Lost(_)) if tries < MOST_TRIES => continue,
            answer => answer.map_err(lost)?,
        };
        let Some(failed) = outputs.iter().find(|output| !output.succeeded()) else { return Ok(restored) };
        if failed.status != Status::Exited(EXPECTATION_FAILED) || tries >= MOST_TRIES {
            return Err((batch::succeeded(failed).err().unwrap_or_default(), Some(write::hint_of_write(failed, host))));
        }
    }
}

/// What has to be written and removed so that all is as before.
struct Back {
    set: WriteSet,
    restored: Restored,
}

fn back(host: &HostName, files: &[RemotePath], found: &HostFacts, there: &There, run: &Run<'_>) -> Back {
    let mut back = Back { set: WriteSet::default(), restored: Restored::default() };
    for path in files {
        let before = found.files.get(path);
        if there.is_as_before(path, before) {
            continue;
        }
        let content = before.and_then(|file| file.content.as_ref());
        let written = run.desired.get(host).and_then(|desired| desired.files.get(path));
        let ours = there.has_content(path, written.map(|file| file.content.bytes().expose().as_ref()))
            || there.has_content(path, content.map(|content| content.expose().as_ref()));
        match (before, content) {
            (Some(file), Some(content)) if ours => {
                let (owner, group) = (file.owner.clone(), file.group.clone());
                let content = content.clone();
                back.set.expects.push(there.expect(path));
                back.set.files.push(FileWrite { path: path.clone(), content, owner, group, mode: file.mode });
            }
            (None, _) if ours => {
                back.set.expects.push(there.expect(path));
                back.set.removals.push(path.clone());
            }
            _ => back.restored.left.push(path.clone()),
        }
    }
    back
}

/// Gives the manifest back with the files; where one of them is left as it is, both contents stay ours.
fn manifest(record: &Record, there: &There, restored: &Restored, set: &mut WriteSet) {
    let last = if restored.left.is_empty() { &record.before } else { &record.during };
    let (Some(path), Some(during), Some(closing)) = (Manifest::path(), record.during.file(), last.file()) else {
        return;
    };
    let is_last =
        there.has_content(&path, Some(closing.content.expose())) || (*last == Manifest::default() && !there.has(&path));
    if is_last && set.files.is_empty() && set.removals.is_empty() {
        return;
    }
    set.expects.push(there.expect(&path));
    set.directories.extend(Manifest::directory());
    set.files.insert(0, during);
    set.closing = (*last != record.during).then_some(closing);
}

fn directory(path: &RemotePath, found: &HostFacts) -> Option<DirectoryWrite> {
    let before = found.directories.get(path)?;
    let (owner, group) = (before.owner.clone(), before.group.clone());
    Some(DirectoryWrite { path: path.clone(), owner, group, mode: before.mode })
}
