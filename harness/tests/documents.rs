//! Generated documents agree with the code.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::fmt::Write as _;
use support::{root, run};

fn assert_fresh(path: &str, expected: &str) {
    let file = root().join(path);
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(&file, expected).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == expected,
        "{path} is stale: run `UPDATE=1 cargo test --workspace` and commit what it writes"
    );
}

#[test]
fn catalogue_is_fresh() {
    let json = run(&["list", "--format", "json"]);
    let rows: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let text = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap().to_owned();
    let words = |row: &serde_json::Value, key: &str| {
        let words: Vec<&str> =
            row[key].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        words.join(", ")
    };
    let mut out = String::from(
        "# Cases\n\nGenerated from the transcripts in this folder; `UPDATE=1 cargo test --workspace` rewrites it.\n\
         The clauses are in [CLAUSES.md](../../spec/CLAUSES.md), the probe's methods that a case needs in [PROBE.md](../PROBE.md).\n\
         A hostile case runs last, on a peer of its own.\n",
    );
    let mut group = String::new();
    for row in rows.as_array().unwrap() {
        let id = text(row, "id");
        let head = id.split('/').next().unwrap().to_owned();
        if head != group {
            let _ = write!(
                out,
                "\n## {head}\n\n| case | level | clauses | needs | what happens |\n|---|---|---|---|---|\n"
            );
            group = head;
        }
        let hostile = if row["hostile"] == true { " (hostile)" } else { "" };
        let dialect =
            row["dialect"].as_str().map(|dialect| format!(" (dialect {dialect})")).unwrap_or_default();
        let about = text(row, "about").replace('|', "\\|");
        let (level, clauses, needs) = (text(row, "level"), words(row, "clauses"), words(row, "needs"));
        let _ = writeln!(out, "| {id}{hostile}{dialect} | {level} | {clauses} | {needs} | {about} |");
    }
    assert_fresh("fixtures/transcripts/CASES.md", &out);
}

#[test]
fn each_bench_has_a_table() {
    let document = std::fs::read_to_string(root().join("harness/benches/README.md")).unwrap();
    let benches =
        std::fs::read_dir(root().join("harness/benches")).unwrap().map(|entry| entry.unwrap().path());
    let names = benches.filter(|path| path.extension().is_some_and(|it| it == "rs"));
    for name in names.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()) {
        let places =
            [format!("| [{name}](#{name}) |"), format!("\n## {name}\n"), format!("<!-- {name} -->\n")];
        for place in places.iter().chain([&format!("<!-- end of {name} -->\n")]) {
            assert!(
                document.contains(place),
                "harness/benches/README.md has no {place:?}: the bench has no place to write to"
            );
        }
    }
}

/// The help of a command and of each of its subcommands, as the program prints it.
fn write_help(out: &mut String, command: &[&str]) {
    let arguments = [command, &["--help"]].concat();
    let help = run(&arguments);
    help.expect_status(&[0]);
    let _ = write!(out, "\n## dnode-conform {}\n\n```text\n{}```\n", arguments.join(" "), help.stdout);
    let subcommands = help.stdout.lines().skip_while(|line| *line != "Commands:").skip(1);
    for line in subcommands.take_while(|line| !line.is_empty()) {
        let name = line.split_whitespace().next().unwrap();
        if name != "help" {
            write_help(out, &[command, &[name]].concat());
        }
    }
}

#[test]
fn help_is_fresh() {
    let mut out = String::from(
        "# The command line\n\nGenerated from the `--help` of each command; `UPDATE=1 cargo test --workspace` rewrites it.\n\
         Without a command, `dnode-conform` does what `dnode-conform run` does.\n\
         `dnode-conform completions SHELL` prints completions for your shell, and `dnode-conform man | man -l -` shows the manual.\n",
    );
    write_help(&mut out, &[]);
    assert_fresh("harness/docs/commands.md", &out);
}

#[test]
fn defects_are_fresh() {
    let mut out = String::from(
        "# Defects of known implementations\n\nCollected from the files beside the reports; `UPDATE=1 cargo test --workspace` rewrites it.\n\
         One row for each cause, with a case that shows it and the shortest input: the lines sent after the handshake.\n\
         The headings name the versions and dates.\n",
    );
    let folder = root().join("reports/known");
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "md")) {
        if file.ends_with("DEFECTS.md") {
            continue;
        }
        let text = std::fs::read_to_string(file).unwrap();
        let heading = text.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap();
        let (_, defects) = text
            .split_once("\n## Defects\n")
            .unwrap_or_else(|| panic!("{} has no section Defects", file.display()));
        let _ = write!(out, "\n## {heading}\n\n{}\n", defects.trim());
    }
    assert_fresh("reports/known/DEFECTS.md", &out);
}
