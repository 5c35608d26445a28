//! Compares two runs of the same cases: how the two peers differ, and which of them conforms to the
//! clauses.
//!
//! A case differs if its verdict or the fingerprint of its divergence differs. Neither contains
//! values, ids or times, so two peers that break the same clause in the same way do not differ.
//!
//! Deliberately absent: running and printing.

use crate::error::{Fault, Faulted};
use dnode_reports::diff::key;
use dnode_reports::event::{Outcome, Verdict};
use std::fmt;
use thiserror::Error;

/// How the peer of an outcome stands to the clauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'a> {
    /// The peer conforms to the clauses of the case.
    Conforms,
    /// The peer breaks this clause.
    Breaks(&'a str),
    /// The case could not judge the peer, for this reason.
    Unjudged(&'a str),
}

impl Standing<'_> {
    /// The standing of an outcome.
    #[must_use]
    pub fn of(outcome: &Outcome) -> Standing<'_> {
        match outcome.verdict {
            Verdict::Pass => Standing::Conforms,
            Verdict::Fail | Verdict::Crash | Verdict::Hang => {
                let broken = outcome.divergence.as_ref().map(|divergence| &divergence.clause);
                Standing::Breaks(broken.or(outcome.clauses.first()).map_or("", String::as_str))
            }
            Verdict::NotApplicable | Verdict::Inconclusive | Verdict::HarnessError => {
                Standing::Unjudged(outcome.reason.as_deref().unwrap_or("no reason was given"))
            }
        }
    }

    fn breaks(self) -> bool {
        matches!(self, Standing::Breaks(_))
    }

    fn is_judged(self) -> bool {
        !matches!(self, Standing::Unjudged(_))
    }
}

/// A case with different outcomes.
#[derive(Debug, Clone, Copy)]
pub struct Difference<'a> {
    /// The outcome of the first peer.
    pub a: &'a Outcome,
    /// The outcome of the second peer.
    pub b: &'a Outcome,
}

/// The runs did not run the same cases, which is a defect of the suite.
#[derive(Debug, Error)]
pub enum CompareError {
    /// The numbers of cases differ.
    #[error("one run judged {0} cases and the other {1}")]
    Counts(usize, usize),
    /// The cases at the same position differ.
    #[error("one run judged {0}, but the other judged {1} at the same position")]
    Cases(String, String),
}

impl Faulted for CompareError {
    fn fault(&self) -> Fault {
        Fault::Harness
    }
}

/// The comparison of two runs.
#[derive(Debug, Clone)]
pub struct Comparison<'a> {
    /// The number of cases with the same outcome.
    pub same: usize,
    /// The number of those that could judge neither peer.
    pub unjudged: usize,
    /// The cases that differ, in the order of the runs.
    pub differences: Vec<Difference<'a>>,
}

/// Compares two runs of the same cases, in the same order.
///
/// # Errors
/// The runs did not run the same cases.
pub fn compare<'a>(a: &'a [Outcome], b: &'a [Outcome]) -> Result<Comparison<'a>, CompareError> {
    let mut comparison = Comparison { same: 0, unjudged: 0, differences: Vec::new() };
    if a.len() != b.len() {
        return Err(CompareError::Counts(a.len(), b.len()));
    }
    for (a, b) in a.iter().zip(b) {
        if a.id != b.id {
            return Err(CompareError::Cases(a.id.clone(), b.id.clone()));
        }
        if key(a) != key(b) {
            comparison.differences.push(Difference { a, b });
            continue;
        }
        comparison.same += 1;
        comparison.unjudged += usize::from(!Standing::of(a).is_judged());
    }
    Ok(comparison)
}

impl Comparison<'_> {
    /// Whether any case could judge a peer.
    #[must_use]
    pub fn judges_something(&self) -> bool {
        self.same > self.unjudged || !self.differences.is_empty()
    }

    /// The numbers of differing cases in which only the first peer, only the second peer, or both
    /// break a clause.
    fn breaking(&self) -> [usize; 3] {
        let count = |both: (bool, bool)| {
            let breaks =
                |it: &&Difference| (Standing::of(it.a).breaks(), Standing::of(it.b).breaks()) == both;
            self.differences.iter().filter(breaks).count()
        };
        [count((true, false)), count((false, true)), count((true, true))]
    }
}

/// The summary: `412 cases, 410 the same, 2 differ: only A breaks 0, only B breaks 2, both
/// differently 0`.
impl fmt::Display for Comparison<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let differ = self.differences.len();
        write!(f, "{} cases, {} the same", self.same + differ, self.same)?;
        if self.unjudged > 0 {
            write!(f, " ({} of them without a verdict)", self.unjudged)?;
        }
        write!(f, ", {differ} differ")?;
        if differ == 0 {
            return Ok(());
        }
        let [only_a, only_b, both] = self.breaking();
        write!(f, ": only A breaks {only_a}, only B breaks {only_b}, both differently {both}")?;
        match differ - only_a - only_b - both {
            0 => Ok(()),
            neither => write!(f, ", only one peer judged {neither}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dnode_reports::event::{Divergence, Evidence, Kind};
    use dnode_spec::clause::Level;

    /// Makes an outcome; `broken` has the clause and the fingerprint of its divergence.
    fn outcome(id: &str, verdict: Verdict, broken: Option<(&str, &str)>) -> Outcome {
        Outcome {
            id: id.to_owned(),
            about: String::new(),
            level: Level::Must,
            clauses: vec!["framing/json".to_owned()],
            verdict,
            reason: Some("a reason".to_owned()),
            rests_on: None,
            divergence: broken.map(|(clause, fingerprint)| Divergence {
                step: "step 1".to_owned(),
                clause: clause.to_owned(),
                kind: Kind::Absent,
                path: String::new(),
                expected: "1".to_owned(),
                actual: "2".to_owned(),
                fingerprint: fingerprint.to_owned(),
            }),
            excuse: None,
            evidence: Evidence::default(),
        }
    }

    const BROKEN: Option<(&str, &str)> = Some(("value/numbers", "one"));

    #[test]
    fn case_differs_only_by_verdict_or_fingerprint() {
        let mut elsewhere = outcome("g/equal", Verdict::Fail, BROKEN);
        elsewhere.divergence.as_mut().unwrap().actual = "3".to_owned();
        let a = [
            outcome("g/pass", Verdict::Pass, None),
            outcome("g/equal", Verdict::Fail, BROKEN),
            outcome("g/verdict", Verdict::Fail, BROKEN),
            outcome("g/fingerprint", Verdict::Fail, BROKEN),
        ];
        let b = [
            outcome("g/pass", Verdict::Pass, None),
            elsewhere,
            outcome("g/verdict", Verdict::Hang, BROKEN),
            outcome("g/fingerprint", Verdict::Fail, Some(("value/numbers", "two"))),
        ];
        let comparison = compare(&a, &b).unwrap();
        let ids: Vec<&str> = comparison.differences.iter().map(|it| it.a.id.as_str()).collect();
        assert_eq!(ids, ["g/verdict", "g/fingerprint"]);
        assert_eq!(
            comparison.to_string(),
            "4 cases, 2 the same, 2 differ: only A breaks 0, only B breaks 0, both differently 2"
        );
    }

    #[test]
    fn summary_counts_breaking_peers_and_unjudged_cases() {
        let a = [
            outcome("g/a", Verdict::Crash, BROKEN),
            outcome("g/b", Verdict::Pass, None),
            outcome("g/one", Verdict::Pass, None),
            outcome("g/none", Verdict::Inconclusive, None),
        ];
        let b = [
            outcome("g/a", Verdict::Pass, None),
            outcome("g/b", Verdict::Fail, BROKEN),
            outcome("g/one", Verdict::NotApplicable, None),
            outcome("g/none", Verdict::Inconclusive, None),
        ];
        let comparison = compare(&a, &b).unwrap();
        assert_eq!(
            comparison.to_string(),
            "4 cases, 1 the same (1 of them without a verdict), 3 differ: only A breaks 1, only B breaks 1, \
             both differently 0, only one peer judged 1"
        );
        assert!(comparison.judges_something());
        assert!(!compare(&a[3..], &b[3..]).unwrap().judges_something());
    }

    #[test]
    fn standing_has_the_clause_of_the_divergence_or_of_the_case() {
        let broken = outcome("g/x", Verdict::Fail, BROKEN);
        assert_eq!(Standing::of(&broken), Standing::Breaks("value/numbers"));
        let bare = outcome("g/x", Verdict::Hang, None);
        assert_eq!(Standing::of(&bare), Standing::Breaks("framing/json"));
        let unjudged = outcome("g/x", Verdict::Inconclusive, None);
        assert_eq!(Standing::of(&unjudged), Standing::Unjudged("a reason"));
    }

    #[test]
    fn runs_of_different_cases_are_an_error() {
        let (one, other) = (outcome("g/x", Verdict::Pass, None), outcome("g/y", Verdict::Pass, None));
        assert!(compare(std::slice::from_ref(&one), &[]).is_err());
        assert!(compare(&[one], &[other]).is_err());
    }
}
