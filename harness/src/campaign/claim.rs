//! Locks the folders of a campaign, so that two campaigns do not overwrite each other's state and
//! findings.
//!
//! The lock is a lock of the system on the folder. It ends with the process, and no file is left
//! behind.

use super::error::CampaignError;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use std::collections::BTreeSet;
use std::fs::{File, create_dir_all};
use std::path::PathBuf;

/// Creates the folders if they do not exist, and locks them until the result is dropped.
///
/// # Errors
/// Another campaign uses a folder, or a folder cannot be opened.
pub(super) fn claim<'f>(
    folders: impl Iterator<Item = &'f PathBuf>,
) -> Result<Vec<Flock<File>>, CampaignError> {
    // The corpus and the findings may share a folder, which can be locked only once.
    let mut known = BTreeSet::new();
    let mut claimed = Vec::new();
    for folder in folders {
        let fault = |error| CampaignError::Folder(folder.clone(), error);
        create_dir_all(folder).map_err(fault)?;
        if !known.insert(folder.canonicalize().map_err(fault)?) {
            continue;
        }
        match Flock::lock(File::open(folder).map_err(fault)?, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => claimed.push(lock),
            Err((_, Errno::EWOULDBLOCK)) => return Err(CampaignError::Claimed(folder.clone())),
            // Some file systems have no locks.
            Err(_) => {}
        }
    }
    Ok(claimed)
}
