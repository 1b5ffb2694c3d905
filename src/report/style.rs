//! The few colours that are used, each with one meaning; output makes sense without them (pure).

use anstyle::{AnsiColor, Style};

/// Added, done.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Removed, failed.
pub const BAD: Style = AnsiColor::Red.on_default();
/// Changed, held, waiting.
pub const WARN: Style = AnsiColor::Yellow.on_default();
/// Places and hunks.
pub const PLACE: Style = AnsiColor::Cyan.on_default();
/// Headings.
pub const HEAD: Style = Style::new().bold();
/// Reasons and hints.
pub const QUIET: Style = Style::new().dimmed();

/// Wraps a text in a style.
pub fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}
