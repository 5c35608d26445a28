//! The learner of state machines.

use crate::generators::machines;
use dnode_spec::learn::{Learner, Next, Suite};
use dnode_spec::machine::{Input, Machine, Output};

/// Learns a machine ([`machines`]) from its answers.
///
/// 1. The learner asks only for words that are not known, and it ends.
/// 2. Each hypothesis agrees with all answers.
/// 3. The machine that passes the test is the minimal one.
///
/// # Panics
/// If one of these does not hold.
pub fn learner(data: &[u8]) {
    let machine = machines::machine(data);
    let minimal = machine.minimal();
    assert_eq!(learned(&machine, minimal.len()), minimal);
}

/// The machine that the learner finds. `states`: how many states it has at most.
fn learned(machine: &Machine, states: usize) -> Machine {
    let mut learner = Learner::new(machine.inputs().to_vec());
    let outputs = |of: &Machine, word: &[Input]| of.run(word).cloned().collect::<Vec<Output>>();
    loop {
        let hypothesis = match learner.advance() {
            Next::Ask(words) => {
                for word in words {
                    assert_eq!(learner.known(&word), None, "{word:?} is asked twice");
                    answer(&mut learner, &word, &outputs(machine, &word));
                }
                continue;
            }
            Next::Hypothesis(hypothesis) => hypothesis,
        };
        assert_eq!(learner.differences(&hypothesis), []);
        assert!(hypothesis.len() <= states, "{} states instead of {states}", hypothesis.len());
        // The middle parts of the test grow exponentially, and most machines here are found without.
        let depth = (states - hypothesis.len()).min(2);
        let wrong = Suite::new(&hypothesis, depth, &[])
            .chain(machine.characterising().into_iter().flatten())
            .find(|word| outputs(&hypothesis, word) != outputs(machine, word))
            .or_else(|| difference(&hypothesis, machine));
        match wrong {
            Some(word) => answer(&mut learner, &word, &outputs(machine, &word)),
            None => return hypothesis.minimal(),
        }
    }
}

fn difference(hypothesis: &Machine, machine: &Machine) -> Option<Vec<Input>> {
    Some(dnode_spec::machine::differences(machine, hypothesis).first()?.word.clone())
}

fn answer(learner: &mut Learner, word: &[Input], outputs: &[Output]) {
    if let Err(conflict) = learner.answer(word, outputs) {
        panic!("the same machine answers in two ways: {conflict:?}");
    }
}
