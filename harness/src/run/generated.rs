//! Generated sessions within a run: made while others are run, some at a time, and shrunk where they find something.

use super::{Runner, verdict};
use crate::cases::{Case, catalogue};
use crate::preflight::Facts;
use crate::shrink::shrink;
use dnode_reports::event::Outcome;
use dnode_spec::generate::{Seed, session_in};
use std::sync::Arc;
use tokio::task::JoinHandle;

/// How many generated sessions are run together. As many more are made meanwhile, and each takes some hundred KiB.
const TOGETHER: usize = 256;

/// How many findings of generated sessions are shrunk; others of the same kind are told as they are.
const SHRUNK: usize = 8;

impl Runner<'_> {
    /// Shrinks what generated sessions found, the first of each kind.
    pub(super) async fn shrink(&mut self) {
        for at in 0..self.cases.len() {
            let Some(outcome) = self.outcomes[at].as_ref().filter(|it| self.gate.gates(it)) else {
                continue;
            };
            let Some(found) = &outcome.divergence else { continue };
            let found = found.clone();
            let kind = (found.clause.clone(), found.kind);
            if self.is_interrupted() || self.shrunk.len() >= SHRUNK || !self.shrunk.insert(kind) {
                continue;
            }
            let (target, command) = (&self.options.target, &self.options.command);
            let shrunk = shrink(&self.cases[at], &found, target, &self.facts, self.patience(), command).await;
            if let Some(mut shrunk) = shrunk {
                shrunk.outcome.reason = Some(shrunk.describe());
                shrunk.outcome.evidence.transcript = shrunk.case.text;
                self.outcomes[at] = Some(shrunk.outcome);
            }
        }
    }

    /// Makes the next generated sessions, while those at hand are run; none, where the run ends.
    pub(super) fn make(&mut self) -> JoinHandle<Vec<Arc<Case>>> {
        let count = if self.ends() { 0 } else { TOGETHER };
        let seeds: Vec<Seed> = self.seeds.by_ref().take(count).collect();
        let dialect = self.options.dialect;
        let made = move |seed| Case::read(&session_in(dialect, seed)).ok().map(Arc::new);
        tokio::task::spawn_blocking(move || seeds.into_iter().filter_map(made).collect())
    }

    /// Takes these generated sessions in the place of the cases at hand.
    pub(super) fn go_on_with(&mut self, made: Vec<Arc<Case>>) {
        self.outcomes = vec![None; made.len()];
        self.before += std::mem::replace(&mut self.cases, made).len();
        self.told = 0;
        self.generated = true;
    }

    /// The outcomes of the sessions that were never made, for the run ended before.
    pub(super) fn never_made(&mut self) -> impl Iterator<Item = Outcome> {
        let (verdict, reason) = self.unrun();
        self.seeds.by_ref().map(move |seed| verdict::never_made(seed, verdict, reason))
    }
}

/// The cases about what the preflight missed. A generated session, which rests on it, could not say it.
pub(super) fn about_missing(facts: &Facts) -> Vec<Arc<Case>> {
    let cases = catalogue(facts.terms.dialect).unwrap_or_default().into_iter();
    cases.filter(|case| facts.missing.contains(case.id())).map(Arc::new).collect()
}
