//! The state that lasts over all parts of a transcript: the connection, the names, and the early
//! messages.

use super::judged::{Cause, Judged, Replayed};
use crate::clock::Moment;
use crate::conversation::facts::Facts;
use crate::program::Route;
use crate::wire::Wire;
use dnode_reports::event::{Act, Origin};
use dnode_spec::dialect::Dialect;
use dnode_spec::message::{Id, Problem};
use dnode_spec::monitor::Received;
use dnode_spec::transcript::{Name, Names, Transcript};
use std::collections::HashMap;
use std::time::Duration;

/// How many times slower than the known-good call of the preflight an answer may be.
const SLOWER: u32 = 4;

/// How long the rounds of a repeated block may take, in deadlines.
const LONGEST: u32 = 60;

pub(super) struct Session<'a> {
    /// How to open new connections; `None` if we are the server, because only the client can open
    /// them.
    pub(super) route: Option<&'a Route>,
    pub(super) facts: &'a Facts,
    pub(super) wire: Wire,
    pub(super) names: Names,
    /// The name of the connection; `None` for the first one.
    pub(super) connection: Option<String>,
    /// The sessions of the other connections.
    pub(super) beside: Vec<Session<'a>>,
    /// How long a part may take.
    pub(super) patience: Duration,
    pub(super) deadline: Moment,
    began: Moment,
    /// How much the deadline was extended in total.
    extended: Duration,
    /// The length of the incomplete line for which the deadline was extended.
    granted: u64,
    /// The messages that no step has taken yet.
    pub(super) inbox: Vec<Received>,
    /// The problem of the first line that is not a message.
    pub(super) broken: Option<Problem>,
    /// For each function of ours, the only step that can have caused a call of it: the step that
    /// declared it. `None` if several steps declared it. After a call of a peer's function
    /// ([`Session::called`]) the entry does not count either, because the peer's function may call
    /// any function of ours.
    pub(super) causes: HashMap<Name, Option<usize>>,
    /// The last step that called a function of the peer.
    pub(super) called: usize,
    /// The ids of the peer's functions that steps called, each with the text that the step has for
    /// the function.
    pub(super) called_ids: HashMap<Id, String>,
    /// How many steps have begun.
    pub(super) begun: usize,
    pub(super) half_closed: bool,
    /// When the suite last sent something before a quiet time that showed silence.
    pub(super) quiet_after: Option<Moment>,
    /// How long the peer did not serve a new connection while this one waited in vain.
    pub(super) unserved: Option<Duration>,
    /// The connection ended, and the transcript allows that.
    pub(super) over: bool,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        transcript: &Transcript,
        route: Option<&'a Route>,
        facts: &'a Facts,
        wire: Wire,
        patience: Duration,
    ) -> Session<'a> {
        let mut names = Names::new(transcript.first_free_number);
        names.path_form = facts.path_form();
        names.dialect = facts.terms.dialect;
        let began = wire.clock().now();
        Session {
            route,
            facts,
            wire,
            names,
            connection: None,
            beside: Vec::new(),
            patience,
            deadline: began + facts.object.took + patience,
            began,
            extended: Duration::ZERO,
            granted: 0,
            inbox: Vec::new(),
            broken: None,
            causes: HashMap::new(),
            called: 0,
            called_ids: HashMap::new(),
            begun: 0,
            half_closed: false,
            quiet_after: None,
            unserved: None,
            over: false,
        }
    }

    /// The current moment, in the time that the peer had.
    pub(super) fn now(&self) -> Moment {
        self.wire.clock().now()
    }

    /// Whether the peer is a client that opened this connection to us.
    ///
    /// Such a client calls by itself and may end the session at any time. There is no known-good
    /// call, so quiet time shows absence.
    pub(super) fn is_server(&self) -> bool {
        self.route.is_none()
    }

    /// Gives the next part of the transcript its time and its memory.
    pub(super) fn next_part(&mut self) {
        self.wire.allow_more(self.inbox.len());
        self.deadline = self.deadline.max(self.now() + self.patience);
        self.granted = 0;
    }

    /// Gives the answer to another step of ours its time: a peer may be slow.
    pub(super) fn next_answer(&mut self) {
        self.deadline += self.facts.calls.round_trip * SLOWER;
    }

    /// Whether the peer is too slow to finish this number of rounds of a repeated block in time.
    pub(super) fn is_too_slow_for(&self, rounds: usize) -> bool {
        let rounds = u32::try_from(rounds).unwrap_or(u32::MAX);
        let rest = self.facts.calls.round_trip.saturating_mul(rounds);
        self.now().since(self.began) + rest > self.patience * LONGEST
    }

    /// Gives another round of a repeated block its time. The peer has answered the rounds before, so
    /// one that hangs now still costs one deadline.
    pub(super) fn next_round(&mut self) {
        self.deadline = self.deadline.max(self.now() + self.patience);
    }

    /// Makes one known-good call, before hostile input.
    pub(super) async fn greet(&mut self) {
        if let Some(ping) = &self.facts.calls.ping {
            let by = self.facts.calls.by;
            let _ = ping.ask(&mut self.wire, &mut self.names, by, self.deadline, &mut |_| {}).await;
        }
    }

    /// Receives a message, expected or not.
    pub(super) fn receive(&mut self, received: Received, transcript: &Transcript) {
        self.names.heard(&received.method);
        for id in &received.culls {
            self.names.culled_by_peer(*id);
        }
        if received.method.is("methods") {
            self.names.bind_object(&received);
        }
        // A cull may come at any time. In dialect 0.1, in which owners cull, a transcript may
        // expect one. An error report of dialect 0.1 calls no function.
        let of_0_1 = self.facts.terms.dialect == Dialect::V0_1;
        let expects_cull = of_0_1 && transcript.expects(0, &|pattern| !pattern.culls().is_empty());
        if (!received.method.is("cull") || expects_cull) && !(received.method.is("error") && of_0_1) {
            self.inbox.push(received);
        }
    }

    /// Extends the deadline for this number of bytes, sent or received: by half the patience for
    /// each MiB. Ports that copy their buffer for each chunk are slow with long lines.
    pub(super) fn extend_deadline(&mut self, bytes: u64) {
        let halves = bytes as f64 / f64::from(1 << 20);
        let more = (self.patience / 2).mul_f64(halves);
        self.deadline += more;
        self.extended += more;
    }

    /// Extends the deadline for this number of messages that are sent at once. A peer may act on one
    /// after another, and each may take as long as a known-good call.
    pub(super) fn extend_for_messages(&mut self, messages: usize) {
        let more = self.facts.calls.round_trip * u32::try_from(messages).unwrap_or(u32::MAX);
        self.deadline += more;
        self.extended += more;
    }

    /// After the deadline: extends it if the incomplete line has grown. Returns whether there is
    /// more time. This ends, because lines have a maximum length.
    pub(super) fn may_wait_longer(&mut self) -> bool {
        let unfinished = self.wire.unfinished() as u64;
        self.extend_deadline(unfinished.saturating_sub(self.granted));
        self.granted = unfinished;
        self.now() < self.deadline
    }

    /// Closes all connections and returns the result.
    pub(super) async fn finish(mut self, judged: Judged) -> Replayed {
        let names = match judged {
            Judged::Diverged(_) => self.names.describe(),
            Judged::Pass | Judged::NotApplicable(_) => String::new(),
        };
        let timed_out = matches!(&judged, Judged::Diverged(diverged) if diverged.cause == Cause::Time);
        let activity = self.wire.activity().filter(|_| timed_out);
        let unserved = self.unserved.filter(|_| timed_out);
        // A peer that is silent will hardly close the connection either, and one that does not serve
        // a new connection had the time to close this one.
        let most = match (timed_out, unserved) {
            (true, Some(_)) => Duration::ZERO,
            (true, None) => self.facts.short(self.patience),
            (false, _) => Duration::MAX,
        };
        let (extended, beside) = (self.extended, std::mem::take(&mut self.beside));
        let mut replayed = Replayed { judged, names, extended, activity, unserved, ..self.close(most).await };
        for other in beside {
            let closed = other.close(most).await;
            replayed.log.event(Origin::Suite, Act::UsesAnother);
            replayed.log.append(closed.log);
            for (clause, problem) in closed.broken {
                replayed.broken.entry(clause).or_insert(problem);
            }
            replayed.lines += closed.lines;
            replayed.spoke_late |= closed.spoke_late;
            replayed.overloaded |= closed.overloaded;
            replayed.too_long |= closed.too_long;
        }
        replayed
    }

    /// Closes this connection, and waits at most this long for the peer to close it.
    async fn close(mut self, most: Duration) -> Replayed {
        let judged_at = self.wire.bytes();
        self.facts.close(&mut self.wire, most).await;
        let spoke_late = self.wire.bytes() > judged_at;
        let (lines, overloaded) = (self.wire.lines(), self.wire.is_overloaded());
        let too_long = self.wire.too_long;
        let (log, broken) = self.wire.finish();
        Replayed {
            judged: Judged::Pass,
            log,
            names: String::new(),
            broken,
            lines,
            extended: self.extended,
            spoke_late,
            unserved: None,
            overloaded,
            too_long,
            activity: None,
            stderr: None,
            took: None,
        }
    }
}
