//! The parts of a host pattern (pure): how Ansible splits and orders them, and their slices.

use std::net::Ipv6Addr;

/// A slice of what a part selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slice {
    /// One host; from the end where the number is negative.
    One(i64),
    /// From the first to the last, which is in it, or to the end.
    Range(usize, Option<usize>),
}

/// Splits at commas; where there are none, at colons and blanks, unless the whole is one address.
pub(super) fn split(pattern: &str) -> Vec<String> {
    let parts: Vec<String> = if pattern.contains(',') {
        pattern.split(',').map(str::to_owned).collect()
    } else if is_address(pattern) {
        vec![pattern.to_owned()]
    } else {
        at_colons(pattern)
    };
    parts.iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// Parts between colons and blanks; brackets are kept whole, and one without its other end separates too.
fn at_colons(pattern: &str) -> Vec<String> {
    let (mut parts, mut part, mut rest) = (Vec::new(), String::new(), pattern);
    while let Some(c) = rest.chars().next() {
        let bracket = rest.strip_prefix('[').and_then(|inside| inside.find(']')).map(|end| end + 2);
        let taken = match (c, bracket) {
            ('[', Some(length)) => Some(length),
            ('[' | ']' | ':', _) => None,
            (c, _) if c.is_whitespace() => None,
            (c, _) => Some(c.len_utf8()),
        };
        if let Some(length) = taken {
            part.push_str(&rest[..length]);
        } else {
            parts.push(std::mem::take(&mut part));
        }
        rest = &rest[taken.unwrap_or(c.len_utf8())..];
    }
    parts.push(part);
    parts
}

/// A host's name or address, perhaps with ranges and a port: its colons separate nothing.
fn is_address(pattern: &str) -> bool {
    let host = match pattern.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
            let plain = outside_of_brackets(host).is_some_and(|outside| !outside.contains(':'));
            inside.or_else(|| plain.then_some(host)).unwrap_or(pattern)
        }
        _ => pattern,
    };
    host.parse::<Ipv6Addr>().is_ok()
        || outside_of_brackets(host).is_some_and(|outside| {
            outside.split('.').all(|label| {
                let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
                !label.is_empty()
                    && label.chars().all(allowed)
                    && !label.starts_with('-')
                    && !label.ends_with(['-', '_'])
            })
        })
}

/// The text with a letter in the place of each `[x:y]`; nothing where a bracket holds something else.
fn outside_of_brackets(text: &str) -> Option<String> {
    let (mut outside, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('[') {
        let (inside, behind) = after.split_once(']')?;
        let bounds: Vec<&str> = inside.split(':').collect();
        let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let letter = |text: &str| text.len() == 1 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        let is_range = match bounds.as_slice() {
            [first, last] => number(first) && number(last) || letter(first) && letter(last),
            [first, last, step] => (number(first) && number(last) || letter(first) && letter(last)) && number(step),
            _ => false,
        };
        if !is_range || before.contains(']') {
            return None;
        }
        outside.push_str(before);
        outside.push('x');
        rest = behind;
    }
    outside.push_str(rest);
    (!outside.contains(']')).then_some(outside)
}

/// Unions, then intersections, then exclusions; without a union, of all hosts.
pub(super) fn ordered(terms: Vec<String>) -> Vec<String> {
    let terms: Vec<String> = terms.into_iter().filter(|term| !term.is_empty()).collect();
    let with = |start: char| terms.iter().filter(move |term| term.starts_with(start)).cloned();
    let mut ordered: Vec<String> = terms.iter().filter(|term| !term.starts_with(['&', '!'])).cloned().collect();
    if ordered.is_empty() && !terms.is_empty() {
        ordered.push("all".to_owned());
    }
    ordered.extend(with('&').collect::<Vec<_>>());
    ordered.extend(with('!').collect::<Vec<_>>());
    ordered
}

/// Takes `[0]`, `[-1]`, `[0:2]`, `[1:]` from a part's end.
pub(super) fn subscript(term: &str) -> (&str, Option<Slice>) {
    let Some((name, inside)) = term.strip_suffix(']').and_then(|term| term.rsplit_once('[')) else {
        return (term, None);
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let slice = if digits(inside.strip_prefix('-').unwrap_or(inside)) {
        inside.parse().ok().map(Slice::One)
    } else {
        inside.split_once(':').or_else(|| inside.split_once('-')).and_then(|(start, end)| {
            let start = start.parse().ok().filter(|_| digits(start))?;
            match end.parse::<usize>().ok().filter(|_| digits(end)) {
                // Ansible takes an end of 0 for one host.
                Some(0) => Some(Slice::One(i64::try_from(start).ok()?)),
                Some(end) => Some(Slice::Range(start, Some(end))),
                None => end.is_empty().then_some(Slice::Range(start, None)),
            }
        })
    };
    match slice {
        Some(slice) if !name.is_empty() => (name, Some(slice)),
        _ => (term, None),
    }
}
