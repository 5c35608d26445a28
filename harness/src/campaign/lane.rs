//! A lane of a campaign: a peer that it has to itself, and one session after another on it.
//!
//! Because one session at a time runs there, what harms the peer is the last one, or one of the few before it. The peer is started again only
//! where it died, does not answer, has grown, or has shown something.

mod examine;
#[cfg(test)]
mod tests;

use super::confirm::{Canary, Confirmer, Shown, name};
use super::input::{End, Input};
use super::operation::operation;
use super::oracle::{Identity, Oracle, Pace, is_amplified, last_words, memory};
use super::source::{Job, end_word};
use super::visit::{Visit, visit};
use super::{CONFIRMATIONS, Campaign, CampaignError};
use crate::cases::{Case, level};
use crate::conversation::ping::Silence;
use crate::conversation::replay::judged::{Cause, Diverged, Judged};
use crate::conversation::replay::replay;
use crate::peer::{Health, Slot};
use crate::run::applicable::ruled_out;
use dnode_reports::event::{Death, Kind};
use fastrand::Rng;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

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

/// Sessions of which one is thought to have harmed the peer, the likeliest first.
#[derive(Debug)]
pub(super) struct Suspicion {
    suspects: Vec<Played>,
    /// How the process ended, where it did.
    death: Option<Death>,
}

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
    time: Time,
    sessions: u64,
    /// It looks into suspicions, its own and those of others, before it plays.
    examines: bool,
    /// The memory of the peer when it was young.
    young: Option<u64>,
}

/// What a lane has spent its time on of late.
#[derive(Debug, Default)]
struct Time {
    /// On sessions that did not end well, with the next start of the peer.
    harm: Duration,
    /// On all.
    all: Duration,
}

impl Time {
    /// What was longer ago counts half.
    const LATE: Duration = Duration::from_secs(10);

    fn spend(&mut self, time: Duration, harm: bool) {
        self.all += time;
        if harm {
            self.harm += time;
        }
        if self.all > Time::LATE {
            (self.harm, self.all) = (self.harm / 2, self.all / 2);
        }
    }

    /// Whether harm took more than half of it.
    fn is_harmed(&self) -> bool {
        self.harm * 2 > self.all
    }
}

impl<'a> Lane<'a> {
    pub(super) fn new(campaign: &'a Campaign, number: u64) -> Lane<'a> {
        let options = &campaign.options;
        let bench = Confirmer {
            slot: Slot::new(&options.target),
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
            time: Time::default(),
            sessions: 0,
            examines: number < campaign.examiners(),
            young: None,
        }
    }

    /// Plays sessions until the campaign ends.
    pub(super) async fn run(mut self) {
        while !self.campaign.is_over() || (self.examines && self.campaign.has_suspicions()) {
            if self.examines
                && let Some(suspicion) = self.campaign.take_suspicion()
            {
                self.look_into(suspicion).await;
                continue;
            }
            let began = Instant::now();
            let fresh = self.bench.slot.is_empty();
            if fresh {
                self.canary = None;
                self.history.clear();
                self.young = None;
                if !self.bench.ready().await {
                    self.campaign.give_up(CampaignError::Gone);
                    return;
                }
            }
            let (job, source) = self.campaign.next(&mut self.rng, self.time.is_harmed());
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
            let well = !self.bench.slot.is_empty() && self.history.back().is_some_and(|played| played.well);
            self.time.spend(began.elapsed(), fresh || !well);
        }
        self.bench.slot.stop().await;
    }

    async fn play_input(&mut self, input: &Input, source: &'static str) {
        let facts = &self.campaign.facts;
        let patience = (facts.calls.round_trip * 30).clamp(Duration::from_millis(60), self.campaign.patience);
        let Some(route) = self.bench.slot.route() else { return };
        let seen = visit(&route, input, &self.campaign.methods, facts, patience).await;
        let played = Played { job: Job::Input(input.clone()), source, well: seen.ending.is_ok() };
        if seen.ending == Err(Silence::Refused) {
            self.blame().await;
            return;
        }
        self.campaign.played(Some(input), &seen.wire, seen.ending);
        self.remember(played);
        let gate = self.campaign.options.gate;
        let new_clause = seen.broken.keys().any(|clause| level(clause) <= gate && !self.is_broken(clause));
        let suspicious = matches!(seen.ending, Err(Silence::Late | Silence::Flood));
        if suspicious && self.is_known(input, Oracle::Deaf) {
            self.campaign.harmed(self.operations(input));
        } else if suspicious || new_clause {
            if suspicious {
                self.campaign.harmed(self.operations(input));
            }
            self.suspect(vec![Played { job: Job::Input(input.clone()), source, well: false }], None);
            if suspicious {
                // A peer that is deaf to all must not be the next session's fault.
                self.check().await;
            }
        } else {
            if seen.ending.is_ok() {
                self.campaign.unharmed(self.operations(input));
            }
            self.measure(input, source, &seen).await;
        }
    }

    async fn play_case(&mut self, case: &Case, source: &'static str) {
        let facts = &self.campaign.facts;
        if ruled_out(case, facts).is_some() {
            return;
        }
        let Some(route) = self.bench.slot.route() else { return };
        let seen = replay(case, &route, facts, self.campaign.patience).await;
        let silent = seen.lines == 0 && matches!(seen.judged, Judged::Diverged(_));
        if silent && !self.history.is_empty() && self.blame().await {
            return;
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
        if known && self.bench.slot.is_empty() {
            self.history.clear();
        } else if diverged && !known || broken {
            self.suspect(vec![Played { job, source, well: false }], None);
            self.bench.refresh().await;
        }
    }

    /// Whether a session just ended as a known finding does. A peer that was harmed so is started again.
    async fn is_seen(&mut self, case: &Case, found: &Diverged) -> bool {
        let campaign = self.campaign;
        if found.kind == Kind::Deaf {
            let input = Input::of(&case.transcript, &campaign.methods);
            return input.is_some_and(|input| self.is_known(&input, Oracle::Deaf));
        }
        if found.cause == Cause::Content {
            return self.is_broken(&found.clause);
        }
        let Some(peer) = self.bench.slot.peer() else { return false };
        let Some(death) = peer.death(ENDING).await else { return false };
        self.bench.refresh().await;
        let words = last_words(&death.stderr);
        words.is_some_and(|words| campaign.knows(|known| known.oracle == Oracle::Died && known.what == words))
    }

    /// Hands suspects on, the likeliest first.
    fn suspect(&self, suspects: Vec<Played>, death: Option<Death>) {
        let name = |played: &Played| match &played.job {
            Job::Input(input) => name(input, &self.campaign.methods),
            Job::Case(case) => case.id().to_owned(),
        };
        let words = death.as_ref().and_then(|death| last_words(&death.stderr));
        let Some(key) = words.or_else(|| suspects.first().map(name)) else { return };
        self.campaign.suspect(key, Suspicion { suspects, death });
    }

    /// Looks whether the peer serves others; one that does not is started again.
    async fn check(&mut self) {
        let Some(peer) = self.bench.slot.peer() else { return };
        if !peer.health(&self.campaign.facts, self.campaign.patience).await.is_good() {
            self.bench.refresh().await;
        }
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

    /// The peer does not serve: who did that? `false` where it does.
    async fn blame(&mut self) -> bool {
        self.canary = None;
        let facts = &self.campaign.facts;
        let Some(peer) = self.bench.slot.peer() else { return true };
        let death = match peer.health(facts, self.campaign.patience).await {
            Health::Serves => return false,
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
                return true;
            }
        }
        if !ours {
            if let Some(last) = &last {
                self.unconfirmed(last, death, "it is not ours to start again");
            }
            self.campaign.give_up(CampaignError::NotServing);
            return true;
        }
        // Whoever was there last may be none of the suspects that are left.
        suspects.extend(last);
        self.suspect(suspects, death);
        true
    }

    /// Asks the canary; where it no longer sings though the peer serves others, looks for who disturbed it.
    async fn listen(&mut self) {
        let (facts, patience) = (&self.campaign.facts, self.campaign.patience);
        let Some(canary) = &mut self.canary else {
            if let Some(route) = self.bench.slot.route() {
                self.canary = Canary::open(&route, facts, patience).await;
            }
            return;
        };
        if canary.is_alive(facts, patience).await {
            return;
        }
        self.canary = None;
        let Some(peer) = self.bench.slot.peer() else { return };
        if !peer.health(facts, patience).await.is_good() {
            self.blame().await;
            return;
        }
        let suspects: Vec<Played> = self.history.drain(..).rev().collect();
        self.suspect(suspects, None);
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
            let Some(route) = self.bench.slot.route() else { return };
            let patience = campaign.patience * 3;
            let again = visit(&route, input, &campaign.methods, &campaign.facts, patience).await;
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
            kind: None,
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
        let group = self.bench.slot.peer().and_then(|peer| peer.group());
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
                kind: None,
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
