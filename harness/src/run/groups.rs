//! Cases that only show harm, against a peer that answers no known-good call: several at a time.
//!
//! Without such a call, a hostile case only shows whether the peer ends or no longer serves. So
//! does a case that rests on a broken clause. Such a case is a quiet time and a new connection, so
//! nearly all of its time is waiting. If a group of them harms nothing, none of them does.

use super::beside::{Ran, run_in_group};
use super::runner::{Emit, Runner};
use super::together::QUIET;
use crate::cases::LIFE;
use crate::conversation::replay::judged::Judged;
use crate::peer::Health;
use crate::verdict::outcome::Harm;
use dnode_reports::event::Death;
use tokio::task::JoinSet;

impl Runner<'_> {
    /// Runs the cases that only show harm, so many at a time. Those that wait for long are one more
    /// group, which goes on beside the others.
    pub(super) async fn run_groups(&mut self, size: usize, emit: Emit<'_>) {
        let waits = |at: &usize| self.batch.case(*at).transcript.quiet_time() >= QUIET;
        let (long, waiting): (Vec<usize>, Vec<usize>) =
            self.batch.only_show_harm().into_iter().partition(waits);
        let mut beside = self.begin_group(&long).await;
        let (mut alone, mut died) = (Vec::new(), None);
        for group in waiting.chunks(size) {
            if self.ends() || self.harm.is_some() {
                break;
            }
            let running = self.begin_group(group).await;
            let (again, death) = self.end_group(group, running, emit).await;
            // The harm may be that of the long group.
            if self.harm.is_some() || again.len() == group.len() {
                beside.shutdown().await;
            }
            alone.extend(again);
            died = died.or(death);
        }
        if self.ends() {
            beside.shutdown().await;
        }
        let (again, death) = self.end_group(&long, beside, emit).await;
        alone.extend(again);
        died = died.or(death);
        if self.harm.is_some() {
            alone = self.batch.only_show_harm();
        }
        self.run_alone(alone, emit).await;
        if !self.has_crash() {
            self.died = self.died.take().or(died);
        }
    }

    /// How many of them run side by side; `None` if there is no group.
    pub(super) fn size_of_groups(&self) -> Option<usize> {
        let lane = self.lanes.first()?;
        // A peer that we cannot start again does not show which case of a group harmed it. Then
        // only the case about the whole run says so.
        let is_shown = lane.is_ours() || !self.options.selection.skips(LIFE);
        let size = self.jobs(&lane.route()?);
        (size > 1 && is_shown && self.facts.may_not_answer()).then_some(size)
    }

    /// Begins these cases side by side.
    async fn begin_group(&mut self, group: &[usize]) -> JoinSet<Ran> {
        if group.is_empty() {
            return JoinSet::new();
        }
        let Some(route) = self.shared_route().await else { return JoinSet::new() };
        group.iter().map(|&at| run_in_group(self.beside(at, &route))).collect()
    }

    /// Waits for the cases of a group. Returns those that have to run by themselves, and how the
    /// peer's process ended meanwhile.
    async fn end_group(
        &mut self,
        group: &[usize],
        running: JoinSet<Ran>,
        emit: Emit<'_>,
    ) -> (Vec<usize>, Option<(String, Death)>) {
        let Some(last) = group.last().filter(|_| !running.is_empty()) else { return (group.to_vec(), None) };
        let last = self.batch.case(*last).id().to_owned();
        let ran = running.join_all().await;
        let (facts, patience) = (self.facts.clone(), self.patience());
        let Some(lane) = self.lanes.first_mut() else { return (group.to_vec(), None) };
        let health = lane.health_after_group(&last, &facts, patience).await;
        if health.is_good() {
            let again = ran.into_iter().filter_map(|ran| self.conclude_of_group(ran, emit)).collect();
            return (again, None);
        }
        if lane.is_ours() {
            return (group.to_vec(), lane.restart().await);
        }
        lane.lose(format!("the peer no longer serves connections: see {LIFE}"));
        self.harm = Some(Harm { refuses: health.is_gone(), cases: group.len() });
        (Vec::new(), None)
    }

    /// Concludes a case of a group that harmed nothing, or returns it if it has to run by itself.
    fn conclude_of_group(&mut self, ran: Ran, emit: Emit<'_>) -> Option<usize> {
        let Ran { at, replayed, .. } = ran;
        if matches!(replayed.judged, Judged::Diverged(_)) && !self.batch.is_resting(at) {
            return Some(at);
        }
        self.conclude(at, replayed, Health::Serves, emit);
        None
    }
}
