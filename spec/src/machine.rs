//! Mealy machines: the answers of a peer to each input in each state.
//!
//! Inputs are words of an alphabet ([`crate::alphabet`]). States have numbers, and 0 is the first
//! one. A [`Machine`] is normally [minimal](Machine::minimal): equal behaviour then means an equal
//! machine, also as a file.

mod difference;
mod file;
mod minimal;
#[cfg(test)]
mod tests;

pub use difference::{Difference, differences};
pub use file::{Answer, File, FileError, Mixed, VERSION};

use serde::{Deserialize, Serialize};

/// An input, as its index in [`Machine::inputs`].
pub type Input = usize;
/// A state, as its index.
pub type State = usize;
/// A sequence of inputs on a new connection.
pub type Word = Vec<Input>;

/// Something that a peer did.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// It called a function of ours.
    Calls {
        /// The name of the function in the alphabet.
        function: String,
        /// The arguments as a JSON array. Functions have the names of the alphabet, as in a
        /// transcript.
        arguments: String,
    },
    /// It called a name that our object does not have.
    CallsUnknown(String),
    /// It sent its object.
    Object,
    /// It culled this function of ours.
    Culls(String),
    /// It sent a line that breaks this clause.
    Breaks(String),
}

impl std::fmt::Display for Act {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Act::Calls { function, arguments } => {
                let inner = arguments.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
                write!(f, "{function}({})", inner.unwrap_or(arguments))
            }
            Act::CallsUnknown(name) => write!(f, "calls {name:?}"),
            Act::Object => f.write_str("methods"),
            Act::Culls(function) => write!(f, "culls {function}"),
            Act::Breaks(clause) => write!(f, "breaks {clause}"),
        }
    }
}

/// What holds after an input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Then {
    /// The connection is open.
    #[default]
    Open,
    /// The input cannot be made here: it names a function that does not exist yet or any more.
    Impossible,
    /// The peer closed the connection.
    Closed,
    /// The peer's process ended.
    Died,
    /// The peer does not answer, and the connection is open.
    Hung,
    /// We closed our sending half, and the peer does not close its own.
    Lingers,
}

impl Then {
    /// Whether the connection can take no further input.
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(self, Then::Closed | Then::Died | Then::Hung | Then::Lingers)
    }
}

/// The answer of a peer to one input. The acts are sorted, because a peer may handle calls
/// concurrently.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Output {
    /// The acts of the peer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acts: Vec<Act>,
    /// What holds afterwards.
    #[serde(default, skip_serializing_if = "is_open")]
    pub then: Then,
}

fn is_open(then: &Then) -> bool {
    *then == Then::Open
}

impl Output {
    /// These acts, on a connection that stays open or ends.
    #[must_use]
    pub fn new(mut acts: Vec<Act>, then: Then) -> Output {
        acts.sort();
        Output { acts, then }
    }
}

impl std::fmt::Display for Then {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Then::Open => "silence",
            Then::Impossible => "not possible",
            Then::Closed => "closed",
            Then::Died => "died",
            Then::Hung => "hung",
            Then::Lingers => "stays open",
        })
    }
}

impl Output {
    /// Whether the peer's process ended, or it stopped answering.
    #[must_use]
    pub fn is_harm(&self) -> bool {
        matches!(self.then, Then::Died | Then::Hung)
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut words: Vec<String> = self.acts.iter().map(Act::to_string).collect();
        if self.then != Then::Open || words.is_empty() {
            words.push(self.then.to_string());
        }
        f.write_str(&words.join(", "))
    }
}

/// The answer to an input, and the next state; `None` if the connection has ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Edge {
    /// The answer.
    pub output: Output,
    /// The next state.
    pub to: Option<State>,
}

/// A Mealy machine. Each state has an edge for each input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    inputs: Vec<String>,
    edges: Vec<Vec<Edge>>,
}

/// Edges that make no machine. The caller is at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MachineError {
    /// There is no state.
    #[error("the machine has no state")]
    Empty,
    /// A state has too few or too many edges.
    #[error("state {0} has {1} edges for {2} inputs")]
    Edges(State, usize, usize),
    /// An edge leads nowhere.
    #[error("the edge of state {0} for {1} leads to state {2}, which does not exist")]
    Target(State, String, State),
}

impl Machine {
    /// A machine with edges that are known to be right.
    pub(crate) fn of(inputs: Vec<String>, edges: Vec<Vec<Edge>>) -> Machine {
        Machine { inputs, edges }
    }

    /// A machine with these edges, a list for each state.
    ///
    /// # Errors
    /// [`MachineError`].
    pub fn new(inputs: Vec<String>, edges: Vec<Vec<Edge>>) -> Result<Machine, MachineError> {
        if edges.is_empty() {
            return Err(MachineError::Empty);
        }
        for (state, row) in edges.iter().enumerate() {
            if row.len() != inputs.len() {
                return Err(MachineError::Edges(state, row.len(), inputs.len()));
            }
            let lost = row
                .iter()
                .zip(&inputs)
                .find_map(|(edge, input)| Some((input, edge.to?)).filter(|(_, to)| *to >= edges.len()));
            if let Some((input, to)) = lost {
                return Err(MachineError::Target(state, input.clone(), to));
            }
        }
        Ok(Machine { inputs, edges })
    }

    /// The words of the alphabet, in its order.
    #[must_use]
    pub fn inputs(&self) -> &[String] {
        &self.inputs
    }

    /// The number of states.
    #[must_use]
    pub fn len(&self) -> usize {
        self.edges.len()
    }

    /// Whether it has no state. A machine always has one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }

    /// The edge of a state for an input.
    ///
    /// # Panics
    /// If there is no such state or input.
    #[must_use]
    pub fn edge(&self, state: State, input: Input) -> &Edge {
        &self.edges[state][input]
    }

    /// The edges of a state, in the order of the inputs.
    #[must_use]
    pub fn edges(&self, state: State) -> &[Edge] {
        &self.edges[state]
    }

    /// The outputs for a word, up to the end of the connection.
    pub fn run<'m>(&'m self, word: &'m [Input]) -> impl Iterator<Item = &'m Output> + 'm {
        let mut state = Some(0);
        word.iter().map_while(move |input| {
            let edge = self.edge(state?, *input);
            state = edge.to;
            Some(&edge.output)
        })
    }

    /// The state after a word; `None` if the connection has ended.
    #[must_use]
    pub fn state_after(&self, word: &[Input]) -> Option<State> {
        word.iter().try_fold(0, |state, input| self.edge(state, *input).to)
    }
}
