//! The scripts of CI: the action, the script to copy, and the release. Each runs here as it runs in
//! a job.
//!
//! Deliberately absent: a real release, which needs a tag. `ci.rs` checks the workflows.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use support::{PROGRAM, Ran, install, output, read, root, run, write_script};
use tempfile::TempDir;

/// The tag of this version.
const TAG: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// The environment of a script in a job: an empty working folder, and none of the settings of this
/// machine.
struct Job {
    folder: TempDir,
    environment: BTreeMap<String, String>,
}

impl Job {
    fn new() -> Job {
        let job = Job { folder: tempfile::tempdir().unwrap(), environment: BTreeMap::new() };
        // Scripts must not evaluate this name.
        std::fs::create_dir_all(job.path("temp $(touch evaluated)")).unwrap();
        std::fs::create_dir(job.path("work")).unwrap();
        let paths = ["GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "DNODE_CONFORM_HOME", "DIST", "RECORD"];
        let job = paths.iter().fold(job, |job, name| {
            let path = job.path(name).display().to_string();
            job.with(name, &path)
        });
        let temporary = job.path("temp $(touch evaluated)").display().to_string();
        // Scripts download releases from this folder only.
        let releases = format!("file://{}", job.path("releases").display());
        job.with("RUNNER_TEMP", &temporary)
            .with("DNODE_CONFORM_RELEASES", &releases)
            .with("GITHUB_REF_NAME", TAG)
    }

    fn with(mut self, name: &str, value: &str) -> Job {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With the built program, so that scripts do not install one.
    fn with_program(self) -> Job {
        self.with("DNODE_CONFORM", PROGRAM)
    }

    /// With a program that comes first on the PATH.
    fn with_tool(self, name: &str, script: &str) -> Job {
        let tools = self.path("tools");
        std::fs::create_dir_all(&tools).unwrap();
        write_script(&tools.join(name), &format!("set -eu\n{script}"));
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
        output(command.args(arguments).envs(&self.environment).current_dir(self.path("work")))
    }

    fn gate(&self) -> Ran {
        self.run(".github/gate.sh", &[])
    }

    fn conform(&self, arguments: &[&str]) -> Ran {
        self.run("fixtures/ci/conform.sh", arguments)
    }

    /// The arguments of the last call of a tool.
    fn arguments(&self) -> Vec<String> {
        read(self.path("RECORD")).split_terminator('\0').map(str::to_owned).collect()
    }

    /// The output `reports` of the action.
    fn reports(&self) -> PathBuf {
        let output = read(self.path("GITHUB_OUTPUT"));
        output.strip_prefix("reports=").and_then(|rest| rest.strip_suffix('\n')).unwrap().into()
    }
}

/// A script that writes its arguments to a file.
const RECORD: &str = "printf '%s\\0' \"$@\" >\"$RECORD\"";

/// Text that creates the file `evaluated` if a shell evaluates it.
const HOSTILE: &str = "$(touch evaluated) `touch evaluated`; touch evaluated & touch evaluated | cat > evaluated #' \"\\ * ~ {a,b} ${HOME} ${{ x }}";

#[test]
fn inputs_are_passed_as_arguments_and_never_evaluated() {
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
fn a_version_must_be_a_tag() {
    for version in [HOSTILE, "main", "v1/../../evaluated", "v1 $(touch evaluated)", "v1\nv2", "--version"] {
        let job = Job::new().with_tool("cargo", "exit 101");
        let job = job.with("GATE_TARGET", "127.0.0.1:1").with("GATE_VERSION", version);
        job.gate().expect_status(&[2]).expect_text("is the tag of a release");
        assert_eq!(std::fs::read_dir(job.path("work")).unwrap().count(), 0, "something was evaluated");
    }
}

#[test]
fn action_needs_a_peer() {
    Job::new()
        .with_program()
        .gate()
        .expect_status(&[2])
        .expect_text("::error title=dnode-conform::say with exec");
}

#[test]
fn action_reports_to_log_annotations_summary_and_files() {
    let served = |fault: &str| format!("exec '{PROGRAM}' serve {fault} --listen 127.0.0.1:{{port}}");
    let job = |exec: &str| {
        Job::new().with_program().with("GATE_EXEC", exec).with("GATE_ARGS", "--case=methods/*\n--jobs=2\n")
    };
    let green = job(&served(""));
    green.gate().expect_status(&[0]).expect_text("::notice title=dnode-conform");
    let red = job(&served("--fault names-only"));
    let ran = red.gate();
    ran.expect_status(&[1]).expect_text("\n::error title=fail methods/by-id::");
    let end: Vec<&str> = ran.stdout.lines().rev().take(100).collect();
    assert!(end[0].starts_with("exit 1: "), "{}", ran.stdout);
    assert!(
        end.iter().any(|line| line.starts_with("    FAIL      ")),
        "no finding at the end of\n{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains('\u{1b}'), "the log has colours");
    for name in ["report.json", "junit.xml", "report.html", "events.jsonl"] {
        assert!(read(red.reports().join(name)).contains("methods/by-id"), "{name}");
    }
    assert!(read(red.path("GITHUB_STEP_SUMMARY")).contains("**FAIL** `methods/by-id`"));
}

#[test]
fn plain_script_fails_npm_dnode_and_passes_the_reference_peer() {
    install("npm-dnode");
    let job = Job::new().with_program();
    let server = root().join("fixtures/peers/npm-dnode/server.js");
    let exec = format!("exec node '{}' {{port}}", server.canonicalize().unwrap().display());
    job.conform(&["--exec", &exec, "--case", "framing/*"])
        .expect_status(&[1])
        .expect_text("framing/split-character");
    job.conform(&["--case", "framing/*"]).expect_status(&[0]).expect_text("exit 0");
    job.with("DNODE_CONFORM", "/no/such/program")
        .conform(&[])
        .expect_status(&[2])
        .expect_text("which is not an executable program");
}

/// The name of this machine's platform in a release.
fn platform() -> String {
    let system = if cfg!(target_os = "macos") { "apple-darwin" } else { "unknown-linux-musl" };
    format!("{}-{system}", std::env::consts::ARCH)
}

/// A job with a release of the built program, as the workflow makes it.
fn released() -> Job {
    let job = Job::new().with_tool("gh", RECORD);
    release(&job, &["pack", &platform(), PROGRAM]);
    std::fs::write(job.path("DIST").join(format!("dnode-conform-{TAG}.cdx.json")), "{}").unwrap();
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
fn a_release_is_cached_and_used_only_if_its_checksum_matches() {
    let mut job = released();
    let folder = job.path("releases").join(TAG);
    assert_eq!(job.arguments()[..4], ["release", "create", TAG, "--verify-tag"]);
    let listed = output(Command::new("tar").arg("-tzf").arg(folder.join(archive())));
    for file in ["LICENSE-MIT", "man/dnode-conform-run.1", "completions/dnode-conform.bash"] {
        listed.expect_text(&format!("{}/{file}\n", archive().trim_end_matches(".tar.gz")));
    }
    let version = run(&["--version"]).stdout;
    let shown = job.conform(&["--version"]);
    assert_eq!((shown.status, shown.stdout, shown.stderr), (0, version.clone(), String::new()));
    std::fs::rename(&folder, job.path("away")).unwrap();
    assert_eq!(job.conform(&["--version"]).stdout, version, "the release is not cached");
    std::fs::rename(job.path("away"), &folder).unwrap();

    let elsewhere = job.path("elsewhere").display().to_string();
    job = job.with("DNODE_CONFORM_HOME", &elsewhere);
    job = job.with("DNODE_CONFORM_SHA256", &"0".repeat(64));
    job.conform(&["--version"]).expect_status(&[2]).expect_text("it is not used");
    job.environment.remove("DNODE_CONFORM_SHA256");
    let sums = read(folder.join("SHA256SUMS"));
    let (sum, name) = sums.lines().next().and_then(|line| line.split_once("  ")).unwrap();
    assert_eq!(name, archive());
    assert!(sums.ends_with(&format!("  dnode-conform-{TAG}.cdx.json\n")), "{sums}");
    std::fs::write(folder.join("SHA256SUMS"), format!("{sum}  {name}.old\n")).unwrap();
    job.conform(&["--version"]).expect_status(&[2]).expect_text("one that SHA256SUMS names");
    std::fs::write(folder.join("SHA256SUMS"), &sums).unwrap();
    let mut bytes = std::fs::read(folder.join(name)).unwrap();
    bytes.push(0);
    std::fs::write(folder.join(name), bytes).unwrap();
    job.conform(&["--version"]).expect_status(&[2]).expect_text("it is not used");
    assert_eq!(std::fs::read_dir(elsewhere).unwrap().count(), 0, "a rejected release is cached");
}

/// A script that acts like npm, but packs only the manifest, and writes which files it publishes.
const NPM: &str = r#"
case $1 in
  pack) cp package.json "$4/$(node -p 'require("./package.json").name.replace("@", "").replace("/", "-")')-0.tgz" ;;
  publish) echo "$4" >>"$RECORD" ;;
esac"#;

#[test]
fn npm_packages_hold_the_released_programs_and_the_launcher_is_published_last() {
    let job = Job::new().with_tool("npm", NPM);
    release(&job, &["pack", &platform(), PROGRAM]);
    release(&job, &["npm"]);
    let files = read(job.path("RECORD"));
    let [program, launcher] = files.lines().collect::<Vec<_>>()[..] else { panic!("{files}") };
    let [program, launcher] =
        [program, launcher].map(|file| -> Json { serde_json::from_str(&read(file)).unwrap() });
    assert_eq!(launcher["name"], "dnode-conform");
    for package in [&program, &launcher] {
        assert_eq!(package["version"], env!("CARGO_PKG_VERSION"));
    }
    let platforms = launcher["optionalDependencies"].as_object().unwrap();
    assert!(
        platforms.len() == 4 && platforms.values().all(|version| *version == program["version"]),
        "{launcher}"
    );
    assert!(platforms.contains_key(program["name"].as_str().unwrap()), "{program}");
    for condition in ["os", "cpu"] {
        let value = program[condition][0].as_str().unwrap();
        assert!(program["name"].as_str().unwrap().contains(value), "{program}");
    }
    assert!(program["libc"].is_null(), "the program of a release runs with any libc");
}

#[test]
fn a_tag_of_another_version_is_not_published() {
    let job = Job::new().with("GITHUB_REF_NAME", "v99.0.0");
    job.run(".github/release.sh", &["publish"]).expect_status(&[1]).expect_text("Cargo.toml says");
}

/// A script that acts like `cargo install --root DIR`, but builds nothing and writes its arguments
/// to a file.
fn cargo() -> String {
    format!(
        "{RECORD}\nwhile [ \"$1\" != --root ]; do shift; done\nmkdir -p \"$2/bin\"\nln -sf '{PROGRAM}' \"$2/bin/dnode-conform\""
    )
}

#[test]
fn the_same_version_is_built_if_there_is_no_release() {
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
fn action_runs_its_own_release_or_its_own_sources() {
    let job = Job::new().with_tool("cargo", &cargo()).with("GATE_ARGS", "--help").with("GATE_TARGET", "x");
    let job = job.with("GATE_REF", "main");
    job.gate().expect_status(&[0]);
    let sources = root().canonicalize().unwrap().join("harness").display().to_string();
    assert!(job.arguments().ends_with(&["--path".to_owned(), sources]));
    let job = job.with("GATE_REF", TAG);
    job.gate().expect_status(&[0]);
    assert!(job.arguments().contains(&"--tag".to_owned()), "there is no release, so the tag is built");
}
