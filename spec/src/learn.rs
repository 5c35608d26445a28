//! Learns the Mealy machine of a peer from its answers.
//!
//! The algorithm is L# (Vaandrager, Garhewal, Rot and Wißmann, TACAS 2022). All answers form one
//! tree, which is also the cache, so no word is asked twice. Two nodes of the tree are *apart* if
//! a word that was asked from both had different outputs. The *basis* are nodes that are apart from
//! each other: these are the states. A node behind a basis node is in the *frontier*. It is the
//! same state as the one basis node from which it is not apart.
//!
//! L# suits a peer behind a socket: it asks many independent words at once, keeps every answer, and
//! needs no table that is filled for its own sake.
//!
//! The contract: ask what [`Learner::advance`] wants, in any order, and report the outputs with
//! [`Learner::answer`]. A [hypothesis](Next::Hypothesis) must be tested, with words of a
//! [`Suite`]. A wrong one is refined as soon as the answers to the test words are reported.
//!
//! Deliberately absent: connections and repetition. The teacher asks the peer.

mod suite;
#[cfg(test)]
mod tests;
mod tree;

pub use suite::{Suite, random_word};

use crate::machine::{Difference, Edge, Input, Machine, Output, Word};
use foldhash::{HashMap, HashSet, HashSetExt};
use std::collections::{BTreeSet, VecDeque};
use tree::{Node, Tree};

/// The next wish of the learner.
#[derive(Debug, Clone)]
pub enum Next {
    /// The outputs of these words. None of them is known, and none is empty.
    Ask(Vec<Word>),
    /// A test of this machine, which agrees with all answers so far.
    Hypothesis(Machine),
}

/// The peer answered a word in two ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The word up to the input with the two answers.
    pub word: Word,
    /// The answer that is known.
    pub known: Output,
    /// The other answer.
    pub new: Output,
}

/// A learner.
#[derive(Debug, Clone)]
pub struct Learner {
    inputs: Vec<String>,
    tree: Tree,
    /// Nodes that are apart from each other; the first one is the root.
    basis: Vec<Node>,
}

impl Learner {
    /// A learner of a machine with these inputs.
    #[must_use]
    pub fn new(inputs: Vec<String>) -> Learner {
        let tree = Tree::new(inputs.len());
        Learner { inputs, tree, basis: vec![Tree::ROOT] }
    }

    /// The number of states so far.
    #[must_use]
    pub fn states(&self) -> usize {
        self.basis.len()
    }

    /// The outputs of a word, up to the end of the connection; `None` if they are not known.
    #[must_use]
    pub fn known(&self, word: &[Input]) -> Option<Vec<Output>> {
        self.tree.outputs(word)
    }

    /// Notes the outputs of a word, up to the end of the connection.
    ///
    /// # Errors
    /// [`Conflict`]: the answer contradicts an earlier one. Only the outputs before are kept.
    pub fn answer(&mut self, word: &[Input], outputs: &[Output]) -> Result<(), Conflict> {
        self.tree.insert(word, outputs)
    }

    /// Replaces the answer to the last input of a word. All answers behind it are forgotten.
    pub fn replace(&mut self, word: &[Input], output: &Output) {
        self.tree.replace(word, output);
        // Nodes of the basis may be behind it. They come back from the tree.
        self.basis.truncate(1);
    }

    /// The answers so far that differ from those of a machine with the same inputs, the shortest
    /// words first. For a peer whose machine is too large to learn.
    #[must_use]
    pub fn differences(&self, expected: &Machine) -> Vec<Difference> {
        let mut known = HashSet::new();
        let mut all = Vec::new();
        let mut queue = VecDeque::from([(Tree::ROOT, 0, false)]);
        while let Some((node, state, follows)) = queue.pop_front() {
            for input in 0..self.inputs.len() {
                let Some((found, to)) = self.tree.edge(node, input) else { continue };
                let edge = expected.edge(state, input);
                let differs = edge.output != *found;
                if differs && known.insert((input, &edge.output, found)) {
                    let word = [self.tree.access(node).as_slice(), &[input]].concat();
                    let (expected, found) = (edge.output.clone(), found.clone());
                    all.push(Difference { word, expected, found, places: Vec::new(), follows });
                }
                queue.extend(to.zip(edge.to).map(|(node, state)| (node, state, follows || differs)));
            }
        }
        all
    }

    /// What to do next.
    pub fn advance(&mut self) -> Next {
        loop {
            let frontier = self.frontier();
            if self.promote(&frontier) {
                continue;
            }
            let asked = self.unexplored();
            if !asked.is_empty() {
                return Next::Ask(asked);
            }
            let asked = self.ambiguous(&frontier);
            if !asked.is_empty() {
                return Next::Ask(asked.into_iter().collect());
            }
            let hypothesis = self.hypothesis(&frontier);
            let Some(word) = self.inconsistency(&hypothesis) else {
                return Next::Hypothesis(hypothesis);
            };
            // Without a word to ask, the tree shows a new state.
            if let Some(word) = self.explain(&hypothesis, word) {
                return Next::Ask(vec![word]);
            }
        }
    }

    /// The successors of the basis that are not in it.
    fn frontier(&self) -> Vec<Node> {
        let successors = self.basis.iter().flat_map(|&node| self.tree.successors(node));
        successors.filter(|node| !self.basis.contains(node)).collect()
    }

    /// Adds the first frontier node to the basis that is apart from all of it.
    fn promote(&mut self, frontier: &[Node]) -> bool {
        let isolated = frontier
            .iter()
            .find(|&&node| self.basis.iter().all(|&state| self.tree.witness(node, state).is_some()));
        self.basis.extend(isolated);
        isolated.is_some()
    }

    /// The inputs that the basis has not seen.
    fn unexplored(&self) -> Vec<Word> {
        let missing = self.basis.iter().flat_map(|&node| {
            let access = self.tree.access(node);
            self.tree.unknown_inputs(node).map(move |input| [access.as_slice(), &[input]].concat())
        });
        missing.collect()
    }

    /// For each frontier node that may be one of several states, a word that decides between two.
    fn ambiguous(&self, frontier: &[Node]) -> BTreeSet<Word> {
        let mut words = BTreeSet::new();
        for &node in frontier {
            let mut states = self.basis.iter().filter(|&&state| self.tree.witness(node, state).is_none());
            if let (Some(&one), Some(&other)) = (states.next(), states.next())
                && let Some(witness) = self.tree.witness(one, other)
            {
                words.insert([self.tree.access(node), witness].concat());
            }
        }
        words
    }

    fn hypothesis(&self, frontier: &[Node]) -> Machine {
        let number: HashMap<Node, usize> =
            self.basis.iter().enumerate().map(|(n, node)| (*node, n)).collect();
        let mut states = number.clone();
        for &node in frontier {
            let same = self.basis.iter().find(|&&state| self.tree.witness(node, state).is_none());
            states.extend(same.map(|state| (node, number[state])));
        }
        let edges = self.basis.iter().map(|&node| {
            let edges = (0..self.inputs.len()).filter_map(|input| self.tree.edge(node, input));
            edges.map(|(output, to)| Edge { output: output.clone(), to: to.map(|to| states[&to]) }).collect()
        });
        Machine::of(self.inputs.clone(), edges.collect())
    }

    /// The shortest known word after which the hypothesis is in a state that is apart from the
    /// node.
    fn inconsistency(&self, hypothesis: &Machine) -> Option<Word> {
        let mut queue = VecDeque::from([(Tree::ROOT, 0)]);
        while let Some((node, state)) = queue.pop_front() {
            if self.tree.witness(node, self.basis[state]).is_some() {
                return Some(self.tree.access(node));
            }
            for input in 0..self.inputs.len() {
                let next = self.tree.edge(node, input).and_then(|(_, to)| to);
                queue.extend(next.zip(hypothesis.edge(state, input).to));
            }
        }
        None
    }

    /// Shortens a word after which hypothesis and tree disagree, until it ends in the frontier: then
    /// the tree shows a new state. Gives the next word to ask; `None` if all are known.
    fn explain(&self, hypothesis: &Machine, mut word: Word) -> Option<Word> {
        let frontier: HashMap<Node, ()> =
            self.frontier().into_iter().chain(self.basis.iter().copied()).map(|node| (node, ())).collect();
        loop {
            let node = self.tree.node(&word)?;
            if frontier.contains_key(&node) {
                return None;
            }
            let state = self.basis[hypothesis.state_after(&word)?];
            let witness = self.tree.witness(node, state)?;
            let reached = (0..=word.len()).rev().find(|&length| {
                self.tree.node(&word[..length]).is_some_and(|node| frontier.contains_key(&node))
            });
            let half = usize::midpoint(reached?, word.len());
            let half = half.min(word.len() - 1).max(reached?);
            let (before, after) = word.split_at(half);
            let state = self.basis[hypothesis.state_after(before)?];
            let other: Word = [self.tree.access(state).as_slice(), after].concat();
            let asked = [other.as_slice(), &witness].concat();
            if self.tree.outputs(&asked).is_none() {
                return Some(asked);
            }
            let before_node = self.tree.node(before)?;
            word = match self.tree.witness(before_node, state) {
                Some(_) => before.to_vec(),
                None => other,
            };
        }
    }
}
