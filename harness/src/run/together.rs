//! Cases side by side, and a second run for those that may have failed because of another case.

use super::lane::Lane;
use super::runner::{Emit, Runner};
use crate::cases::Case;
use crate::conversation::facts::Facts;
use crate::conversation::pace::slowdown_by;
use crate::conversation::replay::judged::Replayed;
use crate::conversation::replay::replay;
use crate::conversation::service::serves;
use crate::peer::Health;
use crate::program::Route;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// The result of a case that ran among others.
struct Ran {
    at: usize,
    replayed: Replayed,
    /// Another case may be the cause of its failure.
    suspect: bool,
}

impl Runner<'_> {
    /// Runs cases that are not hostile, several at a time. Returns those that may have failed
    /// because of another case.
    pub(super) async fn run_together(&mut self, waiting: Vec<usize>, emit: Emit<'_>) -> Vec<usize> {
        let Some(route) = self.lanes.first().and_then(Lane::route) else { return Vec::new() };
        let mut waiting = waiting.into_iter();
        let mut running = JoinSet::new();
        let mut suspects = Vec::new();
        loop {
            while running.len() < self.jobs(&route) && !self.ends() {
                let Some(at) = waiting.next() else { break };
                let (case, facts) = (Arc::clone(self.batch.case(at)), Arc::clone(&self.facts));
                let patience = self.case_patience(at);
                running.spawn(run_beside_others(at, case, route.clone(), facts, patience));
            }
            let Some(joined) = running.join_next().await else { break };
            let Ok(Ran { at, replayed, suspect }) = joined else { continue };
            if suspect {
                suspects.push(at);
            } else {
                self.conclude(at, replayed, Health::Serves, emit);
            }
        }
        suspects.sort_unstable();
        suspects
    }

    /// How many cases run side by side. A client opens one connection after another.
    fn jobs(&self, route: &Route) -> usize {
        let one = route.host().is_some() || self.facts.missing.contains("methods/connections");
        if one { 1 } else { self.options.jobs.max(1) }
    }

    /// Runs suspects again by themselves, on a fresh peer.
    pub(super) async fn confirm(&mut self, suspects: Vec<usize>, emit: Emit<'_>) {
        if suspects.is_empty() {
            return;
        }
        let died = match self.lanes.first_mut() {
            Some(lane) => lane.restart().await,
            None => None,
        };
        self.run_alone(suspects, emit).await;
        if !self.has_crash() {
            self.died = self.died.take().or(died);
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
) -> Ran {
    let replayed = replay(&case, &route, &facts, patience).await;
    // A peer that another case or another program keeps busy is late with everything. If it serves a
    // new connection as fast as ever, it had the time to answer this case, too.
    let suspect = replayed.is_suspect() && !(replayed.is_silent() && is_prompt(&route, &facts).await);
    // A client that is connected and does not reconnect would keep all others from connecting.
    if let Some(host) = route.host().filter(|_| suspect)
        && host.death(Duration::ZERO).await.is_none()
    {
        host.stop().await;
    }
    Ran { at, replayed, suspect }
}

/// Whether the peer serves a new connection at once.
async fn is_prompt(route: &Route, facts: &Facts) -> bool {
    let served = serves(route, facts, route.clock().now() + facts.quiet()).await;
    served.is_ok_and(|round_trip| slowdown_by(route, facts, round_trip) == 1)
}
