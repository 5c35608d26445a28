#![allow(clippy::disallowed_methods, reason = "a test reads and writes files of the repository")]

use super::reference::{Reference, machine};
use super::{Alphabet, AlphabetError, Begins};
use crate::machine::{File, Machine, Output, Word};
use crate::transcript::Transcript;
use proptest::prelude::*;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/machine"))
}

fn alphabet() -> Alphabet {
    Alphabet::read(&std::fs::read_to_string(folder().join("alphabet.jsonl")).unwrap()).unwrap()
}

/// The outputs of a word from the reference peer in memory.
fn outputs(alphabet: &Alphabet, word: &[usize]) -> Vec<Output> {
    let mut peer = Reference::connect(alphabet).unwrap();
    let mut outputs = Vec::new();
    for &input in word {
        outputs.push(peer.step(input).unwrap());
        if outputs.last().is_some_and(|output| output.then.is_end()) {
            break;
        }
    }
    outputs
}

fn committed() -> Machine {
    File::read(&std::fs::read_to_string(folder().join("reference.machine.json")).unwrap()).unwrap().machine
}

#[test]
fn committed_machine_is_the_computed_one() {
    let alphabet = alphabet();
    let machine = machine(&alphabet, 1).unwrap();
    let file = File { peer: Some("reference".to_owned()), left_out: Vec::new(), machine, mixed: Vec::new() };
    let (path, text) = (folder().join("reference.machine.json"), file.to_json().unwrap());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(known == text, "{} is stale: UPDATE=1 cargo test -p dnode-spec rewrites it", path.display());
}

#[test]
fn longer_words_distinguish_no_more_states() {
    let alphabet = alphabet();
    assert_eq!(machine(&alphabet, 1).unwrap(), machine(&alphabet, 2).unwrap());
}

#[test]
fn machine_answers_all_words_of_three_inputs_as_the_peer_does() {
    let (alphabet, machine) = (alphabet(), committed());
    let inputs = alphabet.symbols().len();
    for number in 0..inputs.pow(3) {
        let word: Word = vec![number / inputs / inputs, number / inputs % inputs, number % inputs];
        assert_eq!(machine.run(&word).cloned().collect::<Vec<_>>(), outputs(&alphabet, &word), "{word:?}");
    }
}

proptest! {
    #[test]
    fn machine_answers_long_words_as_the_peer_does(
        // The last two inputs end the connection.
        word in proptest::collection::vec(0..20usize, 1..40)
    ) {
        let (alphabet, machine) = (alphabet(), committed());
        prop_assert_eq!(machine.run(&word).cloned().collect::<Vec<_>>(), outputs(&alphabet, &word));
    }

    #[test]
    fn each_word_is_a_transcript(word in proptest::collection::vec(0..22usize, 1..12)) {
        let (alphabet, machine) = (alphabet(), committed());
        let outputs: Vec<Output> = machine.run(&word).cloned().collect();
        let text = alphabet.transcript("machine/word", &word[..outputs.len()], &outputs, Begins::WithNothing);
        prop_assert!(Transcript::read(&text).is_ok(), "{}\n{:?}", text, Transcript::read(&text).err());
        let acts: usize = outputs.iter().map(|output| output.acts.len()).sum();
        let expected = text.lines().filter(|line| line.contains("\"expect\":")).count();
        prop_assert_eq!(expected, acts + 3, "each act is expected, after the object and the two answers before");
    }
}

#[test]
fn every_clause_of_an_input_exists() {
    for symbol in alphabet().symbols() {
        assert!(crate::clause::find(&symbol.clause).is_some(), "{}: {}", symbol.name, symbol.clause);
    }
}

#[test]
fn peer_without_the_keeper_has_fewer_inputs() {
    let (alphabet, left_out) =
        alphabet().without(|method| (method == "keeper").then(|| "it lacks it".to_owned()));
    assert_eq!(alphabet.symbols().len(), 18);
    assert_eq!(left_out.len(), 4);
    assert!(alphabet.input("give-ours").is_none());
    assert_eq!(outputs(&alphabet, &[alphabet.input("call-p").unwrap()]).len(), 1);
}

#[test]
fn damaged_alphabets_are_errors() {
    let text = std::fs::read_to_string(folder().join("alphabet.jsonl")).unwrap();
    let error = |from: &str, to: &str| Alphabet::read(&text.replacen(from, to, 1)).unwrap_err();
    assert!(matches!(error("alphabet\":1", "alphabet\":9"), AlphabetError::Version(9)));
    assert!(matches!(error("\"part\":", "\"parts\":"), AlphabetError::Line(4, _)));
    assert!(matches!(error("{\"call\":\"$fire\"", "{\"call\":\"$fire2\""), AlphabetError::Steps(..)));
    assert!(matches!(Alphabet::read("\n").unwrap_err(), AlphabetError::Empty));
}
