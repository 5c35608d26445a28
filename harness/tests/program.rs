//! The program from the user's view: the default, the other commands, errors, interruption.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use support::{PROGRAM, peer, read_to_end, root, run};

#[test]
fn two_runs_of_the_default_give_the_same_report() {
    let folder = tempfile::tempdir().unwrap();
    let reports = ["first.json", "second.json"].map(|name| folder.path().join(name));
    for report in &reports {
        let ran = run(&["--report", &format!("json={}", report.display())]);
        ran.expect_status(&[0]).expect_text("nothing that gates failed");
    }
    let [first, second] = reports.map(|report| std::fs::read_to_string(report).unwrap());
    assert!(first == second, "two reports differ");
    let report: serde_json::Value = serde_json::from_str(&first).unwrap();
    assert_eq!(report["verdicts"]["pass"], report["planned"]);
    expect_version(&run(&["--version"]).stdout, &report["planned"]);
}

/// The version names the commit, and the cases that a run plans.
fn expect_version(text: &str, planned: &serde_json::Value) {
    let ending = format!(", {planned} cases)\n");
    let begin = concat!("dnode-conform ", env!("CARGO_PKG_VERSION"), " (");
    let commit = text.strip_prefix(begin).and_then(|rest| rest.strip_suffix(&ending));
    let is_commit = |word: &str| word.len() == 7 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(commit.is_some_and(|it| is_commit(it) || it == "commit unknown"), "{text}");
}

#[test]
fn wrong_arguments_are_explained() {
    let wrong: &[(&[&str], &str)] = &[
        (&["nonsense"], "write HOST:PORT"),
        (&["runn"], "did you mean run?"),
        (&["reprot", "run.json", "--format", "html"], "did you mean report?"),
        (&["--case", "no/such/case"], "no case matches --case no/such/case. `dnode-conform list`"),
        (&["--case", "always/robust-survives"], "select some of those too"),
        (&["list", "--case", "calback/*"], "no case matches --case 'calback/*'. Did you mean 'callback/*'?"),
        (&["--listen", "127.0.0.1:0", "--pull", "--case", "pul/*"], "Did you mean 'pull/*'?"),
        (&["compare", "reference", "reference", "--case", "callback/mny"], "Did you mean callback/many"),
        (&["compare", "reference", "reference", "--skip", "callbak/*"], "Did you mean 'callback/*'?"),
        (&["--case", "["], "--case"),
        (&["--case", "cull/*", "--case", "cul/many"], "no case matches --case cul/many"),
        (&["--skip", "robst/*"], "no case matches --skip 'robst/*'. Did you mean 'robust/*'?"),
        (&["--skip", "*"], "--skip leaves no case to run"),
        (&["list", "--skip", "robst/*"], "Did you mean 'robust/*'?"),
        (&["--case", "generated/1-17", "--case", "probe/echo"], "generated sessions run without other cases"),
        (&["--case", "methods/by-id", "--case", "pull/cull"], "is for a client that pulls its tasks"),
        (&["--ping", "add"], "for example add[1,2,\"$cb\"]"),
        (&["--deadline", "soon"], "500ms"),
        (&["--jobs", "0"], "--jobs"),
        (&["--max-time", "0s"], "longer than 0; 0 is no limit"),
        (&["--report", "xml=x"], "text, json, events, junit, tap, markdown, github, html"),
        (&["--report", "html"], "html=PATH"),
        (&["--report", "run.json"], "for example json=run.json"),
        (&["--report", "html=-", "--report", "tap=-"], "only one report"),
        (&["report", "Cargo.toml", "--format", "html"], "Cargo.toml is no report of a run"),
        (&["report", "no-such-file.json", "--format", "html"], "cannot be read"),
        (&["--shard", "0/3"], "no shard 0 of 3"),
        (&["--shard", "4/3"], "no shard 4 of 3"),
        (&["--shard", "first"], "write K/N"),
        (&["--shard", "1/99999999999999999999999"], "at most 1000000 shards"),
        (&["lsit"], "did you mean list?"),
        (&["explain", "message/argument-ordr"], "did you mean message/argument-order?"),
        (&["--report", "jsno=x"], "did you mean json?"),
        (&["serve", "--fault", "ignore-links"], "did you mean ignores-links; --list-faults lists them"),
        (&["interop", "--peers", "fixtures/peers", "--server", "npm-dnod"], "did you mean npm-dnode"),
        (&["--deadline", "5"], "write a number and its unit"),
        (&["--generate", "6", "--shard", "1/2"], "needs --seed"),
        (&["--report", "json=no/such/folder/x"], "cannot be written"),
        (&["--exec", " "], "--exec needs a command"),
        (&["replay", "no-such-file.jsonl"], "no-such-file.jsonl"),
        (&["explain", "no/such/thing"], "dnode-conform list"),
        (&["replay", "Cargo.toml"], "line 1"),
    ];
    for (arguments, text) in wrong {
        run(arguments).expect_status(&[2]).expect_text(text);
    }
}

#[test]
fn a_program_that_ends_at_once_is_explained() {
    let ends = |exec| run(&["--exec", exec]);
    ends("no-such-program {port}")
        .expect_status(&[2])
        .expect_text("error: ")
        .expect_text("The shell did not find the program");
    ends("exit 3")
        .expect_status(&[2])
        .expect_text("peer: ")
        .expect_text("It must listen at the port given as {port}");
    ends(": {port}; exit 3").expect_status(&[2]).expect_text("Does it listen at the port given as {port}");
    run(&["--exec", ": {socket}; exit 3", "--at", "unix:{socket}"])
        .expect_status(&[2])
        .expect_text("Does it listen at the path given as {socket}");
}

#[test]
fn list_names_cases_and_invariants() {
    run(&["list"])
        .expect_status(&[0])
        .expect_text("callback/called-again")
        .expect_text("always/framing-json");
    let json = run(&["list", "--format", "json", "--case", "cull/*"]);
    let rows: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert!(rows.as_array().unwrap().iter().all(|row| row["id"].as_str().unwrap().starts_with("cull/")));
}

#[test]
fn skipped_cases_are_not_planned_and_the_header_names_them() {
    let ran = run(&["--case", "probe/*", "--skip", "probe/e*", "--skip", "always/*", "--verbose"]);
    ran.expect_status(&[0]).expect_text("skipped: 'probe/e*', 'always/*'").expect_text("probe/add");
    assert!(!ran.stdout.contains("probe/echo") && !ran.stdout.contains(" always/"), "{}", ran.stdout);
    let listed = run(&["list", "--case", "probe/*", "--skip", "probe/e*"]);
    listed.expect_status(&[0]).expect_text("probe/add");
    assert!(!listed.stdout.contains("probe/echo"), "{}", listed.stdout);
}

#[test]
fn cases_that_have_no_time_are_inconclusive_and_what_was_found_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("run.json");
    let to = format!("json={}", report.display());
    // The preflight may take longer than this. In any case, no case begins.
    run(&["--max-time", "1ms", "--report", &to])
        .expect_status(&[2])
        .expect_text("--max-time elapsed before ")
        .expect_text("interrupted");
    let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap();
    assert_eq!(report["planned"], report["cases"].as_array().unwrap().len());
    assert_eq!(report["interrupted"], true);
    // The time includes the start of the peer.
    run(&["--exec", "exec tail -f /dev/null", "--max-time", "300ms"])
        .expect_status(&[2])
        .expect_text("error: --max-time elapsed before the peer accepted a connection");
    run(&["--generate", "600", "--seed", "1", "--max-time", "1ms"])
        .expect_status(&[2])
        .expect_text(" 600  --max-time elapsed before ");
    run(&["--case", "probe/echo", "--max-time", "10h"]).expect_status(&[0]);
    run(&["--case", "probe/echo", "--max-time", "0"]).expect_status(&[0]);
}

#[test]
fn the_time_of_a_run_includes_the_preflight_and_it_says_where_it_was() {
    // It sends its object, and answers nothing.
    let address = peer(|mut stream| {
        let _ = stream.write_all(support::METHODS);
        read_to_end(stream);
    });
    let ran = run(&[&address, "--deadline", "1h", "--max-time", "300ms"]);
    ran.expect_status(&[2])
        .expect_text("--max-time elapsed while no case was running")
        .expect_text("--max-time elapsed before the end of the preflight")
        .expect_text("interrupted");
}

#[test]
fn the_time_of_a_run_includes_shrinking() {
    // Only the first start listens, so shrinking the finding would wait for an hour.
    let folder = tempfile::tempdir().unwrap();
    let first = folder.path().join("first").display().to_string();
    let serve = format!("exec '{PROGRAM}' serve --fault numbers-are-strings --listen 127.0.0.1:{{port}}");
    let exec = format!("if mkdir '{first}'; then {serve}; fi; exec tail -f /dev/null");
    let generate = ["--generate", "20", "--seed", "1", "--exec", &exec, "--start-timeout", "1h"];
    // On a slow machine, the time may be over before the sessions.
    run(&[&generate[..], &["--max-time", "5s"]].concat()).expect_status(&[1, 2]);
}

#[test]
fn explain_describes_cases_clauses_and_faults() {
    run(&["explain", "methods/by-id"])
        .expect_status(&[0])
        .expect_text("clause methods/by-id (must)")
        .expect_text("source    protocol document")
        .expect_text("case methods/by-id (must, since 0.1.0)")
        .expect_text("names-only  answers calls of its methods by name only")
        .expect_text("{\"dnode-transcript\":1,\"id\":\"methods/by-id\"");
    run(&["explain", "always/framing-utf8"]).expect_status(&[0]).expect_text("latin-1");
    run(&["explain", "latin-1"]).expect_status(&[0]).expect_text("always/framing-utf8");
}

#[test]
fn completions_are_valid_scripts() {
    let script = run(&["completions", "bash"]);
    script.expect_status(&[0]).expect_text("--deadline");
    let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    bash.stdin.take().unwrap().write_all(script.stdout.as_bytes()).unwrap();
    assert!(bash.wait().unwrap().success());
    run(&["completions", "sh"]).expect_status(&[2]).expect_text("zsh");
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let folder = tempfile::tempdir().unwrap();
    run(&["man", "--out", &folder.path().join("man").display().to_string()]).expect_status(&[0]);
    let mut names: Vec<String> = std::fs::read_dir(folder.path().join("man"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(
        names.contains(&"dnode-conform.1".to_owned()) && names.contains(&"dnode-conform-man.1".to_owned())
    );
    let pages = run(&["man"]);
    assert_eq!(pages.stdout.lines().filter(|line| line.starts_with(".TH ")).count(), names.len());
    let listed = run(&["--help"]);
    let commands = listed.stdout.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands = commands.take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("  help "));
    assert_eq!(commands.count() + 1, names.len());
    run(&["man", "--out", "Cargo.toml"]).expect_status(&[2]).expect_text("the manual cannot be written");
}

#[test]
fn a_peer_that_accepts_only_integers_in_paths_fails_only_the_cases_about_that() {
    let exec = format!("exec '{PROGRAM}' serve --fault integer-paths-only --listen 127.0.0.1:{{port}}");
    run(&["--exec", &exec, "--case", "callback/*", "--case", "probe/*", "--deadline", "500ms"])
        .expect_status(&[1])
        .expect_text("FAIL      callback/path-forms")
        .expect_text(", path-mixed")
        .expect_text(" 2 fail\n");
}

#[test]
fn a_peer_that_answers_nothing_fails_the_cases_about_calling() {
    let exec = format!("exec '{PROGRAM}' serve --fault answers-elsewhere --listen 127.0.0.1:{{port}}");
    run(&["--exec", &exec, "--case", "methods/*", "--deadline", "300ms"])
        .expect_status(&[1])
        .expect_text("FAIL      methods/by-id")
        .expect_text("methods/by-id failed");
}

#[test]
fn a_process_that_ends_with_its_first_connection_is_a_crash() {
    let once = "import socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); s.accept(); sys.exit(3)";
    let exec = format!("exec python3 -c \"{once}\" {{port}}");
    run(&["--exec", &exec])
        .expect_status(&[1])
        .expect_text("CRASH     always/robust-survives")
        .expect_text("exit status 3 with its first connection");
}

#[test]
fn a_process_that_ends_after_each_connection_is_one_crash() {
    // It greets one more connection that has come by then, which is usually the preflight.
    let script = r#"import socket, sys
server = socket.create_server(('127.0.0.1', int(sys.argv[1])))
server.accept()[0].recv(1)
server.settimeout(0.05)
try:
    server.accept()[0].sendall(b'{"method":"methods","arguments":[{}]}\n')
except TimeoutError:
    pass
"#;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("once.py");
    std::fs::write(&path, script).unwrap();
    run(&["--exec", &format!("exec python3 '{}' {{port}}", path.display())])
        .expect_status(&[1])
        .expect_text("CRASH     always/robust-survives")
        .expect_text("exit status 0 with its first connection")
        .expect_text(" 1 crash");
}

#[test]
fn a_process_that_ends_between_the_cases_fails_no_single_case() {
    let exec = format!("exec '{PROGRAM}' serve --fault dies-after-a-cull --listen 127.0.0.1:{{port}}");
    run(&["--exec", &exec, "--case", "cull/*", "--case", "probe/*"])
        .expect_status(&[1])
        .expect_text("CRASH     always/robust-survives")
        .expect_text(", 1 crash\n");
}

#[test]
fn the_command_of_a_replayed_finding_names_its_file() {
    let exec = format!("exec '{PROGRAM}' serve --fault numbers-are-strings --listen 127.0.0.1:{{port}}");
    let files = ["fixtures/transcripts/probe/add.jsonl", "fixtures/transcripts/value/strings.jsonl"];
    run(&["replay", files[0], files[1], "--exec", &exec])
        .expect_status(&[1])
        .expect_text("replay fixtures/transcripts/probe/add.jsonl --exec");
}

#[test]
fn fail_fast_ends_the_run_at_the_first_failure() {
    let exec = format!("exec '{PROGRAM}' serve --fault numbers-are-strings --listen 127.0.0.1:{{port}}");
    run(&["--exec", &exec, "--fail-fast"])
        .expect_status(&[1])
        .expect_text("the run ended at the first failure");
    run(&["--fail-fast"]).expect_status(&[0]);
}

#[test]
fn serve_and_replay_work_over_an_address() {
    let mut serving = Command::new(PROGRAM)
        .args(["serve", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(serving.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening at ").unwrap().to_owned();
    run(&[&address, "--case", "callback/*"]).expect_status(&[0]);
    let ran = run(&["replay", "fixtures/transcripts/callback/called-again.jsonl", &address]);
    serving.kill().unwrap();
    serving.wait().unwrap();
    ran.expect_status(&[0]);
}

#[test]
fn a_failing_case_is_shown_with_its_difference() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.jsonl");
    let text = "{\"dnode-transcript\":1,\"id\":\"test/wrong\",\"since\":\"0.1.0\",\"clauses\":[\"value/numbers\"],\
                \"needs\":[\"add\"],\"about\":\"A wrong sum.\"}\n{\"call\":\"add\",\"arguments\":[1,2,\"$cb\"]}\n\
                {\"expect\":{\"method\":\"$cb\",\"arguments\":[4]}}\n";
    std::fs::write(&file, text).unwrap();
    let ran = run(&["replay", file.to_str().unwrap()]);
    ran.expect_status(&[1])
        .expect_text("arguments[0]")
        .expect_text("expected    4")
        .expect_text("got         3")
        .expect_text("($cb is id ");
}

#[test]
fn control_sequences_of_a_peer_do_not_reach_the_terminal() {
    let address = peer(|mut stream| {
        let _ = stream.write_all(b"\x1b]0;owned\x07\x1b[2J\xff\n");
        read_to_end(stream);
    });
    let ran = run(&[&address, "--deadline", "200ms", "--details"]);
    ran.expect_status(&[1, 2]).expect_text("\\x1b");
    assert!(!ran.stdout.contains('\x1b') && !ran.stderr.contains('\x1b'));
}

#[test]
fn an_interrupted_run_writes_its_reports() {
    // A peer that sends its methods but never answers keeps the run waiting.
    let address = peer(|mut stream| {
        let _ = stream.write_all(b"{\"method\":\"methods\",\"arguments\":[{}]}\n");
        read_to_end(stream);
    });
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let mut running = Command::new(PROGRAM)
        .args([&address, "--jobs", "1", "--report", &format!("json={}", report.display())])
        .current_dir(root())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The header is printed when the cases begin.
    let mut header = String::new();
    let mut out = BufReader::new(running.stdout.take().unwrap());
    out.read_line(&mut header).unwrap();
    let interrupt = Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    std::io::copy(&mut out, &mut std::io::sink()).unwrap();
    let mut notes = String::new();
    running.stderr.take().unwrap().read_to_string(&mut notes).unwrap();
    assert!(
        notes.contains(
            "interrupted: the run ends after the current cases, at most 5 s later; press Ctrl-C again"
        ),
        "{notes}"
    );
    assert_eq!(running.wait().unwrap().code(), Some(2));
    let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap();
    assert_eq!(report["interrupted"], true);
}

#[test]
fn a_run_interrupted_in_the_preflight_ends_at_once_and_writes_its_reports() {
    // Each wait for this peer lasts for minutes, so only the interruption ends the run.
    let (accepted, begun) = std::sync::mpsc::channel();
    let address = peer(move |stream| {
        let _ = accepted.send(());
        read_to_end(stream);
    });
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let running = Command::new(PROGRAM)
        .args([&address, "--deadline", "10m", "--report", &format!("json={}", report.display())])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The first connection shows that the peer listens; the second one is the preflight.
    (0..2).for_each(|_| begun.recv().unwrap());
    let interrupt = Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let output = running.wait_with_output().unwrap();
    let notes = String::from_utf8_lossy(&output.stderr);
    assert!(notes.contains("interrupted: the run ends; press Ctrl-C again to stop"), "{notes}");
    assert_eq!(output.status.code(), Some(2));
    let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap();
    assert_eq!(report["interrupted"], true);
}

#[test]
fn a_program_that_ignores_sigterm_is_killed_with_its_children() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    // The program never listens. Its child ignores SIGTERM too.
    let command = format!(
        "trap '' TERM; (trap '' TERM; echo $$ >>{0}; exec tail -f /dev/null) & echo $! >>{0}; exit 4",
        pids.display()
    );
    run(&["--exec", &command]).expect_status(&[2]).expect_text("exit status 4");
    for pid in std::fs::read_to_string(&pids).unwrap().split_whitespace() {
        let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(status.is_empty() || status.contains(") Z "), "{pid} is still there: {status}");
    }
}

/// Two connections, each with a counter. The reference peer counts the ids of each connection from
/// the same number.
const SAME_NUMBERS: &str = r#"{"dnode-transcript":1,"id":"t/same-numbers","since":"0.1.0","clauses":["methods/connections"],"needs":["getCounter"],"about":"A number is an id on two connections."}
{"call":"getCounter","arguments":["$got"]}
{"expect":{"method":"$got","arguments":[{"inc":"$inc","get":"$get"}]}}
{"call":"getCounter","arguments":["$other"],"on":"b"}
{"expect":{"method":"$other","arguments":[{"inc":"$incB","get":"$getB"}]},"on":"b"}
{"line":["{\"method\":\"cull\",\"arguments\":[",{"id":"$inc"},"]}"],"on":"b"}
"#;

#[test]
fn number_that_both_connections_have_is_not_used_on_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("same-numbers.jsonl");
    std::fs::write(&file, SAME_NUMBERS).unwrap();
    let ran = run(&["replay", file.to_str().unwrap()]);
    ran.expect_text("the number of $inc is also that of a function of this connection");
}

#[test]
fn help_that_cannot_be_written_is_an_error() {
    for help in ["--help", "-h", "--version", "run --help"] {
        let command = format!("'{PROGRAM}' {help} > /dev/full");
        let output = std::process::Command::new("sh").args(["-c", &command]).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{help}: {stderr}");
        assert!(stderr.starts_with("error: standard output cannot be written: No space left"), "{stderr}");
    }
    let closed = format!("'{PROGRAM}' --help | true; exit ${{PIPESTATUS:-0}}");
    assert!(std::process::Command::new("bash").args(["-c", &closed]).status().unwrap().success());
}

#[test]
fn short_help_fits_on_a_screen() {
    let ran = run(&["run", "-h"]);
    ran.expect_status(&[0]).expect_text("--exec").expect_text("see more with '--help'");
    assert!(ran.stdout.lines().count() <= 45 && !ran.stdout.contains("--dialect"), "{}", ran.stdout);
    run(&["run", "--help"]).expect_status(&[0]).expect_text("--dialect").expect_text("--tls-ca");
}
