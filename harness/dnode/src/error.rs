//! What goes wrong, and who is at fault.

use dnode_spec::message::Problem;
use dnode_spec::session::CallError;
use std::fmt;
use std::io;
use std::sync::Arc;

/// What went wrong on a connection. [`Error::fault`] says who is at fault.
///
/// Errors stay on this end: the protocol has no message for them.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing accepts connections at this address, or the handshake failed.
    #[error("the peer cannot be reached at {address}: {source}")]
    Unreachable {
        /// The address.
        address: String,
        /// The error of [`transport::Connection::open`](crate::transport::Connection::open): its
        /// kind says whether a retry can help.
        source: Arc<io::Error>,
    },
    /// The connection broke: a reset, for example.
    #[error("the connection broke: {0}")]
    Broken(#[source] Arc<io::Error>),
    /// The peer closed the connection.
    #[error("the peer closed the connection")]
    PeerClosed,
    /// This end closed the connection.
    #[error("this end closed the connection")]
    Closed,
    /// The peer sent an invalid message. The connection ends if the clause is `framing/json`,
    /// because the line is not JSON or too long. It goes on otherwise, as with npm dnode, and the
    /// message has no effect.
    #[error("the peer's message is invalid{}: expected {expected}, got {actual} (clause {clause})", place(.at))]
    InvalidMessage {
        /// The id of the broken clause of `dnode-spec`, such as `callback/unknown-id`.
        clause: &'static str,
        /// The place in the message, such as `links[0].from`. It is empty if the whole line is
        /// invalid.
        at: String,
        /// The content that the clause asks for.
        expected: String,
        /// The content that the peer sent.
        actual: String,
    },
    /// The peer does not read fast enough: this number of bytes waits to be written, and the call
    /// was not made. See [`Peer::unsent_limit`](crate::Peer::unsent_limit).
    #[error("the peer does not read fast enough: {0} bytes wait to be written, and the call was not made")]
    Backlog(usize),
    /// The peer's object has no function of this name.
    #[error("the peer's object has no function {0:?}")]
    NoMethod(String),
    /// The peer dropped the callback without calling it (`cull`), so no answer can come.
    #[error("the peer dropped the callback without calling it")]
    NoAnswer,
    /// The peer passed this value instead of a function.
    #[error("expected a function to call, got {0}")]
    NotAFunction(String),
    /// This end gave back the peer's function with this id
    /// ([`Function::cull`](crate::Function::cull)), and then used it.
    #[error("function {0} of the peer was given back, so it cannot be used any more")]
    Culled(i64),
    /// A path of [`Value::linked`](crate::Value::linked) leads nowhere.
    #[error("{0}")]
    BadPath(String),
    /// A function of this end panicked with this message.
    #[error("a function of this end panicked: {0}")]
    Panicked(String),
    /// A function of this end returned this message as its error.
    #[error("a function of this end failed: {0}")]
    Failed(String),
}

/// Who is at fault, and so has to change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The other end, or the network.
    Peer,
    /// The program that uses this crate.
    Caller,
}

impl Error {
    /// Who is at fault.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Error::Unreachable { source, .. } if source.kind() == io::ErrorKind::InvalidInput => {
                Fault::Caller
            }
            Error::Unreachable { .. }
            | Error::Broken(_)
            | Error::PeerClosed
            | Error::InvalidMessage { .. }
            | Error::Backlog(_)
            | Error::NoMethod(_)
            | Error::NoAnswer
            | Error::NotAFunction(_) => Fault::Peer,
            Error::Closed | Error::Culled(_) | Error::BadPath(_) | Error::Panicked(_) | Error::Failed(_) => {
                Fault::Caller
            }
        }
    }

    // These are no `From`: types of dnode-spec stay out of the public API, and a `?` in a function
    // of this end must not turn any I/O error into a broken connection.

    pub(crate) fn broken(error: io::Error) -> Error {
        Error::Broken(Arc::new(error))
    }

    pub(crate) fn invalid_message(problem: Problem) -> Error {
        let Problem { clause, at, expected, actual, .. } = problem;
        Error::InvalidMessage { clause, at, expected, actual }
    }

    pub(crate) fn refused_call(error: CallError) -> Error {
        match error {
            CallError::Ended => Error::PeerClosed,
            CallError::NotCallable(id) => Error::Culled(id.0),
        }
    }
}

fn place(at: &str) -> String {
    if at.is_empty() { String::new() } else { format!(" at {at}") }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Peer => "peer",
            Fault::Caller => "caller",
        })
    }
}

/// Lets a function of this end fail with a message.
impl From<String> for Error {
    fn from(message: String) -> Error {
        Error::Failed(message)
    }
}

/// Lets a function of this end fail with a message.
impl From<&str> for Error {
    fn from(message: &str) -> Error {
        Error::Failed(message.to_owned())
    }
}
