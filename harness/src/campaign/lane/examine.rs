//! Examines suspicions: repeats each suspect in isolation on a fresh peer, and reports the symptoms
//! as findings.

use super::state::{Confirmed, Lane};
use crate::campaign::confirm::CONFIRMATIONS;
use crate::campaign::fair::is_fair;
use crate::campaign::input::Input;
use crate::campaign::oracle::{Identity, Oracle, is_amplified, last_words};
use crate::campaign::source::Job;
use crate::campaign::suspicion::{Played, Suspicion};
use crate::campaign::symptom::Symptom;
use crate::campaign::visit::{Visit, visit};
use crate::cases::Case;
use crate::shrink::shrink;
use dnode_reports::event::{Death, Divergence};

impl Lane<'_> {
    /// Repeats the suspects until one of them shows a symptom.
    pub(super) async fn examine(&mut self, suspicion: Suspicion) {
        let Suspicion { suspects, death } = suspicion;
        for suspect in &suspects {
            if self.campaign.is_interrupted() || self.repeat(&suspect.job, suspect.source).await {
                return;
            }
        }
        if let (Some(last), Some(_)) = (suspects.last(), &death) {
            self.report_unconfirmed(last, death, "none of the last sessions does it by itself");
        } else if let [Played { job: Job::Input(input), source, .. }] = suspects.as_slice() {
            self.check_pace(input, source).await;
        }
    }

    /// Plays an input whose answer was late, and correct when repeated, with the deadline
    /// of a case: it may be slow.
    async fn check_pace(&mut self, input: &Input, source: &'static str) {
        if !self.confirmer.ready().await {
            return;
        }
        let campaign = self.campaign;
        let Some(route) = self.confirmer.slot.route() else { return };
        let visit = visit(&route, input, &campaign.methods, &campaign.facts, campaign.patience).await;
        if visit.ending.is_ok() {
            self.measure(input, source, &visit).await;
        }
    }

    /// Warns if an answer is slow, or far larger than the input.
    pub(super) async fn measure(&mut self, input: &Input, source: &'static str, first: &Visit) {
        let slow = self.pace.is_slow(first.took);
        if !slow {
            self.pace.add(first.took);
        }
        let oracle = match (slow, is_amplified(first.sent, first.received)) {
            (_, true) => Oracle::Amplified,
            (true, _) => Oracle::Slow,
            _ => return,
        };
        let identity = Identity::new(oracle, "robust/bounded", &self.operation(input), oracle.word());
        if self.knows(&identity) {
            return;
        }
        for _ in 0..CONFIRMATIONS {
            let campaign = self.campaign;
            let Some(route) = self.confirmer.slot.route() else { return };
            let again = visit(&route, input, &campaign.methods, &campaign.facts, campaign.patience).await;
            let confirmed = match oracle {
                Oracle::Slow => self.pace.is_slow(again.took),
                _ => is_amplified(again.sent, again.received),
            };
            if !confirmed {
                return;
            }
        }
        let Some(case) = self.case(&Job::Input(input.clone())) else { return };
        let actual = format!("{} bytes in {:?}, for {} bytes", first.received, first.took, first.sent);
        let symptom = Symptom {
            wire: first.wire.clone(),
            ..Symptom::new(identity, None, "an answer in proportion to what was sent", &actual)
        };
        self.report(symptom, case.text, Some(input.clone()), (CONFIRMATIONS, CONFIRMATIONS), source);
    }

    /// Reports a death that could not be reproduced. `why` is part of the identity of the finding:
    /// its bytes must not change.
    pub(super) fn report_unconfirmed(&self, last: &Played, death: Option<Death>, why: &str) {
        let Some(case) = self.case(&last.job) else { return };
        let words = death.as_ref().and_then(|death| last_words(&death.stderr));
        let what = words.unwrap_or_else(|| format!("an end that was not repeated: {why}"));
        let class = death.as_ref().map_or_else(|| "refuses".to_owned(), |death| death.status.to_string());
        let identity = Identity::new(Oracle::Died, "robust/survives", &what, &class);
        let actual = format!("it ended, and {why}; the transcript is the last session before that");
        let symptom = Symptom { death, ..Symptom::new(identity, None, "the peer goes on serving", &actual) };
        self.report(symptom, case.text, None, (0, CONFIRMATIONS), last.source);
    }

    /// Repeats a session in isolation, and reports new symptoms as findings. Returns whether it
    /// showed a symptom.
    async fn repeat(&mut self, job: &Job, source: &'static str) -> bool {
        let Some(case) = self.case(job) else { return false };
        let input = match job {
            Job::Input(input) => Some(input.clone()),
            Job::Case(case) => Input::of(&case.transcript, &self.campaign.methods),
        };
        let operation = input.map_or_else(|| case.id().to_owned(), |input| self.operation(&input));
        self.canary = None;
        // An earlier session may have harmed this peer.
        self.confirmer.discard_peer().await;
        let symptoms = self.confirmer.symptoms(&case, &operation, self.campaign.patience).await;
        if self.confirmer.slot.is_empty() {
            self.history.clear();
        }
        let any = !symptoms.is_empty();
        for symptom in symptoms {
            if symptom.identity.oracle != Oracle::Clause
                && let Some(input) = Input::of(&case.transcript, &self.campaign.methods)
            {
                self.campaign.harmed(self.operations(&input));
            }
            if !self.knows(&symptom.identity) {
                self.settle(job, &case, &operation, symptom, source).await;
            }
        }
        any
    }

    /// Reports a symptom, then confirms and shrinks it, and reports it again.
    async fn settle(
        &mut self,
        job: &Job,
        case: &Case,
        operation: &str,
        symptom: Symptom,
        source: &'static str,
    ) {
        let identity = symptom.identity.clone();
        let input = match job {
            Job::Input(input) => Some(input.clone()),
            Job::Case(_) => None,
        };
        // Report it at once, so that the end of the campaign does not lose it. If it cannot be
        // confirmed, it is withdrawn.
        self.report(symptom.clone(), case.text.clone(), input.clone(), (1, 1), source);
        if self.campaign.is_interrupted() {
            return;
        }
        let input = match input {
            Some(input) => Some(input),
            None => self.as_input(case, &identity).await,
        };
        match input {
            Some(input) => self.settle_input(input, symptom, source).await,
            None if source != "a seed" && self.settle_case(case, &symptom, source).await => {}
            None => {
                let (count, tried, again) = self.confirmer.confirm(case, &identity, operation).await;
                self.conclude(again.unwrap_or(symptom), case.text.clone(), None, (count, tried), source);
            }
        }
    }

    /// Reports how often a symptom was confirmed. Withdraws a finding that was never confirmed,
    /// unless a process died.
    fn conclude(
        &self,
        symptom: Symptom,
        transcript: String,
        input: Option<Input>,
        confirmed: Confirmed,
        source: &str,
    ) {
        if confirmed.0 == 0 && symptom.identity.oracle != Oracle::Died {
            return self.campaign.forget(&symptom.identity);
        }
        self.report(symptom, transcript, input, confirmed, source);
    }

    /// Converts the case to an input, if the input shows the same symptom.
    async fn as_input(&mut self, case: &Case, wanted: &Identity) -> Option<Input> {
        let input = Input::of(&case.transcript, &self.campaign.methods)?;
        if !is_fair(&input, &self.campaign.methods) {
            return None;
        }
        let candidate = input.case("campaign/candidate", &self.campaign.methods, &self.campaign.facts)?;
        let operation = self.operation(&input);
        let symptoms = self.confirmer.symptoms(&candidate, &operation, self.campaign.patience).await;
        symptoms.iter().any(|symptom| symptom.identity.is_like(wanted)).then_some(input)
    }

    /// Shrinks and confirms a symptom of an input.
    async fn settle_input(&mut self, input: Input, symptom: Symptom, source: &'static str) {
        let before = symptom.identity.clone();
        let shortest = self.confirmer.shrink(input, &before).await;
        let operation = self.operation(&shortest);
        let case = shortest.case("campaign/finding", &self.campaign.methods, &self.campaign.facts);
        let Some(case) = case else { return };
        let (count, tried, again) = self.confirmer.confirm(&case, &before, &operation).await;
        let again = again.unwrap_or(symptom);
        if again.identity != before {
            self.campaign.forget(&before);
            if self.knows(&again.identity) {
                return;
            }
        }
        self.conclude(again, case.text, Some(shortest), (count, tried), source);
    }

    /// Shrinks and confirms a symptom of a generated session that cannot be an input. Returns
    /// whether it was reproduced.
    async fn settle_case(&mut self, case: &Case, symptom: &Symptom, source: &'static str) -> bool {
        let options = &self.campaign.options;
        let Some(kind) = symptom.kind else { return false };
        let found = Divergence {
            step: String::new(),
            clause: symptom.identity.clause.clone(),
            kind,
            path: String::new(),
            expected: symptom.expected.clone(),
            actual: symptom.actual.clone(),
            fingerprint: String::new(),
        };
        let (facts, patience) = (&self.campaign.facts, self.campaign.patience);
        let shrunk = shrink(case, &found, &options.target, facts, patience, &options.command).await;
        let Some(shrunk) = shrunk else { return false };
        let symptom = Symptom { wire: shrunk.outcome.evidence.wire, ..symptom.clone() };
        self.report(symptom, shrunk.case.text, None, (shrunk.confirmed, CONFIRMATIONS), source);
        true
    }
}
