//! The script and the archive of a [`WriteSet`] (pure).
//!
//! Files are unpacked into a directory of root's own inside each target directory, which no server reads, so that the
//! last step is a rename on the same file system: each file is old or new, never half.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::super::framing::Mark;
use super::{CONTENT_DAMAGED, EXPECTATION_FAILED, PARTLY_WRITTEN, STAGED_REFUSED, ShellError, quoted, staged as check};
use crate::remote::{Expected, FileWrite, RemotePath, WriteSet, pack};
use crate::secret::Secret;

/// Beside the targets; ClickHouse's configuration reader passes over names that begin with a dot
/// (`ConfigProcessor::getConfigMergeFiles`), and over directories.
pub const STAGING: &str = ".housewright.new";

/// The name of a [`WriteSet::closing`] in there.
const CLOSING: &str = ".closing";

/// Two runs must not unpack into the same staging directory: each holds a lock on `/` (which needs no file of its own,
/// and goes with the process) while it writes. A write takes less than a second; so many are waited for.
const LOCK_PATIENCE: u32 = 60;

/// One write command and the stdin that it reads.
pub(super) struct WriteScript {
    pub script: String,
    pub stdin: Bytes,
}

pub(super) fn encode(set: &WriteSet, mark: &Mark) -> Result<WriteScript, ShellError> {
    let lists = Lists::new(set);
    let by_directory = by_directory(set);
    let mut staging: Vec<_> = by_directory.iter().map(|(directory, _)| staged_in(directory)).collect();
    staging.extend(set.closing.iter().map(|file| staged_in(&file.path.parent())));
    let mut seen = BTreeSet::new();
    staging.retain(|name| seen.insert(name.clone()));
    let mut script = if set.check.is_some() { check::functions(STAGING) } else { String::new() };
    let _ = write!(
        script,
        "exec 9</;write_(){{ flock -w {LOCK_PATIENCE} 9||{{ echo another run writes to this host >&2;return 1; }};"
    );
    script.push_str(&absent(set));
    script.push_str(&names_exist(set));
    if staging.is_empty() && !lists.expected.is_empty() {
        let _ = write!(script, "sha256sum -c --quiet --strict >&2||return {EXPECTATION_FAILED};");
    }
    let swept: Vec<_> = set.sweeps.iter().map(staged_in).filter(|name| seen.insert(name.clone())).collect();
    script.push_str(&sweep(&[staging.as_slice(), &swept].concat()));
    let kinds = kinds(set);
    script.push_str(&create(&kinds));
    if let Some(first) = staging.first() {
        let (all, expected) = (format!("{first}/.all-{}", mark.left), format!("{first}/.expected-{}", mark.left));
        let names = quoted(&staging);
        let _ = write!(
            script,
            concat!(
                "k=1;trap clean_ EXIT;trap \"exit 129\" HUP;trap \"exit 130\" INT;trap \"exit 141\" PIPE;trap \"exit 143\" TERM;",
                "mkdir -m 700 --{names}||return;",
                // `-m`: the time of the change, by which ClickHouse finds out that a file is another.
                "tar -xpmf - -C / --same-owner||return;",
                "sha256sum -c --quiet --strict --{all} </dev/null >&2||{damaged};",
            ),
            names = names,
            all = quoted([&all]),
            damaged = damaged(&lists, &expected),
        );
        if let Some(root) = &set.check {
            let _ = write!(script, "{}||return {STAGED_REFUSED};", check::call(root, &set.removals));
        }
        // From the first rename on, the rest of the batch is due: a client that goes away must not end it with SIGPIPE.
        script.push_str("trap \"\" HUP PIPE;");
        script.push_str(&mend(&kinds));
        for (directory, files) in &by_directory {
            let from = quoted(files.iter().map(|file| staged(&file.path)));
            let _ = write!(
                script,
                "mv -f -t{} --{from} </dev/null||return {PARTLY_WRITTEN};",
                quoted([directory.as_str()])
            );
        }
        script.push_str(&remove(set));
        if let Some(file) = &set.closing {
            let (from, to) = (quoted([closing(&file.path)]), quoted([file.path.as_str()]));
            let _ = write!(script, "mv -f -T --{from}{to} </dev/null||return {PARTLY_WRITTEN};");
        }
        let _ = write!(
            script,
            "}};clean_(){{ rm -rf --{names} ${{t:+\"$t\"}} </dev/null; }};k=;write_;r=$?;[ -z \"$k\" ]||clean_;"
        );
        script.push_str("trap - EXIT INT TERM;[ $r = 0 ]||trap - HUP PIPE;exec 9<&-;as_ $r");
        return Ok(WriteScript { script, stdin: archive(set, &lists, &all, &expected)? });
    }
    script.push_str(&mend(&kinds));
    script.push_str(&remove(set));
    script.push_str(":;};write_;r=$?;exec 9<&-;as_ $r");
    Ok(WriteScript { script, stdin: lists.expected.into_bytes().into() })
}

/// Takes away what a write that was killed has left: nobody else writes now.
fn sweep(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    format!(
        "for s in{};do if [ -e \"$s\" ]||[ -L \"$s\" ];then rm -rf -- \"$s\" </dev/null||return;fi;done;",
        quoted(names)
    )
}

fn remove(set: &WriteSet) -> String {
    if set.removals.is_empty() {
        return String::new();
    }
    let paths = quoted(set.removals.iter().map(RemotePath::as_str));
    format!("rm -f --{paths} </dev/null||return {PARTLY_WRITTEN};")
}

/// Tells on failure whether an expectation or the way of the bytes is to blame.
fn damaged(lists: &Lists, expected: &str) -> String {
    if lists.expected.is_empty() {
        return format!("return {CONTENT_DAMAGED}");
    }
    format!(
        "{{ sha256sum -c --status --{} </dev/null||return {EXPECTATION_FAILED};return {CONTENT_DAMAGED}; }}",
        quoted([expected])
    )
}

fn absent(set: &WriteSet) -> String {
    let paths = quoted(set.expects.iter().filter(|e| e.state == Expected::Absent).map(|e| e.path.as_str()));
    if paths.is_empty() {
        return String::new();
    }
    format!(
        "for p in{paths};do if [ -e \"$p\" ]||[ -L \"$p\" ];then printf \"%s: exists\\n\" \"$p\" >&2;return {EXPECTATION_FAILED};fi;done;"
    )
}

fn written(set: &WriteSet) -> impl Iterator<Item = &FileWrite> {
    set.files.iter().chain(&set.closing)
}

/// tar falls back to numbers where it does not know a name; `find` looks up all of them in one process.
fn names_exist(set: &WriteSet) -> String {
    let owners: BTreeSet<_> = set.directories.iter().map(|d| &d.owner).chain(written(set).map(|f| &f.owner)).collect();
    let groups: BTreeSet<_> = set.directories.iter().map(|d| &d.group).chain(written(set).map(|f| &f.group)).collect();
    if owners.is_empty() {
        return String::new();
    }
    let test = |word: &str, names: BTreeSet<&String>| -> String {
        names.into_iter().flat_map(|name| [word.to_owned(), quoted([name])]).collect()
    };
    let (owners, groups) = (test(" -user", owners), test(" -group", groups));
    format!("find / -maxdepth 0{owners}{groups} </dev/null >/dev/null||return;")
}

/// Owner, group and mode.
type Kind<'a> = (&'a str, &'a str, u32);

fn kinds(set: &WriteSet) -> Vec<(Kind<'_>, Vec<&str>)> {
    let mut kinds: Vec<(Kind<'_>, Vec<&str>)> = Vec::new();
    for directory in &set.directories {
        let kind = (directory.owner.as_str(), directory.group.as_str(), directory.mode);
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, paths)) => paths.push(directory.path.as_str()),
            None => kinds.push((kind, vec![directory.path.as_str()])),
        }
    }
    kinds
}

fn install((owner, group, mode): &Kind<'_>, paths: &str) -> String {
    format!("install -d -m {mode:o} -o{} -g{} --{paths} </dev/null", quoted([owner]), quoted([group]))
}

/// Makes the directories that are missing: files are unpacked into them before all checks are through.
fn create(kinds: &[(Kind<'_>, Vec<&str>)]) -> String {
    let one = |(kind, paths): &(Kind<'_>, Vec<&str>)| {
        format!(
            "set --;for p in{};do [ -d \"$p\" ]||set -- \"$@\" \"$p\";done;[ $# = 0 ]||{}||return;",
            quoted(paths),
            install(kind, " \"$@\"")
        )
    };
    kinds.iter().map(one).collect()
}

/// Gives the directories that were there their owner and mode.
fn mend(kinds: &[(Kind<'_>, Vec<&str>)]) -> String {
    let one = |(kind, paths): &(Kind<'_>, Vec<&str>)| {
        let install = install(kind, &quoted(paths));
        format!("{install}||return {PARTLY_WRITTEN};")
    };
    kinds.iter().map(one).collect::<Vec<_>>().concat()
}

/// The files by their directory, in the order in which the set names them first: that is the order of the renames.
fn by_directory(set: &WriteSet) -> Vec<(RemotePath, Vec<&FileWrite>)> {
    let mut directories: Vec<(RemotePath, Vec<&FileWrite>)> = Vec::new();
    for file in &set.files {
        let parent = file.path.parent();
        match directories.iter_mut().find(|(directory, _)| *directory == parent) {
            Some((_, files)) => files.push(file),
            None => directories.push((parent, vec![file])),
        }
    }
    directories
}

fn staged_in(directory: &RemotePath) -> String {
    format!("{}/{STAGING}", directory.as_str().trim_end_matches('/'))
}

fn staged(path: &RemotePath) -> String {
    format!("{}/{}", staged_in(&path.parent()), path.file_name())
}

/// Where a [`WriteSet::closing`] is staged: not under its own name, which one of the files may have.
fn closing(path: &RemotePath) -> String {
    format!("{}/{CLOSING}", staged_in(&path.parent()))
}

/// Lists for `sha256sum -c`.
struct Lists {
    /// What must still be there.
    expected: String,
    /// That, and what was sent.
    all: String,
}

impl Lists {
    fn new(set: &WriteSet) -> Self {
        let mut expected = String::new();
        for expect in &set.expects {
            if let Expected::Sha256(digest) = &expect.state {
                line(&mut expected, digest, expect.path.as_str());
            }
        }
        let mut all = expected.clone();
        for file in &set.files {
            line(&mut all, &Sha256::digest(file.content.expose()).into(), &staged(&file.path));
        }
        if let Some(file) = &set.closing {
            line(&mut all, &Sha256::digest(file.content.expose()).into(), &closing(&file.path));
        }
        Self { expected, all }
    }
}

/// A backslash is doubled, and the line marked, as `sha256sum` itself does
/// (<https://www.gnu.org/software/coreutils/manual/html_node/cksum-output-modes.html>).
fn line(list: &mut String, digest: &[u8; 32], path: &str) {
    if path.contains('\\') {
        list.push('\\');
    }
    for byte in digest {
        let _ = write!(list, "{byte:02x}");
    }
    list.push_str("  ");
    list.push_str(&path.replace('\\', "\\\\"));
    list.push('\n');
}

/// The lists come first: an archive cut short at a file's end would pass tar, but not the lists.
fn archive(set: &WriteSet, lists: &Lists, all: &str, expected: &str) -> Result<Bytes, ShellError> {
    let owner = written(set).next().map(|file| (file.owner.clone(), file.group.clone())).unwrap_or_default();
    let list = |path: &str, content: &str| {
        Ok::<_, ShellError>(FileWrite {
            path: RemotePath::new(path).map_err(|error| ShellError::Archive(error.to_string()))?,
            content: Secret::new(Bytes::copy_from_slice(content.as_bytes())),
            owner: owner.0.clone(),
            group: owner.1.clone(),
            mode: 0o600,
        })
    };
    let lists = [list(all, &lists.all)?, list(expected, &lists.expected)?];
    let last = set.closing.iter().map(|file| {
        let path = RemotePath::new(closing(&file.path)).map_err(|error| ShellError::Archive(error.to_string()))?;
        Ok(FileWrite { path, ..file.clone() })
    });
    let as_they_are = lists.into_iter().map(Ok).chain(last).collect::<Result<Vec<_>, ShellError>>()?;
    let is_staged = |path: &RemotePath| as_they_are.iter().any(|file| file.path == *path);
    let members = as_they_are.iter().chain(&set.files);
    pack(members, |path| if is_staged(path) { path.as_str().to_owned() } else { staged(path) })
        .map(Bytes::from)
        .map_err(|error| ShellError::Archive(error.to_string()))
}
