//! One line of the table of disruptions (pure data).

use super::disruption::{ConfigDirectory, Disruption};

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The configuration that it is about.
    pub directory: ConfigDirectory,
    /// The keys, each with everything below it; `*` stands for one element.
    pub keys: &'static [&'static str],
    /// Which changes it is about.
    pub when: When,
    /// What they cost.
    pub disruption: Disruption,
    /// Who pays more than a reload.
    pub audience: Audience,
    /// One sentence, lowercase, no full stop.
    pub reason: &'static str,
    /// Where it is written.
    pub link: &'static str,
}

/// Which changes a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// All.
    Always,
    /// The element that the key names is new.
    NewElement,
    /// The number grows.
    Increased,
}

/// On which hosts a change costs more than a reload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// On all.
    AllHosts,
    /// Only where tables consume in the background.
    Consumers,
}
