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
