//! Scalars as PyYAML types them.

use serde_json::json;

use super::{plain, tagged, typed};
use crate::inventory::NodeValue;

fn json_of(value: NodeValue) -> serde_json::Value {
    match value {
        NodeValue::Null => json!(null),
        NodeValue::Bool(flag) => json!(flag),
        NodeValue::Number(number) => json!(number),
        NodeValue::Wide(text) => json!(["wide", text]),
        NodeValue::Text(text) => json!(text),
        other => panic!("{other:?}"),
    }
}

#[test]
fn scalars_are_typed_as_pyyaml_types_them() {
    let cases = [
        ("yes", json!(true)),
        ("Off", json!(false)),
        ("oFF", json!("oFF")),
        ("YEs", json!("YEs")),
        ("y", json!("y")),
        ("~", json!(null)),
        ("12", json!(12)),
        ("-12", json!(-12)),
        ("+12", json!(12)),
        ("1_000", json!(1000)),
        ("0x1F", json!(31)),
        ("0b101", json!(5)),
        ("1:30", json!(90)),
        ("12:60", json!("12:60")),
        ("1.5", json!(1.5)),
        ("1e5", json!("1e5")),
        ("1.0e+3", json!(1000.0)),
        ("1.0e3", json!("1.0e3")),
        (".5", json!(0.5)),
        ("-.5", json!("-.5")),
        ("1:30.5", json!(90.5)),
        ("190:20:30.15", json!(685_230.15)),
        (".inf", json!(["wide", "Infinity"])),
        ("-.INF", json!(["wide", "-Infinity"])),
        (".NaN", json!(["wide", "NaN"])),
        ("+.nan", json!("+.nan")),
        (".", json!(".")),
        ("-", json!("-")),
        ("1.", json!(1.0)),
        ("._5", json!("._5")),
        ("10.77.1.11", json!("10.77.1.11")),
        ("18446744073709551616", json!(["wide", "18446744073709551616"])),
        ("-18446744073709551615", json!(["wide", "-18446744073709551615"])),
    ];
    for (text, expected) in cases {
        assert_eq!(json_of(plain(text)), expected, "{text}");
    }
}

#[test]
fn a_leading_zero_makes_a_number_octal() {
    for (text, expected) in [
        ("0644", json!(420)),
        ("-07", json!(-7)),
        ("00", json!(0)),
        ("0_", json!(0)),
        ("0__7", json!(7)),
        ("08", json!("08")),
        ("0o17", json!("0o17")),
    ] {
        assert_eq!(json_of(plain(text)), expected, "{text}");
    }
}

#[test]
fn dates_are_texts_in_one_form() {
    for (text, expected) in [
        ("2026-01-02", "2026-01-02"),
        ("2026-1-2", "2026-1-2"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00"),
        ("2026-1-2 3:04:05", "2026-01-02T03:04:05"),
        ("2026-01-02 03:04:05.1234567 -5:30", "2026-01-02T03:04:05.123456-05:30"),
        ("2026-01-02t03:04:05.5+01", "2026-01-02T03:04:05.500000+01:00"),
        ("2026-01-02T03:04:05.-00:00", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02T03:04", "2026-01-02T03:04"),
        ("2026-01-02x", "2026-01-02x"),
    ] {
        assert_eq!(typed(text), Ok(NodeValue::Text(expected.to_owned())), "{text}");
    }
}

#[test]
fn what_pyyaml_refuses_is_refused() {
    for text in
        ["=", "<<", "0b_", "0x_", "2026-02-29", "2026-13-01", "2026-01-02T24:00:00", "2026-01-02 03:04:05+24:00"]
    {
        assert!(typed(text).is_err(), "{text}");
        assert_eq!(plain(text), NodeValue::Text(text.to_owned()));
    }
}

#[test]
fn a_tag_types_quoted_texts_too() {
    for (tag, text, expected) in [
        ("int", "0o17", json!(15)),
        ("int", " 7 ", json!(7)),
        ("int", "1:30", json!(90)),
        ("int", "-0x1f", json!(-31)),
        ("float", "5", json!(5.0)),
        ("float", "1e3", json!(1000.0)),
        ("float", "inf", json!(["wide", "Infinity"])),
        ("bool", "yEs", json!(true)),
        ("null", "x", json!(null)),
        ("str", "5", json!("5")),
        ("timestamp", "2026-1-2", json!("2026-01-02")),
    ] {
        assert_eq!(json_of(tagged(tag, text).unwrap().unwrap()), expected, "{tag} {text}");
    }
    for (tag, text) in
        [("int", "1.5"), ("int", ""), ("int", "03:04"), ("float", "0x1"), ("bool", "x"), ("timestamp", "x")]
    {
        assert!(tagged(tag, text).unwrap().is_err(), "{tag} {text}");
    }
    assert_eq!(tagged("binary", "aGk="), None);
}
