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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_serves_when_it_tells_its_mode() {
        let answer = b"Zookeeper version: 3.8.0\nLatency min/avg/max: 0/0.0/0\nMode: standalone\nNode count: 5\n";
        assert_eq!(KeeperFacts::read(answer), KeeperFacts::Up { mode: "standalone".to_owned() });
    }

    #[test]
    fn a_member_without_a_quorum_does_not_serve() {
        let facts = KeeperFacts::read(b"This ZooKeeper instance is not currently serving requests\n");
        assert_eq!(facts.serves(), Err("This ZooKeeper instance is not currently serving requests".to_owned()));
        assert!(KeeperFacts::read(b"").serves().is_err());
    }
}
