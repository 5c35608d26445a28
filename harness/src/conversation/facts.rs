//! The facts that the preflight learned about a peer.

use super::closing::Closing;
use super::greet::HELLO_ID;
use super::ping::Ping;
use crate::cases::Case;
use crate::wire::{Terms, Wire};
use dnode::transport::Limits;
use dnode_reports::event;
use dnode_spec::dialect::Dialect;
use dnode_spec::message::{Method, Problem, is_reserved};
use dnode_spec::path::PathForm;
use dnode_spec::probe;
use dnode_spec::transcript::Addressing;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

/// The clause about messages that share a segment.
pub(super) const SEGMENTS: &str = "framing/segments";

/// The facts about a peer.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The terms of all its connections.
    pub terms: Terms,
    /// The limits of its transport.
    pub limits: Limits,
    /// The object that it offers.
    pub object: Offered,
    /// How it answers calls.
    pub calls: Calls,
    /// The clauses that the peer broke in the preflight. Cases that rest on one of them are
    /// inconclusive.
    pub missing: BTreeSet<&'static str>,
    /// Why no case can be judged.
    pub unusable: Option<Unusable>,
    /// Notes for the reader of the verdicts.
    pub notes: Vec<String>,
    /// The session of the preflight.
    pub session: Session,
}

/// The object of a peer.
#[derive(Debug, Clone, Default)]
pub struct Offered {
    /// The name that the peer gives itself; `None` if it does not claim the probe.
    pub name: Option<String>,
    /// The caller named `conformProbe` as the known-good call, so the peer should have the probe.
    pub promised: bool,
    /// The members of its object, and whether each is a function; `None` if it sent no object.
    pub members: Option<BTreeMap<String, bool>>,
    /// How long it took to send its object on a new connection.
    pub took: Duration,
    /// The methods of the probe that it declares absent.
    pub absent: BTreeSet<String>,
    /// The methods of the probe that did not answer the preflight's call. Many cases rest on them.
    pub unanswered: BTreeSet<&'static str>,
}

/// How a peer answers calls.
#[derive(Debug, Clone)]
pub struct Calls {
    /// How its methods are addressed.
    pub by: Addressing,
    /// The known-good call, if one was answered.
    pub ping: Option<Ping>,
    /// Whether it answers in the order of the calls.
    pub ordered: bool,
    /// Whether it did not answer two calls that shared a segment, or not both.
    pub loses_one_of_two: bool,
    /// What the preflight avoided.
    pub avoided: Avoids,
    /// Whether it ended the connection after its first answers, although two more calls travelled in
    /// segments of their own.
    pub ended: bool,
    /// Whether it answered a call by id, but then neither one by name nor any later call.
    pub unanswered_since_name: bool,
    /// The time from a call to its answer.
    pub round_trip: Duration,
    /// The names that it called without being asked. The names of the protocol are not among them.
    pub unasked: BTreeSet<String>,
    /// Whether it calls methods of our object without being asked.
    pub calls_ours: bool,
    /// Whether it closes a connection when we close our half.
    pub closing: Closing,
}

/// What a session of the preflight does not do, because the peer did not answer all calls before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Avoids {
    /// To call a peer by name that answers calls by id.
    pub names: bool,
    /// To send several messages in one segment.
    pub shared_segments: bool,
}

impl Calls {
    /// What another session of the preflight should avoid, because this may be why the peer did not
    /// answer all calls; `None` if it answered them, or if nothing is left to avoid.
    #[must_use]
    pub fn to_avoid(&self) -> Option<Avoids> {
        let Avoids { names, shared_segments } = self.avoided;
        match () {
            () if !self.loses_one_of_two => None,
            () if self.unanswered_since_name => Some(Avoids { names: true, shared_segments }),
            () if !shared_segments => Some(Avoids { names, shared_segments: true }),
            () => None,
        }
    }
}

/// The session of the preflight.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// Its log.
    pub wire: Vec<event::Wire>,
    /// The first problem of each clause that the peer broke.
    pub broken: BTreeMap<&'static str, Problem>,
    /// How many lines the peer sent.
    pub lines: u64,
    /// The peer sent no byte, and kept the connection open.
    pub silent: bool,
    /// The peer ended the connection.
    pub ended: bool,
}

/// Why no case can be judged on a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// Its process ended with its first connection.
    Ended,
    /// Its process ends after its first answers on each connection.
    EndedAfterAnswers,
    /// It sends messages without end.
    EndlessMessages,
    /// It sends more than the suite keeps of one connection.
    TooMuchData,
    /// It sent a line that is longer than the suite keeps, and that may be a message.
    LongLine,
    /// The time for the run was over before the end of the preflight.
    OutOfTime,
    /// A signal ended the run before the end of the preflight.
    Interrupted,
}

impl Unusable {
    /// Whether it sends more than can be judged.
    #[must_use]
    pub fn is_flood(self) -> bool {
        matches!(self, Unusable::EndlessMessages | Unusable::TooMuchData | Unusable::LongLine)
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unusable::Ended => "the peer's process ended with its first connection",
            Unusable::EndedAfterAnswers => "the peer's process ends after its first answers",
            Unusable::EndlessMessages => "the peer sends messages without end",
            Unusable::TooMuchData => "the peer sends more than the suite keeps of one connection",
            Unusable::LongLine => "the peer sent a line longer than the 20 MiB that the suite keeps",
            Unusable::OutOfTime => "--max-time elapsed before the end of the preflight",
            Unusable::Interrupted => "the run was interrupted before the end of the preflight",
        })
    }
}

impl Facts {
    /// The facts before the preflight.
    pub(super) fn new(terms: Terms, limits: Limits) -> Facts {
        let dialect = terms.dialect;
        let note = (dialect != Dialect::default())
            .then(|| format!("the dialect is that of dnode-protocol {dialect}"));
        Facts {
            terms,
            limits,
            object: Offered::default(),
            calls: Calls {
                by: Addressing::ById,
                ping: None,
                ordered: false,
                loses_one_of_two: false,
                avoided: Avoids::default(),
                ended: false,
                unanswered_since_name: false,
                round_trip: Duration::from_millis(5),
                unasked: BTreeSet::new(),
                calls_ours: false,
                closing: Closing::default(),
            },
            missing: BTreeSet::new(),
            unusable: None,
            notes: note.into_iter().collect(),
            session: Session::default(),
        }
    }

    /// The facts about a peer that has no preflight, for this reason.
    #[must_use]
    pub fn of_unusable_peer(reason: Unusable) -> Facts {
        let facts = Facts::new(Terms::default(), Limits::TCP);
        Facts { unusable: Some(reason), notes: vec![reason.to_string()], ..facts }
    }

    /// The facts about a client that connects to us. It has no preflight, so no known-good call.
    #[must_use]
    pub fn of_client() -> Facts {
        let note = "the suite is the server: the client calls by itself, and quiet time shows absence";
        Facts { notes: vec![note.to_owned()], ..Facts::new(Terms::default(), Limits::TCP) }
    }

    /// These facts, with the session of an earlier preflight before their own.
    pub(super) fn after(mut self, earlier: Session) -> Facts {
        let Session { mut wire, broken, lines, silent, .. } = earlier;
        wire.append(&mut self.session.wire);
        self.session.wire = wire;
        self.session.broken.extend(broken);
        self.session.lines += lines;
        self.session.silent &= silent;
        self
    }

    /// Learns from a message of the preflight that answers nothing: either end may call the other
    /// unasked. `hello` is the id of the only method of our object.
    pub(super) fn heard_unasked(&mut self, method: &Method) {
        match method {
            Method::Id(id) => self.calls.calls_ours |= *id == HELLO_ID,
            Method::Name(name) => {
                self.calls.calls_ours |= name.as_text() == "hello";
                // The id of a function as a string is an answer in a wrong form, which the monitor judges.
                let is_number = name.as_text().to_string_lossy().parse::<i64>().is_ok();
                if !is_number && !is_reserved(name.as_text()) {
                    self.calls.unasked.insert(name.as_text().to_string_lossy().into_owned());
                }
            }
        }
    }

    /// Whether the preflight waited in vain for what this case is about.
    #[must_use]
    pub fn misses(&self, case: &Case) -> bool {
        self.missing.iter().any(|clause| case.is_about(clause))
    }

    /// Whether no call is sure to be answered: silence of such a peer proves nothing.
    #[must_use]
    pub fn may_not_answer(&self) -> bool {
        self.calls.ping.is_none() || self.calls.ended
    }

    /// Whether the preflight has already waited a whole deadline for what this case expects, in vain.
    #[must_use]
    pub fn waited_for(&self, case: &Case) -> bool {
        let made_its_calls = self.calls.ping.is_none()
            && !self.session.ended
            && self.misses(case)
            && case.transcript.header.needs == ["conformProbe"];
        self.session.silent || made_its_calls
    }

    /// How long to wait for the peer to close a connection after we closed our half.
    #[must_use]
    pub fn drain(&self) -> Duration {
        self.calls.closing.wait(self.quiet())
    }

    /// Closes a connection in order: waits until the peer closes it too, but no longer than `most`.
    pub async fn close(&self, wire: &mut Wire, most: Duration) {
        self.calls.closing.close(wire, self.quiet(), most).await;
    }

    /// How long silence must last to show absence if there is no barrier.
    #[must_use]
    pub fn quiet(&self) -> Duration {
        (self.calls.round_trip * 20).clamp(Duration::from_millis(100), Duration::from_secs(1))
    }

    /// How long to wait for a peer that was silent for a whole deadline, and so has failed already.
    #[must_use]
    pub fn short(&self, patience: Duration) -> Duration {
        self.quiet().max(patience / 4)
    }

    /// The form of indexes in paths that the peer accepts.
    #[must_use]
    pub fn path_form(&self) -> PathForm {
        self.calls.ping.as_ref().map(Ping::path_form).unwrap_or_default()
    }

    /// Whether the peer has the probe and answers calls of this method.
    #[must_use]
    pub fn answers(&self, method: &str) -> bool {
        self.object.name.is_some() && !self.object.unanswered.contains(method)
    }

    /// Whether the peer's object claims the probe, or the caller does, answered or not.
    #[must_use]
    pub fn claims_probe(&self) -> bool {
        let members = self.object.members.as_ref();
        self.object.promised || members.is_some_and(|members| members.contains_key("conformProbe"))
    }

    /// Whether the peer was seen to send no object. Then no session waits for it.
    #[must_use]
    pub fn sends_no_object(&self) -> bool {
        self.object.members.is_none() && self.missing.contains("methods/sent")
    }

    /// Whether the peer's methods are called by name only.
    #[must_use]
    pub fn is_called_by_name(&self) -> bool {
        self.missing.contains("methods/by-id") || self.calls.by == Addressing::ByName
    }

    /// Why the peer cannot run cases that need `method` of the probe, if it cannot.
    #[must_use]
    pub fn lacks(&self, method: &str) -> Option<String> {
        let Offered { name, members, absent, .. } = &self.object;
        // Without the claim, a method of the same name may do anything.
        if name.is_none() && !self.claims_probe() {
            return Some("the peer does not expose the probe (see fixtures/PROBE.md)".to_owned());
        }
        if absent.contains(method) {
            return Some(format!("the peer's program declares {method} of the probe absent"));
        }
        // A peer that claims the probe by name, but sends no object, may have all methods.
        let members = members.as_ref()?;
        let offers = members.get(method).is_some_and(|function| {
            *function || self.calls.by == Addressing::ByName || method == probe::PLAIN
        });
        (!offers).then(|| format!("the peer's program lacks {method} of the probe"))
    }
}
