//! The zoo: malicious and badly broken peers. The suite starts and judges each of them
//! (`fixtures/zoo/zoo.py`).
//!
//! Each run gets the right verdict and ends, even if the peer never ends. It stays within a limit
//! of memory and leaves no process behind. `reports/evidence/zoo.json` has the results of the same
//! runs.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use support::evidence::{self, Row};
use support::library::on_threads;
use support::{PROGRAM, root};

/// The limit of memory of a run in KiB, which is less than a small container has.
const MEMORY: u64 = 100 * 1024;
/// A run that takes longer hangs. No verdict depends on this time.
const HUNG: Duration = Duration::from_secs(240);
/// The time that killed processes have to exit.
const EXIT: Duration = Duration::from_secs(10);
/// The number of peers that are judged at the same time.
const LANES: usize = 6;
/// The cases of a run. There are few, because a silent peer costs a deadline in each.
const CASES: [&str; 4] = ["probe/echo", "probe/add", "methods/connections", "always/*"];

/// Peers that answer correctly. Their other behaviour must not count against them.
const CORRECT: [&str; 5] =
    ["good", "slow-at-random", "ignores-sigterm", "forks-grandchildren", "fills-standard-error"];

/// Peers that always fail, but time decides which case fails and how.
const RACES: [&str; 3] = ["endless-messages-in-a-case", "endless-callbacks", "answers-elsewhere"];

/// A row of the table.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Zoo {
    peer: String,
    /// The description of the peer.
    about: String,
    /// The exit status of the run.
    exit: i32,
    result: Found,
    /// How long the run took.
    seconds: f64,
    /// The peak memory of the run.
    mebibytes: u64,
}

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Found {
    /// Verdicts and cases.
    Findings(Vec<String>),
    /// Only notes about the peer.
    Notes(Vec<String>),
    /// The error because of which nothing ran.
    Error(String),
    /// A failure of some case.
    Varies,
    Nothing,
}

impl Row for Zoo {
    const TABLE: &'static str = "zoo";

    const HEAD: &'static str = "# The zoo\n\n\
        These peers are malicious or badly broken ([fixtures/zoo/zoo.py](../../fixtures/zoo/zoo.py)). This table shows what the suite\n\
        finds.\n\
        A test checks the results, and that each run takes less than 100 MiB of memory.\n\
        Time and memory are those of one run with `--deadline 1s`, in a debug build, with six peers at the same time.\n\
        Generated from `zoo.json`; `UPDATE=1 cargo test -p dnode-conform --test zoo` measures again and writes both files.\n\n\
        | peer | what it does | exit | what is found | time | memory |\n| --- | --- | ---: | --- | ---: | ---: |\n";

    fn name(&self) -> &str {
        &self.peer
    }

    fn line(&self) -> String {
        let found = match &self.result {
            Found::Findings(findings) => findings.join(", "),
            Found::Notes(notes) => format!("note: {}", notes.join("; ")),
            Found::Error(error) => error.clone(),
            Found::Varies => "a failure; time decides which".to_owned(),
            Found::Nothing => "-".to_owned(),
        };
        let Zoo { peer, about, exit, seconds, mebibytes, .. } = self;
        format!("| `{peer}` | {about} | {exit} | {found} | {seconds:.1} s | {mebibytes} MiB |")
    }
}

/// One run of the suite.
struct Ran {
    row: Zoo,
    stdout: String,
    stderr: String,
    /// In KiB.
    peak: u64,
}

/// The names of the peers with their descriptions, in the order of `zoo.py`.
fn peers() -> Vec<(String, String)> {
    let listed = Command::new("python3").args(["fixtures/zoo/zoo.py", "list"]).current_dir(root()).output();
    let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
    let pair = |line: &str| line.split_once('\t').map(|(name, about)| (name.to_owned(), about.to_owned()));
    listed.lines().filter_map(pair).collect()
}

/// Judges one peer. A run that hangs is killed.
fn judge((peer, about): (String, String)) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    // All processes that the peer starts inherit this environment, even if they leave its process
    // group.
    let mark = folder.path().display().to_string();
    let exec = format!("exec env ZOO={mark} python3 fixtures/zoo/zoo.py {peer} {{port}}");
    let mut command = Command::new(PROGRAM);
    command.args(["--exec", &exec, "--deadline", "1s", "--report", &format!("json={}", report.display())]);
    command.args(CASES.iter().flat_map(|case| ["--case", case])).current_dir(root());
    let started = Instant::now();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let (ended, watched) = watch(child.id());
    let errors = std::thread::spawn(move || text(&mut err));
    let stdout = text(&mut out);
    let exit = child.wait().unwrap().code().unwrap_or(-1);
    let took = started.elapsed();
    drop(ended);
    let Some(peak) = watched.join().unwrap() else {
        panic!("{peer}: the run was killed because it did not end within {HUNG:?}\n{stdout}")
    };
    let stderr = errors.join().unwrap();
    assert_eq!(left_behind(&mark), [0; 0], "{peer}: these processes are left behind");
    let result = match std::fs::read_to_string(report) {
        _ if RACES.contains(&peer.as_str()) => Found::Varies,
        Ok(report) => found(&report, &stdout),
        Err(_) => error(&stderr),
    };
    let (seconds, mebibytes) = ((took.as_secs_f64() * 10.0).round() / 10.0, peak.div_ceil(1024));
    Ran { row: Zoo { peer, about, exit, result, seconds, mebibytes }, stdout, stderr, peak }
}

fn text(from: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Watches a process until the sender is dropped. Returns its peak memory in KiB, or `None` if it
/// hung and was killed.
fn watch(id: u32) -> (mpsc::Sender<()>, std::thread::JoinHandle<Option<u64>>) {
    let (ended, ending) = mpsc::channel::<()>();
    let watched = std::thread::spawn(move || {
        let started = Instant::now();
        let mut peak = 0;
        // The kernel keeps the peak, so only a peak in the last interval can be missed.
        while ending.recv_timeout(Duration::from_millis(10)) == Err(mpsc::RecvTimeoutError::Timeout) {
            peak = peak.max(peak_of(id).unwrap_or_default());
            if started.elapsed() > HUNG {
                let _ = Command::new("kill").args(["-KILL", &id.to_string()]).status();
                return None;
            }
        }
        Some(peak)
    });
    (ended, watched)
}

fn peak_of(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// The processes with this mark in their environment that do not exit in time.
fn left_behind(mark: &str) -> Vec<i32> {
    let deadline = Instant::now() + EXIT;
    loop {
        let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        let is_marked = |process: &Path| {
            let environment = std::fs::read(process.join("environ")).unwrap_or_default();
            String::from_utf8_lossy(&environment).contains(&format!("ZOO={mark}"))
        };
        let left = processes.filter(|process| is_marked(process));
        let left: Vec<i32> = left.filter_map(|it| it.file_name()?.to_str()?.parse().ok()).collect();
        // If all of them exited, look again: one of them may have started another process.
        if left.is_empty() || !left.iter().all(|id| exits(*id, deadline)) {
            return left;
        }
    }
}

/// Waits for a process to exit. Returns false if it still runs at the deadline.
fn exits(id: i32, deadline: Instant) -> bool {
    let Ok(process) = pidfd_open(Pid::from_raw(id).unwrap(), PidfdFlags::empty()) else { return true };
    let left = Timespec::try_from(deadline.saturating_duration_since(Instant::now())).unwrap();
    poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&left)).unwrap() > 0
}

/// The findings of a report, or else the notes.
fn found(report: &str, stdout: &str) -> Found {
    let report: serde_json::Value = serde_json::from_str(report).unwrap();
    let cases = report["cases"].as_array().unwrap().iter();
    let findings = cases.filter_map(|case| {
        let verdict = case["verdict"].as_str()?;
        ["fail", "crash", "hang"]
            .contains(&verdict)
            .then(|| format!("{verdict} {}", case["id"].as_str().unwrap()))
    });
    let findings: Vec<String> = findings.collect();
    let notes = stdout.lines().filter_map(|line| line.strip_prefix("note: "));
    let notes: Vec<String> = notes.map(|note| note.trim().to_owned()).collect();
    match (findings.is_empty(), notes.is_empty()) {
        (false, _) => Found::Findings(findings),
        (true, false) => Found::Notes(notes),
        (true, true) => Found::Nothing,
    }
}

/// The error of a run without a report. Its port differs from run to run.
fn error(stderr: &str) -> Found {
    let words = stderr.lines().next().unwrap_or_default().split_whitespace();
    let words = words.map(|word| if word.starts_with("127.0.0.1:") { "PORT" } else { word });
    Found::Error(words.collect::<Vec<_>>().join(" "))
}

/// The problems of a run.
fn problems(ran: &Ran, committed: &[Zoo]) -> Vec<String> {
    let Ran { row, stdout, stderr, peak } = ran;
    let mut problems = Vec::new();
    if *peak > MEMORY {
        problems.push(format!("{peak} KiB of memory"));
    }
    if (row.exit == 0) != CORRECT.contains(&row.peer.as_str()) {
        problems.push(format!("exit status {}", row.exit));
    }
    if stdout.contains('\x1b') || stderr.contains('\x1b') {
        problems.push("its escapes reach the terminal".to_owned());
    }
    let same = |it: &Zoo| {
        (&it.peer, &it.about, it.exit, &it.result) == (&row.peer, &row.about, row.exit, &row.result)
    };
    if !committed.iter().any(same) {
        problems.push(format!("zoo.json does not have the result\n{}\n{stdout}\n{stderr}", row.line()));
    }
    problems.iter().map(|problem| format!("{}: {problem}", row.peer)).collect()
}

#[test]
fn evidence_is_fresh() {
    let peers = peers();
    assert!(peers.len() >= 25);
    evidence::assert_fresh::<Zoo>(peers.iter().map(|(name, _)| name.as_str()));
}

#[test]
fn peers_of_the_zoo_get_their_verdicts_within_limits() {
    let rans = on_threads(LANES, peers(), judge);
    if evidence::is_update() {
        evidence::write(&rans.iter().map(|ran| ran.row.clone()).collect::<Vec<_>>());
    }
    let committed = evidence::committed::<Zoo>();
    let problems: Vec<String> = rans.iter().flat_map(|ran| problems(ran, &committed)).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
