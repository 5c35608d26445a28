//! Examines suspicions: repeats each suspect in isolation on a fresh peer, and reports the symptoms
//! as findings.

use super::state::Lane;
use crate::campaign::backlog::Work;
use crate::campaign::confirm::{CONFIRMATIONS, Shortest};
use crate::campaign::fair::is_fair;
use crate::campaign::input::Input;
use crate::campaign::oracle::{Identity, Oracle, is_amplified, last_words};
use crate::campaign::source::Job;
use crate::campaign::suspicion::{Confirmed, Played, Reproduced, Shown, Suspicion, Unshrunk};
use crate::campaign::symptom::Symptom;
use crate::campaign::visit::{Visit, visit};
use crate::cases::Case;
use crate::shrink::{Sought, shrink};
use dnode_reports::event::{Death, Kind};

/// A transcript of this many bytes is long.
const LONG: usize = 4096;

impl Lane<'_> {
    /// Examines the next suspicion, or shrinks the next finding. Returns whether there was one.
    pub(super) async fn examine_next(&mut self) -> bool {
        match self.campaign.take_work() {
            Some(Work::Examine(suspicion)) => self.examine(suspicion).await,
            Some(Work::Shrink(unshrunk)) => self.shrink(*unshrunk).await,
            None => return false,
        }
        true
    }

    /// Examines a suspicion.
    pub(super) async fn examine(&mut self, suspicion: Suspicion) {
        self.repeat_suspects(&suspicion).await;
        self.campaign.finish(&suspicion.key);
    }

    /// Repeats the suspects until one of them shows a symptom.
    async fn repeat_suspects(&mut self, suspicion: &Suspicion) {
        let Suspicion { suspects, death, .. } = suspicion;
        for suspect in suspects {
            if self.repeat(suspicion, suspect).await {
                return;
            }
        }
        if let (Some(last), Some(_)) = (suspects.last(), &death) {
            let why = "none of the last sessions does it by itself";
            self.report_unconfirmed(last, death.clone(), why, (0, CONFIRMATIONS));
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
        let Some(case) = self.campaign.case(&Job::Input(input.clone())) else { return };
        let actual = format!("{} bytes in {:?}, for {} bytes", first.received, first.took, first.sent);
        let symptom = Symptom {
            wire: first.wire.clone(),
            ..Symptom::new(identity, None, "an answer in proportion to what was sent", &actual)
        };
        let seen = self.campaign.clock();
        let shown = Shown { transcript: case.text, input: Some(input.clone()), seen, source };
        self.report(symptom, shown, (CONFIRMATIONS, CONFIRMATIONS));
    }

    /// Reports a death that could not be reproduced. `why` is part of the identity of the finding:
    /// its bytes must not change.
    pub(super) fn report_unconfirmed(
        &self,
        last: &Played,
        death: Option<Death>,
        why: &str,
        confirmed: Confirmed,
    ) {
        let Some(case) = self.campaign.case(&last.job) else { return };
        let words = death.as_ref().and_then(last_words);
        let what = words.unwrap_or_else(|| format!("an end that was not repeated: {why}"));
        let class = death.as_ref().map_or_else(|| "refuses".to_owned(), |death| death.status.to_string());
        let identity = Identity::new(Oracle::Died, "robust/survives", &what, &class);
        let actual = format!("it ended, and {why}; the transcript is the last session before that");
        let symptom = Symptom { death, ..Symptom::new(identity, None, "the peer goes on serving", &actual) };
        let shown =
            Shown { transcript: case.text, input: None, seen: self.campaign.clock(), source: last.source };
        self.report(symptom, shown, confirmed);
    }

    /// Repeats a session in isolation, and settles new symptoms. Returns whether it showed a
    /// symptom.
    async fn repeat(&mut self, suspicion: &Suspicion, suspect: &Played) -> bool {
        let Some(case) = self.campaign.case(&suspect.job) else { return false };
        let input = match &suspect.job {
            Job::Input(input) => Some(input.clone()),
            Job::Case(case) => Input::of(&case.transcript, &self.campaign.methods),
        };
        let operation = input.map_or_else(|| case.id().to_owned(), |input| self.operation(&input));
        self.canary = None;
        // An earlier session may have harmed this peer.
        self.confirmer.discard_peer().await;
        let symptoms = self.confirmer.symptoms(&case, &operation, self.campaign.patience, true).await;
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
            let resumed = suspicion.resumes.as_ref() == Some(&symptom.identity);
            if resumed || !self.knows(&symptom.identity) {
                self.settle(suspicion, suspect, &case, &operation, symptom).await;
            }
        }
        any
    }

    /// Confirms a symptom. If it is not reproduced, it is reported as such, or else shrunk later.
    async fn settle(
        &mut self,
        suspicion: &Suspicion,
        suspect: &Played,
        case: &Case,
        operation: &str,
        symptom: Symptom,
    ) {
        let input = match &suspect.job {
            Job::Input(input) => Some(input.clone()),
            Job::Case(_) => None,
        };
        let seen = self.campaign.clock();
        let shown = Shown { transcript: case.text.clone(), input, seen, source: suspect.source };
        let (count, again) = self.confirmer.confirm(case, &symptom, operation).await;
        let symptom = again.unwrap_or(symptom);
        if count == 0 {
            return self.report(symptom, shown, (0, CONFIRMATIONS));
        }
        let whole = Reproduced { symptom, shown, confirmed: (count, CONFIRMATIONS) };
        let unshrunk = Unshrunk { whole, case: case.clone(), resumes: suspicion.resumes.clone(), hint: None };
        // A finding of an earlier campaign has waited long enough.
        match unshrunk.resumes {
            Some(_) => self.shrink(unshrunk).await,
            None => self.campaign.hold(unshrunk),
        }
    }

    /// Shrinks the session of a confirmed symptom, confirms it again, and reports it.
    pub(super) async fn shrink(&mut self, unshrunk: Unshrunk) {
        let Unshrunk { whole, case, resumes, hint } = unshrunk;
        let first = whole.symptom.identity.clone();
        self.canary = None;
        self.confirmer.discard_peer().await;
        let shorter = self.shorten(&case, &whole, hint).await;
        if self.confirmer.slot.is_empty() {
            self.history.clear();
        }
        // A shorter session that reproduces the finding less often is worse.
        let mut best = shorter.filter(|shorter| shorter.confirmed.0 >= whole.confirmed.0).unwrap_or(whole);
        self.campaign.release(&first, &best.symptom.identity);
        let again = resumes.is_some();
        best.symptom.identity = resumes.unwrap_or(best.symptom.identity);
        self.campaign.report(best.finding(true), again);
    }

    /// Shrinks a session, as an input if it can be one, and confirms it. `hint`: an input that may
    /// show the same symptom.
    async fn shorten(&mut self, case: &Case, whole: &Reproduced, hint: Option<Input>) -> Option<Reproduced> {
        let is_smaller = |hint: &Input| whole.shown.input.as_ref().is_none_or(|own| hint.size() < own.size());
        let hint = self.only_if_shows(hint.filter(is_smaller), &whole.symptom).await;
        let input = match hint.or_else(|| whole.shown.input.clone()) {
            Some(input) => Some(input),
            None => self.only_if_shows(self.as_input(case), &whole.symptom).await,
        };
        match input {
            Some(input) => self.shorten_input(input, whole).await,
            None => self.shorten_case(case, whole).await,
        }
    }

    /// Converts the case to an input, if that makes it no longer: one value of a transcript may stand
    /// for a long line.
    fn as_input(&self, case: &Case) -> Option<Input> {
        let input = Input::of(&case.transcript, &self.campaign.methods)?;
        let text = input.case("campaign/candidate", &self.campaign.methods, &self.campaign.facts)?.text;
        (text.len() <= case.text.len().max(LONG)).then_some(input)
    }

    /// The input, if it may be played and shows this symptom.
    async fn only_if_shows(&mut self, input: Option<Input>, wanted: &Symptom) -> Option<Input> {
        let input = input.filter(|input| is_fair(input, &self.campaign.methods))?;
        let symptoms =
            self.confirmer.symptoms_of(&input, wanted.identity.oracle, self.campaign.patience).await;
        symptoms.iter().any(|symptom| symptom.is_like(wanted)).then_some(input)
    }

    async fn shorten_input(&mut self, input: Input, whole: &Reproduced) -> Option<Reproduced> {
        let wanted = &whole.symptom;
        let Shortest { input: shortest, others } = self.confirmer.shrink(input, wanted).await;
        others.into_iter().for_each(|(input, symptom)| self.use_other(input, symptom));
        let operation = self.operation(&shortest);
        let case = shortest.case("campaign/finding", &self.campaign.methods, &self.campaign.facts)?;
        let (count, again) = self.confirmer.confirm(&case, wanted, &operation).await;
        let shown = Shown { transcript: case.text, input: Some(shortest), ..whole.shown.clone() };
        Some(Reproduced { symptom: again?, shown, confirmed: (count, CONFIRMATIONS) })
    }

    /// Uses an input that shrinking has found: it ended the process in another way. This is a new
    /// suspicion, or a shorter session of a finding that waits.
    fn use_other(&self, input: Input, symptom: Symptom) {
        if self.knows(&symptom.identity) {
            self.campaign.offer(&symptom.identity, input);
        } else {
            let played = Played { job: Job::Input(input), source: "shrinking", ended_well: false };
            self.suspect(vec![played], symptom.death, false);
        }
    }

    async fn shorten_case(&mut self, case: &Case, whole: &Reproduced) -> Option<Reproduced> {
        let symptom = &whole.symptom;
        let clause = symptom.identity.clause.clone();
        let sought = match symptom.kind {
            Some(Kind::Died) => Sought::Ended(symptom.crash.clone()),
            Some(kind) => Sought::Difference(clause, kind),
            None => Sought::Broken(clause),
        };
        let (target, command) = (&self.campaign.options.target, &self.campaign.options.command);
        let (facts, patience) = (&self.campaign.facts, self.campaign.patience);
        let shrunk = shrink(case, sought, target, facts, patience, command).await?;
        let symptom = Symptom { wire: shrunk.outcome.evidence.wire, ..symptom.clone() };
        let shown = Shown { transcript: shrunk.case.text, input: None, ..whole.shown.clone() };
        Some(Reproduced { symptom, shown, confirmed: (shrunk.confirmed, CONFIRMATIONS) })
    }
}
