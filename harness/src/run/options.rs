//! The options of a run, and the reasons why a run cannot take place.

use super::running::Running;
use super::shard::Shard;
use crate::cases::{Case, Selection, SelectionError};
use crate::conversation::ping::Ping;
use crate::error::{Fault, Faulted};
use crate::gate::Gate;
use crate::peer::StartError;
use crate::program::Target;
use crate::verdict::Command;
use dnode_spec::clause::Level;
use dnode_spec::dialect::Dialect;
use dnode_spec::generate::Seed;
use std::time::Duration;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

/// The default number of cases that run side by side.
const JOBS: usize = 8;

/// The default time for a case.
const PATIENCE: Duration = Duration::from_secs(2);

/// The options of a run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The peer.
    pub target: Target,
    /// The selected cases.
    pub selection: Selection,
    /// The part of the selected cases to run; `None`: all of them.
    pub shard: Option<Shard>,
    /// Decides what makes the run fail.
    pub gate: Gate,
    /// The dialect of the peer.
    pub dialect: Dialect,
    /// The known-good call that the caller named.
    pub ping: Option<Ping>,
    /// How many cases run side by side.
    pub jobs: usize,
    /// How long a case may take.
    pub patience: Duration,
    /// The command that runs one case again.
    pub command: Command,
    /// Whether the run ends at the first case whose verdict gates.
    pub fail_fast: bool,
    /// How long the run may take, with the start of the peer. No case begins after it, and the current
    /// cases have 5 s to end. `None`: any time.
    pub max_time: Option<Duration>,
    /// Whether findings of generated sessions are shrunk.
    pub shrink: bool,
    /// Cancelled to end the run.
    pub interrupted: CancellationToken,
    /// The cases that run now, to be watched.
    pub running: Running,
}

impl Options {
    /// Runs all cases against this peer, with the defaults of the command line.
    #[must_use]
    pub fn new(target: Target) -> Options {
        Options {
            target,
            selection: Selection::all(),
            shard: None,
            gate: Gate::from(Level::Robust),
            dialect: Dialect::default(),
            ping: None,
            jobs: JOBS,
            patience: PATIENCE,
            command: Command::default(),
            fail_fast: false,
            max_time: None,
            shrink: true,
            interrupted: CancellationToken::new(),
            running: Running::default(),
        }
    }

    /// Whether all cases are run.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.selection.is_all() && self.shard.is_none()
    }
}

/// The cases of a run.
#[derive(Debug, Clone)]
pub enum Cases {
    /// These cases, if they are selected.
    Listed(Vec<Case>),
    /// The sessions of these seeds. They are made in batches, because memory may not hold all of
    /// them.
    Generated(Vec<Seed>),
}

impl From<Vec<Case>> for Cases {
    fn from(cases: Vec<Case>) -> Cases {
        Cases::Listed(cases)
    }
}

/// Why a run could not take place.
#[derive(Debug, Error)]
pub enum RunError {
    /// There is no peer.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The run was interrupted while the peer was starting.
    #[error("interrupted before the peer accepted a connection")]
    Interrupted,
    /// The time for the run was over while the peer was starting.
    #[error("--max-time elapsed before the peer accepted a connection")]
    OutOfTime,
    /// The selection does not fit the cases.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// The selection has only cases that are judged on the lines of other cases.
    #[error(
        "the always/ cases are judged on the lines of all other cases; select some of those too, for example the case that \
         the finding names"
    )]
    OnlyInvariants,
}

impl Faulted for RunError {
    fn fault(&self) -> Fault {
        match self {
            RunError::Start(error) => error.fault(),
            RunError::Selection(error) => error.fault(),
            RunError::Interrupted | RunError::OutOfTime | RunError::OnlyInvariants => Fault::Caller,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            RunError::Start(error) => error.help(),
            RunError::Selection(error) => error.help(),
            RunError::Interrupted | RunError::OutOfTime | RunError::OnlyInvariants => None,
        }
    }
}
