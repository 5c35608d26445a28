//! The suite against the programs in `fixtures/peers/` that run here. The canonical report of each
//! npm package and the causes of its findings are committed. `first_minute.rs` runs the programs
//! without findings.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use serde_json::Value as Json;
use std::path::PathBuf;
use support::{install, is_whole, root, run};

/// How many of the cases run against a peer whose whole report is too slow to make each time.
#[derive(Clone, Copy, PartialEq)]
enum Cases {
    All,
    /// Every sixth case. `WHOLE=1` and `UPDATE=1` run all.
    Some,
}

/// Runs the catalogue against a peer and compares its report with the committed one.
fn compare_with_known(cases: Cases, peer: &str, command: &str, known: &str) {
    compare_with_known_of(cases, "0.2", peer, command, known);
}

fn compare_with_known_of(cases: Cases, dialect: &str, peer: &str, command: &str, known: &str) {
    install(peer);
    let path: PathBuf = root().join("reports/known").join(format!("{known}.json"));
    let is_update = std::env::var("UPDATE").is_ok();
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let sample = match cases {
        Cases::Some if !is_update && !is_whole() => sample(&committed),
        _ => Vec::new(),
    };
    let folder = tempfile::tempdir().unwrap();
    let fresh = folder.path().join("report.json");
    let report = format!("json={}", fresh.display());
    let mut arguments = vec!["--dialect", dialect, "--exec", command, "--report", &report];
    arguments.extend(sample.iter().flat_map(|id| ["--case", id]));
    run(&arguments).expect_status(&[0, 1]);
    let fresh = std::fs::read_to_string(&fresh).unwrap();
    if is_update {
        std::fs::write(&path, &fresh).unwrap();
        return;
    }
    let [committed, fresh] = match sample.is_empty() {
        true => [committed, fresh],
        false => [committed, fresh].map(|report| only(&report, &sample)),
    };
    if committed != fresh {
        let diff = similar::TextDiff::from_lines(&committed, &fresh);
        panic!(
            "the report differs from reports/known/{known}.json (UPDATE=1 writes it):\n{}",
            diff.unified_diff()
        );
    }
}

/// Every sixth case of a report that has a verdict by itself.
fn sample(report: &str) -> Vec<String> {
    let report: Json = serde_json::from_str(report).unwrap();
    let cases = report["cases"].as_array().unwrap().iter();
    let is_judged_over_others = |id: &str| id.starts_with("always/") || id.starts_with("probe/");
    let ids = cases.filter(|case| case["verdict"] != "inconclusive").map(|case| case["id"].as_str().unwrap());
    ids.filter(|id| !is_judged_over_others(id)).step_by(6).map(str::to_owned).collect()
}

/// These cases of a report.
fn only(report: &str, ids: &[String]) -> String {
    let report: Json = serde_json::from_str(report).unwrap();
    let cases = report["cases"].as_array().unwrap().iter();
    let of_sample = cases.filter(|case| ids.iter().any(|id| case["id"] == *id));
    of_sample.map(|case| serde_json::to_string_pretty(case).unwrap() + "\n").collect()
}

#[test]
fn npm_dnode_1_2_2() {
    let command = "node fixtures/peers/npm-dnode/server.js {port}";
    compare_with_known(Cases::All, "npm-dnode", command, "npm-dnode-1.2.2");
}

#[test]
fn npm_dnode_1_1_0() {
    let command = "node fixtures/peers/npm-dnode-1.1.0/server.js {port}";
    compare_with_known(Cases::Some, "npm-dnode-1.1.0", command, "npm-dnode-1.1.0");
}

#[test]
fn npm_dnode_1_0_5() {
    let command = "node fixtures/peers/npm-dnode-1.0.5/server.js {port}";
    compare_with_known(Cases::Some, "npm-dnode-1.0.5", command, "npm-dnode-1.0.5");
}

#[test]
fn npm_dnode_0_9_12() {
    let command = "node fixtures/peers/npm-dnode-0.9.12/server.js {port}";
    compare_with_known(Cases::Some, "npm-dnode-0.9.12", command, "npm-dnode-0.9.12");
    compare_with_known_of(Cases::All, "0.1", "npm-dnode-0.9.12", command, "npm-dnode-0.9.12-dialect-0.1");
}

#[test]
fn npm_dnode_0_7_5() {
    let command = "node fixtures/peers/npm-dnode-0.7.5/server.js {port}";
    compare_with_known(Cases::Some, "npm-dnode-0.7.5", command, "npm-dnode-0.7.5");
    compare_with_known_of(Cases::Some, "0.1", "npm-dnode-0.7.5", command, "npm-dnode-0.7.5-dialect-0.1");
}

#[test]
fn npm_dnode_0_5_9() {
    let command = "node fixtures/peers/npm-dnode-0.5.9/server.js {port}";
    compare_with_known(Cases::Some, "npm-dnode-0.5.9", command, "npm-dnode-0.5.9");
    compare_with_known_of(Cases::Some, "0.1", "npm-dnode-0.5.9", command, "npm-dnode-0.5.9-dialect-0.1");
}

#[test]
fn npm_dnode_0_3_10() {
    let command = "node fixtures/peers/npm-dnode-0.3.10/server.js {port}";
    compare_with_known(Cases::Some, "npm-dnode-0.3.10", command, "npm-dnode-0.3.10");
    compare_with_known_of(Cases::Some, "0.1", "npm-dnode-0.3.10", command, "npm-dnode-0.3.10-dialect-0.1");
}

#[test]
fn davedoesdev_dnode_with_culls() {
    let command = "node --expose-gc fixtures/peers/davedoesdev-dnode/server.js {port}";
    install("npm-dnode");
    compare_with_known(Cases::Some, "davedoesdev-dnode", command, "davedoesdev-dnode-1.2.4");
}

/// A function that one keeper drops is still called by another keeper and by a function that
/// `echo` has handed back.
const DROPPED_BUT_REACHABLE: &str = r#"{"dnode-transcript":1,"id":"python/dropped","since":"0.1.0","clauses":["callback/not-culled"],"needs":["echo","keeper"],"about":"A dropped function can still be called in other ways."}
{"call":"echo","arguments":["$f","$a"]}
{"expect":{"method":"$a","arguments":["$back"]}}
{"call":"keeper","arguments":["$b"]}
{"expect":{"method":"$b","arguments":[{"keep":"$keep","is":"$is","fire":"$fire","drop":"$drop"}]}}
{"call":"keeper","arguments":["$c"]}
{"expect":{"method":"$c","arguments":[{"keep":"$keep2","is":"$is2","fire":"$fire2","drop":"$drop2"}]}}
{"call":"$keep","arguments":["$f","$d"]}
{"expect":{"method":"$d"}}
{"call":"$keep2","arguments":["$f","$e"]}
{"expect":{"method":"$e"}}
{"call":"$drop","arguments":["$g"]}
{"expect":{"method":"$g"}}
{"call":"$fire2","arguments":[1]}
{"expect":{"method":"$f","arguments":[1]}}
{"call":"$back","arguments":[2]}
{"expect":{"method":"$f","arguments":[2]}}
"#;

#[test]
fn the_example_in_python_does_not_cull_a_function_that_it_can_still_call() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dropped.jsonl");
    std::fs::write(&path, DROPPED_BUT_REACHABLE).unwrap();
    let command = "python3 fixtures/peers/python-start/server.py {port}";
    run(&["replay", path.to_str().unwrap(), "--exec", command]).expect_status(&[0]);
}

#[test]
fn every_finding_of_a_known_report_has_a_documented_cause() {
    let folder = root().join("reports/known");
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        count += 1;
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let causes = std::fs::read_to_string(path.with_extension("md"))
            .unwrap_or_else(|error| panic!("{name}.md beside {name}.json: {error}"));
        let report = std::fs::read_to_string(&path).unwrap();
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        let is_finding =
            |case: &serde_json::Value| ["fail", "crash", "hang"].contains(&case["verdict"].as_str().unwrap());
        let cases: Vec<&serde_json::Value> = report["cases"].as_array().unwrap().iter().collect();
        for case in &cases {
            let id = case["id"].as_str().unwrap();
            let has_cause =
                causes.lines().any(|line| line.starts_with('|') && line.contains(&format!("`{id}`")));
            assert!(has_cause || !is_finding(case), "{name}.md does not say why {id} is {}", case["verdict"]);
        }
        let rows = causes.lines().take_while(|line| *line != "## Defects");
        for word in rows.filter(|line| line.starts_with('|')).flat_map(|line| line.split('|').take(2)) {
            for id in word.split('`').skip(1).step_by(2) {
                let found = cases.iter().any(|case| case["id"] == id && is_finding(case));
                assert!(found, "{name}.md says why {id} fails, but the report has no such finding");
            }
        }
    }
    assert!(count >= 4, "the reports are in {}", folder.display());
}

#[test]
fn a_finding_shows_bytes_status_standard_error_and_the_command() {
    install("npm-dnode");
    let command = "node fixtures/peers/npm-dnode/server.js {port}";
    let ran = run(&["--exec", command, "--case", "robust/message-null"]);
    ran.expect_status(&[1])
        .expect_text("CRASH     robust/message-null")
        .expect_text("suite ->       null")
        .expect_text("exit status 1")
        .expect_text("TypeError: Cannot read properties of null")
        .expect_text("--case robust/message-null");
}

#[test]
fn a_server_without_the_probe_runs_the_cases_that_do_not_need_it() {
    install("npm-dnode");
    let command = "node fixtures/peers/npm-dnode/plain.js {port}";
    let without = run(&["--exec", command, "--case", "methods/*"]);
    without.expect_status(&[2]).expect_text("the peer does not expose the probe").expect_text("--ping");
    let with = run(&["--exec", command, "--case", "methods/*", "--ping", r#"add[1,2,"$cb"]"#]);
    with.expect_status(&[0]).expect_text("the peer does not expose the probe");
    let hostile = run(&["--exec", command, "--case", "robust/message-*", "--ping", r#"add[1,2,"$cb"]"#]);
    hostile.expect_status(&[1]).expect_text("CRASH     robust/message-null");
}
