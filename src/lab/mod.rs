//! The lab: a local fleet of real hosts (systemd, sshd, `ClickHouse`, `ZooKeeper`, a Kafka broker) on which a change can be
//! tried before it meets a real fleet. Invariant: every namespace, process and setting is in the journal before it is made,
//! so an interrupted `up` is always cleaned up, and nothing but what the lab made is ever removed. edge
//!
//! The hosts are bare: `ClickHouse` and `ZooKeeper` are there as packages leave them, but neither enabled nor started.
//! Provisioning them is Housewright's work.
//!
//! Faults for tests need nothing more than the namespaces: host `h` lives in the network namespace `hwlab-h`, where its
//! interface is `eth0` (`ip -n hwlab-h link set eth0 down` cuts it off), and `poweroff` on a host ends it until the next `up`.

mod base;
mod broker;
mod cgroup;
mod clickhouse;
mod command;
mod down;
mod error;
mod files;
mod host;
mod keys;
mod network;
mod process;
mod spec;
mod state;
mod status;
mod sysctl;
mod up;
mod visit;

use std::path::PathBuf;

pub use broker::{Broker, ConsumerGroup, Which};
pub use clickhouse::local_clickhouse;
pub use down::down;
pub use error::LabError;
pub use network::enter_namespace;
pub use spec::{
    BrokerChoice, Image, LAB_BROKER, LAB_GATEWAY, LAB_NAMESPACE, LabHost, LabHostKind, LabSpec, default_cache_dir,
    default_state_dir,
};
pub use status::{HostStatus, LabCondition, LabStatus, Running, status};
pub use up::{fetch, up};
pub use visit::{exec, group, produce, shell};

/// A lab that is up, and how to reach its hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lab {
    /// Where its state is.
    pub state_dir: PathBuf,
    /// An `ssh_config` for all its hosts.
    pub ssh_config: PathBuf,
    /// The private key for `root` and `deploy`.
    pub key: PathBuf,
    /// The hosts' keys.
    pub known_hosts: PathBuf,
    /// A random secret for `remote_servers`.
    pub cluster_secret: PathBuf,
    /// Which broker it has.
    pub broker: Broker,
}

impl Lab {
    fn of(spec: &LabSpec, broker: Broker) -> Self {
        let paths = spec::Paths(&spec.state_dir);
        Self {
            state_dir: spec.state_dir.clone(),
            ssh_config: paths.ssh_config(),
            key: paths.key(),
            known_hosts: paths.known_hosts(),
            cluster_secret: paths.cluster_secret(),
            broker,
        }
    }
}
