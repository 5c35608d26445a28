//! What waits to be examined: suspicions, and confirmed symptoms whose sessions are to be shrunk.
//!
//! Work that costs starts of the peer comes before work that costs deadlines: one hang takes as
//! long as many crashes. Suspicions come before shrinking, because a finding that is not shrunk yet
//! is reported all the same.

use super::input::Input;
use super::oracle::Identity;
use super::suspicion::{Suspicion, Unshrunk};
use std::collections::VecDeque;

/// The most suspicions that wait.
const SUSPICIONS: usize = 128;

/// What a lane examines next.
#[derive(Debug)]
pub(super) enum Work {
    /// Repeats the sessions of a suspicion.
    Examine(Suspicion),
    /// Shrinks the session of a confirmed symptom.
    Shrink(Box<Unshrunk>),
}

/// What waits, and what lanes are working on.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// At most one for each key.
    suspicions: VecDeque<Suspicion>,
    examined: Vec<Suspicion>,
    unshrunk: VecDeque<Unshrunk>,
    shrinking: Vec<Unshrunk>,
}

impl Backlog {
    /// A backlog of the suspicions that an earlier campaign left.
    pub(super) fn of(suspicions: Vec<Suspicion>) -> Backlog {
        Backlog { suspicions: suspicions.into(), ..Backlog::default() }
    }

    /// The number of suspicions that wait.
    pub(super) fn suspicions(&self) -> usize {
        self.suspicions.len()
    }

    /// Queues a suspicion, unless there is one with the same key.
    pub(super) fn suspect(&mut self, suspicion: Suspicion) {
        let known = self.suspicions.iter().chain(&self.examined).any(|it| it.key == suspicion.key);
        if !known && self.suspicions.len() < SUSPICIONS {
            self.suspicions.push_back(suspicion);
        }
    }

    /// Queues a confirmed symptom whose session is to be shrunk.
    pub(super) fn hold(&mut self, unshrunk: Unshrunk) {
        self.unshrunk.push_back(unshrunk);
    }

    /// Takes the next work. It counts as unfinished until [`Backlog::finish`] or
    /// [`Backlog::release`]. `shrinks_first`: the first finding ends the campaign.
    pub(super) fn take(&mut self, shrinks_first: bool) -> Option<Work> {
        let quick = self.suspicions.iter().position(|it| !it.is_slow);
        let quick_to_shrink = self.unshrunk.iter().position(|it| !it.is_slow());
        let shrink = if shrinks_first { (!self.unshrunk.is_empty()).then_some(0) } else { None };
        let first = |is_empty: bool| (!is_empty).then_some(0);
        match (shrink, quick, quick_to_shrink) {
            (Some(at), ..) | (None, None, Some(at)) => self.take_unshrunk(at),
            (None, Some(at), _) => self.take_suspicion(at),
            (None, None, None) => match first(self.suspicions.is_empty()) {
                Some(at) => self.take_suspicion(at),
                None => self.take_unshrunk(first(self.unshrunk.is_empty())?),
            },
        }
    }

    /// Offers an input to the symptom of this identity, if it still waits to be shrunk.
    pub(super) fn offer(&mut self, identity: &Identity, input: Input) {
        let waiting = self.unshrunk.iter_mut().find(|it| it.whole.symptom.identity == *identity);
        if let Some(waiting) = waiting
            && waiting.hint.as_ref().is_none_or(|hint| input.size() < hint.size())
        {
            waiting.hint = Some(input);
        }
    }

    fn take_suspicion(&mut self, at: usize) -> Option<Work> {
        let suspicion = self.suspicions.remove(at)?;
        self.examined.push(suspicion.clone());
        Some(Work::Examine(suspicion))
    }

    fn take_unshrunk(&mut self, at: usize) -> Option<Work> {
        let unshrunk = self.unshrunk.remove(at)?;
        self.shrinking.push(unshrunk.clone());
        Some(Work::Shrink(Box::new(unshrunk)))
    }

    /// How much work waits that needs no long deadlines.
    pub(super) fn quick(&self) -> usize {
        self.suspicions.iter().filter(|it| !it.is_slow).count()
            + self.unshrunk.iter().filter(|it| !it.is_slow()).count()
    }

    /// Notes that a suspicion was examined.
    pub(super) fn finish(&mut self, key: &str) {
        self.examined.retain(|suspicion| suspicion.key != key);
    }

    /// Notes that the session of this symptom was shrunk.
    pub(super) fn release(&mut self, symptom: &Identity) {
        self.shrinking.retain(|it| it.whole.symptom.identity != *symptom);
    }

    /// The identities of the confirmed symptoms.
    pub(super) fn confirmed(&self) -> impl Iterator<Item = &Identity> {
        self.unshrunk.iter().chain(&self.shrinking).map(|it| &it.whole.symptom.identity)
    }

    /// Empties the backlog: the symptoms that are not shrunk, and the suspicions.
    pub(super) fn drain(&mut self) -> (Vec<Unshrunk>, Vec<Suspicion>) {
        let unshrunk = self.shrinking.drain(..).chain(self.unshrunk.drain(..));
        let suspicions = self.examined.drain(..).chain(self.suspicions.drain(..));
        (unshrunk.collect(), suspicions.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::input::Line;
    use crate::campaign::oracle::Oracle;
    use crate::campaign::suspicion::{Reproduced, Shown};
    use crate::campaign::symptom::Symptom;
    use crate::cases::all;

    fn suspicion(key: &str, is_slow: bool) -> Suspicion {
        Suspicion { key: key.to_owned(), suspects: Vec::new(), death: None, resumes: None, is_slow }
    }

    fn unshrunk(oracle: Oracle) -> Unshrunk {
        let symptom = Symptom::new(Identity::new(oracle, "robust/survives", "x", "y"), None, "", "");
        let shown = Shown { transcript: String::new(), input: None, seen: (0, 0), source: "a test" };
        let whole = Reproduced { symptom, shown, confirmed: (3, 3) };
        Unshrunk { whole, case: all().unwrap().remove(0), resumes: None, hint: None }
    }

    fn word(work: Option<Work>) -> String {
        match work {
            Some(Work::Examine(suspicion)) => suspicion.key,
            Some(Work::Shrink(unshrunk)) => unshrunk.whole.symptom.identity.oracle.word().to_owned(),
            None => String::new(),
        }
    }

    #[test]
    fn work_that_costs_deadlines_comes_last() {
        let full = || {
            let mut backlog = Backlog::default();
            for (key, is_slow) in [("slow", true), ("quick", false), ("quick", false)] {
                backlog.suspect(suspicion(key, is_slow));
            }
            for oracle in [Oracle::NotServed, Oracle::Died] {
                backlog.hold(unshrunk(oracle));
            }
            backlog
        };
        let mut backlog = full();
        assert_eq!(backlog.quick(), 2);
        let order: Vec<String> = (0..5).map(|_| word(backlog.take(false))).collect();
        assert_eq!(order, ["quick", "died", "slow", "not-served", ""]);
        assert_eq!(word(full().take(true)), "not-served", "the first finding ends the campaign");
        let (to_shrink, to_examine) = backlog.drain();
        assert_eq!((to_shrink.len(), to_examine.len()), (2, 2), "nothing was finished");
    }

    #[test]
    fn the_shortest_offered_input_is_the_hint() {
        let mut backlog = Backlog::default();
        let held = unshrunk(Oracle::Died);
        let identity = held.whole.symptom.identity.clone();
        backlog.hold(held);
        let input = |text: &str| {
            let line = Line { bytes: text.as_bytes().to_vec(), cuts: Vec::new() };
            Input { lines: vec![line], ..Input::default() }
        };
        for text in ["xxx", "x", "xx"] {
            backlog.offer(&identity, input(text));
        }
        let Some(Work::Shrink(unshrunk)) = backlog.take(false) else { panic!("nothing to shrink") };
        assert_eq!(unshrunk.hint, Some(input("x")));
    }
}
