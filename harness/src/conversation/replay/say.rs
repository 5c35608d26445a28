//! Sends the messages of a transcript, with the ids that the functions have on this connection.

use super::session::Session;
use super::{Replay, Stop};
use crate::conversation::limits;
use dnode_spec::message::Id;
use dnode_spec::transcript::{Addressing, Blank, Bytes, Called, Name, Pattern, Split};
use memchr::memchr_iter;

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

    /// Sends literal bytes, with the numbers of the functions that they name filled in.
    pub(super) async fn send_bytes(
        &mut self,
        bytes: &Bytes,
        newline: bool,
        split: &Split,
    ) -> Result<(), Stop> {
        let mut bytes = self.expand(bytes)?;
        // A peer needs time to read long input, and to act on many messages.
        self.session.extend_deadline(bytes.len() as u64);
        let messages = memchr_iter(b'\n', &bytes).count();
        self.has_time_for(messages)?;
        self.session.extend_for_messages(messages);
        bytes.extend(newline.then_some(b'\n'));
        self.send(&split.segments(&bytes)).await
    }

    /// The bytes that an expression stands for.
    fn expand(&mut self, bytes: &Bytes) -> Result<Vec<u8>, Stop> {
        let Session { names, beside, facts, .. } = &mut *self.session;
        let by_name = facts.is_called_by_name();
        let elsewhere = |called: &Called| beside.iter().find_map(|other| other.names.number(called));
        // Each connection has ids of its own, so a number of another connection may also be one here.
        let foreign: Vec<&Name> = bytes
            .names()
            .into_iter()
            .filter(|name| {
                let called = Called::Function((*name).clone());
                names.number(&called).is_none() && elsewhere(&called).is_some_and(|id| names.is_declared(id))
            })
            .collect();
        if let Some(name) = foreign.first() {
            let reason = format!("the number of {name} is also that of a function of this connection");
            return Err(Stop::NotApplicable(reason));
        }
        // After our cull, the peer may have given the number to another function.
        let given_again = |name: &&Name| {
            let id = names.number(&Called::Function((*name).clone()));
            id.is_some_and(|id| names.is_given_again(id) && names.callable(name) != Some(id))
        };
        if let Some(name) = bytes.names().into_iter().find(given_again) {
            let reason = format!("the peer gave the number of {name} to another function");
            return Err(Stop::NotApplicable(reason));
        }
        let expanded = bytes.expand_and_change(&mut |blank| match blank {
            Blank::Ping(part) => facts.calls.ping.as_ref()?.part(*part, names, facts.calls.by),
            Blank::Id(Called::Member(key)) if by_name => {
                Some(names.method_of_member(key, Addressing::ByName))
            }
            // A name that the peer did not declare is ours, and these bytes declare it. The bytes
            // may contain several messages, so no order follows.
            Blank::Id(called @ Called::Function(name)) => {
                let known = names.number(called).or_else(|| elsewhere(called));
                let id = known.unwrap_or_else(|| names.declare(name));
                Some(id.to_string().into_bytes())
            }
            Blank::Id(called) => {
                let id = names.number(called).or_else(|| elsewhere(called));
                id.map(|id| id.to_string().into_bytes())
            }
        });
        let (bytes, changed) = expanded.map_err(|blank| match blank {
            Blank::Id(called) => self.unbound(&called),
            Blank::Ping(_) => Stop::NotApplicable(format!("{} needs {blank}", self.step.0)),
        })?;
        if let Some(number) = changed.into_iter().find(|number| self.session.names.is_declared(Id(*number))) {
            let reason = format!("{number}, which no function should have, is the number of one");
            return Err(Stop::NotApplicable(reason));
        }
        Ok(bytes)
    }
}
