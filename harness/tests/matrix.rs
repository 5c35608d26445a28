//! What the suite catches, and what it must not blame: the reference peer with each of its faults, and as each legal variant.
//!
//! `MATRIX.md` says which case catches which fault. A case catches a fault where its finding names the clause that the fault breaks.
//! The document is made by running every case against every fault, which takes minutes; the plain test runs for each case one fault
//! that it catches, and for each fault one case.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use dnode_conform::cases::{Selection, all, catalogue, over_the_run};
use dnode_conform::reference::matrix::{self, Matrix};
use dnode_conform::reference::{fault, variant};
use dnode_conform::run::Options;
use dnode_reports::event::Outcome;
use dnode_spec::clause::Level;
use dnode_spec::dialect::Dialect;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;
use support::library::{judge, on_four_threads, options, served};
use support::root;

/// Runs cases against the reference peer served with these arguments.
fn outcomes(serve: &str, dialect: Dialect, cases: &[&str]) -> Vec<Outcome> {
    let cases: Vec<String> = cases.iter().map(|case| (*case).to_owned()).collect();
    let selection = Selection::new(&cases).unwrap();
    let patience = Duration::from_millis(500);
    let options = Options { selection, dialect, jobs: 16, patience, ..options(served(serve)) };
    judge(&options, catalogue(dialect).unwrap())
}

/// Whether a case's finding names this clause.
fn catches(outcome: &Outcome, clause: &str) -> bool {
    let named = |divergence: &_| {
        let dnode_reports::event::Divergence { clause: found, .. } = divergence;
        found == clause || outcome.clauses.iter().any(|tested| tested == clause)
    };
    outcome.gates(Level::Observed) && outcome.divergence.as_ref().is_some_and(named)
}

/// The cases among `cases` that catch the fault.
fn catching(fault: &fault::Fault, cases: &[&str]) -> BTreeSet<String> {
    let outcomes = outcomes(&format!("--fault {}", fault.name), fault.dialect().unwrap_or_default(), cases);
    outcomes.into_iter().filter(|it| catches(it, fault.clause)).map(|it| it.id).collect()
}

/// All cases, those of the monitor and the probe among them. Those of `--pull` are for clients (`pull.rs`).
fn case_ids() -> BTreeSet<String> {
    let cases = all().unwrap().into_iter().filter(|case| !case.transcript.header.server);
    let cases = cases.map(|case| case.id().to_owned());
    cases.chain(over_the_run().map(|case| case.id)).collect()
}

/// For each case the fault that the fewest cases catch, and for each fault the case that catches the fewest.
fn sample(matrix: &Matrix) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut sample: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut rarest: BTreeMap<&str, &str> = BTreeMap::new();
    for (fault, cases) in matrix {
        for case in cases {
            let known = rarest.entry(case).or_insert(fault);
            if cases.len() < matrix[*known].len() {
                *known = fault;
            }
        }
        let plain = cases.iter().min_by_key(|case| matrix.values().filter(|all| all.contains(*case)).count());
        sample.entry(fault).or_default().extend(plain.map(String::as_str));
    }
    for (case, fault) in rarest {
        sample.entry(fault).or_default().insert(case);
    }
    sample
}

#[test]
fn every_case_catches_a_fault_and_every_fault_is_caught() {
    let path = root().join("MATRIX.md");
    if std::env::var("UPDATE").is_ok() {
        // FAULTS=a,b runs only these again and keeps what the document says of the others.
        let only = std::env::var("FAULTS").ok();
        let again = |fault: &&fault::Fault| {
            only.as_ref().is_none_or(|only| only.split(',').any(|name| name == fault.name))
        };
        let known = std::fs::read_to_string(&path).unwrap_or_default();
        let matrix = Mutex::new(only.as_ref().map(|_| matrix::read(&known)).unwrap_or_default());
        on_four_threads(fault::all().filter(again).collect(), |fault| {
            let cases = catching(fault, &[]);
            matrix.lock().unwrap().insert(fault.name.to_owned(), cases);
        });
        std::fs::write(&path, matrix::write(&matrix.into_inner().unwrap(), &case_ids())).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let matrix = matrix::read(&committed);
    assert!(
        committed == matrix::write(&matrix, &case_ids()),
        "MATRIX.md is stale: run `UPDATE=1 cargo test --test matrix` and commit what it writes"
    );
    let empty: Vec<&str> = committed.lines().filter(|line| line.contains("**nothing**")).collect();
    assert!(
        empty.is_empty(),
        "cases that catch nothing, or faults that nothing catches:\n{}",
        empty.join("\n")
    );

    let missed = Mutex::new(Vec::new());
    on_four_threads(sample(&matrix).into_iter().collect(), |(name, cases)| {
        let cases: Vec<&str> = cases.into_iter().collect();
        // The monitor and the probe are judged by what other cases show.
        let selected: Vec<&str> = cases.iter().copied().chain(SHOWING).collect();
        let caught = catching(fault::find(name).unwrap(), &selected);
        let misses = cases.iter().filter(|case| !caught.contains(**case));
        missed.lock().unwrap().extend(misses.map(|case| format!("{case} does not catch {name}")));
    });
    let missed = missed.into_inner().unwrap();
    assert!(
        missed.is_empty(),
        "MATRIX.md is stale, or these cases have lost their teeth:\n{}",
        missed.join("\n")
    );
}

/// Cases whose lines show what the monitor judges.
const SHOWING: [&str; 4] = ["probe/*", "link/sent-*", "value/strings", "cull/several"];

fn assert_not_blamed(variants: Vec<String>) {
    let blamed = Mutex::new(Vec::new());
    on_four_threads(variants, |serve| {
        let failed: Vec<String> = outcomes(&serve, Dialect::default(), &[])
            .iter()
            .filter(|outcome| outcome.gates(Level::Observed))
            .map(|outcome| format!("{}: {:?}", outcome.id, outcome.divergence))
            .collect();
        if !failed.is_empty() {
            blamed.lock().unwrap().push(format!("serve {serve}\n{}", failed.join("\n")));
        }
    });
    let blamed = blamed.into_inner().unwrap();
    assert!(blamed.is_empty(), "{}", blamed.join("\n"));
}

#[test]
fn no_legal_variant_is_blamed() {
    assert_not_blamed(
        variant::VARIANTS.iter().map(|variant| format!("--variant {}", variant.name)).collect(),
    );
}

#[test]
fn no_combination_of_variants_is_blamed() {
    let mut state = match std::env::var("SEED") {
        Ok(seed) => seed.parse().unwrap_or_else(|_| panic!("SEED={seed} is no number")),
        Err(_) => 1_u64,
    };
    let mut drawn = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % variant::VARIANTS.len()
    };
    let combinations = (0..8).map(|_| {
        let names: BTreeSet<&str> = (0..4).map(|_| variant::VARIANTS[drawn()].name).collect();
        names.iter().map(|name| format!("--variant {name}")).collect::<Vec<_>>().join(" ")
    });
    assert_not_blamed(combinations.collect());
}
