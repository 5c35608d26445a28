//! The time of a run against peers that make the suite wait, in times the deadline of a case.
//!
//! `cargo bench -p dnode-conform --bench waits`. The peers are in this process and are reached by
//! address. The last ones are programs that the suite starts: one with a method that hangs, compared
//! with the same program without it, and one whose process often ends.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a benchmark")]

mod table;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use table::{Goal, Table};

/// The default deadline of a case.
const DEADLINE: Duration = Duration::from_secs(2);
const OBJECT: &[u8] = b"{\"method\":\"methods\",\"arguments\":[{}]}\n";
const PROBE: &[u8] = b"{\"method\":\"methods\",\"arguments\":[{\"conformProbe\":\"[Function]\"}],\"callbacks\":{\"0\":[\"0\",\"conformProbe\"]}}\n";

fn main() {
    let mut table = Table::new("waits", ["peer", "time", "deadlines"]);
    let latest: Mutex<Option<TcpStream>> = Mutex::new(None);
    let keeps = move |mut stream: TcpStream| {
        *latest.lock().unwrap() = stream.try_clone().ok();
        let _ = stream.write_all(OBJECT);
        drain(stream);
    };
    row(&mut table, "sends its object, and keeps its latest connection open", 5.0, keeps);
    row(&mut table, "says nothing", 2.5, drain);
    row(&mut table, "sends back each byte", 2.5, |stream| {
        let _ = std::io::copy(&mut &stream, &mut &stream);
    });
    row(&mut table, "sends its object, and answers no call", 2.5, |mut stream| {
        let _ = stream.write_all(OBJECT);
        drain(stream);
    });
    row(&mut table, "claims the probe, and answers no call", 2.5, |mut stream| {
        let _ = stream.write_all(PROBE);
        drain(stream);
    });
    hangs(&mut table);
    deaths(&mut table);
    table.finish();
}

/// Measures a peer whose process often ends: each such verdict needs a start of the process.
fn deaths(table: &mut Table) {
    const STARTS: u32 = 10;
    let server = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/peers/npm-dnode/server.js");
    let report = tempfile::NamedTempFile::new().unwrap();
    let exec = format!("exec node '{server}' {{port}}");
    let time = timed(&["--exec", &exec, "--report", &format!("json={}", report.path().display())]).1;
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(report.path()).unwrap()).unwrap();
    let ends = report["cases"].as_array().unwrap().iter();
    let ends = ends.filter(|case| case["verdict"] == "crash" || case["verdict"] == "hang").count();
    let ends = u32::try_from(ends).unwrap();
    let before = cpu_of_children();
    (0..STARTS).for_each(|_| start_and_end(server));
    let start = (cpu_of_children() - before) / STARTS;
    let cores = std::thread::available_parallelism().unwrap().get();
    let needed = (start * ends).as_secs_f64() / cores as f64;
    let deadlines = time.as_secs_f64() / DEADLINE.as_secs_f64();
    let peer = format!("npm dnode 1.2.2, whose process ends or hangs {ends} times");
    table.row([peer, format!("{:.1} s", time.as_secs_f64()), format!("{deadlines:.1}")]);
    let goal =
        "A run against npm dnode, in times the CPU time of the starts that its ends need, on all cores";
    table.goal(goal, &Goal::AtMost(1.2), time.as_secs_f64() / needed);
}

/// Starts a server, and ends it when it listens.
fn start_and_end(server: &str) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut program = Command::new("node").args([server, &port.to_string()]).spawn().unwrap();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::yield_now();
    }
    program.kill().unwrap();
    program.wait().unwrap();
}

/// The CPU time of all children that have ended.
fn cpu_of_children() -> Duration {
    use nix::sys::time::TimeValLike as _;
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN).unwrap();
    let time = usage.user_time() + usage.system_time();
    Duration::from_micros(time.num_microseconds().try_into().unwrap())
}

/// Measures the Python example with a method that hangs the process, and without it.
fn hangs(table: &mut Table) {
    let log = tempfile::NamedTempFile::new().unwrap();
    let python = |program: &str| {
        let program = format!("exec python3 '{}'/../{program}", env!("CARGO_MANIFEST_DIR"));
        timed(&["--exec", &program]).1
    };
    let served = python("fixtures/peers/python-start/server.py {port}");
    let hung = python(&format!("harness/tests/support/hangs.py {{port}} '{}'", log.path().display()));
    let what = "the Python example with a method that hangs its process";
    for (peer, time) in [("the Python example", served), (what, hung)] {
        let deadlines = time.as_secs_f64() / DEADLINE.as_secs_f64();
        table.row([peer.to_owned(), format!("{:.1} s", time.as_secs_f64()), format!("{deadlines:.1}")]);
    }
    let goal = format!("A run against {what}, in times one without it");
    table.goal(&goal, &Goal::AtMost(4.6), hung.as_secs_f64() / served.as_secs_f64());
}

/// The exit status and the time of a run with these arguments.
fn timed(arguments: &[&str]) -> (Option<i32>, Duration) {
    let begun = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dnode-conform"));
    let status = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    (status.code(), begun.elapsed())
}

/// Measures a run against this peer.
fn row(table: &mut Table, what: &str, most: f64, serve: impl Fn(TcpStream) + Send + Sync + 'static) {
    let address = peer(serve);
    let (status, time) = timed(&[&address]);
    assert_ne!(status, Some(0), "such a peer passes nothing");
    let deadlines = time.as_secs_f64() / DEADLINE.as_secs_f64();
    table.row([what.to_owned(), format!("{:.1} s", time.as_secs_f64()), format!("{deadlines:.1}")]);
    let goal = format!("A run against a peer that {what}, in deadlines");
    table.goal(&goal, &Goal::AtMost(most), deadlines);
}

/// Starts a peer with a thread for each connection. Returns its address.
fn peer(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = Arc::clone(&serve);
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

/// Reads until the other end closes its half.
fn drain(mut stream: TcpStream) {
    let mut space = [0; 1 << 16];
    while let Ok(1..) = stream.read(&mut space) {}
}
