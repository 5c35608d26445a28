//! The gate: what makes a run red, beside the verdicts themselves.
//!
//! A failure gates from a level on. What is excused does not gate: a case that is newer than the catalogue which the caller wants to be held
//! against, a failure that the baseline knows, behaviour that the snapshot has. What baseline and snapshot say and no longer holds makes the run red.

pub mod baseline;
pub mod snapshot;
#[cfg(test)]
mod tests;

use crate::cases::{Case, over_the_run};
use baseline::Baseline;
use dnode_reports::event::{Event, Outcome, Verdict};
use dnode_spec::clause::Level;
use semver::Version;
use snapshot::Snapshot;
use std::collections::{BTreeMap, BTreeSet};

/// What makes a run red.
#[derive(Debug, Clone)]
pub struct Gate {
    /// The weakest level whose failures gate.
    pub level: Level,
    /// The version whose cases gate; those that came later still run. All gate where there is none.
    pub catalogue: Option<Version>,
    /// The failures that are known.
    pub baseline: Option<Baseline>,
    /// The behaviour that the peer is held against.
    pub snapshot: Option<Snapshot>,
}

impl From<Level> for Gate {
    fn from(level: Level) -> Gate {
        Gate { level, catalogue: None, baseline: None, snapshot: None }
    }
}

impl Gate {
    /// What a reader of the verdicts should know of it, a sentence each.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let later = |version| format!("catalogue {version}: cases that came later run, and do not gate");
        let catalogue = self.catalogue.as_ref().map(later);
        let baseline = self.baseline.as_ref().map(Baseline::describe);
        let snapshot = self.snapshot.as_ref().map(Snapshot::describe);
        catalogue.into_iter().chain(baseline).chain(snapshot).collect()
    }
}

/// The gate that the outcomes of one run go through.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    gate: &'a Gate,
    /// The cases that are newer than the gate's catalogue.
    newer: BTreeSet<String>,
    /// Every case of the catalogue is run.
    whole: bool,
}

/// What is told of that run.
#[derive(Debug)]
pub(crate) struct Told<'a> {
    held: &'a Held<'a>,
    /// The outcomes, where something is held against them.
    outcomes: BTreeMap<String, Outcome>,
}

impl<'a> Held<'a> {
    /// For a run of these cases; `whole` where they are the catalogue.
    pub(crate) fn new(gate: &'a Gate, cases: &[Case], whole: bool) -> Held<'a> {
        let later = |since: &str| {
            let since = Version::parse(since).ok();
            gate.catalogue.as_ref().is_some_and(|frozen| since.is_some_and(|since| since > *frozen))
        };
        let of_cases = cases.iter().map(|case| (case.id().to_owned(), case.transcript.header.since.as_str()));
        let others = over_the_run().map(|case| (case.id, case.since));
        let newer = of_cases.chain(others).filter(|(_, since)| later(since)).map(|(id, _)| id).collect();
        Held { gate, newer, whole }
    }

    /// Begins to tell of the run.
    pub(crate) fn begin(&'a self) -> Told<'a> {
        Told { held: self, outcomes: BTreeMap::new() }
    }

    /// Whether this outcome makes the run red.
    pub(crate) fn gates(&self, outcome: &Outcome) -> bool {
        outcome.gates(self.gate.level) && self.excuse(outcome).is_none()
    }

    fn excuse(&self, outcome: &Outcome) -> Option<String> {
        if matches!(outcome.verdict, Verdict::Pass | Verdict::NotApplicable | Verdict::HarnessError) {
            return None;
        }
        let newer = || {
            let frozen = self.gate.catalogue.as_ref().filter(|_| self.newer.contains(&outcome.id))?;
            Some(format!("newer than the catalogue {frozen}"))
        };
        let known = || self.gate.baseline.as_ref()?.excuse(outcome);
        let was = || self.gate.snapshot.as_ref()?.excuse(outcome);
        newer().or_else(known).or_else(was)
    }
}

impl Told<'_> {
    /// An event as it is told: with what is excused, and at the end with what no longer holds.
    pub(crate) fn event(&mut self, mut event: Event) -> Event {
        let Held { gate, newer, whole } = self.held;
        let Gate { baseline, snapshot, .. } = gate;
        match &mut event {
            Event::Started(run) => run.notes.extend(gate.notes()),
            Event::Judged(outcome) => {
                outcome.excuse = self.held.excuse(outcome);
                if baseline.is_some() || snapshot.is_some() {
                    let evidence = dnode_reports::event::Evidence::default();
                    self.outcomes.insert(outcome.id.clone(), Outcome { evidence, ..(**outcome).clone() });
                }
            }
            Event::Ended(ended) => {
                if ended.interrupted {
                    // What was not run says nothing.
                    self.outcomes.retain(|_, outcome| outcome.verdict != Verdict::Inconclusive);
                }
                let known = baseline.iter().flat_map(|it| it.stale(|id| self.outcomes.get(id)));
                ended.stale = known.collect();
                self.outcomes.retain(|id, _| !newer.contains(id));
                let whole = *whole && !ended.interrupted;
                ended.stale.extend(snapshot.iter().flat_map(|it| it.stale(&self.outcomes, whole)));
            }
        }
        event
    }
}
