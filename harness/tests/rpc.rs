//! The crate `dnode` against the whole catalogue, and against npm dnode in both directions. The
//! crate's own tests are in `dnode/tests`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

#[path = "../dnode/examples/probe.rs"]
#[allow(dead_code, unreachable_pub, reason = "the test does not run main")]
mod example;

use dnode::{Connection, Error, Fault, Function, Object, Peer, Value, args};
use dnode_conform::cases::catalogue;
use dnode_conform::in_process;
use dnode_conform::peer;
use dnode_conform::program::Target;
use dnode_reports::event::Verdict;
use dnode_spec::dialect::Dialect;
use std::sync::{Arc, Mutex};
use support::library::outcomes;
use support::{install, root};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::runtime::Runtime;

/// Serves in a thread of its own, until the process ends.
fn served(peer: Peer) -> String {
    let runtime = Runtime::new().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || runtime.block_on(peer.serve(listener)));
    address
}

/// Runs the catalogue. Every verdict must be a pass, or not applicable for this reason.
fn passes(target: Target, reason: &str) {
    let outcomes = outcomes(target, catalogue(Dialect::default()).unwrap().into(), false);
    assert!(outcomes.len() > 300, "{}", outcomes.len());
    for outcome in outcomes {
        // The number below the first method of the probe may be that of another method.
        let below = outcome.id == "callback/id-below";
        let excused =
            outcome.verdict == Verdict::NotApplicable && (below || outcome.reason.as_deref() == Some(reason));
        assert!(outcome.verdict == Verdict::Pass || excused, "{outcome:?}");
    }
}

#[test]
fn the_example_passes_the_catalogue() {
    passes(Target::parse(&served(Peer::new(example::probe))).unwrap(), "no case is excused");
}

#[test]
fn the_example_passes_the_catalogue_if_it_culls() {
    passes(Target::parse(&served(Peer::new(example::probe).culls(true))).unwrap(), "no case is excused");
}

#[test]
fn the_example_passes_the_catalogue_in_memory() {
    let target = in_process::target("the example", || {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        tokio::spawn(async move { Peer::new(example::probe).speak(theirs).await });
        ours
    });
    passes(target, "a stream in memory has no reset");
}

#[test]
fn npm_dnode_can_use_our_server() {
    install("npm-dnode");
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let errors: Arc<Mutex<Vec<Error>>> = Arc::default();
        let collected = Arc::clone(&errors);
        let peer =
            Peer::new(example::probe).on_error(move |error| collected.lock().unwrap().push(error.clone()));
        let serving = tokio::spawn(async move { peer.serve(listener).await });
        let script = root().join("fixtures/peers/npm-dnode/thorough.js");
        let ran = Command::new("node").arg(script).arg(port).output().await.unwrap();
        serving.abort();
        let stderr = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(String::from_utf8_lossy(&ran.stdout), "17 checks held\n", "{stderr}");
        assert!(ran.status.success(), "{stderr}");
        let errors = errors.lock().unwrap();
        assert!(matches!(&errors[..], [Error::Panicked(message)] if message == "throwNow"), "{errors:?}");
    });
}

#[test]
fn our_client_can_use_npm_dnode() {
    install("npm-dnode");
    let server = root().join("fixtures/peers/npm-dnode/server.js");
    let target = Target::exec(&format!("exec node '{}' {{port}}", server.display()));
    Runtime::new().unwrap().block_on(async {
        let server = peer::Peer::start(&target).await.unwrap();
        let greetings: Arc<Mutex<Vec<String>>> = Arc::default();
        let collected = Arc::clone(&greetings);
        let client = Peer::new(move |_| {
            let collected = Arc::clone(&collected);
            Object::new().method("hello", move |args| {
                collected.lock().unwrap().push(args.at(0).to_string());
                args.at(1).call([])
            })
        });
        let remote = client.connect(server.route().address().unwrap()).await.unwrap();
        use_probe(&remote, &greetings).await.unwrap();
        remote.close().await.unwrap();
        server.stop().await;
    });
}

/// Calls the methods of the probe.
async fn use_probe(remote: &Connection, greetings: &Mutex<Vec<String>>) -> Result<(), Error> {
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
    let f = nest.get("a").at(1).get("b").get("f").as_function().unwrap().clone();
    assert_eq!(f.ask([]).await?.at(0).as_str(), Some("nest"));
    let counter = remote.ask("getCounter", args![]).await?.at(0);
    let (inc, get) = (counter.get("inc"), counter.get("get"));
    for n in 1..=3 {
        assert_eq!(inc.as_function().unwrap().ask([]).await?.at(0), Value::from(n));
    }
    assert_eq!(get.as_function().unwrap().ask([]).await?.at(0), Value::from(3));
    let doubles = Function::new(|args| args.at(1).call(args![args.at(0).as_f64().map(|x| x * 2.0)]));
    assert_eq!(remote.ask("applyTo", args![doubles, 21]).await?.at(0), Value::from(42));
    let keeper = remote.ask("keeper", args![]).await?.at(0);
    let member = |name: &str| keeper.get(name).as_function().unwrap().clone();
    let kept = Function::new(|_| ());
    member("keep").ask(args![&kept]).await?;
    assert_eq!(member("is").ask(args![&kept]).await?.at(0).as_str(), Some("yes"), "one function has one id");
    assert_eq!(member("is").ask(args![Function::new(|_| ())]).await?.at(0).as_str(), Some("no"));
    // `hello` may be called before or after the answer to `callMe`, so wait for both.
    let (send, greeting) = tokio::sync::oneshot::channel();
    let hello = Function::once(move |_| send.send(()).map_err(|()| "the receiver is gone"));
    remote.ask("callMe", args!["hello", Value::array(args!["you", hello])]).await?;
    greeting.await.unwrap();
    assert_eq!(*greetings.lock().unwrap(), ["\"you\""]);
    let error = remote.ask("absent", args![]).await.unwrap_err();
    assert!(matches!(&error, Error::NoMethod(name) if name == "absent"), "{error}");
    assert_eq!(error.fault(), Fault::Peer);
    Ok(())
}
