//! Lines and blanks as Python's `str.splitlines` and `str.strip` have them (pure).

/// What a line says, and where in the text that begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    pub(super) start: usize,
}

impl<'a> Line<'a> {
    /// A part of the text, without the blanks around it.
    pub(super) fn new(text: &'a str, start: usize) -> Self {
        let begun = text.trim_start_matches(blank);
        Self { text: begun.trim_end_matches(blank), start: start + text.len() - begun.len() }
    }

    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// Every line that is not empty and no comment.
pub(super) fn all(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0;
    text.split(ends_line)
        .map(move |part| {
            let line = Line::new(part, start);
            let end = start + part.len();
            start = end + text.get(end..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
            line
        })
        .filter(|line| !line.text.is_empty() && !line.text.starts_with([';', '#']))
}

/// A text without the blanks around it.
pub(super) fn strip(text: &str) -> &str {
    text.trim_matches(blank)
}

/// What Python takes for a blank: Unicode's, and the four separators of ASCII.
pub(super) fn blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\x1c'..='\x1f')
}

fn ends_line(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
}
