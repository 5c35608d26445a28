//! Learns how to call a peer: by id or by name, with strings or integers in paths.

use super::Preflight;
use crate::clock::Moment;
use crate::conversation::ping::{Ping, Silence};
use crate::wire::Incoming;
use dnode_spec::message::{Id, Method};
use dnode_spec::monitor::Received;
use dnode_spec::path::PathForm;
use dnode_spec::text::TextBuf;
use dnode_spec::transcript::Addressing;
use std::slice;
use std::time::Duration;

/// A form that is not answered within this part of the deadline is followed by the next form.
pub(super) const STAGGER: u32 = 4;

/// A form of the known-good call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Form {
    by: Addressing,
    paths: PathForm,
}

/// A call that was sent.
struct Asked {
    form: Form,
    id: Id,
    at: Moment,
    answered: bool,
}

/// The answer to one of the calls.
struct Answer {
    /// The place of the call among those that were sent.
    place: usize,
    received: Box<Received>,
    round_trip: Duration,
}

impl Preflight {
    /// Learns how to call the peer: by id, by name, and if it answers neither, with another form of
    /// paths. The run uses the first form that works.
    pub(super) async fn learn_addressing(&mut self, ping: &Ping) {
        let method = TextBuf::from(ping.method());
        let has_id = self.names.member(&method).is_some();
        let by_id = has_id.then_some(Addressing::ById);
        let forms = [PathForm::Strings, PathForm::Integers].into_iter().flat_map(|paths| {
            by_id.into_iter().chain([Addressing::ByName]).map(move |by| Form { by, paths })
        });
        let mut asked = Vec::new();
        let Some(form) = self.learn_form(ping, forms.collect(), &mut asked).await else {
            // A peer that ends the connection is not called in further forms.
            let called_by_name = asked.iter().any(|asked| asked.form.by == Addressing::ByName);
            self.facts.missing.extend(has_id.then_some("methods/by-id"));
            self.facts.missing.extend((called_by_name || !has_id).then_some("methods/by-name"));
            return;
        };
        if form.paths == PathForm::Integers {
            self.facts.missing.insert("callback/path-forms");
        }
        match form.by {
            Addressing::ById if self.facts.calls.avoided.names => {}
            Addressing::ById => self.learn_by_name(&ping.clone().with_paths(form.paths), &mut asked).await,
            Addressing::ByName => self.facts.missing.extend(has_id.then_some("methods/by-id")),
        }
        // The peer culled the id after the call, so the next call by the id may come too late.
        let answers_names = !self.name_is_unanswered && !self.facts.calls.avoided.names;
        if has_id && self.names.member(&method).is_none() && answers_names {
            self.facts.missing.insert("methods/by-id");
            self.facts.calls.by = Addressing::ByName;
        }
    }

    /// Calls the peer in these forms, and learns the first form that it answers.
    ///
    /// A peer that has not answered for a while gets the next form too, and each form has a whole
    /// deadline. So a peer that answers none costs less than two deadlines.
    async fn learn_form(&mut self, ping: &Ping, forms: Vec<Form>, asked: &mut Vec<Asked>) -> Option<Form> {
        let mut best: Option<Answer> = None;
        for form in forms {
            if best.is_some() || self.wire.is_closed() {
                break;
            }
            let at = self.wire.clock().now();
            let ping = ping.clone().with_paths(form.paths);
            let id = ping.send(&mut self.wire, &mut self.names, form.by, at + self.patience).await;
            asked.push(Asked { form, id, at, answered: false });
            best = self.answer(asked, at + self.patience / STAGGER).await;
        }
        loop {
            // Only the answer to an earlier call is better.
            let count = best.as_ref().map_or(asked.len(), |answer| answer.place);
            let Some(last) = asked[..count].last() else { break };
            let deadline = last.at + self.patience;
            let Some(better) = self.answer(&mut asked[..count], deadline).await else { break };
            best = Some(better);
        }
        let Answer { place, received, round_trip } = best?;
        let form = asked[place].form;
        self.learn_call(&ping.clone().with_paths(form.paths), form.by, &received, round_trip);
        Some(form)
    }

    /// Waits for an answer to one of these calls.
    async fn answer(&mut self, asked: &mut [Asked], deadline: Moment) -> Option<Answer> {
        loop {
            match self.wire.receive(deadline).await {
                Incoming::Message(received) => {
                    let is_answered = |asked: &Asked| received.method == Method::Id(asked.id);
                    if let Some(place) = asked.iter().position(is_answered) {
                        asked[place].answered = true;
                        let round_trip = self.wire.clock().now().since(asked[place].at);
                        return Some(Answer { place, received, round_trip });
                    }
                    self.facts.heard_unasked(&received.method);
                    received.culls.iter().for_each(|id| self.names.culled_by_peer(*id));
                }
                Incoming::Broken(_) => {}
                Incoming::Closed { .. } | Incoming::Late | Incoming::Flood => return None,
            }
        }
    }

    /// From now on, this is the known-good call.
    pub(super) fn learn_call(
        &mut self,
        ping: &Ping,
        by: Addressing,
        received: &Received,
        round_trip: Duration,
    ) {
        self.facts.calls.round_trip = round_trip;
        self.facts.calls.by = by;
        self.facts.calls.ping = Some(ping.clone());
        if ping.method() == "conformProbe" {
            self.read_claim(received);
        }
    }

    /// Learns whether a peer that answers calls by id also answers calls by name. The run does not
    /// depend on that, so a short wait is enough. A call that was sent before is not sent again,
    /// because a slow peer would answer it late.
    async fn learn_by_name(&mut self, ping: &Ping, asked: &mut [Asked]) {
        let deadline = self.wire.clock().now() + self.facts.short(self.patience);
        let form = Form { by: Addressing::ByName, paths: ping.path_form() };
        let answers = match asked.iter_mut().find(|asked| asked.form == form) {
            Some(asked) => asked.answered || self.answer(slice::from_mut(asked), deadline).await.is_some(),
            None => self.ask(ping, form.by, deadline).await.is_ok(),
        };
        self.name_is_unanswered = !answers;
    }

    /// Makes the call and waits for the answer.
    pub(super) async fn ask(
        &mut self,
        ping: &Ping,
        by: Addressing,
        deadline: Moment,
    ) -> Result<Box<Received>, Silence> {
        let (facts, mut culls) = (&mut self.facts, Vec::new());
        let mut others = |other: Box<Received>| {
            facts.heard_unasked(&other.method);
            culls.extend(other.culls);
        };
        let answer = ping.ask(&mut self.wire, &mut self.names, by, deadline, &mut others).await;
        culls.into_iter().for_each(|id| self.names.culled_by_peer(id));
        answer
    }
}
