//! A symptom: something wrong that one session showed.

use super::oracle::Identity;
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
}

impl Symptom {
    pub(super) fn new(identity: Identity, kind: Option<Kind>, expected: &str, actual: &str) -> Symptom {
        let (expected, actual) = (expected.to_owned(), actual.to_owned());
        Symptom { kind, identity, expected, actual, wire: Vec::new(), death: None }
    }
}
