//! Swap: off now and behind the next boot, or left alone (pure).
//!
//! What turns it on at boot are lines of `/etc/fstab`, units and generators. All of them go through `swap.target`, and a masked one
//! starts none of them: no line of a person's is touched, and `systemctl unmask swap.target` takes it back.

use serde::Serialize;

use super::super::{Answers, Findings, GroundChange, Question, Refusal, When, Work};

/// What a role wants of swap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Swap {
    /// Whatever is there.
    #[default]
    LeftAlone,
    /// None.
    Off,
}

/// The unit behind which all swap is turned on (<https://man7.org/linux/man-pages/man7/systemd.special.7.html>).
const TARGET: &str = "swap.target";
/// What is swapped out is read back first.
const READ_BACK: std::time::Duration = std::time::Duration::from_mins(30);

/// Without how much of each is used, which changes by itself.
fn active() -> Question {
    Question::new(["swapon", "--show=NAME", "--noheadings", "--raw"])
}

fn units() -> Question {
    Question::new(["systemctl", "list-unit-files", "--no-legend", "--no-pager", "--plain", TARGET, "*.swap"])
}

/// Lines that no unit is made of yet.
fn table() -> Question {
    Question::new(["findmnt", "--fstab", "--types", "swap", "--noheadings", "--raw", "--output", "SOURCE"])
}

impl Swap {
    /// What tells of swap.
    pub(super) fn questions(self) -> Vec<Question> {
        match self {
            Self::LeftAlone => Vec::new(),
            Self::Off => vec![active(), units(), table()],
        }
    }

    /// Finds swap that is on, or will be.
    pub(super) fn diff(self, answers: &Answers, findings: &mut Findings) {
        if self == Self::Off {
            findings.take(on(answers));
        }
    }
}

fn on(answers: &Answers) -> Result<Option<GroundChange>, Refusal> {
    let Some(active) = answers.text(&active()) else {
        let reason = "the host does not tell whether there is any".to_owned();
        return Err(Refusal { what: "turn swap off".to_owned(), reason, hint: None });
    };
    let active: Vec<&str> = active.lines().collect();
    let units = answers.get(&units()).map(|answer| answer.stdout.as_str()).unwrap_or_default();
    let mut states = units.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?, words.next()?))
    });
    let masked = states.clone().any(|(unit, state)| unit == TARGET && state.starts_with("masked"));
    let lines = answers.text(&table()).unwrap_or_default();
    let comes_back =
        !masked && (!lines.trim().is_empty() || states.any(|(_, state)| matches!(state, "enabled" | "generated")));
    if active.is_empty() && !comes_back {
        return Ok(None);
    }
    let mut work = Vec::new();
    if !masked {
        work.push(Work::quick("keep swap off at the next boot", ["systemctl", "mask", TARGET]));
    }
    let (is, should) = if active.is_empty() {
        ("on at the next boot", "off")
    } else {
        work.push(Work::quick("turn swap off", ["swapoff", "--all"]).within(READ_BACK));
        ("on", if masked { "off" } else { "off, also behind a boot" })
    };
    let name = if active.is_empty() { TARGET.to_owned() } else { active.join(", ") };
    Ok(Some(GroundChange {
        is: Some(is.to_owned()),
        should: should.to_owned(),
        work,
        ..GroundChange::new("swap", &name, When::BeforeFiles)
    }))
}
