//! The findings of one manner, while outcomes arrive.

use std::collections::BTreeSet;

use dnode_spec::clause::Level;

use super::{Cause, Finding, broken, manner};
use crate::event::{Outcome, Verdict};

/// Findings of one manner.
#[derive(Debug)]
pub(super) struct Group {
    shown: Outcome,
    gates: bool,
    level: Level,
    /// The findings, with the place of each in the run.
    findings: Vec<(usize, Finding)>,
    clauses: BTreeSet<String>,
    lacks: Option<String>,
}

impl Group {
    /// The group of one finding, the one at this place in the run.
    pub(super) fn new(outcome: &Outcome, place: usize, gate: Level) -> Group {
        let mut group = Group {
            shown: outcome.clone(),
            gates: false,
            level: outcome.level,
            findings: Vec::new(),
            clauses: BTreeSet::new(),
            lacks: None,
        };
        group.count(outcome, place, gate);
        group
    }

    /// Takes one more finding.
    pub(super) fn add(&mut self, outcome: &Outcome, place: usize, gate: Level) {
        if rank(outcome) < rank(&self.shown) {
            self.shown = outcome.clone();
        }
        self.count(outcome, place, gate);
    }

    fn count(&mut self, outcome: &Outcome, place: usize, gate: Level) {
        self.gates |= outcome.gates(gate) || outcome.verdict == Verdict::HarnessError;
        self.level = self.level.min(outcome.level);
        self.findings.push((place, Finding { id: outcome.id.clone(), verdict: outcome.verdict }));
        self.clauses.insert(broken(outcome).to_owned());
        if let Some(divergence) = outcome.divergence.as_ref().filter(|_| outcome.id == manner::PROBE) {
            self.lacks = Some(divergence.actual.clone());
        }
    }

    /// Takes the findings of another group.
    pub(super) fn join(&mut self, other: Group) {
        if rank(&other.shown) < rank(&self.shown) {
            self.shown = other.shown;
        }
        self.gates |= other.gates;
        self.level = self.level.min(other.level);
        self.findings.extend(other.findings);
        self.clauses.extend(other.clauses);
        self.lacks = self.lacks.take().or(other.lacks);
    }

    /// The cause of the findings. It has no number yet.
    pub(super) fn into_cause(mut self) -> Cause {
        self.findings.sort_by_key(|(place, _)| *place);
        Cause {
            number: 0,
            gates: self.gates,
            shown: self.shown,
            findings: self.findings.into_iter().map(|(_, finding)| finding).collect(),
            resting: 0,
            trace: None,
            level: self.level,
            clauses: self.clauses,
            lacks: self.lacks,
        }
    }
}

/// The finding of the lowest rank is shown. An error that a case raised on purpose shows the mistake
/// best. The length of a wire log may differ from run to run, that of a transcript does not.
fn rank(outcome: &Outcome) -> impl Ord + use<'_> {
    (!manner::is_provoked(outcome), outcome.level, outcome.evidence.transcript.len(), &*outcome.id)
}
