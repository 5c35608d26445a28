//! The end of a connection: waits end with the reason, orderly closes lose nothing, and nothing is
//! left.

use crate::examples::probe;
use crate::support::{connect, on_one_thread, raw, settle};
use dnode::{Connection, Error, Fault, Function, Object, Peer, Value, args};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, yield_now};

/// A peer that never answers.
fn silent() -> Peer {
    Peer::new(|_| Object::new().method("never", std::mem::forget))
}

/// Asks a function that never answers.
fn ask_never(connection: &Connection) -> JoinHandle<Error> {
    let never = connection.method("never").unwrap();
    tokio::spawn(async move { never.ask([]).await.unwrap_err() })
}

#[test]
fn a_wait_ends_if_the_peer_closes() {
    on_one_thread(async {
        let (ours, theirs) = tokio::io::duplex(1000);
        let serving = tokio::spawn(async move { silent().speak(theirs).await });
        let connection = Peer::default().open(ours).await.unwrap();
        let asking = ask_never(&connection);
        settle().await;
        serving.abort();
        let error = asking.await.unwrap();
        assert_eq!(
            (error.to_string().as_str(), error.fault()),
            ("the peer closed the connection", Fault::Peer)
        );
        assert!(matches!(connection.call("never", []), Err(Error::PeerClosed)));
        assert!(connection.object().is_missing());
    });
}

#[test]
fn a_wait_ends_if_the_peer_culls_the_callback() {
    on_one_thread(async {
        let drops = Peer::new(|_| Object::new().method("never", |_| ())).culls(true);
        let connection = connect(&drops, &Peer::default(), 1000).await;
        assert!(matches!(ask_never(&connection).await.unwrap(), Error::NoAnswer));
    });
}

#[test]
fn a_wait_ends_if_this_end_closes() {
    on_one_thread(async {
        let connection = connect(&silent(), &Peer::default(), 1000).await;
        let asking = ask_never(&connection);
        settle().await;
        drop(connection);
        let error = asking.await.unwrap();
        assert_eq!(
            (error.to_string().as_str(), error.fault()),
            ("this end closed the connection", Fault::Caller)
        );
    });
}

#[test]
fn earlier_calls_are_answered_after_an_orderly_close() {
    on_one_thread(async {
        let connection = connect(&Peer::new(probe::probe), &Peer::default(), 4096).await;
        // Together these are longer than one batch.
        let text = "x".repeat(60_000);
        let asking: Vec<_> = (0..3)
            .map(|_| {
                let (echo, text) = (connection.method("echo").unwrap(), text.clone());
                tokio::spawn(async move { echo.ask(args![text]).await })
            })
            .collect();
        yield_now().await;
        connection.close().await.unwrap();
        for asking in asking {
            assert_eq!(asking.await.unwrap().unwrap().at(0).as_str(), Some(text.as_str()));
        }
    });
}

#[test]
fn no_task_and_no_function_is_left_of_a_connection() {
    on_one_thread(async {
        let held = Arc::new(());
        let in_server = Arc::clone(&held);
        let server = Peer::new(move |remote| {
            // A cycle of references, as in every object that calls back: the remote end holds the
            // functions, and they hold it.
            let (remote, held) = (remote.clone(), Arc::clone(&in_server));
            Object::new().method("echo", move |args| {
                let _ = (&remote, &held);
                args.at(1).call([args.at(0)])
            })
        });
        let tasks = tokio::runtime::Handle::current().metrics();
        for closes in [true, false] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap().to_string().parse().unwrap();
            let serving = tokio::spawn({
                let server = server.clone();
                async move { server.serve(listener).await }
            });
            let connection = Peer::default().connect(&address).await.unwrap();
            connection.ask("echo", args![1]).await.unwrap();
            assert_eq!(Arc::strong_count(&held), 3);
            if closes {
                connection.close().await.unwrap();
            } else {
                // Aborting the server ends all of its connections.
                serving.abort();
                connection.ended().await;
                drop(connection);
            }
            while Arc::strong_count(&held) > 2 {
                yield_now().await;
            }
            serving.abort();
            let _ = serving.await;
            settle().await;
            assert_eq!(tasks.num_alive_tasks(), 0);
        }
    });
}

#[test]
fn callbacks_for_one_call_are_dropped_without_a_cull() {
    on_one_thread(async {
        let connection = connect(&Peer::new(probe::probe), &Peer::default(), 1000).await;
        let held = Arc::new(());
        for n in 0..100 {
            let in_callback = Arc::clone(&held);
            let (send, receive) = tokio::sync::oneshot::channel();
            let once = Function::once(move |_| {
                drop(in_callback);
                send.send(()).map_err(|()| "the receiver is gone")
            });
            connection.call("echo", args![n, once]).unwrap();
            receive.await.unwrap();
        }
        assert_eq!(Arc::strong_count(&held), 1);
    });
}

#[test]
fn the_answer_to_a_dropped_question_does_nothing() {
    on_one_thread(async {
        let connection = connect(&Peer::new(probe::probe), &Peer::default(), 1000).await;
        let echo = connection.method("echo").unwrap();
        let mut asking = Box::pin(echo.ask(args![1]));
        tokio::select! {
            biased;
            _ = &mut asking => panic!("the answer cannot be there yet"),
            () = std::future::ready(()) => {}
        }
        drop(asking);
        assert_eq!(connection.ask("add", args![1, 1]).await.unwrap().at(0), Value::from(2));
    });
}

#[test]
fn a_peer_that_closes_at_once_does_no_harm() {
    on_one_thread(async {
        let (raw, task) = raw(&Peer::new(probe::probe), 1000);
        drop(raw);
        // The server may notice the end while it reads or while it writes.
        assert!(matches!(task.await.unwrap(), Ok(()) | Err(Error::Broken(_))));
    });
}
