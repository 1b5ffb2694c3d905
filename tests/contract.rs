//! What every [`Session`] must do, whoever it talks to.
//!
//! The suite is a list of functions over a [`World`]: a session, and a way to look at the host's files that does not go
//! through it. A new world needs the trait and one line with `contract!`.

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use housewright::fleet::{Host, HostName, Privilege};
use housewright::ground::Answer;
use housewright::remote::{
    Batch, Command, DirectoryWrite, Entry, EntryKind, Expect, Expected, FileWrite, Output, RemotePath, Status,
    TreeRead, UnitAction, UnitName, WriteSet, unpack,
};
use housewright::secret::Secret;
use housewright::sim::{SimFleet, SimHost, SimUnit};
use housewright::transport::shell::PARTLY_WRITTEN;
use housewright::transport::{HostLock, Session, SessionError, SshOptions, SshTransport, Transport};
use russh::keys::PrivateKey;
use sha2::{Digest, Sha256};
use support::openssh::OpenSsh;
use support::sshd::{Behaviour, Sshd};

/// A host to try a session on.
#[async_trait]
trait World: Send + Sync {
    fn session(&self) -> &dyn Session;
    /// A second connection to the same host.
    async fn another(&self) -> Arc<dyn Session>;
    /// The port of a keeper that runs on the host.
    async fn keeper(&self) -> u16;
    /// A directory that is there and in which the suite may write.
    fn root(&self) -> String;
    /// A user and a group that are there and may own files.
    fn owner(&self) -> (String, String);
    /// All paths below the root, with the content of files and the permission bits.
    fn look(&self) -> BTreeSet<(String, Option<Vec<u8>>, u32)>;
    /// Whether programs can really run.
    fn runs_programs(&self) -> bool;
    /// Puts a link there.
    fn link(&self, path: &RemotePath, to: &str);
}

macro_rules! contract {
    ($world:ident: $($name:ident),* $(,)?) => {
        mod $world {
            $(#[tokio::test]
            async fn $name() {
                // Only the worlds that this machine has.
                if let Some(world) = super::$world().await {
                    super::suite::$name(&world).await;
                }
            })*
        }
    };
}

contract! { ssh:
    an_empty_batch_answers_nothing,
    what_is_there_is_read_and_what_is_not_is_left_out,
    what_was_written_is_read_back,
    a_file_is_replaced_and_its_time_is_new,
    an_expectation_that_fails_leaves_everything_as_it_was,
    an_unknown_owner_stops_the_write_before_it_begins,
    a_target_that_is_a_directory_is_an_error,
    a_rename_that_fails_leaves_those_before_it_and_says_so,
    directories_are_mended_after_the_checks,
    files_are_removed_after_the_others_are_written_and_the_last_one_closes,
    what_a_killed_write_has_left_is_swept,
    hundreds_of_files_are_one_write,
    exit_codes_and_outputs_come_back,
    after_a_failure_nothing_runs,
    a_question_that_fails_is_an_answer_and_the_batch_goes_on,
    big_output_is_whole,
    arguments_arrive_as_they_are,
    no_command_reads_the_archive,
    units_are_read_and_acted_on,
    the_read_fails_where_a_path_cannot_be_looked_at,
    a_tree_is_read_as_a_server_reads_it,
    too_much_of_a_tree_is_refused,
    a_keeper_is_asked_and_a_port_without_one_refuses,
    a_lock_is_held_by_one_and_is_free_after_it,
}

contract! { openssh:
    an_empty_batch_answers_nothing,
    what_is_there_is_read_and_what_is_not_is_left_out,
    what_was_written_is_read_back,
    a_file_is_replaced_and_its_time_is_new,
    an_expectation_that_fails_leaves_everything_as_it_was,
    an_unknown_owner_stops_the_write_before_it_begins,
    a_target_that_is_a_directory_is_an_error,
    a_rename_that_fails_leaves_those_before_it_and_says_so,
    directories_are_mended_after_the_checks,
    files_are_removed_after_the_others_are_written_and_the_last_one_closes,
    what_a_killed_write_has_left_is_swept,
    hundreds_of_files_are_one_write,
    exit_codes_and_outputs_come_back,
    after_a_failure_nothing_runs,
    a_question_that_fails_is_an_answer_and_the_batch_goes_on,
    big_output_is_whole,
    arguments_arrive_as_they_are,
    no_command_reads_the_archive,
    units_are_read_and_acted_on,
    the_read_fails_where_a_path_cannot_be_looked_at,
    a_tree_is_read_as_a_server_reads_it,
    too_much_of_a_tree_is_refused,
    a_keeper_is_asked_and_a_port_without_one_refuses,
    a_lock_is_held_by_one_and_is_free_after_it,
}

contract! { ssh_sudo: what_was_written_is_read_back, after_a_failure_nothing_runs, hundreds_of_files_are_one_write, a_lock_is_held_by_one_and_is_free_after_it }
contract! { ssh_bash: a_tree_is_read_as_a_server_reads_it, what_was_written_is_read_back, arguments_arrive_as_they_are, an_expectation_that_fails_leaves_everything_as_it_was }

contract! { sim:
    an_empty_batch_answers_nothing,
    what_is_there_is_read_and_what_is_not_is_left_out,
    what_was_written_is_read_back,
    a_file_is_replaced_and_its_time_is_new,
    an_expectation_that_fails_leaves_everything_as_it_was,
    an_unknown_owner_stops_the_write_before_it_begins,
    a_target_that_is_a_directory_is_an_error,
    a_rename_that_fails_leaves_those_before_it_and_says_so,
    directories_are_mended_after_the_checks,
    files_are_removed_after_the_others_are_written_and_the_last_one_closes,
    what_a_killed_write_has_left_is_swept,
    hundreds_of_files_are_one_write,
    after_a_failure_nothing_runs,
    a_question_that_fails_is_an_answer_and_the_batch_goes_on,
    units_are_read_and_acted_on,
    the_read_fails_where_a_path_cannot_be_looked_at,
    a_tree_is_read_as_a_server_reads_it,
    too_much_of_a_tree_is_refused,
    a_keeper_is_asked_and_a_port_without_one_refuses,
    a_lock_is_held_by_one_and_is_free_after_it,
}

/// A host of the simulated world; it has no programs to run.
struct SimWorld {
    fleet: SimFleet,
    host: Host,
    session: Arc<dyn Session>,
}

async fn sim() -> Option<SimWorld> {
    let (fleet, name) = (SimFleet::default(), HostName::new("host").unwrap());
    let mut host = SimHost::bare();
    for unit in ["a", "b"] {
        host.units.insert(UnitName::new(unit).unwrap(), SimUnit::default());
    }
    let broken = SimUnit { start_fails: Some("last words of broken.service".to_owned()), ..SimUnit::default() };
    host.units.insert(UnitName::new("broken").unwrap(), broken);
    host.units.insert(UnitName::new("zookeeper").unwrap(), SimUnit { running: true, ..SimUnit::default() });
    host.put_directory("/root");
    fleet.put(name, host);
    let files = tempfile::tempdir().unwrap();
    let host = support::host("host", support::connection(22, files.path()));
    let session = fleet.connect(&host).await.unwrap();
    Some(SimWorld { fleet, host, session })
}

#[async_trait]
impl World for SimWorld {
    fn session(&self) -> &dyn Session {
        &*self.session
    }

    async fn another(&self) -> Arc<dyn Session> {
        self.fleet.connect(&self.host).await.unwrap()
    }

    async fn keeper(&self) -> u16 {
        2181
    }

    fn root(&self) -> String {
        "/root".to_owned()
    }

    fn owner(&self) -> (String, String) {
        ("clickhouse".to_owned(), "clickhouse".to_owned())
    }

    fn look(&self) -> BTreeSet<(String, Option<Vec<u8>>, u32)> {
        let content = |kind: &EntryKind| match kind {
            EntryKind::File(content) => Some(content.to_vec()),
            EntryKind::Directory | EntryKind::Other => None,
        };
        let seen = |host: &mut SimHost| {
            let below = host.entries.values().filter(|entry| entry.path.as_str().starts_with("/root/"));
            below.map(|entry| (entry.path.to_string(), content(&entry.kind), entry.mode)).collect()
        };
        self.fleet.with_host(&self.host.name, seen).unwrap()
    }

    fn runs_programs(&self) -> bool {
        false
    }

    fn link(&self, path: &RemotePath, _to: &str) {
        let (owner, group) = self.owner();
        let entry = Entry { path: path.clone(), owner, group, mode: 0o777, kind: EntryKind::Other };
        self.fleet.with_host(&self.host.name, |host| host.entries.insert(path.clone(), entry)).unwrap();
    }
}

struct SshWorld {
    session: Arc<dyn Session>,
    transport: SshTransport,
    host: Host,
    files: tempfile::TempDir,
    sshd: Option<Sshd>,
    openssh: Option<OpenSsh>,
}

async fn ssh() -> Option<SshWorld> {
    Some(SshWorld::start(Privilege::Login, "sh").await)
}

async fn ssh_sudo() -> Option<SshWorld> {
    Some(SshWorld::start(Privilege::Sudo, "sh").await)
}

async fn ssh_bash() -> Option<SshWorld> {
    Some(SshWorld::start(Privilege::Login, "bash").await)
}

async fn openssh() -> Option<SshWorld> {
    let place = Place::new(Privilege::Login);
    support::write_key(&place.files.path().join("host_key"), &place.host_key);
    let line = support::public_line(place.key.public_key()) + "\n";
    std::fs::write(place.files.path().join("authorized_keys"), line).unwrap();
    let server = OpenSsh::start(place.files.path(), &place.files.path().join("programs")).await?;
    let mut world = place.world(server.port, &support::id("-un")).await;
    world.openssh = Some(server);
    Some(world)
}

/// Stand-ins of programs that a test machine may not have.
const PROGRAMS: [(&str, &str); 3] = [
    ("sudo", "#!/bin/sh\n[ \"$1\" = -n ] || exit 9\nshift\nexec \"$@\"\n"),
    (
        "systemctl",
        "#!/bin/sh\ncase \"$*\" in\n'show -p Id,'*) echo Id=a.service; echo ActiveState=active; echo; echo Id=b.service;;\n*broken*) echo 'Job for broken.service failed.' >&2; exit 1;;\n*) echo \"$*\";;\nesac\n",
    ),
    ("journalctl", "#!/bin/sh\necho \"last words of $2\"\n"),
];

/// The files of a world before its server runs.
struct Place {
    files: tempfile::TempDir,
    host_key: PrivateKey,
    key: PrivateKey,
    privilege: Privilege,
}

impl Place {
    fn new(privilege: Privilege) -> Self {
        let files = tempfile::tempdir().unwrap();
        let programs = files.path().join("programs");
        std::fs::create_dir(&programs).unwrap();
        std::fs::create_dir(files.path().join("root")).unwrap();
        for (name, text) in PROGRAMS {
            write_program(&programs.join(name), text);
        }
        let key = support::new_key();
        support::write_key(&files.path().join("id"), &key);
        Self { files, host_key: support::new_key(), key, privilege }
    }

    async fn world(self, port: u16, user: &str) -> SshWorld {
        let line = format!("[127.0.0.1]:{port} {}\n", support::public_line(self.host_key.public_key()));
        std::fs::write(self.files.path().join("known_hosts"), line).unwrap();
        let mut connection = support::connection(port, self.files.path());
        connection.privilege = self.privilege;
        connection.user = user.to_owned();
        let lock_file = self.files.path().join("a lock").display().to_string();
        let options = SshOptions { lock_file, holder: "it's \"me\" $HOME".to_owned(), ..SshOptions::default() };
        let (transport, host) = (SshTransport::new(options), support::host("host", connection));
        let session = transport.connect(&host).await.unwrap();
        SshWorld { session, transport, host, files: self.files, sshd: None, openssh: None }
    }
}

impl SshWorld {
    async fn start(privilege: Privilege, shell: &'static str) -> Self {
        let place = Place::new(privilege);
        let programs = Some(place.files.path().join("programs"));
        let server = Sshd::start(Behaviour { programs, shell, ..Behaviour::new(&place.host_key, &place.key) }).await;
        let mut world = place.world(server.port, "operator").await;
        world.sshd = Some(server);
        world
    }
}

fn write_program(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[async_trait]
impl World for SshWorld {
    fn session(&self) -> &dyn Session {
        &*self.session
    }

    async fn another(&self) -> Arc<dyn Session> {
        self.transport.connect(&self.host).await.unwrap()
    }

    async fn keeper(&self) -> u16 {
        support::keeper().await
    }

    fn root(&self) -> String {
        self.files.path().join("root").display().to_string()
    }

    fn owner(&self) -> (String, String) {
        (support::id("-un"), support::id("-gn"))
    }

    fn look(&self) -> BTreeSet<(String, Option<Vec<u8>>, u32)> {
        use std::os::unix::fs::PermissionsExt;
        let mut seen = BTreeSet::new();
        let mut open = vec![PathBuf::from(self.root())];
        while let Some(directory) = open.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let entry = entry.unwrap();
                let mode = entry.metadata().unwrap().permissions().mode() & 0o7777;
                let is_directory = entry.file_type().unwrap().is_dir();
                if is_directory {
                    open.push(entry.path());
                }
                let content = (!is_directory).then(|| std::fs::read(entry.path()).unwrap());
                seen.insert((entry.path().display().to_string(), content, mode));
            }
        }
        seen
    }

    fn runs_programs(&self) -> bool {
        true
    }

    fn link(&self, path: &RemotePath, to: &str) {
        std::os::unix::fs::symlink(to, path.as_str()).unwrap();
    }
}

/// Short ways to say what the suite does.
mod words {
    use super::*;

    pub fn path(world: &dyn World, below: &str) -> RemotePath {
        RemotePath::new(format!("{}/{below}", world.root())).unwrap()
    }

    pub fn run<const N: usize>(argv: [&str; N]) -> Command {
        Command::Run { argv: argv.map(str::to_owned).to_vec() }
    }

    pub async fn batch(world: &dyn World, commands: Vec<Command>) -> Vec<Output> {
        world.session().run(&Batch { commands }).await.unwrap()
    }

    pub fn file(world: &dyn World, below: &str, content: &[u8], mode: u32) -> FileWrite {
        let (owner, group) = world.owner();
        let content = Secret::new(Bytes::copy_from_slice(content));
        FileWrite { path: path(world, below), content, owner, group, mode }
    }

    pub fn directory(world: &dyn World, below: &str, mode: u32) -> DirectoryWrite {
        let (owner, group) = world.owner();
        DirectoryWrite { path: path(world, below), owner, group, mode }
    }

    pub async fn write(world: &dyn World, set: WriteSet) -> Output {
        batch(world, vec![Command::Write(set)]).await.remove(0)
    }

    pub async fn holder(session: &dyn Session) -> String {
        match session.lock().await {
            Err(SessionError::Locked { holder }) => holder,
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("the lock is held twice"),
        }
    }

    /// The lock, as soon as it is free: its release takes a moment.
    pub async fn free(session: &dyn Session) -> Box<dyn HostLock> {
        for _ in 0..200 {
            match session.lock().await {
                Ok(lock) => return lock,
                Err(SessionError::Locked { .. }) => tokio::time::sleep(Duration::from_millis(25)).await,
                Err(error) => panic!("{error}"),
            }
        }
        panic!("the lock does not become free")
    }

    pub async fn read(world: &dyn World, paths: &[&str]) -> Vec<Entry> {
        let paths = paths.iter().map(|below| path(world, below)).collect();
        let output = batch(world, vec![Command::Read { paths }]).await.remove(0);
        assert!(output.succeeded(), "{}", output.complaint());
        assert_eq!(output.complaint(), "");
        unpack(&output.stdout).unwrap()
    }

    pub fn content(entry: &Entry) -> &[u8] {
        match &entry.kind {
            EntryKind::File(content) => content,
            other => panic!("{other:?} has no content"),
        }
    }
}

mod suite {
    use super::words::*;
    use super::*;

    pub async fn an_empty_batch_answers_nothing(world: &dyn World) {
        assert_eq!(batch(world, vec![]).await, []);
        assert_eq!(read(world, &[]).await, []);
    }

    pub async fn what_is_there_is_read_and_what_is_not_is_left_out(world: &dyn World) {
        let files = vec![file(world, "a b/it's", b"1\n", 0o640), file(world, "a b/empty", b"", 0o600)];
        let directories = vec![directory(world, "a b", 0o750)];
        let output = write(world, WriteSet { files, directories, ..WriteSet::default() }).await;
        assert!(output.succeeded(), "{}", output.complaint());
        let entries = read(world, &["a b", "a b/it's", "nothing", "a b/empty", "nothing/at all"]).await;
        let paths: Vec<_> = entries.iter().map(|entry| entry.path.clone()).collect();
        assert_eq!(paths, ["a b", "a b/it's", "a b/empty"].map(|below| path(world, below)));
        assert_eq!(entries[0].kind, EntryKind::Directory);
        assert_eq!((content(&entries[1]), content(&entries[2])), (&b"1\n"[..], &b""[..]));
    }

    pub async fn what_was_written_is_read_back(world: &dyn World) {
        let content: Vec<u8> = (0..70_000_u32).map(|n| (n % 251) as u8).collect();
        let deep = format!("config.d/{}.xml", "n".repeat(150));
        let set = WriteSet {
            expects: vec![Expect { path: path(world, "config.d/a.xml"), state: Expected::Absent }],
            directories: vec![directory(world, "config.d", 0o2750), directory(world, "users.d/x", 0o700)],
            files: vec![
                file(world, "config.d/a.xml", &content, 0o640),
                file(world, &deep, b"<clickhouse/>", 0o400),
                file(world, "users.d/x/b $HOME `id` \"'\\ ü.xml", b"\0\n", 0o4755),
            ],
            ..WriteSet::default()
        };
        let output = write(world, set).await;
        assert!(output.succeeded(), "{}", output.complaint());
        let names = ["config.d", "config.d/a.xml", &deep, "users.d/x/b $HOME `id` \"'\\ ü.xml", "users.d/x"];
        let entries = read(world, &names).await;
        assert_eq!(entries.iter().map(|e| e.mode).collect::<Vec<_>>(), [0o2750, 0o640, 0o400, 0o4755, 0o700]);
        assert_eq!(super::words::content(&entries[1]), &content[..]);
        assert_eq!(super::words::content(&entries[3]), b"\0\n");
        for entry in &entries {
            assert_eq!((entry.owner.clone(), entry.group.clone()), world.owner());
        }
        assert_eq!(world.look().len(), 6, "nothing else is left behind");
    }

    pub async fn a_file_is_replaced_and_its_time_is_new(world: &dyn World) {
        let first = file(world, "f", b"old", 0o600);
        assert!(write(world, WriteSet { files: vec![first], ..WriteSet::default() }).await.succeeded());
        let expects = vec![Expect { path: path(world, "f"), state: Expected::Sha256(Sha256::digest(b"old").into()) }];
        let files = vec![file(world, "f", b"new", 0o644)];
        let output = write(world, WriteSet { expects, files, ..WriteSet::default() }).await;
        assert!(output.succeeded(), "{}", output.complaint());
        let entries = read(world, &["f"]).await;
        assert_eq!((content(&entries[0]), entries[0].mode), (&b"new"[..], 0o644));
        if world.runs_programs() {
            let argv = run(["find", &world.root(), "-name", "f", "-newermt", "2020-01-01"]);
            assert!(!batch(world, vec![argv]).await[0].stdout.is_empty());
        }
    }

    pub async fn an_expectation_that_fails_leaves_everything_as_it_was(world: &dyn World) {
        let old = vec![file(world, "there", b"old", 0o600), file(world, "other", b"old", 0o600)];
        assert!(write(world, WriteSet { files: old, ..WriteSet::default() }).await.succeeded());
        let before = world.look();
        let digest = |content: &[u8]| Expected::Sha256(Sha256::digest(content).into());
        for (below, state) in [("there", Expected::Absent), ("there", digest(b"another")), ("missing", digest(b"old"))]
        {
            for files in [vec![file(world, "there", b"new", 0o600), file(world, "other", b"new", 0o600)], vec![]] {
                let expects = vec![
                    Expect { path: path(world, "other"), state: digest(b"old") },
                    Expect { path: path(world, below), state: state.clone() },
                ];
                let output = write(world, WriteSet { expects, files, ..WriteSet::default() }).await;
                assert_eq!(output.status, Status::Exited(73), "{}", output.complaint());
                assert!(output.complaint().contains(path(world, below).as_str()), "{}", output.complaint());
                assert_eq!(world.look(), before);
            }
        }
    }

    pub async fn an_unknown_owner_stops_the_write_before_it_begins(world: &dyn World) {
        let before = world.look();
        let mut stranger = file(world, "d/f", b"x", 0o600);
        stranger.owner = "no-such-user".to_owned();
        let directories = vec![directory(world, "d", 0o755)];
        let output = write(world, WriteSet { files: vec![stranger], directories, ..WriteSet::default() }).await;
        assert!(!output.succeeded());
        assert!(output.complaint().contains("no-such-user"), "{}", output.complaint());
        let mut strangers = directory(world, "e", 0o755);
        strangers.group = "no-such-group".to_owned();
        let directories = vec![directory(world, "d", 0o755), strangers];
        assert!(!write(world, WriteSet { directories, ..WriteSet::default() }).await.succeeded());
        assert_eq!(world.look(), before);
    }

    pub async fn a_target_that_is_a_directory_is_an_error(world: &dyn World) {
        let directories = vec![directory(world, "d", 0o755)];
        assert!(write(world, WriteSet { directories, ..WriteSet::default() }).await.succeeded());
        let before = world.look();
        let output = write(world, WriteSet { files: vec![file(world, "d", b"x", 0o600)], ..WriteSet::default() }).await;
        assert_eq!(output.status, Status::Exited(PARTLY_WRITTEN));
        let output =
            write(world, WriteSet { files: vec![file(world, "no/f", b"x", 0o600)], ..WriteSet::default() }).await;
        assert!(!output.succeeded(), "the directory is not there");
        assert_eq!(world.look(), before);
    }

    pub async fn a_rename_that_fails_leaves_those_before_it_and_says_so(world: &dyn World) {
        let directories = || vec![directory(world, "d", 0o755), directory(world, "d/b", 0o755)];
        assert!(write(world, WriteSet { directories: directories(), ..WriteSet::default() }).await.succeeded());
        let files = ["a", "d/b", "d/c"].map(|below| file(world, below, b"new", 0o600)).to_vec();
        let output = write(world, WriteSet { files, ..WriteSet::default() }).await;
        assert_eq!(output.status, Status::Exited(PARTLY_WRITTEN), "{}", output.complaint());
        assert!(output.complaint().contains(path(world, "d/b").as_str()), "{}", output.complaint());
        let entries = read(world, &["a", "d/b", "d/c"]).await;
        let kinds: Vec<_> = entries.iter().map(|entry| entry.kind == EntryKind::Directory).collect();
        assert_eq!((kinds, world.look().len()), (vec![false, true, false], 4));
    }

    pub async fn directories_are_mended_after_the_checks(world: &dyn World) {
        let directories = |mode| vec![directory(world, "there", mode)];
        assert!(write(world, WriteSet { directories: directories(0o700), ..WriteSet::default() }).await.succeeded());
        let files = vec![file(world, "f", b"x", 0o600)];
        assert!(write(world, WriteSet { files, ..WriteSet::default() }).await.succeeded());
        let another = || vec![Expect { path: path(world, "f"), state: Expected::Sha256([7; 32]) }];
        let set = || WriteSet {
            directories: [directories(0o755), vec![directory(world, "new", 0o750)]].concat(),
            files: vec![file(world, "new/g", b"x", 0o600)],
            ..WriteSet::default()
        };
        let before = world.look();
        let only = WriteSet { expects: another(), directories: directories(0o755), ..WriteSet::default() };
        for refused in [only, WriteSet { expects: another(), ..set() }] {
            assert_eq!(world.look(), before);
            assert_eq!(write(world, refused).await.status, Status::Exited(73));
        }
        let made: Vec<_> = world.look().difference(&before).cloned().collect();
        assert_eq!(made, [(path(world, "new").to_string(), None, 0o750)], "only the way to unpack is made");
        assert!(write(world, set()).await.succeeded());
        assert_eq!(read(world, &["there"]).await[0].mode, 0o755);
    }

    pub async fn files_are_removed_after_the_others_are_written_and_the_last_one_closes(world: &dyn World) {
        let old = vec![file(world, "old $HOME", b"old", 0o600), file(world, "list", b"before", 0o600)];
        let directories = vec![directory(world, "d", 0o755)];
        assert!(write(world, WriteSet { directories, files: old, ..WriteSet::default() }).await.succeeded());
        let before = world.look();
        let set = |below: &str, content: &[u8]| WriteSet {
            expects: vec![Expect {
                path: path(world, "old $HOME"),
                state: Expected::Sha256(Sha256::digest(content).into()),
            }],
            files: vec![file(world, "list", b"during", 0o600), file(world, "new", b"new", 0o600)],
            removals: vec![path(world, below), path(world, "missing")],
            closing: Some(file(world, "list", b"after", 0o640)),
            ..WriteSet::default()
        };
        assert_eq!(write(world, set("old $HOME", b"edited")).await.status, Status::Exited(73));
        assert_eq!(world.look(), before, "what somebody edited is not removed");
        let output = write(world, set("d", b"old")).await;
        assert_eq!(output.status, Status::Exited(PARTLY_WRITTEN), "{}", output.complaint());
        let entries = read(world, &["list", "new", "old $HOME"]).await;
        assert_eq!(entries.iter().map(content).collect::<Vec<_>>(), [&b"during"[..], b"new", b"old"]);
        let output = write(world, set("old $HOME", b"old")).await;
        assert!(output.succeeded(), "{}", output.complaint());
        let entries = read(world, &["list", "new", "old $HOME"]).await;
        assert_eq!(entries.iter().map(content).collect::<Vec<_>>(), [&b"after"[..], b"new"]);
        assert_eq!((entries[0].mode, world.look().len()), (0o640, 3), "nothing else is left behind");
        let only = WriteSet { removals: vec![path(world, "new")], ..WriteSet::default() };
        assert!(write(world, only).await.succeeded());
        assert_eq!(world.look().len(), 2);
    }

    pub async fn what_a_killed_write_has_left_is_swept(world: &dyn World) {
        let left = ["d/.housewright.new", "e/.housewright.new", "f/.housewright.new"];
        let directories = left.map(|name| directory(world, name, 0o700)).to_vec();
        let files = left.map(|name| file(world, &format!("{name}/half"), b"secret", 0o600)).to_vec();
        assert!(write(world, WriteSet { directories, files, ..WriteSet::default() }).await.succeeded());
        let files = vec![file(world, "d/new", b"new", 0o600)];
        let sweeps = ["d", "e", "none"].map(|name| path(world, name)).to_vec();
        let output = write(world, WriteSet { files, sweeps, ..WriteSet::default() }).await;
        assert!(output.succeeded(), "{}", output.complaint());
        let found: BTreeSet<_> = world.look().into_iter().map(|(path, ..)| path).collect();
        let expected = ["d", "d/new", "e", "f", "f/.housewright.new", "f/.housewright.new/half"];
        assert_eq!(found, expected.iter().map(|name| path(world, name).to_string()).collect());
    }

    pub async fn hundreds_of_files_are_one_write(world: &dyn World) {
        let name = |n: usize| format!("{}-{n}", "long".repeat(50));
        let files: Vec<_> = (0..500).map(|n| file(world, &name(n), n.to_string().as_bytes(), 0o644)).collect();
        let output = write(world, WriteSet { files, ..WriteSet::default() }).await;
        assert!(output.succeeded(), "{}", output.complaint());
        let names: Vec<_> = (0..500).map(name).collect();
        let entries = read(world, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
        assert_eq!(entries.len(), 500);
        assert_eq!(content(&entries[499]), b"499");
    }

    pub async fn exit_codes_and_outputs_come_back(world: &dyn World) {
        let outputs = batch(
            world,
            vec![
                run(["printf", "no newline"]),
                run(["sh", "-c", "printf '\\0\\377\\n\\n'; printf noise >&2"]),
                run(["true"]),
                run(["sh", "-c", "printf out; printf err >&2; exit 200"]),
            ],
        )
        .await;
        assert_eq!(outputs[0].stdout, "no newline");
        assert_eq!((&outputs[1].stdout[..], &outputs[1].stderr[..]), (&b"\0\xff\n\n"[..], &b"noise"[..]));
        assert_eq!((&outputs[2].stdout[..], outputs[2].succeeded()), (&b""[..], true));
        assert_eq!(outputs[3].status, Status::Exited(200));
        assert_eq!((&outputs[3].stdout[..], &outputs[3].stderr[..]), (&b"out"[..], &b"err"[..]));
        let outputs = batch(world, vec![run(["sh", "-c", "kill -9 $$"]), run(["true"])]).await;
        assert_eq!(outputs[0].status, Status::Signalled("KILL".to_owned()));
        let outputs = batch(world, vec![run(["no-such-program"])]).await;
        assert_eq!(outputs[0].status, Status::Exited(127));
        assert!(outputs[0].complaint().contains("no-such-program"));
    }

    pub async fn after_a_failure_nothing_runs(world: &dyn World) {
        let files = vec![file(world, "f", &[7; 3_000_000], 0o600)];
        let set = WriteSet { files, ..WriteSet::default() };
        let commands = vec![run(["true"]), run(["false"]), run(["true"]), Command::Write(set)];
        let outputs = batch(world, commands).await;
        let statuses: Vec<_> = outputs.into_iter().map(|output| output.status).collect();
        assert_eq!(statuses, [Status::Exited(0), Status::Exited(1), Status::NotRun, Status::NotRun]);
        assert!(world.look().is_empty());
    }

    pub async fn a_question_that_fails_is_an_answer_and_the_batch_goes_on(world: &dyn World) {
        let ask = |argv: &[&str]| Command::Ask { argv: argv.iter().map(|word| (*word).to_owned()).collect() };
        let work = |argv: &[&str], seconds| Command::Work {
            argv: argv.iter().map(|word| (*word).to_owned()).collect(),
            limit: Duration::from_secs(seconds),
        };
        let missing = format!("{}/missing", world.root());
        let commands =
            vec![ask(&["true"]), ask(&["test", "-e", &missing]), ask(&["no-such-program-here"]), ask(&["true"])];
        let answers: Vec<_> = batch(world, commands).await.iter().map(|output| Answer::read(output).status).collect();
        assert_eq!(answers, [Some(0), Some(1), Some(127), Some(0)]);
        let done = batch(world, vec![work(&["true"], 20), work(&["false"], 20), ask(&["true"])]).await;
        let statuses: Vec<_> = done.iter().map(|output| output.status.clone()).collect();
        assert_eq!(statuses, [Status::Exited(0), Status::Exited(1), Status::NotRun]);
        if world.runs_programs() {
            let said = batch(world, vec![ask(&["printf", "%s|", "$HOME", "a b", "\\n"])]).await;
            assert_eq!(Answer::read(&said[0]).text(), Some("$HOME|a b|\\n|"));
            let late = batch(world, vec![work(&["sleep", "30"], 1)]).await;
            assert_eq!(late[0].status, Status::Exited(124), "it is ended");
        }
    }

    pub async fn big_output_is_whole(world: &dyn World) {
        let script = "head -c 10000000 /dev/zero; head -c 3000000 /dev/zero >&2";
        let outputs = batch(world, vec![run(["sh", "-c", script]), run(["printf", "end"])]).await;
        assert_eq!((outputs[0].stdout.len(), outputs[0].stderr.len()), (10_000_000, 3_000_000));
        assert_eq!(outputs[1].stdout, "end");
    }

    pub async fn arguments_arrive_as_they_are(world: &dyn World) {
        for argument in
            ["", " ", "'", "'\\''", "\\", "\\\\", "$HOME", "`id`", "$(id)", "a\nb\n", "!x", "~", "*", "-n", "ü"]
        {
            let outputs = batch(world, vec![run(["printf", "%s|%s", argument, "x"])]).await;
            assert_eq!(outputs[0].stdout, format!("{argument}|x"));
        }
        // Neither a builtin, nor a function of ours, nor a reserved word.
        for program in ["exit", "end_", "if", "A=b"] {
            assert_eq!(batch(world, vec![run([program, "0"])]).await[0].status, Status::Exited(127), "{program}");
        }
        let long = format!("{}\n'", "long ".repeat(200)).repeat(120);
        let outputs = batch(world, vec![run(["printf", "%s", &long[..100_000]])]).await;
        assert_eq!(outputs[0].stdout, &long[..100_000]);
    }

    pub async fn no_command_reads_the_archive(world: &dyn World) {
        let set = WriteSet { files: vec![file(world, "f", b"x", 0o600)], ..WriteSet::default() };
        let outputs = batch(world, vec![run(["cat"]), Command::Write(set), run(["cat"])]).await;
        assert!(outputs.iter().all(Output::succeeded));
        assert!(outputs[0].stdout.is_empty() && outputs[2].stdout.is_empty());
    }

    pub async fn units_are_read_and_acted_on(world: &dyn World) {
        let unit = |name| UnitName::new(name).unwrap();
        let outputs = batch(
            world,
            vec![
                Command::UnitState { units: vec![unit("a"), unit("b")] },
                Command::DaemonReload,
                Command::Unit { unit: unit("a"), action: UnitAction::Restart },
                Command::Unit { unit: unit("broken"), action: UnitAction::Start },
            ],
        )
        .await;
        assert!(outputs[0].stdout.starts_with(b"Id=a.service\n"));
        assert!(outputs[1].succeeded() && outputs[2].succeeded());
        assert_eq!(outputs[3].status, Status::Exited(1));
        assert!(outputs[3].complaint().ends_with("last words of broken.service"), "{}", outputs[3].complaint());
    }

    pub async fn a_keeper_is_asked_and_a_port_without_one_refuses(world: &dyn World) {
        let answer = world.session().ask(world.keeper().await, b"srvr").await.unwrap();
        assert!(String::from_utf8(answer).unwrap().contains("\nMode: standalone\n"));
        let refused = world.session().ask(1, b"srvr").await;
        assert!(matches!(&refused, Err(SessionError::Refused { port: 1, .. })), "{refused:?}");
    }

    pub async fn a_lock_is_held_by_one_and_is_free_after_it(world: &dyn World) {
        let before = world.look();
        let lock = world.session().lock().await.unwrap();
        let other = world.another().await;
        let holder = holder(&*other).await;
        assert!(
            holder.contains(if world.runs_programs() { "it's \"me\" $HOME, since 2" } else { "session 1" }),
            "{holder}"
        );
        assert!(matches!(world.session().lock().await, Err(SessionError::Locked { .. })), "nor twice by oneself");
        // Work goes on under the lock, of its holder and of others.
        let files = || vec![file(world, "f", b"x", 0o600)];
        assert!(write(world, WriteSet { files: files(), ..WriteSet::default() }).await.succeeded());
        let set = WriteSet { files: files(), ..WriteSet::default() };
        assert!(other.run(&Batch { commands: vec![Command::Write(set)] }).await.unwrap()[0].succeeded());
        drop(lock);
        let lock = free(&*other).await;
        assert!(world.session().lock().await.is_err());
        // The end of the connection is the end of the lock.
        other.close().await;
        drop(free(world.session()).await);
        drop(lock);
        assert_eq!(world.look().len(), before.len() + 1, "no lock is beside the files");
    }

    fn tree(world: &dyn World, directories: &[&str]) -> TreeRead {
        let directories = directories.iter().map(|below| path(world, below)).collect();
        let endings = [".xml", ".yaml"].map(str::to_owned).to_vec();
        TreeRead { directories, endings, most_files: 10, most_kib: 4 }
    }

    pub async fn a_tree_is_read_as_a_server_reads_it(world: &dyn World) {
        let names = ["a b/it's.xml", "a b/$HOME.XmL", "c/z.yaml", "c/[x]y.xml"];
        let others = ["a b/.hidden.xml", "a b/x.xml.bak", "a b/.new/x.xml", "c/xml", "other/x.xml"];
        let directories = ["a b", "a b/.new", "c", "other", "empty"].map(|name| directory(world, name, 0o755)).to_vec();
        let files = names.iter().chain(&others).map(|name| file(world, name, name.as_bytes(), 0o640)).collect();
        assert!(write(world, WriteSet { directories, files, ..WriteSet::default() }).await.succeeded());
        world.link(&path(world, "c/link.xml"), "/nothing/there");
        let tree = tree(world, &["a b", "missing", "empty", "c"]);
        let commands = vec![Command::ReadTree(tree), run(["true"])];
        let outputs = batch(world, commands).await;
        assert!(outputs.iter().all(Output::succeeded), "{}", outputs[0].complaint());
        let entries = unpack(&outputs[0].stdout).unwrap();
        let found: BTreeSet<_> = entries.iter().map(|entry| entry.path.clone()).collect();
        assert_eq!(found, names.iter().chain(&["c/link.xml"]).map(|name| path(world, name)).collect());
        for entry in &entries {
            match &entry.kind {
                EntryKind::File(content) => {
                    assert!(entry.path.as_str().as_bytes().ends_with(content));
                    assert_eq!((&entry.owner, &entry.group, entry.mode), (&world.owner().0, &world.owner().1, 0o640));
                }
                kind => assert_eq!((kind, entry.path.file_name()), (&EntryKind::Other, "link.xml")),
            }
        }
        let nothing = batch(world, vec![Command::ReadTree(self::tree(world, &["missing", "empty"]))]).await.remove(0);
        assert!(nothing.succeeded() && unpack(&nothing.stdout).unwrap().is_empty(), "{}", nothing.complaint());
    }

    pub async fn too_much_of_a_tree_is_refused(world: &dyn World) {
        let write_files = async |names: Vec<String>, size: usize| {
            let files = names.iter().map(|name| file(world, name, &vec![b'x'; size], 0o640)).collect();
            let directories = vec![directory(world, "d", 0o755)];
            assert!(write(world, WriteSet { directories, files, ..WriteSet::default() }).await.succeeded());
        };
        let read = async || batch(world, vec![Command::ReadTree(tree(world, &["d"]))]).await.remove(0);
        write_files((0..10).map(|n| format!("d/{n}.xml")).collect(), 4096).await;
        assert!(read().await.succeeded());
        write_files(vec!["d/0.xml".to_owned()], 4097).await;
        let output = read().await;
        assert_eq!((output.status.clone(), output.stdout.len()), (Status::Exited(1), 0));
        let complaint = format!("{}: larger than 4 KiB", path(world, "d/0.xml"));
        assert_eq!(output.complaint(), complaint);
        write_files(vec!["d/10.xml".to_owned()], 1).await;
        assert_eq!(read().await.complaint(), "more than 10 files");
    }

    pub async fn the_read_fails_where_a_path_cannot_be_looked_at(world: &dyn World) {
        let files = vec![file(world, "f", b"x", 0o600)];
        assert!(write(world, WriteSet { files, ..WriteSet::default() }).await.succeeded());
        let paths = vec![path(world, "missing"), path(world, "f/below"), path(world, "f")];
        let outputs = batch(world, vec![Command::Read { paths }, run(["true"])]).await;
        assert_eq!(outputs[0].status, Status::Exited(2));
        assert!(outputs[0].complaint().contains("f/below"), "{}", outputs[0].complaint());
        assert!(!outputs[0].complaint().contains("missing"), "{}", outputs[0].complaint());
        assert_eq!(outputs[1].status, Status::NotRun);
    }
}

#[tokio::test]
async fn the_simulated_systemd_knows_what_it_has_read() {
    let world = sim().await.unwrap();
    let path = RemotePath::new("/etc/systemd/system/a.service.d/x.conf").unwrap();
    let parent = DirectoryWrite { path: path.parent(), owner: "root".into(), group: "root".into(), mode: 0o755 };
    let unit = UnitName::new("a").unwrap();
    let set = |text: &'static str| {
        let content = Secret::new(Bytes::from_static(text.as_bytes()));
        let file = FileWrite { path: path.clone(), content, owner: "root".into(), group: "root".into(), mode: 0o644 };
        Command::Write(WriteSet { directories: vec![parent.clone()], files: vec![file], ..WriteSet::default() })
    };
    let needs = async |expected: &str| {
        let outputs = words::batch(&world, vec![Command::UnitState { units: vec![unit.clone()] }]).await;
        let text = String::from_utf8(outputs[0].stdout.to_vec()).unwrap();
        assert!(text.contains(&format!("\nNeedDaemonReload={expected}\n")), "{text}");
    };
    let started_with = || {
        let look = |host: &mut SimHost| host.units[&unit].started_with.get(&path).cloned();
        world.fleet.with_host(&world.host.name, look).unwrap()
    };
    let restart = || Command::Unit { unit: unit.clone(), action: UnitAction::Restart };
    let content = |text: &'static str| Some(EntryKind::File(Bytes::from_static(text.as_bytes())));
    needs("no").await;
    words::batch(&world, vec![set("old"), restart()]).await;
    needs("yes").await;
    assert_eq!(started_with(), None);
    words::batch(&world, vec![Command::DaemonReload, restart(), set("new"), restart()]).await;
    needs("yes").await;
    assert_eq!(started_with(), content("old"));
    words::batch(&world, vec![Command::Unit { unit: unit.clone(), action: UnitAction::Enable }, restart()]).await;
    needs("no").await;
    assert_eq!(started_with(), content("new"));
}

#[tokio::test]
async fn the_simulated_keepers_have_one_leader_while_most_of_them_run() {
    let (fleet, files) = (SimFleet::default(), tempfile::tempdir().unwrap());
    let unit = UnitName::new("clickhouse-keeper").unwrap();
    let mut sessions = Vec::new();
    for name in ["k1", "k2", "k3"] {
        let mut host = SimHost::bare();
        host.units.insert(unit.clone(), SimUnit { running: true, ..SimUnit::default() });
        fleet.put(HostName::new(name).unwrap(), host);
        sessions.push(fleet.connect(&support::host(name, support::connection(22, files.path()))).await.unwrap());
    }
    let run = |name, running| {
        let look = |host: &mut SimHost| host.units.get_mut(&unit).unwrap().running = running;
        fleet.with_host(&HostName::new(name).unwrap(), look).unwrap();
    };
    let modes = async || {
        let mut modes = Vec::new();
        for session in &sessions {
            modes.push(match session.ask(9181, b"srvr").await {
                Ok(answer) => {
                    let text = String::from_utf8(answer).unwrap();
                    text.split_once("Mode: ")
                        .map_or("none", |(_, mode)| if mode.starts_with("leader") { "leader" } else { "follower" })
                }
                Err(SessionError::Refused { .. }) => "down",
                Err(error) => panic!("{error}"),
            });
        }
        modes
    };
    assert_eq!(modes().await, ["follower", "follower", "leader"]);
    run("k3", false);
    assert_eq!(modes().await, ["follower", "leader", "down"]);
    run("k3", true);
    assert_eq!(modes().await, ["follower", "leader", "follower"]);
    run("k1", false);
    run("k2", false);
    assert_eq!(modes().await, ["down", "down", "none"]);
}

/// How long one connection and one batch take; for a person to read.
#[tokio::test]
#[ignore = "measures, proves nothing"]
async fn speed() {
    let Some(world) = openssh().await else { return };
    let paths: Vec<_> = ["/etc/passwd", "/etc/hosts", "/etc/group"].map(|path| RemotePath::new(path).unwrap()).into();
    let port = world.openssh.as_ref().unwrap().port;
    let mut connection = support::connection(port, world.files.path());
    connection.user = support::id("-un");
    let transport = SshTransport::new(SshOptions::default());
    let host = support::host("host", connection);
    let mut sums = [0.0; 2];
    for _ in 0..20 {
        let start = std::time::Instant::now();
        let session = transport.connect(&host).await.unwrap();
        sums[0] += start.elapsed().as_secs_f64();
        let outputs = session.run(&Batch { commands: vec![Command::Read { paths: paths.clone() }] }).await.unwrap();
        assert!(outputs[0].succeeded());
        sums[1] += start.elapsed().as_secs_f64();
        session.close().await;
    }
    let resident = || {
        let text = std::fs::read_to_string("/proc/self/statm").unwrap();
        text.split(' ').nth(1).unwrap().parse::<f64>().unwrap() * 4.0
    };
    let (before, mut kept) = (resident(), Vec::new());
    for _ in 0..50 {
        let session = transport.connect(&host).await.unwrap();
        session.run(&Batch { commands: vec![Command::Read { paths: paths.clone() }] }).await.unwrap();
        kept.push(session);
    }
    println!("an open session takes {:.0} KiB", (resident() - before) / 50.0);
    println!("connected after {:.1} ms, read after {:.1} ms", sums[0] * 50.0, sums[1] * 50.0);
}
