//! Reports of a conformance run.
//!
//! The runner speaks to this crate in the events of [`event`] and in nothing else; each format is one file and
//! implements [`Report`]. [`account`] counts the verdicts and turns them into the exit status, [`fingerprint`] gives a
//! difference its stable name, and [`escape`] makes a peer's text safe to show.
//!
//! Deliberately absent: any knowledge of sockets, processes or how a verdict is reached.

pub mod account;
pub mod escape;
pub mod event;
pub mod fingerprint;
pub mod json;
#[cfg(test)]
mod sample;
pub mod text;

use std::io;

use event::{Event, Outcome, Verdict};

/// A format that is told what happens and writes it down.
pub trait Report {
    /// Takes the next event.
    ///
    /// # Errors
    /// The writer failed, or the event came before [`Event::Started`].
    fn event(&mut self, event: &Event) -> io::Result<()>;
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
