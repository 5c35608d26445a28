//! Cases by themselves: suspects and hostile cases, each on a peer that no other case uses.

use super::lane::{Alone, LANES, Lane, MANY, PAIR};
use super::runner::{Emit, Runner};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use tokio::task::JoinSet;

impl Runner<'_> {
    /// Runs each case on its own peer.
    ///
    /// Only a fresh peer shows that a case ends it, so fresh peers are kept for the cases that will
    /// likely end theirs.
    pub(super) async fn run_alone(&mut self, waiting: Vec<usize>, emit: Emit<'_>) {
        let mut waiting = VecDeque::from(waiting);
        if waiting.len() >= MANY {
            let most = PAIR + usize::from(self.spare_quiet());
            (0..PAIR).for_each(|_| self.widen(0, most));
        }
        let mut deadly = BTreeSet::new();
        let mut running = JoinSet::new();
        loop {
            while let Some((mut lane, at)) = self.next_alone(&mut waiting, &deadly, running.len()) {
                let (case, facts) = (Arc::clone(self.batch.case(at)), Arc::clone(&self.facts));
                let (patience, now) = (self.patience_alone(at), self.options.running.clone());
                running.spawn(async move {
                    let _begun = now.begin(case.id());
                    let alone = lane.run(&case, &facts, patience).await;
                    (lane, at, alone)
                });
            }
            let Some(joined) = running.join_next().await else {
                if self.quiet_lane.is_none() || waiting.is_empty() {
                    break;
                }
                // No other peer can be started.
                self.end_quiet(emit).await;
                continue;
            };
            self.look_after_quiet(emit);
            let Ok((lane, at, alone)) = joined else { continue };
            let beside = !self.quiet.is_empty() && self.quiet_lane.is_none();
            match alone {
                // It may have failed because of a case that ran beside it.
                Alone::Ran(replayed, health) if beside && (replayed.is_suspect() || !health.is_good()) => {
                    self.end_quiet(emit).await;
                    waiting.push_front(at);
                }
                Alone::Ran(replayed, health) => {
                    if health.is_gone() {
                        deadly.insert(self.family(at).to_owned());
                    }
                    self.conclude(at, *replayed, health, emit);
                }
                // Perhaps no second peer can be started beside the first: the first one continues.
                Alone::Gone(_) if self.count_lanes() + running.len() > 0 => waiting.push_front(at),
                Alone::Gone(reason) => self.give_up(at, reason, emit),
            }
            self.park(lane, running.len());
        }
    }

    /// A free lane, and the case that is best run on it. `busy`: how many lanes are running.
    ///
    /// A lane with a peer comes first: a case that ends a used peer costs the start of a fresh one,
    /// and so does a case on an empty lane, but the used peer may survive. An empty lane also waits
    /// if its case would likely leave one more used peer.
    fn next_alone(
        &mut self,
        waiting: &mut VecDeque<usize>,
        deadly: &BTreeSet<String>,
        busy: usize,
    ) -> Option<(Lane, usize)> {
        if self.ends() || waiting.is_empty() {
            return None;
        }
        let filled = self.lanes.iter().rposition(|lane| !lane.is_empty());
        let lane = filled.or(self.lanes.len().checked_sub(1))?;
        let is_fresh = self.lanes[lane].is_fresh();
        let likely = waiting.iter().position(|&at| is_fresh == deadly.contains(self.family(at)));
        if filled.is_none() && likely.is_none() && busy >= PAIR {
            return None;
        }
        let at = waiting.remove(likely.unwrap_or(0))?;
        Some((self.lanes.remove(lane), at))
    }

    /// The first words of a case's id, `robust/link` of `robust/link-null`: cases that share them
    /// mostly share a fate.
    fn family(&self, at: usize) -> &str {
        let id = self.batch.case(at).id();
        id.split_once('-').map_or(id, |(family, _)| family)
    }

    /// Takes back a lane, and adds one after a case that harmed its peer. `busy`: how many lanes
    /// are running.
    fn park(&mut self, mut lane: Lane, busy: usize) {
        self.died = self.died.take().or(lane.take_death());
        if lane.is_gone() && self.count_lanes() + busy > 0 {
            return;
        }
        if lane.is_harmed() {
            self.widen(busy + 1, *LANES);
        }
        self.lanes.insert(0, lane);
    }

    /// Adds a lane if we can start several peers. `busy`: how many lanes are not parked.
    fn widen(&mut self, busy: usize, most: usize) {
        if self.options.target.is_many() && self.count_lanes() + busy < most.min(self.options.jobs) {
            self.lanes.push(Lane::new(&self.options.target));
        }
    }

    /// How many lanes are parked.
    fn count_lanes(&self) -> usize {
        self.lanes.len() + usize::from(self.quiet_lane.is_some())
    }
}
