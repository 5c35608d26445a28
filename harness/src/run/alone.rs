//! One case by itself: suspects, hostile cases, and whatever a peer that died left over.

use super::verdict::{self, Life};
use super::{Runner, is_suspect};
use crate::peer::Health;
use crate::replay::{Judged, replay};
use dnode_reports::event::Verdict;
use std::sync::Arc;

/// How much longer a suspect may take when it is run again.
const PATIENCE: u32 = 3;

impl Runner<'_> {
    /// Runs one case alone, and looks at the peer afterwards where the case may have harmed it.
    pub(super) async fn alone(&mut self, at: usize, again: bool) {
        let case = Arc::clone(&self.cases[at]);
        if self.is_interrupted() {
            let reason = "the run was interrupted".to_owned();
            self.outcomes[at] = Some(verdict::without_run(&case, Verdict::Inconclusive, Some(reason)));
            return;
        }
        if let Err(reason) = self.ready(case.id()).await {
            self.outcomes[at] = Some(verdict::without_run(&case, Verdict::Inconclusive, Some(reason)));
            return;
        }
        let patience = self.patience() * if again { PATIENCE } else { 1 };
        let address = self.peer.address().to_owned();
        let mut replayed = replay(&case.transcript, &address, &self.facts, patience).await;
        let mut life = self.life(&case, &replayed).await;
        if !again && matches!(life, Life::Serves) && is_suspect(&replayed) {
            // It failed on time or on its connection, and the peer lives: once more with more patience.
            replayed = replay(&case.transcript, &address, &self.facts, patience * PATIENCE).await;
            life = self.life(&case, &replayed).await;
        }
        if !matches!(life, Life::Serves) {
            self.recover(case.id()).await;
        }
        self.conclude(at, replayed, life);
    }

    /// What the case did to the peer.
    async fn life(&mut self, case: &crate::cases::Case, replayed: &crate::replay::Replayed) -> Life {
        let harmless = matches!(replayed.judged, Judged::Pass | Judged::NotApplicable(_));
        if harmless && !case.transcript.header.hostile {
            return Life::Serves;
        }
        let health =
            self.peer.health(self.facts.ping.as_ref(), self.facts.by, self.patience() * PATIENCE).await;
        match health {
            Health::Serves => Life::Serves,
            Health::Died(death) => Life::Died(Some(death)),
            Health::Refuses => Life::Died(None),
            Health::Deaf => Life::Deaf,
        }
    }

    /// Makes sure that there is a peer to ask.
    async fn ready(&mut self, case: &str) -> Result<(), String> {
        if let Some(cause) = &self.gone {
            return Err(format!("the peer no longer serves connections since the case {cause}"));
        }
        if self.peer.death(std::time::Duration::ZERO).await.is_some() {
            self.recover(case).await;
            if self.gone.is_some() {
                return Err("the peer's program cannot be started again".to_owned());
            }
        }
        Ok(())
    }

    /// Starts the peer again after `cause`, where it is ours to start.
    async fn recover(&mut self, cause: &str) {
        if !self.peer.is_ours() || self.peer.restart().await.is_err() {
            self.gone = Some(cause.to_owned());
        }
    }
}
