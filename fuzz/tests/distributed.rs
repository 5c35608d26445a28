//! What ClusterFuzzLite needs beside the targets: options, seeds and dictionaries for each of them.
//!
//! Deliberately absent: the build itself, which takes nightly and minutes; fuzz/README.md has the command. Its workflows are read with all
//! others, in harness/tests/ci.rs.

use dnode_fuzz::TARGETS;
use std::path::{Path, PathBuf};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The length of the longest file below a folder; `None` where there is none.
fn longest(folder: &Path) -> Option<u64> {
    let length = |path: PathBuf| {
        if path.is_dir() { longest(&path) } else { Some(std::fs::metadata(path).unwrap().len()) }
    };
    entries(folder).into_iter().filter_map(length).max()
}

#[test]
fn every_target_has_options_that_fit_its_seeds_and_a_dictionary_where_it_reads_a_stream() {
    let root = Path::new(ROOT);
    assert!(root.join("fuzz/dictionary/dnode.dict").is_file());
    for (target, _) in TARGETS {
        let options = std::fs::read_to_string(root.join(format!("fuzz/options/{target}.options"))).unwrap();
        let value = |key: &str| {
            let line =
                options.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix('='));
            line.map(|value| value.trim().to_owned())
        };
        assert!(options.lines().any(|line| line == "[libfuzzer]"), "{target}");
        assert_eq!(value("timeout").as_deref(), Some("10"), "{target}");
        let seeds = root.join("fuzz/seeds").join(target);
        let max_len = value("max_len").and_then(|length| length.parse::<u64>().ok());
        assert!(longest(&seeds) <= max_len, "{target} has a seed that its max_len {max_len:?} cuts");
        let stream = std::fs::read_link(&seeds).is_ok_and(|to| to == Path::new("stream"));
        assert_eq!(value("dict"), stream.then(|| format!("{target}.dict")), "{target}");
    }
}

#[test]
fn every_options_file_belongs_to_a_target() {
    for path in entries(&Path::new(ROOT).join("fuzz/options")) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(TARGETS.iter().any(|(target, _)| *target == name), "{name}");
    }
}

#[test]
fn the_project_is_one_that_clusterfuzzlite_builds() {
    let text = std::fs::read_to_string(format!("{ROOT}/.clusterfuzzlite/project.yaml")).unwrap();
    assert!(text.lines().any(|line| line == "language: rust"));
    for file in ["Dockerfile", "build.sh"] {
        assert!(Path::new(ROOT).join(".clusterfuzzlite").join(file).is_file(), "{file}");
    }
}
