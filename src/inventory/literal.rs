//! Reads an INI value as Ansible does: a Python literal is its value, anything else is the text itself (pure; bounded in depth).
//!
//! The literals are those of `ast.literal_eval` on one line
//! (<https://docs.python.org/3/library/ast.html#ast.literal_eval>).

mod quoted;
mod value;

use super::node::NodeValue;
use super::number;
use crate::problem::Span;
use crate::secret::without_markers;
use value::{Kind, Literal};

/// As deep as a YAML document may be.
const MAX_DEPTH: usize = 64;
/// More values than one line of any inventory holds.
const MAX_ATOMS: usize = 200_000;

/// Reads a value; every part of it stands at `span`.
///
/// # Errors
/// Says in one sentence why Ansible refuses the value, or why it cannot be held.
pub fn read(text: &str, span: &Span) -> Result<NodeValue, &'static str> {
    let mut reader = Reader { rest: text.trim_start_matches([' ', '\t']), depth: 0, atoms: 0, refused: None };
    match reader.whole() {
        None if reader.depth > MAX_DEPTH => Err("nested too deeply"),
        None if reader.atoms > MAX_ATOMS => Err("too many values"),
        None => Ok(NodeValue::Text(without_markers(text).into_owned())),
        Some(literal) => reader.refused.map_or_else(|| literal.into_value(span), Err),
    }
}

/// Every method gives nothing where the text is not a literal.
struct Reader<'a> {
    rest: &'a str,
    depth: usize,
    atoms: usize,
    /// The first part that is a literal and still no value.
    refused: Option<&'static str>,
}

impl Reader<'_> {
    fn whole(&mut self) -> Option<Literal> {
        self.skip();
        let literal = self.tuple_until("")?;
        self.rest.is_empty().then_some(literal.0)
    }

    /// Passes blanks and a comment over.
    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\x0c']);
        if self.rest.starts_with('#') && !self.rest.contains(['\n', '\r']) {
            self.rest = "";
        }
    }

    fn take(&mut self, token: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(token) else { return false };
        self.rest = rest;
        self.skip();
        true
    }

    /// One expression, or several with commas, which are a tuple; the end stays.
    fn tuple_until(&mut self, end: &str) -> Option<(Literal, Kind)> {
        let ends = |rest: &str| if end.is_empty() { rest.is_empty() } else { rest.starts_with(end) };
        let first = self.expression()?;
        if !self.rest.starts_with(',') {
            return Some(first);
        }
        let mut items = vec![first.0];
        while self.take(",") && !ends(self.rest) {
            items.push(self.expression()?.0);
        }
        Some((Literal::Tuple(items), Kind::Other))
    }

    /// A signed atom, or a real number plus or minus an imaginary one.
    fn expression(&mut self) -> Option<(Literal, Kind)> {
        let left = self.signed()?;
        let minus = self.rest.starts_with('-');
        if !minus && !self.rest.starts_with('+') {
            return Some(left);
        }
        self.take(if minus { "-" } else { "+" });
        let right = self.atom()?;
        let (Kind::Number | Kind::Signed, Kind::Number) = (left.1, right.1) else { return None };
        Some((left.0.plus(&right.0, minus)?, Kind::Other))
    }

    fn signed(&mut self) -> Option<(Literal, Kind)> {
        if self.take("+") {
            let (number, Kind::Number) = self.atom()? else { return None };
            return Some((number, Kind::Signed));
        }
        if self.take("-") {
            let (number, Kind::Number) = self.atom()? else { return None };
            return Some((number.negated(), Kind::Signed));
        }
        self.atom()
    }

    fn atom(&mut self) -> Option<(Literal, Kind)> {
        (self.depth, self.atoms) = (self.depth + 1, self.atoms + 1);
        if self.depth > MAX_DEPTH || self.atoms > MAX_ATOMS {
            return None;
        }
        let atom = self.opened()?;
        self.depth -= 1;
        self.skip();
        Some(atom)
    }

    fn opened(&mut self) -> Option<(Literal, Kind)> {
        let other = |literal| Some((literal, Kind::Other));
        if let Some(opening) = self.opening() {
            return other(self.strings(opening)?);
        }
        match self.rest.chars().next()? {
            '(' => {
                self.take("(");
                if self.take(")") {
                    return other(Literal::Tuple(Vec::new()));
                }
                let inner = self.tuple_until(")")?;
                self.take(")").then_some(inner)
            }
            '[' => {
                self.take("[");
                other(Literal::List(self.items("]")?))
            }
            '{' => {
                self.take("{");
                other(self.braces()?)
            }
            '.' if self.take("...") => other(Literal::Text("...".to_owned())),
            '.' | '0'..='9' => Some((self.number()?, Kind::Number)),
            _ => other(self.name()?),
        }
    }

    fn items(&mut self, end: &str) -> Option<Vec<Literal>> {
        let mut items = Vec::new();
        while !self.take(end) {
            items.push(self.expression()?.0);
            if !self.take(",") {
                return self.take(end).then_some(items);
            }
        }
        Some(items)
    }

    fn braces(&mut self) -> Option<Literal> {
        if self.take("}") {
            return Some(Literal::Map(Vec::new()));
        }
        let first = self.expression()?.0;
        if !self.take(":") {
            let mut items = vec![first];
            if self.take(",") {
                items.extend(self.items("}")?);
            } else if !self.take("}") {
                return None;
            }
            return Some(self.unique(items));
        }
        let mut entries = vec![(first, self.expression()?.0)];
        while self.take(",") && !self.rest.starts_with('}') {
            let key = self.expression()?.0;
            if !self.take(":") {
                return None;
            }
            entries.push((key, self.expression()?.0));
        }
        if entries.iter().any(|(key, _)| !key.hashable()) {
            self.refused.get_or_insert("a list or mapping cannot be the key of a mapping");
        }
        self.take("}").then_some(Literal::Map(entries))
    }

    fn unique(&mut self, items: Vec<Literal>) -> Literal {
        if items.iter().any(|item| !item.hashable()) {
            self.refused.get_or_insert("a list or mapping cannot be in a set");
        }
        Literal::set(items)
    }

    fn name(&mut self) -> Option<Literal> {
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        match name {
            "True" => Some(Literal::Bool(true)),
            "False" => Some(Literal::Bool(false)),
            "None" => Some(Literal::None),
            "set" => {
                self.skip();
                (self.take("(") && self.take(")")).then(|| Literal::set(Vec::new()))
            }
            _ => None,
        }
    }

    fn number(&mut self) -> Option<Literal> {
        for (prefix, base) in [("0x", 16), ("0o", 8), ("0b", 2)] {
            if self.rest.get(..2).is_some_and(|start| start.eq_ignore_ascii_case(prefix)) {
                self.rest = self.rest.get(2..)?;
                self.rest = self.rest.strip_prefix('_').unwrap_or(self.rest);
                let digits = self.digits(base)?;
                return self.ended().then(|| number::integer(false, &digits, base)).flatten().map(Literal::Integer);
            }
        }
        let whole = self.digits(10);
        let mut text = whole.clone().unwrap_or_default();
        let mut float = false;
        if let Some(rest) = self.rest.strip_prefix('.') {
            self.rest = rest;
            let fraction = self.digits(10);
            if whole.is_none() && fraction.is_none() {
                return None;
            }
            text = format!("{text}.{}", fraction.unwrap_or_default());
            float = true;
        }
        if let Some(rest) = self.rest.strip_prefix(['e', 'E']) {
            let sign = if rest.starts_with('-') { "-" } else { "" };
            self.rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
            text = format!("{text}e{sign}{}", self.digits(10)?);
            float = true;
        }
        if let Some(rest) = self.rest.strip_prefix(['j', 'J']) {
            self.rest = rest;
            return self.ended().then(|| text.parse().ok().map(|imaginary| Literal::Complex(0.0, imaginary)))?;
        }
        if !self.ended() {
            return None;
        }
        if float {
            return text.parse().ok().map(Literal::Float);
        }
        let octal_of_python_2 = text.starts_with('0') && text.contains(|c: char| c != '0');
        if octal_of_python_2 { None } else { number::integer(false, &text, 10).map(Literal::Integer) }
    }

    /// Digits with single underscores between them.
    fn digits(&mut self, base: u32) -> Option<String> {
        let (mut digits, mut end) = (String::new(), 0);
        let mut chars = self.rest.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().is_some_and(|(_, next)| next.is_digit(base));
            if c.is_digit(base) {
                digits.push(c);
            } else if c != '_' || digits.is_empty() || !next {
                break;
            }
            end = at + 1;
        }
        self.rest = self.rest.get(end..)?;
        (!digits.is_empty()).then_some(digits)
    }

    /// A number ends before anything that could be part of a name.
    fn ended(&self) -> bool {
        !self.rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')
    }
}

#[cfg(test)]
mod tests;
