//! Deadlines, on a paused clock: time passes only while all tasks wait.

use super::*;
use crate::clock::Clock;
use crate::conversation::closing::Closing;
use crate::conversation::preflight::preflight;
use crate::program::Taps;
use dnode::transport::Address;
use dnode_reports::event::TimeBase;
use dnode_spec::dialect::Dialect;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::time::Instant;

const METHODS: &[u8] = b"{\"method\":\"methods\",\"arguments\":[{\"conformProbe\":\"[Function]\",\"echo\":\"[Function]\"}],\"callbacks\":{\"0\":[\"0\",\"conformProbe\"],\"1\":[\"0\",\"echo\"]},\"links\":[]}\n";
const PATIENCE: Duration = Duration::from_secs(1);

/// How a peer answers `echo`.
#[derive(Clone, Copy)]
enum Answer {
    /// With a string of this number of pieces of 512 KiB, a tenth of a second apart.
    Pieces(usize),
    /// The same, but the string never ends.
    Unfinished(usize),
    /// With endless valid messages.
    Endless,
}

async fn serve(stream: DuplexStream, answer: Answer) -> std::io::Result<()> {
    let (from, mut to) = tokio::io::split(stream);
    let mut lines = BufReader::new(from).lines();
    to.write_all(METHODS).await?;
    while let Some(line) = lines.next_line().await? {
        let message: serde_json::Value = serde_json::from_str(&line)?;
        let Some(id) = message["callbacks"].as_object().and_then(|callbacks| callbacks.keys().next()) else {
            continue;
        };
        let begin = format!("{{\"method\":{id},\"arguments\":[\"");
        let end = "\"],\"callbacks\":{},\"links\":[]}\n";
        let is_echo = message["method"] == 1 || message["method"] == "echo";
        match answer {
            Answer::Endless if is_echo => loop {
                to.write_all(format!("{begin}{end}").repeat(1000).as_bytes()).await?;
            },
            Answer::Pieces(pieces) | Answer::Unfinished(pieces) if is_echo => {
                to.write_all(begin.as_bytes()).await?;
                for _ in 0..pieces {
                    tokio::time::sleep(PATIENCE / 10).await;
                    to.write_all(&[b'x'; 512 << 10]).await?;
                }
                if let Answer::Unfinished(_) = answer {
                    std::future::pending::<()>().await;
                }
                to.write_all(end.as_bytes()).await?;
            }
            _ => to.write_all(format!("{begin}{end}").as_bytes()).await?,
        }
    }
    Ok(())
}

async fn judged(steps: &str, answer: Answer) -> Judged {
    replayed(steps, answer).await.0
}

/// The judgement of these steps, and the time that the peer had for them.
async fn replayed(steps: &str, answer: Answer) -> (Judged, Duration) {
    let (replayed, time) = replay_of(steps, answer).await;
    (replayed.judged, time)
}

/// The result of these steps, and the time that the peer had for them.
async fn replay_of(steps: &str, answer: Answer) -> (Replayed, Duration) {
    let route = Route::on_paused_clock(Address::in_memory("slow", move || {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        tokio::spawn(serve(theirs, answer));
        ours
    }));
    let mut facts = preflight(&route, Dialect::default(), None, PATIENCE).await.unwrap();
    // Its `echo` keeps it from closing the connection of the preflight.
    facts.calls.closing = Closing::seen(true);
    let text = format!(
        "{{\"dnode-transcript\":1,\"id\":\"long/answer\",\"since\":\"0.1.0\",\"clauses\":[\"robust/bounded\"],\"needs\":[\"echo\"],\"hostile\":true,\"about\":\"A long answer.\"}}\n{{\"call\":\"echo\",\"arguments\":[1,\"$cb\"]}}\n{steps}"
    );
    let begun = route.clock().now();
    let replayed = replay(&Case::read(&text).unwrap(), &route, &facts, PATIENCE).await;
    (replayed, route.clock().now().since(begun))
}

const EXPECTED: &str = "{\"expect\":{\"method\":\"$cb\",\"arguments\":[\"?string\"]}}";
const SURVIVED: &str = "{\"survive\":true}";

#[tokio::test(start_paused = true)]
async fn a_long_answer_gets_more_time() {
    for steps in [EXPECTED, SURVIVED] {
        assert_eq!(judged(steps, Answer::Pieces(12)).await, Judged::Pass, "{steps}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_stalls_gets_no_more_time() {
    for steps in [EXPECTED, SURVIVED] {
        let Judged::Diverged(diverged) = judged(steps, Answer::Unfinished(3)).await else {
            panic!("{steps}")
        };
        assert_eq!(diverged.cause, Cause::Time, "{steps}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_not_reported_as_a_closed_connection() {
    let Judged::Diverged(diverged) = judged(SURVIVED, Answer::Endless).await else { panic!("it passed") };
    assert_eq!((diverged.kind, diverged.cause), (Kind::Flood, Cause::Content));
}

#[tokio::test(start_paused = true)]
async fn a_line_that_the_suite_cannot_keep_is_not_blamed() {
    for steps in [EXPECTED, SURVIVED] {
        let replayed = replay_of(steps, Answer::Pieces(50)).await.0;
        assert!(replayed.is_unkept() && replayed.broken.is_empty(), "{steps} {:?}", replayed.judged);
    }
    let replayed = replay_of(EXPECTED, Answer::Pieces(12)).await.0;
    assert!(!replayed.is_unkept());
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_gets_little_time_to_close_its_connection() {
    let (judged, time) = replayed(EXPECTED, Answer::Unfinished(0)).await;
    assert!(matches!(judged, Judged::Diverged(diverged) if diverged.cause == Cause::Time));
    assert!(time < PATIENCE * 2, "{time:?}");
}

/// A peer that answers no call, and closes each connection this long after a line that is no JSON.
async fn survived(closes_after: Duration) -> (Judged, Duration) {
    let route = Route::on_paused_clock(Address::in_memory("mute", move || {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        tokio::spawn(async move {
            let (from, mut to) = tokio::io::split(theirs);
            let mut lines = BufReader::new(from).lines();
            to.write_all(b"{\"method\":\"methods\",\"arguments\":[{}]}\n").await?;
            while let Some(line) = lines.next_line().await? {
                if line == "{" {
                    tokio::time::sleep(closes_after).await;
                    break;
                }
            }
            std::io::Result::Ok(())
        });
        ours
    }));
    let facts = preflight(&route, Dialect::default(), None, PATIENCE).await.unwrap();
    let text = format!(
        "{{\"dnode-transcript\":1,\"id\":\"a/case\",\"since\":\"0.1.0\",\"clauses\":[\"robust/survives\"],\"hostile\":true,\"about\":\"A line.\"}}\n{{\"line\":\"{{\"}}\n{SURVIVED}"
    );
    let begun = route.clock().now();
    let replayed = replay(&Case::read(&text).unwrap(), &route, &facts, PATIENCE).await;
    (replayed.judged, route.clock().now().since(begun))
}

#[tokio::test(start_paused = true)]
async fn silence_is_shown_once_after_the_last_bytes() {
    let quiet = Facts::of_client().quiet();
    let (judged, time) = survived(PATIENCE * 9).await;
    assert_eq!(judged, Judged::Pass);
    assert!(time >= quiet, "{time:?}");
    // A peer may take its time before it closes the connection.
    assert_eq!(survived(quiet * 3 / 2).await.0, Judged::Pass);
}

/// What a line that is no JSON stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hang {
    /// The connection.
    One,
    /// All connections.
    All,
    /// All connections for this time.
    For(Duration),
}

/// When all connections go on; `None` means never.
type Stopped = Arc<Mutex<Option<Option<Instant>>>>;

async fn serve_until(stream: DuplexStream, hang: Hang, stopped: Stopped) -> std::io::Result<()> {
    let (from, mut to) = tokio::io::split(stream);
    let mut lines = BufReader::new(from).lines();
    wait_for(&stopped).await;
    to.write_all(METHODS).await?;
    while let Some(line) = lines.next_line().await? {
        wait_for(&stopped).await;
        let Ok(message) = serde_json::from_str::<serde_json::Value>(&line) else {
            match hang {
                Hang::One => std::future::pending().await,
                Hang::All => *stopped.lock().unwrap() = Some(None),
                Hang::For(time) => *stopped.lock().unwrap() = Some(Some(Instant::now() + time)),
            }
            continue;
        };
        if let Some(id) = message["callbacks"].as_object().and_then(|callbacks| callbacks.keys().next())
            && message["method"] != "methods"
        {
            to.write_all(format!("{{\"method\":{id},\"arguments\":[\"x\"]}}\n").as_bytes()).await?;
        }
    }
    Ok(())
}

async fn wait_for(stopped: &Stopped) {
    let until = *stopped.lock().unwrap();
    match until {
        Some(Some(until)) => tokio::time::sleep_until(until).await,
        Some(None) => std::future::pending().await,
        None => {}
    }
}

/// The result of a line that is no JSON, and the time that the peer had for it.
async fn hung(hang: Hang) -> (Replayed, Duration) {
    let stopped = Stopped::default();
    let address = Address::in_memory("hangs", move || {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        tokio::spawn(serve_until(theirs, hang, Arc::clone(&stopped)));
        ours
    });
    let route = Route::Dial(address, Clock::unkept(TimeBase::OwnTime), Taps::default());
    let facts = preflight(&route, Dialect::default(), None, PATIENCE).await.unwrap();
    let text = format!(
        "{{\"dnode-transcript\":1,\"id\":\"a/case\",\"since\":\"0.1.0\",\"clauses\":[\"robust/survives\"],\"hostile\":true,\"about\":\"A line.\"}}\n{{\"line\":\"{{\"}}\n{SURVIVED}"
    );
    let begun = route.clock().now();
    let replayed = replay(&Case::read(&text).unwrap(), &route, &facts, PATIENCE).await;
    (replayed, route.clock().now().since(begun))
}

#[tokio::test(start_paused = true)]
async fn a_hang_of_the_whole_peer_shows_within_its_deadline() {
    let (replayed, time) = hung(Hang::All).await;
    assert!(replayed.is_silent() && replayed.unserved.is_some_and(|waited| waited >= PATIENCE / 4));
    assert!(time < PATIENCE * 11 / 10, "{time:?}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_serves_others_or_answers_late_does_not_hang() {
    let (replayed, time) = hung(Hang::One).await;
    assert!(replayed.is_silent() && replayed.unserved.is_none());
    assert!(time > PATIENCE * 12 / 10, "it had the time to close its connection: {time:?}");
    let (replayed, _) = hung(Hang::For(PATIENCE / 10 * 9)).await;
    assert_eq!((replayed.judged, replayed.unserved), (Judged::Pass, None));
}

/// What a peer takes its time for, and how long it waits.
#[derive(Debug, Clone, Copy, Default)]
struct Slow {
    /// To send its object.
    object: Duration,
    /// To act on a message.
    message: Duration,
    /// After this time without a message it closes the connection.
    idle: Option<Duration>,
    /// Its object, if that is another one.
    methods: Option<&'static [u8]>,
}

/// A peer that is slow, and closes the connection after a line that is no JSON.
async fn serve_slowly(stream: DuplexStream, slow: Slow) -> std::io::Result<()> {
    let (from, mut to) = tokio::io::split(stream);
    let mut lines = BufReader::new(from).lines();
    tokio::time::sleep(slow.object).await;
    to.write_all(slow.methods.unwrap_or(METHODS)).await?;
    let idle = slow.idle.unwrap_or(PATIENCE * 1000);
    while let Ok(Some(line)) = tokio::time::timeout(idle, lines.next_line()).await.unwrap_or(Ok(None)) {
        tokio::time::sleep(slow.message).await;
        let Ok(message) = serde_json::from_str::<serde_json::Value>(&line) else { break };
        if let Some(id) = message["callbacks"].as_object().and_then(|callbacks| callbacks.keys().next())
            && message["method"] != "methods"
        {
            to.write_all(format!("{{\"method\":{id},\"arguments\":[\"x\"]}}\n").as_bytes()).await?;
        }
    }
    Ok(())
}

/// The judgement of a slow peer after these steps, which it should survive.
async fn judged_slow(slow: Slow, steps: &str) -> Judged {
    let route = Route::on_paused_clock(Address::in_memory("slow", move || {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        tokio::spawn(serve_slowly(theirs, slow));
        ours
    }));
    let facts = preflight(&route, Dialect::default(), None, PATIENCE).await.unwrap();
    let text = format!(
        "{{\"dnode-transcript\":1,\"id\":\"a/case\",\"since\":\"0.1.0\",\"clauses\":[\"robust/survives\"],\"needs\":[\"conformProbe\",\"echo\"],\"hostile\":true,\"about\":\"A case.\"}}\n{steps}\n{SURVIVED}"
    );
    replay(&Case::read(&text).unwrap(), &route, &facts, PATIENCE).await.judged
}

#[tokio::test(start_paused = true)]
async fn each_of_many_messages_gets_the_time_of_a_known_good_call() {
    let flood = r#"{"bytes":{"repeat":"{\"method\":\"no\",\"arguments\":[]}\n","times":500}}"#;
    let slow = |message| Slow { message, ..Slow::default() };
    assert_eq!(judged_slow(slow(PATIENCE / 100), flood).await, Judged::Pass);
    let judged = judged_slow(slow(PATIENCE / 4), flood).await;
    assert!(matches!(judged, Judged::NotApplicable(_)), "{judged:?}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_sends_its_object_late_gets_that_time_on_each_connection() {
    let slow = Slow { object: PATIENCE * 4 / 5, ..Slow::default() };
    assert_eq!(judged_slow(slow, "{\"line\":\"{\"}").await, Judged::Pass);
}

#[tokio::test(start_paused = true)]
async fn a_peer_may_close_a_connection_on_which_nothing_is_sent() {
    let idle = |time| Slow { idle: Some(time), ..Slow::default() };
    let wait = r#"{"wait":1000}"#;
    assert_eq!(judged_slow(idle(PATIENCE * 2), wait).await, Judged::Pass);
    let judged = judged_slow(idle(PATIENCE / 2), wait).await;
    assert!(matches!(judged, Judged::NotApplicable(_)), "{judged:?}");
}

#[tokio::test(start_paused = true)]
async fn our_functions_never_get_a_negative_number() {
    const NEGATIVE: &[u8] = b"{\"method\":\"methods\",\"arguments\":[{\"conformProbe\":\"[Function]\",\"echo\":\"[Function]\"}],\"callbacks\":{\"-5\":[\"0\",\"conformProbe\"],\"1\":[\"0\",\"echo\"]}}\n";
    let like = |theirs: &str| {
        format!(
            "{{\"call\":\"echo\",\"arguments\":[\"$f\"],\"ids\":{{\"$f\":\"{theirs}\"}}}}\n{{\"line\":\"{{\"}}"
        )
    };
    let peer = Slow { methods: Some(NEGATIVE), ..Slow::default() };
    assert_eq!(judged_slow(peer, &like("$echo")).await, Judged::Pass);
    let judged = judged_slow(peer, &like("$conformProbe")).await;
    assert!(matches!(&judged, Judged::NotApplicable(why) if why.contains("negative")), "{judged:?}");
}
