//! Entries of `remote_servers` (pure).

use super::ClusterName;
use crate::secret::SecretRef;

/// One entry of `remote_servers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The element's name.
    pub name: ClusterName,
    /// How its hosts form shards.
    pub layout: Layout,
    /// Shards in order.
    pub shards: Vec<ClusterShard>,
    /// The inter-server secret, by reference.
    pub secret: Option<SecretRef>,
    /// Whether Distributed tables write to one replica and leave the rest to replication.
    pub internal_replication: bool,
}

/// How a cluster's hosts form shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// By the hosts' `shard` and `replica`.
    Sharded,
    /// All hosts are replicas of one shard.
    SingleShard,
    /// Every host is a shard of its own.
    OneShardPerHost,
}

/// One shard of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterShard {
    /// Replicas in order.
    pub members: Vec<Member>,
    /// The share of rows that it gets, where the inventory says one; with 0 it is only read.
    pub weight: Option<u32>,
}

/// One replica as `remote_servers` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Name or address.
    pub host: String,
    /// Native protocol port.
    pub port: u16,
    /// TLS.
    pub secure: bool,
    /// User of the other side, where the cluster has no secret.
    pub user: Option<String>,
    /// Replicas of a lower number are asked first, where the inventory says one.
    pub priority: Option<u32>,
}
