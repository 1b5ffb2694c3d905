//! A question that an operator writes: one `SELECT` with a yes as its answer (pure).
//!
//! It is asked again and again while it is waited for, so it must change nothing; what it may read is the server's to say.

use std::sync::Arc;

use serde_json::Value;

use super::{Rows, Statement, TokenKind, split, unclosed};
use crate::problem::Source;

/// More of an answer is no help.
const LONGEST_ANSWER: usize = 200;

/// Takes a text that is one `SELECT`.
///
/// # Errors
/// Says why it is none.
pub fn question(text: &str) -> Result<Statement, String> {
    let source = Arc::new(Source { name: String::new(), text: text.to_owned() });
    if let Some(problem) = unclosed(&source) {
        return Err(problem.message);
    }
    let [statement] = <[_; 1]>::try_from(split(&source)).map_err(|all| match all.len() {
        0 => "it is empty".to_owned(),
        many => format!("it is {many} statements, and must be one"),
    })?;
    let word = |at: usize| {
        let token = statement.tokens.get(at).filter(|token| token.kind == TokenKind::Word)?;
        Some(token.text(text).to_ascii_uppercase())
    };
    let follows = |at: usize, next: &str| statement.tokens.get(at + 1).is_some_and(|token| token.text(text) == next);
    if !matches!(word(0).as_deref(), Some("SELECT" | "WITH")) {
        return Err("it must begin with SELECT or WITH".to_owned());
    }
    for at in 0..statement.tokens.len() {
        match word(at).as_deref() {
            Some("INTO") => return Err("it must only read, and has INTO".to_owned()),
            // `format(...)` is a function; `SETTINGS` of the statement's own are fine.
            Some("FORMAT") if !follows(at, "(") => return Err("its answer has a format already: FORMAT".to_owned()),
            _ => {}
        }
    }
    Ok(Statement::new(statement.text()))
}

/// Whether an answer is a yes; the error says what it is instead.
///
/// # Errors
/// It is not one row whose first column is 1 or true.
pub fn is_yes(rows: &Rows) -> Result<(), String> {
    let [row] = rows.rows.as_slice() else {
        return Err(format!("it gives {} rows, and must give one", rows.rows.len()));
    };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if row.first().map(text).is_some_and(|first| first == "1" || first == "true") {
        return Ok(());
    }
    let all: String = row.iter().map(text).collect::<Vec<_>>().join(", ").chars().take(LONGEST_ANSWER).collect();
    Err(format!("it says {all}, and its first must be 1"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_select_is_a_question_and_nothing_else() {
        for text in [
            "SELECT 1",
            "with 1 AS x select x = 1;",
            "/* why */ SELECT count() = 0, format('{}', 'a') FROM t -- ;",
            "SELECT 'INSERT INTO t; FORMAT JSON', `into` FROM t SETTINGS max_threads = 1",
        ] {
            assert!(question(text).is_ok(), "{text}");
        }
        for (text, why) in [
            ("", "empty"),
            ("-- SELECT 1", "empty"),
            ("SELECT 1; SELECT 2", "2 statements"),
            ("SELECT 1; DROP TABLE t", "2 statements"),
            ("DROP TABLE t", "begin with"),
            ("INSERT INTO t SELECT 1", "begin with"),
            ("WITH 1 AS x INSERT INTO t SELECT x", "only read"),
            ("SELECT 1 INTO OUTFILE '/tmp/x'", "only read"),
            ("SELECT 1 FORMAT JSON", "format"),
            ("SELECT 'a", "never closed"),
        ] {
            assert!(question(text).unwrap_err().contains(why), "{text}");
        }
    }

    #[test]
    fn only_one_row_that_begins_with_one_is_a_yes() {
        let rows = |rows: Vec<Vec<Value>>| Rows { columns: vec!["a".to_owned()], rows };
        for yes in [json!(1), json!("1"), json!(true), json!("true")] {
            assert_eq!(is_yes(&rows(vec![vec![yes, json!(0)]])), Ok(()));
        }
        let said = |all| is_yes(&rows(all)).unwrap_err();
        assert_eq!(said(vec![vec![json!(0), json!("3 mutations")]]), "it says 0, 3 mutations, and its first must be 1");
        assert_eq!(said(vec![]), "it gives 0 rows, and must give one");
        assert_eq!(said(vec![vec![json!(1)], vec![json!(1)]]), "it gives 2 rows, and must give one");
        assert!(is_yes(&rows(vec![vec![]])).is_err());
        assert!(is_yes(&rows(vec![vec![json!(null)]])).is_err());
        assert!(is_yes(&rows(vec![vec![json!(2)]])).is_err());
    }
}
