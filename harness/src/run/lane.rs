//! A lane: a peer that one case at a time has to itself.
//!
//! There is one lane, or two for many cases, until a case harms its peer or times out. From
//! then on, if we can start peers, there are several, so that a run does not wait for each start
//! and each deadline in turn. One more lane is set aside as long as cases that mostly wait use its
//! peer.

use crate::cases::Case;
use crate::conversation::facts::Facts;
use crate::conversation::pace::replay_at_its_pace;
use crate::conversation::replay::judged::{Judged, Replayed};
use crate::peer::{Health, Peer, Slot};
use crate::program::{Route, Target};
use dnode_reports::event::Death;
use std::num::NonZero;
use std::sync::LazyLock;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

/// How long the process of a lane may take to end after the last case, of its own time. Nothing
/// looks wrong there, so the wait is short: every run pays for it.
const LAST: Duration = Duration::from_millis(20);

/// How many lanes there are for so many cases, even if no case has harmed its peer: while one peer
/// parses a long line, another can work.
pub(super) const PAIR: usize = 2;
pub(super) const MANY: usize = 8;

/// How many lanes there are at most. With more programs starting than this machine has processors
/// for, all of them are late.
pub(super) static LANES: LazyLock<usize> =
    LazyLock::new(|| (2 * available_parallelism().map_or(1, NonZero::get)).min(6));

/// When a peer ended that served several cases at once.
const BESIDE: &str = "while several cases were running, and none of them ends it by itself";

/// A peer that one case at a time has to itself.
pub(super) struct Lane {
    slot: Slot,
    /// Why no peer can run here any longer.
    gone: Option<String>,
    /// A case has harmed the peer, or kept it busy for long.
    harmed: bool,
    /// When and how the peer ended, if no case ended it.
    died: Option<(String, Death)>,
    /// The case that ran last on this peer.
    last: Option<String>,
    /// Several cases at once have run on this peer.
    shared: bool,
    /// The case after which there is no peer until the next case needs one.
    vacated: Option<String>,
}

/// How long to wait in a case by itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For the answers of the case.
    pub(super) case: Duration,
    /// For a sign that the peer still serves after the case. A peer that is still processing a long
    /// message is busy, not hung, so this grows like the deadline of the case.
    pub(super) health: Duration,
}

/// The result of a case by itself.
pub(super) enum Alone {
    /// The replay, and the health of the peer after it.
    Ran(Box<Replayed>, Health),
    /// There is no peer, for this reason.
    Gone(String),
}

impl Lane {
    /// A lane that starts its peer for its first case.
    pub(super) fn new(target: &Target) -> Lane {
        Lane::from(Slot::new(target))
    }

    /// A lane with this peer.
    pub(super) fn with(peer: Peer) -> Lane {
        Lane::from(Slot::from(peer))
    }

    /// Whether no case has run on its peer, or the next case starts one.
    pub(super) fn is_fresh(&self) -> bool {
        self.last.is_none() && !self.shared
    }

    /// Whether the next case starts its peer.
    pub(super) fn is_empty(&self) -> bool {
        self.slot.is_empty()
    }

    /// Several cases at once run on its peer.
    pub(super) fn share(&mut self) {
        self.shared = true;
    }

    /// Whether no peer can run here any longer.
    pub(super) fn is_gone(&self) -> bool {
        self.gone.is_some()
    }

    /// Whether a case has harmed its peer.
    pub(super) fn is_harmed(&self) -> bool {
        self.harmed
    }

    /// Whether its peer can be started again.
    pub(super) fn is_ours(&self) -> bool {
        self.slot.is_ours()
    }

    /// When and how its peer ended, if no case ended it and this was not taken before.
    pub(super) fn take_death(&mut self) -> Option<(String, Death)> {
        self.died.take()
    }

    /// The route of its peer, if one runs.
    pub(super) fn route(&self) -> Option<Route> {
        self.slot.route()
    }

    /// Whether its peer has ended since the last case, and how.
    pub(super) async fn died_since(&mut self) -> Option<(String, Death)> {
        self.has_died(LAST).await;
        self.died.take()
    }

    /// Ends its peer.
    pub(super) async fn stop(self) {
        self.slot.stop().await;
    }

    /// Runs one case, and checks the peer afterwards if the case may have harmed it.
    pub(super) async fn run(&mut self, case: &Case, facts: &Facts, patience: Patience) -> Alone {
        match self.try_run(case, facts, patience).await {
            Ok((replayed, health)) => {
                self.clean_up(case, &replayed, &health).await;
                Alone::Ran(Box::new(replayed), health)
            }
            Err(reason) => Alone::Gone(reason),
        }
    }

    async fn try_run(
        &mut self,
        case: &Case,
        facts: &Facts,
        patience: Patience,
    ) -> Result<(Replayed, Health), String> {
        let (mut replayed, mut health) = self.timed(case, facts, patience).await?;
        if let (Health::Died(death), Some(when)) = (&health, self.traces()) {
            // An earlier case may have ended the peer a moment too late. A case that ends a peer
            // also ends a fresh one.
            let death = death.clone();
            self.refresh(case.id()).await;
            if self.gone.is_none() {
                (replayed, health) = self.timed(case, facts, patience).await?;
            }
            if !health.is_gone() {
                self.died.get_or_insert((when, death));
            }
        }
        Ok((replayed, health))
    }

    /// Runs one case and checks the peer. The time of the case does not include the start of a peer.
    async fn timed(
        &mut self,
        case: &Case,
        facts: &Facts,
        patience: Patience,
    ) -> Result<(Replayed, Health), String> {
        if self.has_died(Duration::ZERO).await {
            self.recover(case.id()).await;
        }
        self.ready().await?;
        let route = self.route().ok_or("the peer is gone")?;
        let (begun, tap) = (Instant::now(), route.taps().open());
        let mut replayed = replay_at_its_pace(case, &route, facts, patience.case).await;
        let health = self.health(case, &replayed, facts, patience.health).await;
        replayed.stderr = tap.text();
        replayed.took = Some(begun.elapsed());
        Ok((replayed, health))
    }

    /// The health of the peer after a case that may have harmed it.
    async fn health(
        &mut self,
        case: &Case,
        replayed: &Replayed,
        facts: &Facts,
        patience: Duration,
    ) -> Health {
        let harmless = matches!(replayed.judged, Judged::Pass | Judged::NotApplicable(_));
        match self.slot.peer().filter(|_| !harmless || case.transcript.header.hostile) {
            Some(peer) => peer.health_after(replayed, facts, patience).await,
            None => Health::Serves,
        }
    }

    /// Makes sure that the next case has a peer without the traces of this one. If that takes a
    /// new peer, the next case starts it: after the last case, there is none.
    async fn clean_up(&mut self, case: &Case, replayed: &Replayed, health: &Health) {
        self.last = Some(case.id().to_owned());
        self.harmed |= replayed.is_suspect();
        if !health.is_good() {
            self.recover(case.id()).await;
        } else if replayed.diverged().is_some() && case.transcript.header.hostile {
            self.vacate(case.id()).await;
        }
    }

    /// The health of the peer after several cases that ran on it, of which this was the last.
    pub(super) async fn health_after_group(
        &mut self,
        last: &str,
        facts: &Facts,
        patience: Duration,
    ) -> Health {
        self.last = Some(last.to_owned());
        let Some(peer) = self.slot.peer() else { return Health::Refuses };
        let mut health = peer.health(facts, patience).await;
        // A peer that closes what exceeds its number of connections may still have been busy.
        if !health.is_good() && !peer.is_ours() {
            health = peer.health(facts, patience).await;
        }
        self.harmed |= !health.is_good();
        health
    }

    /// Whether the peer serves no connection after this case, but has not ended.
    pub(super) async fn is_hung(&mut self, replayed: &Replayed, facts: &Facts, patience: Duration) -> bool {
        let Some(peer) = self.slot.peer() else { return false };
        let hangs = matches!(peer.health_after(replayed, facts, patience).await, Health::Deaf(_));
        self.harmed |= hangs;
        hangs
    }

    /// No case can run here any longer, for this reason.
    pub(super) fn lose(&mut self, reason: String) {
        self.gone = Some(reason);
    }

    /// Makes sure that there is a peer; otherwise returns the reason.
    pub(super) async fn ready(&mut self) -> Result<(), String> {
        if self.gone.is_none() && self.slot.ready().await.is_err() {
            let after = self.vacated.as_ref().map(|case| format!(" after the case {case}"));
            let after = after.unwrap_or_default();
            self.gone = Some(format!("the peer's program cannot be started again{after}"));
        }
        match &self.gone {
            Some(reason) => Err(reason.clone()),
            None => Ok(()),
        }
    }

    /// Replaces the peer by a fresh one, because several cases at once may have left traces.
    /// Returns whether and how the old one had ended.
    pub(super) async fn restart(&mut self) -> Option<(String, Death)> {
        let ended = self.has_died(Duration::ZERO).await;
        self.refresh("that ran last").await;
        self.died.take().filter(|_| ended)
    }

    /// Whether the peer has ended while no case was running on it. This is remembered.
    async fn has_died(&mut self, wait: Duration) -> bool {
        let Some(peer) = self.slot.peer() else { return false };
        let Some(death) = peer.death(wait).await else { return false };
        let when = self.traces().unwrap_or_else(|| BESIDE.to_owned());
        self.died.get_or_insert((when, death));
        true
    }

    /// What may have left traces in the peer; `None` if it is fresh. It says when a peer ended that
    /// no case ends by itself. The last case need not be the cause: the peer may have run out of
    /// memory, for example.
    fn traces(&self) -> Option<String> {
        let last = self.last.as_ref();
        let last = last.map(|case| format!("after the case {case}; an earlier case may be the cause"));
        last.or_else(|| self.shared.then(|| BESIDE.to_owned()))
    }

    /// Ends a peer after `cause` if the next case can start another one.
    async fn recover(&mut self, cause: &str) {
        self.harmed = true;
        match self.slot.is_ours() {
            true => self.vacate(cause).await,
            false => {
                self.gone = Some(format!("the peer no longer serves connections since the case {cause}"))
            }
        }
    }

    /// Replaces a peer that is ours by a fresh one.
    async fn refresh(&mut self, cause: &str) {
        if self.slot.is_ours() {
            self.vacate(cause).await;
            let _ = self.ready().await;
        }
    }

    /// Ends a peer that is ours. The next case starts a fresh one.
    async fn vacate(&mut self, cause: &str) {
        if self.slot.is_ours() {
            self.slot.discard().await;
            (self.last, self.shared, self.vacated) = (None, false, Some(cause.to_owned()));
        }
    }
}

impl From<Slot> for Lane {
    fn from(slot: Slot) -> Lane {
        Lane { slot, gone: None, harmed: false, died: None, last: None, shared: false, vacated: None }
    }
}
