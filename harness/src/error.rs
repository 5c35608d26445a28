//! Errors that say who is at fault and how to fix them.

use dnode::transport::{AddressError, ListenError};
use dnode_reports::ReadError;
use std::error::Error;
use std::fmt;

/// The party at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The peer under test.
    Peer,
    /// The user: the command line, a file, the environment.
    Caller,
    /// The suite or the system it runs on.
    Harness,
}

/// The first word of an error line.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Peer => "peer",
            Fault::Caller => "usage",
            Fault::Harness => "harness",
        })
    }
}

/// An error that says who is at fault. Its text says what happened and where.
pub trait Faulted: Error {
    /// The party at fault.
    fn fault(&self) -> Fault;

    /// How to fix it, in full sentences.
    fn help(&self) -> Option<String> {
        None
    }
}

impl Faulted for AddressError {
    fn fault(&self) -> Fault {
        Fault::Caller
    }

    fn help(&self) -> Option<String> {
        matches!(self, AddressError::Stdio)
            .then(|| "Let the suite start the program: --exec CMD --at stdio:.".to_owned())
    }
}

impl Faulted for ListenError {
    fn fault(&self) -> Fault {
        Fault::Caller
    }

    fn help(&self) -> Option<String> {
        match self {
            ListenError::NoIdentity(_) => Some("Give --tls-cert FILE and --tls-key FILE.".to_owned()),
            _ => None,
        }
    }
}

impl Faulted for ReadError {
    fn fault(&self) -> Fault {
        Fault::Caller
    }

    fn help(&self) -> Option<String> {
        Some(ReadError::help(self).to_string())
    }
}
