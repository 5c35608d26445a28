//! Bytes per second from a line to a judged message, and to an event of a session, as ratios to
//! serde_json's `Value` on the same lines. All figures come from one run.
//!
//! `cargo bench -p dnode-conform --bench parse`. *parse* is lines and [`Value`], *judge* is the
//! whole monitor, and *session* is one end that acts on the lines of the other. A ratio above 1 is
//! faster than serde_json, which only makes values. `-- WORD` measures only the rows with this
//! word.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a benchmark")]

mod table;

use dnode_spec::line::Splitter;
use dnode_spec::monitor::{End, Monitor};
use dnode_spec::session::Session;
use dnode_spec::value::Value;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};
use table::{Goal, Table};

const ROUNDS: usize = 7;
/// The minimum number of bytes that each way reads in a round.
const BYTES: usize = 16 << 20;
const LIMIT: usize = 64 << 20;
const MANY: usize = 100_000;

/// The traffic of some connections: the sender of each line, and the line.
type Traffic = Vec<Vec<(End, String)>>;

fn main() {
    let mut table = Table::new("parse", ["lines", "serde_json", "parse", "judge", "session"]);
    let mut slowest = [f64::MAX; 2];
    let word = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    for (name, traffic) in traffic() {
        if word.as_ref().is_none_or(|word| name.contains(word)) {
            let (cells, [judge, session]) = ratios(name, &traffic);
            slowest = [slowest[0].min(judge), slowest[1].min(session)];
            table.row(cells);
        }
    }
    let what = [
        "Lines parsed and judged, against `serde_json::Value` alone: the slowest kind",
        "The same, acted on by a session",
    ];
    for (what, figure) in what.into_iter().zip(slowest) {
        table.goal(what, &Goal::AtLeast(1.0), figure);
    }
    table.finish();
}

/// The kinds of traffic, each with a name.
fn traffic() -> Vec<(&'static str, Traffic)> {
    let string = format!("\"{}\"", "x".repeat(1 << 20));
    let numbers = format!("[{}]", vec!["12.5"; MANY].join(","));
    let members: Vec<String> = (0..MANY).map(|n| format!("\"key{n}\":\"value\"")).collect();
    let members = format!("{{{}}}", members.join(","));
    let (marks, callbacks, links) = places();
    let one = |argument: &str, callbacks, links| alone(vec![message(argument, callbacks, links)]);
    vec![
        ("72 recorded sessions", recordings()),
        ("calls with a callback each", alone((0..MANY).map(call).collect())),
        ("one message, a string of 1 MiB", one(&string, "", "")),
        ("one message, 10^5 numbers", one(&numbers, "", "")),
        ("one message, 10^5 members", one(&members, "", "")),
        ("one message, 10^5 callbacks", one(&marks, &callbacks, "")),
        ("one message, 10^5 links", one(&marks, "", &links)),
    ]
}

/// A row of ratios on this traffic, and those of judging and of a session.
fn ratios(name: &str, traffic: &Traffic) -> ([String; 5], [f64; 2]) {
    let size: usize = traffic.iter().flatten().map(|(_, line)| line.len() + 1).sum();
    let times = BYTES.div_ceil(size);
    let ways: [&dyn Fn(&Traffic); 4] = [&serde, &parse, &judge, &session];
    let mut best = [Duration::MAX; 4];
    // The ways take turns, so that other load on the machine affects all of them.
    for _ in 0..ROUNDS {
        for (way, best) in ways.iter().zip(&mut best) {
            let started = Instant::now();
            (0..times).for_each(|_| way(traffic));
            *best = (*best).min(started.elapsed());
        }
    }
    #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
    let rate = (size * times) as f64 / best[0].as_secs_f64() / f64::from(1 << 20);
    let ratio = |way: usize| best[0].as_secs_f64() / best[way].as_secs_f64();
    let [parse, judge, session] = [1, 2, 3].map(ratio);
    let cell = |ratio| format!("{ratio:.2}");
    let cells = [name.to_owned(), format!("{rate:.0} MiB/s"), cell(parse), cell(judge), cell(session)];
    (cells, [judge, session])
}

fn serde(traffic: &Traffic) {
    for (_, line) in traffic.iter().flatten() {
        drop(black_box(serde_json::from_slice::<serde_json::Value>(line.as_bytes())));
    }
}

fn parse(traffic: &Traffic) {
    each_line(traffic, || (), |(), _, line| drop(black_box(Value::parse(line))));
}

fn judge(traffic: &Traffic) {
    each_line(traffic, Monitor::new, |monitor, from, line| drop(black_box(monitor.line(from, line))));
}

/// Runs the session of the end that receives the lines of B.
fn session(traffic: &Traffic) {
    for lines in traffic {
        let mut session = Session::new(LIMIT);
        for (_, line) in lines.iter().filter(|(from, _)| *from == End::B) {
            session.feed(line.as_bytes());
            session.feed(b"\n");
            while let Some(event) = session.poll_event() {
                drop(black_box(event));
            }
        }
    }
}

/// Calls `act` for each line of each connection, with one state for each connection.
fn each_line<T>(traffic: &Traffic, new: impl Fn() -> T, mut act: impl FnMut(&mut T, End, &[u8])) {
    for lines in traffic {
        let mut splitters = [Splitter::new(LIMIT), Splitter::new(LIMIT)];
        let mut state = new();
        for (from, line) in lines {
            let splitter = &mut splitters[*from as usize];
            splitter.push(line.as_bytes());
            splitter.push(b"\n");
            while let Some(line) = splitter.next_line() {
                act(&mut state, *from, line.unwrap());
            }
        }
    }
}

/// The lines of the recordings that are valid JSON, because serde_json stops at the first invalid
/// byte.
fn recordings() -> Traffic {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/recordings");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    let lines = |file: &std::path::PathBuf| {
        let text = std::fs::read_to_string(file).unwrap();
        let rows = text.lines().map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap());
        let sent = rows.filter_map(|row| {
            let from = if row["from"] == "client" { End::A } else { End::B };
            let line = row["line"].as_str()?;
            serde_json::from_str::<serde_json::Value>(line).ok()?;
            Some((from, line.to_owned()))
        });
        sent.collect()
    };
    files.iter().map(lines).collect()
}

/// A connection on which B sends these lines.
fn alone(lines: Vec<String>) -> Traffic {
    vec![lines.into_iter().map(|line| (End::B, line)).collect()]
}

fn call(n: usize) -> String {
    format!(
        r#"{{"method":"echo","arguments":[{{"a":[{n},"x"]}},"[Function]"],"callbacks":{{"{n}":["1"]}},"links":[]}}"#
    )
}

fn message(argument: &str, callbacks: &str, links: &str) -> String {
    format!(r#"{{"method":"echo","arguments":[{argument}],"callbacks":{{{callbacks}}},"links":[{links}]}}"#)
}

/// An array of many placeholders, and a callback and a link for the place of each.
fn places() -> (String, String, String) {
    let (mut callbacks, mut links) = (String::new(), String::new());
    for n in 0..MANY {
        let comma = if n > 0 { "," } else { "" };
        let _ = write!(callbacks, r#"{comma}"{n}":["0","{n}"]"#);
        let _ = write!(links, r#"{comma}{{"from":["0","0"],"to":["0","{n}"]}}"#);
    }
    (format!("[{}]", vec!["\"[Function]\""; MANY].join(",")), callbacks, links)
}
