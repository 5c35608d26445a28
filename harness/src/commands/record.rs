//! A proxy between a client and a server: it forwards bytes unchanged, judges both directions, and
//! writes each connection to a transcript.
//!
//! Forwarding has priority. Each direction has its own task, which passes the forwarded bytes to a
//! thread that judges and writes. If that thread falls behind by more than 64 MiB for all
//! connections together, for example because of a slow disk, the connection is no longer judged and
//! written, with a warning, but still forwarded. So the memory is limited to those 64 MiB, a line
//! of 20 MiB for each direction of each connection, and the ids of the sessions.

mod backlog;
mod options;

pub use options::RecordOptions;

use super::recording::{Notice, Recording};
use backlog::{Backlog, Forwarded};
use dnode_spec::monitor::End;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long the server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// Forwards until `stop` is cancelled. Then it closes the connections and finishes the transcripts.
///
/// # Errors
/// The listener fails.
pub async fn record(
    listener: TcpListener,
    options: RecordOptions,
    stop: CancellationToken,
    emit: &(dyn Fn(Notice) + Send + Sync),
) -> io::Result<()> {
    let options = Arc::new(options);
    let (sender, mut notices) = unbounded_channel();
    let mut connections = JoinSet::new();
    let waiting = Arc::<AtomicUsize>::default();
    let mut number = 0;
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (client, _) = accepted?;
                number += 1;
                let (options, stop, sender) = (Arc::clone(&options), stop.clone(), sender.clone());
                let backlog = Arc::new(Backlog::new(&waiting));
                connections.spawn(connection(number, client, options, backlog, stop, sender));
            }
            Some(notice) = notices.recv() => emit(notice),
            Some(_) = connections.join_next() => {}
            () = stop.cancelled() => break,
        }
    }
    drop(sender);
    while let Some(notice) = notices.recv().await {
        emit(notice);
    }
    Ok(())
}

/// Connects to the server and forwards both directions.
async fn connection(
    number: usize,
    client: TcpStream,
    options: Arc<RecordOptions>,
    backlog: Arc<Backlog>,
    stop: CancellationToken,
    notices: UnboundedSender<Notice>,
) {
    let server = match connect(&options.to).await {
        Ok(server) => server,
        Err(error) => {
            let problem = format!("the server at {} cannot be reached: {error}", options.to);
            let _ = notices.send(Notice::Warning(format!("connection {number}: {problem}")));
            return;
        }
    };
    for stream in [&client, &server] {
        let _ = stream.set_nodelay(true);
    }
    let (tap, forwarded) = channel();
    let recording = {
        let backlog = Arc::clone(&backlog);
        tokio::task::spawn_blocking(move || {
            write_down(Recording::new(number, &options.recording), &forwarded, &backlog, &notices);
        })
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let there = forward(from_client, to_server, End::A, tap.clone(), Arc::clone(&backlog));
    let back = forward(from_server, to_client, End::B, tap, backlog);
    tokio::select! {
        _ = async { tokio::join!(there, back) } => {}
        () = stop.cancelled() => {}
    }
    let _ = recording.await;
}

/// Judges and writes until the connection ends.
fn write_down(
    mut recording: Recording,
    forwarded: &Receiver<Forwarded>,
    backlog: &Backlog,
    notices: &UnboundedSender<Notice>,
) {
    let tell = |recording: &mut Recording| {
        recording.take_notices().into_iter().for_each(|notice| drop(notices.send(notice)));
    };
    recording.create_file();
    tell(&mut recording);
    for item in forwarded {
        match item {
            Forwarded::Bytes(end, bytes) => {
                backlog.remove(bytes.len());
                recording.bytes(end, &bytes, None);
            }
            Forwarded::Ended(end) => recording.ended(end),
        }
        if backlog.has_overflowed() {
            recording.stop(&format!("judging fell behind by more than {} MiB", backlog::LIMIT >> 20));
        }
        tell(&mut recording);
    }
    recording.finish();
    tell(&mut recording);
}

async fn connect(to: &str) -> io::Result<TcpStream> {
    match tokio::time::timeout(CONNECT, TcpStream::connect(to)).await {
        Ok(connected) => connected,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer")),
    }
}

/// Forwards one direction. Bytes are passed to the recording before they are forwarded, so that it
/// gets them before their effects.
async fn forward(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    end: End,
    tap: Sender<Forwarded>,
    backlog: Arc<Backlog>,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match from.read(&mut buffer).await {
            Ok(count @ 1..) => {
                let bytes = &buffer[..count];
                if backlog.try_add(count) {
                    let _ = tap.send(Forwarded::Bytes(end, bytes.to_vec()));
                }
                if to.write_all(bytes).await.is_err() {
                    return;
                }
            }
            Ok(0) => {
                let _ = tap.send(Forwarded::Ended(end));
                let _ = to.shutdown().await;
                return;
            }
            Err(_) => {
                // A reset of one end resets the other end too.
                let _ = socket2::SockRef::from(to.as_ref()).set_linger(Some(Duration::ZERO));
                return;
            }
        }
    }
}
