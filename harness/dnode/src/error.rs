//! What goes wrong, and whose fault it is.

use dnode_spec::message::{Id, Problem};
use std::fmt;
use std::io;
use std::sync::Arc;

/// What went wrong. Its text says who is at fault: `peer:` the other end, `caller:` the program that uses this library.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Error {
    /// The peer cannot be reached at this address.
    Unreachable(String, Arc<io::Error>),
    /// The connection broke.
    Broken(Arc<io::Error>),
    /// The peer has closed the connection.
    Ended,
    /// This end has closed the connection.
    Closed,
    /// The peer sent a message that cannot be acted on. Where the clause is `framing/json`, the connection ends.
    Refused(Problem),
    /// The peer reads too little: so many bytes wait to be written, and the call was not made.
    Behind(usize),
    /// The peer's object has no function of this name.
    NoMethod(String),
    /// The peer culled the callback, so the answer that is waited for cannot come.
    NoAnswer,
    /// There is no function where one is called, but this.
    NotAFunction(String),
    /// The peer's function has been given back, and so cannot be called.
    Culled(Id),
    /// A path leads to no value, or to no place where one can be put.
    NoPlace(String),
    /// A function of this end panicked, with this message.
    Panicked(String),
    /// A function of this end failed, and says why.
    Failed(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unreachable(address, error) => write!(f, "peer: cannot be reached at {address}: {error}"),
            Error::Broken(error) => write!(f, "peer: the connection broke: {error}"),
            Error::Ended => f.write_str("peer: has closed the connection"),
            Error::Closed => f.write_str("caller: this end has closed the connection"),
            Error::Refused(Problem { clause, at, expected, actual, .. }) => {
                let at = if at.is_empty() { "a line" } else { at };
                write!(f, "peer: {at}: expected {expected}, came {actual} ({clause})")
            }
            Error::Behind(bytes) => {
                write!(f, "peer: reads too little: {bytes} bytes wait, the call was not made")
            }
            Error::NoMethod(name) => write!(f, "peer: its object has no function {name:?}"),
            Error::NoAnswer => f.write_str("peer: culled the callback without calling it"),
            Error::NotAFunction(value) => write!(f, "peer: expected a function to call, came {value}"),
            Error::Culled(id) => write!(f, "caller: function {id} was given back to the peer"),
            Error::NoPlace(path) => write!(f, "caller: {path}"),
            Error::Panicked(message) => write!(f, "caller: a function of this end panicked: {message}"),
            Error::Failed(message) => write!(f, "caller: a function of this end failed: {message}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Unreachable(_, error) | Error::Broken(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        Error::Broken(Arc::new(error))
    }
}

/// For functions of this end that fail with a text of their own.
impl From<String> for Error {
    fn from(message: String) -> Error {
        Error::Failed(message)
    }
}

/// For functions of this end that fail with a text of their own.
impl From<&str> for Error {
    fn from(message: &str) -> Error {
        Error::Failed(message.to_owned())
    }
}
