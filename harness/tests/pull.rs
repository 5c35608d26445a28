//! Clients that can only call and read one answer.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use support::run;

const CLIENT: &str = "exec python3 harness/tests/support/pull.py {host} {port}";

/// Whether the case fails with a client that has this fault.
fn fails(case: &str, fault: &str) -> bool {
    let exec = format!("{CLIENT} '{fault}'");
    let arguments =
        ["run", "--pull", "--listen", "127.0.0.1:0", "--exec", &exec, "--deadline", "1s", "--case", case];
    run(&arguments).stdout.lines().any(|line| line.ends_with(case) && !line.starts_with("  "))
}

#[test]
fn a_client_without_a_fault_passes() {
    run(&["run", "--pull", "--listen", "127.0.0.1:0", "--exec", CLIENT])
        .expect_status(&[0])
        .expect_text(" pass\n");
}

#[test]
fn a_skipped_case_is_not_run_and_the_header_names_it() {
    let cases = ["--case", "pull/c*", "--case", "pull/d*", "--skip", "pull/cull", "--verbose"];
    let ran = run(&[&["run", "--pull", "--listen", "127.0.0.1:0", "--exec", CLIENT], &cases[..]].concat());
    ran.expect_status(&[0]).expect_text("skipped: pull/cull").expect_text("pull/depth");
    assert_eq!(ran.stdout.matches("pull/cull").count(), 1, "{}", ran.stdout);
}

#[test]
fn each_case_fails_with_the_fault_that_it_tests() {
    let faults = [
        ("ASCII", "pull/values"),
        ("small numbers", "pull/numbers"),
        ("no control characters", "pull/strings"),
        ("no empty keys", "pull/keys"),
        ("flat", "pull/depth"),
        ("always an argument", "pull/no-arguments"),
        ("the first argument only", "pull/several-arguments"),
        ("late", "pull/several-tasks"),
        ("looks for the method", "pull/escapes"),
        ("looks for the method", "pull/white-space"),
        ("takes no escapes", "pull/surrogate-pairs"),
        ("wants the method first", "pull/field-order"),
        ("wants all fields", "pull/omitted-fields"),
        ("wants no empty fields", "pull/empty-fields"),
        ("wants known fields", "pull/unknown-fields"),
        ("a segment is a line", "pull/segments"),
        ("a segment is text", "pull/split-character"),
        ("short lines", "pull/line-length"),
        ("ignores links", "pull/link"),
        ("wants no functions", "pull/function"),
        ("takes any line", "pull/cull"),
        ("takes any line", "pull/methods-again"),
        ("dies of ids", "pull/unknown-id"),
        ("dies of names", "pull/unknown-name"),
    ];
    std::thread::scope(|scope| {
        for (fault, case) in faults {
            scope.spawn(move || {
                assert!(fails(case, fault), "{case} passes, although the client has the fault: {fault}")
            });
        }
    });
    let listed = run(&["list", "--case", "pull/*"]);
    for case in listed.stdout.lines().map(|line| line.split_whitespace().next().unwrap()) {
        assert!(faults.iter().any(|(_, it)| *it == case), "no fault makes {case} fail");
    }
}
