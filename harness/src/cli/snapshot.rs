//! `run --snapshot FILE [--update]`: reads and writes the snapshot.

use super::failure::Failure;
use super::report::OpenReport;
use crate::files::{self, NewFile};
use crate::gate::snapshot::Snapshot;
use clap::Args;
use dnode_reports::ReadError;
use dnode_reports::format::Format;
use dnode_reports::text::Options;
use std::io;
use std::path::{Path, PathBuf};

/// The snapshot arguments of `run`.
#[derive(Debug, Clone, Args)]
pub(super) struct SnapshotArgs {
    /// Fail on differences from this snapshot of an earlier run, and on nothing else
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fail_fast", "generate"], help_heading = "Gate")]
    snapshot: Option<PathBuf>,
    /// Write the snapshot instead of comparing with it
    ///
    /// Commit it, and review it like code.
    #[arg(long, requires = "snapshot", conflicts_with_all = ["cases", "skip", "shard"], help_heading = "Gate")]
    update: bool,
}

/// A snapshot, and its file.
pub(super) struct SnapshotFile {
    path: PathBuf,
    pub(super) snapshot: Snapshot,
    /// The file for the report of this run, which becomes the snapshot, if `--update` is given.
    fresh: Option<NewFile>,
}

impl SnapshotArgs {
    /// Reads the snapshot, or prepares to write it; `None` without `--snapshot`.
    pub(super) fn open(&self) -> Result<Option<SnapshotFile>, Failure> {
        let Some(path) = self.snapshot.clone() else { return Ok(None) };
        let name = path.display().to_string();
        if self.update {
            check_replaced(&path)?;
            let fresh = NewFile::open(&path).map_err(|error| unwritten(&path, &error))?;
            return Ok(Some(SnapshotFile { path, snapshot: Snapshot::accepting(&name), fresh: Some(fresh) }));
        }
        let text = files::read(&path).map_err(|error| {
            let remedy = match error.kind() {
                io::ErrorKind::NotFound => "; add --update to write it",
                _ => "",
            };
            Failure::caller(format!("{name} cannot be read: {error}{remedy}"))
        })?;
        let snapshot = Snapshot::read(&text, &name).map_err(|error| {
            let remedy = match error {
                ReadError::Report(_) | ReadError::NoObject => "name another file",
                _ => "add --update to overwrite it",
            };
            Failure::caller(format!("{name} is not a snapshot: {error}; {remedy}"))
        })?;
        Ok(Some(SnapshotFile { path, snapshot, fresh: None }))
    }
}

/// Refuses to overwrite a file that is no snapshot. One of another version may be overwritten.
fn check_replaced(path: &Path) -> Result<(), Failure> {
    let text = match std::fs::metadata(path) {
        Ok(file) if file.is_file() && file.len() > 0 => files::read(path).unwrap_or_default(),
        _ => return Ok(()),
    };
    match Snapshot::read(&text, "") {
        Err(error @ (ReadError::Report(_) | ReadError::NoObject)) => Err(Failure::caller(format!(
            "{} is not a snapshot ({error}), so --update does not overwrite it; remove it, or name another file",
            path.display()
        ))),
        _ => Ok(()),
    }
}

impl SnapshotFile {
    /// The report that becomes the snapshot, if `--update` is given.
    pub(super) fn report(&self) -> Result<Option<OpenReport>, Failure> {
        let report = |fresh| OpenReport::to(&self.path, Format::Json, fresh, Options::default());
        self.fresh.as_ref().map(report).transpose()
    }

    /// Keeps the new snapshot if the run was complete. Otherwise, the old snapshot stays.
    pub(super) fn keep(self, status: u8) -> Result<(), Failure> {
        let Some(fresh) = self.fresh else { return Ok(()) };
        if status != 0 {
            return Err(Failure::caller(format!(
                "{} is not written, because the run says too little about the peer",
                self.path.display()
            )));
        }
        fresh.keep().map_err(|error| unwritten(&self.path, &error))
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::caller(format!("{} cannot be written: {error}", path.display()))
}
