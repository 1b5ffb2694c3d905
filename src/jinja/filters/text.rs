//! Filters on texts and paths (pure).

use std::fmt::Write;

use minijinja::Value;

use super::super::values::{describe, is_list, items};
use super::super::wrong::Wrong;
use super::Call;

type Answer = Result<Value, Wrong>;

/// `text | replace(old, new, count)`.
pub(super) fn replace(call: &mut Call<'_, '_>) -> Answer {
    let text = call.input_text()?;
    let (old, new) = (call.text("old")?, call.text("new")?);
    let count = call.next("count").and_then(|count| count.as_i64()).and_then(|count| usize::try_from(count).ok());
    let (Some(old), Some(new)) = (old, new) else { return Err(call.failed("takes the old and the new text")) };
    let found = if old.is_empty() { text.chars().count() + 1 } else { text.matches(old.as_str()).count() };
    let found = count.map_or(found, |count| count.min(found));
    call.budget().make(text.len() + found.saturating_mul(new.len()))?;
    Ok(Value::from(text.replacen(&old, &new, found)))
}

/// `text | split(separator, most)`.
pub(super) fn split(call: &mut Call<'_, '_>) -> Answer {
    let text = call.input_text()?;
    let separator = call.next("sep").filter(|value| !value.is_none());
    let most = call.whole("maxsplit")?.and_then(|most| usize::try_from(most).ok());
    let all: Vec<&str> = match (separator.as_ref().map(Value::as_str), most) {
        (Some(Some("") | None), _) => return Err(call.failed("takes a text that is not empty")),
        (Some(Some(separator)), Some(most)) => text.splitn(most + 1, separator).collect(),
        (Some(Some(separator)), None) => text.split(separator).collect(),
        (None, None) => text.split_whitespace().collect(),
        (None, Some(_)) => return Err(call.failed("takes a separator where it takes a number")),
    };
    Ok(Value::from(all.into_iter().map(Value::from).collect::<Vec<_>>()))
}

/// What stands behind the last `/`.
pub(super) fn basename(call: &mut Call<'_, '_>) -> Answer {
    let path = call.input_text()?;
    Ok(Value::from(path.rsplit('/').next().unwrap_or_default()))
}

/// What stands before the last `/`, without the slashes at its end.
pub(super) fn dirname(call: &mut Call<'_, '_>) -> Answer {
    let path = call.input_text()?;
    let head = path.rfind('/').map_or("", |at| &path[..=at]);
    let plain = head.trim_end_matches('/');
    Ok(Value::from(if plain.is_empty() { head } else { plain }))
}

/// A path without its suffix, and the suffix.
pub(super) fn splitext(call: &mut Call<'_, '_>) -> Answer {
    let path = call.input_text()?;
    let start = path.rfind('/').map_or(0, |at| at + 1);
    // Dots that the name begins with are no suffix.
    let name_start = start + path[start..].bytes().take_while(|byte| *byte == b'.').count();
    let at = path[name_start..].rfind('.').map_or(path.len(), |at| name_start + at);
    Ok(Value::from(vec![Value::from(&path[..at]), Value::from(&path[at..])]))
}

/// `parts | path_join`: a part that begins with `/` starts again.
pub(super) fn path_join(call: &mut Call<'_, '_>) -> Answer {
    let input = call.input();
    let parts = if is_list(&input) { items(&input) } else { vec![input] };
    let mut path = String::new();
    for part in &parts {
        let Some(part) = part.as_str() else {
            return Err(call.failed(&format!("takes texts, not {}", describe(part))));
        };
        call.budget().make(path.len() + part.len() + 1)?;
        if part.starts_with('/') {
            part.clone_into(&mut path);
        } else {
            if !path.is_empty() && !path.ends_with('/') {
                path.push('/');
            }
            path.push_str(part);
        }
    }
    Ok(Value::from(path))
}

/// A word of a shell's line.
pub(super) fn quote(call: &mut Call<'_, '_>) -> Answer {
    let text = if call.input().is_none() { String::new() } else { call.input_text()? };
    let plain = |c: char| c.is_alphanumeric() && c.is_ascii() || "@%+=:,./-_".contains(c);
    call.budget().make(text.len().saturating_mul(5))?;
    if !text.is_empty() && text.chars().all(plain) {
        return Ok(Value::from(text));
    }
    Ok(Value::from(format!("'{}'", text.replace('\'', "'\"'\"'"))))
}

/// Python's `str()`.
pub(super) fn string(call: &mut Call<'_, '_>) -> Answer {
    call.input_text().map(Value::from)
}

/// The name of the value's type.
#[expect(clippy::unnecessary_wraps, reason = "as the other filters")]
pub(super) fn type_debug(call: &mut Call<'_, '_>) -> Answer {
    let input = call.input();
    Ok(Value::from(match describe(&input) {
        "nothing" => "NoneType",
        "true or false" => "bool",
        "a number" if input.is_integer() => "int",
        "a number" => "float",
        "a text" => "str",
        "a list" => "list",
        _ => "dict",
    }))
}

/// How many words a text has.
pub(super) fn wordcount(call: &mut Call<'_, '_>) -> Answer {
    let text = call.input_text()?;
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    Ok(Value::from(words.count()))
}

/// Percent-encodes a text for a URL's path.
pub(super) fn urlencode(call: &mut Call<'_, '_>) -> Answer {
    let text = call.input_text()?;
    call.budget().make(text.len().saturating_mul(3))?;
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.-~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    Ok(Value::from(out))
}

/// Reads a percent-encoded text; `+` is a space.
pub(super) fn urldecode(call: &mut Call<'_, '_>) -> Answer {
    let text = call.input_text()?;
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        let hex = (*byte == b'%').then(|| bytes.get(at + 1..at + 3)).flatten();
        let read = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match (byte, read) {
            (_, Some(read)) => {
                out.push(read);
                at += 2;
            }
            (b'+', None) => out.push(b' '),
            (byte, None) => out.push(*byte),
        }
        at += 1;
    }
    Ok(Value::from(String::from_utf8_lossy(&out).into_owned()))
}
