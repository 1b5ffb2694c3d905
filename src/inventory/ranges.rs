//! Expands the ranges of host names, `data-[01:30]`, `rack-[a:f]`, `[0:10:2]`, as Ansible does (pure; bounded).

use std::sync::LazyLock;

use regex::Regex;

/// More hosts than one line may stand for.
const MAX_NAMES: usize = 100_000;

/// Expands every range of a name, the last one fastest; a name without ranges is itself.
///
/// # Errors
/// Says in one sentence which rule a range breaks.
pub fn expand(pattern: &str) -> Result<Vec<String>, String> {
    let mut names = vec![String::new()];
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('[') {
        let (range, behind) = after.split_once(']').ok_or("a `[` without its `]`")?;
        let values = values(range)?;
        if names.len().saturating_mul(values.len()) > MAX_NAMES {
            return Err(format!("it stands for more than {MAX_NAMES} hosts"));
        }
        names =
            names.iter().flat_map(|name| values.iter().map(move |value| format!("{name}{before}{value}"))).collect();
        rest = behind;
    }
    if rest.contains(']') {
        return Err("a `]` without its `[`".to_owned());
    }
    names.iter_mut().for_each(|name| name.push_str(rest));
    Ok(names)
}

/// Splits the port off `name:2222` or `[fe80::1]:2222`; what Ansible takes for no address keeps its `:2222` as part of the name.
///
/// # Errors
/// The port is beyond 65535.
pub fn split_port(pattern: &str) -> Result<(&str, Option<u16>), String> {
    let (mut address, mut digits) = (pattern, None);
    // One after the other, as in Ansible: the `3` of `[name:3]:22` is a port too.
    for split in [bracketed, behind_name] {
        if let Some((before, port)) = split(address) {
            (address, digits) = (before, Some(port));
        }
    }
    let Some(digits) = digits.filter(|_| is_name(address) || is_ipv6(address)) else { return Ok((pattern, None)) };
    let port: u16 = digits.parse().map_err(|_| format!("the port {digits} is beyond 65535"))?;
    Ok((address, Some(port).filter(|port| *port > 0)))
}

/// `[anything]:22`.
fn bracketed(address: &str) -> Option<(&str, &str)> {
    let (before, port) = port(address)?;
    let inner = before.strip_prefix('[')?.strip_suffix(']')?;
    (!inner.is_empty()).then_some((inner, port))
}

/// `anything:22`, where colons stand only in brackets.
fn behind_name(address: &str) -> Option<(&str, &str)> {
    let (name, port) = port(address)?;
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('[') {
        let (_, behind) = after.split_once(']')?;
        if before.contains([':', ']']) {
            return None;
        }
        rest = behind;
    }
    (!rest.contains([':', ']'])).then_some((name, port))
}

fn port(address: &str) -> Option<(&str, &str)> {
    let (before, digits) = address.rsplit_once(':')?;
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some((before, digits))
}

/// Labels with dots between them, of letters, digits, `-`, `_` and ranges; no label begins with `-` or ends with `-` or `_`.
fn is_name(mut rest: &str) -> bool {
    let mut last = '.';
    loop {
        if let Some(behind) = behind_range(rest) {
            (rest, last) = (behind, ']');
            continue;
        }
        let mut chars = rest.chars();
        match chars.next() {
            None => return !matches!(last, '.' | '-' | '_'),
            Some('.') if matches!(last, '.' | '-' | '_') => return false,
            Some('-') if last == '.' => return false,
            Some(c) if c.is_alphanumeric() || "._-".contains(c) => last = c,
            Some(_) => return false,
        }
        rest = chars.as_str();
    }
}

/// What follows `[1:3]`, `[a:f]` or either with a step.
fn behind_range(text: &str) -> Option<&str> {
    let (range, behind) = text.strip_prefix('[')?.split_once(']')?;
    let mut parts = range.split(':');
    let (first, last, step) = (parts.next()?, parts.next()?, parts.next());
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let letter = |text: &str| matches!(text.as_bytes(), [byte] if byte.is_ascii_alphabetic());
    let both = (digits(first) && digits(last)) || (letter(first) && letter(last));
    (both && step.is_none_or(digits) && parts.next().is_none()).then_some(behind)
}

/// An IPv6 address, with ranges in the place of groups or without.
fn is_ipv6(address: &str) -> bool {
    const GROUP: &str = r"(?:[0-9a-f]{1,4}|\[[0-9a-f]+:[0-9a-f]+(?::[0-9]+)?\])";
    static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let ipv4 = r"(?:G\.){3}G";
        let mut forms =
            vec!["(?:G:){7}G".to_owned(), "(?:G:){1,6}:".to_owned(), ":(?::G){1,6}".to_owned(), "G?::".to_owned()];
        forms.extend((1..=6).map(|before| format!("(?:G:){{{before}}}(?::G){{1,{}}}", 7 - before)));
        forms.extend(["(?:0:){6}", "::(?:ffff:)?", "(?:0:){5}ffff:"].map(|before| format!("{before}{ipv4}")));
        Regex::new(&format!("(?i)^(?:{})$", forms.join("|").replace('G', GROUP))).ok()
    });
    FORM.as_ref().is_some_and(|form| form.is_match(address))
}

fn values(range: &str) -> Result<Vec<String>, String> {
    let mut parts = range.split(':');
    let (start, end, step) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    let end = end.filter(|end| !end.is_empty()).ok_or_else(|| format!("the range `[{range}]` has no end"))?;
    if parts.next().is_some() {
        return Err(format!("the range `[{range}]` has more than start, end and step"));
    }
    let step: usize = match step {
        None => 1,
        Some(step) => step
            .parse()
            .ok()
            .filter(|step| *step > 0)
            .ok_or_else(|| format!("the step of the range `[{range}]` is not a whole number from 1"))?,
    };
    let values = match (letter(start), letter(end)) {
        (Some(first), Some(last)) => letters(first, last, step),
        _ => numbers(start, end, step, range)?,
    };
    if values.is_empty() { Err(format!("the range `[{range}]` ends before it starts")) } else { Ok(values) }
}

fn numbers(start: &str, end: &str, step: usize, range: &str) -> Result<Vec<String>, String> {
    let start = if start.is_empty() { "0" } else { start };
    let padded = start.len() > 1 && start.starts_with('0');
    if padded && start.len() != end.len() {
        return Err(format!("start and end of the range `[{range}]` must have equally many digits"));
    }
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u64>().ok()).flatten()
    };
    let (Some(first), Some(last)) = (number(start), number(end)) else {
        return Err(format!("the range `[{range}]` is neither of numbers nor of single letters"));
    };
    if last.saturating_sub(first) / step as u64 >= MAX_NAMES as u64 {
        return Err(format!("the range `[{range}]` stands for more than {MAX_NAMES} hosts"));
    }
    let width = if padded { start.len() } else { 0 };
    Ok((first..=last).step_by(step).map(|value| format!("{value:0width$}")).collect())
}

/// Lowercase letters come before uppercase ones.
fn letters(first: usize, last: usize, step: usize) -> Vec<String> {
    let alphabet = ('a'..='z').chain('A'..='Z');
    alphabet.skip(first).take((last + 1).saturating_sub(first)).step_by(step).map(String::from).collect()
}

fn letter(text: &str) -> Option<usize> {
    let mut chars = text.chars();
    let only = chars.next().filter(|_| chars.next().is_none())?;
    ('a'..='z').chain('A'..='Z').position(|candidate| candidate == only)
}

#[cfg(test)]
mod tests {
    use super::expand;
    use proptest::prelude::*;

    #[test]
    fn ranges_expand_as_in_ansible() {
        assert_eq!(expand("data").unwrap(), ["data"]);
        assert_eq!(expand("data-[01:03]").unwrap(), ["data-01", "data-02", "data-03"]);
        assert_eq!(expand("data-[8:10].x").unwrap(), ["data-8.x", "data-9.x", "data-10.x"]);
        assert_eq!(expand("[:2]").unwrap(), ["0", "1", "2"]);
        assert_eq!(expand("r-[a:c]").unwrap(), ["r-a", "r-b", "r-c"]);
        assert_eq!(expand("r-[0:10:5]").unwrap(), ["r-0", "r-5", "r-10"]);
        assert_eq!(expand("[1:2]-[a:b]").unwrap(), ["1-a", "1-b", "2-a", "2-b"]);
    }

    #[test]
    fn bad_ranges_say_what_is_wrong() {
        for (pattern, why) in [
            ("a[1:2", "a `[` without its `]`"),
            ("a1]", "a `]` without its `[`"),
            ("a[1]", "the range `[1]` has no end"),
            ("a[3:1]", "the range `[3:1]` ends before it starts"),
            ("a[01:100]", "start and end of the range `[01:100]` must have equally many digits"),
            ("a[1:x]", "the range `[1:x]` is neither of numbers nor of single letters"),
            ("a[1:2:0]", "the step of the range `[1:2:0]` is not a whole number from 1"),
            ("a[0:9999999999]", "the range `[0:9999999999]` stands for more than 100000 hosts"),
            ("a[0:999][0:999]", "it stands for more than 100000 hosts"),
        ] {
            assert_eq!(expand(pattern).unwrap_err(), why, "{pattern}");
        }
    }

    #[test]
    fn a_port_is_split_off_where_ansible_splits_it_off() {
        use super::split_port;
        for (pattern, name, port) in [
            ("data-[1:3]:2222", "data-[1:3]", Some(2222)),
            ("data-1:22", "data-1", Some(22)),
            ("data-1:0", "data-1", None),
            ("data-[1:3]", "data-[1:3]", None),
            ("data-[a:f:2].x:22", "data-[a:f:2].x", Some(22)),
            ("fe80::1", "fe80::1", None),
            ("[fe80::1]:22", "fe80::1", Some(22)),
            ("[fe80::[1:3]]:22", "fe80::[1:3]", Some(22)),
            ("[::ffff:10.0.0.1]:22", "::ffff:10.0.0.1", Some(22)),
            ("[db]:22", "db", Some(22)),
            ("[db:3]:22", "db", Some(3)),
            ("10.0.0.1:22", "10.0.0.1", Some(22)),
            (":1", ":1", None),
            ("db-:22", "db-:22", None),
            ("a..b:22", "a..b:22", None),
            ("db[:3]:22", "db[:3]:22", None),
            ("user@db:22", "user@db:22", None),
        ] {
            assert_eq!(split_port(pattern), Ok((name, port)), "{pattern}");
        }
        assert_eq!(split_port("db:65536").unwrap_err(), "the port 65536 is beyond 65535");
    }

    proptest! {
        #[test]
        fn any_text_expands_or_fails_within_bounds(text in r"[a-z\[\]:0-9é]{0,24}|.{0,40}") {
            if let Ok(names) = expand(&text) {
                prop_assert!(names.len() <= super::MAX_NAMES);
            }
        }
    }
}
