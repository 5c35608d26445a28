//! Documents that are made from the code say what the code says.
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
fn the_catalogue_is_fresh() {
    let json = run(&["list", "--format", "json"]);
    let rows: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let text = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap().to_owned();
    let words = |row: &serde_json::Value, key: &str| {
        let words: Vec<&str> =
            row[key].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        words.join(", ")
    };
    let mut out = String::from(
        "# Cases\n\nGenerated from `fixtures/transcripts/`; `UPDATE=1 cargo test --workspace` rewrites it. The clauses are in \
         [CLAUSES.md](CLAUSES.md), the methods that a\ncase needs of the peer in [fixtures/PROBE.md](fixtures/PROBE.md). A hostile case is \
         run last and by itself.\n",
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
    assert_fresh("CASES.md", &out);
}

#[test]
fn each_bench_has_its_place_among_the_benchmarks() {
    let document = std::fs::read_to_string(root().join("BENCHMARKS.md")).unwrap();
    let benches =
        std::fs::read_dir(root().join("harness/benches")).unwrap().map(|entry| entry.unwrap().path());
    let names = benches.filter(|path| path.extension().is_some_and(|it| it == "rs"));
    for name in names.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()) {
        let places =
            [format!("| [{name}](#{name}) |"), format!("\n## {name}\n"), format!("<!-- {name} -->\n")];
        for place in places.iter().chain([&format!("<!-- end of {name} -->\n")]) {
            assert!(document.contains(place), "BENCHMARKS.md has no {place:?}, where the bench writes");
        }
    }
}

#[test]
fn the_help_is_fresh() {
    let mut out = String::from(
        "# The command line\n\nGenerated from the program's own `--help`; `UPDATE=1 cargo test --workspace` rewrites it.\n",
    );
    for command in [
        &["--help"][..],
        &["list", "--help"],
        &["explain", "--help"],
        &["replay", "--help"],
        &["minimize", "--help"],
        &["fuzz", "--help"],
        &["compare", "--help"],
        &["record", "--help"],
        &["report", "--help"],
        &["diff", "--help"],
        &["baseline", "create", "--help"],
        &["baseline", "update", "--help"],
        &["import", "--help"],
        &["serve", "--help"],
        &["completions", "--help"],
        &["man", "--help"],
    ] {
        let help = run(command);
        help.expect_status(&[0]);
        let _ = write!(out, "\n## dnode-conform {}\n\n```text\n{}```\n", command.join(" "), help.stdout);
    }
    assert_fresh("COMMANDS.md", &out);
}

#[test]
fn the_defects_are_fresh() {
    let mut out = String::from(
        "# Defects of known implementations\n\nCollected from the files beside the reports; `UPDATE=1 cargo test --workspace` rewrites it. One row for each cause, with the case that \
         shows it and the shortest input:\nwhat is sent after the handshake, one line. The versions and dates are in the headings.\n",
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
