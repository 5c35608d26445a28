//! Messages per second within one long session: judged, by a bare loop that sends the same bytes
//! and reads the same answers, and the ratio of the two. All figures come from one run.
//!
//! `cargo bench -p dnode-conform --bench messages`. The peer answers from a table of the lines that
//! it has seen. It runs on one core, and the measured code on another.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "a benchmark")]

mod table;

use dnode::transport::Address;
use dnode_conform::cases::Case;
use dnode_conform::conversation::facts::Facts;
use dnode_conform::conversation::preflight::preflight;
use dnode_conform::conversation::replay::judged::Judged;
use dnode_conform::conversation::replay::replay;
use dnode_conform::program::Route;
use dnode_spec::dialect::Dialect;
use dnode_spec::line::Splitter;
use serde_json::Value as Json;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use table::{Goal, Table as Figures};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

const CALLS: usize = 20_000;
const ROUNDS: usize = 5;
const PATIENCE: Duration = Duration::from_secs(30);
const METHODS: &str = r#"{"method":"methods","arguments":[{"conformProbe":"[Function]","echo":"[Function]","add":"[Function]"}],"callbacks":{"0":["0","conformProbe"],"1":["0","echo"],"2":["0","add"]},"links":[]}"#;

/// The table of the peer.
#[derive(Default)]
struct Table {
    /// The answer to each line that it has seen; empty if the line needs no answer.
    answers: HashMap<Vec<u8>, Vec<u8>>,
    /// The new lines in order, each with the length of its answer.
    learned: Vec<(Vec<u8>, usize)>,
}

fn main() {
    let one_core = || Builder::new_current_thread().enable_all().build().unwrap();
    let (address, table) = peer(one_core());
    let mut figures =
        Figures::new("messages", ["calls at once", "judged, messages/s", "bare, messages/s", "ratio"]);
    one_core().block_on(async {
        let route = Route::from(address.parse::<Address>().unwrap());
        let facts = preflight(&route, Dialect::default(), None, PATIENCE).await.unwrap();
        for together in [1, 10, 100] {
            compare(together, &route, &facts, &table, &mut figures).await;
        }
        figures.finish();
    });
}

async fn compare(together: usize, route: &Route, facts: &Facts, table: &Mutex<Table>, figures: &mut Figures) {
    let case = Case::read(&transcript(together)).unwrap();
    // The first replay fills the table, which then has the traffic of the session.
    *table.lock().unwrap() = Table::default();
    judge(&case, route, facts).await;
    let lines = std::mem::take(&mut table.lock().unwrap().learned);
    let (mut judged, mut bare) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        judged = judged.min(judge(&case, route, facts).await);
        let started = Instant::now();
        play(route.address().and_then(Address::tcp).unwrap(), &lines, together).await.unwrap();
        bare = bare.min(started.elapsed());
    }
    let per_second = |time: Duration| (2 * CALLS) as f64 / time.as_secs_f64();
    let ratio = bare.as_secs_f64() / judged.as_secs_f64();
    figures.row([
        together.to_string(),
        format!("{:.0}", per_second(judged)),
        format!("{:.0}", per_second(bare)),
        format!("{ratio:.2}"),
    ]);
    let what = format!("Messages/s in one long session, judged, against a bare loop: {together} at once");
    figures.goal(&what, &Goal::AtLeast(0.8), ratio);
}

async fn judge(case: &Case, route: &Route, facts: &Facts) -> Duration {
    let started = Instant::now();
    let replayed = replay(case, route, facts, PATIENCE).await;
    let took = started.elapsed();
    assert_eq!(replayed.judged, Judged::Pass);
    took
}

/// A session of many calls, with this number of pending calls at a time.
fn transcript(together: usize) -> String {
    let mut out = r#"{"dnode-transcript":1,"id":"long/calls","since":"0.1.0","clauses":["value/numbers"],"needs":["add"],"about":"Long."}"#.to_owned();
    for batch in 0..CALLS / together {
        for n in 0..together {
            let _ = write!(out, "\n{{\"call\":\"add\",\"arguments\":[{batch},{n},\"$cb{n}\"]}}");
        }
        for n in 0..together {
            let _ = write!(out, "\n{{\"expect\":{{\"method\":\"$cb{n}\",\"arguments\":[{}]}}}}", batch + n);
        }
    }
    out
}

/// Sends these lines, each with its own write as the suite does. Reads the answers to `together`
/// lines at a time.
async fn play(address: &str, lines: &[(Vec<u8>, usize)], together: usize) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; 1 << 20];
    stream.read_exact(&mut buffer[..METHODS.len() + 1]).await?;
    let (handshake, calls) = lines.split_at(1);
    for lines in std::iter::once(handshake).chain(calls.chunks(together)) {
        for (line, _) in lines {
            stream.write_all(line).await?;
        }
        quick(&stream)?;
        let answers = lines.iter().map(|(_, answer)| answer).sum();
        stream.read_exact(&mut buffer[..answers]).await?;
    }
    Ok(())
}

/// Sets the same options as the suite. Otherwise each exchange would cost a delayed
/// acknowledgement.
fn quick(stream: &TcpStream) -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_quickack(true)?;
    stream.set_nodelay(true)
}

/// Starts the peer on its own thread. Returns its address and its table.
fn peer(runtime: Runtime) -> (String, Arc<Mutex<Table>>) {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let table = Arc::<Mutex<Table>>::default();
    let known = Arc::clone(&table);
    std::thread::spawn(move || {
        runtime.block_on(async {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let known = Arc::clone(&known);
                tokio::spawn(async move { serve(stream, &known).await });
            }
        });
    });
    (address, table)
}

async fn serve(mut stream: TcpStream, table: &Mutex<Table>) -> std::io::Result<()> {
    quick(&stream)?;
    stream.write_all(format!("{METHODS}\n").as_bytes()).await?;
    let (mut splitter, mut buffer, mut out) = (Splitter::new(1 << 20), vec![0; 64 << 10], Vec::new());
    loop {
        quick(&stream)?;
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        splitter.push(&buffer[..count]);
        out.clear();
        while let Some(line) = splitter.next_line() {
            table.lock().unwrap().answer(line.unwrap(), &mut out);
        }
        stream.write_all(&out).await?;
    }
}

impl Table {
    fn answer(&mut self, line: &[u8], out: &mut Vec<u8>) {
        if let Some(answer) = self.answers.get(line) {
            return out.extend_from_slice(answer);
        }
        let answer = compute(&serde_json::from_slice(line).unwrap()).unwrap_or_default();
        out.extend_from_slice(&answer);
        self.learned.push(([line, b"\n"].concat(), answer.len()));
        self.answers.insert(line.to_owned(), answer);
    }
}

/// The answer of a peer with three methods.
fn compute(message: &Json) -> Option<Vec<u8>> {
    let arguments = &message["arguments"];
    let result = match message["method"]
        .as_str()
        .map_or_else(|| message["method"].to_string(), str::to_owned)
        .as_str()
    {
        "0" | "conformProbe" => "a table".into(),
        "1" | "echo" => arguments[0].clone(),
        "2" | "add" => (arguments[0].as_u64()? + arguments[1].as_u64()?).into(),
        _ => return None,
    };
    let id = message["callbacks"].as_object()?.keys().next()?;
    Some(
        format!("{{\"method\":{id},\"arguments\":[{result}],\"callbacks\":{{}},\"links\":[]}}\n")
            .into_bytes(),
    )
}
