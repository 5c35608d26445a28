//! The replayer: runs one transcript on one connection and says how the peer diverges from it.
//!
//! It follows the rules of judgement in `harness/docs/rules-of-judgement.md`: a step of ours waits for the mandatory expectations above it;
//! presence is decided by the deadline of the case, absence by two barriers; what comes early is kept for the step that expects it.

mod absence;
mod expect;
mod judged;
mod say;
mod seat;

use crate::cases::Case;
use crate::peer::bind_object;
use crate::ping::{Addressing, method_text};
use crate::preflight::Facts;
use crate::transport::Address;
use crate::wire::{Incoming, Wire};
use dnode_spec::dialect::Dialect;
use dnode_spec::message::Problem;
use dnode_spec::monitor::Received;
use dnode_spec::transcript::{Action, Called, Name, Names, Pattern, Split, Step, Transcript};
use expect::Pending;
pub use judged::{Cause, Diverged, Judged, Replayed};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// The step of a divergence where there was no connection.
pub const CONNECTION: &str = "the connection";

/// The step of a divergence that showed when all steps were over.
pub(crate) const AFTER_LAST: &str = "after the last step";

/// Where a divergence lies before the first step, and its clause.
const SHAKING_HANDS: (&str, &str) = ("the handshake", "methods/sent");

const REFUSED: &str = "refused";

/// Runs `case` against the peer at `address`.
pub async fn replay(case: &Case, address: &Address, facts: &Facts, patience: Duration) -> Replayed {
    let deadline = Instant::now() + patience;
    match Wire::open(address, &facts.terms, deadline).await {
        Ok(wire) => play(case, Replay::new(&case.transcript, Some(address), facts, wire, patience)).await,
        Err(error) => Replayed::without_connection("robust/survives", REFUSED, error.kind().to_string()),
    }
}

/// Runs `case`, which speaks for the end that accepts, against the peer that opened this connection to us.
pub async fn replay_accepted(case: &Case, wire: Wire, facts: &Facts, patience: Duration) -> Replayed {
    play(case, Replay::new(&case.transcript, None, facts, wire, patience)).await
}

async fn play<'t>(case: &'t Case, mut replay: Replay<'_, 't>) -> Replayed {
    let mut played = replay.begin().await;
    let mut parts = case.rest.as_ref().map(|rest| rest.parts(&case.transcript.header));
    while let (Ok(()), Some(rest)) = (&played, &mut parts) {
        let part = rest.as_mut().map_err(|error| error.clone()).and_then(|rest| rest.next_part());
        match part {
            Ok(None) => break,
            Ok(Some(part)) => {
                let mut next = replay.go_on_with(&part);
                played = next.part().await;
                replay = next.go_on_with(&case.transcript);
            }
            Err(error) => {
                played = Err(Stop::NotApplicable(format!("it changed while it was replayed: {error}")))
            }
        }
    }
    if played.is_ok() {
        played = replay.end().await;
    }
    let judged = match played {
        Ok(()) => Judged::Pass,
        Err(Stop::Diverged(diverged)) => Judged::Diverged(diverged),
        Err(Stop::NotApplicable(reason)) => Judged::NotApplicable(reason),
    };
    replay.wire.close(Instant::now() + replay.facts.drain()).await;
    let (lines, more) = (replay.wire.lines(), replay.more);
    let (log, broken) = replay.wire.finish();
    Replayed { judged, log, broken, lines, more }
}

/// Why a replay ends before its last step.
enum Stop {
    Diverged(Box<Diverged>),
    NotApplicable(String),
}

struct Replay<'a, 't> {
    /// The transcript, or the part of it that is at hand.
    transcript: &'t Transcript,
    /// How many steps were before it.
    before: usize,
    /// Where fresh connections are opened; none in the server's seat, where only the peer opens any.
    address: Option<&'a Address>,
    facts: &'a Facts,
    wire: Wire,
    names: Names,
    /// How long a part may take.
    patience: Duration,
    deadline: Instant,
    /// By how much it has grown, in all.
    more: Duration,
    /// For how many bytes of the line that is coming the deadline has grown.
    granted: u64,
    pending: Vec<Pending<'t>>,
    inbox: Vec<Received>,
    /// A line of the peer's that was no message.
    broken: Option<Problem>,
    /// Which of our steps alone can have caused a call of a function: the one that declared it, unless another declared it too, or a
    /// function of the peer was called since ([`Replay::called`]), which may call any of ours.
    causes: HashMap<Name, Option<usize>>,
    /// The last step that called a function of the peer.
    called: usize,
    /// How many steps have begun.
    begun: usize,
    half_closed: bool,
    /// The connection ended as the transcript permits.
    over: bool,
    /// Where a divergence now would lie.
    step: (&'t str, &'t str),
}

impl<'a, 't> Replay<'a, 't> {
    fn new(
        transcript: &'t Transcript,
        address: Option<&'a Address>,
        facts: &'a Facts,
        wire: Wire,
        patience: Duration,
    ) -> Replay<'a, 't> {
        let mut names = Names::new(transcript.first_free_number);
        names.path_form = facts.path_form();
        names.dialect = facts.terms.dialect;
        Replay {
            transcript,
            before: 0,
            address,
            facts,
            wire,
            names,
            patience,
            deadline: Instant::now() + patience,
            more: Duration::ZERO,
            granted: 0,
            pending: Vec::new(),
            inbox: Vec::new(),
            broken: None,
            causes: HashMap::new(),
            called: 0,
            begun: 0,
            half_closed: false,
            over: false,
            step: SHAKING_HANDS,
        }
    }

    /// The same connection, with the next part of the transcript.
    fn go_on_with<'b>(self, transcript: &'b Transcript) -> Replay<'a, 'b> {
        let (before, mut wire) = (self.begun, self.wire);
        wire.allow_more(self.inbox.len());
        let deadline = self.deadline.max(Instant::now() + self.patience);
        // What was optional and has not come is no longer waited for.
        Replay {
            transcript,
            before,
            address: self.address,
            facts: self.facts,
            wire,
            names: self.names,
            patience: self.patience,
            deadline,
            more: self.more,
            granted: 0,
            pending: Vec::new(),
            inbox: self.inbox,
            broken: self.broken,
            causes: self.causes,
            called: self.called,
            begun: self.begun,
            half_closed: self.half_closed,
            over: self.over,
            step: SHAKING_HANDS,
        }
    }

    /// The handshake and the first part.
    async fn begin(&mut self) -> Result<(), Stop> {
        if !self.transcript.header.manual_handshake {
            self.shake_hands().await?;
            if self.transcript.header.hostile {
                // What is hostile comes to a peer that has read the handshake, every time.
                self.greet().await;
            }
        }
        self.part().await
    }

    /// The steps at hand, and all that they expect.
    async fn part(&mut self) -> Result<(), Stop> {
        let steps: Vec<&'t Step> = self.transcript.steps.iter().collect();
        self.steps(&steps).await?;
        self.enter(AFTER_LAST, None);
        self.settle().await
    }

    /// What is left to be seen after the last step.
    async fn end(&mut self) -> Result<(), Stop> {
        self.enter(AFTER_LAST, None);
        if !self.over {
            let header = &self.transcript.header;
            self.nothing(!header.hostile && !header.crossing).await?;
        }
        Ok(())
    }

    async fn shake_hands(&mut self) -> Result<(), Stop> {
        let object = &self.transcript.header.object;
        self.say(object, b"\"methods\"", &Split::Whole).await?;
        loop {
            match self.wire.receive(self.deadline).await {
                Incoming::Message(received) if received.method.is("methods") => {
                    bind_object(&received, &mut self.names);
                    return Ok(());
                }
                other => self.keep(other, "the message \"methods\"")?,
            }
        }
    }

    /// One known-good call, before anything bad.
    async fn greet(&mut self) {
        if let Some(ping) = &self.facts.ping {
            let _ =
                ping.ask(&mut self.wire, &mut self.names, self.facts.by, self.deadline, &mut |_| {}).await;
        }
    }

    /// Runs steps in order. An `either` goes on with one of its continuations, which is why this boxes itself.
    fn steps<'s>(
        &'s mut self,
        steps: &'s [&'t Step],
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), Stop>> + Send + 's>> {
        Box::pin(async move {
            for (at, step) in steps.iter().enumerate() {
                let next = steps.get(at + 1).map(|next| &next.action);
                match (&step.action, next) {
                    (_, Some(Action::HalfClose)) => self.wire.hold_until_half_close(),
                    // The bytes and the known-good call arrive together, every time.
                    (Action::Bytes(_, _, Split::Whole), Some(Action::Survive)) => self.wire.hold_until_next(),
                    _ => {}
                }
                if self.over && !matches!(step.action, Action::Served) {
                    continue;
                }
                self.begun += 1;
                self.enter(&step.label, step.clause.as_deref());
                self.perform(step).await?;
            }
            Ok(())
        })
    }

    fn enter(&mut self, label: &'t str, clause: Option<&'t str>) {
        let clause = clause.unwrap_or(&self.transcript.header.clauses[0]);
        self.step = (label, clause);
    }

    async fn perform(&mut self, step: &'t Step) -> Result<(), Stop> {
        match &step.action {
            Action::Expect(pattern, optional) => {
                self.expect(step, [pattern], *optional || self.transcript.header.crossing);
            }
            Action::AnyOrder(patterns) => self.expect(step, patterns, false),
            action => {
                self.settle().await?;
                self.enter(&step.label, step.clause.as_deref());
                if self.transcript.header.crossing && !self.is_bound(action).await? {
                    return Ok(());
                }
                return self.act(action).await;
            }
        }
        Ok(())
    }

    /// Whether the functions of the peer that this step names are bound, once they had time to be: what crosses something may not come.
    async fn is_bound(&mut self, action: &Action) -> Result<bool, Stop> {
        let (Action::Call(called, pattern, _) | Action::Send(pattern @ Pattern { called, .. }, _)) = action
        else {
            return Ok(true);
        };
        let until = self.deadline.min(Instant::now() + self.facts.quiet());
        loop {
            self.settle().await?;
            let bound = |name: &Name| self.names.callable(name).is_some();
            let is_called = |called: &Called| match called {
                Called::Function(name) => bound(name),
                Called::Member(_) | Called::Verbatim(_) => true,
            };
            if is_called(called) && pattern.culls().iter().all(bound) {
                return Ok(true);
            }
            match self.wire.receive(until).await {
                Incoming::Late => return Ok(false),
                incoming => self.keep(incoming, "the function that the next step names")?,
            }
        }
    }

    async fn act(&mut self, action: &'t Action) -> Result<(), Stop> {
        if let Some(reason) = self.facts.limits.refuses_step(action) {
            return Err(Stop::NotApplicable(reason));
        }
        match action {
            Action::Call(called, pattern, split) => {
                let method = self.method_of_call(called)?;
                self.say(pattern, &method, split).await?;
            }
            Action::Send(pattern, split) => {
                let method = self.method_of_send(&pattern.called)?;
                self.say(pattern, &method, split).await?;
            }
            Action::Bytes(bytes, newline, split) => {
                let names = &mut self.names;
                let by_name = self.facts.missing.contains("methods/by-id");
                let expanded = bytes.expand(&mut |called| {
                    let id = match (names.number(called), called) {
                        (_, Called::Member(key)) if by_name => {
                            return Some(method_text(key, names, Addressing::ByName));
                        }
                        // A name that is none of the peer's is ours: these bytes declare it.
                        // They may be several messages, so no order follows from them.
                        (None, Called::Function(name)) => Some(names.declare(name)),
                        (number, _) => number,
                    };
                    id.map(|id| id.to_string().into_bytes())
                });
                let mut bytes = expanded.map_err(|called| self.unbound(&called))?;
                // Long input takes its time to be read, and the case is seldom about that.
                self.give_time(bytes.len() as u64);
                bytes.extend(newline.then_some(b'\n'));
                self.send(&split.segments(&bytes)).await?;
            }
            Action::HalfClose => {
                self.half_closed = true;
                self.wire.half_close();
            }
            Action::Reset => {
                self.wire.reset();
                self.over = true;
            }
            Action::Nothing => self.nothing(true).await?,
            Action::Survive | Action::Served | Action::Closed if self.is_server() => {
                return Err(Self::no_second_connection());
            }
            Action::Survive => self.survive().await?,
            Action::Served => self.served().await?,
            Action::Closed => self.closed().await?,
            Action::Either(branches) => {
                let branch = self.choose(branches).await?;
                let steps: Vec<&'t Step> = branch.iter().collect();
                self.steps(&steps).await?;
            }
            Action::Expect(..) | Action::AnyOrder(_) => {}
        }
        Ok(())
    }

    /// Keeps what is not awaited now; ends the replay where nothing more can come.
    fn keep(&mut self, incoming: Incoming, awaited: &str) -> Result<(), Stop> {
        match incoming {
            Incoming::Message(received) => self.receive(*received),
            Incoming::Broken(problem) => {
                self.broken.get_or_insert(problem);
            }
            Incoming::Closed { reset } => {
                let actual = if reset { "a reset of the connection" } else { "the end of the connection" };
                return Err(self.diverged("closed", awaited, actual, Cause::Life));
            }
            Incoming::Late => return Err(self.missing(awaited)),
            Incoming::Flood => {
                return Err(self.diverged(
                    "flood",
                    awaited,
                    "more than the suite keeps: messages, bytes or values without end",
                    Cause::Content,
                ));
            }
        }
        Ok(())
    }

    /// What every message does, whether it is awaited or not.
    fn receive(&mut self, received: Received) {
        for id in &received.culls {
            self.names.culled_by_peer(*id);
        }
        if received.method.is("methods") {
            bind_object(&received, &mut self.names);
        }
        // Culls come at any time; where an owner says them, a transcript may wait for one. Nobody is called by what tells of an error.
        let of_0_1 = self.facts.terms.dialect == Dialect::V0_1;
        let awaits = of_0_1 && self.transcript.expects(0, &|pattern| !pattern.culls().is_empty());
        if (!received.method.is("cull") || awaits) && !(received.method.is("error") && of_0_1) {
            self.inbox.push(received);
        }
    }

    /// Lets the deadline grow for so many bytes, of either end: by a quarter of the patience for each MiB.
    fn give_time(&mut self, bytes: u64) {
        let quarters = bytes as f64 / f64::from(1 << 20);
        let more = (self.patience / 4).mul_f64(quarters);
        self.deadline += more;
        self.more += more;
    }

    /// The deadline has passed: whether there is more time, for what has come of a line that is not complete. A long answer takes its time
    /// too, and few cases are about that; a line has a limit, and so has this.
    fn more_time(&mut self) -> bool {
        let came = self.wire.unfinished() as u64;
        self.give_time(came.saturating_sub(self.granted));
        self.granted = came;
        Instant::now() < self.deadline
    }

    /// Something awaited did not come: silence, or a line in its place that is no message.
    fn missing(&self, awaited: &str) -> Stop {
        match &self.broken {
            None => self.diverged("absent", awaited, "nothing", Cause::Time),
            Some(problem) => {
                let mut diverged = self.divergence("broken", awaited, &problem.actual, Cause::Time);
                diverged.clause = problem.clause.to_owned();
                diverged.path.clone_from(&problem.at);
                Stop::Diverged(diverged)
            }
        }
    }

    fn diverged(&self, kind: &'static str, expected: &str, actual: &str, cause: Cause) -> Stop {
        Stop::Diverged(self.divergence(kind, expected, actual, cause))
    }

    fn divergence(&self, kind: &'static str, expected: &str, actual: &str, cause: Cause) -> Box<Diverged> {
        Box::new(Diverged {
            step: self.step.0.to_owned(),
            clause: self.step.1.to_owned(),
            kind,
            path: String::new(),
            expected: expected.to_owned(),
            actual: actual.to_owned(),
            class: kind.to_owned(),
            cause,
        })
    }
}

#[cfg(test)]
mod tests;
