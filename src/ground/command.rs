//! Commands of a role's own, each with a guard that says whether it is still to be run (pure).

use std::time::Duration;

use serde::Serialize;

use super::{Answers, Findings, GroundChange, Question, When, Work};
use crate::remote::UnitName;

/// A command that a role wants to have been run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommandWant {
    /// What people call it.
    pub name: String,
    /// The program and its arguments.
    pub run: Vec<String>,
    /// What says that it need not be run.
    pub guard: Guard,
    /// How long it may take.
    pub limit: Duration,
    /// Before the files are written, or behind.
    pub when: When,
    /// The unit that has to be started anew for it to count.
    pub unit: Option<UnitName>,
}

/// What says that a command need not be run any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Guard {
    /// This only reads, and exits with 0.
    Unless(Vec<String>),
    /// Something is there.
    Creates(String),
}

impl Guard {
    fn question(&self) -> Question {
        match self {
            Self::Unless(argv) => Question::new(argv.clone()),
            Self::Creates(path) => Question::new(["test", "-e", path]),
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Unless(argv) => format!("`{}` says yes", argv.join(" ")),
            Self::Creates(path) => format!("{path} is there"),
        }
    }
}

/// What tells which commands were run.
pub(super) fn questions(commands: &[CommandWant]) -> Vec<Question> {
    commands.iter().map(|command| command.guard.question()).collect()
}

/// Finds commands that are still to be run.
pub(super) fn diff(commands: &[CommandWant], answers: &Answers, findings: &mut Findings) {
    for command in commands.iter().filter(|command| answers.text(&command.guard.question()).is_none()) {
        let (run, guard) = (Work::quick(format!("run {}", command.name), command.run.clone()), &command.guard);
        let check = Work::quick(format!("see that {}", guard.words()), guard.question().argv().to_vec());
        findings.changes.push(GroundChange {
            is: None,
            should: guard.words(),
            work: vec![run.within(command.limit), check],
            restarts: command.unit.clone(),
            ..GroundChange::new("command", &command.name, command.when)
        });
    }
}
