//! How the cost of a message grows with what is live and with what is in it, and that of a session with how many there are at once: ratios
//! to the smallest, measured in one run.
//!
//! `cargo bench -p dnode-conform --bench scale`. Each figure of the first table is of a process of its own, so that its memory is its own:
//! what the operating system says it took more at most than before, for each live function, element or level. Sessions of a million
//! messages: the bench `long`.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a benchmark")]

use dnode_conform::cases::catalogue;
use dnode_conform::peer::Peer;
use dnode_conform::preflight::preflight;
use dnode_conform::replay::{Judged, replay};
use dnode_conform::target::Target;
use dnode_spec::dialect::Dialect;
use dnode_spec::graph::{Graph, Node};
use dnode_spec::message::Method;
use dnode_spec::monitor::{End, Monitor};
use dnode_spec::session::{Function, Handle, Session};
use std::hint::black_box;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const PROGRAM: &str = env!("CARGO_BIN_EXE_dnode-conform");
const PATIENCE: Duration = Duration::from_secs(60);
const LIMIT: usize = 1 << 30;
/// How many messages, elements or levels are measured at least.
const MEASURED: usize = 200_000;

/// What is measured: its name, what one is, and the measurement, which gives the time for each and the memory before.
type Way = (&'static str, &'static str, fn(usize) -> (Duration, u64));

const LIVE: [Way; 2] =
    [("a call judged", "live function", judged_with), ("a call acted on", "live function", acted_on_with)];
const LARGE: [Way; 6] = [
    ("a message of callbacks, judged", "callback", |n| message(n, callbacks)),
    ("a message of links, judged", "link", |n| message(n, links)),
    ("a message of arrays in arrays, judged", "level", |n| message(n, arrays)),
    ("a message of objects in objects, judged", "level", |n| message(n, objects)),
    ("a message of functions, written", "function", functions),
    ("a message of arrays in arrays, written", "level", deep),
];

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    if let (Some(name), Some(size)) = (arguments.next(), arguments.next()) {
        let (_, _, measure) = LIVE.iter().chain(&LARGE).find(|way| way.0 == name).unwrap();
        let (each, before) = measure(size.parse().unwrap());
        return println!("{} {}", each.as_nanos(), kibibytes("VmHWM:") - before);
    }
    println!("{:<42} {:>15} {:>10} {:>9} {:>6} {:>12}", "", "for each", "of", "time", "times", "memory");
    LIVE.iter().for_each(|way| grow(way, &[10, 1000, 100_000, 1_000_000]));
    LARGE.iter().for_each(|way| grow(way, &[1000, 10_000, 100_000, 1_000_000]));
    println!();
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(connections());
}

/// One row for each size.
fn grow((name, one, _): &Way, sizes: &[usize]) {
    let mut first = None;
    for &size in sizes {
        // The least of some: what else the machine does only adds.
        let (mut least, mut memory) = (f64::MAX, 0.0);
        for _ in 0..3 {
            let program = std::env::current_exe().unwrap();
            let out = Command::new(program).args([name, size.to_string().as_str()]).output().unwrap().stdout;
            let out = String::from_utf8(out).unwrap();
            let (nanos, kibibytes) = out.trim().split_once(' ').unwrap();
            least = least.min(nanos.parse().unwrap());
            memory = kibibytes.parse::<f64>().unwrap() * 1024.0 / size as f64;
        }
        let ratio = least / *first.get_or_insert(least);
        // Of few, memory is what the process has anyway.
        let memory = if size < 10_000 { String::new() } else { format!("{memory:.0} B") };
        println!("{name:<42} {one:>15} {size:>10} {least:>6.0} ns {ratio:>6.1} {memory:>12}");
    }
}

/// A line of what the system says of this process.
fn kibibytes(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
}

/// Ids in an order that no cache knows.
fn ids(live: usize) -> impl Iterator<Item = usize> {
    (0..MEASURED).map(move |n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15) % live)
}

fn call(id: usize) -> String {
    format!("{{\"method\":{id},\"arguments\":[1,\"two\"],\"callbacks\":{{}},\"links\":[]}}\n")
}

fn each(lines: &[String], mut act: impl FnMut(&[u8])) -> Duration {
    let started = Instant::now();
    lines.iter().for_each(|line| act(line.as_bytes()));
    started.elapsed() / u32::try_from(lines.len()).unwrap()
}

/// A monitor of so many live functions.
fn judged_with(live: usize) -> (Duration, u64) {
    let lines: Vec<String> = ids(live).map(call).collect();
    let mut monitor = Monitor::new();
    let before = kibibytes("VmHWM:");
    for id in 0..live {
        monitor.line(
            End::A,
            format!(r#"{{"method":0,"arguments":[0],"callbacks":{{"{id}":["0"]}}}}"#).as_bytes(),
        );
    }
    let each = each(&lines, |line| drop(black_box(monitor.line(End::B, &line[..line.len() - 1]))));
    (each, before)
}

/// A session with so many live functions.
fn acted_on_with(live: usize) -> (Duration, u64) {
    let lines: Vec<String> = ids(live).map(call).collect();
    let mut session = Session::new(LIMIT);
    let before = kibibytes("VmHWM:");
    for id in 0..live as u64 {
        let mut graph = Graph::new();
        let function = graph.add(Node::Leaf(Function::Own(Handle(id))));
        let arguments = graph.array([function]);
        session.call(&Method::named("keep"), &graph, arguments).unwrap();
        session.poll_output();
    }
    let each = each(&lines, |line| {
        session.feed(line);
        drop(black_box(session.poll_event()));
    });
    (each, before)
}

/// One message of so many parts, again and again.
fn message(size: usize, make: fn(usize) -> [String; 3]) -> (Duration, u64) {
    let [argument, callbacks, links] = make(size);
    let line = format!(
        r#"{{"method":"echo","arguments":[{argument}],"callbacks":{{{callbacks}}},"links":[{links}]}}"#
    );
    let before = kibibytes("VmHWM:");
    let times = (MEASURED / size).max(1);
    let started = Instant::now();
    for _ in 0..times {
        let judgement = Monitor::new().line(End::A, line.as_bytes());
        assert!(judgement.problems.is_empty());
    }
    (started.elapsed() / u32::try_from(times * size).unwrap(), before)
}

fn marks(size: usize) -> String {
    format!("[{}]", vec!["0"; size].join(","))
}

fn joined(size: usize, part: impl Fn(usize) -> String) -> String {
    (0..size).map(part).collect::<Vec<_>>().join(",")
}

fn callbacks(size: usize) -> [String; 3] {
    [marks(size), joined(size, |n| format!(r#""{n}":["0","{n}"]"#)), String::new()]
}

fn links(size: usize) -> [String; 3] {
    [marks(size), String::new(), joined(size, |n| format!(r#"{{"from":["0","0"],"to":["0","{n}"]}}"#))]
}

fn arrays(size: usize) -> [String; 3] {
    ["[".repeat(size) + &"]".repeat(size), String::new(), String::new()]
}

fn objects(size: usize) -> [String; 3] {
    ["{\"a\":".repeat(size) + "1" + &"}".repeat(size), String::new(), String::new()]
}

/// One message with so many functions.
fn functions(size: usize) -> (Duration, u64) {
    let mut graph = Graph::new();
    let functions: Vec<_> =
        (0..size as u64).map(|n| graph.add(Node::Leaf(Function::Own(Handle(n))))).collect();
    let arguments = graph.array(functions);
    written(size, &graph, arguments)
}

/// One message with so many arrays, each in the one before.
fn deep(size: usize) -> (Duration, u64) {
    let mut graph = Graph::new();
    let arguments = (0..size).fold(graph.array([]), |inner, _| graph.array([inner]));
    written(size, &graph, arguments)
}

fn written(size: usize, graph: &Graph<Function>, arguments: dnode_spec::graph::NodeId) -> (Duration, u64) {
    let before = kibibytes("VmHWM:");
    let times = (MEASURED / size).max(1);
    let started = Instant::now();
    for _ in 0..times {
        let mut session = Session::new(LIMIT);
        session.call(&Method::named("echo"), graph, arguments).unwrap();
        black_box(session.poll_output());
    }
    (started.elapsed() / u32::try_from(times * size).unwrap(), before)
}

/// Whole sessions against the reference peer, so many at once.
async fn connections() {
    const SESSIONS: usize = 4000;
    let target = Target::Exec(format!("exec '{PROGRAM}' serve --listen 127.0.0.1:{{port}}"));
    let peer = Peer::start(&target).await.unwrap();
    let address = Arc::new(peer.address().clone());
    let facts = Arc::new(preflight(&address, Dialect::default(), None, PATIENCE).await.unwrap());
    let case =
        catalogue(Dialect::default()).unwrap().into_iter().find(|case| case.id() == "probe/echo").unwrap();
    let case = Arc::new(case);
    let mut first = None;
    println!("{:<42} {:>15} {:>10} {:>9} {:>6}", "", "", "at once", "time", "times");
    for at_once in [10, 100, 1000] {
        let started = Instant::now();
        let mut running = JoinSet::new();
        for _ in 0..SESSIONS {
            if running.len() == at_once {
                assert_eq!(running.join_next().await.unwrap().unwrap(), Judged::Pass);
            }
            let (case, address, facts) = (Arc::clone(&case), Arc::clone(&address), Arc::clone(&facts));
            running.spawn(async move { replay(&case, &address, &facts, PATIENCE).await.judged });
        }
        while let Some(judged) = running.join_next().await {
            assert_eq!(judged.unwrap(), Judged::Pass);
        }
        let micros = started.elapsed().as_secs_f64() * 1e6 / SESSIONS as f64;
        let ratio = micros / *first.get_or_insert(micros);
        println!(
            "{:<42} {:>15} {at_once:>10} {micros:>6.0} us {ratio:>6.1}",
            "a session judged", "connection"
        );
    }
    peer.stop().await;
}
