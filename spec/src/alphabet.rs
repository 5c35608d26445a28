//! The alphabet of a learned state machine: between an input and the bytes on the wire, and between
//! the peer's lines and an output.
//!
//! The alphabet is a file, `fixtures/machine/alphabet.jsonl`, whose steps are those of transcripts.
//! A [`Mapper`] is one connection: it makes the bytes of each input, and collects the peer's
//! messages as an [`Output`](crate::machine::Output). [`mod@reference`] is the peer of this crate behind
//! such a mapper. [`transcript`](Alphabet::transcript) writes a word as a transcript.
//!
//! Deliberately absent: sending, and knowing when the peer is silent. The learner's teacher does
//! that.

mod mapper;
mod numbers;
pub mod reference;
#[cfg(test)]
mod tests;
mod word;

pub use mapper::{Mapper, Saying, Unasked};
pub use word::Begins;

use crate::machine::{Act, Input};
use crate::transcript::{Action, Fault, Reader};
use numbers::Numbers;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The version of the file format.
pub const VERSION: u32 = 1;

/// An alphabet.
#[derive(Debug, Clone)]
pub struct Alphabet {
    /// Our first object, as the handshake of a transcript sends it.
    object: serde_json::Value,
    setups: Vec<Setup>,
    symbols: Vec<Symbol>,
}

/// The steps before the first input that get functions of the peer.
#[derive(Debug, Clone)]
struct Setup {
    needs: Vec<String>,
    steps: Vec<String>,
}

/// One input.
#[derive(Debug, Clone)]
pub struct Symbol {
    /// Its word.
    pub name: String,
    /// The part of the machine that it belongs to, for drawings.
    pub part: String,
    /// One sentence about it.
    pub about: String,
    /// The methods of the probe that it needs.
    pub needs: Vec<String>,
    /// The clause that a wrong answer breaks.
    pub clause: String,
    /// The function that the peer must have declared, and we must not have culled: `$word`.
    live: Option<String>,
    /// We must have culled p.
    after_cull: bool,
    /// We must have sent an object.
    after_object: bool,
    /// It gives p and q again.
    gives: bool,
    /// It culls p.
    culls: bool,
    /// The steps of ours.
    steps: Vec<String>,
    /// The answers that are known.
    answers: Vec<Known>,
    /// The steps of a transcript that judge the rest, if the input may end the connection.
    then: Vec<String>,
}

/// A known answer.
#[derive(Debug, Clone)]
struct Known {
    /// The step that expects it.
    text: String,
    /// The same in an output.
    act: Act,
}

/// A file that is no alphabet. The caller is at fault.
#[derive(Debug, thiserror::Error)]
pub enum AlphabetError {
    /// A line is not JSON of this form.
    #[error("line {0}: {1}")]
    Line(usize, serde_json::Error),
    /// The first line is missing.
    #[error("it is empty")]
    Empty,
    /// It has another version.
    #[error("it has version {0} of the format, and this program reads version {VERSION}")]
    Version(u32),
    /// The steps of an input make no transcript.
    #[error("{0}: {1}")]
    Steps(String, Fault),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderLine {
    #[serde(rename = "dnode-alphabet")]
    version: u32,
    object: serde_json::Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetupLine {
    setup: Vec<Box<RawValue>>,
    needs: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct InputLine {
    input: String,
    part: String,
    about: String,
    #[serde(default)]
    needs: Vec<String>,
    clause: String,
    live: Option<String>,
    #[serde(default)]
    after_cull: bool,
    #[serde(default)]
    after_object: bool,
    #[serde(default)]
    gives: bool,
    #[serde(default)]
    culls: bool,
    steps: Vec<Box<RawValue>>,
    #[serde(default)]
    answers: Vec<Box<RawValue>>,
    #[serde(default)]
    then: Vec<Box<RawValue>>,
}

impl Alphabet {
    /// Reads an alphabet.
    ///
    /// # Errors
    /// [`AlphabetError`].
    pub fn read(text: &str) -> Result<Alphabet, AlphabetError> {
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let wrong = |n: usize| move |error| AlphabetError::Line(n + 1, error);
        let (n, first) = lines.next().ok_or(AlphabetError::Empty)?;
        let header: HeaderLine = serde_json::from_str(first).map_err(wrong(n))?;
        if header.version != VERSION {
            return Err(AlphabetError::Version(header.version));
        }
        let object = header.object;
        let mut alphabet = Alphabet { object, setups: Vec::new(), symbols: Vec::new() };
        for (n, line) in lines {
            if line.trim_start().starts_with("{\"setup\"") {
                let SetupLine { setup, needs } = serde_json::from_str(line).map_err(wrong(n))?;
                alphabet.setups.push(Setup { needs, steps: texts(setup) });
            } else {
                let line: InputLine = serde_json::from_str(line).map_err(wrong(n))?;
                alphabet.symbols.push(line.into());
            }
        }
        alphabet.check()?;
        Ok(alphabet)
    }

    /// Checks that the inputs, one after another, make a transcript. Learns how their known answers
    /// look in outputs.
    fn check(&mut self) -> Result<(), AlphabetError> {
        let wrong = |name: &str| {
            let name = name.to_owned();
            move |fault| AlphabetError::Steps(name, fault)
        };
        let (mut reader, _) = Reader::begin(&self.header("machine/word", &[], Begins::WithNothing))
            .map_err(wrong("the header"))?;
        for step in self.setups.iter().flat_map(|setup| &setup.steps) {
            reader.line(&Numbers::default().fill(step)).map_err(wrong("the setup"))?;
        }
        let numbers = Numbers::default();
        for symbol in &mut self.symbols {
            for step in symbol.steps.iter().chain(&symbol.then) {
                reader.line(&numbers.fill(step)).map_err(wrong(&symbol.name))?;
            }
            for answer in &mut symbol.answers {
                let steps = reader.line(&numbers.fill(&answer.text)).map_err(wrong(&symbol.name))?;
                if let Some(Action::Expect(pattern, _)) = steps.first().map(|step| &step.action) {
                    answer.act = mapper::expected(pattern);
                }
            }
        }
        Ok(())
    }

    /// The inputs.
    #[must_use]
    pub fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// The names of the inputs.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.symbols.iter().map(|symbol| symbol.name.clone()).collect()
    }

    /// The input with this name.
    #[must_use]
    pub fn input(&self, name: &str) -> Option<Input> {
        self.symbols.iter().position(|symbol| symbol.name == name)
    }

    /// The alphabet for a peer that lacks methods of the probe, and the inputs that this leaves out,
    /// each with its reason.
    #[must_use]
    pub fn without(&self, lacks: impl Fn(&str) -> Option<String>) -> (Alphabet, Vec<(String, String)>) {
        let reason = |needs: &[String]| needs.iter().find_map(|method| lacks(method));
        let setups = self.setups.iter().filter(|setup| reason(&setup.needs).is_none()).cloned().collect();
        let mut left_out = Vec::new();
        let symbols = self.symbols.iter().filter(|symbol| match reason(&symbol.needs) {
            Some(reason) => {
                left_out.push((symbol.name.clone(), reason));
                false
            }
            None => true,
        });
        let symbols = symbols.cloned().collect();
        (Alphabet { object: self.object.clone(), setups, symbols }, left_out)
    }
}

fn texts(lines: Vec<Box<RawValue>>) -> Vec<String> {
    lines.iter().map(|line| line.get().to_owned()).collect()
}

impl From<InputLine> for Symbol {
    fn from(line: InputLine) -> Symbol {
        Symbol {
            name: line.input,
            part: line.part,
            about: line.about,
            needs: line.needs,
            clause: line.clause,
            live: line.live,
            after_cull: line.after_cull,
            after_object: line.after_object,
            gives: line.gives,
            culls: line.culls,
            steps: texts(line.steps),
            answers: texts(line.answers).into_iter().map(|text| Known { text, act: Act::Object }).collect(),
            then: texts(line.then),
        }
    }
}
