//! Reads the transcripts that the user names: files, and folders with all `*.jsonl` files in them.

use super::failure::Failure;
use crate::cases::{Case, read_long};
use crate::files;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The largest transcript that is read into memory, in bytes.
const HELD: u64 = 4 << 20;

/// Reads the cases of these files and folders, in the order of the arguments. Those of a folder are
/// sorted by path.
pub(super) fn read(paths: &[String]) -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    for path in paths {
        if !Path::new(path).is_dir() {
            cases.push(read_file(path)?);
            continue;
        }
        let files = transcripts_in(Path::new(path))?;
        if files.is_empty() {
            return Err(Failure::caller(format!("no *.jsonl file in {path}")));
        }
        for file in files {
            cases.push(read_file(&file.to_string_lossy())?);
        }
    }
    if cases.is_empty() {
        return Err(Failure::caller("name at least one transcript"));
    }
    Ok(cases)
}

/// The first case of this role. A command that replays the other role cannot run it.
pub(super) fn speaking_for(server: bool, cases: &[Case]) -> Option<&Case> {
    cases.iter().find(|case| case.transcript.header.server == server)
}

/// All `*.jsonl` files in a folder and its subfolders, sorted. Links to folders are not followed,
/// because they may lead in a circle.
fn transcripts_in(folder: &Path) -> Result<BTreeSet<PathBuf>, Failure> {
    let fault = |path: &Path, error: io::Error| Failure::caller(format!("{}: {error}", path.display()));
    let mut files = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| fault(&folder, error))? {
            let entry = entry.map_err(|error| fault(&folder, error))?;
            let path = entry.path();
            if entry.file_type().map_err(|error| fault(&path, error))?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "jsonl") {
                files.insert(path);
            }
        }
    }
    Ok(files)
}

fn read_file(file: &str) -> Result<Case, Failure> {
    let length = fs::metadata(file).map_err(|error| Failure::caller(format!("{file}: {error}")))?.len();
    if length > HELD {
        return Ok(read_long(Path::new(file))?);
    }
    let text = files::read(Path::new(file)).map_err(|error| Failure::caller(format!("{file}: {error}")))?;
    let case = Case::read(&text).map_err(|error| Failure::caller(format!("{file}, {error}")))?;
    Ok(Case { file: Some(file.to_owned()), ..case })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_is_read_recursively_and_sorted_by_path() {
        let folder = tempfile::tempdir().unwrap();
        let case = |id: &str| {
            format!(
                "{{\"dnode-transcript\":1,\"id\":\"{id}\",\"since\":\"0.1.0\",\"clauses\":[\"value/numbers\"],\"about\":\"A.\"}}\n{{\"nothing\":true}}\n"
            )
        };
        fs::create_dir_all(folder.path().join("b/c")).unwrap();
        for (path, id) in [("z.jsonl", "t/z"), ("b/y.jsonl", "t/y"), ("b/c/x.jsonl", "t/x")] {
            fs::write(folder.path().join(path), case(id)).unwrap();
        }
        fs::write(folder.path().join("b/README.md"), "no transcript").unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let ids = |paths: &[String]| -> Vec<String> {
            read(paths).unwrap().iter().map(|case| case.id().to_owned()).collect()
        };
        assert_eq!(ids(&[path("")]), ["t/x", "t/y", "t/z"]);
        assert_eq!(ids(&[path("z.jsonl"), path("b")]), ["t/z", "t/x", "t/y"]);
        fs::create_dir(folder.path().join("empty")).unwrap();
        assert!(read(&[path("empty")]).unwrap_err().to_string().starts_with("error: no *.jsonl"));
    }
}
