//! One run: its phases and their shared state.

use super::applicable::ruled_out;
use super::batch::Batch;
use super::beside::Ran;
use super::lane::{Lane, Patience};
use super::meet::Met;
use super::options::Options;
use super::resting::BrokenClauses;
use super::sessions::{Sessions, about_missing};
use super::unrun::{Unrun, cut_off};
use crate::cases::{Case, LIFE, invariant_id, invariants};
use crate::conversation::facts::{Facts, Unusable};
use crate::conversation::replay::judged::Replayed;
use crate::gate::RunGate;
use crate::peer::Health;
use crate::verdict::invariant::Invariants;
use crate::verdict::outcome::{self, Harm};
use dnode_reports::event::{Death, Ended, Event, Outcome, Role, Run, Verdict};
use dnode_spec::generate::Seed;
use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How much longer a peer may take for the longest message of the catalogue than for a short one.
const LONG: u32 = 5;

/// Receives the events.
pub(super) type Emit<'e> = &'e mut (dyn FnMut(Event) + Send);

pub(super) struct Runner<'a> {
    pub(super) options: &'a Options,
    /// Decides which outcomes gate.
    pub(super) gate: &'a RunGate<'a>,
    pub(super) facts: Arc<Facts>,
    /// Peers that no case is running on; the first one serves the cases side by side.
    pub(super) lanes: Vec<Lane>,
    pub(super) batch: Batch,
    /// Cases that mostly wait, while others run.
    pub(super) quiet: JoinSet<Ran>,
    /// The lane whose peer they use, as long as hostile cases run on others.
    pub(super) quiet_lane: Option<Lane>,
    /// Cases that may have failed because of another case.
    pub(super) suspects: Vec<usize>,
    /// The generated sessions that follow.
    pub(super) sessions: Sessions,
    broken: BrokenClauses,
    invariants: Invariants,
    /// A call was answered.
    answered: bool,
    /// The verdict of a case gates.
    failed: bool,
    /// When the run ends, finished or not.
    pub(super) until: Option<Instant>,
    /// Cases were not run because the time was over.
    timed_out: bool,
    /// When and how the peer's process ended, if no case ended it.
    pub(super) died: Option<(String, Death)>,
    /// The same while several cases were running, unless one of them ends it by itself.
    pub(super) died_beside: Option<(String, Death)>,
    /// Cases that ran side by side harmed a peer that cannot be started again.
    pub(super) harm: Option<Harm>,
}

impl<'a> Runner<'a> {
    /// A run of these cases, then of the sessions of these seeds. `ids`: all cases, selected or
    /// not.
    pub(super) fn new(
        options: &'a Options,
        gate: &'a RunGate<'a>,
        met: Met,
        cases: Vec<Case>,
        seeds: Vec<Seed>,
        ids: BTreeSet<String>,
    ) -> Runner<'a> {
        let Met { peer, facts, died } = met;
        let cases = match seeds.is_empty() {
            true => cases.into_iter().map(Arc::new).collect(),
            false => about_missing(&facts),
        };
        Runner {
            options,
            gate,
            lanes: vec![Lane::with(peer)],
            batch: Batch::new(cases),
            quiet: JoinSet::new(),
            quiet_lane: None,
            suspects: Vec::new(),
            sessions: Sessions::new(seeds),
            broken: BrokenClauses::new(ids),
            invariants: Invariants::new(&facts),
            answered: facts.calls.ping.is_some(),
            failed: false,
            until: None,
            timed_out: false,
            died,
            died_beside: None,
            harm: None,
            facts: Arc::new(facts),
        }
    }

    /// Runs everything and ends the peers. `until`: when the run ends, finished or not.
    pub(super) async fn run(mut self, until: Option<Instant>, emit: Emit<'_>) {
        self.until = until;
        self.timed_out = self.facts.unusable == Some(Unusable::OutOfTime);
        let about_probe = outcome::probe_complete(&self.facts, &self.options.selection);
        // The invariants, and the case about the peer's process.
        let of_lines = invariants(self.options.dialect).map(invariant_id);
        let kept = of_lines.chain([LIFE.to_owned()]).filter(|id| !self.options.selection.skips(id));
        let extra = kept.count() + usize::from(about_probe.is_some());
        emit(Event::Started(self.plan(extra)));
        let mut next = self.make_sessions();
        let mut cut_off = pin!(cut_off(self.options.interrupted.clone(), until));
        let mut is_cut = false;
        loop {
            is_cut = is_cut
                || tokio::select! {
                    () = self.run_batch(emit) => false,
                    () = &mut cut_off => true,
                };
            if is_cut {
                self.end_batch(emit);
            }
            let made = next.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
            if made.is_empty() {
                break;
            }
            self.batch = self.batch.followed_by(made);
            next = self.make_sessions();
        }
        let mut last = self.never_made();
        for lane in &mut self.lanes {
            self.died = self.died.take().or(lane.died_since().await);
        }
        last.extend(about_probe);
        last.extend(self.invariants.outcomes(&self.options.command));
        last.push(outcome::life(self.died.take(), self.harm.take()));
        last.retain(|outcome| !self.options.selection.skips(&outcome.id));
        last.into_iter().for_each(|outcome| emit(Event::Judged(Box::new(outcome))));
        let (interrupted, answered) = (self.is_interrupted() || self.timed_out, self.answered);
        let life = self.facts.terms.life.counts();
        emit(Event::Ended(Ended { interrupted, answered, life, ..Ended::default() }));
        for lane in self.lanes.into_iter().chain(self.quiet_lane) {
            lane.stop().await;
        }
    }

    /// The plan, with `extra` cases that have no transcript.
    fn plan(&self, extra: usize) -> Run {
        let part = |shard| format!("shard {shard}: of the selected cases, only this part is run");
        let part = self.options.shard.map(part).into_iter().chain(self.options.selection.note());
        let part = part.chain(self.about_probe(extra));
        Run {
            suite: env!("CARGO_PKG_VERSION").to_owned(),
            peer: self.facts.object.name.clone(),
            role: Role::Server,
            dialect: self.options.dialect,
            interop: false,
            target: self.options.target.to_string(),
            planned: self.batch.len() + self.sessions.len() + extra,
            notes: part.chain(self.facts.notes.iter().cloned()).collect(),
            gate: self.options.gate.level,
            time: self.lanes.first().and_then(Lane::route).map(|route| route.clock().base()),
        }
    }

    /// How many cases can run, with `extra` cases that always run, if the peer does not claim the
    /// probe.
    fn about_probe(&self, extra: usize) -> Option<String> {
        let cases = self.batch.len();
        let facts = &self.facts;
        // Before that, a peer has to keep the clauses on which all cases rest.
        let speaks = facts.calls.ping.is_some() || facts.object.members.is_some() && facts.missing.is_empty();
        let applies = self.sessions.len() == 0 && facts.unusable.is_none() && speaks;
        if !applies || facts.object.name.is_some() || facts.claims_probe() {
            return None;
        }
        let open = (0..cases).filter(|&at| ruled_out(self.batch.case(at), facts).is_none()).count();
        let ping = match facts.calls.ping {
            Some(_) => "",
            None => ", or name a call that the peer answers, for example --ping 'add[1,2,\"$cb\"]'",
        };
        (open < cases).then(|| {
            let (open, cases) = (open + extra, cases + extra);
            format!("{open} of {cases} cases can run: add the probe to your program for the rest (fixtures/PROBE.md){ping}")
        })
    }

    /// The outcomes of the sessions that were never made because the run ended before.
    fn never_made(&mut self) -> Vec<Outcome> {
        let why = self.unrun();
        let never_made = |seed| outcome::never_made(seed, why.verdict(), why.reason());
        let outcomes: Vec<Outcome> = self.sessions.rest().map(never_made).collect();
        self.timed_out |= !outcomes.is_empty() && why == Unrun::OutOfTime;
        outcomes
    }

    fn make_sessions(&mut self) -> tokio::task::JoinHandle<Vec<Arc<Case>>> {
        let ends = self.ends();
        self.sessions.make(self.options.dialect, ends)
    }

    /// Runs the cases at hand, and emits their outcomes.
    async fn run_batch(&mut self, emit: Emit<'_>) {
        for at in 0..self.batch.len() {
            if let Some(reason) = ruled_out(self.batch.case(at), &self.facts) {
                self.batch.rule_out(at, reason, &self.facts);
            }
        }
        if let Some(lane) = self.lanes.first_mut() {
            let _ = lane.ready().await;
        }
        let mut together = self.batch.open(false);
        let size = self.size_of_groups();
        if size.is_some() {
            together.retain(|&at| !self.batch.is_resting(at));
        }
        self.run_together(together, emit).await;
        self.confirm(emit).await;
        match size {
            Some(size) => self.run_groups(size, emit).await,
            None => self.run_alone(self.batch.open(true), emit).await,
        }
        self.end_quiet(emit).await;
        self.confirm(emit).await;
        self.give_verdicts();
        if self.options.shrink && self.batch.is_generated() {
            self.shrink().await;
        }
        self.batch.emit(emit);
    }

    /// Gives all cases at hand their verdicts.
    fn give_verdicts(&mut self) {
        self.batch.release(&mut self.broken);
        let why = self.unrun();
        self.timed_out |= self.batch.mark_unrun(why) && why == Unrun::OutOfTime;
    }

    /// Cuts off the cases that are still running, and emits the outcomes. The peers of these cases
    /// are gone.
    fn end_batch(&mut self, emit: Emit<'_>) {
        self.quiet = JoinSet::new();
        self.give_verdicts();
        self.batch.emit(emit);
    }

    /// How long a case may take: the caller's deadline, or more if the peer answers slowly.
    pub(super) fn patience(&self) -> Duration {
        self.options.patience.max(self.facts.calls.round_trip * 50)
    }

    /// How long to wait for the answers of a case. A case that only shows harm waits for no
    /// answer.
    pub(super) fn case_patience(&self, at: usize) -> Duration {
        match self.batch.is_resting(at) {
            true => self.facts.quiet(),
            false if self.facts.waited_for(self.batch.case(at)) => self.facts.short(self.patience()),
            false => self.patience(),
        }
    }

    /// How long to wait in a case by itself.
    pub(super) fn patience_alone(&self, at: usize) -> Patience {
        let (case, health) = (self.case_patience(at), self.patience());
        // The peer gets the time that long messages take, although the case does not wait for it.
        let health = if self.batch.is_resting(at) { health * LONG } else { health };
        Patience { case, health }
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.options.interrupted.is_cancelled()
    }

    /// Whether no more cases are begun.
    pub(super) fn ends(&self) -> bool {
        self.is_cut_off() || (self.options.fail_fast && self.failed)
    }

    /// Whether the run ends before its work is done.
    pub(super) fn is_cut_off(&self) -> bool {
        self.is_interrupted() || self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// Why the cases that were not run were not run.
    pub(super) fn unrun(&self) -> Unrun {
        match (self.is_interrupted(), self.options.fail_fast && self.failed, self.is_cut_off()) {
            (true, ..) => Unrun::Interrupted,
            (_, true, _) => Unrun::FirstFailure,
            (.., true) => Unrun::OutOfTime,
            _ => Unrun::SuiteFailed,
        }
    }

    /// Turns a replay into the outcome of its case, and emits the outcomes that are next.
    pub(super) fn conclude(&mut self, at: usize, replayed: Replayed, health: Health, emit: Emit<'_>) {
        let case = self.batch.case(at);
        self.invariants.saw(case, self.batch.place(at), &replayed);
        let (harmed, calls) = (!health.is_good(), !case.transcript.header.needs.is_empty());
        let outcome = outcome::outcome(case, replayed, health, &self.options.command);
        let outcome = self.batch.weigh(at, outcome, harmed);
        self.answered |= outcome.verdict == Verdict::Pass && calls;
        self.failed |= self.options.fail_fast && self.gate.gates(&outcome);
        self.batch.conclude(at, outcome, harmed);
        self.emit(emit);
    }

    /// Gives a case that could not be run its outcome.
    pub(super) fn give_up(&mut self, at: usize, reason: String, emit: Emit<'_>) {
        let outcome = outcome::without_run(self.batch.case(at), Verdict::Inconclusive, Some(reason));
        self.batch.set(at, outcome);
        self.emit(emit);
    }

    /// Emits the outcomes that are next. Findings of generated sessions are emitted after they were
    /// shrunk.
    fn emit(&mut self, emit: Emit<'_>) {
        self.options.running.set_so_far(self.batch.so_far());
        if !self.batch.is_generated() {
            self.batch.emit(emit);
        }
    }

    /// Whether a case ended the peer's process.
    pub(super) fn has_crash(&self) -> bool {
        self.batch.outcomes().any(|outcome: &Outcome| outcome.verdict == Verdict::Crash)
    }
}
