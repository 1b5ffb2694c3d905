//! Turns a write step into the command that carries it, and its failures into advice (pure).

use std::collections::BTreeSet;

use crate::clickhouse::config::ConfigDirectory;
use crate::fleet::HostName;
use crate::plan::{FileStep, Gate, Step};
use crate::remote::{Command, DirectoryWrite, FileWrite, Output, RemotePath, Status, UnitName, WriteSet};
use crate::render::Desired;
use crate::resource::Owed;
use crate::transport::shell::{PARTLY_WRITTEN, STAGED_REFUSED};

/// Looks up what a write step writes; nothing where the plan and what is rendered do not fit.
pub(super) fn command(
    desired: &Desired,
    directories: &[RemotePath],
    files: &[FileStep],
    owes: &BTreeSet<Owed>,
) -> Option<WriteSet> {
    let directories = directories.iter().map(|path| {
        let want = desired.directories.get(path)?;
        let (owner, group) = (want.owner.clone(), want.group.clone());
        Some(DirectoryWrite { path: path.clone(), owner, group, mode: want.mode })
    });
    let contents = files.iter().map(|file| {
        let want = desired.files.get(&file.path)?;
        let (owner, group) = (want.owner.clone(), want.group.clone());
        let content = want.content.bytes().clone();
        Some(FileWrite { path: file.path.clone(), content, owner, group, mode: want.mode })
    });
    let directories = directories.chain(owes.iter().filter_map(Owed::directory).map(Some));
    Some(WriteSet {
        expects: files.iter().map(|file| file.expect.clone()).collect(),
        directories: directories.collect::<Option<_>>()?,
        // The markers first: from the first renamed file on, it is owed.
        files: owes.iter().map(Owed::file).chain(contents).collect::<Option<_>>()?,
        check: files.iter().find_map(|file| configuration(&file.path)),
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
    !matches!(step, Step::Write { .. }) || output.status == Status::Exited(PARTLY_WRITTEN)
}

/// What to do about a command that failed on the host.
pub(super) fn hint(step: &Step, output: &Output, host: &HostName) -> Option<String> {
    let complaint = output.complaint();
    let has = |text: &str| complaint.contains(text);
    Some(match step {
        Step::Write { .. } if changed(step, output) => {
            "some files are new, some are not: mend the cause, then `housewright plan` shows the rest".to_owned()
        }
        Step::Write { .. } if output.status == Status::Exited(STAGED_REFUSED) => {
            "nothing was written; mend the template or the variables, then plan again".to_owned()
        }
        Step::Write { .. } if has("No space left") => {
            format!("free some space on `{host}`, `df -h` shows where; nothing was written")
        }
        Step::Write { .. } if has("Read-only file system") => {
            format!("why is it read-only? on `{host}`: `dmesg | tail; findmnt -O ro`; nothing was written")
        }
        Step::Write { .. } if has("invalid user") || has("no such user") => {
            "the user comes with ClickHouse's package: install it first; nothing was written".to_owned()
        }
        Step::Write { .. } => "nothing was written; `housewright plan` shows what is there now".to_owned(),
        Step::Unit { unit, .. } if has("masked") => {
            format!("somebody masked it; when that is over, on `{host}`: `sudo systemctl unmask {unit}`")
        }
        Step::Unit { unit, .. } => log_of(unit, host),
        Step::Gate(Gate::UnitsRunning { units }) => log_of(units.first()?, host),
        _ => return None,
    })
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
