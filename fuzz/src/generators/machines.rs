//! Machines from arbitrary bytes.
//!
//! The first byte is the number of states, the second one the number of inputs. Then each edge has two
//! bytes: its output and its next state. Numbers that are too large wrap around; missing bytes are 0.

use dnode_spec::machine::{Act, Edge, Machine, Output, Then};

/// Larger machines take too long: the words of a test grow with the square of the states.
const STATES: usize = 12;
const INPUTS: usize = 4;
const OUTPUTS: usize = 6;

/// The machine that these bytes stand for. All its states may not be reachable.
#[must_use]
pub fn machine(data: &[u8]) -> Machine {
    let mut bytes = data.iter().copied().chain(std::iter::repeat(0)).map(usize::from);
    let mut next = |limit: usize| bytes.next().unwrap_or_default() % limit;
    let (states, inputs) = (1 + next(STATES), 1 + next(INPUTS));
    let mut edge = || {
        let output = output(next(OUTPUTS));
        let to = next(states);
        Edge { to: (!output.then.is_end()).then_some(to), output }
    };
    let edges = (0..states).map(|_| (0..inputs).map(|_| edge()).collect()).collect();
    let inputs = (0..inputs).map(|input| format!("input{input}")).collect();
    Machine::new(inputs, edges).unwrap_or_else(|error| panic!("the encoding is at fault: {error}"))
}

fn output(number: usize) -> Output {
    let calls = |function: &str| Act::Calls { function: function.to_owned(), arguments: "[1]".to_owned() };
    match number {
        0 => Output::new(Vec::new(), Then::Open),
        1 => Output::new(vec![calls("cb")], Then::Open),
        2 => Output::new(vec![calls("f"), calls("cb")], Then::Open),
        3 => Output::new(Vec::new(), Then::Impossible),
        4 => Output::new(vec![Act::Culls("f".to_owned())], Then::Closed),
        _ => Output::new(Vec::new(), Then::Died),
    }
}
