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
    /// A file cannot be written or removed, or is not of the earlier site.
    pub(super) fn write(self, files: &[File]) -> Result<(), Failure> {
        let new: BTreeSet<String> = files.iter().map(|file| file.path.clone()).collect();
        self.old.union(&new).try_for_each(|file| self.check_inside(file))?;
        new.difference(&self.old).try_for_each(|file| self.check_new(file))?;
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

    /// Refuses a symbolic link below the folder: it may lead out of it.
    fn check_inside(&self, file: &str) -> Result<(), Failure> {
        let path = self.path.join(file);
        let parts = path.ancestors().take_while(|part| *part != self.path);
        match parts.into_iter().find(|part| part.is_symlink()) {
            Some(link) => Err(Failure::caller(format!(
                "{} is a symbolic link, and a site writes and removes only what is in its folder; remove the link",
                link.display()
            ))),
            None => Ok(()),
        }
    }

    /// Refuses to overwrite a file that the earlier site does not list.
    fn check_new(&self, file: &str) -> Result<(), Failure> {
        let path = self.path.join(file);
        match path.symlink_metadata() {
            Ok(_) => Err(Failure::caller(format!(
                "the site needs the name {}, which is a file of yours; move it, or choose another folder for --out",
                path.display()
            ))),
            Err(_) => Ok(()),
        }
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
    use std::os::unix::fs::symlink;

    fn page(path: &str) -> File {
        File { path: path.to_owned(), text: "new".to_owned() }
    }

    #[test]
    fn a_file_that_the_earlier_site_does_not_list_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let site = || SiteFolder::open(folder.path()).unwrap();
        site().write(&[page("index.html")]).unwrap();
        fs::write(folder.path().join("own.html"), "kept").unwrap();
        let problem = site().write(&[page("index.html"), page("own.html")]).unwrap_err().to_string();
        assert!(problem.contains("own.html, which is a file of yours"), "{problem}");
        assert_eq!(fs::read_to_string(folder.path().join("own.html")).unwrap(), "kept");
        site().write(&[page("index.html")]).unwrap();
    }

    #[test]
    fn a_link_leads_nowhere_outside() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("outside")).unwrap();
        fs::write(at("outside/x"), "kept").unwrap();
        SiteFolder::open(&at("site")).unwrap().write(&[page("index.html")]).unwrap();
        symlink(at("outside"), at("site/linked")).unwrap();
        fs::write(at("site").join(LIST), "index.html\nlinked/x\n").unwrap();
        for files in [&[page("index.html")][..], &[page("linked/y")]] {
            let problem = SiteFolder::open(&at("site")).unwrap().write(files).unwrap_err().to_string();
            assert!(problem.contains("linked is a symbolic link"), "{problem}");
        }
        assert_eq!(fs::read_to_string(at("outside/x")).unwrap(), "kept");
        assert!(!at("outside/y").exists());
    }

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
