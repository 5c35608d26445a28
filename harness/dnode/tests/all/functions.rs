//! Functions are passed, called, kept and given back.

use crate::examples::probe;
use crate::support::{connect, on_one_thread, raw, settle};
use dnode::{Error, Fault, Function, Object, Peer, Value, args};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[test]
fn a_function_that_comes_back_calls_the_original() {
    on_one_thread(async {
        let connection = connect(&Peer::new(probe::probe), &Peer::default(), 1000).await;
        let (send, mut receive) = tokio::sync::mpsc::unbounded_channel();
        let function = Function::new(move |args| send.send(args.at(0)).map_err(|_| "the receiver is gone"));
        let value = Value::object([("deep", Value::array(args![1, &function]))]);
        let echoed = connection.ask("echo", [value]).await.unwrap().at(0);
        let back = echoed.get("deep").at(1).as_function().unwrap().clone();
        for n in 0..3 {
            back.call(args![n]).unwrap();
            assert_eq!(receive.recv().await.unwrap(), Value::from(n));
        }
        assert_eq!(function, function.clone());
        assert_ne!(function, back, "`back` is a function of the peer, which calls ours");
    });
}

#[test]
fn a_function_of_one_peer_can_be_passed_to_another() {
    on_one_thread(async {
        let first = Peer::new(|_| Object::new().method("which", |args| args.at(0).call(args!["first"])));
        let first = connect(&first, &Peer::default(), 1000).await;
        let second = connect(&Peer::new(probe::probe), &Peer::default(), 1000).await;
        let which = first.method("which").unwrap();
        let through = second.ask("echo", args![which]).await.unwrap().at(0).as_function().unwrap().clone();
        assert_eq!(through.ask([]).await.unwrap().at(0).as_str(), Some("first"));
    });
}

#[test]
fn a_missing_method_is_an_error() {
    on_one_thread(async {
        let connection = connect(&Peer::new(probe::probe), &Peer::default(), 1000).await;
        let error = connection.ask("absent", args![]).await.unwrap_err();
        assert!(matches!(&error, Error::NoMethod(name) if name == "absent"));
        assert_eq!(error.to_string(), "the peer's object has no function \"absent\"");
        assert_eq!(error.fault(), Fault::Peer);
        assert!(matches!(connection.call("plain", []), Err(Error::NoMethod(_))), "`plain` is a number");
    });
}

#[test]
fn a_dropped_function_is_culled_only_on_request() {
    on_one_thread(async {
        for culls in [true, false] {
            let (mut raw, _task) = raw(&Peer::new(probe::probe).culls(culls), 1 << 16);
            raw.write_all(b"{\"method\":\"echo\",\"arguments\":[1],\"callbacks\":{\"5\":[1]}}\n")
                .await
                .unwrap();
            settle().await;
            raw.shutdown().await.unwrap();
            let mut received = String::new();
            raw.read_to_string(&mut received).await.unwrap();
            let cull = received.lines().any(|line| line == "{\"method\":\"cull\",\"arguments\":[5]}");
            assert_eq!(cull, culls, "{received}");
        }
    });
}

#[test]
fn a_culled_function_cannot_be_called() {
    on_one_thread(async {
        let connection = connect(&Peer::new(probe::probe), &Peer::default(), 1000).await;
        let add = connection.method("add").unwrap();
        add.cull().unwrap();
        assert!(matches!(add.cull(), Err(Error::Culled(_))));
        let error = connection.ask("add", args![1, 2]).await.unwrap_err();
        assert!(matches!(error, Error::Culled(_)), "{error}");
        assert_eq!(error.fault(), Fault::Caller);
        connection.ask("echo", args![1]).await.unwrap();
    });
}
