//! What was applied to an object, as its host remembers it (pure).

use std::collections::BTreeMap;

use super::object::ObjectName;
use crate::fleet::RoleName;

/// One object of a host that Housewright made or adopted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The role that wanted it.
    pub role: RoleName,
    /// The desired statement, as it was applied.
    pub statement: String,
    /// Whether the server's own statement is still the one that it had right after.
    pub live_is_as_applied: bool,
}

/// A host's records by object. What has none is not Housewright's.
pub type Records = BTreeMap<ObjectName, Recorded>;

/// A host's records by object, as its table has them, with what the server tells of each.
pub type ObjectRecords = BTreeMap<ObjectName, ObjectRecord>;

/// One record, beside what is there.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ObjectRecord {
    /// The role that wanted it.
    pub role: RoleName,
    /// The desired statement, as it was applied.
    #[serde(skip)]
    pub statement: String,
    /// How far it came.
    pub state: RecordState,
    /// How many rows it holds; unknown where the server does not tell.
    pub rows: Option<u64>,
    /// How many bytes they are.
    pub bytes: Option<u64>,
    /// Mutations of it that are not done.
    #[serde(default)]
    pub mutations: u64,
    /// Why one of them fails.
    #[serde(default)]
    pub complaint: Option<String>,
}

/// How a record and what is there fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordState {
    /// The object is not there: where it is wanted it is made as if it were new, and else its record goes too.
    Gone,
    /// It was noted before it was made, and nobody has seen what became of it: not ours for sure.
    Begun,
    /// It is what it was right after.
    AsApplied,
    /// Somebody has changed it since.
    Moved,
}

impl ObjectRecord {
    /// What a comparison needs of it; nothing where it is not surely ours.
    #[must_use]
    pub fn recorded(&self) -> Option<Recorded> {
        let live_is_as_applied = match self.state {
            RecordState::AsApplied => true,
            RecordState::Moved => false,
            RecordState::Begun | RecordState::Gone => return None,
        };
        Some(Recorded { role: self.role.clone(), statement: self.statement.clone(), live_is_as_applied })
    }
}
