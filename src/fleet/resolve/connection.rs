//! How a host is reached, from Ansible's connection variables (pure: the environment comes in as [`ConnectionDefaults`]).

use std::path::PathBuf;
use std::time::Duration;

use super::HostVars;
use super::ssh_args::{self, SshArgs};
use crate::fleet::{Connection, HostKeyPolicy, Privilege, Proxy};
use crate::inventory::Node;
use crate::problem::Problem;

/// What holds where the inventory says nothing.
#[derive(Debug, Clone)]
pub struct ConnectionDefaults {
    /// Login user: the name of the user who runs Housewright.
    pub user: String,
    /// What `~/` in a path stands for.
    pub home: Option<PathBuf>,
    /// For TCP, key exchange and authentication together.
    pub connect_timeout: Duration,
}

impl Default for ConnectionDefaults {
    fn default() -> Self {
        Self { user: "root".to_owned(), home: None, connect_timeout: Duration::from_secs(10) }
    }
}

/// Reads a host's connection variables; `ansible_port` and the like win over the ssh arguments, as in Ansible.
pub(super) fn resolve(vars: &HostVars<'_>, defaults: &ConnectionDefaults, problems: &mut Vec<Problem>) -> Connection {
    refuse_unsupported(vars, problems);
    let mut args = SshArgs::default();
    for name in ["ansible_ssh_common_args", "ansible_ssh_extra_args"] {
        if let Some(node) = vars.get(name) {
            ssh_args::read(node, &mut args, problems);
        }
    }
    let either = |name: &str, legacy: &str| vars.get(name).or_else(|| vars.get(legacy));
    let text = |node: Option<&Node>| node.and_then(Node::scalar_text);
    let address = text(either("ansible_host", "ansible_ssh_host")).unwrap_or_else(|| vars.name.to_string());
    // ssh takes a user before the address, so Ansible's users write one.
    let (before, address) = address.rsplit_once('@').unwrap_or(("", &address));
    let user = text(either("ansible_user", "ansible_ssh_user")).or(args.user);
    let user = user.or_else(|| Some(before.to_owned()).filter(|user| !user.is_empty()));
    let user = user.unwrap_or_else(|| defaults.user.clone());
    let key = text(either("ansible_ssh_private_key_file", "ansible_private_key_file"));
    let home = |path: String| expand_home(path, defaults);
    let privilege = match vars.get("ansible_become").and_then(Node::flag) {
        Some(true) => Privilege::Sudo,
        Some(false) => Privilege::Login,
        None if user == "root" => Privilege::Login,
        None => Privilege::Sudo,
    };
    let mut proxy = args.proxy;
    if let Some(Proxy::Jump(jump)) = &mut proxy
        && jump.user.is_empty()
    {
        jump.user.clone_from(&user);
    }
    Connection {
        address: address.to_owned(),
        port: either("ansible_port", "ansible_ssh_port").and_then(Node::port).or(args.port).unwrap_or(22),
        user,
        identity_files: key.into_iter().chain(args.identity_files).map(home).collect(),
        known_hosts: args.known_hosts.into_iter().map(home).collect(),
        // Host keys that nobody knows are refused unless the operator says otherwise.
        host_key_policy: args.host_key_policy.unwrap_or(HostKeyPolicy::Strict),
        proxy,
        privilege,
        connect_timeout: args.connect_timeout.unwrap_or(defaults.connect_timeout),
    }
}

fn expand_home(path: String, defaults: &ConnectionDefaults) -> PathBuf {
    match (path.strip_prefix("~/"), &defaults.home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

fn refuse_unsupported(vars: &HostVars<'_>, problems: &mut Vec<Problem>) {
    let supported: [(&str, &[&str], &str); 3] = [
        ("ansible_connection", &["ssh", "smart", "paramiko", "paramiko_ssh"], "hosts are reached by SSH"),
        ("ansible_become_method", &["sudo"], "root's rights are had by sudo"),
        ("ansible_become_user", &["root"], "only root's rights are asked for"),
    ];
    for (name, allowed, why) in supported {
        let Some(node) = vars.get(name) else { continue };
        let Some(text) = node.scalar_text().filter(|text| !allowed.contains(&text.as_str())) else { continue };
        let mut problem = Problem::new("HW0314", format!("`{name}: {text}` is not supported: {why}")).at(&node.span);
        if name == "ansible_connection" {
            problem = problem.hint("for a pod that an operator runs write `housewright_reach: http`");
        }
        problems.push(problem);
    }
    for name in ["ansible_password", "ansible_ssh_pass", "ansible_become_password", "ansible_become_pass"] {
        if let Some(node) = vars.get(name) {
            let message = format!("`{name}` is not used: Housewright logs in with keys and asks `sudo -n`");
            problems.push(Problem::note("HW0313", message).at(&node.span).hides_value());
        }
    }
}
