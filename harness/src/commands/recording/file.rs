//! The file of a transcript that is being written.

use crate::files::NewFile;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A transcript that is being written. The steps go to a temporary file, because the header is
/// complete only at the end.
pub(super) struct TranscriptFile {
    path: PathBuf,
    steps_path: PathBuf,
    steps: BufWriter<File>,
}

impl TranscriptFile {
    /// Creates the next free `NAME-N.jsonl` in the folder, from this number on.
    pub(super) fn create(folder: &Path, name: &str, first: usize) -> io::Result<TranscriptFile> {
        fs::create_dir_all(folder)?;
        for number in first.. {
            let path = folder.join(format!("{name}-{number}.jsonl"));
            let steps_path = path.with_extension("steps");
            if path.exists() {
                continue;
            }
            match File::create_new(&steps_path) {
                Ok(steps) => {
                    return Ok(TranscriptFile { path, steps_path, steps: BufWriter::new(steps) });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("too many sessions"))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The name without its extension.
    pub(super) fn name(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    pub(super) fn write(&mut self, steps: &[impl Display]) -> io::Result<()> {
        steps.iter().try_for_each(|step| writeln!(self.steps, "{step}"))
    }

    /// Writes the header, then the steps, and returns the path.
    pub(super) fn finish(mut self, header: impl Display) -> io::Result<PathBuf> {
        self.steps.flush()?;
        let output = NewFile::open(&self.path)?;
        let mut whole = BufWriter::new(output.writer()?);
        writeln!(whole, "{header}")?;
        io::copy(&mut File::open(&self.steps_path)?, &mut whole)?;
        whole.flush()?;
        output.keep()?;
        Ok(self.path.clone())
    }
}

impl Drop for TranscriptFile {
    /// Without its header, the temporary file is of no use.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.steps_path);
    }
}
