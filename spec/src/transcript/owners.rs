//! The ends that own the names of a transcript.

use super::error::Fault;
use super::model::{Action, Step};
use super::names::{Called, Name};
use super::pattern::Pattern;
use crate::dialect::Dialect;
use std::collections::HashMap;

/// The end that declares each name, in the steps so far; `true` is ours.
#[derive(Debug, Default, Clone)]
pub(super) struct Owners {
    dialect: Dialect,
    ends: HashMap<Name, bool>,
}

impl Owners {
    pub(super) fn new(dialect: Dialect) -> Owners {
        Owners { dialect, ends: HashMap::new() }
    }

    /// Each name has one owner.
    pub(super) fn declare(&mut self, names: &[Name], ours: bool) -> Result<(), Fault> {
        for name in names {
            if self.ends.insert(name.clone(), ours).is_some_and(|before| before != ours) {
                return Err(Fault::DeclaredByBoth(name.clone()));
            }
        }
        Ok(())
    }

    /// The end that owns a word must have bound it. A number that no step binds stands for itself.
    fn uses(&self, name: &Name, ours: bool) -> Result<(), Fault> {
        match (name, self.ends.get(name)) {
            (Name::Word(_), None) => Err(Fault::Unbound(name.clone())),
            (Name::Word(_), Some(owner)) if *owner != ours => {
                Err(Fault::WrongEnd(name.clone(), if ours { "the peer's" } else { "ours" }))
            }
            _ => Ok(()),
        }
    }

    /// Checks the names of a step, and takes in those that it binds.
    pub(super) fn step(&mut self, step: &Step) -> Result<(), Fault> {
        for (ours, theirs) in &step.ids {
            if let Called::Function(theirs) = theirs {
                self.uses(theirs, false)?;
            }
            self.declare(std::slice::from_ref(ours), true)?;
        }
        match &step.action {
            Action::Call(called, pattern, _) => self.message(called, pattern, true),
            Action::Send(pattern, _) => self.message(&pattern.called, pattern, true),
            Action::Bytes(bytes, ..) => {
                // A new name in raw bytes is ours: the bytes declare it.
                for name in bytes.names() {
                    self.ends.entry(name.clone()).or_insert(true);
                }
                Ok(())
            }
            Action::Expect(pattern, _) => self.message(&pattern.called, pattern, false),
            Action::AnyOrder(patterns) => {
                patterns.iter().try_for_each(|pattern| self.message(&pattern.called, pattern, false))
            }
            Action::Either(branches) => {
                let before = self.clone();
                for steps in branches {
                    let mut branch = before.clone();
                    steps.iter().try_for_each(|step| branch.step(step))?;
                    self.ends.extend(branch.ends);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn message(&mut self, called: &Called, pattern: &Pattern, ours: bool) -> Result<(), Fault> {
        if let Called::Function(name) = called {
            self.uses(name, !ours)?;
        }
        let culled = if self.dialect == Dialect::V0_1 { ours } else { !ours };
        pattern.culls().iter().try_for_each(|name| self.uses(name, culled))?;
        self.declare(pattern.declared(), ours)
    }
}
