//! Counts as a bar.

use maud::{Markup, html};

use super::parts::letter;
use crate::event::Verdict;

/// The smallest part of a bar, in thousandths, so that one case of many is visible.
const SMALLEST: usize = 8;

/// Verdicts as one bar: a part for each kind of verdict. `label` is the text for screen readers.
pub(crate) fn bar(class: &str, label: &str, verdicts: &[Verdict]) -> Markup {
    let count = |verdict: &Verdict| verdicts.iter().filter(|it| *it == verdict).count();
    let parts: Vec<(&str, usize)> =
        Verdict::ALL.iter().map(|verdict| (letter(*verdict), count(verdict))).collect();
    let total: usize = parts.iter().map(|(_, count)| count).sum();
    let width = |count: usize| if count == 0 { 0 } else { (count * 1000 / total.max(1)).max(SMALLEST) };
    let mut at = 0;
    let placed: Vec<(&str, usize, usize)> = parts
        .iter()
        .map(|(class, count)| {
            at += width(*count);
            (*class, at - width(*count), width(*count))
        })
        .filter(|(_, _, width)| *width > 0)
        .collect();
    html! {
        svg class=(class) viewBox={ "0 0 " (at.max(1)) " 10" } preserveAspectRatio="none" role="img" aria-label=(label) {
            @for (class, at, width) in placed { rect class=(class) x=(at) y="0" width=(width) height="10" {} }
        }
    }
}
