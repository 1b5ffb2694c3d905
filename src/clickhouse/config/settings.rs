//! What a server says about its own first-level settings: their types, and whether a reload takes them (pure).
//!
//! Nested sections are not in there ([system.server_settings](https://clickhouse.com/docs/operations/system-tables/server_settings)).

use std::collections::BTreeMap;
use std::sync::Arc;

/// The settings of one server.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ServerSettings {
    /// By name; servers of one version share it. Empty where the server does not tell.
    #[serde(skip)]
    pub known: Arc<BTreeMap<String, ServerSetting>>,
    /// The present values of those that can change in one direction only.
    pub now: BTreeMap<String, u64>,
    /// What the server runs with, of those that no reload takes whole; servers that run with the same share it.
    #[serde(skip)]
    pub running: Arc<BTreeMap<String, String>>,
}

impl ServerSettings {
    /// What the server runs with where its files say another value of a setting that only a start takes.
    ///
    /// Measured on 25.8: `system.server_settings` has the values of the start for these, whatever a reload has read.
    #[must_use]
    pub fn runs_otherwise(&self, name: &str, written: &str) -> Option<&str> {
        let (setting, running) = (self.known.get(name)?, self.running.get(name)?);
        let written = written.trim();
        let differs = match setting.kind {
            // What has a suffix, as `10Gi`, is not judged.
            ValueKind::Integer => written.parse::<i128>().is_ok_and(|new| running.parse() != Ok(new)),
            ValueKind::Float => written.parse::<f64>().is_ok_and(|new| running.parse() != Ok(new)),
            ValueKind::Bool => switch(written).is_some_and(|new| switch(running) != Some(new)),
            ValueKind::Other => !written.is_empty() && written != running.trim(),
        };
        differs.then_some(running)
    }
}

fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct ServerSetting {
    /// What its value is.
    pub kind: ValueKind,
    /// Whether a reload takes it; nothing where the server is too old to tell.
    pub changeable: Option<Changeable>,
}

/// `changeable_without_restart`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Changeable {
    /// A restart.
    No,
    /// A larger value without a restart.
    IncreaseOnly,
    /// A smaller value without a restart.
    DecreaseOnly,
    /// Every value without a restart.
    Yes,
}

/// What a setting's value is, as far as a plan can judge it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum ValueKind {
    /// A whole number, possibly with a suffix such as `Gi`.
    Integer,
    /// A number with a point.
    Float,
    /// A switch.
    Bool,
    /// Anything else.
    Other,
}

impl Changeable {
    /// Reads the server's word.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        Some(match word {
            "No" => Self::No,
            "IncreaseOnly" => Self::IncreaseOnly,
            "DecreaseOnly" => Self::DecreaseOnly,
            "Yes" => Self::Yes,
            _ => return None,
        })
    }
}

impl ValueKind {
    /// Reads the name of a setting's type, as `UInt64`, `NonZeroUInt64`, `Double` or `Bool`.
    #[must_use]
    pub fn read(name: &str) -> Self {
        match name {
            "UInt64" | "UInt32" | "Int64" | "Int32" | "NonZeroUInt64" => Self::Integer,
            "Float" | "Double" => Self::Float,
            "Bool" => Self::Bool,
            _ => Self::Other,
        }
    }
}
