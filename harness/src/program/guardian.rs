//! Kills what we started when we end, even after a SIGKILL.
//!
//! One shell, the guardian, reads a pipe that only we can write to. Each line that we write lists
//! the process groups of all running programs. The kernel closes the pipe when we end, however that
//! happens, and the guardian then kills the groups of the last line.
//!
//! A program must not run before the guardian knows it. So it starts behind a gate: a shell that
//! waits for a line on its standard input. It gets the line after the guardian was told. If we end
//! before, it gets the end of its input instead, and exits.

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Signals to our group, and those of a closed terminal, do not end the guardian.
const GUARDIAN: &str = "\
trap '' HUP INT QUIT TERM
while read -r line; do groups=$line; done
for group in $groups; do kill -s KILL -- \"-$group\"; done";

/// The script of a shell that waits for the line, and then runs its first argument as a command.
pub(super) const GATE: &str = "read -r line && exec sh -c \"$1\"";

/// Like [`GATE`], for a program that gets no input.
pub(super) const GATE_WITHOUT_INPUT: &str = "read -r line && exec sh -c \"$1\" </dev/null";

/// The line that opens a gate.
pub(super) const OPEN: &[u8] = b"\n";

static GUARD: Mutex<Guard> = Mutex::new(Guard { groups: BTreeSet::new(), guardian: None });

struct Guard {
    /// The process groups of all running programs.
    groups: BTreeSet<i32>,
    guardian: Option<Child>,
}

impl Guard {
    fn get() -> MutexGuard<'static, Guard> {
        GUARD.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the guardian which groups there are. Replaces one that has ended.
    fn tell(&mut self) -> io::Result<()> {
        let groups: Vec<String> = self.groups.iter().map(i32::to_string).collect();
        let line = groups.join(" ") + "\n";
        if let Some(guardian) = &mut self.guardian {
            if guardian.stdin.as_mut().is_some_and(|pipe| pipe.write_all(line.as_bytes()).is_ok()) {
                return Ok(());
            }
            guardian.kill()?;
            guardian.wait()?;
        }
        let mut shell = Command::new("sh");
        shell.args(["-c", GUARDIAN]).process_group(0).current_dir("/");
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let guardian = self.guardian.insert(shell.spawn()?);
        guardian.stdin.as_mut().map_or(Ok(()), |pipe| pipe.write_all(line.as_bytes()))
    }
}

/// Kills all running programs. Call it directly before the suite exits: the guardian kills them too,
/// but a moment later.
pub fn kill_all() {
    for group in &Guard::get().groups {
        let _ = killpg(Pid::from_raw(*group), Signal::SIGKILL);
    }
}

/// A process group that ends at the latest when we end. Dropping this value kills it.
#[derive(Debug)]
pub(super) struct Guarded(Pid);

impl Guarded {
    /// Tells the guardian about the group.
    ///
    /// # Errors
    /// The system's error if there is no guardian and none can be started.
    pub(super) fn new(group: Pid) -> io::Result<Guarded> {
        let mut guard = Guard::get();
        guard.groups.insert(group.as_raw());
        let told = guard.tell();
        drop(guard);
        // An error drops this value, which kills the group.
        let guarded = Guarded(group);
        told.map(|()| guarded)
    }

    /// The number of the group.
    pub(super) fn number(&self) -> i32 {
        self.0.as_raw()
    }

    /// Sends a signal to the whole group.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = killpg(self.0, signal);
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
        let mut guard = Guard::get();
        guard.groups.remove(&self.number());
        let _ = guard.tell();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a program behind this gate writes if it gets `input`.
    fn behind(gate: &str, input: &[u8]) -> String {
        let mut shell = Command::new("sh");
        shell.args(["-c", gate, "sh", "echo ran; cat"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = shell.spawn().unwrap();
        shell.stdin.take().unwrap().write_all(input).unwrap();
        String::from_utf8(shell.wait_with_output().unwrap().stdout).unwrap()
    }

    #[test]
    fn a_program_starts_only_after_its_gate_was_opened() {
        assert_eq!(behind(GATE, b""), "");
        assert_eq!(behind(GATE_WITHOUT_INPUT, b""), "");
        assert_eq!(behind(GATE, b"\nits input"), "ran\nits input");
        assert_eq!(behind(GATE_WITHOUT_INPUT, b"\nno input"), "ran\n");
    }
}
