//! The bytes that wait to be written are bounded, and two ends never block each other.

use crate::examples::probe;
use crate::support::{on_one_thread, raw, settle, with_errors};
use dnode::{Error, Object, Peer, Value, args};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::task::yield_now;

#[test]
fn reading_pauses_if_the_peer_never_reads() {
    const CALLS: usize = 3000;
    on_one_thread(async {
        let handled = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&handled);
        let peer = Peer::new(move |_| {
            let counter = Arc::clone(&counter);
            Object::new().method("echo", move |args| {
                counter.fetch_add(1, Ordering::Relaxed);
                args.at(1).call([args.at(0)])
            })
        });
        let (raw, _task) = raw(&peer.unsent_limit(10_000), 4096);
        let (read, mut write) = tokio::io::split(raw);
        let call = format!(
            "{{\"method\":\"echo\",\"arguments\":[\"{}\"],\"callbacks\":{{\"0\":[1]}}}}\n",
            "x".repeat(950)
        );
        let calls = call.repeat(CALLS);
        let writing = tokio::spawn(async move { write.write_all(calls.as_bytes()).await.map(|()| write) });
        settle().await;
        // The answers in the outbox, the batch that is being written, and the bytes in the stream.
        let before = handled.load(Ordering::Relaxed);
        assert!((10..=16).contains(&before), "{before} calls were handled");
        settle().await;
        assert_eq!(handled.load(Ordering::Relaxed), before);
        assert!(!writing.is_finished());
        // No answer is lost: they arrive when the peer reads.
        let mut lines = BufReader::new(read).lines();
        for _ in 0..=CALLS {
            lines.next_line().await.unwrap().unwrap();
        }
        assert_eq!(handled.load(Ordering::Relaxed), CALLS);
    });
}

#[test]
fn calls_are_refused_over_the_limit_and_asks_wait() {
    on_one_thread(async {
        let (ours, mut raw) = tokio::io::duplex(1000);
        raw.write_all(
            b"{\"method\":\"methods\",\"arguments\":[{\"f\":0}],\"callbacks\":{\"0\":[0,\"f\"]}}\n",
        )
        .await
        .unwrap();
        let (client, errors) = with_errors(Peer::default().unsent_limit(10_000));
        let connection = client.open(ours).await.unwrap();
        let text = "x".repeat(940);
        let mut made = 0;
        let error = loop {
            assert!(made < 100, "no call is refused");
            yield_now().await;
            match connection.call("f", args![text.as_str()]) {
                Ok(()) => made += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(error, Error::Backlog(bytes) if (10_000..12_000).contains(&bytes)), "{error}");
        assert!((10..14).contains(&made), "{made} calls");
        let f = connection.method("f").unwrap();
        let asking = tokio::spawn(async move { f.ask(args![1]).await });
        settle().await;
        assert!(!asking.is_finished());
        let (read, mut write) = tokio::io::split(raw);
        let mut lines = BufReader::new(read).lines();
        for _ in 0..=made {
            lines.next_line().await.unwrap().unwrap();
        }
        let question = lines.next_line().await.unwrap().unwrap();
        assert!(
            question.contains("[1,\"[Function]\"]") && question.contains("{\"0\":[\"1\"]}"),
            "{question}"
        );
        write.write_all(b"{\"method\":0,\"arguments\":[5]}\n").await.unwrap();
        assert_eq!(asking.await.unwrap().unwrap().at(0), Value::from(5));
        // The callback of an ask is for one call, so it is forgotten now, although the peer has not
        // culled it.
        assert!(errors.lock().unwrap().is_empty());
        write.write_all(b"{\"method\":0,\"arguments\":[5]}\n").await.unwrap();
        settle().await;
        let error = errors.lock().unwrap()[0].clone();
        assert!(error.ends_with("got the id 0 (clause callback/unknown-id)"), "{error}");
    });
}

#[test]
fn two_ends_that_ask_at_the_same_time_do_not_block_each_other() {
    on_one_thread(async {
        let peer = Peer::new(probe::probe);
        let (ours, theirs) = tokio::io::duplex(4096);
        let other = peer.clone();
        let opening = tokio::spawn(async move { other.open(theirs).await.unwrap() });
        let ends = [peer.open(ours).await.unwrap(), opening.await.unwrap()];
        let text = "x".repeat(60_000);
        let mut asking = Vec::new();
        for n in 0..50 {
            for end in &ends {
                let (echo, text) = (end.method("echo").unwrap(), text.clone());
                asking.push(tokio::spawn(async move { echo.ask(args![format!("{n}{text}")]).await }));
            }
        }
        for (n, asking) in asking.into_iter().enumerate() {
            let answer = asking.await.unwrap().unwrap().at(0);
            assert_eq!(answer.as_str(), Some(format!("{}{text}", n / 2).as_str()));
        }
    });
}
