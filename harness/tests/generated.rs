//! Generated sessions: correct peers pass them, and they find and shrink each fault that legal
//! sessions can reach.
//!
//! `reports/evidence/generated.json` says how many sessions it takes to find a fault, and how many
//! steps shrinking leaves. To measure the table, up to [`SESSIONS`] sessions run against every
//! fault, which takes minutes. The plain test runs only the first session that finds a fault.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use dnode_conform::cases::Case;
use dnode_conform::program::Target;
use dnode_conform::reference::fault::{self, Fault};
use dnode_conform::reference::variant::VARIANTS;
use dnode_conform::run::Cases;
use dnode_reports::event::Outcome;
use dnode_spec::clause::Level;
use dnode_spec::dialect::Dialect;
use dnode_spec::generate::{Kind, Seed};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use support::evidence::{self, Row, Search};
use support::library::{on_threads, outcomes, served};
use support::{install, run};

/// The number of sessions after which the search for a fault ends.
const SESSIONS: u64 = 2000;

/// The seed of the committed table.
const SEED: u64 = 1;

/// Most of the time is waiting.
const THREADS: usize = 4;

fn sessions(kind: Kind, numbers: Range<u64>) -> Cases {
    Cases::Generated(numbers.map(|number| Seed { seed: SEED, number, kind }).collect())
}

/// The ids of the outcomes that fail the run.
fn gating(outcomes: &[Outcome]) -> Vec<&str> {
    outcomes.iter().filter(|it| it.gates(Level::Robust)).map(|it| it.id.as_str()).collect()
}

#[test]
fn correct_peers_pass_legal_sessions() {
    let legal = |target, count| outcomes(target, sessions(Kind::Legal, 0..count), false);
    assert_eq!(gating(&legal(Target::Reference(Dialect::default()), 1000)), [""; 0]);
    for variant in VARIANTS {
        let outcomes = legal(served(&format!("--variant {}", variant.name)), 100);
        assert_eq!(gating(&outcomes), [""; 0], "{}", variant.name);
    }
    install("npm-dnode");
    let outcomes = legal(Target::exec("exec node ../fixtures/peers/npm-dnode/server.js {port}"), 500);
    // npm dnode breaks characters, as its committed report says. Only the first session that shows
    // a failure reports it.
    let found: Vec<&str> =
        outcomes.iter().filter_map(|it| Some(it.divergence.as_ref()?.clause.as_str())).collect();
    assert_eq!(found, ["framing/split-character"]);
}

#[test]
fn crossing_sessions_fail_only_if_no_order_of_messages_is_legal() {
    let crossing = |target, count| outcomes(target, sessions(Kind::Crossing, 0..count), false);
    assert_eq!(gating(&crossing(Target::Reference(Dialect::default()), 500)), [""; 0]);
    for variant in VARIANTS {
        let outcomes = crossing(served(&format!("--variant {}", variant.name)), 50);
        assert_eq!(gating(&outcomes), [""; 0], "{}", variant.name);
    }
    // These sessions do not judge what an answer says. They do judge a call of a culled function.
    assert_eq!(gating(&crossing(served("--fault swaps-arguments"), 50)), [""; 0]);
    assert_eq!(gating(&crossing(served("--fault culls-then-calls"), 50)), ["always/callback-not-culled"]);
}

/// A row of the table.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Generated {
    fault: String,
    #[serde(flatten)]
    search: Search<Found>,
}

/// A fault that sessions find.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Found {
    /// The number of sessions until the first finding.
    sessions: u64,
    /// The number of steps after shrinking, if a single session shows the fault.
    steps: Option<usize>,
}

impl Row for Generated {
    const TABLE: &'static str = "generated";

    const HEAD: &'static str = "# Faults that generated sessions find\n\n\
        For each fault of the reference peer that legal sessions can reach, this table shows how many sessions of seed 1 it took to find\n\
        it, and how many steps were left after shrinking.\n\
        Shrinking is not needed if the monitor sees the fault on any line, or if the preflight or the end of the process shows it.\n\
        Generated from `generated.json`; `UPDATE=1 cargo test -p dnode-conform --test generated every` measures again and writes both\n\
        files.\n\n\
        | fault | sessions | steps |\n|---|---|---|\n";

    fn name(&self) -> &str {
        &self.fault
    }

    fn line(&self) -> String {
        let (sessions, steps) = match &self.search {
            Search::Found(Found { sessions, steps: Some(steps) }) => {
                (sessions.to_string(), steps.to_string())
            }
            Search::Found(Found { sessions, steps: None }) => (sessions.to_string(), "not needed".to_owned()),
            Search::NotFound { not_found } => (format!("not found: {not_found}"), String::new()),
        };
        format!("| `{}` | {sessions} | {steps} |", self.fault)
    }

    fn problem(&self) -> Option<String> {
        self.search.problem()
    }
}

/// Runs the legal sessions with these numbers against a fault.
fn find(fault: &Fault, numbers: Range<u64>) -> Option<Found> {
    let all = numbers.end;
    let target = served(&format!("--fault {}", fault.name));
    let outcomes = outcomes(target, sessions(Kind::Legal, numbers), true);
    let found = outcomes.iter().find(|it| it.gates(Level::Observed))?;
    if let Ok(seed) = found.id.parse::<Seed>() {
        let steps = found.evidence.transcript.lines().count().checked_sub(1);
        return Some(Found { sessions: seed.number + 1, steps });
    }
    // A finding of the monitor has the transcript of its session. A finding of the preflight or of
    // the end of the process has none.
    let session = Case::read(&found.evidence.transcript).ok();
    let seed = session.and_then(|session| session.id().parse::<Seed>().ok());
    Some(Found { sessions: seed.map_or(all, |seed| seed.number + 1), steps: None })
}

/// The faults that legal sessions can reach.
fn legal() -> impl Iterator<Item = &'static Fault> {
    fault::of(Dialect::default()).filter(|fault| fault.legal)
}

#[test]
fn evidence_is_fresh() {
    evidence::assert_fresh::<Generated>(legal().map(|fault| fault.name));
}

#[test]
fn every_legal_fault_is_found_as_committed() {
    let rows = evidence::measured(THREADS, legal().collect(), |fault, before: Option<&Generated>| {
        // A few sessions first. If each finding takes long, many sessions take too long.
        let batches = [0..1, 1..10, 10..100, 100..SESSIONS];
        let found = batches.into_iter().find_map(|numbers| find(fault, numbers));
        let search = Search::new(found, before.map(|row| &row.search));
        Generated { fault: fault.name.to_owned(), search }
    });
    // All faults take minutes, so the plain test takes every third.
    let found =
        rows.iter().step_by(3).filter_map(|row| Some((row.fault.as_str(), row.search.found()?.sessions)));
    let missed = on_threads(THREADS, found.collect(), |(name, sessions)| {
        let fault = fault::find(name).unwrap();
        // The system may cut a stream into other segments, and then another session finds the
        // fault.
        let found = find(fault, sessions - 1..sessions).or_else(|| find(fault, 0..100));
        found.is_none().then(|| format!("session {} no longer finds {name}", sessions - 1))
    });
    let missed: Vec<String> = missed.into_iter().flatten().collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn sessions_of_dialect_0_1_pass() {
    let ran = run(&["run", "--dialect", "0.1", "--generate", "300", "--seed", "1"]);
    ran.expect_status(&[0]);
    let ran = run(&["run", "--dialect", "0.1", "--generate", "100", "--seed", "1", "--illegal"]);
    ran.expect_status(&[0]);
}
