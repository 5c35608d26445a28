//! The manner in which a finding breaks its clause: findings of one manner have one cause.

use std::collections::BTreeSet;

use crate::event::{Divergence, Kind, Outcome, Verdict};
use crate::trace::{self, Frame, Trace};

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

/// A file and a line.
pub(super) type Place = (String, String);

/// The call below which a process ended with an error that the caller could have caught.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Call {
    /// The place of the error.
    pub(super) at: Place,
    /// The place of the call.
    pub(super) from: Place,
}

/// The manner of a finding, and the call if its process ended with an error below one.
pub(super) fn of(outcome: &Outcome) -> (Manner, Option<Call>) {
    let Some(Divergence { clause, kind, path, .. }) = &outcome.divergence else {
        return (Manner::Harness(outcome.reason.clone().unwrap_or_default()), None);
    };
    let stderr = outcome.evidence.death.as_ref().map(|death| &*death.stderr);
    let trace = stderr.and_then(trace::read);
    let call = trace.as_ref().and_then(call);
    if is_provoked(outcome) {
        return (Manner::Raised, call);
    }
    if let Some(trace) = trace {
        return (Manner::Crash(trace.cause()), call);
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

/// The call of the function in which an error was raised. A lack of stack, or of a connection, is not
/// the fault of the function. If the arguments do not fit, some languages raise the error in the
/// caller.
pub(super) fn call(trace: &Trace) -> Option<Call> {
    const UNFIT: &[&str] =
        &["positional argument", "keyword argument", "argument after *", "wrong number of arguments"];
    let is_of_function = !trace.is_stack_overflow()
        && !trace.is_of_connection()
        && !UNFIT.iter().any(|part| trace.error.contains(part));
    let (at, from) = (trace.frame.as_ref()?, trace.caller.as_ref().filter(|_| is_of_function)?);
    let place = |frame: &Frame| (frame.file.clone(), frame.line.clone());
    Some(Call { at: place(at), from: place(from) })
}

/// The places from which the peer calls the methods of the program. If the error was raised in one of
/// these places, it was not raised in a method.
pub(super) fn callers(raised: &BTreeSet<Call>) -> BTreeSet<Place> {
    let all: BTreeSet<&Place> = raised.iter().map(|call| &call.from).collect();
    raised.iter().filter(|call| !all.contains(&call.at)).map(|call| call.from.clone()).collect()
}
