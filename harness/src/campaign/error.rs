//! Why a campaign could not start, or could not continue.

use crate::cases::CatalogueError;
use crate::error::{Fault, Faulted};
use crate::learn::LearnError;
use crate::peer::StartError;
use dnode_reports::event::Death;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why a campaign could not start, or could not continue.
#[derive(Debug, Error)]
pub enum CampaignError {
    /// The peer cannot be started or reached.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The peer's process exited during or after its first connection.
    #[error("the peer's process ended with its first connection, with {status}", status = .0.status)]
    Ended(Death),
    /// The peer died and cannot be restarted.
    #[error("the peer cannot be restarted")]
    Gone,
    /// The peer no longer serves connections, and we cannot restart it.
    #[error("the peer no longer serves connections, and the suite cannot restart it")]
    NotServing,
    /// Another campaign uses this folder.
    #[error("another campaign uses the folder {}", .0.display())]
    Claimed(PathBuf),
    /// A folder cannot be read or written.
    #[error("{folder}: {problem}", folder = .0.display(), problem = .1)]
    Folder(PathBuf, io::Error),
    /// What was found cannot be written.
    #[error("a finding cannot be written, {0}: {1}")]
    Finding(String, io::Error),
    /// The catalogue cannot be read.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// The states of the machine cannot be read.
    #[error(transparent)]
    States(#[from] LearnError),
    /// A lane panicked.
    #[error("a lane of the campaign failed")]
    Lane,
}

impl Faulted for CampaignError {
    fn fault(&self) -> Fault {
        match self {
            CampaignError::Start(error) => error.fault(),
            CampaignError::Ended(_) | CampaignError::Gone | CampaignError::NotServing => Fault::Peer,
            CampaignError::Claimed(_) | CampaignError::Folder(..) | CampaignError::Finding(..) => {
                Fault::Caller
            }
            CampaignError::States(error) => error.fault(),
            CampaignError::Catalogue(_) | CampaignError::Lane => Fault::Harness,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            CampaignError::Start(error) => error.help(),
            CampaignError::Ended(death) => Some(format!("Its standard error:\n{}", death.stderr)),
            CampaignError::Claimed(_) => {
                Some("Give this campaign its own folders; --shard splits the work.".to_owned())
            }
            _ => None,
        }
    }
}
