//! What an operator can do about a failed connection: one command or one setting (pure).

use super::{ConnectError, LOCK_FILE, SessionError};
use crate::fleet::{Host, HostName, Reach};

/// The next step after a failed connect.
#[must_use]
pub fn connect(error: &ConnectError, host: &Host) -> Option<String> {
    let name = &host.name;
    Some(match error {
        ConnectError::Resolve { .. } => {
            let variable = if host.has_files() { "ansible_host" } else { "host` in `housewright_http" };
            format!("set `{variable}` of `{name}` to an address that resolves here")
        }
        ConnectError::Unreachable { address, port, .. } => {
            format!("is the host up, and may this machine reach it? try `nc -vz {address} {port}`")
        }
        ConnectError::UnknownHostKey { address, port, known_hosts, .. } => format!(
            "compare the fingerprint with the host's console output, then `ssh-keyscan -p {port} {address} >> {known_hosts}`"
        ),
        ConnectError::ChangedHostKey { known_hosts, line, .. } => format!(
            "was the host rebuilt? only then remove line {line} of `{known_hosts}` and add the new key; otherwise somebody is in between"
        ),
        ConnectError::RevokedHostKey { .. } => "do not use this host: its key is marked as revoked".to_owned(),
        ConnectError::Key { path, .. } => {
            format!("check `ansible_ssh_private_key_file`, or load the key into the agent: `ssh-add {path}`")
        }
        ConnectError::Authentication { user, .. } => {
            format!(
                "is the key in `{user}`'s authorized_keys on `{name}`? set `ansible_user` or `ansible_ssh_private_key_file`"
            )
        }
        ConnectError::HostCertificate { .. } => {
            format!(
                "renew the host certificate of `{name}`, with the name that the inventory uses among its principals"
            )
        }
        ConnectError::KnownHosts { path, .. } => {
            format!("make `{path}` readable, or name another with `-o UserKnownHostsFile=`")
        }
        ConnectError::Jump { source, .. } => return connect(source, host),
        ConnectError::Member { .. } => return None,
        ConnectError::Tls { .. } => {
            format!("name its authority with `ca` and its name with `server_name` in `housewright_http` of `{name}`")
        }
        ConnectError::Authorities { .. } => {
            format!("`ca` in `housewright_http` of `{name}` is a PEM file on this machine")
        }
        ConnectError::Protocol { .. } => match &host.reach {
            Reach::Ssh(connection) => {
                format!("try `{}` for what the server says", connection.ssh_command().replacen("ssh", "ssh -v", 1))
            }
            Reach::Http(_) | Reach::Member => return None,
        },
    })
}

/// The next step after a batch without an answer.
#[must_use]
pub fn session(error: &SessionError, host: &HostName) -> Option<String> {
    Some(match error {
        SessionError::Lost(_) => format!("run the same command again; what `{host}` has by then is read anew"),
        SessionError::Ended(_) => format!("bring the way to `{host}` back, then run the same command again"),
        SessionError::Timeout(_) => format!(
            "a restart of a large server goes on without us: wait until `systemctl list-jobs` on `{host}` is empty, run the same command again, and give it a longer timeout"
        ),
        SessionError::Sudo(_) => {
            format!("allow the login user `NOPASSWD: ALL` in sudoers on `{host}`, or set `ansible_user: root`")
        }
        SessionError::Unspeakable(_) | SessionError::HttpAlone => return None,
        SessionError::Refused { port, .. } => {
            format!("does the service run on `{host}`? try `ss -ltn sport = :{port}` there")
        }
        SessionError::Forbidden { .. } => {
            format!("set `AllowTcpForwarding local` in sshd_config on `{host}`, for the login user at least")
        }
        SessionError::Silent { port, .. } => format!("does the service on port {port} of `{host}` hang?"),
        SessionError::NoLock(_) => {
            format!(
                "`{host}` needs `flock` (of util-linux), and root there must be able to write `{LOCK_FILE}`: set `ansible_become` or `ansible_user: root`"
            )
        }
        SessionError::Locked { .. } => {
            format!("wait for that run; if it is gone for good: `housewright unlock {host}`")
        }
        SessionError::Garbled(_) => {
            format!(
                "a login shell on `{host}` that prints text (a banner in .bashrc) breaks every tool: make it silent"
            )
        }
    })
}
