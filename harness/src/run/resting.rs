//! The clauses that cases of this run saw broken: other cases rest on them.

use dnode_reports::event::Outcome;
use std::collections::{BTreeMap, BTreeSet};

/// The broken clauses of a run.
pub(super) struct BrokenClauses {
    /// The ids of all cases, selected or not.
    cases: BTreeSet<String>,
    /// The clauses that earlier batches saw broken, each with the first case that showed it.
    known: BTreeMap<String, String>,
}

impl BrokenClauses {
    pub(super) fn new(cases: BTreeSet<String>) -> BrokenClauses {
        BrokenClauses { cases, known: BTreeMap::new() }
    }

    /// The case that saw this clause broken, in an earlier batch or among these outcomes. If a case
    /// has the clause's own name, only that case decides.
    pub(super) fn case<'a>(
        &'a self,
        clause: &str,
        mut outcomes: impl Iterator<Item = &'a Outcome>,
    ) -> Option<&'a str> {
        let breaks = |outcome: &&Outcome| {
            outcome.divergence.as_ref().is_some_and(|it| it.clause == clause)
                && (outcome.id == clause || !self.cases.contains(clause))
        };
        let here = || outcomes.find(breaks).map(|outcome| outcome.id.as_str());
        self.known.get(clause).map(String::as_str).or_else(here)
    }

    /// Remembers the clauses that these outcomes broke.
    pub(super) fn remember<'a>(&mut self, outcomes: impl Iterator<Item = &'a Outcome>) {
        for outcome in outcomes {
            if let Some(divergence) = &outcome.divergence {
                self.known.entry(divergence.clause.clone()).or_insert_with(|| outcome.id.clone());
            }
        }
    }
}
