//! Splits a host's line into words as Python's `shlex.split(line, comments=True)` does (pure).

/// A word without its quotes and escapes, and where it stands in the line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Where its first `=` stands.
    pub(super) equals: Option<usize>,
}

/// A quote or escape that the line does not end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unclosed {
    pub(super) at: usize,
    pub(super) why: &'static str,
    pub(super) hint: &'static str,
}

/// Splits at blanks outside quotes; `#` begins a comment, in the middle of a word too.
pub(super) fn split(line: &str) -> Result<Vec<Word>, Unclosed> {
    let mut words: Vec<Word> = Vec::new();
    let mut open: Option<Word> = None;
    let mut chars = line.char_indices();
    while let Some((at, c)) = chars.next() {
        if matches!(c, ' ' | '\t' | '\r' | '\n') {
            words.extend(open.take());
            continue;
        }
        if c == '#' {
            break;
        }
        let word = open.get_or_insert_with(|| Word { text: String::new(), start: at, end: at, equals: None });
        word.end = match c {
            '"' | '\'' => quoted(&mut chars, word, at, c)?,
            '\\' => {
                let (at, c) = chars.next().ok_or(Unclosed {
                    at,
                    why: "a `\\` with nothing behind it",
                    hint: "write `\\\\` for a backslash, or put the value into single quotes",
                })?;
                push(word, at, c)
            }
            _ => push(word, at, c),
        };
    }
    words.extend(open);
    Ok(words)
}

/// In double quotes a backslash escapes `"` and itself.
fn quoted(
    chars: &mut std::str::CharIndices<'_>,
    word: &mut Word,
    opened: usize,
    quote: char,
) -> Result<usize, Unclosed> {
    let hint = "close it, or write `\\'` or `\\\"` for the character itself";
    let unclosed = Unclosed { at: opened, why: "a quote that the line does not close", hint };
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return Ok(at + 1);
        }
        if c != '\\' || quote == '\'' {
            push(word, at, c);
            continue;
        }
        let Some((at, escaped)) = chars.next() else { return Err(unclosed) };
        if !matches!(escaped, '\\' | '"') {
            word.text.push('\\');
        }
        push(word, at, escaped);
    }
    Err(unclosed)
}

fn push(word: &mut Word, at: usize, c: char) -> usize {
    if c == '=' && word.equals.is_none() {
        word.equals = Some(at);
    }
    word.text.push(c);
    at + c.len_utf8()
}
