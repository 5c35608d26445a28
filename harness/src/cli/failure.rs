//! Why a command could not do its work.

use crate::error::{Fault, Faulted};
use std::fmt;

/// Why a command could not do its work: who is at fault, what happened, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    fault: Fault,
    text: String,
    help: Option<String>,
}

impl Failure {
    fn new(fault: Fault, text: impl fmt::Display) -> Failure {
        Failure { fault, text: text.to_string(), help: None }
    }

    /// The user is at fault. The text says what to do.
    pub(super) fn caller(text: impl fmt::Display) -> Failure {
        Failure::new(Fault::Caller, text)
    }

    /// The peer is at fault.
    pub(super) fn peer(text: impl fmt::Display) -> Failure {
        Failure::new(Fault::Peer, text)
    }

    /// The suite or the system is at fault.
    pub(super) fn harness(text: impl fmt::Display) -> Failure {
        Failure::new(Fault::Harness, text)
    }

    /// The same failure, with words before its text that say where it happened.
    pub(super) fn within(self, place: impl fmt::Display) -> Failure {
        Failure { text: format!("{place}{}", self.text), ..self }
    }
}

impl<E: Faulted> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure { fault: error.fault(), text: error.to_string(), help: error.help() }
    }
}

/// `FAULT: TEXT. HELP`
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.fault, self.text)?;
        match &self.help {
            Some(help) => write!(f, ". {help}"),
            None => Ok(()),
        }
    }
}
