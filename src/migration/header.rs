//! The line of a migration that says how often it is run (pure): `-- housewright: once per shard, limit 2h, if interrupted repeat`.
//!
//! It stands before the first statement. A part that nobody knows is a mistake, and never just a comment.

use std::sync::Arc;
use std::time::Duration;

use super::{Interrupted, Scope, code};
use crate::clickhouse::{Token, TokenKind, lex};
use crate::duration;
use crate::problem::{Problem, Source, Span};

/// A backfill that takes longer is told so in its header: a run that waits is a run that can be cut off.
const LIMIT: Duration = Duration::from_hours(1);
/// Nobody waits for longer than that, and a time that is longer is a mistake.
const LONGEST: u64 = 30 * 86_400;
const HINT: &str = "begin the file with `-- housewright: once per shard` (or fleet, or host); it may go on `, limit 2h, if interrupted repeat`";

/// What the line says.
pub(super) struct Header {
    pub scope: Scope,
    pub limit: Duration,
    pub interrupted: Interrupted,
}

/// Reads it.
pub(super) fn read(source: &Arc<Source>) -> Result<Header, Problem> {
    let text = &source.text;
    let tokens = lex(text);
    let comments = tokens.iter().take_while(|token| !token.is_significant());
    let line = comments.filter(|token| token.kind == TokenKind::Comment).find_map(|token| {
        let (key, value) = token.text(text).strip_prefix("--")?.split_once(':')?;
        (key.trim() == "housewright").then_some((token, value.trim()))
    });
    let Some((token, value)) = line else {
        let first = tokens.iter().find(|token| token.is_significant()).map_or(0..1, |token| token.range.clone());
        let message = "the migration does not say how often it is run";
        return Err(Problem::new(code::HEADER, message).at(&Span::new(Arc::clone(source), first)).hint(HINT));
    };
    parse(value).map_err(|why| problem(source, token, &why))
}

fn problem(source: &Arc<Source>, token: &Token, why: &str) -> Problem {
    let message = format!("the migration's header cannot be understood: {why}");
    Problem::new(code::HEADER, message).at(&Span::new(Arc::clone(source), token.range.clone())).hint(HINT)
}

fn parse(line: &str) -> Result<Header, String> {
    let (mut scope, mut limit, mut interrupted) = (None, None, None);
    for part in line.split(',') {
        let words: Vec<&str> = part.split_whitespace().collect();
        let twice = match words.as_slice() {
            ["once", "per", "fleet"] => scope.replace(Scope::Fleet).is_some(),
            ["once", "per", "shard"] => scope.replace(Scope::Shard).is_some(),
            ["once", "per", "host"] => scope.replace(Scope::Host).is_some(),
            ["limit", word] => limit.replace(time(word)?).is_some(),
            ["if", "interrupted", "hold"] => interrupted.replace(Interrupted::Hold).is_some(),
            ["if", "interrupted", "repeat"] => interrupted.replace(Interrupted::Repeat).is_some(),
            _ => return Err(format!("`{}` is no part of it", part.trim())),
        };
        if twice {
            return Err(format!("`{}` is said twice", words.first().unwrap_or(&"")));
        }
    }
    let scope = scope.ok_or("it does not say how often: `once per shard`")?;
    Ok(Header { scope, limit: limit.unwrap_or(LIMIT), interrupted: interrupted.unwrap_or(Interrupted::Hold) })
}

fn time(text: &str) -> Result<Duration, String> {
    let seconds = duration::seconds(text).map_err(|how| format!("`{text}` is no time: {how}"))?;
    if !(1..=LONGEST).contains(&seconds) {
        return Err(format!("`{text}` is not between 1s and {}d", LONGEST / 86_400));
    }
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Result<(Scope, u64, Interrupted), String> {
        let source = Arc::new(Source { name: "0001_a.sql".to_owned(), text: text.to_owned() });
        let read = read(&source).map_err(|problem| problem.message)?;
        Ok((read.scope, read.limit.as_secs(), read.interrupted))
    }

    #[test]
    fn a_header_is_one_line_before_the_first_statement() {
        assert_eq!(
            header("-- A backfill: why.\n\n-- housewright: once per shard\nSELECT 1"),
            Ok((Scope::Shard, 3600, Interrupted::Hold))
        );
        assert_eq!(
            header("--housewright:once per fleet, limit 2h, if interrupted repeat\r\nSELECT 1"),
            Ok((Scope::Fleet, 7200, Interrupted::Repeat))
        );
        let missing = "the migration does not say how often it is run".to_owned();
        for text in ["", "SELECT 1", "SELECT 1 -- housewright: once per host", "-- houswright: once per host\nSELECT 1"]
        {
            assert_eq!(header(text), Err(missing.clone()), "{text}");
        }
    }

    #[test]
    fn what_nobody_knows_is_no_comment() {
        for (line, why) in [
            ("once per replica", "`once per replica` is no part of it"),
            ("limit 2h", "does not say how often"),
            ("once per host, limt 2h", "`limt 2h` is no part of it"),
            ("once per host, limit 2", "is no time"),
            ("once per host, limit 0s", "is not between"),
            ("once per host, limit +2h", "is no time"),
            ("once per host, limit é", "is no time"),
            ("once per host, once per shard", "is said twice"),
            ("once per host,", "`` is no part of it"),
        ] {
            let said = header(&format!("-- housewright: {line}\nSELECT 1")).unwrap_err();
            assert!(said.contains(why), "{line}: {said}");
        }
    }
}
