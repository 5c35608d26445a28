//! What the report says about deadlines: the time that they count, and what the peer did meanwhile.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::net::TcpListener;
use std::path::Path;
use support::{METHODS, Ran, peer, ran, read_to_end, run, signal, start};

/// Runs the suite against a peer whose `echo` never returns.
fn stuck(how: &str) -> Ran {
    let exec = format!("exec python3 harness/tests/support/stuck.py {{port}} {how}");
    run(&["--exec", &exec, "--case", "probe/echo", "--deadline", "500ms"])
}

/// Whether this system measures threads.
fn measures_threads() -> bool {
    Path::new("/proc/self/schedstat").exists()
}

#[test]
fn finding_says_whether_the_peer_was_busy_or_idle() {
    for (how, words) in [("busy", " s of CPU time without answering\n"), ("idle", "the peer slept for 0.")] {
        let ran = stuck(how);
        match measures_threads() {
            true => ran
                .expect_status(&[1])
                .expect_text("HANG")
                .expect_text("  deadlines   the peer's own time:")
                .expect_text(words),
            false => ran.expect_status(&[1]).expect_text("  deadlines   wall time less"),
        };
    }
}

#[test]
fn a_case_that_waits_is_cut_off_soon_after_an_interruption() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("r.json");
    let told = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = told.local_addr().unwrap().port();
    let exec = format!("exec python3 harness/tests/support/stuck.py {{port}} idle {port}");
    let report_to = format!("json={}", report.display());
    let running =
        start(&["--exec", &exec, "--case", "probe/echo", "--deadline", "10m", "--report", &report_to]);
    told.accept().unwrap();
    signal(&running, "-INT");
    ran(&running.wait_with_output().unwrap()).expect_status(&[2]).expect_text("the run was interrupted");
    let report: serde_json::Value = serde_json::from_str(&support::read(&report)).unwrap();
    assert_eq!(report["interrupted"], true);
}

#[test]
fn deadlines_of_a_peer_at_an_address_count_wall_time() {
    let address = peer(|mut stream| {
        let _ = std::io::Write::write_all(&mut stream, METHODS);
        read_to_end(stream);
    });
    let ran = run(&[&address, "--deadline", "300ms", "--case", "methods/*", "--details"]);
    ran.expect_text("  deadlines   wall time less");
    assert!(!ran.stdout.contains("meanwhile"), "{}", ran.stdout);
}

#[test]
fn a_process_that_hangs_is_replaced_before_the_other_cases_wait_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let exec = format!("exec python3 harness/tests/support/hangs.py {{port}} '{}'", log.display());
    run(&["--exec", &exec, "--deadline", "500ms"]).expect_status(&[1]).expect_text(" 1 hang");
    let unserved = support::read(&log).lines().count();
    // Eight cases at a time, each with a check, and the run of the case by itself.
    assert!(unserved <= 24, "{unserved} connections to a process that hangs");
}
