//! The traces of each language.
//!
//! A reader of a language looks at one line and the lines after it. It gives the error and the
//! frames, the innermost first, if a trace of its language starts there.

mod compiled;
mod scripts;

use super::Frame;

/// The error and the frames of a trace, the innermost frame first.
pub(super) struct Found {
    pub(super) error: String,
    pub(super) frames: Vec<Frame>,
}

impl Found {
    fn new(error: &str, frames: Vec<Frame>) -> Found {
        Found { error: error.to_owned(), frames }
    }
}

/// The most lines of the message of an error.
pub(super) const MESSAGE: usize = 12;

type Reader = fn(&[&str], usize) -> Option<Found>;

const READERS: &[Reader] = &[
    scripts::python,
    scripts::ruby,
    scripts::php,
    scripts::node_without_frames,
    compiled::go,
    compiled::rust,
    scripts::node_or_java,
];

/// The first trace in these lines. If there is none, a line that names an error counts, and then the
/// last words of a Perl program, because its warnings look the same.
pub(super) fn first(lines: &[&str]) -> Option<Found> {
    let places = 0..lines.len();
    let trace = places.clone().find_map(|at| READERS.iter().find_map(|reader| reader(lines, at)));
    let named = || lines.iter().find(|line| names_error(line)).map(|line| Found::new(line, Vec::new()));
    trace.or_else(|| places.rev().find_map(|at| scripts::perl(lines, at))).or_else(named)
}

/// Whether a line starts with the name of an error, such as `TypeError: …`.
fn names_error(line: &str) -> bool {
    let name = line.split([':', ' ']).next().unwrap_or_default();
    let ends = ["Error", "Exception", "Rejection", "error", "Interrupt"];
    (line.contains(':') || name == line) && ends.iter().any(|end| name.ends_with(end))
}

/// The class of an error: the name before its message, or behind it in brackets, as in Ruby.
pub(super) fn class(error: &str) -> Option<&str> {
    if names_error(error) {
        return error.split([':', ' ']).next();
    }
    let (_, class) = error.strip_suffix(')')?.rsplit_once('(')?;
    class.starts_with(char::is_uppercase).then_some(class)
}

/// The last part of a class with packages: `JSONDecodeError` of `json.decoder.JSONDecodeError`.
pub(super) fn last_part(class: &str) -> &str {
    class.rsplit(['.', ':', '\\']).next().unwrap_or(class)
}

/// Reads `FILE:LINE` or `FILE:LINE:COLUMN`.
fn place(text: &str) -> Option<(&str, &str)> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (rest, last) = text.rsplit_once(':').filter(|(_, last)| is_number(last))?;
    match rest.rsplit_once(':') {
        Some((file, line)) if is_number(line) => Some((file, &text[file.len() + 1..])),
        _ => Some((rest, last)),
    }
}

fn frame(function: Option<&str>, text: &str) -> Option<Frame> {
    let (file, line) = place(text)?;
    let function = function.map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned);
    Some(Frame { function, file: file.to_owned(), line: line.to_owned() })
}

/// Whether a frame is in the language or its standard library, not in the code of the peer. Packages
/// that were installed for the peer are its code.
pub(super) fn is_runtime(frame: &Frame) -> bool {
    let Frame { file, function, .. } = frame;
    let function = function.as_deref().unwrap_or_default();
    let has = |words: &[&str]| words.iter().any(|word| file.contains(word));
    let starts = |words: &[&str]| words.iter().any(|word| function.starts_with(word));
    let installed = has(&["site-packages", "dist-packages", "/gems/", "node_modules"]);
    let library = has(&["/lib/python", "/ruby/", "/rustc/", "/library/std/", "/library/core/", "/go/src/"])
        || file.starts_with("/usr/") && has(&["/perl"]);
    let internal = file.starts_with("node:") || file.starts_with("internal/") || file.starts_with('<');
    let of_java = starts(&["java.", "javax.", "jdk.", "sun."]) && file.ends_with(".java");
    !installed && (library || internal || of_java || starts(&["runtime.", "panic("]))
}
