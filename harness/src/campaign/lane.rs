//! A lane of a campaign: it has its own peer process and plays one session after the other on it.
//!
//! Only one session runs at a time, so the last session, or one of the few before it, has caused a
//! symptom. The peer is restarted only if it died, does not answer, uses too much memory, or showed
//! a symptom.

mod examine;
mod state;
#[cfg(test)]
mod tests;

pub(super) use state::Lane;

use super::canary::Canary;
use super::error::CampaignError;
use super::input::Input;
use super::oracle::{Identity, Oracle, last_words, memory};
use super::source::Job;
use super::suspicion::{Played, Shown, Suspicion};
use super::symptom::Symptom;
use super::visit::visit;
use crate::cases::{Case, level};
use crate::conversation::ping::Silence;
use crate::conversation::replay::judged::{Cause, Diverged, Judged};
use crate::conversation::replay::replay;
use crate::peer::{Health, Peer};
use crate::program::ENDING;
use crate::run::applicable::ruled_out;
use dnode_reports::event::{Death, Kind, TimeBase};
use std::time::Duration;
use tokio::time::Instant;

/// How many suspects are repeated if the last session did not cause the symptom.
const SUSPECTS: usize = 12;
/// How many sessions are between two checks of the canary, and between two checks of the memory.
const CANARY: u64 = 64;
const MEMORY: u64 = 256;
/// How many bytes the memory of a peer may grow, beside four times its first size.
const GROWTH: u64 = 512 << 20;

impl Lane<'_> {
    /// Plays sessions, and examines suspicions, until the campaign ends.
    pub(super) async fn run(&mut self) {
        while !self.campaign.is_over() {
            if self.examines() && self.examine_next().await {
                continue;
            }
            let start = Instant::now();
            let fresh = self.confirmer.slot.is_empty();
            if fresh && !self.start_peer().await {
                self.campaign.give_up(CampaignError::Gone);
                return;
            }
            let (job, source) = self.campaign.next_job(&mut self.rng, self.time.is_harmed());
            self.sessions += 1;
            match &job {
                Job::Input(input) => self.play_input(input, source).await,
                Job::Case(case) => self.play_case(case, source).await,
            }
            if self.sessions.is_multiple_of(CANARY) {
                self.check_canary().await;
            }
            if self.sessions.is_multiple_of(MEMORY) {
                self.check_memory().await;
            }
            let runs = !self.confirmer.slot.is_empty();
            let well = runs && self.history.back().is_some_and(|played| played.ended_well);
            self.time.spend(start.elapsed(), fresh || !well);
        }
    }

    /// Whether the lane examines what waits, instead of looking for more.
    fn examines(&self) -> bool {
        self.examines || self.campaign.is_late() || self.campaign.has_backlog()
    }

    /// Ends the peer.
    pub(super) async fn stop(self) {
        self.confirmer.slot.stop().await;
    }

    async fn start_peer(&mut self) -> bool {
        self.canary = None;
        self.history.clear();
        self.first_memory = None;
        self.confirmer.ready().await
    }

    async fn play_input(&mut self, input: &Input, source: &'static str) {
        let facts = &self.campaign.facts;
        let patience = (facts.calls.round_trip * 30).clamp(Duration::from_millis(60), self.campaign.patience);
        let Some(route) = self.confirmer.slot.route() else { return };
        let visit = visit(&route, input, &self.campaign.methods, facts, patience).await;
        if visit.ending == Err(Silence::Refused) {
            self.suspect_history().await;
            return;
        }
        self.campaign.record_session(Some(input), &visit.wire, visit.ending);
        if visit.ending.is_ok() {
            self.confirmer.slot.peer().into_iter().for_each(Peer::forget_stderr);
        }
        let job = Job::Input(input.clone());
        self.remember(Played { job: job.clone(), source, ended_well: visit.ending.is_ok() });
        let silent = matches!(visit.ending, Err(Silence::Late | Silence::Flood));
        let new_clause = self.breaks_new_clause(visit.broken.keys());
        if silent || visit.ending.is_ok() && !new_clause {
            self.note_risk(input, silent);
        }
        if silent && self.is_known(input, Oracle::Deaf) {
            return;
        }
        if silent && self.is_known(input, Oracle::NotServed) {
            self.confirmer.discard_peer().await;
            return;
        }
        if silent || new_clause {
            self.suspect(vec![Played { job, source, ended_well: false }], None, silent);
            if silent {
                // If the peer is deaf on all connections, restart it, so that the next session is
                // not suspected.
                self.check_health().await;
            }
        } else {
            self.measure(input, source, &visit).await;
        }
    }

    /// Notes whether the operations of an input harmed the peer.
    fn note_risk(&self, input: &Input, harmed: bool) {
        match harmed {
            true => self.campaign.harmed(self.operations(input)),
            false => self.campaign.unharmed(self.operations(input)),
        }
    }

    /// Whether one of these broken clauses counts and has no finding yet.
    fn breaks_new_clause<'c>(&self, mut clauses: impl Iterator<Item = &'c &'static str>) -> bool {
        let gate = self.campaign.options.gate;
        clauses.any(|clause| level(clause) <= gate && !self.is_broken(clause))
    }

    async fn play_case(&mut self, case: &Case, source: &'static str) {
        let facts = &self.campaign.facts;
        if ruled_out(case, facts).is_some() {
            return;
        }
        let Some(route) = self.confirmer.slot.route() else { return };
        // A shorter deadline is enough to raise a suspicion.
        let patience = match route.clock().base() {
            TimeBase::OwnTime => facts.short(self.campaign.patience),
            TimeBase::WallTime => self.campaign.patience,
        };
        let replayed = replay(case, &route, facts, patience).await;
        let diverged = matches!(replayed.judged, Judged::Diverged(_));
        let silent = replayed.lines == 0 && diverged;
        if silent && !self.history.is_empty() && self.suspect_history().await {
            return;
        }
        let is_slow = replayed.cause() == Some(Cause::Time);
        let death = match replayed.cause() {
            Some(Cause::Life) => self.take_death().await,
            _ => None,
        };
        let known = match &replayed.judged {
            Judged::Diverged(found) => self.is_known_divergence(case, found, death.as_ref()),
            _ => false,
        };
        let broken = self.breaks_new_clause(replayed.broken.keys());
        self.campaign.record_session(None, &replayed.log.into_entries(), diverged);
        let job = Job::Case(Box::new(case.clone()));
        let ended_well = !diverged && !case.transcript.header.hostile;
        self.remember(Played { job: job.clone(), source, ended_well });
        if known && self.confirmer.slot.is_empty() {
            self.history.clear();
        } else if diverged && !known || broken {
            self.suspect(vec![Played { job, source, ended_well: false }], death, is_slow);
            self.confirmer.discard_peer().await;
        }
    }

    /// Whether a known finding explains this divergence. `death`: how the process ended, if it did.
    fn is_known_divergence(&self, case: &Case, found: &Diverged, death: Option<&Death>) -> bool {
        if found.kind == Kind::Deaf {
            let input = Input::of(&case.transcript, &self.campaign.methods);
            return input.is_some_and(|input| self.is_known(&input, Oracle::Deaf));
        }
        if found.cause == Cause::Content {
            return self.is_broken(&found.clause);
        }
        death.and_then(last_words).is_some_and(|words| self.is_known_death(&words))
    }

    /// How the process ended, if it does after its connection broke. Then the peer is discarded.
    async fn take_death(&mut self) -> Option<Death> {
        let death = self.confirmer.slot.peer()?.death(ENDING).await?;
        self.confirmer.discard_peer().await;
        Some(death)
    }

    /// Passes on suspects, the likeliest first.
    ///
    /// `is_slow`: to repeat them takes deadlines.
    pub(super) fn suspect(&self, suspects: Vec<Played>, death: Option<Death>, is_slow: bool) {
        let name = |played: &Played| match &played.job {
            Job::Input(input) => self.operation(input),
            Job::Case(case) => case.id().to_owned(),
        };
        let words = death.as_ref().and_then(last_words);
        let Some(key) = words.or_else(|| suspects.first().map(name)) else { return };
        self.campaign.suspect(Suspicion { key, suspects, death, resumes: None, is_slow });
    }

    /// Discards the peer if it does not serve new connections.
    async fn check_health(&mut self) {
        let (facts, patience) = (&self.campaign.facts, self.campaign.patience);
        let Some(peer) = self.confirmer.slot.peer() else { return };
        // The peer has just been silent for a while, and a fresh one is no harm.
        if !peer.health(facts, facts.short(patience)).await.is_good() {
            self.confirmer.discard_peer().await;
        }
    }

    /// Suspects the earlier sessions if the peer does not serve new connections. Returns whether
    /// that is so.
    async fn suspect_history(&mut self) -> bool {
        self.canary = None;
        let Some(peer) = self.confirmer.slot.peer() else { return true };
        let death = match peer.health(&self.campaign.facts, self.campaign.patience).await {
            Health::Serves | Health::Unknown => return false,
            Health::Died(death) => Some(death),
            Health::Refuses | Health::Deaf(_) => None,
        };
        let can_restart = peer.is_ours();
        self.confirmer.discard_peer().await;
        let mut suspects: Vec<Played> = self.history.drain(..).rev().collect();
        let last = suspects.first().cloned();
        // A session that ended well may harm the peer a moment later, but it seldom does.
        suspects.sort_by_key(|played| played.ended_well);
        suspects.truncate(SUSPECTS);
        if self.is_known_harm(death.as_ref(), suspects.first()) {
            return true;
        }
        if can_restart {
            // The last session may no longer be among the suspects.
            suspects.extend(last);
            let is_slow = death.is_none();
            self.suspect(suspects, death, is_slow);
            return true;
        }
        if let Some(last) = &last {
            self.report_unconfirmed(last, death, "it is not ours to start again", (0, 0));
        }
        self.campaign.give_up(CampaignError::NotServing);
        true
    }

    /// Whether a known finding explains this death. Notes that the likeliest suspect harmed the
    /// peer.
    fn is_known_harm(&self, death: Option<&Death>, suspect: Option<&Played>) -> bool {
        let (Some(death), Some(Played { job: Job::Input(input), .. })) = (death, suspect) else {
            return false;
        };
        self.campaign.harmed(self.operations(input));
        match last_words(death) {
            Some(words) => self.is_known_death(&words),
            None => self.is_known(input, Oracle::Died),
        }
    }

    /// Checks the canary. If it gets no answer although the peer serves new connections, all
    /// earlier sessions are suspects.
    async fn check_canary(&mut self) {
        let (facts, patience) = (&self.campaign.facts, self.campaign.patience);
        let Some(canary) = &mut self.canary else {
            if let Some(route) = self.confirmer.slot.route() {
                self.canary = Canary::open(&route, facts, patience).await;
            }
            return;
        };
        if canary.is_alive(facts, patience).await {
            return;
        }
        self.canary = None;
        let Some(peer) = self.confirmer.slot.peer() else { return };
        if !peer.health(facts, patience).await.is_good() {
            self.suspect_history().await;
            return;
        }
        let suspects: Vec<Played> = self.history.drain(..).rev().collect();
        self.suspect(suspects, None, true);
    }

    /// Checks the memory of the peer. Warns, and discards the peer, if it has grown too much.
    async fn check_memory(&mut self) {
        let group = self.confirmer.slot.peer().and_then(|peer| peer.group());
        let Some(now) = group.and_then(memory) else { return };
        let Some(first) = self.first_memory else {
            self.first_memory = Some(now);
            return;
        };
        if now < first.saturating_mul(4).saturating_add(GROWTH) {
            return;
        }
        let identity =
            Identity::new(Oracle::Memory, "robust/bounded", "the sessions of a campaign", "memory");
        let case = self.history.back().and_then(|played| self.campaign.case(&played.job));
        if let Some(case) = case.filter(|_| !self.knows(&identity)) {
            let actual =
                format!("{} MiB, up from {} MiB; the transcript is the last session", now >> 20, first >> 20);
            let symptom = Symptom::new(identity, None, "memory use that stays about the same", &actual);
            let seen = self.campaign.clock();
            self.report(
                symptom,
                Shown { transcript: case.text, input: None, seen, source: "all sessions" },
                (1, 1),
            );
        }
        self.confirmer.discard_peer().await;
    }
}
