//! Invalid lines and messages, and functions that fail or panic.

use crate::examples::probe;
use crate::support::{on_one_thread, raw, with_errors};
use dnode::{Error, Fault, Peer};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

#[test]
fn an_invalid_line_ends_the_connection_after_earlier_answers() {
    on_one_thread(async {
        for line in ["nonsense", "", &"[".repeat(100_000), &"1".repeat(300_000)] {
            let (peer, errors) = with_errors(Peer::new(probe::probe).line_limit(200_000));
            let (mut raw, task) = raw(&peer, 1 << 20);
            let good = "{\"method\":\"echo\",\"arguments\":[7],\"callbacks\":{\"3\":[1]}}\n";
            raw.write_all(format!("{good}{line}\n{good}").as_bytes()).await.unwrap();
            let mut received = String::new();
            raw.read_to_string(&mut received).await.unwrap();
            assert_eq!(received.lines().count(), 2, "`methods` and one answer: {received}");
            let answer = received.lines().last().unwrap();
            assert!(answer.starts_with("{\"method\":3,\"arguments\":[7]"), "{received}");
            drop(raw);
            let error = task.await.unwrap().unwrap_err();
            let text = "the peer's message is invalid: expected one JSON text";
            assert!(error.to_string().starts_with(text), "{error}");
            assert_eq!(error.fault(), Fault::Peer);
            assert!(matches!(error, Error::InvalidMessage { clause: "framing/json", .. }), "{error}");
            assert!(
                errors.lock().unwrap().is_empty(),
                "`speak` returns the error, so `on_error` does not get it"
            );
        }
    });
}

#[test]
fn invalid_messages_and_failing_functions_do_not_end_the_connection() {
    on_one_thread(async {
        let (peer, errors) = with_errors(Peer::new(|remote| {
            probe::probe(remote).method("fails", |_| Err::<(), _>("the disk is full"))
        }));
        let (mut raw, _task) = raw(&peer, 1 << 16);
        for line in [
            "{\"method\":\"absent\"}",
            "{\"method\":77}",
            "[]",
            "{\"method\":\"throwNow\"}",
            "{\"method\":\"fails\"}",
            "{\"method\":\"echo\",\"arguments\":[1,2]}",
            "{\"method\":\"echo\",\"arguments\":[1],\"callbacks\":{\"0\":[1]}}",
        ] {
            raw.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        }
        let mut lines = BufReader::new(raw).lines();
        lines.next_line().await.unwrap();
        let answer = lines.next_line().await.unwrap().unwrap();
        assert_eq!(answer, "{\"method\":0,\"arguments\":[1],\"callbacks\":{},\"links\":[]}");
        insta::assert_snapshot!(errors.lock().unwrap().join("\n"), @r#"
        peer: the peer's message is invalid at method: expected a function of this end, got the name "absent" (clause methods/unknown-name)
        peer: the peer's message is invalid at method: expected a function of this end, got the id 77 (clause callback/unknown-id)
        peer: the peer's message is invalid: expected an object, got an array (clause message/object)
        caller: a function of this end panicked: throwNow
        caller: a function of this end failed: the disk is full
        peer: expected a function to call, got 2
        "#);
    });
}
