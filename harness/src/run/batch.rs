//! The cases at hand, and their outcomes until they are emitted.

use super::applicable::RuledOut;
use super::resting::BrokenClauses;
use crate::cases::Case;
use crate::verdict::outcome::without_run;
use dnode_reports::event::{Event, Evidence, Outcome, Verdict};
use std::sync::Arc;

/// A number of cases that are run together.
pub(super) struct Batch {
    cases: Vec<Arc<Case>>,
    /// How many cases earlier batches had.
    before: usize,
    /// The cases were generated.
    generated: bool,
    /// The outcome of each case, if it has one; without evidence once it was emitted.
    outcomes: Vec<Option<Outcome>>,
    /// Outcomes of cases that rest on other clauses, until it is known whether those hold.
    deferred: Vec<(usize, Outcome)>,
    emitted: usize,
}

impl Batch {
    pub(super) fn new(cases: Vec<Arc<Case>>) -> Batch {
        let outcomes = vec![None; cases.len()];
        Batch { cases, before: 0, generated: false, outcomes, deferred: Vec::new(), emitted: 0 }
    }

    /// The next batch, of generated sessions.
    pub(super) fn followed_by(&self, sessions: Vec<Arc<Case>>) -> Batch {
        Batch { before: self.before + self.len(), generated: true, ..Batch::new(sessions) }
    }

    pub(super) fn len(&self) -> usize {
        self.cases.len()
    }

    pub(super) fn is_generated(&self) -> bool {
        self.generated
    }

    pub(super) fn case(&self, at: usize) -> &Arc<Case> {
        &self.cases[at]
    }

    /// The place of a case among the cases of all batches.
    pub(super) fn place(&self, at: usize) -> usize {
        self.before + at
    }

    /// The cases that have no outcome yet.
    pub(super) fn open(&self, hostile: bool) -> Vec<usize> {
        let is_open =
            |&at: &usize| self.outcomes[at].is_none() && self.cases[at].transcript.header.hostile == hostile;
        (0..self.len()).filter(is_open).collect()
    }

    pub(super) fn outcome(&self, at: usize) -> Option<&Outcome> {
        self.outcomes[at].as_ref()
    }

    /// All outcomes, deferred or not.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().flatten().chain(self.deferred.iter().map(|(_, outcome)| outcome))
    }

    /// Gives a case its outcome.
    pub(super) fn set(&mut self, at: usize, outcome: Outcome) {
        self.outcomes[at] = Some(outcome);
    }

    /// Gives a case its outcome, which waits for those of other cases if it is not a pass and rests
    /// on their clauses.
    pub(super) fn conclude(&mut self, at: usize, outcome: Outcome) {
        if outcome.verdict != Verdict::Pass && !self.cases[at].transcript.header.requires.is_empty() {
            self.deferred.push((at, outcome));
        } else {
            self.set(at, outcome);
        }
    }

    /// Gives its verdict to a case that is not run.
    pub(super) fn rule_out(&mut self, at: usize, ruled_out: RuledOut) {
        let RuledOut { verdict, reason, rests_on } = ruled_out;
        self.set(at, Outcome { rests_on, ..without_run(&self.cases[at], verdict, Some(reason)) });
    }

    /// Gives the deferred cases their verdicts: a case is inconclusive if a clause that it rests on
    /// was broken in another case.
    pub(super) fn release(&mut self, broken: &mut BrokenClauses) {
        self.deferred.sort_by_key(|(at, _)| *at);
        let reasons: Vec<Option<RuledOut>> = self
            .deferred
            .iter()
            .map(|(at, own)| {
                let requires = &self.cases[*at].transcript.header.requires;
                requires.iter().find_map(|clause| {
                    let id = broken.case(clause, self.outcomes()).filter(|id| *id != own.id)?;
                    Some(RuledOut::by_clause(clause, &format!("which failed in {id}")))
                })
            })
            .collect();
        for ((at, outcome), reason) in std::mem::take(&mut self.deferred).into_iter().zip(reasons) {
            match reason {
                Some(reason) => self.rule_out(at, reason),
                None => self.set(at, outcome),
            }
        }
        broken.remember(self.outcomes.iter().flatten());
    }

    /// Gives their verdict to the cases that were not begun.
    pub(super) fn mark_unrun(&mut self, verdict: Verdict, reason: &str) {
        for (outcome, case) in self.outcomes.iter_mut().zip(&self.cases) {
            outcome.get_or_insert_with(|| without_run(case, verdict, Some(reason.to_owned())));
        }
    }

    /// Emits the outcomes that are next in the order of the cases.
    pub(super) fn emit(&mut self, emit: &mut (dyn FnMut(Event) + Send)) {
        while let Some(Some(outcome)) = self.outcomes.get_mut(self.emitted) {
            let evidence: Evidence = std::mem::take(&mut outcome.evidence);
            emit(Event::Judged(Box::new(Outcome { evidence, ..outcome.clone() })));
            self.emitted += 1;
        }
    }
}
