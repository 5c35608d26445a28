//! The file that a report is written to.
//!
//! The file is opened before anything runs, so that a bad path is an error at once. The old content
//! stays until the first byte of the report is written. A new file that gets no byte is removed. At
//! the end, the file must still be at its path. Pipes and devices are written without these rules.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file that is overwritten from its first byte on.
#[derive(Debug)]
pub(super) struct Place {
    file: File,
    path: PathBuf,
    /// It is a regular file. Others have no old content.
    is_file: bool,
    /// We created it.
    is_new: bool,
    /// The first byte was written.
    begun: bool,
}

impl Place {
    /// Opens the file, and creates it if it does not exist.
    ///
    /// # Errors
    /// The file cannot be opened.
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

    /// The identity of a regular file. Two paths may lead to the same file.
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

    /// Also fails if the file is no longer at its path.
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
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_content_stays_until_the_first_byte() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        std::fs::write(&old, "old content").unwrap();
        drop((Place::open(&old).unwrap(), Place::open(&new).unwrap()));
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "old content");
        assert!(!new.exists());
        for path in [&old, &new] {
            let mut place = Place::open(path).unwrap();
            place.write_all(b"new content").unwrap();
            place.flush().unwrap();
            drop(place);
            assert_eq!(std::fs::read_to_string(path).unwrap(), "new content");
        }
    }

    #[test]
    fn removed_or_replaced_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        let mut place = Place::open(&path).unwrap();
        place.write_all(b"lost").unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(place.flush().is_err());
        std::fs::write(&path, "of another program").unwrap();
        assert!(place.flush().is_err());
        drop(place);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "of another program");
    }
}
