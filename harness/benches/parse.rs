//! Bytes per second from a line to a judged message, and to an event of a session, against serde_json's `Value` alone on the same lines;
//! the ratios, measured in one run.
//!
//! `cargo bench -p dnode-conform --bench parse`. *parse* is lines and [`Value`], *judge* all that the monitor does, *session* one end that
//! acts on what the other sent. More than 1 is faster than serde_json, which only makes values. `-- WORD` measures the rows with this word.
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
/// Each way reads at least so many bytes a round.
const BYTES: usize = 16 << 20;
const LIMIT: usize = 64 << 20;
const MANY: usize = 100_000;

/// What went over some connections: for each, who sent which line.
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
    // In turn, so that all have the same of what else the machine does.
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

/// The end that receives what B sends.
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

/// Each connection in its order, the bytes of each end through its lines.
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

/// The lines of the recordings that are JSON: serde_json stops at the first byte that is none.
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

/// A connection over which B sends these lines.
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

/// An array of many marks, and a callback and a link to the place of each.
fn places() -> (String, String, String) {
    let (mut callbacks, mut links) = (String::new(), String::new());
    for n in 0..MANY {
        let comma = if n > 0 { "," } else { "" };
        let _ = write!(callbacks, r#"{comma}"{n}":["0","{n}"]"#);
        let _ = write!(links, r#"{comma}{{"from":["0","0"],"to":["0","{n}"]}}"#);
    }
    (format!("[{}]", vec!["\"[Function]\""; MANY].join(",")), callbacks, links)
}
