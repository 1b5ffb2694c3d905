//! Filters between texts and other forms of data (pure).

use std::fmt::Write;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minijinja::Value;
use sha2::Digest;

use super::super::values;
use super::super::wrong::Wrong;
use super::Call;
use crate::inventory::yaml;
use crate::problem::Source;

type Answer = Result<Value, Wrong>;

pub(super) fn b64encode(call: &mut Call<'_, '_>) -> Answer {
    let text = call.input_text()?;
    call.budget().make(text.len().saturating_mul(2))?;
    Ok(Value::from(STANDARD.encode(text)))
}

pub(super) fn b64decode(call: &mut Call<'_, '_>) -> Answer {
    let text = call.input_text()?;
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = STANDARD.decode(plain).map_err(|error| call.failed(&format!("takes base64: {error}")))?;
    String::from_utf8(bytes).map(Value::from).map_err(|_| call.failed("gives bytes that are no text"))
}

/// `text | hash('sha256')`.
pub(super) fn hash(call: &mut Call<'_, '_>) -> Answer {
    let text = call.input_text()?;
    let kind = call.text("hashtype")?.unwrap_or_else(|| "sha1".to_owned());
    let bytes = match kind.to_lowercase().as_str() {
        "sha1" => sha1::Sha1::digest(text).to_vec(),
        "sha224" => sha2::Sha224::digest(text).to_vec(),
        "sha256" => sha2::Sha256::digest(text).to_vec(),
        "sha384" => sha2::Sha384::digest(text).to_vec(),
        "sha512" => sha2::Sha512::digest(text).to_vec(),
        _ => return Err(call.failed(&format!("knows sha1, sha224, sha256, sha384 and sha512, not `{kind}`"))),
    };
    Ok(Value::from(hex(&bytes)))
}

pub(super) fn sha1(call: &mut Call<'_, '_>) -> Answer {
    let text = call.input_text()?;
    Ok(Value::from(hex(&sha1::Sha1::digest(text))))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

pub(super) fn from_json(call: &mut Call<'_, '_>) -> Answer {
    let text = call.input_text()?;
    let value = serde_json::from_str::<serde_json::Value>(&text);
    value.map(|value| values::from_json(&value)).map_err(|error| call.failed(&format!("takes JSON: {error}")))
}

/// The inventory's own reader, with its bounds.
pub(super) fn from_yaml(call: &mut Call<'_, '_>) -> Answer {
    let text = call.input_text()?;
    let mut problems = Vec::new();
    let node = yaml::read(&Arc::new(Source { name: "from_yaml".to_owned(), text }), &mut problems);
    match (node, problems.first()) {
        (_, Some(problem)) => Err(call.failed(&format!("takes YAML: {}", problem.message))),
        (Some(node), None) => Ok(values::from_json(&node.to_json())),
        (None, None) => Ok(Value::from(())),
    }
}

/// How JSON is laid out.
struct Layout {
    indent: Option<usize>,
    sorted: bool,
    ascii: bool,
}

/// `value | to_json(indent, sort_keys, ensure_ascii)`.
pub(super) fn to_json(call: &mut Call<'_, '_>) -> Answer {
    let layout = Layout { indent: None, sorted: false, ascii: true };
    json(call, layout)
}

/// `value | to_nice_json(indent, sort_keys, ensure_ascii)`.
pub(super) fn to_nice_json(call: &mut Call<'_, '_>) -> Answer {
    let layout = Layout { indent: Some(4), sorted: true, ascii: true };
    json(call, layout)
}

fn json(call: &mut Call<'_, '_>, mut layout: Layout) -> Answer {
    if let Some(indent) = call.whole("indent")? {
        layout.indent = Some(usize::try_from(indent).unwrap_or_default().min(16));
    }
    for (name, value) in call.rest_named() {
        match name.as_str() {
            "sort_keys" => layout.sorted = value.is_true(),
            "ensure_ascii" => layout.ascii = value.is_true(),
            _ => return Err(call.failed(&format!("has no argument `{name}`"))),
        }
    }
    let mut out = String::new();
    write(&values::to_json(&call.input()), &layout, 0, &mut out);
    Ok(Value::from(out))
}

/// Python's layout, which has a space behind `,` and `:`.
fn write(value: &serde_json::Value, layout: &Layout, depth: usize, out: &mut String) {
    let line = |depth: usize, out: &mut String| {
        if let Some(indent) = layout.indent {
            out.push('\n');
            out.push_str(&" ".repeat(indent * depth));
        }
    };
    let comma = if layout.indent.is_some() { "," } else { ", " };
    match value {
        serde_json::Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { comma } else { "" });
                line(depth + 1, out);
                write(item, layout, depth + 1, out);
            }
            line(depth, out);
            out.push(']');
        }
        serde_json::Value::Object(map) if !map.is_empty() => {
            let mut entries: Vec<_> = map.iter().collect();
            if layout.sorted {
                entries.sort_by_key(|(key, _)| *key);
            }
            out.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                out.push_str(if index > 0 { comma } else { "" });
                line(depth + 1, out);
                quoted(key, layout.ascii, out);
                out.push_str(": ");
                write(value, layout, depth + 1, out);
            }
            line(depth, out);
            out.push('}');
        }
        serde_json::Value::String(text) => quoted(text, layout.ascii, out),
        serde_json::Value::Number(number) if number.is_f64() => out.push_str(&values::text(&values::from_json(value))),
        other => out.push_str(&other.to_string()),
    }
}

fn quoted(text: &str, ascii: bool, out: &mut String) {
    let text = serde_json::Value::from(text).to_string();
    if !ascii {
        return out.push_str(&text);
    }
    let mut units = [0; 2];
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
}
