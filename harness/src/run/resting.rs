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

/// The root of an inconclusive case: the broken clause that it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Root {
    pub(super) clause: String,
    /// The case that showed that the clause is broken.
    pub(super) case: String,
}

impl Root {
    /// The first root of a case: its own, or the root of the case that is its root, and so on.
    /// `roots`: the roots of cases, by their ids.
    pub(super) fn first<'a>(roots: &'a BTreeMap<String, Root>, id: &str) -> Option<&'a Root> {
        let own = roots.get(id)?;
        // Two cases may rest on each other.
        let chain = std::iter::successors(Some(own), |root| roots.get(&root.case));
        chain.take(roots.len()).last()
    }
}

impl BrokenClauses {
    pub(super) fn new(cases: BTreeSet<String>) -> BrokenClauses {
        BrokenClauses { cases, known: BTreeMap::new() }
    }

    /// This clause as a root of the case `own`, if another case saw it broken: in an earlier batch
    /// or among these outcomes. If a case has the clause's own name, only that case decides.
    pub(super) fn root<'a>(
        &self,
        clause: &str,
        own: &str,
        mut outcomes: impl Iterator<Item = &'a Outcome>,
    ) -> Option<Root> {
        let breaks = |outcome: &&Outcome| {
            outcome.divergence.as_ref().is_some_and(|it| it.clause == clause)
                && (outcome.id == clause || !self.cases.contains(clause))
        };
        let here = || outcomes.find(breaks).map(|outcome| outcome.id.clone());
        let case = self.known.get(clause).cloned().or_else(here).filter(|case| case != own)?;
        Some(Root { clause: clause.to_owned(), case })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_root_is_no_case_that_has_a_root_itself() {
        let root = |case: &str| Root { clause: format!("{case}/clause"), case: case.to_owned() };
        let roots = [("b", root("a")), ("c", root("b")), ("x", root("y")), ("y", root("x"))];
        let roots: BTreeMap<String, Root> = roots.map(|(id, root)| (id.to_owned(), root)).into();
        assert_eq!(Root::first(&roots, "a"), None);
        assert_eq!(Root::first(&roots, "b"), Some(&root("a")));
        assert_eq!(Root::first(&roots, "c"), Some(&root("a")));
        assert!(Root::first(&roots, "x").is_some(), "cases that rest on each other");
    }
}
