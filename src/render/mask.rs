//! An observed file's text for a diff against [`Content::shown`]: no current secret is ever in it, old ones are not
//! where the desired text says that a secret is (pure).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::content::Mask;
use super::elements::{HIDDEN, by_line, hide, hide_lines, secret_texts, texts};
use super::escape::Escape;
use super::{Content, without_generation};
use crate::secret::look::written_secret;

/// What stands for an observed secret that is not the current one.
pub(super) const ANOTHER: &str = "‹another value›";

/// The observed text with everything masked that is, was or looks like a secret.
///
/// A secret that equals the current one is shown as [`Content::shown`] shows it, so that it makes no difference.
#[must_use]
pub fn mask(observed: &[u8], desired: &Content) -> String {
    let Ok(text) = std::str::from_utf8(observed) else {
        return format!("‹not text: {} bytes›\n", observed.len());
    };
    let values = values(desired);
    let text = mask_written(text, desired);
    let text = mask_elements(&text, desired);
    let text = mask_lines(&text, desired);
    let text = mask_values(&text, &values);
    // A name or a neighbour can complete a value by accident: then nothing is shown.
    if values.keys().any(|value| text.contains(value.as_str())) {
        return format!("{HIDDEN}\n");
    }
    without_generation(&text, desired)
}

/// The secrets whose values change, by what both sides of a difference show: nothing is told that these do not.
#[must_use]
pub fn changed_secrets(before: &str, after: &str, desired: &Content) -> BTreeSet<String> {
    let known: BTreeSet<&str> = before.lines().map(str::trim).collect();
    // A quotation mark is not the same in every file: what is before it is.
    let start = |text: &'_ str| text.trim_start().trim_end_matches('"').to_owned();
    let others: BTreeSet<String> = before.lines().filter_map(|line| Some(start(line.split_once(ANOTHER)?.0))).collect();
    let mut changed = BTreeSet::new();
    for line in after.lines().filter(|line| !known.contains(line.trim())) {
        let here: Vec<_> = desired.masks().iter().filter(|mask| line.contains(&mask.shown)).collect();
        let first = here.iter().filter_map(|mask| line.find(&mask.shown)).min();
        if first.is_some_and(|first| others.contains(&start(&line[..first]))) {
            changed.extend(here.into_iter().map(Mask::name));
        }
    }
    changed
}

/// What is known of a file that nothing renders any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// No secret was put into it.
    Text,
    /// A secret was, or nobody knows.
    Secret,
}

/// The text of a file that nothing renders any more: of one that held a secret only its elements, for nobody knows any more
/// which texts those were.
#[must_use]
pub fn mask_removed<'a>(observed: &[u8], what: Removed, others: impl Iterator<Item = &'a Content>) -> String {
    let Ok(text) = std::str::from_utf8(observed) else {
        return format!("‹not text: {} bytes›\n", observed.len());
    };
    let is_xml = text.trim_start().starts_with('<');
    let shown = match (what, is_xml) {
        (Removed::Text, true) => hide(text),
        (Removed::Text, false) => hide_lines(&hide(text)),
        (Removed::Secret, true) => hide_all(text),
        (Removed::Secret, false) => by_line(text, |_| HIDDEN.to_owned()),
    };
    let told = |content: &Content| values(content).keys().any(|value| shown.contains(value.as_str()));
    if others.into_iter().any(told) { by_line(text, |_| HIDDEN.to_owned()) } else { shown }
}

/// Hides every text and every attribute.
fn hide_all(text: &str) -> String {
    let (mut hidden, mut at) = (String::with_capacity(text.len()), 0);
    for found in texts(text).into_iter().filter(|found| !text[found.range.clone()].trim().is_empty()) {
        if found.range.start >= at {
            hidden.push_str(&text[at..found.range.start]);
            hidden.push_str(HIDDEN);
            at = found.range.end;
        }
    }
    hidden.push_str(&text[at..]);
    hidden
}

/// Each form that a current secret can take in a file, with what stands for it.
fn values(desired: &Content) -> BTreeMap<String, &str> {
    let mut values = BTreeMap::new();
    for mask in desired.masks() {
        values.extend(forms(mask.value.expose()).map(|form| (form, mask.shown.as_str())));
    }
    values.remove("");
    values
}

/// A value as it is, as XML has it, with and without quotes escaped, and as YAML and environment files have it.
pub(super) fn forms(value: &str) -> [String; 5] {
    let plain = quick_xml::escape::partial_escape(value).into_owned();
    let [xml, yaml, environment] = [Escape::Xml, Escape::Yaml, Escape::FromEnv].map(|escape| escape.apply(value));
    [value.to_owned(), xml, plain, yaml, environment]
}

/// Masks what is written behind a secret's name in a file that is no XML; an equal line is as the desired text shows it.
fn mask_written(text: &str, desired: &Content) -> String {
    if desired.escape() == Escape::Xml {
        return text.to_owned();
    }
    let real = std::str::from_utf8(desired.bytes().expose()).unwrap_or_default();
    let known: BTreeMap<&str, &str> = real.lines().zip(desired.shown().lines()).collect();
    by_line(text, |line| match (written_secret(line), known.get(line)) {
        (None, _) => line.to_owned(),
        (Some(_), Some(shown)) => (*shown).to_owned(),
        (Some(at), None) => format!("{}{ANOTHER}", &line[..at]),
    })
}

/// Masks texts and attributes that look like secrets; the equal one is shown as the desired text shows it.
fn mask_elements(text: &str, desired: &Content) -> String {
    let real = std::str::from_utf8(desired.bytes().expose()).unwrap_or_default();
    let shown = desired.shown();
    let known: BTreeMap<(&str, &str), &str> = texts(real)
        .into_iter()
        .zip(texts(shown))
        .filter(|(one, other)| one.name == other.name && (one.is_secret(real) || other.is_secret(shown)))
        .map(|(one, other)| ((one.name, &real[one.range]), &shown[other.range]))
        .collect();
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    for found in secret_texts(text) {
        let value = &text[found.range.clone()];
        let shown = match known.get(&(found.name, value)) {
            Some(shown) => shown,
            // Masked already.
            None if known.values().chain([&HIDDEN]).any(|shown| *shown == value) => value,
            None => ANOTHER,
        };
        masked.push_str(&text[at..found.range.start]);
        masked.push_str(shown);
        at = found.range.end;
    }
    masked.push_str(&text[at..]);
    masked
}

/// A line of the desired text that holds secrets.
struct Line<'a> {
    /// Before the first secret, without indentation.
    before: &'a str,
    /// The secrets as shown, with what is between them.
    shown: &'a str,
    /// What is there when the secrets are the current ones.
    current: [String; 5],
    /// After the last secret.
    after: &'a str,
}

impl<'a> Line<'a> {
    fn new(line: &'a str, desired: &Content) -> Option<Self> {
        let masks = || desired.masks().iter();
        let start = masks().filter_map(|mask| line.find(&mask.shown)).min()?;
        let end = masks().filter_map(|mask| line.rfind(&mask.shown).map(|at| at + mask.shown.len())).max()?;
        let shown = &line[start..end];
        let mut current = [(); 5].map(|()| shown.to_owned());
        for mask in masks() {
            for (text, form) in current.iter_mut().zip(forms(mask.value.expose())) {
                *text = text.replace(&mask.shown, &form);
            }
        }
        Some(Self { before: line[..start].trim_start(), shown, current, after: line[end..].trim_end() })
    }

    /// Where the secrets would be in an observed line that begins and ends like this one.
    fn place(&self, line: &str) -> Option<Range<usize>> {
        let indent = line.len() - line.trim_start().len();
        let middle = line.trim_start().strip_prefix(self.before)?.trim_end().strip_suffix(self.after)?;
        let start = indent + self.before.len();
        Some(start..start + middle.len())
    }

    /// What stands for an observed line that begins and ends like this one.
    fn mask(&self, line: &str) -> Option<String> {
        let body = line.trim_start();
        let indent = &line[..line.len() - body.len()];
        let middle = body.strip_prefix(self.before)?.trim_end().strip_suffix(self.after)?;
        let stands = match middle {
            "" => return None,
            _ if middle == self.shown || self.current.iter().any(|current| current == middle) => self.shown,
            _ => ANOTHER,
        };
        Some(format!("{indent}{}{stands}{}", self.before, self.after))
    }
}

/// Where secrets stand in an observed text, by the lines of the desired text that hold some.
pub(super) fn lines_with_secrets(text: &str, desired: &Content) -> Vec<Range<usize>> {
    let patterns: Vec<Line> = desired.shown().lines().filter_map(|shown| Line::new(shown, desired)).collect();
    let (mut found, mut at) = (Vec::new(), 0);
    for line in text.split_inclusive('\n') {
        let body = line.strip_suffix('\n').unwrap_or(line);
        let places = patterns.iter().filter_map(|pattern| pattern.place(body));
        found.extend(places.map(|place| at + place.start..at + place.end));
        at += line.len();
    }
    found
}

/// Masks what stands between the same beginning and end of a line as a secret of the desired text does.
fn mask_lines(text: &str, desired: &Content) -> String {
    let lines: Vec<Line> = desired.shown().lines().filter_map(|line| Line::new(line, desired)).collect();
    let mut masked = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let body = line.strip_suffix('\n').unwrap_or(line);
        match lines.iter().find_map(|pattern| pattern.mask(body)) {
            Some(mask) => masked.push_str(&mask),
            None => masked.push_str(body),
        }
        masked.push_str(&line[body.len()..]);
    }
    masked
}

/// Masks every literal occurrence of a current secret, longer ones first.
fn mask_values(text: &str, values: &BTreeMap<String, &str>) -> String {
    let mut forms: Vec<(&String, &&str)> = values.iter().collect();
    forms.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
    let mut text = text.to_owned();
    for (value, mask) in forms {
        if text.contains(value.as_str()) {
            text = text.replace(value.as_str(), mask);
        }
    }
    text
}
