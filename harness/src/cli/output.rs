//! Standard output and standard error.

use super::failure::{COULD_NOT_RUN, Failure};
use dnode_reports::escape::{no_command, terminal};
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

/// Prints a failure, and returns the exit status.
pub(super) fn fail(failure: &Failure) -> ExitCode {
    warn_of(failure);
    ExitCode::from(COULD_NOT_RUN)
}

/// Prints a failure.
pub(super) fn warn_of(failure: &Failure) {
    // The text may quote the peer, so it is escaped, and no line is a command for a CI job.
    let line = |line: &str| no_command(&terminal(line)).into_owned();
    let lines: Vec<String> = failure.to_string().lines().map(line).collect();
    warn(lines.join("\n"));
}

/// Prints a line to standard output.
pub(super) fn say(line: impl Display) -> Result<(), Failure> {
    print("standard output", format!("{line}\n"))
}

/// Writes `text` to standard output; `what` names it in errors. A closed pipe is no error, because
/// the reader may stop early. (`println!` would panic.)
pub(super) fn print(what: &str, text: impl AsRef<[u8]>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_ref()).and_then(|()| out.flush());
    written.map_err(|error| unwritten(what, &error)).or_else(|failure| failure.map_or(Ok(()), Err))
}

/// The failure of writing `what`; `None` if the reader closed the pipe.
pub(super) fn unwritten(what: &str, error: &io::Error) -> Option<Failure> {
    let is_closed = error.kind() == io::ErrorKind::BrokenPipe;
    (!is_closed).then(|| Failure::caller(format!("{what} cannot be written: {error}")))
}

/// Prints a line to standard error, and ignores errors.
pub(super) fn warn(line: impl Display) {
    let _ = writeln!(anstream::stderr(), "{line}");
}
