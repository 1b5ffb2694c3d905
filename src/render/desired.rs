//! What should be on one host (pure).

use std::collections::BTreeMap;

use super::Content;
use crate::ground::Ground;
use crate::remote::{RemotePath, UnitName};

/// Everything that Housewright wants on one host, schema apart.
#[derive(Debug, Clone, Default)]
pub struct Desired {
    /// What its servers stand on.
    pub ground: Ground,
    /// Directories, by path.
    pub directories: BTreeMap<RemotePath, DesiredDirectory>,
    /// Files, by path.
    pub files: BTreeMap<RemotePath, DesiredFile>,
    /// Units, by name.
    pub units: BTreeMap<UnitName, DesiredUnit>,
    /// What the macro `generation` will say, where a file tells it.
    pub generation: Option<String>,
}

/// A directory with owner and mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredDirectory {
    /// Owning user's name.
    pub owner: String,
    /// Owning group's name.
    pub group: String,
    /// Permission bits.
    pub mode: u32,
}

/// A file with content, owner and mode.
#[derive(Debug, Clone)]
pub struct DesiredFile {
    /// What it holds.
    pub content: Content,
    /// Owning user's name.
    pub owner: String,
    /// Owning group's name.
    pub group: String,
    /// Permission bits.
    pub mode: u32,
    /// The unit that reads it.
    pub unit: Option<UnitName>,
    /// What is installed before the other files needs it.
    pub early: bool,
    /// A package brings one of its own, whose place it takes.
    pub over_package: bool,
}

/// A unit's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DesiredUnit {
    /// Starts at boot.
    pub enabled: bool,
    /// Runs now.
    pub running: bool,
}
