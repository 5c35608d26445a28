//! A peer in the same process, for users of the library: no socket, no port.

use super::{Address, Duplex, Transport};
use crate::run::{Cases, Options, RunError};
use crate::target::Target;
use dnode_reports::event::Event;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A peer that is reached by a function of the caller's.
pub(super) struct Peer {
    connect: Box<dyn Fn() -> Box<dyn Duplex> + Send + Sync>,
}

impl Peer {
    pub(super) fn new<S: Duplex + 'static>(connect: impl Fn() -> S + Send + Sync + 'static) -> Peer {
        Peer { connect: Box::new(move || Box::new(connect())) }
    }

    pub(super) fn connect(&self) -> Memory {
        Memory((self.connect)())
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Peer")
    }
}

/// A peer in this process, as a target for [`Options`]. `connect` is called once for each connection, within the runtime of the run, and
/// gives the suite's end of a stream whose other end the peer serves. `name` stands in the reports.
pub fn target<S: Duplex + 'static>(name: &str, connect: impl Fn() -> S + Send + Sync + 'static) -> Target {
    Target::Address(Address::in_memory(name, connect))
}

/// Runs cases against a peer in this process, with what the command line takes where nothing else is said; [`target`] with
/// [`run`](crate::run::run) says more. Cases that need a reset are not applicable, for a stream in memory has none.
///
/// A peer that blocks a thread needs a runtime with more than one: its deadlines are those of the suite.
///
/// ```
/// use dnode_conform::{cases::catalogue, serve, transport::memory};
/// use dnode_reports::event::{Event, Verdict};
/// use dnode_spec::dialect::Dialect;
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let connect = || {
///     let (ours, theirs) = tokio::io::duplex(64 * 1024);
///     // Here stands your peer.
///     tokio::spawn(serve::speak(theirs, serve::plain()));
///     ours
/// };
/// let mut cases = catalogue(Dialect::default()).unwrap();
/// cases.retain(|case| case.id().starts_with("cull/"));
/// let mut failed = Vec::new();
/// memory::run("my peer", connect, cases, &mut |event| {
///     if let Event::Judged(outcome) = event {
///         if !matches!(outcome.verdict, Verdict::Pass | Verdict::NotApplicable) {
///             failed.push(outcome.id);
///         }
///     }
/// })
/// .await
/// .unwrap();
/// assert!(failed.is_empty(), "{failed:?}");
/// # });
/// ```
///
/// # Errors
/// [`RunError`] where nothing could be run.
pub async fn run<S: Duplex + 'static>(
    name: &str,
    connect: impl Fn() -> S + Send + Sync + 'static,
    cases: impl Into<Cases>,
    tell: &mut (dyn FnMut(Event) + Send),
) -> Result<(), RunError> {
    crate::run::run(&Options::new(target(name, connect)), cases, tell).await
}

/// The suite's end of a stream of the caller's.
pub(super) struct Memory(Box<dyn Duplex>);

impl Transport for Memory {
    fn abort(self: Box<Self>) {}
}

impl AsyncRead for Memory {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Memory {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
