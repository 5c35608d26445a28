//! The gate from the user's view: a baseline, a snapshot, a frozen catalogue, and the difference of
//! two runs.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::path::Path;
use support::{PROGRAM, root, run};

/// The command that starts the reference peer with this fault.
fn with_fault(name: &str) -> String {
    format!("exec '{PROGRAM}' serve --fault {name} --listen 127.0.0.1:{{port}}")
}

/// A few cases. Each fault of these tests fails one of them.
const CASES: [&str; 4] = ["--case", "probe/*", "--case", "message/*"];

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn a_baseline_excuses_known_failures_and_finds_stale_entries() {
    let folder = Folder::new();
    let (known, report) = (folder.path("known.toml"), folder.path("run.json"));
    let faulty = with_fault("swaps-arguments");
    let report_to = format!("json={report}");
    run(&[&["--exec", &faulty, "--report", &report_to], &CASES[..]].concat()).expect_status(&[1]);
    run(&["baseline", "create", &known, &report]).expect_status(&[2]).expect_text("with --reason");
    assert!(!Path::new(&known).exists());
    run(&["baseline", "create", &known, &report, "--reason", "they come in the other order"])
        .expect_status(&[0])
        .expect_text("added    message/argument-order");
    run(&["baseline", "create", &known, &report]).expect_status(&[2]).expect_text("exists already");

    let judge = |peer: &[&str]| run(&[peer, &["--baseline", &known], &CASES[..]].concat());
    judge(&["--exec", &faulty])
        .expect_status(&[0])
        .expect_text("known failure")
        .expect_text("known: they come in the other order")
        .expect_text("excused)\nexit 0: nothing that gates failed");
    // The reference peer passes the known cases, so the entries are stale. They do not excuse
    // another fault.
    judge(&[]).expect_status(&[1]).expect_text("stale baseline entr").expect_text("the case passes");
    judge(&["--exec", &with_fault("drops-last-argument")]).expect_status(&[1]).expect_text("FAIL");

    run(&["--report", &report_to, CASES[0], CASES[1], CASES[2], CASES[3]]).expect_status(&[0]);
    let link = folder.path("link.toml");
    std::os::unix::fs::symlink(&known, &link).unwrap();
    run(&["baseline", "update", &link, &report])
        .expect_status(&[0])
        .expect_text("removed  message/argument-order: it passes");
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink(), "the link is a file now");
    judge(&[]).expect_status(&[0]);
}

#[test]
fn a_glob_in_a_baseline_excuses_a_group() {
    let folder = Folder::new();
    let known = folder.path("known.toml");
    std::fs::write(&known, "[[known]]\ncase = \"message/*\"\nreason = \"soon\"\n").unwrap();
    let faulty = with_fault("swaps-arguments");
    run(&[&["--exec", &faulty, "--baseline", &known], &CASES[2..]].concat())
        .expect_status(&[0])
        .expect_text("0 known failures, 1 glob")
        .expect_text("known: soon");
    run(&[&["--baseline", &known], &CASES[2..]].concat())
        .expect_status(&[1])
        .expect_text("message/*: none of its cases fails");
}

#[test]
fn an_invalid_baseline_is_an_error_before_the_run() {
    let folder = Folder::new();
    let known = folder.path("known.toml");
    run(&["--baseline", &known]).expect_status(&[2]).expect_text("baseline create");
    std::fs::write(&known, "[[known]]\ncase = \"message/argument-order\"\n").unwrap();
    run(&["--baseline", &known])
        .expect_status(&[2])
        .expect_text("error: ")
        .expect_text("known.toml, line 1: fingerprint is missing");
}

#[test]
fn a_snapshot_is_written_compared_and_updated() {
    let folder = Folder::new();
    let snapshot = folder.path("snapshot.json");
    let faulty = with_fault("wrong-sum");
    let run_it = |peer: &[&str], more: &[&str]| run(&[peer, &["--snapshot", &snapshot], more].concat());
    run_it(&["--exec", &faulty], &[]).expect_status(&[2]).expect_text("add --update to write it");
    run_it(&["--exec", &faulty], &["--update"]).expect_status(&[0]).expect_text("accepted into the snapshot");
    let written = read(&snapshot);
    assert!(written.starts_with("{\n  \"format\": 1,") && written.contains("\"fail\""), "{written}");
    run_it(&["--exec", &faulty], &[]).expect_status(&[0]).expect_text("as in the snapshot");
    run_it(&[], &[])
        .expect_status(&[1])
        .expect_text("from the snapshot")
        .expect_text("probe/add: pass, but fail in the snapshot")
        .expect_text("run again with --update");
    // A run of some cases is compared with the same cases of the snapshot.
    run_it(&["--exec", &faulty], &["--case", "probe/*"]).expect_status(&[0]);
    assert_eq!(read(&snapshot), written);
    run_it(&[], &["--update"]).expect_status(&[0]);
    assert_ne!(read(&snapshot), written);
    run_it(&[], &[]).expect_status(&[0]);
}

#[test]
fn a_failed_run_does_not_overwrite_the_snapshot() {
    let folder = Folder::new();
    let snapshot = folder.path("snapshot.json");
    let before = read(root().join("reports/known/npm-dnode-1.2.2.json").to_str().unwrap());
    std::fs::write(&snapshot, &before).unwrap();
    let silent = "python3 -c 'import socket,sys;s=socket.create_server((\"127.0.0.1\",{port}));k=[]\nwhile 1: k+=[s.accept()]'";
    run(&["--exec", silent, "--snapshot", &snapshot, "--update", "--deadline", "100ms"]).expect_status(&[2]);
    assert_eq!(read(&snapshot), before);
    std::fs::write(&snapshot, "a letter").unwrap();
    run(&["--snapshot", &snapshot]).expect_status(&[2]).expect_text("is not a snapshot");
    run(&["--snapshot", &snapshot, "--update"])
        .expect_status(&[2])
        .expect_text("so --update does not overwrite it");
    assert_eq!(read(&snapshot), "a letter");
    run(&["--snapshot", &snapshot, "--update", "--case", "probe/*"]).expect_status(&[2]);
}

#[test]
fn cases_newer_than_the_frozen_catalogue_run_but_do_not_gate() {
    let folder = Folder::new();
    let transcript = folder.path("newer.jsonl");
    let text = read(root().join("fixtures/transcripts/probe/add.jsonl").to_str().unwrap());
    std::fs::write(&transcript, text.replace("\"since\":\"0.1.0\"", "\"since\":\"99.0.0\"")).unwrap();
    let faulty = with_fault("wrong-sum");
    let replay = ["replay", &transcript, "--exec", &faulty];
    run(&replay).expect_status(&[1]);
    run(&[&replay[..], &["--catalogue", "0.1.0"]].concat())
        .expect_status(&[0])
        .expect_text("newer than the catalogue 0.1.0")
        .expect_text("1 fail (1 excused)");
    run(&["--catalogue", "99.0.0"]).expect_status(&[2]).expect_text("which knows no later version");
    run(&["--catalogue", "1"]).expect_status(&[2]).expect_text("a version has three numbers");
}

#[test]
fn two_versions_of_npm_dnode_differ_in_just_these_cases() {
    let [old, new] = ["0.9.12", "1.1.0"].map(|version| format!("reports/known/npm-dnode-{version}.json"));
    let ran = run(&["diff", &old, &new]);
    ran.expect_status(&[1]);
    let kinds = ["  gained  ", "  lost    ", "  changed ", "  added   ", "  removed "];
    let shown = |line: &&str| kinds.iter().any(|kind| line.starts_with(kind)) || line.ends_with("gained");
    let shown: Vec<&str> = ran.stdout.lines().filter(shown).collect();
    insta::assert_snapshot!(shown.join("\n"));
    run(&["diff", &old, &old]).expect_status(&[0]).expect_text(" the same\n");
    run(&["diff", &old, &new, "--format", "markdown"]).expect_status(&[1]).expect_text("| gained | `");
    run(&["diff", &old, "README.md"]).expect_status(&[2]).expect_text("is no report of a run");
}
