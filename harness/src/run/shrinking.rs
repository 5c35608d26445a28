//! Shrinks the findings of generated sessions.

use super::meet::time_is_over;
use super::runner::Runner;
use crate::shrink::{Sought, shrink};

impl Runner<'_> {
    /// Shrinks the findings of generated sessions, the first of each kind.
    pub(super) async fn shrink(&mut self) {
        for at in 0..self.batch.len() {
            let gating = self.batch.outcome(at).filter(|it| self.gate.gates(it));
            let Some(found) = gating.and_then(|outcome| outcome.divergence.clone()) else { continue };
            if self.is_cut_off() || !self.sessions.is_new(&found.clause, found.kind) {
                continue;
            }
            let (target, command) = (&self.options.target, &self.options.command);
            let case = self.batch.case(at);
            let sought = Sought::Difference(found.clause, found.kind);
            let shrunk = tokio::select! {
                shrunk = shrink(case, sought, target, &self.facts, self.patience(), command) => shrunk,
                () = time_is_over(self.until) => None,
                () = self.options.interrupted.cancelled() => None,
            };
            if let Some(mut shrunk) = shrunk {
                shrunk.outcome.reason = Some(shrunk.describe());
                shrunk.outcome.evidence.transcript = shrunk.case.text;
                self.batch.set(at, shrunk.outcome);
            }
        }
    }
}
