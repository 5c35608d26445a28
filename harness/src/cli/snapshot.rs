//! `run --snapshot FILE [--update]`: where the snapshot is read from, and how it is written.

use super::baseline::replace;
use super::failure::Failure;
use super::report::Named;
use crate::gate::snapshot::Snapshot;
use clap::Args;
use dnode_reports::format::Format;
use dnode_reports::text::Options;
use std::io::{Read, Seek};
use std::path::PathBuf;

/// The arguments of `run` about a snapshot.
#[derive(Debug, Clone, Args)]
pub(super) struct SnapshotArgs {
    /// Hold the peer against its behaviour in an earlier run, which this file has: what gates is a difference
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fail_fast", "generate"])]
    snapshot: Option<PathBuf>,
    /// Accept what the peer does, and write the snapshot; commit it, and review it like code
    #[arg(long, requires = "snapshot", conflicts_with_all = ["cases", "shard"])]
    update: bool,
}

/// A snapshot at its file.
pub(super) struct SnapshotFile {
    path: PathBuf,
    pub(super) snapshot: Snapshot,
    /// What comes, where it is to be written.
    fresh: Option<std::fs::File>,
}

impl SnapshotArgs {
    /// Reads the snapshot, or prepares for writing it; `None` where none is named.
    pub(super) fn open(&self) -> Result<Option<SnapshotFile>, Failure> {
        let Some(path) = self.snapshot.clone() else { return Ok(None) };
        let name = path.display().to_string();
        if self.update {
            let fresh = tempfile::tempfile()
                .map_err(|error| Failure::harness(format!("no temporary file: {error}")))?;
            return Ok(Some(SnapshotFile { path, snapshot: Snapshot::accepting(&name), fresh: Some(fresh) }));
        }
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Failure::caller(format!("{name} cannot be read: {error}; with --update it is written"))
        })?;
        let snapshot = Snapshot::read(&text, &name).map_err(|error| {
            Failure::caller(format!("{name} is no snapshot: {error}; with --update it is written anew"))
        })?;
        Ok(Some(SnapshotFile { path, snapshot, fresh: None }))
    }
}

impl SnapshotFile {
    /// The report that becomes the snapshot, where one is written.
    pub(super) fn report(&self) -> Result<Option<Named>, Failure> {
        let Some(fresh) = &self.fresh else { return Ok(None) };
        let file =
            fresh.try_clone().map_err(|error| Failure::harness(format!("no temporary file: {error}")))?;
        Ok(Some((self.path.display().to_string(), Format::Json.report(file, Options::default()))))
    }

    /// Writes it, where the run says something; else what is there stays.
    pub(super) fn keep(self, status: u8) -> Result<(), Failure> {
        let Some(mut fresh) = self.fresh else { return Ok(()) };
        let name = self.path.display();
        if status != 0 {
            return Err(Failure::caller(format!(
                "{name} is not written: the run says too little about the peer"
            )));
        }
        let mut text = String::new();
        let read = fresh.rewind().and_then(|()| fresh.read_to_string(&mut text));
        read.map_err(|error| Failure::harness(format!("the temporary file cannot be read: {error}")))?;
        replace(&self.path, &text)
            .map_err(|error| Failure::caller(format!("{name} cannot be written: {error}")))
    }
}
