//! What it takes to make one type another (pure).
//!
//! A mutation that fails on one row is tried for ever and stops all behind it, so only what every value survives goes by
//! itself.

/// What a change of a column's type does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conversion {
    /// Nothing but metadata.
    Metadata,
    /// Every value is written anew, and none can fail.
    Rewrites,
    /// Values could fail, or lose what they say.
    CanFail,
}

/// Judges two types in their canonical spelling.
pub(super) fn conversion(from: &str, to: &str) -> Conversion {
    match (bare(from), bare(to)) {
        ((_, true), (_, false)) => Conversion::CanFail,
        ((from, _), (to, _)) if from == to => Conversion::Rewrites,
        ((from, was_null), (to, is_null)) if extends(from, to) => {
            if was_null == is_null {
                Conversion::Metadata
            } else {
                Conversion::Rewrites
            }
        }
        ((from, _), (to, _)) if widens(from, to) => Conversion::Rewrites,
        _ => Conversion::CanFail,
    }
}

/// Takes `Nullable` and `LowCardinality` off, and tells whether NULL is taken.
fn bare(text: &str) -> (&str, bool) {
    let (mut text, mut nullable) = (text, false);
    loop {
        let inside = |prefix: &str| text.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(')'));
        if let Some(inner) = inside("Nullable(") {
            (text, nullable) = (inner, true);
        } else if let Some(inner) = inside("LowCardinality(") {
            text = inner;
        } else {
            return (text, nullable);
        }
    }
}

/// An enumeration that got values and lost none.
fn extends(from: &str, to: &str) -> bool {
    let values = |text: &str| -> Option<Vec<String>> {
        let inside = text.strip_prefix("Enum8(").or_else(|| text.strip_prefix("Enum16("))?.strip_suffix(')')?;
        let phrase = crate::clickhouse::Phrase::from_text(inside);
        Some(phrase.list().iter().map(ToString::to_string).collect())
    };
    let same_width = from.starts_with("Enum8(") == to.starts_with("Enum8(");
    matches!((values(from), values(to)), (Some(from), Some(to)) if same_width && from.iter().all(|value| to.contains(value)))
}

/// Every value of the one is a value of the other.
fn widens(from: &str, to: &str) -> bool {
    let bits = |text: &str, prefix: &str| text.strip_prefix(prefix).and_then(|bits| bits.parse::<u32>().ok());
    let (unsigned, signed) = (|text| bits(text, "UInt"), |text| bits(text, "Int"));
    // A float has room for whole numbers of its mantissa only: 24 and 53 bits.
    let mantissa = match to {
        "Float32" => 24,
        "Float64" => 53,
        _ => 0,
    };
    match (unsigned(from), signed(from), unsigned(to), signed(to)) {
        (Some(from), None, Some(to), None) | (None, Some(from), None, Some(to)) => from < to,
        (Some(from), None, None, Some(to)) => from < to,
        (Some(from), None, None, None) | (None, Some(from), None, None) if mantissa > 0 => from < mantissa,
        _ if to == "String" => is_scalar(from),
        _ => matches!((from, to), ("Float32", "Float64") | ("Bool", "UInt8") | ("IPv4", "IPv6")) || decimals(from, to),
    }
}

/// Types that have a text of their own.
fn is_scalar(text: &str) -> bool {
    let head = text.split('(').next().unwrap_or_default();
    let number = head.trim_start_matches("UInt").trim_start_matches("Int");
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        || [
            "Float32",
            "Float64",
            "Bool",
            "UUID",
            "IPv4",
            "IPv6",
            "Date",
            "Date32",
            "DateTime",
            "DateTime64",
            "Decimal",
            "Enum8",
            "Enum16",
        ]
        .contains(&head)
}

/// More digits before and behind the point, or more behind the second.
fn decimals(from: &str, to: &str) -> bool {
    let pair = |text: &str| -> Option<(u32, u32)> {
        let (precision, scale) = text.strip_prefix("Decimal(")?.strip_suffix(')')?.split_once(", ")?;
        Some((precision.parse().ok()?, scale.parse().ok()?))
    };
    match (pair(from), pair(to)) {
        (Some((from, from_scale)), Some((to, to_scale))) => {
            to_scale >= from_scale && to.checked_sub(to_scale) >= from.checked_sub(from_scale)
        }
        _ => false,
    }
}
