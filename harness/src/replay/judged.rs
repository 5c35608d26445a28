//! What a replay gives: how the transcript ended, and what a divergence is made of.

use super::CONNECTION;
use crate::wire::Log;
use dnode_reports::event::Kind;
use dnode_spec::message::Problem;
use std::collections::BTreeMap;
use std::time::Duration;

/// How a transcript ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// As it says.
    Pass,
    /// It cannot be asked of this peer.
    NotApplicable(String),
    /// The peer did something else.
    Diverged(Box<Diverged>),
}

/// What a divergence hangs on: whether it may be a matter of time, or of the peer's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// What came was wrong.
    Content,
    /// Something did not come in time.
    Time,
    /// The connection ended, or a fresh one is not served.
    Life,
}

/// A divergence, with the words of [`dnode_reports::event::Divergence`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diverged {
    /// The label of the step.
    pub step: String,
    /// The clause that is broken.
    pub clause: String,
    /// The kind of difference.
    pub kind: Kind,
    /// Where in the message.
    pub path: String,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub actual: String,
    /// The type of what came, for the fingerprint.
    pub class: String,
    /// What it hangs on.
    pub cause: Cause,
}

/// What a replay gives.
#[derive(Debug)]
pub struct Replayed {
    /// How it ended.
    pub judged: Judged,
    /// What went over the wire.
    pub log: Log,
    /// The first problem of each clause that the peer broke, by the monitor.
    pub broken: BTreeMap<&'static str, Problem>,
    /// How many lines the peer sent.
    pub lines: u64,
    /// How much longer than its patience it was given, for the length of what was sent and of what came.
    pub more: Duration,
}

impl Replayed {
    /// Whether the peer did not even accept a connection.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(&self.judged, Judged::Diverged(diverged) if diverged.kind == Kind::Refused)
    }

    /// What a replay gives that had no connection: `kind` and `actual` say why.
    #[must_use]
    pub fn without_connection(clause: &str, kind: Kind, actual: String) -> Replayed {
        let judged = Judged::Diverged(Box::new(Diverged {
            step: CONNECTION.to_owned(),
            clause: clause.to_owned(),
            kind,
            path: String::new(),
            expected: "a connection".to_owned(),
            actual,
            class: kind.word().to_owned(),
            cause: Cause::Life,
        }));
        Replayed { judged, log: Log::default(), broken: BTreeMap::new(), lines: 0, more: Duration::ZERO }
    }
}
