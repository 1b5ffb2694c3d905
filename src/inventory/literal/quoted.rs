//! Python's quoted strings: prefixes, escapes, triple quotes, strings in a row (pure).

use super::Reader;
use super::value::Literal;

/// Where a string literal begins and what its prefix says.
pub(super) struct Opening {
    raw: bool,
    bytes: bool,
    quote: &'static str,
}

impl Reader<'_> {
    /// Strings in a row, which are one.
    pub(super) fn strings(&mut self, mut opening: Opening) -> Option<Literal> {
        let (bytes, mut whole) = (opening.bytes, Vec::new());
        loop {
            if opening.bytes != bytes || self.string(&opening, &mut whole).is_none() {
                return None;
            }
            self.skip();
            match self.opening() {
                Some(next) => opening = next,
                None => break,
            }
        }
        if bytes { Some(Literal::Bytes(whole)) } else { String::from_utf8(whole).ok().map(Literal::Text) }
    }

    /// Passes a string's prefix and its first quote over.
    pub(super) fn opening(&mut self) -> Option<Opening> {
        let end = self.rest.bytes().take(3).position(|byte| matches!(byte, b'"' | b'\''))?;
        let (prefix, quoted) = self.rest.split_at_checked(end)?;
        let (raw, bytes) = match prefix.to_ascii_lowercase().as_str() {
            "" | "u" => (false, false),
            "r" => (true, false),
            "b" => (false, true),
            "br" | "rb" => (true, true),
            _ => return None,
        };
        let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| quoted.starts_with(quote))?;
        self.rest = quoted.get(quote.len()..)?;
        Some(Opening { raw, bytes, quote })
    }

    fn string(&mut self, opening: &Opening, into: &mut Vec<u8>) -> Option<()> {
        loop {
            if let Some(rest) = self.rest.strip_prefix(opening.quote) {
                self.rest = rest;
                return Some(());
            }
            let c = self.next()?;
            if matches!(c, '\n' | '\r' | '\0') || (opening.bytes && !c.is_ascii()) {
                return None;
            }
            if c != '\\' {
                push(into, c);
            } else if opening.raw {
                push(into, c);
                let escaped = self.next().filter(|c| c.is_ascii() || !opening.bytes)?;
                push(into, escaped);
            } else {
                self.escape(opening.bytes, into)?;
            }
        }
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next();
        self.rest = chars.as_str();
        c
    }

    fn escape(&mut self, bytes: bool, into: &mut Vec<u8>) -> Option<()> {
        let c = self.next()?;
        let plain = match c {
            '\\' | '\'' | '"' => c,
            'a' => '\x07',
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            '0'..='7' => return self.octal(c, bytes, into),
            'x' => return self.code(2, bytes, into),
            'u' if !bytes => return self.code(4, bytes, into),
            'U' if !bytes => return self.code(8, bytes, into),
            'N' if !bytes => {
                let name = self.rest.strip_prefix('{')?;
                self.rest = name.get(name.find('}')? + 1..)?;
                self.refused
                    .get_or_insert("a character by its name, `\\N{...}`, is not read: write the character itself");
                return Some(());
            }
            _ if bytes && !c.is_ascii() => return None,
            '\n' | '\r' | '\0' => return None,
            // An unknown escape is both of its characters.
            _ => {
                into.push(b'\\');
                c
            }
        };
        push(into, plain);
        Some(())
    }

    fn octal(&mut self, first: char, bytes: bool, into: &mut Vec<u8>) -> Option<()> {
        let mut value = first.to_digit(8)?;
        for _ in 0..2 {
            let Some(digit) = self.rest.chars().next().and_then(|c| c.to_digit(8)) else { break };
            value = value * 8 + digit;
            self.next();
        }
        self.character(value, bytes, into)
    }

    fn code(&mut self, length: usize, bytes: bool, into: &mut Vec<u8>) -> Option<()> {
        let digits = self.rest.get(..length).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        let value = u32::from_str_radix(digits, 16).ok()?;
        self.rest = self.rest.get(length..)?;
        self.character(value, bytes, into)
    }

    fn character(&mut self, value: u32, bytes: bool, into: &mut Vec<u8>) -> Option<()> {
        if bytes {
            into.push(value.to_le_bytes()[0]);
            return Some(());
        }
        if value > 0x0010_FFFF {
            return None;
        }
        match char::from_u32(value) {
            Some(c) => push(into, c),
            None => {
                self.refused.get_or_insert("half of a surrogate pair is not a character");
            }
        }
        Some(())
    }
}

fn push(into: &mut Vec<u8>, c: char) {
    into.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}
