//! What the suite says: the messages of a transcript, with the numbers that the functions have on this connection.

use super::{Replay, Stop};
use crate::ping::method_text;
use dnode_spec::transcript::{Called, Name, Pattern, Split};

impl Replay<'_, '_> {
    /// Sends a message of the transcript.
    pub(super) async fn say(&mut self, pattern: &Pattern, method: &[u8], split: &Split) -> Result<(), Stop> {
        if method == b"\"methods\"" {
            for (key, name) in pattern.members() {
                self.names.own_member(&key, name);
            }
        }
        let line = pattern.encode(method, &mut self.names);
        self.give_time(line.len() as u64);
        if matches!(pattern.called, Called::Function(_)) {
            self.called = self.begun;
        }
        // Whatever is said later may make the peer call a method of our object.
        for name in pattern.declared().iter().filter(|_| method != b"\"methods\"") {
            let begun = self.begun;
            match self.causes.get_mut(name) {
                Some(cause) => *cause = cause.filter(|step| *step == begun),
                None => drop(self.causes.insert(name.clone(), Some(begun))),
            }
        }
        self.send(&split.segments(&line)).await
    }

    /// Sends these segments, where the transport can carry them.
    pub(super) async fn send(&mut self, segments: &[&[u8]]) -> Result<(), Stop> {
        if let Some(reason) = self.facts.limits.refuses_segments(segments) {
            return Err(Stop::NotApplicable(reason));
        }
        self.wire.send(segments, self.deadline).await;
        Ok(())
    }

    pub(super) fn method_of_call(&self, called: &Called) -> Result<Vec<u8>, Stop> {
        match called {
            Called::Member(key) => Ok(method_text(key, &self.names, self.facts.by)),
            Called::Function(name) => match self.names.callable(name) {
                Some(id) => Ok(id.to_string().into_bytes()),
                None => Err(self.unbound(called)),
            },
            Called::Verbatim(text) => Ok(text.clone()),
        }
    }

    pub(super) fn method_of_send(&self, called: &Called) -> Result<Vec<u8>, Stop> {
        match called {
            Called::Member(key) => {
                let mut text = Vec::new();
                key.as_text().write_json(&mut text);
                Ok(text)
            }
            // A number that nothing binds stands for itself.
            Called::Function(Name::Theirs(id)) => {
                let id = self.names.callable(&Name::Theirs(*id)).unwrap_or(*id);
                Ok(id.to_string().into_bytes())
            }
            called => self.method_of_call(called),
        }
    }

    pub(super) fn unbound(&self, called: &Called) -> Stop {
        Stop::NotApplicable(format!(
            "{} needs {called}, which the peer did not declare or has taken back",
            self.step.0
        ))
    }
}
