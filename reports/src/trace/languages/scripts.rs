//! Node, Java, Python, Ruby, PHP and Perl. Java has the form of Node: an error, then `at` lines.

use super::{Found, Frame, MESSAGE, frame, names_error, place};

/// `TypeError: no` and `at f (FILE:LINE:COLUMN)`, or `java.lang.Error: no` and `at a.B.f(B.java:7)`.
pub(super) fn node_or_java(lines: &[&str], at: usize) -> Option<Found> {
    if is_at(lines[at]) || !lines.get(at + 1).is_some_and(|line| is_at(line)) {
        return None;
    }
    let frames: Vec<Frame> =
        lines[at + 1..].iter().take_while(|line| is_at(line)).filter_map(|line| at_frame(line)).collect();
    // The message may have several lines, also empty ones.
    let message = lines[..=at].iter().rev().take(MESSAGE);
    let head = message.map(|line| without_thread(line)).find(|line| names_error(line));
    let head = head.unwrap_or_else(|| without_thread(lines[at]));
    (!frames.is_empty()).then(|| Found::new(head, frames))
}

fn is_at(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("at ") && line.contains([':', '(']) && line.len() < 2000
}

fn at_frame(line: &str) -> Option<Frame> {
    let text = line.trim().trim_start_matches("at ").trim_start_matches("async ").trim_end_matches(" {");
    match text.strip_suffix(')').and_then(|text| text.rsplit_once('(')) {
        Some((function, at)) => frame(Some(function), at.trim_start_matches("file://")),
        None => frame(None, text.trim_start_matches("file://")),
    }
}

/// Removes `Exception in thread "main" ` and `Uncaught `.
fn without_thread(line: &str) -> &str {
    let line = line.trim_start().trim_start_matches("Uncaught ");
    let named = line.strip_prefix("Exception in thread \"").and_then(|rest| rest.split_once("\" "));
    named.map_or(line, |(_, error)| error)
}

/// Node prints the line of code and a caret. A value that is no error follows without frames. V8
/// itself ends with `FATAL ERROR`.
pub(super) fn node_without_frames(lines: &[&str], at: usize) -> Option<Found> {
    if let Some(error) = lines[at].strip_prefix("FATAL ERROR: ") {
        return Some(Found::new(error, Vec::new()));
    }
    let caret = lines[at].trim();
    if at < 2 || caret.is_empty() || caret.chars().any(|c| c != '^') {
        return None;
    }
    let frame = frame(None, lines[at - 2]).filter(|frame| !frame.file.contains(' '))?;
    let thrown = lines[at + 1..].iter().take(2).find(|line| !line.is_empty())?;
    let has_frames = lines[at + 1..].iter().take(MESSAGE).any(|line| is_at(line));
    (!has_frames).then(|| Found::new(thrown, vec![frame]))
}

/// `Traceback (most recent call last):`, the frames from the outermost on, and the error.
pub(super) fn python(lines: &[&str], at: usize) -> Option<Found> {
    if lines[at].trim() != "Traceback (most recent call last):" {
        return None;
    }
    let is_inside = |line: &&&str| line.is_empty() || line.starts_with([' ', '\t', '…']);
    let inside: Vec<&&str> = lines[at + 1..].iter().take_while(is_inside).collect();
    let mut frames: Vec<Frame> = inside.iter().filter_map(|line| python_frame(line)).collect();
    frames.reverse();
    let error = lines.get(at + 1 + inside.len()).copied().unwrap_or("an error without a message");
    Some(Found::new(error, frames))
}

fn python_frame(line: &str) -> Option<Frame> {
    let (file, rest) = line.trim().strip_prefix("File \"")?.split_once("\", line ")?;
    let (line, function) = rest.split_once(", in ").unwrap_or((rest, ""));
    frame(Some(function), &format!("{file}:{line}"))
}

/// ``FILE:LINE:in `f': message (Error)``, and `from` lines.
pub(super) fn ruby(lines: &[&str], at: usize) -> Option<Found> {
    let (first, error) = ruby_frame(lines[at])?;
    let error = error.strip_prefix(": ")?;
    let from = lines[at + 1..].iter().filter_map(|line| line.trim_start().strip_prefix("from "));
    let frames = from.filter_map(|line| Some(ruby_frame(line)?.0));
    Some(Found::new(error, std::iter::once(first).chain(frames).collect()))
}

/// Reads a frame. Returns it and the rest of the line.
fn ruby_frame(line: &str) -> Option<(Frame, &str)> {
    let (at, rest) = line.split_once(":in ")?;
    let (function, rest) = rest.strip_prefix(['`', '\''])?.split_once('\'')?;
    Some((frame(Some(function), at)?, rest))
}

/// `PHP Fatal error:  Uncaught TypeError: message in FILE:LINE`, or with `in FILE on line LINE`.
pub(super) fn php(lines: &[&str], at: usize) -> Option<Found> {
    let (_, text) = lines[at].split_once("Fatal error: ")?;
    let text = text.trim().trim_start_matches("Uncaught ");
    let (error, place) = match text.split_once(", called in ") {
        Some((error, rest)) => (error, rest.rsplit_once(" defined in ")?.1),
        None => text.rsplit_once(" in ")?,
    };
    let first = frame(None, &place.replacen(" on line ", ":", 1));
    let called = lines[at + 1..].iter().take_while(|line| line.starts_with(['#', 'S']));
    let frames = called.filter_map(|line| {
        let (file, rest) = line.strip_prefix('#')?.split_once(' ')?.1.split_once('(')?;
        let (line, function) = rest.split_once("): ")?;
        frame(Some(function), &format!("{file}:{line}"))
    });
    Some(Found::new(error, first.into_iter().chain(frames).collect()))
}

/// `message at FILE line LINE.`, and `main::f() called at FILE line LINE`.
pub(super) fn perl(lines: &[&str], at: usize) -> Option<Found> {
    let (error, first) = perl_frame(lines[at]).filter(|_| !lines[at].starts_with(['\t', ' ']))?;
    let called = lines[at + 1..].iter().take_while(|line| line.starts_with('\t'));
    let frames = called.filter_map(|line| {
        let (function, frame) = perl_frame(line.trim())?;
        let function = function.trim_end_matches(" called").split('(').next().map(str::to_owned);
        Some(Frame { function, ..frame })
    });
    Some(Found::new(error, std::iter::once(first).chain(frames).collect()))
}

fn perl_frame(line: &str) -> Option<(&str, Frame)> {
    let (error, rest) = line.rsplit_once(" at ")?;
    let (file, rest) = rest.split_once(" line ")?;
    let number = rest.split([',', '.', ' ']).next()?;
    let at = format!("{file}:{number}");
    place(&at)?;
    Some((error, frame(None, &at)?))
}
