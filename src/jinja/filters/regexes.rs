//! Filters with regular expressions (pure): in time linear to the text, so without look-around and back-references.

use std::sync::LazyLock;

use minijinja::Value;
use regex::{Captures, Regex, RegexBuilder};

use super::super::wrong::{Kind, Wrong};
use super::Call;

type Answer = Result<Value, Wrong>;

/// The largest compiled expression.
const MAX_COMPILED: usize = 1 << 20;

/// How an expression is matched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in super::super) struct Flags {
    pub ignore_case: bool,
    pub multi_line: bool,
    /// The match begins where the text does.
    pub anchored: bool,
}

/// What Rust's expressions do not have.
static BEYOND: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\(\?(?:[=!]|<[=!])|\\[1-9]").ok());

/// Compiles one of Python's regular expressions.
pub(in super::super) fn compile(pattern: &str, flags: Flags) -> Result<Regex, Wrong> {
    let beyond = BEYOND.as_ref().is_some_and(|beyond| beyond.is_match(&pattern.replace(r"\\", "")));
    if beyond {
        let message = format!("the regular expression `{pattern}` uses look-around or a back-reference");
        let hint = "write it without: they can take unbounded time, and are not read";
        return Err(Wrong::new(Kind::Unsupported, 0..0, message).hint(hint));
    }
    let text = pattern.replace(r"\Z", r"\z");
    let text = if flags.anchored { format!(r"\A(?:{text})") } else { text };
    let built = RegexBuilder::new(&text)
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.multi_line)
        .size_limit(MAX_COMPILED)
        .dfa_size_limit(MAX_COMPILED)
        .build();
    built.map_err(|error| {
        let why = error.to_string();
        let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        Wrong::new(Kind::Failed, 0..0, format!("`{pattern}` is no regular expression: {why}"))
    })
}

/// `text | regex_replace(pattern, replacement, ignorecase, multiline, count)`.
pub(super) fn replace(call: &mut Call<'_, '_>) -> Answer {
    let text = call.input_text()?;
    let (pattern, new) = (call.text("pattern")?.unwrap_or_default(), call.text("replacement")?.unwrap_or_default());
    let flags = Flags { ignore_case: call.flag("ignorecase"), multi_line: call.flag("multiline"), anchored: false };
    let count = usize::try_from(call.whole("count")?.unwrap_or(0)).unwrap_or_default();
    let mandatory = usize::try_from(call.whole("mandatory_count")?.unwrap_or(0)).unwrap_or_default();
    let regex = compile(&pattern, flags)?;
    let (mut out, mut end, mut found) = (String::new(), 0, 0);
    for captures in regex.captures_iter(&text).take(if count == 0 { usize::MAX } else { count }) {
        let Some(whole) = captures.get(0) else { continue };
        out.push_str(&text[end..whole.start()]);
        expand(call, &new, &captures, &mut out)?;
        if out.len() > super::super::budget::MAX_TEXT {
            call.budget().make(usize::MAX)?;
        }
        end = whole.end();
        found += 1;
    }
    if mandatory > 0 && mandatory != found {
        return Err(call.failed(&format!("matches {found} times, not {mandatory}")));
    }
    out.push_str(&text[end..]);
    Ok(Value::from(out))
}

/// Python's replacements: `\1`, `\g<1>`, `\g<name>`, `\n`.
fn expand(call: &Call<'_, '_>, new: &str, captures: &Captures<'_>, out: &mut String) -> Result<(), Wrong> {
    let group = |name: &str| {
        let found = match name.parse::<usize>() {
            Ok(number) if number < captures.len() => Ok(captures.get(number)),
            Ok(_) => Err(()),
            Err(_) => Ok(captures.name(name)),
        };
        let found = found.map_err(|()| call.failed(&format!("has no group `{name}` in its expression")))?;
        Ok(found.map_or("", |found| found.as_str()))
    };
    let mut rest = new;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some((name, more)) = after.strip_prefix("g<").and_then(|after| after.split_once('>')) {
            out.push_str(group(name)?);
            rest = more;
            continue;
        }
        let digits = after.bytes().take(2).take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            out.push_str(group(&after[..digits])?);
            rest = &after[digits..];
            continue;
        }
        let mut chars = after.chars();
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('\\') | None => out.push('\\'),
            Some(c) => out.extend(['\\', c]),
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    Ok(())
}

/// `text | regex_search(pattern, '\\1', ignorecase=, multiline=)`.
pub(super) fn search(call: &mut Call<'_, '_>) -> Answer {
    let text = call.input_text()?;
    let pattern = call.text("regex")?.ok_or_else(|| call.failed("lacks the argument `regex`"))?;
    let mut flags = Flags::default();
    for (name, value) in call.rest_named() {
        match name.as_str() {
            "ignorecase" => flags.ignore_case = value.is_true(),
            "multiline" => flags.multi_line = value.is_true(),
            _ => return Err(call.failed(&format!("has no argument `{name}`"))),
        }
    }
    let regex = compile(&pattern, flags)?;
    let groups = call.rest();
    let Some(captures) = regex.captures(&text) else { return Ok(Value::from(())) };
    if groups.is_empty() {
        return Ok(captures.get(0).map_or_else(|| Value::from(()), |found| Value::from(found.as_str())));
    }
    let mut parts = Vec::new();
    for group in groups {
        let group = group.to_string();
        let name = group.strip_prefix("\\g<").and_then(|name| name.strip_suffix('>'));
        let name =
            name.or_else(|| group.strip_prefix('\\')).ok_or_else(|| call.failed("takes groups such as `'\\\\1'`"))?;
        let found = match name.parse::<usize>() {
            Ok(number) if number < captures.len() => captures.get(number),
            Err(_) if regex.capture_names().flatten().any(|known| known == name) => captures.name(name),
            _ => return Err(call.failed(&format!("has no group `{name}` in its expression"))),
        };
        parts.push(found.map_or_else(|| Value::from(()), |found| Value::from(found.as_str())));
    }
    Ok(Value::from(parts))
}

/// `text | regex_findall(pattern, multiline, ignorecase)`.
pub(super) fn findall(call: &mut Call<'_, '_>) -> Answer {
    let text = call.input_text()?;
    let pattern = call.text("regex")?.ok_or_else(|| call.failed("lacks the argument `regex`"))?;
    let multi_line = call.flag("multiline");
    let flags = Flags { multi_line, ignore_case: call.flag("ignorecase"), anchored: false };
    let regex = compile(&pattern, flags)?;
    let mut all = Vec::new();
    for captures in regex.captures_iter(&text) {
        call.budget().spend(captures.len())?;
        let part = |at: usize| Value::from(captures.get(at).map_or("", |found| found.as_str()));
        all.push(match captures.len() {
            1 => part(0),
            2 => part(1),
            count => Value::from((1..count).map(part).collect::<Vec<_>>()),
        });
    }
    Ok(Value::from(all))
}

/// A text as an expression that matches it: Python's characters, so that equal input gives equal text.
pub(super) fn escape(call: &mut Call<'_, '_>) -> Answer {
    let text = call.input_text()?;
    let kind = call.text("re_type")?.unwrap_or_else(|| "python".to_owned());
    let special = match kind.as_str() {
        "python" => "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}",
        "posix_basic" => "].[^$*\\",
        _ => return Err(call.failed("knows `python` and `posix_basic`")),
    };
    call.budget().make(text.len().saturating_mul(2))?;
    let mut out = String::new();
    for c in text.chars() {
        if special.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    Ok(Value::from(out))
}
