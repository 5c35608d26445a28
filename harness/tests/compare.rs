//! `compare` shows exactly the cases that one of two peers breaks.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use dnode_reports::evidence::matrix;
use std::collections::BTreeSet;
use std::io::Write;
use support::{PROGRAM, Ran, peer, read_to_end, run};

/// The target that is the reference peer with this fault.
fn with_fault(name: &str) -> String {
    format!("exec:exec '{PROGRAM}' serve --fault {name} --listen 127.0.0.1:{{port}}")
}

/// The cases in the output. Each id stands alone on a line, and its details are indented.
fn shown(ran: &Ran) -> BTreeSet<String> {
    let is_id = |line: &&str| !line.starts_with(' ') && !line.contains(' ') && line.contains('/');
    ran.stdout.lines().filter(is_id).map(str::to_owned).collect()
}

#[test]
fn a_peer_with_a_fault_differs_in_the_cases_that_catch_it() {
    for (fault, only, cases) in [("no-white-space", "B", "framing/*"), ("no-point-zero", "A", "message/*")] {
        let group = cases.trim_end_matches('*');
        let row = matrix().unwrap().into_iter().find(|row| row.fault == fault).unwrap();
        let mut catching = row.caught_by;
        catching.retain(|case| case.starts_with(group));
        assert!(!catching.is_empty(), "{fault}");
        let faulty = with_fault(fault);
        let targets = if only == "B" { ["reference", &faulty] } else { [&faulty, "reference"] };
        let ran = run(&["compare", targets[0], targets[1], "--case", cases, "--deadline", "500ms"]);
        ran.expect_status(&[1])
            .expect_text("pass: conforms")
            .expect_text(&format!("only {only} breaks {}", catching.len()))
            .expect_text("both differently 0\n");
        assert_eq!(shown(&ran), catching, "{fault}\n{}", ran.stdout);
    }
}

#[test]
fn a_broken_clause_is_shown_with_its_sentence() {
    run(&["compare", "reference", &with_fault("wrong-sum"), "--case", "probe/*"])
        .expect_status(&[1])
        .expect_text("\nprobe/add\n  A  pass: conforms\n  B  fail: breaks probe/complete (")
        .expect_text("A program that claims the probe")
        .expect_text("expected  ")
        .expect_text("got       ");
}

#[test]
fn a_peer_does_not_differ_from_itself() {
    let ran = run(&["compare", "reference", "reference", "--jobs", "16"]);
    ran.expect_status(&[0]).expect_text(" the same, 0 differ\n");
    assert!(shown(&ran).is_empty());
    let fault = with_fault("wrong-sum");
    run(&["compare", &fault, &fault, "fixtures/transcripts/probe"])
        .expect_status(&[0])
        .expect_text(", 0 differ\n");
}

#[test]
fn a_folder_stands_for_the_transcripts_in_it() {
    let files = ["fixtures/transcripts/probe/add.jsonl", "fixtures/transcripts/message"];
    let faulty = with_fault("no-point-zero");
    let ran = run(&["compare", "reference", &faulty, files[0], files[1], "--deadline", "500ms"]);
    ran.expect_status(&[1]);
    assert_eq!(shown(&ran), BTreeSet::from(["message/integer-by-value".to_owned()]));
    run(&["replay", files[0], files[1], "--verbose"])
        .expect_status(&[0])
        .expect_text("probe/add")
        .expect_text("message/integer-by-value");
}

#[test]
fn control_sequences_of_a_peer_do_not_reach_the_terminal() {
    // The peer declares an id with a control character that JSON allows.
    let address = peer(|mut stream| {
        let _ = stream.write_all(b"{\"method\":\"methods\",\"arguments\":[{}]}\n");
        let _ = stream.write_all("{\"method\":\"hello\",\"callbacks\":{\"\u{9b}31m\":[\"0\"]}}\n".as_bytes());
        read_to_end(stream);
    });
    let ran = run(&["compare", "reference", &address, "--case", "methods/*", "--deadline", "200ms"]);
    ran.expect_status(&[1]).expect_text("\\u{9b}31m");
    assert!(!ran.stdout.contains('\u{9b}') && !ran.stderr.contains('\u{9b}'));
}

#[test]
fn wrong_arguments_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let wrong: &[(&[&str], &str)] = &[
        (&["nonsense", "reference"], "error: \"nonsense\" is not an address; write HOST:PORT"),
        (&["exec: ", "reference"], "error: exec: needs a command"),
        (&["reference", "127.0.0.1:1"], "nothing accepts connections at 127.0.0.1:1"),
        (&["reference", "reference", "--case", "no/such"], "no case matches --case no/such"),
        (&["reference", "reference", folder.path().to_str().unwrap()], "error: no *.jsonl file in"),
        (&["reference", "reference", "--ping", "add"], "error: --ping"),
    ];
    for (arguments, text) in wrong {
        let arguments: Vec<&str> = std::iter::once("compare").chain(arguments.iter().copied()).collect();
        run(&arguments).expect_status(&[2]).expect_text(text);
    }
}
