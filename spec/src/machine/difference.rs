//! How two machines differ.

use super::{Input, Machine, Output, State, Word};
use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};
use std::collections::VecDeque;

/// An input that two machines answer differently after the same word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The shortest word that shows it. The last input is the one that the machines answer
    /// differently. The inputs are those of the first machine.
    pub word: Word,
    /// The output of the first machine.
    pub expected: Output,
    /// The output of the second machine.
    pub found: Output,
    /// The places with this difference: the states of both machines before the input.
    pub places: Vec<(State, State)>,
    /// Whether the machines also answer an earlier input of the word differently.
    pub follows: bool,
}

/// The differences between two machines, on the inputs that both have. Two differences with the same
/// input and the same two outputs are one.
///
/// Words on which the machines agree before the last input come first. Then, if an earlier
/// difference hides a pair of states, words through that difference.
#[must_use]
pub fn differences(expected: &Machine, found: &Machine) -> Vec<Difference> {
    let index = |name: &String| found.inputs().iter().position(|other| other == name);
    let inputs: Vec<(Input, Input)> =
        expected.inputs().iter().enumerate().filter_map(|(n, name)| Some((n, index(name)?))).collect();
    let mut seen = HashSet::new();
    let mut known: HashMap<(Input, &Output, &Output), usize> = HashMap::new();
    let mut all: Vec<Difference> = Vec::new();
    let mut queue = VecDeque::from([((0, 0), Word::new())]);
    let mut behind = VecDeque::new();
    seen.insert((0, 0));
    let mut follows = false;
    loop {
        let Some((pair, word)) = queue.pop_front() else {
            queue = std::mem::take(&mut behind);
            queue.retain(|(pair, _)| seen.insert(*pair));
            follows = true;
            if queue.is_empty() {
                return all;
            }
            continue;
        };
        for &(input, other) in &inputs {
            let (one, two) = (expected.edge(pair.0, input), found.edge(pair.1, other));
            let longer = || [word.as_slice(), &[input]].concat();
            let same = one.output == two.output;
            if !same {
                let new = all.len();
                let at = *known.entry((input, &one.output, &two.output)).or_insert(new);
                if at == new {
                    let (expected, found) = (one.output.clone(), two.output.clone());
                    all.push(Difference { word: longer(), expected, found, places: vec![pair], follows });
                } else {
                    all[at].places.push(pair);
                }
            }
            if let (Some(one), Some(two)) = (one.to, two.to) {
                if same && seen.insert((one, two)) {
                    queue.push_back(((one, two), longer()));
                } else if !same {
                    behind.push_back(((one, two), longer()));
                }
            }
        }
    }
}
