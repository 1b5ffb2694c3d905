//! Why files make no configuration (pure): each error names its file, and none repeats a value, which may be a secret.

use super::budget::TooMuch;

/// Why one text cannot be read.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum ReadError {
    /// It is no XML.
    #[error("{what} (line {line}, column {column})")]
    Xml {
        /// In words.
        what: String,
        /// From 1.
        line: u32,
        /// From 1.
        column: u32,
    },
    /// It is no YAML, or holds what makes no element.
    #[error("{what} (line {line})")]
    Yaml {
        /// In words.
        what: String,
        /// From 1.
        line: usize,
    },
    /// It has a document type, whose default attributes only the server reads.
    #[error("it has a document type, which is not read")]
    DocumentType,
    /// It is no text.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// It is more than is read.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
}

/// Why files cannot be merged: where the server would refuse them too, unless it is said.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum EffectiveError {
    /// There is no main file.
    #[error("there is no `{0}`")]
    NoMain(String),
    /// A file is no configuration.
    #[error("cannot read `{file}`")]
    Read {
        /// Its path.
        file: String,
        /// Why.
        #[source]
        source: ReadError,
    },
    /// Two files of different kinds.
    #[error("cannot merge `{file}`: its root is `{root}`, that of `{main}` is `{wanted}`")]
    Root {
        /// Its path.
        file: String,
        /// Its root.
        root: String,
        /// The main file's path.
        main: String,
        /// The main file's root.
        wanted: String,
    },
    /// An element that cannot be merged or filled.
    #[error("`{file}`, line {line}: element `{element}` {what}")]
    Element {
        /// The path of the file that wrote it.
        file: String,
        /// From 1.
        line: usize,
        /// Its name.
        element: String,
        /// What is wrong with it.
        #[source]
        what: ElementError,
    },
    /// `include_from` names a file that is not there.
    #[error("`include_from` names `{0}`, which is not there")]
    NoIncludeFrom(String),
    /// The whole is more than is merged; the server has no such limit.
    #[error("the configuration of `{file}` is not merged: {source}")]
    TooMuch {
        /// The main file's path.
        file: String,
        /// Which limit.
        source: TooMuch,
    },
}

/// What is wrong with an element.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum ElementError {
    /// `remove` and `replace`.
    #[error("has both `remove` and `replace`")]
    RemoveAndReplace,
    /// Two of `incl`, `from_zk`, `from_env`.
    #[error("has more than one of `incl`, `from_zk` and `from_env`")]
    Substitutions,
    /// `<include>` with content.
    #[error("must be empty")]
    NotEmpty,
    /// `<include>` without a source.
    #[error("has none of `incl`, `from_zk` and `from_env`")]
    NoSubstitution,
    /// A value and a substitution.
    #[error("has a value and a substitution, and no `replace`")]
    Value,
    /// The variable's value is put into the tree as XML.
    #[error("takes a variable whose value is no XML: `&` and `<` must be escaped in it")]
    Variable,
    /// A form of path that is not read here; the server reads it.
    #[error("has an `incl` with a path of a form that is not read here")]
    Path,
}

impl EffectiveError {
    /// Whether the server refuses it too; otherwise it is only more than is read here.
    #[must_use]
    pub fn is_the_servers(&self) -> bool {
        match self {
            Self::Read { source, .. } => matches!(source, ReadError::Xml { .. } | ReadError::Yaml { .. }),
            Self::Element { what, .. } => *what != ElementError::Path,
            Self::Root { .. } | Self::NoIncludeFrom(_) => true,
            Self::NoMain(_) | Self::TooMuch { .. } => false,
        }
    }
}
