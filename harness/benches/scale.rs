//! How the cost of a message grows with the number of live functions and with its size, and how the
//! cost of a session grows with the number of connections. The figures are ratios to the smallest
//! size. All come from one run.
//!
//! `cargo bench -p dnode-conform --bench scale`. Each figure is measured in its own process, so
//! that its memory is its own. Memory is the growth of the process's peak, for each live function,
//! element or level. Time grows when the caches overflow, so valgrind counts the instructions too:
//! those of twice as many messages in the same state, minus those of the messages once. The bench
//! `long` measures sessions of a million messages.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "a benchmark")]

mod table;

use dnode_conform::cases::catalogue;
use dnode_conform::conversation::preflight::preflight;
use dnode_conform::conversation::replay::judged::Judged;
use dnode_conform::conversation::replay::replay;
use dnode_conform::peer::Peer;
use dnode_conform::program::Target;
use dnode_spec::dialect::Dialect;
use dnode_spec::graph::{Graph, Node};
use dnode_spec::message::Method;
use dnode_spec::monitor::{End, Monitor};
use dnode_spec::session::{Function, Handle, Session};
use std::ffi::OsStr;
use std::hint::black_box;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};
use table::{Goal, Table};
use tokio::task::JoinSet;

const PROGRAM: &str = env!("CARGO_BIN_EXE_dnode-conform");
const PATIENCE: Duration = Duration::from_secs(60);
const LIMIT: usize = 1 << 30;
/// The minimum number of measured messages, elements or levels.
const MEASURED: usize = 200_000;
/// The same for counting instructions, which is fifty times slower and needs this number twice.
const COUNTED: usize = 20_000;

/// A measurement: its name, the name of one part, and the function. The function returns the time
/// for each part, and the memory before.
type Way = (&'static str, &'static str, fn(Size) -> (Duration, u64));

/// The size of a measurement.
#[derive(Clone, Copy)]
struct Size {
    /// How many functions are live, or how many parts a message has.
    of: usize,
    /// The minimum number of measured parts.
    measured: usize,
}

impl Size {
    /// How many messages of this size are measured.
    fn times(self) -> usize {
        (self.measured / self.of).max(1)
    }

    /// The time for one part, from the time for all messages.
    fn each(self, all: Duration) -> Duration {
        all / u32::try_from(self.times() * self.of).unwrap()
    }
}

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

/// The largest ratio of a size to the smallest size.
#[derive(Default, Clone, Copy)]
struct Growth {
    instructions: f64,
    time: f64,
}

impl Growth {
    fn or(self, other: Growth) -> Growth {
        Growth { instructions: self.instructions.max(other.instructions), time: self.time.max(other.time) }
    }
}

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let [name, of, measured] = &arguments[..] {
        let (_, _, measure) = LIVE.iter().chain(&LARGE).find(|way| way.0 == name).unwrap();
        let (each, before) = measure(Size { of: of.parse().unwrap(), measured: measured.parse().unwrap() });
        return println!("{} {}", each.as_nanos(), kibibytes("VmHWM:") - before);
    }
    let heads = ["", "for each", "of", "instructions", "times", "time", "times", "memory"];
    let mut table = Table::new("scale", heads);
    let live = LIVE.iter().map(|way| grow(&mut table, way, &[10, 1000, 100_000, 1_000_000], |_| COUNTED));
    let live = live.fold(Growth::default(), Growth::or);
    let large = LARGE
        .iter()
        .map(|way| grow(&mut table, way, &[1000, 10_000, 100_000, 1_000_000], |size| size.max(COUNTED)));
    let large = large.fold(Growth::default(), Growth::or);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let many = runtime.block_on(connections(&mut table));
    let flat = Goal::AtMost(1.25);
    table.goal(
        "Instructions of a call with up to 10^6 live functions, in times one with ten",
        &flat,
        live.instructions,
    );
    table.goal("The same in time", &Goal::None, live.time);
    table.goal(
        "Instructions of a part of a message of up to 10^6, in times one of 10^3",
        &flat,
        large.instructions,
    );
    table.goal("The same in time", &Goal::None, large.time);
    table.goal("A session with 1,000 connections at once, in times one with ten", &Goal::None, many);
    table.finish();
}

/// Adds one row for each size. `counted`: for how many messages the instructions are counted.
fn grow(table: &mut Table, (name, one, _): &Way, sizes: &[usize], counted: fn(usize) -> usize) -> Growth {
    let (mut first, mut growth) = (None, Growth::default());
    for &size in sizes {
        // The minimum of some runs, because other load on the machine only adds time.
        let (mut least, mut memory) = (f64::MAX, 0.0);
        for _ in 0..3 {
            let out = itself(&[], name, size, MEASURED).stdout;
            let out = String::from_utf8(out).unwrap();
            let (nanos, kibibytes) = out.trim().split_once(' ').unwrap();
            least = least.min(nanos.parse().unwrap());
            memory = kibibytes.parse::<f64>().unwrap() * 1024.0 / size as f64;
        }
        let counted = counted(size);
        let count =
            (instructions(name, size, 2 * counted) - instructions(name, size, counted)) / counted as f64;
        let (least_first, count_first) = *first.get_or_insert((least, count));
        let here = Growth { instructions: count / count_first, time: least / least_first };
        growth = growth.or(here);
        table.row([
            (*name).to_owned(),
            (*one).to_owned(),
            size.to_string(),
            format!("{count:.0}"),
            format!("{:.2}", here.instructions),
            format!("{least:.0} ns"),
            format!("{:.1}", here.time),
            // For small sizes, the memory of the process itself dominates.
            if size < 10_000 { String::new() } else { format!("{memory:.0} B") },
        ]);
    }
    growth
}

/// Runs one measurement in a new process of this program, under another program such as valgrind if
/// `below` names one.
fn itself(below: &[&str], name: &str, of: usize, measured: usize) -> Output {
    let program = std::env::current_exe().unwrap();
    let (of, measured) = (of.to_string(), measured.to_string());
    let mut words: Vec<&OsStr> = below.iter().map(OsStr::new).collect();
    words.extend([program.as_os_str(), OsStr::new(name), OsStr::new(&of), OsStr::new(&measured)]);
    let out = Command::new(words[0]).args(&words[1..]).output();
    out.unwrap_or_else(|error| panic!("this bench needs {:?} on the PATH: {error}", words[0]))
}

/// The number of instructions of the whole program.
fn instructions(name: &str, of: usize, measured: usize) -> f64 {
    let valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"];
    let out = String::from_utf8(itself(&valgrind, name, of, measured).stderr).unwrap();
    let count =
        out.lines().find_map(|line| line.split_once("Collected : ")).unwrap_or_else(|| panic!("{out}"));
    count.1.trim().parse().unwrap()
}

/// A figure of this process in `/proc/self/status`.
fn kibibytes(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
}

/// Ids in a pseudo-random order that defeats the caches.
fn ids(live: usize) -> impl Iterator<Item = usize> {
    (0..MEASURED).map(move |n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15) % live)
}

fn call(id: usize) -> String {
    format!("{{\"method\":{id},\"arguments\":[1,\"two\"],\"callbacks\":{{}},\"links\":[]}}\n")
}

fn each(lines: &[String], measured: usize, mut act: impl FnMut(&[u8])) -> Duration {
    let started = Instant::now();
    lines.iter().take(measured).for_each(|line| act(line.as_bytes()));
    started.elapsed() / u32::try_from(measured).unwrap()
}

/// Judges calls with this number of live functions.
fn judged_with(Size { of: live, measured }: Size) -> (Duration, u64) {
    let lines: Vec<String> = ids(live).map(call).collect();
    let mut monitor = Monitor::new();
    let before = kibibytes("VmHWM:");
    for id in 0..live {
        monitor.line(
            End::A,
            format!(r#"{{"method":0,"arguments":[0],"callbacks":{{"{id}":["0"]}}}}"#).as_bytes(),
        );
    }
    let each = each(&lines, measured, |line| drop(black_box(monitor.line(End::B, &line[..line.len() - 1]))));
    (each, before)
}

/// Feeds calls to a session with this number of live functions.
fn acted_on_with(Size { of: live, measured }: Size) -> (Duration, u64) {
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
    let each = each(&lines, measured, |line| {
        session.feed(line);
        drop(black_box(session.poll_event()));
    });
    (each, before)
}

/// Judges a message of this number of parts again and again.
fn message(size: Size, make: fn(usize) -> [String; 3]) -> (Duration, u64) {
    let [argument, callbacks, links] = make(size.of);
    let line = format!(
        r#"{{"method":"echo","arguments":[{argument}],"callbacks":{{{callbacks}}},"links":[{links}]}}"#
    );
    let before = kibibytes("VmHWM:");
    let started = Instant::now();
    for _ in 0..size.times() {
        let judgement = Monitor::new().line(End::A, line.as_bytes());
        assert!(judgement.problems.is_empty());
    }
    (size.each(started.elapsed()), before)
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

/// Writes a message with this number of functions.
fn functions(size: Size) -> (Duration, u64) {
    let mut graph = Graph::new();
    let functions: Vec<_> =
        (0..size.of as u64).map(|n| graph.add(Node::Leaf(Function::Own(Handle(n))))).collect();
    let arguments = graph.array(functions);
    written(size, &graph, arguments)
}

/// Writes a message with this number of nested arrays.
fn deep(size: Size) -> (Duration, u64) {
    let mut graph = Graph::new();
    let arguments = (0..size.of).fold(graph.array([]), |inner, _| graph.array([inner]));
    written(size, &graph, arguments)
}

fn written(size: Size, graph: &Graph<Function>, arguments: dnode_spec::graph::NodeId) -> (Duration, u64) {
    let before = kibibytes("VmHWM:");
    let started = Instant::now();
    for _ in 0..size.times() {
        let mut session = Session::new(LIMIT);
        session.call(&Method::named("echo"), graph, arguments).unwrap();
        black_box(session.poll_output());
    }
    (size.each(started.elapsed()), before)
}

/// Measures whole sessions against the reference peer, with different numbers of connections at
/// once.
async fn connections(table: &mut Table) -> f64 {
    const SESSIONS: usize = 4000;
    let target = Target::exec(&format!("exec '{PROGRAM}' serve --listen 127.0.0.1:{{port}}"));
    let peer = Peer::start(&target).await.unwrap();
    let address = Arc::new(peer.route().clone());
    let facts = Arc::new(preflight(&address, Dialect::default(), None, PATIENCE).await.unwrap());
    let case =
        catalogue(Dialect::default()).unwrap().into_iter().find(|case| case.id() == "probe/echo").unwrap();
    let case = Arc::new(case);
    let (mut first, mut ratio) = (None, 1.0);
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
        ratio = micros / *first.get_or_insert(micros);
        let (at_once, time) = (at_once.to_string(), format!("{micros:.0} us"));
        let row =
            ["a session judged", "connection at once", &at_once, "", "", &time, &format!("{ratio:.1}"), ""];
        table.row(row.map(str::to_owned));
    }
    peer.stop().await;
    ratio
}
