//! A peer that uses most of the crate: callbacks that are kept and called later, functions deep in
//! values, sharing and cycles. It offers the probe of the conformance suite, `dnode-conform`.
//!
//! ```sh
//! cargo run --example probe -- 127.0.0.1:5050             # a server; other forms of addresses work too
//! cargo run --example probe -- --connect 127.0.0.1:5050   # a client that offers the same object
//! dnode-conform 127.0.0.1:5050                            # runs the suite against the server
//! ```

use dnode::transport::{Address, Listener};
use dnode::{Error, Function, Object, Peer, Remote, Value, args};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The name of this implementation in reports of the suite.
pub const NAME: &str = concat!("rust-example ", env!("CARGO_PKG_VERSION"));

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let peer = Peer::new(probe).on_error(|error| eprintln!("{error}"));
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--connect", address] => {
            let connection = peer.connect(&address.parse()?).await?;
            println!("connected to {:?}", *connection);
            println!("{}", connection.ended().await);
        }
        [address] => {
            let listener = Listener::bind(&Address::parse_to_listen(address)?, None).await?;
            println!("listening at {}", listener.address()?);
            peer.serve(listener).await?;
        }
        _ => return Err("write probe ADDRESS, or probe --connect ADDRESS".into()),
    }
    Ok(())
}

/// The object of one connection. `remote` is the other end.
pub fn probe(remote: &Remote) -> Object {
    let remote = remote.clone();
    structures(Object::new())
        .method("conformProbe", |args| args.at(0).call(args![NAME]))
        .method("echo", |args| args.at(1).call([args.at(0)]))
        .method("add", |args| {
            let number = |n| args.at(n).as_f64().unwrap_or(f64::NAN);
            args.at(2).call(args![number(0) + number(1)])
        })
        .method("callTwice", |args| {
            args.at(0).call(args![1])?;
            args.at(0).call(args![2])
        })
        .method("applyTo", |args| {
            let cb = args.at(2);
            args.at(0).call(args![args.at(1), Function::new(move |result| cb.call([result.at(0)]))])
        })
        .method("getCounter", |args| args.at(0).call([counter()]))
        .method("keeper", |args| args.at(0).call([keeper()]))
        .method("callMe", move |args| {
            let name = args.at(0);
            let called = remote.call(name.as_str().ok_or("callMe takes a name first")?, args.at(1).items());
            args.at(2).call([])?;
            called
        })
        .method("throwNow", |_| fail())
        // This could take long, so it is spawned: the next call does not wait for it.
        .method("later", |args| {
            tokio::spawn(async move { args.at(1).call([args.at(0)]) });
        })
        .with("plain", 42)
}

/// An object whose two functions share a counter.
fn counter() -> Value {
    let count = Arc::new(AtomicI64::new(0));
    let of_inc = Arc::clone(&count);
    let inc = Function::new(move |args| args.at(0).call(args![of_inc.fetch_add(1, Ordering::Relaxed) + 1]));
    let get = Function::new(move |args| args.at(0).call(args![count.load(Ordering::Relaxed)]));
    Object::new().with("inc", inc).with("get", get).into()
}

/// An object that keeps a function of the peer, and calls it later.
fn keeper() -> Value {
    let kept: Arc<Mutex<Option<Function>>> = Arc::default();
    let put = {
        let kept = Arc::clone(&kept);
        move |function| *kept.lock().unwrap_or_else(PoisonError::into_inner) = function
    };
    let kept = move || kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let (put_none, fired) = (put.clone(), kept.clone());
    Object::new()
        .method("keep", move |args| {
            put(args.at(0).as_function().cloned());
            args.at(1).call([])
        })
        .method("is", move |args| {
            let same = kept().is_some_and(|kept| args.at(0).as_function() == Some(&kept));
            args.at(1).call(args![if same { "yes" } else { "no" }])
        })
        .method("fire", move |args| fired().map_or(Ok(()), |kept| kept.call([args.at(0)])))
        .method("drop", move |args| {
            put_none(None);
            args.at(0).call([])
        })
        .into()
}

/// Adds functions that answer with one function at two places, a cycle, a shared value, and a
/// function deep in a value.
fn structures(object: Object) -> Object {
    let says = |word: &'static str| Function::new(move |args| args.at(0).call(args![word]));
    object
        .method("repeat", move |args| {
            let function = says("repeat");
            args.at(0).call(args![&function, &function])
        })
        .method("cycle", |args| {
            let cycle = Value::object([("name", "cycle".into())]).linked(&[], &["self"])?;
            args.at(0).call([cycle])
        })
        .method("shared", |args| {
            let shared = Value::object([("name", Value::from("shared"))]);
            args.at(0).call([Value::array([shared.clone(), shared])])
        })
        .method("nest", move |args| {
            let inner = Value::object([("b", Value::object([("f", says("nest").into())]))]);
            args.at(0).call([Value::object([("a", Value::array(args![0, inner]))])])
        })
}

#[allow(clippy::panic, reason = "the suite checks that a panic does no harm")]
fn fail() -> Result<(), Error> {
    panic!("throwNow")
}
