//! The lexer takes every text: the tokens are the text again, and no statement makes its readers fail.
#![no_main]

use std::sync::Arc;

use housewright::clickhouse::{Definition, canonical_type, lex, loose_words, read_head, split, unclosed};
use housewright::problem::Source;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let again: String = lex(text).iter().map(|token| token.text(text)).collect();
    assert_eq!(again, text);
    let source = Arc::new(Source { name: "fuzz.sql".to_owned(), text: text.to_owned() });
    for statement in split(&source) {
        let _ = read_head(&statement);
        for phrase in Definition::read(&statement).into_iter().flat_map(|definition| definition.clauses.into_values()) {
            let _ = (loose_words(&phrase), canonical_type(phrase.as_str()));
        }
    }
    let _ = unclosed(&source);
});
