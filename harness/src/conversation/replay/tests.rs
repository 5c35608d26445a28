//! Deadlines, on a paused clock: time passes only while all tasks wait.

use super::*;
use crate::conversation::closing::Closing;
use crate::conversation::preflight::preflight;
use dnode::transport::Address;
use dnode_spec::dialect::Dialect;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};

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

/// The result of these steps, and the time that the peer had for them.
async fn replayed(steps: &str, answer: Answer) -> (Judged, Duration) {
    let route = Route::from(Address::in_memory("slow", move || {
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
    (replayed.judged, route.clock().now().since(begun))
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
async fn a_silent_peer_gets_little_time_to_close_its_connection() {
    let (judged, time) = replayed(EXPECTED, Answer::Unfinished(0)).await;
    assert!(matches!(judged, Judged::Diverged(diverged) if diverged.cause == Cause::Time));
    assert!(time < PATIENCE * 2, "{time:?}");
}

/// A peer that answers no call, and closes each connection this long after a line that is no JSON.
async fn survived(closes_after: Duration) -> (Judged, Duration) {
    let route = Route::from(Address::in_memory("mute", move || {
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
