//! The suite over every transport: against the reference peer, against npm dnode served by node and
//! by shoe, and against peers that flood, reset, or speak another transport than the address says.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use dnode::transport::Trust;
use dnode::transport::{Address, Connection, Identity, Listener};
use dnode_conform::cases::catalogue;
use dnode_conform::in_process;
use dnode_conform::program::Route;
use dnode_conform::reference;
use dnode_conform::wire::{Incoming, Terms, Wire};
use dnode_reports::format::Format;
use dnode_spec::dialect::Dialect;
use serde_json::Value as Json;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use support::transports::{self, Certificates, difference, reference, report};
use support::{METHODS, install, is_whole, ran, root, run};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const NPM: &str = "exec node fixtures/peers/npm-dnode-transports/server.js";

/// The reference peer's report over TCP.
fn over_tcp() -> Json {
    let (ran, report) = report(&["--exec", &reference("--listen 127.0.0.1:{port}")]);
    ran.expect_status(&[0]);
    report
}

/// The differences in the reference peer's report over another transport.
fn changed(arguments: &[&str]) -> String {
    let (ran, report) = report(arguments);
    ran.expect_status(&[0]);
    difference(&over_tcp(), &report)
}

/// Without most hostile cases: each of them starts node again, whatever the transport. `WHOLE=1` runs
/// them, too.
const SOME: [&str; 6] = [
    "--case=[!r]*",
    "--case=robust/reset*",
    "--case=robust/half-close*",
    "--case=robust/*utf8*",
    "--case=robust/tls-hello",
    "--case=robust/line-16m",
];

/// The differences in npm dnode's report over another transport.
fn npm_changed(arguments: &[&str]) -> String {
    let some = if is_whole() { &[] } else { &SOME[..] };
    transports::npm_changed(&[arguments, some].concat())
}

#[test]
fn the_reference_peer_over_a_unix_socket() {
    let peer = reference("--listen unix:{socket}");
    insta::assert_snapshot!(changed(&["--exec", &peer, "--at", "unix:{socket}"]), @r"
    robust/reset: pass -> not-applicable: a Unix socket has no reset
    robust/reset-at-once: pass -> not-applicable: a Unix socket has no reset
    robust/reset-with-answers: pass -> not-applicable: a Unix socket has no reset
    ");
}

#[test]
fn the_reference_peer_over_tls() {
    let certificates = Certificates::new();
    let arguments = ["--at", "tls://127.0.0.1:{port}", "--tls-ca", &certificates.word("ca.pem")];
    let peer = reference(&certificates.serve());
    insta::assert_snapshot!(changed(&[&["--exec", &peer][..], &arguments].concat()), @"");
}

#[test]
fn the_reference_peer_over_a_websocket() {
    let peer = reference("--listen ws://127.0.0.1:{port}/dnode");
    insta::assert_snapshot!(changed(&["--exec", &peer, "--at", "ws://127.0.0.1:{port}/dnode"]), @r"
    framing/half-close: pass -> not-applicable: a WebSocket has no half-close
    framing/last-line: pass -> not-applicable: a WebSocket has no half-close
    framing/split-character: pass -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    framing/split-in-character: pass -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    framing/split-in-key: pass -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    robust/half-close-at-once: pass -> not-applicable: a WebSocket has no half-close
    robust/half-close-in-message: pass -> not-applicable: a WebSocket has no half-close
    robust/invalid-utf8: pass -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    robust/invalid-utf8-echoed: pass -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    robust/invalid-utf8-line: pass -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    robust/tls-hello: pass -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    ");
}

#[test]
fn the_reference_peer_over_standard_input_and_output() {
    insta::assert_snapshot!(changed(&["--exec", &reference("--listen stdio:"), "--at", "stdio:"]), @r"
    methods/connections: pass -> not-applicable: over standard input and output, each connection has a process of its own
    methods/own-cull: pass -> not-applicable: over standard input and output, each connection has a process of its own
    methods/own-object: pass -> not-applicable: over standard input and output, each connection has a process of its own
    methods/own-table: pass -> not-applicable: over standard input and output, each connection has a process of its own
    robust/half-close-at-once: pass -> not-applicable: over standard input and output, each connection has a process of its own
    robust/half-close-in-message: pass -> not-applicable: over standard input and output, each connection has a process of its own
    robust/reset: pass -> not-applicable: standard input and output has no reset
    robust/reset-at-once: pass -> not-applicable: standard input and output has no reset
    robust/reset-with-answers: pass -> not-applicable: standard input and output has no reset
    ");
}

#[test]
fn the_reference_peer_in_memory() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut report = Format::Json.report(file.reopen().unwrap(), dnode_reports::text::Options::default());
    let connect = || {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        tokio::spawn(reference::speak(theirs, reference::plain()));
        ours
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut emit = |event| report.event(&event).unwrap();
    runtime
        .block_on(in_process::run("in memory", connect, catalogue(Dialect::default()).unwrap(), &mut emit))
        .unwrap();
    let text = std::fs::read_to_string(file.path()).unwrap();
    insta::assert_snapshot!(difference(&over_tcp(), &serde_json::from_str(&text).unwrap()), @r"
    robust/reset: pass -> not-applicable: a stream in memory has no reset
    robust/reset-at-once: pass -> not-applicable: a stream in memory has no reset
    robust/reset-with-answers: pass -> not-applicable: a stream in memory has no reset
    ");
}

#[test]
fn npm_dnode_over_a_unix_socket_of_node() {
    let peer = format!("{NPM} unix {{socket}}");
    insta::assert_snapshot!(npm_changed(&["--exec", &peer, "--at", "unix:{socket}"]), @r"
    robust/reset: crash -> not-applicable: a Unix socket has no reset
    robust/reset-at-once: crash -> not-applicable: a Unix socket has no reset
    robust/reset-with-answers: crash -> not-applicable: a Unix socket has no reset
    ");
}

/// The process survives a reset: node's TLS server and sockjs handle the errors of their sockets.
/// `net` leaves that to the program.
#[test]
fn npm_dnode_over_tls_of_node() {
    let certificates = Certificates::new();
    let peer =
        format!("{NPM} tls {{port}} {} {}", certificates.word("cert.pem"), certificates.word("key.pem"));
    let arguments = ["--at", "tls://localhost:{port}", "--tls-ca", &certificates.word("ca.pem")];
    insta::assert_snapshot!(npm_changed(&[&["--exec", &peer][..], &arguments].concat()), @r"
    robust/reset: crash -> pass
    robust/reset-at-once: crash -> pass
    robust/reset-with-answers: crash -> pass
    ");
}

/// See [`npm_dnode_over_tls_of_node`] for the resets.
#[test]
fn npm_dnode_over_shoe() {
    let peer = format!("{NPM} shoe {{port}}");
    let at = "ws://127.0.0.1:{port}/dnode/websocket";
    // This old sockjs takes seconds for a message of 16 MiB, and longer on a busy machine.
    insta::assert_snapshot!(npm_changed(&["--exec", &peer, "--at", at, "--deadline", "8s"]), @r"
    framing/half-close: pass -> not-applicable: a WebSocket has no half-close
    framing/last-line: pass -> not-applicable: a WebSocket has no half-close
    framing/split-character: fail -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    framing/split-in-character: fail -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    framing/split-in-key: fail -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    robust/half-close-at-once: pass -> not-applicable: a WebSocket has no half-close
    robust/half-close-in-message: pass -> not-applicable: a WebSocket has no half-close
    robust/invalid-utf8: pass -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    robust/invalid-utf8-echoed: pass -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    robust/invalid-utf8-line: pass -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    robust/reset: crash -> pass
    robust/reset-at-once: crash -> pass
    robust/reset-with-answers: crash -> pass
    robust/tls-hello: pass -> not-applicable: a WebSocket carries only text, but a segment is not valid UTF-8
    ");
}

#[test]
fn the_printed_command_repeats_a_finding_and_a_campaign_finds_one() {
    install("npm-dnode-transports");
    let certificates = Certificates::new();
    let tls =
        format!("{NPM} tls {{port}} {} {}", certificates.word("cert.pem"), certificates.word("key.pem"));
    let (shoe, ca) = (format!("{NPM} shoe {{port}}"), certificates.word("ca.pem"));
    let ways = [
        vec!["--exec", &tls, "--at", "tls://127.0.0.1:{port}", "--tls-ca", &ca],
        vec!["--exec", &tls, "--at", "tls://127.0.0.1:{port}", "--tls-insecure"],
        vec!["--exec", &shoe, "--at", "ws://127.0.0.1:{port}/dnode/websocket"],
    ];
    for way in &ways {
        let first = run(&[&way[..], &["--case", "robust/message-null"]].concat());
        first.expect_status(&[1]).expect_text("CRASH     robust/message-null");
        let command = first.stdout.lines().find(|line| line.contains(" run --exec ")).unwrap();
        let again = Command::new("sh").args(["-c", command.trim()]).current_dir(root()).output().unwrap();
        ran(&again).expect_status(&[1]).expect_text("CRASH     robust/message-null");
    }
    let folder = tempfile::tempdir().unwrap();
    let campaign =
        ["fuzz", "--seed", "1", "--time", "2m", "--fail-fast", "--findings", folder.path().to_str().unwrap()];
    run(&[&campaign[..], &ways[2]].concat()).expect_status(&[1]).expect_text("FOUND  ");
    let mut files = std::fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().path().join("finding.md"));
    let finding = files.find(|file| file.exists()).unwrap();
    let finding = std::fs::read_to_string(finding).unwrap();
    assert!(finding.contains("repeat.py speaks TCP only") && finding.contains(" --at "), "{finding}");
}

/// Starts a peer in this process that listens at this address and calls `serve` for each
/// connection.
fn peer_at<F>(
    address: &str,
    identity: Option<Identity>,
    serve: impl Fn(Connection) -> F + Send + 'static,
) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let (send, receive) = std::sync::mpsc::channel();
    let address = Address::parse_to_listen(address).unwrap();
    std::thread::spawn(move || {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let listener = Listener::bind(&address, identity.as_ref()).await.unwrap();
            send.send(listener.address().unwrap()).unwrap();
            loop {
                let arrival = listener.accept().await.unwrap();
                if let Ok(stream) = arrival.shake_hands().await {
                    tokio::spawn(serve(stream));
                }
            }
        });
    });
    receive.recv().unwrap()
}

fn address_of(text: &str) -> Address {
    let trust = if text.starts_with("tls:") { Trust::Anything } else { Trust::System };
    Address::parse(text, &trust).unwrap()
}

fn identity(certificates: &Certificates) -> Identity {
    Identity { certificate: certificates.path("cert.pem"), key: certificates.path("key.pem") }
}

/// For each transport: the address and the identity of a peer of these tests, and the options to
/// reach it.
fn ways(folder: &Path, certificates: &Certificates) -> Vec<(String, Option<Identity>, Vec<&'static str>)> {
    vec![
        (format!("unix:{}", folder.join("peer").display()), None, vec![]),
        ("tls://127.0.0.1:0".to_owned(), Some(identity(certificates)), vec!["--tls-insecure"]),
        ("ws://127.0.0.1:0/dnode".to_owned(), None, vec![]),
    ]
}

#[test]
fn a_peer_that_floods_and_never_reads_does_not_block_a_run_over_any_transport() {
    let (folder, certificates) = (tempfile::tempdir().unwrap(), Certificates::new());
    for (address, identity, options) in ways(folder.path(), &certificates) {
        let flood = |mut stream: Connection| async move {
            while stream.write_all(METHODS).await.is_ok() && stream.flush().await.is_ok() {}
        };
        let address = peer_at(&address, identity, flood);
        run(&[&[address.as_str(), "--deadline", "300ms"], &options[..]].concat())
            .expect_status(&[1, 2])
            .expect_text("sends messages without end");
    }
}

#[test]
fn wire_reads_while_it_writes_over_any_transport() {
    let (folder, certificates) = (tempfile::tempdir().unwrap(), Certificates::new());
    let mut line = vec![b'1'; 16 << 20];
    line.push(b'\n');
    for (address, identity, _) in ways(folder.path(), &certificates) {
        let echo = |stream: Connection| async move {
            let (mut from, mut to) = tokio::io::split(stream);
            let _ = tokio::io::copy(&mut from, &mut to).await;
        };
        let address = address_of(&peer_at(&address, identity, echo));
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let route = Route::from(address.clone());
            let deadline = route.clock().now() + Duration::from_secs(60);
            let mut wire = Wire::open(&route, &Terms::default(), deadline).await.unwrap();
            // The line is longer than the buffers of both ends, so an end that only writes would
            // never finish.
            wire.send(&[&line], deadline).await;
            while wire.bytes() < line.len() as u64 {
                let incoming = wire.receive(deadline).await;
                assert!(matches!(incoming, Incoming::Broken(_)), "{address}: {incoming:?}");
            }
        });
    }
}

#[test]
fn a_peer_sees_a_close_as_a_close_and_a_reset_as_a_reset() {
    let (folder, certificates) = (tempfile::tempdir().unwrap(), Certificates::new());
    for (address, identity, _) in ways(folder.path(), &certificates) {
        let (ended, ends) = std::sync::mpsc::channel();
        let drain = move |mut stream: Connection| {
            let ended = ended.clone();
            async move {
                // A reset overtakes unread bytes. These bytes show the suite that the handshake is
                // over on both sides.
                let _ = stream.write_all(METHODS).await;
                let _ = stream.flush().await;
                let end = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
                let _ = ended.send(end.map_err(|error| error.kind()));
                let _ = stream.shutdown().await;
            }
        };
        let text = peer_at(&address, identity, drain);
        let address = address_of(&text);
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let route = Route::from(address.clone());
            let deadline = route.clock().now() + Duration::from_secs(60);
            let mut wire = Wire::open(&route, &Terms::default(), deadline).await.unwrap();
            wire.hold_until_half_close();
            wire.send(&[b"12345\n"], deadline).await;
            wire.close(deadline).await;
            assert!(wire.is_closed(), "{text}: the peer must be able to close after us");
            let mut wire = Wire::open(&route, &Terms::default(), deadline).await.unwrap();
            let _ = wire.receive(deadline).await;
            wire.reset();
        });
        assert_eq!(ends.recv().unwrap(), Ok(6), "{text}: all bytes, then an orderly end");
        let reset = if address.limits().reset { Err(ErrorKind::ConnectionReset) } else { Ok(0) };
        assert_eq!(ends.recv().unwrap(), reset, "{text}");
    }
}

#[test]
fn errors_of_addresses_say_who_is_at_fault_and_how_to_fix_them() {
    let (folder, certificates) = (tempfile::tempdir().unwrap(), Certificates::new());
    let silent = |mut stream: Connection| async move {
        let _ = stream.read(&mut [0; 1]).await;
    };
    let mut ways = ways(folder.path(), &certificates).into_iter().skip(1);
    let mut next = || {
        let (address, identity, _) = ways.next().unwrap();
        peer_at(&address, identity, silent)
    };
    let (tls, ws) = (next(), next());
    run(&[&tls]).expect_status(&[2]).expect_text("error: at tls://").expect_text("--tls-ca FILE");
    let other = Certificates::new().word("ca.pem");
    run(&[&tls, "--tls-ca", &other]).expect_status(&[2]).expect_text("error: ");
    let path = ws.replace("/dnode", "/other");
    run(&[&path]).expect_status(&[2]).expect_text("error: at ws://").expect_text("PATH/websocket");
    let plain = ws.strip_prefix("ws://").unwrap().strip_suffix("/dnode").unwrap();
    run(&[&format!("tls://{plain}"), "--tls-insecure"])
        .expect_status(&[2])
        .expect_text("Does it speak TLS there?");
    run(&["unix:/no/such/socket"])
        .expect_status(&[2])
        .expect_text("peer: nothing accepts connections at unix:");
    run(&["127.0.0.1:1", "--tls-insecure"]).expect_status(&[2]).expect_text("write tls://HOST:PORT");
    run(&["--exec", "true", "--at", "127.0.0.1:5"]).expect_status(&[2]).expect_text("{socket}");
    run(&["serve", "--listen", "tls://127.0.0.1:0"]).expect_status(&[2]).expect_text("--tls-cert FILE");
}

#[test]
fn a_server_replaces_the_socket_of_a_killed_server() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:{}", folder.path().join("peer").display());
    let arguments = ["serve", "--listen", &address];
    let first = support::Listening::start(&arguments);
    run(&arguments).expect_status(&[2]).expect_text("error: cannot listen at unix:");
    drop(first);
    let second = support::Listening::start(&arguments);
    run(&[&second.address, "--case", "methods/*"]).expect_status(&[0]);
}
