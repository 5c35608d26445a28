//! Files that cannot be written. All failures are named, and old files stay whole.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../capture/tests/support/packets.rs"]
mod packets;
mod support;

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use support::{PROGRAM, Ran, output, read_to_end, root};
use tempfile::TempDir;

/// The content of a file before a command.
const OLD: &str = "an old file\n";

/// A folder, in which commands run.
struct Place(TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn old(&self, name: &str) -> String {
        std::fs::write(self.path(name), OLD).unwrap();
        self.path(name)
    }

    /// Runs the program here.
    fn run(&self, arguments: &[&str]) -> Ran {
        output(Command::new(PROGRAM).args(arguments).current_dir(&self.0))
    }

    /// Runs the program here, without space for a byte in any file.
    fn run_on_full_disk(&self, arguments: &[&str]) -> Ran {
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -f 0; exec \"$@\"", "sh", PROGRAM]).args(arguments);
        output(shell.current_dir(&self.0))
    }

    /// The names of all files here, without those of the program itself.
    fn names(&self) -> Vec<String> {
        names(self.0.path())
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != ".dnode-conform").collect();
    names.sort();
    names
}

fn is_old(path: &str) -> bool {
    support::read(path) == OLD
}

const NO_SPACE: &str = "File too large";

/// A peer with a finding, and the case that shows it.
fn faulty() -> [String; 4] {
    let exec = format!("exec '{PROGRAM}' serve --fault numbers-are-strings --listen 127.0.0.1:{{port}}");
    ["--case", "value/numbers", "--exec", &exec].map(str::to_owned)
}

#[test]
fn each_report_that_cannot_be_written_is_named_and_old_files_stay() {
    let place = Place::new();
    let old = ["json", "html", "junit"].map(|format| (format, place.old(&format!("report.{format}"))));
    let new = ["events", "markdown", "tap", "text"].map(|format| (format, place.path(format)));
    let files: Vec<&(&str, String)> = old.iter().chain(&new).collect();
    let reports: Vec<String> =
        files.iter().flat_map(|(format, path)| ["--report".to_owned(), format!("{format}={path}")]).collect();
    let reports: Vec<&str> = reports.iter().map(String::as_str).collect();
    let ran = place.run_on_full_disk(&[&["--case", "probe/*"][..], &reports].concat());
    ran.expect_status(&[2]);
    for (_, path) in files {
        ran.expect_text(&format!("the report to {path} cannot be written: {NO_SPACE}"));
    }
    assert!(old.iter().all(|(_, path)| is_old(path)));
    assert_eq!(place.names(), ["report.html", "report.json", "report.junit"]);
}

#[test]
fn a_report_on_a_full_disk_leaves_the_text_whole() {
    let place = Place::new();
    let faulty = faulty();
    let arguments: Vec<&str> = faulty.iter().map(String::as_str).collect();
    let whole = place.run(&arguments);
    whole.expect_status(&[1]);
    let ran = place.run(&[&arguments[..], &["--report", "json=/dev/full"]].concat());
    ran.expect_status(&[2]);
    let exit = "exit 2: 1 report cannot be written, 1 gating failure\n";
    assert_eq!(ran.stdout, whole.stdout.replace("exit 1: 1 gating failure\n", exit));
}

#[test]
fn a_report_to_the_name_of_standard_output_is_alone_there() {
    let place = Place::new();
    let file = File::create(place.path("out")).unwrap();
    let mut command = Command::new(PROGRAM);
    command.args(["--case", "probe/echo", "--report", "json=/dev/stdout"]).current_dir(&place.0);
    assert!(command.stdout(file).status().unwrap().success());
    let report: serde_json::Value = serde_json::from_str(&support::read(place.path("out"))).unwrap();
    assert_eq!(report["planned"], report["cases"].as_array().unwrap().len());
}

#[test]
fn two_reports_of_a_machine_cannot_share_a_file() {
    let place = Place::new();
    let file = place.old("file");
    std::os::unix::fs::symlink("file", place.path("link")).unwrap();
    let [json, html] = [format!("json={file}"), format!("html={}", place.path("link"))];
    place
        .run(&["learn", "--report", &json, "--report", &html])
        .expect_status(&[2])
        .expect_text("error: two reports cannot be written to one file");
    assert!(is_old(&file));
}

#[test]
fn each_report_of_a_machine_that_cannot_be_written_is_named() {
    let place = Place::new();
    let html = place.path("machine.html");
    let reports = ["json=/dev/full".to_owned(), format!("html={html}")];
    let ran = place.run(&["learn", "--words", "0", "--report", &reports[0], "--report", &reports[1]]);
    ran.expect_status(&[2]).expect_text("the report to /dev/full cannot be written: No space left on device");
    assert!(support::read(&html).trim_end().ends_with("</html>"));
}

#[test]
fn commands_that_write_a_file_leave_the_old_one_or_none() {
    let place = Place::new();
    let faulty = faulty();
    let faulty: Vec<&str> = faulty.iter().map(String::as_str).collect();
    let run = place.path("run.json");
    place.run(&[&faulty[..], &["--report", &format!("json={run}")]].concat()).expect_status(&[1]);
    let report = support::read(&run);
    let (baseline, shorter, snapshot) =
        (place.path("new.toml"), place.old("shorter"), place.path("snapshot"));
    let html = place.old("html");
    place.run(&["run", "--snapshot", &snapshot, "--update", "--case", "probe/echo"]);
    let log = root().join("fixtures/recordings/ruby--ruby.jsonl").display().to_string();
    let case = root().join("fixtures/transcripts/value/numbers.jsonl").display().to_string();
    std::fs::create_dir(place.path("pages")).unwrap();
    std::fs::write(place.path("pages/dnode-conform.1"), OLD).unwrap();
    let [pages, imported] = [place.path("pages"), place.path("imported")];
    let commands: [&[&str]; 5] = [
        &["baseline", "create", &baseline, &run, "--reason", "a test"],
        &["import", &log, "--out", &imported],
        &["man", "--out", &pages],
        &["minimize", &case, "--out", &shorter, faulty[2], faulty[3]],
        &["report", &run, "--format", "html", "--out", &html],
    ];
    for arguments in commands {
        place.run_on_full_disk(arguments).expect_status(&[2]).expect_text(NO_SPACE);
    }
    assert!(is_old(&shorter) && is_old(&html) && is_old(&place.path("pages/dnode-conform.1")));
    assert_eq!(support::read(&run), report);
    assert_eq!(names(Path::new(&imported)), [""; 0]);
    assert_eq!(names(Path::new(&pages)), ["dnode-conform.1"]);
    assert_eq!(place.names(), ["html", "imported", "pages", "run.json", "shorter"]);
}

#[test]
fn a_capture_on_a_full_disk_is_judged_and_leaves_no_file() {
    let place = Place::new();
    let mut talk = packets::Talk::usual();
    talk.say(0, "{\"method\":\"methods\",\"arguments\":[{}]}\n").say(1, "{\"method\":7}\n");
    std::fs::write(place.path("prod.pcap"), packets::capture(&talk.segments)).unwrap();
    let ran = place.run_on_full_disk(&["import", "prod.pcap", "--out", "out"]);
    // The exit status is that of the finding.
    ran.expect_status(&[1]).expect_text(NO_SPACE).expect_text("the server breaks callback/declared");
    assert_eq!(names(Path::new(&place.path("out"))), [""; 0]);
}

#[test]
fn a_snapshot_on_a_full_disk_stays() {
    let place = Place::new();
    let snapshot = place.path("snapshot");
    let arguments = ["run", "--snapshot", &snapshot, "--update"];
    place.run(&arguments).expect_status(&[0]);
    let old = support::read(&snapshot);
    place.run_on_full_disk(&arguments).expect_status(&[2]).expect_text(NO_SPACE);
    assert_eq!(support::read(&snapshot), old);
    assert_eq!(place.names(), ["snapshot"]);
}

#[test]
fn a_campaign_on_a_full_disk_has_no_verdict_and_shows_what_it_found() {
    let place = Place::new();
    let good = support::Listening::start(&["serve", "--listen", "127.0.0.1:0"]);
    let bad =
        support::Listening::start(&["serve", "--fault", "numbers-are-strings", "--listen", "127.0.0.1:0"]);
    let fuzz = |address: &str, corpus: &[&str]| {
        let arguments = ["fuzz", address, "--seed", "1", "--time", "2s"];
        let ran = place.run_on_full_disk(&[&arguments[..], corpus].concat());
        ran.expect_status(&[2]).expect_text(NO_SPACE).expect_text("; not everything could be written\n");
        ran
    };
    fuzz(&good.address, &["--corpus", "corpus"]).expect_text("corpus/").expect_text("exit 2: no finding;");
    let ran = fuzz(&bad.address, &[]);
    ran.expect_text("a finding cannot be written, ");
    // Each finding is named and counts, and its transcript is not lost.
    let named = ran.stdout.lines().filter(|line| line.starts_with("FOUND  ")).count();
    let transcripts = ran.stdout.matches("not written; its transcript:\n{\"dnode-transcript\":1,").count();
    assert!(named > 0 && transcripts >= named, "{}", ran.stdout);
    ran.expect_text(&format!("exit 2: {named} finding"));
}

#[test]
fn a_recording_on_a_full_disk_names_its_file_and_exits_with_2() {
    let place = Place::new();
    let server = support::Listening::start(&["serve", "--listen", "127.0.0.1:0"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -f 0; exec \"$@\"", "sh", PROGRAM]);
    shell.args(["record", "--listen", "127.0.0.1:0", "--out", "out", "--to", &server.address]);
    let mut child =
        shell.current_dir(&place.0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    let address = line.split(' ').nth(2).unwrap().trim_end_matches(',').to_owned();
    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    stream.write_all(b"{\"method\":\"methods\",\"arguments\":[{}]}\n").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    read_to_end(stream);
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let ran = support::ran(&child.wait_with_output().unwrap());
    ran.expect_status(&[2]).expect_text("out/session-1.jsonl").expect_text(NO_SPACE);
    assert!(!Path::new(&place.path("out/session-1.jsonl")).exists());
}

/// Commands that only print.
const PRINTING: [&[&str]; 14] = [
    &["--help"],
    &["run", "--help"],
    &["-h"],
    &["help", "fuzz"],
    &["--version"],
    &["serve", "--list-faults"],
    &["serve", "--list-variants"],
    &["list"],
    &["list", "--format", "json"],
    &["explain", "value/numbers"],
    &["completions", "bash"],
    &["man"],
    &["--case", "probe/echo"],
    &["compare", "reference", "reference", "--case", "probe/echo"],
];

#[test]
fn a_full_device_is_an_error_for_every_output() {
    let place = Place::new();
    for arguments in PRINTING {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).current_dir(&place.0).stdout(File::create("/dev/full").unwrap());
        let ran = output(command.stderr(Stdio::piped()));
        assert_eq!(ran.status, 2, "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("cannot be written: No space left"), "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn a_closed_pipe_is_a_success_for_every_output() {
    let place = Place::new();
    for arguments in PRINTING {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = output(Command::new(PROGRAM).args(arguments).current_dir(&place.0).stdout(writer));
        assert_eq!(ran.status, 0, "{arguments:?}: {}", ran.stderr);
        assert!(!ran.stderr.contains("error"), "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn a_second_interruption_leaves_old_reports_whole() {
    let place = Place::new();
    // Nothing is read from this pipe, so the run cannot finish its reports.
    let pipe = place.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let old = place.old("report.json");
    let new = place.path("report.html");
    let reports = [format!("events={pipe}"), format!("json={old}"), format!("html={new}")];
    let reports = reports.iter().flat_map(|report| ["--report", report]);
    let mut command = Command::new(PROGRAM);
    command.args(["--generate", "100000", "--seed", "1"]).args(reports).current_dir(&place.0);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut events = File::open(&pipe).unwrap();
    // The run has begun.
    events.read_exact(&mut [0]).unwrap();
    // A second signal counts only some time after the first one.
    let signals = "while kill -INT $1 2>/dev/null; do :; done";
    let mut signals =
        Command::new("sh").args(["-c", signals, "sh", &child.id().to_string()]).spawn().unwrap();
    let status = child.wait().unwrap();
    signals.wait().unwrap();
    assert_eq!(status.code(), Some(2));
    assert!(is_old(&old));
    assert_eq!(place.names(), ["pipe", "report.json"]);
}
