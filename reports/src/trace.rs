//! Reads the standard error of a process that ended: the error, and the first frame of the peer's
//! own code.
//!
//! [`read`] understands the traces of Node, Python, Ruby, PHP, Perl, Java, Go and Rust. The first
//! error counts: later ones are mostly its consequences. [`Trace::key`] names a crash, so that two
//! crashes at one place have one name. [`fold`] shortens a trace for people.
//!
//! Deliberately absent: a verdict. A trace says where a process ended, not whether it may end.

mod fold;
mod languages;

pub use fold::fold;

use languages::Found;
use std::fmt;

/// The most characters of an error or a frame.
const LONGEST: usize = 140;

/// The error that ended a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The error, as the process wrote it.
    pub error: String,
    /// The first frame of the peer's own code. `None` if the trace has no frame, and if the process
    /// ran out of stack or memory: that may happen anywhere.
    pub frame: Option<Frame>,
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
    let lines: Vec<&str> = stderr.lines().map(str::trim_end).collect();
    let Found { error, frames } = languages::first(&lines)?;
    let error: String = error.trim().chars().take(LONGEST * 2).collect();
    if exhausted(&error).is_some() {
        return Some(Trace { error, frame: None });
    }
    let own = frames.iter().position(|frame| !languages::is_runtime(frame));
    let frame = frames.into_iter().nth(own.unwrap_or_default());
    Some(Trace { error, frame })
}

/// The last line of a standard error without a trace, without the parts that differ from run to run.
/// `None` if it has no line.
#[must_use]
pub fn last_line(stderr: &str) -> Option<String> {
    stderr.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(plain)
}

impl Trace {
    /// The place in the peer's own code, with a folder of the file. `None` if the trace has no frame
    /// of the peer.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        let own = self.frame.as_ref().filter(|frame| !languages::is_runtime(frame))?;
        Some(own.with_folders(1))
    }

    /// A name for the crash: the class of the error and the frame, because the message differs with
    /// the input. Without a frame, the message stands for it, without the parts that differ from run
    /// to run.
    #[must_use]
    pub fn key(&self) -> String {
        match (&self.frame, exhausted(&self.error)) {
            (_, Some(resource)) => resource.to_owned(),
            (Some(frame), None) => format!("{} at {frame}", languages::class(&self.error).unwrap_or("error")),
            (None, None) => plain(&self.error),
        }
    }
}

impl Frame {
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

/// One name for each resource that a process can run out of. The error differs with the function
/// that asked for more of it.
fn exhausted(error: &str) -> Option<&'static str> {
    const STACK: &[&str] = &[
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
    const MEMORY: &[&str] = &[
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
        () if has(STACK) => Some("a stack overflow"),
        () if has(MEMORY) => Some("out of memory"),
        () => None,
    }
}

/// Removes folders, quoted text and numbers.
fn plain(text: &str) -> String {
    let text: String = text.chars().take(LONGEST * 2).collect();
    let mut quote = None;
    let mut out = String::new();
    for word in text.split_inclusive([' ', '(', ',']) {
        let kept = match word.rfind('/') {
            Some(at) if word.contains(['.', ':']) => &word[at + 1..],
            _ => word,
        };
        for c in kept.chars() {
            match (quote, c) {
                (None, '"' | '\'' | '`') => quote = Some(c),
                (Some(open), c) if open == c || (open, c) == ('`', '\'') => {
                    quote = None;
                    out.push('…');
                }
                (Some(_), _) => {}
                (None, c) if c.is_ascii_digit() => {
                    if !out.ends_with('N') {
                        out.push('N');
                    }
                }
                (None, c) => out.push(c),
            }
        }
    }
    out.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests;
