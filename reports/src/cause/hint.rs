//! What usually helps against a finding.

use dnode_spec::clause;

use crate::event::{Kind, Outcome, Status, Verdict};
use crate::trace::{self, Trace};

/// The clauses that any crash breaks. Their hints say no more than that errors must be caught.
const GENERAL: &[&str] = &["robust/survives", "robust/not-deaf"];

const STACK: &str = "Limit the depth before you walk a value, or walk it in a loop. Limit the number of arguments \
                     before you pass a list as the arguments of a call.";
const CONNECTION: &str = "Handle the errors of each socket, both while you read and while you write: the other end \
                          may reset the connection at any time.";

const EXIT: &str = "The program ended without an error. Keep it running after each call and each connection, and \
                    start it in the foreground: the suite watches the process that it started, not its children.";
const OPEN: &str = "Do not close the connection after a call, nor after an error in one. Close it when the other \
                    end has closed its half.";

/// The clause of cases that make several calls by id, in the only form that every peer should answer.
const BY_ID: &str = "methods/by-id";

/// The clause of cases that send something very long, deep or large.
const BOUNDED: &str = "robust/bounded";

/// What usually causes such a finding; empty if nothing is known. An error, and the case, may tell
/// more than the broken clause.
#[must_use]
pub fn hint(outcome: &Outcome) -> &'static str {
    if outcome.verdict == Verdict::HarnessError {
        return "";
    }
    let broken = super::broken(outcome);
    let is_closed = outcome.divergence.as_ref().is_some_and(|it| it.kind == Kind::Closed);
    if is_closed && broken == BY_ID {
        return OPEN;
    }
    if !GENERAL.contains(&broken) {
        return of_clause(broken);
    }
    let death = outcome.evidence.death.as_ref();
    let trace = death.and_then(|death| trace::read(&death.stderr));
    if trace.is_none() && death.is_some_and(|death| death.status == Status::Exit(0)) {
        return EXIT;
    }
    let is_bounded = outcome.clauses.first().is_some_and(|clause| clause == BOUNDED);
    let of_case = || of_clause(if is_bounded { BOUNDED } else { broken });
    trace.as_ref().and_then(of_trace).unwrap_or_else(of_case)
}

/// Whether the hint is the same for most crashes, and says nothing about one of them.
pub(super) fn is_general(hint: &str) -> bool {
    GENERAL.iter().any(|id| of_clause(id) == hint)
}

/// The hint for an error that tells more than the clause.
fn of_trace(trace: &Trace) -> Option<&'static str> {
    match trace {
        trace if trace.is_stack_overflow() => Some(STACK),
        trace if trace.is_out_of_memory() => Some(of_clause(BOUNDED)),
        trace if trace.is_of_connection() => Some(CONNECTION),
        _ => None,
    }
}

fn of_clause(id: &str) -> &'static str {
    clause::find(id).map_or("", |clause| clause.hint)
}
