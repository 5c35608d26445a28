//! The first minute with each language: follows the README of each folder `fixtures/peers/LANGUAGE-start` in a copy of
//! that folder.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{PROGRAM, install, is_whole, output, read, root};
use tempfile::TempDir;

/// The folders to start from, and the programs that their commands need.
const STARTS: &[(&str, &[&str])] = &[
    ("go-start", &["go"]),
    ("java-start", &["javac", "java"]),
    ("javascript-start", &["node", "npm"]),
    ("perl-start", &["perl"]),
    ("php-start", &["php"]),
    ("python-start", &["python3"]),
    ("ruby-start", &["ruby"]),
    ("rust-start", &["cargo"]),
];

fn folder(start: &str) -> PathBuf {
    root().join("fixtures/peers").join(start)
}

/// The README of a folder to start from.
struct Readme(String);

impl Readme {
    fn of(start: &str) -> Readme {
        Readme(read(folder(start).join("README.md")))
    }

    /// Its commands: first those that build, then the run of the suite.
    fn commands(&self) -> (Vec<&str>, &str) {
        let block = self.0.split("\n```").nth(1).and_then(|block| block.strip_prefix("sh\n"));
        let mut commands: Vec<&str> =
            block.unwrap_or_else(|| panic!("no commands in {}", self.0)).lines().collect();
        let run = commands.pop().unwrap();
        (commands, run)
    }

    /// The command that starts the server.
    fn exec(&self) -> &str {
        let exec =
            self.commands().1.strip_prefix("dnode-conform --exec '").and_then(|rest| rest.strip_suffix('\''));
        exec.unwrap_or_else(|| panic!("{} does not only start a server", self.commands().1))
    }

    /// The exit status that it promises.
    fn status(&self) -> i32 {
        let promise =
            self.0.split("Expect exit status ").nth(1).unwrap_or_else(|| panic!("no status in {}", self.0));
        promise[..1].parse().unwrap()
    }
}

/// A copy of a folder to start from, in which `dnode-conform` is on the `PATH`.
struct Copy(TempDir);

impl Copy {
    fn of(start: &str) -> Copy {
        let copy = Copy(tempfile::tempdir().unwrap());
        let files = output(
            Command::new("git").args(["ls-files", "-co", "--exclude-standard"]).current_dir(folder(start)),
        );
        for file in files.expect_status(&[0]).stdout.lines() {
            let path = copy.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::copy(folder(start).join(file), path).unwrap();
        }
        std::fs::create_dir(copy.path().join("bin")).unwrap();
        symlink(PROGRAM, copy.path().join("bin/dnode-conform")).unwrap();
        copy
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, command: &str) -> support::Ran {
        let path = format!("{}/bin:{}", self.path().display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).env("PATH", path).current_dir(self.path());
        // The folder that `install` filled holds what npm needs.
        output(shell.env("npm_config_prefer_offline", "true"))
    }
}

/// Follows the README in the copy. `more` are more arguments of the run.
fn follow(start: &str, copy: &Copy, more: &str) {
    let (_, programs) = STARTS.iter().find(|(name, _)| *name == start).unwrap();
    for program in *programs {
        let found = copy.run(&format!("command -v {program}"));
        assert!(found.status == 0, "this test needs {program} on the PATH; `.ci/test --set-up` installs it");
    }
    let readme = Readme::of(start);
    let (build, run) = readme.commands();
    for command in build {
        copy.run(command).expect_status(&[0]);
    }
    let ran = copy.run(&format!("{run}{more}"));
    ran.expect_status(&[readme.status()]);
    let total = ran.stdout.lines().find(|line| line.contains(" planned: ")).unwrap_or_default();
    let failed = ["fail", "crash", "hang"].iter().any(|verdict| total.contains(verdict));
    assert!(failed == (readme.status() == 1), "{}", ran.stdout);
    assert!(!total.contains("inconclusive") && total.contains(" pass"), "{}", ran.stdout);
}

#[test]
fn go() {
    follow("go-start", &Copy::of("go-start"), "");
}

#[test]
fn java() {
    follow("java-start", &Copy::of("java-start"), "");
}

/// Hostile input ends its process again and again, and `peers.rs` runs all cases against this library.
#[test]
fn javascript() {
    install("javascript-start");
    let more = if is_whole() { "" } else { " --skip 'robust/*'" };
    follow("javascript-start", &Copy::of("javascript-start"), more);
}

#[test]
fn perl() {
    follow("perl-start", &Copy::of("perl-start"), "");
}

#[test]
fn php() {
    follow("php-start", &Copy::of("php-start"), "");
}

#[test]
fn python() {
    follow("python-start", &Copy::of("python-start"), "");
}

#[test]
fn ruby() {
    follow("ruby-start", &Copy::of("ruby-start"), "");
}

/// The crate is that of this checkout, because none is released.
#[test]
fn rust() {
    let copy = Copy::of("rust-start");
    let root = root().canonicalize().unwrap();
    let crates = [("dnode", "harness/dnode"), ("dnode-spec", "spec")];
    let patch = crates.map(|(name, folder)| format!("{name} = {{ path = '{}/{folder}' }}\n", root.display()));
    std::fs::create_dir(copy.path().join(".cargo")).unwrap();
    let config = copy.path().join(".cargo/config.toml");
    std::fs::write(config, format!("[patch.crates-io]\n{}", patch.concat())).unwrap();
    // The same versions of the other crates as here, and their build is kept for the next time.
    std::fs::copy(root.join("Cargo.lock"), copy.path().join("Cargo.lock")).unwrap();
    let target = root.join("target/first-minute");
    std::fs::create_dir_all(&target).unwrap();
    symlink(target, copy.path().join("target")).unwrap();
    follow("rust-start", &copy, "");
}

#[test]
fn each_folder_is_tested_and_has_a_short_readme() {
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(root().join("fixtures/peers")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        folders.extend(name.ends_with("-start").then_some(name));
    }
    folders.sort();
    assert_eq!(folders, STARTS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    let table = read(root().join("fixtures/peers/README.md"));
    for (start, _) in STARTS {
        let readme = Readme::of(start);
        let lines = readme.0.lines().count();
        assert!(lines <= 12, "{start}/README.md has {lines} lines");
        assert!(readme.0.starts_with("# Start in ") && readme.exec().starts_with("exec "), "{}", readme.0);
        assert!(table.contains(&format!("]({start})")), "fixtures/peers/README.md does not name {start}");
    }
}

/// The workflow of a folder is `fixtures/ci/github.yml` with the commands of the README.
#[test]
fn each_workflow_runs_the_commands_of_the_readme() {
    let general = read(root().join("fixtures/ci/github.yml"));
    let (_, general) = general.split_once('\n').unwrap();
    for (start, _) in STARTS {
        let readme = Readme::of(start);
        let build: String =
            readme.commands().0.iter().map(|command| format!("      - run: {command}\n")).collect();
        let expected =
            format!("# Builds the server and runs the suite against it, as README.md does.\n{general}")
                .replace("exec: exec ./my-server {port}", &format!("exec: {}", readme.exec()))
                .replace("      - id: conform\n", &format!("{build}      - id: conform\n"));
        let path = folder(start).join(".github/workflows/dnode.yml");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &expected).unwrap();
        }
        assert_eq!(read(&path), expected, "{start}: UPDATE=1 writes the workflow");
        yaml_rust2::YamlLoader::load_from_str(&expected).unwrap();
    }
}
