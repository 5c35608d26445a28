//! Reads and writes whole files.
//!
//! A file that we write replaces the old one when it is complete, so a full disk, an error or our
//! end leaves the old one whole. All files that we write for others to read go through here.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tempfile::{Builder, NamedTempFile};

/// The longest text file that is read, in bytes.
const LIMIT: u64 = 256 << 20;

/// How the names of temporary files begin.
const UNFINISHED_PREFIX: &str = ".unfinished-";

/// The age of a temporary file from which on the run that wrote it was killed.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads a text file.
///
/// # Errors
/// The system's error, the file is not UTF-8, or it has more than 256 MiB.
pub(crate) fn read(path: &Path) -> io::Result<String> {
    read_from(File::open(path)?)
}

/// Reads standard input to its end. Errors: see [`read`].
pub(crate) fn read_stdin() -> io::Result<String> {
    read_from(io::stdin())
}

/// Reads an open file to its end. Errors: see [`read`].
pub(crate) fn read_from(file: impl Read) -> io::Result<String> {
    let mut text = String::new();
    file.take(LIMIT + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LIMIT {
        let limit = format!("it has more than {} MiB, which is the limit", LIMIT >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, limit));
    }
    Ok(text)
}

/// Writes a whole file. Without success, the old file stays.
///
/// # Errors
/// The system's error.
pub(crate) fn replace(path: &Path, bytes: impl AsRef<[u8]>) -> io::Result<()> {
    NewFile::open(path)?.write(bytes)
}

/// The temporary files of all unfinished files.
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn unfinished() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes the temporary files of all unfinished files. Call it directly before the suite exits in
/// the middle of its work.
pub(crate) fn remove_unfinished() {
    for path in &*unfinished() {
        let _ = fs::remove_file(path);
    }
}

/// A file that is being written. If this value is dropped before [`keep`](NewFile::keep), the old file
/// stays.
///
/// Devices and pipes have no old content. They are written directly.
#[derive(Debug)]
pub(crate) struct NewFile {
    /// Where the file will be.
    path: PathBuf,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// A device or a pipe.
    Direct(File),
    /// A temporary file, which replaces the old one.
    Draft(Draft),
}

/// A temporary file that [`remove_unfinished`] knows.
#[derive(Debug)]
struct Draft(NamedTempFile);

impl NewFile {
    /// Prepares to write the file. This waits for the reader of a named pipe.
    ///
    /// # Errors
    /// The file cannot be written: the path is a folder, the folder does not exist, permissions.
    pub(crate) fn open(path: &Path) -> io::Result<NewFile> {
        let target = behind_links(path);
        let old = match OpenOptions::new().append(true).open(path) {
            Ok(file) => Some(file),
            Err(_) if path.as_os_str().as_encoded_bytes().ends_with(b"/") => {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let place = match old {
            Some(file) if is_direct(path, &file)? => Place::Direct(file),
            old => Place::Draft(Draft::new(&target, old.as_ref())?),
        };
        Ok(NewFile { path: target, place })
    }

    /// A writer to the file. All writers share one position.
    ///
    /// # Errors
    /// The system's error.
    pub(crate) fn writer(&self) -> io::Result<File> {
        match &self.place {
            Place::Direct(file) => file.try_clone(),
            Place::Draft(draft) => draft.0.as_file().try_clone(),
        }
    }

    /// Writes all of it, and keeps it.
    ///
    /// # Errors
    /// The system's error. The old file stays.
    pub(crate) fn write(self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.writer()?.write_all(bytes.as_ref())?;
        self.keep()
    }

    /// Whether both lead to one file.
    #[must_use]
    pub(crate) fn is_same(&self, other: &NewFile) -> bool {
        let identity = |path: &Path| fs::metadata(path).ok().map(|it| (it.dev(), it.ino()));
        let is_linked = identity(&self.path).is_some_and(|own| identity(&other.path) == Some(own));
        self.path == other.path || is_linked
    }

    /// Puts the complete file in its place. Flush all writers first.
    ///
    /// # Errors
    /// The system's error. The old file stays.
    pub(crate) fn keep(self) -> io::Result<()> {
        match self.place {
            Place::Direct(_) => Ok(()),
            Place::Draft(draft) => draft.replace(&self.path),
        }
    }
}

/// The file that a path stands for. It may not exist yet.
fn behind_links(path: &Path) -> PathBuf {
    let whole = path.canonicalize().or_else(|_| {
        // A link may lead to a file that does not exist.
        let to = fs::read_link(path).map_or_else(|_| path.to_owned(), |link| folder_of(path).join(link));
        let name = to.file_name().map(ToOwned::to_owned).unwrap_or_default();
        folder_of(&to).canonicalize().map(|folder| folder.join(name))
    });
    whole.unwrap_or_else(|_| path.to_owned())
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Files of a process that are open, and may be regular files.
const OPEN_FILES: [&str; 4] = ["/dev/fd", "/dev/stderr", "/dev/stdout", "/proc"];

/// Whether a file is written directly: it has no old content, or others write it too.
fn is_direct(path: &Path, file: &File) -> io::Result<bool> {
    Ok(!file.metadata()?.is_file() || OPEN_FILES.iter().any(|open| path.starts_with(open)))
}

/// Removes the temporary files of runs that were killed. A run that still goes on wrote to its files
/// since then.
fn remove_stale(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().as_encoded_bytes().starts_with(UNFINISHED_PREFIX.as_bytes());
        let age = || entry.metadata().and_then(|it| it.modified()).ok()?.elapsed().ok();
        if is_ours && age().is_some_and(|age| age > STALE) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

impl Draft {
    /// A temporary file beside `path`. If that folder is read-only and the file is not, it is in the
    /// system's folder for temporary files.
    fn new(path: &Path, old: Option<&File>) -> io::Result<Draft> {
        fs::metadata(folder_of(path))?;
        remove_stale(folder_of(path));
        let mut builder = Builder::new();
        builder.prefix(UNFINISHED_PREFIX).permissions(Permissions::from_mode(0o666));
        let file = builder.tempfile_in(folder_of(path)).or_else(|error| match (old, error.kind()) {
            (Some(_), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => {
                builder.tempfile()
            }
            // The error itself names the temporary file, which the user does not know.
            (_, kind) => Err(kind.into()),
        })?;
        if let Some(old) = old.map(File::metadata).transpose()? {
            // Only root can give a file away.
            let _ = fchown(file.as_file(), Some(old.uid()), Some(old.gid()));
            file.as_file().set_permissions(old.permissions())?;
        }
        unfinished().insert(file.path().to_owned());
        Ok(Draft(file))
    }

    fn replace(mut self, path: &Path) -> io::Result<()> {
        match fs::rename(self.0.path(), path) {
            // A container may mount a single file, which cannot be replaced, only written.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices) =>
            {
                let draft = self.0.as_file_mut();
                draft.rewind()?;
                io::copy(draft, &mut File::create(path)?).map(|_| ())
            }
            renamed => renamed,
        }
    }
}

impl Drop for Draft {
    /// The temporary file itself removes its file, if that is still there.
    fn drop(&mut self) {
        unfinished().remove(self.0.path());
    }
}

#[cfg(test)]
mod tests;
