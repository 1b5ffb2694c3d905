//! An SSH server in the test's own process; it runs commands as a login shell would, and fails on demand.

use std::collections::HashMap;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use russh::keys::{Certificate, PrivateKey, PublicKey};
use russh::server::{self, Auth, Msg, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, ChannelOpenFailure, Sig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    Nothing,
    /// The TCP connection is gone after so many bytes of output.
    DropAfter(usize),
    /// No command ever answers.
    Silence,
    /// The process is killed as soon as it has printed so many bytes.
    KillAfter(usize),
    /// Tunnels are not allowed.
    NoForwarding,
    /// Commands are not allowed.
    NoCommands,
}

#[derive(Clone)]
pub struct Behaviour {
    pub host_keys: Vec<PrivateKey>,
    pub certificates: Vec<Certificate>,
    pub takes: Vec<PublicKey>,
    pub fault: Fault,
    /// Goes before `$PATH`, for stand-ins of `sudo` and `systemctl`.
    pub programs: Option<PathBuf>,
    pub shell: &'static str,
    /// New keys are made after so many bytes.
    pub rekey_after: usize,
}

impl Behaviour {
    pub fn new(host_key: &PrivateKey, takes: &PrivateKey) -> Self {
        Self {
            host_keys: vec![host_key.clone()],
            certificates: Vec::new(),
            takes: vec![takes.public_key().clone()],
            fault: Fault::Nothing,
            programs: None,
            shell: "sh",
            rekey_after: 1 << 30,
        }
    }
}

pub struct Sshd {
    pub port: u16,
    pub logins: Arc<AtomicUsize>,
    pub processes: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Sshd {
    pub async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let config = Arc::new(server::Config {
            keys: behaviour.host_keys.clone(),
            certificates: behaviour.certificates.clone(),
            auth_rejection_time: Duration::ZERO,
            nodelay: true,
            limits: russh::Limits::new(behaviour.rekey_after, behaviour.rekey_after, Duration::from_secs(3600)),
            ..server::Config::default()
        });
        let (logins, processes) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (counted, started) = (Arc::clone(&logins), Arc::clone(&processes));
        let task = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                let (cut, mut closed) = tokio::sync::watch::channel(());
                let connection = Connection {
                    behaviour: behaviour.clone(),
                    channels: HashMap::new(),
                    cut,
                    logins: Arc::clone(&counted),
                    processes: Arc::clone(&started),
                };
                let config = Arc::clone(&config);
                tokio::spawn(async move {
                    stream.set_nodelay(true).unwrap();
                    let Ok(running) = server::run_stream(config, stream, connection).await else { return };
                    let handle = running.handle();
                    tokio::select! {
                        _ = running => {}
                        _ = closed.changed() => {
                            let _ = handle.disconnect(russh::Disconnect::ByApplication, "going down".into(), String::new()).await;
                        }
                    }
                });
            }
        });
        Self { port, logins, processes, task }
    }
}

struct Connection {
    behaviour: Behaviour,
    channels: HashMap<ChannelId, Channel<Msg>>,
    cut: tokio::sync::watch::Sender<()>,
    logins: Arc<AtomicUsize>,
    processes: Arc<AtomicUsize>,
}

impl server::Handler for Connection {
    type Error = russh::Error;

    async fn auth_publickey(&mut self, _: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        if self.behaviour.takes.iter().any(|known| known.key_data() == key.public_key.key_data()) {
            self.logins.fetch_add(1, Ordering::SeqCst);
            return Ok(Auth::Accept);
        }
        Ok(Auth::reject())
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: server::ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(&mut self, id: ChannelId, line: &[u8], session: &mut Session) -> Result<(), Self::Error> {
        let Some(channel) = self.channels.remove(&id) else { return Ok(()) };
        if self.behaviour.fault == Fault::NoCommands {
            session.channel_failure(id)?;
            return Ok(());
        }
        session.channel_success(id)?;
        self.processes.fetch_add(1, Ordering::SeqCst);
        let line = String::from_utf8(line.to_vec()).unwrap();
        tokio::spawn(execute(self.behaviour.clone(), line, channel, session.handle(), self.cut.clone()));
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host: &str,
        port: u32,
        _: &str,
        _: u32,
        reply: server::ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        if self.behaviour.fault == Fault::NoForwarding {
            reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
            return Ok(());
        }
        let address = (host.to_owned(), u16::try_from(port).unwrap());
        tokio::spawn(async move {
            match TcpStream::connect(address).await {
                Ok(mut stream) => {
                    reply.accept().await;
                    let _ = tokio::io::copy_bidirectional(&mut channel.into_stream(), &mut stream).await;
                }
                Err(_) => reply.reject(ChannelOpenFailure::ConnectFailed).await,
            }
        });
        Ok(())
    }
}

async fn execute(
    behaviour: Behaviour,
    line: String,
    mut channel: Channel<Msg>,
    handle: server::Handle,
    cut: tokio::sync::watch::Sender<()>,
) {
    let id = channel.id();
    if behaviour.fault == Fault::Silence {
        std::future::pending::<()>().await;
    }
    let mut command = tokio::process::Command::new(behaviour.shell);
    command.arg("-c").arg(line).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(programs) = &behaviour.programs {
        command.env("PATH", format!("{}:{}", programs.display(), std::env::var("PATH").unwrap()));
    }
    let mut child = command.spawn().unwrap();
    let pid = child.id().unwrap();
    let (mut stdin, mut stdout, mut stderr) =
        (child.stdin.take().unwrap(), child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let input = tokio::spawn(async move {
        let mut reader = channel.make_reader();
        let _ = tokio::io::copy(&mut reader, &mut stdin).await;
        let _ = stdin.shutdown().await;
        drop(stdin);
        // Keeps the channel, whose end would close it.
        std::future::pending::<()>().await;
    });
    let out = async {
        let (mut buffer, mut sent) = (vec![0; 32 * 1024], 0);
        loop {
            let count = stdout.read(&mut buffer).await.unwrap();
            if count == 0 {
                return;
            }
            sent += count;
            let _ = handle.data(id, buffer[..count].to_vec()).await;
            match behaviour.fault {
                Fault::DropAfter(limit) if sent >= limit => {
                    let _ = cut.send(());
                }
                Fault::KillAfter(limit) if sent >= limit => kill(pid),
                _ => {}
            }
        }
    };
    let err = async {
        let mut buffer = vec![0; 32 * 1024];
        loop {
            let count = stderr.read(&mut buffer).await.unwrap();
            if count == 0 {
                return;
            }
            let _ = handle.extended_data(id, 1, buffer[..count].to_vec()).await;
        }
    };
    tokio::join!(out, err);
    let status = child.wait().await.unwrap();
    // OpenSSH's order: the end of the output, then the status.
    let _ = handle.eof(id).await;
    match status.signal() {
        Some(9) => {
            let _ = handle.exit_signal_request(id, Sig::KILL, false, String::new(), String::new()).await;
        }
        _ => {
            let _ = handle.exit_status_request(id, u32::try_from(status.code().unwrap_or(255)).unwrap()).await;
        }
    }
    let _ = handle.close(id).await;
    input.abort();
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
}
