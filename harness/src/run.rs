//! The run: cases side by side, then suspects and hostile cases by themselves, each with a verdict and all accounted for.
//!
//! Whatever fails on time or on the peer's life while others run is run again by itself, so that a verdict is about one
//! case; where the first few of many such suspects fail again, the rest are run again side by side. Outcomes are told in the
//! order of the catalogue, however the cases ended.

pub mod accept;
mod alone;
mod generated;
mod invariant;
mod options;
mod shard;
pub(crate) mod verdict;

pub use options::{Cases, Command, Options, RunError};
pub use shard::Shard;

use crate::cases::{Case, PROBE_COMPLETE, RuledOut, invariants, needs};
use crate::gate::Held;
use crate::peer::{Peer, Service, StartError, serves};
use crate::preflight::{Facts, preflight};
use crate::replay::{Cause, Judged, Replayed, replay};
use crate::target::Target;
use alone::{LANES, Lane, MANY, PAIR};
use dnode_reports::event::{Death, Ended, Event, Kind, Outcome, Run, Verdict};
use dnode_spec::generate::Seed;
use invariant::Invariants;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// What the monitor saw in one case.
type Broken = BTreeMap<&'static str, dnode_spec::message::Problem>;

/// How long a process that said nothing in the preflight may take to end.
const ENDING: Duration = Duration::from_millis(500);

/// How often it is looked whether a run was interrupted, while a program starts.
const LOOK: Duration = Duration::from_millis(20);

/// How many suspects must fail again by themselves before the rest of many are run again side by side.
const SAMPLE: usize = 4;

/// A case that failed among others, perhaps for another's sake.
struct Suspect {
    at: usize,
    replayed: Replayed,
    /// It failed on time alone, and at that moment the peer served a fresh connection at once.
    alert: bool,
}

struct Runner<'a> {
    options: &'a Options,
    /// What makes the run red.
    gate: &'a Held<'a>,
    facts: Arc<Facts>,
    /// Peers that no case is running on; the first one serves the cases side by side.
    lanes: Vec<Lane>,
    cases: Vec<Arc<Case>>,
    /// How many cases were run before these.
    before: usize,
    /// The seeds of the sessions that are run after these.
    seeds: std::vec::IntoIter<Seed>,
    /// What was shrunk: clause, kind and class of the finding.
    shrunk: BTreeSet<(String, Kind)>,
    /// The ids of all cases, selected or not.
    plain: BTreeSet<String>,
    /// The cases at hand were generated.
    generated: bool,
    /// The clauses that earlier cases saw broken, each with the first of those.
    broken: BTreeMap<String, String>,
    outcomes: Vec<Option<Outcome>>,
    told: usize,
    invariants: Invariants,
    answered: bool,
    /// A case's verdict gates.
    failed: bool,
    /// Outcomes of cases that rest on other clauses, until it is known whether those hold.
    held: Vec<(usize, Outcome)>,
    /// The peer ended in no case: when, and how.
    died: Option<(String, Death)>,
}

/// Runs the cases against the target and tells `tell` what happens.
///
/// # Errors
/// [`RunError`] where nothing could be run.
pub async fn run(
    options: &Options,
    cases: impl Into<Cases>,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Result<(), RunError> {
    let (cases, seeds) = match cases.into() {
        Cases::Listed(cases) => (cases, Vec::new()),
        Cases::Generated(seeds) => (Vec::new(), seeds),
    };
    let plain = cases.iter().map(|case| case.id().to_owned()).collect();
    let selected = |case: &Case| options.selection.takes(case.id());
    let cases: Vec<Case> = cases.into_iter().filter(selected).collect();
    let none = cases.is_empty() && seeds.is_empty();
    if none && Invariants::any(options.dialect, &options.selection) {
        return Err(RunError::OnlyInvariants);
    }
    if none && !options.selection.takes(PROBE_COMPLETE) {
        return Err(RunError::NothingSelected);
    }
    let generated = !seeds.is_empty();
    let (cases, seeds) = match options.shard {
        Some(shard) => (shard.of_cases(cases), shard.of_seeds(seeds)),
        None => (cases, seeds),
    };
    let (peer, facts, died) = meet(options).await?;
    let gate = Held::new(&options.gate, &cases, options.is_whole() && !generated);
    let mut told = gate.begin();
    let tell: &mut (dyn FnMut(Event) + Send) = &mut |event| tell(told.event(event));
    let cases =
        if generated { generated::about_missing(&facts) } else { cases.into_iter().map(Arc::new).collect() };
    let mut runner = Runner {
        options,
        gate: &gate,
        outcomes: vec![None; cases.len()],
        told: 0,
        invariants: Invariants::new(&facts),
        answered: facts.ping.is_some(),
        facts: Arc::new(facts),
        plain,
        generated: false,
        broken: BTreeMap::new(),
        lanes: vec![Lane::new(Some(peer))],
        cases,
        before: 0,
        seeds: seeds.into_iter(),
        shrunk: BTreeSet::new(),
        failed: false,
        held: Vec::new(),
        died,
    };
    runner.all(tell).await;
    for lane in runner.lanes {
        lane.stop().await;
    }
    Ok(())
}

/// Starts the peer and finds out what it is; and when and how it ended, where that ended it.
async fn meet(options: &Options) -> Result<(Peer, Facts, Option<(String, Death)>), RunError> {
    let starting = Peer::start(&options.target);
    let mut peer = tokio::select! {
        peer = starting => peer.map_err(RunError::Start)?,
        // What was being started is dropped, and that ends it.
        () = interrupted(options) => return Err(RunError::Interrupted),
    };
    let preflight = preflight(peer.address(), options.dialect, options.ping.as_ref(), options.patience).await;
    if preflight.as_ref().map_or(true, |facts| facts.members.is_none())
        && let Some(death) = peer.death(ENDING).await
    {
        let died = Some(("with its first connection".to_owned(), death));
        return Ok((peer, Facts::of_one_that_ended(), died));
    }
    match preflight {
        Ok(facts) => Ok((peer, facts, None)),
        Err(error) => Err(RunError::Start(StartError::Unreachable(peer.address().clone(), error))),
    }
}

/// Ends once the run is interrupted while a program starts, which may take long. A peer that is running is greeted in a moment.
async fn interrupted(options: &Options) {
    let program = !matches!(options.target, Target::Reference(_) | Target::Address(_));
    while !(program && options.interrupted.load(Ordering::Relaxed)) {
        tokio::time::sleep(LOOK).await;
    }
}

impl Runner<'_> {
    async fn all(&mut self, tell: &mut (dyn FnMut(Event) + Send)) {
        let about_probe = verdict::probe_complete(&self.facts, &self.options.selection);
        // The invariants, and the life of the peer.
        let extra = invariants(self.options.dialect).count() + 1 + usize::from(about_probe.is_some());
        let part = |shard| format!("shard {shard}: of the cases that were asked for, only this part is run");
        let notes =
            self.options.shard.map(part).into_iter().chain(self.facts.notes.iter().cloned()).collect();
        tell(Event::Started(Run {
            suite: env!("CARGO_PKG_VERSION").to_owned(),
            peer: self.facts.name.clone(),
            target: self.options.target.to_string(),
            planned: self.cases.len() + self.seeds.len() + extra,
            notes,
            gate: self.options.gate.level,
        }));
        let mut next = self.make();
        loop {
            self.these(tell).await;
            let made = next.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
            if made.is_empty() {
                break;
            }
            self.go_on_with(made);
            next = self.make();
        }
        self.never_made().for_each(|outcome| tell(Event::Judged(Box::new(outcome))));
        for lane in &mut self.lanes {
            self.died = self.died.take().or(lane.died_at_last().await);
        }
        about_probe.into_iter().for_each(|outcome| tell(Event::Judged(Box::new(outcome))));
        for outcome in self.invariants.outcomes(&self.options.command) {
            tell(Event::Judged(Box::new(outcome)));
        }
        tell(Event::Judged(Box::new(verdict::life(self.died.take()))));
        tell(Event::Ended(Ended {
            interrupted: self.is_interrupted(),
            answered: self.answered,
            stale: Vec::new(),
        }));
    }

    /// Runs the cases at hand, and tells their outcomes.
    async fn these(&mut self, tell: &mut (dyn FnMut(Event) + Send)) {
        self.rule_out();
        let open = |runner: &Self, hostile: bool| -> Vec<usize> {
            let is_open = |&at: &usize| {
                runner.outcomes[at].is_none() && runner.cases[at].transcript.header.hostile == hostile
            };
            (0..runner.cases.len()).filter(is_open).collect()
        };
        let suspects = self.side_by_side(open(self, false), tell).await;
        self.confirm(suspects, tell).await;
        self.by_themselves(open(self, true), false, tell).await;
        self.release();
        self.rest();
        if self.options.shrink && self.generated {
            self.shrink().await;
        }
        self.tell_all(tell);
    }

    /// How long a case may take: what the caller says, or more where the peer is slow to answer at all.
    fn patience(&self) -> Duration {
        self.options.patience.max(self.facts.round_trip * 50)
    }

    fn is_interrupted(&self) -> bool {
        self.options.interrupted.load(Ordering::Relaxed)
    }

    /// Gives their verdict to the cases that cannot be asked of this peer.
    fn rule_out(&mut self) {
        for (at, case) in self.cases.iter().enumerate() {
            if let Some(RuledOut { verdict, reason, rests_on }) = case.ruled_out(&self.facts) {
                let outcome = verdict::without_run(case, verdict, Some(reason));
                self.outcomes[at] = Some(Outcome { rests_on, ..outcome });
            }
        }
    }

    /// Whether no more cases are to be begun.
    fn ends(&self) -> bool {
        self.is_interrupted() || (self.options.fail_fast && self.failed)
    }

    /// Runs cases that are not hostile, several at a time; gives those that may have failed for another's sake.
    async fn side_by_side(
        &mut self,
        waiting: Vec<usize>,
        tell: &mut (dyn FnMut(Event) + Send),
    ) -> Vec<Suspect> {
        let Some(address) = self.lanes.first().and_then(Lane::address) else { return Vec::new() };
        // A client opens one connection after another.
        let one = address.host().is_some() || self.facts.missing.contains("methods/connections");
        let jobs = if one { 1 } else { self.options.jobs.max(1) };
        let mut waiting = waiting.into_iter();
        let mut running = JoinSet::new();
        let mut suspects = Vec::new();
        loop {
            while running.len() < jobs && !self.ends() {
                let Some(at) = waiting.next() else { break };
                let (case, facts) = (Arc::clone(&self.cases[at]), Arc::clone(&self.facts));
                let (address, patience) = (address.clone(), self.patience());
                running.spawn(async move {
                    let replayed = replay(&case, &address, &facts, patience).await;
                    // One that another case keeps busy is late with everything.
                    let late = cause(&replayed) == Some(Cause::Time);
                    let alert = late && {
                        let soon = Instant::now() + facts.quiet();
                        serves(&address, &facts, soon).await == Service::Served
                    };
                    // A client that is there and does not come again would keep all others from coming.
                    if let Some(host) = address.host().filter(|_| is_suspect(&replayed) && !alert)
                        && host.death(Duration::ZERO).await.is_none()
                    {
                        host.stop().await;
                    }
                    (at, replayed, alert)
                });
            }
            let Some(joined) = running.join_next().await else { break };
            let Ok((at, replayed, alert)) = joined else { continue };
            if is_suspect(&replayed) {
                suspects.push(Suspect { at, replayed, alert });
            } else {
                self.conclude(at, replayed, verdict::Life::Serves);
                self.tell(tell);
            }
        }
        suspects.sort_by_key(|suspect| suspect.at);
        suspects
    }

    /// Runs suspects again. Where the first of those that failed on time alone all fail again, the peer just does not answer: the
    /// rest need no peer to themselves.
    async fn confirm(&mut self, suspects: Vec<Suspect>, tell: &mut (dyn FnMut(Event) + Send)) {
        let (late, dead): (Vec<_>, Vec<_>) =
            suspects.into_iter().partition(|suspect| cause(&suspect.replayed) == Some(Cause::Time));
        let numbers = |suspects: Vec<Suspect>| suspects.into_iter().map(|suspect| suspect.at).collect();
        let died = match self.lanes.first_mut().filter(|_| !dead.is_empty() || !late.is_empty()) {
            Some(lane) => lane.anew().await,
            None => None,
        };
        self.by_themselves(numbers(dead), true, tell).await;
        let crashed = |outcome: &Outcome| outcome.verdict == Verdict::Crash;
        let explained =
            self.outcomes.iter().flatten().chain(self.held.iter().map(|(_, held)| held)).any(crashed);
        self.died = self.died.take().or(died.filter(|_| !explained));
        let mut late: Vec<usize> = numbers(late);
        let rest = late.split_off(SAMPLE.min(late.len()));
        self.by_themselves(late.clone(), true, tell).await;
        let failed = |at: &usize| self.outcomes[*at].as_ref().is_none_or(|it| it.verdict != Verdict::Pass);
        let lives = match self.lanes.first_mut() {
            Some(lane) if late.iter().all(failed) => lane.ready(self.options, "before").await.is_ok(),
            _ => false,
        };
        if !lives {
            return self.by_themselves(rest, true, tell).await;
        }
        let mut dead = Vec::new();
        for Suspect { at, replayed, alert } in self.side_by_side(rest, tell).await {
            if alert {
                self.conclude(at, replayed, verdict::Life::Serves);
            } else {
                dead.push(at);
            }
        }
        self.by_themselves(dead, true, tell).await;
    }

    /// The first words of a case's id, `robust/link` of `robust/link-null`: cases that share them mostly share a fate.
    fn family(&self, at: usize) -> &str {
        let id = self.cases[at].id();
        id.split_once('-').map_or(id, |(family, _)| family)
    }

    /// Runs each case on a peer that it has to itself. What ends a peer must do so on a fresh one: a fresh one is kept for a case that
    /// will likely end it, so that few are started for that alone.
    async fn by_themselves(
        &mut self,
        waiting: Vec<usize>,
        again: bool,
        tell: &mut (dyn FnMut(Event) + Send),
    ) {
        let mut waiting = VecDeque::from(waiting);
        if waiting.len() >= MANY {
            self.widen(0, PAIR);
        }
        let mut deadly = BTreeSet::new();
        let mut running = JoinSet::new();
        loop {
            while !self.ends() && !waiting.is_empty() {
                let Some(mut lane) = self.lanes.pop() else { break };
                let likely =
                    waiting.iter().position(|&at| lane.is_fresh() == deadly.contains(self.family(at)));
                let Some(at) = waiting.remove(likely.unwrap_or(0)) else { break };
                let (case, facts) = (Arc::clone(&self.cases[at]), Arc::clone(&self.facts));
                let (options, patience) = (self.options.clone(), self.patience());
                running.spawn(async move {
                    let alone = lane.run(&case, &facts, &options, patience, again).await;
                    (lane, at, alone)
                });
            }
            let Some(joined) = running.join_next().await else { break };
            let Ok((lane, at, alone)) = joined else { continue };
            if matches!(alone, Ok((_, verdict::Life::Died(_)))) {
                deadly.insert(self.family(at).to_owned());
            }
            match alone {
                Ok((replayed, life)) => self.conclude(at, replayed, life),
                // Perhaps no second one can be started beside the first: that one goes on.
                Err(_) if lane.gone.is_some() && self.lanes.len() + running.len() > 0 => {
                    waiting.push_front(at);
                }
                Err(reason) => {
                    let outcome = verdict::without_run(&self.cases[at], Verdict::Inconclusive, Some(reason));
                    self.outcomes[at] = Some(outcome);
                }
            }
            self.tell(tell);
            self.park(lane, running.len());
        }
    }

    /// Takes back a lane, and adds one after a case that harmed its peer. `busy`: how many lanes are running.
    fn park(&mut self, mut lane: Lane, busy: usize) {
        self.died = self.died.take().or(lane.died.take());
        if lane.gone.is_some() && self.lanes.len() + busy > 0 {
            return;
        }
        if lane.harmed {
            self.widen(busy + 1, *LANES);
        }
        self.lanes.insert(0, lane);
    }

    /// Adds a lane where peers are ours to start. `busy`: how many there are that are not parked.
    fn widen(&mut self, busy: usize, most: usize) {
        if self.options.target.is_many() && self.lanes.len() + busy < most.min(self.options.jobs) {
            self.lanes.push(Lane::new(None));
        }
    }

    /// Gives their verdict to the cases that were not begun.
    fn rest(&mut self) {
        let (verdict, reason) = self.unrun();
        for (outcome, case) in self.outcomes.iter_mut().zip(&self.cases).filter(|(it, _)| it.is_none()) {
            *outcome = Some(verdict::without_run(case, verdict, Some(reason.to_owned())));
        }
    }

    /// What a case gets that was not run, and why.
    fn unrun(&self) -> (Verdict, &'static str) {
        match (self.is_interrupted(), self.ends()) {
            (true, _) => (Verdict::Inconclusive, "the run was interrupted"),
            (false, true) => (Verdict::Inconclusive, "the run ended at the first failure"),
            _ => (Verdict::HarnessError, "the suite failed while this case was running"),
        }
    }

    /// Turns a replay into the outcome of its case.
    fn conclude(&mut self, at: usize, replayed: Replayed, life: verdict::Life) {
        let case = &self.cases[at];
        self.invariants.saw(case, self.before + at, &replayed);
        let outcome = verdict::outcome(case, replayed, life, &self.options.command);
        self.failed |= self.gate.gates(&outcome);
        self.answered |= outcome.verdict == Verdict::Pass && !case.transcript.header.needs.is_empty();
        if outcome.verdict != Verdict::Pass && !case.transcript.header.requires.is_empty() {
            self.held.push((at, outcome));
        } else {
            self.outcomes[at] = Some(outcome);
        }
    }

    /// Gives the held cases their verdicts: where a clause that one rests on was broken in another case, it says nothing.
    fn release(&mut self) {
        let mut held = std::mem::take(&mut self.held);
        held.sort_by_key(|(at, _)| *at);
        let all = || self.outcomes.iter().flatten().chain(held.iter().map(|(_, outcome)| outcome));
        let broken_in = |clause: &String| {
            // Where the clause has a plain case of its own name, that one tells.
            let breaks = |outcome: &&Outcome| {
                outcome.divergence.as_ref().is_some_and(|it| it.clause == *clause)
                    && (outcome.id == *clause || !self.plain.contains(clause))
            };
            self.broken.get(clause).or_else(|| all().find(breaks).map(|outcome| &outcome.id))
        };
        let broken: Vec<Option<(String, String)>> = held
            .iter()
            .map(|(at, own)| {
                self.cases[*at].transcript.header.requires.iter().find_map(|clause| {
                    let id = broken_in(clause).filter(|id| **id != own.id)?;
                    Some((clause.clone(), needs(clause, &format!("which failed in {id}"))))
                })
            })
            .collect();
        for ((at, outcome), broken) in held.into_iter().zip(broken) {
            self.outcomes[at] = Some(match broken {
                Some((clause, reason)) => Outcome {
                    rests_on: Some(clause),
                    ..verdict::without_run(&self.cases[at], Verdict::Inconclusive, Some(reason))
                },
                None => outcome,
            });
        }
        for outcome in self.outcomes.iter().flatten() {
            if let Some(divergence) = &outcome.divergence {
                self.broken.entry(divergence.clause.clone()).or_insert_with(|| outcome.id.clone());
            }
        }
    }

    /// Tells the outcomes that are next in the order of the catalogue. What generated sessions find is told once it is shrunk.
    fn tell(&mut self, tell: &mut (dyn FnMut(Event) + Send)) {
        if !self.generated {
            self.tell_all(tell);
        }
    }

    fn tell_all(&mut self, tell: &mut (dyn FnMut(Event) + Send)) {
        while let Some(Some(outcome)) = self.outcomes.get(self.told) {
            tell(Event::Judged(Box::new(outcome.clone())));
            self.told += 1;
        }
    }
}

/// Whether a replay among others may have failed for another's sake.
fn is_suspect(replayed: &Replayed) -> bool {
    cause(replayed).is_some_and(|cause| cause != Cause::Content)
}

/// What a divergence hangs on, where there is one.
fn cause(replayed: &Replayed) -> Option<Cause> {
    match &replayed.judged {
        Judged::Diverged(diverged) => Some(diverged.cause),
        Judged::Pass | Judged::NotApplicable(_) => None,
    }
}
