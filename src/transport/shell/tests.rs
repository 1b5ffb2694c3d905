//! The scripts, run by a real shell on this machine.

use std::io::Write;
use std::path::Path;
use std::process::{Command as Process, Output, Stdio};

use proptest::prelude::*;

use super::super::framing::{End, Mark, split};
use super::*;
use crate::remote::{DirectoryWrite, Expect, Expected, FileWrite, RemotePath, Status, WriteSet};
use crate::secret::Secret;

fn script(commands: Vec<Command>) -> (Script, Mark) {
    let mark = Mark::new([0xab; 16]);
    (encode(&Batch { commands }, Privilege::Login, &mark).unwrap(), mark)
}

fn execute(shell: &str, line: &str, stdin: &[u8]) -> Output {
    let mut process = Process::new(shell);
    process.arg("-c").arg(line).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = process.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let stdin = stdin.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&stdin));
    let output = child.wait_with_output().unwrap();
    let _ = writer.join().unwrap();
    output
}

fn run(shell: &str, argv: &[String]) -> Vec<u8> {
    let (script, mark) = script(vec![Command::Run { argv: argv.to_vec() }]);
    let output = execute(shell, &script.line, &script.stdin);
    let outputs = split(&output.stdout.into(), &output.stderr.into(), &mark, 1, &End::Exited(0)).unwrap();
    assert_eq!(outputs[0].status, Status::Exited(0));
    outputs[0].stdout.to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn arguments_pass_through_a_real_shell(
        arguments in proptest::collection::vec("[^\0]{0,12}|[ '\"\\\\$`!\n]{0,8}", 0..5),
        bash in any::<bool>(),
    ) {
        let mut argv = vec!["printf".to_owned(), "%s\\001".to_owned()];
        argv.extend(arguments.iter().cloned());
        let expected: String = if arguments.is_empty() { "\u{1}".to_owned() } else {
            arguments.join("\u{1}") + "\u{1}"
        };
        let text = run(if bash { "bash" } else { "sh" }, &argv);
        prop_assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
}

fn write_set(root: &Path) -> WriteSet {
    let root = root.display();
    let name = |flag| {
        let output = Process::new("id").arg(flag).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let (owner, group) = (name("-un"), name("-gn"));
    let file = |below: &str, content: &'static [u8]| FileWrite {
        path: RemotePath::new(format!("{root}/{below}")).unwrap(),
        content: Secret::new(Bytes::from_static(content)),
        owner: owner.clone(),
        group: group.clone(),
        mode: 0o640,
    };
    WriteSet {
        expects: vec![Expect { path: file("c", b"").path, state: Expected::Absent }],
        directories: vec![DirectoryWrite {
            path: RemotePath::new(format!("{root}/d")).unwrap(),
            owner: owner.clone(),
            group: group.clone(),
            mode: 0o755,
        }],
        files: vec![file("a", b"swordfish\n"), file("d/b", &[b'x'; 3000])],
        ..WriteSet::default()
    }
}

fn names(root: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn an_archive_cut_short_anywhere_writes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let (script, _) = script(vec![Command::Write(write_set(root.path()))]);
    for cut in (0..script.stdin.len() - 1024).step_by(512) {
        execute("sh", &script.line, &script.stdin[..cut]);
        assert_eq!(names(root.path()), ["d"], "after {cut} bytes");
        assert_eq!(names(&root.path().join("d")), [""; 0], "after {cut} bytes");
    }
    execute("sh", &script.line, &script.stdin);
    assert_eq!(names(root.path()), ["a", "d"]);
    assert_eq!(names(&root.path().join("d")), ["b"]);
}

#[test]
fn content_that_arrives_damaged_is_not_used_and_is_told_from_a_failed_expectation() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("c"), "kept").unwrap();
    let mut set = write_set(root.path());
    set.expects[0].state =
        Expected::Sha256(sha2::Digest::finalize(<sha2::Sha256 as sha2::Digest>::new_with_prefix("kept")).into());
    let (script, mark) = script(vec![Command::Write(set)]);
    let mut damaged = script.stdin.to_vec();
    let at = damaged.windows(9).position(|bytes| bytes == b"swordfish").unwrap();
    damaged[at] = b'S';
    let output = execute("sh", &script.line, &damaged);
    let outputs = split(&output.stdout.into(), &output.stderr.into(), &mark, 1, &End::Exited(0)).unwrap();
    assert_eq!(outputs[0].status, Status::Exited(CONTENT_DAMAGED));
    assert_eq!(names(root.path()), ["c", "d"]);
}

#[test]
fn what_follows_a_write_runs_although_the_client_has_gone() {
    use std::io::{BufRead, BufReader};
    let root = tempfile::tempdir().unwrap();
    let done = root.path().join("restarted").display().to_string();
    let restart = Command::Run { argv: vec!["touch".to_owned(), done] };
    let (script, _) = script(vec![Command::Write(write_set(root.path())), restart]);
    let (reader, writer) = std::io::pipe().unwrap();
    let mut process = Process::new("sh");
    process.arg("-c").arg(&script.line).stdin(Stdio::piped()).stderr(writer.try_clone().unwrap()).stdout(writer);
    let mut child = process.spawn().unwrap();
    drop(process);
    // It has begun, on both streams, and waits for the archive; then nobody reads what it says any more.
    let mut reader = BufReader::new(reader);
    reader.read_line(&mut String::new()).unwrap();
    reader.read_line(&mut String::new()).unwrap();
    drop(reader);
    child.stdin.take().unwrap().write_all(&script.stdin).unwrap();
    child.wait().unwrap();
    assert_eq!(names(root.path()), ["a", "d", "restarted"]);
}

#[test]
fn two_writes_at_once_take_turns() {
    let root = tempfile::tempdir().unwrap();
    let (script, _) = script(vec![Command::Write(write_set(root.path()))]);
    let mut slow = Process::new("sh");
    slow.arg("-c").arg(&script.line).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut slow = slow.spawn().unwrap();
    let staging = root.path().join(".housewright.new");
    while !staging.exists() {
        std::thread::yield_now();
    }
    std::thread::scope(|scope| {
        let second = scope.spawn(|| execute("sh", &script.line, &script.stdin));
        std::thread::sleep(std::time::Duration::from_millis(100));
        assert!(staging.exists(), "the first one's files are left alone");
        slow.stdin.take().unwrap().write_all(&script.stdin).unwrap();
        assert!(slow.wait().unwrap().success());
        assert!(second.join().unwrap().status.success());
    });
    assert_eq!(names(root.path()), ["a", "d"]);
}

#[test]
fn a_disk_that_is_full_leaves_everything_as_it_was() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("a"), "old").unwrap();
    let (script, mark) = script(vec![Command::Write(write_set(root.path()))]);
    // The limit is two blocks of 512 bytes per file; the signal would end tar without a word.
    let line = format!("trap '' XFSZ; ulimit -f 2; {}", script.line);
    let output = execute("sh", &line, &script.stdin);
    let outputs = split(&output.stdout.into(), &output.stderr.into(), &mark, 1, &End::Exited(0)).unwrap();
    assert_eq!(outputs[0].status, Status::Exited(2));
    assert!(outputs[0].complaint().contains("d/.housewright.new/b: "), "{}", outputs[0].complaint());
    assert_eq!(names(root.path()), ["a", "d"]);
    assert_eq!(names(&root.path().join("d")), [""; 0]);
    assert_eq!(std::fs::read_to_string(root.path().join("a")).unwrap(), "old");
}

#[test]
fn root_gives_files_and_directories_to_others() {
    use std::os::unix::fs::MetadataExt;
    let root = tempfile::tempdir().unwrap();
    let id = |argument: &[&str]| String::from_utf8(Process::new("id").args(argument).output().unwrap().stdout).unwrap();
    if id(&["-u"]).trim() != "0" {
        return;
    }
    let mut set = write_set(root.path());
    set.directories[0].owner = "daemon".to_owned();
    set.files[0].owner = "daemon".to_owned();
    // A number that has no name.
    set.files[1].group = "54321".to_owned();
    let (script, _) = script(vec![Command::Write(set)]);
    execute("sh", &script.line, &script.stdin);
    let daemon: u32 = id(&["-u", "daemon"]).trim().parse().unwrap();
    let metadata = |below: &str| std::fs::metadata(root.path().join(below)).unwrap();
    assert_eq!((metadata("a").uid(), metadata("a").gid()), (daemon, 0));
    assert_eq!((metadata("d").uid(), metadata("d").gid()), (daemon, 0));
    assert_eq!((metadata("d/b").uid(), metadata("d/b").gid()), (0, 54321));
    assert_eq!(metadata("a").mode() & 0o7777, 0o640);
}

fn status(root: &Path, set: WriteSet) -> (Status, String) {
    let (script, mark) = script(vec![Command::Write(set)]);
    let output = execute("sh", &script.line, &script.stdin);
    let outputs = split(&output.stdout.into(), &output.stderr.into(), &mark, 1, &End::Exited(0)).unwrap();
    assert!(!root.join(".housewright.new").exists() && !root.join("d/.housewright.new").exists());
    (outputs[0].status.clone(), outputs[0].complaint())
}

#[test]
fn a_rename_that_fails_in_the_second_directory_says_that_the_first_is_new() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(root.path().join("d/b/full")).unwrap();
    let (status, complaint) = status(root.path(), write_set(root.path()));
    assert_eq!(status, Status::Exited(PARTLY_WRITTEN));
    assert!(complaint.contains("d/b"), "{complaint}");
    assert_eq!(std::fs::read_to_string(root.path().join("a")).unwrap(), "swordfish\n");
}

#[test]
fn an_immutable_file_in_the_second_directory_says_so_too() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("d/b");
    std::fs::create_dir(root.path().join("d")).unwrap();
    std::fs::write(&file, "old").unwrap();
    let chattr = |flag| Process::new("chattr").arg(flag).arg(&file).stderr(Stdio::null()).status();
    // Only root may do that, and only on file systems that know it.
    if !chattr("+i").is_ok_and(|status| status.success()) {
        return;
    }
    let (status, complaint) = status(root.path(), write_set(root.path()));
    assert!(chattr("-i").unwrap().success());
    assert_eq!(status, Status::Exited(PARTLY_WRITTEN), "{complaint}");
    assert_eq!(
        (names(root.path()), std::fs::read_to_string(file).unwrap().as_str()),
        (vec!["a".into(), "d".into()], "old")
    );
}

#[test]
fn modes_of_directories_wait_for_the_checks() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let root = tempfile::tempdir().unwrap();
    let mode = || std::fs::metadata(root.path().join("d")).unwrap().mode() & 0o7777;
    std::fs::create_dir(root.path().join("d")).unwrap();
    std::fs::set_permissions(root.path().join("d"), PermissionsExt::from_mode(0o700)).unwrap();
    std::fs::write(root.path().join("c"), "another").unwrap();
    for files in [true, false] {
        let mut set = write_set(root.path());
        set.expects[0].state = Expected::Sha256([7; 32]);
        set.files.retain(|_| files);
        assert_eq!(status(root.path(), set).0, Status::Exited(EXPECTATION_FAILED));
        assert_eq!((mode(), names(root.path())), (0o700, vec!["c".to_owned(), "d".to_owned()]));
    }
    let mut set = write_set(root.path());
    set.expects.clear();
    assert_eq!(status(root.path(), set).0, Status::Exited(0));
    assert_eq!(mode(), 0o755);
}

#[test]
fn a_link_that_leads_nowhere_is_not_absent() {
    let root = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/nowhere", root.path().join("c")).unwrap();
    let (script, mark) = script(vec![Command::Write(write_set(root.path()))]);
    let output = execute("sh", &script.line, &script.stdin);
    let outputs = split(&output.stdout.into(), &output.stderr.into(), &mark, 1, &End::Exited(0)).unwrap();
    assert_eq!(outputs[0].status, Status::Exited(EXPECTATION_FAILED));
    assert_eq!(names(root.path()), ["c"]);
}

#[test]
fn what_an_earlier_run_left_behind_is_removed() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join(".housewright.new")).unwrap();
    std::fs::write(root.path().join(".housewright.new/old"), "").unwrap();
    let (script, _) = script(vec![Command::Write(write_set(root.path()))]);
    execute("sh", &script.line, &script.stdin);
    assert_eq!(names(root.path()), ["a", "d"]);
}

#[test]
fn the_command_line_holds_neither_content_nor_digest_nor_the_mark() {
    let mut set = write_set(Path::new("/etc/x"));
    set.expects[0].state = Expected::Sha256([0x5a; 32]);
    let (script, mark) = script(vec![Command::Write(set)]);
    assert!(!script.line.contains("swordfish"));
    assert!(!script.line.contains("5a5a5a"));
    assert!(!script.line.contains(&format!("{}{}", mark.left, mark.right)));
    // For every login shell: one pair of quotes, one line, nothing that fish would read as an escape.
    assert_eq!(script.line.matches('\'').count(), 2);
    assert!(!script.line.contains('\n') && !script.line.contains("\\\\"));
}

#[test]
fn a_write_is_a_few_processes() {
    let (script, _) = script(vec![Command::Write(write_set(Path::new("/etc/x")))]);
    let marked = script.line.split_once("mark_ 0 0;").unwrap().1;
    let programs = ["find /", "install -d", "mkdir -m", "tar -x", "sha256sum -c", "mv -f", "rm -rf", "$(", "|"];
    // Directories that are missing are made first, those that are there mended last.
    let counts = programs.map(|program| marked.replace("||", "").matches(program).count());
    // Two directories, so two renames; the second `rm` and the first are for what is left of an earlier run and of this.
    assert_eq!(counts, [1, 2, 1, 1, 1, 2, 2, 0, 0]);
}

#[test]
fn a_batch_that_breaks_the_rules_is_refused() {
    let mark = Mark::new([0; 16]);
    let write = || Command::Write(write_set(Path::new("/etc/x")));
    let two = Batch { commands: vec![write(), write()] };
    assert_eq!(encode(&two, Privilege::Sudo, &mark).unwrap_err(), ShellError::TwoWrites);
    let zero = Batch { commands: vec![Command::Run { argv: vec!["a\0".to_owned()] }] };
    assert_eq!(encode(&zero, Privilege::Sudo, &mark).unwrap_err(), ShellError::ZeroByte);
}

/// A binary that refuses a tree with `REFUSE` in a file that the server would read; it notes that it was asked.
const BINARY: &str = r#"#!/bin/sh
while [ $# != 0 ]; do [ "$1" != --config-file ] || file=$2; shift; done
tree=${file%/*}
echo "$tree" >>ASKED
grep -qs REFUSE "$tree"/config.xml "$tree"/config.d/*.xml || exit 0
echo "Code: 1. DB::Exception: $tree/config.d/x.xml is no good" >&2
exit 232
"#;

#[test]
fn what_the_hosts_binary_refuses_is_not_written() {
    use std::os::unix::fs::PermissionsExt;
    for (before, after, code) in [("", "fine", 0), ("", "REFUSE", STAGED_REFUSED), ("REFUSE", "REFUSE too", 0)] {
        let root = tempfile::tempdir().unwrap();
        let (tree, programs) = (root.path().join("etc"), root.path().join("bin"));
        std::fs::create_dir_all(tree.join("config.d")).unwrap();
        std::fs::create_dir(&programs).unwrap();
        std::fs::write(tree.join("config.xml"), before).unwrap();
        let asked = root.path().join("asked");
        let binary = BINARY.replace("ASKED", &asked.display().to_string());
        std::fs::write(programs.join("clickhouse"), binary).unwrap();
        std::fs::set_permissions(programs.join("clickhouse"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut set = write_set(&tree);
        set.check = Some(RemotePath::new(tree.display().to_string()).unwrap());
        let mut file = set.files[0].clone();
        file.path = RemotePath::new(format!("{}/config.d/x.xml", tree.display())).unwrap();
        file.content = Secret::new(Bytes::from(after));
        set.files = vec![file];
        let (script, mark) = script(vec![Command::Write(set)]);
        let path = format!("export PATH={}:$PATH;{}", programs.display(), script.line);
        let output = execute("sh", &path, &script.stdin);
        let outputs = split(&output.stdout.into(), &output.stderr.into(), &mark, 1, &End::Exited(0)).unwrap();
        let complaint = outputs[0].complaint();
        assert_eq!(outputs[0].status, Status::Exited(code), "{before:?} -> {after:?}: {complaint}");
        assert_eq!(tree.join("config.d/x.xml").exists(), code == 0);
        let wanted = format!("as it would be: Code: 1. DB::Exception: {}/config.d/x.xml is no good", tree.display());
        assert_eq!(complaint.contains(&wanted), code != 0, "{complaint}");
        let staged = std::fs::read_to_string(asked).unwrap();
        let staged = staged.lines().next().unwrap();
        assert!(staged != tree.display().to_string() && !Path::new(staged).exists(), "`{staged}` is left");
    }
}

/// A binary that refuses a tree in which one file needs another that is not there.
const PICKY: &str = r#"#!/bin/sh
while [ $# != 0 ]; do [ "$1" != --config-file ] || file=$2; shift; done
[ -f "${file%/*}/config.d/needed.xml" ] || ! grep -qs NEEDS "${file%/*}"/config.d/*.xml || exit 232
"#;

#[test]
fn the_hosts_binary_reads_the_tree_without_the_files_that_are_removed() {
    use std::os::unix::fs::PermissionsExt;
    for (other, code) in [("NEEDS", STAGED_REFUSED), ("fine", 0)] {
        let root = tempfile::tempdir().unwrap();
        let (tree, programs) = (root.path().join("etc"), root.path().join("bin"));
        std::fs::create_dir_all(tree.join("config.d")).unwrap();
        std::fs::create_dir(&programs).unwrap();
        let needed = tree.join("config.d/needed.xml");
        for (path, text) in
            [(tree.join("config.xml"), ""), (tree.join("config.d/other.xml"), other), (needed.clone(), "x")]
        {
            std::fs::write(path, text).unwrap();
        }
        std::fs::write(programs.join("clickhouse"), PICKY).unwrap();
        std::fs::set_permissions(programs.join("clickhouse"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut set = write_set(root.path());
        let at = |path: &Path| RemotePath::new(path.display().to_string()).unwrap();
        (set.check, set.removals) = (Some(at(&tree)), vec![at(&needed)]);
        let (script, mark) = script(vec![Command::Write(set)]);
        let line = format!("export PATH={}:$PATH;{}", programs.display(), script.line);
        let output = execute("sh", &line, &script.stdin);
        let outputs = split(&output.stdout.into(), &output.stderr.into(), &mark, 1, &End::Exited(0)).unwrap();
        assert_eq!(outputs[0].status, Status::Exited(code), "{other}: {}", outputs[0].complaint());
        assert_eq!(needed.exists(), code != 0, "{other}");
        assert_eq!(root.path().join("a").exists(), code == 0, "{other}");
    }
}
