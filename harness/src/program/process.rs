//! A peer's program that we started: its standard error and its end.
//!
//! It runs in its own process group, which we end as a whole, so that no grandchild is left behind.
//! We read its standard error all the time and keep the first and the last lines. We discard its
//! standard output, unless it speaks there.

use super::tap::{Pipe, Taps};
use crate::clock::Clock;
use dnode_reports::event::{Death, Status};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// How long a process may take to end after its connection broke; after that it counts as alive.
///
/// Nothing says whether a process that closed its connections is about to end, so a wait is needed,
/// but it is over as soon as the process ends. It counts the time of the process itself, so it need
/// not cover a busy machine.
pub const ENDING: Duration = Duration::from_millis(500);
/// How long a process may take to follow a SIGTERM before the whole group is killed.
const GRACE: Duration = Duration::from_millis(500);

/// The process groups of all running programs, for [`kill_all`].
static RUNNING: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// Kills all running programs. Call it directly before the suite exits.
pub fn kill_all() {
    for group in RUNNING.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        let _ = killpg(Pid::from_raw(*group), Signal::SIGKILL);
    }
}

/// A running program.
#[derive(Debug)]
pub struct Process {
    child: Child,
    group: Option<Pid>,
    clock: Clock,
    stderr: Option<Arc<Pipe>>,
    /// The task that reads the standard error. It ends at the end of the pipe.
    reader: tokio::task::JoinHandle<()>,
}

impl Process {
    /// Starts `command` with the shell, lets `clock` watch it, and `taps` get its standard error. A
    /// word such as `("port", "5050")` replaces `{port}` in the command and sets `PORT` in its
    /// environment.
    ///
    /// # Errors
    /// The system's error if the shell cannot be started.
    pub fn start(command: &str, words: &[(&str, &str)], clock: &Clock, taps: &Taps) -> io::Result<Process> {
        let place = |line: String, (word, value): &(&str, &str)| line.replace(&format!("{{{word}}}"), value);
        let mut shell = Command::new("sh");
        shell
            .arg("-c")
            .arg(words.iter().fold(command.to_owned(), place))
            .envs(words.iter().map(|(word, value)| (word.to_ascii_uppercase(), value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        Process::spawn(shell, clock, taps)
    }

    /// Starts `command` with the shell, and returns its standard input and output too.
    ///
    /// # Errors
    /// The system's error if the shell cannot be started.
    pub fn start_to_speak(
        command: &str,
        clock: &Clock,
        taps: &Taps,
    ) -> io::Result<(Process, ChildStdin, ChildStdout)> {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(command).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Process::spawn(shell, clock, taps)?;
        let pipes = process.child.stdin.take().zip(process.child.stdout.take());
        let (stdin, stdout) = pipes.ok_or(io::ErrorKind::BrokenPipe)?;
        Ok((process, stdin, stdout))
    }

    fn spawn(mut shell: Command, clock: &Clock, taps: &Taps) -> io::Result<Process> {
        let mut child = shell.stderr(Stdio::piped()).process_group(0).kill_on_drop(true).spawn()?;
        child.id().into_iter().for_each(|id| clock.watch(id));
        let group = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        if let Some(group) = group {
            RUNNING.lock().unwrap_or_else(PoisonError::into_inner).insert(group.as_raw());
        }
        let stderr = child.stderr.take().map(|end| Pipe::new(end.into_owned_fd()?, taps)).transpose()?;
        let reader = match &stderr {
            Some(pipe) => tokio::spawn(Arc::clone(pipe).keep()),
            None => tokio::spawn(async {}),
        };
        Ok(Process { child, group, clock: clock.clone(), stderr, reader })
    }

    /// The process group that it and its children are in.
    #[must_use]
    pub fn group(&self) -> Option<i32> {
        self.group.map(Pid::as_raw)
    }

    /// The exit status of the program, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits for the program to end.
    ///
    /// # Errors
    /// The system's error.
    pub async fn end(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Waits for the program to end, but gives it no more time than `limit`.
    pub async fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        self.clock.timeout(limit, self.child.wait()).await.ok().and_then(Result::ok)
    }

    /// Forgets its standard error so far. Call it when the program has shown that it still works.
    pub fn forget_stderr(&mut self) {
        self.stderr.iter().for_each(|pipe| pipe.forget());
    }

    /// The first and the last lines of its standard error. If the program has ended, this waits a moment for the
    /// rest. It does not wait for the end of the pipe, because a grandchild may keep it open.
    pub async fn stderr(&mut self) -> String {
        if self.ended().is_some() && !self.reader.is_finished() {
            let _ = tokio::time::timeout(GRACE, &mut self.reader).await;
        }
        self.stderr.as_ref().map(|pipe| pipe.text()).unwrap_or_default()
    }

    /// Describes its end, with lines of its standard error. `status` is its exit status.
    pub async fn death(&mut self, status: ExitStatus) -> Death {
        Death { status: describe(status), stderr: self.stderr().await }
    }

    /// Ends the whole group with SIGTERM, then with SIGKILL.
    pub async fn stop(mut self) {
        if self.ended().is_none() {
            self.signal(Signal::SIGTERM);
            self.end_within_grace().await;
        }
        self.signal(Signal::SIGKILL);
        self.end_within_grace().await;
    }

    /// Waits in wall time, because the clock of a stopped process stands still.
    async fn end_within_grace(&mut self) {
        let _ = tokio::time::timeout(GRACE, self.child.wait()).await;
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            let _ = killpg(group, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
        if let Some(group) = self.group {
            RUNNING.lock().unwrap_or_else(PoisonError::into_inner).remove(&group.as_raw());
        }
        self.reader.abort();
    }
}

/// The exit status or the signal that ended a process, as reports show it.
#[must_use]
pub fn describe(status: ExitStatus) -> Status {
    match (status.code(), status.signal()) {
        (Some(code), _) => Status::Exit(code),
        (None, Some(number)) => {
            let name = Signal::try_from(number).ok().map(|signal| signal.as_str().to_owned());
            Status::Signal { number, name }
        }
        (None, None) => Status::Unknown,
    }
}
