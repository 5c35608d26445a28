//! The folder of a site: writes its files, and removes those of the site before.

use crate::cli::failure::Failure;
use crate::files;
use dnode_reports::site::File;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// The file that lists the files of a site, one a line.
const LIST: &str = ".dnode-conform-site";

/// A folder that is empty, or has an earlier site.
#[derive(Debug)]
pub(super) struct SiteFolder {
    path: PathBuf,
    /// The files of the earlier site.
    old: BTreeSet<String>,
}

impl SiteFolder {
    /// Opens or creates the folder.
    ///
    /// # Errors
    /// It has files that are no site, or it cannot be read. The caller is at fault.
    pub(super) fn open(path: &Path) -> Result<SiteFolder, Failure> {
        let failed = |error: io::Error| {
            Failure::caller(format!("the folder {} cannot be used: {error}", path.display()))
        };
        fs::create_dir_all(path).map_err(failed)?;
        let old = match files::read(&path.join(LIST)) {
            Ok(list) => list.lines().filter(|line| is_inside(line)).map(str::to_owned).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeSet::new(),
            Err(error) => return Err(failed(error)),
        };
        let is_empty = fs::read_dir(path).map_err(failed)?.next().is_none();
        if !is_empty && !path.join(LIST).exists() {
            return Err(Failure::caller(format!(
                "{} has files, and none of them is {LIST}, the list that each site has; choose an empty folder for --out",
                path.display()
            )));
        }
        Ok(SiteFolder { path: path.to_owned(), old })
    }

    /// Writes the files, and removes the other files of the earlier site. Until all are written, the
    /// list has the old and the new files, so that the next build finds what an interrupted one left.
    ///
    /// # Errors
    /// A file cannot be written or removed.
    pub(super) fn write(self, files: &[File]) -> Result<(), Failure> {
        let new: BTreeSet<String> = files.iter().map(|file| file.path.clone()).collect();
        self.list(self.old.union(&new))?;
        for file in files {
            let path = self.path.join(&file.path);
            let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
            let written = folder.and_then(|()| files::replace(&path, &file.text));
            written.map_err(|error| unwritten(&path, &error))?;
        }
        for path in self.old.difference(&new).map(|file| self.path.join(file)) {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(unwritten(&path, &error));
                }
                _ => {}
            }
            // A folder that has other files stays.
            let above = path.ancestors().skip(1).take_while(|folder| *folder != self.path);
            let _ = above.map(fs::remove_dir).take_while(Result::is_ok).count();
        }
        self.list(new.iter())
    }

    fn list<'f>(&self, files: impl Iterator<Item = &'f String>) -> Result<(), Failure> {
        let text: String = files.map(|file| format!("{file}\n")).collect();
        let path = self.path.join(LIST);
        files::replace(&path, text).map_err(|error| unwritten(&path, &error))
    }
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    Failure::caller(format!(
        "the site is not complete, because {} cannot be written: {error}",
        path.display()
    ))
}

/// Whether a path of the list is inside of the site. Anyone may have edited the list.
fn is_inside(path: &str) -> bool {
    !path.is_empty() && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_was_edited_removes_nothing_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let outside = folder.path().join("outside");
        fs::write(&outside, "kept").unwrap();
        let site = folder.path().join("site");
        fs::create_dir(&site).unwrap();
        fs::write(site.join(LIST), format!("../outside\n{}\n\n.\n", outside.display())).unwrap();
        SiteFolder::open(&site).unwrap().write(&[]).unwrap();
        assert_eq!(fs::read_to_string(outside).unwrap(), "kept");
    }
}
