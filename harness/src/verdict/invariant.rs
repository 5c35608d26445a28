//! The clauses that the monitor judges on every line: one case each, in every run.

use super::command::Command;
use super::outcome::{divergence, over_the_run};
use crate::cases::{Case, invariant_id, invariants};
use crate::conversation::facts::{Facts, Unusable};
use crate::conversation::replay::judged::{Cause, Diverged, Replayed};
use dnode_reports::event::{Cycles, Evidence, Kind, Outcome, Verdict, Wire};
use dnode_spec::clause::Clause;
use dnode_spec::dialect::Dialect;
use dnode_spec::message::Problem;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The judgement of the monitor over the whole run.
pub(crate) struct Invariants {
    dialect: Dialect,
    lines: u64,
    /// How the peer sent more than was judged, if it did.
    unusable: Option<Unusable>,
    /// For each broken clause, the first case in the catalogue's order that broke it. The preflight
    /// comes before all.
    broken: BTreeMap<&'static str, Shown>,
}

struct Shown {
    /// The case and its place among all cases; `None` for the preflight.
    case: Option<(usize, Arc<Case>)>,
    problem: Problem,
    wire: Vec<Wire>,
}

impl Invariants {
    pub(crate) fn new(facts: &Facts) -> Invariants {
        let (dialect, lines) = (facts.terms.dialect, facts.session.lines);
        let unusable = facts.unusable.filter(|unusable| unusable.is_flood());
        let mut invariants = Invariants { dialect, lines, unusable, broken: BTreeMap::new() };
        invariants.add(&facts.session.broken, None, &facts.session.wire);
        invariants
    }

    /// Adds the lines of one case.
    pub(crate) fn saw(&mut self, case: &Arc<Case>, at: usize, replayed: &Replayed) {
        self.lines += replayed.lines;
        if !replayed.broken.is_empty() {
            let wire = replayed.log.clone().into_entries();
            self.add(&replayed.broken, Some((at, Arc::clone(case))), &wire);
        }
    }

    fn add(
        &mut self,
        broken: &BTreeMap<&'static str, Problem>,
        case: Option<(usize, Arc<Case>)>,
        wire: &[Wire],
    ) {
        let place = |case: &Option<(usize, Arc<Case>)>| case.as_ref().map(|(at, _)| *at);
        for (clause, problem) in broken {
            if self.broken.get(clause).is_none_or(|shown| place(&case) < place(&shown.case)) {
                let (case, problem) = (case.clone(), problem.clone());
                self.broken.insert(clause, Shown { case, problem, wire: wire.to_vec() });
            }
        }
    }

    /// The outcomes of all these clauses, sorted by id. They do not depend on the selection.
    pub(crate) fn outcomes(&self, command: &Command) -> Vec<Outcome> {
        let mut outcomes: Vec<Outcome> =
            invariants(self.dialect).map(|clause| self.outcome(clause, command)).collect();
        outcomes.sort_by(|a, b| a.id.cmp(&b.id));
        outcomes
    }

    fn outcome(&self, clause: &Clause, command: &Command) -> Outcome {
        let id = invariant_id(clause);
        let about = format!("On every line of the run: {}", clause.text);
        let mut outcome = over_the_run(id.clone(), clause.id, about);
        if self.lines == 0 {
            outcome.verdict = Verdict::Inconclusive;
            outcome.reason = Some("the peer sent no line".to_owned());
        }
        if let Some(unusable) = self.unusable {
            outcome.verdict = Verdict::Inconclusive;
            outcome.reason = Some(format!("{unusable}, so not all of it was judged"));
        }
        let Some(shown) = self.broken.get(clause.id) else { return outcome };
        outcome.verdict = Verdict::Fail;
        let case = shown.case.as_ref().map(|(_, case)| case);
        outcome.reason = Some(format!("seen first in {}", case.map_or("the preflight", |case| case.id())));
        outcome.divergence = Some(divergence(
            &id,
            Diverged {
                cycles: Cycles::default(),
                step: "a line of the peer".to_owned(),
                clause: clause.id.to_owned(),
                kind: Kind::Broken,
                path: shown.problem.at.clone(),
                expected: shown.problem.expected.clone(),
                actual: shown.problem.actual.clone(),
                class: String::new(),
                cause: Cause::Content,
                called: None,
            },
        ));
        outcome.evidence = Evidence {
            wire: shown.wire.clone(),
            transcript: case.map(|case| case.text.clone()).unwrap_or_default(),
            repeat: case.map_or_else(|| command.whole(), |case| command.repeat(case)),
            ..Evidence::default()
        };
        outcome
    }
}
