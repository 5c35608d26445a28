//! Runs every command in the README and in `harness/docs`, and compares the output that they quote.
//!
//! The documents say `node server.js`, `node client.js` and `127.0.0.1:5050` for the reader's
//! implementation; the reference peer takes its place here. `src/cli/examples.rs` parses all
//! commands, also those that do not run.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Listening, PROGRAM, Ran, install, ran, root};
use tempfile::TempDir;

/// The commands that do not run here, and why. A command belongs to the first entry that it begins
/// with.
const NOT_RUN: &[(&str, &str)] = &[
    (".ci/test", "it runs this test"),
    ("dnode-conform --exec 'exec node tls.js", "it needs a certificate: tests/transports.rs makes one"),
    ("dnode-conform --exec 'exec node peer.js'", "it starts node for each connection: see tests/stdio.rs"),
    ("dnode-conform serve --listen tls:", "it needs a certificate: tests/transports.rs makes one"),
    ("dnode-conform run --listen tls:", "it needs a certificate: tests/clients.rs makes one"),
    ("dnode-conform run --listen 127.0.0.1:5050", "it waits for the reader's client: see tests/listen.rs"),
    ("dnode-conform --watch ", "it runs until Ctrl-C: see tests/rerun.rs"),
    ("dnode-conform --dialect 0.1 ", "that peer often ends, and each start takes long: see tests/peers.rs"),
    ("dnode-conform fuzz ", "it takes five minutes: see tests/fuzz.rs"),
    (
        "dnode-conform learn --exec 'exec node server.js {port}' --report svg=",
        "it takes a minute: see tests/learn.rs",
    ),
    ("pip install ", "it changes the machine"),
    ("python3 fixtures/machine/with_aalpy.py", "it needs AALpy, and takes a minute"),
    ("dnode-conform record ", "it runs until Ctrl-C: see tests/record.rs"),
    ("dnode-conform 127.0.0.1:5051", "it goes through that recorder"),
    ("tcpdump ", "it needs the right to capture packets: see tests/capture.rs"),
    ("dnode-conform serve --listen 127.0.0.1:5050", "it serves until it is killed, for the next command"),
    ("node fixtures/peers/npm-dnode/caller.js", "it calls that server, for tcpdump"),
    ("kill ", "it ends that server and tcpdump"),
    ("dnode-conform import ", "it reads what tcpdump captured: see tests/capture.rs"),
    ("dnode-conform interop ", "it needs Perl, Ruby, PHP and Java: see tests/interop.rs"),
];

/// The reader's programs, as the reference peer.
const PROGRAMS: &[(&str, &str)] = &[
    ("server.js", "['--listen', at.includes('/') ? 'unix:' + at : '127.0.0.1:' + at]"),
    ("shoe.js", "['--listen', `ws://127.0.0.1:${at}/dnode/websocket`]"),
    ("client.js", "['--connect', at.includes('/') ? 'unix:' + at : at + ':' + process.argv[3]]"),
];

/// A command of a document, and the output that the document quotes.
struct Example {
    command: String,
    output: Vec<String>,
}

/// The commands of a document in order: all lines of `sh` blocks, and `$ COMMAND` at the beginning
/// of `text` blocks.
fn examples(text: &str) -> Vec<Example> {
    let mut found = Vec::new();
    for block in text.split("\n```").skip(1).step_by(2) {
        let (language, lines) = block.split_once('\n').unwrap_or((block, ""));
        let mut lines = lines.lines().map(str::to_owned);
        if language == "sh" {
            let commands = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
            found.extend(commands.map(|command| Example { command, output: Vec::new() }));
        } else if let Some(command) = lines.next().filter(|line| line.starts_with("$ ")) {
            found.push(Example { command: command[2..].to_owned(), output: lines.collect() });
        }
    }
    found
}

/// A folder in which the commands of one document find the program, the fixtures and the reader's
/// programs.
struct Reader {
    folder: TempDir,
    /// The reader's running server.
    server: Listening,
}

impl Reader {
    fn new() -> Reader {
        let folder = tempfile::tempdir().unwrap();
        for name in ["fixtures", "reports"] {
            symlink(root().canonicalize().unwrap().join(name), folder.path().join(name)).unwrap();
        }
        std::fs::create_dir(folder.path().join("bin")).unwrap();
        symlink(PROGRAM, folder.path().join("bin/dnode-conform")).unwrap();
        for (name, arguments) in PROGRAMS {
            let script = format!(
                "const at = process.argv[2];\nrequire('child_process').spawnSync('dnode-conform', ['serve', ...{arguments}], \
                 {{ stdio: 'inherit' }});\n"
            );
            std::fs::write(folder.path().join(name), script).unwrap();
        }
        Reader { folder, server: Listening::start(&["serve", "--listen", "127.0.0.1:0"]) }
    }

    fn run(&self, command: &str) -> Ran {
        let command = command
            .replace("cargo run --release --", "dnode-conform")
            .replace("cargo run --release", "dnode-conform")
            // A number shows nothing about the command, and a debug build is slow.
            .replace("--generate 1000", "--generate 50")
            .replace("127.0.0.1:5050", &self.server.address);
        let path = format!("{}/bin:{}", self.folder.path().display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh");
        shell.args(["-c", &command]).env("PATH", path).current_dir(&self.folder);
        ran(&shell.output().unwrap())
    }
}

/// The first line of a quotation that the output does not have in this order. A line with `…`
/// stands for any lines.
fn missing<'q>(quoted: &'q [String], output: &str) -> Option<&'q String> {
    let mut lines = output.lines().map(str::trim_end);
    quoted.iter().filter(|line| !line.contains('…')).find(|line| !lines.any(|it| it == line.trim_end()))
}

/// The problems with the examples of a document.
fn problems(document: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(document).unwrap();
    let examples = examples(&text);
    let reader = Reader::new();
    let mut problems = Vec::new();
    for Example { command, output } in examples {
        if NOT_RUN.iter().any(|(start, _)| command.starts_with(start)) {
            continue;
        }
        let ran = reader.run(&command);
        if ![0, 1].contains(&ran.status) {
            problems.push(format!("exit {}: {command}\n{}\n{}", ran.status, ran.stdout, ran.stderr));
        }
        if let Some(line) = missing(&output, &ran.stdout) {
            problems.push(format!("{command} does not print:\n{line}"));
        }
    }
    problems
}

/// The README and the pages in `harness/docs`.
fn documents() -> Vec<PathBuf> {
    let pages = std::fs::read_dir(root().join("harness/docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut documents: Vec<PathBuf> = pages.filter(|page| !page.ends_with("commands.md")).collect();
    documents.push(root().join("README.md"));
    documents.sort();
    documents
}

#[test]
fn commands_of_documents_work() {
    install("npm-dnode");
    let problems: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = documents()
            .into_iter()
            .map(|document| {
                scope.spawn(move || {
                    let name = document.file_name().unwrap().to_string_lossy().into_owned();
                    problems(&document).into_iter().map(move |problem| format!("{name}: {problem}"))
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

/// The later steps of that document have errors that depend on timing.
#[test]
fn the_first_program_of_the_first_hour_gets_the_quoted_result() {
    let text = std::fs::read_to_string(root().join("harness/docs/first-hour.md")).unwrap();
    let (_, step) = text.split_once("\n```js\n").unwrap();
    let (program, after) = step.split_once("```\n").unwrap();
    let quoted = after.split("```").nth(1).and_then(|block| block.strip_prefix("text\n")).unwrap();
    let reader = Reader::new();
    std::fs::write(reader.folder.path().join("port.js"), program).unwrap();
    let ran = reader.run("dnode-conform --exec 'exec node port.js {port}'");
    ran.expect_status(&[1]);
    let quoted: Vec<String> = quoted.lines().map(str::to_owned).collect();
    assert_eq!(missing(&quoted, &ran.stdout), None, "{}", ran.stdout);
}

#[test]
fn each_reason_not_to_run_is_needed() {
    let texts: Vec<String> =
        documents().iter().map(|document| std::fs::read_to_string(document).unwrap()).collect();
    let commands: Vec<Example> = texts.iter().flat_map(|text| examples(text)).collect();
    for (start, _) in NOT_RUN {
        assert!(commands.iter().any(|example| example.command.starts_with(start)), "no command {start}");
    }
    assert!(commands.len() > 30, "only {} commands were found", commands.len());
}

#[test]
fn a_quotation_must_be_in_the_output() {
    let quoted = ["first", "…", "third"].map(str::to_owned);
    assert_eq!(missing(&quoted, "first\nsecond\nthird\n"), None);
    assert_eq!(missing(&quoted, "third\nfirst\n"), Some(&quoted[2]));
}
