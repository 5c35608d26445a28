//! Dialect 0.1: its reference peer, a real implementation, and peers of the other dialect.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use support::{install, root, run};

/// The cases that only this dialect has.
const ONLY: [&str; 4] = ["--case", "owner-cull/*", "--case", "error/*"];

#[test]
fn the_reference_peer_passes_in_dialect_0_1() {
    let ran = run(&["--dialect", "0.1"]);
    ran.expect_status(&[0]);
    ran.expect_text("the dialect is that of dnode-protocol 0.1");
    let ran = run(&["--dialect", "0.1", "--exec", &reference("--dialect 0.1 --variant closes-on-bad-lines")]);
    ran.expect_status(&[0]);
}

fn reference(arguments: &str) -> String {
    format!("{} serve --listen 127.0.0.1:{{port}} {arguments}", env!("CARGO_BIN_EXE_dnode-conform"))
}

#[test]
fn a_peer_of_the_other_dialect_fails() {
    let newer = run(&[&["--dialect", "0.1", "--exec", &reference("")][..], &ONLY].concat());
    newer.expect_status(&[1]);
    newer.expect_text("FAIL      owner-cull/number");
    newer.expect_text("--dialect 0.1 --case owner-cull/number");
    let older = run(&["--case", "cull/*", "--exec", &reference("--dialect 0.1")]);
    older.expect_status(&[1]);
    older.expect_text("cull/deletes");
}

#[test]
fn npm_dnode_0_9_12_follows_dialect_0_1() {
    install("npm-dnode-0.9.12");
    let server = "node fixtures/peers/npm-dnode-0.9.12/server.js {port}";
    let ran = run(&[&["--dialect", "0.1", "--exec", server][..], &ONLY].concat());
    ran.expect_status(&[0]);
    ran.expect_text("35 pass");
    let client = "exec node fixtures/peers/npm-dnode-0.9.12/client.js {host} {port}";
    let listen = ["run", "--dialect", "0.1", "--listen", "127.0.0.1:0", "--exec", client];
    let ran = run(&[&listen[..], &ONLY].concat());
    ran.expect_status(&[0]);
    ran.expect_text("35 pass");
}

#[test]
fn a_case_of_the_other_dialect_is_an_error_that_names_it() {
    let ran = run(&["--case", "owner-cull/said"]);
    ran.expect_status(&[2]);
    insta::assert_snapshot!(ran.stderr, @"error: owner-cull/said is a case of dialect 0.1: add --dialect 0.1");
    let ran = run(&["--dialect", "0.1", "--case", "cull/deletes"]);
    ran.expect_status(&[2]);
    insta::assert_snapshot!(ran.stderr, @"error: cull/deletes is a case of dialect 0.2: add --dialect 0.2");
    let file = root().join("fixtures/transcripts/owner-cull/said.jsonl");
    let ran = run(&["replay", file.to_str().unwrap()]);
    ran.expect_text("the transcript is for dialect 0.1, but --dialect is 0.2");
    let ran = run(&["replay", file.to_str().unwrap(), "--dialect", "0.1"]);
    ran.expect_status(&[0]);
}

#[test]
fn one_shot_ids_are_one_finding() {
    let ran = run(&["--dialect", "0.1", "--exec", &reference("--dialect 0.1 --fault one-shot-ids")]);
    ran.expect_status(&[1]);
    ran.expect_text("FAIL      methods/by-id");
    ran.expect_text("the peer culled the id of its method $conformProbe");
    ran.expect_text("1 gating failure");
}
