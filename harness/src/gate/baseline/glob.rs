//! Entries of a baseline for several cases.

use super::{Baseline, Date, Entry};
use dnode_reports::event::{Outcome, Verdict};
use std::collections::BTreeMap;

/// Why a glob is stale.
pub(super) enum GlobProblem {
    /// It matches no case.
    NoCase,
    /// It excuses nothing: no case that it covers fails.
    Unused,
    /// It expired on this day, and a case that it covers fails.
    Expired(Date),
}

impl GlobProblem {
    /// The problem, and how to fix it. `name`: the file.
    pub(super) fn words(&self, name: &str) -> (String, String) {
        match self {
            GlobProblem::NoCase => {
                ("no case matches".to_owned(), "correct the pattern, or remove the entry".to_owned())
            }
            GlobProblem::Unused => (
                "none of its cases fails without an entry of its own".to_owned(),
                format!("run `dnode-conform baseline update {name} RUN`"),
            ),
            GlobProblem::Expired(expires) => (
                format!("the entry expired on {expires}"),
                "fix the failures, or give the entry a later date and say why".to_owned(),
            ),
        }
    }
}

impl Baseline {
    /// Why a glob is stale after a run with these outcomes.
    pub(super) fn problem_of_glob<'o>(
        &self,
        entry: &Entry,
        outcomes: impl Iterator<Item = &'o Outcome>,
    ) -> Option<GlobProblem> {
        let covers = |id: &str| entry.covers(id) && !self.has_own_entry(id);
        if !self.cases.keys().chain(&self.over_the_run).any(|id| entry.covers(id)) {
            return Some(GlobProblem::NoCase);
        }
        let verdicts: BTreeMap<&str, Verdict> =
            outcomes.map(|outcome| (outcome.id.as_str(), outcome.verdict)).collect();
        let ran = |id: &str| verdicts.contains_key(id);
        let covered = || verdicts.iter().filter(|(id, _)| covers(id));
        if covered().any(|(_, verdict)| verdict.is_finding() && *verdict != Verdict::HarnessError) {
            return entry.expires.filter(|_| !entry.holds(self.today)).map(GlobProblem::Expired);
        }
        // A case that did not run may fail, and so may one that proves nothing.
        let unclear = |verdict: &Verdict| matches!(verdict, Verdict::Inconclusive | Verdict::HarnessError);
        let over_the_run = self.over_the_run.iter().any(|id| covers(id));
        let all_ran = match over_the_run {
            true => self.is_whole(ran),
            false => self.has_all_of(&covers, &ran),
        };
        let some_ran = verdicts.keys().any(|id| entry.covers(id));
        (some_ran && all_ran && !covered().any(|(_, verdict)| unclear(verdict)))
            .then_some(GlobProblem::Unused)
    }

    fn has_own_entry(&self, id: &str) -> bool {
        self.entries.iter().any(|entry| !entry.is_glob() && entry.covers(id))
    }
}
