//! The client role: the peer connects to us.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::process::{Command, Stdio};
use support::transports::{Certificates, difference, npm_changed, reference, report};
use support::{Listening, PROGRAM, install, is_whole, run};

const NPM: &str = "exec node fixtures/peers/npm-dnode-transports/client.js";

/// The reference peer as a client.
fn client() -> String {
    reference("--connect {address}")
}

/// The differences in the reference peer's report if it is a client instead of a server.
fn changed(arguments: &[&str]) -> String {
    let (as_server, server) = report(&["--exec", &reference("--listen 127.0.0.1:{port}")]);
    as_server.expect_status(&[0]);
    let (as_client, report) = report(arguments);
    as_client.expect_status(&[0]);
    difference(&server, &report)
}

/// The cases whose verdicts may depend on the transport. Other hostile cases are left out, because
/// each crash costs a start of node; `WHOLE=1` runs all over TCP. Whether node survives an early
/// reset, or a reset with pending answers, depends on timing.
const CASES: [&str; 5] = [
    "--case=[!r]*",
    "--case=robust/reset",
    "--case=robust/half-close*",
    "--case=robust/*utf8*",
    "--case=always/*",
];

#[test]
fn the_reference_peer_as_a_client() {
    insta::assert_snapshot!(changed(&["--listen", "127.0.0.1:0", "--exec", &client()]), @"
    methods/connections: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    methods/own-cull: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    methods/own-object: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    methods/own-table: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    ");
}

#[test]
fn the_reference_peer_as_a_client_over_a_unix_socket() {
    insta::assert_snapshot!(changed(&["--listen", "unix:{socket}", "--exec", &client()]), @"
    methods/connections: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    methods/own-cull: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    methods/own-object: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    methods/own-table: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    robust/reset: pass -> not-applicable: a Unix socket has no reset
    robust/reset-at-once: pass -> not-applicable: a Unix socket has no reset
    robust/reset-with-answers: pass -> not-applicable: a Unix socket has no reset
    ");
}

#[test]
fn the_reference_peer_as_a_client_over_tls() {
    let certificates = Certificates::new();
    let (certificate, key) = (certificates.word("cert.pem"), certificates.word("key.pem"));
    let identity = ["--tls-cert", &certificate, "--tls-key", &key];
    let listen = ["--listen", "tls://127.0.0.1:0", "--exec", &client()];
    insta::assert_snapshot!(changed(&[&listen[..], &identity].concat()), @"
    methods/connections: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    methods/own-cull: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    methods/own-object: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    methods/own-table: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    ");
}

#[test]
fn the_reference_peer_as_a_client_over_a_websocket() {
    insta::assert_snapshot!(changed(&["--listen", "ws://127.0.0.1:0/dnode", "--exec", &client()]), @"
    framing/half-close: pass -> not-applicable: a WebSocket has no half-close
    framing/last-line: pass -> not-applicable: a WebSocket has no half-close
    framing/split-character: pass -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    framing/split-in-character: pass -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    framing/split-in-key: pass -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    methods/connections: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    methods/own-cull: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    methods/own-object: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    methods/own-table: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    robust/half-close-at-once: pass -> not-applicable: a WebSocket has no half-close
    robust/half-close-in-message: pass -> not-applicable: a WebSocket has no half-close
    robust/invalid-utf8: pass -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    robust/invalid-utf8-echoed: pass -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    robust/invalid-utf8-line: pass -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    robust/tls-hello: pass -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    ");
}

#[test]
fn npm_dnode_as_a_client() {
    install("npm-dnode");
    let peer = "exec node fixtures/peers/npm-dnode/client.js {host} {port}";
    let listen = ["--listen", "127.0.0.1:0", "--exec", peer];
    let cases: &[&str] = if is_whole() { &[] } else { &CASES };
    insta::assert_snapshot!(npm_changed(&[&listen[..], cases].concat()), @"
    methods/connections: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    methods/own-cull: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    methods/own-object: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    methods/own-table: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    ");
}

#[test]
fn npm_dnode_as_a_client_over_a_unix_socket() {
    let peer = format!("{NPM} unix {{socket}}");
    let listen = ["--listen", "unix:{socket}", "--exec", &peer];
    insta::assert_snapshot!(npm_changed(&[&listen[..], &CASES].concat()), @"
    methods/connections: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    methods/own-cull: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    methods/own-object: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    methods/own-table: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    robust/reset: crash -> not-applicable: a Unix socket has no reset
    ");
}

#[test]
fn npm_dnode_as_a_client_over_tls() {
    let certificates = Certificates::new();
    let (certificate, key) = (certificates.word("cert.pem"), certificates.word("key.pem"));
    let peer = format!("{NPM} tls 127.0.0.1 {{port}} {}", certificates.word("ca.pem"));
    let identity = ["--tls-cert", &certificate, "--tls-key", &key];
    let listen = ["--listen", "tls://127.0.0.1:0", "--exec", &peer];
    insta::assert_snapshot!(npm_changed(&[&listen[..], &identity, &CASES].concat()), @"
    methods/connections: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    methods/own-cull: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    methods/own-object: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    methods/own-table: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    ");
}

/// The process survives a reset, because the library `ws` handles the errors of its sockets.
#[test]
fn npm_dnode_as_a_client_over_a_websocket() {
    let peer = format!("{NPM} ws {{address}}");
    let listen = ["--listen", "ws://127.0.0.1:0/dnode", "--exec", &peer];
    insta::assert_snapshot!(npm_changed(&[&listen[..], &CASES].concat()), @"
    framing/half-close: pass -> not-applicable: a WebSocket has no half-close
    framing/last-line: pass -> not-applicable: a WebSocket has no half-close
    framing/split-character: fail -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    framing/split-in-character: fail -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    framing/split-in-key: fail -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    methods/connections: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    methods/own-cull: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    methods/own-object: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    methods/own-table: pass -> not-applicable: it needs a second connection, but only the client opens connections, one after another
    robust/half-close-at-once: pass -> not-applicable: a WebSocket has no half-close
    robust/half-close-in-message: pass -> not-applicable: a WebSocket has no half-close
    robust/invalid-utf8: pass -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    robust/invalid-utf8-echoed: pass -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    robust/invalid-utf8-line: pass -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    robust/reset: crash -> pass
    ");
}

#[test]
fn a_run_waits_for_a_client_that_the_user_starts() {
    let listening = Listening::start(&["run", "--listen", "127.0.0.1:0", "--case", "cull/*"]);
    let mut client = Command::new(PROGRAM)
        .args(["serve", "--connect", &listening.address])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let (out, status) = listening.rest();
    assert_eq!(status, 0, "{out}");
    assert!(client.wait().unwrap().success());
}

#[test]
fn a_client_that_exits_after_each_connection_is_restarted() {
    for status in [0, 3] {
        let exec = format!("'{PROGRAM}' serve --connect {{address}} --once; exit {status}");
        let ran = run(&["run", "--listen", "127.0.0.1:0", "--exec", &exec, "--case", "robust/*"]);
        let note = "the client ends with exit status 3 after each connection";
        assert_eq!(ran.stdout.contains(note), status == 3, "{}", ran.stdout);
        ran.expect_status(&[0]);
    }
}

#[test]
fn faults_of_a_client_are_found() {
    for (fault, case, words) in [
        ("dies-of-bad-lines", "robust/not-json", "CRASH"),
        ("dies-of-resets", "robust/reset*", "CRASH"),
        ("deaf-after-bad-lines", "robust/not-json", "HANG"),
        ("library-names", "methods/*", "FAIL"),
        ("pollutes", "robust/proto*", "FAIL"),
    ] {
        let exec = reference(&format!("--connect {{address}} --fault {fault}"));
        run(&["run", "--listen", "127.0.0.1:0", "--exec", &exec, "--case", case])
            .expect_status(&[1])
            .expect_text(words);
    }
}

#[test]
fn a_client_that_does_not_connect_is_reported_with_the_reason() {
    for (exec, words) in [
        ("echo nonsense >&2; exit 4", "the client ended with exit status 4 before it connected"),
        ("exit 0", "the client ended with exit status 0 before it connected"),
    ] {
        run(&["run", "--listen", "127.0.0.1:0", "--exec", exec])
            .expect_status(&[2])
            .expect_text("peer: ")
            .expect_text("did not connect to 127.0.0.1:")
            .expect_text(words);
    }
    run(&["run", "--listen", "127.0.0.1:0", "--exec", "echo ::error::x >&2; exit 4"])
        .expect_text("Its standard error:\n\\x3a:error::x");
}

#[test]
fn wrong_arguments_for_clients_are_explained() {
    for (arguments, words) in [
        (&["run", "127.0.0.1:1", "--listen", "127.0.0.1:0"][..], "give a target or --listen"),
        (&["run", "--listen", "nonsense"], "is not an address"),
        (&["run", "--listen", "tls://127.0.0.1:0"], "--tls-cert"),
        (&["run", "--tls-cert", "a", "--tls-key", "b"], "--tls-cert is for --listen"),
        (&["fuzz", "--listen", "127.0.0.1:0"], "unexpected argument '--listen'"),
    ] {
        run(arguments).expect_status(&[2]).expect_text(words);
    }
}
