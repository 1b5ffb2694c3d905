//! The lexer takes every text: the tokens are the text again, and no head makes it fail.
#![no_main]

use std::sync::Arc;

use housewright::clickhouse::{lex, read_head, split, unclosed};
use housewright::problem::Source;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let again: String = lex(text).iter().map(|token| token.text(text)).collect();
    assert_eq!(again, text);
    let source = Arc::new(Source { name: "fuzz.sql".to_owned(), text: text.to_owned() });
    for statement in split(&source) {
        let _ = read_head(&statement);
    }
    let _ = unclosed(&source);
});
