//! Each transcript of the repository is readable, and its file has the name of its id.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test reads the tree it runs in")]

use dnode_spec::transcript::Transcript;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/transcripts");

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "jsonl") {
            found.push(path);
        }
    }
}

#[test]
fn all_transcripts_are_readable() {
    let mut found = Vec::new();
    files(Path::new(FOLDER), &mut found);
    assert!(found.len() >= 200, "{} transcripts", found.len());
    let mut wrong = BTreeMap::new();
    for path in found {
        let name = path.strip_prefix(FOLDER).unwrap().with_extension("");
        let name = name.to_str().unwrap().replace('\\', "/");
        match Transcript::read(&std::fs::read_to_string(&path).unwrap()) {
            Ok(transcript) if transcript.header.id == name => {}
            Ok(transcript) => {
                wrong.insert(name, format!("has the id {}", transcript.header.id));
            }
            Err(error) => {
                wrong.insert(name, error.to_string());
            }
        }
    }
    assert_eq!(wrong, BTreeMap::new());
}
