//! ClusterFuzzLite needs options, seeds and dictionaries beside the targets.
//!
//! Deliberately absent: the build, which needs nightly Rust and takes minutes (`.clusterfuzzlite/build.sh`).
//! `harness/tests/ci.rs` reads the workflows.

use dnode_fuzz::{TARGETS, files};
use std::path::Path;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The length of the longest seed. The documents beside transcripts and recordings are not seeds.
fn longest_seed(folder: &Path) -> u64 {
    let seeds =
        files(folder).unwrap().into_iter().filter(|path| path.extension().is_none_or(|it| it != "md"));
    seeds.map(|path| std::fs::metadata(path).unwrap().len()).max().unwrap()
}

#[test]
fn every_target_has_options_that_fit_its_seeds() {
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
        let max_len = value("max_len").and_then(|length| length.parse::<u64>().ok()).unwrap();
        assert!(longest_seed(&seeds) <= max_len, "max_len {max_len} cuts a seed of {target}");
        let reads_stream = std::fs::read_link(&seeds).is_ok_and(|to| to == Path::new("stream"));
        assert_eq!(value("dict"), reads_stream.then(|| format!("{target}.dict")), "{target}");
    }
}

#[test]
fn every_options_file_belongs_to_a_target() {
    for path in files(&Path::new(ROOT).join("fuzz/options")).unwrap() {
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(TARGETS.iter().any(|(target, _)| *target == name), "{name}");
    }
}

#[test]
fn clusterfuzzlite_finds_its_project_files() {
    let text = std::fs::read_to_string(format!("{ROOT}/.clusterfuzzlite/project.yaml")).unwrap();
    assert!(text.lines().any(|line| line == "language: rust"));
    for file in ["Dockerfile", "build.sh"] {
        assert!(Path::new(ROOT).join(".clusterfuzzlite").join(file).is_file(), "{file}");
    }
}
