//! What hangs on the clock, with a clock of its own: time passes only while everybody waits.

use super::*;
use crate::preflight::preflight;
use crate::target::Target;
use crate::transport::memory;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};

const METHODS: &[u8] = b"{\"method\":\"methods\",\"arguments\":[{\"conformProbe\":\"[Function]\",\"echo\":\"[Function]\"}],\"callbacks\":{\"0\":[\"0\",\"conformProbe\"],\"1\":[\"0\",\"echo\"]},\"links\":[]}\n";
const PATIENCE: Duration = Duration::from_secs(1);

/// A peer whose answer to `echo` is a string of so many pieces of 512 KiB, a fifth of a second apart, and then nothing for a long time if
/// it is not `whole`.
async fn serve(stream: DuplexStream, pieces: usize, whole: bool) -> std::io::Result<()> {
    let (from, mut to) = tokio::io::split(stream);
    let mut lines = BufReader::new(from).lines();
    to.write_all(METHODS).await?;
    while let Some(line) = lines.next_line().await? {
        let message: serde_json::Value = serde_json::from_str(&line)?;
        let Some(id) = message["callbacks"].as_object().and_then(|callbacks| callbacks.keys().next()) else {
            continue;
        };
        let is_echo = message["method"] == 1 || message["method"] == "echo";
        to.write_all(format!("{{\"method\":{id},\"arguments\":[\"").as_bytes()).await?;
        for _ in 0..if is_echo { pieces } else { 0 } {
            tokio::time::sleep(PATIENCE / 5).await;
            to.write_all(&[b'x'; 512 << 10]).await?;
        }
        if is_echo && !whole {
            tokio::time::sleep(PATIENCE * 1000).await;
        }
        to.write_all(b"\"],\"callbacks\":{},\"links\":[]}\n").await?;
    }
    Ok(())
}

async fn judged(steps: &str, pieces: usize, whole: bool) -> Judged {
    let target = memory::target("slow", move || {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        tokio::spawn(serve(theirs, pieces, whole));
        ours
    });
    let Target::Address(address) = target else { panic!("a peer in memory has an address") };
    let facts = preflight(&address, Dialect::default(), None, PATIENCE).await.unwrap();
    let text = format!(
        "{{\"dnode-transcript\":1,\"id\":\"long/answer\",\"since\":\"0.1.0\",\"clauses\":[\"robust/bounded\"],\"needs\":[\"echo\"],\"hostile\":true,\"about\":\"A long answer.\"}}\n{{\"call\":\"echo\",\"arguments\":[1,\"$cb\"]}}\n{steps}"
    );
    replay(&Case::read(&text).unwrap(), &address, &facts, PATIENCE).await.judged
}

const AWAITED: &str = "{\"expect\":{\"method\":\"$cb\",\"arguments\":[\"?string\"]}}";
const SURVIVED: &str = "{\"survive\":true}";

#[tokio::test(start_paused = true)]
async fn a_long_answer_has_time_to_come() {
    for steps in [AWAITED, SURVIVED] {
        assert_eq!(judged(steps, 12, true).await, Judged::Pass, "{steps}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_stops_coming_does_not() {
    for steps in [AWAITED, SURVIVED] {
        let Judged::Diverged(diverged) = judged(steps, 3, false).await else { panic!("{steps}") };
        assert_eq!(diverged.cause, Cause::Time, "{steps}");
    }
}
