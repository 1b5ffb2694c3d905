//! What a command on a host answered (pure).

use bytes::Bytes;

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It exited by itself with this code.
    Exited(u8),
    /// A signal ended it.
    Signalled(String),
    /// An earlier command of the batch failed, so it was not started.
    NotRun,
}

/// One command's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub status: Status,
    /// What it wrote to stdout, byte for byte.
    pub stdout: Bytes,
    /// What it wrote to stderr, byte for byte.
    pub stderr: Bytes,
}

impl Output {
    /// Tells whether the command ran and exited with 0.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.status == Status::Exited(0)
    }

    /// The stderr as text, trimmed, for an error message.
    #[must_use]
    pub fn complaint(&self) -> String {
        String::from_utf8_lossy(&self.stderr).trim().to_owned()
    }
}
