//! Generated sessions per second against a live peer: judged, by a bare loop that sends the same
//! bytes and reads the same answers, and the ratio of the two. All figures come from one run.
//!
//! `cargo bench -p dnode-conform --bench sessions -- [CMD]`: CMD starts the peer, which listens at
//! the port `{port}`. The default is npm dnode 1.2.2.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "a benchmark")]

mod table;

use dnode::transport::Address;
use dnode_conform::cases::Case;
use dnode_conform::conversation::preflight::preflight;
use dnode_conform::conversation::replay::judged::Judged;
use dnode_conform::conversation::replay::replay;
use dnode_conform::peer::Peer;
use dnode_conform::program::Target;
use dnode_reports::event::{Origin, Wire};
use dnode_spec::dialect::Dialect;
use dnode_spec::generate::{Kind, Seed, session};
use std::sync::Arc;
use std::time::{Duration, Instant};
use table::{Goal, Table};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const SESSIONS: u64 = 1000;
const ROUNDS: usize = 5;
const JOBS: usize = 8;
const PATIENCE: Duration = Duration::from_secs(5);

/// A step of the bare loop in one session.
enum Exchange {
    Send(Vec<u8>),
    /// Reads this many bytes.
    Read(usize),
    HalfClose,
}

fn main() {
    let command = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let npm =
        concat!("exec node ", env!("CARGO_MANIFEST_DIR"), "/../fixtures/peers/npm-dnode/server.js {port}");
    let target = Target::exec(&command.unwrap_or_else(|| npm.to_owned()));
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(bench(&target));
}

async fn bench(target: &Target) {
    let peer = Peer::start(target).await.unwrap_or_else(|error| panic!("{error}"));
    let route = Arc::new(peer.route().clone());
    let facts = Arc::new(preflight(&route, Dialect::default(), None, PATIENCE).await.unwrap());
    let mut sessions: Vec<Arc<Case>> = Vec::new();
    let mut scripts: Vec<Arc<Vec<Exchange>>> = Vec::new();
    for number in 0..SESSIONS {
        let case = Case::read(&session(Seed { seed: 1, number, kind: Kind::Legal })).unwrap();
        // A split message needs pauses, which would hide the work.
        if case.text.contains("\"split\"") {
            continue;
        }
        let replayed = replay(&case, &route, &facts, PATIENCE).await;
        assert_eq!(replayed.judged, Judged::Pass, "{}", case.id());
        if let Some(script) = script(replayed.log.into_entries()) {
            scripts.push(Arc::new(script));
            sessions.push(Arc::new(case));
        }
    }
    let (mut judged, mut bare) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let (route_, facts_) = (Arc::clone(&route), Arc::clone(&facts));
        let time = all(&sessions, move |case| {
            let (route, facts) = (Arc::clone(&route_), Arc::clone(&facts_));
            async move { drop(replay(&case, &route, &facts, PATIENCE).await) }
        });
        judged = judged.min(time.await);
        let route_ = Arc::clone(&route);
        let time = all(&scripts, move |script| {
            let route = Arc::clone(&route_);
            async move { play(route.address().and_then(Address::tcp).unwrap(), &script).await.unwrap() }
        });
        bare = bare.min(time.await);
    }
    let per_second = |time: Duration| sessions.len() as f64 / time.as_secs_f64();
    let ratio = bare.as_secs_f64() / judged.as_secs_f64();
    let mut table = Table::new("sessions", ["sessions", "judged, sessions/s", "bare, sessions/s", "ratio"]);
    table.row([
        sessions.len().to_string(),
        format!("{:.0}", per_second(judged)),
        format!("{:.0}", per_second(bare)),
        format!("{ratio:.2}"),
    ]);
    let what = "Generated sessions/s against npm dnode, judged, against a bare loop";
    table.goal(what, &Goal::AtLeast(0.8), ratio);
    table.finish();
    peer.stop().await;
}

/// Runs all items, several side by side, and returns the time.
async fn all<T, F>(items: &[Arc<T>], run: impl Fn(Arc<T>) -> F) -> Duration
where
    T: Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let started = Instant::now();
    let mut running = JoinSet::new();
    for item in items {
        if running.len() == JOBS {
            running.join_next().await.unwrap().unwrap();
        }
        running.spawn(run(Arc::clone(item)));
    }
    while let Some(joined) = running.join_next().await {
        joined.unwrap();
    }
    started.elapsed()
}

/// The steps of the bare loop; `None` if the log is not complete.
fn script(log: Vec<Wire>) -> Option<Vec<Exchange>> {
    let mut script = Vec::new();
    for entry in log {
        match entry {
            Wire::Bytes { from: Origin::Suite, bytes, cut: 0, .. } => script.push(Exchange::Send(bytes)),
            Wire::Bytes { from: Origin::Peer, bytes, cut: 0, .. } => script.push(Exchange::Read(bytes.len())),
            Wire::Event { from: Origin::Suite, .. } => script.push(Exchange::HalfClose),
            Wire::Event { .. } => {}
            _ => return None,
        }
    }
    Some(script)
}

async fn play(address: &str, script: &[Exchange]) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; 1 << 20];
    for exchange in script {
        // The suite sets this option too. Otherwise each exchange would cost a delayed
        // acknowledgement.
        #[cfg(target_os = "linux")]
        socket2::SockRef::from(&stream).set_tcp_quickack(true)?;
        match exchange {
            Exchange::Send(bytes) => stream.write_all(bytes).await?,
            Exchange::Read(count) => drop(stream.read_exact(&mut buffer[..*count]).await?),
            Exchange::HalfClose => stream.shutdown().await?,
        }
    }
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}
