//! What goes wrong on the way to a host, and how it is told.

mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use housewright::clickhouse::ClickHouse as _;
use housewright::clickhouse::{ClickHouseError, Endpoint, HttpClickHouse, Statement};
use housewright::event::{Event, Sink};
use housewright::fleet::{Connection, Host, HostKeyPolicy, HostName, Privilege, Proxy};
use housewright::remote::{Batch, Command, FileWrite, Output, RemotePath, Status, WriteSet};
use housewright::secret::Secret;
use housewright::transport::lasting::Lasting;
use housewright::transport::{Claim, ConnectError, Session, SessionError, SshOptions, SshTransport, Transport, advice};
use russh::keys::{Algorithm, EcdsaCurve, PrivateKey};
use support::http::{Reply, Stub};
use support::sshd::{Behaviour, Fault, Sshd};

/// A server, the operator's files, and a connection that works.
struct Stage {
    server: Sshd,
    files: tempfile::TempDir,
    connection: Connection,
    host_key: PrivateKey,
    batch_timeout: Duration,
    lock_file: String,
}

impl Stage {
    async fn new(change: impl FnOnce(&mut Behaviour)) -> Self {
        let (host_key, key) = (support::new_key(), support::new_key());
        let mut behaviour = Behaviour::new(&host_key, &key);
        change(&mut behaviour);
        let server = Sshd::start(behaviour).await;
        let files = tempfile::tempdir().unwrap();
        support::write_key(&files.path().join("id"), &key);
        let connection = support::connection(server.port, files.path());
        let lock_file = files.path().join("lock").display().to_string();
        let stage = Self { server, files, connection, host_key, batch_timeout: Duration::from_secs(30), lock_file };
        stage.known(&support::public_line(stage.host_key.public_key()));
        stage
    }

    fn known(&self, key: &str) {
        let line = format!("[127.0.0.1]:{} {key}\n", self.server.port);
        std::fs::write(self.files.path().join("known_hosts"), line).unwrap();
    }

    fn transport(&self, holder: &str) -> SshTransport {
        SshTransport::new(SshOptions {
            batch_timeout: self.batch_timeout,
            lock_file: self.lock_file.clone(),
            holder: holder.to_owned(),
            ..SshOptions::default()
        })
    }

    fn host(&self) -> Host {
        support::host("host", self.connection.clone())
    }

    async fn connect(&self) -> Result<Arc<dyn Session>, ConnectError> {
        self.transport("process 1").connect(&self.host()).await
    }

    async fn refused(&self) -> ConnectError {
        match self.connect().await {
            Ok(_) => panic!("the connection must not be made"),
            Err(error) => error,
        }
    }
}

fn sh(script: &str) -> Batch {
    Batch { commands: vec![Command::Run { argv: vec!["sh".into(), "-c".into(), script.into()] }] }
}

#[tokio::test]
async fn a_changed_host_key_is_refused_under_every_policy() {
    for policy in [HostKeyPolicy::Strict, HostKeyPolicy::AcceptNew] {
        let mut stage = Stage::new(|_| {}).await;
        stage.connection.host_key_policy = policy;
        stage.known(&support::public_line(support::new_key().public_key()));
        let error = stage.refused().await;
        assert!(matches!(error, ConnectError::ChangedHostKey { line: 1, .. }), "{error}");
        assert_eq!(stage.server.logins.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn a_revoked_host_key_is_refused_under_every_policy() {
    let mut stage = Stage::new(|_| {}).await;
    stage.connection.host_key_policy = HostKeyPolicy::AcceptNew;
    let line = format!("@revoked * {}\n", support::public_line(stage.host_key.public_key()));
    std::fs::write(stage.files.path().join("known_hosts"), line).unwrap();
    assert!(matches!(stage.refused().await, ConnectError::RevokedHostKey { line: 1, .. }));
}

#[tokio::test]
async fn an_unknown_host_key_is_refused_or_learnt_once() {
    let mut stage = Stage::new(|_| {}).await;
    let known_hosts = stage.files.path().join("known_hosts");
    std::fs::remove_file(&known_hosts).unwrap();
    assert!(matches!(stage.refused().await, ConnectError::UnknownHostKey { .. }));
    assert!(!known_hosts.exists());
    stage.connection.host_key_policy = HostKeyPolicy::AcceptNew;
    stage.connect().await.unwrap();
    stage.connect().await.unwrap();
    let line = format!("[127.0.0.1]:{} {}\n", stage.server.port, support::public_line(stage.host_key.public_key()));
    assert_eq!(std::fs::read_to_string(known_hosts).unwrap(), line);
    // From now on it is known, and another key is a changed one.
    stage.connection.host_key_policy = HostKeyPolicy::Strict;
    stage.connect().await.unwrap();
}

#[tokio::test]
async fn a_host_with_several_keys_shows_the_one_that_is_known() {
    let second = support::new_key_of(Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 });
    let stage = Stage::new(|behaviour| behaviour.host_keys.push(second.clone())).await;
    stage.connect().await.unwrap();
    stage.known(&support::public_line(second.public_key()));
    stage.connect().await.unwrap();
}

#[tokio::test]
async fn a_host_certificate_is_asked_for_and_judged() {
    use russh::keys::ssh_key::certificate::{Builder, CertType};
    let (authority, host_key) = (support::new_key(), support::new_key());
    let certificate = |principal: &str| {
        let key = host_key.public_key();
        let mut builder = Builder::new_with_random_nonce(&mut support::Random, key, 0, u64::MAX >> 1).unwrap();
        builder.cert_type(CertType::Host).unwrap().key_id("id").unwrap().valid_principal(principal).unwrap();
        builder.sign(&authority).unwrap()
    };
    for (principal, trusted) in [("127.0.0.1", true), ("other", false)] {
        let mut stage = Stage::new(|behaviour| {
            behaviour.host_keys = vec![host_key.clone()];
            behaviour.certificates = vec![certificate(principal)];
        })
        .await;
        stage.connection.host_key_policy = HostKeyPolicy::AcceptNew;
        let line = format!("@cert-authority [127.0.0.*]:* {}\n", support::public_line(authority.public_key()));
        std::fs::write(stage.files.path().join("known_hosts"), line).unwrap();
        match (stage.connect().await, trusted) {
            (Ok(_), true) | (Err(ConnectError::HostCertificate { line: 1, .. }), false) => {}
            (Ok(_), false) => panic!("a certificate of another host was taken"),
            (Err(error), _) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_host_that_refuses_the_key_says_so() {
    let stage = Stage::new(|behaviour| behaviour.takes.clear()).await;
    let error = stage.refused().await;
    assert_eq!(error.to_string(), "`127.0.0.1` refused user `operator`: it did not take the one key offered");
}

#[tokio::test]
async fn at_most_five_keys_are_offered() {
    let mut stage = Stage::new(|_| {}).await;
    let good = stage.connection.identity_files.remove(0);
    for number in 0..5 {
        let path = stage.files.path().join(format!("id{number}"));
        support::write_key(&path, &support::new_key());
        stage.connection.identity_files.push(path);
    }
    stage.connection.identity_files.insert(4, good);
    stage.connect().await.unwrap();
    stage.connection.identity_files.swap(4, 5);
    let error = stage.refused().await;
    assert!(error.to_string().ends_with("it took none of the 5 keys offered"), "{error}");
}

#[tokio::test]
async fn a_key_that_cannot_be_used_is_named() {
    let mut stage = Stage::new(|_| {}).await;
    stage.connection.identity_files = vec![stage.files.path().join("nothing")];
    assert!(matches!(stage.refused().await, ConnectError::Key { path, .. } if path.ends_with("nothing")));
    let locked = support::new_key().encrypt(&mut support::Random, "secret").unwrap();
    support::write_key(&stage.files.path().join("id"), &locked);
    stage.connection.identity_files = vec![stage.files.path().join("id")];
    let error = stage.refused().await;
    assert!(error.to_string().ends_with("it has a passphrase; add it to the SSH agent"), "{error}");
}

#[tokio::test]
async fn the_usual_files_are_offered_where_none_is_named() {
    let mut stage = Stage::new(|_| {}).await;
    let home = stage.files.path().join("home");
    std::fs::create_dir_all(home.join(".ssh")).unwrap();
    let good = stage.connection.identity_files.remove(0);
    let connect = async |connection: &Connection| {
        let options = SshOptions { home: Some(home.clone()), ..SshOptions::default() };
        SshTransport::new(options).connect(&support::host("host", connection.clone())).await
    };
    let Err(error) = connect(&stage.connection).await else { panic!() };
    assert!(error.to_string().contains("there is no key to offer"), "{error}");
    let locked = support::new_key().encrypt(&mut support::Random, "secret").unwrap();
    support::write_key(&home.join(".ssh/id_ed25519"), &locked);
    assert!(matches!(connect(&stage.connection).await, Err(ConnectError::Key { .. })));
    std::fs::copy(good, home.join(".ssh/id_ecdsa")).unwrap();
    connect(&stage.connection).await.unwrap();
}

/// The agent of this machine's OpenSSH, where there is one.
struct Agent(std::process::Child);

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn the_agent_signs_for_keys_that_it_holds_and_for_files_with_a_passphrase() {
    let key = support::new_key();
    let mut stage = Stage::new(|behaviour| behaviour.takes = vec![key.public_key().clone()]).await;
    let (socket, file) = (stage.files.path().join("agent"), stage.files.path().join("id"));
    let Ok(agent) = std::process::Command::new("ssh-agent").args(["-D", "-a"]).arg(&socket).spawn() else { return };
    let _agent = Agent(agent);
    while !socket.exists() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    support::write_key(&file, &key);
    let added = std::process::Command::new("ssh-add").arg(&file).env("SSH_AUTH_SOCK", &socket).status().unwrap();
    assert!(added.success());
    let options = SshOptions { agent: Some(socket), ..SshOptions::default() };
    let connect = async |connection: &Connection| {
        SshTransport::new(options.clone()).connect(&support::host("host", connection.clone())).await
    };
    support::write_key(&file, &key.encrypt(&mut support::Random, "secret").unwrap());
    connect(&stage.connection).await.unwrap();
    stage.connection.identity_files.clear();
    connect(&stage.connection).await.unwrap();
    // A file that the agent does not hold stays locked.
    support::write_key(&file, &support::new_key().encrypt(&mut support::Random, "secret").unwrap());
    stage.connection.identity_files = vec![file];
    assert!(matches!(connect(&stage.connection).await, Err(ConnectError::Key { .. })));
}

#[tokio::test]
async fn rsa_keys_of_both_sides_sign_without_sha1() {
    let key = support::new_key_of(Algorithm::Rsa { hash: None });
    let stage = Stage::new(|behaviour| {
        behaviour.takes = vec![key.public_key().clone()];
        behaviour.host_keys.push(key.clone());
    })
    .await;
    support::write_key(&stage.files.path().join("id"), &key);
    stage.known(&support::public_line(key.public_key()));
    stage.connect().await.unwrap();
}

#[tokio::test]
async fn new_keys_in_the_middle_of_a_transfer_do_no_harm() {
    let stage = Stage::new(|behaviour| behaviour.rekey_after = 500_000).await;
    let session = stage.connect().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = RemotePath::new(directory.path().join("f").display().to_string()).unwrap();
    let (owner, group) = (support::id("-un"), support::id("-gn"));
    let content = Secret::new(vec![7; 4_000_000].into());
    let file = FileWrite { path: path.clone(), content, owner, group, mode: 0o600 };
    let set = WriteSet { files: vec![file], ..WriteSet::default() };
    let commands = vec![Command::Write(set), Command::Read { paths: vec![path] }];
    let outputs = session.run(&Batch { commands }).await.unwrap();
    assert!(outputs.iter().all(Output::succeeded), "{}", outputs[0].complaint());
    assert!(outputs[1].stdout.len() > 4_000_000);
}

#[tokio::test]
async fn nothing_listening_and_nothing_answering_are_unreachable() {
    let mut stage = Stage::new(|_| {}).await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    stage.connection.port = silent.local_addr().unwrap().port();
    stage.connection.connect_timeout = Duration::from_millis(300);
    let error = stage.refused().await;
    assert!(error.to_string().ends_with("no answer within 300ms"), "{error}");
    drop(silent);
    assert!(matches!(stage.refused().await, ConnectError::Unreachable { .. }));
    stage.connection.address = "no-such-host.invalid".to_owned();
    stage.connection.connect_timeout = Duration::from_secs(5);
    assert!(matches!(stage.refused().await, ConnectError::Resolve { .. } | ConnectError::Unreachable { .. }));
}

#[tokio::test]
async fn a_connection_dropped_in_the_middle_is_lost() {
    let stage = Stage::new(|behaviour| behaviour.fault = Fault::DropAfter(50_000)).await;
    let session = stage.connect().await.unwrap();
    let answer = session.run(&sh("head -c 100000 /dev/zero; sleep 1; head -c 1000000 /dev/zero")).await;
    assert!(matches!(&answer, Err(SessionError::Lost(_))), "{answer:?}");
    assert!(matches!(session.run(&sh("true")).await, Err(SessionError::Ended(_))));
}

#[tokio::test]
async fn a_lost_connection_is_opened_again_with_its_lock() {
    let stage = Stage::new(|behaviour| behaviour.fault = Fault::DropAfter(50_000)).await;
    let lasting = Lasting::new(Arc::new(stage.transport("me")), Arc::new(Quiet));
    let session = lasting.connect(&stage.host()).await.unwrap();
    let lock = session.lock().await.unwrap();
    let answer = session.run(&sh("head -c 100000 /dev/zero; sleep 1; head -c 1000000 /dev/zero")).await;
    assert!(matches!(&answer, Err(SessionError::Lost(_))), "{answer:?}");
    assert!(session.run(&sh("true")).await.unwrap()[0].succeeded(), "it is opened again where it is needed");
    let other = stage.transport("somebody else").connect(&stage.host()).await.unwrap();
    assert!(matches!(other.lock().await, Err(SessionError::Locked { holder }) if holder.starts_with("me, since")));
    drop(lock);
    while let Err(error) = other.lock().await {
        assert!(matches!(error, SessionError::Locked { .. }), "{error}");
    }
    session.close().await;
    assert!(session.run(&sh("true")).await.is_err(), "what was closed stays closed");
}

#[tokio::test]
async fn a_lock_is_taken_from_oneself_or_on_the_operators_word() {
    let stage = Stage::new(|_| {}).await;
    let connect = async |holder| stage.transport(holder).connect(&stage.host()).await.unwrap();
    let (ghost, again, other) =
        (connect("it's \"me\" $HOME").await, connect("it's \"me\" $HOME").await, connect("it").await);
    let lost = ghost.lock().await.unwrap();
    assert!(matches!(other.claim(Claim::Again).await, Err(SessionError::Locked { .. })), "of another run");
    let held = again.claim(Claim::Again).await.unwrap();
    drop(lost);
    let error = other.claim(Claim::Again).await.err().unwrap();
    let SessionError::Locked { holder } = &error else { panic!("{error}") };
    assert!(holder.contains(", pid ") && holder.ends_with(" s"), "{holder}");
    let taken = other.claim(Claim::Anyone).await.unwrap();
    assert!(matches!(again.lock().await, Err(SessionError::Locked { holder }) if holder.starts_with("it, since")));
    drop((held, taken));
}

struct Quiet;

impl Sink for Quiet {
    fn emit(&self, _: Event) {}
}

#[tokio::test]
async fn a_batch_that_does_not_end_times_out() {
    let mut stage = Stage::new(|behaviour| behaviour.fault = Fault::Silence).await;
    stage.batch_timeout = Duration::from_millis(300);
    let session = stage.connect().await.unwrap();
    assert_eq!(session.run(&sh("true")).await, Err(SessionError::Timeout(Duration::from_millis(300))));
}

#[tokio::test]
async fn what_a_batch_began_goes_on_when_its_time_is_over() {
    let mut stage = Stage::new(|_| {}).await;
    stage.batch_timeout = Duration::from_millis(300);
    let session = stage.connect().await.unwrap();
    let done = stage.files.path().join("done");
    let error = session.run(&sh(&format!("sleep 1; touch {}", done.display()))).await.unwrap_err();
    assert_eq!(error.to_string(), "no answer within 300ms; what was begun on the host goes on there");
    let hint = advice::session(&error, &HostName::new("host").unwrap()).unwrap();
    assert!(hint.contains("`systemctl list-jobs` on `host`") && hint.contains("timeout"), "{hint}");
    for _ in 0..200 {
        if done.exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it did not go on");
}

#[tokio::test]
async fn a_process_killed_from_outside_is_told_from_one_that_exits() {
    let stage = Stage::new(|behaviour| behaviour.fault = Fault::KillAfter(1000)).await;
    let session = stage.connect().await.unwrap();
    let mut batch = sh("head -c 2000 /dev/zero; sleep 0.5");
    batch.commands.push(Command::DaemonReload);
    let outputs = session.run(&batch).await.unwrap();
    assert_eq!(outputs[0].status, Status::Signalled("KILL".to_owned()));
    assert_eq!(outputs[0].stdout.len(), 2000);
    assert_eq!(outputs[1].status, Status::NotRun);
}

#[tokio::test]
async fn a_host_that_runs_no_commands_is_garbled() {
    let stage = Stage::new(|behaviour| behaviour.fault = Fault::NoCommands).await;
    let session = stage.connect().await.unwrap();
    assert!(matches!(session.run(&sh("true")).await, Err(SessionError::Garbled(_))));
}

/// A `sudo` that asks for a password.
fn refusing_sudo() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let programs = tempfile::tempdir().unwrap();
    let sudo = programs.path().join("sudo");
    std::fs::write(&sudo, "#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n").unwrap();
    std::fs::set_permissions(&sudo, std::fs::Permissions::from_mode(0o755)).unwrap();
    programs
}

#[tokio::test]
async fn a_sudo_that_asks_for_a_password_says_so() {
    let programs = refusing_sudo();
    let mut stage = Stage::new(|behaviour| behaviour.programs = Some(programs.path().to_owned())).await;
    stage.connection.privilege = Privilege::Sudo;
    let session = stage.connect().await.unwrap();
    let answer = session.run(&sh("true")).await;
    assert_eq!(answer, Err(SessionError::Sudo("sudo: a password is required".to_owned())));
}

#[tokio::test]
async fn one_batch_is_one_process_and_one_connection_serves_many_batches() {
    let stage = Stage::new(|_| {}).await;
    let session = stage.connect().await.unwrap();
    for _ in 0..3 {
        let mut batch = sh("true");
        batch.commands.extend(sh("true").commands);
        assert!(session.run(&batch).await.unwrap().iter().all(Output::succeeded));
    }
    let batch = sh("sleep 0.1");
    let (a, b) = tokio::join!(session.run(&batch), session.run(&batch));
    assert!(a.is_ok() && b.is_ok(), "side by side");
    assert_eq!(stage.server.processes.load(Ordering::SeqCst), 5);
    assert_eq!(stage.server.logins.load(Ordering::SeqCst), 1);
    session.close().await;
}

#[tokio::test]
async fn a_command_that_prints_command_lines_cannot_break_the_framing() {
    let stage = Stage::new(|_| {}).await;
    let session = stage.connect().await.unwrap();
    let outputs = session.run(&sh("cat /proc/$PPID/cmdline; cat /proc/$PPID/cmdline >&2")).await.unwrap();
    assert!(outputs[0].stdout.len() > 100, "its parent is our shell, with the script in its arguments");
    assert!(outputs[0].succeeded());
}

#[tokio::test]
async fn many_hosts_share_one_connection_to_their_jump_host() {
    let key = support::new_key();
    let (jump_key, host_key) = (support::new_key(), support::new_key());
    let bastion = Sshd::start(Behaviour::new(&jump_key, &key)).await;
    let target = Sshd::start(Behaviour::new(&host_key, &key)).await;
    let files = tempfile::tempdir().unwrap();
    support::write_key(&files.path().join("id"), &key);
    let mut connection = support::connection(target.port, files.path());
    connection.proxy = Some(Proxy::Jump(support::jump(bastion.port)));
    let line = |port, key: &PrivateKey| format!("[127.0.0.1]:{port} {}\n", support::public_line(key.public_key()));
    let known = line(bastion.port, &jump_key) + &line(target.port, &host_key);
    std::fs::write(files.path().join("known_hosts"), known).unwrap();
    let transport = SshTransport::new(SshOptions::default());
    let host = support::host("host", connection.clone());
    let work = async || {
        let session = transport.connect(&host).await.unwrap();
        let outputs = session.run(&sh("echo hello")).await.unwrap();
        assert_eq!(outputs[0].stdout, "hello\n");
        session.close().await;
    };
    tokio::join!(work(), work(), work(), work(), work(), work(), work(), work(), work(), work(), work(), work());
    assert_eq!(bastion.logins.load(Ordering::SeqCst), 1);
    assert_eq!(target.logins.load(Ordering::SeqCst), 12);

    // The jump host's key is judged as well.
    std::fs::write(files.path().join("known_hosts"), line(target.port, &host_key)).unwrap();
    let Err(error) = SshTransport::new(SshOptions::default()).connect(&host).await else { panic!() };
    assert!(
        matches!(&error, ConnectError::Jump { source, .. } if matches!(**source, ConnectError::UnknownHostKey { .. }))
    );
}

#[tokio::test]
async fn a_proxy_command_carries_a_connection_and_says_why_it_does_not() {
    let key = support::new_key();
    let host_key = support::new_key();
    let target = Sshd::start(Behaviour::new(&host_key, &key)).await;
    let files = tempfile::tempdir().unwrap();
    support::write_key(&files.path().join("id"), &key);
    let line = format!("[127.0.0.1]:{} {}\n", target.port, support::public_line(host_key.public_key()));
    std::fs::write(files.path().join("known_hosts"), line).unwrap();
    let mut connection = support::connection(target.port, files.path());
    let transport = SshTransport::new(SshOptions::default());
    let relay = "import os, socket, sys, threading\n\
                 s = socket.create_connection((sys.argv[1], int(sys.argv[2])))\n\
                 def up():\n\
                 \x20while (data := os.read(0, 65536)): s.sendall(data)\n\
                 threading.Thread(target=up, daemon=True).start()\n\
                 while (data := s.recv(65536)): os.write(1, data)\n";
    std::fs::write(files.path().join("relay.py"), relay).unwrap();
    let relay = files.path().join("relay.py");
    connection.proxy = Some(Proxy::Command(format!("python3 '{}' %h %p", relay.display())));
    let session = transport.connect(&support::host("host", connection.clone())).await.unwrap();
    let outputs = session.run(&sh("echo hello")).await.unwrap();
    assert_eq!(outputs[0].stdout, "hello\n");
    session.close().await;

    let mut fails = async |command: &str, address: &str| {
        connection.proxy = Some(Proxy::Command(command.to_owned()));
        connection.address = address.to_owned();
        match transport.connect(&support::host("host", connection.clone())).await {
            Err(ConnectError::Unreachable { reason, .. }) => reason,
            _ => panic!("{command} connects"),
        }
    };
    assert_eq!(fails("echo no way >&2; exit 1", "127.0.0.1").await, "its ProxyCommand: no way");
    assert_eq!(fails("cat %h", "a;reboot").await, "`a;reboot` is no plain name for a ProxyCommand");
    assert_eq!(fails("cat %k", "127.0.0.1").await, "`%k` means nothing in a ProxyCommand");
}

const ONE: &str = r#"{"meta":[{"name":"n","type":"UInt64"}],"data":[[1]],"rows":1}"#;

fn endpoint(port: u16) -> Endpoint {
    Endpoint { http_port: port, user: "keeper".to_owned(), password: Some(Secret::new("hunter22".to_owned())) }
}

fn answers(statement: &str) -> Reply {
    match statement {
        "SELECT 1" => Reply::Say(200, "", ONE.to_owned()),
        "SYSTEM RELOAD CONFIG" => Reply::Say(200, "", String::new()),
        "hang up" => Reply::HangUp,
        "wait" => Reply::Silence,
        _ => Reply::Say(
            404,
            "X-ClickHouse-Exception-Code: 60\r\n",
            "Code: 60. DB::Exception: Table default.x does not exist. (UNKNOWN_TABLE) (version 24.8.4.13)\n".into(),
        ),
    }
}

#[tokio::test]
async fn statements_go_through_the_tunnel_on_one_kept_connection() {
    let stub = Stub::start(answers).await;
    let stage = Stage::new(|_| {}).await;
    let session = stage.connect().await.unwrap();
    let clickhouse = session.clickhouse(&endpoint(stub.port));
    let rows = clickhouse.execute(&Statement::new("SELECT 1")).await.unwrap();
    assert_eq!(rows.number(0, "n"), Some(1));
    assert!(clickhouse.execute(&Statement::new("SYSTEM RELOAD CONFIG")).await.unwrap().is_empty());
    let error = clickhouse.execute(&Statement::new("SELECT * FROM x")).await.unwrap_err();
    let message = "Table default.x does not exist".to_owned();
    assert_eq!(error, ClickHouseError::Exception { code: 60, name: "UNKNOWN_TABLE".to_owned(), message });
    assert_eq!(stub.connections.load(Ordering::SeqCst), 1);
    let requests = stub.requests.lock().unwrap();
    let head = requests[0].0.to_lowercase();
    assert!(head.starts_with(
        "post /?default_format=jsoncompact&output_format_json_quote_64bit_integers=0&wait_end_of_query=1 "
    ));
    assert!(head.contains("x-clickhouse-user: keeper") && head.contains("x-clickhouse-key: hunter22"));
}

#[tokio::test]
async fn a_clickhouse_that_is_not_there_is_unreachable_and_one_that_comes_back_is_reached() {
    let stage = Stage::new(|_| {}).await;
    let session = stage.connect().await.unwrap();
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let error = session.clickhouse(&endpoint(closed)).execute(&Statement::new("SELECT 1")).await.unwrap_err();
    assert!(matches!(error, ClickHouseError::Refused(_)), "{error}");

    let stub = Stub::start(answers).await;
    let clickhouse = session.clickhouse(&endpoint(stub.port));
    let error = clickhouse.execute(&Statement::new("hang up")).await.unwrap_err();
    assert!(matches!(error, ClickHouseError::Unreachable(_)), "{error}");
    assert!(clickhouse.execute(&Statement::new("SELECT 1")).await.is_ok());
}

#[tokio::test]
async fn an_sshd_that_forwards_nothing_is_told_from_a_port_that_refuses() {
    let stub = Stub::start(answers).await;
    let stage = Stage::new(|behaviour| behaviour.fault = Fault::NoForwarding).await;
    let session = stage.connect().await.unwrap();
    let error = session.clickhouse(&endpoint(stub.port)).execute(&Statement::new("SELECT 1")).await.unwrap_err();
    assert!(matches!(&error, ClickHouseError::Unreachable(reason) if reason.contains("AllowTcpForwarding")), "{error}");
    let error = session.ask(stub.port, b"srvr").await.unwrap_err();
    assert!(matches!(&error, SessionError::Forbidden { port, .. } if *port == stub.port), "{error}");
    let hint = advice::session(&error, &HostName::new("host").unwrap()).unwrap();
    assert!(hint.contains("`AllowTcpForwarding local`"), "{hint}");
}

#[tokio::test]
async fn a_port_that_takes_a_question_and_says_nothing_is_silent() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stage = Stage::new(|_| {}).await;
    let session = stage.connect().await.unwrap();
    let error = session.ask(silent.local_addr().unwrap().port(), b"srvr").await.unwrap_err();
    assert!(matches!(error, SessionError::Silent { .. }), "{error}");
}

#[tokio::test]
async fn a_lock_outlives_its_session_and_ends_with_the_connection() {
    let stage = Stage::new(|_| {}).await;
    let session = stage.connect().await.unwrap();
    let lock = session.lock().await.unwrap();
    drop(session);
    let other = stage.connect().await.unwrap();
    let error = other.lock().await.err().unwrap();
    assert!(matches!(&error, SessionError::Locked { holder } if holder.starts_with("process ")), "{error}");
    drop(lock);
    while let Err(error) = other.lock().await {
        assert!(matches!(error, SessionError::Locked { .. }), "{error}");
    }
    assert_eq!(
        advice::session(&error, &HostName::new("host").unwrap()).unwrap().matches("`housewright unlock host`").count(),
        1
    );
}

#[tokio::test]
async fn a_lock_that_cannot_be_taken_says_why() {
    let mut stage = Stage::new(|_| {}).await;
    stage.lock_file = "/no/such/directory/lock".to_owned();
    let error = stage.connect().await.unwrap().lock().await.err().unwrap();
    assert!(matches!(&error, SessionError::NoLock(text) if text.contains("/no/such/directory/lock")), "{error}");
    let programs = refusing_sudo();
    let mut stage = Stage::new(|behaviour| behaviour.programs = Some(programs.path().to_owned())).await;
    stage.connection.privilege = Privilege::Sudo;
    let error = stage.connect().await.unwrap().lock().await.err().unwrap();
    assert_eq!(error, SessionError::Sudo("sudo: a password is required".to_owned()));
}

#[tokio::test]
async fn a_statement_without_an_answer_times_out_and_direct_tcp_works_too() {
    let stub = Stub::start(answers).await;
    let clickhouse = HttpClickHouse::direct("127.0.0.1", &endpoint(stub.port), Duration::from_millis(300));
    assert!(clickhouse.execute(&Statement::new("SELECT 1")).await.is_ok());
    let error = clickhouse.execute(&Statement::new("wait")).await.unwrap_err();
    assert_eq!(error, ClickHouseError::Timeout(Duration::from_millis(300)));
    assert!(clickhouse.execute(&Statement::new("SELECT 1")).await.is_ok());
}
