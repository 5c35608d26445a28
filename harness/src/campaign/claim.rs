//! One campaign at a time in a folder: of what two know of a peer the one that saves last would be left, and a finding of both would be
//! taken away by one while the other writes it.
//!
//! The claim is the system's lock on the folder itself: it is over with the process, however that ends, and no file is left behind.

use super::CampaignError;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use std::collections::BTreeSet;
use std::fs::{File, create_dir_all};
use std::path::PathBuf;

/// Makes these folders where they are missing, and claims them until what it gives is dropped.
///
/// # Errors
/// Which folder another campaign has claimed, or cannot be opened.
pub(super) fn claim<'f>(
    folders: impl Iterator<Item = &'f PathBuf>,
) -> Result<Vec<Flock<File>>, CampaignError> {
    // Corpus and findings may be one folder, which can be claimed once.
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
            // Not every file system has locks.
            Err(_) => {}
        }
    }
    Ok(claimed)
}
