//! An outcome in a few words.

use crate::escape;
use crate::event::{Divergence, Outcome, Run, Verdict};

/// Stands for a line without bytes.
pub(crate) const EMPTY_LINE: &str = "(an empty line)";

/// The reason for the verdict. A verdict that must have a reason always gets one.
pub(crate) fn reason(outcome: &Outcome) -> Option<&str> {
    let required =
        matches!(outcome.verdict, Verdict::NotApplicable | Verdict::Inconclusive | Verdict::HarnessError);
    outcome.reason.as_deref().or(required.then_some("no reason given"))
}

/// Why a failure does not make this run fail, in two words at most; `None` if it does, and for
/// other verdicts.
pub(crate) fn waiver(run: &Run, outcome: &Outcome) -> Option<&'static str> {
    match (&outcome.excuse, outcome.verdict) {
        (Some(_), _) => Some("excused"),
        (None, Verdict::Fail) if !outcome.gates(run.gate) => Some("not gating"),
        _ => None,
    }
}

/// `1 case` or `2 cases`, for a word whose plural ends with `s`.
#[must_use]
pub fn count(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// The difference in one line, raw; without a difference, the reason.
pub(crate) fn brief(outcome: &Outcome) -> String {
    let Some(divergence) = &outcome.divergence else {
        return reason(outcome).unwrap_or_default().to_owned();
    };
    let at = if divergence.path.is_empty() { String::new() } else { format!(" at {}", divergence.path) };
    // Each text is cut on its own, so that a long one does not hide the other.
    let [expected, got] = [&divergence.expected, &divergence.actual].map(|text| escape::cut(text, 160));
    format!("{}{}: expected {expected}, got {got}", divergence.step, escape::cut(&at, 80))
}

/// The expected and the actual behaviour for people: each cycle is a reference.
pub(crate) fn values<'o>(outcome: &'o Outcome, divergence: &'o Divergence) -> (&'o str, &'o str) {
    let cycles = outcome.evidence.cycles.as_ref();
    let expected = cycles.and_then(|cycles| cycles.expected.as_deref());
    let actual = cycles.and_then(|cycles| cycles.actual.as_deref());
    (expected.unwrap_or(&divergence.expected), actual.unwrap_or(&divergence.actual))
}
