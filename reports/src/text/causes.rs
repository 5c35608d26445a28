//! The causes: a few lines for each.

use crate::cause::{Cause, instead, sent};
use crate::event::Verdict;
use crate::page::{self, Page, style};
use crate::summary::{EMPTY_LINE, count};
use crate::tally::{Groups, Tally};

/// How many lines a cause takes at most.
const LINES: usize = 8;

/// How many characters of a difference are shown.
const LONGEST: usize = 300;

/// Writes all causes of a run.
pub(super) fn write(page: &mut Page, causes: &[Cause]) {
    let mut hints = Hints::default();
    let (failing, others): (Vec<&Cause>, Vec<&Cause>) = causes.iter().partition(|cause| cause.gates);
    if !failing.is_empty() {
        let order = if failing.len() > 1 { ", in the order in which to fix them" } else { "" };
        heading(page, &format!("{}{order}", count(failing.len(), "cause")));
        failing.into_iter().for_each(|cause| block(page, cause, &mut hints));
    }
    let weakest = others.iter().map(|cause| cause.level()).max();
    if let Some(level) = weakest {
        let causes = count(others.len(), "cause");
        heading(page, &format!("{causes} more: the run fails on them only with --level {level}"));
        others.into_iter().for_each(|cause| block(page, cause, &mut hints));
    }
}

fn heading(page: &mut Page, text: &str) {
    page.blank();
    page.wrapped("", style::BOLD, text);
}

/// At most eight lines, or nine in a narrow window or with a reason: what failed, the cases, what was
/// sent and came, the hint and the command.
fn block(page: &mut Page, cause: &Cause, hints: &mut Hints) {
    page.blank();
    let begin = page.lines_so_far();
    let level = match cause.shown.verdict {
        Verdict::HarnessError => "suite",
        _ => cause.level().word(),
    };
    page.wrapped(&format!("{:>3} {level:8}  ", cause.number), style::BOLD, cut(cause, page));
    let resting = match cause.resting {
        0 => String::new(),
        resting => format!("; {} could not be judged because of it", count(resting, "more case")),
    };
    let verdict = cause.shown.verdict;
    let room = (page.width() - GUTTER).saturating_sub(resting.len());
    let cases = format!("{}{resting}", cause.cases(room));
    page.labelled(&label(verdict.word().to_uppercase().as_str()), page::verdict_style(verdict), &cases);
    exchange(page, cause);
    let reason = cause.shown.reason.as_ref().filter(|_| cause.shown.divergence.is_some());
    if let Some(reason) = reason {
        page.one_line(&label("reason"), style::PLAIN, reason, 0);
    }
    let hint = Some(cause.hint()).filter(|hint| !hint.is_empty());
    match hint.map(|_| hints.shown(cause)) {
        None => {}
        Some(Some(_)) if cause.has_general_hint() => {}
        Some(Some(earlier)) => page.wrapped(&label("hint"), style::FAINT, format!("as for cause {earlier}")),
        Some(None) => {
            // The command needs a line, too.
            let rest = LINES.saturating_sub(page.lines_so_far() - begin + 1).max(1);
            let room = rest * (page.width() - GUTTER) - 10 * (rest - 1) - 1;
            page.wrapped(&label("hint"), style::PLAIN, end(cause.hint(), room));
        }
    }
    if !cause.shown.evidence.repeat.is_empty() {
        page.command(&label("repeat"), &cause.shown.evidence.repeat);
    }
}

/// The hints that were shown, with the number of the cause.
#[derive(Default)]
struct Hints(Vec<(&'static str, usize)>);

impl Hints {
    /// The earlier cause with the same hint. If there is none, the hint is remembered.
    fn shown(&mut self, cause: &Cause) -> Option<usize> {
        let earlier = self.0.iter().find(|(hint, _)| *hint == cause.hint());
        let number = earlier.map(|(_, number)| *number);
        if number.is_none() {
            self.0.push((cause.hint(), cause.number));
        }
        number
    }
}

/// The width of the labels.
const GUTTER: usize = 14;

fn label(word: &str) -> String {
    format!("    {word:8}  ")
}

/// What the suite sent, and what came.
fn exchange(page: &mut Page, cause: &Cause) {
    let (pieces, missing) = sent(&cause.shown);
    if !pieces.is_empty() {
        let mut line = match pieces.len() {
            1 => Vec::new(),
            several => format!("in {several} pieces: ").into_bytes(),
        };
        line.extend(pieces.join(&b" + "[..]));
        if line.is_empty() {
            line.extend(EMPTY_LINE.as_bytes());
        }
        page.one_line(&label("sent"), style::PLAIN, line, missing);
    }
    if let Some((line, missing)) = instead(&cause.shown) {
        page.one_line(&label("got"), style::PLAIN, line, missing);
    }
    let Some(divergence) = &cause.shown.divergence else { return };
    if cause.trace.is_some() || matches!(cause.shown.verdict, Verdict::Crash | Verdict::Hang) {
        return;
    }
    let at = if divergence.path.is_empty() { String::new() } else { format!(" at {}", divergence.path) };
    let (expected, got) = crate::summary::values(&cause.shown, divergence);
    let [got, expected] = [got, expected].map(|text| crate::escape::cut(text, LONGEST));
    let room = page.width() - GUTTER;
    let both = format!("{got}{at}; expected {expected}");
    if crate::escape::terminal(&both).chars().count() <= room {
        page.wrapped(&label("got"), style::PLAIN, both);
    } else {
        page.one_line(&label("got"), style::PLAIN, middle(&format!("{got}{at}"), room), 0);
        page.one_line(&label("expected"), style::PLAIN, middle(&expected, room), 0);
    }
}

/// The beginning of the text, if it is longer than `room`.
fn end(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let head: String = text.chars().take(room).collect();
    format!("{}…", head.rsplit_once(' ').map_or(&*head, |(words, _)| words))
}

/// The text without its middle, if it is longer than `room`.
fn middle(text: &str, room: usize) -> String {
    let length = text.chars().count();
    if length <= room {
        return text.to_owned();
    }
    let kept = room.saturating_sub(3) / 2;
    let head: String = text.chars().take(kept).collect();
    let tail: String = text.chars().skip(length - kept).collect();
    format!("{head} … {tail}")
}

/// The sentence of a cause, as far as it fits: three lines if no line for the peer's answer follows,
/// else two.
fn cut(cause: &Cause, page: &Page) -> String {
    let lines = if cause.trace.is_some() { 3 } else { 2 };
    middle(&cause.sentence(), lines * (page.width() - GUTTER) - 10 * (lines - 1))
}

/// Writes the table of groups by level, if it says more than the counts of a single group.
pub(super) fn groups(page: &mut Page, groups: &Groups) {
    let all = groups.all();
    if all.len() < 2 {
        return;
    }
    let levels = groups.levels();
    let wide = all.iter().map(|group| group.name.chars().count()).max().unwrap_or_default().min(20);
    page.blank();
    let mut head = vec![(format!("{:wide$}", "passed"), style::BOLD)];
    head.extend(levels.iter().map(|level| (format!("  {:>9}", level.word()), style::BOLD)));
    page.row(&head);
    for group in all {
        let mut row = vec![(format!("{:wide$}", crate::escape::cut(&group.name, wide)), style::PLAIN)];
        row.extend(levels.iter().map(|level| cell(group.of(*level))));
        page.row(&row);
    }
}

/// `12 of 14`: passed of judged.
fn cell(tally: &Tally) -> (String, anstyle::Style) {
    let (text, style) = match (tally.passed(), tally.judged()) {
        (_, 0) if tally.0.is_empty() => (String::new(), style::FAINT),
        (_, 0) => ("-".to_owned(), style::FAINT),
        (passed, judged) => {
            (format!("{passed} of {judged}"), if passed == judged { style::GOOD } else { style::BAD })
        }
    };
    (format!("  {text:>9}"), style)
}
