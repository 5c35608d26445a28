//! Sessions per second against live peers: generated and judged, by a bare loop that sends the same
//! bytes and reads the same answers, and by a campaign. All figures come from one run.
//!
//! `cargo bench -p dnode-conform --bench sessions`. The peers are npm dnode 1.2.2, which dies often,
//! and the example in Rust, which does not die.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "a benchmark")]

mod table;

use dnode::transport::Address;
use dnode_conform::campaign::{CampaignOptions, campaign};
use dnode_conform::cases::Case;
use dnode_conform::conversation::preflight::preflight;
use dnode_conform::conversation::replay::judged::Judged;
use dnode_conform::conversation::replay::replay;
use dnode_conform::peer::Peer;
use dnode_conform::program::Target;
use dnode_reports::event::{Origin, Wire};
use dnode_spec::clause::Level;
use dnode_spec::dialect::Dialect;
use dnode_spec::generate::{Kind, Seed, session};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use table::{Goal, Table};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

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

/// How long the campaigns last. At first a campaign plays the catalogue, whose pauses take one or
/// two seconds.
const CAMPAIGN: Duration = Duration::from_secs(20);
const LONG_CAMPAIGN: Duration = Duration::from_secs(60);
/// The default of `fuzz --jobs`. Some sessions have pauses, so there are more lanes than cores.
const LANES: usize = 4;

fn main() {
    let npm =
        concat!("exec node ", env!("CARGO_MANIFEST_DIR"), "/../fixtures/peers/npm-dnode/server.js {port}");
    let npm = Target::exec(npm);
    let rust = Target::exec(&format!("exec '{}' 127.0.0.1:{{port}}", example().display()));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut table = Table::new("sessions", ["peer", "judged", "bare loop", "campaign", "findings"]);
        let of_npm = measure("npm dnode 1.2.2", &npm, LONG_CAMPAIGN, &mut table).await;
        let of_rust = measure("the example in Rust", &rust, CAMPAIGN, &mut table).await;
        let what = "Generated sessions/s against npm dnode, judged, against a bare loop";
        table.goal(what, &Goal::AtLeast(0.8), of_npm.judged / of_npm.bare);
        let what = "Sessions/s of a campaign on the example in Rust, against a bare loop";
        table.goal(what, &Goal::AtLeast(0.7), of_rust.campaign / of_rust.bare);
        let what = "Causes that a campaign of 60 s confirms on npm dnode";
        let text = format!("{}, {} of them shrunk", of_npm.confirmed, of_npm.shrunk);
        table.goal_with_text(what, &Goal::AtLeast(20.0), of_npm.confirmed as f64, &text);
        table.finish();
    });
}

/// Builds the example in Rust, and returns its program.
fn example() -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "--package", "dnode", "--example", "probe"])
        .status();
    assert!(built.unwrap().success());
    Path::new(env!("CARGO_BIN_EXE_dnode-conform")).with_file_name("examples").join("probe")
}

/// Sessions per second, and what a campaign found.
struct Figures {
    judged: f64,
    bare: f64,
    campaign: f64,
    confirmed: usize,
    shrunk: usize,
}

async fn measure(name: &str, target: &Target, time: Duration, table: &mut Table) -> Figures {
    let (judged, bare) = generated(target).await;
    let folder = tempfile::tempdir().unwrap();
    let status = campaign(campaign_options(target, time, folder.path()), &mut |_| {}).await.unwrap();
    let rate = status.sessions as f64 / status.elapsed.as_secs_f64();
    let confirmed = status.failing;
    let figures = Figures {
        judged,
        bare,
        campaign: rate,
        confirmed,
        shrunk: confirmed.saturating_sub(status.unshrunk),
    };
    let [judged, bare, rate] = [judged, bare, rate].map(|rate| format!("{rate:.0}/s"));
    table.row([name.to_owned(), judged, bare, rate, confirmed.to_string()]);
    figures
}

fn campaign_options(target: &Target, time: Duration, folder: &Path) -> CampaignOptions {
    CampaignOptions {
        target: target.clone(),
        ping: None,
        time,
        seed: 1,
        shard: (0, 1),
        jobs: LANES,
        machine: None,
        corpus: None,
        findings: folder.to_owned(),
        gate: Level::Robust,
        patience: PATIENCE,
        fail_fast: false,
        command: dnode_conform::verdict::Command { program: String::new(), arguments: String::new() },
        interrupted: CancellationToken::new(),
    }
}

/// Sessions per second, judged and by the bare loop.
async fn generated(target: &Target) -> (f64, f64) {
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
    peer.stop().await;
    (per_second(judged), per_second(bare))
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
