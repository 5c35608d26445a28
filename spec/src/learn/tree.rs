//! The tree of all answers.

use super::Conflict;
use crate::machine::{Input, Output, Word};
use foldhash::{HashMap, HashMapExt};

/// A node, as its index. The word that leads to it was asked.
pub(super) type Node = u32;

/// The answer to an input, and the node behind it; `None` if the connection ended.
#[derive(Debug, Clone, Copy)]
struct Branch {
    output: u32,
    to: Option<Node>,
}

/// Answers, shared by their common beginnings.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    inputs: usize,
    /// `inputs` branches for each node.
    branches: Vec<Option<Branch>>,
    /// The node before each node, and the input between them.
    parents: Vec<(Node, Input)>,
    /// Each output once.
    outputs: Vec<Output>,
    numbers: HashMap<Output, u32>,
}

impl Tree {
    pub(super) const ROOT: Node = 0;

    pub(super) fn new(inputs: usize) -> Tree {
        Tree {
            inputs,
            branches: vec![None; inputs],
            parents: vec![(Tree::ROOT, 0)],
            outputs: Vec::new(),
            numbers: HashMap::new(),
        }
    }

    fn branch(&self, node: Node, input: Input) -> Option<Branch> {
        self.branches[node as usize * self.inputs + input]
    }

    /// The answer to an input at a node, and the node behind it.
    pub(super) fn edge(&self, node: Node, input: Input) -> Option<(&Output, Option<Node>)> {
        self.branch(node, input).map(|branch| (&self.outputs[branch.output as usize], branch.to))
    }

    /// The nodes directly behind a node.
    pub(super) fn successors(&self, node: Node) -> impl Iterator<Item = Node> + '_ {
        (0..self.inputs).filter_map(move |input| self.branch(node, input)?.to)
    }

    /// The inputs without an answer at a node.
    pub(super) fn unknown_inputs(&self, node: Node) -> impl Iterator<Item = Input> + '_ {
        (0..self.inputs).filter(move |&input| self.branch(node, input).is_none())
    }

    /// The word that leads to a node.
    pub(super) fn access(&self, mut node: Node) -> Word {
        let mut word = Word::new();
        while node != Tree::ROOT {
            let (parent, input) = self.parents[node as usize];
            word.push(input);
            node = parent;
        }
        word.reverse();
        word
    }

    /// The node behind a word; `None` if it was not asked, or the connection ended.
    pub(super) fn node(&self, word: &[Input]) -> Option<Node> {
        word.iter().try_fold(Tree::ROOT, |node, &input| self.branch(node, input)?.to)
    }

    /// The outputs of a word up to the end of the connection; `None` if one is not known.
    pub(super) fn outputs(&self, word: &[Input]) -> Option<Vec<Output>> {
        let mut node = Some(Tree::ROOT);
        let mut outputs = Vec::new();
        for &input in word {
            let Some(at) = node else { break };
            let branch = self.branch(at, input)?;
            outputs.push(self.outputs[branch.output as usize].clone());
            node = branch.to;
        }
        Some(outputs)
    }

    /// Adds an answer. The outputs end with the connection.
    pub(super) fn insert(&mut self, word: &[Input], outputs: &[Output]) -> Result<(), Conflict> {
        let mut node = Tree::ROOT;
        for (n, (&input, output)) in word.iter().zip(outputs).enumerate() {
            let next = match self.branch(node, input) {
                Some(branch) if self.outputs[branch.output as usize] != *output => {
                    let known = self.outputs[branch.output as usize].clone();
                    return Err(Conflict { word: word[..=n].to_vec(), known, new: output.clone() });
                }
                Some(branch) => branch.to,
                None => self.grow(node, input, output),
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        Ok(())
    }

    fn grow(&mut self, node: Node, input: Input, output: &Output) -> Option<Node> {
        let number = match self.numbers.get(output) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.outputs.len()).unwrap_or(u32::MAX);
                self.outputs.push(output.clone());
                self.numbers.insert(output.clone(), number);
                number
            }
        };
        let to = (!output.then.is_end()).then(|| {
            self.parents.push((node, input));
            self.branches.extend(std::iter::repeat_n(None, self.inputs));
            u32::try_from(self.parents.len() - 1).unwrap_or(u32::MAX)
        });
        self.branches[node as usize * self.inputs + input] = Some(Branch { output: number, to });
        to
    }

    /// Replaces the answer to the last input of a word, and forgets all answers behind it.
    pub(super) fn replace(&mut self, word: &[Input], output: &Output) {
        if let Some((&input, before)) = word.split_last()
            && let Some(node) = self.node(before)
        {
            self.branches[node as usize * self.inputs + input] = None;
            self.grow(node, input, output);
        }
    }

    /// A word that was asked from both nodes and has different outputs: the nodes are apart. The
    /// shortest one.
    pub(super) fn witness(&self, one: Node, other: Node) -> Option<Word> {
        if one == other {
            return None;
        }
        let mut pairs: Vec<(Node, Node, usize, Input)> = vec![(one, other, 0, 0)];
        let mut at = 0;
        while at < pairs.len() {
            let (one, other, ..) = pairs[at];
            for input in 0..self.inputs {
                let (Some(a), Some(b)) = (self.branch(one, input), self.branch(other, input)) else {
                    continue;
                };
                if a.output != b.output {
                    let mut word = vec![input];
                    let mut step = at;
                    while step != 0 {
                        let (.., before, input) = pairs[step];
                        word.push(input);
                        step = before;
                    }
                    word.reverse();
                    return Some(word);
                }
                if let (Some(a), Some(b)) = (a.to, b.to) {
                    pairs.push((a, b, at, input));
                }
            }
            at += 1;
        }
        None
    }
}
