//! A run as text: what was asked, each wave by host, the recap, how the process would exit, and what a plan says then.

use housewright::apply::{Outcome, Stopped};
use housewright::event::Event;
use housewright::plan::Plan;
use housewright::report::{Diffs, plan as show, recap};

use crate::world::plain;

pub fn run(asked: &[Event], events: &[Event], plan: &Plan, outcome: &Outcome, next: &Plan) -> String {
    let mut text = String::new();
    let mut unreached: Vec<_> = asked.iter().filter_map(|event| line(event).map(|(_, line)| line)).collect();
    unreached.sort();
    text.extend(unreached);
    // Hosts of a wave go in parallel: their lines stand together, in order of name.
    let mut wave: Vec<(String, String)> = Vec::new();
    for event in events {
        match event {
            Event::WaveStarted { wave, waves, title, .. } => {
                text.push_str(&format!("wave {wave} of {waves}: {title}\n"))
            }
            Event::WaveFinished { .. } => {
                wave.sort_by(|(one, _), (other, _)| one.cmp(other));
                text.extend(wave.drain(..).map(|(_, line)| line));
            }
            Event::RunStopped { reason } => text.push_str(&format!("stopped: {reason}\n")),
            _ => wave.extend(line(event)),
        }
    }
    let then = plain(&show(next, Diffs::None));
    let then = then.lines().last().unwrap_or_default();
    format!("{text}\n{}exit: {}\n\nthen {then}\n", plain(&recap(plan, outcome)), exit(plan, outcome))
}

/// The host that an event is about, and what it says.
fn line(event: &Event) -> Option<(String, String)> {
    let hint = |hint: &Option<String>| hint.iter().map(|hint| format!("      hint: {hint}\n")).collect::<String>();
    let (host, text) = match event {
        Event::StepFinished { host, step } => (host, format!("  {host}: {step}\n")),
        Event::GateWaiting { host, gate, because } => (host, format!("  {host}: waits at {gate}: {because}\n")),
        Event::HostUnreachable { host, reason, hint: next } => {
            (host, format!("  {host}: no answer: {reason}\n{}", hint(next)))
        }
        Event::HostFailed { host, failure } => {
            let changed = if failure.changed { "changed" } else { "not changed" };
            let (step, reason) = (&failure.step, &failure.reason);
            let back = failure.given_back.iter().map(|back| format!("      {}\n", back.text())).collect::<String>();
            (host, format!("  {host}: FAILED, {changed}: {step}: {reason}\n{back}{}", hint(&failure.hint)))
        }
        Event::AnswerLost { host, step, reason } => (host, format!("  {host}: no answer to {step}: {reason}\n")),
        Event::FallbackStarted { host, step, .. } => (host, format!("  {host}: goes back after {step}\n")),
        _ => return None,
    };
    Some((host.to_string(), text))
}

/// As `housewright apply` exits.
fn exit(plan: &Plan, outcome: &Outcome) -> u8 {
    use housewright::cli::Exit;
    let exit = match outcome.stopped {
        Some(Stopped::Failure) => Exit::Stopped,
        Some(Stopped::Interrupted) => Exit::Interrupted,
        None if outcome.failed.is_empty() && plan.unreachable.is_empty() => Exit::Success,
        None => Exit::Partial,
    };
    exit.code()
}
