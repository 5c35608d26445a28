//! The verdicts of a run, counted by group of cases and level.

use dnode_spec::clause::Level;

use crate::event::{Outcome, Verdict};

/// The tallies of all groups, in the order in which their first cases came.
#[derive(Debug, Default)]
pub(crate) struct Groups(Vec<Group>);

/// A group: the cases whose ids begin with the same word.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: String,
    by_level: [Tally; Level::ALL.len()],
}

/// The cases of one group and level.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    /// Those that passed, failed, crashed or hung.
    pub(crate) judged: usize,
    pub(crate) planned: usize,
}

impl Groups {
    /// Counts a case.
    pub(crate) fn add(&mut self, outcome: &Outcome) {
        let name = group_of(&outcome.id);
        let at = self.0.iter().position(|group| group.name == name).unwrap_or_else(|| {
            self.0.push(Group { name: name.to_owned(), by_level: Default::default() });
            self.0.len() - 1
        });
        let tally = &mut self.0[at].by_level[outcome.level as usize];
        tally.planned += 1;
        match outcome.verdict {
            Verdict::Pass => {
                tally.passed += 1;
                tally.judged += 1;
            }
            Verdict::Fail | Verdict::Crash | Verdict::Hang => tally.judged += 1,
            Verdict::NotApplicable | Verdict::Inconclusive | Verdict::HarnessError => {}
        }
    }

    /// The groups.
    pub(crate) fn all(&self) -> &[Group] {
        &self.0
    }

    /// The levels that a case has.
    pub(crate) fn levels(&self) -> Vec<Level> {
        let used = |level: &Level| self.0.iter().any(|group| group.of(*level).planned > 0);
        Level::ALL.into_iter().filter(used).collect()
    }
}

impl Group {
    /// The cases of a level.
    pub(crate) fn of(&self, level: Level) -> Tally {
        self.by_level[level as usize]
    }
}

/// The group of a case or of a clause: the word before the `/` of its id.
pub(crate) fn group_of(id: &str) -> &str {
    id.split('/').next().unwrap_or_default()
}
