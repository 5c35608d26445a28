//! The changes of the files in a folder.

use crate::cli::failure::Failure;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use notify::event::{EventKind, ModifyKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, channel};

/// Files that programs write, and that no port is made of. The rest is in the folder's .gitignore.
const IGNORED: &[&str] =
    &[".*", "node_modules", "target", "__pycache__", "*.pyc", "*.log", "*.tmp", "*~", "*.swp", "4913"];

/// An editor writes a file in several steps. This quiet time ends them.
const QUIET: Duration = Duration::from_millis(100);

/// How many changes wait to be read. More of them say no more.
const WAITING: usize = 64;

/// The changes of the files in a folder, except those that are ignored.
pub(super) struct Changes {
    /// It watches as long as it lives.
    _watcher: RecommendedWatcher,
    changed: Receiver<PathBuf>,
    /// Those that were read, but not returned yet.
    paths: BTreeSet<PathBuf>,
}

impl Changes {
    /// Begins to watch a folder.
    ///
    /// # Errors
    /// The folder cannot be watched.
    pub(super) fn of(folder: &Path) -> Result<Changes, Failure> {
        let unwatched = |error: &dyn std::fmt::Display| {
            Failure::caller(format!("{} cannot be watched: {error}", folder.display()))
        };
        let folder = folder.canonicalize().map_err(|error| unwatched(&error))?;
        let ignored = ignored(&folder).map_err(|error| unwatched(&error))?;
        let (sender, changed) = channel(WAITING);
        let root = folder.clone();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let Ok(event) = event else { return };
            if !is_change(event.kind) {
                return;
            }
            let is_ignored = |path: &PathBuf| {
                ignored.matched_path_or_any_parents(path, false).is_ignore() || is_output(path)
            };
            for path in event.paths.iter().filter(|path| !is_ignored(path)) {
                let _ = sender.try_send(path.strip_prefix(&root).unwrap_or(path).to_owned());
            }
        })
        .map_err(|error| unwatched(&error))?;
        watcher.watch(&folder, RecursiveMode::Recursive).map_err(|error| unwatched(&error))?;
        Ok(Changes { _watcher: watcher, changed, paths: BTreeSet::new() })
    }

    /// Waits for changes, and returns the paths, relative to the folder. If this is dropped before
    /// its end, no change is lost.
    pub(super) async fn next(&mut self) -> BTreeSet<PathBuf> {
        while self.paths.is_empty() {
            match self.changed.recv().await {
                Some(path) => drop(self.paths.insert(path)),
                None => std::future::pending().await,
            }
        }
        self.settle().await
    }

    /// The changes until there is none for a moment.
    pub(super) async fn settle(&mut self) -> BTreeSet<PathBuf> {
        while let Ok(Some(path)) = tokio::time::timeout(QUIET, self.changed.recv()).await {
            self.paths.insert(path);
        }
        std::mem::take(&mut self.paths)
    }
}

fn ignored(folder: &Path) -> Result<Gitignore, ignore::Error> {
    let mut rules = GitignoreBuilder::new(folder);
    for rule in IGNORED {
        rules.add_line(None, rule)?;
    }
    // A folder need not have this file.
    rules.add(folder.join(".gitignore"));
    rules.build()
}

/// Whether this program writes its standard output or standard error to this file.
fn is_output(path: &Path) -> bool {
    let identity = |path: &Path| path.metadata().ok().map(|it| (it.dev(), it.ino()));
    let file = identity(path);
    file.is_some() && ["/dev/stdout", "/dev/stderr"].iter().any(|it| identity(Path::new(it)) == file)
}

/// Whether the contents may have changed.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(_) | EventKind::Modify(ModifyKind::Metadata(_)) => false,
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[tokio::test]
    async fn only_files_of_the_port_count() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        };
        write(".gitignore");
        fs::write(folder.path().join(".gitignore"), "built/\n").unwrap();
        ["lib/a.rb", "built/a.js", "node_modules/b/index.js"].iter().for_each(|name| write(name));
        let mut changes = Changes::of(folder.path()).unwrap();
        ["built/a.js", "node_modules/b/index.js", ".dnode-conform/last-run.jsonl", "a.log", "lib/a.rb~"]
            .iter()
            .for_each(|name| write(name));
        fs::read(folder.path().join("lib/a.rb")).unwrap();
        write("lib/a.rb");
        assert_eq!(changes.next().await, BTreeSet::from([PathBuf::from("lib/a.rb")]));
        fs::remove_file(folder.path().join("lib/a.rb")).unwrap();
        assert_eq!(changes.next().await, BTreeSet::from([PathBuf::from("lib/a.rb")]));
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        let problem = Changes::of(Path::new("/does/not/exist")).err().unwrap();
        assert!(problem.to_string().contains("/does/not/exist cannot be watched"), "{problem}");
    }
}
