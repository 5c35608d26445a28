//! The command that repeats a case.

use crate::cases::Case;
use crate::shell::quote;

/// The words of the command line that repeat a case.
#[derive(Debug, Clone, Default)]
pub struct Command {
    /// The program, quoted for a shell.
    pub program: String,
    /// The arguments for the target, and all others that a verdict depends on.
    pub arguments: String,
}

impl Command {
    /// The command that runs this case again.
    #[must_use]
    pub fn repeat(&self, case: &Case) -> String {
        match &case.file {
            Some(file) => self.replay(file),
            None => self.line("run", &format!("--case {}", quote(case.id()))),
        }
    }

    /// The command that replays the transcript in this file.
    #[must_use]
    pub fn replay(&self, file: &str) -> String {
        self.line(&format!("replay {}", quote(file)), "")
    }

    /// The command that runs everything again.
    #[must_use]
    pub fn whole(&self) -> String {
        self.line("run", "")
    }

    fn line(&self, subcommand: &str, selection: &str) -> String {
        let words = [&self.program, subcommand, &self.arguments, selection];
        words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    }
}
