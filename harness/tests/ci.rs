//! The files of CI: workflows, the action, the files to copy, and the image.
//!
//! Deliberately absent: a build of the image, which needs docker. `ci_scripts.rs` runs the scripts.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{output, read, root};
use yaml_rust2::{Yaml, YamlLoader};

/// The tag of this version.
const TAG: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// The files with this ending in a folder of the project and its subfolders.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension() == Some(OsStr::new(ending)) => found.push(path),
                false => {}
            }
        }
    }
    found.sort();
    found
}

/// Reads a file that has one YAML document.
fn yaml(path: &Path) -> Yaml {
    let documents = YamlLoader::load_from_str(&read(path));
    let documents = documents.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let [document] = documents.as_slice() else { panic!("{} is not one document", path.display()) };
    document.clone()
}

/// All values of a key, at any depth.
fn values<'y>(yaml: &'y Yaml, key: &str) -> Vec<&'y Yaml> {
    match yaml {
        Yaml::Hash(members) => members
            .iter()
            .flat_map(|(name, value)| {
                let own = (name.as_str() == Some(key)).then_some(value);
                own.into_iter().chain(values(value, key))
            })
            .collect(),
        Yaml::Array(items) => items.iter().flat_map(|item| values(item, key)).collect(),
        _ => Vec::new(),
    }
}

/// The keys of a map.
fn keys(yaml: &Yaml) -> Vec<&str> {
    yaml.as_hash().unwrap().keys().map(|key| key.as_str().unwrap()).collect()
}

/// The files that GitHub reads: our workflows, the workflows to copy, and the action.
fn github() -> Vec<PathBuf> {
    let mut paths = files(".github/workflows", "yml");
    paths.push(root().join("fixtures/ci/github.yml"));
    paths.push(root().join("action.yml"));
    paths
}

#[test]
fn scripts_of_workflows_contain_no_input() {
    for path in github() {
        for run in values(&yaml(&path), "run") {
            let script = run.as_str().unwrap_or_else(|| panic!("{}: a run that is not text", path.display()));
            assert!(!script.contains("${{"), "{}: {script}", path.display());
        }
    }
    for path in files(".github/workflows", "yml") {
        let fuzzes = path.file_name().unwrap().to_str().unwrap().starts_with("fuzz-");
        assert!(!fuzzes || values(&yaml(&path), "run").is_empty(), "{} runs a shell", path.display());
    }
}

#[test]
fn each_action_is_pinned_to_one_commit() {
    let mut commits: BTreeMap<String, String> = BTreeMap::new();
    for path in github() {
        let text = read(&path);
        for uses in values(&yaml(&path), "uses") {
            let (action, version) = uses.as_str().unwrap().split_once('@').unwrap();
            if action == "dnode-conform/dnode-conform" {
                assert_eq!(version, TAG, "{}", path.display());
                continue;
            }
            let commit = version.len() == 40 && version.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(commit, "{}: {action}@{version}", path.display());
            assert!(
                text.contains(&format!("{action}@{version} # v")),
                "{}: {action} has no comment with its version",
                path.display()
            );
            let first = commits.entry(action.to_owned()).or_insert_with(|| version.to_owned());
            assert_eq!(first, version, "{}: {action}", path.display());
        }
    }
}

#[test]
fn only_publishing_jobs_may_write() {
    for path in github().iter().filter(|path| !path.ends_with("action.yml")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let workflow = yaml(path);
        let granted = workflow["permissions"].as_hash().unwrap_or_else(|| panic!("{name}: no permissions"));
        assert!(granted.values().all(|access| access.as_str() == Some("read")), "{name}");
        assert!(!read(path).contains("pull_request_target"), "{name}");
        for job in keys(&workflow["jobs"]) {
            let more = &workflow["jobs"][job]["permissions"];
            match (name, job) {
                ("release.yml", "publish") => {
                    assert_eq!(keys(more), ["attestations", "contents", "id-token"]);
                }
                ("release.yml", "crates" | "npm") => {
                    assert_eq!(keys(more), ["contents", "id-token"]);
                    assert_eq!(more["contents"].as_str(), Some("read"), "{job}");
                }
                ("release.yml", "pypi") => assert_eq!(keys(more), ["id-token"]),
                ("site.yml", "publish") => assert_eq!(keys(more), ["pages", "id-token"]),
                _ => assert!(more.is_badvalue(), "{name}: {job} grants itself more"),
            }
            assert!(workflow["jobs"][job]["timeout-minutes"].as_i64().is_some(), "{name}: {job} may hang");
        }
    }
}

#[test]
fn action_script_and_documentation_have_the_same_inputs() {
    let action = yaml(&root().join("action.yml"));
    let script = read(root().join(".github/gate.sh"));
    let documentation = read(root().join("fixtures/ci/README.md"));
    let environment = action["runs"]["steps"][0]["env"].as_hash().unwrap();
    let mut variables: Vec<&str> = environment.keys().map(|key| key.as_str().unwrap()).collect();
    for input in keys(&action["inputs"]) {
        let variable = format!("GATE_{}", input.to_uppercase());
        let value = environment.get(&Yaml::String(variable.clone())).and_then(Yaml::as_str);
        assert_eq!(value, Some(format!("${{{{ inputs.{input} }}}}").as_str()));
        assert!(
            documentation.contains(&format!("| `{input}` | ")),
            "fixtures/ci/README.md has no row {input}"
        );
        assert!(action["inputs"][input]["description"].as_str().is_some(), "{input}");
    }
    assert_eq!(variables.len(), keys(&action["inputs"]).len() + 1, "only GATE_REF is not an input");
    let mut used: Vec<&str> = script
        .split(|c: char| !c.is_ascii_uppercase() && c != '_')
        .filter(|word| word.starts_with("GATE_") && word.len() > "GATE_".len())
        .collect();
    used.sort_unstable();
    used.dedup();
    variables.sort_unstable();
    assert_eq!(used, variables);
    for output in keys(&action["outputs"]) {
        assert!(
            script.contains(&format!("\"{output}=")) && documentation.contains(&format!("outputs.{output}"))
        );
    }
}

#[test]
fn files_to_copy_use_existing_inputs_and_files() {
    let action = yaml(&root().join("action.yml"));
    let inputs = keys(&action["inputs"]);
    let documentation = read(root().join("fixtures/ci/README.md"));
    for path in files("fixtures/ci", "yml") {
        let name = path.strip_prefix(root().join("fixtures/ci")).unwrap().display().to_string();
        assert!(documentation.contains(&format!("({name})")), "fixtures/ci/README.md does not name {name}");
        for step in values(&yaml(&path), "steps").into_iter().flat_map(|steps| steps.as_vec().unwrap()) {
            if step["uses"].as_str().is_some_and(|uses| uses.starts_with("dnode-conform/")) {
                assert!(keys(&step["with"]).iter().all(|key| inputs.contains(key)), "{name}");
                assert!(step["with"]["exec"].as_str().unwrap().contains("{port}"), "{name}");
            }
        }
        let text = read(&path);
        if let Some(exec) = text.lines().find_map(|line| line.trim().strip_prefix("exec: ")) {
            let is_quoted = |line: &str| line.starts_with("sh conform.sh --exec ") && line.contains(exec);
            assert!(
                !name.starts_with("ports/") || documentation.lines().any(is_quoted),
                "fixtures/ci/README.md has no line with {exec}"
            );
        }
        let words =
            text.split(|c: char| c.is_whitespace() || c == ',').map(|word| word.trim_end_matches('.'));
        for word in words.filter(|word| word.starts_with("fixtures/")) {
            assert!(root().join(word).exists(), "{name} names {word}");
        }
    }
    let gitlab = root().join("fixtures/ci/gitlab-ci.yml");
    assert!(values(&yaml(&gitlab), "key")[0].as_str().unwrap().ends_with(TAG));
    assert!(
        read(root().join("fixtures/ci/conform.sh")).contains(&format!("{{DNODE_CONFORM_VERSION:-{TAG}}}"))
    );
}

#[test]
fn scripts_are_valid_and_document_their_variables() {
    let scripts = [
        ("sh", "fixtures/ci/conform.sh"),
        ("bash", ".github/gate.sh"),
        ("bash", ".github/release.sh"),
        ("bash", ".ci/package"),
        ("bash", ".ci/run"),
        ("bash", ".ci/test"),
    ];
    for (shell, script) in scripts {
        let path = root().join(script);
        assert_ne!(path.metadata().unwrap().permissions().mode() & 0o111, 0, "{script} cannot be executed");
        output(Command::new(shell).arg("-n").arg(&path)).expect_status(&[0]);
        // The tests do not need shellcheck. They use it if it is installed.
        if Command::new("shellcheck").arg("--version").output().is_ok() {
            output(Command::new("shellcheck").arg(&path)).expect_status(&[0]);
        }
    }
    let script = read(root().join("fixtures/ci/conform.sh"));
    let (head, body) = script.split_once("set -eu").unwrap();
    let words = body.split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_');
    for variable in words.filter(|word| word.starts_with("DNODE_CONFORM")) {
        assert!(head.contains(&format!("#   {variable} ")), "conform.sh does not document {variable}");
    }
}

#[test]
fn images_copy_existing_files_and_do_not_run_as_root() {
    let file = read(root().join("Dockerfile"));
    let ignored = read(root().join(".dockerignore"));
    let lines: Vec<&str> = file.lines().filter(|line| !line.starts_with('#')).collect();
    for line in lines.iter().filter(|line| line.starts_with("COPY ") && !line.contains("--from")) {
        let words: Vec<&str> = line.split(' ').skip(1).collect();
        for source in &words[..words.len() - 1] {
            assert!(root().join(source).exists() && !ignored.lines().any(|it| it == *source), "{line}");
        }
    }
    // The program includes these files.
    assert!(file.contains("COPY reports ") && file.contains("COPY fixtures/transcripts "));
    let images: Vec<&str> = file.split("\nFROM ").skip(2).collect();
    assert_eq!(images.len(), 2, "the first stage is the build");
    for image in images {
        let user = image.lines().find_map(|line| line.strip_prefix("USER ")).unwrap();
        assert!(!user.starts_with("root") && !user.starts_with('0'), "{image}");
    }
    assert_eq!(lines.last(), Some(&"ENTRYPOINT [\"dnode-conform\"]"));
}

#[test]
fn release_has_each_platform_of_the_plain_script() {
    let workflow = yaml(&root().join(".github/workflows/release.yml"));
    let script = read(root().join("fixtures/ci/conform.sh"));
    let targets = values(&workflow["jobs"]["build"]["strategy"], "target");
    assert_eq!(script.matches("dnode-conform-$version-").count(), targets.len());
    for target in targets {
        assert!(script.contains(&format!("dnode-conform-$version-{}.tar.gz", target.as_str().unwrap())));
    }
}
