//! The time of the whole catalogue compared with the round trips that it needs, and the time to the
//! first verdict. All figures come from one run against the reference peer.
//!
//! `cargo bench -p dnode-conform --bench catalogue`. A bare loop measures the need of a case: it
//! opens the same connections one after another, sends the same bytes and waits for the same
//! answers, without pauses and without judging. A run also starts a process and a peer, runs the
//! preflight, pauses between segments, waits for absences, and judges.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a benchmark")]

mod table;

use dnode::transport::Address;
use dnode_conform::cases::{Case, catalogue};
use dnode_conform::conversation::facts::Facts;
use dnode_conform::conversation::preflight::preflight;
use dnode_conform::conversation::replay::replay;
use dnode_conform::peer::Peer;
use dnode_conform::program::{Route, Target};
use dnode_spec::dialect::Dialect;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use table::{Goal, Table};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

const PROGRAM: &str = env!("CARGO_BIN_EXE_dnode-conform");
const ROUNDS: u32 = 5;
const PATIENCE: Duration = Duration::from_secs(5);
/// How many cases have their own row.
const ROWS: usize = 12;

/// The traffic of one connection: the sender and the bytes of each turn.
type Session = Vec<(Sender, Vec<u8>)>;

#[derive(Clone, Copy, PartialEq)]
enum Sender {
    Suite,
    Peer,
}

/// The connections of a case, in the order in which they were opened.
type Record = Arc<Mutex<Vec<Arc<Mutex<Session>>>>>;

/// The needs of some cases, and their time if they run one after another.
#[derive(Default, Clone, Copy)]
struct Figures {
    cases: usize,
    turns: usize,
    bytes: usize,
    bare: Duration,
    judged: Duration,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut cases = runtime.block_on(measure());
    let mut table = Table::new("catalogue", ["", "cases", "round trips", "MiB", "needs", "takes", "times"]);
    cases.sort_by_key(|(_, figures)| std::cmp::Reverse(figures.judged.saturating_sub(figures.bare)));
    let all = sum(&cases);
    let at_once = best(&[]);
    row(&mut table, "the program, 8 at once", all, at_once);
    row(&mut table, "the program, one after another", all, best(&["--jobs", "1"]));
    row(&mut table, "the replays alone, one after another", all, all.judged);
    let (long, others) = cases.split_at(ROWS);
    for (id, figures) in long {
        row(&mut table, &format!("`{id}`"), *figures, figures.judged);
    }
    row(&mut table, "all others", sum(others), sum(others).judged);
    let what = "The whole catalogue, in times what its round trips need one after another";
    table.goal(what, &Goal::AtMost(2.0), at_once.as_secs_f64() / all.bare.as_secs_f64());
    start_up(&mut table);
    table.finish();
}

fn sum(cases: &[(String, Figures)]) -> Figures {
    cases.iter().fold(Figures::default(), |sum, (_, figures)| Figures {
        cases: sum.cases + figures.cases,
        turns: sum.turns + figures.turns,
        bytes: sum.bytes + figures.bytes,
        bare: sum.bare + figures.bare,
        judged: sum.judged + figures.judged,
    })
}

fn row(table: &mut Table, name: &str, needs: Figures, takes: Duration) {
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    table.row([
        name.to_owned(),
        needs.cases.to_string(),
        needs.turns.to_string(),
        format!("{:.1}", needs.bytes as f64 / f64::from(1 << 20)),
        format!("{:.1} ms", millis(needs.bare)),
        format!("{:.1} ms", millis(takes)),
        format!("{:.1}", millis(takes) / millis(needs.bare)),
    ]);
}

/// The time of the fastest of some runs of the whole program.
fn best(arguments: &[&str]) -> Duration {
    let run = |_| {
        let started = Instant::now();
        let status = Command::new(PROGRAM).args(arguments).stdout(Stdio::null()).status().unwrap();
        assert!(status.success());
        started.elapsed()
    };
    (0..ROUNDS).map(run).min().unwrap()
}

/// Measures each case by itself on one peer, judged and by the bare loop.
async fn measure() -> Vec<(String, Figures)> {
    let peer = Peer::start(&Target::exec(&format!("exec '{PROGRAM}' serve --listen 127.0.0.1:{{port}}")))
        .await
        .unwrap();
    let facts = preflight(peer.route(), Dialect::default(), None, PATIENCE).await.unwrap();
    let tcp = peer.route().address().and_then(Address::tcp).unwrap().to_owned();
    let (recorder, record) = recorder(tcp.clone()).await;
    let mut cases = Vec::new();
    for case in catalogue(Dialect::default()).unwrap() {
        judge(&case, &recorder, &facts).await;
        let sessions: Vec<Session> = std::mem::take(&mut *record.lock().unwrap())
            .iter()
            .map(|session| std::mem::take(&mut *session.lock().unwrap()))
            .collect();
        let mut figures =
            Figures { cases: 1, bare: Duration::MAX, judged: Duration::MAX, ..Figures::default() };
        for session in &sessions {
            figures.turns += session.windows(2).filter(|pair| pair[1].0 == Sender::Suite).count();
            figures.bytes += session.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
        }
        for _ in 0..ROUNDS {
            figures.judged = figures.judged.min(judge(&case, peer.route(), &facts).await);
            figures.bare = figures.bare.min(bare(&sessions, &tcp).await.unwrap());
        }
        cases.push((case.id().to_owned(), figures));
    }
    peer.stop().await;
    cases
}

async fn judge(case: &Case, route: &Route, facts: &Facts) -> Duration {
    let started = Instant::now();
    replay(case, route, facts, PATIENCE).await;
    started.elapsed()
}

/// Sends the bytes of the suite and reads as many bytes as the peer answered, in the same order.
async fn bare(sessions: &[Session], peer: &str) -> std::io::Result<Duration> {
    let started = Instant::now();
    let mut buffer = Vec::new();
    for session in sessions {
        let mut stream = TcpStream::connect(peer).await?;
        stream.set_nodelay(true)?;
        for (sender, bytes) in session {
            match sender {
                Sender::Suite => stream.write_all(bytes).await?,
                Sender::Peer => {
                    quick(&stream)?;
                    buffer.resize(bytes.len(), 0);
                    tokio::time::timeout(PATIENCE, stream.read_exact(&mut buffer)).await??;
                }
            }
        }
    }
    Ok(started.elapsed())
}

/// Sets the same options as the suite. Otherwise each exchange would cost a delayed
/// acknowledgement.
fn quick(stream: &TcpStream) -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_quickack(true)?;
    stream.set_nodelay(true)
}

/// Starts a proxy between the suite and the peer that records the traffic.
async fn recorder(peer: String) -> (Route, Record) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let route = Route::from(listener.local_addr().unwrap().to_string().parse::<Address>().unwrap());
    let record = Record::default();
    let kept = Arc::clone(&record);
    tokio::spawn(async move {
        loop {
            let (suite, _) = listener.accept().await.unwrap();
            let session = Arc::<Mutex<Session>>::default();
            kept.lock().unwrap().push(Arc::clone(&session));
            let peer = TcpStream::connect(&peer).await.unwrap();
            suite.set_nodelay(true).unwrap();
            peer.set_nodelay(true).unwrap();
            let ((from_suite, to_suite), (from_peer, to_peer)) = (suite.into_split(), peer.into_split());
            tokio::spawn(carry(Sender::Suite, from_suite, to_peer, Arc::clone(&session)));
            tokio::spawn(carry(Sender::Peer, from_peer, to_suite, session));
        }
    });
    (route, record)
}

async fn carry(
    sender: Sender,
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    session: Arc<Mutex<Session>>,
) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        {
            let mut session = session.lock().unwrap();
            match session.last_mut().filter(|(last, _)| *last == sender) {
                Some((_, bytes)) => bytes.extend_from_slice(&buffer[..count]),
                None => session.push((sender, buffer[..count].to_vec())),
            }
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}

/// Measures the time to the first verdict, and for comparison the time to print the version.
fn start_up(table: &mut Table) {
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
    let text = format!("{verdict:.1} ms; its version {version:.1} ms");
    table.goal_with_text("The first verdict of the program", &Goal::None, verdict, &text);
    let size = std::fs::metadata(PROGRAM).unwrap().len() as f64 / f64::from(1 << 20);
    table.goal_with_text("The size of the program", &Goal::None, size, &format!("{size:.1} MiB"));
}
