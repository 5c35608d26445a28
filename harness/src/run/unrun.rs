//! Why a case has no verdict of its own, and when a running case is cut off.

use dnode_reports::event::Verdict;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How long the current cases may go on when the run ends early. Each step of a case has a deadline
/// of its own, so a long case can take much longer.
pub const GRACE: Duration = Duration::from_secs(5);

/// Returns when the current cases are cut off. `until`: when the time for the whole run is over.
pub(super) async fn cut_off(interrupted: CancellationToken, until: Option<Instant>) {
    let over = async {
        match until {
            Some(until) => tokio::time::sleep_until(until.into()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = interrupted.cancelled() => {}
        () = over => {}
    }
    tokio::time::sleep(GRACE).await;
}

/// Why a case was not run, or not to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unrun {
    /// The run was interrupted.
    Interrupted,
    /// The run ended at the first case whose verdict gates.
    FirstFailure,
    /// The time for the whole run was over.
    OutOfTime,
    /// The suite failed.
    SuiteFailed,
}

impl Unrun {
    /// The verdict of the case.
    pub(super) fn verdict(self) -> Verdict {
        match self {
            Unrun::SuiteFailed => Verdict::HarnessError,
            _ => Verdict::Inconclusive,
        }
    }

    /// The reason, as a sentence.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Unrun::Interrupted => "the run was interrupted",
            Unrun::FirstFailure => "the run ended at the first failure",
            Unrun::OutOfTime => "--max-time elapsed before this case ended",
            Unrun::SuiteFailed => "the suite failed while this case was running",
        }
    }
}
