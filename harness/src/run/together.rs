//! Cases side by side, and a second run for those that may have failed because of another case.

use super::beside::{Beside, Ran, run_beside_others};
use super::lane::Lane;
use super::runner::{Emit, Runner};
use crate::conversation::replay::judged::Judged;
use crate::peer::Health;
use crate::program::Route;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinError, JoinSet};

/// How many times more cases run side by side if they only wait.
const WAITING: usize = 4;

/// From this quiet time on, a case mostly waits.
const QUIET: Duration = Duration::from_millis(200);

impl Runner<'_> {
    /// Runs cases that are not hostile, several at a time. Those that may have failed because of
    /// another case are kept for [`Runner::confirm`].
    ///
    /// Cases that mostly wait begin first, and go on while others run by themselves:
    /// [`Runner::end_quiet`] is their end.
    pub(super) async fn run_together(&mut self, waiting: Vec<usize>, emit: Emit<'_>) {
        let Some(mut route) = self.lanes.first().and_then(Lane::route) else { return };
        let jobs = self.jobs(&route);
        let is_quiet = |at: &usize| {
            let case = self.batch.case(*at);
            jobs > 1 && (case.transcript.quiet_time() >= QUIET || self.facts.misses(case))
        };
        let (quiet, waiting): (Vec<usize>, Vec<usize>) = waiting.into_iter().partition(is_quiet);
        let quiet = if self.ends() { Vec::new() } else { quiet };
        for at in quiet {
            self.quiet.spawn(run_beside_others(self.beside(at, &route)));
        }
        let mut waiting = waiting.into_iter();
        let (mut running, mut begun) = (JoinSet::new(), BTreeSet::new());
        loop {
            while running.len() < jobs && !self.ends() {
                let Some(at) = waiting.next() else { break };
                begun.insert(at);
                running.spawn(run_beside_others(self.beside(at, &route)));
            }
            let Some(joined) = running.join_next().await else { break };
            let is_hung = match &joined {
                Ok(ran) => begun.remove(&ran.at) && self.is_hung(ran).await,
                Err(_) => false,
            };
            self.joined(joined, emit);
            if is_hung {
                // All cases on this process would wait in vain.
                running.shutdown().await;
                self.suspects.append(&mut std::mem::take(&mut begun).into_iter().collect());
                let Some(fresh) = self.restart_hung().await else {
                    self.suspects.extend(waiting);
                    return;
                };
                route = fresh;
            }
        }
    }

    /// Whether the peer hangs as a whole after this case, and can be started again.
    async fn is_hung(&mut self, ran: &Ran) -> bool {
        let (facts, patience) = (Arc::clone(&self.facts), self.patience());
        match self.lanes.first_mut() {
            Some(lane) if ran.suspect && lane.is_ours() => {
                lane.is_hung(&ran.replayed, &facts, patience).await
            }
            _ => false,
        }
    }

    /// Replaces a peer that hangs. Returns the route of the fresh one.
    async fn restart_hung(&mut self) -> Option<Route> {
        let lane = self.lanes.first_mut()?;
        let died = lane.restart().await;
        self.died_beside = self.died_beside.take().or(died);
        lane.route()
    }

    /// Waits for the end of the cases that mostly wait. Hostile cases may have run beside them, so
    /// each that did not pass is suspect, unless the preflight saw the same silence.
    pub(super) async fn end_quiet(&mut self, emit: Emit<'_>) {
        while let Some(joined) = self.quiet.join_next().await {
            let is_known = |ran: &Ran| ran.replayed.is_silent() && self.facts.misses(self.batch.case(ran.at));
            let suspect = |ran: Ran| {
                let suspect = ran.suspect || ran.replayed.judged != Judged::Pass && !is_known(&ran);
                Ran { suspect, ..ran }
            };
            self.joined(joined.map(suspect), emit);
        }
    }

    /// A case with the route and the deadline, to run while others run.
    pub(super) fn beside(&self, at: usize, route: &Route) -> Beside {
        Beside {
            at,
            case: Arc::clone(self.batch.case(at)),
            route: route.clone(),
            facts: Arc::clone(&self.facts),
            patience: self.case_patience(at),
            running: self.options.running.clone(),
        }
    }

    /// Concludes a case that ran among others, unless it is suspect.
    fn joined(&mut self, joined: Result<Ran, JoinError>, emit: Emit<'_>) {
        match joined {
            Ok(Ran { at, suspect: true, .. }) => self.suspects.push(at),
            Ok(Ran { at, replayed, .. }) => self.conclude(at, replayed, Health::Serves, emit),
            Err(_) => {}
        }
    }

    /// How many cases run side by side. A client opens one connection after another. Cases against
    /// a peer that answers no call mostly wait.
    pub(super) fn jobs(&self, route: &Route) -> usize {
        let one = route.host().is_some() || self.facts.missing.contains("methods/connections");
        match (one, self.options.jobs.max(1)) {
            (true, _) => 1,
            (false, jobs @ 2..) if self.facts.calls.ping.is_none() => jobs * WAITING,
            (false, jobs) => jobs,
        }
    }

    /// Runs suspects again by themselves, on a fresh peer.
    pub(super) async fn confirm(&mut self, emit: Emit<'_>) {
        if self.suspects.is_empty() {
            return;
        }
        self.end_quiet(emit).await;
        let mut suspects = std::mem::take(&mut self.suspects);
        suspects.sort_unstable();
        let died = match self.lanes.first_mut() {
            Some(lane) => lane.restart().await,
            None => None,
        };
        let died = self.died_beside.take().or(died);
        self.run_alone(suspects, emit).await;
        if !self.has_crash() {
            self.died = self.died.take().or(died);
        }
    }
}
