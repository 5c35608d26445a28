//! A peer that speaks on its standard input and output: a process for each connection.
//!
//! The end of a process is the end of its connection, so a process may end at any time with status
//! 0, or with the status that it always ends with. Any other end is a crash. It does not count if we
//! gave the connection up before its output ended: then writing may have failed in the process.

use super::process::{ENDING, Process};
use super::tap::Taps;
use crate::clock::Clock;
use dnode::transport::Address;
use dnode_reports::event::{Death, Status};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::pin::Pin;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;

/// How a shell exits that does not find the program.
const NOT_FOUND: i32 = 127;

/// The processes of a peer that speaks on its standard input and output.
#[derive(Debug)]
pub struct Stdio {
    command: String,
    clock: Clock,
    taps: Taps,
    state: Mutex<State>,
    /// A process has ended.
    ended: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The tasks that wait for the ends of the processes.
    waiters: JoinSet<()>,
    /// How many processes have closed their output but have not ended.
    ending: usize,
    /// How the process of the first connection ended, which is harmless.
    usual: Option<ExitStatus>,
    /// The first crash.
    death: Option<Death>,
}

/// How a connection ended for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The process closed its output, and we read all of it.
    Read,
    /// We gave it up before.
    GivenUp,
}

impl Stdio {
    /// Prepares to start this command for each connection.
    #[must_use]
    pub fn new(command: &str, clock: &Clock, taps: &Taps) -> Arc<Stdio> {
        let (command, clock, taps) = (command.to_owned(), clock.clone(), taps.clone());
        Arc::new(Stdio { command, clock, taps, state: Mutex::default(), ended: Notify::new() })
    }

    /// The address that starts a process for each connection.
    #[must_use]
    pub fn address(self: &Arc<Stdio>) -> Address {
        let stdio = Arc::downgrade(self);
        Address::of_processes(move || match stdio.upgrade() {
            Some(stdio) => stdio.connect(),
            None => Err(io::ErrorKind::ConnectionRefused.into()),
        })
    }

    /// Starts a process, and returns its standard input and output.
    fn connect(self: &Arc<Stdio>) -> io::Result<Pipes> {
        let (process, stdin, stdout) = Process::start_to_speak(&self.command, &self.clock, &self.taps)?;
        let (end, ends) = oneshot::channel();
        let stdio = Arc::clone(self);
        let mut state = self.state();
        while state.waiters.try_join_next().is_some() {}
        state.waiters.spawn(async move { stdio.wait_for(process, ends).await });
        Ok(Pipes { stdin: Some(stdin), stdout, stdio: Arc::clone(self), end: Some(end) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the end of a process, and judges it. Ends the process if it is still running some
    /// time after its connection.
    async fn wait_for(self: Arc<Stdio>, mut process: Process, end: oneshot::Receiver<End>) {
        let end = end.await.unwrap_or(End::GivenUp);
        let status = process.wait(ENDING).await;
        let death = match status {
            Some(status) if end == End::Read && !self.is_usual(status) => Some(process.death(status).await),
            _ => None,
        };
        {
            let mut state = self.state();
            state.ending -= usize::from(end == End::Read);
            state.death = state.death.take().or(death);
        }
        self.ended.notify_waiters();
        if status.is_none() {
            process.stop().await;
        }
    }

    /// Whether a process may end with this status.
    fn is_usual(&self, status: ExitStatus) -> bool {
        status.success() || self.state().usual == Some(status)
    }

    /// Takes the exit status of the first process as usual, because its connection was harmless.
    /// Returns its end if the shell did not find the program. A signal is always a crash.
    pub async fn was_harmless(&self) -> Option<Death> {
        let death = self.death(Duration::ZERO).await?;
        match death.status {
            Status::Exit(NOT_FOUND) => Some(death),
            Status::Exit(code) => {
                let mut state = self.state();
                state.usual = Some(ExitStatus::from_raw(code << 8));
                state.death = None;
                None
            }
            Status::Signal { .. } | Status::Unknown => None,
        }
    }

    /// A note for the reader of the verdicts about the usual exit status.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        let code = self.state().usual?.code()?;
        Some(format!(
            "the program ends with exit status {code} after each connection, so this is not counted as a crash"
        ))
    }

    /// How the first process crashed, if one did. Waits for those that have closed their output.
    pub async fn death(&self, wait: Duration) -> Option<Death> {
        let until = self.clock.now() + wait;
        let latest = until.max(self.clock.now() + ENDING);
        loop {
            let ended = self.ended.notified();
            let ending = {
                let state = self.state();
                if state.death.is_some() {
                    return state.death.clone();
                }
                state.ending > 0
            };
            let until = if ending { latest } else { until };
            if self.clock.timeout_at(until, ended).await.is_err() {
                return self.state().death.clone();
            }
        }
    }

    /// Ends all processes.
    pub async fn stop(&self) {
        let mut waiters = std::mem::take(&mut self.state().waiters);
        waiters.shutdown().await;
    }
}

/// The standard input and output of a process.
struct Pipes {
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    stdio: Arc<Stdio>,
    /// Tells the waiter how the connection ended.
    end: Option<oneshot::Sender<End>>,
}

impl Pipes {
    fn end(&mut self, how: End) {
        let Some(end) = self.end.take() else { return };
        self.stdio.state().ending += usize::from(how == End::Read);
        let _ = end.send(how);
    }
}

impl Drop for Pipes {
    fn drop(&mut self) {
        self.end(End::GivenUp);
    }
}

impl AsyncRead for Pipes {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.stdout).poll_read(cx, buffer));
        if read.is_err() || buffer.filled().len() == before {
            self.end(End::Read);
        }
        Poll::Ready(read)
    }
}

impl AsyncWrite for Pipes {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.stdin {
            Some(stdin) => Pin::new(stdin).poll_write(cx, bytes),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stdin.as_mut().map_or(Poll::Ready(Ok(())), |stdin| Pin::new(stdin).poll_flush(cx))
    }

    /// Closes the standard input.
    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stdin = None;
        Poll::Ready(Ok(()))
    }
}
