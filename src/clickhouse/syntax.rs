//! Asks a `clickhouse` of this machine whether it can read statements (edge).
//!
//! One process for all statements, and one more for the words about each that it cannot read; the statements go to its
//! standard input, and nothing is run.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Thousands of statements take a second.
const MOST_TIME: Duration = Duration::from_secs(20);
/// Statements about which it is asked once more.
const MOST_TOLD: usize = 10;
/// The end of a long list of what could stand there says nothing.
const LONGEST: usize = 160;
/// As a table with the number and the text of each statement.
const TABLE: [&str; 8] =
    ["local", "--table", "t", "--structure", "n UInt32, q String", "--input-format", "JSONEachRow", "--query"];
const UNREADABLE: &str = "SELECT n FROM t WHERE isNull(formatQueryOrNull(q)) ORDER BY n FORMAT TSV";
const WORDS: &str = "SELECT formatQuery(q) FROM t FORMAT Null";

/// A statement that ClickHouse cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Which one of those that were asked about.
    pub statement: usize,
    /// Where in it, in bytes.
    pub at: usize,
    /// What could stand there, where it says so.
    pub expected: Option<String>,
}

/// Asks about all of them; nothing where the machine has no `clickhouse`.
///
/// # Errors
/// Says why there is no answer.
pub async fn unreadable(statements: &[&str]) -> Result<Option<Vec<Unreadable>>, String> {
    let all = statements.iter().enumerate();
    let rows: String = all.map(|(number, text)| json!({ "n": number, "q": text }).to_string() + "\n").collect();
    let Some((answer, complaint, succeeded)) = local(UNREADABLE, rows).await? else { return Ok(None) };
    if !succeeded {
        return Err(complaint.lines().next().unwrap_or_default().chars().take(LONGEST).collect());
    }
    let numbers = answer.lines().filter_map(|line| line.trim().parse::<usize>().ok());
    let mut found = Vec::new();
    for statement in numbers {
        let Some(text) = statements.get(statement) else { continue };
        let told = found.len() < MOST_TOLD;
        let row = json!({ "n": 0, "q": text }).to_string();
        let words = if told { local(WORDS, row).await? } else { None };
        let complaint = words.map(|(_, complaint, _)| complaint).unwrap_or_default();
        let (at, expected) = place(&complaint);
        found.push(Unreadable { statement, at: at.min(text.len()), expected });
    }
    Ok(Some(found))
}

/// Takes `failed at position 48 (KEYS) (line 2, col 24): KEYS x. Expected one of: KEY, end of query: while ...` apart; the
/// statement's own text, which may hold a secret, is left out.
fn place(complaint: &str) -> (usize, Option<String>) {
    let behind = |mark: &str| complaint.split_once(mark).map(|(_, rest)| rest);
    let digits = behind("failed at position ").and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
    let at = digits.and_then(|digits| digits.parse::<usize>().ok()).map_or(0, |position| position.saturating_sub(1));
    let expected = complaint.rfind(". Expected ").and_then(|at| complaint.get(at + 2..)).map(|rest| {
        let end = [": while", ". (SYNTAX", ": In scope"].iter().filter_map(|mark| rest.find(mark)).min();
        let rest = rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest);
        let (shown, more): (String, bool) = (rest.chars().take(LONGEST).collect(), rest.chars().count() > LONGEST);
        let shown = shown.replacen("Expected", "expected", 1);
        if more {
            format!("{}, ...", shown.rsplit_once(", ").map_or(shown.as_str(), |(whole, _)| whole))
        } else {
            shown
        }
    });
    (at, expected)
}

/// Runs one query over rows: its output, its complaint, and whether it succeeded.
async fn local(query: &str, rows: String) -> Result<Option<(String, String, bool)>, String> {
    let mut command = Command::new("clickhouse");
    command.args(TABLE).arg(query).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.kill_on_drop(true).spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let input = child.stdin.take();
    let fed = async move {
        if let Some(mut input) = input {
            // A process that ends early says why itself.
            let _ = input.write_all(rows.as_bytes()).await;
        }
    };
    let both = async { tokio::join!(fed, child.wait_with_output()).1 };
    let output = tokio::time::timeout(MOST_TIME, both)
        .await
        .map_err(|_| format!("it took more than {} s", MOST_TIME.as_secs()))?
        .map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Some((text(&output.stdout), text(&output.stderr), output.status.success())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_and_what_could_stand_there_are_read_and_no_text_of_the_statement() {
        let said = "Code: 62. DB::Exception: Syntax error: failed at position 48 (KEYS) (line 2, col 24): KEYS 'secret'. \
                    Expected one of: KEY, end of query: while executing 'FUNCTION formatQuery(__table1.q :: 0)'. (SYNTAX_ERROR)";
        assert_eq!(place(said), (47, Some("expected one of: KEY, end of query".to_owned())));
        assert_eq!(place("something else"), (0, None));
        let long = format!("failed at position 1 (x): x. Expected one of: {}. (SYNTAX_ERROR)", "WORD, ".repeat(99));
        let (_, expected) = place(&long);
        assert!(expected.is_some_and(|expected| expected.ends_with("WORD, ...") && expected.len() < 200));
    }
}
