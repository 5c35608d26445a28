//! Generated sessions: nothing legal is blamed, each fault that legal sessions reach is found and shrunk, and `GENERATED.md` says with how many
//! sessions and to how many steps.
//!
//! The document is made by up to [`SESSIONS`] sessions against every fault, which takes minutes; the plain test runs for each fault the
//! first session that finds it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use dnode_conform::cases::Selection;
use dnode_conform::run::{Cases, Command, Options, run};
use dnode_conform::serve::fault::{self, Fault};
use dnode_conform::serve::variant::VARIANTS;
use dnode_conform::target::Target;
use dnode_reports::event::{Event, Outcome};
use dnode_spec::clause::Level;
use dnode_spec::generate::{Kind, Seed};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;
use support::{PROGRAM, install, root};

/// How many sessions a fault may take to be found.
const SESSIONS: u64 = 2000;

/// The seed of the committed table.
const SEED: u64 = 1;

fn seeds(numbers: impl IntoIterator<Item = u64>) -> Cases {
    sessions(Kind::Legal, numbers)
}

fn sessions(kind: Kind, numbers: impl IntoIterator<Item = u64>) -> Cases {
    Cases::Generated(numbers.into_iter().map(|number| Seed { seed: SEED, number, kind }).collect())
}

/// Runs sessions against a peer; ends at the first finding where `first` says so.
fn outcomes(target: Target, cases: Cases, first: bool) -> Vec<Outcome> {
    let options = Options {
        target,
        selection: Selection::all(),
        // A fault may break what is only observed; those who are right are held against what gates.
        gate: if first { Level::Observed } else { Level::Robust },
        ping: None,
        jobs: 8,
        patience: Duration::from_millis(1000),
        command: Command::default(),
        fail_fast: first,
        shrink: first && std::env::var_os("UPDATE").is_some(),
        interrupted: std::sync::Arc::default(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut outcomes = Vec::new();
    let mut tell = |event| {
        if let Event::Judged(outcome) = event {
            outcomes.push(*outcome);
        }
    };
    runtime.block_on(run(&options, cases, &mut tell)).unwrap_or_else(|error| panic!("{error}"));
    outcomes
}

fn served(arguments: &str) -> Target {
    Target::Exec(format!("exec '{PROGRAM}' serve {arguments} --listen 127.0.0.1:{{port}}"))
}

fn gating(outcomes: &[Outcome]) -> Vec<&str> {
    outcomes.iter().filter(|it| it.gates(Level::Robust)).map(|it| it.id.as_str()).collect()
}

#[test]
fn legal_sessions_are_blamed_on_no_one() {
    assert_eq!(gating(&outcomes(Target::Reference, seeds(0..1000), false)), [""; 0]);
    for variant in VARIANTS {
        let outcomes = outcomes(served(&format!("--variant {}", variant.name)), seeds(0..100), false);
        assert_eq!(gating(&outcomes), [""; 0], "{}", variant.name);
    }
    install("npm-dnode");
    let npm = Target::Exec("exec node ../fixtures/peers/npm-dnode/server.js {port}".to_owned());
    let outcomes = outcomes(npm, seeds(0..500), false);
    // It breaks characters, as its committed report says; the first session that shows it stands for all.
    let found: Vec<&str> =
        outcomes.iter().filter_map(|it| Some(it.divergence.as_ref()?.clause.as_str())).collect();
    assert_eq!(found, ["framing/split-character"]);
}

#[test]
fn where_all_crosses_only_what_no_order_allows_is_blamed() {
    let crossing = |target, count| outcomes(target, sessions(Kind::Crossing, 0..count), false);
    assert_eq!(gating(&crossing(Target::Reference, 500)), [""; 0]);
    for variant in VARIANTS {
        let outcomes = crossing(served(&format!("--variant {}", variant.name)), 50);
        assert_eq!(gating(&outcomes), [""; 0], "{}", variant.name);
    }
    // What it answers is wrong, and left free here; what it calls after it gave it back is not.
    assert_eq!(gating(&crossing(served("--fault swaps-arguments"), 50)), [""; 0]);
    assert_eq!(gating(&crossing(served("--fault culls-then-calls"), 50)), ["always/callback-not-culled"]);
}

/// What finds a fault: how many sessions it took, and how many steps are left of the one that shows it, where one alone does.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    sessions: u64,
    steps: Option<usize>,
}

fn find(fault: &Fault, numbers: std::ops::Range<u64>) -> Option<Found> {
    let all = numbers.end;
    let outcomes = outcomes(served(&format!("--fault {}", fault.name)), seeds(numbers), true);
    let found = outcomes.iter().find(|it| it.gates(Level::Observed))?;
    let steps = |outcome: &Outcome| outcome.evidence.transcript.lines().count().checked_sub(1);
    if let Ok(seed) = found.id.parse::<Seed>() {
        return Some(Found { sessions: seed.number + 1, steps: steps(found) });
    }
    // What the monitor finds names the session that showed it; the preflight and the end of the process name none.
    let shown = found.reason.as_deref().and_then(|reason| reason.strip_prefix("seen first in "));
    let seed = shown.and_then(|shown| shown.parse::<Seed>().ok());
    Some(Found { sessions: seed.map_or(all, |seed| seed.number + 1), steps: None })
}

const HEAD: &str = "# What generated sessions find\n\nGenerated by `UPDATE=1 cargo test -p dnode-conform --test generated every`: for each fault of the reference peer that legal \
sessions reach, how many sessions of seed 1 it took, and how many steps were left after shrinking. A fault that the monitor sees on any line, or \
that the preflight or the end of the process shows, needs no shrinking.\n\n| fault | sessions | steps |\n|---|---|---|\n";

fn path() -> std::path::PathBuf {
    root().join("GENERATED.md")
}

/// The rows of the committed table: the fault, and the session that finds it.
fn committed() -> BTreeMap<String, Option<u64>> {
    let text = std::fs::read_to_string(path()).unwrap_or_default();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        (cells[1].trim_matches('`').to_owned(), cells[2].parse::<u64>().ok())
    };
    rows.map(row).collect()
}

#[test]
fn every_fault_that_legal_sessions_reach_is_found_as_the_table_says() {
    let legal = || fault::all().filter(|fault| fault.legal);
    if std::env::var_os("UPDATE").is_some() {
        let mut out = HEAD.to_owned();
        for fault in legal() {
            // A few first: where each finding takes its time, many would take all of it.
            let found =
                [0..1, 1..10, 10..100, 100..SESSIONS].into_iter().find_map(|numbers| find(fault, numbers));
            let row = match found {
                Some(Found { sessions, steps }) => {
                    let steps = steps.map_or_else(|| "none needed".to_owned(), |steps| steps.to_string());
                    format!("| `{}` | {} | {steps} |", fault.name, sessions)
                }
                None => format!("| `{}` | not found | |", fault.name),
            };
            println!("{row}");
            writeln!(out, "{row}").unwrap();
        }
        std::fs::write(path(), out).unwrap();
    }
    let committed = committed();
    let names: Vec<&str> = legal().map(|fault| fault.name).collect();
    assert!(
        names.iter().all(|name| committed.contains_key(*name)),
        "GENERATED.md is stale: run with UPDATE=1"
    );
    for fault in legal() {
        let Some(Some(sessions)) = committed.get(fault.name) else { continue };
        // What depends on how the system cuts a stream into segments may take another session now and then.
        let found = find(fault, sessions - 1..*sessions).or_else(|| find(fault, 0..100));
        assert!(found.is_some(), "session {} no longer finds {}", sessions - 1, fault.name);
    }
}
