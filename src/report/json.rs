//! Events as JSON lines on stdout, for machines (edge).

use std::io::Write;

use crate::event::{Event, Sink};

/// Writes each event as one JSON object on a line of its own.
#[derive(Debug, Default)]
pub struct JsonLines;

impl Sink for JsonLines {
    fn emit(&self, event: Event) {
        if let Ok(line) = serde_json::to_string(&event) {
            let _ = writeln!(std::io::stdout().lock(), "{line}");
        }
    }
}
