//! Reports of a conformance run.
//!
//! The runner speaks to this crate in the events of [`event`] and in nothing else; each format is one file and
//! implements [`Report`]; [`mod@format`] has them by their words. [`account`] counts the verdicts and turns them into the exit status, [`fingerprint`] gives a
//! difference its stable name, and [`escape`] makes a peer's text safe to show.
//!
//! Deliberately absent: any knowledge of sockets, processes or how a verdict is reached.

pub mod account;
mod clauses;
pub mod diff;
pub mod escape;
pub mod event;
pub mod events;
pub mod evidence;
pub mod fingerprint;
pub mod format;
pub mod github;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
mod record;
#[cfg(test)]
mod sample;
mod serial;
pub mod tap;
#[cfg(test)]
mod tests;
pub mod text;
mod words;

use std::io;

use event::{Event, Outcome, Run, Verdict};

/// A format that is told what happens and writes it down.
pub trait Report {
    /// Takes the next event.
    ///
    /// # Errors
    /// The writer failed, or the event came before [`Event::Started`].
    fn event(&mut self, event: &Event) -> io::Result<()>;

    /// All runs have been told: writes what needs to know of all of them.
    ///
    /// # Errors
    /// The writer failed.
    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The error of a report that was not told first what is run.
fn not_started() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "the first event of a run is Started")
}

/// Why the outcome is what it is. A verdict that owes a reason always has one.
fn reason(outcome: &Outcome) -> Option<&str> {
    let owed =
        matches!(outcome.verdict, Verdict::NotApplicable | Verdict::Inconclusive | Verdict::HarnessError);
    outcome.reason.as_deref().or(owed.then_some("no reason given"))
}

/// Why a finding makes this run not red, in two words at most; `None` where it does, and for what is no finding.
fn spared(run: &Run, outcome: &Outcome) -> Option<&'static str> {
    match (&outcome.excuse, outcome.verdict) {
        (Some(_), _) => Some("excused"),
        (None, Verdict::Fail) if !outcome.gates(run.gate) => Some("not gating"),
        _ => None,
    }
}

/// The heart of an outcome in one line, raw: the difference, else the reason.
fn brief(outcome: &Outcome) -> String {
    let Some(divergence) = &outcome.divergence else {
        return reason(outcome).unwrap_or_default().to_owned();
    };
    let at = if divergence.path.is_empty() { String::new() } else { format!(" at {}", divergence.path) };
    // Each cut by itself, so that a long one does not hide the other.
    let [expected, came] = [&divergence.expected, &divergence.actual].map(|text| escape::cut(text, 160));
    format!("{}{}: expected {expected}, came {came}", divergence.step, escape::cut(&at, 80))
}
