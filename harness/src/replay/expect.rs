//! What a transcript expects and what came, brought together.

use super::{Cause, Replay, Stop};
use crate::wire::Incoming;
use dnode_reports::event::Kind;
use dnode_spec::graph::describe;
use dnode_spec::message::Method;
use dnode_spec::monitor::Received;
use dnode_spec::transcript::{Action, Called, Mismatch, Pattern, Step};

/// A message that is expected and has not come.
pub(super) struct Pending<'a> {
    step: &'a Step,
    pattern: &'a Pattern,
    optional: bool,
    /// Our step that declared the function that it calls.
    cause: Option<usize>,
    /// The step that expects it: the messages of one step come in any order.
    group: usize,
}

/// What became of a message that was offered to the expectations.
enum Offer {
    Matched,
    Kept,
}

impl<'t> Replay<'_, 't> {
    /// Expects these messages from now on.
    pub(super) fn expect(
        &mut self,
        step: &'t Step,
        patterns: impl IntoIterator<Item = &'t Pattern>,
        optional: bool,
    ) {
        for pattern in patterns {
            let cause = match &pattern.called {
                Called::Function(name) => {
                    self.causes.get(name).copied().flatten().filter(|it| *it >= self.called)
                }
                _ => None,
            };
            self.pending.push(Pending { step, pattern, optional, cause, group: self.begun });
        }
    }

    /// Waits until every mandatory expectation is met.
    pub(super) async fn settle(&mut self) -> Result<(), Stop> {
        loop {
            for received in std::mem::take(&mut self.inbox) {
                if let Offer::Kept = self.offer(&received)? {
                    self.inbox.push(received);
                }
            }
            let Some(next) = self.pending.iter().find(|pending| !pending.optional) else {
                return Ok(());
            };
            let (step, pattern) = (next.step, next.pattern);
            match self.wire.receive(self.deadline).await {
                Incoming::Message(received) => self.receive(*received),
                Incoming::Late if self.more_time() => {}
                other => {
                    self.enter(&step.label, step.clause.as_deref());
                    if let Incoming::Late = other
                        && let Some(stop) = self.wrong_in_inbox()
                    {
                        return Err(stop);
                    }
                    self.keep(other, &pattern.describe())?;
                }
            }
        }
    }

    /// Meets an expectation with a message, or keeps it, or finds that it can be nothing that is ever expected.
    fn offer(&mut self, received: &Received) -> Result<Offer, Stop> {
        let mut wrong = None;
        for at in 0..self.pending.len() {
            let pending = &self.pending[at];
            if !pending.pattern.calls(&received.method, &self.names) {
                continue;
            }
            let before = self.blocking(at);
            match pending.pattern.check(received, &mut self.names) {
                Ok(()) => {
                    return match before {
                        None => {
                            self.pending.remove(at);
                            Ok(Offer::Matched)
                        }
                        Some(before) => Err(self.out_of_order(before, at)),
                    };
                }
                // Another cull than the one that is awaited is no divergence: it may come at any time.
                Err(_) if received.method.is("cull") => {}
                Err(mismatch) => wrong = wrong.or(Some((at, mismatch))),
            }
        }
        match wrong {
            Some((at, mismatch)) if !self.expected_later(received) => {
                // An optional expectation that is not met is none.
                if self.pending[at].optional {
                    return Ok(Offer::Kept);
                }
                Err(self.differs(at, &mismatch))
            }
            _ => Ok(Offer::Kept),
        }
    }

    /// The expectation that must be met before this one: an earlier one with the same cause.
    fn blocking(&self, at: usize) -> Option<usize> {
        let this = &self.pending[at];
        self.pending[..at].iter().position(|other| {
            !other.optional && other.cause.is_some() && other.cause == this.cause && other.group != this.group
        })
    }

    /// Whether a step further down expects a call of the same function.
    fn expected_later(&self, received: &Received) -> bool {
        self.transcript
            .expects(self.begun - self.before, &|pattern| pattern.calls(&received.method, &self.names))
    }

    /// Time is up: a message that calls what is awaited with other arguments is the better finding than silence.
    fn wrong_in_inbox(&mut self) -> Option<Stop> {
        let inbox = std::mem::take(&mut self.inbox);
        for received in &inbox {
            for at in 0..self.pending.len() {
                let pending = &self.pending[at];
                if pending.optional
                    || received.method.is("cull")
                    || !pending.pattern.calls(&received.method, &self.names)
                {
                    continue;
                }
                if let Err(mismatch) = pending.pattern.check(received, &mut self.names) {
                    return Some(self.differs(at, &mismatch));
                }
            }
        }
        self.inbox = inbox;
        None
    }

    fn differs(&mut self, at: usize, mismatch: &Mismatch) -> Stop {
        let (step, awaited) = (self.pending[at].step, self.pending[at].pattern.describe());
        self.enter(&step.label, step.clause.as_deref());
        let Mismatch::Arguments(difference) = mismatch else {
            return self.diverged(Kind::Differs, &awaited, "a call of something else", Cause::Content);
        };
        let mut diverged =
            self.divergence(difference.kind.into(), &difference.expected, &difference.actual, Cause::Content);
        diverged.path = difference.path.to_string();
        diverged.class = difference.class.to_owned();
        Stop::Diverged(diverged)
    }

    fn out_of_order(&mut self, before: usize, at: usize) -> Stop {
        let step = self.pending[before].step;
        let (first, came) = (self.pending[before].pattern.describe(), self.pending[at].pattern.describe());
        self.enter(&step.label, step.clause.as_deref());
        self.diverged(Kind::Order, &format!("{first}, first"), &format!("{came}, before it"), Cause::Content)
    }

    /// Waits for what one of the continuations begins with.
    pub(super) async fn choose(&mut self, branches: &'t [Vec<Step>]) -> Result<&'t [Step], Stop> {
        loop {
            for branch in branches {
                let Some(Action::Expect(pattern, _)) = branch.first().map(|step| &step.action) else {
                    continue;
                };
                for received in &self.inbox {
                    let mut names = self.names.clone();
                    if pattern.check(received, &mut names).is_ok() {
                        return Ok(branch);
                    }
                }
            }
            let closed = branches
                .iter()
                .find(|branch| matches!(branch.first().map(|step| &step.action), Some(Action::Closed)));
            match (self.wire.receive(self.deadline).await, closed) {
                (Incoming::Closed { .. }, Some(branch)) => return Ok(branch),
                (incoming, _) => self.keep(incoming, "one of the continuations")?,
            }
        }
    }

    /// The first message in the inbox that calls a function of the transcript: nothing expects it.
    pub(super) fn unexpected(&self) -> Option<Stop> {
        let stray = self.inbox.iter().find(|received| self.concerns(&received.method))?;
        let called = match &stray.method {
            Method::Id(id) => self.names.our_name(*id).map_or_else(|| id.to_string(), ToString::to_string),
            Method::Name(name) => name.as_text().to_string(),
        };
        let actual = format!("a call of {called} with {}", describe(&stray.graph, stray.root));
        let mut diverged = self.divergence(Kind::Unexpected, "nothing more", &actual, Cause::Content);
        diverged.class = format!("call of {called}");
        Some(Stop::Diverged(diverged))
    }

    /// Whether a call is this case's business: an id that nobody declared is the monitor's, and what a recording never saw called, its
    /// other end may have had no time or no wish to call.
    fn concerns(&self, method: &Method) -> bool {
        if self.transcript.header.recorded
            && !self.transcript.expects(0, &|pattern| pattern.calls(method, &self.names))
        {
            return false;
        }
        match method {
            Method::Id(id) => self.names.our_name(*id).is_some(),
            // dnode-protocol 0.0 and 0.1 tell of errors by a call of the one name; an end may send its object again.
            Method::Name(key) => ["error", "methods", "cull"].iter().all(|name| key.as_text() != *name),
        }
    }
}
