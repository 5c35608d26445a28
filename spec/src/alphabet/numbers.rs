//! The numbers in the texts of an alphabet: functions that differ from input to input have a number
//! in their names.

use super::Symbol;

/// The numbers at one input of a word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    /// `{n}`: the number of the input in its word, from 1.
    pub input: usize,
    /// `{g}`: how often the peer gave p and q again.
    given: usize,
    /// `{c}`: the value of `{g}` when we last culled p.
    culled: Option<usize>,
}

impl Numbers {
    /// The numbers at the next input.
    pub(super) fn begin(&mut self, symbol: &Symbol) {
        self.input += 1;
        self.given += usize::from(symbol.gives);
    }

    /// The input was made. `answered`: all that it gives has come.
    pub(super) fn end(&mut self, symbol: &Symbol, answered: bool) {
        if symbol.gives && !answered {
            self.given -= 1;
        }
        if symbol.culls {
            self.culled = Some(self.given);
        }
    }

    /// Whether we have culled p.
    pub(super) fn has_culled(&self) -> bool {
        self.culled.is_some()
    }

    /// A text with these numbers.
    pub(super) fn fill(&self, text: &str) -> String {
        let text = text.replace("{n}", &self.input.to_string()).replace("{g}", &self.given.to_string());
        text.replace("{c}", &self.culled.unwrap_or_default().to_string())
    }
}
