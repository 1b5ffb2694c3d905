//! What a host stands on: disks, packages, users, the kernel, commands: desired, questions, differences (pure).
//!
//! Each kind has a file of its own: what is wanted, the questions that tell what is there, and the difference with the steps
//! that remove it. A question only reads; its raw answer is the fact, so that a captured output is a fixture.

mod change;
mod command;
pub mod disks;
mod hostname;
mod kernel;
mod package;
mod question;
mod user;

use serde::Serialize;

pub use change::{GroundChange, Need, Refusal, Work};
pub use command::{CommandWant, Guard};
pub use kernel::{Clock, Kept, Kernel, KernelFileWant, Swap, SysctlWant};
pub use package::PackageWant;
pub use question::{Answer, Answers, Question};
pub use user::UserWant;

use std::collections::BTreeSet;

use disks::{Destroyable, Volumes};

/// When something is done, seen from the files that a run writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Files may need it: an owner, a mount point.
    #[default]
    BeforeFiles,
    /// It needs files: a repository's, a key.
    BehindFiles,
}

/// All that a role wants beneath a host's servers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ground {
    /// Disks; nothing where the inventory says nothing of them.
    pub disks: Option<Volumes>,
    /// Users and groups.
    pub users: Vec<UserWant>,
    /// Packages.
    pub packages: Vec<PackageWant>,
    /// What the kernel is told.
    pub kernel: Kernel,
    /// The host's own name; left as it is where nothing is said.
    pub hostname: Option<String>,
    /// Commands with a guard.
    pub commands: Vec<CommandWant>,
}

/// What differs, and what of it must not be removed now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// In the order in which they are removed.
    pub changes: Vec<GroundChange>,
    /// What is held back.
    pub refusals: Vec<Refusal>,
    /// A volume is not where it should be: what would lie on it must not be written beside it.
    pub lacks_a_volume: bool,
}

impl Findings {
    fn take(&mut self, found: Result<Option<GroundChange>, Refusal>) {
        match found {
            Ok(change) => self.changes.extend(change),
            Err(refusal) => self.refusals.push(refusal),
        }
    }
}

impl Ground {
    /// What has to be asked of the host, each question once.
    #[must_use]
    pub fn questions(&self) -> BTreeSet<Question> {
        let users = user::questions(&self.users);
        let packages = package::questions(&self.packages);
        let commands = command::questions(&self.commands);
        let disks = self.disks.iter().flat_map(Volumes::questions);
        let name = hostname::questions(self.hostname.as_ref());
        disks.chain(users).chain(packages).chain(self.kernel.questions()).chain(name).chain(commands).collect()
    }

    /// Finds what differs, in the order in which it is removed: what later kinds need comes first.
    #[must_use]
    pub fn diff(&self, answers: &Answers) -> Findings {
        self.diff_allowing(answers, &Destroyable::default())
    }

    /// The same, where disks that `destroyable` names may be emptied.
    #[must_use]
    pub fn diff_allowing(&self, answers: &Answers, destroyable: &Destroyable) -> Findings {
        let mut findings = Findings::default();
        // First: a package takes the user that is there.
        user::diff(&self.users, answers, &mut findings);
        package::diff(&self.packages, answers, &mut findings);
        // Tools come first, such as mdadm; a server's package makes directories that a volume is to be mounted at.
        let of_server = |change: &GroundChange| change.brings.is_some() || change.restarts.is_some();
        let (servers, tools) = findings.changes.into_iter().partition(of_server);
        findings.changes = tools;
        self.disks.iter().for_each(|volumes| volumes.diff(answers, destroyable, &mut findings));
        findings.changes.extend::<Vec<_>>(servers);
        hostname::diff(self.hostname.as_ref(), answers, &mut findings);
        self.kernel.diff(answers, &mut findings);
        command::diff(&self.commands, answers, &mut findings);
        findings.changes.sort_by_key(|change| change.when);
        findings
    }

    /// What is to be known of the host, and is nothing to change.
    #[must_use]
    pub fn remarks(&self, answers: &Answers) -> Vec<String> {
        self.kernel.remarks(answers)
    }

    /// Whether a role wants nothing of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
