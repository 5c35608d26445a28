//! Recorded sessions: imported line logs are fresh, correct peers pass the sessions with the probe,
//! and these sessions find faults.
//!
//! `reports/evidence/recorded.json` says how many sessions show each fault. To measure the table,
//! all sessions run against every fault, which takes minutes. The plain test takes some of the
//! faults.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use dnode_conform::cases::Case;
use dnode_conform::commands::import::import;
use dnode_conform::reference::fault::{self, Fault};
use dnode_conform::reference::variant::VARIANTS;
use dnode_conform::run::Cases;
use dnode_spec::clause::Level;
use dnode_spec::dialect::Dialect;
use dnode_spec::monitor::End;
use dnode_spec::transcript::Transcript;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use support::evidence::{self, Row};
use support::library::{outcomes, served};
use support::{PROGRAM, install, root, run};

/// The folder of the imported logs.
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
fn imported_logs_are_fresh() {
    let logs = files(&root().join("fixtures/recordings"));
    assert_eq!(logs.len(), 72);
    for log in logs {
        let name = log.file_stem().unwrap().to_str().unwrap();
        let imported =
            import(&fs::read_to_string(&log).unwrap(), &format!("ports/{name}"), End::A, false).unwrap();
        Transcript::read(&imported).unwrap_or_else(|error| panic!("{name}: {error}"));
        let path = root().join(IMPORTED).join(format!("{name}.jsonl"));
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &imported).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == imported, "{} is stale: run this test with UPDATE=1", path.display());
    }
}

#[test]
fn imported_logs_replay_on_the_reference_peer() {
    let ran = run(&["replay", IMPORTED]);
    // Where the recorded server broke a clause, the header says so.
    ran.expect_status(&[0])
        .expect_text("5 not-applicable")
        .expect_text("the recorded peer broke value/scalars");
}

/// The sessions with programs that expose the probe.
fn with_the_probe() -> Vec<PathBuf> {
    let sessions = files(&root().join("fixtures/transcripts/recorded"));
    sessions.into_iter().filter(|path| !path.starts_with(root().join(IMPORTED))).collect()
}

/// Replays every session with the probe. All of them must run and pass.
fn replays(peer: &[&str]) {
    let sessions = with_the_probe();
    let sessions: Vec<&str> = sessions.iter().map(|path| path.to_str().unwrap()).collect();
    assert!(sessions.len() >= 40, "there are {} sessions", sessions.len());
    let arguments: Vec<&str> =
        std::iter::once("replay").chain(sessions).chain(peer.iter().copied()).collect();
    let ran = run(&arguments);
    ran.expect_status(&[0]);
    // The monitor and the probe judge the lines of the sessions, so they have a verdict too.
    assert!(!ran.stdout.contains("not-applicable") && !ran.stdout.contains("inconclusive"), "{}", ran.stdout);
}

#[test]
fn reference_peer_and_legal_variants_pass_sessions_with_the_probe() {
    replays(&[]);
    for variant in VARIANTS {
        let serve = format!("exec '{PROGRAM}' serve --variant {} --listen 127.0.0.1:{{port}}", variant.name);
        replays(&["--exec", &serve]);
    }
}

#[test]
fn npm_dnode_passes_sessions_with_the_probe() {
    install("npm-dnode");
    install("davedoesdev-dnode");
    replays(&["--exec", "node fixtures/peers/npm-dnode/server.js {port}"]);
    replays(&["--exec", "node --expose-gc fixtures/peers/davedoesdev-dnode/server.js {port}"]);
}

/// A row of the table.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Recorded {
    fault: String,
    /// The number of sessions that show the fault.
    shown_by: usize,
    /// The number of all sessions.
    sessions: usize,
}

impl Row for Recorded {
    const TABLE: &'static str = "recorded";

    const HEAD: &'static str = "# Faults that recorded sessions find\n\n\
        For each fault of the reference peer that legal sessions can reach, this table shows how many of the recorded sessions with the\n\
        probe show the fault when they are replayed.\n\
        A session can show only faults in the features that it uses.\n\
        Generated from `recorded.json`; `UPDATE=1 cargo test -p dnode-conform --test recorded every` measures again and writes both\n\
        files.\n\n\
        | fault | sessions |\n|---|---|\n";

    fn name(&self) -> &str {
        &self.fault
    }

    fn line(&self) -> String {
        format!("| `{}` | {} of {} |", self.fault, self.shown_by, self.sessions)
    }

    fn problem(&self) -> Option<String> {
        let sessions = with_the_probe().len();
        (self.sessions != sessions).then(|| format!("there are {sessions} sessions"))
    }
}

/// The number of sessions that show a fault.
fn showing(fault: &Fault, cases: &[Case]) -> usize {
    let outcomes = outcomes(served(&format!("--fault {}", fault.name)), Cases::Listed(cases.to_vec()), false);
    let is_session = |id: &str| cases.iter().any(|case| case.id() == id);
    let failing = outcomes.iter().filter(|it| is_session(&it.id) && it.gates(Level::Observed)).count();
    // If the monitor, the preflight or the end of the process shows the fault, all sessions
    // together show it.
    let over_all = outcomes.iter().any(|it| !is_session(&it.id) && it.gates(Level::Observed));
    if failing == 0 && over_all { cases.len() } else { failing }
}

/// The faults that legal sessions can reach.
fn legal() -> impl Iterator<Item = &'static Fault> {
    fault::of(Dialect::default()).filter(|fault| fault.legal)
}

#[test]
fn evidence_is_fresh() {
    evidence::assert_fresh::<Recorded>(legal().map(|fault| fault.name));
}

#[test]
fn every_touched_fault_is_found_as_committed() {
    let texts = with_the_probe().into_iter().map(|path| fs::read_to_string(path).unwrap());
    let cases: Vec<Case> = texts.map(|text| Case::read(&text).unwrap()).collect();
    let rows = evidence::measured(1, legal().collect(), |fault, _| Recorded {
        fault: fault.name.to_owned(),
        shown_by: showing(fault, &cases),
        sessions: cases.len(),
    });
    // The whole table takes minutes, so the plain test takes every eighth row.
    for row in rows.iter().filter(|row| row.shown_by > 0).step_by(8) {
        let fault = fault::find(&row.fault).unwrap();
        assert!(showing(fault, &cases) > 0, "recorded sessions no longer find {}", row.fault);
    }
}
