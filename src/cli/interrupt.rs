//! Ctrl-C, SIGTERM and SIGHUP during a run: the first stops it at the next safe point, the second at once (edge).

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Mutex, PoisonError};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::event::{Event, Sink};
use crate::fleet::HostName;

/// The signals that ask for an end; made before the run, so that none is lost.
pub(super) struct Signals {
    interrupt: Option<Signal>,
    terminate: Option<Signal>,
    hangup: Option<Signal>,
}

impl Signals {
    /// Takes them over from the operating system, which would end the process.
    pub(super) fn listen() -> Self {
        let listen = |kind| signal(kind).ok();
        Self {
            interrupt: listen(SignalKind::interrupt()),
            terminate: listen(SignalKind::terminate()),
            hangup: listen(SignalKind::hangup()),
        }
    }

    /// Waits for the next one, whichever it is.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            () = received(&mut self.interrupt) => {}
            () = received(&mut self.terminate) => {}
            () = received(&mut self.hangup) => {}
        }
    }
}

async fn received(signal: &mut Option<Signal>) {
    if let Some(signal) = signal
        && signal.recv().await.is_some()
    {
        return;
    }
    pending::<()>().await;
}

/// Passes events on, and knows which hosts are in the middle of which step.
pub(super) struct UnderWay<'a> {
    sink: &'a dyn Sink,
    hosts: Mutex<BTreeMap<HostName, String>>,
}

impl<'a> UnderWay<'a> {
    /// Watches what goes to a sink.
    pub(super) fn new(sink: &'a dyn Sink) -> Self {
        Self { sink, hosts: Mutex::default() }
    }

    /// The hosts that were begun and are not done, each with its step.
    pub(super) fn hosts(&self) -> BTreeMap<HostName, String> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Sink for UnderWay<'_> {
    fn emit(&self, event: Event) {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        match &event {
            Event::StepStarted { host, step } | Event::FallbackStarted { host, step, .. } => {
                drop(hosts.insert(host.clone(), step.clone()));
            }
            Event::HostFinished { host } | Event::HostFailed { host, .. } => drop(hosts.remove(host)),
            _ => {}
        }
        drop(hosts);
        self.sink.emit(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;

    impl Sink for Nobody {
        fn emit(&self, _: Event) {}
    }

    #[test]
    fn a_host_is_under_way_from_its_first_step_to_its_end() {
        let host = |name: &str| HostName::new(name).unwrap();
        let under_way = UnderWay::new(&Nobody);
        for step in ["write 2 files", "restart clickhouse-server"] {
            under_way.emit(Event::StepStarted { host: host("a"), step: step.to_owned() });
            under_way.emit(Event::StepStarted { host: host("b"), step: step.to_owned() });
        }
        under_way.emit(Event::HostFinished { host: host("b") });
        let expected = BTreeMap::from([(host("a"), "restart clickhouse-server".to_owned())]);
        assert_eq!(under_way.hosts(), expected);
    }
}
