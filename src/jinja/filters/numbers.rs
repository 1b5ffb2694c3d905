//! Filters that make or shape numbers (pure).

use minijinja::Value;

use super::super::values::describe;
use super::super::wrong::Wrong;
use super::Call;

type Answer = Result<Value, Wrong>;

/// Ansible's words for true; anything else is false.
#[expect(clippy::unnecessary_wraps, reason = "as the other filters")]
pub(super) fn bool(call: &mut Call<'_, '_>) -> Answer {
    let value = call.input();
    if value.is_integer() {
        return Ok(Value::from(value.as_i64() == Some(1)));
    }
    let word = value.as_str().map(str::to_lowercase);
    Ok(Value::from(match word.as_deref() {
        Some(word) => matches!(word, "yes" | "on" | "true" | "1"),
        None => {
            value.is_number() && f64::try_from(value.clone()).is_ok_and(|number| (number - 1.0).abs() < f64::EPSILON)
                || describe(&value) == "true or false" && value.is_true()
        }
    }))
}

/// `value | int(default, base)`.
#[expect(clippy::cast_possible_truncation, reason = "only numbers that fit are cast")]
pub(super) fn int(call: &mut Call<'_, '_>) -> Answer {
    let value = call.input();
    let default = call.next("default").unwrap_or_else(|| Value::from(0));
    let base = call.whole("base")?.unwrap_or(10);
    if value.is_integer() {
        return Ok(value);
    }
    if let Some(text) = value.as_str() {
        let text = text.trim().replace('_', "");
        let lower = text.to_lowercase();
        let prefix = match base {
            2 => "0b",
            8 => "0o",
            16 => "0x",
            _ => "",
        };
        let digits = lower.strip_prefix(prefix).unwrap_or(&lower);
        let base = u32::try_from(base).ok().filter(|base| (2..=36).contains(base));
        let base = base.ok_or_else(|| call.failed("takes a base from 2 to 36"))?;
        if let Ok(number) = i64::from_str_radix(digits, base) {
            return Ok(Value::from(number));
        }
        let fits = |number: &f64| number.abs() < 9e18;
        return Ok(text.parse::<f64>().ok().filter(fits).map_or(default, |number| Value::from(number as i64)));
    }
    if describe(&value) == "true or false" {
        return Ok(Value::from(i64::from(value.is_true())));
    }
    let number = f64::try_from(value).ok().filter(|number| number.abs() < 9e18);
    Ok(number.map_or(default, |number| Value::from(number as i64)))
}

/// `value | float(default)`.
#[expect(clippy::unnecessary_wraps, reason = "as the other filters")]
pub(super) fn float(call: &mut Call<'_, '_>) -> Answer {
    let value = call.input();
    let default = call.next("default").unwrap_or_else(|| Value::from(0.0));
    let number = match value.as_str() {
        Some(text) => text.trim().parse::<f64>().ok(),
        None if describe(&value) == "true or false" => Some(if value.is_true() { 1.0 } else { 0.0 }),
        None => f64::try_from(value).ok(),
    };
    Ok(number.map_or(default, Value::from))
}

/// `number | round(precision, method)`: always a float, as in Jinja.
pub(super) fn round(call: &mut Call<'_, '_>) -> Answer {
    let value = call.input();
    let (precision, method) = (call.whole("precision")?.unwrap_or(0), call.text("method")?);
    let number =
        f64::try_from(value.clone()).map_err(|_| call.failed(&format!("takes a number, not {}", describe(&value))))?;
    let precision = i32::try_from(precision).ok().filter(|precision| precision.abs() <= 15);
    let precision = precision.ok_or_else(|| call.failed("takes a precision up to 15"))?;
    let scale = 10f64.powi(precision);
    Ok(Value::from(match method.as_deref() {
        Some("ceil") => (number * scale).ceil() / scale,
        Some("floor") => (number * scale).floor() / scale,
        None | Some("common") => match usize::try_from(precision) {
            Ok(places) => format!("{number:.places$}").parse().unwrap_or(number),
            Err(_) => (number * scale).round_ties_even() / scale,
        },
        Some(other) => return Err(call.failed(&format!("takes `common`, `ceil` or `floor`, not `{other}`"))),
    }))
}

/// Sizes from the largest.
const SIZES: [(&str, f64); 9] = [
    ("Y", 1_208_925_819_614_629_174_706_176.0),
    ("Z", 1_180_591_620_717_411_303_424.0),
    ("E", 1_152_921_504_606_846_976.0),
    ("P", 1_125_899_906_842_624.0),
    ("T", 1_099_511_627_776.0),
    ("G", 1_073_741_824.0),
    ("M", 1_048_576.0),
    ("K", 1024.0),
    ("B", 1.0),
];

/// `bytes | human_readable(isbits, unit)`.
pub(super) fn human_readable(call: &mut Call<'_, '_>) -> Answer {
    let value = call.input();
    let bits = call.flag("isbits");
    let unit = call.text("unit")?.map(|unit| unit.to_uppercase());
    let number = value.as_str().map_or_else(|| f64::try_from(value.clone()).ok(), |text| text.trim().parse().ok());
    let number = number.ok_or_else(|| call.failed(&format!("takes a number, not {}", describe(&value))))?;
    let fits = |(name, size): &&(&str, f64)| unit.as_ref().map_or(number >= *size, |unit| unit == name);
    let (name, size) = SIZES.iter().find(fits).copied().unwrap_or(("B", 1.0));
    let suffix = match (name, bits) {
        ("B", true) => "bits".to_owned(),
        ("B", false) => "Bytes".to_owned(),
        (name, bits) => format!("{name}{}", if bits { 'b' } else { 'B' }),
    };
    Ok(Value::from(format!("{:.2} {suffix}", number / size)))
}

/// `'10 MB' | human_to_bytes(default_unit)`.
#[expect(clippy::cast_possible_truncation, reason = "only numbers that fit are cast")]
pub(super) fn human_to_bytes(call: &mut Call<'_, '_>) -> Answer {
    let text = call.input_text()?;
    let default = call.text("default_unit")?;
    let (digits, unit) =
        text.trim().split_at(text.trim().find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.trim().len()));
    let unit = if unit.trim().is_empty() { default.unwrap_or_else(|| "B".to_owned()) } else { unit.trim().to_owned() };
    let size = SIZES.iter().find(|(name, _)| {
        let upper = unit.to_uppercase();
        upper == *name || upper == format!("{name}B") || *name == "B" && matches!(upper.as_str(), "BYTE" | "BYTES")
    });
    match (digits.parse::<f64>(), size) {
        (Ok(number), Some((_, size))) if number * size < 9e18 => Ok(Value::from((number * size).round() as i64)),
        _ => Err(call.failed(&format!("cannot read the size `{text}`"))),
    }
}
