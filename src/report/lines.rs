//! Plain lines for logs and pipes (edge).

use std::io::Write;

use super::hosts::{count, short};
use super::style::{BAD, GOOD, HEAD, QUIET, WARN, paint};
use crate::event::{Event, Sink};

/// Writes one line per thing worth knowing to stderr.
#[derive(Debug, Default)]
pub struct Lines;

impl Sink for Lines {
    fn emit(&self, event: Event) {
        for line in text(&event) {
            let _ = writeln!(anstream::stderr().lock(), "{line}");
        }
    }
}

/// The lines of an event; none for what only a moving display shows.
pub(super) fn text(event: &Event) -> Vec<String> {
    let hint = |hint: &Option<String>| {
        hint.iter().map(|hint| format!("    {}", paint(QUIET, format!("hint: {hint}")))).collect()
    };
    match event {
        Event::HostUnreachable { host, reason, hint: next } => {
            let mut lines: Vec<String> = hint(next);
            lines.insert(0, format!("{} {host}: {reason}", paint(BAD, "x")));
            lines
        }
        Event::ObserveFinished { reached, unreachable: 0 } => {
            vec![paint(QUIET, format!("asked {}", count(*reached, "host")))]
        }
        Event::ObserveFinished { reached, unreachable } => {
            vec![paint(QUIET, format!("asked {}, {unreachable} did not answer", count(reached + unreachable, "host")))]
        }
        Event::WaveStarted { wave, waves, title, hosts } => vec![format!(
            "{}  {}",
            paint(HEAD, format!("wave {wave} of {waves}: {title}")),
            paint(QUIET, format!("on {}", short(hosts)))
        )],
        Event::StepFinished { host, step } => vec![format!("  {} {host}: {step}", paint(GOOD, "."))],
        Event::GateWaiting { host, gate, because } => {
            vec![format!("  {} {host}: {gate}: {because}", paint(WARN, "~"))]
        }
        Event::ConnectRetried { host, reason, attempt, pause_ms } => {
            let pause = format!("{}.{} s", pause_ms / 1000, pause_ms % 1000 / 100);
            vec![format!("  {} {host}: {reason}; attempt {} in {pause}", paint(WARN, "~"), attempt + 1)]
        }
        Event::AnswerLost { host, step, reason } => {
            vec![format!("  {} {host}: {step}: {reason}; looking what is done by now", paint(WARN, "~"))]
        }
        Event::FallbackStarted { host, step, reason } => vec![
            format!("  {} {host}: {step}: {reason}", paint(BAD, "x")),
            format!("  {} {host}: it gets back what it had", paint(WARN, "~")),
        ],
        Event::HostFailed { host, failure } => {
            let mut lines: Vec<String> = hint(&failure.hint);
            let text = match &failure.given_back {
                // The reason stands above.
                Some(back) => format!("failed in {}; {}", failure.step, back.text()),
                None if failure.changed => format!("{}: {}", failure.step, failure.reason),
                None => format!("{}: {} (nothing was changed)", failure.step, failure.reason),
            };
            lines.insert(0, format!("  {} {host}: {text}", paint(BAD, "x")));
            lines
        }
        Event::RunStopped { reason } => vec![format!("{} {reason}", paint(BAD, "stopped:"))],
        Event::ObserveStarted { .. }
        | Event::HostConnecting { .. }
        | Event::HostObserved { .. }
        | Event::StepStarted { .. }
        | Event::HostFinished { .. }
        | Event::WaveFinished { .. } => Vec::new(),
    }
}
