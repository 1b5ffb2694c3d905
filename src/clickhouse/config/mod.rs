//! The server's configuration as keys: what a file holds, what changes, and what that costs (pure).
//!
//! No value that looks like a secret leaves this module in readable form.

mod change;
mod disruption;
pub mod effective;
mod keys;
mod refused;
mod rule;
mod settings;
mod table;
#[cfg(test)]
mod tests;

pub use change::{ChangeKind, KeyChange, diff};
pub use disruption::{ConfigDirectory, Disruption, HostSays, Reason, disruption_of};
pub use keys::{ConfigError, ConfigKeys, Entry, MASK};
pub use refused::refused;
pub use rule::{Audience, Rule, When};
pub use settings::{Changeable, ServerSetting, ServerSettings, ValueKind};
pub use table::{VERSION, rules};
