//! Literals as Python reads them.

use std::sync::Arc;

use serde_json::json;

use crate::inventory::{Node, NodeValue};
use crate::problem::{Source, Span};

fn read(text: &str) -> Result<NodeValue, &'static str> {
    let source = Arc::new(Source { name: String::new(), text: text.to_owned() });
    super::read(text, &Span::new(source, 0..0))
}

fn json_of(text: &str) -> serde_json::Value {
    let span = Span::new(Arc::new(Source { name: String::new(), text: String::new() }), 0..0);
    Node { span, value: read(text).unwrap() }.to_json()
}

#[test]
fn literals_are_their_values() {
    for (text, expected) in [
        ("5", json!(5)),
        (" \t5 # five", json!(5)),
        ("-5", json!(-5)),
        ("+ 5", json!(5)),
        ("1_000", json!(1000)),
        ("0x_1F", json!(31)),
        ("0o17", json!(15)),
        ("0b1_1", json!(3)),
        ("00", json!(0)),
        ("1.5", json!(1.5)),
        ("1.", json!(1.0)),
        (".5", json!(0.5)),
        ("1_0.5_0", json!(10.5)),
        ("1e3", json!(1000.0)),
        ("08.5", json!(8.5)),
        ("True", json!(true)),
        ("None", json!(null)),
        ("'a' \"b\"", json!("ab")),
        (r"'\x41\u00e9\101\q\''", json!("A\u{e9}A\\q'")),
        (r"r'\n'", json!(r"\n")),
        (r"b'\x41'", json!("A")),
        ("'''it's'''", json!("it's")),
        ("(5)", json!(5)),
        ("(5,)", json!([5])),
        ("1, 2", json!([1, 2])),
        ("()", json!([])),
        ("[1, 'a', [True]]", json!([1, "a", [true]])),
        ("[]", json!([])),
        ("{'a': 1, 2: None, 1.0: {}}", json!({"a": 1, "2": null, "1.0": {}})),
        ("{1, 1.0, True, 2}", json!([1, 2])),
        ("{1: 'a', True: 'b'}", json!({"1": "b"})),
        ("set()", json!([])),
        ("...", json!("...")),
        ("5j", json!("5j")),
        ("-5j", json!("(-0-5j)")),
        ("1 - 2j", json!("(1-2j)")),
        ("[(1+2j)]", json!(["(1+2j)"])),
    ] {
        assert_eq!(json_of(text), expected, "{text}");
    }
}

#[test]
fn anything_else_is_the_text_itself() {
    for text in [
        "",
        "0644",
        "1__0",
        "1_",
        "0x",
        "5abc",
        "yes",
        "true",
        "1e",
        "a,b",
        "'open",
        "f'x'",
        "b'a' 'b'",
        "--5",
        "-True",
        "1+2",
        "-(1+2j)",
        "1+2j+3j",
        "(,)",
        "[,]",
        "{1: 2, 3}",
        "[1",
        "1]",
        "# x",
        "'a' + 'b'",
        "{{ name }}",
        "b'\u{e9}'",
        r"'\x4'",
        "foo()",
        "set(1)",
        "10.0.0.1",
        "2026-01-02",
        "1 2",
        ".",
        "\u{a0}5",
        "*a",
        "5;",
        "'a\nb'",
    ] {
        assert_eq!(read(text), Ok(NodeValue::Text(text.to_owned())), "{text}");
    }
}

#[test]
fn what_ansible_refuses_is_refused() {
    for (text, why) in [
        ("{{ 'a' }}", "a list or mapping cannot be in a set"),
        ("{[1]: 2}", "a list or mapping cannot be the key of a mapping"),
        ("{(1, 2): 3}", "a key of a mapping must be a text, a number, `True`, `False` or `None`"),
        (r"b'\xff'", "bytes that are not UTF-8"),
        (r"'\ud800'", "half of a surrogate pair is not a character"),
    ] {
        assert_eq!(read(text), Err(why), "{text}");
    }
    assert_eq!(read(&"[".repeat(100_000)), Err("nested too deeply"));
}
