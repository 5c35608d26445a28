//! Tests that clap accepts each command in the README and in `harness/docs`, also those that no
//! test runs.

use super::Cli;
use clap::Parser;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The README and the pages in `harness/docs`.
fn documents() -> Vec<PathBuf> {
    let harness = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = std::fs::read_dir(harness.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    pages.chain([harness.join("../README.md")]).collect()
}

/// The words of a command, as the shell splits them.
fn words(command: &str) -> Vec<String> {
    let script = format!("printf '%s\\0' {command}");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_terminator('\0').map(str::to_owned).collect()
}

#[test]
fn documented_commands_parse() {
    let mut parsed = 0;
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        for line in text.lines() {
            let line =
                line.strip_prefix("$ ").unwrap_or(line).replace("cargo run --release --", "dnode-conform");
            // Skip lines of help and of output.
            if !line.starts_with("dnode-conform ") || line.starts_with("dnode-conform 0.") {
                continue;
            }
            if let Err(error) = Cli::try_parse_from(words(&line)) {
                panic!("{}: {line}\n{error}", document.display());
            }
            parsed += 1;
        }
    }
    assert!(parsed > 30, "only {parsed} commands were found");
}
