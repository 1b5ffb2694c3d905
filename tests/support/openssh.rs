//! The real sshd of this machine, on loopback, with its own configuration; nothing where there is none.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub struct OpenSsh {
    pub port: u16,
    process: Child,
}

impl Drop for OpenSsh {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl OpenSsh {
    /// Needs `host_key` and `authorized_keys` in the directory.
    pub async fn start(files: &Path, programs: &Path) -> Option<Self> {
        let sshd = ["/usr/sbin/sshd", "/usr/local/sbin/sshd"].into_iter().find(|path| Path::new(path).exists())?;
        let port = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let at = files.display();
        let path = std::env::var("PATH").ok()?;
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host_key\nAuthorizedKeysFile {at}/authorized_keys\n\
             PidFile none\nUsePAM no\nStrictModes no\nPermitRootLogin yes\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nSetEnv PATH={}:{path} HOME={at}\n",
            programs.display()
        );
        std::fs::write(files.join("sshd_config"), config).ok()?;
        let mut command = Command::new(sshd);
        command.args(["-D", "-e", "-f"]).arg(files.join("sshd_config")).stdin(Stdio::null()).stderr(Stdio::null());
        let mut server = Self { port, process: command.spawn().ok()? };
        for _ in 0..50 {
            if server.process.try_wait().ok()?.is_some() {
                return None;
            }
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Some(server);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        None
    }
}
