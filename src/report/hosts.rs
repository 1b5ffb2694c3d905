//! Lists of hosts, short enough for a line (pure).

use std::fmt::Display;

/// Names a few hosts and counts the others.
pub fn short<T: Display>(hosts: &[T]) -> String {
    const SHOWN: usize = 4;
    let names: Vec<_> = hosts.iter().take(SHOWN).map(ToString::to_string).collect();
    match hosts.len().saturating_sub(SHOWN) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

/// `1 host`, `2 hosts`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
