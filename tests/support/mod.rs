//! Places that tests talk to: an SSH server inside the test process, and an HTTP server that says what it is told.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod http;
pub mod openssh;
pub mod sshd;

use std::path::Path;
use std::time::Duration;

use housewright::fleet::{Connection, Host, HostKeyPolicy, HostName, JumpHost, Placement, Privilege, Reach, RoleName};
use russh::keys::ssh_key::{Algorithm, LineEnding};
use russh::keys::{PrivateKey, PublicKey};

pub fn new_key() -> PrivateKey {
    new_key_of(Algorithm::Ed25519)
}

pub fn new_key_of(algorithm: Algorithm) -> PrivateKey {
    PrivateKey::random(&mut Random, algorithm).unwrap()
}

/// The system's randomness, as the key library wants it.
pub struct Random;

impl russh::keys::ssh_key::rand_core::TryRng for Random {
    type Error = std::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(getrandom::u32().unwrap())
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(getrandom::u64().unwrap())
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        getrandom::fill(bytes).unwrap();
        Ok(())
    }
}

impl russh::keys::ssh_key::rand_core::TryCryptoRng for Random {}

pub fn write_key(path: &Path, key: &PrivateKey) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, key.to_openssh(LineEnding::LF).unwrap().as_bytes()).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// `ssh-ed25519 AAAA...`, without a comment.
pub fn public_line(key: &PublicKey) -> String {
    let text = key.to_openssh().unwrap();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

pub fn host(name: &str, connection: Connection) -> Host {
    Host {
        name: HostName::new(name).unwrap(),
        role: RoleName::new("data").unwrap(),
        placement: Placement::Stateless,
        fqdn: name.to_owned(),
        zone: None,
        reach: Reach::Ssh(connection),
        vars: housewright::fleet::Vars::default(),
    }
}

/// How to reach a server of the test, with files in a directory of the test.
pub fn connection(port: u16, files: &Path) -> Connection {
    Connection {
        address: "127.0.0.1".to_owned(),
        port,
        user: "operator".to_owned(),
        identity_files: vec![files.join("id")],
        known_hosts: vec![files.join("known_hosts")],
        host_key_policy: HostKeyPolicy::Strict,
        proxy: None,
        privilege: Privilege::Login,
        connect_timeout: Duration::from_secs(5),
    }
}

pub fn jump(port: u16) -> JumpHost {
    JumpHost { address: "127.0.0.1".to_owned(), port, user: "bastion".to_owned() }
}

/// A keeper that answers `srvr` and hangs up, and says nothing to who does not wait for the answer.
pub async fn keeper() -> u16 {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut question = [0; 4];
            if stream.read_exact(&mut question).await.is_ok() && &question == b"srvr" {
                let early = tokio::time::timeout(Duration::from_millis(100), stream.read(&mut [0])).await;
                if early.is_err() {
                    let _ = stream.write_all(b"Zookeeper version: 3.8.4\nMode: standalone\nNode count: 5\n").await;
                }
            }
        }
    });
    port
}

/// What `id` says of the user that runs the tests.
pub fn id(flag: &str) -> String {
    let output = std::process::Command::new("id").arg(flag).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
