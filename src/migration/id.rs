//! What a migration is called, and how to go on with it (pure).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::fleet::RoleName;

/// A migration's role and number: `data/0004`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MigrationId {
    /// The role in whose directory it lies.
    pub role: RoleName,
    /// The digits that its file's name begins with.
    pub number: u32,
}

impl fmt::Display for MigrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{:04}", self.role, self.number))
    }
}

impl FromStr for MigrationId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "a migration's role and number: `data/0004`".to_owned();
        let (role, number) = text.split_once('/').ok_or_else(wrong)?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let role = RoleName::new(role).map_err(|_| wrong())?;
        number.parse().ok().filter(|_| is_number).map(|number| Self { role, number }).ok_or_else(wrong)
    }
}

impl Serialize for MigrationId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MigrationId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// How the operator says to go on with a migration that was interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GoOn {
    /// The statement that was begun is run again.
    Repeat,
    /// It counts as done.
    Next,
}

impl GoOn {
    /// The word that says it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Repeat => "repeat",
            Self::Next => "next",
        }
    }

    /// Reads `ROLE/NUMBER=repeat` or `ROLE/NUMBER=next`.
    ///
    /// # Errors
    /// Says how it is written.
    pub fn parse(text: &str) -> Result<(MigrationId, Self), String> {
        let wrong = || "`data/0004=repeat` or `data/0004=next`".to_owned();
        let (id, how) = text.split_once('=').ok_or_else(wrong)?;
        let how = match how {
            "repeat" => Self::Repeat,
            "next" => Self::Next,
            _ => return Err(wrong()),
        };
        Ok((id.parse()?, how))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_shown() {
        let id: MigrationId = "data/4".parse().unwrap();
        assert_eq!((id.to_string().as_str(), id.to_string().parse()), ("data/0004", Ok(id.clone())));
        for wrong in ["", "data", "data/", "/4", "data/x", "data/+4", "data/99999999999", "data/4/5"] {
            assert!(wrong.parse::<MigrationId>().is_err(), "{wrong}");
        }
        assert_eq!(GoOn::parse("data/0004=next"), Ok((id, GoOn::Next)));
        assert!(GoOn::parse("data/0004=done").is_err() && GoOn::parse("data/0004").is_err());
    }
}
