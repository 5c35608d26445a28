//! Small pieces that several pages use.

use dnode_spec::clause::{self, Level};
use maud::{Markup, html};

use super::address::{self, href};
use super::content::{Implementation, Report, Version};
use crate::event::{Outcome, Verdict};
use crate::html::{bar, fragment, shown};
use crate::tally::Tally;

/// The name of an implementation with its version, escaped. A version that no manifest names has no
/// version.
pub(super) fn title(of: &Implementation, version: &Version) -> String {
    shown(format!("{} {}", of.name, version.version).trim_end())
}

/// A link to the page of a version.
pub(super) fn version(at: &str, of: &Implementation, version: &Version) -> Markup {
    html! { a href=(href(at, &address::version(&version.slug))) { (title(of, version)) } }
}

/// The address of a report on the page of its version.
pub(super) fn report_address(at: &str, version: &Version, report: &Report) -> String {
    format!("{}#{}", href(at, &address::version(&version.slug)), report.slug)
}

/// A link to a report on the page of its version.
pub(super) fn report(at: &str, of: &Implementation, version: &Version, report: &Report) -> Markup {
    html! {
        a href=(report_address(at, version, report)) { (title(of, version)) }
        " " small { (report.role()) }
    }
}

/// A link to a clause; only its id if the suite does not know it.
pub(super) fn clause(at: &str, id: &str) -> Markup {
    html! {
        @if clause::find(id).is_some() { a href=(href(at, &address::clause(id))) { (id) } } @else { (shown(id)) }
    }
}

/// A link to a case, on the page of its first clause.
pub(super) fn case(at: &str, outcome: &Outcome) -> Markup {
    let clause = outcome.clauses.iter().find_map(|id| clause::find(id));
    html! {
        @match clause {
            Some(clause) => a href={ (href(at, &address::clause(clause.id))) "#case/" (fragment(&outcome.id)) } { (shown(&outcome.id)) },
            None => (shown(&outcome.id)),
        }
    }
}

/// How many of these cases passed, as a bar and in words.
pub(super) fn passed<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Markup {
    let tally = Tally(outcomes.map(|outcome| outcome.verdict).collect());
    let (passed, judged) = (tally.passed(), tally.judged());
    html! {
        @if judged == 0 { span.none { "none judged" } } @else {
            @let words = format!("{passed} of {judged}");
            span.level.short[passed < judged] { (bar("small", &words, &judged_only(&tally))) span aria-hidden="true" { (words) } }
        }
    }
}

/// The verdicts that say something about the peer.
fn judged_only(tally: &Tally) -> Vec<Verdict> {
    let says =
        |verdict: &Verdict| matches!(verdict, Verdict::Pass | Verdict::Fail | Verdict::Crash | Verdict::Hang);
    tally.0.iter().copied().filter(says).collect()
}

/// How many cases of a level passed.
pub(super) fn level(report: &Report, level: Level) -> Markup {
    passed(report.record.outcomes.iter().filter(|outcome| outcome.level == level))
}

/// How many cases passed, and how many say something about the peer.
pub(super) fn sum(report: &Report) -> (usize, usize) {
    let tally = Tally(report.record.outcomes.iter().map(|outcome| outcome.verdict).collect());
    (tally.passed(), tally.judged())
}

/// Whether this outcome is about the clause: the case tests it, or the peer broke it.
pub(super) fn is_about(outcome: &Outcome, clause: &str) -> bool {
    outcome.clauses.iter().any(|id| id == clause) || crate::cause::broken(outcome) == clause
}

/// The address of an implementation if it is one of the web.
pub(super) fn homepage(of: &Implementation) -> Option<&str> {
    of.homepage.as_deref().filter(|it| it.starts_with("https://") || it.starts_with("http://"))
}

/// The meaning of each verdict, in one line.
pub(super) fn legend() -> Markup {
    let words = [
        (Verdict::Pass, "did as the clause says"),
        (Verdict::Fail, "did something else"),
        (Verdict::Crash, "its process ended"),
        (Verdict::Hang, "stopped answering"),
    ];
    html! {
        p.legend { @for (verdict, meaning) in words { span { (crate::html::badge(verdict)) " " (meaning) } } }
    }
}
