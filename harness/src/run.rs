//! The run: cases side by side, then suspects and hostile cases one by one, each with a verdict and all accounted for.
//!
//! Whatever fails on time or on the peer's life while others run is run again by itself, so that a verdict is about one
//! case. Outcomes are told in the order of the catalogue, however the cases ended.

mod alone;
mod invariant;
mod verdict;

use crate::cases::{Case, PROBE_COMPLETE, Selection, invariants};
use crate::peer::{Peer, StartError};
use crate::ping::Ping;
use crate::preflight::{Facts, preflight};
use crate::replay::{Cause, Judged, Replayed, replay};
use crate::target::Target;
use dnode_reports::event::{Ended, Event, Outcome, Run, Verdict};
use dnode_spec::clause::Level;
use invariant::Invariants;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

/// What to run, against whom, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The peer.
    pub target: Target,
    /// The cases.
    pub selection: Selection,
    /// The weakest level whose failures gate.
    pub gate: Level,
    /// The call that the caller knows to be answered.
    pub ping: Option<Ping>,
    /// How many cases run side by side.
    pub jobs: usize,
    /// How long a case may take.
    pub patience: Duration,
    /// The command line up to the selection of cases: it repeats a case.
    pub command: String,
    /// Set when the caller wants the run to end.
    pub interrupted: Arc<AtomicBool>,
}

/// Why a run could not take place.
#[derive(Debug)]
pub enum RunError {
    /// There is no peer.
    Start(StartError),
    /// The selection names no case.
    NothingSelected,
    /// The selection names only what is judged on the lines of other cases.
    OnlyInvariants,
}

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RunError::Start(error) => error.fmt(f),
            RunError::NothingSelected => {
                f.write_str("caller: no case has such an id; `dnode-conform list` shows them all")
            }
            RunError::OnlyInvariants => f.write_str(
                "caller: the always/ cases are judged on the lines of all other cases; select some of those too, for \
                 example the one that a finding names",
            ),
        }
    }
}

impl std::error::Error for RunError {}

/// What the monitor saw in one case.
type Broken = BTreeMap<&'static str, dnode_spec::message::Problem>;

struct Runner<'a> {
    options: &'a Options,
    facts: Arc<Facts>,
    peer: Peer,
    cases: Vec<Arc<Case>>,
    outcomes: Vec<Option<Outcome>>,
    told: usize,
    invariants: Invariants,
    /// The case after which the peer was gone for good.
    gone: Option<String>,
    answered: bool,
}

/// Runs the cases against the target and tells `tell` what happens.
///
/// # Errors
/// [`RunError`] where nothing could be run.
pub async fn run(
    options: &Options,
    cases: Vec<Case>,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Result<(), RunError> {
    let selected = |case: &Case| options.selection.takes(case.id());
    let cases: Vec<Arc<Case>> = cases.into_iter().filter(selected).map(Arc::new).collect();
    if cases.is_empty() && Invariants::any(&options.selection) {
        return Err(RunError::OnlyInvariants);
    }
    if cases.is_empty() && !options.selection.takes(PROBE_COMPLETE) {
        return Err(RunError::NothingSelected);
    }
    let peer = Peer::start(&options.target).await.map_err(RunError::Start)?;
    let facts = preflight(peer.address(), options.ping.as_ref(), options.patience).await;
    let facts =
        facts.map_err(|error| RunError::Start(StartError::Unreachable(peer.address().to_owned(), error)))?;
    let mut runner = Runner {
        options,
        outcomes: vec![None; cases.len()],
        told: 0,
        invariants: Invariants::new(&facts),
        gone: None,
        answered: facts.ping.is_some(),
        facts: Arc::new(facts),
        peer,
        cases,
    };
    runner.all(tell).await;
    runner.peer.stop().await;
    Ok(())
}

impl Runner<'_> {
    async fn all(&mut self, tell: &mut (dyn FnMut(Event) + Send)) {
        let about_probe = verdict::probe_complete(&self.facts, &self.options.selection);
        let extra = invariants().count() + usize::from(about_probe.is_some());
        tell(Event::Started(Run {
            suite: env!("CARGO_PKG_VERSION").to_owned(),
            peer: self.facts.name.clone(),
            target: self.options.target.to_string(),
            planned: self.cases.len() + extra,
            notes: self.facts.notes.clone(),
            gate: self.options.gate,
        }));
        self.rule_out();
        let suspects = self.side_by_side(tell).await;
        for at in suspects {
            self.alone(at, true).await;
            self.tell(tell);
        }
        for at in 0..self.cases.len() {
            if self.outcomes[at].is_none() {
                self.alone(at, false).await;
                self.tell(tell);
            }
        }
        self.tell(tell);
        about_probe.into_iter().for_each(|outcome| tell(Event::Judged(Box::new(outcome))));
        let command = self.options.command.clone();
        for outcome in self.invariants.outcomes(&command, &self.cases) {
            tell(Event::Judged(Box::new(outcome)));
        }
        tell(Event::Ended(Ended { interrupted: self.is_interrupted(), answered: self.answered }));
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
            if let Some((verdict, reason)) = case.ruled_out(&self.facts) {
                self.outcomes[at] = Some(verdict::without_run(case, verdict, Some(reason)));
            }
        }
    }

    /// Runs what is not hostile, several cases at a time; says which of them are to be run again by themselves.
    async fn side_by_side(&mut self, tell: &mut (dyn FnMut(Event) + Send)) -> Vec<usize> {
        let jobs =
            if self.facts.missing.contains("methods/connections") { 1 } else { self.options.jobs.max(1) };
        let waiting: Vec<usize> = (0..self.cases.len())
            .filter(|&at| self.outcomes[at].is_none() && !self.cases[at].transcript.header.hostile)
            .collect();
        let mut waiting = waiting.into_iter();
        let mut running = JoinSet::new();
        let mut suspects = Vec::new();
        loop {
            while running.len() < jobs && !self.is_interrupted() {
                let Some(at) = waiting.next() else { break };
                let (case, facts) = (Arc::clone(&self.cases[at]), Arc::clone(&self.facts));
                let (address, patience) = (self.peer.address().to_owned(), self.patience());
                running
                    .spawn(async move { (at, replay(&case.transcript, &address, &facts, patience).await) });
            }
            let Some(joined) = running.join_next().await else { break };
            let Ok((at, replayed)) = joined else { continue };
            if is_suspect(&replayed) {
                suspects.push(at);
            } else {
                self.conclude(at, replayed, verdict::Life::Serves);
                self.tell(tell);
            }
        }
        suspects.sort_unstable();
        suspects
    }

    /// Turns a replay into the outcome of its case.
    fn conclude(&mut self, at: usize, replayed: Replayed, life: verdict::Life) {
        let case = &self.cases[at];
        self.invariants.saw(case.id(), at, &replayed);
        let outcome = verdict::outcome(case, replayed, life, &self.options.command);
        self.answered |= outcome.verdict == Verdict::Pass && !case.transcript.header.needs.is_empty();
        self.outcomes[at] = Some(outcome);
    }

    /// Tells the outcomes that are next in the order of the catalogue.
    fn tell(&mut self, tell: &mut (dyn FnMut(Event) + Send)) {
        while let Some(Some(outcome)) = self.outcomes.get(self.told) {
            tell(Event::Judged(Box::new(outcome.clone())));
            self.told += 1;
        }
    }
}

/// Whether a replay among others may have failed for another's sake.
fn is_suspect(replayed: &Replayed) -> bool {
    matches!(&replayed.judged, Judged::Diverged(diverged) if diverged.cause != Cause::Content)
}
