//! Why a machine was not learned.

use crate::conversation::facts::Unusable;
use crate::error::{Fault, Faulted};
use crate::peer::StartError;
use dnode_reports::event::Death;
use dnode_spec::alphabet::AlphabetError;
use dnode_spec::machine::FileError;
use dnode_spec::transcript;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why a machine was not learned.
#[derive(Debug, Error)]
pub enum LearnError {
    /// The peer cannot be started or reached.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The peer's process exited during or after its first connection.
    #[error("the peer's process ended with its first connection, with {status}", status = .0.status)]
    Ended(Death),
    /// The peer sends more than the suite keeps.
    #[error("{0}")]
    Unusable(Unusable),
    /// The peer is a client.
    #[error("the machine of a client cannot be learned, because it makes its own calls")]
    Client,
    /// No call was answered.
    #[error("the peer answered no call, so silence cannot be told from a slow answer")]
    NoCall,
    /// The peer did not answer the calls before the first input.
    #[error("the peer answers no call on a new connection, neither before nor after it got an object")]
    NotServed,
    /// The peer died or does not serve, and cannot be restarted.
    #[error("the peer no longer serves connections, and the suite cannot restart it")]
    Gone,
    /// The user interrupted it.
    #[error("interrupted after {queries} words, with {states} states so far")]
    Interrupted {
        /// The states so far.
        states: usize,
        /// The words asked so far.
        queries: u64,
    },
    /// A file cannot be read or written.
    #[error("{path}: {problem}", path = .0.display(), problem = .1)]
    Store(PathBuf, io::Error),
    /// The file of answers is about something else.
    #[error("{path}: {problem}", path = .0.display(), problem = .1)]
    OtherAnswers(PathBuf, String),
    /// The alphabet cannot be read.
    #[error("the alphabet: {0}")]
    Alphabet(#[from] AlphabetError),
    /// The machine of the reference peer cannot be read.
    #[error("the machine of the reference peer: {0}")]
    Reference(#[from] FileError),
    /// The steps of an input are wrong.
    #[error("the alphabet: {0}")]
    Steps(#[from] transcript::Fault),
    /// A word has an input that cannot be asked.
    #[error("the input {0:?} cannot be asked: {1}")]
    Input(String, String),
    /// A lane panicked.
    #[error("a lane of the learner failed")]
    Lane,
}

impl Faulted for LearnError {
    fn fault(&self) -> Fault {
        match self {
            LearnError::Start(error) => error.fault(),
            LearnError::Ended(_)
            | LearnError::Unusable(_)
            | LearnError::NoCall
            | LearnError::NotServed
            | LearnError::Gone => Fault::Peer,
            LearnError::Client
            | LearnError::Input(..)
            | LearnError::Interrupted { .. }
            | LearnError::Store(..)
            | LearnError::OtherAnswers(..) => Fault::Caller,
            LearnError::Alphabet(_) | LearnError::Reference(_) | LearnError::Steps(_) | LearnError::Lane => {
                Fault::Harness
            }
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            LearnError::Start(error) => return error.help(),
            LearnError::Ended(death) => format!("Its standard error:\n{}", death.stderr),
            LearnError::Client => "Run the cases against it: dnode-conform run --listen ADDR.".to_owned(),
            LearnError::NoCall => {
                "Expose the probe (fixtures/PROBE.md), or name a call that it answers with --ping.".to_owned()
            }
            LearnError::NotServed => "Run the cases first: dnode-conform run.".to_owned(),
            LearnError::Gone => "Let the suite start the peer: --exec CMD.".to_owned(),
            LearnError::Interrupted { .. } => "The same command with --resume continues.".to_owned(),
            LearnError::OtherAnswers(..) => "Leave out --resume to start again.".to_owned(),
            _ => return None,
        })
    }
}
