//! Turns a write step into the command that carries it, and its failures into advice (pure).

use std::collections::BTreeSet;

use crate::clickhouse::config::ConfigDirectory;
use crate::fleet::HostName;
use crate::plan::{FileStep, Gate, Step};
use crate::remote::{Command, DirectoryWrite, FileWrite, Output, RemotePath, Status, UnitName, WriteSet};
use crate::render::Desired;
use crate::resource::{Manifest, Owed, Record};
use crate::transport::shell::{PARTLY_WRITTEN, STAGED_REFUSED};

/// What a write step says.
pub(super) struct Write<'a> {
    pub directories: &'a [RemotePath],
    pub files: &'a [FileStep],
    pub removals: &'a [FileStep],
    pub record: Option<&'a Record>,
    pub owes: &'a BTreeSet<Owed>,
}

/// Looks up what a write step writes; nothing where the plan and what is rendered do not fit.
pub(super) fn command(desired: &Desired, step: &Write<'_>) -> Option<WriteSet> {
    let directories = step.directories.iter().map(|path| {
        let want = desired.directories.get(path)?;
        let (owner, group) = (want.owner.clone(), want.group.clone());
        Some(DirectoryWrite { path: path.clone(), owner, group, mode: want.mode })
    });
    let contents = step.files.iter().map(|file| {
        let want = desired.files.get(&file.path)?;
        let (owner, group) = (want.owner.clone(), want.group.clone());
        let content = want.content.bytes().clone();
        Some(FileWrite { path: file.path.clone(), content, owner, group, mode: want.mode })
    });
    let directories = directories.chain(step.owes.iter().filter_map(Owed::directory).map(Some));
    let manifest = |manifest: &Manifest| manifest.file().map(Some);
    let (during, expect, closing) = match step.record {
        None => (None, None, None),
        Some(record) => {
            let closing = if record.during == record.after { None } else { manifest(&record.after)? };
            (manifest(&record.during)?, Some(record.expect.clone()), closing)
        }
    };
    let ours = step.record.into_iter().flat_map(|record| record.during.0.keys());
    let sweeps: BTreeSet<_> = ours.map(RemotePath::parent).collect();
    Some(WriteSet {
        expects: step.files.iter().chain(step.removals).map(|file| file.expect.clone()).chain(expect).collect(),
        directories: during.iter().map(|_| Manifest::directory()).chain(directories).collect::<Option<_>>()?,
        // The manifest first: no file is written that it does not name. Then the markers: from the first renamed file on, it
        // is owed.
        files: during
            .into_iter()
            .map(Some)
            .chain(step.owes.iter().map(Owed::file))
            .chain(contents)
            .collect::<Option<_>>()?,
        removals: step.removals.iter().map(|file| file.path.clone()).collect(),
        closing,
        sweeps: sweeps.into_iter().collect(),
        check: step.files.iter().chain(step.removals).find_map(|file| configuration(&file.path)),
    })
}

/// The directory of the ClickHouse configuration that a file is part of.
fn configuration(path: &RemotePath) -> Option<RemotePath> {
    ConfigDirectory::of(path.as_str())?;
    let parent = path.parent();
    Some(if matches!(parent.file_name(), "config.d" | "conf.d" | "users.d") { parent.parent() } else { parent })
}

/// Takes the markers of what was owed away.
pub(super) fn settle(owed: &BTreeSet<Owed>) -> Command {
    let markers: Vec<_> = owed.iter().filter_map(Owed::marker).collect();
    remove(&markers)
}

/// Takes files away; it is no failure where they are gone.
pub(super) fn remove(paths: &[RemotePath]) -> Command {
    let paths = paths.iter().map(|path| path.as_str().to_owned());
    Command::Run { argv: ["rm", "-f", "--"].map(str::to_owned).into_iter().chain(paths).collect() }
}

/// Whether a command that failed may have changed the host; a write says so itself.
pub(super) fn changed(step: &Step, output: &Output) -> bool {
    partly(output) || !matches!(step, Step::Write { .. })
}

fn partly(output: &Output) -> bool {
    matches!(output.status, Status::Exited(PARTLY_WRITTEN) | Status::Signalled(_))
}

/// What to do about a command that failed on the host.
pub(super) fn hint(step: &Step, output: &Output, host: &HostName) -> Option<String> {
    let complaint = output.complaint();
    let has = |text: &str| complaint.contains(text);
    Some(match step {
        Step::Write { .. } => hint_of_write(output, host),
        Step::Unit { unit, .. } if has("masked") => {
            format!("somebody masked it; when that is over, on `{host}`: `sudo systemctl unmask {unit}`")
        }
        Step::Unit { unit, .. } => log_of(unit, host),
        Step::Gate(Gate::UnitsRunning { units }) => log_of(units.first()?, host),
        _ => return None,
    })
}

/// What to do about a write that failed.
pub(super) fn hint_of_write(output: &Output, host: &HostName) -> String {
    let complaint = output.complaint();
    let has = |text: &str| complaint.contains(text);
    match () {
        () if partly(output) => {
            "some files are new, some are not: mend the cause, then `housewright plan` shows the rest".to_owned()
        }
        () if output.status == Status::Exited(STAGED_REFUSED) => {
            "nothing was written; mend the template or the variables, then plan again".to_owned()
        }
        () if has("No space left") => {
            format!("free some space on `{host}`, `df -h` shows where; nothing was written")
        }
        () if has("Read-only file system") => {
            format!("why is it read-only? on `{host}`: `dmesg | tail; findmnt -O ro`; nothing was written")
        }
        () if has("invalid user") || has("no such user") => {
            "the user comes with ClickHouse's package: install it first; nothing was written".to_owned()
        }
        () => "nothing was written; `housewright plan` shows what is there now".to_owned(),
    }
}

/// Where a unit says why it does not run: ClickHouse's programs write to files of their own, past the journal.
fn log_of(unit: &UnitName, host: &HostName) -> String {
    let name = unit.to_string();
    if name.starts_with("clickhouse-") {
        format!("its log on `{host}` says why: `sudo tail -n 20 /var/log/{name}/{name}.err.log`")
    } else {
        format!("its journal on `{host}` says why: `sudo journalctl -u {name} -n 50`")
    }
}
