//! Errors in a transcript. Its author is at fault, or the program that wrote it.

use super::names::Name;
use crate::dialect::UnknownDialect;
use crate::path::Path;
use crate::value::ParseError;
use thiserror::Error;

/// A fault in a transcript, and its line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {fault}")]
pub struct TranscriptError {
    /// The line, from 1.
    pub line: usize,
    /// The fault.
    pub fault: Fault,
}

/// A fault in one line of a transcript.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// There is no header.
    #[error("the transcript is empty")]
    Empty,
    /// A line log has no rows.
    #[error("the log is empty")]
    EmptyLog,
    /// The first row of a line log is malformed. The text says why.
    #[error("the first row says who is client and server: {0}")]
    FirstRow(String),
    /// The header is malformed.
    #[error("the header: {0}")]
    Header(Box<Fault>),
    /// A line is not a JSON object.
    #[error("a line is a JSON object")]
    NotAnObject,
    /// A line is malformed JSON, or has an unknown field or a value of the wrong type. The text
    /// says which.
    #[error("{0}")]
    Json(String),
    /// The transcript has another version of the format.
    #[error("version {found} of the format is not known; this reads {known}")]
    Version {
        /// The version of the transcript.
        found: u64,
        /// The version that this crate reads.
        known: u64,
    },
    /// The header names no clause.
    #[error("clauses is empty")]
    NoClauses,
    /// No clause has this id.
    #[error("there is no clause {0}")]
    UnknownClause(String),
    /// No dialect has this name.
    #[error(transparent)]
    Dialect(#[from] UnknownDialect),
    /// A step has no action.
    #[error(
        "a step needs an action: call, send, line, bytes, ping, expect, any-order, either, nothing, \
         survive, served, closed, half-close, reset, wait, unread or repeat"
    )]
    NoAction,
    /// A step has more than one action.
    #[error("a step has one action, this has several")]
    SeveralActions,
    /// A step waits for too long.
    #[error("a step waits at most {0} ms")]
    TooLong(u64),
    /// A repeated block has no steps, or too many.
    #[error("repeat needs steps, and stands for at most {0} of them")]
    Repeat(usize),
    /// A repeated block contains another one.
    #[error("a repeated block contains no other block")]
    RepeatInRepeat,
    /// A field belongs to an action that the step does not have.
    #[error("{0} belongs to {1}")]
    Misplaced(&'static str, &'static str),
    /// Arguments, callbacks or links stand beside a message.
    #[error("arguments, callbacks and links belong to call, or into the message")]
    MisplacedMessage,
    /// `split` has an unknown word.
    #[error("split is \"each\" or offsets, not {0:?}")]
    Split(String),
    /// `either` has no continuations, or too many.
    #[error("either has from 1 to 26 continuations")]
    Continuations,
    /// A continuation starts with something that the peer does not do.
    #[error("each continuation starts with an expect or with closed")]
    ContinuationStart,
    /// An expression for bytes is malformed.
    #[error(
        "not an expression for bytes: text, {{\"base64\"}}, {{\"repeat\",\"times\"}}, {{\"nest\",\"times\"}}, \
         {{\"id\"}} or a list"
    )]
    Bytes,
    /// An expression for bytes is too long; the limit in bytes.
    #[error("the expression stands for more than {0} bytes")]
    BytesTooLong(usize),
    /// A text is not base64.
    #[error("base64: {0}")]
    Base64(String),
    /// A message is not an object.
    #[error("a message is an object")]
    Message,
    /// A message is not JSON as the wire has it.
    #[error("{0}")]
    MessageJson(ParseError),
    /// A message of ours has a matcher.
    #[error("a matcher cannot be sent")]
    SentMatcher,
    /// No matcher has this name.
    #[error("{0} is no matcher; a string that starts so is written \"?{0}\"")]
    UnknownMatcher(String),
    /// A `?json` needs the id of a function.
    #[error("?json cannot hold {0}: the suite knows it only when it sends the message")]
    JsonId(String),
    /// A `?json` is not JSON.
    #[error("?json is not JSON: {0}")]
    JsonMark(ParseError),
    /// A peer could not send this callback.
    #[error("the callback {0} cannot be expected")]
    Callback(String),
    /// A peer could not send this link.
    #[error("a link without from and to cannot be expected")]
    Link,
    /// A path leads to no place.
    #[error("{0} is no place in the arguments")]
    NoPlace(Path),
    /// Both ends declare the same name.
    #[error("{0} is declared by both ends: a function that is handed back needs a new name")]
    DeclaredByBoth(Name),
    /// A name is used that nothing above binds.
    #[error("{0} is not bound by anything above")]
    Unbound(Name),
    /// The function belongs to the wrong end; its owner.
    #[error("{0} cannot be called by this end: it is {1}")]
    WrongEnd(Name, &'static str),
}

impl Fault {
    /// Advice for the author.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Fault::Version { .. } => "Use a release that reads this version, or record the session again.",
            Fault::NoClauses | Fault::UnknownClause(_) => "spec/CLAUSES.md lists the ids of all clauses.",
            Fault::BytesTooLong(_) => "Use a smaller number of times.",
            Fault::SentMatcher => "Write the value to send. Matchers belong into expect.",
            Fault::DeclaredByBoth(_) => "Give the function another name in one of the two messages.",
            Fault::Unbound(_) => {
                "Bind the name in an earlier step, in `object`, or list the method in `needs`."
            }
            Fault::WrongEnd(..) => "Call a function that the other end declares.",
            _ => "fixtures/transcripts/README.md describes the format.",
        }
    }
}
