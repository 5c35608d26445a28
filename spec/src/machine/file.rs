//! Machines as JSON files. `fixtures/machine/README.md` describes the format.

use super::{Act, Edge, Machine, MachineError, Output, Then, Word, is_open};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// The version of the file format.
pub const VERSION: u32 = 1;

/// A machine in a file, with its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The name that the peer gives itself; `None` if it gives none.
    pub peer: Option<String>,
    /// The inputs that the peer's program cannot take, with the reason.
    pub left_out: Vec<(String, String)>,
    /// The machine.
    pub machine: Machine,
    /// The words that the peer answered in several ways.
    pub mixed: Vec<Mixed>,
}

/// A word that a peer answered in several ways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mixed {
    /// The inputs.
    pub word: Vec<String>,
    /// The answers to the last input, the most frequent one first.
    pub answers: Vec<Answer>,
}

/// One of several answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// How often it came.
    pub count: u64,
    /// The answer.
    pub output: Output,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    #[serde(rename = "dnode-machine")]
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    peer: Option<String>,
    inputs: Vec<String>,
    #[serde(default, rename = "left-out", skip_serializing_if = "IndexMap::is_empty")]
    left_out: IndexMap<String, String>,
    states: Vec<StoredState>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    nondeterministic: Vec<Mixed>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredState {
    /// For readers only: the shortest word that leads here.
    reached: Vec<String>,
    on: IndexMap<String, StoredEdge>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredEdge {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    acts: Vec<Act>,
    #[serde(default, skip_serializing_if = "is_open")]
    then: Then,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<usize>,
}

/// A file that has no machine. The caller is at fault.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is not JSON of this form.
    #[error("it is no machine: {0}")]
    Form(#[from] serde_json::Error),
    /// It has another version.
    #[error("it has version {found} of the format, and this program reads version {VERSION}")]
    Version {
        /// The version of the file.
        found: u32,
    },
    /// A state has no edge for an input.
    #[error("state {0} has no edge for {1:?}")]
    Missing(usize, String),
    /// The edges make no machine.
    #[error(transparent)]
    Machine(#[from] MachineError),
}

impl File {
    /// The text of the file: JSON with one edge on each line.
    ///
    /// # Errors
    /// Never in practice: all parts can be written as JSON.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let names = |word: &Word| word.iter().map(|&input| self.machine.inputs()[input].clone()).collect();
        let access = self.machine.access();
        let states = access
            .iter()
            .enumerate()
            .map(|(state, word)| StoredState { reached: names(word), on: self.on(state) });
        let stored = Stored {
            version: VERSION,
            peer: self.peer.clone(),
            inputs: self.machine.inputs().to_vec(),
            left_out: self.left_out.iter().cloned().collect(),
            states: states.collect(),
            nondeterministic: self.mixed.clone(),
        };
        lines(&serde_json::to_value(stored)?)
    }

    fn on(&self, state: usize) -> IndexMap<String, StoredEdge> {
        let edges = self.machine.inputs().iter().zip(self.machine.edges(state));
        let stored = edges.map(|(input, edge)| {
            let Output { acts, then } = edge.output.clone();
            (input.clone(), StoredEdge { acts, then, to: edge.to })
        });
        stored.collect()
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn read(text: &str) -> Result<File, FileError> {
        #[derive(Deserialize)]
        struct Version {
            #[serde(rename = "dnode-machine")]
            version: u32,
        }
        let Version { version: found } = serde_json::from_str(text)?;
        if found != VERSION {
            return Err(FileError::Version { found });
        }
        let stored: Stored = serde_json::from_str(text)?;
        let mut edges = Vec::new();
        for (n, mut state) in stored.states.into_iter().enumerate() {
            let row = stored.inputs.iter().map(|input| {
                let edge = state.on.swap_remove(input).ok_or_else(|| FileError::Missing(n, input.clone()))?;
                Ok(Edge { output: Output { acts: edge.acts, then: edge.then }, to: edge.to })
            });
            edges.push(row.collect::<Result<Vec<Edge>, FileError>>()?);
        }
        Ok(File {
            peer: stored.peer,
            left_out: stored.left_out.into_iter().collect(),
            machine: Machine::new(stored.inputs, edges)?,
            mixed: stored.nondeterministic,
        })
    }
}

/// Writes a value with its first levels on lines of their own, and all deeper ones on one line.
fn lines(value: &serde_json::Value) -> Result<String, serde_json::Error> {
    let mut out = String::new();
    write(&mut out, value, 0)?;
    out.push('\n');
    Ok(out)
}

/// The levels that get lines of their own: the file, `states`, a state, `on`.
const LEVELS: usize = 4;

fn write(out: &mut String, value: &serde_json::Value, level: usize) -> Result<(), serde_json::Error> {
    use serde_json::Value::{Array, Object};
    let indent = |out: &mut String, level: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", level));
    };
    match value {
        Array(items) if level < LEVELS && items.iter().any(|item| item.is_object()) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                out.push_str(if n > 0 { "," } else { "" });
                indent(out, level + 1);
                write(out, item, level + 1)?;
            }
            indent(out, level);
            out.push(']');
        }
        Object(members) if level < LEVELS && !members.is_empty() => {
            out.push('{');
            for (n, (key, member)) in members.iter().enumerate() {
                out.push_str(if n > 0 { "," } else { "" });
                indent(out, level + 1);
                out.push_str(&serde_json::to_string(key)?);
                out.push_str(": ");
                write(out, member, level + 1)?;
            }
            indent(out, level);
            out.push('}');
        }
        other => out.push_str(&serde_json::to_string(other)?),
    }
    Ok(())
}
