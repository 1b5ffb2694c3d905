//! What happens during a run: one event type for every reporter (pure).
//!
//! Events know nothing of the engine that emits them or of the display that shows them.

use std::fmt::Write as _;

use serde::Serialize;

use crate::fleet::HostName;
use crate::remote::{RemotePath, UnitName};

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
    /// A host cannot be reached right now; it is tried again.
    ConnectRetried { host: HostName, reason: String, attempt: u32, pause_ms: u64 },
    /// The connection was lost in the middle; what the host has of it by now is read.
    AnswerLost { host: HostName, step: String, reason: String },
    /// A host failed, and gets back what it had.
    FallbackStarted { host: HostName, step: String, reason: String },
    /// A host has gone through all of its steps in this wave.
    HostFinished { host: HostName },
    /// A host failed.
    HostFailed { host: HostName, failure: Failure },
    /// A wave is over.
    WaveFinished { wave: usize },
    /// No further wave is begun.
    RunStopped { reason: String },
}

impl Event {
    /// The same event, with all that hosts and servers say in it told in other words.
    #[must_use]
    pub fn retold(self, words: &dyn Fn(String) -> String) -> Self {
        match self {
            Self::HostUnreachable { host, reason, hint } => {
                Self::HostUnreachable { host, reason: words(reason), hint: hint.map(words) }
            }
            Self::GateWaiting { host, gate, because } => Self::GateWaiting { host, gate, because: words(because) },
            Self::ConnectRetried { host, reason, attempt, pause_ms } => {
                Self::ConnectRetried { host, reason: words(reason), attempt, pause_ms }
            }
            Self::AnswerLost { host, step, reason } => Self::AnswerLost { host, step, reason: words(reason) },
            Self::FallbackStarted { host, step, reason } => Self::FallbackStarted { host, step, reason: words(reason) },
            Self::HostFailed { host, failure } => Self::HostFailed { host, failure: failure.retold(words) },
            Self::RunStopped { reason } => Self::RunStopped { reason: words(reason) },
            // What we say ourselves.
            Self::ObserveStarted { .. }
            | Self::HostConnecting { .. }
            | Self::HostObserved { .. }
            | Self::ObserveFinished { .. }
            | Self::WaveStarted { .. }
            | Self::StepStarted { .. }
            | Self::StepFinished { .. }
            | Self::HostFinished { .. }
            | Self::WaveFinished { .. } => self,
        }
    }
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
    /// What the host owes now: `restart of clickhouse-server`; its next plan has it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub owes: Vec<String>,
    /// What became of the way back, where there was one to go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_back: Option<GivenBack>,
}

impl Failure {
    /// The same failure, with all that hosts and servers say in it told in other words.
    #[must_use]
    pub fn retold(self, words: &dyn Fn(String) -> String) -> Self {
        let given_back = self.given_back.map(|back| {
            let failed = back.failed.map(|(step, reason)| (step, words(reason)));
            GivenBack { failed, ..back }
        });
        Self { reason: words(self.reason), hint: self.hint.map(words), given_back, ..self }
    }
}

/// How a host's way back went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GivenBack {
    /// How many files had changed and are as they were before.
    pub files: usize,
    /// Files that somebody else has changed since they were written: they are left as they are.
    pub left: Vec<RemotePath>,
    /// Units that were down and were started anew with the old files.
    pub restarted: Vec<UnitName>,
    /// Whether it passed the gates of a host that serves.
    pub serves: bool,
    /// It was taken out of traffic and stays so: it is not well.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub out_of_traffic: bool,
    /// The step that failed, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<(String, String)>,
}

impl GivenBack {
    /// What it came to, in a few words.
    #[must_use]
    pub fn text(&self) -> String {
        let files = match self.files {
            0 if self.failed.is_none() && self.out_of_traffic => {
                return "it stays out of traffic: it is not well".to_owned();
            }
            0 if self.failed.is_none() && self.left.is_empty() && self.serves => "no file had changed".to_owned(),
            0 if self.failed.is_none() && self.left.is_empty() => return "what it had taken away is back".to_owned(),
            0 => "no file is given back".to_owned(),
            1 => "its previous file is back".to_owned(),
            many => format!("its {many} previous files are back"),
        };
        let mut text = files;
        if !self.restarted.is_empty() {
            let units: Vec<_> = self.restarted.iter().map(ToString::to_string).collect();
            let _ = write!(text, ", {} started anew", units.join(", "));
        }
        for path in &self.left {
            let _ = write!(text, ", `{path}` is left: somebody else has changed it");
        }
        if self.out_of_traffic {
            text.push_str(", it stays out of traffic");
        }
        match &self.failed {
            None if self.serves => text + ", it serves as before",
            None => text + ", its server is as before",
            Some((step, reason)) => text + &format!("; then {step} failed: {reason}"),
        }
    }
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
