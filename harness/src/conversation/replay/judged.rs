//! The result of a replay: how the transcript ended, and the parts of a divergence.

use crate::wire::Log;
use dnode_reports::event::{Activity, Cycles, Kind, Written};
use dnode_spec::message::Problem;
use std::collections::BTreeMap;
use std::time::Duration;

/// The step of a divergence if there was no connection.
pub const CONNECTION: &str = "the connection";

/// How a transcript ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// The peer behaved as the transcript says.
    Pass,
    /// The transcript does not apply to this peer, for this reason.
    NotApplicable(String),
    /// The peer behaved differently.
    Diverged(Box<Diverged>),
}

/// The cause of a divergence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The peer sent something wrong.
    Content,
    /// Something did not come in time.
    Time,
    /// The connection ended, or a new one is not served.
    Life,
}

/// A divergence, with the fields of [`dnode_reports::event::Divergence`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diverged {
    /// The label of the step.
    pub step: String,
    /// The clause that is broken.
    pub clause: String,
    /// The kind of difference.
    pub kind: Kind,
    /// The path within the message.
    pub path: String,
    /// The expected value or event.
    pub expected: String,
    /// The received value or event.
    pub actual: String,
    /// `expected` and `actual` with references, if they have cycles.
    pub cycles: Cycles,
    /// The type of the received value, for the fingerprint.
    pub class: String,
    /// The cause.
    pub cause: Cause,
    /// The number of our function that the peer called, if nothing expects this call.
    pub called: Option<i64>,
}

/// The result of a replay.
#[derive(Debug)]
pub struct Replayed {
    /// How it ended.
    pub judged: Judged,
    /// The log of the connection.
    pub log: Log,
    /// The ids of the names in the transcript, in words, if the peer diverged.
    pub names: String,
    /// The first problem of each clause that the peer broke, as the monitor judges it.
    pub broken: BTreeMap<&'static str, Problem>,
    /// How many lines the peer sent.
    pub lines: u64,
    /// How much its deadline was extended because of long lines.
    pub extended: Duration,
    /// The peer sent something after it was judged. Then it was slow, not silent.
    pub spoke_late: bool,
    /// How long the peer did not serve a new connection while this one waited in vain; `None` if that
    /// is not known.
    pub unserved: Option<Duration>,
    /// A wait took far too long because the machine was busy, so silence means nothing.
    pub overloaded: bool,
    /// The peer sent a line that is longer than the suite keeps, and that may be a message.
    pub too_long: bool,
    /// What the peer did while something did not come in time.
    pub activity: Option<Activity>,
    /// The standard error of the peer, if a tap was open.
    pub stderr: Option<Written>,
    /// How long the case took, if it was timed.
    pub took: Option<Duration>,
}

impl Replayed {
    /// Whether the peer did not even accept a connection.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.diverged().is_some_and(|diverged| diverged.kind == Kind::Refused)
    }

    /// Whether it timed out although the peer had nothing more to say.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.cause() == Some(Cause::Time) && !self.spoke_late
    }

    /// Whether something did not come because the machine was too busy.
    #[must_use]
    pub fn is_overloaded(&self) -> bool {
        self.overloaded && self.is_suspect()
    }

    /// Whether the result depends on a line that the suite did not keep.
    #[must_use]
    pub fn is_unkept(&self) -> bool {
        let is_sure = |diverged: &Diverged| diverged.cause == Cause::Content && diverged.kind != Kind::Flood;
        self.too_long && !self.diverged().is_some_and(is_sure)
    }

    /// The divergence, if there is one.
    #[must_use]
    pub fn diverged(&self) -> Option<&Diverged> {
        match &self.judged {
            Judged::Diverged(diverged) => Some(diverged),
            Judged::Pass | Judged::NotApplicable(_) => None,
        }
    }

    /// The cause of the divergence, if there is one.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        self.diverged().map(|diverged| diverged.cause)
    }

    /// Whether it timed out or lost its connection. Then a case that ran beside it may
    /// be the cause.
    #[must_use]
    pub fn is_suspect(&self) -> bool {
        self.cause().is_some_and(|cause| cause != Cause::Content)
    }

    /// The result without a connection. `kind` and the sentence `actual` give the reason.
    #[must_use]
    pub fn without_connection(clause: &str, kind: Kind, actual: String) -> Replayed {
        let judged = Judged::Diverged(Box::new(Diverged {
            step: CONNECTION.to_owned(),
            clause: clause.to_owned(),
            kind,
            path: String::new(),
            expected: "a connection".to_owned(),
            actual,
            cycles: Cycles::default(),
            class: kind.word().to_owned(),
            cause: Cause::Life,
            called: None,
        }));
        let (log, broken) = (Log::default(), BTreeMap::new());
        Replayed {
            judged,
            log,
            names: String::new(),
            broken,
            lines: 0,
            extended: Duration::ZERO,
            spoke_late: false,
            unserved: None,
            overloaded: false,
            too_long: false,
            activity: None,
            stderr: None,
            took: None,
        }
    }
}
