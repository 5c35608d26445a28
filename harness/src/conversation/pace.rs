//! How slow a peer is now, if the suite cannot see whether it waits for a processor.
//!
//! Deadlines of such a peer count wall time. So before a timeout counts as a failure, a known-good
//! call on a fresh connection shows how much slower the peer has become since the preflight.

use super::facts::Facts;
use super::replay::judged::Replayed;
use super::replay::replay;
use super::service::serves;
use crate::cases::Case;
use crate::program::Route;
use dnode_reports::event::TimeBase;
use std::time::Duration;

/// The most that a deadline grows, as a factor.
const MOST: u32 = 30;

/// A shorter answer takes several times as long now and then, even on an idle machine.
const SHORTEST: Duration = Duration::from_millis(1);

/// Runs `case` against the peer. If it times out and the peer has become slower, it runs once more
/// with a deadline that is longer by that factor. If the peer is even slower after that, the
/// machine is too busy, and the result means nothing.
pub async fn replay_at_its_pace(case: &Case, route: &Route, facts: &Facts, patience: Duration) -> Replayed {
    let replayed = replay(case, route, facts, patience).await;
    let slower = if replayed.is_suspect() { slowdown(route, facts, patience).await } else { 1 };
    if slower <= 1 {
        return replayed;
    }
    let slower = slower.min(MOST);
    let replayed = replay(case, route, facts, patience * slower).await;
    let even_slower = replayed.is_suspect() && slowdown(route, facts, patience * slower).await > slower;
    Replayed { overloaded: replayed.overloaded || even_slower, ..replayed }
}

/// How many times slower than in the preflight the peer answers now. It is 1 if this is not known,
/// and if the peer does not serve the fresh connection: then it is not slow but hung.
async fn slowdown(route: &Route, facts: &Facts, patience: Duration) -> u32 {
    // A client opens a connection when it likes.
    let has_others = route.host().is_none() && !facts.missing.contains("methods/connections");
    if !has_others || facts.calls.ping.is_none() || route.clock().base() == TimeBase::OwnTime {
        return 1;
    }
    let served = serves(route, facts, route.clock().now() + patience).await;
    served.map_or(1, |round_trip| slowdown_by(route, facts, round_trip))
}

/// How many times slower the peer is if it has just answered the known-good call in this time.
#[must_use]
pub fn slowdown_by(route: &Route, facts: &Facts, round_trip: Duration) -> u32 {
    if route.clock().base() == TimeBase::OwnTime {
        return 1;
    }
    let before = facts.calls.round_trip.max(SHORTEST);
    u32::try_from(round_trip.as_nanos() / before.as_nanos()).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests;
