//! The snapshot: how a peer behaved in an earlier run, read from its canonical report.
//!
//! A run with a snapshot succeeds if each case has the same verdict and the same fingerprint as
//! before: findings that the snapshot has are excused. Any other difference, better or worse, makes
//! the run fail until the snapshot is updated.

use dnode_reports::event::{Event, Outcome, Reference, Stale, Verdict};
use dnode_reports::{ReadError, diff, json};
use dnode_spec::clause::Level;
use std::collections::BTreeMap;

/// The behaviour of a peer in an earlier run.
#[derive(Debug, Clone)]
pub struct Snapshot {
    name: String,
    /// Any behaviour is accepted, because this run writes the snapshot.
    accepts: bool,
    cases: BTreeMap<String, Outcome>,
}

impl Snapshot {
    /// Reads the text of a canonical report.
    ///
    /// # Errors
    /// [`ReadError`] if the text is not a canonical report.
    pub fn read(text: &str, name: &str) -> Result<Snapshot, ReadError> {
        let events = json::read(text, name, Level::Robust)?;
        let cases = events.into_iter().filter_map(|event| match event {
            Event::Judged(outcome) => Some((outcome.id.clone(), *outcome)),
            Event::Started(_) | Event::Ended(_) => None,
        });
        Ok(Snapshot { name: name.to_owned(), accepts: false, cases: cases.collect() })
    }

    /// A snapshot that accepts any behaviour.
    #[must_use]
    pub fn accepting(name: &str) -> Snapshot {
        Snapshot { name: name.to_owned(), accepts: true, cases: BTreeMap::new() }
    }

    /// A note for the reader of the verdicts.
    #[must_use]
    pub fn describe(&self) -> String {
        match self.accepts {
            true => {
                format!("snapshot {}: the behaviour of this run is accepted and written there", self.name)
            }
            false => format!("snapshot {}: only differences from it gate", self.name),
        }
    }

    /// Why this outcome does not gate, if it is as in the snapshot.
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

    /// The differences from the snapshot. `whole`: all cases of the catalogue ran.
    pub(crate) fn stale(&self, outcomes: &BTreeMap<String, Outcome>, whole: bool) -> Vec<Stale> {
        if self.accepts {
            return Vec::new();
        }
        let gone = self.cases.values().filter(|was| whole && !outcomes.contains_key(&was.id));
        let gone = gone.map(|was| {
            (was.id.as_str(), format!("{} in the snapshot, but the catalogue has no such case", was.verdict))
        });
        let differing = outcomes.values().filter(|outcome| self.differs(outcome));
        let differing = differing.map(|outcome| (outcome.id.as_str(), self.difference(outcome)));
        differing
            .chain(gone)
            .map(|(id, problem)| Stale {
                reference: Reference::Snapshot,
                id: id.to_owned(),
                problem,
                remedy: "if this change is intended, run again with --update and commit the snapshot"
                    .to_owned(),
            })
            .collect()
    }

    fn difference(&self, outcome: &Outcome) -> String {
        let now = outcome.verdict;
        match self.cases.get(&outcome.id).map(|was| was.verdict) {
            None => format!("{now}, but the snapshot does not have this case"),
            Some(was) if was == now => format!("{now} as before, but with another fingerprint"),
            Some(was) => format!("{now}, but {was} in the snapshot"),
        }
    }
}
