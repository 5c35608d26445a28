//! The reference peer with each of its faults, and as each legal variant: the suite catches every
//! fault and accepts every variant.
//!
//! `reports/evidence/matrix.json` says which case catches which fault. A case catches a fault if
//! its finding names the clause that the fault breaks. To measure the matrix, every case runs
//! against every fault, which takes minutes. The plain test runs one case for each fault, and one
//! fault for each case.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use dnode_conform::cases::{Selection, all, catalogue, over_the_run};
use dnode_conform::reference::{fault, variant};
use dnode_conform::run::Options;
use dnode_reports::event::{Divergence, Outcome, Verdict};
use dnode_reports::evidence::Caught;
use dnode_spec::clause::Level;
use dnode_spec::dialect::Dialect;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;
use support::evidence::{self, Row};
use support::library::{judge, on_threads, options, served};

/// Most of the time is waiting.
const THREADS: usize = 4;

impl Row for Caught {
    const TABLE: &'static str = "matrix";

    const HEAD: &'static str = "# Matrix\n\n\
        This matrix shows which case catches which fault of the reference peer (`dnode-conform serve --list-faults`).\n\
        A case catches a fault if its finding names the clause that the fault breaks.\n\
        Generated from `matrix.json`; `UPDATE=1 cargo test -p dnode-conform --test matrix` runs every case against every fault and\n\
        writes both files.\n\n\
        ## By fault\n\n| fault | breaks | caught by |\n|---|---|---|\n";

    fn name(&self) -> &str {
        &self.fault
    }

    fn line(&self) -> String {
        format!("| `{}` | {} | {} |", self.fault, self.breaks, words(&self.caught_by))
    }

    fn problem(&self) -> Option<String> {
        let clause = fault::find(&self.fault)?.clause;
        if self.breaks != clause {
            return Some(format!("it breaks {clause}"));
        }
        self.caught_by.is_empty().then(|| "no case catches it".to_owned())
    }

    fn tail(rows: &[Caught]) -> String {
        let mut tail = "\n## By case\n\n| case | catches |\n|---|---|\n".to_owned();
        for case in caught_cases(rows) {
            let caught = rows.iter().filter(|row| row.caught_by.contains(case)).map(|row| &row.fault);
            let _ = writeln!(tail, "| `{case}` | {} |", words(&caught.cloned().collect()));
        }
        tail
    }
}

fn words(words: &BTreeSet<String>) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" ")
}

/// The cases that catch a fault.
fn caught_cases(rows: &[Caught]) -> BTreeSet<&str> {
    rows.iter().flat_map(|row| &row.caught_by).map(String::as_str).collect()
}

#[test]
fn evidence_is_fresh() {
    evidence::assert_fresh::<Caught>(fault::all().map(|fault| fault.name));
}

/// Runs cases against the reference peer with these arguments of `serve`.
fn outcomes(serve: &str, dialect: Dialect, jobs: usize, cases: &[&str]) -> Vec<Outcome> {
    let cases: Vec<String> = cases.iter().map(|case| (*case).to_owned()).collect();
    let selection = Selection::new(&cases).unwrap();
    let patience = Duration::from_millis(500);
    let options = Options { selection, dialect, jobs, patience, ..options(served(serve)) };
    judge(&options, catalogue(dialect).unwrap())
}

/// Whether the finding of a case names this clause.
fn catches(outcome: &Outcome, clause: &str) -> bool {
    let names_clause = |divergence: &Divergence| {
        divergence.clause == clause || outcome.clauses.iter().any(|tested| tested == clause)
    };
    outcome.gates(Level::Observed) && outcome.divergence.as_ref().is_some_and(names_clause)
}

/// The outcomes of these cases against the fault.
fn outcomes_of(fault: &fault::Fault, cases: &[&str]) -> Vec<Outcome> {
    // If connections disturb each other, cases that run at the same time do, too.
    let jobs = if fault.clause == "methods/connections" { 1 } else { JOBS };
    let dialect = fault.dialect().unwrap_or_default();
    outcomes(&format!("--fault {}", fault.name), dialect, jobs, cases)
}

/// Which of these cases do not catch the fault, and their verdicts. A case without a verdict, as
/// on an overloaded machine, runs again.
fn missing(fault: &fault::Fault, cases: &BTreeSet<&str>) -> Vec<String> {
    let mut cases: Vec<&str> = cases.iter().copied().collect();
    let mut missed = Vec::new();
    for _ in 0..3 {
        // The monitor and the probe judge the lines of other cases.
        let selected: Vec<&str> = cases.iter().copied().chain(SHOWING).collect();
        let outcomes = outcomes_of(fault, &selected);
        cases.retain(|case| !outcomes.iter().any(|it| it.id == *case && catches(it, fault.clause)));
        let rest = outcomes.iter().filter(|it| cases.contains(&it.id.as_str()));
        missed = rest.clone().map(|it| (it.id.clone(), it.verdict, it.reason.clone())).collect();
        if !missed.iter().any(|(_, verdict, _)| *verdict == Verdict::Inconclusive) {
            break;
        }
    }
    let name = fault.name;
    let line = |(case, verdict, reason)| format!("{case} does not catch {name}: {verdict:?} {reason:?}");
    missed.into_iter().map(line).collect()
}

/// All cases, including those of the monitor and the probe. `pull.rs` runs the cases for clients.
fn case_ids() -> BTreeSet<String> {
    let cases = all().unwrap().into_iter().filter(|case| !case.transcript.header.server);
    let cases = cases.map(|case| case.id().to_owned());
    cases.chain(over_the_run().map(|case| case.id)).collect()
}

/// Faults to run, each with its cases: for each case the fault that the fewest cases catch, and for
/// each fault the case that catches the fewest faults.
fn sample(rows: &[Caught]) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut sample: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in rows {
        let catches = |case: &&String| rows.iter().filter(|row| row.caught_by.contains(*case)).count();
        let rarest = row.caught_by.iter().min_by_key(catches);
        sample.entry(&row.fault).or_default().extend(rarest.map(String::as_str));
    }
    for case in caught_cases(rows) {
        let catching = rows.iter().filter(|row| row.caught_by.contains(case));
        let row = catching.min_by_key(|row| row.caught_by.len()).unwrap();
        sample.entry(&row.fault).or_default().insert(case);
    }
    sample
}

#[test]
fn every_case_catches_a_fault_and_every_fault_is_caught() {
    let matrix = evidence::measured(THREADS, fault::all().collect(), |fault, _| Caught {
        fault: fault.name.to_owned(),
        breaks: fault.clause.to_owned(),
        caught_by: outcomes_of(fault, &[])
            .into_iter()
            .filter(|it| catches(it, fault.clause))
            .map(|it| it.id)
            .collect(),
    });
    let cases = case_ids();
    let cases: BTreeSet<&str> = cases.iter().map(String::as_str).collect();
    assert_eq!(caught_cases(&matrix), cases, "matrix.json is stale, or a case catches no fault");
    let missed = on_threads(THREADS, sample(&matrix).into_iter().collect(), |(name, cases)| {
        missing(fault::find(name).unwrap(), &cases)
    });
    let missed = missed.concat();
    assert!(
        missed.is_empty(),
        "matrix.json is stale, or these cases miss their fault:\n{}",
        missed.join("\n")
    );
}

/// How many cases run at the same time.
const JOBS: usize = 16;

/// Cases whose lines the monitor and the probe judge.
const SHOWING: [&str; 6] =
    ["probe/*", "link/cycle", "link/sent-*", "value/strings", "*cull/s*", "robust/id-*"];

/// Fails if a case fails against the reference peer with one of these arguments of `serve`.
fn assert_accepted(variants: Vec<String>) {
    let failures = on_threads(THREADS, variants, |serve| {
        let outcomes = outcomes(&serve, Dialect::default(), JOBS, &[]);
        // What is only observed is free.
        let failed = outcomes.iter().filter(|outcome| outcome.gates(Level::Robust));
        failed
            .map(|outcome| format!("serve {serve}\n{}: {:?}", outcome.id, outcome.divergence))
            .collect::<Vec<_>>()
    });
    let failures = failures.concat();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn legal_variants_are_accepted() {
    assert_accepted(variant::VARIANTS.iter().map(|variant| format!("--variant {}", variant.name)).collect());
}

#[test]
fn combinations_of_variants_are_accepted() {
    let seed = std::env::var("SEED")
        .map_or(1, |seed| seed.parse().unwrap_or_else(|_| panic!("SEED={seed} is not a number")));
    let mut random = fastrand::Rng::with_seed(seed);
    let number = if support::is_whole() { 8 } else { 3 };
    let combinations = (0..number).map(|_| {
        let names: BTreeSet<&str> =
            (0..4).filter_map(|_| random.choice(variant::VARIANTS)).map(|it| it.name).collect();
        names.iter().map(|name| format!("--variant {name}")).collect::<Vec<_>>().join(" ")
    });
    assert_accepted(combinations.collect());
}
