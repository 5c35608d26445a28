//! Cases side by side, and a second run for those that may have failed because of another case.

use super::beside::{Ran, run_beside_others};
use super::lane::Lane;
use super::runner::{Emit, Runner};
use crate::conversation::replay::judged::Judged;
use crate::peer::Health;
use crate::program::Route;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinError, JoinSet};

/// From this quiet time on, a case mostly waits.
const QUIET: Duration = Duration::from_millis(200);

impl Runner<'_> {
    /// Runs cases that are not hostile, several at a time. Those that may have failed because of
    /// another case are kept for [`Runner::confirm`].
    ///
    /// Cases that mostly wait begin first, and go on while others run by themselves:
    /// [`Runner::end_quiet`] is their end.
    pub(super) async fn run_together(&mut self, waiting: Vec<usize>, emit: Emit<'_>) {
        let Some(route) = self.lanes.first().and_then(Lane::route) else { return };
        let jobs = self.jobs(&route);
        let is_quiet = |at: &usize| jobs > 1 && self.batch.case(*at).transcript.quiet_time() >= QUIET;
        let (quiet, waiting): (Vec<usize>, Vec<usize>) = waiting.into_iter().partition(is_quiet);
        let quiet = if self.ends() { Vec::new() } else { quiet };
        for at in quiet {
            let task = self.beside_others(at, &route);
            self.quiet.spawn(task);
        }
        let mut waiting = waiting.into_iter();
        let mut running = JoinSet::new();
        loop {
            while running.len() < jobs && !self.ends() {
                let Some(at) = waiting.next() else { break };
                running.spawn(self.beside_others(at, &route));
            }
            let Some(joined) = running.join_next().await else { break };
            self.joined(joined, emit);
        }
    }

    /// Waits for the end of the cases that mostly wait. Hostile cases may have run beside them, so
    /// each that did not pass is suspect.
    pub(super) async fn end_quiet(&mut self, emit: Emit<'_>) {
        while let Some(joined) = self.quiet.join_next().await {
            let suspect = |ran: Ran| Ran { suspect: ran.replayed.judged != Judged::Pass, ..ran };
            self.joined(joined.map(suspect), emit);
        }
    }

    fn beside_others(&self, at: usize, route: &Route) -> impl Future<Output = Ran> + use<> {
        let (case, facts) = (Arc::clone(self.batch.case(at)), Arc::clone(&self.facts));
        let running = self.options.running.clone();
        run_beside_others(at, case, route.clone(), facts, self.case_patience(at), running)
    }

    /// Concludes a case that ran among others, unless it is suspect.
    fn joined(&mut self, joined: Result<Ran, JoinError>, emit: Emit<'_>) {
        match joined {
            Ok(Ran { at, suspect: true, .. }) => self.suspects.push(at),
            Ok(Ran { at, replayed, .. }) => self.conclude(at, replayed, Health::Serves, emit),
            Err(_) => {}
        }
    }

    /// How many cases run side by side. A client opens one connection after another.
    fn jobs(&self, route: &Route) -> usize {
        let one = route.host().is_some() || self.facts.missing.contains("methods/connections");
        if one { 1 } else { self.options.jobs.max(1) }
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
        self.run_alone(suspects, emit).await;
        if !self.has_crash() {
            self.died = self.died.take().or(died);
        }
    }
}
