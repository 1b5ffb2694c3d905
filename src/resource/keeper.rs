//! A coordination server: what its four-letter word `srvr` tells (pure).
//!
//! ZooKeeper and ClickHouse Keeper both answer it (<https://clickhouse.com/docs/guides/sre/keeper/clickhouse-keeper>).

/// The question for the clients' port.
pub const SRVR: &[u8] = b"srvr";

/// The state of a host's coordination server.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum KeeperFacts {
    /// The host is no member of an ensemble.
    #[default]
    NotAsked,
    /// It does not serve.
    Down {
        /// Why.
        reason: String,
    },
    /// It serves.
    Up {
        /// `leader`, `follower` or `standalone`.
        mode: String,
    },
}

impl KeeperFacts {
    /// Reads the answer to [`SRVR`]; a member without a quorum says that it does not serve.
    #[must_use]
    pub fn read(answer: &[u8]) -> Self {
        let text = String::from_utf8_lossy(answer);
        if let Some(mode) = text.lines().find_map(|line| line.strip_prefix("Mode: ")) {
            Self::Up { mode: mode.trim().to_owned() }
        } else {
            let said = text.lines().next().map(str::trim).filter(|line| !line.is_empty());
            Self::Down { reason: said.unwrap_or("it answers nothing").to_owned() }
        }
    }

    /// Whether it leads its ensemble.
    #[must_use]
    pub fn leads(&self) -> bool {
        matches!(self, Self::Up { mode } if mode == "leader")
    }

    /// Tells whether it serves; the error says why not.
    ///
    /// # Errors
    /// It does not, or nobody asked.
    pub fn serves(&self) -> Result<(), String> {
        match self {
            Self::Up { .. } => Ok(()),
            Self::Down { reason } => Err(reason.clone()),
            Self::NotAsked => Err("it was not asked".to_owned()),
        }
    }
}

/// The question to a leader how its followers are; ZooKeeper answers it where it is allowed to
/// (<https://zookeeper.apache.org/doc/current/zookeeperAdmin.html#sc_4lw>).
pub const MNTR: &[u8] = b"mntr";

/// How many of its followers a leader says are as far as it is; nothing where it does not tell.
#[must_use]
pub fn synced_followers(answer: &[u8]) -> Option<usize> {
    let text = String::from_utf8_lossy(answer);
    let number = text.lines().find_map(|line| line.strip_prefix("zk_synced_followers"))?.trim();
    // Gauges of newer releases of ZooKeeper have a decimal point.
    number.split('.').next()?.parse().ok()
}

/// The whole answer to [`SRVR`], as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Srvr {
    facts: KeeperFacts,
    zxid: Option<u64>,
}

/// A member that is back takes the newest transactions from the leader; while clients write, it is always a few behind.
const FEW_TRANSACTIONS: u64 = 1000;

impl Srvr {
    /// Reads an answer.
    #[must_use]
    pub fn read(answer: &[u8]) -> Self {
        let text = String::from_utf8_lossy(answer);
        let zxid = text.lines().find_map(|line| line.strip_prefix("Zxid: ")?.trim().strip_prefix("0x"));
        Self { facts: KeeperFacts::read(answer), zxid: zxid.and_then(|zxid| u64::from_str_radix(zxid, 16).ok()) }
    }

    /// Its state.
    #[must_use]
    pub fn facts(&self) -> &KeeperFacts {
        &self.facts
    }

    /// The last transaction that it knows.
    #[must_use]
    pub fn zxid(&self) -> Option<u64> {
        self.zxid
    }

    /// Tells whether it follows where another member knows this last transaction.
    ///
    /// # Errors
    /// It serves nobody, or is far behind.
    pub fn follows(&self, latest: Option<u64>) -> Result<(), String> {
        self.facts.serves()?;
        match (self.zxid, latest) {
            // An election begins a new epoch, the upper half: the difference is more than any number of writes.
            (Some(own), Some(latest)) if latest.saturating_sub(own) > FEW_TRANSACTIONS => {
                Err(format!("it knows transactions up to {own:#x}, another member up to {latest:#x}"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_serves_when_it_tells_its_mode() {
        let answer = b"Zookeeper version: 3.8.0\nLatency min/avg/max: 0/0.0/0\nMode: standalone\nNode count: 5\n";
        assert_eq!(KeeperFacts::read(answer), KeeperFacts::Up { mode: "standalone".to_owned() });
    }

    #[test]
    fn a_member_follows_when_it_knows_nearly_all_that_another_does() {
        let member = |zxid: &str, mode: &str| Srvr::read(format!("Zxid: {zxid}\nMode: {mode}\n").as_bytes());
        let latest = member("0x200000005", "leader").zxid();
        assert_eq!(latest, Some(0x2_0000_0005));
        assert_eq!(member("0x200000003", "follower").follows(latest), Ok(()));
        assert_eq!(member("0x200000009", "follower").follows(latest), Ok(()));
        let behind = member("0x1000000ff", "follower").follows(latest).unwrap_err();
        assert_eq!(behind, "it knows transactions up to 0x1000000ff, another member up to 0x200000005");
        assert!(Srvr::read(b"This ZooKeeper instance is not currently serving requests\n").follows(None).is_err());
    }

    #[test]
    fn a_leader_tells_how_many_follow_it() {
        assert_eq!(synced_followers(b"zk_version\t3.8.4\nzk_synced_followers\t2\nzk_followers\t2\n"), Some(2));
        assert_eq!(synced_followers(b"zk_synced_followers\t1.0\n"), Some(1));
        assert_eq!(synced_followers(b"mntr is not executed because it is not in the whitelist.\n"), None);
        assert_eq!(synced_followers(b""), None);
    }

    #[test]
    fn a_member_without_a_quorum_does_not_serve() {
        let facts = KeeperFacts::read(b"This ZooKeeper instance is not currently serving requests\n");
        assert_eq!(facts.serves(), Err("This ZooKeeper instance is not currently serving requests".to_owned()));
        assert!(KeeperFacts::read(b"").serves().is_err());
    }
}
