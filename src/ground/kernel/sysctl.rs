//! Kernel settings: the value that the running kernel has; the file that keeps it is written with the others (pure).

use serde::Serialize;

use super::super::{Answers, Findings, GroundChange, Question, Refusal, When, Work};
use super::Kept;

/// A kernel setting that a role wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SysctlWant {
    /// Its name, with dots.
    pub key: String,
    /// Its value; several numbers with one space between them.
    pub value: String,
}

/// Where the settings are kept for the next boot (<https://man7.org/linux/man-pages/man5/sysctl.d.5.html>); a later name wins.
const SYSCTL_FILE: &str = "/etc/sysctl.d/90-housewright.conf";

impl SysctlWant {
    /// A setting with its value brought to one form.
    #[must_use]
    pub fn new(key: &str, value: &str) -> Self {
        Self { key: dotted(key), value: spaced(value) }
    }
}

/// A name that begins with slashes has dots and slashes the other way round, as an interface `eth0.100` needs it
/// (<https://man7.org/linux/man-pages/man5/sysctl.d.5.html>).
fn dotted(key: &str) -> String {
    let other = |c| match c {
        '/' => '.',
        '.' => '/',
        c => c,
    };
    let first = key.find(['.', '/']).and_then(|at| key[at..].chars().next());
    if first == Some('/') { key.chars().map(other).collect() } else { key.to_owned() }
}

/// The kernel puts tabs between numbers.
pub(super) fn spaced(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One question for all: `-e` passes over what this kernel does not have.
fn ask(settings: &[SysctlWant]) -> Question {
    Question::new(["sysctl", "-e", "--"].into_iter().chain(settings.iter().map(|setting| setting.key.as_str())))
}

/// What tells of kernel settings.
pub(super) fn questions(settings: &[SysctlWant]) -> Option<Question> {
    (!settings.is_empty()).then(|| ask(settings))
}

/// The file that keeps the settings, where there are any.
pub(super) fn kept(settings: &[SysctlWant]) -> Option<Kept> {
    let text = settings.iter().flat_map(|setting| [setting.key.as_str(), " = ", &setting.value, "\n"]).collect();
    (!settings.is_empty()).then_some(Kept { path: SYSCTL_FILE, key: "sysctl", text })
}

/// Finds settings that the kernel has otherwise.
pub(super) fn diff(settings: &[SysctlWant], answers: &Answers, findings: &mut Findings) {
    if settings.is_empty() {
        return;
    }
    let answer = answers.get(&ask(settings));
    let said = answer.map(|answer| answer.stdout.as_str()).unwrap_or_default();
    let why = match answer {
        Some(answer) if answer.is_not_found() => "the host has no `sysctl` (package procps)",
        _ => "the kernel that runs there does not have it, or does not show it",
    };
    let now = |key: &str| said.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix('='));
    for SysctlWant { key, value } in settings {
        findings.take(match now(key).map(spaced) {
            None => Err(Refusal { what: format!("set `{key}`"), reason: why.to_owned(), hint: None }),
            Some(is) if is == *value => Ok(None),
            Some(is) => Ok(Some(GroundChange {
                is: Some(is),
                should: value.clone(),
                work: vec![Work::quick(format!("set {key}"), ["sysctl", "-q", "-w", &format!("{key}={value}")])],
                ..GroundChange::new("kernel setting", key, When::BehindFiles)
            })),
        });
    }
}
