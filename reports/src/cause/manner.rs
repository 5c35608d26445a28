//! The manner in which a finding breaks its clause: findings of one manner have one cause.

use crate::event::{Divergence, Kind, Outcome, Verdict};
use crate::trace::{self, Trace};

/// Clauses whose cases raise an error in a method of the program. The place of the error is not that
/// of the mistake, so all these crashes are one cause.
const PROVOKED: &[&str] = &["robust/throws"];

/// The clause of all cases about the probe, and the case that looks for its methods.
pub(super) const PROBE: &str = "probe/complete";

/// The manner in which a clause is broken. Whatever wrong thing the peer does is one manner, because
/// one mistake often shows in several ways.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Manner {
    /// A process ended because of an error in a method of the program.
    Raised,
    /// A process ended because of the mistake of this name.
    Crash(String),
    /// The program's probe lacks methods, or they do something else.
    Probe,
    /// The suite failed, for this reason.
    Harness(String),
    /// A message or a value in it is wrong.
    Wrong(String),
    /// A message did not come, or something else happened. The second text is the end of a process
    /// without a trace.
    Other(String, Kind, String),
}

/// The place that called the function with an error: the file and the line.
pub(super) type Caller = (String, String);

/// The manner of a finding, and the caller if its process ended with an error that the caller could
/// have caught.
pub(super) fn of(outcome: &Outcome) -> (Manner, Option<Caller>) {
    let Some(Divergence { clause, kind, path, .. }) = &outcome.divergence else {
        return (Manner::Harness(outcome.reason.clone().unwrap_or_default()), None);
    };
    let stderr = outcome.evidence.death.as_ref().map(|death| &*death.stderr);
    let trace = stderr.and_then(trace::read);
    let caller = trace.as_ref().and_then(caller);
    if is_provoked(outcome) {
        return (Manner::Raised, caller);
    }
    if let Some(trace) = trace {
        return (Manner::Crash(trace.cause()), caller);
    }
    let manner = match kind {
        _ if clause == PROBE && outcome.verdict == Verdict::Fail => Manner::Probe,
        Kind::Differs | Kind::Unexpected | Kind::Order => Manner::Wrong(clause.clone()),
        Kind::Absent if !path.is_empty() => Manner::Wrong(clause.clone()),
        kind => Manner::Other(clause.clone(), *kind, stderr.and_then(trace::last_line).unwrap_or_default()),
    };
    (manner, None)
}

/// Whether the process ended because of an error that the case raised on purpose.
pub(super) fn is_provoked(outcome: &Outcome) -> bool {
    let divergence = outcome.divergence.as_ref();
    divergence.is_some_and(|it| it.kind == Kind::Died && PROVOKED.contains(&&*it.clause))
}

/// A lack of stack, or of a connection, is not the fault of the function that was called.
fn caller(trace: &Trace) -> Option<Caller> {
    let caller = trace.caller.as_ref().filter(|_| !trace.is_stack_overflow() && !trace.is_of_connection())?;
    Some((caller.file.clone(), caller.line.clone()))
}
