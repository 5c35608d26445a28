//! Words that test a hypothesis.

use crate::machine::{Input, Machine, Word};
use std::collections::BTreeSet;

/// The Wp-method (Fujiwara et al., 1991): words that find every wrong machine with at most `depth`
/// states more than the hypothesis.
///
/// First, all transitions are followed by all words that distinguish states. This is more than the
/// method asks for: the machine of a peer is nearly a product of independent parts, and a state that
/// is missed in one part is then found with the words of that part. Then, all transitions with up to
/// `depth` inputs more are followed by the words that identify their expected last state.
#[derive(Debug)]
pub struct Suite<'m> {
    machine: &'m Machine,
    access: Vec<Word>,
    identifying: Vec<Vec<Word>>,
    /// The middle parts: two inputs, and up to `depth` more than one.
    middles: Vec<Word>,
    /// The next state and middle part.
    at: (usize, usize),
    ready: std::vec::IntoIter<Word>,
}

impl<'m> Suite<'m> {
    /// The words for this machine. `more` are other words that may distinguish states.
    #[must_use]
    pub fn new(machine: &'m Machine, depth: usize, more: &[Word]) -> Suite<'m> {
        let (access, identifying) = (machine.access(), machine.characterising());
        let inputs = machine.inputs().len();
        let longer =
            |word: &Word| (0..inputs).map(|input| [word.as_slice(), &[input]].concat()).collect::<Vec<_>>();
        let all: BTreeSet<&Word> = identifying.iter().flatten().chain(more).collect();
        let ends = |word: Word| {
            let open = machine.state_after(&word).is_some() && !all.is_empty();
            let ends = all.iter().map(|end| [word.as_slice(), end].concat()).collect();
            if open { ends } else { vec![word] }
        };
        let transitions = access.iter().flat_map(&longer);
        let reached = access.iter().cloned();
        let ready: Vec<Word> = reached.chain(transitions).flat_map(ends).collect();
        let mut middles = Vec::new();
        let mut last: Vec<Word> = (0..inputs).map(|input| vec![input]).collect();
        for _ in 0..depth {
            last = last.iter().flat_map(&longer).collect();
            middles.extend(last.iter().cloned());
        }
        Suite { machine, access, identifying, middles, at: (0, 0), ready: ready.into_iter() }
    }
}

impl Iterator for Suite<'_> {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        loop {
            if let Some(word) = self.ready.next() {
                return Some(word);
            }
            let (state, middle) = self.at;
            let access = self.access.get(state).filter(|_| !self.middles.is_empty())?;
            self.at = if middle + 1 < self.middles.len() { (state, middle + 1) } else { (state + 1, 0) };
            let word = [access.as_slice(), &self.middles[middle]].concat();
            self.ready = match self.machine.state_after(&word) {
                Some(to) if !self.identifying[to].is_empty() => {
                    let identifying = self.identifying[to].iter();
                    let words = identifying.map(|end| [word.as_slice(), end].concat());
                    words.collect::<Vec<_>>().into_iter()
                }
                _ => vec![word].into_iter(),
            };
        }
    }
}

/// A random word that does not end the connection before its last input. `choose(n)` gives a number
/// below `n`.
pub fn random_word(machine: &Machine, length: usize, mut choose: impl FnMut(usize) -> usize) -> Word {
    let mut word = Word::new();
    let mut state = 0;
    while word.len() < length {
        let open: Vec<Input> =
            (0..machine.inputs().len()).filter(|&input| machine.edge(state, input).to.is_some()).collect();
        if open.is_empty() {
            break;
        }
        let input = open[choose(open.len()) % open.len()];
        word.push(input);
        state = machine.edge(state, input).to.unwrap_or_default();
    }
    word
}
