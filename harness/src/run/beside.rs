//! One case while others run on the same peer.

use super::running::Running;
use crate::cases::Case;
use crate::conversation::facts::Facts;
use crate::conversation::pace::slowdown_by;
use crate::conversation::replay::judged::Replayed;
use crate::conversation::replay::replay;
use crate::conversation::service::serves;
use crate::program::Route;
use std::sync::Arc;
use std::time::Duration;

/// The result of a case that ran among others.
pub(super) struct Ran {
    pub(super) at: usize,
    pub(super) replayed: Replayed,
    /// Another case may be the cause of its failure.
    pub(super) suspect: bool,
}

/// One case, its peer and its deadline, to run while others run.
pub(super) struct Beside {
    pub(super) at: usize,
    pub(super) case: Arc<Case>,
    pub(super) route: Route,
    pub(super) facts: Arc<Facts>,
    pub(super) patience: Duration,
    pub(super) running: Running,
}

/// Runs one case while others run. Its peer is checked after all of them.
pub(super) async fn run_in_group(beside: Beside) -> Ran {
    let Beside { at, case, route, facts, patience, running } = beside;
    let begun = running.begin(case.id());
    let tap = route.taps().open();
    let mut replayed = replay(&case, &route, &facts, patience).await;
    replayed.stderr = tap.text();
    replayed.took = Some(begun.elapsed());
    Ran { at, replayed, suspect: false }
}

/// Runs one case while others run, and checks whether another case may be the cause if it fails.
pub(super) async fn run_beside_others(beside: Beside) -> Ran {
    let (route, facts) = (beside.route.clone(), Arc::clone(&beside.facts));
    let ran = run_in_group(beside).await;
    let replayed = &ran.replayed;
    // A peer that another case or another program keeps busy is late with everything. If it serves a
    // new connection as fast as ever, it had the time to answer this case, too.
    let suspect = replayed.is_suspect() && !(replayed.is_silent() && is_prompt(&route, &facts).await);
    // A client that is connected and does not reconnect would keep all others from connecting.
    if let Some(host) = route.host().filter(|_| suspect)
        && host.death(Duration::ZERO).await.is_none()
    {
        host.stop().await;
    }
    Ran { suspect, ..ran }
}

/// Whether the peer serves a new connection at once.
async fn is_prompt(route: &Route, facts: &Facts) -> bool {
    let served = serves(route, facts, route.clock().now() + facts.quiet()).await;
    served.is_ok_and(|round_trip| slowdown_by(route, facts, round_trip) == 1)
}
