//! Why a case was not run.

use dnode_reports::event::Verdict;

/// Why a case was not run.
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
            Unrun::OutOfTime => "--max-time elapsed before this case began",
            Unrun::SuiteFailed => "the suite failed while this case was running",
        }
    }
}
