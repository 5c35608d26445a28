//! The reference peer: the reference session and the probe over TCP.

use dnode_spec::probe::Probe;
use dnode_spec::session::Session;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The longest line that the reference peer takes.
const LINE_LIMIT: usize = 64 << 20;

/// How long a closed connection is read for.
const DRAIN: Duration = Duration::from_secs(1);

/// What the reference peer calls itself.
pub const NAME: &str = concat!("dnode-conform-reference ", env!("CARGO_PKG_VERSION"));

/// Serves every connection that comes, until the listener fails.
///
/// # Errors
/// What the listener says.
pub async fn serve(listener: TcpListener) -> io::Result<()> {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(async move {
                    // The other end's fault: a connection that breaks concerns nobody else.
                    let _ = serve_one(stream).await;
                });
            }
            // A connection that was gone before it was accepted is no fault of the listener's.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => return Err(error),
        }
    }
}

/// One connection. Reading waits for writing, so an end that sends and never reads fills its own buffers, not our memory.
async fn serve_one(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut session = Session::new(LINE_LIMIT);
    let mut probe = Probe::new(NAME);
    let (graph, object) = probe.object();
    session.start(graph, object);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        while let Some(event) = session.poll_event() {
            probe.handle(event, &mut session);
        }
        probe.turn(&mut session);
        while let Some(bytes) = session.poll_output() {
            stream.write_all(&bytes).await?;
        }
        if session.is_ended() {
            return close(stream).await;
        }
        match stream.read(&mut buffer).await? {
            0 => session.end(),
            count => session.feed(&buffer[..count]),
        }
    }
}

/// Closes in order: what the other end still sends is read, for unread bytes would turn the close into a reset.
async fn close(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut nowhere = tokio::io::sink();
    let drain = tokio::io::copy(&mut stream, &mut nowhere);
    match tokio::time::timeout(DRAIN, drain).await {
        Ok(drained) => drained.map(|_| ()),
        Err(_) => Ok(()),
    }
}
