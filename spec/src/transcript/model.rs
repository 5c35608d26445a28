//! The parts of a transcript, as the replayer uses them.

use super::bytes::Bytes;
use super::names::{Called, Name};
use super::pattern::Pattern;
use crate::dialect::Dialect;
use crate::text::Text;
use std::time::Duration;

/// A session written down.
#[derive(Debug, Clone)]
pub struct Transcript {
    /// The first line.
    pub header: Header,
    /// The lines after it.
    pub steps: Vec<Step>,
    /// The first number that no function of ours has. The replayer numbers named functions from
    /// here on.
    pub first_free_number: i64,
}

/// The first line of a transcript.
#[derive(Debug, Clone)]
pub struct Header {
    /// `group/name`.
    pub id: String,
    /// The version of the catalogue in which the case first appeared.
    pub since: String,
    /// The clauses that it tests, at least one. A divergence breaks the first one.
    pub clauses: Vec<String>,
    /// One sentence that describes the session.
    pub about: String,
    /// The methods of the probe that it calls.
    pub needs: Vec<String>,
    /// The clauses that a peer must keep for the case to mean anything.
    pub requires: Vec<String>,
    /// Whether it may harm the peer.
    pub hostile: bool,
    /// Whether it was recorded. A recording cannot know which other calls its peer might have made.
    pub recorded: bool,
    /// The clauses that the recorded peer broke. The steps expect this, so a peer that keeps them
    /// differs.
    pub breaks: Vec<String>,
    /// Whether the messages of the two ends cross. Then no expectation must be met.
    pub crossing: bool,
    /// Our object, as sent in `methods`.
    pub object: Pattern,
    /// Whether the steps do the handshake themselves.
    pub manual_handshake: bool,
    /// Whether the steps speak for the end that accepted the connection.
    pub server: bool,
    /// The one dialect of the session; `None` if it is the same in both.
    pub dialect: Option<Dialect>,
}

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its name in reports: its `label`, or `step N`.
    pub label: String,
    /// The clause that a divergence here breaks; `None` for the first clause of the header.
    pub clause: Option<String>,
    /// The connection that it is about; `None` for the first one.
    pub on: Option<String>,
    /// Functions of ours that get the number of a function of the peer before this step.
    pub ids: Vec<(Name, Called)>,
    /// It is the first step of a round of a repeated block.
    pub begins_round: bool,
    /// The action or the expectation.
    pub action: Action,
    /// The line of the step; empty for the steps of a continuation.
    pub text: String,
}

/// The action of a step, or its expectation.
#[derive(Debug, Clone)]
pub enum Action {
    /// Call a function of the peer: by id if the peer declared one, else by name.
    Call(Called, Pattern, Split),
    /// Send a message as it is written.
    Send(Pattern, Split),
    /// Send bytes; `true` adds a newline.
    Bytes(Bytes, bool, Split),
    /// The peer sends this message; `true` if it need not.
    Expect(Pattern, bool),
    /// The peer sends all these messages, in any order.
    AnyOrder(Vec<Pattern>),
    /// One of several continuations.
    Either(Vec<Vec<Step>>),
    /// The peer sends nothing else.
    Nothing,
    /// The connection still answers, or the peer has closed it and serves a new one.
    Survive,
    /// The peer serves a second connection while this one is open.
    Served,
    /// The peer closes the connection.
    Closed,
    /// We close our sending half.
    HalfClose,
    /// We abort the connection.
    Reset,
    /// Nothing is sent for this time. Messages that arrive are kept.
    Wait(Duration),
    /// Nothing is read for this time.
    Unread(Duration),
}

impl Action {
    /// Whether we do this; if not, we expect it.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(
            self,
            Action::Call(..)
                | Action::Send(..)
                | Action::Bytes(..)
                | Action::HalfClose
                | Action::Reset
                | Action::Wait(_)
                | Action::Unread(_)
        )
    }
}

/// Where bytes are cut into segments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Split {
    /// Nowhere.
    #[default]
    Whole,
    /// After each byte.
    Each,
    /// At these offsets, in bytes.
    At(Vec<usize>),
}

impl Split {
    /// The segments of `bytes`, in order; none is empty.
    #[must_use]
    pub fn segments<'b>(&self, bytes: &'b [u8]) -> Vec<&'b [u8]> {
        match self {
            Split::Whole => Some(bytes).filter(|bytes| !bytes.is_empty()).into_iter().collect(),
            Split::Each => bytes.chunks(1).collect(),
            Split::At(offsets) => {
                let mut cuts: Vec<usize> = offsets.iter().copied().filter(|&cut| cut < bytes.len()).collect();
                cuts.push(bytes.len());
                cuts.sort_unstable();
                let mut start = 0;
                let pieces = cuts.iter().map(|&cut| {
                    let piece = &bytes[start..cut];
                    start = cut;
                    piece
                });
                pieces.filter(|piece| !piece.is_empty()).collect()
            }
        }
    }
}

impl Transcript {
    /// For how long nothing is sent or read in its steps, in all.
    #[must_use]
    pub fn quiet_time(&self) -> Duration {
        let quiet = |step: &Step| match step.action {
            Action::Wait(time) | Action::Unread(time) => time,
            _ => Duration::ZERO,
        };
        self.steps.iter().map(quiet).sum()
    }

    /// Whether it waits for the peer's `methods` before it sends its own.
    #[must_use]
    pub fn awaits_methods(&self) -> bool {
        let is_methods = |pattern: &Pattern| pattern.called == Called::Member("methods".into());
        let awaits = self.steps.iter().find_map(|step| match &step.action {
            Action::Send(pattern, _) if is_methods(pattern) => Some(false),
            Action::Expect(pattern, _) => is_methods(pattern).then_some(true),
            Action::AnyOrder(patterns) => patterns.iter().any(is_methods).then_some(true),
            _ => None,
        });
        awaits.unwrap_or_default()
    }

    /// Whether a step writes the id of a method of the peer's object in a place for which the
    /// replayer cannot use the name instead.
    #[must_use]
    pub fn calls_methods_by_id(&self) -> bool {
        any_action(&self.steps, &|action| match action {
            Action::Send(pattern, _) => {
                matches!(&pattern.called, Called::Function(name) if self.is_method(name))
            }
            Action::Bytes(bytes, ..) => {
                bytes.pings_by_id() || bytes.names().into_iter().any(|name| self.is_method(name))
            }
            _ => false,
        })
    }

    /// Whether a step makes the known-good call, or sends a part of it.
    #[must_use]
    pub fn pings(&self) -> bool {
        any_action(&self.steps, &|action| matches!(action, Action::Bytes(bytes, ..) if bytes.pings()))
    }

    /// Whether a step culls the id of a method of the peer's object.
    #[must_use]
    pub fn culls_methods(&self) -> bool {
        any_action(&self.steps, &|action| match action {
            Action::Send(pattern, _) => pattern.culls().iter().any(|name| self.is_method(name)),
            _ => false,
        })
    }

    /// Whether this name stands for a method of the peer's object.
    fn is_method(&self, name: &Name) -> bool {
        matches!(name, Name::Word(word) if self.header.needs.contains(word))
    }

    /// Whether one of the steps from number `from` on expects a message for which `calls` is true.
    #[must_use]
    pub fn expects(&self, from: usize, calls: &dyn Fn(&Pattern) -> bool) -> bool {
        fn any(steps: &[Step], calls: &dyn Fn(&Pattern) -> bool) -> bool {
            steps.iter().any(|step| match &step.action {
                Action::Expect(pattern, _) => calls(pattern),
                Action::AnyOrder(patterns) => patterns.iter().any(calls),
                Action::Either(branches) => branches.iter().any(|steps| any(steps, calls)),
                _ => false,
            })
        }
        any(self.steps.get(from..).unwrap_or_default(), calls)
    }

    /// Whether a message of ours calls this name, or has it as an argument.
    #[must_use]
    pub fn says(&self, word: Text<'_>) -> bool {
        any_action(&self.steps, &|action| match action {
            Action::Call(_, pattern, _) | Action::Send(pattern, _) => {
                matches!(&pattern.called, Called::Member(name) if name.as_text() == word)
                    || pattern.arguments().any(|argument| argument.as_text() == Some(word))
            }
            _ => false,
        })
    }
}

/// Whether one of these steps is such an action.
fn any_action(steps: &[Step], is_such: &dyn Fn(&Action) -> bool) -> bool {
    steps.iter().any(|step| match &step.action {
        Action::Either(branches) => branches.iter().any(|steps| any_action(steps, is_such)),
        action => is_such(action),
    })
}
