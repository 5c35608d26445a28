//! What the suite catches, and what it must not blame: the reference peer with each of its faults, and as each legal variant.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use dnode_conform::serve::{fault, variant};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use support::{PROGRAM, run};

/// The clauses that each failed case names.
type Failed = BTreeMap<String, BTreeSet<String>>;

fn failed(kind: &str, name: &str, cases: &[&str]) -> Failed {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let exec = format!("exec '{PROGRAM}' serve --{kind} {name} --listen 127.0.0.1:{{port}}");
    let json = format!("json={}", report.display());
    let mut arguments =
        vec!["--exec", &exec, "--deadline", "500ms", "--level", "observed", "--report", &json];
    for case in cases {
        arguments.extend(["--case", case]);
    }
    let ran = run(&arguments);
    let text = std::fs::read_to_string(&report).unwrap_or_default();
    let report: serde_json::Value =
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{name}: {}{}", ran.stdout, ran.stderr));
    let mut failed = Failed::new();
    for case in report["cases"].as_array().unwrap() {
        if ["fail", "crash", "hang"].contains(&case["verdict"].as_str().unwrap()) {
            let mut clauses: BTreeSet<String> = case["clauses"]
                .as_array()
                .unwrap()
                .iter()
                .map(|clause| clause.as_str().unwrap().to_owned())
                .collect();
            clauses.insert(case["divergence"]["clause"].as_str().unwrap().to_owned());
            failed.insert(case["id"].as_str().unwrap().to_owned(), clauses);
        }
    }
    failed
}

/// Runs `work` for each item on four threads: most of the time is waiting.
fn on_four_threads<T: Send>(items: Vec<T>, work: impl Fn(T) + Sync) {
    let queue = Mutex::new(items);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some(item) = queue.lock().unwrap().pop() else { return };
                    work(item);
                }
            });
        }
    });
}

/// What every fault is run against, besides the cases of its clause: enough of a session for the monitor to see its lines.
const BASE: &[&str] = &["probe/*", "link/sent-*", "value/strings", "methods/by-id"];

#[test]
fn each_fault_is_caught_by_a_finding_that_names_the_clause_it_breaks() {
    let list = run(&["list", "--format", "json"]);
    let rows: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    let rows = rows.as_array().unwrap();
    let missed = Mutex::new(Vec::new());
    on_four_threads(fault::all().collect(), |fault| {
        let about = |row: &&serde_json::Value| {
            row["clauses"].as_array().unwrap().iter().any(|clause| clause == fault.clause)
        };
        let ids = rows.iter().filter(about).map(|row| row["id"].as_str().unwrap());
        let ids: Vec<&str> = ids.chain(BASE.iter().copied()).collect();
        let failed = failed("fault", fault.name, &ids);
        if !failed.values().any(|clauses| clauses.contains(fault.clause)) {
            missed.lock().unwrap().push(format!("{} ({}): {failed:?}", fault.name, fault.clause));
        }
    });
    let missed = missed.into_inner().unwrap();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn no_legal_variant_is_blamed() {
    let blamed = Mutex::new(Vec::new());
    on_four_threads(variant::VARIANTS.iter().collect(), |variant| {
        let failed = failed("variant", variant.name, &[]);
        if !failed.is_empty() {
            blamed.lock().unwrap().push(format!("{}: {failed:?}", variant.name));
        }
    });
    let blamed = blamed.into_inner().unwrap();
    assert!(blamed.is_empty(), "{}", blamed.join("\n"));
}
