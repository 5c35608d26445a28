//! How a process ended.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text that is not a [`Status`]. The file that has it is at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the end of a process; expected `{EXIT}N`, `{SIGNAL}N (NAME)` or `{UNKNOWN}`")]
pub struct StatusError(String);

/// The exit status of a process, or the signal that ended it. Files and reports have its words:
///
/// ```
/// use dnode_reports::event::Status;
/// let status = Status::Signal { number: 11, name: Some("SIGSEGV".to_owned()) };
/// assert_eq!(status.to_string(), "signal 11 (SIGSEGV)");
/// assert_eq!("exit status 1".parse(), Ok(Status::Exit(1)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Status {
    /// It exited by itself.
    Exit(i32),
    /// A signal ended it.
    Signal {
        /// The number of the signal on the system of the run.
        number: i32,
        /// The name of the signal, if it has one.
        name: Option<String>,
    },
    /// The system does not say how it ended.
    Unknown,
}

const EXIT: &str = "exit status ";
const SIGNAL: &str = "signal ";
const UNKNOWN: &str = "an unknown end";

impl Status {
    /// Whether the process exited by itself.
    #[must_use]
    pub fn is_exit(&self) -> bool {
        matches!(self, Status::Exit(_))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Status::Exit(code) => write!(f, "{EXIT}{code}"),
            Status::Signal { number, name: Some(name) } => write!(f, "{SIGNAL}{number} ({name})"),
            Status::Signal { number, name: None } => write!(f, "{SIGNAL}{number}"),
            Status::Unknown => f.write_str(UNKNOWN),
        }
    }
}

impl FromStr for Status {
    type Err = StatusError;

    fn from_str(words: &str) -> Result<Status, StatusError> {
        let exit = || words.strip_prefix(EXIT)?.parse().ok().map(Status::Exit);
        let signal = || {
            let signal = words.strip_prefix(SIGNAL)?;
            let (number, name) = match signal.split_once(" (") {
                Some((number, name)) => (number, Some(name.strip_suffix(')')?.to_owned())),
                None => (signal, None),
            };
            Some(Status::Signal { number: number.parse().ok()?, name })
        };
        let unknown = || (words == UNKNOWN).then_some(Status::Unknown);
        exit().or_else(signal).or_else(unknown).ok_or_else(|| StatusError(words.to_owned()))
    }
}

impl TryFrom<String> for Status {
    type Error = StatusError;

    fn try_from(words: String) -> Result<Status, StatusError> {
        words.parse()
    }
}

impl From<Status> for String {
    fn from(status: Status) -> String {
        status.to_string()
    }
}
