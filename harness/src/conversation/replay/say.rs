//! Sends the messages of a transcript, with the ids that the functions have on this connection.

use super::{Replay, Stop};
use crate::conversation::limits;
use dnode_spec::message::Id;
use dnode_spec::transcript::{Called, Pattern, Split};

impl Replay<'_, '_, '_> {
    /// Sends a message of the transcript.
    pub(super) async fn say(&mut self, pattern: &Pattern, method: &[u8], split: &Split) -> Result<(), Stop> {
        if method == b"\"methods\"" {
            for (key, name) in pattern.members() {
                self.session.names.own_member(&key, name);
            }
            pattern.declared().iter().for_each(|name| self.session.names.offer(name));
        }
        if let Some(id) = std::str::from_utf8(method).ok().and_then(Id::from_key) {
            self.session.called_ids.entry(id).or_insert_with(|| pattern.called.to_string());
        }
        let line = pattern.encode(method, &mut self.session.names);
        self.session.extend_deadline(line.len() as u64);
        if matches!(pattern.called, Called::Function(_)) {
            self.session.called = self.session.begun;
        }
        // Any later message may make the peer call a method of our object, so `methods` is not
        // their cause.
        for name in pattern.declared().iter().filter(|_| method != b"\"methods\"") {
            let begun = self.session.begun;
            match self.session.causes.get_mut(name) {
                Some(cause) => *cause = cause.filter(|step| *step == begun),
                None => drop(self.session.causes.insert(name.clone(), Some(begun))),
            }
        }
        self.send(&split.segments(&line)).await
    }

    /// Sends these segments, if the transport can carry them.
    pub(super) async fn send(&mut self, segments: &[&[u8]]) -> Result<(), Stop> {
        if let Some(reason) = limits::refuses_segments(&self.session.facts.limits, segments) {
            return Err(Stop::NotApplicable(reason));
        }
        // A pause of a millisecond may take two.
        self.session.deadline += self.session.wire.pauses(segments) * 2;
        self.session.wire.send(segments, self.session.deadline).await;
        Ok(())
    }

    pub(super) fn method_of_call(&self, called: &Called) -> Result<Vec<u8>, Stop> {
        let method = self.session.names.method_of_call(called, self.session.facts.calls.by);
        method.ok_or_else(|| self.unbound(called))
    }

    pub(super) fn method_of_send(&self, called: &Called) -> Result<Vec<u8>, Stop> {
        let method = self.session.names.method_of_send(called, self.session.facts.calls.by);
        method.ok_or_else(|| self.unbound(called))
    }

    pub(super) fn unbound(&self, called: &Called) -> Stop {
        Stop::NotApplicable(format!(
            "{} needs {called}, which the peer did not declare or has culled",
            self.step.0
        ))
    }
}
