//! The host's own name, where a role says one (pure).

use super::{Answers, Findings, GroundChange, Question, Refusal, When, Work};

/// As the kernel has it, and programs take it.
fn now() -> Question {
    Question::new(["uname", "-n"])
}

/// As the next boot reads it.
fn kept() -> Question {
    Question::new(["cat", "/etc/hostname"])
}

/// What tells of the name.
pub(super) fn questions(wanted: Option<&String>) -> Vec<Question> {
    wanted.map(|_| vec![now(), kept()]).unwrap_or_default()
}

/// Finds a host that is called otherwise.
pub(super) fn diff(wanted: Option<&String>, answers: &Answers, findings: &mut Findings) {
    let Some(name) = wanted else { return };
    let said = |question| answers.text(&question).map(str::trim).filter(|text| !text.is_empty());
    let Some(now) = said(now()) else {
        let reason = "the host does not tell its name".to_owned();
        return findings.refusals.push(Refusal { what: format!("call it `{name}`"), reason, hint: None });
    };
    let kept = said(kept());
    if now == name && kept == Some(name) {
        return;
    }
    findings.changes.push(GroundChange {
        is: Some(if now == name { format!("{} at the next boot", kept.unwrap_or("another")) } else { now.to_owned() }),
        should: name.clone(),
        work: vec![Work::quick(format!("call the host {name}"), ["hostnamectl", "set-hostname", "--", name])],
        ..GroundChange::new("hostname", name, When::BeforeFiles)
    });
}
