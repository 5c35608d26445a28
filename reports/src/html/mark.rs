//! Finds the place of a difference in the wire log.
//!
//! An outcome says what differed, but not which entry of the log showed it. This module looks for
//! the last entry that fits. It only guides the eye: if no entry fits, nothing is marked.

use crate::escape::terminal;
use crate::event::{Divergence, Kind, Origin, Wire};

/// The longest value that is searched for, in bytes.
const LONGEST: usize = 1000;

/// A text with a marked part. The part is empty if there is no difference.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Marked {
    pub(super) before: String,
    pub(super) marked: String,
    pub(super) after: String,
}

impl Marked {
    fn plain(text: &str) -> Marked {
        Marked { before: text.to_owned(), ..Marked::default() }
    }

    /// The text shortened to about `width` characters around its mark; without a mark, to its start
    /// and its last `end` characters.
    pub(super) fn around(&self, width: usize, end: usize) -> Marked {
        if self.marked.is_empty() {
            let text = format!("{}{}", self.before, self.after);
            return Marked::plain(&format!(
                "{} … {}",
                head(&text, width.saturating_sub(end)),
                tail(&text, end)
            ));
        }
        let room = width.saturating_sub(self.marked.chars().count()) / 2;
        let cut =
            |kept: String, whole: &str| if kept.len() < whole.len() { (kept, "…") } else { (kept, "") };
        let (before, left) = cut(tail(&self.before, room), &self.before);
        let (after, right) = cut(head(&self.after, room), &self.after);
        let marked = match self.marked.chars().count() > width {
            true => format!("{}…", head(&self.marked, width)),
            false => self.marked.clone(),
        };
        Marked { before: format!("{left}{before}"), marked, after: format!("{after}{right}") }
    }
}

/// The first characters of a text.
fn head(text: &str, count: usize) -> String {
    text.chars().take(count).collect()
}

/// The last characters of a text.
fn tail(text: &str, count: usize) -> String {
    text.chars().skip(text.chars().count().saturating_sub(count)).collect()
}

/// Marks the parts of two texts between their common start and their common end. Texts that share
/// too little are not marked, because the marks would cover all of them.
pub(super) fn differing(a: &str, b: &str) -> (Marked, Marked) {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let head = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let shorter = a.len().min(b.len()) - head;
    let tail = a.iter().rev().zip(b.iter().rev()).take(shorter).take_while(|(a, b)| a == b).count();
    let few = (head + tail) * 2 < a.len().min(b.len());
    let part = |text: &[char]| {
        let (before, rest) = text.split_at(if few { text.len() } else { head });
        let (marked, after) = rest.split_at(rest.len().saturating_sub(tail));
        Marked {
            before: before.iter().collect(),
            marked: marked.iter().collect(),
            after: after.iter().collect(),
        }
    };
    (part(&a), part(&b))
}

/// The entry that shows the difference: the last line of the peer that contains the actual value,
/// else the peer's last line. An end of the connection shows in the peer's last event. Silence
/// shows in no entry.
pub(super) fn place(log: &[Wire], divergence: &Divergence) -> Option<usize> {
    let last = |fits: &dyn Fn(&Wire) -> bool| log.iter().rposition(fits);
    match divergence.kind {
        Kind::Absent | Kind::Deaf | Kind::NotServed | Kind::Refused => None,
        Kind::Died | Kind::Closed => last(&|entry| matches!(entry, Wire::Event { from: Origin::Peer, .. })),
        _ => {
            let actual = actual(divergence);
            let actual = actual.as_bytes();
            let line = |entry: &Wire| matches!(entry, Wire::Bytes { from: Origin::Peer, .. });
            let holds = |entry: &Wire| match entry {
                Wire::Bytes { from: Origin::Peer, bytes, .. } => {
                    !actual.is_empty() && bytes.windows(actual.len()).any(|part| part == actual)
                }
                _ => false,
            };
            last(&holds).or_else(|| last(&line))
        }
    }
}

/// Marks the actual value in the text of an entry.
pub(super) fn within(text: &str, divergence: Option<&Divergence>) -> Marked {
    let actual = divergence.map(|divergence| terminal(actual(divergence))).unwrap_or_default();
    if actual.is_empty() {
        return Marked::plain(text);
    }
    match text.rfind(&actual).map(|start| (text.split_at(start).0, start + actual.len())) {
        Some((before, end)) => Marked {
            before: before.to_owned(),
            marked: actual,
            after: text.get(end..).unwrap_or_default().to_owned(),
        },
        None => Marked::plain(text),
    }
}

/// The actual value as a line would hold it. Empty if it is too long for an entry to hold it.
fn actual(divergence: &Divergence) -> &str {
    if divergence.actual.len() > LONGEST { "" } else { &divergence.actual }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(marked: &Marked) -> [&str; 3] {
        [&marked.before, &marked.marked, &marked.after]
    }

    #[test]
    fn difference_is_between_common_start_and_end() {
        let (a, b) = differing(r#"{"a":1,"b":2}"#, r#"{"a":1,"b":33}"#);
        assert_eq!(parts(&a), [r#"{"a":1,"b":"#, "2", "}"]);
        assert_eq!(parts(&b), [r#"{"a":1,"b":"#, "33", "}"]);
        let (a, b) = differing("aa", "aaa");
        assert_eq!((parts(&a), parts(&b)), (["aa", "", ""], ["aa", "a", ""]));
    }

    #[test]
    fn long_text_is_shortened_around_its_mark() {
        let text = Marked { before: "a".repeat(50), marked: "mark".to_owned(), after: "b".repeat(50) };
        assert_eq!(parts(&text.around(10, 2)), ["…aaa", "mark", "bbb…"]);
        let short = Marked { before: "a".to_owned(), marked: "mark".to_owned(), after: "b".to_owned() };
        assert_eq!(parts(&short.around(10, 2)), ["a", "mark", "b"]);
        assert_eq!(parts(&Marked::plain("abcdefghijkl").around(8, 3)), ["abcde … jkl", "", ""]);
        let marked = Marked { marked: "mark".repeat(9), ..Marked::default() };
        assert_eq!(parts(&marked.around(6, 2)), ["", "markma…", ""]);
    }

    #[test]
    fn texts_without_common_parts_are_not_marked() {
        let (a, b) = differing("the peer goes on serving", "nothing");
        assert_eq!((a, b), (Marked::plain("the peer goes on serving"), Marked::plain("nothing")));
    }

    #[test]
    fn last_line_with_the_actual_value_is_the_place() {
        let divergence = crate::sample::failing("a/case").divergence.unwrap();
        let log = crate::sample::failing("a/case").evidence.wire;
        assert_eq!(place(&log, &divergence), Some(3));
        let marked = within(r#"{"arguments":["12"]}"#, Some(&divergence));
        assert_eq!(parts(&marked), [r#"{"arguments":["#, r#""12""#, "]}"]);
    }

    #[test]
    fn silence_has_no_place_and_an_end_is_an_event() {
        let crash = crate::sample::crashing("a/case");
        let divergence = crash.divergence.unwrap();
        assert_eq!(place(&crash.evidence.wire, &divergence), Some(3));
        let absent = Divergence { kind: Kind::Absent, ..divergence };
        assert_eq!(place(&crash.evidence.wire, &absent), None);
    }
}
