//! What ClusterFuzzLite needs beside the targets: options, seeds and dictionaries for each of them, and workflows that may do little.
//!
//! Deliberately absent: the build itself, which takes nightly and minutes; fuzz/README.md has the command.

use dnode_fuzz::TARGETS;
use std::path::{Path, PathBuf};
use yaml_rust2::{Yaml, YamlLoader};

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

/// All values of a key, however deep it stands.
fn values<'y>(yaml: &'y Yaml, key: &str, found: &mut Vec<&'y Yaml>) {
    match yaml {
        Yaml::Hash(members) => {
            for (name, value) in members {
                found.extend((name.as_str() == Some(key)).then_some(value));
                values(value, key, found);
            }
        }
        Yaml::Array(items) => items.iter().for_each(|item| values(item, key, found)),
        _ => {}
    }
}

#[test]
fn workflows_only_read_run_no_shell_and_name_actions_by_commit() {
    let workflows = entries(&Path::new(ROOT).join(".github/workflows"));
    assert!(!workflows.is_empty());
    for path in workflows {
        let name = path.display();
        let documents = YamlLoader::load_from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let [workflow] = documents.as_slice() else { panic!("{name} is not one document") };
        let all = |key| {
            let mut found = Vec::new();
            values(workflow, key, &mut found);
            found
        };
        let granted = workflow["permissions"].as_hash().unwrap();
        assert!(granted.values().all(|access| access.as_str() == Some("read")), "{name}");
        assert_eq!(all("permissions").len(), 1, "{name}: a job grants itself more");
        assert!(all("run").is_empty(), "{name} runs a shell, which may take an input for a command");
        for uses in all("uses") {
            let (_, commit) = uses.as_str().unwrap().split_once('@').unwrap();
            assert!(
                commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()),
                "{name}: {commit}"
            );
        }
    }
}

#[test]
fn the_project_is_one_that_clusterfuzzlite_builds() {
    let text = std::fs::read_to_string(format!("{ROOT}/.clusterfuzzlite/project.yaml")).unwrap();
    let project = &YamlLoader::load_from_str(&text).unwrap()[0];
    assert_eq!(project["language"].as_str(), Some("rust"));
    for file in ["Dockerfile", "build.sh"] {
        assert!(Path::new(ROOT).join(".clusterfuzzlite").join(file).is_file(), "{file}");
    }
}
