//! Every client with every server.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::Path;
use support::{PROGRAM, install, root, run};

/// The matrix in the output.
fn matrix(out: &str) -> &str {
    &out[out.find("\nservers\n").unwrap()..]
}

#[test]
fn four_versions_of_npm_dnode_work_with_each_other() {
    let four = ["davedoesdev-dnode", "npm-dnode", "npm-dnode-0.9.12", "npm-dnode-1.1.0"];
    four.iter().for_each(|peer| install(peer));
    let only: Vec<&str> = four.iter().flat_map(|it| ["--client", it, "--server", it]).collect();
    let ran = run(&[&["interop", "--peers", "fixtures/peers"][..], &only].concat());
    ran.expect_status(&[0]);
    insta::assert_snapshot!(matrix(&ran.stdout), @"

    servers
       1  @davedoesdev/dnode 1.2.4
       2  npm dnode 1.2.2
       3  npm dnode 0.9.12
       4  npm dnode 1.1.0

    clients                   1             2             3             4
    @davedoesdev/dnode 1.2.4  pass          pass          pass          pass
    npm dnode 1.2.2           pass          pass          pass          pass
    npm dnode 0.9.12          pass          pass          pass          pass
    npm dnode 1.1.0           pass          pass          pass          pass
    ");
}

/// A folder for an implementation whose server has this fault, and whose caller is this command.
fn implementation(peers: &Path, name: &str, server: &str, caller: &str) {
    let folder = peers.join(name);
    fs::create_dir(&folder).unwrap();
    let caller = caller
        .replace("connected", "exec python3 -c \"import os, socket, sys; socket.create_connection(('{host}',{port})); os.execvp('sh', ['sh', '-c', sys.argv[1]])\"")
        .replace("npm", &format!("node '{}'", root().join("fixtures/peers/npm-dnode/caller.js").display()));
    let json = serde_json::json!({ "name": name, "install": "make", "server": server, "caller": caller });
    fs::write(folder.join("peer.json"), json.to_string()).unwrap();
}

#[test]
fn the_matrix_distinguishes_the_kinds_of_failure() {
    install("npm-dnode");
    let peers = tempfile::tempdir().unwrap();
    let serve = |fault: &str| format!("exec '{PROGRAM}' serve --listen 127.0.0.1:{{port}} {fault}");
    let add = |name: &str, server: &str, caller: &str| implementation(peers.path(), name, server, caller);
    let npm = "exec npm {host} {port}";
    add("a-good", &serve(""), npm);
    add("b-wrong-sums", &serve("--fault wrong-sum"), "connected 'echo add: expected 3, came 4 >&2; exit 1'");
    add(
        "c-odd-ids",
        &serve("--fault latin-1"),
        "exec python3 -c \"import socket; socket.create_connection(('{host}',{port})).sendall(b'[]\\n')\"",
    );
    add("d-missing", "echo nothing here >&2; exit 7", "connected 'exec sleep 600'");
    add("e-no-client", &serve(""), "exec no-such-program");
    let peers_word = peers.path().display().to_string();
    let grid = peers.path().join("grid.json").display().to_string();
    let ran = run(&["interop", "--peers", &peers_word, "--deadline", "2s", "--grid", &grid]);
    ran.expect_status(&[1]);
    insta::assert_snapshot!(matrix(&ran.stdout), @"

    servers
       1  a-good
       2  b-wrong-sums
       3  c-odd-ids
       4  d-missing
       5  e-no-client

    clients       1             2             3             4             5
    a-good        pass          fail          fail          inconclusive  pass
    b-wrong-sums  fail          fail          fail          inconclusive  fail
    c-odd-ids     broken        broken        broken        inconclusive  broken
    d-missing     hang          hang          hang          inconclusive  hang
    e-no-client   inconclusive  inconclusive  inconclusive  inconclusive  inconclusive
    ");
    let file = support::read(&grid);
    let grid = dnode_reports::grid::read(&file).unwrap();
    assert_eq!(format!("\n{}", grid.text()), matrix(&ran.stdout).trim_end());
    let note = |client, server| grid.session(client, server).unwrap().note.clone();
    assert_eq!(note(0, 0), "");
    assert_eq!(note(1, 0), "add: expected 3, came 4");
    assert_eq!(note(2, 0), "the client breaks message/object");
    assert!(note(0, 3).starts_with("peer: ") && !file.contains(&peers_word), "{file}");
    ran.expect_text("add: expected 3, came 4")
        .expect_text("the client breaks message/object")
        .expect_text("was `make` run in")
        .expect_text("The client still runs after 2 s")
        .expect_text("the client ended with exit status 127 before it connected")
        .expect_text("--client b-wrong-sums --server a-good");
}

#[test]
fn wrong_arguments_are_explained() {
    let peers = tempfile::tempdir().unwrap();
    let folder = peers.path().display().to_string();
    let wrong = |arguments: &[&str], words: &str| {
        run(&[&["interop", "--peers"][..], arguments].concat())
            .expect_status(&[2])
            .expect_text("error: ")
            .expect_text(words);
    };
    wrong(&["/no/such/folder"], "/no/such/folder");
    wrong(&[&folder], "no folder in it has a peer.json");
    fs::create_dir(peers.path().join("a")).unwrap();
    fs::write(peers.path().join("a/peer.json"), "{\"name\":1}").unwrap();
    wrong(&[&folder], "a/peer.json: invalid type");
    fs::write(peers.path().join("a/peer.json"), "{\"name\":\"a\",\"server\":\"x\"}").unwrap();
    wrong(&[&folder], "no folder in --peers has a client");
    wrong(&[&folder, "--report", "json=x"], "json is about one run");
}
