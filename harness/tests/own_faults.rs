//! Faults on our own side: disks, files, pipes, signals, a second run in the same folder. None of
//! them may look like a verdict, and earlier results are kept.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use support::{PROGRAM, peer, read_to_end, root, run, signal, start};

/// Two fast cases.
const FEW: [&str; 4] = ["--case", "probe/echo", "--case", "probe/add"];

fn few(more: &[&str]) -> support::Ran {
    run(&[&FEW[..], more].concat())
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_full_disk_is_an_error_and_not_a_verdict() {
    for format in ["json", "events", "junit", "tap", "markdown", "html", "text"] {
        few(&["--report", &format!("{format}=/dev/full")])
            .expect_status(&[2])
            .expect_text("the report to /dev/full cannot be written: No space left on device");
    }
}

#[test]
fn a_report_on_a_full_disk_does_not_affect_other_reports() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.json");
    let ran = few(&["--report", "html=/dev/full", "--report", &format!("json={}", other.display())]);
    ran.expect_status(&[2]).expect_text("exit 2: 1 report cannot be written");
    let report = json(&other);
    assert_eq!(report["planned"], report["cases"].as_array().unwrap().len());
}

#[test]
fn a_report_path_that_cannot_be_written_is_an_error_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let started = folder.path().join("started");
    let exec = format!("touch '{}'; exit 1", started.display());
    run(&["--exec", &exec, "--report", &format!("json={}", folder.path().display())])
        .expect_status(&[2])
        .expect_text("error: the report ")
        .expect_text("Is a directory");
    assert!(!started.exists(), "the peer was started, although the report cannot be written");
}

#[test]
fn files_that_cannot_be_read_are_named_as_the_callers_fault() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("case.jsonl");
    // A folder with the name of a transcript can be opened but not read, even by root.
    std::fs::create_dir(&file).unwrap();
    run(&["replay", file.to_str().unwrap()]).expect_status(&[2]).expect_text("case.jsonl");
    run(&["--baseline", file.to_str().unwrap()]).expect_status(&[2]).expect_text("case.jsonl");
    run(&["report", file.to_str().unwrap(), "--format", "html"])
        .expect_status(&[2])
        .expect_text("case.jsonl");
}

#[test]
fn an_error_in_a_transcript_has_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("case.jsonl");
    let whole = std::fs::read_to_string(root().join("fixtures/transcripts/probe/echo.jsonl")).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    for wrong in 0..lines.len() {
        let mut text = lines.clone();
        text[wrong] = "{\"no\": such}";
        std::fs::write(&file, text.join("\n")).unwrap();
        run(&["replay", file.to_str().unwrap()])
            .expect_status(&[2])
            .expect_text(&format!("line {}", wrong + 1));
    }
}

#[test]
fn closing_the_pipe_does_not_change_the_exit_status() {
    for (exec, expected) in [("", 0), ("--fault numbers-are-strings", 1)] {
        let exec = format!("exec '{PROGRAM}' serve {exec} --listen 127.0.0.1:{{port}}");
        let mut child =
            start(&["--exec", &exec, "--verbose", "--case", "probe/*", "--case", "value/numbers"]);
        let mut first = String::new();
        // Dropping the reader closes the pipe.
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let mut errors = String::new();
        child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(expected), "{first}{errors}");
        assert!(!errors.contains("panicked"), "{errors}");
    }
}

#[test]
fn a_machine_readable_report_to_a_closed_pipe_is_an_error() {
    for format in ["json", "tap", "junit"] {
        let report = format!("{format}=-");
        let mut child = start(&[&FEW[..], &["--report", &report]].concat());
        drop(child.stdout.take());
        let mut errors = String::new();
        child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(2), "{format}: {errors}");
        assert!(errors.contains("the report to standard output cannot be written"), "{errors}");
    }
}

/// A peer that sends its methods but never answers. It signals each connection.
fn deaf() -> (String, std::sync::mpsc::Receiver<()>) {
    let (connected, connections) = std::sync::mpsc::channel();
    let connected = std::sync::Mutex::new(connected);
    let address = peer(move |mut stream| {
        let _ = stream.write_all(b"{\"method\":\"methods\",\"arguments\":[{}]}\n");
        let _ = connected.lock().unwrap().send(());
        read_to_end(stream);
    });
    (address, connections)
}

#[test]
fn a_signal_at_any_moment_leaves_an_interrupted_report() {
    // The numbers of connections: the first one of the start, those of the preflight, and those of
    // cases.
    let words = ["-INT", "-TERM", "-QUIT", "-HUP"];
    for (moment, word) in [1, 2, 3, 4, 8].into_iter().flat_map(|at| words.map(|word| (at, word))) {
        let (address, connections) = deaf();
        let folder = tempfile::tempdir().unwrap();
        let report = folder.path().join("report.json");
        let to = format!("json={}", report.display());
        let mut child = start(&[&address, "--jobs", "1", "--deadline", "300ms", "--report", &to]);
        for _ in 0..moment {
            connections.recv().unwrap();
        }
        signal(&child, word);
        let mut out = String::new();
        child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        let status = child.wait().unwrap().code();
        assert!(matches!(status, Some(1 | 2)), "connection {moment}, {word}: {status:?}\n{out}");
        let report = json(&report);
        assert_eq!(report["interrupted"], true, "connection {moment}, {word}");
        let cases = report["cases"].as_array().unwrap().len();
        assert_eq!(report["planned"], cases, "connection {moment}, {word}: each planned case has a verdict");
    }
}

#[test]
fn a_signal_while_the_peer_starts_ends_the_run() {
    // The program signals its start, but never listens.
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("started");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let exec = format!("echo started >'{}'; exec tail -f /dev/null", fifo.display());
    let mut child = start(&["--exec", &exec]);
    assert_eq!(std::fs::read_to_string(&fifo).unwrap(), "started\n");
    signal(&child, "-TERM");
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2));
    assert!(errors.contains("interrupted before the peer accepted a connection"), "{errors}");
}

#[test]
fn the_findings_of_a_killed_campaign_are_complete_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (findings, corpus) = (folder.path().join("findings"), folder.path().join("corpus"));
    let serving =
        support::Listening::start(&["serve", "--fault", "numbers-are-strings", "--listen", "127.0.0.1:0"]);
    let folders = ["--findings", findings.to_str().unwrap(), "--corpus", corpus.to_str().unwrap()];
    let arguments = [&["fuzz", &serving.address, "--seed", "1"][..], &folders].concat();
    let mut child = start(&[&arguments[..], &["--time", "10m"]].concat());
    let out = BufReader::new(child.stdout.take().unwrap());
    let found = out.lines().map_while(Result::ok).find(|line| line.starts_with("FOUND"));
    signal(&child, "-KILL");
    child.wait().unwrap();
    assert!(found.is_some(), "the campaign ended without a finding");
    let whole = || {
        let entries = std::fs::read_dir(&findings).unwrap().map(|entry| entry.unwrap().path());
        let hidden = |path: &std::path::PathBuf| path.file_name().unwrap().to_string_lossy().starts_with('.');
        let found: Vec<_> = entries.filter(|path| !hidden(path)).collect();
        for folder in &found {
            for file in ["transcript.jsonl", "wire.log", "finding.md", "repeat.py"] {
                assert!(folder.join(file).exists(), "{} has no {file}", folder.display());
            }
        }
        found
    };
    let before = whole();
    assert!(!before.is_empty());
    run(&[&arguments[..], &["--time", "1s"]].concat()).expect_status(&[1]);
    let after = whole();
    assert!(before.iter().all(|folder| after.contains(folder)), "{before:?} {after:?}");
}

#[test]
fn commands_finish_their_work_with_closed_pipes() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let report = at("report.json");
    let exec = format!("exec '{PROGRAM}' serve --fault numbers-are-strings --listen 127.0.0.1:{{port}}");
    run(&["--case", "value/numbers", "--exec", &exec, "--report", &format!("json={report}")])
        .expect_status(&[1]);
    let log = root().join("fixtures/recordings/ruby--ruby.jsonl").display().to_string();
    let (known, out) = (at("known.toml"), at("imported"));
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    let commands: [&[&str]; 3] = [
        &["baseline", "create", &known, &report, "--reason", "a test"],
        &["import", &log, "--out", &out],
        // It cannot listen there and cannot print the reason.
        &["serve", "--listen", &taken],
    ];
    for (arguments, expected) in commands.into_iter().zip([0, 0, 2]) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(PROGRAM);
        command.args(arguments).stdout(writer.try_clone().unwrap()).stderr(writer);
        assert_eq!(command.status().unwrap().code(), Some(expected), "{arguments:?}");
    }
    assert!(Path::new(&known).exists());
    assert!(Path::new(&out).join("ruby--ruby.jsonl").exists());
}

#[test]
fn a_recording_continues_with_a_closed_pipe() {
    let server = support::Listening::start(&["serve", "--listen", "127.0.0.1:0"]);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().display().to_string();
    let mut child = start(&["record", "--listen", "127.0.0.1:0", "--to", &server.address, "--out", &out]);
    let mut first = String::new();
    // Dropping the reader closes the pipe.
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let address = first.split(' ').nth(2).unwrap().trim_end_matches(',').to_owned();
    for _ in 0..2 {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        stream.write_all(b"{\"method\":\"methods\",\"arguments\":[{}]}\n").unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        read_to_end(stream);
    }
    signal(&child, "-INT");
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{errors}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "{errors}");
}

#[test]
fn a_second_campaign_in_the_same_folder_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (findings, corpus, other) = (at("findings"), at("corpus"), at("other"));
    let serving = support::Listening::start(&["serve", "--listen", "127.0.0.1:0"]);
    let words = ["fuzz", &serving.address, "--seed", "1"];
    let within = |time, findings, corpus| {
        [&words[..], &["--time", time, "--findings", findings, "--corpus", corpus]].concat()
    };
    let mut child = start(&within("10m", &findings, &corpus));
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    for (findings, corpus) in [(&findings, &other), (&other, &corpus), (&corpus, &corpus)] {
        run(&within("1s", findings, corpus))
            .expect_status(&[2])
            .expect_text("error: another campaign uses the folder ");
    }
    // A killed campaign does not block the next one.
    signal(&child, "-KILL");
    child.wait().unwrap();
    run(&within("1s", &findings, &findings)).expect_status(&[0]);
}

#[test]
fn two_runs_in_one_folder_do_not_affect_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let reports = ["one.json", "other.json"].map(|name| folder.path().join(name));
    let exec = format!("exec '{PROGRAM}' serve --listen 127.0.0.1:{{port}}");
    let to = reports.each_ref().map(|path| format!("json={}", path.display()));
    let children = to.each_ref().map(|to| start(&[&FEW[..], &["--exec", &exec, "--report", to]].concat()));
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    }
    assert_eq!(json(&reports[0]), json(&reports[1]));
}

#[test]
fn a_listener_that_never_accepts_does_not_block_a_run() {
    // The kernel completes the connection, but the program never accepts it.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    run(&[&FEW[..], &[&address, "--deadline", "200ms"]].concat())
        .expect_status(&[1, 2])
        .expect_text("sends no message \"methods\"");
}

#[test]
fn a_jumping_wall_clock_does_not_change_verdicts() {
    let folder = tempfile::tempdir().unwrap();
    let clock = folder.path().join("clock.so");
    let source = root().join("harness/tests/support/jumping_clock.c");
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&clock).arg(source).status();
    assert!(compiled.is_ok_and(|status| status.success()), "this needs a C compiler, cc");
    let report = |name: &str, preload: &str| {
        let path = folder.path().join(name);
        let mut command = Command::new(PROGRAM);
        command.args(["--report", &format!("json={}", path.display())]).env("LD_PRELOAD", preload);
        let out = command.current_dir(root()).output().unwrap();
        (out.status.code(), std::fs::read_to_string(path).unwrap())
    };
    let jumping = report("jumping.json", clock.to_str().unwrap());
    assert_eq!(jumping.0, Some(0), "{}", jumping.1);
    assert!(jumping == report("steady.json", ""), "the reports differ");
    // The clock really jumps.
    let date = Command::new("date").arg("+%Y").env("LD_PRELOAD", &clock).output().unwrap();
    let year = String::from_utf8(date.stdout).unwrap();
    assert!(["1970", "2106"].contains(&year.trim()), "{year}");
}

#[test]
fn a_run_that_cannot_start_keeps_old_reports() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old.json"), folder.path().join("new.html"));
    std::fs::write(&old, "an old report").unwrap();
    let reports = [format!("json={}", old.display()), format!("html={}", new.display())];
    let reports = ["--report", &reports[0], "--report", &reports[1]];
    for never in [&["--case", "no/such"][..], &["127.0.0.1:1"], &["--exec", "exit 3"]] {
        run(&[never, &reports].concat()).expect_status(&[2]);
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "an old report", "{never:?}");
        assert!(!new.exists(), "{never:?}");
    }
    few(&reports).expect_status(&[0]);
    assert_eq!(json(&old)["verdicts"]["fail"], 0);
    assert!(new.exists());
}

#[test]
fn two_reports_to_one_file_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report");
    let again = folder.path().join(".").join("report");
    let reports = [format!("json={}", file.display()), format!("html={}", again.display())];
    few(&["--report", &reports[0], "--report", &reports[1]])
        .expect_status(&[2])
        .expect_text("error: two reports cannot be written to one file");
    assert!(!file.exists());
}

#[test]
fn a_report_whose_folder_was_removed_during_the_run_is_an_error() {
    for format in ["json", "events", "junit", "tap", "markdown", "html", "text"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("report");
        // The peer removes the folder when the report is already open.
        let place = folder.path().display();
        let exec = format!("rm -r '{place}'; exec '{PROGRAM}' serve --listen 127.0.0.1:{{port}}");
        few(&["--exec", &exec, "--report", &format!("{format}={}", file.display())])
            .expect_status(&[2])
            .expect_text(&format!("the report to {} cannot be written: No such file", file.display()));
    }
}

#[test]
fn a_run_that_waits_for_the_reader_of_a_pipe_can_be_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut child = start(&[&FEW[..], &["--report", &format!("json={}", pipe.display())]].concat());
    // The signal may arrive before or while the run waits for a reader. Both end the run.
    signal(&child, "-TERM");
    assert!(!child.wait().unwrap().success());
    let mut child = start(&[&FEW[..], &["--report", &format!("json={}", pipe.display())]].concat());
    let mut note = String::new();
    BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut note).unwrap();
    assert!(note.starts_with("waiting for a program that reads "), "{note}");
    let report = std::fs::read_to_string(&pipe).unwrap();
    assert!(report.contains("\"verdicts\""), "{report}");
    assert!(child.wait().unwrap().success());
}

#[test]
fn an_interrupted_run_makes_no_more_generated_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let to = format!("json={}", report.display());
    let exec = format!("exec '{PROGRAM}' serve --listen 127.0.0.1:{{port}}");
    let mut child = start(&["--exec", &exec, "--generate", "100000", "--seed", "1", "--report", &to]);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    // The run has begun when it prints the number of cases. The whole run would take
    // minutes.
    let begun = out.by_ref().lines().map_while(Result::ok).any(|line| line.contains(" cases"));
    assert!(begun);
    signal(&child, "-INT");
    std::io::copy(&mut out, &mut std::io::sink()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2));
    let report = json(&report);
    assert_eq!(report["interrupted"], true);
    assert_eq!(report["planned"], report["cases"].as_array().unwrap().len());
    assert!(report["verdicts"]["inconclusive"].as_u64() > Some(50_000), "{}", report["verdicts"]);
    run(&["--generate", "18446744073709551615"]).expect_status(&[2]).expect_text("1..=1000000");
}

#[test]
fn a_socket_replaces_a_stale_socket_but_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("thesis");
    std::fs::write(&file, "mine").unwrap();
    let at = format!("unix:{}", file.display());
    run(&["serve", "--listen", &at]).expect_status(&[2]).expect_text("the file there is not a socket");
    run(&["run", "--listen", &at, "--exec", "true"])
        .expect_status(&[2])
        .expect_text("error: cannot listen at unix:");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    // A stale socket is replaced, and the server removes its socket at the end.
    std::fs::remove_file(&file).unwrap();
    drop(std::os::unix::net::UnixListener::bind(&file).unwrap());
    let serving = support::Listening::start(&["serve", "--listen", &at]);
    run(&[&FEW[..], &[&at]].concat()).expect_status(&[0]);
    drop(serving);
    run(&["run", "--listen", &at, "--exec", "true"]).expect_status(&[2]).expect_text("peer: ");
    assert!(!file.exists());
}
