//! Types scalars as PyYAML does for Ansible, by YAML 1.1, so that an inventory means the same here (pure).
//!
//! The forms are those of PyYAML's resolver, the values those of its `SafeConstructor`
//! (<https://github.com/yaml/pyyaml/blob/main/lib/yaml/resolver.py>).

mod timestamp;

use super::node::NodeValue;
use super::number::{self, Whole};

/// Types an unquoted scalar; what PyYAML refuses is the text.
pub(super) fn plain(text: &str) -> NodeValue {
    typed(text).unwrap_or_else(|_| NodeValue::Text(text.to_owned()))
}

/// Types an unquoted scalar.
///
/// # Errors
/// Says in one sentence why PyYAML, and so Ansible, refuses it.
pub(super) fn typed(text: &str) -> Result<NodeValue, &'static str> {
    if matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Ok(NodeValue::Null);
    }
    if matches!(text, "=" | "<<") {
        return Err("YAML 1.1 gives it a meaning that nobody reads");
    }
    if let Some(flag) = boolean(text).filter(|_| written_as_one(text)) {
        return Ok(NodeValue::Bool(flag));
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        return Ok(NodeValue::Text(text.to_owned()));
    }
    if is_float(text) {
        return float(text);
    }
    if is_integer(text) {
        return integer(text);
    }
    timestamp::read(text).unwrap_or_else(|| Ok(NodeValue::Text(text.to_owned())))
}

/// Types a scalar, quoted or not, by its tag `tag:yaml.org,2002:NAME`; nothing where the tag is not one of those.
pub(super) fn tagged(name: &str, text: &str) -> Option<Result<NodeValue, &'static str>> {
    Some(match name {
        "str" => Ok(NodeValue::Text(text.to_owned())),
        "null" => Ok(NodeValue::Null),
        "bool" => boolean(text).map(NodeValue::Bool).ok_or("it is neither true nor false"),
        "int" => integer(text),
        "float" => float(text),
        "timestamp" => timestamp::any(text).unwrap_or(Err("it is no date")),
        _ => return None,
    })
}

/// Tells whether an unquoted text is a date, and so no text to Ansible.
pub(super) fn is_date(text: &str) -> bool {
    timestamp::read(text).is_some()
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "on" => Some(true),
        "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

/// `yes`, `Yes` and `YES`, but not `yEs`.
fn written_as_one(text: &str) -> bool {
    let behind = text.get(1..).unwrap_or_default();
    let lower = behind.bytes().all(|byte| byte.is_ascii_lowercase());
    lower || text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// `12`, `-012`, `0x1F`, `0b11`, `1:30`, all with `_` between digits.
fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let all = |text: &str, allowed: fn(char) -> bool| !text.is_empty() && text.chars().all(|c| c == '_' || allowed(c));
    if let Some(binary) = digits.strip_prefix("0b") {
        return all(binary, |c| matches!(c, '0' | '1'));
    }
    if let Some(hexadecimal) = digits.strip_prefix("0x") {
        return all(hexadecimal, |c| c.is_ascii_hexdigit());
    }
    if digits == "0" || digits.strip_prefix('0').is_some_and(|octal| all(octal, |c| c.is_digit(8))) {
        return true;
    }
    let mut parts = digits.split(':');
    let first = parts.next().unwrap_or_default();
    first.starts_with(|c| matches!(c, '1'..='9')) && all(first, |c| c.is_ascii_digit()) && parts.all(is_sixtieth)
}

/// `1.5`, `1.`, `.5`, `1.5e+3`, `1:30.5`, `.inf`, `.nan`: an exponent has its sign, and `.5` has none.
fn is_float(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let signed = digits.len() < text.len();
    if matches!(digits, ".inf" | ".Inf" | ".INF") || (!signed && matches!(text, ".nan" | ".NaN" | ".NAN")) {
        return true;
    }
    let Some((whole, behind)) = digits.split_once('.') else { return false };
    let all = |part: &str| part.chars().all(|c| c.is_ascii_digit() || c == '_');
    let starts = |part: &str| part.starts_with(|c: char| c.is_ascii_digit()) && all(part);
    let (fraction, exponent) = match behind.split_once(['e', 'E']) {
        Some((fraction, exponent)) => (fraction, Some(exponent)),
        None => (behind, None),
    };
    let powers = |power: &str| {
        let digits = power.strip_prefix(['+', '-']).unwrap_or_default();
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    if let Some((first, sixtieths)) = whole.split_once(':') {
        return starts(first) && sixtieths.split(':').all(is_sixtieth) && all(behind);
    }
    let mantissa = if whole.is_empty() { !signed && starts(fraction) } else { starts(whole) && all(fraction) };
    mantissa && exponent.is_none_or(powers)
}

/// `0` to `59`, of one or two digits.
fn is_sixtieth(part: &str) -> bool {
    let (tens, ones) = part.split_at_checked(part.len().saturating_sub(1)).unwrap_or_default();
    matches!(tens, "" | "0" | "1" | "2" | "3" | "4" | "5")
        && ones.bytes().all(|byte| byte.is_ascii_digit())
        && !ones.is_empty()
}

fn integer(text: &str) -> Result<NodeValue, &'static str> {
    const WRONG: &str = "it is no whole number";
    let clean = text.trim().replace('_', "");
    let negative = clean.starts_with('-');
    let digits = clean.strip_prefix(['+', '-']).unwrap_or(&clean);
    let based = |digits: &str, base| {
        let digits = if digits.is_empty() { None } else { number::integer(negative, digits, base) };
        digits.ok_or("it is no whole number of at most 4300 digits")
    };
    if digits.contains(':') && !digits.starts_with('0') {
        let mut whole = Whole::default();
        for (position, part) in digits.split(':').enumerate() {
            if part.is_empty() || (position > 0 && part.len() > 9) || digits.len() > 4300 {
                return Err(WRONG);
            }
            if position > 0 {
                whole.push(60, part.parse().map_err(|_| WRONG)?);
                continue;
            }
            for digit in part.chars() {
                whole.push(10, digit.to_digit(10).ok_or(WRONG)?);
            }
        }
        return whole.value(negative).ok_or(WRONG);
    }
    for (prefix, base) in [("0b", 2), ("0x", 16), ("0o", 8)] {
        if let Some(digits) = digits.strip_prefix(prefix) {
            return based(digits, base);
        }
    }
    let base = if digits.len() > 1 && digits.starts_with('0') { 8 } else { 10 };
    based(digits, base)
}

fn float(text: &str) -> Result<NodeValue, &'static str> {
    const WRONG: &str = "it is no number";
    let clean = text.trim().replace('_', "").to_ascii_lowercase();
    let negative = clean.starts_with('-');
    let digits = clean.strip_prefix(['+', '-']).unwrap_or(&clean);
    let value = match digits {
        ".inf" => f64::INFINITY,
        ".nan" => f64::NAN,
        _ => {
            // The same sums in the same order as PyYAML, so that the last digit is the same.
            let (mut value, mut base) = (0.0, 1.0);
            for part in digits.rsplit(':') {
                let part: f64 = part.trim().parse().map_err(|_| WRONG)?;
                value += part * base;
                base *= 60.0;
            }
            value
        }
    };
    Ok(number::float(if negative { -value } else { value }))
}

#[cfg(test)]
mod tests;
