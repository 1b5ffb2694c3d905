//! A file of statements in pieces: each statement with the comments that belong to it (pure).
//!
//! What stands above a statement is its own; what stands behind its `;` on the same line is, too.

use std::ops::Range;
use std::sync::Arc;

use crate::clickhouse::{StatementText, split};
use crate::problem::Source;

/// One statement with its comments.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    /// The statement.
    pub statement: StatementText,
    /// From its first comment to the end of its last line.
    pub range: Range<usize>,
}

/// Takes a file apart; behind the last piece there are comments at most.
pub(super) fn pieces(source: &Arc<Source>) -> Vec<Piece> {
    let (mut pieces, mut from) = (Vec::new(), 0);
    let statements = split(source);
    for (at, statement) in statements.iter().enumerate() {
        let next = statements.get(at + 1).map_or(source.text.len(), |next| next.span.range.start);
        let end = end(&source.text, statement.span.range.end, next);
        pieces.push(Piece { statement: statement.clone(), range: from..end });
        from = end;
    }
    pieces
}

/// Where a statement's piece ends: behind its `;`, and behind its line where the next statement is not on it.
fn end(text: &str, statement: usize, next: usize) -> usize {
    let behind = text.get(statement..next).unwrap_or_default();
    let semicolon = crate::clickhouse::lex(behind).into_iter().find(|token| token.text(behind) == ";");
    let closed = semicolon.map_or(0, |token| token.range.end);
    let line = behind.get(closed..).and_then(|rest| rest.find('\n')).map(|at| closed + at + 1);
    match line {
        Some(line) => statement + line,
        None if next == text.len() => text.len(),
        None => statement + closed,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn texts(text: &str) -> Vec<String> {
        let source = Arc::new(Source { name: "x.sql".to_owned(), text: text.to_owned() });
        let pieces = pieces(&source);
        pieces.iter().map(|piece| text[piece.range.clone()].to_owned()).collect()
    }

    #[test]
    fn a_statement_keeps_the_comments_above_it_and_behind_it() {
        let text = "-- head\n\n-- one\nCREATE TABLE a (x Int8) ENGINE = Null; -- of a\n-- two\nCREATE TABLE b (x Int8) ENGINE = Null\n; CREATE TABLE c (x Int8) ENGINE = Null";
        assert_eq!(
            texts(text),
            [
                "-- head\n\n-- one\nCREATE TABLE a (x Int8) ENGINE = Null; -- of a\n",
                "-- two\nCREATE TABLE b (x Int8) ENGINE = Null\n;",
                " CREATE TABLE c (x Int8) ENGINE = Null",
            ]
        );
        assert_eq!(texts("-- nothing\n"), Vec::<String>::new());
        assert_eq!(texts("SELECT ';'"), ["SELECT ';'"]);
    }

    fn text() -> impl Strategy<Value = String> {
        let parts = vec!["CREATE", " ", "\n", ";", "-- x; y\n", "/* ; */", "'a;\\'b'", "é", "`;", "$$;$$", "# z\n"];
        prop::collection::vec(select(parts), 0..30).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn no_text_is_lost_or_taken_twice(text in prop_oneof![text(), any::<String>()]) {
            let source = Arc::new(Source { name: String::new(), text: text.clone() });
            let pieces = pieces(&source);
            prop_assert_eq!(pieces.len(), split(&source).len());
            let mut end = 0;
            for piece in &pieces {
                prop_assert_eq!(piece.range.start, end);
                let own = &piece.statement.span.range;
                prop_assert!(piece.range.start <= own.start && own.end <= piece.range.end);
                prop_assert!(text.get(piece.range.clone()).is_some());
                end = piece.range.end;
            }
        }
    }
}
