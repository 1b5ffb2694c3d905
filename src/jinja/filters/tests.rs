//! Tests, the words behind `is` (pure).

use std::cmp::Ordering;

use minijinja::Value;
use minijinja::value::ValueKind;

use super::super::budget::is_secret;
use super::super::evaluate::computes;
use super::super::library::Takes;
use super::super::operators;
use super::super::syntax::Comparison;
use super::super::values::{is_list, is_map};
use super::super::wrong::{Wrong, reason};
use super::Call;
use super::regexes::{Flags, compile};

type Ask = fn(&mut Call<'_, '_>) -> Result<bool, Wrong>;

/// Every test that is written here.
pub(in super::super) const TESTS: &[(&str, Takes, Ask)] = &[
    ("!=", Takes::NoSecrets, |call| compare(call, Comparison::NotEqual)),
    ("<", Takes::NoSecrets, |call| compare(call, Comparison::Less)),
    ("<=", Takes::NoSecrets, |call| compare(call, Comparison::LessOrEqual)),
    ("==", Takes::NoSecrets, |call| compare(call, Comparison::Equal)),
    (">", Takes::NoSecrets, |call| compare(call, Comparison::Greater)),
    (">=", Takes::NoSecrets, |call| compare(call, Comparison::GreaterOrEqual)),
    ("all", Takes::NoSecrets, |call| Ok(call.input_list()?.iter().all(Value::is_true))),
    ("any", Takes::NoSecrets, |call| Ok(call.input_list()?.iter().any(Value::is_true))),
    ("boolean", Takes::Anything, |call| Ok(call.input().kind() == ValueKind::Bool)),
    ("contains", Takes::NoSecrets, contains),
    ("defined", Takes::Anything, |call| Ok(is_defined(call))),
    ("eq", Takes::NoSecrets, |call| compare(call, Comparison::Equal)),
    ("equalto", Takes::NoSecrets, |call| compare(call, Comparison::Equal)),
    ("false", Takes::NoSecrets, |call| Ok(call.input().kind() == ValueKind::Bool && !call.input().is_true())),
    ("falsy", Takes::Anything, |call| truth(call).map(|truth| !truth)),
    ("ge", Takes::NoSecrets, |call| compare(call, Comparison::GreaterOrEqual)),
    ("greaterthan", Takes::NoSecrets, |call| compare(call, Comparison::Greater)),
    ("gt", Takes::NoSecrets, |call| compare(call, Comparison::Greater)),
    ("in", Takes::NoSecrets, |call| compare(call, Comparison::In)),
    ("issubset", Takes::NoSecrets, subset),
    ("issuperset", Takes::NoSecrets, superset),
    ("le", Takes::NoSecrets, |call| compare(call, Comparison::LessOrEqual)),
    ("lessthan", Takes::NoSecrets, |call| compare(call, Comparison::Less)),
    ("lt", Takes::NoSecrets, |call| compare(call, Comparison::Less)),
    ("mapping", Takes::Anything, |call| Ok(is_map(&call.input()))),
    ("match", Takes::NoSecrets, |call| matches(call, true)),
    ("ne", Takes::NoSecrets, |call| compare(call, Comparison::NotEqual)),
    ("none", Takes::Anything, |call| Ok(call.input().is_none())),
    ("number", Takes::Anything, |call| Ok(matches!(call.input().kind(), ValueKind::Number | ValueKind::Bool))),
    ("regex", Takes::NoSecrets, regex),
    ("search", Takes::NoSecrets, |call| matches(call, false)),
    ("sequence", Takes::Anything, |call| {
        Ok(is_list(&call.input()) || is_map(&call.input()) || call.input().as_str().is_some())
    }),
    ("string", Takes::Anything, |call| Ok(call.input().as_str().is_some())),
    ("subset", Takes::NoSecrets, subset),
    ("superset", Takes::NoSecrets, superset),
    ("true", Takes::NoSecrets, |call| Ok(call.input().kind() == ValueKind::Bool && call.input().is_true())),
    ("truthy", Takes::Anything, truth),
    ("undefined", Takes::Anything, |call| Ok(!is_defined(call))),
    ("version", Takes::NoSecrets, version),
    ("version_compare", Takes::NoSecrets, version),
];

fn is_defined(call: &Call<'_, '_>) -> bool {
    let value = call.input();
    reason(&value).is_none() && !value.is_undefined()
}

fn truth(call: &mut Call<'_, '_>) -> Result<bool, Wrong> {
    let (value, converts) = (call.input(), call.flag("convert_bool"));
    if is_secret(&value) {
        return Err(computes("a condition"));
    }
    let value = if converts { call.filter("bool", vec![value], Vec::new())? } else { value };
    Ok(value.is_true())
}

fn compare(call: &mut Call<'_, '_>, comparison: Comparison) -> Result<bool, Wrong> {
    let (left, right) = (call.input(), call.required("other")?);
    operators::compare(comparison, &left, &right)
}

/// `list is contains(item)`.
fn contains(call: &mut Call<'_, '_>) -> Result<bool, Wrong> {
    let (container, item) = (call.input(), call.required("b")?);
    operators::contains(&container, &item)
}

fn is_within(call: &mut Call<'_, '_>, inner: usize) -> Result<bool, Wrong> {
    let other = call.required("b")?;
    let mut both = [call.input_list()?, call.list(&other)?];
    let outer = std::mem::take(&mut both[1 - inner]);
    call.budget().spend(both[inner].len().saturating_mul(outer.len() / 16 + 1))?;
    Ok(both[inner].iter().all(|item| outer.iter().any(|other| operators::equal(item, other))))
}

fn subset(call: &mut Call<'_, '_>) -> Result<bool, Wrong> {
    is_within(call, 0)
}

fn superset(call: &mut Call<'_, '_>) -> Result<bool, Wrong> {
    is_within(call, 1)
}

/// `text is match(pattern, ignorecase, multiline)` from the text's begin, `search` anywhere.
fn matches(call: &mut Call<'_, '_>, anchored: bool) -> Result<bool, Wrong> {
    let text = call.input_text()?;
    let pattern = call.text("pattern")?.unwrap_or_default();
    let flags = Flags { ignore_case: call.flag("ignorecase"), multi_line: call.flag("multiline"), anchored };
    Ok(compile(&pattern, flags)?.is_match(&text))
}

/// `text is regex(pattern, ignorecase, multiline, match_type)`.
fn regex(call: &mut Call<'_, '_>) -> Result<bool, Wrong> {
    let text = call.input_text()?;
    let pattern = call.text("pattern")?.unwrap_or_default();
    let mut flags = Flags { ignore_case: call.flag("ignorecase"), multi_line: call.flag("multiline"), anchored: false };
    let kind = call.text("match_type")?;
    flags.anchored = matches!(kind.as_deref(), Some("match" | "fullmatch"));
    let regex = compile(&pattern, flags)?;
    let whole = kind.as_deref() == Some("fullmatch");
    Ok(if whole { regex.find(&text).is_some_and(|found| found.len() == text.len()) } else { regex.is_match(&text) })
}

/// A part of a version: numbers are less than words, as nobody mixes them on purpose.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Number(u64),
    Word(String),
}

fn pieces(version: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = version;
    while let Some(first) = rest.chars().next() {
        let kind = |c: char| (c.is_ascii_digit(), c.is_ascii_alphabetic());
        let length = rest.find(|c: char| kind(c) != kind(first)).unwrap_or(rest.len());
        let (piece, more) = rest.split_at(length);
        match kind(first) {
            (true, _) => pieces.push(Piece::Number(piece.parse().unwrap_or(u64::MAX))),
            (_, true) => pieces.push(Piece::Word(piece.to_lowercase())),
            _ => {}
        }
        rest = more;
    }
    pieces
}

/// `version is version(other, operator)`.
fn version(call: &mut Call<'_, '_>) -> Result<bool, Wrong> {
    let (left, other) = (call.input_text()?, call.required("version")?);
    let right = call.run.text(&other)?;
    let operator = call.text("operator")?.unwrap_or_else(|| "eq".to_owned());
    let _ = (call.next("strict"), call.next("version_type"));
    let mut order = Ordering::Equal;
    let (left, right) = (pieces(&left), pieces(&right));
    for (left, right) in left.iter().zip(&right) {
        order = match (left, right) {
            (Piece::Number(left), Piece::Number(right)) => left.cmp(right),
            (Piece::Word(left), Piece::Word(right)) => left.cmp(right),
            _ => return Err(call.failed("cannot compare a number with a word")),
        };
        if order.is_ne() {
            break;
        }
    }
    let order = order.then(left.len().cmp(&right.len()));
    Ok(match operator.as_str() {
        "==" | "=" | "eq" => order.is_eq(),
        "!=" | "<>" | "ne" => order.is_ne(),
        "<" | "lt" => order.is_lt(),
        "<=" | "le" => order.is_le(),
        ">" | "gt" => order.is_gt(),
        ">=" | "ge" => order.is_ge(),
        other => return Err(call.failed(&format!("has no operator `{other}`"))),
    })
}
