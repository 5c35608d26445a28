//! The packages for other languages: the launcher of the npm package, with a program of our own, and
//! that versions and platforms agree.
//!
//! Deliberately absent: packing, installing and running the packages, which `.ci/package` does.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use support::{Ran, output, read, root, write_script};
use tempfile::TempDir;

/// An installed launcher.
struct Installed {
    folder: TempDir,
    /// The program for this platform.
    program: PathBuf,
}

impl Installed {
    /// With this shell script as the program.
    fn new(script: &str) -> Installed {
        let installed = Installed::without_program();
        std::fs::create_dir_all(installed.program.parent().unwrap()).unwrap();
        write_script(&installed.program, script);
        installed
    }

    fn without_program() -> Installed {
        let folder = tempfile::tempdir().unwrap();
        let modules = folder.path().join("node_modules");
        let launcher = modules.join("dnode-conform/bin/dnode-conform.js");
        std::fs::create_dir_all(launcher.parent().unwrap()).unwrap();
        std::fs::copy(root().join("packages/npm/launcher/bin/dnode-conform.js"), launcher).unwrap();
        let known = r#"{"@dnode-conform/linux-x64": "0.1.0", "@dnode-conform/darwin-arm64": "0.1.0"}"#;
        let content = format!(r#"{{"version": "0.1.0", "optionalDependencies": {known}}}"#);
        std::fs::write(modules.join("dnode-conform/package.json"), content).unwrap();
        let platform = output(Command::new("node").args(["-p", "`${process.platform}-${process.arch}`"]));
        let program = modules.join("@dnode-conform").join(platform.stdout.trim()).join("dnode-conform");
        Installed { folder, program }
    }

    fn launcher(&self) -> Command {
        let mut node = Command::new("node");
        node.arg(self.folder.path().join("node_modules/dnode-conform/bin/dnode-conform.js"));
        node
    }

    /// Runs the launcher as on this platform.
    fn run_on(&self, platform: &str, arch: &str) -> Ran {
        let preload = self.folder.path().join("platform.js");
        let define = format!(
            "Object.defineProperties(process, {{ platform: {{ value: \"{platform}\" }}, arch: {{ value: \"{arch}\" }} }});"
        );
        std::fs::write(&preload, define).unwrap();
        output(self.launcher().env("NODE_OPTIONS", format!("--require {}", preload.display())))
    }

    /// Starts the launcher, and waits for the first line of the program.
    fn start(&self) -> (Child, BufReader<std::process::ChildStdout>) {
        let mut child = self.launcher().stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        assert_eq!(line(&mut stdout), "ready\n");
        (child, stdout)
    }
}

fn line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    line
}

#[test]
fn launcher_passes_arguments_streams_and_the_exit_status() {
    let installed = Installed::new("printf '<%s>' \"$@\"; cat; echo problem >&2; exit 7");
    let ran = output(installed.launcher().args(["run", "a b", "", "$HOME"]).stdin(Stdio::null()));
    assert_eq!(
        (ran.status, ran.stdout.as_str(), ran.stderr.as_str()),
        (7, "<run><a b><><$HOME>", "problem\n")
    );
}

#[test]
fn launcher_passes_signals_and_waits_for_the_program() {
    for name in ["INT", "TERM", "HUP", "QUIT"] {
        // `wait` ends at a signal, and after 30 seconds if none arrives.
        let script = format!("trap 'kill $!; echo stopped; exit 42' {name}; sleep 30 & echo ready; wait");
        let installed = Installed::new(&script);
        let (mut child, mut stdout) = installed.start();
        support::signal(&child, &format!("-{name}"));
        assert_eq!(child.wait().unwrap().code(), Some(42), "{name}");
        assert_eq!(line(&mut stdout), "stopped\n", "{name}");
    }
}

#[test]
fn launcher_ends_by_the_signal_that_ended_the_program() {
    let installed = Installed::new("echo ready; kill -s KILL $$");
    let (mut child, _stdout) = installed.start();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
}

#[test]
fn launcher_names_a_missing_package_and_an_unknown_platform() {
    let installed = Installed::without_program();
    let missing = installed.run_on("linux", "x64");
    missing.expect_status(&[2]).expect_text("npm install @dnode-conform/linux-x64@0.1.0");
    let unknown = installed.run_on("win32", "x64");
    unknown.expect_status(&[2]).expect_text("no package for win32-x64, only for linux-x64, darwin-arm64");
}

#[test]
fn launcher_says_why_the_program_cannot_start() {
    let installed = Installed::new("");
    std::fs::set_permissions(&installed.program, PermissionsExt::from_mode(0o644)).unwrap();
    output(&mut installed.launcher()).expect_status(&[2]).expect_text("cannot be started");
}

#[test]
fn packages_have_each_platform_of_a_release() {
    let targets = read(root().join(".github/workflows/release.yml"));
    let targets: Vec<&str> =
        targets.split("target: ").skip(1).filter_map(|rest| rest.split(',').next()).collect();
    let pack = read(root().join("packages/npm/pack.js"));
    let (platforms, _) = pack.split_once("const LOCAL").unwrap();
    assert_eq!(platforms.matches("os: \"").count(), targets.len());
    for target in targets {
        assert!(platforms.contains(&format!("\"{target}\": ")), "packages/npm/pack.js has no {target}");
    }
}
