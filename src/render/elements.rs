//! XML elements that look as if they held a secret: found in any text, also in a broken one (pure).

use std::ops::Range;

/// What stands for a secret-looking text that no reference explains.
pub(super) const HIDDEN: &str = "‹hidden›";

/// One element's text: where it is, and the element's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found<'a> {
    /// The element.
    pub name: &'a str,
    /// Byte offsets of its text.
    pub range: Range<usize>,
}

/// Finds the texts of secret-looking elements, in order; what is not closed reaches to the end of the text.
///
/// It reads comments too: a password that somebody commented out is still one.
pub(super) fn secret_texts(text: &str) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find('<').map(|offset| at + offset + 1) {
        let name_end = text[start..].find(|c: char| !is_name(c)).map_or(text.len(), |offset| start + offset);
        let name = &text[start..name_end];
        at = name_end;
        if !looks_secret(name) {
            continue;
        }
        let Some(open_end) = text[name_end..].find('>').map(|offset| name_end + offset) else { break };
        at = open_end + 1;
        if text[..open_end].ends_with('/') {
            continue;
        }
        let end = text_end(text, name, at);
        if !text[at..end].trim().is_empty() {
            found.push(Found { name, range: at..end });
        }
        at = end;
    }
    found
}

/// Where the text of an element ends that begins at `at`: at its closing tag, over comments and CDATA, or at a child.
///
/// A cluster or a user may be called `secrets`: what it holds are elements, and only their names count.
fn text_end(text: &str, name: &str, at: usize) -> usize {
    let rest = &text[at..];
    let next = rest.find('<').map_or(rest, |next| &rest[next..]);
    let child = next.strip_prefix('<').is_some_and(|tag| !tag.starts_with(['/', '!']));
    if child {
        return text.len() - next.len();
    }
    rest.find(&format!("</{name}")).map_or(text.len(), |offset| at + offset)
}

/// Hides the texts of secret-looking elements, except references to secrets, which may be shown.
pub(super) fn hide(text: &str) -> String {
    let mut hidden = String::with_capacity(text.len());
    let mut at = 0;
    for found in secret_texts(text) {
        let value = text[found.range.clone()].trim();
        if value.is_empty() || (value.starts_with('‹') && value.ends_with('›')) {
            continue;
        }
        hidden.push_str(&text[at..found.range.start]);
        hidden.push_str(HIDDEN);
        at = found.range.end;
    }
    hidden.push_str(&text[at..]);
    hidden
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || "_-.:".contains(c)
}

fn looks_secret(name: &str) -> bool {
    const PARTS: [&str; 7] = ["password", "secret", "token", "access_key", "private_key", "key_hex", "sasl_"];
    let name = name.to_ascii_lowercase();
    PARTS.iter().any(|part| name.contains(part))
        && !name.starts_with("allow_")
        && !name.starts_with("no_")
        && !name.ends_with("mechanism")
        && !name.ends_with("mechanisms")
}
