//! What a command said on each host: equal answers once, with all their hosts (pure).

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::hosts::count;
use super::style::{BAD, GOOD, HEAD, QUIET, WARN, paint};
use crate::apply::Ran;
use crate::fleet::HostName;
use crate::plan::Hold;
use crate::remote::{Output, Status};

/// Each answer in a frame: who gave it, how it ended, what it said.
#[must_use]
pub fn ran(ran: &Ran, holds: &[Hold]) -> String {
    let mut folded: BTreeMap<(String, String, String), Vec<&HostName>> = BTreeMap::new();
    for (host, answer) in &ran.answers {
        let (ended, said, complaint) = match answer {
            Ok(output) => (ended(output), printable(&output.stdout), printable(&output.stderr)),
            Err(why) => (format!("not run: {why}"), String::new(), String::new()),
        };
        folded.entry((ended, said, complaint)).or_default().push(host);
    }
    let mut frames: Vec<_> = folded.into_iter().collect();
    frames.sort_by(|one, other| one.1.cmp(&other.1));
    let mut out = String::new();
    for ((ended, said, complaint), hosts) in frames {
        let names = hosts.iter().map(|host| host.as_str()).collect::<Vec<_>>().join(", ");
        let style = if ended == SUCCESS { GOOD } else { BAD };
        let _ = writeln!(out, "{}  {}", paint(HEAD, names), paint(style, ended));
        for line in said.lines() {
            let _ = writeln!(out, "  | {line}");
        }
        for line in complaint.lines() {
            let _ = writeln!(out, "  {} {line}", paint(WARN, "!"));
        }
    }
    for hold in holds {
        let _ = writeln!(out, "{}  {}", paint(HEAD, &hold.host), paint(WARN, format!("held back: {}", hold.reason)));
        if let Some(hint) = &hold.hint {
            let _ = writeln!(out, "  {}", paint(QUIET, format!("hint: {hint}")));
        }
    }
    out.push_str(&summary(ran, holds));
    out
}

const SUCCESS: &str = "exit 0";

fn summary(ran: &Ran, holds: &[Hold]) -> String {
    let good = ran.answers.values().filter(|answer| answer.as_ref().is_ok_and(Output::succeeded)).count();
    let mut parts = vec![format!("exit 0 on {good} of {}", count(ran.answers.len(), "host"))];
    if !holds.is_empty() {
        parts.push(paint(WARN, format!("{} held back", holds.len())));
    }
    if let Some(why) = &ran.stopped {
        let left: Vec<&str> = ran.left.iter().map(HostName::as_str).collect();
        let left = if left.is_empty() { String::new() } else { format!("; not begun: {}", left.join(", ")) };
        parts.push(paint(BAD, format!("stopped: {why}{left}")));
    }
    format!("\n{} {}\n", paint(HEAD, "run:"), parts.join(", "))
}

fn ended(output: &Output) -> String {
    match &output.status {
        Status::Exited(0) => SUCCESS.to_owned(),
        Status::Exited(127) => "exit 127 (no such program)".to_owned(),
        Status::Exited(code) => format!("exit {code}"),
        Status::Signalled(signal) => format!("ended by {signal}"),
        Status::NotRun => "not run".to_owned(),
    }
}

/// A terminal must not obey what a host prints.
fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{FFFD}' } else { c }).collect()
}

/// The same as data: texts as they are, bytes that are no text replaced.
#[must_use]
pub fn ran_data(ran: &Ran, holds: &[Hold]) -> Value {
    let answer = |answer: &Result<Output, String>| match answer {
        Err(why) => json!({ "error": why }),
        Ok(output) => json!({
            "exit": match output.status { Status::Exited(code) => Some(code), Status::Signalled(_) | Status::NotRun => None },
            "signal": match &output.status { Status::Signalled(name) => Some(name.as_str()), _ => None },
            "stdout": String::from_utf8_lossy(&output.stdout),
            "stderr": String::from_utf8_lossy(&output.stderr),
        }),
    };
    let hosts: BTreeMap<&HostName, Value> = ran.answers.iter().map(|(host, is)| (host, answer(is))).collect();
    json!({ "hosts": hosts, "held": holds, "not_begun": ran.left, "stopped": ran.stopped })
}
