//! Where in what came the difference is.
//!
//! An event says what differed and not which entry of the log showed it, so this looks for the last one that fits. It is
//! a help for the eye and no verdict: where nothing fits, nothing is marked.

use crate::escape::terminal;
use crate::event::{Divergence, Kind, Origin, Wire};

/// How many bytes are looked for at most.
const LONGEST: usize = 1000;

/// A text of which a part is marked; without a difference, that part is empty.
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
}

/// Marks where two texts differ: what is between their common beginning and their common end. Texts that share too little
/// are left alone, as all of them would be marked.
pub(super) fn apart(a: &str, b: &str) -> (Marked, Marked) {
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

/// The entry that shows the difference: the last of the peer that holds what came, else its last of the kind that this
/// difference is about. What did not come has none.
pub(super) fn place(log: &[Wire], divergence: &Divergence) -> Option<usize> {
    let last = |fits: &dyn Fn(&Wire) -> bool| log.iter().rposition(fits);
    match divergence.kind {
        Kind::Absent | Kind::Deaf | Kind::NotServed | Kind::Refused => None,
        Kind::Died | Kind::Closed => last(&|entry| matches!(entry, Wire::Event { from: Origin::Peer, .. })),
        _ => {
            let came = came(divergence);
            let came = came.as_bytes();
            let line = |entry: &Wire| matches!(entry, Wire::Bytes { from: Origin::Peer, .. });
            let holds = |entry: &Wire| match entry {
                Wire::Bytes { from: Origin::Peer, bytes, .. } => {
                    !came.is_empty() && bytes.windows(came.len()).any(|part| part == came)
                }
                _ => false,
            };
            last(&holds).or_else(|| last(&line))
        }
    }
}

/// Marks what came in the text of an entry.
pub(super) fn within(text: &str, divergence: Option<&Divergence>) -> Marked {
    let came = divergence.map(|divergence| terminal(came(divergence))).unwrap_or_default();
    if came.is_empty() {
        return Marked::plain(text);
    }
    match text.rfind(&came).map(|start| (text.split_at(start).0, start + came.len())) {
        Some((before, end)) => Marked {
            before: before.to_owned(),
            marked: came,
            after: text.get(end..).unwrap_or_default().to_owned(),
        },
        None => Marked::plain(text),
    }
}

/// The actual value as a line would hold it. Empty if it is too long for an entry to hold it.
fn came(divergence: &Divergence) -> &str {
    if divergence.actual.len() > LONGEST { "" } else { &divergence.actual }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(marked: &Marked) -> [&str; 3] {
        [&marked.before, &marked.marked, &marked.after]
    }

    #[test]
    fn the_difference_is_between_what_is_common() {
        let (a, b) = apart(r#"{"a":1,"b":2}"#, r#"{"a":1,"b":33}"#);
        assert_eq!(parts(&a), [r#"{"a":1,"b":"#, "2", "}"]);
        assert_eq!(parts(&b), [r#"{"a":1,"b":"#, "33", "}"]);
        let (a, b) = apart("aa", "aaa");
        assert_eq!((parts(&a), parts(&b)), (["aa", "", ""], ["aa", "a", ""]));
    }

    #[test]
    fn texts_that_share_nothing_are_not_marked() {
        let (a, b) = apart("the peer goes on serving", "nothing");
        assert_eq!((a, b), (Marked::plain("the peer goes on serving"), Marked::plain("nothing")));
    }

    #[test]
    fn the_last_line_that_holds_what_came_is_the_place() {
        let divergence = crate::sample::failing("a/case").divergence.unwrap();
        let log = crate::sample::failing("a/case").evidence.wire;
        assert_eq!(place(&log, &divergence), Some(3));
        let marked = within(r#"{"arguments":["12"]}"#, Some(&divergence));
        assert_eq!(parts(&marked), [r#"{"arguments":["#, r#""12""#, "]}"]);
    }

    #[test]
    fn what_is_missing_has_no_place_and_an_end_is_an_event() {
        let crash = crate::sample::crashing("a/case");
        let divergence = crash.divergence.unwrap();
        assert_eq!(place(&crash.evidence.wire, &divergence), Some(3));
        let absent = Divergence { kind: Kind::Absent, ..divergence };
        assert_eq!(place(&crash.evidence.wire, &absent), None);
    }
}
