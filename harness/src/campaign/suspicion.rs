//! A suspicion: sessions to repeat, because one of them may have harmed the peer. A confirmed
//! symptom waits for its session to be shrunk: the other suspicions come first.

use super::finding::Finding;
use super::input::Input;
use super::oracle::Identity;
use super::source::Job;
use super::symptom::Symptom;
use crate::cases::Case;
use dnode_reports::event::Death;

/// Sessions of which one may have harmed the peer, the likeliest first.
#[derive(Debug, Clone)]
pub(super) struct Suspicion {
    /// Names it. There is one for each key.
    pub key: String,
    pub suspects: Vec<Played>,
    /// How the process ended, if it did.
    pub death: Option<Death>,
    /// The finding that an earlier campaign confirmed and did not shrink.
    pub resumes: Option<Identity>,
    /// To repeat it takes deadlines, because the peer was silent.
    pub is_slow: bool,
}

/// A session that was played.
#[derive(Debug, Clone)]
pub(super) struct Played {
    pub job: Job,
    pub source: &'static str,
    /// Whether the connection ended as it should.
    pub ended_well: bool,
}

/// The session that shows a finding.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub transcript: String,
    pub input: Option<Input>,
    /// The number of the session and the time at which it was first examined.
    pub seen: (u64, u64),
    pub source: &'static str,
}

/// How often a symptom was reproduced, of how many tries.
pub(super) type Confirmed = (usize, usize);

/// A symptom that was reproduced, with the session that shows it.
#[derive(Debug, Clone)]
pub(super) struct Reproduced {
    pub symptom: Symptom,
    pub shown: Shown,
    pub confirmed: Confirmed,
}

impl Reproduced {
    /// The finding. `shrunk`: its session is as short as it gets.
    pub(super) fn finding(self, shrunk: bool) -> Finding {
        let Reproduced { symptom, shown, confirmed } = self;
        let Symptom { identity, expected, actual, wire, death, .. } = symptom;
        let Shown { transcript, input, seen: (sessions, after), source } = shown;
        Finding {
            identity,
            confirmed,
            expected,
            actual,
            transcript,
            input,
            wire,
            death,
            sessions,
            shrunk,
            after,
            source: source.to_owned(),
        }
    }
}

/// A confirmed symptom whose session is not shrunk yet.
#[derive(Debug, Clone)]
pub(super) struct Unshrunk {
    pub whole: Reproduced,
    pub case: Case,
    /// The finding that an earlier campaign confirmed and did not shrink.
    pub resumes: Option<Identity>,
    /// An input that may show the same, from the shrinking of another finding.
    pub hint: Option<Input>,
}

impl Unshrunk {
    /// Whether to repeat it takes a deadline each time.
    pub(super) fn is_slow(&self) -> bool {
        self.whole.symptom.identity.oracle.is_slow()
    }
}
