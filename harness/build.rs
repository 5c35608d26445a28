//! Finds the commit that the program is built from, for `--version`.
//!
//! The variable `DNODE_CONFORM_COMMIT` names it, or the file that cargo adds to a packaged crate, or
//! git. A debug build does not ask git: after each commit, cargo would compile the crate again. If
//! nothing names the commit, the build still succeeds.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

const VARIABLE: &str = "DNODE_CONFORM_COMMIT";

/// The file with the commit in a packaged crate.
const PACKAGED: &str = ".cargo_vcs_info.json";

fn main() {
    println!("cargo:rerun-if-env-changed={VARIABLE}");
    println!("cargo:rerun-if-changed=build.rs");
    if let Some(commit) = named().or_else(packaged).or_else(checked_out) {
        let short: String = commit.chars().take(7).collect();
        println!("cargo:rustc-env={VARIABLE}={short}");
    }
}

fn named() -> Option<String> {
    env::var(VARIABLE).ok().filter(|commit| is_commit(commit))
}

fn packaged() -> Option<String> {
    // An absent file that is watched would run this script in each build.
    let text = fs::read_to_string(PACKAGED).ok()?;
    println!("cargo:rerun-if-changed={PACKAGED}");
    let (_, rest) = text.split_once("\"sha1\": \"")?;
    rest.split('"').next().filter(|commit| is_commit(commit)).map(str::to_owned)
}

fn checked_out() -> Option<String> {
    // A copy of the sources in the repository of another project is not at that project's commit.
    let is_ours =
        env::var("PROFILE").ok()? == "release" && git(&["rev-parse", "--show-prefix"])? == "harness/";
    let commit = is_ours.then(|| git(&["rev-parse", "HEAD"])).flatten()?;
    // Each commit and each checkout adds a line to the log. Without a log, only a checkout counts.
    let paths = ["logs/HEAD", "HEAD"].map(|name| git(&["rev-parse", "--git-path", name]));
    let watched = paths.into_iter().flatten().find(|path| Path::new(path).exists())?;
    println!("cargo:rerun-if-changed={watched}");
    Some(commit).filter(|commit| is_commit(commit))
}

/// The line that a git command prints.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let line = output.status.success().then(|| String::from_utf8(output.stdout).ok()).flatten()?;
    Some(line.trim_end().to_owned())
}

fn is_commit(text: &str) -> bool {
    text.len() >= 7 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
