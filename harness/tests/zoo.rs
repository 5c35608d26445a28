//! The zoo: peers that mean harm or are broken beyond reason, each a program (`fixtures/zoo/zoo.py`) that the suite starts and judges.
//!
//! Of each: the verdict, in words that a reader can act on; an end, though some of them have none; memory within a bound, for the peers
//! of a suite are as hostile as its input; and nothing left behind. `ZOO.md` is made of the same runs.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::{BTreeMap, VecDeque};
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};
use support::{PROGRAM, root};

/// The most memory that the suite may take, in KiB: less than a small container has.
const MEMORY: u64 = 100 * 1024;
/// A run that has not ended then will not end: no verdict rests on it.
const HUNG: Duration = Duration::from_secs(240);
/// How many peers are judged at once.
const LANES: usize = 6;
/// The cases of a run: few, for a peer that is silent in each costs a deadline for each.
const CASES: [&str; 4] = ["probe/echo", "probe/add", "methods/connections", "always/*"];

/// The peers that answer as they should: what they do beside it must not be held against them.
const RIGHT: [&str; 5] =
    ["good", "slow-at-random", "ignores-sigterm", "forks-grandchildren", "fills-standard-error"];

/// The peers of which it is a matter of time which case fails, and how: that one does is not.
const RACES: [&str; 3] = ["endless-messages-in-a-case", "endless-callbacks", "answers-elsewhere"];

/// What a run gave.
struct Ran {
    name: String,
    about: String,
    status: i32,
    words: String,
    stdout: String,
    stderr: String,
    took: Duration,
    /// In KiB.
    peak: u64,
}

/// The names of the peers and what each does, in the order of the program that they are in.
fn peers() -> Vec<(String, String)> {
    let listed = Command::new("python3").args(["fixtures/zoo/zoo.py", "list"]).current_dir(root()).output();
    let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
    let pair = |line: &str| line.split_once('\t').map(|(name, about)| (name.to_owned(), about.to_owned()));
    listed.lines().filter_map(pair).collect()
}

/// Judges one peer. The run is killed where it hangs.
fn judge((name, about): (String, String)) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    // What the peer starts inherits its environment, whatever it does about its group.
    let mark = folder.path().display().to_string();
    let exec = format!("exec env ZOO={mark} python3 fixtures/zoo/zoo.py {name} {{port}}");
    let mut command = Command::new(PROGRAM);
    command.args(["--exec", &exec, "--deadline", "1s", "--report", &format!("json={}", report.display())]);
    command.args(CASES.iter().flat_map(|case| ["--case", case])).current_dir(root());
    let started = Instant::now();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let (ended, watched) = watch(child.id());
    let errors = std::thread::spawn(move || text(&mut err));
    let stdout = text(&mut out);
    let status = child.wait().unwrap().code().unwrap_or(-1);
    let took = started.elapsed();
    drop(ended);
    let Some(peak) = watched.join().unwrap() else {
        panic!("{name}: the run had not ended after {HUNG:?} and was killed\n{stdout}")
    };
    let stderr = errors.join().unwrap();
    assert_eq!(left_behind(&mark), Vec::<String>::new(), "{name}: processes are left behind");
    let words = words(&std::fs::read_to_string(report).unwrap_or_default(), &stdout, &stderr);
    Ran { name, about, status, words, stdout, stderr, took, peak }
}

fn text(from: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Looks at a process until the sender is dropped: gives the most memory that it had, in KiB, or `None` where it had to be killed.
fn watch(id: u32) -> (mpsc::Sender<()>, std::thread::JoinHandle<Option<u64>>) {
    let (ended, ending) = mpsc::channel::<()>();
    let watched = std::thread::spawn(move || {
        let started = Instant::now();
        let mut peak = 0;
        // The kernel keeps the peak; how often it is read decides only how much of the last moment is seen.
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

/// The processes that have this mark in their environment, once those that were killed had time to end.
fn left_behind(mark: &str) -> Vec<String> {
    let started = Instant::now();
    loop {
        let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        let marked = |path: &std::path::PathBuf| {
            let environment = std::fs::read(path.join("environ")).unwrap_or_default();
            String::from_utf8_lossy(&environment).contains(&format!("ZOO={mark}"))
        };
        let left: Vec<String> = processes.filter(marked).map(|path| path.display().to_string()).collect();
        if left.is_empty() || started.elapsed() > Duration::from_secs(10) {
            return left;
        }
        std::thread::yield_now();
    }
}

/// What was found; or what is noted of the peer, where nothing was; or why there was no run.
fn words(report: &str, stdout: &str, stderr: &str) -> String {
    let Ok(report) = serde_json::from_str::<serde_json::Value>(report) else {
        // The port is another each time.
        let line = stderr.lines().next().unwrap_or_default();
        return line
            .split_whitespace()
            .map(|word| if word.starts_with("127.0.0.1:") { "PORT" } else { word })
            .collect::<Vec<_>>()
            .join(" ");
    };
    let cases = report["cases"].as_array().unwrap().iter();
    let found = cases.filter_map(|case| {
        let verdict =
            case["verdict"].as_str().filter(|verdict| ["fail", "crash", "hang"].contains(verdict))?;
        Some(format!("{verdict} {}", case["id"].as_str()?))
    });
    let found: Vec<String> = found.collect();
    let noted: Vec<&str> =
        stdout.lines().filter_map(|line| line.strip_prefix("  note ")).map(str::trim).collect();
    match (found.is_empty(), noted.is_empty()) {
        (false, _) => found.join(", "),
        (true, false) => format!("noted: {}", noted.join("; ")),
        (true, true) => "-".to_owned(),
    }
}

/// Judges all peers, some at a time, and gives what came out in their order.
fn judged() -> Vec<Ran> {
    let waiting = Mutex::new(peers().into_iter().enumerate().collect::<VecDeque<_>>());
    let done = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                loop {
                    let Some((at, peer)) = waiting.lock().unwrap().pop_front() else { break };
                    let ran = judge(peer);
                    done.lock().unwrap().insert(at, ran);
                }
            });
        }
    });
    done.into_inner().unwrap().into_values().collect()
}

/// What of a row does not change from one run to the next.
fn settled(ran: &Ran) -> String {
    let races = RACES.contains(&ran.name.as_str());
    let words = if races { "a failure; which one is a matter of time" } else { &ran.words };
    format!("| `{}` | {} | {} | {words} |", ran.name, ran.about, ran.status)
}

fn document(rans: &[Ran]) -> String {
    let mut text = HEAD.to_owned();
    for ran in rans {
        let (seconds, mebibytes) = (ran.took.as_secs_f64(), ran.peak.div_ceil(1024));
        text.push_str(&format!("{} {seconds:.1} s | {mebibytes} MiB |\n", settled(ran)));
    }
    text
}

const HEAD: &str = "# The zoo

Peers that mean harm or are broken beyond reason ([fixtures/zoo/zoo.py](fixtures/zoo/zoo.py)), and what the suite says of each. Written by
`UPDATE=1 cargo test -p dnode-conform --test zoo`; the same test holds the verdicts, and the memory below 100 MiB. The last two columns are of
one run, six peers side by side, in a debug build, with `--deadline 1s`.

| peer | what it does | exit | what is found | time | memory |
| --- | --- | ---: | --- | ---: | ---: |
";

#[test]
fn every_peer_of_the_zoo_gets_its_verdict_within_bounds() {
    let rans = judged();
    let path = root().join("ZOO.md");
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(&path, document(&rans)).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let mut wrong = Vec::new();
    for ran in &rans {
        if ran.peak > MEMORY {
            wrong.push(format!("{}: {} KiB of memory", ran.name, ran.peak));
        }
        if (ran.status == 0) != RIGHT.contains(&ran.name.as_str()) {
            wrong.push(format!("{}: exit status {}", ran.name, ran.status));
        }
        if ran.stdout.contains('\x1b') || ran.stderr.contains('\x1b') {
            wrong.push(format!("{}: its escapes reach the terminal", ran.name));
        }
        if !committed.contains(&settled(ran)) {
            let (stdout, stderr) = (&ran.stdout, &ran.stderr);
            wrong.push(format!("ZOO.md does not say\n{}\n{stdout}\n{stderr}", settled(ran)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rans.len() >= 25);
}
