//! Dates and times as PyYAML reads them and Python's `isoformat` writes them (pure).

use crate::inventory::node::NodeValue;

const WRONG: &str = "there is no such day or time";

/// What is a date, or a date with a time, also without a tag; nothing where the text has another form.
pub(super) fn read(text: &str) -> Option<Result<NodeValue, &'static str>> {
    any(text).filter(|_| text.len() == 10 || text.contains(':'))
}

/// A date, where month and day may have one digit, or a date with a time.
pub(super) fn any(text: &str) -> Option<Result<NodeValue, &'static str>> {
    let mut rest = Rest(text);
    let year = rest.digits(4, 4)?;
    let month = rest.after("-", 1, 2)?;
    let day = rest.after("-", 1, 2)?;
    let date = format!("{year:04}-{month:02}-{day:02}");
    if rest.0.is_empty() {
        return Some(if is_day(year, month, day) { Ok(NodeValue::Text(date)) } else { Err(WRONG) });
    }
    let blank = rest.blanks();
    if !blank {
        rest.0 = rest.0.strip_prefix(['T', 't'])?;
    }
    let hour = rest.digits(1, 2)?;
    let minute = rest.after(":", 2, 2)?;
    let second = rest.after(":", 2, 2)?;
    let mut written = format!("{date}T{hour:02}:{minute:02}:{second:02}");
    if let Some(fraction) = rest.0.strip_prefix('.') {
        let end = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
        let (digits, behind) = fraction.split_at_checked(end)?;
        rest.0 = behind;
        let millionths = format!("{:0<6}", digits.get(..6).unwrap_or(digits));
        if millionths != "000000" {
            written = format!("{written}.{millionths}");
        }
    }
    rest.blanks();
    let mut offset = 0;
    if rest.0 == "Z" {
        written.push_str("+00:00");
    } else if let Some(sign) = rest.0.chars().next() {
        rest.0 = rest.0.strip_prefix(['+', '-'])?;
        let hours = rest.digits(1, 2)?;
        let minutes = if rest.0.is_empty() { 0 } else { rest.after(":", 2, 2)? };
        if !rest.0.is_empty() {
            return None;
        }
        offset = hours * 60 + minutes;
        let sign = if sign == '-' && offset > 0 { '-' } else { '+' };
        written = format!("{written}{sign}{:02}:{:02}", offset / 60, offset % 60);
    } else if text.ends_with([' ', '\t']) {
        return None;
    }
    let right = is_day(year, month, day) && hour < 24 && minute < 60 && second < 60 && offset < 24 * 60;
    Some(if right { Ok(NodeValue::Text(written)) } else { Err(WRONG) })
}

struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn digits(&mut self, least: usize, most: usize) -> Option<u32> {
        let count = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at_checked(count).filter(|_| count >= least)?;
        self.0 = rest;
        digits.parse().ok()
    }

    fn after(&mut self, before: &str, least: usize, most: usize) -> Option<u32> {
        self.0 = self.0.strip_prefix(before)?;
        self.digits(least, most)
    }

    fn blanks(&mut self) -> bool {
        let rest = self.0.trim_start_matches([' ', '\t']);
        let some = rest.len() < self.0.len();
        self.0 = rest;
        some
    }
}

fn is_day(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    };
    year > 0 && (1..=days).contains(&day)
}
