//! What happens during a run: one event type for every reporter (pure).
//!
//! Events know nothing of the engine that emits them or of the display that shows them.

use serde::Serialize;

use crate::fleet::HostName;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// Hosts are about to be asked.
    ObserveStarted { hosts: usize },
    /// A host is being asked.
    HostConnecting { host: HostName },
    /// A host answered.
    HostObserved { host: HostName },
    /// A host did not answer.
    HostUnreachable { host: HostName, reason: String, hint: Option<String> },
    /// All answers are in.
    ObserveFinished { reached: usize, unreachable: usize },
    /// A wave begins.
    WaveStarted { wave: usize, waves: usize, title: String, hosts: Vec<HostName> },
    /// A host of the wave begins a step.
    StepStarted { host: HostName, step: String },
    /// A step is done and read back.
    StepFinished { host: HostName, step: String },
    /// A gate is not open yet.
    GateWaiting { host: HostName, gate: String, because: String },
    /// A host has gone through all of its steps in this wave.
    HostFinished { host: HostName },
    /// A host failed.
    HostFailed { host: HostName, failure: Failure },
    /// A wave is over.
    WaveFinished { wave: usize },
    /// No further wave is begun.
    RunStopped { reason: String },
}

/// What went wrong on a host, complete enough to act on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The step in which.
    pub step: String,
    /// The causes, outermost first, as one line.
    pub reason: String,
    /// What to run next.
    pub hint: Option<String>,
    /// Whether the host may have changed.
    pub changed: bool,
    /// Whether the run must stop: something serves less than before, and nobody knows why.
    pub stops_run: bool,
}

/// Takes events as they happen.
pub trait Sink: Send + Sync {
    /// Takes one.
    fn emit(&self, event: Event);
}

/// Writes the causes of an error behind it, on one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
