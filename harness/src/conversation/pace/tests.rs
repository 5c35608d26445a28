//! Peers that become slow or hang after the preflight, on a paused clock: time passes only while all
//! tasks wait.

use super::*;
use crate::conversation::preflight::preflight;
use crate::conversation::replay::judged::{Cause, Judged};
use dnode::transport::Address;
use dnode_spec::dialect::Dialect;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};

const METHODS: &[u8] = b"{\"method\":\"methods\",\"arguments\":[{\"conformProbe\":\"[Function]\",\"echo\":\"[Function]\"}],\"callbacks\":{\"0\":[\"0\",\"conformProbe\"],\"1\":[\"0\",\"echo\"]},\"links\":[]}\n";
const CASE: &str = "{\"dnode-transcript\":1,\"id\":\"echo/once\",\"since\":\"0.1.0\",\"clauses\":[\"message/argument-order\"],\"needs\":[\"echo\"],\"about\":\"An echo.\"}\n{\"call\":\"echo\",\"arguments\":[1,\"$cb\"]}\n{\"expect\":{\"method\":\"$cb\",\"arguments\":[1]}}";
const PATIENCE: Duration = Duration::from_secs(1);

/// What the peer does after the preflight.
#[derive(Debug, Default)]
struct Conduct {
    /// How long each answer takes, in milliseconds.
    delay: AtomicU64,
    /// `echo` gives no answer.
    no_echo: AtomicBool,
    /// How often `echo` was called.
    echoes: AtomicUsize,
}

async fn serve(stream: DuplexStream, conduct: Arc<Conduct>) -> std::io::Result<()> {
    let (from, mut to) = tokio::io::split(stream);
    let mut lines = BufReader::new(from).lines();
    to.write_all(METHODS).await?;
    while let Some(line) = lines.next_line().await? {
        let message: serde_json::Value = serde_json::from_str(&line)?;
        if message["method"] == "methods" {
            continue;
        }
        let Some(id) = message["callbacks"].as_object().and_then(|callbacks| callbacks.keys().next()) else {
            continue;
        };
        let is_echo = message["method"] == 1 || message["method"] == "echo";
        conduct.echoes.fetch_add(is_echo.into(), Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(conduct.delay.load(Ordering::Relaxed))).await;
        if is_echo && conduct.no_echo.load(Ordering::Relaxed) {
            continue;
        }
        let answer = &message["arguments"][0];
        let answer = format!("{{\"method\":{id},\"arguments\":[{answer}]}}\n");
        to.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

/// The result of a case against a peer that answers at once in the preflight, and how often the case
/// called `echo`.
async fn replayed(delay: u64, no_echo: bool) -> (Replayed, usize) {
    let conduct = Arc::new(Conduct::default());
    let peer = Arc::clone(&conduct);
    let route = Route::on_paused_clock(Address::in_memory("slow", move || {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        tokio::spawn(serve(theirs, Arc::clone(&peer)));
        ours
    }));
    let facts = preflight(&route, Dialect::default(), None, PATIENCE).await.unwrap();
    let before = conduct.echoes.load(Ordering::Relaxed);
    conduct.delay.store(delay, Ordering::Relaxed);
    conduct.no_echo.store(no_echo, Ordering::Relaxed);
    let replayed = replay_at_its_pace(&Case::read(CASE).unwrap(), &route, &facts, PATIENCE).await;
    (replayed, conduct.echoes.load(Ordering::Relaxed) - before)
}

#[tokio::test(start_paused = true)]
async fn slow_peer_gets_more_time() {
    let (replayed, echoes) = replayed(600, false).await;
    assert_eq!((replayed.judged, echoes), (Judged::Pass, 2));
}

#[tokio::test(start_paused = true)]
async fn peer_that_hangs_on_one_connection_gets_no_more_time() {
    let (replayed, echoes) = replayed(0, true).await;
    assert_eq!((replayed.cause(), echoes, replayed.overloaded), (Some(Cause::Time), 1, false));
}

#[tokio::test(start_paused = true)]
async fn peer_that_hangs_on_every_connection_gets_no_more_time() {
    let (replayed, echoes) = replayed(3_600_000, false).await;
    assert_eq!((replayed.cause(), echoes, replayed.overloaded), (Some(Cause::Time), 1, false));
}

#[tokio::test(start_paused = true)]
async fn silence_of_a_peer_that_is_far_too_slow_means_nothing() {
    let (replayed, echoes) = replayed(900, true).await;
    assert_eq!((replayed.cause(), echoes, replayed.is_overloaded()), (Some(Cause::Time), 2, true));
}
