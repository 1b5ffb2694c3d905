//! One difference beneath a host's servers, and the work that removes it, as data (pure).

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Question, When};
use crate::remote::UnitName;

/// Something that is not as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroundChange {
    /// What kind of thing: `package`, `user`, ...
    pub kind: String,
    /// Which.
    pub name: String,
    /// How it is; nothing where it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<String>,
    /// How it should be.
    pub should: String,
    /// What removes the difference, in order.
    pub work: Vec<Work>,
    /// Before the files are written, or behind.
    pub when: When,
    /// The unit that runs with what was there before, until it is started anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarts: Option<UnitName>,
    /// The unit that comes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brings: Option<UnitName>,
    /// What has to be allowed by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<Need>,
    /// What must be answered byte for byte as it was, right before the host's first step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sealed: Vec<Question>,
}

/// What is not done unless it is allowed by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// An older version of a server.
    Downgrade,
}

impl GroundChange {
    /// A difference of one thing, still without what removes it.
    #[must_use]
    pub fn new(kind: &str, name: &str, when: When) -> Self {
        Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
            is: None,
            should: String::new(),
            work: Vec::new(),
            when,
            restarts: None,
            brings: None,
            needs: None,
            sealed: Vec::new(),
        }
    }
}

impl fmt::Display for GroundChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.is {
            None => write!(f, "{} {}  {}", self.kind, self.name, self.should),
            Some(is) => write!(f, "{} {}  {is} -> {}", self.kind, self.name, self.should),
        }
    }
}

/// One program that changes the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// What it does, in a few words.
    pub what: String,
    /// The program and its arguments; no shell reads them, and none is a secret.
    pub argv: Vec<String>,
    /// How long it may take.
    #[serde(rename = "limit_seconds", with = "crate::duration::whole_seconds")]
    pub limit: Duration,
}

impl Work {
    /// Work that takes a moment.
    pub fn quick<W: Into<String>>(what: impl Into<String>, argv: impl IntoIterator<Item = W>) -> Self {
        Self { what: what.into(), argv: argv.into_iter().map(Into::into).collect(), limit: Duration::from_mins(1) }
    }

    /// With more time.
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }
}

/// Something that is not as it is wanted, and is left so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is not done.
    pub what: String,
    /// Why.
    pub reason: String,
    /// What lifts it.
    pub hint: Option<String>,
}
