//! Reads the standard error of a process that ended: the error, and the first frame of the peer's
//! own code.
//!
//! [`read`] understands the traces of Node, Python, Ruby, PHP, Perl, Java, Go and Rust. The first
//! error counts: later ones are mostly its consequences. [`Trace::key`] names a crash, and
//! [`Trace::cause`] the mistake behind it. [`fold`] shortens a trace for people.
//!
//! Deliberately absent: a verdict. A trace says where a process ended, not whether it may end.

mod fold;
mod languages;
mod message;

pub use fold::fold;

use std::collections::BTreeMap;
use std::fmt;

use languages::Found;

/// The most characters of an error or a frame.
const LONGEST: usize = 140;

/// The most characters of a line that a person would write.
const LONGEST_LINE: usize = 1000;

/// The error that ended a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The error, as the process wrote it.
    pub error: String,
    /// The first frame of the peer's own code; after a stack overflow, the frame that stands for the
    /// recursion. `None` if the trace has no frame, and if the process ran out of memory: that may
    /// happen anywhere.
    pub frame: Option<Frame>,
    /// The second frame of the peer's own code, which called the first.
    pub caller: Option<Frame>,
}

/// A place in the code of the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The function, if the trace names it.
    pub function: Option<String>,
    /// The file, with its folders.
    pub file: String,
    /// The line, and the column if the trace has it: `12` or `12:7`.
    pub line: String,
}

/// Reads the first error in a standard error. `None` if it has none.
///
/// ```
/// let stderr = "Traceback (most recent call last):\n  File \"/srv/peer.py\", line 7, in handle\n    f(x)\nKeyError: 'a'\n";
/// let trace = dnode_reports::trace::read(stderr).unwrap();
/// assert_eq!(trace.error, "KeyError: 'a'");
/// assert_eq!(trace.key(), "KeyError at handle (peer.py:7)");
/// ```
#[must_use]
pub fn read(stderr: &str) -> Option<Trace> {
    let lines = fold::unfold(stderr.lines().map(str::trim_end));
    let Found { error, frames } = languages::first(&lines)?;
    let error: String = error.trim().chars().take(LONGEST * 2).collect();
    let own: Vec<&Frame> = frames.iter().filter(|frame| !languages::is_runtime(frame)).collect();
    let frame = match exhausted(&error) {
        Some(MEMORY) => None,
        Some(_) => recursion(&own).or(own.first().copied()),
        None => own.first().copied().or(frames.first()),
    };
    Some(Trace { frame: frame.cloned(), caller: own.get(1).copied().cloned(), error })
}

/// The frame that stands for a recursion: of those that recur, the one with the smallest place. A
/// trace shows only the innermost frames, and any frame of the recursion may be the first of them.
fn recursion<'a>(frames: &[&'a Frame]) -> Option<&'a Frame> {
    let mut seen = BTreeMap::new();
    for &frame in frames {
        seen.entry((&frame.file, &frame.line)).or_insert((frame, 0_usize)).1 += 1;
    }
    seen.into_values().find(|(_, times)| *times > 1).map(|(frame, _)| frame)
}

/// The last line of a standard error without a trace, without the parts that differ from run to run.
/// `None` if it has no line, or a very long one: that is data, as Node prints it before an error.
#[must_use]
pub fn last_line(stderr: &str) -> Option<String> {
    let line = stderr.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
    line.chars().nth(LONGEST_LINE).is_none().then(|| message::plain(line))
}

impl Trace {
    /// The place in the peer's own code, with a folder of the file. `None` if the trace has no frame
    /// of the peer.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        let own = self.frame.as_ref().filter(|frame| !languages::is_runtime(frame))?;
        Some(own.with_folders(1))
    }

    /// A name for the crash, the same for any input: the class of the error and the frame. Without a
    /// frame, the message stands for it, without the parts that differ from run to run.
    #[must_use]
    pub fn key(&self) -> String {
        match (&self.frame, exhausted(&self.error)) {
            (_, Some(resource)) => resource.to_owned(),
            (Some(frame), None) => format!("{} at {frame}", languages::class(&self.error).unwrap_or("error")),
            (None, None) => message::plain(&self.error),
        }
    }

    /// A name for the mistake behind the crash: the error without the values that it is about, and its
    /// place. Two mistakes may end a process in one line, with two messages.
    #[must_use]
    pub fn cause(&self) -> String {
        let mistake = match exhausted(&self.error) {
            Some(resource) => resource.to_owned(),
            // The connection, and not the code at the place, has failed.
            None if self.is_of_connection() => return "an error of the connection".to_owned(),
            None => message::mistake(&self.error),
        };
        match &self.frame {
            Some(frame) => format!("{mistake} at {}", frame.file_and_line()),
            None => mistake,
        }
    }

    /// Whether the other end reset or closed the connection, and the error says no more.
    #[must_use]
    pub fn is_of_connection(&self) -> bool {
        const WORDS: &[&str] = &[
            "econnreset",
            "econnaborted",
            "epipe",
            "connection reset",
            "connection aborted",
            "connection was aborted",
            "broken pipe",
            "connectionreseterror",
            "connectionabortederror",
            "brokenpipeerror",
        ];
        let error = self.error.to_lowercase();
        WORDS.iter().any(|word| error.contains(word))
    }

    /// Whether the process ran out of stack.
    #[must_use]
    pub fn is_stack_overflow(&self) -> bool {
        exhausted(&self.error) == Some(STACK)
    }

    /// Whether the process ran out of memory.
    #[must_use]
    pub fn is_out_of_memory(&self) -> bool {
        exhausted(&self.error) == Some(MEMORY)
    }
}

impl Frame {
    /// Its file, without folders, and its line. The function is left out, because a function may have
    /// a name in one trace and none in another.
    fn file_and_line(&self) -> String {
        Frame { function: None, ..self.clone() }.to_string()
    }

    /// The frame with the last `folders` folders of the file.
    #[must_use]
    pub fn with_folders(&self, folders: usize) -> String {
        let parts: Vec<&str> = self.file.split(['/', '\\']).filter(|part| !part.is_empty()).collect();
        let file = parts[parts.len().saturating_sub(folders + 1)..].join("/");
        let place = format!("{file}:{}", self.line);
        match &self.function {
            Some(function) => format!("{} ({place})", function.chars().take(LONGEST).collect::<String>()),
            None => place,
        }
    }
}

/// Without folders: they differ from machine to machine.
impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_folders(0))
    }
}

const STACK: &str = "a stack overflow";
const MEMORY: &str = "out of memory";

/// One name for each resource that a process can run out of. The error differs with the function
/// that asked for more of it.
fn exhausted(error: &str) -> Option<&'static str> {
    const OF_STACK: &[&str] = &[
        "maximum call stack size",
        "recursionerror",
        "maximum recursion depth",
        "stackoverflowerror",
        "stack level too deep",
        "stack overflow",
        "overflowed its stack",
        "infinite recursion",
        "goroutine stack exceeds",
    ];
    const OF_MEMORY: &[&str] = &[
        "out of memory",
        "outofmemoryerror",
        "allowed memory size",
        "memoryerror",
        "failed to allocate memory",
        "cannot allocate memory",
        "memory allocation of",
        "allocation failed",
    ];
    let error = error.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| error.contains(word));
    match () {
        () if has(OF_STACK) => Some(STACK),
        () if has(OF_MEMORY) => Some(MEMORY),
        () => None,
    }
}

#[cfg(test)]
mod tests;
