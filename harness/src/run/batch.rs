//! The cases at hand, and their outcomes until they are emitted.

use super::applicable::{RuledOut, is_playable};
use super::resting::{BrokenClauses, Root};
use super::running::SoFar;
use super::unrun::Unrun;
use crate::cases::Case;
use crate::conversation::facts::Facts;
use crate::verdict::outcome::without_run;
use dnode_reports::event::{Event, Evidence, Outcome, Verdict};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A number of cases that are run together.
pub(super) struct Batch {
    cases: Vec<Arc<Case>>,
    /// How many cases earlier batches had.
    before: usize,
    /// How many findings earlier batches had.
    found_before: usize,
    /// The cases were generated.
    generated: bool,
    /// The outcome of each case, if it has one; without evidence once it was emitted.
    outcomes: Vec<Option<Outcome>>,
    /// The verdict of each case that rests on a clause that the preflight saw broken. Such a case
    /// is run as well, because it may show something worse than a wrong answer.
    resting: BTreeMap<usize, RuledOut>,
    /// Outcomes of cases that rest on other clauses, until it is known whether those hold.
    deferred: Vec<(usize, Outcome)>,
    emitted: usize,
}

impl Batch {
    pub(super) fn new(cases: Vec<Arc<Case>>) -> Batch {
        let outcomes = vec![None; cases.len()];
        Batch {
            cases,
            before: 0,
            found_before: 0,
            generated: false,
            outcomes,
            resting: BTreeMap::new(),
            deferred: Vec::new(),
            emitted: 0,
        }
    }

    /// The next batch, of generated sessions.
    pub(super) fn followed_by(&self, sessions: Vec<Arc<Case>>) -> Batch {
        let (before, found_before) = (self.before + self.len(), self.so_far().findings);
        Batch { before, found_before, generated: true, ..Batch::new(sessions) }
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

    /// The cases that have no outcome yet and that only show harm if the peer answers no call.
    pub(super) fn only_show_harm(&self) -> Vec<usize> {
        let shows_harm = |&at: &usize| self.is_resting(at) || self.cases[at].transcript.header.hostile;
        (0..self.len()).filter(|&at| self.outcomes[at].is_none()).filter(shows_harm).collect()
    }

    pub(super) fn outcome(&self, at: usize) -> Option<&Outcome> {
        self.outcomes[at].as_ref()
    }

    /// All outcomes, deferred or not.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().flatten().chain(self.deferred.iter().map(|(_, outcome)| outcome))
    }

    /// How many cases of all batches so far have a verdict. A deferred finding does not count: it may
    /// become inconclusive.
    pub(super) fn so_far(&self) -> SoFar {
        let findings = self.outcomes.iter().flatten().filter(|outcome| outcome.verdict.is_finding()).count();
        SoFar { cases: self.before + self.outcomes().count(), findings: self.found_before + findings }
    }

    /// Gives a case its outcome.
    pub(super) fn set(&mut self, at: usize, outcome: Outcome) {
        self.outcomes[at] = Some(outcome);
    }

    /// Whether this case rests on a clause that the preflight saw broken.
    pub(super) fn is_resting(&self, at: usize) -> bool {
        self.resting.contains_key(&at)
    }

    /// What this outcome means. `harmed`: the peer crashed, or it no longer serves. That counts
    /// whatever the case rests on.
    pub(super) fn weigh(&self, at: usize, outcome: Outcome, harmed: bool) -> Outcome {
        match self.resting.get(&at).filter(|_| !harmed) {
            Some(ruled_out) => ruled_out.clone().outcome(&self.cases[at]),
            None => outcome,
        }
    }

    /// Gives a case its outcome, which waits for those of other cases if it is not a pass and rests
    /// on their clauses. `harmed`: see [`Batch::weigh`].
    pub(super) fn conclude(&mut self, at: usize, outcome: Outcome, harmed: bool) {
        let rests = !self.cases[at].transcript.header.requires.is_empty() && !self.is_resting(at);
        if rests && outcome.verdict != Verdict::Pass && !harmed {
            self.deferred.push((at, outcome));
        } else {
            self.set(at, outcome);
        }
    }

    /// Rules out a case, or makes it one that only shows harm.
    pub(super) fn rule_out(&mut self, at: usize, ruled_out: RuledOut, facts: &Facts) {
        if ruled_out.rests_on.is_some() && is_playable(&self.cases[at], facts) {
            self.resting.insert(at, ruled_out);
        } else {
            self.set(at, ruled_out.outcome(&self.cases[at]));
        }
    }

    /// Gives the deferred cases their verdicts: a case is inconclusive if a clause that it rests on
    /// was broken in another case.
    pub(super) fn release(&mut self, broken: &mut BrokenClauses) {
        let mut deferred = std::mem::take(&mut self.deferred);
        deferred.sort_by_key(|(at, _)| *at);
        let outcomes = || self.outcomes.iter().flatten().chain(deferred.iter().map(|(_, outcome)| outcome));
        let roots: BTreeMap<String, Root> = deferred
            .iter()
            .filter_map(|(at, own)| {
                let requires = &self.cases[*at].transcript.header.requires;
                let root = requires.iter().find_map(|clause| broken.root(clause, &own.id, outcomes()))?;
                Some((own.id.clone(), root))
            })
            .collect();
        for (at, outcome) in deferred {
            match Root::first(&roots, &outcome.id) {
                Some(root) => self.set(at, RuledOut::by_root(root).outcome(&self.cases[at])),
                None => self.set(at, outcome),
            }
        }
        broken.remember(self.outcomes.iter().flatten());
    }

    /// Gives their verdict to the cases that were not begun. Returns whether there were any.
    pub(super) fn mark_unrun(&mut self, why: Unrun) -> bool {
        let unrun = self.outcomes.iter().any(Option::is_none);
        for (outcome, case) in self.outcomes.iter_mut().zip(&self.cases) {
            outcome.get_or_insert_with(|| without_run(case, why.verdict(), Some(why.reason().to_owned())));
        }
        unrun
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

#[cfg(test)]
mod tests {
    use super::super::applicable::ruled_out;
    use super::*;
    use crate::cases::all;

    #[test]
    fn a_case_that_rests_on_the_preflight_shows_only_harm() {
        let case = all().unwrap().into_iter().find(|case| case.id() == "robust/reset-at-once").unwrap();
        let mut facts = Facts::of_client();
        facts.missing.insert("methods/sent");
        let mut batch = Batch::new(vec![Arc::new(case)]);
        batch.rule_out(0, ruled_out(batch.case(0), &facts).unwrap(), &facts);
        assert!(batch.is_resting(0) && batch.outcome(0).is_none(), "it is run");
        for verdict in [Verdict::Pass, Verdict::Fail, Verdict::Hang, Verdict::Crash] {
            let outcome = || without_run(batch.case(0), verdict, None);
            let harmless = batch.weigh(0, outcome(), false);
            assert_eq!(harmless.verdict, Verdict::Inconclusive);
            assert_eq!(harmless.rests_on.as_deref(), Some("methods/sent"));
            assert_eq!(batch.weigh(0, outcome(), true).verdict, verdict);
        }
    }

    #[test]
    fn a_deferred_finding_is_a_verdict_but_no_finding_yet() {
        let cases = all().unwrap().into_iter();
        let (resting, free): (Vec<_>, Vec<_>) =
            cases.map(Arc::new).partition(|case| !case.transcript.header.requires.is_empty());
        let mut batch = Batch::new(vec![Arc::clone(&free[0]), Arc::clone(&resting[0])]);
        let fail = |batch: &Batch, at| without_run(batch.case(at), Verdict::Fail, None);
        batch.conclude(1, fail(&batch, 1), false);
        assert_eq!(batch.so_far(), SoFar { cases: 1, findings: 0 });
        batch.conclude(0, fail(&batch, 0), false);
        assert_eq!(batch.so_far(), SoFar { cases: 2, findings: 1 });
        assert_eq!(batch.followed_by(Vec::new()).so_far(), SoFar { cases: 2, findings: 1 });
    }
}
