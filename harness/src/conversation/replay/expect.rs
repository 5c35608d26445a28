//! Matches the peer's messages with the expectations of a transcript.

use super::judged::Cause;
use super::pending::Pending;
use super::{Replay, Stop};
use crate::wire::Incoming;
use dnode_reports::event::{Cycles, Kind};
use dnode_spec::compare::Difference;
use dnode_spec::graph::describe;
use dnode_spec::message::{Method, is_reserved};
use dnode_spec::monitor::Received;
use dnode_spec::path::Path;
use dnode_spec::transcript::{Action, Called, Mismatch, Name, Pattern, Step};

impl<'t> Replay<'_, '_, 't> {
    /// Expects these messages from now on.
    pub(super) fn expect(
        &mut self,
        step: &'t Step,
        patterns: impl IntoIterator<Item = &'t Pattern>,
        optional: bool,
    ) {
        let session = &self.session;
        let cause = |pattern: &Pattern| match &pattern.called {
            Called::Function(name) => {
                session.causes.get(name).copied().flatten().filter(|it| *it >= session.called)
            }
            Called::Member(_) | Called::Verbatim(_) => None,
        };
        let pending = patterns.into_iter().map(|pattern| {
            let (cause, group) = (cause(pattern), session.begun);
            Pending { step, pattern, optional, cause, group }
        });
        self.pending.extend(pending);
    }

    /// Waits until every mandatory expectation is met.
    pub(super) async fn settle(&mut self) -> Result<(), Stop> {
        loop {
            for received in std::mem::take(&mut self.session.inbox) {
                if !self.matches(&received)? {
                    self.session.inbox.push(received);
                }
            }
            let Some(next) = self.pending.iter().find(|pending| !pending.optional) else {
                return Ok(());
            };
            let (step, pattern) = (next.step, next.pattern);
            match self.session.wire.receive(self.session.deadline).await {
                Incoming::Message(received) => self.session.receive(*received, self.transcript),
                Incoming::Late if self.session.may_wait_longer() => {}
                other => {
                    self.enter(&step.label, step.clause.as_deref());
                    if let Incoming::Late = other
                        && let Some(stop) = self.wrong_in_inbox()
                    {
                        return Err(stop);
                    }
                    self.keep(other, &pattern.describe()).map_err(|stop| stop.expecting(pattern))?;
                }
            }
        }
    }

    /// Whether the message meets an expectation, which is then removed. The message is a divergence
    /// if it comes too early, or if it calls an expected function with other arguments and no later
    /// step expects it.
    fn matches(&mut self, received: &Received) -> Result<bool, Stop> {
        let mut mismatch = None;
        for at in 0..self.pending.len() {
            if !self.pending[at].pattern.calls(&received.method, &self.session.names) {
                continue;
            }
            match self.pending[at].pattern.check(received, &mut self.session.names) {
                Ok(()) => return self.meet(at, received).map(|()| true),
                // A cull may come at any time, so an unexpected one is not a divergence.
                Err(_) if received.method.is("cull") => {}
                Err(found) => mismatch = mismatch.or(Some((at, found))),
            }
        }
        match mismatch {
            // A message that does not meet an optional expectation is kept.
            // So is a call that the peer makes unasked.
            Some((at, mismatch))
                if !self.pending[at].optional
                    && !self.expected_later(received)
                    && !self.is_habit(&received.method) =>
            {
                Err(self.differs(at, received, &mismatch))
            }
            _ => Ok(false),
        }
    }

    /// Removes an expectation that was met, unless another must be met first.
    fn meet(&mut self, at: usize, received: &Received) -> Result<(), Stop> {
        self.session.wire.took(received, &self.pending[at].step.label);
        let first = self.pending[..at].iter().position(|other| other.precedes(&self.pending[at]));
        match first {
            Some(first) => Err(self.out_of_order(first, at)),
            None => {
                self.pending.remove(at);
                Ok(())
            }
        }
    }

    /// Whether a later step expects a call of the same function.
    fn expected_later(&self, received: &Received) -> bool {
        let begun = self.session.begun - self.before;
        self.transcript.expects(begun, &|pattern| pattern.calls(&received.method, &self.session.names))
    }

    /// Finds a message that calls an expected function with other arguments. At the deadline, this
    /// is a better finding than silence.
    fn wrong_in_inbox(&mut self) -> Option<Stop> {
        let is_wrong = |received: &&Received| !received.method.is("cull") && !self.is_habit(&received.method);
        let mut names = self.session.names.clone();
        for (number, received) in self.session.inbox.iter().enumerate().filter(|(_, it)| is_wrong(it)) {
            for at in 0..self.pending.len() {
                let Pending { pattern, optional, .. } = &self.pending[at];
                if *optional || !pattern.calls(&received.method, &names) {
                    continue;
                }
                if let Err(mismatch) = pattern.check(received, &mut names) {
                    let received = self.session.inbox.swap_remove(number);
                    return Some(self.differs(at, &received, &mismatch));
                }
            }
        }
        None
    }

    fn differs(&mut self, at: usize, received: &Received, mismatch: &Mismatch) -> Stop {
        self.session.wire.took(received, &self.pending[at].step.label);
        let (step, expected) = (self.pending[at].step, self.pending[at].pattern.describe());
        self.enter(&step.label, step.clause.as_deref());
        let Mismatch::Arguments(difference) = mismatch else {
            return self.diverged(Kind::Differs, &expected, "a call of another function", Cause::Content);
        };
        self.other_arguments(difference)
    }

    fn out_of_order(&mut self, first: usize, at: usize) -> Stop {
        let step = self.pending[first].step;
        let (expected, got) = (self.pending[first].pattern.describe(), self.pending[at].pattern.describe());
        self.enter(&step.label, step.clause.as_deref());
        self.diverged(Kind::Order, &format!("{expected} first"), &format!("{got} before it"), Cause::Content)
    }

    /// Waits for the first step of one of the branches.
    pub(super) async fn choose(&mut self, branches: &'t [Vec<Step>]) -> Result<&'t [Step], Stop> {
        loop {
            for branch in branches {
                let Some(Action::Expect(pattern, _)) = branch.first().map(|step| &step.action) else {
                    continue;
                };
                for received in &self.session.inbox {
                    let mut names = self.session.names.clone();
                    if pattern.check(received, &mut names).is_ok() {
                        return Ok(branch);
                    }
                }
            }
            let closed = branches
                .iter()
                .find(|branch| matches!(branch.first().map(|step| &step.action), Some(Action::Closed)));
            match (self.session.wire.receive(self.session.deadline).await, closed) {
                (Incoming::Closed { .. }, Some(branch)) => return Ok(branch),
                (Incoming::Late, _) if self.session.may_wait_longer() => {}
                (incoming, _) => {
                    if let Incoming::Late = incoming
                        && let Some(stop) = self.wrong_branch(branches)
                    {
                        return Err(stop);
                    }
                    self.keep(incoming, &alternatives(branches))?;
                }
            }
        }
    }

    /// Finds a message that calls the function of a branch with other arguments.
    fn wrong_branch(&self, branches: &[Vec<Step>]) -> Option<Stop> {
        let mut names = self.session.names.clone();
        let is_wrong = |received: &&Received| !received.method.is("cull") && !self.is_habit(&received.method);
        for received in self.session.inbox.iter().filter(is_wrong) {
            for pattern in branches.iter().filter_map(|branch| match &branch.first()?.action {
                Action::Expect(pattern, false) => Some(pattern),
                _ => None,
            }) {
                if pattern.calls(&received.method, &names)
                    && let Err(Mismatch::Arguments(difference)) = pattern.check(received, &mut names)
                {
                    return Some(self.other_arguments(&difference));
                }
            }
        }
        None
    }

    fn other_arguments(&self, difference: &Difference) -> Stop {
        let mut diverged =
            self.divergence(difference.kind.into(), &difference.expected, &difference.actual, Cause::Content);
        diverged.path = difference.path.to_string();
        diverged.class = difference.class.to_owned();
        diverged.cycles =
            Cycles { expected: difference.expected_cycle.clone(), actual: difference.actual_cycle.clone() };
        Stop::Diverged(diverged)
    }

    /// The first message in the inbox that calls a function of the transcript but that no step
    /// expects. `explicit`: a step says that nothing comes.
    pub(super) fn unexpected(&self, explicit: bool) -> Option<Stop> {
        let stray = self.session.inbox.iter().find(|received| self.concerns(&received.method, explicit))?;
        let called = match &stray.method {
            Method::Id(id) => {
                self.session.names.our_name(*id).map_or_else(|| id.to_string(), ToString::to_string)
            }
            Method::Name(name) => name.as_text().to_string(),
        };
        let actual = format!("a call of {called} with {}", describe(&stray.graph, stray.root));
        let mut diverged = self.divergence(Kind::Unexpected, "nothing more", &actual, Cause::Content);
        let cycle = Path::default().describe_cycle(&stray.graph, stray.root);
        diverged.cycles.actual = cycle.map(|arguments| format!("a call of {called} with {arguments}"));
        diverged.class = format!("call of {called}");
        diverged.called = match &stray.method {
            Method::Id(id) => Some(id.0),
            Method::Name(_) => None,
        };
        Some(Stop::Diverged(diverged))
    }

    /// Whether this case judges the call. The monitor judges calls of undeclared ids. A function
    /// that is not called in a recording may still be called: the recorded peer may have had no
    /// time or no reason to call it. Either end may call the other unasked, so a case judges calls
    /// of names and of members of our object only if a step expects some, or if a step names the
    /// function and another says that nothing comes, and never those that the preflight has seen.
    fn concerns(&self, method: &Method, explicit: bool) -> bool {
        let (names, recorded) = (&self.session.names, self.transcript.header.recorded);
        let is_said = || match method {
            Method::Id(id) => match names.our_name(*id) {
                Some(Name::Word(word)) => self.transcript.says(word.as_str().into()),
                _ => false,
            },
            Method::Name(key) => self.transcript.says(key.as_text()),
        };
        let is_watched = || {
            explicit && !recorded && is_said() || self.transcript.expects(0, &|it| it.calls(method, names))
        };
        match method {
            Method::Id(id) => names.our_name(*id).is_some_and(|name| {
                !recorded && !names.is_offered(name) || !self.is_habit(method) && is_watched()
            }),
            // dnode-protocol 0.0 and 0.1 report errors by a call of the name `error`, and an end
            // may send its object again.
            Method::Name(key) => !is_reserved(key.as_text()) && !self.is_habit(method) && is_watched(),
        }
    }

    /// Whether the preflight has seen such a call of a name, or of a member of our object.
    fn is_habit(&self, method: &Method) -> bool {
        let (names, calls) = (&self.session.names, &self.session.facts.calls);
        match method {
            Method::Id(id) => calls.calls_ours && names.our_name(*id).is_some_and(|it| names.is_offered(it)),
            Method::Name(key) => {
                calls.calls_ours && names.of_own_member(key).is_some()
                    || calls.unasked.contains(&*key.as_text().to_string_lossy())
            }
        }
    }
}

/// What one of the branches begins with: `a call of $cb with [1], or the end of the connection`.
fn alternatives(branches: &[Vec<Step>]) -> String {
    let begin = |branch: &Vec<Step>| match &branch.first()?.action {
        Action::Expect(pattern, _) => Some(pattern.describe()),
        Action::Closed => Some("the end of the connection".to_owned()),
        _ => None,
    };
    branches.iter().filter_map(begin).collect::<Vec<_>>().join(", or ")
}
