//! Where a report is written.
//!
//! A file is opened before anything runs, so that a path that cannot be written is said at once, and is begun with the first byte of the
//! report: until then what was in it stays, and one that there was not goes again. What was written must be at its path in the end.
//! Pipes and devices are written as they are.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file that is to be written anew.
#[derive(Debug)]
pub(super) struct Place {
    file: File,
    path: PathBuf,
    /// It is a plain file; anything else has no old content.
    is_file: bool,
    /// There was none before.
    is_new: bool,
    begun: bool,
}

impl Place {
    /// Opens the file, and makes it where there is none.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub(super) fn open(path: &Path) -> io::Result<Place> {
        let (file, is_new) = match OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(file) => (file, true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                (OpenOptions::new().write(true).create(true).truncate(false).open(path)?, false)
            }
            Err(error) => return Err(error),
        };
        let is_file = file.metadata()?.is_file();
        Ok(Place { file, path: path.to_owned(), is_file, is_new, begun: false })
    }

    /// Which file it is, if it is a plain one: two paths may lead to one.
    pub(super) fn identity(&self) -> Option<(u64, u64)> {
        self.file.metadata().ok().filter(|_| self.is_file).map(|it| identity(&it))
    }

    fn begin(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.begun, true) && self.is_file {
            self.file.set_len(0)?;
        }
        Ok(())
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

impl Write for Place {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begin()?;
        self.file.write(bytes)
    }

    /// Also fails where the file is no longer at its path.
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()?;
        let there = std::fs::metadata(&self.path).ok().map(|it| identity(&it));
        if self.is_file && there != self.identity() {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "the file was removed or replaced meanwhile",
            ));
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_new && !self.begun && self.is_file {
            // Nothing came of it.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_stays_until_the_first_byte() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        std::fs::write(&old, "what was there").unwrap();
        drop((Place::open(&old).unwrap(), Place::open(&new).unwrap()));
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "what was there");
        assert!(!new.exists());
        for path in [&old, &new] {
            let mut place = Place::open(path).unwrap();
            place.write_all(b"anew").unwrap();
            place.flush().unwrap();
            drop(place);
            assert_eq!(std::fs::read_to_string(path).unwrap(), "anew");
        }
    }

    #[test]
    fn a_file_that_is_gone_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        let mut place = Place::open(&path).unwrap();
        place.write_all(b"for nobody").unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(place.flush().is_err());
        std::fs::write(&path, "another's").unwrap();
        assert!(place.flush().is_err());
        drop(place);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "another's");
    }
}
