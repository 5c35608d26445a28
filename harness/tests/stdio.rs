//! Programs that speak on their standard input and output. `transports.rs` runs the whole catalogue.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use support::{PROGRAM, Ran, run};

/// Runs these cases against the reference peer with this fault, or without one.
fn judge(fault: &str, then: &str, cases: &[&str]) -> Ran {
    let command = format!("'{PROGRAM}' serve --listen stdio: {fault}{then}");
    run(&[&["--exec", &command, "--at", "stdio:"], cases].concat())
}

#[test]
fn a_process_that_ends_with_an_error_is_a_crash() {
    judge(
        "--fault dies-without-callbacks",
        "",
        &["--case", "message/omitted-callbacks", "--case", "probe/echo"],
    )
    .expect_status(&[1])
    .expect_text("CRASH     message/omitted-callbacks")
    .expect_text("The process ended with exit status ")
    .expect_text(" --at stdio: --case message/omitted-callbacks");
}

#[test]
fn a_status_with_which_a_process_always_ends_is_no_crash() {
    judge("", "; exit 3", &["--case", "probe/*", "--case", "robust/message-null"])
        .expect_status(&[0])
        .expect_text("ends with exit status 3 after each connection");
    judge("--fault dies-without-callbacks", "", &["--case", "probe/echo"]).expect_status(&[0]);
}

#[test]
fn a_failure_shows_the_standard_error_of_its_processes() {
    let serve = format!("exec '{PROGRAM}' serve --listen stdio: --fault numbers-are-strings");
    let case = |exec: &str, id| run(&["--exec", exec, "--at", "stdio:", "--case", id]);
    let noisy = format!("echo \"late: $$\" >&2; {serve}");
    case(&noisy, "probe/echo")
        .expect_status(&[1])
        .expect_text("the peer's standard error while the case ran\n    | late: ");
    let silent = case(&serve, "probe/echo");
    assert!(!silent.stdout.contains("standard error"), "{}", silent.stdout);
}

#[test]
fn a_program_that_does_not_speak_is_explained() {
    let at = ["--at", "stdio:"];
    run(&[&["--exec", "no-such-program"][..], &at].concat())
        .expect_status(&[2])
        .expect_text("error: ")
        .expect_text("The shell did not find the program");
    run(&[&["--exec", "exec sleep 600", "--deadline", "300ms", "--case", "probe/echo"][..], &at].concat())
        .expect_status(&[1, 2])
        .expect_text("the peer sends no message \"methods\"");
    run(&["stdio:"]).expect_status(&[2]).expect_text("--exec CMD --at stdio:");
    run(&[&["--exec", "true", "--start-timeout", "1s"][..], &at].concat())
        .expect_status(&[2])
        .expect_text("--start-timeout is for programs that listen");
}

#[test]
fn a_campaign_finds_a_crash_over_standard_input_and_output() {
    let folder = tempfile::tempdir().unwrap();
    let peer = format!("exec '{PROGRAM}' serve --listen stdio: --fault dies-without-callbacks");
    let findings = folder.path().display().to_string();
    run(&[
        "fuzz",
        "--exec",
        &peer,
        "--at",
        "stdio:",
        "--seed",
        "1",
        "--time",
        "2m",
        "--fail-fast",
        "--findings",
        &findings,
    ])
    .expect_status(&[1])
    .expect_text("FOUND  ");
}
