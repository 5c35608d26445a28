//! The error of a command.

use crate::error::{Fault, Faulted};
use std::fmt;

/// The exit status of a command that could not do its work.
pub(super) const COULD_NOT_RUN: u8 = 2;

/// Why a command could not do its work: whose fault it is, what happened, and what to do.
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

    /// A mistake of the user. The text says what to do.
    pub(super) fn caller(text: impl fmt::Display) -> Failure {
        Failure::new(Fault::Caller, text)
    }

    /// A fault of the peer.
    pub(super) fn peer(text: impl fmt::Display) -> Failure {
        Failure::new(Fault::Peer, text)
    }

    /// A fault of the suite or of the system.
    pub(super) fn harness(text: impl fmt::Display) -> Failure {
        Failure::new(Fault::Harness, text)
    }

    /// This failure, and another one on lines of its own.
    pub(super) fn and(self, other: Failure) -> Failure {
        Failure {
            help: other.help.clone(),
            text: format!("{}\n{}", self.text, Failure { help: None, ..other }),
            ..self
        }
    }

    /// Puts the place of the failure before its text.
    pub(super) fn within(self, place: impl fmt::Display) -> Failure {
        Failure { text: format!("{place}{}", self.text), ..self }
    }
}

impl<E: Faulted> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure { fault: error.fault(), text: error.to_string(), help: error.help() }
    }
}

/// `error: TEXT. HELP`, and after `error: ` who is at fault, if that is not the user.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fault {
            Fault::Caller => write!(f, "error: {}", self.text)?,
            Fault::Peer | Fault::Harness => write!(f, "error: {}: {}", self.fault, self.text)?,
        }
        match &self.help {
            Some(help) => write!(f, ". {help}"),
            None => Ok(()),
        }
    }
}
