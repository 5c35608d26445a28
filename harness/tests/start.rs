//! `--start-timeout`: peers that need time until they listen.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::process::{Command, Stdio};
use support::{Listening, PROGRAM, ran, run};

#[test]
fn an_address_that_does_not_listen_yet_is_awaited() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:{}", folder.path().join("peer").display());
    let mut command = Command::new(PROGRAM);
    command.args([&address, "--start-timeout", "5m", "--case", "probe/echo"]).current_dir(folder.path());
    let waiting = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _peer = Listening::start(&["serve", "--listen", &address]);
    ran(&waiting.wait_with_output().unwrap()).expect_status(&[0]);
}

#[test]
fn a_peer_that_never_listens_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:{}", folder.path().join("peer").display());
    run(&[&address])
        .expect_status(&[2])
        .expect_text("nothing accepts connections at unix:")
        .expect_text("Is the peer started? --start-timeout waits for it.");
    run(&[&address, "--start-timeout", "100ms"])
        .expect_status(&[2])
        .expect_text("nothing accepted connections at unix:")
        .expect_text(" within 100ms (");
    run(&["--exec", "exec sleep 600", "--start-timeout", "100ms"])
        .expect_status(&[2])
        .expect_text("\"exec sleep 600\" runs, but accepts no connection at 127.0.0.1:")
        .expect_text(" after 100ms")
        .expect_text("give it more time with --start-timeout");
    run(&["--start-timeout", "soon"])
        .expect_status(&[2])
        .expect_text("write a number and its unit, for example 90s or 10m");
    run(&["--listen", "127.0.0.1:0", "--start-timeout", "1s"])
        .expect_status(&[2])
        .expect_text("cannot be used with");
}

#[test]
fn the_command_of_a_finding_keeps_the_time() {
    let peer = format!("exec '{PROGRAM}' serve --fault swaps-arguments --listen 127.0.0.1:{{port}}");
    run(&["--exec", &peer, "--start-timeout", "90s", "--case", "message/argument-order"])
        .expect_status(&[1])
        .expect_text(" --start-timeout 1m30s --case message/argument-order");
}
