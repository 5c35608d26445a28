//! Sessions that lead to the states of a machine, for campaigns that start there.

use super::error::LearnError;
use crate::cases::Case;
use crate::conversation::facts::Facts;
use dnode_spec::alphabet::{Alphabet, Begins};
use dnode_spec::machine::{Input, Machine, Output};

/// For each state of the machine that the peer's program can reach, the shortest session that leads
/// there. It expects the answers of the machine.
///
/// # Errors
/// The alphabet of this version cannot be read.
pub fn states(machine: &Machine, facts: &Facts) -> Result<Vec<Case>, LearnError> {
    let (alphabet, _) = Alphabet::read(dnode_fixtures::ALPHABET)?.without(|method| facts.lacks(method));
    let machine = machine.restricted(|name| alphabet.input(name).is_some());
    let access = machine.access();
    let cases = access.iter().enumerate().filter_map(|(state, word)| {
        let outputs: Vec<Output> = machine.run(word).cloned().collect();
        let inputs: Option<Vec<Input>> =
            word.iter().map(|&input| alphabet.input(&machine.inputs()[input])).collect();
        let id = format!("machine/state-{state}");
        Case::read(&alphabet.transcript(&id, &inputs?, &outputs, Begins::WithNothing)).ok()
    });
    Ok(cases.collect())
}
