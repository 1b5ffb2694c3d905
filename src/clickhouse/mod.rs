//! ClickHouse's vocabulary: identifiers, statements, rows, errors (pure), and the second seam's trait.

mod answer;
mod bounds;
mod canonical;
mod client;
mod cursor;
mod head;
mod lexer;
mod passing;
mod question;
mod quote;
mod rows;
mod script;
pub mod syntax;
mod token;

pub mod config;

use async_trait::async_trait;

pub use bounds::Bounds;
pub use canonical::{canonical_type, exact_words, loose_words};
pub use client::{HttpClickHouse, Opener, Stream};
pub use head::{
    Argument, Clause, Column, Create, CreateKind, Definition, Effect, Engine, Head, Part, PartKind, Phrase, Property,
    TableName, Value, WhenPresent, read_head,
};
pub use lexer::lex;
pub use question::{is_yes, question};
pub use quote::{plain_name, quote_name, quote_text, unquote};
pub use rows::Rows;
pub use script::{StatementText, UNCLOSED, split, unclosed};
pub use token::{Token, TokenKind, Unclosed};

/// Where a host's ClickHouse answers HTTP, seen from that host itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// HTTP port on the host's loopback.
    pub http_port: u16,
    /// User that Housewright works as.
    pub user: String,
    /// Its password, where it has one.
    pub password: Option<crate::secret::Secret<String>>,
}

/// One statement, as ClickHouse takes it; it never touches a shell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Statement(String);

impl Statement {
    /// Takes the text of one statement.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// A statement that may take long and must not be sent twice.
#[derive(Debug, Clone, Copy)]
pub struct Errand<'a> {
    /// What is to be done.
    pub statement: &'a Statement,
    /// What the server calls it: it refuses a second one of that name while the first runs.
    pub query_id: &'a str,
    /// How long its answer is waited for; the server goes on with it behind that.
    pub limit: std::time::Duration,
}

/// One ClickHouse server.
#[async_trait]
pub trait ClickHouse: Send + Sync {
    /// Runs a statement and reads all of its rows.
    ///
    /// # Errors
    /// Tells a server that does not answer from one that refuses the statement.
    async fn execute(&self, statement: &Statement) -> Result<Rows, ClickHouseError>;

    /// Runs an errand to its end, mutations on this replica included; what it answers is left.
    ///
    /// # Errors
    /// As [`ClickHouse::execute`]; without an answer, the server can be asked by the errand's name what became of it.
    async fn run(&self, errand: &Errand<'_>) -> Result<(), ClickHouseError> {
        self.execute(errand.statement).await.map(|_| ())
    }

    /// Asks a question of somebody: it may only read, and only within bounds; one row more than they allow shows that
    /// there are more.
    ///
    /// # Errors
    /// As [`ClickHouse::execute`]; also where the answer is too long.
    async fn ask(&self, question: &Statement, bounds: &Bounds) -> Result<Rows, ClickHouseError> {
        Ok(bounds.cut(self.execute(question).await?))
    }
}

/// Why a statement has no rows.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum ClickHouseError {
    /// Surely nothing listens: the host refused the connection to the port.
    #[error("ClickHouse does not answer: {0}")]
    Refused(String),
    /// The connection broke, or there is no way to the port: whether ClickHouse runs is not known.
    #[error("ClickHouse does not answer: {0}")]
    Unreachable(String),
    /// No answer in time.
    #[error("ClickHouse gave no answer within {0:?}")]
    Timeout(std::time::Duration),
    /// The server refused the statement.
    #[error("ClickHouse refused the statement: {message} (code {code}, {name})")]
    Exception { code: i32, name: String, message: String },
    /// The answer has more bytes than it may have.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// The answer is not what the protocol promises.
    #[error("ClickHouse's answer cannot be understood: {0}")]
    Garbled(String),
}
