//! Cases side by side, and a second run for those that may have failed because of another case.

use super::lane::Lane;
use super::runner::{Emit, Runner};
use crate::cases::Case;
use crate::conversation::facts::Facts;
use crate::conversation::replay::judged::{Cause, Replayed};
use crate::conversation::replay::replay;
use crate::conversation::service::serves;
use crate::peer::Health;
use crate::program::Route;
use dnode_reports::event::Verdict;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// How many suspects must fail again by themselves before all others run again side by side.
const SAMPLE: usize = 4;

/// A case that failed among others, perhaps because of one of them.
pub(super) struct Suspect {
    at: usize,
    replayed: Replayed,
    /// It only timed out, and at that moment the peer served a new connection at once.
    alert: bool,
}

impl Runner<'_> {
    /// Runs cases that are not hostile, several at a time. Returns those that may have failed
    /// because of another case.
    pub(super) async fn run_together(&mut self, waiting: Vec<usize>, emit: Emit<'_>) -> Vec<Suspect> {
        let Some(route) = self.lanes.first().and_then(Lane::route) else { return Vec::new() };
        let mut waiting = waiting.into_iter();
        let mut running = JoinSet::new();
        let mut suspects = Vec::new();
        loop {
            while running.len() < self.jobs(&route) && !self.ends() {
                let Some(at) = waiting.next() else { break };
                let (case, facts) = (Arc::clone(self.batch.case(at)), Arc::clone(&self.facts));
                running.spawn(run_beside_others(at, case, route.clone(), facts, self.patience()));
            }
            let Some(joined) = running.join_next().await else { break };
            let Ok(Suspect { at, replayed, alert }) = joined else { continue };
            if replayed.is_suspect() {
                suspects.push(Suspect { at, replayed, alert });
            } else {
                self.conclude(at, replayed, Health::Serves, emit);
            }
        }
        suspects.sort_by_key(|suspect| suspect.at);
        suspects
    }

    /// How many cases run side by side. A client opens one connection after another.
    fn jobs(&self, route: &Route) -> usize {
        let one = route.host().is_some() || self.facts.missing.contains("methods/connections");
        if one { 1 } else { self.options.jobs.max(1) }
    }

    /// Runs suspects again by themselves, on a fresh peer. Many may only have timed out. If
    /// the first few of those all fail again, the peer simply does not answer, and the others run
    /// again side by side.
    pub(super) async fn confirm(&mut self, suspects: Vec<Suspect>, emit: Emit<'_>) {
        if suspects.is_empty() {
            return;
        }
        let died = match self.lanes.first_mut() {
            Some(lane) => lane.restart().await,
            None => None,
        };
        let is_late = |suspect: &Suspect| suspect.replayed.cause() == Some(Cause::Time);
        let (late, dead): (Vec<_>, Vec<_>) = suspects.into_iter().partition(is_late);
        self.run_alone(dead.iter().map(|suspect| suspect.at).collect(), true, emit).await;
        if !self.has_crash() {
            self.died = self.died.take().or(died);
        }
        let mut sample: Vec<usize> = late.iter().map(|suspect| suspect.at).collect();
        let rest = sample.split_off(SAMPLE.min(sample.len()));
        self.run_alone(sample.clone(), true, emit).await;
        if self.all_failed(&sample) && self.is_ready().await {
            self.confirm_together(rest, emit).await;
        } else {
            self.run_alone(rest, true, emit).await;
        }
    }

    /// Runs late suspects again side by side. The verdict of one counts if the peer was alert when
    /// it failed.
    async fn confirm_together(&mut self, late: Vec<usize>, emit: Emit<'_>) {
        let mut unclear = Vec::new();
        for Suspect { at, replayed, alert } in self.run_together(late, emit).await {
            if alert {
                self.conclude(at, replayed, Health::Serves, emit);
            } else {
                unclear.push(at);
            }
        }
        self.run_alone(unclear, true, emit).await;
    }

    fn all_failed(&self, cases: &[usize]) -> bool {
        let passed = |at: &usize| self.batch.outcome(*at).is_some_and(|it| it.verdict == Verdict::Pass);
        !cases.iter().any(passed)
    }

    async fn is_ready(&mut self) -> bool {
        match self.lanes.first_mut() {
            Some(lane) => lane.ready().await.is_ok(),
            None => false,
        }
    }
}

/// Runs one case while others run.
async fn run_beside_others(
    at: usize,
    case: Arc<Case>,
    route: Route,
    facts: Arc<Facts>,
    patience: Duration,
) -> Suspect {
    let replayed = replay(&case, &route, &facts, patience).await;
    // A peer that another case keeps busy is late with everything.
    let alert = replayed.cause() == Some(Cause::Time)
        && serves(&route, &facts, route.clock().now() + facts.quiet()).await.is_ok();
    // A client that is connected and does not reconnect would keep all others from connecting.
    if let Some(host) = route.host().filter(|_| replayed.is_suspect() && !alert)
        && host.death(Duration::ZERO).await.is_none()
    {
        host.stop().await;
    }
    Suspect { at, replayed, alert }
}
