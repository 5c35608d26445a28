//! `--failed` and `show` from the user's view: what failed in the last run, or in a report.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::io::BufRead;
use std::path::Path;
use std::process::Command;
use support::{PROGRAM, Ran, output};

/// Runs the program in this folder.
fn run_in(folder: &Path, arguments: &[&str]) -> Ran {
    output(Command::new(PROGRAM).args(arguments).current_dir(folder))
}

/// The arguments for the reference peer with this fault.
fn faulty(fault: &str) -> [String; 2] {
    ["--exec".to_owned(), format!("exec '{PROGRAM}' serve --fault {fault} --listen 127.0.0.1:{{port}}")]
}

#[test]
fn a_run_is_kept_and_what_failed_in_it_runs_again() {
    let folder = tempfile::tempdir().unwrap();
    let [exec, command] = &faulty("swaps-arguments");
    let run = |arguments: &[&str]| run_in(folder.path(), arguments);
    run(&["--failed"]).expect_status(&[2]).expect_text("no run was kept in this folder");
    run(&[exec, command, "--case", "message/*", "--case", "probe/*"])
        .expect_status(&[1])
        .expect_text("4 fail");
    let kept = folder.path().join(".dnode-conform");
    assert_eq!(std::fs::read_to_string(kept.join(".gitignore")).unwrap(), "*\n");
    let again = run(&[exec, command, "--failed", "--verbose"]);
    again
        .expect_status(&[1])
        .expect_text("failed in the last run of selected cases: 4 cases")
        .expect_text("4 fail");
    assert!(!again.stdout.contains("probe/echo"), "a case that passed ran again\n{}", again.stdout);
    run(&["--failed", "--skip", "message/argument-order"]).expect_status(&[0]).expect_text("skipped: ");
    run(&["--failed"]).expect_status(&[0]).expect_text("nothing failed in ");
}

#[test]
fn a_finding_of_the_last_run_is_shown_in_full_without_another_run() {
    let folder = tempfile::tempdir().unwrap();
    let [exec, command] = &faulty("swaps-arguments");
    let run = |arguments: &[&str]| run_in(folder.path(), arguments);
    run(&["show"]).expect_status(&[2]).expect_text("no run was kept in this folder");
    let first = run(&[exec, command, "--case", "message/*", "--case", "probe/*"]);
    first.expect_status(&[1]).expect_text("; start with cause 1: ").expect_text(" show 1\n");
    assert!(!first.stdout.contains("suite ->"), "the default report has a wire log\n{}", first.stdout);
    let again = run(&["show"]);
    again.expect_status(&[0]);
    assert_eq!(again.stdout, first.stdout);
    run(&["show", "1"]).expect_status(&[0]).expect_text("suite ->");
    let case = run(&["show", "message/argument-order"]);
    case.expect_status(&[0]).expect_text("FAIL  message/argument-order\n").expect_text("suite ->");
    run(&["show", "99"]).expect_status(&[2]).expect_text("the last run of selected cases has no cause 99");
    run(&["show", "message/argument-ordr"])
        .expect_status(&[2])
        .expect_text("did you mean message/argument-order?");
    run(&["show", "--run", "none"]).expect_status(&[2]).expect_text("none cannot be read");
    // A file of two runs: a case is shown for each, and a number would be ambiguous.
    let kept = std::fs::read_to_string(folder.path().join(".dnode-conform/last-selected.jsonl")).unwrap();
    std::fs::write(folder.path().join("two.events"), kept.repeat(2)).unwrap();
    let two = run(&["show", "message/argument-order", "--run", "two.events"]);
    assert_eq!(two.stdout.matches("FAIL  message/argument-order\n").count(), 2, "{}", two.stdout);
    run(&["show", "1", "--run", "two.events"]).expect_status(&[2]).expect_text("the file has 2 runs");
    run(&["report", "two.events", "--format", "html", "--out", "two.events"])
        .expect_status(&[2])
        .expect_text("is one of the runs to read");
}

/// A run of all cases takes long, so a shorter one takes its place.
#[test]
fn repeating_a_finding_keeps_the_run_that_showed_it() {
    let folder = tempfile::tempdir().unwrap();
    let [exec, command] = &faulty("swaps-arguments");
    let run = |arguments: &[&str]| run_in(folder.path(), arguments);
    let kept = |name: &str| folder.path().join(".dnode-conform").join(name);
    run(&[exec, command, "--case", "message/*", "--case", "probe/*"]).expect_status(&[1]);
    std::fs::rename(kept("last-selected.jsonl"), kept("last-run.jsonl")).unwrap();
    let whole = run(&["show"]).stdout;
    let third = run(&["show", "3"]).expect_status(&[0]).stdout.clone();

    // A single case replaces nothing, and its id shows it.
    let repeated = run(&[exec, command, "--case", "message/argument-order"]);
    repeated.expect_status(&[1]);
    assert!(!repeated.stderr.contains("start with cause"), "all of it was printed\n{}", repeated.stderr);
    assert_eq!(run(&["show"]).stdout, whole);
    assert_eq!(run(&["show", "3"]).stdout, third);
    run(&["show", "99"]).expect_status(&[2]).expect_text("the last run of all cases has no cause 99");
    run(&["--case", "message/argument-order"]).expect_status(&[0]);
    run(&["show", "message/argument-order"])
        .expect_status(&[0])
        .expect_text("PASS  message/argument-order")
        .expect_text("note: this is the last run of a single case; --run .dnode-conform/last-run.jsonl is");

    // Selected cases have numbers of their own, and the whole run is still there.
    let again = run(&[exec, command, "--failed"]);
    again.expect_status(&[1]).expect_text("failed in the last run of all cases: 4 cases");
    assert!(!kept("last-case.jsonl").exists(), "it is older");
    run(&["show", "99"])
        .expect_status(&[2])
        .expect_text("the last run of selected cases has no cause 99")
        .expect_text("note: this is the last run of selected cases; --run .dnode-conform/last-run.jsonl is");
    assert_eq!(run(&["show", "--run", ".dnode-conform/last-run.jsonl"]).stdout, whole);
    run(&["--failed=.dnode-conform/last-run.jsonl"]).expect_status(&[0]).expect_text(": 4 cases");
    run(&["--failed"]).expect_status(&[0]).expect_text("nothing failed in the last run of selected cases");
}

#[test]
fn a_single_case_is_shown_in_full_and_others_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let [exec, command] = &faulty("swaps-arguments");
    let run = |arguments: &[&str]| run_in(folder.path(), &[&[exec.as_str(), command], arguments].concat());
    run(&["--case", "message/argument-order"]).expect_status(&[1]).expect_text("suite ->");
    run(&["--case", "message/*", "--details"]).expect_status(&[1]).expect_text("(handshake as above)");
}

#[test]
fn what_failed_in_a_report_runs_again() {
    let folder = tempfile::tempdir().unwrap();
    let [exec, command] = &faulty("swaps-arguments");
    for format in ["json", "events"] {
        let (to, from) = (format!("{format}=report"), "--failed=report");
        run_in(folder.path(), &[exec, command, "--case", "message/argument-order", "--report", &to]);
        run_in(folder.path(), &[from]).expect_status(&[0]).expect_text("failed in report: 1 case\n");
    }
    let text = std::fs::read_to_string(folder.path().join("report")).unwrap();
    std::fs::write(folder.path().join("report"), text.replace("message/argument-order", "message/gone"))
        .unwrap();
    run_in(folder.path(), &["--failed=report"])
        .expect_status(&[2])
        .expect_text("note: message/gone failed in report, but there is no such case now")
        .expect_text("no case that failed in report can be run now");
}

#[test]
fn generated_sessions_that_failed_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let [exec, command] = &faulty("never-calls-methods");
    run_in(folder.path(), &[exec, command, "--generate", "10", "--seed", "1"]).expect_status(&[1]);
    run_in(folder.path(), &["--failed", "--verbose"]).expect_status(&[0]).expect_text("generated/1-");
}

#[test]
fn a_folder_that_cannot_be_written_is_only_a_note() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".dnode-conform"), "not a folder").unwrap();
    run_in(folder.path(), &["--case", "probe/echo"])
        .expect_status(&[0])
        .expect_text("note: --failed and show will not know this run");
}

/// The program in this folder, run with `--watch`, and what it prints.
struct Watching {
    program: std::process::Child,
    lines: std::io::Lines<std::io::BufReader<std::process::ChildStdout>>,
}

impl Watching {
    fn start(folder: &Path, arguments: &[&str]) -> Watching {
        let mut program = Command::new(PROGRAM)
            .args(arguments)
            .current_dir(folder)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let lines = std::io::BufReader::new(program.stdout.take().unwrap()).lines();
        Watching { program, lines }
    }

    /// The lines up to the first one that has this text.
    fn until(&mut self, text: &str) -> String {
        let mut lines = String::new();
        while !lines.contains(text) {
            lines.push_str(&self.lines.next().unwrap().unwrap());
            lines.push('\n');
        }
        lines
    }

    /// Presses Ctrl-C, and returns the exit status.
    fn end(&mut self) -> i32 {
        let pid = i32::try_from(self.program.id()).unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGINT).unwrap();
        self.program.wait().unwrap().code().unwrap()
    }
}

/// A test that fails leaves no program behind.
impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[test]
fn watch_runs_again_after_a_change_and_says_what_turned_green() {
    let folder = tempfile::tempdir().unwrap();
    let port = |text: &str| std::fs::write(folder.path().join("port.sh"), text).unwrap();
    let serve = |options: &str| format!("exec '{PROGRAM}' serve --listen 127.0.0.1:$1 {options}\n");
    port(&serve("--fault swaps-arguments"));
    let cases = ["--case", "message/*", "--case", "cull/deletes", "--case", "probe/*"];
    let arguments = [&["--watch", "--exec", "exec sh port.sh {port}"], cases.as_slice()].concat();
    let mut watching = Watching::start(folder.path(), &arguments);
    let first = watching.until("\nwatching ");
    assert!(first.contains("3 causes") && first.contains("4 fail"), "{first}");

    // Another fault: what failed before is green, and something else turns red.
    port(&serve("--fault ignores-cull"));
    let second = watching.until("  red    cull/deletes\n");
    assert!(second.contains("changed: port.sh\n"), "{second}");
    assert!(second.contains("\n  green  message/argument-order\n"), "what failed runs first\n{second}");
    watching.until("1 fail\n");
    watching.until("\nwatching ");

    // A program that does not start is no end.
    port("exit 3\n");
    watching.until("watching ");
    port(&serve(""));
    watching.until("  green  cull/deletes\n");
    watching.until("\nwatching ");
    port(&format!("# Only a comment is new.\n{}", serve("")));
    watching.until("still green: none of 56 cases fails\n");
    let other = folder.path().join("other.sh");
    std::fs::write(&other, "").unwrap();
    watching.until("\nchanged: other.sh\n");
    watching.until("\nwatching ");
    std::fs::remove_file(&other).unwrap();
    watching.until("\nremoved: other.sh\n");
    watching.until("\nwatching ");
    assert_eq!(watching.end(), 0);
    run_in(folder.path(), &["--failed"]).expect_text("nothing failed in ");
}

#[test]
fn watch_judges_the_probe_as_a_run_does() {
    let folder = tempfile::tempdir().unwrap();
    let [exec, command] = &faulty("lacks-later");
    let cases = ["--case", "probe/*", "--skip", "always/framing-json"];
    let mut watching =
        Watching::start(folder.path(), &[&["--watch", exec, command], cases.as_slice()].concat());
    let planned = |text: &str| text.lines().find(|line| line.contains(" planned: ")).map(str::to_owned);
    let watched = planned(&watching.until("\nwatching "));
    assert_eq!(watching.end(), 1);
    let run = run_in(folder.path(), &[&[exec.as_str(), command], cases.as_slice()].concat());
    run.expect_status(&[1]).expect_text("probe/complete");
    assert_eq!(watched, planned(&run.stdout));
}

#[test]
fn watch_ends_with_an_error_if_its_folder_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let lib = folder.path().join("lib");
    std::fs::create_dir(&lib).unwrap();
    let exec = format!("exec '{PROGRAM}' serve --listen 127.0.0.1:{{port}}");
    let mut watching =
        Watching::start(folder.path(), &["--watch=lib", "--exec", &exec, "--case", "framing/segments"]);
    watching.until("\nwatching lib");
    std::fs::write(lib.join("a.rb"), "").unwrap();
    watching.until("\nchanged: lib/a.rb\n");
    watching.until("\nwatching lib");
    std::fs::remove_dir_all(&lib).unwrap();
    assert_eq!(watching.program.wait().unwrap().code(), Some(2));
}

#[test]
fn watch_does_not_run_forever_if_the_port_writes_a_file_at_each_start() {
    let folder = tempfile::tempdir().unwrap();
    let exec = format!("echo started >> starts.txt; exec '{PROGRAM}' serve --listen 127.0.0.1:{{port}}");
    let mut watching =
        Watching::start(folder.path(), &["--watch", "--exec", &exec, "--case", "framing/segments"]);
    watching.until("changed: starts.txt\n");
    watching.until("\nwatching ");
    assert_eq!(watching.end(), 0);
}
