//! What CI is made of: workflows, the action, the scripts behind them, and the files to copy. Scripts run here as they do there, and what is read
//! by GitHub or GitLab alone is read as YAML.
//!
//! Deliberately absent: the image, which needs docker; a real release, which needs a tag.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{PROGRAM, Ran, install, ran, root};
use tempfile::TempDir;
use yaml_rust2::{Yaml, YamlLoader};

/// The tag of this version.
const TAG: &str = concat!("v", env!("CARGO_PKG_VERSION"));

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files with this ending in a folder of the project and beneath it.
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

/// A file as whoever takes it reads it.
fn yaml(path: &Path) -> Yaml {
    let documents = YamlLoader::load_from_str(&read(path));
    let documents = documents.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let [document] = documents.as_slice() else { panic!("{} is not one document", path.display()) };
    document.clone()
}

/// All values of a key, however deep it stands.
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

/// All that GitHub reads: the project's workflows, the action, and the workflows to copy.
fn github() -> Vec<PathBuf> {
    let mut paths = files(".github/workflows", "yml");
    paths.extend(files("fixtures/ci", "yml").into_iter().filter(|path| !path.ends_with("gitlab-ci.yml")));
    paths.push(root().join("action.yml"));
    paths
}

#[test]
fn no_input_of_a_workflow_is_a_part_of_a_script() {
    for path in github() {
        for run in values(&yaml(&path), "run") {
            let script = run.as_str().unwrap_or_else(|| panic!("{}: a run that is no text", path.display()));
            assert!(!script.contains("${{"), "{}: {script}", path.display());
        }
    }
    for path in files(".github/workflows", "yml") {
        let fuzzes = path.file_name().unwrap().to_str().unwrap().starts_with("fuzz-");
        assert!(!fuzzes || values(&yaml(&path), "run").is_empty(), "{} runs a shell", path.display());
    }
}

#[test]
fn actions_are_named_by_commit_and_everywhere_by_the_same() {
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
            assert!(text.contains(&format!("{action}@{version} # v")), "{}: which version?", path.display());
            let first = commits.entry(action.to_owned()).or_insert_with(|| version.to_owned());
            assert_eq!(first, version, "{}: {action}", path.display());
        }
    }
}

#[test]
fn workflows_may_only_read_but_for_the_job_that_publishes() {
    for path in github().iter().filter(|path| !path.ends_with("action.yml")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let workflow = yaml(path);
        let granted = workflow["permissions"].as_hash().unwrap_or_else(|| panic!("{name}: no permissions"));
        assert!(granted.values().all(|access| access.as_str() == Some("read")), "{name}");
        assert!(!read(path).contains("pull_request_target"), "{name}");
        for job in keys(&workflow["jobs"]) {
            let more = &workflow["jobs"][job]["permissions"];
            if (name, job) == ("release.yml", "publish") {
                assert_eq!(keys(more), ["contents"]);
            } else {
                assert!(more.is_badvalue(), "{name}: {job} grants itself more");
            }
            assert!(workflow["jobs"][job]["timeout-minutes"].as_i64().is_some(), "{name}: {job} may hang");
        }
    }
}

#[test]
fn the_action_its_script_and_its_documentation_have_the_same_inputs() {
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
    assert_eq!(
        variables.len(),
        keys(&action["inputs"]).len() + 1,
        "GATE_REF is the only one that is no input"
    );
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
fn files_to_copy_use_inputs_that_there_are_and_programs_that_there_are() {
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
fn scripts_are_read_by_their_shells_and_say_what_they_take() {
    let scripts = [
        ("sh", "fixtures/ci/conform.sh"),
        ("bash", ".github/gate.sh"),
        ("bash", ".github/release.sh"),
        ("bash", ".ci/run"),
        ("bash", ".ci/test"),
    ];
    for (shell, script) in scripts {
        let path = root().join(script);
        assert_ne!(path.metadata().unwrap().permissions().mode() & 0o111, 0, "{script} cannot be executed");
        run(Command::new(shell).arg("-n").arg(&path)).expect_status(&[0]);
        // It is no part of what the tests need; where there is one, it is asked.
        if Command::new("shellcheck").arg("--version").output().is_ok() {
            run(Command::new("shellcheck").arg(&path)).expect_status(&[0]);
        }
    }
    let script = read(root().join("fixtures/ci/conform.sh"));
    let (head, body) = script.split_once("set -eu").unwrap();
    let words = body.split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_');
    for variable in words.filter(|word| word.starts_with("DNODE_CONFORM")) {
        assert!(head.contains(&format!("#   {variable} ")), "conform.sh does not say what {variable} is");
    }
}

#[test]
fn the_image_is_made_of_files_that_there_are_and_runs_as_nobody_special() {
    let file = read(root().join("Dockerfile"));
    let ignored = read(root().join(".dockerignore"));
    let lines: Vec<&str> = file.lines().filter(|line| !line.starts_with('#')).collect();
    for line in lines.iter().filter(|line| line.starts_with("COPY ") && !line.contains("--from")) {
        let words: Vec<&str> = line.split(' ').skip(1).collect();
        for source in &words[..words.len() - 1] {
            assert!(root().join(source).exists() && !ignored.lines().any(|it| it == *source), "{line}");
        }
    }
    // What the build takes into the program lies outside of the crates in these two places.
    assert!(file.contains("MATRIX.md") && file.contains("COPY fixtures/transcripts "));
    let last = lines.iter().rposition(|line| line.starts_with("FROM ")).unwrap();
    let user = lines[last..].iter().find_map(|line| line.strip_prefix("USER ")).unwrap();
    assert!(user != "root" && user != "0");
    assert_eq!(lines.last(), Some(&"ENTRYPOINT [\"dnode-conform\"]"));
}

/// Runs a command to its end.
fn run(command: &mut Command) -> Ran {
    let output = command.output();
    let output =
        output.unwrap_or_else(|error| panic!("this test needs {:?}: {error}", command.get_program()));
    ran(&output)
}

/// What a script of the project meets as a job does: an empty folder to work in, and nothing of this machine's settings.
struct Job {
    folder: TempDir,
    environment: BTreeMap<String, String>,
}

impl Job {
    fn new() -> Job {
        let job = Job { folder: tempfile::tempdir().unwrap(), environment: BTreeMap::new() };
        // A name that a script must not take for anything else.
        std::fs::create_dir_all(job.path("temp $(touch evaluated)")).unwrap();
        std::fs::create_dir(job.path("work")).unwrap();
        let paths = ["GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "DNODE_CONFORM_HOME", "DIST", "RECORD"];
        let job = paths.iter().fold(job, |job, name| {
            let path = job.path(name).display().to_string();
            job.with(name, &path)
        });
        let temporary = job.path("temp $(touch evaluated)").display().to_string();
        // Nothing is fetched from anywhere: there are the releases of this folder, and no others.
        let releases = format!("file://{}", job.path("releases").display());
        job.with("RUNNER_TEMP", &temporary)
            .with("DNODE_CONFORM_RELEASES", &releases)
            .with("GITHUB_REF_NAME", TAG)
    }

    fn with(mut self, name: &str, value: &str) -> Job {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With the built program, so that none is looked for.
    fn with_program(self) -> Job {
        self.with("DNODE_CONFORM", PROGRAM)
    }

    /// With a program of its own before all others.
    fn with_tool(self, name: &str, script: &str) -> Job {
        let tools = self.path("tools");
        std::fs::create_dir_all(&tools).unwrap();
        let tool = tools.join(name);
        std::fs::write(&tool, format!("#!/bin/sh\nset -eu\n{script}\n")).unwrap();
        std::fs::set_permissions(&tool, PermissionsExt::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
        self.with("PATH", &path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a script of the project.
    fn run(&self, script: &str, arguments: &[&str]) -> Ran {
        let mut command = Command::new(root().join(script));
        let settings = std::env::vars_os().map(|(name, _)| name);
        for name in settings.filter(|name| name.to_str().is_some_and(|it| it.starts_with("DNODE_"))) {
            command.env_remove(name);
        }
        run(command.args(arguments).envs(&self.environment).current_dir(self.path("work")))
    }

    fn gate(&self) -> Ran {
        self.run(".github/gate.sh", &[])
    }

    fn conform(&self, arguments: &[&str]) -> Ran {
        self.run("fixtures/ci/conform.sh", arguments)
    }

    /// What a tool wrote down last, an argument each.
    fn arguments(&self) -> Vec<String> {
        read(self.path("RECORD")).split_terminator('\0').map(str::to_owned).collect()
    }

    /// The folder that the action names as its output.
    fn reports(&self) -> PathBuf {
        let output = read(self.path("GITHUB_OUTPUT"));
        output.strip_prefix("reports=").and_then(|rest| rest.strip_suffix('\n')).unwrap().into()
    }
}

/// Writes down its arguments.
const RECORD: &str = "printf '%s\\0' \"$@\" >\"$RECORD\"";

/// Text that does something wherever it is read as a script.
const HOSTILE: &str = "$(touch evaluated) `touch evaluated`; touch evaluated & touch evaluated | cat > evaluated #' \"\\ * ~ {a,b} ${HOME} ${{ x }}";

#[test]
fn an_input_is_an_argument_whatever_it_says() {
    let job = Job::new().with_tool("recorder", RECORD);
    let recorder = job.path("tools/recorder").display().to_string();
    let lines = format!("-{HOSTILE}\n--level must\n{HOSTILE}");
    let job = job
        .with("DNODE_CONFORM", &recorder)
        .with("GATE_EXEC", &lines)
        .with("GATE_TARGET", &format!("--exec={lines}"))
        .with("GATE_PING", &lines)
        .with("GATE_LEVEL", &lines)
        .with("GATE_VERSION", HOSTILE)
        .with("GATE_REF", HOSTILE)
        .with("GATE_ARGS", &format!("--case={HOSTILE}\n\n  -v \\\n--"));
    job.gate().expect_status(&[0]);
    let reports = job.reports();
    let report = |format: &str, name: &str| format!("--report={format}={}", reports.join(name).display());
    assert_eq!(
        job.arguments(),
        [
            "run".to_owned(),
            "--report=github=-".to_owned(),
            format!("--report=markdown={}", job.path("GITHUB_STEP_SUMMARY").display()),
            report("json", "report.json"),
            report("junit", "junit.xml"),
            report("html", "report.html"),
            report("events", "events.jsonl"),
            format!("--exec={lines}"),
            format!("--ping={lines}"),
            format!("--level={lines}"),
            format!("--case={HOSTILE}"),
            "  -v \\".to_owned(),
            "--".to_owned(),
            "--".to_owned(),
            format!("--exec={lines}"),
        ]
    );
    assert_eq!(std::fs::read_dir(job.path("work")).unwrap().count(), 0, "something was evaluated");
}

#[test]
fn a_version_is_a_tag_and_nothing_else() {
    for version in [HOSTILE, "main", "v1/../../evaluated", "v1 $(touch evaluated)", "v1\nv2", "--version"] {
        let job = Job::new().with_tool("cargo", "exit 101");
        let job = job.with("GATE_TARGET", "127.0.0.1:1").with("GATE_VERSION", version);
        job.gate().expect_status(&[2]).expect_text("is the tag of a release");
        assert_eq!(std::fs::read_dir(job.path("work")).unwrap().count(), 0, "something was evaluated");
    }
}

#[test]
fn the_action_judges_a_peer_and_not_our_own() {
    Job::new()
        .with_program()
        .gate()
        .expect_status(&[2])
        .expect_text("::error title=dnode-conform::say with exec");
}

#[test]
fn the_action_tells_in_the_log_in_annotations_in_the_summary_and_in_files() {
    let served = |fault: &str| format!("exec '{PROGRAM}' serve {fault} --listen 127.0.0.1:{{port}}");
    let job = |exec: &str| {
        Job::new().with_program().with("GATE_EXEC", exec).with("GATE_ARGS", "--case=methods/*\n--jobs=2\n")
    };
    let green = job(&served(""));
    green.gate().expect_status(&[0]).expect_text("::notice title=dnode-conform");
    let red = job(&served("--fault names-only"));
    let ran = red.gate();
    ran.expect_status(&[1]).expect_text("\n::error title=fail methods/by-id::");
    let end: Vec<&str> = ran.stdout.lines().rev().take(60).collect();
    assert!(end[0].starts_with("exit 1: "), "{}", ran.stdout);
    assert!(end.iter().any(|line| line.starts_with("FAIL  ")), "no finding at the end of\n{}", ran.stdout);
    assert!(!ran.stdout.contains('\u{1b}'), "colours in a log");
    for name in ["report.json", "junit.xml", "report.html", "events.jsonl"] {
        assert!(read(red.reports().join(name)).contains("methods/by-id"), "{name}");
    }
    assert!(read(red.path("GITHUB_STEP_SUMMARY")).contains("**FAIL** `methods/by-id`"));
}

#[test]
fn the_plain_script_is_red_for_npm_dnode_and_green_for_the_reference_peer() {
    install("npm-dnode");
    let job = Job::new().with_program();
    let server = root().join("fixtures/peers/npm-dnode/server.js");
    let exec = format!("exec node '{}' {{port}}", server.canonicalize().unwrap().display());
    job.conform(&["--exec", &exec, "--case", "framing/*"])
        .expect_status(&[1])
        .expect_text("FAIL  framing/split-character");
    job.conform(&["--case", "framing/*"]).expect_status(&[0]).expect_text("exit 0");
    job.with("DNODE_CONFORM", "/no/such/program")
        .conform(&[])
        .expect_status(&[2])
        .expect_text("which is not an executable program");
}

/// The platform of this machine, as a release names it.
fn platform() -> String {
    let system = if cfg!(target_os = "macos") { "apple-darwin" } else { "unknown-linux-musl" };
    format!("{}-{system}", std::env::consts::ARCH)
}

/// A job beside a release as the workflow makes it, of the built program.
fn released() -> Job {
    let job = Job::new().with_tool("gh", RECORD);
    release(&job, &["pack", &platform(), PROGRAM]);
    release(&job, &["publish"]);
    std::fs::create_dir(job.path("releases")).unwrap();
    std::fs::rename(job.path("DIST"), job.path("releases").join(TAG)).unwrap();
    job
}

fn release(job: &Job, arguments: &[&str]) {
    job.run(".github/release.sh", arguments).expect_status(&[0]);
}

fn archive() -> String {
    format!("dnode-conform-{TAG}-{}.tar.gz", platform())
}

#[test]
fn a_release_is_found_kept_and_used_only_with_its_sum() {
    let mut job = released();
    let folder = job.path("releases").join(TAG);
    assert_eq!(job.arguments()[..4], ["release", "create", TAG, "--verify-tag"]);
    let listed = run(Command::new("tar").arg("-tzf").arg(folder.join(archive())));
    for file in ["LICENSE-MIT", "man/dnode-conform-run.1", "completions/dnode-conform.bash"] {
        listed.expect_text(&format!("{}/{file}\n", archive().trim_end_matches(".tar.gz")));
    }
    let version = format!("dnode-conform {}\n", env!("CARGO_PKG_VERSION"));
    let shown = job.conform(&["--version"]);
    assert_eq!((shown.status, shown.stdout, shown.stderr), (0, version.clone(), String::new()));
    std::fs::rename(&folder, job.path("away")).unwrap();
    assert_eq!(job.conform(&["--version"]).stdout, version, "what was fetched once is kept");
    std::fs::rename(job.path("away"), &folder).unwrap();

    let elsewhere = job.path("elsewhere").display().to_string();
    job = job.with("DNODE_CONFORM_HOME", &elsewhere);
    job = job.with("DNODE_CONFORM_SHA256", &"0".repeat(64));
    job.conform(&["--version"]).expect_status(&[2]).expect_text("it is not used");
    job.environment.remove("DNODE_CONFORM_SHA256");
    let sums = read(folder.join("SHA256SUMS"));
    let (sum, name) = sums.trim_end().split_once("  ").unwrap();
    assert_eq!(name, archive());
    std::fs::write(folder.join("SHA256SUMS"), format!("{sum}  {name}.old\n")).unwrap();
    job.conform(&["--version"]).expect_status(&[2]).expect_text("one that SHA256SUMS names");
    std::fs::write(folder.join("SHA256SUMS"), &sums).unwrap();
    let mut bytes = std::fs::read(folder.join(name)).unwrap();
    bytes.push(0);
    std::fs::write(folder.join(name), bytes).unwrap();
    job.conform(&["--version"]).expect_status(&[2]).expect_text("it is not used");
    assert_eq!(std::fs::read_dir(elsewhere).unwrap().count(), 0, "something of it is kept");
}

#[test]
fn the_workflow_makes_a_release_for_each_platform_that_the_plain_script_knows() {
    let workflow = yaml(&root().join(".github/workflows/release.yml"));
    let script = read(root().join("fixtures/ci/conform.sh"));
    let targets = values(&workflow["jobs"]["build"]["strategy"], "target");
    assert_eq!(script.matches("dnode-conform-$version-").count(), targets.len());
    for target in targets {
        assert!(script.contains(&format!("dnode-conform-$version-{}.tar.gz", target.as_str().unwrap())));
    }
    let job = Job::new().with("GITHUB_REF_NAME", "v99.0.0");
    job.run(".github/release.sh", &["publish"]).expect_status(&[1]).expect_text("Cargo.toml says");
}

/// Does what `cargo install --root DIR` does, without building, and writes down its arguments.
fn cargo() -> String {
    format!(
        "{RECORD}\nwhile [ \"$1\" != --root ]; do shift; done\nmkdir -p \"$2/bin\"\nln -sf '{PROGRAM}' \"$2/bin/dnode-conform\""
    )
}

#[test]
fn without_a_release_the_same_version_is_built() {
    let job = Job::new().with_tool("cargo", &cargo());
    job.conform(&["--version"]).expect_status(&[0]).expect_text("it is built");
    let repository = env!("CARGO_PKG_REPOSITORY");
    assert!(
        job.arguments().ends_with(&["--git", repository, "--tag", TAG, "dnode-conform"].map(str::to_owned))
    );
    let job = Job::new().with_tool("cargo", "exit 101");
    job.conform(&["--version"]).expect_status(&[2]).expect_text("could not be built");
}

#[test]
fn the_action_runs_the_release_that_it_is_and_else_its_own_sources() {
    let job = Job::new().with_tool("cargo", &cargo()).with("GATE_ARGS", "--help").with("GATE_TARGET", "x");
    let job = job.with("GATE_REF", "main");
    job.gate().expect_status(&[0]);
    let sources = root().canonicalize().unwrap().join("harness").display().to_string();
    assert!(job.arguments().ends_with(&["--path".to_owned(), sources]));
    let job = job.with("GATE_REF", TAG);
    job.gate().expect_status(&[0]);
    assert!(job.arguments().contains(&"--tag".to_owned()), "the tag is a release, which is not there");
}
