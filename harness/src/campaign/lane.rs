//! A lane of a campaign: a peer that it has to itself, and one session after another on it.
//!
//! Because one session at a time runs there, what harms the peer is the last one, or one of the few before it. The peer is started again only
//! where it died, does not answer, has grown, or has shown something.

use super::confirm::{Canary, Confirmer, Shown, is_like, name};
use super::finding::Finding;
use super::input::{End, Input};
use super::operation::operation;
use super::oracle::{Identity, Oracle, Pace, is_amplified, last_words, memory};
use super::source::{Job, end_word};
use super::visit::{Ending, Visit, visit};
use super::{CONFIRMATIONS, Campaign};
use crate::cases::{Case, level};
use crate::peer::Health;
use crate::replay::{Cause, Diverged, Judged, replay};
use crate::shrink::shrink;
use crate::transport::Address;
use dnode_reports::event::{Death, Divergence};
use fastrand::Rng;
use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How many sessions are kept to be blamed for what shows later.
const HISTORY: usize = 48;
/// How many of them are tried for an end that the last one does not explain.
const BLAMED: usize = 12;
/// Between two questions to the canary, and between two looks at the memory, in sessions.
const CANARY: u64 = 64;
const MEMORY: u64 = 256;
/// How long a process that broke its connection may take to end.
const ENDING: Duration = Duration::from_millis(300);
/// How far above where it was the memory of a peer may be.
const GROWN: u64 = 512 << 20;

/// What was played, and whether the connection ended as it should.
#[derive(Debug, Clone)]
struct Played {
    job: Job,
    source: &'static str,
    well: bool,
}

/// See the module.
pub(super) struct Lane<'a> {
    campaign: &'a Campaign,
    bench: Confirmer<'a>,
    rng: Rng,
    canary: Option<Canary>,
    history: VecDeque<Played>,
    pace: Pace,
    sessions: u64,
    /// The memory of the peer when it was young.
    young: Option<u64>,
}

impl<'a> Lane<'a> {
    pub(super) fn new(campaign: &'a Campaign, number: u64) -> Lane<'a> {
        let options = &campaign.options;
        let bench = Confirmer {
            peer: None,
            target: &options.target,
            facts: &campaign.facts,
            methods: &campaign.methods,
            patience: campaign.patience,
            gate: options.gate,
            stop: &options.interrupted,
        };
        let rng = Rng::with_seed(
            options.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (number << 32) ^ options.shard.0,
        );
        Lane {
            campaign,
            bench,
            rng,
            canary: None,
            history: VecDeque::new(),
            pace: Pace::default(),
            sessions: 0,
            young: None,
        }
    }

    /// Plays sessions until the campaign ends.
    pub(super) async fn run(&mut self) {
        while !self.campaign.is_over() {
            if self.bench.peer.is_none() {
                self.canary = None;
                self.history.clear();
                self.young = None;
                if !self.bench.ready().await {
                    self.campaign.give_up("the peer cannot be started again");
                    return;
                }
            }
            let (job, source) = self.campaign.next(&mut self.rng);
            self.sessions += 1;
            match &job {
                Job::Input(input) => self.play_input(input, source).await,
                Job::Case(case) => self.play_case(case, source).await,
            }
            if self.sessions.is_multiple_of(CANARY) {
                self.listen().await;
            }
            if self.sessions.is_multiple_of(MEMORY) {
                self.weigh().await;
            }
        }
        if let Some(peer) = self.bench.peer.take() {
            peer.stop().await;
        }
    }

    fn address(&self) -> Address {
        self.bench.peer.as_ref().map(|peer| peer.address().clone()).unwrap_or_default()
    }

    async fn play_input(&mut self, input: &Input, source: &'static str) {
        let facts = &self.campaign.facts;
        let patience = (facts.round_trip * 30).clamp(Duration::from_millis(60), self.campaign.patience);
        let seen = visit(&self.address(), input, &self.campaign.methods, facts, patience).await;
        let played = Played { job: Job::Input(input.clone()), source, well: seen.ending == Ending::Answered };
        if seen.ending == Ending::NotServed {
            return self.blame().await;
        }
        self.campaign.played(Some(input), &seen.wire, seen.ending);
        self.remember(played);
        let gate = self.campaign.options.gate;
        let new_clause = seen.broken.keys().any(|clause| level(clause) <= gate && !self.is_broken(clause));
        let suspicious = matches!(seen.ending, Ending::Late | Ending::Flood);
        if suspicious && self.is_known(input, Oracle::Deaf) {
            self.campaign.harmed(self.operations(input));
        } else if suspicious || new_clause {
            if suspicious {
                self.campaign.harmed(self.operations(input));
            }
            self.examine(&Job::Input(input.clone()), source).await;
        } else {
            if seen.ending == Ending::Answered {
                self.campaign.unharmed(self.operations(input));
            }
            self.measure(input, source, &seen).await;
        }
    }

    async fn play_case(&mut self, case: &Case, source: &'static str) {
        let facts = &self.campaign.facts;
        if case.ruled_out(facts).is_some() {
            return;
        }
        let seen = replay(case, &self.address(), facts, self.campaign.patience).await;
        if seen.lines == 0 && matches!(seen.judged, Judged::Diverged(_)) && !self.history.is_empty() {
            return self.blame().await;
        }
        let diverged = matches!(seen.judged, Judged::Diverged(_));
        let known = match &seen.judged {
            Judged::Diverged(found) => self.is_seen(case, found).await,
            _ => false,
        };
        let gate = self.campaign.options.gate;
        let broken = seen.broken.keys().any(|clause| level(clause) <= gate && !self.is_broken(clause));
        self.campaign.played(None, &seen.log.into_entries(), diverged);
        let job = Job::Case(Box::new(case.clone()));
        self.remember(Played {
            job: job.clone(),
            source,
            well: !diverged && !case.transcript.header.hostile,
        });
        if known && self.bench.peer.is_none() {
            self.history.clear();
        } else if diverged && !known || broken {
            self.examine(&job, source).await;
        }
    }

    /// Whether a session just ended as a known finding does. A peer that was harmed so is started again.
    async fn is_seen(&mut self, case: &Case, found: &Diverged) -> bool {
        let campaign = self.campaign;
        if found.kind == "deaf" {
            let input = Input::of(&case.transcript, &campaign.methods);
            return input.is_some_and(|input| self.is_known(&input, Oracle::Deaf));
        }
        if found.cause == Cause::Content {
            return self.is_broken(&found.clause);
        }
        let Some(peer) = self.bench.peer.as_mut() else { return false };
        let Some(death) = peer.death(ENDING).await else { return false };
        self.bench.refresh().await;
        let words = last_words(&death.stderr);
        words.is_some_and(|words| campaign.knows(|known| known.oracle == Oracle::Died && known.what == words))
    }

    fn remember(&mut self, played: Played) {
        self.history.push_back(played);
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
    }

    fn operations(&self, input: &Input) -> Vec<String> {
        let mut words: Vec<String> =
            input.lines.iter().map(|line| operation(&line.bytes, &self.campaign.methods)).collect();
        if input.end != End::Asked {
            words.push(end_word(input.end).to_owned());
        }
        words
    }

    /// Whether this clause is known to be broken.
    fn is_broken(&self, clause: &str) -> bool {
        self.campaign.knows(|known| known.oracle == Oracle::Clause && known.clause == clause)
    }

    /// Whether one of its operations is known to end so.
    fn is_known(&self, input: &Input, oracle: Oracle) -> bool {
        let words = self.operations(input);
        self.campaign.knows(|known| known.oracle == oracle && words.contains(&known.what))
    }

    /// The peer does not serve: who did that?
    async fn blame(&mut self) {
        self.canary = None;
        let facts = &self.campaign.facts;
        let Some(peer) = self.bench.peer.as_mut() else { return };
        let death = match peer.health(facts, self.campaign.patience).await {
            Health::Serves => return,
            Health::Died(death) => Some(death),
            Health::Refuses | Health::Deaf => None,
        };
        let ours = peer.is_ours();
        self.bench.refresh().await;
        let mut suspects: Vec<Played> = self.history.drain(..).rev().collect();
        // What ended well may harm a moment later, but seldom does.
        let last = suspects.first().cloned();
        suspects.sort_by_key(|played| played.well);
        suspects.truncate(BLAMED);
        if let (Some(death), Some(Played { job: Job::Input(input), .. })) = (&death, suspects.first()) {
            let words = last_words(&death.stderr);
            let known = match &words {
                Some(words) => {
                    self.campaign.knows(|known| known.oracle == Oracle::Died && known.what == *words)
                }
                None => self.is_known(input, Oracle::Died),
            };
            self.campaign.harmed(self.operations(input));
            if known {
                return;
            }
        }
        if !ours {
            if let Some(last) = &last {
                self.unconfirmed(last, death, "it is not ours to start again");
            }
            return self
                .campaign
                .give_up("the peer serves no connection any more, and is not ours to start again");
        }
        for suspect in &suspects {
            if self.campaign.is_interrupted() || self.examine(&suspect.job, suspect.source).await {
                return;
            }
        }
        if let (Some(last), Some(_)) = (&last, &death) {
            self.unconfirmed(last, death, "none of the last sessions does it by itself");
        }
    }

    /// Writes down an end that could not be shown again.
    fn unconfirmed(&self, last: &Played, death: Option<Death>, why: &str) {
        let Some(case) = self.case(&last.job) else { return };
        let words = death.as_ref().and_then(|death| last_words(&death.stderr));
        let identity = Identity {
            oracle: Oracle::Died,
            clause: "robust/survives".to_owned(),
            what: words.unwrap_or_else(|| format!("an end that was not repeated: {why}")),
            class: death.as_ref().map_or("refuses", |death| death.status.as_str()).to_owned(),
        };
        let shown = Shown {
            kind: String::new(),
            identity,
            expected: "the peer goes on serving".to_owned(),
            came: format!("it ended, and {why}; the transcript is the last session before that"),
            wire: Vec::new(),
            death,
        };
        self.tell(shown, case.text, None, (0, CONFIRMATIONS), last.source);
    }

    /// The job as a case.
    fn case(&self, job: &Job) -> Option<Case> {
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
        if self.bench.peer.is_none() {
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
        if shown.kind.is_empty() {
            return false;
        }
        let found = Divergence {
            step: String::new(),
            clause: clause.clone(),
            kind: shown.kind.clone(),
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

    fn tell(
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

    /// Asks the canary; where it no longer sings though the peer serves others, looks for who disturbed it.
    async fn listen(&mut self) {
        let (facts, patience) = (&self.campaign.facts, self.campaign.patience);
        let Some(canary) = &mut self.canary else {
            self.canary = Canary::open(&self.address(), facts, patience).await;
            return;
        };
        if canary.sings(facts, patience).await {
            return;
        }
        self.canary = None;
        let Some(peer) = self.bench.peer.as_mut() else { return };
        if !matches!(peer.health(facts, patience).await, Health::Serves) {
            return self.blame().await;
        }
        let suspects: Vec<Played> = self.history.drain(..).rev().collect();
        for suspect in suspects {
            if self.campaign.is_over() || self.examine(&suspect.job, suspect.source).await {
                return;
            }
        }
    }

    /// What warns: an answer that is slow, or far larger than what was sent.
    async fn measure(&mut self, input: &Input, source: &'static str, seen: &Visit) {
        let slow = self.pace.is_slow(seen.took);
        if !slow {
            self.pace.add(seen.took);
        }
        let oracle = match (slow, is_amplified(seen.sent, seen.came)) {
            (_, true) => Oracle::Amplified,
            (true, _) => Oracle::Slow,
            _ => return,
        };
        let what = name(input, &self.campaign.methods);
        let (clause, class) = ("robust/bounded".to_owned(), oracle.word().to_owned());
        let identity = Identity { oracle, clause, what, class };
        if self.campaign.knows(|known| *known == identity) {
            return;
        }
        for _ in 0..CONFIRMATIONS {
            let campaign = self.campaign;
            let again =
                visit(&self.address(), input, &campaign.methods, &campaign.facts, campaign.patience * 3)
                    .await;
            let shows = match oracle {
                Oracle::Slow => self.pace.is_slow(again.took),
                _ => is_amplified(again.sent, again.came),
            };
            if !shows {
                return;
            }
        }
        let Some(case) = self.case(&Job::Input(input.clone())) else { return };
        let shown = Shown {
            kind: String::new(),
            identity,
            expected: "an answer in proportion to what was sent".to_owned(),
            came: format!("{} bytes in {:?}, for {} bytes", seen.came, seen.took, seen.sent),
            wire: seen.wire.clone(),
            death: None,
        };
        self.tell(shown, case.text, Some(input.clone()), (CONFIRMATIONS, CONFIRMATIONS), source);
    }

    /// Looks at the memory of the peer; one that has grown far is started again.
    async fn weigh(&mut self) {
        let group = self.bench.peer.as_ref().and_then(crate::peer::Peer::group);
        let Some(now) = group.and_then(memory) else { return };
        let Some(young) = self.young else {
            self.young = Some(now);
            return;
        };
        if now < young.saturating_mul(4).saturating_add(GROWN) {
            return;
        }
        let identity = Identity {
            oracle: Oracle::Memory,
            clause: "robust/bounded".to_owned(),
            what: "the sessions of a campaign".to_owned(),
            class: "memory".to_owned(),
        };
        if let Some(case) = self
            .history
            .back()
            .and_then(|played| self.case(&played.job))
            .filter(|_| !self.campaign.knows(|known| *known == identity))
        {
            let shown = Shown {
                kind: String::new(),
                identity,
                expected: "memory that stays about where it was".to_owned(),
                came: format!(
                    "{} MiB, where it was {} MiB; the transcript is the last session",
                    now >> 20,
                    young >> 20
                ),
                wire: Vec::new(),
                death: None,
            };
            self.tell(shown, case.text, None, (1, 1), "all sessions");
        }
        self.bench.refresh().await;
    }
}

impl Campaign {
    fn is_interrupted(&self) -> bool {
        self.options.interrupted.load(Ordering::Relaxed)
    }
}
