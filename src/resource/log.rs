//! What a server's own log says of a time: its fatal lines (pure).
//!
//! Its lines begin with the time by the server's own clock and zone, so they are compared with what the server says that it is.

use crate::clickhouse::{Rows, Statement};
use crate::remote::{Command, RemotePath};

/// The end of a log is enough: a server that dies says so last.
const MOST_BYTES: &str = "262144";

/// More of a line is a stack.
const LONGEST: usize = 300;

/// As a line begins: `2026.11.22 18:37:59.367340`.
const FORMAT: &str = "%Y.%m.%d %H:%i:%S";

/// Asks for the time now, and for that of the server's start.
#[must_use]
pub fn ask_time() -> Statement {
    Statement::new(format!(
        "SELECT formatDateTime(now(), '{FORMAT}') AS now, formatDateTime(now() - uptime(), '{FORMAT}') AS started"
    ))
}

/// The time of a column of the answer to [`ask_time`]; nothing where it is of another form.
#[must_use]
pub fn time_of(rows: &Rows, column: &str) -> Option<String> {
    rows.text(0, column).filter(|time| is_time(time))
}

/// Reads the end of a log.
#[must_use]
pub fn read_end(log: &RemotePath) -> Command {
    Command::Run { argv: ["tail", "-c", MOST_BYTES, "--", log.as_str()].map(str::to_owned).into() }
}

/// The last fatal line that begins at a time or later.
#[must_use]
pub fn fatal_since(log: &str, since: &str) -> Option<String> {
    let fatal = |line: &&str| {
        line.contains("<Fatal>") && line.get(..since.len()).is_some_and(|time| is_time(time) && time >= since)
    };
    log.lines().rfind(fatal).map(|line| line.chars().take(LONGEST).collect())
}

fn is_time(text: &str) -> bool {
    let shape = |byte: u8| if byte.is_ascii_digit() { b'0' } else { byte };
    text.bytes().map(shape).eq(*b"0000.00.00 00:00:00")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fatal_line_counts_from_its_time_on() {
        let log = "cut <Fatal> line\n\
            2026.11.22 18:37:58.900000 [ 1 ] {} <Fatal> BaseDaemon: old\n\
            2026.11.22 18:38:00.000001 [ 1 ] {} <Error> not fatal\n\
            2026.11.22 18:38:01.000001 [ 1 ] {} <Fatal> BaseDaemon: (version 25.8) Received signal 11\n\
            2026.11.22 18:38:01.000002 [ 1 ] {} <Information> ends\n";
        let said = fatal_since(log, "2026.11.22 18:37:59").unwrap();
        assert!(said.ends_with("Received signal 11"), "{said}");
        assert_eq!(fatal_since(log, "2026.11.22 18:38:02"), None);
        assert!(fatal_since(log, "2026.11.22 18:37:00").is_some());
        assert_eq!(fatal_since("\u{1F980}\u{1F980}\u{1F980}\u{1F980}\u{1F980} <Fatal>", "2026.11.22 18:38:02"), None);
        assert_eq!(fatal_since("", "2026.11.22 18:38:02"), None);
    }

    #[test]
    fn a_time_of_another_form_is_none() {
        let rows = |text: &str| Rows { columns: vec!["now".to_owned()], rows: vec![vec![serde_json::json!(text)]] };
        assert_eq!(time_of(&rows("2026.11.22 18:38:02"), "now").as_deref(), Some("2026.11.22 18:38:02"));
        assert_eq!(time_of(&rows("18:38"), "now"), None);
        assert_eq!(time_of(&rows("2026.11.22 18:38:02"), "started"), None);
    }
}
