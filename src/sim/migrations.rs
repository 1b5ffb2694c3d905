//! Migrations of a simulated server: the record of them, and what it was told to run once (edge).
//!
//! A statement that was told runs to its end, whatever becomes of the one who told it; the log of queries knows of it,
//! unless the server forgets.

use serde_json::{Value, json};

use super::SimServer;
use super::server::exception;
use crate::clickhouse::{ClickHouseError, Rows, Statement, TokenKind, lex, unquote};
use crate::migration::recording::{self, END_ROWS, RECORD_ROWS};

/// What a server was told to run once, and how it does that.
#[derive(Debug, Clone, Default)]
pub struct Errands {
    /// In order; also those that it refused.
    pub told: Vec<SimErrand>,
    /// How many looks find one of them running whose teller heard nothing.
    pub slow: u64,
    /// It keeps no log of queries.
    pub forgets: bool,
    /// A statement with the first text fails in the middle, with the second as complaint.
    pub fails: Option<(String, String)>,
}

/// A statement that was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimErrand {
    /// What it is called.
    pub query_id: String,
    /// The statement.
    pub text: String,
    /// `type` in the log of queries.
    pub ended: &'static str,
    /// Why.
    pub complaint: String,
    /// How many more looks find it running.
    pub left: u64,
}

type Answer = Result<Rows, ClickHouseError>;

impl SimServer {
    /// Runs a statement once.
    pub(super) fn errand(&mut self, statement: &Statement, query_id: &str) -> Answer {
        let text = statement.text().to_owned();
        let has = |part: &Option<String>| part.as_ref().is_some_and(|part| text.contains(part.as_str()));
        let errands = &mut self.errands;
        if errands.told.iter().any(|errand| errand.query_id == query_id && errand.left > 0) {
            return Err(exception(216, "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING", "Query is already running"));
        }
        let (ended, complaint, answer) = match &errands.fails {
            _ if has(&self.refuses) => {
                let refused = exception(497, "ACCESS_DENIED", "refused by the test");
                ("ExceptionBeforeStart", refused.to_string(), Err(refused))
            }
            Some((part, said)) if text.contains(part.as_str()) => {
                ("ExceptionWhileProcessing", said.clone(), Err(exception(241, "MEMORY_LIMIT_EXCEEDED", said.as_str())))
            }
            _ => {
                let answer = self.moves_part(statement).unwrap_or_else(|| Ok(Rows::default()));
                ("QueryFinish", String::new(), answer)
            }
        };
        let errands = &mut self.errands;
        let (query_id, left) = (query_id.to_owned(), errands.slow);
        errands.told.push(SimErrand { query_id, text, ended, complaint, left });
        answer
    }

    /// Answers about the record of migrations and about what was told; nothing where the statement is another.
    pub(super) fn migrates(&mut self, statement: &Statement) -> Option<Answer> {
        let text = statement.text();
        if text.contains("FROM system.processes WHERE query_id = ") || text.contains("FROM system.query_log") {
            return Some(self.about_queries(text));
        }
        if !text.contains("housewright.migrations") || text.starts_with("CREATE") {
            return None;
        }
        let table = recording::own_table();
        if !self.objects.iter().any(|object| object.name == table) {
            return Some(Err(exception(60, "UNKNOWN_TABLE", "Table housewright.migrations does not exist")));
        }
        if *statement == recording::ask() {
            return Some(Ok(self.about_migrations()));
        }
        let values = literals(text);
        if text.starts_with("INSERT INTO housewright.migrations") {
            let [role, number, row @ ..] = values.as_slice() else { return None };
            let key = (role.as_str()?.to_owned(), number.as_u64()?);
            let row = [role, number].into_iter().chain(row).take(RECORD_ROWS.len() - 2).cloned().collect();
            self.migrations.insert(key, row);
            return Some(Ok(Rows::default()));
        }
        Some(Ok(self.compared(text, &values)))
    }

    /// `SELECT count() = N ... WHERE role = .. AND number = .. [AND state = ..] [AND done = ..] [AND attempt = ..]`.
    fn compared(&self, text: &str, values: &[Value]) -> Rows {
        let [wanted, role, number, rest @ ..] = values else { return Rows::default() };
        let key = (role.as_str().unwrap_or_default().to_owned(), number.as_u64().unwrap_or_default());
        let names = ["state", "done", "attempt"].into_iter().filter(|name| text.contains(&format!(" {name} = ")));
        let found = self.migrations.get(&key).filter(|row| {
            names.zip(rest).all(|(name, value)| {
                let at = RECORD_ROWS.iter().position(|column| *column == name);
                at.and_then(|at| row.get(at)) == Some(value)
            })
        });
        let yes = *wanted == json!(u64::from(found.is_some()));
        Rows { columns: vec!["answer".to_owned()], rows: vec![vec![json!(u8::from(yes))]] }
    }

    fn about_migrations(&mut self) -> Rows {
        let mut rows: Vec<Vec<Value>> = self.migrations.values().cloned().collect();
        for row in &mut rows {
            let query = row.last().and_then(Value::as_str).unwrap_or_default().to_owned();
            let runs = !query.is_empty() && self.runs(&query);
            row.extend([json!("2026-11-23 01:00:00.000000"), json!(u8::from(runs))]);
        }
        Rows { columns: RECORD_ROWS.map(str::to_owned).to_vec(), rows }
    }

    fn about_queries(&mut self, text: &str) -> Answer {
        let asked: Vec<String> = literals(text).iter().filter_map(|value| value.as_str().map(str::to_owned)).collect();
        if text.contains("FROM system.processes") {
            let runs = asked.iter().any(|query| self.runs(query));
            return Ok(Rows { columns: vec!["runs".to_owned()], rows: vec![vec![json!(u8::from(runs))]] });
        }
        if self.errands.forgets {
            return Err(exception(60, "UNKNOWN_TABLE", "Table system.query_log does not exist"));
        }
        let ended = self.errands.told.iter().filter(|errand| errand.left == 0 && asked.contains(&errand.query_id));
        let rows = ended.map(|errand| vec![json!(errand.query_id), json!(errand.ended), json!(errand.complaint)]);
        Ok(Rows { columns: END_ROWS.map(str::to_owned).to_vec(), rows: rows.collect() })
    }

    /// Whether it runs; each look brings it nearer to its end.
    fn runs(&mut self, query_id: &str) -> bool {
        let errand = self.errands.told.iter_mut().find(|errand| errand.query_id == query_id && errand.left > 0);
        errand.is_some_and(|errand| {
            errand.left -= 1;
            errand.left > 0
        })
    }
}

/// The texts and numbers of a statement, in order.
fn literals(text: &str) -> Vec<Value> {
    let value = |token: crate::clickhouse::Token| match token.kind {
        TokenKind::Text => Some(json!(unquote(token.text(text)))),
        TokenKind::Number => token.text(text).parse::<u64>().ok().map(|number| json!(number)),
        _ => None,
    };
    lex(text).into_iter().filter_map(value).collect()
}
