//! The snapshot: how a peer behaved in an earlier run, as its canonical report says.
//!
//! Held against it, a run is green where the peer behaves as it did: the same verdict and the same fingerprint for each case. What it
//! finds and the snapshot has is excused; everything else is a difference, better or worse, and makes the run red until the
//! snapshot is updated.

use dnode_reports::event::{Event, Outcome, Reference, Stale, Verdict};
use dnode_reports::{ReadError, diff, json};
use dnode_spec::clause::Level;
use std::collections::BTreeMap;

/// The behaviour of a peer in an earlier run.
#[derive(Debug, Clone)]
pub struct Snapshot {
    name: String,
    /// What is accepted whatever it is; the run makes the snapshot.
    accepts: bool,
    cases: BTreeMap<String, Outcome>,
}

impl Snapshot {
    /// Reads the text of a canonical report.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read(text: &str, name: &str) -> Result<Snapshot, ReadError> {
        let told = json::read(text, name, Level::Robust)?;
        let cases = told.into_iter().filter_map(|event| match event {
            Event::Judged(outcome) => Some((outcome.id.clone(), *outcome)),
            Event::Started(_) | Event::Ended(_) => None,
        });
        Ok(Snapshot { name: name.to_owned(), accepts: false, cases: cases.collect() })
    }

    /// One that takes the run as it comes.
    #[must_use]
    pub fn accepting(name: &str) -> Snapshot {
        Snapshot { name: name.to_owned(), accepts: true, cases: BTreeMap::new() }
    }

    /// What it is, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        match self.accepts {
            true => format!("snapshot {}: what comes is accepted and written there", self.name),
            false => format!("snapshot {}: what gates is a difference from it", self.name),
        }
    }

    /// Why this outcome makes no run red, where it is as it was.
    #[must_use]
    pub fn excuse(&self, outcome: &Outcome) -> Option<String> {
        match outcome.verdict {
            Verdict::Pass | Verdict::NotApplicable | Verdict::HarnessError => None,
            _ if self.accepts => Some("accepted into the snapshot".to_owned()),
            _ if self.differs(outcome) => None,
            _ => Some("as in the snapshot".to_owned()),
        }
    }

    fn differs(&self, outcome: &Outcome) -> bool {
        self.cases.get(&outcome.id).is_none_or(|was| diff::key(was) != diff::key(outcome))
    }

    /// What is not as it was. `whole`: every case of the catalogue was run.
    pub(crate) fn stale(&self, outcomes: &BTreeMap<String, Outcome>, whole: bool) -> Vec<Stale> {
        if self.accepts {
            return Vec::new();
        }
        let gone = self.cases.values().filter(|was| whole && !outcomes.contains_key(&was.id));
        let gone = gone.map(|was| {
            (was.id.as_str(), format!("the snapshot has {}, and there is no such case", was.verdict))
        });
        let differing = outcomes.values().filter(|outcome| self.differs(outcome));
        let differing = differing.map(|outcome| (outcome.id.as_str(), self.difference(outcome)));
        differing
            .chain(gone)
            .map(|(id, problem)| Stale {
                reference: Reference::Snapshot,
                id: id.to_owned(),
                problem,
                remedy: "where this is meant, run again with --update and commit what it writes".to_owned(),
            })
            .collect()
    }

    fn difference(&self, outcome: &Outcome) -> String {
        let now = outcome.verdict;
        match self.cases.get(&outcome.id).map(|was| was.verdict) {
            None => format!("{now}, and the snapshot does not have the case"),
            Some(was) if was == now => format!("{now} as before, but in another way"),
            Some(was) => format!("{now}, and it was {was}"),
        }
    }
}
