//! How a lane looks into suspicions: plays the suspects again, each by itself on a fresh peer, and makes findings of what shows.

use super::super::CONFIRMATIONS;
use super::super::confirm::{Shown, is_like, name};
use super::super::finding::Finding;
use super::super::input::Input;
use super::super::oracle::{Identity, Oracle, last_words};
use super::super::source::Job;
use super::super::visit::visit;
use super::{Lane, Played, Suspicion};
use crate::cases::Case;
use crate::shrink::shrink;
use dnode_reports::event::{Death, Divergence};

impl Lane<'_> {
    /// Plays the suspects again until one of them shows something.
    pub(super) async fn look_into(&mut self, suspicion: Suspicion) {
        let Suspicion { suspects, death } = suspicion;
        for suspect in &suspects {
            if self.campaign.is_interrupted() || self.examine(&suspect.job, suspect.source).await {
                return;
            }
        }
        if let (Some(last), Some(_)) = (suspects.last(), &death) {
            self.unconfirmed(last, death, "none of the last sessions does it by itself");
        } else if let [Played { job: Job::Input(input), source, .. }] = suspects.as_slice() {
            self.time(input, source).await;
        }
    }

    /// What was late and is right may be slow: plays it with all patience.
    async fn time(&mut self, input: &Input, source: &'static str) {
        if !self.bench.ready().await {
            return;
        }
        let campaign = self.campaign;
        let patience = campaign.patience * 3;
        let Some(route) = self.bench.slot.route() else { return };
        let seen = visit(&route, input, &campaign.methods, &campaign.facts, patience).await;
        if seen.ending.is_ok() {
            self.measure(input, source, &seen).await;
        }
    }

    /// Writes down an end that could not be shown again.
    pub(super) fn unconfirmed(&self, last: &Played, death: Option<Death>, why: &str) {
        let Some(case) = self.case(&last.job) else { return };
        let words = death.as_ref().and_then(|death| last_words(&death.stderr));
        let identity = Identity {
            oracle: Oracle::Died,
            clause: "robust/survives".to_owned(),
            what: words.unwrap_or_else(|| format!("an end that was not repeated: {why}")),
            class: death.as_ref().map_or_else(|| "refuses".to_owned(), |death| death.status.to_string()),
        };
        let shown = Shown {
            kind: None,
            identity,
            expected: "the peer goes on serving".to_owned(),
            came: format!("it ended, and {why}; the transcript is the last session before that"),
            wire: Vec::new(),
            death,
        };
        self.tell(shown, case.text, None, (0, CONFIRMATIONS), last.source);
    }

    /// The job as a case.
    pub(super) fn case(&self, job: &Job) -> Option<Case> {
        match job {
            Job::Case(case) => Some((**case).clone()),
            Job::Input(input) => input.case("campaign/input", &self.campaign.methods, &self.campaign.facts),
        }
    }

    /// Plays a session again by itself; whether it shows something. What is new becomes a finding.
    async fn examine(&mut self, job: &Job, source: &'static str) -> bool {
        let (case, what) = match job {
            Job::Input(input) => (self.case(job), name(input, &self.campaign.methods)),
            Job::Case(case) => {
                let input = Input::of(&case.transcript, &self.campaign.methods);
                (
                    self.case(job),
                    input.map_or_else(|| case.id().to_owned(), |it| name(&it, &self.campaign.methods)),
                )
            }
        };
        let Some(case) = case else { return false };
        self.canary = None;
        // It may be the fault of what came before.
        self.bench.refresh().await;
        let shown = self.bench.show(&case, &what, self.campaign.patience).await;
        if self.bench.slot.is_empty() {
            self.history.clear();
        }
        let any = !shown.is_empty();
        for shown in shown {
            if shown.identity.oracle != Oracle::Clause {
                self.campaign.harmed(
                    Input::of(&case.transcript, &self.campaign.methods)
                        .iter()
                        .flat_map(|it| self.operations(it)),
                );
            }
            if !self.campaign.knows(|known| *known == shown.identity) {
                self.settle(job, &case, &what, shown, source).await;
            }
        }
        any
    }

    /// Confirms, writes down, shrinks, and writes down again.
    async fn settle(&mut self, job: &Job, case: &Case, what: &str, shown: Shown, source: &'static str) {
        let (sessions, known) = ((1, 1), shown.identity.clone());
        let whole = match job {
            Job::Input(input) => Some(input.clone()),
            Job::Case(_) => None,
        };
        // At once, so that no end of the campaign loses it; what does not hold is taken back.
        self.tell(shown.clone(), case.text.clone(), whole.clone(), sessions, source);
        if self.campaign.is_interrupted() {
            return;
        }
        let input = match whole {
            Some(input) => Some(input),
            None => self.as_input(case, &known).await,
        };
        match input {
            Some(input) => self.settle_input(input, shown, source).await,
            None if source != "a seed" && self.settle_case(case, &shown, source).await => {}
            None => {
                let (count, tried, again) = self.bench.count(case, &known, what).await;
                self.hold(again.unwrap_or(shown), case.text.clone(), None, (count, tried), source);
            }
        }
    }

    /// Writes down how often a finding showed; one that did not show again was none, but for a process that ended.
    fn hold(
        &self,
        shown: Shown,
        transcript: String,
        input: Option<Input>,
        confirmed: (usize, usize),
        source: &str,
    ) {
        if confirmed.0 == 0 && shown.identity.oracle != Oracle::Died {
            return self.campaign.forget(&shown.identity);
        }
        self.tell(shown, transcript, input, confirmed, source);
    }

    /// The case as an input, where that shows the same.
    async fn as_input(&mut self, case: &Case, wanted: &Identity) -> Option<Input> {
        let input = Input::of(&case.transcript, &self.campaign.methods)?;
        if !input.keeps_methods() {
            return None;
        }
        let candidate = input.case("campaign/candidate", &self.campaign.methods, &self.campaign.facts)?;
        let what = name(&input, &self.campaign.methods);
        let shown = self.bench.show(&candidate, &what, self.campaign.patience).await;
        shown.iter().any(|shown| is_like(&shown.identity, wanted)).then_some(input)
    }

    async fn settle_input(&mut self, input: Input, shown: Shown, source: &'static str) {
        let before = shown.identity.clone();
        let least = self.bench.shrink(input, &before).await;
        let what = name(&least, &self.campaign.methods);
        let Some(case) = least.case("campaign/finding", &self.campaign.methods, &self.campaign.facts) else {
            return;
        };
        let (count, tried, again) = self.bench.count(&case, &before, &what).await;
        let again = again.unwrap_or(shown);
        if again.identity != before {
            self.campaign.forget(&before);
            if self.campaign.knows(|known| *known == again.identity) {
                return;
            }
        }
        self.hold(again, case.text, Some(least), (count, tried), source);
    }

    /// A session of the model's that no input can say: its steps are shrunk.
    async fn settle_case(&mut self, case: &Case, shown: &Shown, source: &'static str) -> bool {
        let options = &self.campaign.options;
        let Identity { clause, .. } = &shown.identity;
        let Some(kind) = shown.kind else { return false };
        let found = Divergence {
            step: String::new(),
            clause: clause.clone(),
            kind,
            path: String::new(),
            expected: shown.expected.clone(),
            actual: shown.came.clone(),
            fingerprint: String::new(),
        };
        let patience = self.campaign.patience;
        let shrunk =
            shrink(case, &found, &options.target, &self.campaign.facts, patience, &options.command).await;
        let found = shrunk.is_some();
        if let Some(shrunk) = shrunk {
            let wire = shrunk.outcome.evidence.wire;
            let shown = Shown { wire, ..shown.clone() };
            self.tell(shown, shrunk.case.text, None, (shrunk.confirmed, CONFIRMATIONS), source);
        }
        found
    }

    pub(super) fn tell(
        &self,
        shown: Shown,
        transcript: String,
        input: Option<Input>,
        confirmed: (usize, usize),
        source: &str,
    ) {
        let (sessions, after) = self.campaign.clock();
        let Shown { identity, expected, came, wire, death, .. } = shown;
        let source = source.to_owned();
        self.campaign.found(Finding {
            identity,
            confirmed,
            expected,
            came,
            transcript,
            input,
            wire,
            death,
            sessions,
            after,
            source,
        });
    }
}
