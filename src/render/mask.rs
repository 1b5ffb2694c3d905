//! An observed file's text for a diff against [`Content::shown`]: no current secret is ever in it, old ones are not
//! where the desired text says that a secret is (pure).

use std::collections::BTreeMap;

use super::Content;
use super::content::mask_text;
use super::elements::{HIDDEN, secret_texts};

/// What stands for an observed secret that is not the current one.
const ANOTHER: &str = "‹another value›";

/// The observed text with everything masked that is, was or looks like a secret.
///
/// A secret that equals the current one is shown as [`Content::shown`] shows it, so that it makes no difference.
#[must_use]
pub fn mask(observed: &[u8], desired: &Content) -> String {
    let Ok(text) = std::str::from_utf8(observed) else {
        return format!("‹not text: {} bytes›\n", observed.len());
    };
    let values = values(desired);
    let text = mask_elements(text, desired);
    let text = mask_lines(&text, desired, &values);
    let text = mask_values(&text, &values);
    // A name or a neighbour can complete a value by accident: then nothing is shown.
    if values.keys().any(|value| text.contains(value.as_str())) { format!("{HIDDEN}\n") } else { text }
}

/// Each form that a current secret can take in a file, with what stands for it; longest first matters to the caller.
fn values(desired: &Content) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for (reference, value) in desired.values().filter(|(_, value)| !value.is_empty()) {
        values.insert(quick_xml::escape::escape(value).into_owned(), mask_text(reference));
        values.insert(quick_xml::escape::partial_escape(value).into_owned(), mask_text(reference));
        values.insert(value.to_owned(), mask_text(reference));
    }
    values
}

/// Masks the texts of elements such as `password`; the equal one is shown as the desired text shows it.
fn mask_elements(text: &str, desired: &Content) -> String {
    let real = std::str::from_utf8(desired.bytes().expose()).unwrap_or_default();
    let known: BTreeMap<(&str, &str), &str> = secret_texts(real)
        .into_iter()
        .zip(secret_texts(desired.shown()))
        .map(|(real_one, shown_one)| ((real_one.name, &real[real_one.range]), &desired.shown()[shown_one.range]))
        .collect();
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    for found in secret_texts(text) {
        let value = &text[found.range.clone()];
        let shown = match known.get(&(found.name, value)) {
            Some(shown) => shown,
            None if value.trim().is_empty() => value,
            None => ANOTHER,
        };
        masked.push_str(&text[at..found.range.start]);
        masked.push_str(shown);
        at = found.range.end;
    }
    masked.push_str(&text[at..]);
    masked
}

/// Masks what stands between the same beginning and end of a line as a secret of the desired text does.
fn mask_lines(text: &str, desired: &Content, values: &BTreeMap<String, String>) -> String {
    let patterns: Vec<(&str, &str, &str)> =
        desired.shown().lines().filter_map(|line| pattern(line, desired)).collect();
    let mut masked = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (body, end) = line.strip_suffix('\n').map_or((line, ""), |body| (body, "\n"));
        masked.push_str(&mask_line(body, &patterns, values));
        masked.push_str(end);
    }
    masked
}

/// The text before a line's first secret, the secrets as shown with what is between them, and the text after the last.
fn pattern<'a>(line: &'a str, desired: &Content) -> Option<(&'a str, &'a str, &'a str)> {
    let masks = || desired.secrets().iter().map(mask_text);
    let start = masks().filter_map(|mask| line.find(&mask)).min()?;
    let end = masks().filter_map(|mask| line.rfind(&mask).map(|at| at + mask.len())).max()?;
    Some((line[..start].trim_start(), &line[start..end], line[end..].trim_end()))
}

fn mask_line(line: &str, patterns: &[(&str, &str, &str)], values: &BTreeMap<String, String>) -> String {
    let indent = line.len() - line.trim_start().len();
    for (before, shown, after) in patterns {
        let Some(rest) = line[indent..].strip_prefix(before) else { continue };
        let Some(middle) = rest.trim_end().strip_suffix(after) else { continue };
        if middle.is_empty() {
            continue;
        }
        let masked = mask_values(middle, values);
        let stands = if masked == *shown || middle == *shown { shown } else { &ANOTHER };
        return format!("{}{before}{stands}{after}", &line[..indent]);
    }
    line.to_owned()
}

/// Masks every literal occurrence of a current secret, longer ones first.
fn mask_values(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut forms: Vec<(&String, &String)> = values.iter().collect();
    forms.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
    let mut text = text.to_owned();
    for (value, mask) in forms {
        if text.contains(value.as_str()) {
            text = text.replace(value.as_str(), mask);
        }
    }
    text
}
