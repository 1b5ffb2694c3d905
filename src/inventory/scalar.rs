//! Types unquoted scalars by YAML 1.1, as Ansible's reader does, so that an inventory means the same here (pure).
//!
//! One exception: a number with a leading zero, such as `0644`, stays text. YAML 1.1 makes it octal and YAML 1.2 decimal.

use serde_json::Number;

use super::node::NodeValue;

/// Types an unquoted scalar.
pub(super) fn plain(text: &str) -> NodeValue {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => NodeValue::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => NodeValue::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => NodeValue::Bool(false),
        _ => number(text).map_or_else(|| NodeValue::Text(text.to_owned()), NodeValue::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        b'0'..=b'9' | b'.' => (false, text),
        _ => return None,
    };
    if let Some(magnitude) = integer(digits) {
        return if negative {
            i64::try_from(-i128::from(magnitude)).ok().map(Number::from)
        } else {
            Some(Number::from(magnitude))
        };
    }
    let magnitude = float(digits)?;
    Number::from_f64(if negative { -magnitude } else { magnitude })
}

/// `10`, `1_000`, `0x1F`, `0b11` and the base-60 `1:30`; numbers beyond 64 bits stay text.
fn integer(digits: &str) -> Option<u64> {
    let clean = || digits.chars().filter(|c| *c != '_').collect::<String>();
    if let Some(hex) = digits.strip_prefix("0x") {
        let allowed = !hex.is_empty() && hex.chars().all(|c| c.is_ascii_hexdigit() || c == '_');
        return allowed.then(|| u64::from_str_radix(&clean()[2..], 16).ok()).flatten();
    }
    if let Some(binary) = digits.strip_prefix("0b") {
        let allowed = !binary.is_empty() && binary.chars().all(|c| matches!(c, '0' | '1' | '_'));
        return allowed.then(|| u64::from_str_radix(&clean()[2..], 2).ok()).flatten();
    }
    if digits == "0" {
        return Some(0);
    }
    if !digits.starts_with(|c: char| matches!(c, '1'..='9')) {
        return None;
    }
    let mut parts = digits.split(':');
    let first = parts.next()?;
    if !first.chars().all(|c| c.is_ascii_digit() || c == '_') {
        return None;
    }
    let mut value: u64 = first.replace('_', "").parse().ok()?;
    for part in parts {
        value = value.checked_mul(60)?.checked_add(sixtieth(part)?)?;
    }
    Some(value)
}

fn sixtieth(part: &str) -> Option<u64> {
    let allowed = matches!(part.len(), 1 | 2) && part.chars().all(|c| c.is_ascii_digit());
    allowed.then(|| part.parse().ok()).flatten().filter(|value| *value < 60)
}

/// `1.5`, `1.`, `.5`, `1.5e+3`: the exponent needs a point before it and a sign, as in YAML 1.1.
fn float(digits: &str) -> Option<f64> {
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let (whole, fraction) = mantissa.split_once('.')?;
    let allowed = |part: &str| part.chars().all(|c| c.is_ascii_digit() || c == '_');
    let starts = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    if !allowed(whole) || !allowed(fraction) || !(starts(whole) || (whole.is_empty() && starts(fraction))) {
        return None;
    }
    if let Some(exponent) = exponent {
        let power = exponent.strip_prefix(['-', '+'])?;
        if power.is_empty() || !power.chars().all(|c| c.is_ascii_digit()) {
            return None;
        }
    }
    digits.replace('_', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn json_of(text: &str) -> serde_json::Value {
        match plain(text) {
            NodeValue::Null => json!(null),
            NodeValue::Bool(flag) => json!(flag),
            NodeValue::Number(number) => json!(number),
            NodeValue::Text(text) => json!(text),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn scalars_are_typed_as_pyyaml_types_them() {
        let cases = [
            ("yes", json!(true)),
            ("Off", json!(false)),
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
            ("-.5", json!(-0.5)),
            (".", json!(".")),
            ("-", json!("-")),
            ("10.77.1.11", json!("10.77.1.11")),
            ("2026-01-02", json!("2026-01-02")),
            ("18446744073709551616", json!("18446744073709551616")),
            ("-18446744073709551615", json!("-18446744073709551615")),
        ];
        for (text, expected) in cases {
            assert_eq!(json_of(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_with_a_leading_zero_stay_text() {
        for text in ["0644", "01", "00", "-07", "08"] {
            assert_eq!(json_of(text), json!(text));
        }
    }
}
