//! What a merge goes on without (pure).

use std::fmt;

use super::tree::Place;

/// Something that an element names and that is not there or not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// `incl` names nothing in the substitutions' file, or there is no such file.
    NoInclude(String),
    /// `from_env` names a variable that is not given.
    NoVariable(String),
    /// `include_from` names a file that is not given.
    NoIncludeFrom(String),
    /// The file belongs to another configuration, by its root: the server passes it over.
    OtherRoot(String),
    /// A YAML file holds all under `clickhouse:`; its root is `clickhouse` without that, and the server reads none of it.
    RootInYaml(String),
}

/// In words.
impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoInclude(name) => write!(f, "`incl` names `{name}`, which is not known"),
            Self::NoVariable(name) => write!(f, "the environment variable `{name}` is not known"),
            Self::NoIncludeFrom(path) => write!(f, "`include_from` names `{path}`, which is not known"),
            Self::OtherRoot(root) => write!(f, "its root is `{root}`: the server passes it over"),
            Self::RootInYaml(key) => {
                write!(f, "the server reads nothing below `{key}:`: a YAML file has its keys without a root")
            }
        }
    }
}

/// A doubt, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub place: Place,
    pub element: String,
    pub doubt: Doubt,
}

/// A doubt for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The file.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// The element.
    pub element: String,
    /// What is not there.
    pub doubt: Doubt,
}

/// `file:line: element: what`.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, element, doubt } = self;
        write!(f, "{file}:{line}: `{element}`: {doubt}")
    }
}
