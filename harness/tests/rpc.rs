//! The library `rpc`: against the whole catalogue, against npm dnode both ways, and against ends that are hostile, silent or gone.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

#[path = "../dnode/examples/probe.rs"]
#[allow(dead_code, unreachable_pub, reason = "the test has no use for the program around the probe")]
mod example;

use dnode::{Connection, Error, Function, Object, Peer, Value, args};
use dnode_conform::cases::catalogue;
use dnode_conform::in_process;
use dnode_conform::peer;
use dnode_conform::program::Target;
use dnode_reports::event::Verdict;
use dnode_spec::dialect::Dialect;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::library::outcomes;
use support::{install, root};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::runtime::{Builder, Runtime};

/// Runs a test on one thread, so that what runs between two of its waits is always the same. A test that waits for ever fails.
fn on_one_thread<T>(test: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let limited = async { tokio::time::timeout(Duration::from_secs(60), test).await.unwrap() };
    runtime.block_on(limited)
}

/// Lets every task run until all of them wait: on one thread, and in memory, there is nothing else that could wake one.
async fn settle() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
}

/// A connection to this peer in memory, through buffers of so many bytes.
async fn connect(server: &Peer, client: &Peer, buffer: usize) -> Connection {
    let (ours, theirs) = tokio::io::duplex(buffer);
    let server = server.clone();
    tokio::spawn(async move { server.speak(theirs).await });
    client.open(ours).await.unwrap()
}

/// The other end by hand: what it says is written, what it hears is read, and nothing else happens.
fn by_hand(peer: &Peer, buffer: usize) -> (DuplexStream, tokio::task::JoinHandle<Result<(), Error>>) {
    let (ours, theirs) = tokio::io::duplex(buffer);
    let peer = peer.clone();
    (ours, tokio::spawn(async move { peer.speak(theirs).await }))
}

/// A peer with the probe, and the errors that it hears of.
fn watched(peer: Peer) -> (Peer, Arc<Mutex<Vec<String>>>) {
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let hears = Arc::clone(&heard);
    (peer.on_error(move |error| hears.lock().unwrap().push(error.to_string())), heard)
}

/// Serves on a thread of its own, which ends with the process.
fn served(peer: Peer) -> String {
    let runtime = Runtime::new().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || runtime.block_on(peer.serve(listener)));
    address
}

/// Every verdict of the catalogue is a pass, or says that it cannot be asked over this transport.
fn passes(target: Target, reason: &str) {
    let outcomes = outcomes(target, catalogue(Dialect::default()).unwrap().into(), false);
    assert!(outcomes.len() > 300, "{}", outcomes.len());
    for outcome in outcomes {
        let excused = outcome.verdict == Verdict::NotApplicable && outcome.reason.as_deref() == Some(reason);
        assert!(outcome.verdict == Verdict::Pass || excused, "{outcome:?}");
    }
}

#[test]
fn the_example_passes_the_whole_catalogue() {
    passes(Target::parse(&served(Peer::new(example::probe))).unwrap(), "nothing is excused");
}

#[test]
fn an_end_that_culls_what_it_drops_passes_the_whole_catalogue() {
    passes(Target::parse(&served(Peer::new(example::probe).culls(true))).unwrap(), "nothing is excused");
}

#[test]
fn the_example_passes_the_whole_catalogue_in_memory() {
    let target = in_process::target("the example", || {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        tokio::spawn(async move { Peer::new(example::probe).speak(theirs).await });
        ours
    });
    passes(target, "a stream in memory has no reset");
}

#[test]
fn a_client_of_npm_dnode_sees_what_it_expects() {
    install("npm-dnode");
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let (peer, heard) = watched(Peer::new(example::probe));
        let serving = tokio::spawn(async move { peer.serve(listener).await });
        let script = root().join("fixtures/peers/npm-dnode/thorough.js");
        let ran = Command::new("node").arg(script).arg(port).output().await.unwrap();
        serving.abort();
        let stderr = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(String::from_utf8_lossy(&ran.stdout), "17 checks held\n", "{stderr}");
        assert!(ran.status.success(), "{stderr}");
        assert_eq!(*heard.lock().unwrap(), ["caller: a function of this end panicked: throwNow"]);
    });
}

#[test]
fn a_client_of_ours_uses_a_server_of_npm_dnode() {
    install("npm-dnode");
    let server = root().join("fixtures/peers/npm-dnode/server.js");
    let target = Target::exec(&format!("exec node '{}' {{port}}", server.display()));
    Runtime::new().unwrap().block_on(async {
        let server = peer::Peer::start(&target).await.unwrap();
        let greeted: Arc<Mutex<Vec<String>>> = Arc::default();
        let greets = Arc::clone(&greeted);
        let client = Peer::new(move |_| {
            let greets = Arc::clone(&greets);
            Object::new().method("hello", move |args| {
                greets.lock().unwrap().push(args.at(0).to_string());
                args.at(1).call([])
            })
        });
        let remote = client.connect(server.route().address().unwrap()).await.unwrap();
        use_probe(&remote, &greeted).await.unwrap();
        remote.close().await.unwrap();
        server.stop().await;
    });
}

/// What a client sees of a server with the probe.
async fn use_probe(remote: &Connection, greeted: &Mutex<Vec<String>>) -> Result<(), Error> {
    let name = remote.ask("conformProbe", args![]).await?;
    assert_eq!(name.at(0).as_str(), Some("npm dnode 1.2.2"));
    assert_eq!(remote.ask("add", args![1, 2]).await?.at(0), Value::from(3));
    let value =
        Value::from(serde_json::json!({"text": "é😀", "list": [1, -2.5, 1e300, null, true], "empty": {}}));
    assert_eq!(remote.ask("echo", [value.clone()]).await?.at(0), value);
    let cycle = remote.ask("cycle", args![]).await?.at(0);
    assert_eq!(cycle, Value::object([("name", "cycle".into())]).linked(&[], &["self"])?);
    assert_eq!(remote.ask("echo", [cycle.clone()]).await?.at(0), cycle);
    let nest = remote.ask("nest", args![]).await?.at(0);
    let f = nest.get("a").at(1).get("b").get("f").function().unwrap().clone();
    assert_eq!(f.ask([]).await?.at(0).as_str(), Some("nest"));
    let counter = remote.ask("getCounter", args![]).await?.at(0);
    let (inc, get) = (counter.get("inc"), counter.get("get"));
    for n in 1..=3 {
        assert_eq!(inc.function().unwrap().ask([]).await?.at(0), Value::from(n));
    }
    assert_eq!(get.function().unwrap().ask([]).await?.at(0), Value::from(3));
    let doubles = Function::new(|args| args.at(1).call(args![args.at(0).as_f64().map(|x| x * 2.0)]));
    assert_eq!(remote.ask("applyTo", args![doubles, 21]).await?.at(0), Value::from(42));
    let keeper = remote.ask("keeper", args![]).await?.at(0);
    let member = |name: &str| keeper.get(name).function().unwrap().clone();
    let kept = Function::new(|_| ());
    member("keep").ask(args![&kept]).await?;
    assert_eq!(member("is").ask(args![&kept]).await?.at(0).as_str(), Some("yes"), "one function has one id");
    assert_eq!(member("is").ask(args![Function::new(|_| ())]).await?.at(0).as_str(), Some("no"));
    // The callback of `callMe` comes before or after that of `hello`; both have come when both are waited for.
    let (said, says) = tokio::sync::oneshot::channel();
    let hello = Function::once(move |_| said.send(()).map_err(|()| "nobody waits"));
    remote.ask("callMe", args!["hello", Value::array(args!["you", hello])]).await?;
    says.await.unwrap();
    assert_eq!(*greeted.lock().unwrap(), ["\"you\""]);
    let error = remote.ask("absent", args![]).await.unwrap_err();
    assert_eq!(error.to_string(), "peer: its object has no function \"absent\"");
    Ok(())
}

/// A value without functions, made of dice: with sharing and cycles.
fn any_value(dice: &mut fastrand::Rng, depth: u32) -> Value {
    match dice.u32(..if depth == 0 { 5 } else { 8 }) {
        0 => Value::from(()),
        1 => Value::from(dice.bool()),
        2 => Value::from(dice.i64(..)),
        3 => Value::from(f64::from_bits(dice.u64(..))),
        4 => Value::from((0..dice.usize(..6)).map(|_| dice.char(..)).collect::<String>()),
        5 => Value::array((0..dice.usize(..4)).map(|_| any_value(dice, depth - 1))),
        6 => Value::object((0..dice.usize(..4)).map(|n| (n.to_string(), any_value(dice, depth - 1)))),
        _ => {
            let part = any_value(dice, depth - 1);
            let whole = Value::object([("a", part.clone()), ("b", Value::array([part.clone(), part]))]);
            let (from, to) = *dice
                .choice([(&[][..], "c"), (&["a"], "b"), (&["b", "0"], "d"), (&["b"], "a")].as_slice())
                .unwrap();
            whole.linked(from, &[to]).unwrap()
        }
    }
}

#[test]
fn values_come_back_as_they_went() {
    on_one_thread(async {
        let connection = connect(&Peer::new(example::probe), &Peer::default(), 1000).await;
        for seed in 0..500 {
            let value = any_value(&mut fastrand::Rng::with_seed(seed), 5);
            assert_eq!(connection.ask("echo", [value.clone()]).await.unwrap().at(0), value, "seed {seed}");
        }
        // Deeper than any stack.
        let text = format!("{}1{}", "[".repeat(200_000), "]".repeat(200_000));
        let (mut raw, _task) = by_hand(&Peer::new(example::probe), 4096);
        let call = format!("{{\"method\":\"echo\",\"arguments\":[{text}],\"callbacks\":{{\"0\":[1]}}}}\n");
        let written = tokio::io::split(&mut raw);
        let (read, mut write) = written;
        let mut lines = BufReader::new(read).lines();
        let sending = async { write.write_all(call.as_bytes()).await.unwrap() };
        let hearing = async {
            lines.next_line().await.unwrap();
            lines.next_line().await.unwrap().unwrap()
        };
        let ((), answer) = tokio::join!(sending, hearing);
        assert_eq!(
            answer,
            format!("{{\"method\":0,\"arguments\":[{text}],\"callbacks\":{{}},\"links\":[]}}")
        );
    });
}

#[test]
fn functions_go_through_and_come_back() {
    on_one_thread(async {
        let connection = connect(&Peer::new(example::probe), &Peer::default(), 1000).await;
        let (send, mut receive) = tokio::sync::mpsc::unbounded_channel();
        let function = Function::new(move |args| send.send(args.at(0)).map_err(|_| "nobody waits"));
        let value = Value::object([("deep", Value::array(args![1, &function]))]);
        let echoed = connection.ask("echo", [value]).await.unwrap().at(0);
        let back = echoed.get("deep").at(1).function().unwrap().clone();
        for n in 0..3 {
            back.call(args![n]).unwrap();
            assert_eq!(receive.recv().await.unwrap(), Value::from(n));
        }
        // Of a second connection: calls go through this process.
        let other = connect(&Peer::new(example::probe), &Peer::default(), 1000).await;
        let first = Peer::new(|_| Object::new().method("which", |args| args.at(0).call(args!["first"])));
        let first = connect(&first, &Peer::default(), 1000).await;
        let which = first.method("which").unwrap();
        let through = other.ask("echo", args![which]).await.unwrap().at(0).function().unwrap().clone();
        assert_eq!(through.ask([]).await.unwrap().at(0).as_str(), Some("first"));
        assert_eq!(function, function.clone());
        assert_ne!(function, back, "what comes back is a function of the peer's that leads here");
    });
}

#[test]
fn who_waits_when_the_connection_ends_hears_why() {
    on_one_thread(async {
        let silent = Peer::new(|_| Object::new().method("never", std::mem::forget));
        let ask = |connection: &Connection| {
            let never = connection.method("never").unwrap();
            tokio::spawn(async move { never.ask([]).await.unwrap_err().to_string() })
        };
        // The peer closes.
        let (ours, theirs) = tokio::io::duplex(1000);
        let serving = tokio::spawn(async move { silent.speak(theirs).await });
        let connection = Peer::default().open(ours).await.unwrap();
        let asked = ask(&connection);
        settle().await;
        serving.abort();
        assert_eq!(asked.await.unwrap(), "peer: has closed the connection");
        assert_eq!(connection.call("never", []).unwrap_err().to_string(), "peer: has closed the connection");
        // It culls the callback.
        let drops = Peer::new(|_| Object::new().method("never", |_| ())).culls(true);
        let connection = connect(&drops, &Peer::default(), 1000).await;
        assert_eq!(ask(&connection).await.unwrap(), "peer: culled the callback without calling it");
        // We close.
        let silent = Peer::new(|_| Object::new().method("never", std::mem::forget));
        let connection = connect(&silent, &Peer::default(), 1000).await;
        let asked = ask(&connection);
        settle().await;
        drop(connection);
        assert_eq!(asked.await.unwrap(), "caller: this end has closed the connection");
    });
}

#[test]
fn what_was_asked_before_an_orderly_close_is_answered() {
    on_one_thread(async {
        let connection = connect(&Peer::new(example::probe), &Peer::default(), 4096).await;
        // More than is written at once.
        let text = "x".repeat(60_000);
        let asked: Vec<_> = (0..3)
            .map(|_| {
                let (echo, text) = (connection.method("echo").unwrap(), text.clone());
                tokio::spawn(async move { echo.ask(args![text]).await })
            })
            .collect();
        settle_once().await;
        connection.close().await.unwrap();
        for asked in asked {
            assert_eq!(asked.await.unwrap().unwrap().at(0).as_str(), Some(text.as_str()));
        }
    });
}

async fn settle_once() {
    tokio::task::yield_now().await;
}

#[test]
fn a_hostile_line_ends_the_connection_and_nothing_else() {
    on_one_thread(async {
        for (line, clause) in [
            ("nonsense".to_owned(), "framing/json"),
            (String::new(), "framing/json"),
            ("[".repeat(100_000), "framing/json"),
            ("1".repeat(300_000), "framing/json"),
        ] {
            let (peer, heard) = watched(Peer::new(example::probe).line_limit(200_000));
            let (mut raw, task) = by_hand(&peer, 1 << 20);
            let good = "{\"method\":\"echo\",\"arguments\":[7],\"callbacks\":{\"3\":[1]}}\n";
            raw.write_all(format!("{good}{line}\n{good}").as_bytes()).await.unwrap();
            let mut said = String::new();
            raw.read_to_string(&mut said).await.unwrap();
            assert_eq!(said.lines().count(), 2, "methods, and the answer from before: {said}");
            assert!(said.lines().last().unwrap().starts_with("{\"method\":3,\"arguments\":[7]"), "{said}");
            drop(raw);
            let error = task.await.unwrap().unwrap_err();
            assert!(error.to_string().starts_with("peer: a line: expected one JSON text"), "{error}");
            assert!(matches!(error, Error::Refused(problem) if problem.clause == clause));
            assert!(heard.lock().unwrap().is_empty(), "it is told where the connection is");
        }
    });
}

#[test]
fn what_cannot_be_acted_on_and_what_panics_changes_nothing() {
    on_one_thread(async {
        let (peer, heard) = watched(Peer::new(|remote| {
            example::probe(remote).method("fails", |_| Err::<(), _>("no such luck"))
        }));
        let (mut raw, _task) = by_hand(&peer, 1 << 16);
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
        insta::assert_snapshot!(heard.lock().unwrap().join("\n"), @r#"
        peer: method: expected a function of this end, came the name "absent" (methods/unknown-name)
        peer: method: expected a function of this end, came the id 77 (callback/unknown-id)
        peer: a line: expected an object, came an array (message/object)
        caller: a function of this end panicked: throwNow
        caller: a function of this end failed: no such luck
        peer: expected a function to call, came 2
        "#);
    });
}

#[test]
fn a_peer_that_never_reads_is_not_read_either() {
    const CALLS: usize = 3000;
    on_one_thread(async {
        let handled = Arc::new(AtomicUsize::new(0));
        let counts = Arc::clone(&handled);
        let peer = Peer::new(move |_| {
            let counts = Arc::clone(&counts);
            Object::new().method("echo", move |args| {
                counts.fetch_add(1, Ordering::Relaxed);
                args.at(1).call([args.at(0)])
            })
        });
        let (raw, _task) = by_hand(&peer.unsent_limit(10_000), 4096);
        let (read, mut write) = tokio::io::split(raw);
        let call = format!(
            "{{\"method\":\"echo\",\"arguments\":[\"{}\"],\"callbacks\":{{\"0\":[1]}}}}\n",
            "x".repeat(950)
        );
        let calls = call.repeat(CALLS);
        let writing = tokio::spawn(async move { write.write_all(calls.as_bytes()).await.map(|()| write) });
        settle().await;
        // The answers that wait, one that is being written, and those in the buffer between.
        let before = handled.load(Ordering::Relaxed);
        assert!((10..=16).contains(&before), "{before} calls were handled");
        settle().await;
        assert_eq!(handled.load(Ordering::Relaxed), before);
        assert!(!writing.is_finished());
        // It was only waiting: who reads gets all of it.
        let mut lines = BufReader::new(read).lines();
        for _ in 0..=CALLS {
            lines.next_line().await.unwrap().unwrap();
        }
        assert_eq!(handled.load(Ordering::Relaxed), CALLS);
    });
}

#[test]
fn calls_of_our_own_are_refused_where_too_much_waits_and_questions_wait() {
    on_one_thread(async {
        let (ours, mut raw) = tokio::io::duplex(1000);
        raw.write_all(
            b"{\"method\":\"methods\",\"arguments\":[{\"f\":0}],\"callbacks\":{\"0\":[0,\"f\"]}}\n",
        )
        .await
        .unwrap();
        let (client, heard) = watched(Peer::default().unsent_limit(10_000));
        let connection = client.open(ours).await.unwrap();
        let text = "x".repeat(940);
        let mut made = 0;
        let error = loop {
            assert!(made < 100, "nothing is refused");
            settle_once().await;
            match connection.call("f", args![text.as_str()]) {
                Ok(()) => made += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(error, Error::Behind(bytes) if (10_000..12_000).contains(&bytes)), "{error}");
        assert!((10..14).contains(&made), "{made} calls");
        let f = connection.method("f").unwrap();
        let asked = tokio::spawn(async move { f.ask(args![1]).await });
        settle().await;
        assert!(!asked.is_finished());
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
        assert_eq!(asked.await.unwrap().unwrap().at(0), Value::from(5));
        // The callback was for one call, and is forgotten though this peer culls nothing.
        assert!(heard.lock().unwrap().is_empty());
        write.write_all(b"{\"method\":0,\"arguments\":[5]}\n").await.unwrap();
        settle().await;
        assert!(heard.lock().unwrap()[0].ends_with("came the id 0 (callback/unknown-id)"));
    });
}

#[test]
fn two_ends_that_both_ask_much_do_not_wait_for_each_other() {
    on_one_thread(async {
        let peer = Peer::new(example::probe);
        let (ours, theirs) = tokio::io::duplex(4096);
        let opposite = peer.clone();
        let opened = tokio::spawn(async move { opposite.open(theirs).await.unwrap() });
        let ends = [peer.open(ours).await.unwrap(), opened.await.unwrap()];
        let text = "x".repeat(60_000);
        let mut asked = Vec::new();
        for n in 0..50 {
            for end in &ends {
                let (echo, text) = (end.method("echo").unwrap(), text.clone());
                asked.push(tokio::spawn(async move { echo.ask(args![format!("{n}{text}")]).await }));
            }
        }
        for (n, asked) in asked.into_iter().enumerate() {
            let answer = asked.await.unwrap().unwrap().at(0);
            assert_eq!(answer.as_str(), Some(format!("{}{text}", n / 2).as_str()));
        }
    });
}

#[test]
fn nothing_is_left_of_a_connection() {
    on_one_thread(async {
        let held = Arc::new(());
        let holds = Arc::clone(&held);
        let server = Peer::new(move |remote| {
            // A cycle, as every object has whose functions call back: the remote end leads to the functions, and they to it.
            let (remote, held) = (remote.clone(), Arc::clone(&holds));
            Object::new().method("echo", move |args| {
                let _ = (&remote, &held);
                args.at(1).call([args.at(0)])
            })
        });
        let tasks = tokio::runtime::Handle::current().metrics();
        for ends in [true, false] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap().to_string().parse().unwrap();
            let serving = tokio::spawn({
                let server = server.clone();
                async move { server.serve(listener).await }
            });
            let connection = Peer::default().connect(&address).await.unwrap();
            connection.ask("echo", args![1]).await.unwrap();
            assert_eq!(Arc::strong_count(&held), 3);
            if ends {
                connection.close().await.unwrap();
            } else {
                // Those who serve go, and everybody with them.
                serving.abort();
                connection.ended().await;
                drop(connection);
            }
            while Arc::strong_count(&held) > 2 {
                settle_once().await;
            }
            serving.abort();
            let _ = serving.await;
            settle().await;
            assert_eq!(tasks.num_alive_tasks(), 0);
        }
    });
}

#[test]
fn questions_leave_nothing_behind_even_where_nobody_culls() {
    on_one_thread(async {
        let connection = connect(&Peer::new(example::probe), &Peer::default(), 1000).await;
        let held = Arc::new(());
        for n in 0..100 {
            let keeps = Arc::clone(&held);
            let (send, receive) = tokio::sync::oneshot::channel();
            let once = Function::once(move |_| {
                drop(keeps);
                send.send(()).map_err(|()| "nobody waits")
            });
            connection.call("echo", args![n, once]).unwrap();
            receive.await.unwrap();
        }
        assert_eq!(Arc::strong_count(&held), 1);
        // A question that nobody waits for any more: its answer does nothing.
        let (raw, _task) = by_hand(&Peer::new(example::probe), 1000);
        drop(raw);
        let echo = connection.method("echo").unwrap();
        let mut asked = Box::pin(echo.ask(args![Function::new({
            let keeps = Arc::clone(&held);
            move |_| drop(keeps.clone())
        })]));
        tokio::select! { biased; _ = &mut asked => panic!("it cannot be answered yet"), () = std::future::ready(()) => {} }
        drop(asked);
        assert_eq!(connection.ask("add", args![1, 1]).await.unwrap().at(0), Value::from(2));
    });
}

#[test]
fn what_is_dropped_is_culled_where_that_is_wanted_and_what_is_culled_is_not_called() {
    on_one_thread(async {
        for culls in [true, false] {
            let (mut raw, _task) = by_hand(&Peer::new(example::probe).culls(culls), 1 << 16);
            raw.write_all(b"{\"method\":\"echo\",\"arguments\":[1],\"callbacks\":{\"5\":[1]}}\n")
                .await
                .unwrap();
            settle().await;
            raw.shutdown().await.unwrap();
            let mut said = String::new();
            raw.read_to_string(&mut said).await.unwrap();
            let cull = said.lines().any(|line| line == "{\"method\":\"cull\",\"arguments\":[5]}");
            assert_eq!(cull, culls, "{said}");
        }
        let connection = connect(&Peer::new(example::probe), &Peer::default(), 1000).await;
        let add = connection.method("add").unwrap();
        add.cull().unwrap();
        assert!(matches!(add.call(args![]), Err(Error::Culled(_))));
        let error = connection.ask("add", args![1, 2]).await.unwrap_err().to_string();
        assert!(
            error.starts_with("caller: function ") && error.ends_with("was given back to the peer"),
            "{error}"
        );
        connection.ask("echo", args![1]).await.unwrap();
    });
}
