//! The verdicts of a run by group of cases and level.

use dnode_spec::clause::Level;

use crate::event::{Outcome, Verdict};

/// The tallies of all groups, in the order in which their first cases came.
#[derive(Debug, Default)]
pub(crate) struct Groups(Vec<Group>);

/// A group of cases.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: String,
    by_level: [Tally; Level::ALL.len()],
}

/// The verdicts on the cases of one group and level.
#[derive(Debug, Default)]
pub(crate) struct Tally(pub(crate) Vec<Verdict>);

impl Groups {
    /// Counts a case in the group of its id.
    pub(crate) fn add(&mut self, outcome: &Outcome) {
        let name = group_of(&outcome.id);
        let at = self.0.iter().position(|group| group.name == name).unwrap_or_else(|| {
            self.0.push(Group { name: name.to_owned(), by_level: Default::default() });
            self.0.len() - 1
        });
        self.0[at].by_level[outcome.level as usize].0.push(outcome.verdict);
    }

    /// The groups.
    pub(crate) fn all(&self) -> &[Group] {
        &self.0
    }

    /// The levels that a case has.
    pub(crate) fn levels(&self) -> Vec<Level> {
        let used = |level: &Level| self.0.iter().any(|group| !group.of(*level).0.is_empty());
        Level::ALL.into_iter().filter(used).collect()
    }
}

impl Group {
    /// The cases of a level.
    pub(crate) fn of(&self, level: Level) -> &Tally {
        &self.by_level[level as usize]
    }
}

impl Tally {
    /// How many cases passed.
    pub(crate) fn passed(&self) -> usize {
        self.count(&[Verdict::Pass])
    }

    /// How many cases passed, failed, crashed or hung.
    pub(crate) fn judged(&self) -> usize {
        self.count(&[Verdict::Pass, Verdict::Fail, Verdict::Crash, Verdict::Hang])
    }

    fn count(&self, of: &[Verdict]) -> usize {
        self.0.iter().filter(|verdict| of.contains(verdict)).count()
    }
}

/// The group of a case or of a clause: the word before the `/` of its id.
pub(crate) fn group_of(id: &str) -> &str {
    id.split('/').next().unwrap_or_default()
}
