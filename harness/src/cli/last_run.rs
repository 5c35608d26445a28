//! The events of the last run, kept for `--failed` and `show`.
//!
//! The file is replaced at the end of a run, so an unfinished run leaves the one before. A run whose
//! events cannot be kept is as good as any other, so a problem is only a note.

use super::failure::Failure;
use super::output;
use crate::files::NewFile;
use dnode_reports::Report;
use dnode_reports::event::Event;
use dnode_reports::format::Format;
use dnode_reports::text::Options;
use std::fs::{File, create_dir_all};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The folder in which the program keeps its own files. It is in the current folder.
const FOLDER: &str = ".dnode-conform";

/// The events of the last run.
pub(super) const FILE: &str = ".dnode-conform/last-run.jsonl";

/// The file of the last run, or an error that ends with what to do instead.
pub(super) fn file(instead: &str) -> Result<PathBuf, Failure> {
    let path = PathBuf::from(FILE);
    match path.exists() {
        true => Ok(path),
        false => Err(Failure::caller(format!(
            "no run was kept in this folder ({FILE} does not exist): run the cases first, or {instead}"
        ))),
    }
}

/// The events of this run.
pub(super) struct LastRun {
    /// What is being written.
    open: Option<Kept>,
    /// The file is in its place.
    complete: bool,
}

struct Kept {
    output: NewFile,
    report: Box<dyn Report + Send>,
}

impl LastRun {
    /// Keeps the events of this run.
    pub(super) fn begin() -> LastRun {
        LastRun { open: noted(Kept::begin()), complete: false }
    }

    /// Keeps nothing.
    pub(super) fn none() -> LastRun {
        LastRun { open: None, complete: false }
    }

    /// Keeps an event. After the last one, the file is in its place.
    pub(super) fn event(&mut self, event: &Event) {
        let Some(mut kept) = self.open.take() else { return };
        let written = kept.report.event(event);
        match (written, event) {
            (Ok(()), Event::Ended(_)) => self.complete = noted(kept.end()).is_some(),
            (written, _) => self.open = noted(written).map(|()| kept),
        }
    }

    /// Whether the run is over and its events are kept.
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }
}

impl Kept {
    fn begin() -> io::Result<Kept> {
        create_dir_all(FOLDER)?;
        let ignore = Path::new(FOLDER).join(".gitignore");
        if !ignore.exists() {
            File::create(ignore)?.write_all(b"*\n")?;
        }
        let output = NewFile::open(Path::new(FILE))?;
        let report = Format::Events.report(output.writer()?, Options::default());
        Ok(Kept { output, report })
    }

    fn end(mut self) -> io::Result<()> {
        self.report.finish()?;
        self.output.keep()
    }
}

/// Prints a note about a problem.
fn noted<T>(result: io::Result<T>) -> Option<T> {
    let note =
        |error| output::warn(format_args!("note: --failed and show will not know this run: {FILE}: {error}"));
    result.map_err(note).ok()
}
