//! Shards of a run, as several machines would run them: each shard passes, and together they have
//! all cases.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use support::run;

/// The ids that a run against the reference peer judged, without those that every shard judges.
fn judged(arguments: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let to = format!("json={}", report.display());
    run(&[&["--report", &to], arguments].concat()).expect_status(&[0]);
    let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap();
    let cases = report["cases"].as_array().unwrap();
    assert_eq!(report["planned"], cases.len(), "only the cases of the shard are planned");
    let ids = cases.iter().map(|case| case["id"].as_str().unwrap().to_owned());
    ids.filter(|id| !id.starts_with("always/") && id != "probe/complete").collect()
}

/// Checks that the shards of a run together have all its cases, each once.
fn partition(arguments: &[&str], of: usize) {
    let mut union: Vec<String> = Vec::new();
    for number in 1..=of {
        let shard = format!("{number}/{of}");
        union.extend(judged(&[arguments, &["--shard", &shard]].concat()));
    }
    let mut whole = judged(arguments);
    union.sort_unstable();
    whole.sort_unstable();
    assert_eq!(union, whole);
}

#[test]
fn shards_partition_the_catalogue() {
    partition(&[], 3);
}

#[test]
fn shards_partition_generated_sessions() {
    partition(&["--generate", "20", "--seed", "5"], 3);
}

#[test]
fn a_shard_without_cases_passes_with_a_note() {
    run(&["--case", "methods/by-id", "--shard", "2/2"])
        .expect_status(&[0])
        .expect_text("shard 2/2: of the selected cases, only this part is run");
}
