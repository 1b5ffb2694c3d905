//! Takes the values of secrets out of all that hosts and servers say in a run (edge).
//!
//! A server that complains quotes what it was given, so whatever is told goes through here: events and failures.

use std::collections::BTreeSet;

use crate::event::{Event, Failure, Sink};
use crate::secret::Secret;
use crate::secret::look::HIDDEN;

/// A sink that hides secrets before it passes an event on.
pub(super) struct Discreet<'a> {
    /// The longest first: one secret may be a part of another.
    values: Vec<&'a str>,
    sink: &'a dyn Sink,
}

impl<'a> Discreet<'a> {
    /// Knows these secrets.
    pub fn new(secrets: impl Iterator<Item = &'a Secret<String>>, sink: &'a dyn Sink) -> Self {
        let values = secrets.map(|value| value.expose().as_str());
        let distinct: BTreeSet<_> = values.filter(|value| !value.is_empty()).collect();
        let mut values: Vec<_> = distinct.into_iter().collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self { values, sink }
    }

    /// A failure as it may be told.
    pub fn failure(&self, failure: Failure) -> Failure {
        failure.retold(&|text| self.text(text))
    }

    fn text(&self, text: String) -> String {
        self.values
            .iter()
            .fold(text, |text, value| if text.contains(value) { text.replace(value, HIDDEN) } else { text })
    }
}

impl Sink for Discreet<'_> {
    fn emit(&self, event: Event) {
        self.sink.emit(event.retold(&|text| self.text(text)));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::event::GivenBack;
    use crate::fleet::HostName;

    #[derive(Default)]
    struct Kept(Mutex<Vec<Event>>);

    impl Sink for Kept {
        fn emit(&self, event: Event) {
            self.0.lock().unwrap().push(event);
        }
    }

    #[test]
    fn whatever_a_server_quotes_holds_no_secret() {
        let host = HostName::new("a").unwrap();
        let secrets = ["", "hunter2", "hunter2-and-more"].map(|value| Secret::new(value.to_owned()));
        let kept = Kept::default();
        let discreet = Discreet::new(secrets.iter(), &kept);
        let said = "cannot parse `hunter2-and-more` or `hunter2`".to_owned();
        let (step, told) = ("reload".to_owned(), "cannot parse `‹hidden›` or `‹hidden›`");
        let given_back = GivenBack { failed: Some((step.clone(), said.clone())), ..GivenBack::default() };
        let failure = Failure {
            step: step.clone(),
            reason: said.clone(),
            hint: Some(said.clone()),
            changed: true,
            stops_run: true,
            owes: Vec::new(),
            given_back: Some(given_back),
        };
        let failure = discreet.failure(failure);
        assert_eq!((failure.reason.as_str(), failure.hint.as_deref()), (told, Some(told)));
        assert_eq!(failure.given_back.unwrap().failed, Some((step.clone(), told.to_owned())));
        discreet.emit(Event::GateWaiting { host: host.clone(), gate: step.clone(), because: said.clone() });
        discreet.emit(Event::AnswerLost { host: host.clone(), step: step.clone(), reason: said.clone() });
        discreet.emit(Event::FallbackStarted { host: host.clone(), step, reason: said.clone() });
        discreet.emit(Event::HostUnreachable { host, reason: said.clone(), hint: Some(said) });
        let text = format!("{:?}", kept.0.lock().unwrap());
        assert!(!text.contains("hunter2") && text.matches(HIDDEN).count() == 10, "{text}");
    }
}
