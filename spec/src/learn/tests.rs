use super::{Conflict, Learner, Next, Suite};
use crate::machine::{Act, Edge, Machine, Output, Then};
use proptest::prelude::*;

fn output(n: usize) -> Output {
    let then = if n == 0 { Then::Closed } else { Then::Open };
    Output::new(vec![Act::Culls(n.to_string())], then)
}

/// A machine with up to eight states and three inputs. Output 0 ends the connection.
fn machines() -> impl Strategy<Value = Machine> {
    (1..8usize).prop_flat_map(|states| {
        let edge =
            (0..4usize, 0..states).prop_map(|(n, to)| Edge { output: output(n), to: (n > 0).then_some(to) });
        let edges = proptest::collection::vec(proptest::collection::vec(edge, 3), states);
        let inputs = || ["a", "b", "c"].map(str::to_owned).to_vec();
        edges.prop_map(move |edges| Machine::new(inputs(), edges).unwrap())
    })
}

/// Learns a machine, with a suite of this depth as the test. Gives it with the number of questions.
fn learn(machine: &Machine, depth: usize) -> (Machine, usize) {
    let mut learner = Learner::new(machine.inputs().to_vec());
    let mut asked = 0;
    let answer = |word: &[usize]| machine.run(word).cloned().collect::<Vec<_>>();
    loop {
        match learner.advance() {
            Next::Ask(words) => {
                for word in words {
                    assert_eq!(learner.known(&word), None, "no word is asked twice");
                    asked += 1;
                    learner.answer(&word, &answer(&word)).unwrap();
                }
            }
            Next::Hypothesis(hypothesis) => {
                let wrong = Suite::new(&hypothesis, depth, &[])
                    .find(|word| hypothesis.run(word).cloned().collect::<Vec<_>>() != answer(word));
                let Some(word) = wrong else { return (hypothesis.minimal(), asked) };
                learner.answer(&word, &answer(&word)).unwrap();
            }
        }
    }
}

proptest! {
    #[test]
    fn learned_machine_is_the_minimal_one(machine in machines()) {
        let minimal = machine.minimal();
        let (learned, _) = learn(&machine, minimal.len());
        prop_assert_eq!(learned, minimal);
    }

    /// The suite must find every machine that has at most `depth` states more than the hypothesis.
    #[test]
    fn suite_finds_every_other_machine_of_its_size(one in machines(), other in machines()) {
        let (one, other) = (one.minimal(), other.minimal());
        prop_assume!(one != other);
        let depth = other.len().saturating_sub(one.len());
        let differs = |word: &Vec<usize>| {
            let outputs = |machine: &Machine| machine.run(word).cloned().collect::<Vec<_>>();
            outputs(&one) != outputs(&other)
        };
        prop_assert!(Suite::new(&one, depth, &[]).any(|word| differs(&word)));
    }
}

#[test]
fn second_answer_to_a_word_is_a_conflict_and_keeps_what_is_before() {
    let mut learner = Learner::new(vec!["a".to_owned(), "b".to_owned()]);
    learner.answer(&[0, 1], &[output(1), output(2)]).unwrap();
    let conflict = learner.answer(&[0, 1, 0], &[output(1), output(3), output(1)]);
    assert_eq!(conflict, Err(Conflict { word: vec![0, 1], known: output(2), new: output(3) }));
    assert_eq!(learner.known(&[0, 1]), Some(vec![output(1), output(2)]));
    assert_eq!(learner.known(&[0, 1, 0]), None);
    learner.replace(&[0, 1], &output(3));
    assert_eq!(learner.known(&[0, 1]), Some(vec![output(1), output(3)]));
}

#[test]
fn answers_behind_the_end_of_the_connection_are_known() {
    let mut learner = Learner::new(vec!["a".to_owned(), "b".to_owned()]);
    learner.answer(&[0, 1], &[output(0)]).unwrap();
    assert_eq!(learner.known(&[0, 1, 1]), Some(vec![output(0)]));
}
