//! What a lab is made of: its hosts, their addresses, and where it may keep things. Invariant: a checked specification
//! has unique, valid names and unique addresses inside the lab's network. pure

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::LabError;

/// The network namespace in which the lab's driver address lives: commands that talk to its hosts run inside it.
pub const LAB_NAMESPACE: &str = "hwlab";
/// The address of the driver, from which the lab's hosts see SSH connections come.
pub const LAB_GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// The address of a broker of its own (Tansu).
pub const LAB_BROKER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 20);

/// The lab to bring up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabSpec {
    /// Its hosts.
    pub hosts: Vec<LabHost>,
    /// Where the running lab keeps its state; removed by `down`.
    pub state_dir: PathBuf,
    /// Where the base root, `ClickHouse` and the broker's programs are kept between labs.
    pub cache_dir: PathBuf,
    /// A `ClickHouse` binary to use in place of an installed or the pinned one.
    pub clickhouse: Option<PathBuf>,
    /// Which Kafka broker.
    pub broker: BrokerChoice,
    /// What its hosts begin with.
    #[serde(default)]
    pub image: Image,
}

/// A host of the lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabHost {
    /// Its host name.
    pub name: String,
    /// Its address, inside 10.77.0.0/16.
    pub address: Ipv4Addr,
    /// What it is for.
    pub kind: LabHostKind,
}

/// What a host of the lab is for; all are bare until Housewright has provisioned them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LabHostKind {
    /// A data host.
    Data,
    /// An ingestion host: reaches the broker.
    Ingestion,
    /// A coordination host: `ZooKeeper`.
    Coordination,
    /// Answers SSH, for fan-out; no `ClickHouse`.
    SshOnly,
}

/// What a lab's hosts begin with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Image {
    /// An operator's image: the servers' packages are installed.
    #[default]
    Ready,
    /// What the cloud gives: SSH, and a repository of packages at /opt/repository.
    Fresh,
}

/// Which Kafka broker the lab runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BrokerChoice {
    /// Tansu where its binary is at hand, otherwise the mock.
    Auto,
    /// librdkafka's mock clusters, relayed to 127.0.0.1:9092 and 127.0.0.2:9092 of each ingestion host.
    Mock,
    /// Tansu, at 10.77.0.20:9092.
    Tansu,
}

impl LabSpec {
    /// A lab of these hosts in the default directories.
    #[must_use]
    pub fn new(hosts: Vec<LabHost>) -> Self {
        Self {
            hosts,
            state_dir: default_state_dir(),
            cache_dir: default_cache_dir(),
            clickhouse: None,
            broker: BrokerChoice::Auto,
            image: Image::Ready,
        }
    }

    pub(super) fn check(&self) -> Result<(), LabError> {
        let bad = |reason: String| Err(LabError::BadSpec(reason));
        if self.hosts.is_empty() {
            return bad("it has no hosts".to_owned());
        }
        let mut names = BTreeSet::new();
        let mut addresses = BTreeSet::from([LAB_GATEWAY, LAB_BROKER]);
        for LabHost { name, address, kind: _ } in &self.hosts {
            let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
            // 64 is Linux's limit for a host name; the machine name has the namespace before it.
            if !plain || name.is_empty() || name.len() > 48 || name.starts_with('-') || name.ends_with('-') {
                return bad(format!("`{name}` is not a host name of a-z, 0-9 and `-`"));
            }
            if matches!(name.as_str(), "broker" | "broker2" | "localhost") || !names.insert(name) {
                return bad(format!("the name `{name}` is taken"));
            }
            let [a, b, c, d] = address.octets();
            if (a, b) != (10, 77) || matches!((c, d), (0, 0) | (255, 255)) || !addresses.insert(*address) {
                return bad(format!("`{name}` cannot have the address {address}: taken, or not in 10.77.0.0/16"));
            }
        }
        for directory in [&self.state_dir, &self.cache_dir] {
            // overlayfs and systemd-nspawn give these characters a meaning in their options.
            let text = directory.to_string_lossy();
            if !directory.is_absolute() || text.contains([':', ',', '\\', '"', ' ', '\n']) {
                return bad(format!("`{text}` is not a plain absolute path"));
            }
        }
        Ok(())
    }
}

/// Returns `HOUSEWRIGHT_LAB_DIR`, or /var/lib/housewright-lab.
#[must_use]
pub fn default_state_dir() -> PathBuf {
    from_environment("HOUSEWRIGHT_LAB_DIR", "/var/lib/housewright-lab")
}

/// Returns `HOUSEWRIGHT_LAB_CACHE`, or /var/cache/housewright-lab.
#[must_use]
pub fn default_cache_dir() -> PathBuf {
    from_environment("HOUSEWRIGHT_LAB_CACHE", "/var/cache/housewright-lab")
}

fn from_environment(variable: &str, otherwise: &str) -> PathBuf {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map_or_else(|| PathBuf::from(otherwise), PathBuf::from)
}

/// Where the parts of a running lab are, below its state directory.
#[derive(Debug, Clone)]
pub(super) struct Paths<'a>(pub(super) &'a Path);

impl Paths<'_> {
    pub(super) fn journal(&self) -> PathBuf {
        self.0.join("journal")
    }
    pub(super) fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }
    pub(super) fn ssh(&self) -> PathBuf {
        self.0.join("ssh")
    }
    pub(super) fn key(&self) -> PathBuf {
        self.ssh().join("id_ed25519")
    }
    pub(super) fn known_hosts(&self) -> PathBuf {
        self.ssh().join("known_hosts")
    }
    pub(super) fn ssh_config(&self) -> PathBuf {
        self.ssh().join("config")
    }
    pub(super) fn cluster_secret(&self) -> PathBuf {
        self.0.join("secrets/cluster_secret")
    }
    pub(super) fn etc_hosts(&self) -> PathBuf {
        self.0.join("etc_hosts")
    }
    pub(super) fn host(&self, name: &str) -> PathBuf {
        self.0.join("hosts").join(name)
    }
    pub(super) fn log(&self, name: &str) -> PathBuf {
        self.0.join("log").join(name)
    }
}

/// The network namespace of a host.
pub(super) fn namespace_of(host: &str) -> String {
    format!("{LAB_NAMESPACE}-{host}")
}
