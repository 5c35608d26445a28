//! The replayer: plays one transcript on one connection and reports how the peer diverges from it.
//!
//! It follows the rules of judgement (`harness/docs/rules-of-judgement.md`). A step of ours waits
//! for the mandatory expectations above it. The deadline of the case decides presence, and two
//! barriers decide absence. A message that arrives early is kept for the step that expects it.

mod absence;
mod connections;
mod expect;
pub mod judged;
mod pending;
mod say;
mod session;
#[cfg(test)]
mod tests;

use super::facts::{Facts, SEGMENTS};
use super::greet::receive_object;
use crate::cases::Case;
use crate::program::Route;
use crate::wire::{Incoming, Wire};
use dnode_reports::event::{Cycles, Kind};
use dnode_spec::message::Id;
use dnode_spec::transcript::{Action, Called, Name, Pattern, Split, Step, Transcript};
use judged::{Cause, Diverged, Judged, Replayed};
use pending::Pending;
use session::Session;
use std::collections::HashMap;
use std::time::Duration;

/// The step of a divergence after all steps.
pub(crate) const AFTER_LAST: &str = "after the last step";

/// The step and the clause of a divergence before the first step.
const HANDSHAKE: (&str, &str) = ("the handshake", "methods/sent");

/// The message that the handshake waits for.
const METHODS: &str = "the message \"methods\"";

/// Runs `case` against the peer.
pub async fn replay(case: &Case, route: &Route, facts: &Facts, patience: Duration) -> Replayed {
    let deadline = route.clock().now() + patience;
    match Wire::open(route, &facts.terms, deadline).await {
        Ok(wire) => play(case, Session::new(&case.transcript, Some(route), facts, wire, patience)).await,
        Err(error) => {
            Replayed::without_connection("robust/survives", Kind::Refused, error.kind().to_string())
        }
    }
}

/// Runs `case`, in which we are the server, against the client that opened this connection.
pub async fn replay_accepted(case: &Case, wire: Wire, facts: &Facts, patience: Duration) -> Replayed {
    play(case, Session::new(&case.transcript, None, facts, wire, patience)).await
}

/// Plays a case and closes the connection.
async fn play(case: &Case, mut session: Session<'_>) -> Replayed {
    if case.is_about(SEGMENTS) {
        session.wire.share_segments();
    }
    let breaks = &case.transcript.header.breaks;
    let judged = match play_parts(case, &mut session).await {
        Ok(()) => Judged::Pass,
        Err(Stop::Diverged(diverged)) if diverged.cause == Cause::Content && !breaks.is_empty() => {
            let reason = format!("the recorded peer broke {}, and this peer differs", breaks.join(", "));
            Judged::NotApplicable(reason)
        }
        Err(Stop::Diverged(diverged)) => Judged::Diverged(diverged),
        Err(Stop::NotApplicable(reason)) => Judged::NotApplicable(reason),
    };
    session.finish(judged).await
}

/// Plays the first part of a case, then the others, which are read one by one. The last part knows
/// the optional messages that may still come, so it judges the end too.
async fn play_parts(case: &Case, session: &mut Session<'_>) -> Result<(), Stop> {
    let changed = |error| Stop::NotApplicable(format!("the file changed during the replay: {error}"));
    let rest = case.rest.as_ref().map(|rest| rest.parts(&case.transcript.header));
    let mut rest = rest.transpose().map_err(changed)?;
    let mut next_part = || match &mut rest {
        Some(parts) => parts.next_part().map_err(changed),
        None => Ok(None),
    };
    let mut next = next_part()?;
    let mut replay = Replay::new(&case.transcript, session);
    replay.begin().await?;
    if next.is_none() {
        return replay.end().await;
    }
    while let Some(part) = next {
        next = next_part()?;
        session.next_part();
        let mut replay = Replay::new(&part, session);
        replay.part().await?;
        if next.is_none() {
            return replay.end().await;
        }
    }
    Ok(())
}

/// Why a replay ends before its last step.
enum Stop {
    Diverged(Box<Diverged>),
    NotApplicable(String),
}

impl Stop {
    /// Adds the references of a message that was expected.
    fn expecting(mut self, pattern: &Pattern) -> Stop {
        if let Stop::Diverged(diverged) = &mut self {
            diverged.cycles.expected = pattern.describe_cycle();
        }
        self
    }
}

/// The replay of one part of a transcript.
struct Replay<'r, 'a, 't> {
    session: &'r mut Session<'a>,
    transcript: &'t Transcript,
    /// How many steps had begun before this part.
    before: usize,
    /// The expected messages. Optional messages of earlier parts are no longer expected.
    pending: Vec<Pending<'t>>,
    /// Those of the connections beside the current one.
    pending_beside: HashMap<Option<String>, Vec<Pending<'t>>>,
    /// The step and the clause of a divergence found now.
    step: (&'t str, &'t str),
}

impl<'r, 'a, 't> Replay<'r, 'a, 't> {
    fn new(transcript: &'t Transcript, session: &'r mut Session<'a>) -> Replay<'r, 'a, 't> {
        let before = session.begun;
        Replay {
            session,
            transcript,
            before,
            pending: Vec::new(),
            pending_beside: HashMap::new(),
            step: HANDSHAKE,
        }
    }

    /// The handshake and the first part.
    async fn begin(&mut self) -> Result<(), Stop> {
        self.has_time_for(self.transcript.steps.iter().filter(|step| step.begins_round).count())?;
        if !self.transcript.header.manual_handshake {
            self.shake_hands().await?;
            if self.transcript.header.hostile {
                // The peer must always have read the handshake before it gets hostile input.
                self.session.greet().await;
            }
        }
        self.part().await
    }

    /// Stops a transcript that a slow peer cannot finish in time. This is no failure of the peer.
    fn has_time_for(&self, rounds: usize) -> Result<(), Stop> {
        if self.session.is_too_slow_for(rounds) {
            return Err(Stop::NotApplicable("the peer answers too slowly for so many messages".to_owned()));
        }
        Ok(())
    }

    /// Runs the steps of this part, and waits for everything that they expect.
    async fn part(&mut self) -> Result<(), Stop> {
        let steps: Vec<&'t Step> = self.transcript.steps.iter().collect();
        self.steps(&steps).await?;
        self.enter(AFTER_LAST, None);
        self.settle().await
    }

    /// Checks that nothing more comes after the last step.
    async fn end(&mut self) -> Result<(), Stop> {
        for connection in self.connections() {
            self.switch(connection.as_deref()).await?;
            self.enter(AFTER_LAST, None);
            if !self.session.over {
                self.nothing(false).await?;
            }
        }
        self.switch(None).await
    }

    async fn shake_hands(&mut self) -> Result<(), Stop> {
        let object = &self.transcript.header.object;
        self.say(object, b"\"methods\"", &Split::Whole).await?;
        if self.session.facts.sends_no_object() {
            return Ok(());
        }
        let (mut others, deadline) = (Vec::new(), self.session.deadline);
        let received =
            receive_object(&mut self.session.wire, deadline, &mut |other| others.push(other)).await;
        for other in others {
            self.keep(other, METHODS)?;
        }
        match received {
            Ok(received) => drop(self.session.names.bind_object(&received)),
            Err(end) => self.keep(end, METHODS)?,
        }
        Ok(())
    }

    /// Runs steps in order. An `either` continues with one of its branches, which is why this boxes
    /// itself.
    fn steps<'s>(
        &'s mut self,
        steps: &'s [&'t Step],
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), Stop>> + Send + 's>> {
        Box::pin(async move {
            for (at, step) in steps.iter().enumerate() {
                let next = steps.get(at + 1).map(|next| &next.action);
                match (&step.action, next) {
                    (_, Some(Action::HalfClose)) => self.session.wire.hold_until_half_close(),
                    // The bytes and the known-good call must always arrive together.
                    (Action::Bytes(_, _, Split::Whole), Some(Action::Survive)) => {
                        self.session.wire.hold_until_next();
                    }
                    _ => {}
                }
                if self.session.over && !matches!(step.action, Action::Served) {
                    continue;
                }
                self.session.begun += 1;
                if step.action.is_ours() {
                    self.session.next_answer();
                }
                if step.begins_round {
                    self.has_time_for(1)?;
                    self.session.next_round();
                }
                self.enter(&step.label, step.clause.as_deref());
                self.perform(step).await?;
            }
            Ok(())
        })
    }

    fn enter(&mut self, label: &'t str, clause: Option<&'t str>) {
        let clause = clause.unwrap_or(&self.transcript.header.clauses[0]);
        self.step = (label, clause);
        self.session.wire.begin_step(label);
    }

    async fn perform(&mut self, step: &'t Step) -> Result<(), Stop> {
        let crossing = self.transcript.header.crossing;
        self.switch(step.on.as_deref()).await?;
        self.enter(&step.label, step.clause.as_deref());
        match &step.action {
            Action::Expect(pattern, optional) => {
                self.expect(step, [pattern], *optional || crossing);
                Ok(())
            }
            Action::AnyOrder(patterns) => {
                self.expect(step, patterns, false);
                Ok(())
            }
            action => {
                self.settle().await?;
                self.enter(&step.label, step.clause.as_deref());
                if crossing && !self.waits_until_bound(action).await? {
                    return Ok(());
                }
                for (ours, theirs) in &step.ids {
                    let id = self.number(theirs).ok_or_else(|| self.unbound(theirs))?;
                    // No end should send a negative id, and the suite sends what is legal here.
                    if id.0 < 0 {
                        let reason =
                            format!("our function would get the number of {theirs}, which is negative");
                        return Err(Stop::NotApplicable(reason));
                    }
                    self.session.names.give(ours, id);
                }
                self.act(action).await
            }
        }
    }

    /// Waits a moment for the peer's functions that this action names. They may never come if
    /// messages cross. Returns whether all of them are bound.
    async fn waits_until_bound(&mut self, action: &Action) -> Result<bool, Stop> {
        let (Action::Call(called, pattern, _) | Action::Send(pattern @ Pattern { called, .. }, _)) = action
        else {
            return Ok(true);
        };
        let called = match called {
            Called::Function(name) => Some(name),
            Called::Member(_) | Called::Verbatim(_) => None,
        };
        let named: Vec<&Name> = called.into_iter().chain(pattern.culls()).collect();
        let until = self.session.deadline.min(self.session.now() + self.session.facts.quiet());
        loop {
            self.settle().await?;
            if named.iter().all(|name| self.session.names.callable(name).is_some()) {
                return Ok(true);
            }
            match self.session.wire.receive(until).await {
                Incoming::Late => return Ok(false),
                incoming => self.keep(incoming, "the function that the next step names")?,
            }
        }
    }

    async fn act(&mut self, action: &'t Action) -> Result<(), Stop> {
        if let Some(reason) = super::limits::refuses_step(&self.session.facts.limits, action) {
            return Err(Stop::NotApplicable(reason));
        }
        match action {
            Action::Call(called, pattern, split) => {
                let method = self.method_of_call(called)?;
                self.say(pattern, &method, split).await
            }
            Action::Send(pattern, split) => {
                let method = self.method_of_send(&pattern.called)?;
                self.say(pattern, &method, split).await
            }
            Action::Bytes(bytes, newline, split) => self.send_bytes(bytes, *newline, split).await,
            Action::HalfClose => {
                self.session.half_closed = true;
                self.session.wire.half_close();
                Ok(())
            }
            Action::Reset => {
                self.session.wire.reset();
                self.session.over = true;
                Ok(())
            }
            Action::Nothing => self.nothing(true).await,
            Action::Survive | Action::Served | Action::Closed if self.session.is_server() => {
                Err(Self::no_second_connection())
            }
            Action::Survive => self.survive().await,
            Action::Served => self.served().await,
            Action::Closed => self.closed().await,
            Action::Either(branches) => {
                let branch = self.choose(branches).await?;
                let steps: Vec<&'t Step> = branch.iter().collect();
                self.steps(&steps).await
            }
            Action::Wait(time) => self.wait(*time).await,
            Action::Unread(time) => {
                self.session.deadline += *time;
                self.session.wire.stop_reading_for(*time);
                Ok(())
            }
            Action::Expect(..) | Action::AnyOrder(_) => Ok(()),
        }
    }

    /// Sends nothing for this time.
    async fn wait(&mut self, time: Duration) -> Result<(), Stop> {
        self.session.deadline += time;
        let until = self.session.now() + time;
        loop {
            match self.session.wire.receive(until).await {
                Incoming::Late => return Ok(()),
                // Either end may close the connection at any time, and nothing was asked.
                Incoming::Closed { .. } => {
                    let reason = "the peer closed the connection while nothing was sent, as it may";
                    return Err(Stop::NotApplicable(reason.to_owned()));
                }
                incoming => self.keep(incoming, "a connection that stays open")?,
            }
        }
    }

    /// The number of a function of the peer, on any connection.
    fn number(&self, called: &Called) -> Option<Id> {
        let elsewhere = || self.session.beside.iter().find_map(|other| other.names.number(called));
        self.session.names.number(called).or_else(elsewhere)
    }

    /// Keeps a message for later steps. Ends the replay if nothing more can come.
    fn keep(&mut self, incoming: Incoming, awaited: &str) -> Result<(), Stop> {
        match incoming {
            Incoming::Message(received) => {
                self.session.receive(*received, self.transcript);
                Ok(())
            }
            Incoming::Broken(problem) => {
                self.session.broken.get_or_insert(problem);
                Ok(())
            }
            // Whether we see an orderly end or a reset depends on what the peer has read by then.
            Incoming::Closed { .. } => {
                Err(self.diverged(Kind::Closed, awaited, "the end of the connection", Cause::Life))
            }
            Incoming::Late => Err(self.missing(awaited)),
            Incoming::Flood => {
                let actual = "more than the suite keeps: messages, bytes or values without end";
                Err(self.diverged(Kind::Flood, awaited, actual, Cause::Content))
            }
        }
    }

    /// An expected message did not come. The peer sent nothing, or a line that is not a message.
    fn missing(&self, awaited: &str) -> Stop {
        if let Some(stop) = self.called_too_late(awaited) {
            return stop;
        }
        match &self.session.broken {
            None => self.diverged(Kind::Absent, awaited, "nothing", Cause::Time),
            Some(problem) => {
                let mut diverged = self.divergence(Kind::Broken, awaited, &problem.actual, Cause::Time);
                diverged.clause = problem.clause.to_owned();
                diverged.path.clone_from(&problem.at);
                Stop::Diverged(diverged)
            }
        }
    }

    /// If the peer has culled a function of its own that a step called, the call may have come too
    /// late. A method must stay callable by its id.
    fn called_too_late(&self, awaited: &str) -> Option<Stop> {
        let Session { names, called_ids, .. } = &*self.session;
        let mut gone = called_ids.iter().filter(|(id, _)| names.is_gone_there(**id));
        let (id, called) = gone.clone().find(|(id, _)| names.is_member(**id)).or_else(|| gone.next())?;
        if !names.is_member(*id) {
            let reason = format!("{} calls {called}, which the peer has culled itself", self.step.0);
            return Some(Stop::NotApplicable(reason));
        }
        let actual = format!("nothing, because the peer culled the id of its method {called}");
        let mut diverged = self.divergence(Kind::Absent, awaited, &actual, Cause::Content);
        "methods/by-id".clone_into(&mut diverged.clause);
        Some(Stop::Diverged(diverged))
    }

    fn diverged(&self, kind: Kind, expected: &str, actual: &str, cause: Cause) -> Stop {
        Stop::Diverged(self.divergence(kind, expected, actual, cause))
    }

    fn divergence(&self, kind: Kind, expected: &str, actual: &str, cause: Cause) -> Box<Diverged> {
        Box::new(Diverged {
            step: self.step.0.to_owned(),
            clause: self.step.1.to_owned(),
            kind,
            path: String::new(),
            expected: expected.to_owned(),
            actual: actual.to_owned(),
            cycles: Cycles::default(),
            class: kind.word().to_owned(),
            cause,
            called: None,
        })
    }

    /// The result of a step that needs a second connection if we are the server.
    fn no_second_connection() -> Stop {
        let reason = "it needs a second connection, but only the client opens connections, one after another";
        Stop::NotApplicable(reason.to_owned())
    }
}
