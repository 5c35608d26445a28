//! Recorded sessions: those of plain line logs are imported as they are committed, and those with the probe replay wherever the
//! protocol is spoken rightly.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use dnode_conform::import::import;
use dnode_conform::serve::variant::VARIANTS;
use dnode_spec::monitor::End;
use dnode_spec::transcript::Transcript;
use std::fs;
use std::path::{Path, PathBuf};
use support::{PROGRAM, install, root, run};

/// Where the imported logs lie.
const IMPORTED: &str = "fixtures/transcripts/recorded/ports";

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if path.extension().is_some_and(|extension| extension == "jsonl") {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn the_imported_logs_are_fresh() {
    let logs = files(&root().join("fixtures/recordings"));
    assert_eq!(logs.len(), 72);
    for log in logs {
        let name = log.file_stem().unwrap().to_str().unwrap();
        let made = import(&fs::read_to_string(&log).unwrap(), &format!("ports/{name}"), End::A).unwrap();
        Transcript::read(&made).unwrap_or_else(|error| panic!("{name}: {error}"));
        let path = root().join(IMPORTED).join(format!("{name}.jsonl"));
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &made).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == made, "{} is stale: run this test with UPDATE=1", path.display());
    }
}

/// Replays every session with the probe; all must be made, and nothing may differ.
fn replays(peer: &[&str]) {
    let sessions = files(&root().join("fixtures/transcripts/recorded"));
    let sessions = sessions.iter().filter(|path| !path.starts_with(root().join(IMPORTED)));
    let sessions: Vec<&str> = sessions.map(|path| path.to_str().unwrap()).collect();
    assert!(sessions.len() >= 40, "there are {} sessions", sessions.len());
    let arguments: Vec<&str> =
        std::iter::once("replay").chain(sessions).chain(peer.iter().copied()).collect();
    let ran = run(&arguments);
    ran.expect_status(&[0]);
    // What is not one of the sessions is judged on their lines.
    assert!(!ran.stdout.contains("not-applicable") && !ran.stdout.contains("inconclusive"), "{}", ran.stdout);
}

#[test]
fn sessions_with_the_probe_replay_against_the_reference_peer_and_its_legal_variants() {
    replays(&[]);
    for variant in VARIANTS {
        let serve = format!("exec '{PROGRAM}' serve --variant {} --listen 127.0.0.1:{{port}}", variant.name);
        replays(&["--exec", &serve]);
    }
}

#[test]
fn sessions_with_the_probe_replay_against_npm_dnode() {
    install("npm-dnode");
    install("davedoesdev-dnode");
    replays(&["--exec", "node fixtures/peers/npm-dnode/server.js {port}"]);
    replays(&["--exec", "node --expose-gc fixtures/peers/davedoesdev-dnode/server.js {port}"]);
}
