//! A moving display for terminals: one bar, at most eight running hosts, finished things printed once (edge).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::hosts::short;
use super::lines;
use super::style::{GOOD, HEAD, QUIET, paint};
use crate::event::{Event, Sink};
use crate::fleet::HostName;

/// More running lines than this are noise.
const RUNNING_LINES: usize = 8;
const TICK: Duration = Duration::from_millis(120);

/// The moving display.
pub struct Bars {
    screen: MultiProgress,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bar: Option<ProgressBar>,
    running: BTreeMap<HostName, ProgressBar>,
}

impl Default for Bars {
    fn default() -> Self {
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(15));
        Self { screen, state: Mutex::default() }
    }
}

impl Bars {
    fn begin(&self, state: &mut State, title: &str, hosts: usize) {
        state.end();
        let bar = self.screen.add(ProgressBar::new(hosts as u64));
        bar.set_style(style("{prefix} {bar:28.green/dim} {pos}/{len} hosts  {elapsed:.dim}"));
        bar.set_prefix(paint(HEAD, title));
        bar.enable_steady_tick(TICK);
        state.bar = Some(bar);
    }

    fn running(&self, state: &mut State, host: &HostName, text: String) {
        if let Some(line) = state.running.get(host) {
            line.set_message(text);
        } else if state.running.len() < RUNNING_LINES {
            let line = self.screen.add(ProgressBar::new_spinner());
            line.set_style(style("  {spinner} {prefix} {wide_msg:.dim}"));
            line.set_prefix(host.to_string());
            line.set_message(text);
            line.enable_steady_tick(TICK);
            state.running.insert(host.clone(), line);
        }
    }

    fn print(&self, line: &str) {
        let _ = self.screen.println(line);
    }
}

impl State {
    fn done(&mut self, host: &HostName) {
        if let Some(line) = self.running.remove(host) {
            line.finish_and_clear();
        }
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    fn end(&mut self) {
        for line in std::mem::take(&mut self.running).into_values() {
            line.finish_and_clear();
        }
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Sink for Bars {
    fn emit(&self, event: Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &event {
            Event::ObserveStarted { hosts } => self.begin(&mut state, "asking", *hosts),
            Event::HostConnecting { host } => self.running(&mut state, host, "connecting".to_owned()),
            Event::HostObserved { host } => state.done(host),
            Event::HostUnreachable { host, .. } => state.done(host),
            Event::ObserveFinished { .. } | Event::WaveFinished { .. } => state.end(),
            Event::WaveStarted { wave, waves, title, hosts } => {
                let title = format!("wave {wave} of {waves}: {title}");
                self.print(&format!("{}  {}", paint(HEAD, &title), paint(QUIET, format!("on {}", short(hosts)))));
                self.begin(&mut state, &format!("  {wave}/{waves}"), hosts.len());
            }
            Event::StepStarted { host, step } => self.running(&mut state, host, step.clone()),
            Event::GateWaiting { host, gate, because } => {
                self.running(&mut state, host, format!("{gate}: {because}"));
            }
            Event::HostFinished { host } => {
                state.done(host);
                self.print(&format!("  {} {host}", paint(GOOD, "ok")));
            }
            Event::HostFailed { host, .. } => state.done(host),
            Event::StepFinished { .. } | Event::RunStopped { .. } => {}
            Event::ConnectRetried { .. } | Event::AnswerLost { .. } | Event::FallbackStarted { .. } => {}
        }
        if matches!(
            event,
            Event::HostUnreachable { .. }
                | Event::HostFailed { .. }
                | Event::ConnectRetried { .. }
                | Event::AnswerLost { .. }
                | Event::FallbackStarted { .. }
                | Event::RunStopped { .. }
                | Event::ObserveFinished { .. }
        ) {
            lines::text(&event).iter().for_each(|line| self.print(line));
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
