//! Events as JSON lines on stdout, for machines (edge).

use std::io::Write;

use serde::Serialize;

use crate::event::{Event, Sink};

/// The form of the events, in each of them; it changes when a reader of the older one could misread a newer one.
pub const EVENT_SCHEMA: u64 = 1;

/// Writes each event as one JSON object on a line of its own.
#[derive(Debug, Default)]
pub struct JsonLines;

impl Sink for JsonLines {
    fn emit(&self, event: Event) {
        let _ = writeln!(std::io::stdout().lock(), "{}", event_line(&event));
    }
}

/// An event with the form that it has.
#[derive(Serialize)]
struct Line<'a, T> {
    schema: u64,
    #[serde(flatten)]
    event: &'a T,
}

/// One line, without its end.
#[must_use]
pub fn event_line(event: &impl Serialize) -> String {
    serde_json::to_string(&Line { schema: EVENT_SCHEMA, event }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_says_its_form() {
        let event = Event::WaveFinished { wave: 1 };
        assert_eq!(event_line(&event), r#"{"schema":1,"event":"wave-finished","wave":1}"#);
        assert_eq!(event_line(&serde_json::json!({ "event": "planned" })), r#"{"schema":1,"event":"planned"}"#);
    }
}
