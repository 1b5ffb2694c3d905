//! The edge where errors become text for a person and an exit code (edge).

use crate::plan::Plan;
use crate::problem::Problem;

/// How the process ends; the same for every verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All is as asked.
    Success,
    /// The command line or what the operator wrote is wrong; nothing was done.
    Invalid,
    /// `plan --detailed-exitcode`, `show --detailed-exitcode`: there is something to do; `discover --detailed-exitcode`: the snapshot is old.
    Changes,
    /// Some hosts failed, do not serve or are held back; the others are done.
    Partial,
    /// A host that served before failed, so the run was stopped.
    Stopped,
    /// Some hosts were not reached; the others are as asked.
    Unreachable,
    /// The operator interrupted the run; it stopped at a safe point, or at once when told twice.
    Interrupted,
}

impl Exit {
    /// The number that the shell sees.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Invalid => 1,
            Self::Changes => 2,
            Self::Partial => 3,
            Self::Stopped => 4,
            Self::Unreachable => 5,
            Self::Interrupted => 130,
        }
    }
}

impl Exit {
    /// What a plan exits with; hosts that were not reached count more than things to do.
    #[must_use]
    pub fn of_plan(plan: &Plan, detailed: bool) -> Self {
        if !plan.unreachable.is_empty() {
            Self::Unreachable
        } else if detailed && !(plan.is_empty() && plan.holds.is_empty()) {
            Self::Changes
        } else {
            Self::Success
        }
    }
}

/// The table of exit codes, for the end of every help text.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    all is as asked
  1    the command line or what you wrote is wrong; nothing was done
  2    diff, schema drift; plan, show --detailed-exitcode: there is something to do; discover --detailed-exitcode: the snapshot is old
  3    some hosts failed, do not serve or are held back; the others are done
  4    a host that served before failed, so the run was stopped
  5    some hosts were not reached; the others are as asked
  130  interrupted; stopped at a safe point, or at once when told twice";

/// Why a verb could not do what was asked.
#[derive(Debug)]
pub enum CommandError {
    /// What the operator wrote is invalid.
    Problems(Vec<Problem>),
    /// Anything else, with what to do about it.
    Other {
        /// One sentence.
        message: String,
        /// What to run next.
        hint: Option<String>,
    },
}

impl CommandError {
    /// An error with what to do about it.
    pub fn hinted(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Other { message: message.into(), hint: Some(hint.into()) }
    }

    /// An error that explains itself.
    pub fn plain(message: impl Into<String>) -> Self {
        Self::Other { message: message.into(), hint: None }
    }
}

impl From<Vec<Problem>> for CommandError {
    fn from(problems: Vec<Problem>) -> Self {
        Self::Problems(problems)
    }
}

/// What a verb answers.
pub type Answer = Result<Exit, CommandError>;
