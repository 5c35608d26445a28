//! A peer's program that we started: its standard error and its end.
//!
//! It runs in its own process group, which we end as a whole, so that no grandchild is left behind.
//! The guardian ends the group if we cannot.
//! We read its standard error all the time and keep the first and the last lines. We discard its
//! standard output, unless it speaks there.

use super::guardian::{GATE, GATE_WITHOUT_INPUT, Guarded, OPEN};
use super::tap::{Pipe, Taps};
use crate::clock::Clock;
use dnode_reports::event::{Death, Status};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use std::io::{self, PipeWriter, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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

/// Keeps programs from starting as long as the guard lives. Until its exec, a process that starts has
/// copies of all our sockets, so one that we close in that time stays open, and one that listens
/// still accepts connections.
pub fn hold_starts() -> MutexGuard<'static, ()> {
    static STARTS: Mutex<()> = Mutex::new(());
    STARTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running program.
#[derive(Debug)]
pub struct Process {
    /// Dropped first: the number of a group is free again after the child was waited for.
    group: Guarded,
    child: Child,
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
        let command = words.iter().fold(command.to_owned(), place);
        let mut shell = shell(GATE_WITHOUT_INPUT, &command);
        shell
            .envs(words.iter().map(|(word, value)| (word.to_ascii_uppercase(), value)))
            .stdout(Stdio::null());
        Process::spawn(shell, clock, taps).map(|(process, _)| process)
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
        let mut shell = shell(GATE, command);
        shell.stdout(Stdio::piped());
        let (mut process, stdin) = Process::spawn(shell, clock, taps)?;
        let stdin = ChildStdin::from_std(OwnedFd::from(stdin).into())?;
        let stdout = process.child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok((process, stdin, stdout))
    }

    /// Starts the shell, and opens its gate when the guardian knows it. Also returns the standard
    /// input of the shell.
    fn spawn(mut shell: Command, clock: &Clock, taps: &Taps) -> io::Result<(Process, PipeWriter)> {
        let (input, mut stdin) = io::pipe()?;
        shell.stdin(input).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
        // The guardian may start here, too.
        let held = hold_starts();
        let mut child = shell.spawn()?;
        let id = child.id().ok_or(io::ErrorKind::NotFound)?;
        let group = Guarded::new(Pid::from_raw(id.try_into().map_err(io::Error::other)?))?;
        drop(held);
        clock.watch(id);
        let stderr = child.stderr.take().map(|end| Pipe::new(end.into_owned_fd()?, taps)).transpose()?;
        stdin.write_all(OPEN)?;
        let reader = match &stderr {
            Some(pipe) => tokio::spawn(Arc::clone(pipe).keep()),
            None => tokio::spawn(async {}),
        };
        Ok((Process { group, child, clock: clock.clone(), stderr, reader }, stdin))
    }

    /// The process group that it and its children are in.
    #[must_use]
    pub fn group(&self) -> i32 {
        self.group.number()
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
            self.group.signal(Signal::SIGTERM);
            self.end_within_grace().await;
        }
        self.group.signal(Signal::SIGKILL);
        self.end_within_grace().await;
    }

    /// Waits in wall time, because the clock of a stopped process stands still.
    async fn end_within_grace(&mut self) {
        let _ = tokio::time::timeout(GRACE, self.child.wait()).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// A shell with this script and this command.
fn shell(script: &str, command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh", command]);
    shell
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
