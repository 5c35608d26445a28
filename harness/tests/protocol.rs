//! The examples in `spec/PROTOCOL.md` are true: each session passes on the reference peer and on
//! npm dnode, and the decoder reads each line as the document says.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../../spec/tests/support/document.rs"]
#[allow(dead_code, reason = "the tests of spec use the rest")]
mod document;
mod support;

use dnode_spec::message::decode;
use dnode_spec::scrub::unscrub;
use dnode_spec::transcript::Transcript;
use dnode_spec::value::Value;
use document::{Block, blocks};
use support::{Ran, install, read, root, run};
use tempfile::TempDir;

fn examples(info: &str) -> Vec<Block> {
    let text = read(root().join("spec/PROTOCOL.md"));
    blocks(&text).into_iter().filter(|block| block.info == info).collect()
}

/// Writes the transcripts of a dialect to a folder. Returns the folder and their number.
fn folder(transcripts: &[Block], is_0_1: bool) -> (TempDir, usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut count = 0;
    for block in transcripts {
        let text = block.lines.join("\n");
        let transcript = Transcript::read(&text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
        if text.contains(r#""dialect":"0.1""#) == is_0_1 {
            let name = transcript.header.id.replace('/', "-");
            std::fs::write(folder.path().join(name).with_extension("jsonl"), text).unwrap();
            count += 1;
        }
    }
    (folder, count)
}

/// Plays all transcripts of a folder. Without a command, against the reference peer. Returns how
/// many passed.
fn replay(folder: &TempDir, dialect: &str, command: Option<&str>) -> (Ran, usize) {
    let report = folder.path().join("report.json");
    let written = format!("json={}", report.display());
    let mut arguments =
        vec!["replay", folder.path().to_str().unwrap(), "--dialect", dialect, "--report", &written];
    arguments.extend(command.iter().flat_map(|command| ["--exec", command]));
    let ran = run(&arguments);
    let report: serde_json::Value = serde_json::from_str(&read(report)).unwrap();
    let cases = report["cases"].as_array().unwrap();
    let passed = |case: &&serde_json::Value| {
        case["id"].as_str().unwrap().starts_with("protocol/") && case["verdict"] == "pass"
    };
    (ran, cases.iter().filter(passed).count())
}

#[test]
fn sessions_pass_on_the_reference_peer_and_npm_dnode() {
    for peer in ["npm-dnode", "npm-dnode-0.9.12"] {
        install(peer);
    }
    let transcripts = examples("jsonl");
    for (dialect, npm, least) in [("0.2", "npm-dnode", 7), ("0.1", "npm-dnode-0.9.12", 1)] {
        let (folder, count) = folder(&transcripts, dialect == "0.1");
        assert!(count >= least, "only {count} sessions of dialect {dialect}");
        let command = format!("node fixtures/peers/{npm}/server.js {{port}}");
        for command in [None, Some(command.as_str())] {
            let (ran, passed) = replay(&folder, dialect, command);
            ran.expect_status(&[0]);
            assert_eq!(passed, count, "{command:?}\n{}", ran.stdout);
        }
    }
}

#[test]
fn a_session_with_a_wrong_expectation_fails() {
    let wrong = Block {
        info: "jsonl".to_owned(),
        lines: [
            r#"{"dnode-transcript":1,"id":"protocol/wrong","since":"0.1.0","clauses":["methods/by-name"],"about":"1 + 2 is not 4."}"#,
            r#"{"call":"add","arguments":[1,2,"$cb"]}"#,
            r#"{"expect":{"method":"$cb","arguments":[4]}}"#,
        ]
        .map(str::to_owned)
        .into(),
    };
    let (folder, _) = folder(&[wrong], false);
    let (ran, passed) = replay(&folder, "0.2", None);
    ran.expect_status(&[1]).expect_text("protocol/wrong");
    assert_eq!(passed, 0);
}

/// The problems that the decoder finds in one line.
fn problems(line: &str) -> Vec<String> {
    let value = match Value::parse(line.as_bytes()) {
        Ok(value) => value,
        Err(error) => return vec![error.to_string()],
    };
    let decoded = decode(&value);
    let places = decoded.message.iter().flat_map(|message| unscrub(message, |id| id).problems);
    decoded.problems.iter().cloned().chain(places).map(|problem| problem.clause.to_owned()).collect()
}

#[test]
fn lines_are_sound_unless_they_are_marked_as_malformed() {
    let (sound, malformed) = (examples("json"), examples("json malformed"));
    for line in sound.iter().flat_map(|block| &block.lines) {
        assert_eq!(problems(line), Vec::<String>::new(), "{line}");
    }
    for line in malformed.iter().flat_map(|block| &block.lines) {
        assert!(!problems(line).is_empty(), "this line is not malformed: {line}");
    }
    assert!(sound.len() >= 3 && !malformed.is_empty());
    for info in ["jsonl", "json", "json malformed", "abnf", "mermaid"] {
        assert!(!examples(info).is_empty(), "no block is {info}");
    }
    let all = blocks(&read(root().join("spec/PROTOCOL.md"))).len();
    let known: usize =
        ["jsonl", "json", "json malformed", "abnf", "mermaid"].iter().map(|info| examples(info).len()).sum();
    assert_eq!(all, known, "a block has another language, so no test reads it");
}

#[test]
fn an_unsound_line_has_problems() {
    assert_eq!(problems(r#"{"method":null}"#), ["message/method"]);
    assert_eq!(
        problems(r#"{"method":"x","arguments":[1],"callbacks":{"0":[0,0]}}"#),
        ["callback/path-place"]
    );
    assert_eq!(problems("{").len(), 1);
}
