//! The clock: kept by whichever of the known services the host has, or left alone (pure).
//!
//! Keeper's sessions, TTLs and the order of merges go by it. Which servers it asks is the image's: Amazon's own ask 169.254.169.123.

use serde::Serialize;

use super::super::{Answers, Findings, GroundChange, Question, Refusal, When, Work};

/// What a role wants of the clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// Whatever is there.
    #[default]
    LeftAlone,
    /// A service keeps it, now and behind a boot.
    Synced,
}

/// Services that keep a clock, best first: Debian's and Red Hat's name of chrony, then the others.
const KEEPERS: [&str; 7] = [
    "chrony.service",
    "chronyd.service",
    "systemd-timesyncd.service",
    "ntpsec.service",
    "ntp.service",
    "ntpd.service",
    "openntpd.service",
];

fn units() -> Question {
    let properties = ["systemctl", "show", "--property=Id,LoadState,ActiveState,UnitFileState", "--"];
    Question::new(properties.into_iter().chain(KEEPERS))
}

/// By the kernel's own word (<https://man7.org/linux/man-pages/man1/timedatectl.1.html>).
fn synchronized() -> Question {
    Question::new(["timedatectl", "show", "--property=NTPSynchronized", "--value"])
}

/// A service as systemd tells of it.
#[derive(Default)]
struct Keeper<'a> {
    id: &'a str,
    load: &'a str,
    active: &'a str,
    file: &'a str,
}

impl<'a> Keeper<'a> {
    fn read(block: &'a str) -> Self {
        let value = |name: &str| {
            let mut lines = block.lines().filter_map(|line| line.split_once('='));
            lines.find(|(key, _)| *key == name).map(|(_, value)| value).unwrap_or_default()
        };
        Self { id: value("Id"), load: value("LoadState"), active: value("ActiveState"), file: value("UnitFileState") }
    }

    fn runs(&self) -> bool {
        matches!(self.active, "active" | "activating" | "reloading")
    }

    fn starts_at_boot(&self) -> bool {
        !matches!(self.file, "disabled" | "enabled-runtime" | "masked-runtime" | "")
    }

    fn is_there(&self) -> bool {
        self.load == "loaded"
    }
}

impl Clock {
    /// What tells of the clock.
    pub(super) fn questions(self) -> Vec<Question> {
        match self {
            Self::LeftAlone => Vec::new(),
            Self::Synced => vec![units(), synchronized()],
        }
    }

    /// Finds a clock that nobody keeps.
    pub(super) fn diff(self, answers: &Answers, findings: &mut Findings) {
        if self == Self::Synced {
            findings.take(kept(answers.text(&units())));
        }
    }

    /// A clock that is kept and not right yet.
    pub(super) fn remark(self, answers: &Answers) -> Option<String> {
        let is_off = self == Self::Synced && answers.text(&synchronized()).is_some_and(|said| said.trim() == "no");
        is_off.then(|| "its clock is not synchronised: sessions with the coordination and TTLs go by it".to_owned())
    }
}

fn kept(said: Option<&str>) -> Result<Option<GroundChange>, Refusal> {
    let what = || "let its clock be kept".to_owned();
    let said = said.ok_or_else(|| Refusal {
        what: what(),
        reason: "systemd does not tell which services there are".to_owned(),
        hint: None,
    })?;
    let keepers: Vec<Keeper<'_>> = said.split("\n\n").map(Keeper::read).collect();
    if let Some(keeper) = keepers.iter().find(|keeper| keeper.runs()) {
        let enable = || Work::quick(format!("start {} at boot", keeper.id), ["systemctl", "enable", keeper.id]);
        return Ok((!keeper.starts_at_boot()).then(|| change(keeper, "runs until the next boot", enable())));
    }
    if let Some(keeper) = keepers.iter().find(|keeper| keeper.is_there()) {
        let start = Work::quick(format!("start {}", keeper.id), ["systemctl", "enable", "--now", keeper.id]);
        return Ok(Some(change(keeper, "does not run", start)));
    }
    let masked: Vec<&str> = keepers.iter().filter(|keeper| keeper.load == "masked").map(|keeper| keeper.id).collect();
    Err(match masked.as_slice() {
        [] => Refusal {
            what: what(),
            reason: "it has no service that does: no chrony, no systemd-timesyncd, no ntpd".to_owned(),
            hint: Some(
                "install one (`packages: [{ name: chrony }]` of a role), or set `kernel_clock` to nothing".to_owned(),
            ),
        },
        [unit, ..] => Refusal {
            what: what(),
            reason: format!("`{unit}` is masked: somebody wants it off"),
            hint: Some(format!("`systemctl unmask {unit}` on the host, or set `kernel_clock` to nothing")),
        },
    })
}

fn change(keeper: &Keeper<'_>, is: &str, work: Work) -> GroundChange {
    GroundChange {
        is: Some(is.to_owned()),
        should: "keeps the clock".to_owned(),
        work: vec![work],
        ..GroundChange::new("clock", keeper.id, When::BeforeFiles)
    }
}
