//! The formats of machines by their words.

use std::str::FromStr;

use dnode_spec::machine::File;

use super::{Learned, dot, html, markdown, mermaid, svg, text};
use crate::text::Options;
use crate::words::words;

words! {
    /// A format of machines. The word is that of the command line.
    pub enum MachineFormat ("a format of machines") {
        /// For people, in a terminal or a log.
        Text = "text",
        /// The machine as a file, without the comparison.
        Json = "json",
        /// For a GitHub step summary, a comment or a page.
        Markdown = "markdown",
        /// For Graphviz.
        Dot = "dot",
        /// For Mermaid.
        Mermaid = "mermaid",
        /// A drawing.
        Svg = "svg",
        /// A web page.
        Html = "html",
    }
}

/// A word that is no format of machines. The caller is at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a format of machines; expected one of: {words}", words = MachineFormat::words())]
pub struct UnknownFormat(pub String);

/// Why a format has nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum Unrendered {
    /// It shows only the machine, and there is none.
    #[error("{word} shows nothing but the machine, and there is none", word = .0.word())]
    NoMachine(MachineFormat),
    /// The machine cannot be written as JSON. This never happens.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl FromStr for MachineFormat {
    type Err = UnknownFormat;

    fn from_str(word: &str) -> Result<MachineFormat, UnknownFormat> {
        MachineFormat::from_word(word).ok_or_else(|| UnknownFormat(word.to_owned()))
    }
}

impl MachineFormat {
    /// All words, for an error message: `text, json, …`.
    #[must_use]
    pub fn words() -> String {
        MachineFormat::ALL.map(MachineFormat::word).join(", ")
    }

    /// The machine in this format. Only text uses the options: its width, and whether it has colours.
    ///
    /// # Errors
    /// [`Unrendered`]: the format shows nothing but the machine, and there is none.
    pub fn render(self, learned: &Learned, options: Options) -> Result<String, Unrendered> {
        let needs_machine = matches!(
            self,
            MachineFormat::Json | MachineFormat::Dot | MachineFormat::Mermaid | MachineFormat::Svg
        );
        if needs_machine && learned.machine.is_none() {
            return Err(Unrendered::NoMachine(self));
        }
        Ok(match self {
            MachineFormat::Text => text::write(learned, options.styles, options.width),
            MachineFormat::Json => json(learned)?,
            MachineFormat::Markdown => markdown::write(learned),
            MachineFormat::Dot => dot::write(learned),
            MachineFormat::Mermaid => mermaid::write(learned),
            MachineFormat::Svg => svg::write(learned),
            MachineFormat::Html => html::write(learned),
        })
    }
}

/// The file of the machine. Hidden characters are escaped.
fn json(learned: &Learned) -> Result<String, Unrendered> {
    let machine = learned.machine.clone().ok_or(Unrendered::NoMachine(MachineFormat::Json))?;
    let file = File {
        peer: learned.peer.clone(),
        left_out: learned.left_out.clone(),
        machine,
        mixed: learned.mixed.clone(),
    };
    Ok(crate::escape::json(&file.to_json()?))
}
