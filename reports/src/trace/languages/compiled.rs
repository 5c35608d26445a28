//! Go and Rust.

use super::{Found, Frame, frame};

/// `panic: message` or `fatal error: message`, then the stack of each goroutine. Those after the
/// first one, and those of the runtime, are not at fault.
pub(super) fn go(lines: &[&str], at: usize) -> Option<Found> {
    const HEADS: [&str; 4] = ["panic: ", "fatal error: ", "runtime: goroutine stack exceeds", "SIGSEGV: "];
    let head = HEADS.iter().find(|head| lines[at].starts_with(**head))?;
    let error = if head.ends_with("stack exceeds") { lines[at] } else { &lines[at][head.len()..] };
    let start = lines.iter().skip(at + 1).position(|line| line.starts_with("goroutine "))?;
    let stack: Vec<&str> =
        lines[at + 2 + start..].iter().take_while(|line| !line.is_empty()).copied().collect();
    let frames = stack.windows(2).filter_map(|pair| {
        let place = pair[1].strip_prefix('\t')?;
        let function = pair[0].rsplit_once('(').map_or(pair[0], |(function, _)| function);
        // `panic` is a function of the runtime.
        frame(Some(function), place.split(" +0x").next()?).filter(|_| function != "panic")
    });
    Some(Found::new(error, frames.collect()))
}

/// `thread 'main' panicked at FILE:LINE:COLUMN:` and the message in the next line, or before Rust
/// 1.73 `thread 'main' panicked at 'message', FILE:LINE:COLUMN`.
pub(super) fn rust(lines: &[&str], at: usize) -> Option<Found> {
    let text = lines[at].strip_prefix("thread '")?;
    if text.contains("has overflowed its stack") {
        return Some(Found::new(lines[at], Vec::new()));
    }
    let (_, text) = text.split_once(" panicked at ")?;
    let (error, place) = match text.strip_prefix('\'').and_then(|text| text.rsplit_once("', ")) {
        Some(both) => both,
        None => (lines.get(at + 1).copied().unwrap_or_default(), text.trim_end_matches(':')),
    };
    let backtrace: Vec<&str> =
        lines[at + 1..].iter().take_while(|line| !line.starts_with("thread '")).copied().collect();
    let called = backtrace.windows(2).filter_map(|pair| {
        let (_, function) = pair[0].trim().split_once(": ")?;
        frame(Some(function), pair[1].trim().strip_prefix("at ")?)
    });
    let frames: Vec<Frame> = frame(None, place).into_iter().chain(called).collect();
    Some(Found::new(error, frames))
}
