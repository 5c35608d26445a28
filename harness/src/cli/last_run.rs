//! The events of the last runs, kept for `--failed` and `show`.
//!
//! A run of all cases, one of selected cases and one of a single case have a file each. A person who
//! repeats a finding goes on with the run that showed it, so a run replaces no file of more cases. It
//! removes the files of fewer cases, which are older than it.
//!
//! A file is replaced at the end of a run, so an unfinished run leaves the one before. A run whose
//! events cannot be kept is as good as any other, so a problem is only a note.

use super::failure::Failure;
use super::output;
use crate::files::NewFile;
use dnode_reports::Report;
use dnode_reports::event::Event;
use dnode_reports::format::Format;
use dnode_reports::text::Options;
use std::fs::{File, create_dir_all, remove_file};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The folder in which the program keeps its own files. It is in the current folder.
pub(super) const FOLDER: &str = ".dnode-conform";

/// Which cases a run had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Extent {
    One,
    Selected,
    All,
}

impl Extent {
    /// From the fewest cases to the most.
    const EACH: [Extent; 3] = [Extent::One, Extent::Selected, Extent::All];

    /// The file of the last such run.
    pub(super) fn file(self) -> PathBuf {
        Path::new(FOLDER).join(match self {
            Extent::One => "last-case.jsonl",
            Extent::Selected => "last-selected.jsonl",
            Extent::All => "last-run.jsonl",
        })
    }

    /// The last such run, for messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Extent::One => "the last run of a single case",
            Extent::Selected => "the last run of selected cases",
            Extent::All => "the last run of all cases",
        }
    }
}

/// The runs that are kept here, the newest first.
pub(super) fn kept() -> impl Iterator<Item = Extent> {
    Extent::EACH.into_iter().filter(|extent| extent.file().exists())
}

/// The last run, or an error that ends with what to do instead. A run of a single case printed its
/// finding in full, so it counts only if there is no other.
pub(super) fn last(instead: &str) -> Result<Extent, Failure> {
    let of_several = kept().find(|extent| *extent > Extent::One);
    of_several.or_else(|| kept().next()).ok_or_else(|| {
        Failure::caller(format!(
            "no run was kept in this folder ({FOLDER} has none): run the cases first, or {instead}"
        ))
    })
}

/// The events of this run.
pub(super) struct LastRun {
    extent: Extent,
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
    pub(super) fn begin(extent: Extent) -> LastRun {
        LastRun { extent, open: noted(extent, Kept::begin(extent)), complete: false }
    }

    /// Keeps nothing.
    pub(super) fn none() -> LastRun {
        LastRun { extent: Extent::One, open: None, complete: false }
    }

    /// Keeps an event. After the last one, the file is in its place.
    pub(super) fn event(&mut self, event: &Event) {
        let Some(mut kept) = self.open.take() else { return };
        let written = kept.report.event(event);
        match (written, event) {
            (Ok(()), Event::Ended(_)) => {
                self.complete = noted(self.extent, kept.end(self.extent)).is_some();
            }
            (written, _) => self.open = noted(self.extent, written).map(|()| kept),
        }
    }

    /// Whether the run is over, and `show` numbers its causes.
    pub(super) fn has_numbers(&self) -> bool {
        self.complete && self.extent > Extent::One
    }
}

impl Kept {
    fn begin(extent: Extent) -> io::Result<Kept> {
        create_dir_all(FOLDER)?;
        let ignore = Path::new(FOLDER).join(".gitignore");
        if !ignore.exists() {
            File::create(ignore)?.write_all(b"*\n")?;
        }
        let output = NewFile::open(&extent.file())?;
        let report = Format::Events.report(output.writer()?, Options::default());
        Ok(Kept { output, report })
    }

    fn end(mut self, extent: Extent) -> io::Result<()> {
        self.report.finish()?;
        self.output.keep()?;
        kept().filter(|older| *older < extent).try_for_each(|older| remove_file(older.file()))
    }
}

/// Prints a note about a problem.
fn noted<T>(extent: Extent, result: io::Result<T>) -> Option<T> {
    let file = extent.file();
    let note = |error| {
        let file = file.display();
        output::warn(format_args!("note: --failed and show will not know this run: {file}: {error}"));
    };
    result.map_err(note).ok()
}
