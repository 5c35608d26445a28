//! Generated sessions within a run: made in batches while others run, and shrunk if they find something.

use super::runner::Runner;
use crate::cases::{Case, catalogue};
use crate::conversation::facts::Facts;
use crate::shrink::shrink;
use crate::verdict::outcome::never_made;
use dnode_reports::event::{Kind, Outcome};
use dnode_spec::dialect::Dialect;
use dnode_spec::generate::{Seed, session_in};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// How many generated sessions a batch has. Another batch is made in the meantime, and each session takes some hundred KiB.
const BATCH: usize = 256;

/// How many findings of generated sessions are shrunk. Other findings of the same kind are reported as they are.
const SHRUNK: usize = 8;

/// The sessions that are still to be made.
pub(super) struct Sessions {
    seeds: std::vec::IntoIter<Seed>,
    /// The clause and the kind of each finding that was shrunk.
    shrunk: BTreeSet<(String, Kind)>,
}

impl Sessions {
    pub(super) fn new(seeds: Vec<Seed>) -> Sessions {
        Sessions { seeds: seeds.into_iter(), shrunk: BTreeSet::new() }
    }

    /// How many are still to be made.
    pub(super) fn len(&self) -> usize {
        self.seeds.len()
    }

    /// Makes the next batch in the background; an empty one if the run ends.
    pub(super) fn make(&mut self, dialect: Dialect, ends: bool) -> JoinHandle<Vec<Arc<Case>>> {
        let count = if ends { 0 } else { BATCH };
        let seeds: Vec<Seed> = self.seeds.by_ref().take(count).collect();
        let make = move |seed| Case::read(&session_in(dialect, seed)).ok().map(Arc::new);
        tokio::task::spawn_blocking(move || seeds.into_iter().filter_map(make).collect())
    }

    /// Whether the finding is the first of its kind, and not too many were shrunk.
    fn is_new(&mut self, clause: &str, kind: Kind) -> bool {
        self.shrunk.len() < SHRUNK && self.shrunk.insert((clause.to_owned(), kind))
    }
}

impl Runner<'_> {
    /// Shrinks the findings of generated sessions, the first of each kind.
    pub(super) async fn shrink(&mut self) {
        for at in 0..self.batch.len() {
            let gating = self.batch.outcome(at).filter(|it| self.gate.gates(it));
            let Some(found) = gating.and_then(|outcome| outcome.divergence.clone()) else { continue };
            if self.is_interrupted() || !self.sessions.is_new(&found.clause, found.kind) {
                continue;
            }
            let (target, command) = (&self.options.target, &self.options.command);
            let case = self.batch.case(at);
            if let Some(mut shrunk) =
                shrink(case, &found, target, &self.facts, self.patience(), command).await
            {
                shrunk.outcome.reason = Some(shrunk.describe());
                shrunk.outcome.evidence.transcript = shrunk.case.text;
                self.batch.set(at, shrunk.outcome);
            }
        }
    }

    /// The outcomes of the sessions that were never made because the run ended before.
    pub(super) fn never_made(&mut self) -> Vec<Outcome> {
        let (verdict, reason) = self.unrun();
        self.sessions.seeds.by_ref().map(|seed| never_made(seed, verdict, reason)).collect()
    }
}

/// The cases about the clauses that the preflight saw broken. A generated session rests on them, so it could not show them.
pub(super) fn about_missing(facts: &Facts) -> Vec<Arc<Case>> {
    let cases = catalogue(facts.terms.dialect).unwrap_or_default().into_iter();
    cases.filter(|case| facts.missing.contains(case.id())).map(Arc::new).collect()
}
