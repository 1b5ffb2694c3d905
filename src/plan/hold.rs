//! Holds: what must not be done now, as data (pure).

use serde::{Deserialize, Serialize};

use crate::fleet::HostName;

/// A change that is not planned now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hold {
    /// On which host.
    pub host: HostName,
    /// What is not done.
    pub what: String,
    /// Why, with numbers.
    pub reason: String,
    /// What lifts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}
