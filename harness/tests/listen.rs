//! Transcripts in which the suite is the server, and clients connect to it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use support::{Listening, install, root, run};

const CLIENT: &str = "fixtures/peers/npm-dnode/caller.js";

/// Records one session of npm dnode's client with the reference peer as `session-N.jsonl`, from the
/// server's view.
fn record(session: &str, out: &Path) {
    let serving = Listening::start(&["serve", "--listen", "127.0.0.1:0"]);
    let out = out.to_str().unwrap();
    let arguments = ["--listen", "127.0.0.1:0", "--to", &serving.address, "--out", out];
    let mut recording =
        Listening::start(&[&["record", "--seen-from", "server"][..], &arguments[..]].concat());
    let client = [CLIENT, "127.0.0.1", recording.port(), session];
    let client = Command::new("node").args(client).current_dir(root()).status();
    assert!(client.unwrap().success());
    let line = recording.line();
    assert!(line.contains("nothing broken") && line.contains("session-"), "{line}");
}

#[test]
fn a_recorded_session_replays_only_with_the_same_client() {
    install("npm-dnode");
    let folder = tempfile::tempdir().unwrap();
    record("basics", folder.path());
    record("keeper", folder.path());
    let file = |number: u8| folder.path().join(format!("session-{number}.jsonl")).display().to_string();
    let replay = |file: &str, session: &str, deadline: &str| {
        let client = format!("exec node {CLIENT} {{host}} {{port}} {session}");
        run(&["replay", file, "--listen", "127.0.0.1:0", "--exec", &client, "--deadline", deadline])
    };
    replay(&file(1), "basics", "10s").expect_status(&[0]).expect_text("nothing that gates failed");
    replay(&file(2), "keeper", "10s").expect_status(&[0]).expect_text("nothing that gates failed");
    replay(&file(1), "keeper", "1s")
        .expect_status(&[1])
        .expect_text("FAIL  recorded/session-1")
        .expect_text("a call of $ours1 with");
    // The folder has both transcripts, and a client connects for each.
    replay(folder.path().to_str().unwrap(), "basics", "1s")
        .expect_status(&[1])
        .expect_text("FAIL  recorded/session-2")
        .expect_text(" 1 fail\n");
    run(&["replay", &file(1)])
        .expect_status(&[2])
        .expect_text("error: recorded/session-1")
        .expect_text("--listen");
}

/// Writes a transcript with this role to a file.
fn transcript(folder: &Path, name: &str, role: &str, steps: &str) -> String {
    let header = format!(
        "{{\"dnode-transcript\":1,\"id\":\"test/{name}\",\"since\":\"0.1.0\",\"clauses\":[\"value/numbers\"],\
         \"about\":\"A test.\",\"role\":\"{role}\",\"object\":{{\"add\":\"$add\"}}}}\n"
    );
    let file = folder.join(format!("{name}.jsonl"));
    fs::write(&file, header + steps).unwrap();
    file.to_str().unwrap().to_owned()
}

/// A client that sends these lines after its object, and reads until the suite closes the
/// connection.
fn client(address: &str, lines: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"{\"method\":\"methods\",\"arguments\":[{}]}\n").unwrap();
    stream.write_all(lines.as_bytes()).unwrap();
    let mut received = String::new();
    stream.read_to_string(&mut received).unwrap();
    received
}

const SUM: &str = "{\"expect\":{\"method\":\"$add\",\"arguments\":[1,2,\"$cb\"]}}\n\
                   {\"call\":\"$cb\",\"arguments\":[3]}\n";

#[test]
fn a_client_that_goes_on_is_cut_off_soon_after_an_interruption() {
    let folder = tempfile::tempdir().unwrap();
    let file = transcript(folder.path(), "a", "server", SUM);
    let listening = Listening::start(&["replay", &file, "--listen", "127.0.0.1:0", "--deadline", "10m"]);
    let mut client = TcpStream::connect(&listening.address).unwrap();
    client.read_exact(&mut [0]).unwrap();
    listening.interrupt();
    let (out, status) = listening.rest();
    assert_eq!(status, 2, "{out}");
    assert!(out.contains("the run was interrupted"), "{out}");
}

#[test]
fn clients_that_the_user_starts_are_judged_one_after_another() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["a", "b"].map(|name| transcript(folder.path(), name, "server", SUM));
    let listening =
        Listening::start(&["replay", &files[0], &files[1], "--listen", "127.0.0.1:0", "--deadline", "30s"]);
    let add =
        |x: u8| format!("{{\"method\":\"add\",\"arguments\":[{x},2,0],\"callbacks\":{{\"7\":[\"2\"]}}}}\n");
    let received = client(&listening.address, &add(1));
    assert!(received.contains("\"method\":7,\"arguments\":[3]"), "{received}");
    client(&listening.address, &add(5));
    let (out, status) = listening.rest();
    assert_eq!(status, 1, "{out}");
    assert!(out.contains("FAIL  test/b") && !out.contains("FAIL  test/a"), "{out}");
    assert!(out.contains("expected    1") && out.contains("got         5"), "{out}");
}

#[test]
fn a_step_that_needs_a_second_connection_is_not_applicable() {
    let folder = tempfile::tempdir().unwrap();
    let steps = ["survive", "served", "closed"];
    let files =
        steps.map(|step| transcript(folder.path(), step, "server", &format!("{{\"{step}\":true}}\n")));
    let arguments = ["--listen", "127.0.0.1:0", "--deadline", "30s", "--verbose"];
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let listening = Listening::start(&[&["replay"][..], &files, &arguments].concat());
    for _ in steps {
        client(&listening.address, "");
    }
    let (out, _) = listening.rest();
    assert!(out.contains("3 not-applicable") && out.contains("3  it needs a second connection"), "{out}");
}

#[test]
fn a_client_that_never_connects_is_reported_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = transcript(folder.path(), "sum", "server", SUM);
    let replay = ["replay", &file, "--listen", "127.0.0.1:0", "--deadline", "100ms"];
    run(&replay)
        .expect_status(&[2])
        .expect_text("inconclusive")
        .expect_text("no client connected to 127.0.0.1:");
    let ends = "echo at $HOST {host} >&2; test $PORT = {port} && exit 3";
    run(&[&replay[..], &["--exec", ends]].concat())
        .expect_status(&[1])
        .expect_text("CRASH  test/sum")
        .expect_text("the client ended with exit status 3 before it connected")
        .expect_text("at 127.0.0.1 127.0.0.1");
    run(&[&replay[..], &["--exec", "exec tail -f /dev/null"]].concat())
        .expect_status(&[1])
        .expect_text("no client connected to 127.0.0.1:");
}

#[test]
fn wrong_arguments_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let server = transcript(folder.path(), "server", "server", SUM);
    let client = transcript(folder.path(), "client", "client", "{\"nothing\":true}\n");
    let listen = ["--listen", "127.0.0.1:0"];
    let wrong: &[(&[&str], &str)] = &[
        (&[&server], "role server): replay it with --listen"),
        (&[&server, "127.0.0.1:5050"], "role server): replay it with --listen"),
        (&[&server, &client, listen[0], listen[1]], "replay them separately"),
        (&[&server, listen[0], listen[1], "--ping", "add[1,2,\"$cb\"]"], "--ping is not for clients"),
        (&[&server, "127.0.0.1:5050", listen[0], listen[1]], "a target or --listen, not both"),
        (&[&server, "--listen", "nowhere"], "\"nowhere\" is not an address"),
        (&[&server, "--listen", "127.0.0.1:0", "--exec", " "], "--exec needs a command"),
    ];
    for (arguments, text) in wrong {
        let arguments: Vec<&str> = std::iter::once("replay").chain(arguments.iter().copied()).collect();
        run(&arguments).expect_status(&[2]).expect_text("error: ").expect_text(text);
    }
    run(&["compare", "reference", "reference", &server])
        .expect_status(&[2])
        .expect_text("error: test/server is for a client peer");
}
