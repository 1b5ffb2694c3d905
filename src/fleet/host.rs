//! One host of the fleet: what it is for and how it is reached (pure).

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::{HostName, HttpConnection, RoleName, TRAFFIC_HOOKS, TrafficHooks, Vars};

/// A machine or pod of the fleet.
#[derive(Debug, Clone)]
pub struct Host {
    /// As the inventory names it.
    pub name: HostName,
    /// The role whose `hostClusterRole` the host's own `hostClusterRole` equals.
    pub role: RoleName,
    /// What it keeps.
    pub placement: Placement,
    /// The name or address under which the other hosts reach its ClickHouse (`fqdn`, else `ansible_host`, else the name).
    pub fqdn: String,
    /// Availability zone, where the inventory says one.
    pub zone: Option<String>,
    /// How Housewright reaches it.
    pub reach: Reach,
    /// All variables after merging: role defaults, then groups, then the host; what templates see.
    pub vars: Vars,
}

/// Where a Keeper's or ZooKeeper's clients connect, unless `keeper_port` says otherwise.
const KEEPER_PORT: u16 = 2181;

impl Host {
    /// Whether Housewright looks after its files and units: otherwise its schema alone, or nothing.
    #[must_use]
    pub fn has_files(&self) -> bool {
        matches!(self.reach, Reach::Ssh(_))
    }

    /// The port of a coordination server's clients; nothing on other hosts.
    #[must_use]
    pub fn keeper_port(&self) -> Option<u16> {
        let Placement::Keeper { .. } = self.placement else { return None };
        let written = self.vars.get("keeper_port").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok());
        Some(written.unwrap_or(KEEPER_PORT))
    }

    /// What is run around a restart; a value that cannot be read is a problem of the inventory, and none here.
    #[must_use]
    pub fn traffic_hooks(&self) -> TrafficHooks {
        let written = self.vars.get(TRAFFIC_HOOKS).filter(|value| !value.is_null());
        written.and_then(|value| TrafficHooks::read(value).ok()).unwrap_or_default()
    }
}

/// What a host keeps; an ingestion host cannot have disks, backups or Keeper paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// A replica of a shard.
    Storage {
        /// From 1.
        shard: u32,
        /// The macro `replica`, unique in its shard.
        replica: String,
    },
    /// Nothing: kill it, replace it.
    Stateless,
    /// A member of the coordination ensemble.
    Keeper {
        /// Raft or ZooKeeper server id, from 1, never used again.
        id: u32,
    },
}

/// How Housewright reaches a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// By SSH.
    Ssh(Connection),
    /// Its ClickHouse alone, over HTTP: a pod that an operator runs. It has a schema, and no file or unit of ours.
    Http(HttpConnection),
    /// Not at all: somebody else runs it. It is a member of clusters and nothing more.
    Member,
}

/// One host's SSH settings, from `ansible_*` variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Name or address.
    pub address: String,
    /// TCP port.
    pub port: u16,
    /// Login user.
    pub user: String,
    /// Private keys to offer, in order; the agent's and `~/.ssh/id_*` where it is empty.
    pub identity_files: Vec<PathBuf>,
    /// known_hosts files; `~/.ssh/known_hosts` and `/etc/ssh/ssh_known_hosts` where it is empty.
    pub known_hosts: Vec<PathBuf>,
    /// What to do with a key that no known_hosts line speaks of.
    pub host_key_policy: HostKeyPolicy,
    /// What stands between here and the host.
    pub proxy: Option<Proxy>,
    /// How to become root.
    pub privilege: Privilege,
    /// For TCP, key exchange and authentication together.
    pub connect_timeout: Duration,
}

impl Connection {
    /// The command that brings a person to the host as Housewright goes there: `ssh [-J ..] [-p ..] [-i ..] user@address`.
    #[must_use]
    pub fn ssh_command(&self) -> String {
        let mut words = vec!["ssh".to_owned()];
        match &self.proxy {
            Some(Proxy::Jump(JumpHost { address, port, user })) => {
                let port = if *port == DEFAULT_PORT { String::new() } else { format!(":{port}") };
                words.extend(["-J".to_owned(), word(&format!("{user}@{address}{port}"))]);
            }
            Some(Proxy::Command(command)) => words.extend(["-o".to_owned(), word(&format!("ProxyCommand={command}"))]),
            None => {}
        }
        if self.port != DEFAULT_PORT {
            words.extend(["-p".to_owned(), self.port.to_string()]);
        }
        if let Some(file) = self.identity_files.first() {
            words.extend(["-i".to_owned(), word(&file.to_string_lossy())]);
        }
        words.push(word(&format!("{}@{}", self.user, self.address)));
        words.join(" ")
    }
}

/// SSH's own.
const DEFAULT_PORT: u16 = 22;

/// A word of a shell's line, in quotes where it needs them.
pub(super) fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./_-[]".contains(c);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// What a connection goes through.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proxy {
    /// A bastion.
    Jump(JumpHost),
    /// A local command whose standard streams reach the host, with ssh's `%h`, `%p` and `%r` in it.
    Command(String),
}

/// A bastion.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct JumpHost {
    /// Name or address.
    pub address: String,
    /// TCP port.
    pub port: u16,
    /// Login user.
    pub user: String,
}

/// What to do with a host key that is not known. A changed or revoked key is always refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostKeyPolicy {
    /// Refuse it.
    Strict,
    /// Take it and write it to the first known_hosts file.
    AcceptNew,
}

/// How root's rights are had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privilege {
    /// The login user already has them, or needs none.
    Login,
    /// `sudo -n`.
    Sudo,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_goes_the_way_that_housewright_goes() {
        let mut connection = Connection {
            address: "10.0.0.1".to_owned(),
            port: 22,
            user: "ubuntu".to_owned(),
            identity_files: Vec::new(),
            known_hosts: Vec::new(),
            host_key_policy: HostKeyPolicy::Strict,
            proxy: None,
            privilege: Privilege::Sudo,
            connect_timeout: Duration::from_secs(1),
        };
        assert_eq!(connection.ssh_command(), "ssh ubuntu@10.0.0.1");
        connection.proxy = Some(Proxy::Command("nc %h %p".to_owned()));
        assert_eq!(connection.ssh_command(), "ssh -o 'ProxyCommand=nc %h %p' ubuntu@10.0.0.1");
        let bastion = |port| Proxy::Jump(JumpHost { address: "bastion".to_owned(), port, user: "me".to_owned() });
        connection.port = 2222;
        connection.proxy = Some(bastion(22));
        assert_eq!(connection.ssh_command(), "ssh -J me@bastion -p 2222 ubuntu@10.0.0.1");
        connection.proxy = Some(bastion(23));
        connection.identity_files = vec!["/home/me/my key".into()];
        assert_eq!(connection.ssh_command(), "ssh -J me@bastion:23 -p 2222 -i '/home/me/my key' ubuntu@10.0.0.1");
    }
}
