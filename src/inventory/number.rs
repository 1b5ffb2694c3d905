//! Numbers as Python has them: integers of any size, floats with infinities, and the text that Python prints of them (pure).

use serde_json::Number;

use super::node::NodeValue;

/// Python refuses to read or print longer integers
/// (<https://docs.python.org/3/library/stdtypes.html#integer-string-conversion-length-limitation>).
const MAX_DIGITS: usize = 4300;
const LIMB: u64 = 1_000_000_000;

/// An integer out of its digits in a base of at most 36; nothing where there are too many or wrong ones.
pub(super) fn integer(negative: bool, digits: &str, base: u32) -> Option<NodeValue> {
    let digits = digits.trim_start_matches('0');
    let mut whole = Whole::default();
    if digits.len() > MAX_DIGITS {
        return None;
    }
    for digit in digits.chars() {
        whole.push(base, digit.to_digit(base)?);
    }
    whole.value(negative)
}

/// A float; what is not finite is its name in Python's JSON.
pub(super) fn float(value: f64) -> NodeValue {
    Number::from_f64(value).map_or_else(|| NodeValue::Wide(repr(value).replace("inf", "Infinity")), NodeValue::Number)
}

/// A number as Python writes it.
pub(super) fn python(number: &Number) -> String {
    number.as_f64().filter(|_| number.is_f64()).map_or_else(|| number.to_string(), repr)
}

/// The shortest digits, of equally near ones the even, and an exponent below 1e-4 and from 1e16.
pub(super) fn repr(value: f64) -> String {
    let Some(number) = Number::from_f64(value.abs()) else { return value.to_string() };
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let shortest = number.to_string();
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    // How many digits stand before the point.
    let mut point = exponent.parse::<i32>().unwrap_or_default();
    point += i32::try_from(whole.len() + digits.len()).unwrap_or_default();
    point -= i32::try_from(all.len()).unwrap_or_default();
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() {
        return format!("{sign}0.0");
    }
    let places = usize::try_from(point).unwrap_or_default();
    match (digits.split_at_checked(places), point) {
        (_, ..-3 | 17..) => {
            let (first, rest) = digits.split_at(1);
            let dot = if rest.is_empty() { "" } else { "." };
            let exponent_sign = if point < 1 { '-' } else { '+' };
            format!("{sign}{first}{dot}{rest}e{exponent_sign}{:02}", (point - 1).abs())
        }
        (_, ..=0) => format!("{sign}0.{}{digits}", "0".repeat(usize::try_from(-point).unwrap_or_default())),
        (Some((before, behind)), _) if !behind.is_empty() => format!("{sign}{before}.{behind}"),
        _ => format!("{sign}{digits}{}.0", "0".repeat(places - digits.len())),
    }
}

/// An integer without sign, in limbs of nine decimal digits, the lowest first.
#[derive(Default)]
pub(super) struct Whole(Vec<u64>);

impl Whole {
    /// Multiplies by `base` and adds `digit`.
    pub(super) fn push(&mut self, base: u32, digit: u32) {
        let mut carry = u64::from(digit);
        for limb in &mut self.0 {
            carry += *limb * u64::from(base);
            *limb = carry % LIMB;
            carry /= LIMB;
        }
        while carry > 0 {
            self.0.push(carry % LIMB);
            carry /= LIMB;
        }
    }

    /// The number with its sign.
    pub(super) fn value(&self, negative: bool) -> Option<NodeValue> {
        let highest = self.0.last().map(u64::to_string);
        let lower = self.0.iter().rev().skip(1).map(|limb| format!("{limb:09}"));
        let mut text: String = highest.into_iter().chain(lower).collect();
        if text.len() > MAX_DIGITS {
            return None;
        }
        if text.is_empty() {
            return Some(NodeValue::Number(0.into()));
        }
        if negative {
            text.insert(0, '-');
        }
        let held = text.parse::<u64>().map(Number::from).or_else(|_| text.parse::<i64>().map(Number::from));
        Some(held.map_or(NodeValue::Wide(text), NodeValue::Number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_keep_every_digit() {
        let wide = |text: &str| Some(NodeValue::Wide(text.to_owned()));
        assert_eq!(integer(false, "000", 10), Some(NodeValue::Number(0.into())));
        assert_eq!(integer(true, "0", 10), Some(NodeValue::Number(0.into())));
        assert_eq!(integer(false, "18446744073709551615", 10), Some(NodeValue::Number(u64::MAX.into())));
        assert_eq!(integer(true, "9223372036854775808", 10), Some(NodeValue::Number(i64::MIN.into())));
        assert_eq!(integer(false, "18446744073709551616", 10), wide("18446744073709551616"));
        assert_eq!(integer(true, "ffffffffffffffffffff", 16), wide("-1208925819614629174706175"));
        assert_eq!(integer(false, "1000000000000000000000000000", 10), wide("1000000000000000000000000000"));
        assert_eq!(integer(false, &"9".repeat(4301), 10), None);
        assert_eq!(integer(false, &"f".repeat(4000), 16), None);
        assert_eq!(integer(false, "9", 8), None);
    }

    #[test]
    fn floats_are_written_as_python_writes_them() {
        for (value, text) in [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (-0.0, "-0.0"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e-5, "1.5e-05"),
            (-2.5, "-2.5"),
            (123_456_789.123, "123456789.123"),
            (1_844_674_407_370_955.2, "1844674407370955.2"),
            (0.000_123, "0.000123"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (5e-324, "5e-324"),
            (100.0, "100.0"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(repr(value), text);
        }
        assert_eq!(python(&Number::from(u64::MAX)), "18446744073709551615");
        assert_eq!(float(f64::NAN), NodeValue::Wide("NaN".to_owned()));
        assert_eq!(float(f64::NEG_INFINITY), NodeValue::Wide("-Infinity".to_owned()));
    }
}
