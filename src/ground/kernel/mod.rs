//! What the kernel of a host is told: its settings, its files below /sys, swap, and who keeps its clock (pure).
//!
//! A container's kernel is its machine's: nothing of it is asked to be otherwise there, and a remark says so.

mod clock;
mod file;
mod swap;
mod sysctl;

use serde::Serialize;

pub use clock::Clock;
pub use file::KernelFileWant;
pub use swap::Swap;
pub use sysctl::SysctlWant;

use super::{Answers, Findings, Question};

/// All that a role wants of the kernel; by default nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Kernel {
    /// Settings.
    pub sysctl: Vec<SysctlWant>,
    /// Files below /sys.
    pub files: Vec<KernelFileWant>,
    /// Swap.
    pub swap: Swap,
    /// The clock.
    pub clock: Clock,
}

/// A file of ours that tells the kernel again at the next boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Where it is.
    pub path: &'static str,
    /// The key of `role.yml` that it is made of.
    pub key: &'static str,
    /// Its lines.
    pub text: String,
}

/// Prints the kind of container, and exits with 1 where it is none (<https://man7.org/linux/man-pages/man1/systemd-detect-virt.1.html>).
fn which_container() -> Question {
    Question::new(["systemd-detect-virt", "--container"])
}

impl Kernel {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// What tells how the kernel is.
    pub(super) fn questions(&self) -> Vec<Question> {
        if self.is_nothing() {
            return Vec::new();
        }
        let mut all = vec![which_container()];
        all.extend(sysctl::questions(&self.sysctl));
        all.extend(file::questions(&self.files));
        all.extend(self.swap.questions());
        all.extend(self.clock.questions());
        all
    }

    /// Finds what the kernel has otherwise.
    pub(super) fn diff(&self, answers: &Answers, findings: &mut Findings) {
        if answers.text(&which_container()).is_some() {
            return;
        }
        sysctl::diff(&self.sysctl, answers, findings);
        file::diff(&self.files, answers, findings);
        self.swap.diff(answers, findings);
        self.clock.diff(answers, findings);
    }

    /// What is to be known of it, and is nothing to change.
    pub(super) fn remarks(&self, answers: &Answers) -> Vec<String> {
        if self.is_nothing() {
            return Vec::new();
        }
        match answers.text(&which_container()) {
            Some(kind) => vec![format!(
                "a container ({}): kernel settings, swap and clock are its machine's, and are left as they are",
                kind.trim()
            )],
            None => self.clock.remark(answers).into_iter().collect(),
        }
    }

    /// The files that keep it for the next boot.
    #[must_use]
    pub fn kept(&self) -> Vec<Kept> {
        sysctl::kept(&self.sysctl).into_iter().chain(file::kept(&self.files)).collect()
    }
}
