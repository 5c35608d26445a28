//! Connections in memory, and one thread for all tasks, so that every run does the same.

use dnode::{Connection, Error, Peer};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::runtime::Builder;
use tokio::task::{JoinHandle, yield_now};

/// Runs a test on one thread. A test that hangs fails after a minute.
pub(crate) fn on_one_thread<T>(test: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let limited = async { tokio::time::timeout(Duration::from_secs(60), test).await.unwrap() };
    runtime.block_on(limited)
}

/// Lets the other tasks run until all of them wait. On one thread and in memory, nothing else can
/// wake them.
pub(crate) async fn settle() {
    for _ in 0..1000 {
        yield_now().await;
    }
}

/// Connects two peers through a stream in memory with a buffer of this many bytes.
pub(crate) async fn connect(server: &Peer, client: &Peer, buffer: usize) -> Connection {
    let (ours, theirs) = tokio::io::duplex(buffer);
    let server = server.clone();
    tokio::spawn(async move { server.speak(theirs).await });
    client.open(ours).await.unwrap()
}

/// Serves a stream in memory, and returns the other end of it, for a test that writes and reads
/// lines itself.
pub(crate) fn raw(peer: &Peer, buffer: usize) -> (DuplexStream, JoinHandle<Result<(), Error>>) {
    let (ours, theirs) = tokio::io::duplex(buffer);
    let peer = peer.clone();
    (ours, tokio::spawn(async move { peer.speak(theirs).await }))
}

/// The texts of the errors that [`Peer::on_error`] gets, after who is at fault.
pub(crate) type Errors = Arc<Mutex<Vec<String>>>;

/// Collects the errors of a peer.
pub(crate) fn with_errors(peer: Peer) -> (Peer, Errors) {
    let errors = Errors::default();
    let collected = Arc::clone(&errors);
    let peer =
        peer.on_error(move |error| collected.lock().unwrap().push(format!("{}: {error}", error.fault())));
    (peer, errors)
}
