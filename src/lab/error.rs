//! What can go wrong in the lab, by what was being done; every error names what to do next where there is something.
//! Invariant: a failed command carries its own words. pure

use std::io;
use std::path::PathBuf;

/// A step of the lab that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The lab makes namespaces and mounts.
    #[error("cannot use the lab without root: it makes network namespaces, mounts and containers")]
    NotRoot,
    /// Programs that the lab runs are not on this machine: pairs of program and Debian package.
    #[error("cannot find {}", listed(.0))]
    ToolsMissing(Vec<(&'static str, &'static str)>),
    /// The hosts, paths or files asked for cannot be built.
    #[error("cannot build the lab: {0}")]
    BadSpec(String),
    /// Another lab command holds the state directory.
    #[error("cannot lock `{}`: another lab command is at work", .0.display())]
    Busy(PathBuf),
    /// A lab with another specification is up.
    #[error("cannot bring the lab up: a different lab is up in `{}`", .0.display())]
    Different(PathBuf),
    /// The command needs a lab that is up.
    #[error("no lab is up in `{}`", .0.display())]
    NotUp(PathBuf),
    /// No host of the lab has this name.
    #[error("host `{name}` is not in the lab")]
    UnknownHost {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// A namespace of the lab's name is there that this state directory did not make.
    #[error("network namespace `{0}` exists and was not made by this lab")]
    ForeignNamespace(String),
    /// The calling thread could not move into a network namespace.
    #[error("cannot enter network namespace `{name}`")]
    EnterNamespace {
        /// The namespace.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file or directory operation failed.
    #[error("cannot {action} `{}`", path.display())]
    File {
        /// A verb: read, write, remove...
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A program could not be started.
    #[error("cannot run `{command}`")]
    Start {
        /// The whole command.
        command: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A program ended with an error.
    #[error("`{command}` ended with {status}{}", tail(.stderr))]
    Command {
        /// The whole command.
        command: String,
        /// Exit status or signal.
        status: String,
        /// The end of what it wrote to standard error or to its log.
        stderr: String,
    },
    /// The `ClickHouse` library is not the pinned one.
    #[error("`{}` has the sha256 {found}, expected {expected}", path.display())]
    Digest {
        /// The library.
        path: PathBuf,
        /// The pinned digest.
        expected: &'static str,
        /// The digest found.
        found: String,
    },
    /// A host did not come up.
    #[error("host `{host}` {what}{}", tail(.log))]
    HostFailed {
        /// The host.
        host: String,
        /// What it did or did not do.
        what: String,
        /// The end of its console.
        log: String,
    },
    /// The broker did not come up.
    #[error("the broker did not become ready{}", tail(.log))]
    BrokerFailed {
        /// The end of its log.
        log: String,
    },
}

impl LabError {
    /// Says what to do about it, where something can be done.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotRoot => Some(
                "run it with sudo; without root, `check`, `render`, `plan` against a recorded observation and the fast tests work"
                    .to_owned(),
            ),
            Self::ToolsMissing(tools) => {
                let mut packages: Vec<_> = tools.iter().map(|(_, package)| *package).collect();
                packages.sort_unstable();
                packages.dedup();
                Some(format!("apt-get install {}", packages.join(" ")))
            }
            Self::Busy(_) => Some("wait for it to end".to_owned()),
            Self::Different(_) => Some("run `housewright lab down` first".to_owned()),
            Self::NotUp(_) => Some("run `housewright lab up`".to_owned()),
            Self::UnknownHost { known, .. } => Some(format!("the hosts are {}", known.join(", "))),
            Self::ForeignNamespace(name) => Some(format!(
                "is a lab up with another HOUSEWRIGHT_LAB_DIR? otherwise `ip netns delete {name}`"
            )),
            Self::EnterNamespace { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("run `housewright lab up`".to_owned())
            }
            Self::EnterNamespace { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("run it as root".to_owned())
            }
            Self::Digest { path, .. } => Some(format!(
                "remove the directory of `{}` and bring the lab up again, or name a ClickHouse binary",
                path.display()
            )),
            Self::HostFailed { log, .. } if log.contains("overlay") => Some(
                "the state directory must be on a file system that overlayfs can write to: set HOUSEWRIGHT_LAB_DIR".to_owned(),
            ),
            _ => None,
        }
    }
}

fn listed(tools: &[(&'static str, &'static str)]) -> String {
    let names: Vec<_> = tools.iter().map(|(tool, _)| format!("`{tool}`")).collect();
    names.join(", ")
}

fn tail(text: &str) -> String {
    if text.trim().is_empty() { String::new() } else { format!(": {}", text.trim()) }
}
