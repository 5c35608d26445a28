//! The whole catalogue against the round trips that it needs, and the time to the first verdict; measured in one run against the reference
//! peer.
//!
//! `cargo bench -p dnode-conform --bench catalogue`. What a case needs: one connection with its handshake, and a round trip for each time
//! that the suite speaks after the peer has spoken, one after another, each as long as a bare loop measures it on the same peer. A run also
//! starts a process and a peer, asks it who it is, shows absence, pauses between segments, waits out what must stay silent, and judges.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a benchmark")]

use dnode_conform::cases::{Case, catalogue};
use dnode_conform::peer::Peer;
use dnode_conform::preflight::preflight;
use dnode_conform::replay::replay;
use dnode_conform::target::Target;
use dnode_reports::event::{From, Wire};
use dnode_spec::dialect::Dialect;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PROGRAM: &str = env!("CARGO_BIN_EXE_dnode-conform");
const ROUNDS: u32 = 5;
const PATIENCE: Duration = Duration::from_secs(5);

/// What cases need, and how long they take one after another.
#[derive(Default, Clone, Copy)]
struct Needs {
    cases: u32,
    turns: u32,
    alone: Duration,
}

/// How long it takes to connect and shake hands, and to be answered.
struct Bare {
    connection: Duration,
    turn: Duration,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (cases, bare) = runtime.block_on(measure());
    println!("a connection and its handshake {:?}, a round trip {:?}\n", bare.connection, bare.turn);
    println!("{:<46} {:>5} {:>11} {:>9} {:>9} {:>6}", "", "cases", "round trips", "needs", "takes", "times");
    let mut longest: Vec<(&str, Needs)> = cases.iter().map(|(case, needs)| (case.id(), *needs)).collect();
    longest.sort_by_key(|(_, needs)| std::cmp::Reverse(needs.alone));
    let sum = |cases: &[(&str, Needs)]| {
        cases.iter().fold(Needs::default(), |sum, (_, needs)| Needs {
            cases: sum.cases + needs.cases,
            turns: sum.turns + needs.turns,
            alone: sum.alone + needs.alone,
        })
    };
    let all = sum(&longest);
    row("the program, 8 at once", all, &bare, best(&[]));
    row("the program, one after another", all, &bare, best(&["--jobs", "1"]));
    row("the replays alone, one after another", all, &bare, all.alone);
    let (long, others) = longest.split_at(8);
    for (id, needs) in long {
        row(&format!("  {id}"), *needs, &bare, needs.alone);
    }
    row("  all others", sum(others), &bare, sum(others).alone);
    start_up();
}

fn row(name: &str, needs: Needs, bare: &Bare, takes: Duration) {
    let needed = bare.connection * needs.cases + bare.turn * needs.turns;
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "{name:<46} {:>5} {:>11} {:>6.1} ms {:>6.0} ms {:>6.1}",
        needs.cases,
        needs.turns,
        millis(needed),
        millis(takes),
        millis(takes) / millis(needed)
    );
}

/// The shortest of some runs of the whole program.
fn best(arguments: &[&str]) -> Duration {
    let run = |_| {
        let started = Instant::now();
        let status = Command::new(PROGRAM).args(arguments).stdout(Stdio::null()).status().unwrap();
        assert!(status.success());
        started.elapsed()
    };
    (0..ROUNDS).map(run).min().unwrap()
}

/// Each case once by itself on one peer, and the bare loop on the same.
async fn measure() -> (Vec<(Case, Needs)>, Bare) {
    let peer = Peer::start(&Target::Exec(format!("exec '{PROGRAM}' serve --listen 127.0.0.1:{{port}}")))
        .await
        .unwrap();
    let facts = preflight(peer.address(), Dialect::default(), None, PATIENCE).await.unwrap();
    let mut cases = Vec::new();
    for case in catalogue(Dialect::default()).unwrap() {
        let started = Instant::now();
        let replayed = replay(&case, peer.address(), &facts, PATIENCE).await;
        let alone = started.elapsed();
        cases.push((case, Needs { cases: 1, turns: turns(&replayed.log.into_entries()), alone }));
    }
    let bare = bare(peer.address().tcp().unwrap()).await.unwrap();
    peer.stop().await;
    (cases, bare)
}

/// How often the suite speaks after the peer has. Of a long log the middle is left out, so these are the least.
fn turns(log: &[Wire]) -> u32 {
    let ends = log.iter().filter_map(|entry| match entry {
        Wire::Bytes { from, .. } => Some(*from),
        _ => None,
    });
    let ends: Vec<From> = ends.collect();
    ends.windows(2).map(|pair| u32::from(pair == [From::Peer, From::Suite])).sum()
}

/// The least of many connections and calls.
async fn bare(address: &str) -> std::io::Result<Bare> {
    const HELLO: &[u8] = b"{\"method\":\"methods\",\"arguments\":[{}],\"callbacks\":{},\"links\":[]}\n";
    const CALL: &[u8] =
        b"{\"method\":\"echo\",\"arguments\":[1,\"[Function]\"],\"callbacks\":{\"1\":[\"1\"]},\"links\":[]}\n";
    let mut least = Bare { connection: Duration::MAX, turn: Duration::MAX };
    for _ in 0..100 {
        let started = Instant::now();
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        exchange(&mut stream, HELLO).await?;
        least.connection = least.connection.min(started.elapsed());
        for _ in 0..10 {
            let started = Instant::now();
            exchange(&mut stream, CALL).await?;
            least.turn = least.turn.min(started.elapsed());
        }
    }
    Ok(least)
}

/// Sends a line and reads one.
async fn exchange(stream: &mut TcpStream, line: &[u8]) -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(&*stream).set_tcp_quickack(true)?;
    stream.write_all(line).await?;
    let mut buffer = [0; 4096];
    let mut last = 0;
    while last != b'\n' {
        let count = stream.read(&mut buffer).await?;
        last = *buffer[..count].last().ok_or(std::io::ErrorKind::UnexpectedEof)?;
    }
    Ok(())
}

/// How soon there is a verdict, beside a process that only says its version.
fn start_up() {
    let first = |arguments: &[&str], begins: &str| {
        let run = |_| {
            let started = Instant::now();
            let mut child = Command::new(PROGRAM).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
            let lines = BufReader::new(child.stdout.take().unwrap()).lines();
            assert!(lines.map_while(Result::ok).any(|line| line.starts_with(begins)));
            let took = started.elapsed();
            child.wait().unwrap();
            took
        };
        (0..ROUNDS).map(run).min().unwrap().as_secs_f64() * 1000.0
    };
    let (version, verdict) = (first(&["--version"], "dnode-conform"), first(&["--verbose"], "pass "));
    println!(
        "\nstart-up: {version:.1} ms to the version, {verdict:.1} ms to the first verdict, {:.1} times",
        verdict / version
    );
    let size = std::fs::metadata(PROGRAM).unwrap().len();
    println!("the program: {:.1} MiB", size as f64 / f64::from(1 << 20));
}
