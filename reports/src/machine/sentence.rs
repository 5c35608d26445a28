//! What every format says about a machine in words.

use super::part::{self, Kind, Part, answer};
use super::{Broken, Judged, Learned, Verdict};
use crate::summary::count;

/// The name of a peer that gives itself none.
const NAMELESS: &str = "a peer without a name";

/// The name of the peer, raw.
pub(super) fn peer(learned: &Learned) -> &str {
    learned.peer.as_deref().unwrap_or(NAMELESS)
}

/// `no difference from reference in these 22 inputs`, or how many differences there are, raw.
pub(super) fn headline(learned: &Learned) -> String {
    let against = &learned.against;
    let lines = match learned.broken.len() {
        0 => String::new(),
        broken => format!("; it also breaks {}", count(broken, "clause")),
    };
    if learned.differences.is_empty() {
        return match (&learned.machine, &learned.cut) {
            (None, _) => format!("no machine, and no difference from {against} so far{lines}"),
            (Some(_), None) => format!("no difference from {against} in {}{lines}", inputs(learned)),
            (Some(_), Some(_)) => format!("no difference from {against}, as far as it was tested{lines}"),
        };
    }
    let of = |kind: Kind| learned.differences.iter().filter(|it| Kind::of(&it.verdict) == kind).count();
    let kinds = [
        (of(Kind::Breaks), "breaks a clause", "break a clause"),
        (of(Kind::Free), "is free", "are free"),
        (of(Kind::Unclear), "is unclear", "are unclear"),
    ];
    let kinds: Vec<String> = kinds
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, more)| format!("{count} {}", if count == 1 { one } else { more }))
        .collect();
    let differences = count(learned.differences.len(), "difference");
    format!("{differences} from {against}: {}{lines}", kinds.join(", "))
}

fn inputs(learned: &Learned) -> String {
    match learned.inputs.len() {
        1 => "1 input".to_owned(),
        inputs => format!("these {inputs} inputs"),
    }
}

/// A clause that a line broke, raw: `breaks message/links (must): at links expected …, got …, after WORD`.
pub(super) fn broken(broken: &Broken) -> String {
    let Broken { clause, level, gates, word: inputs, at, expected, actual } = broken;
    let waiver = if *gates { "" } else { ", does not fail the command" };
    if actual.is_empty() {
        return format!("breaks {clause} ({level}){waiver}: {expected}");
    }
    let place = if at.is_empty() { String::new() } else { format!("at {at} ") };
    let after = if inputs.is_empty() { String::new() } else { format!(", after {}", word(inputs)) };
    format!("breaks {clause} ({level}){waiver}: {place}expected {expected}, got {actual}{after}")
}

/// The heading of clauses that no state shows.
pub(super) const BROKEN: &str = "Clauses that the first session or single lines of the peer break";

/// What limits the verdict, raw: the machine was not tested to the end, or some inputs are missing.
pub(super) fn limits(learned: &Learned) -> Vec<String> {
    let cut = learned.cut.iter().map(|why| match learned.machine {
        Some(_) => format!("the machine was not tested to the end: {why}"),
        None => format!("there is no machine: {why}"),
    });
    let mixed = (!learned.mixed.is_empty())
        .then(|| format!("the peer answered {} in several ways", count(learned.mixed.len(), "word")));
    let left_out = (!learned.left_out.is_empty())
        .then(|| format!("{} left out", count(learned.left_out.len(), "input")));
    learned.notes.iter().cloned().chain(cut).chain(mixed).chain(left_out).collect()
}

/// `breaks cull/deletes (must)` or `free: REASON`, raw.
pub(super) fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Breaks { clause, level, gates, .. } => {
            let waiver = if *gates { "" } else { ", does not fail the command" };
            format!("breaks {clause} ({level}){waiver}")
        }
        Verdict::Free { reason } => format!("free: {reason}"),
        Verdict::Unclear { reason } => format!("unclear: {reason}"),
    }
}

/// `!1`, the sign and number of the difference at this index.
pub(super) fn sign(index: usize, difference: &Judged) -> String {
    format!("{}{}", Kind::of(&difference.verdict).sign(), index + 1)
}

/// `a → b → c`, raw.
pub(super) fn word(word: &[String]) -> String {
    word.join(" → ")
}

/// The differences that no part shows, one line each, raw: `?10 a → b / silence, expected cb()`.
/// The first line says why. Empty if there is no such difference.
pub(super) fn hidden(learned: &Learned, parts: &[Part<'_>]) -> Vec<String> {
    let lines: Vec<String> =
        part::hidden(learned, parts).into_iter().map(|index| one(learned, index)).collect();
    let about = (!lines.is_empty()).then(|| HIDDEN.to_owned());
    about.into_iter().chain(lines).collect()
}

/// The difference at this index in one line: `!3 a → b / silence, expected cb()`, raw.
pub(super) fn one(learned: &Learned, index: usize) -> String {
    let Some(it) = learned.differences.get(index) else { return String::new() };
    let [found, expected] = [&it.found, &it.expected].map(answer);
    format!("{} {} / {found}, expected {expected}", sign(index, it), word(&it.word))
}

/// Why a difference may be only the consequence of another one.
pub(super) const FOLLOWS: &str = "an earlier input of this word is also answered differently";

/// The meaning of the last input of a word.
pub(super) fn about<'a>(learned: &'a Learned, difference: &Judged) -> Option<&'a str> {
    let input = learned.inputs.iter().find(|input| difference.word.last() == Some(&input.name))?;
    Some(&input.about)
}

/// Why no part shows some differences.
pub(super) const HIDDEN: &str = "These differences need inputs of several parts, so no part shows them:";

/// How to read a part.
pub(super) const LEGEND: [&str; 2] = [
    "A box is a state, with the inputs that do not leave it. Each line is: input / answer of the peer.",
    "cb is the callback of the input; p and q are functions that the peer gave us; f is ours.",
];

/// `24 states, 22 inputs`.
pub(super) fn size(learned: &Learned) -> String {
    let Some(machine) = &learned.machine else { return "no machine".to_owned() };
    format!("{}, {}", count(machine.len(), "state"), count(machine.inputs().len(), "input"))
}
