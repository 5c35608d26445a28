//! Reports of a conformance run.
//!
//! The runner passes the events of [`event`] to a [`Report`]. Each format is one module and
//! implements that trait; [`mod@format`] finds a format by its word. [`account`] counts the
//! verdicts and computes the exit status, [`fingerprint`] gives a difference its stable name, and
//! [`escape`] makes a peer's text safe to show, and [`trace`] reads what a process wrote before it
//! ended.
//!
//! Deliberately absent: sockets, processes, and the rules that lead to a verdict.

pub mod account;
pub mod cause;
mod clauses;
pub mod diff;
mod error;
pub mod escape;
pub mod event;
pub mod events;
pub mod evidence;
pub mod fingerprint;
pub mod format;
pub mod github;
pub mod grid;
pub mod html;
pub mod json;
pub mod junit;
pub mod machine;
pub mod markdown;
mod page;
mod record;
mod report;
#[cfg(test)]
mod sample;
mod serial;
pub mod site;
mod summary;
mod tally;
pub mod tap;
#[cfg(test)]
mod tests;
pub mod text;
pub mod trace;
mod words;

pub use error::ReadError;
pub use report::Report;
pub use summary::count;

/// The example of the README compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
