//! Writes a word of the alphabet as a transcript, with the expectations of a machine.

use super::numbers::Numbers;
use super::{Alphabet, Symbol};
use crate::machine::{Act, Input, Output, Then};
use serde_json::json;

/// The messages before the first input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begins {
    /// Only the calls that prepare the inputs.
    WithNothing,
    /// First our object, because the peer answers no call before it.
    WithObject,
}

impl Alphabet {
    /// The first line of a transcript.
    pub(super) fn header(&self, id: &str, word: &[Input], begins: Begins) -> String {
        let symbols = || word.iter().map(|&input| &self.symbols[input]);
        let clause = symbols().next_back().map_or("framing/newline", |symbol| &symbol.clause);
        let needs = self.setups.iter().flat_map(|setup| &setup.needs);
        let mut needs: Vec<&String> =
            needs.chain(self.symbols.iter().flat_map(|symbol| &symbol.needs)).collect();
        needs.sort();
        needs.dedup();
        let names: Vec<&str> = symbols().map(|symbol| symbol.name.as_str()).collect();
        let header = json!({
            "dnode-transcript": crate::transcript::VERSION,
            "id": id,
            "since": "0.1.0",
            "dialect": "0.2",
            "clauses": [clause],
            "needs": needs,
            "object": self.object,
            "handshake": match begins {
                Begins::WithNothing => "manual",
                Begins::WithObject => "auto",
            },
            "about": format!("A word of the learned state machine: {}.", names.join(", ")),
        });
        header.to_string()
    }

    fn opening(&self, begins: Begins) -> impl Iterator<Item = String> + '_ {
        let object = r#"{"expect":{"method":"methods","arguments":["?object"]}}"#.to_owned();
        let object = (begins == Begins::WithNothing).then_some(object);
        let steps = self.setups.iter().flat_map(|setup| &setup.steps);
        object.into_iter().chain(steps.map(|step| Numbers::default().fill(step)))
    }

    /// The word as a transcript that expects these outputs, one for each input. Acts that are no
    /// known answer to their input are left out.
    #[must_use]
    pub fn transcript(&self, id: &str, word: &[Input], outputs: &[Output], begins: Begins) -> String {
        let mut lines = vec![self.header(id, word, begins)];
        lines.extend(self.opening(begins));
        let last = word.len();
        let mut numbers = Numbers::default();
        for (n, (&input, output)) in word.iter().zip(outputs).enumerate() {
            let symbol = &self.symbols[input];
            let is_last = n + 1 == last;
            numbers.begin(symbol);
            if output.then == Then::Impossible {
                continue;
            }
            let label = format!("{}. {}", n + 1, symbol.name);
            let with = |text: &str, fields: &str| {
                let text = numbers.fill(text);
                format!("{{{fields},{}", text.trim_start().trim_start_matches('{'))
            };
            let clause = json!(symbol.clause);
            let judged = format!("\"label\":{},\"clause\":{clause}", json!(label));
            for step in &symbol.steps {
                lines.push(with(step, &judged));
            }
            for answer in output.acts.iter().filter_map(|act| symbol.answer_to(act)) {
                let judged = match answer.contains("\"clause\"") {
                    true => format!("\"label\":{}", json!(label)),
                    false => judged.clone(),
                };
                lines.push(with(answer, &judged));
            }
            for step in &symbol.then {
                lines.push(with(step, &judged));
            }
            // An answer that is not known gives nothing, as for the mapper.
            numbers.end(symbol, output.acts.iter().any(|act| symbol.answer_to(act).is_some()));
            if is_last && !output.then.is_end() {
                lines.push(format!("{{{judged},\"nothing\":true}}"));
            }
        }
        lines.join("\n") + "\n"
    }
}

impl Symbol {
    /// The step that expects this act.
    fn answer_to(&self, act: &Act) -> Option<&str> {
        self.answers.iter().find(|answer| answer.act == *act).map(|answer| answer.text.as_str())
    }
}
