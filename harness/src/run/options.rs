//! What a run is asked to do, and why it could not.

use super::shard::Shard;
use crate::cases::{Case, Selection};
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

/// How many cases run side by side where nothing else is said.
const JOBS: usize = 8;

/// How long a case may take where nothing else is said.
const PATIENCE: Duration = Duration::from_secs(2);

/// What to run, against whom, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The peer.
    pub target: Target,
    /// The cases.
    pub selection: Selection,
    /// The part of them that is run; all, where there is none.
    pub shard: Option<Shard>,
    /// What makes the run red.
    pub gate: Gate,
    /// What the peer speaks.
    pub dialect: Dialect,
    /// The call that the caller knows to be answered.
    pub ping: Option<Ping>,
    /// How many cases run side by side.
    pub jobs: usize,
    /// How long a case may take.
    pub patience: Duration,
    /// The command that runs one case again.
    pub command: Command,
    /// Whether the run ends at the first case whose verdict gates.
    pub fail_fast: bool,
    /// Whether what generated sessions find is shrunk.
    pub shrink: bool,
    /// Cancelled to end the run.
    pub interrupted: CancellationToken,
}

impl Options {
    /// Everything against this peer, as the command line runs it where nothing else is said.
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
            shrink: true,
            interrupted: CancellationToken::new(),
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
    /// These, as far as they are selected.
    Listed(Vec<Case>),
    /// The sessions of these seeds, made when they are due: there may be more than fit into memory.
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
    /// The run was interrupted while the peer's program was starting.
    #[error("interrupted before the peer's program accepted a connection")]
    Interrupted,
    /// The selection names no case.
    #[error("no case has such an id; `dnode-conform list` shows them all")]
    NothingSelected,
    /// The selection names only cases that are judged on the lines of other cases.
    #[error(
        "the always/ cases are judged on the lines of all other cases; select some of those too, for example the one that a \
         finding names"
    )]
    OnlyInvariants,
}

impl Faulted for RunError {
    fn fault(&self) -> Fault {
        match self {
            RunError::Start(error) => error.fault(),
            RunError::Interrupted | RunError::NothingSelected | RunError::OnlyInvariants => Fault::Caller,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            RunError::Start(error) => error.help(),
            RunError::Interrupted | RunError::NothingSelected | RunError::OnlyInvariants => None,
        }
    }
}
