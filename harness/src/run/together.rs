//! Cases side by side, and a second run for those that may have failed because of another case.

use super::beside::{Beside, Ran, run_beside_others};
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
pub(super) const QUIET: Duration = Duration::from_millis(200);

impl Runner<'_> {
    /// Runs cases that are not hostile, several at a time. Those that may have failed because of
    /// another case are kept for [`Runner::confirm`].
    ///
    /// Cases that mostly wait begin first, and go on while others run by themselves:
    /// [`Runner::end_quiet`] is their end.
    pub(super) async fn run_together(&mut self, waiting: Vec<usize>, emit: Emit<'_>) {
        if waiting.is_empty() {
            return;
        }
        let Some(mut route) = self.shared_route().await else { return };
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

    /// The route of the peer that serves cases side by side. Starts one if none runs.
    pub(super) async fn shared_route(&mut self) -> Option<Route> {
        let lane = self.lanes.first_mut()?;
        lane.ready().await.ok()?;
        lane.share();
        lane.route()
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
        let died = self.lanes.first_mut()?.restart().await;
        self.died_beside = self.died_beside.take().or(died);
        self.shared_route().await
    }

    /// Keeps hostile cases away from the peer that the quiet cases use, until these have ended. A
    /// hostile case there would make all of them suspect, and they it. Returns whether there is
    /// such a peer.
    pub(super) fn spare_quiet(&mut self) -> bool {
        if !self.quiet.is_empty() && self.quiet_lane.is_none() && self.options.target.is_many() {
            self.quiet_lane = (!self.lanes.is_empty()).then(|| self.lanes.remove(0));
        }
        self.quiet_lane.is_some()
    }

    /// Waits for the end of the cases that mostly wait.
    pub(super) async fn end_quiet(&mut self, emit: Emit<'_>) {
        while let Some(joined) = self.quiet.join_next().await {
            self.joined_quiet(joined, emit);
        }
        self.free_quiet_lane();
    }

    /// Concludes the cases that mostly wait and have ended.
    pub(super) fn look_after_quiet(&mut self, emit: Emit<'_>) {
        while let Some(joined) = self.quiet.try_join_next() {
            self.joined_quiet(joined, emit);
        }
        if self.quiet.is_empty() {
            self.free_quiet_lane();
        }
    }

    fn free_quiet_lane(&mut self) {
        if let Some(lane) = self.quiet_lane.take() {
            self.lanes.insert(0, lane);
        }
    }

    /// Concludes a case that mostly waited. Hostile cases may have run beside it, so it is suspect
    /// unless it passed or the preflight saw the same silence.
    fn joined_quiet(&mut self, joined: Result<Ran, JoinError>, emit: Emit<'_>) {
        let is_known = |ran: &Ran| ran.replayed.is_silent() && self.facts.misses(self.batch.case(ran.at));
        let suspect = |ran: Ran| {
            let suspect = ran.suspect || ran.replayed.judged != Judged::Pass && !is_known(&ran);
            Ran { suspect, ..ran }
        };
        self.joined(joined.map(suspect), emit);
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
            (false, jobs @ 2..) if self.facts.may_not_answer() => jobs * WAITING,
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
