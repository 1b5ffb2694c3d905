//! What the operator allows a run to take at a time, and which part of the changes it is about (pure).
//!
//! A budget only makes waves smaller than they need to be for safety: no option puts two replicas of a shard together.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::fleet::{HostName, RolloutDefaults};

/// How many hosts, as a number or as a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Amount {
    /// So many hosts.
    Hosts(usize),
    /// So many of a hundred.
    Percent(u8),
}

impl Amount {
    /// So many of `all`, rounded down, and at least one: otherwise nobody could ever go.
    #[must_use]
    pub fn of(self, all: usize) -> usize {
        match self {
            Self::Hosts(hosts) => hosts.max(1),
            Self::Percent(percent) => (all.saturating_mul(usize::from(percent)) / 100).max(1),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hosts(hosts) => hosts.fmt(f),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// Why a text is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a number of hosts from 1 nor a share from 1% to 100%")]
pub struct AmountError(String);

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let amount = match text.trim().strip_suffix('%') {
            Some(percent) => {
                percent.trim().parse().ok().filter(|percent| (1..=100).contains(percent)).map(Self::Percent)
            }
            None => text.trim().parse().ok().filter(|hosts| *hosts > 0).map(Self::Hosts),
        };
        amount.ok_or_else(|| AmountError(text.to_owned()))
    }
}

impl TryFrom<String> for Amount {
    type Error = AmountError;

    fn try_from(text: String) -> Result<Self, AmountError> {
        text.parse()
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> Self {
        amount.to_string()
    }
}

/// Who goes first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Canary {
    /// So many hosts of each role, one after the other; 0 for none.
    Each(usize),
    /// These, and one host of each role that none of them has.
    Named(BTreeSet<HostName>),
}

impl Default for Canary {
    fn default() -> Self {
        Self::Each(1)
    }
}

/// What a run may take at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Budget {
    /// `--serial`: the most hosts of the first, second, ... wave of each tier; the last one holds for all others.
    pub serial: Vec<Amount>,
    /// `--canary`.
    pub canary: Canary,
    /// `--max-unavailable`: the most hosts away at a time, of the run or, as a share, of each role and zone.
    pub max_unavailable: Option<Amount>,
    /// `--max-failures`: how many hosts that served may fail before no further one is begun.
    pub max_failures: usize,
}

impl Budget {
    /// What of it is as the inventory says.
    #[must_use]
    pub fn pace(&self, inventory: &RolloutDefaults) -> Vec<String> {
        let serial: Vec<Amount> = inventory.serial.iter().filter_map(|amount| amount.parse().ok()).collect();
        let most = inventory.max_unavailable.as_ref().and_then(|amount| amount.parse::<Amount>().ok());
        let canary = inventory.canary.filter(|count| self.canary == Canary::Each(*count));
        let failures = inventory.max_failures.filter(|count| self.max_failures == *count);
        let mut pace = Vec::new();
        if !serial.is_empty() && serial == self.serial {
            pace.push(format!("serial {}", inventory.serial.join(", ")));
        }
        pace.extend(canary.map(|count| format!("canary {count}")));
        pace.extend(
            most.filter(|most| self.max_unavailable == Some(*most)).map(|most| format!("max_unavailable {most}")),
        );
        pace.extend(failures.map(|count| format!("max_failures {count}")));
        pace
    }
}

/// A part of the changes that can be planned alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Files that servers read, and their reload; a restart that they need stays owed
    Config,
    /// Restarts that are owed or needed by what is already on the hosts
    Restart,
    /// Objects
    Schema,
    /// Directories, files that no server reads, and units
    Host,
    /// What is on record of objects that are as they should be
    Records,
}

impl Part {
    /// As the command line names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Restart => "restart",
            Self::Schema => "schema",
            Self::Host => "host",
            Self::Records => "records",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_a_number_of_hosts_or_a_share() {
        for (text, all, is) in
            [("1", 9, 1), (" 4 ", 9, 4), ("50%", 9, 4), ("1%", 9, 1), ("100%", 9, 9), ("33 %", 60, 19), ("5", 0, 5)]
        {
            assert_eq!(text.parse::<Amount>().map(|amount| amount.of(all)), Ok(is), "{text} of {all}");
        }
        for text in ["", "0", "0%", "101%", "-1", "1.5", "x", "%", "1 of 3", "99999999999999999999"] {
            assert_eq!(text.parse::<Amount>(), Err(AmountError(text.to_owned())));
        }
    }

    #[test]
    fn what_the_inventory_says_is_told_where_it_holds() {
        let inventory = RolloutDefaults {
            serial: vec!["1".to_owned(), "20%".to_owned()],
            canary: Some(1),
            max_unavailable: Some("25%".to_owned()),
            max_failures: None,
        };
        assert_eq!(Budget::default().pace(&inventory), ["canary 1"]);
        let serial = vec![Amount::Hosts(1), Amount::Percent(20)];
        let budget = Budget { serial, max_unavailable: Some(Amount::Percent(25)), ..Budget::default() };
        assert_eq!(budget.pace(&inventory), ["serial 1, 20%", "canary 1", "max_unavailable 25%"]);
        assert!(budget.pace(&RolloutDefaults::default()).is_empty());
    }

    #[test]
    fn a_budget_is_kept_in_a_file_as_it_is() {
        let named = Canary::Named(BTreeSet::from([HostName::new("data-1-a").unwrap()]));
        let serial = vec![Amount::Hosts(1), Amount::Percent(20)];
        let budget = Budget { serial, canary: named, max_unavailable: Some(Amount::Percent(10)), max_failures: 2 };
        let text = serde_json::to_string(&budget).unwrap();
        assert_eq!(serde_json::from_str::<Budget>(&text).unwrap(), budget);
        assert_eq!(serde_json::from_str::<Budget>("{}").unwrap(), Budget::default());
        assert!(serde_json::from_str::<Budget>(r#"{"serial":["0"]}"#).is_err());
    }
}
