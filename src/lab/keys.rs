//! The lab's SSH keys, host keys and cluster secret. Invariant: `known_hosts` holds every host's key before the host has
//! started, so strict host key checking works from the first connection. edge

use std::fmt::Write as _;

use super::command::run;
use super::error::LabError;
use super::files;
use super::spec::{LabSpec, Paths};
use super::state::Lock;

/// Makes the key with which the lab's hosts are reached, and the cluster secret.
pub(super) fn make(lock: &Lock, paths: &Paths<'_>) -> Result<(), LabError> {
    files::directory(&paths.ssh())?;
    generate(lock, &paths.key().to_string_lossy(), "housewright-lab")?;
    files::write(&paths.cluster_secret(), 0o600, &files::random_hex(16)?)
}

/// Makes the host key of one host.
pub(super) fn make_host_key(lock: &Lock, paths: &Paths<'_>, host: &str) -> Result<(), LabError> {
    let directory = paths.host(host).join("upper/etc/ssh");
    generate(lock, &directory.join("ssh_host_ed25519_key").to_string_lossy(), host)
}

/// Writes `known_hosts` and an `ssh_config` with every host of the lab.
pub(super) fn publish(paths: &Paths<'_>, spec: &LabSpec) -> Result<(), LabError> {
    let mut known = String::new();
    let mut config = format!(
        "# The lab's hosts; they are reached from inside its network namespace.\n\
         Host *\n  User deploy\n  IdentityFile {}\n  IdentitiesOnly yes\n  UserKnownHostsFile {}\n  \
         StrictHostKeyChecking yes\n  LogLevel ERROR\n",
        paths.key().display(),
        paths.known_hosts().display(),
    );
    for host in &spec.hosts {
        let public = files::read(&paths.host(&host.name).join("upper/etc/ssh/ssh_host_ed25519_key.pub"))?;
        let mut fields = public.split_whitespace();
        let (algorithm, key) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        let _ = writeln!(known, "{},{} {algorithm} {key}", host.name, host.address);
        let _ = writeln!(config, "Host {}\n  HostName {}", host.name, host.address);
    }
    files::write(&paths.known_hosts(), 0o644, &known)?;
    files::write(&paths.ssh_config(), 0o644, &config)
}

fn generate(lock: &Lock, file: &str, comment: &str) -> Result<(), LabError> {
    run(lock, "ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", file]).map(drop)
}
