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
