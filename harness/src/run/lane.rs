//! Cases by themselves: suspects, hostile cases, and whatever a peer that died left over.
//!
//! A lane is a peer that one case at a time has to itself. There is one lane, or two for many cases, until a case harms its peer or fails
//! on time; from then on, where peers are ours to start, there are several, so that a run does not wait for each start and each deadline
//! by itself.

use super::verdict::Life;
use super::{Options, is_suspect};
use crate::cases::Case;
use crate::peer::{DYING, Health, Peer};
use crate::conversation::facts::Facts;
use crate::conversation::replay::{Judged, Replayed, replay};
use dnode::transport::Address;
use dnode_reports::event::Death;
use std::num::NonZero;
use std::sync::LazyLock;
use std::thread::available_parallelism;
use std::time::Duration;

/// How much longer a suspect may take when it is run again.
pub(super) const PATIENCE: u32 = 3;

/// How long a process that closed its last connection may take to end.
const ENDING: Duration = Duration::from_millis(20);

/// How many lanes there are for this many cases, also where none has harmed its peer: while a peer takes apart what is long, another can.
pub(super) const PAIR: usize = 2;
pub(super) const MANY: usize = 8;

/// How many lanes there are at most: more start programs than this machine has processors for, and all are late.
pub(super) static LANES: LazyLock<usize> =
    LazyLock::new(|| (2 * available_parallelism().map_or(1, NonZero::get)).min(6));

/// A peer that one case at a time has to itself.
pub(super) struct Lane {
    peer: Option<Peer>,
    /// Why there is no peer any more.
    pub(super) gone: Option<String>,
    /// A case has harmed the peer, or kept it long.
    pub(super) harmed: bool,
    /// The peer ended in no case: when, and how.
    pub(super) died: Option<(String, Death)>,
    /// The case that ran last.
    last: Option<String>,
}

/// What a case by itself gave; or why it could not be run.
pub(super) type Alone = Result<(Replayed, Life), String>;

impl Lane {
    /// A lane with this peer; without one, it starts its own when a case comes.
    pub(super) fn new(peer: Option<Peer>) -> Lane {
        Lane { peer, gone: None, harmed: false, died: None, last: None }
    }

    /// Whether no case has run on its peer.
    pub(super) fn is_fresh(&self) -> bool {
        self.last.is_none()
    }

    /// Where its peer listens, if it has one.
    pub(super) fn address(&self) -> Option<Address> {
        self.peer.as_ref().map(|peer| peer.address().clone())
    }

    /// Whether its peer has ended since the last case, and how.
    pub(super) async fn died_at_last(&mut self) -> Option<(String, Death)> {
        self.has_died(ENDING).await;
        self.died.take()
    }

    /// Ends its peer.
    pub(super) async fn stop(self) {
        if let Some(peer) = self.peer {
            peer.stop().await;
        }
    }

    /// Runs one case, and looks at the peer afterwards where the case may have harmed it. `again`: it is a suspect.
    pub(super) async fn run(
        &mut self,
        case: &Case,
        facts: &Facts,
        options: &Options,
        patience: Duration,
        again: bool,
    ) -> Alone {
        self.ready(options, case.id()).await?;
        let first = patience * if again { PATIENCE } else { 1 };
        let Some(address) = self.address() else { return Err("the peer is gone".to_owned()) };
        let mut replayed = replay(case, &address, facts, first).await;
        if again && replayed.lines == 0 && matches!(replayed.judged, Judged::Diverged(_)) {
            // It ended, or was busy with another case, before this one could begin.
            if !self.has_died(if replayed.is_refused() { DYING } else { Duration::ZERO }).await {
                self.refresh(case.id()).await;
            }
            self.ready(options, case.id()).await?;
            let Some(address) = self.address() else { return Err("the peer is gone".to_owned()) };
            replayed = replay(case, &address, facts, first).await;
        }
        let Some(address) = self.address() else { return Err("the peer is gone".to_owned()) };
        let mut life = self.life(case, &replayed, facts, patience).await;
        if !again && matches!(life, Life::Serves) && is_suspect(&replayed) {
            // It failed on time or on its connection, and the peer lives: once more with more patience.
            replayed = replay(case, &address, facts, patience * PATIENCE).await;
            life = self.life(case, &replayed, facts, patience).await;
        }
        if let (Life::Died(Some(death)), Some(last)) = (&life, self.last.clone()) {
            // It may have been on its way to its end before this case began: a case ends a peer that is fresh, or none.
            let death = death.clone();
            self.refresh(case.id()).await;
            if let Some(address) = self.address().filter(|_| self.gone.is_none()) {
                replayed = replay(case, &address, facts, first).await;
                life = self.life(case, &replayed, facts, patience).await;
            }
            if !matches!(life, Life::Died(_)) {
                self.died.get_or_insert((format!("after the case {last}"), death));
            }
        }
        self.last = Some(case.id().to_owned());
        self.harmed |= is_suspect(&replayed);
        let diverged = matches!(replayed.judged, Judged::Diverged(_));
        if !matches!(life, Life::Serves) {
            self.recover(case.id()).await;
        } else if diverged && case.transcript.header.hostile {
            // What a hostile case has left behind must not be the next one's fault.
            self.refresh(case.id()).await;
        }
        Ok((replayed, life))
    }

    /// What the case did to the peer.
    async fn life(&mut self, case: &Case, replayed: &Replayed, facts: &Facts, patience: Duration) -> Life {
        let harmless = matches!(replayed.judged, Judged::Pass | Judged::NotApplicable(_));
        let Some(peer) = self.peer.as_mut().filter(|_| !harmless || case.transcript.header.hostile) else {
            return Life::Serves;
        };
        // Who is busy with what is long is not deaf.
        match peer.health(facts, patience + replayed.more).await {
            Health::Serves => Life::Serves,
            Health::Died(death) => Life::Died(Some(death)),
            Health::Refuses => Life::Died(None),
            Health::Deaf => Life::Deaf,
        }
    }

    /// Makes sure that there is a peer to ask.
    pub(super) async fn ready(&mut self, options: &Options, case: &str) -> Result<(), String> {
        if self.has_died(Duration::ZERO).await {
            self.recover(case).await;
        } else if self.peer.is_none() && self.gone.is_none() {
            match Peer::start(&options.target).await {
                Ok(peer) => self.peer = Some(peer),
                Err(_) => self.gone = Some("the peer's program cannot be started again".to_owned()),
            }
        }
        match &self.gone {
            Some(reason) => Err(reason.clone()),
            None => Ok(()),
        }
    }

    /// A fresh peer, where it is ours: what several cases at once have left behind must not be the fault of one. Says whether and how
    /// the old one had ended.
    pub(super) async fn anew(&mut self) -> Option<(String, Death)> {
        let ended = self.has_died(Duration::ZERO).await;
        self.refresh("that ran last").await;
        self.died.take().filter(|_| ended)
    }

    /// Whether the peer has ended while no case was running on it. It is remembered.
    async fn has_died(&mut self, wait: Duration) -> bool {
        let Some(peer) = self.peer.as_mut() else { return false };
        let Some(death) = peer.death(wait).await else { return false };
        let when = match &self.last {
            Some(case) => format!("after the case {case}"),
            None => "while several cases were running, and none of them ends it by itself".to_owned(),
        };
        self.died.get_or_insert((when, death));
        true
    }

    /// Starts the peer again after `cause`, where it is ours to start.
    async fn recover(&mut self, cause: &str) {
        self.harmed = true;
        if !self.peer.as_ref().is_some_and(Peer::is_ours) {
            self.gone = Some(format!("the peer no longer serves connections since the case {cause}"));
            return;
        }
        self.refresh(cause).await;
    }

    /// Replaces a peer that is ours by a fresh one.
    async fn refresh(&mut self, cause: &str) {
        let Some(peer) = self.peer.as_mut().filter(|peer| peer.is_ours()) else { return };
        self.last = None;
        if peer.restart().await.is_err() {
            self.gone = Some(format!("the peer's program cannot be started again after the case {cause}"));
        }
    }
}
