//! A symptom: something wrong that one session showed.

use super::oracle::{Identity, Oracle};
use dnode_reports::event::{self, Death, Kind};

/// Something wrong that a session showed.
#[derive(Debug, Clone)]
pub(super) struct Symptom {
    /// The kind of divergence, if a rule of judgement found it.
    pub kind: Option<Kind>,
    /// The identity of its finding, with the operation of the session that showed it.
    pub identity: Identity,
    /// The expected behaviour.
    pub expected: String,
    /// The actual behaviour.
    pub actual: String,
    /// The wire log.
    pub wire: Vec<event::Wire>,
    /// How the process ended, if it did.
    pub death: Option<Death>,
    /// The name of the crash, if the process left a trace.
    pub crash: Option<String>,
}

impl Symptom {
    pub(super) fn new(identity: Identity, kind: Option<Kind>, expected: &str, actual: &str) -> Symptom {
        let (expected, actual) = (expected.to_owned(), actual.to_owned());
        Symptom { kind, identity, expected, actual, wire: Vec::new(), death: None, crash: None }
    }

    /// Whether both are the same kind of symptom. The operations may differ: a shorter input may have
    /// another one. If a process died with a trace, the names of the crashes must be equal.
    pub(super) fn is_like(&self, other: &Symptom) -> bool {
        let kind = |it: &Symptom| (it.identity.oracle, it.identity.clause.clone(), it.identity.class.clone());
        let crash = self.identity.oracle != Oracle::Died || self.crash == other.crash;
        kind(self) == kind(other) && crash
    }
}
