//! Recording live traffic: bytes arrive unchanged, both ends are judged, and the transcripts replay
//! without changes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use socket2::{Domain, Socket, Type};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use support::{Listening, install, root, run};

const HELLO: &str =
    r#"{"method":"methods","arguments":[{"hello":"[Function]"}],"callbacks":{"0":["0","hello"]},"links":[]}"#;

/// A recording between us and the reference peer, and our connection through it.
fn recording(serve: &[&str], record: &[&str]) -> (Listening, Listening, BufReader<TcpStream>) {
    let serving = Listening::start(&[&["serve", "--listen", "127.0.0.1:0"], serve].concat());
    let arguments = [&["record", "--listen", "127.0.0.1:0", "--to", &serving.address], record].concat();
    let recording = Listening::start(&arguments);
    let stream = TcpStream::connect(&recording.address).unwrap();
    (serving, recording, BufReader::new(stream))
}

/// Sends a line, and reads the next one of the other end.
fn exchange(stream: &mut BufReader<TcpStream>, line: &str) -> String {
    stream.get_mut().write_all(format!("{line}\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_line(&mut answer).unwrap();
    answer
}

/// A port at which nobody listens. The socket that reserves it does not listen either: whatever
/// another test starts has a copy of it until its exec.
fn free_port() -> u16 {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket.local_addr().unwrap().as_socket().unwrap().port()
}

#[test]
fn a_recorded_session_of_npm_dnode_replays_without_changes() {
    install("npm-dnode");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let server = "fixtures/peers/npm-dnode/server.js";
    // The peer's program does not signal that it listens, so try until it accepts a connection.
    let port = free_port().to_string();
    let mut npm = Command::new("node").args([server, &port]).current_dir(root()).spawn().unwrap();
    let to = format!("127.0.0.1:{port}");
    while TcpStream::connect(&to).is_err() {
        std::thread::yield_now();
    }
    let mut recording = Listening::start(&["record", "--listen", "127.0.0.1:0", "--to", &to, "--out", out]);
    let client = ["fixtures/peers/npm-dnode/caller.js", "127.0.0.1", recording.port(), "links"];
    assert!(Command::new("node").args(client).current_dir(root()).status().unwrap().success());
    assert!(recording.line().contains("nothing broken"));
    recording.interrupt();
    assert_eq!(recording.rest().1, 0);
    npm.kill().unwrap();
    npm.wait().unwrap();
    let exec = format!("exec node {server} {{port}}");
    run(&["replay", out, "--exec", &exec]).expect_status(&[0]).expect_text("nothing that gates failed");
}

#[test]
fn an_interrupted_recording_keeps_the_messages_so_far() {
    let folder = tempfile::tempdir().unwrap();
    let (_serving, recording, mut stream) = recording(&[], &["--out", folder.path().to_str().unwrap()]);
    assert!(exchange(&mut stream, HELLO).contains("conformProbe"));
    let call = r#"{"method":"add","arguments":[1,2,"[Function]"],"callbacks":{"1":["2"]}}"#;
    assert_eq!(
        exchange(&mut stream, call),
        "{\"method\":1,\"arguments\":[3],\"callbacks\":{},\"links\":[]}\n"
    );
    recording.interrupt();
    let (text, status) = recording.rest();
    assert!(
        status == 0 && text.contains("connection 1: 2 lines from the client, 2 from the server"),
        "{text}"
    );
    let written = std::fs::read_to_string(folder.path().join("session-1.jsonl")).unwrap();
    let steps: Vec<&str> = written.lines().skip(1).collect();
    assert_eq!(
        steps,
        [r#"{"call":"add","arguments":[1,2,"$ours1"]}"#, r#"{"expect":{"method":"$ours1","arguments":[3]}}"#]
    );
}

#[test]
fn a_broken_clause_is_printed_at_once_and_decides_the_exit_status() {
    let (_serving, mut recording, mut stream) = recording(&[], &[]);
    exchange(&mut stream, HELLO);
    stream.get_mut().write_all(b"{\"method\":77}\n").unwrap();
    let line = recording.line();
    assert!(line.starts_with("connection 1: the client breaks callback/declared (must) at method"), "{line}");
    recording.interrupt();
    assert_eq!(recording.rest().1, 1);
}

#[test]
fn end_that_never_sends_its_object_is_a_finding() {
    let (_serving, mut recording, mut stream) = recording(&[], &[]);
    exchange(&mut stream, r#"{"method":"add","arguments":[1,2,"[Function]"],"callbacks":{"1":["2"]}}"#);
    drop(stream);
    let line = recording.line();
    assert!(line.starts_with("connection 1: the client breaks methods/sent (should)"), "{line}");
    recording.interrupt();
    assert_eq!(recording.rest().1, 1);
}

#[test]
fn an_unreachable_peer_or_a_bad_folder_is_an_error() {
    let recording = Listening::start(&["record", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:1"]);
    let mut stream = BufReader::new(TcpStream::connect(&recording.address).unwrap());
    let mut rest = String::new();
    assert_eq!(stream.read_line(&mut rest).unwrap(), 0);
    recording.interrupt();
    assert_eq!(recording.rest().1, 2);
    run(&["record", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:1", "--out", "README.md"])
        .expect_status(&[2])
        .expect_text("error: --out README.md");
}
