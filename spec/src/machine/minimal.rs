//! Minimises machines, and gives the words that reach and distinguish their states.

use super::{Edge, Input, Machine, Output, State, Word};
use foldhash::{HashMap, HashMapExt};
use std::collections::VecDeque;

impl Machine {
    /// The smallest machine with the same behaviour. Its states are numbered in the order in which
    /// words reach them: shorter words first, then in the order of the inputs.
    #[must_use]
    pub fn minimal(&self) -> Machine {
        let blocks = self.blocks();
        let mut numbers: HashMap<usize, State> = HashMap::new();
        let mut order = vec![0];
        numbers.insert(blocks[0], 0);
        let mut edges = Vec::new();
        while let Some(&state) = order.get(edges.len()) {
            let row = self.edges[state].iter().map(|edge| {
                let to = edge.to.map(|to| {
                    *numbers.entry(blocks[to]).or_insert_with(|| {
                        order.push(to);
                        order.len() - 1
                    })
                });
                Edge { output: edge.output.clone(), to }
            });
            edges.push(row.collect());
        }
        Machine { inputs: self.inputs.clone(), edges }
    }

    /// The block of each state: two states have the same one if no word distinguishes them. Each
    /// round distinguishes by words that are longer by one.
    fn blocks(&self) -> Vec<usize> {
        let mut blocks = vec![0; self.len()];
        let mut count = 1;
        loop {
            let mut signatures: HashMap<Vec<(&Output, Option<usize>)>, usize> = HashMap::new();
            let next: Vec<usize> = self
                .edges
                .iter()
                .map(|row| {
                    let signature = row.iter().map(|edge| (&edge.output, edge.to.map(|to| blocks[to])));
                    let new = signatures.len();
                    *signatures.entry(signature.collect()).or_insert(new)
                })
                .collect();
            let refined = signatures.len();
            blocks = next;
            if refined == count {
                return blocks;
            }
            count = refined;
        }
    }

    /// The part of the machine that these inputs reach, minimal. Inputs that it does not have are
    /// left out. The order is that of this machine.
    #[must_use]
    pub fn restricted(&self, keep: impl Fn(&str) -> bool) -> Machine {
        let kept: Vec<Input> = (0..self.inputs.len()).filter(|&input| keep(&self.inputs[input])).collect();
        let inputs = kept.iter().map(|&input| self.inputs[input].clone()).collect();
        let edges = self.edges.iter().map(|row| kept.iter().map(|&input| row[input].clone()).collect());
        Machine { inputs, edges: edges.collect() }.minimal()
    }

    /// The machine whose first state is the one that this input leads to; `None` if the input ends
    /// the connection.
    #[must_use]
    pub fn after(&self, input: Input) -> Option<Machine> {
        let first = self.edge(0, input).to?;
        let swap = |state: State| match state {
            0 => first,
            other if other == first => 0,
            other => other,
        };
        let edges = (0..self.len()).map(|state| {
            let row = self.edges[swap(state)].iter();
            row.map(|edge| Edge { output: edge.output.clone(), to: edge.to.map(swap) }).collect()
        });
        Some(Machine { inputs: self.inputs.clone(), edges: edges.collect() }.minimal())
    }

    /// The first of the shortest words that reach each state.
    ///
    /// An input that is not possible in a state is never part of it.
    #[must_use]
    pub fn access(&self) -> Vec<Word> {
        let mut words: Vec<Option<Word>> = vec![None; self.len()];
        words[0] = Some(Word::new());
        let mut queue = VecDeque::from([0]);
        while let Some(state) = queue.pop_front() {
            for (input, edge) in self.edges[state].iter().enumerate() {
                if let Some(to) = edge.to
                    && words[to].is_none()
                {
                    words[to] = words[state].as_ref().map(|word| [word.as_slice(), &[input]].concat());
                    queue.push_back(to);
                }
            }
        }
        words.into_iter().map(Option::unwrap_or_default).collect()
    }

    /// For each state, words that distinguish it from every other state.
    #[must_use]
    pub fn characterising(&self) -> Vec<Vec<Word>> {
        let mut words: Vec<Vec<Word>> = vec![Vec::new(); self.len()];
        for a in 0..self.len() {
            for b in a + 1..self.len() {
                let distinguishes = |word: &Word| self.outputs(a, word) != self.outputs(b, word);
                let known = words[a].iter().chain(&words[b]).find(|word| distinguishes(word)).cloned();
                let Some(word) = known.or_else(|| self.separating(a, b)) else { continue };
                for state in [a, b] {
                    if !words[state].contains(&word) {
                        words[state].push(word.clone());
                    }
                }
            }
        }
        words
    }

    /// The outputs for a word from this state on, up to the end of the connection.
    fn outputs(&self, state: State, word: &[Input]) -> Vec<&Output> {
        let mut state = Some(state);
        let outputs = word.iter().map_while(|input| {
            let edge = self.edge(state?, *input);
            state = edge.to;
            Some(&edge.output)
        });
        outputs.collect()
    }

    /// The shortest word that distinguishes two states.
    fn separating(&self, a: State, b: State) -> Option<Word> {
        let mut came: HashMap<(State, State), ((State, State), Input)> = HashMap::new();
        let mut queue = VecDeque::from([(a, b)]);
        while let Some(pair) = queue.pop_front() {
            for input in 0..self.inputs.len() {
                let (one, other) = (self.edge(pair.0, input), self.edge(pair.1, input));
                if one.output != other.output {
                    let mut word = vec![input];
                    let mut at = pair;
                    while at != (a, b) {
                        let (before, input) = came[&at];
                        word.insert(0, input);
                        at = before;
                    }
                    return Some(word);
                }
                if let (Some(one), Some(other)) = (one.to, other.to)
                    && one != other
                    && (one, other) != (a, b)
                    && !came.contains_key(&(one, other))
                {
                    came.insert((one, other), (pair, input));
                    queue.push_back((one, other));
                }
            }
        }
        None
    }
}
