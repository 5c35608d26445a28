//! The suite against the real npm packages: each canonical report is committed, and so is the cause of each finding.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use support::{root, run};

/// Installs a peer's packages where they are missing. Tests of one peer share the folder, so one at a time.
fn install(peer: &str) {
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = INSTALLING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let folder = root().join("fixtures/peers").join(peer);
    if folder.join("node_modules/.package-lock.json").exists() {
        return;
    }
    let npm = Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder).output();
    let npm = npm.unwrap_or_else(|error| {
        panic!("these tests need node 20 and npm on the PATH: npm cannot be run: {error}")
    });
    let stderr = String::from_utf8_lossy(&npm.stderr);
    assert!(npm.status.success(), "`npm ci` in fixtures/peers/{peer} failed:\n{stderr}");
}

/// Runs the whole catalogue against a peer and holds its report against the committed one.
fn compare_with_known(peer: &str, command: &str, known: &str) {
    install(peer);
    let folder = tempfile::tempdir().unwrap();
    let fresh = folder.path().join("report.json");
    let ran = run(&["--exec", command, "--report", &format!("json={}", fresh.display())]);
    ran.expect_status(&[1]);
    let fresh = std::fs::read_to_string(&fresh).unwrap();
    let path: PathBuf = root().join("reports/known").join(format!("{known}.json"));
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    if committed != fresh {
        let diff = similar::TextDiff::from_lines(&committed, &fresh);
        panic!("reports/known/{known}.json is not what came (UPDATE=1 writes it):\n{}", diff.unified_diff());
    }
    let causes = std::fs::read_to_string(root().join("reports/known").join(format!("{known}.md"))).unwrap();
    let report: serde_json::Value = serde_json::from_str(&fresh).unwrap();
    for case in report["cases"].as_array().unwrap() {
        let (id, verdict) = (case["id"].as_str().unwrap(), case["verdict"].as_str().unwrap());
        if ["fail", "crash", "hang"].contains(&verdict) {
            assert!(causes.contains(&format!("`{id}`")), "{known}.md does not say why {id} is {verdict}");
        }
    }
}

#[test]
fn npm_dnode() {
    compare_with_known("npm-dnode", "node fixtures/peers/npm-dnode/server.js {port}", "npm-dnode-1.2.2");
}

#[test]
fn davedoesdev_dnode_that_culls() {
    let command = "node --expose-gc fixtures/peers/davedoesdev-dnode/server.js {port}";
    install("npm-dnode");
    compare_with_known("davedoesdev-dnode", command, "davedoesdev-dnode-1.2.4");
}

#[test]
fn a_finding_shows_bytes_status_standard_error_and_how_to_repeat_it() {
    install("npm-dnode");
    let command = "node fixtures/peers/npm-dnode/server.js {port}";
    let ran = run(&["--exec", command, "--case", "robust/message-null"]);
    ran.expect_status(&[1])
        .expect_text("CRASH  robust/message-null")
        .expect_text("suite ->       null")
        .expect_text("exit status 1")
        .expect_text("TypeError: Cannot read properties of null")
        .expect_text("--case robust/message-null");
}

#[test]
fn a_server_without_the_probe_gets_verdicts_for_what_needs_none() {
    install("npm-dnode");
    let command = "node fixtures/peers/npm-dnode/plain.js {port}";
    let without = run(&["--exec", command, "--case", "methods/*"]);
    without.expect_status(&[2]).expect_text("the peer does not expose the probe").expect_text("--ping");
    let with = run(&["--exec", command, "--case", "methods/*", "--ping", r#"add[1,2,"$cb"]"#]);
    with.expect_status(&[0]).expect_text("the peer does not expose the probe");
    let hostile = run(&["--exec", command, "--case", "robust/message-*", "--ping", r#"add[1,2,"$cb"]"#]);
    hostile.expect_status(&[1]).expect_text("CRASH  robust/message-null");
}
