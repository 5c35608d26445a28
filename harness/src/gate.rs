//! The gate: decides which verdicts make a run fail.
//!
//! A failure gates if its level is at least the gate's. It is excused if its case is newer than the
//! frozen catalogue, if the baseline knows it, or if it is as in the snapshot. A case is excused too
//! if it is inconclusive because of a clause that does not gate. A stale entry of the baseline and a
//! difference from the snapshot make the run fail too.

pub mod baseline;
pub mod snapshot;
#[cfg(test)]
mod tests;

use crate::cases::{Case, over_the_run};
use baseline::Baseline;
use dnode_reports::event::{Event, Outcome, Stale, Verdict};
use dnode_spec::clause::{self, Level};
use semver::Version;
use snapshot::Snapshot;
use std::collections::{BTreeMap, BTreeSet};

/// What makes a run fail.
#[derive(Debug, Clone)]
pub struct Gate {
    /// The weakest level whose failures gate.
    pub level: Level,
    /// The version of the catalogue that gates. Newer cases run, but do not gate. `None`: all cases
    /// gate.
    pub catalogue: Option<Version>,
    /// The known failures.
    pub baseline: Option<Baseline>,
    /// The earlier behaviour of the peer. Any difference from it makes the run fail.
    pub snapshot: Option<Snapshot>,
}

impl From<Level> for Gate {
    fn from(level: Level) -> Gate {
        Gate { level, catalogue: None, baseline: None, snapshot: None }
    }
}

impl Gate {
    /// Notes for the reader of the verdicts, one sentence each.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let frozen = |version| format!("catalogue {version}: newer cases run, but do not gate");
        let catalogue = self.catalogue.as_ref().map(frozen);
        let baseline = self.baseline.as_ref().map(Baseline::describe);
        let snapshot = self.snapshot.as_ref().map(Snapshot::describe);
        catalogue.into_iter().chain(baseline).chain(snapshot).collect()
    }
}

/// The gate of one run.
#[derive(Debug)]
pub(crate) struct RunGate<'a> {
    gate: &'a Gate,
    /// The cases that are newer than the gate's catalogue.
    newer: BTreeSet<String>,
    /// The run has all cases of the catalogue.
    whole: bool,
}

/// The events of one run on their way through its gate.
#[derive(Debug)]
pub(crate) struct Emitted<'a> {
    gate: &'a RunGate<'a>,
    /// The outcomes so far, without evidence. Empty if there is no baseline and no snapshot to
    /// compare with.
    outcomes: BTreeMap<String, Outcome>,
}

impl<'a> RunGate<'a> {
    /// The gate of a run with these cases. `whole`: they are the whole catalogue.
    pub(crate) fn new(gate: &'a Gate, cases: &[Case], whole: bool) -> RunGate<'a> {
        let is_newer = |since: &str| {
            let since = Version::parse(since).ok();
            gate.catalogue.as_ref().is_some_and(|frozen| since.is_some_and(|since| since > *frozen))
        };
        let of_cases = cases.iter().map(|case| (case.id().to_owned(), case.transcript.header.since.as_str()));
        let others = over_the_run().map(|case| (case.id, case.since));
        let newer = of_cases.chain(others).filter(|(_, since)| is_newer(since)).map(|(id, _)| id).collect();
        RunGate { gate, newer, whole }
    }

    /// For the events of the run, from the first on.
    pub(crate) fn emitted(&'a self) -> Emitted<'a> {
        Emitted { gate: self, outcomes: BTreeMap::new() }
    }

    /// Whether this outcome makes the run fail.
    pub(crate) fn gates(&self, outcome: &Outcome) -> bool {
        outcome.gates(self.gate.level) && self.excuse(outcome).is_none()
    }

    /// Why this outcome does not gate although its verdict would.
    fn excuse(&self, outcome: &Outcome) -> Option<String> {
        if matches!(outcome.verdict, Verdict::Pass | Verdict::NotApplicable | Verdict::HarnessError) {
            return None;
        }
        let newer = || {
            let frozen = self.gate.catalogue.as_ref().filter(|_| self.newer.contains(&outcome.id))?;
            Some(format!("newer than the catalogue {frozen}"))
        };
        let known = || self.gate.baseline.as_ref()?.excuse(outcome);
        let unchanged = || self.gate.snapshot.as_ref()?.excuse(outcome);
        let resting = || {
            let clause = outcome.rests_on.as_deref().and_then(clause::find)?;
            let weak = outcome.verdict == Verdict::Inconclusive && clause.level > self.gate.level;
            weak.then(|| format!("rests on {}, which does not gate", clause.id))
        };
        newer().or_else(known).or_else(unchanged).or_else(resting)
    }
}

impl Emitted<'_> {
    /// Completes an event: adds notes to the start, excuses to outcomes, and stale entries to the
    /// end.
    pub(crate) fn event(&mut self, mut event: Event) -> Event {
        match &mut event {
            Event::Started(run) => run.notes.extend(self.gate.gate.notes()),
            Event::Judged(outcome) => {
                outcome.excuse = self.gate.excuse(outcome);
                self.keep(outcome);
            }
            Event::Ended(ended) => ended.stale = self.stale(ended.interrupted),
        }
        event
    }

    /// Keeps a copy of the outcome for the comparison at the end. The copy has no evidence, which
    /// may be large.
    fn keep(&mut self, outcome: &mut Outcome) {
        if self.gate.gate.baseline.is_some() || self.gate.gate.snapshot.is_some() {
            let evidence = std::mem::take(&mut outcome.evidence);
            self.outcomes.insert(outcome.id.clone(), outcome.clone());
            outcome.evidence = evidence;
        }
    }

    /// The stale entries of the baseline, and the differences from the snapshot.
    fn stale(&mut self, interrupted: bool) -> Vec<Stale> {
        let RunGate { gate, newer, whole } = self.gate;
        if interrupted {
            // Cases that did not run are inconclusive.
            self.outcomes.retain(|_, outcome| outcome.verdict != Verdict::Inconclusive);
        }
        let mut stale = gate.baseline.as_ref().map(|it| it.stale(&self.outcomes)).unwrap_or_default();
        if let Some(snapshot) = &gate.snapshot {
            self.outcomes.retain(|id, _| !newer.contains(id));
            stale.extend(snapshot.stale(&self.outcomes, *whole && !interrupted));
        }
        stale
    }
}
