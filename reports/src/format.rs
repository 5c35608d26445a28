//! The formats by their words, and where each is made.

use std::io::Write;

use crate::Report;
use crate::events::Events;
use crate::github::Github;
use crate::html::Html;
use crate::json::Json;
use crate::junit::Junit;
use crate::markdown::Markdown;
use crate::tap::Tap;
use crate::text::{Options, Text};

/// A format of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// For people, in a terminal or a log.
    Text,
    /// The canonical report.
    Json,
    /// Everything that the run told, to be rendered later.
    Events,
    /// JUnit XML.
    Junit,
    /// The Test Anything Protocol.
    Tap,
    /// For a step summary of GitHub, a comment or a page.
    Markdown,
    /// Annotations of GitHub.
    Github,
    /// A page.
    Html,
}

impl Format {
    /// All formats.
    pub const ALL: [Format; 8] = [
        Format::Text,
        Format::Json,
        Format::Events,
        Format::Junit,
        Format::Tap,
        Format::Markdown,
        Format::Github,
        Format::Html,
    ];

    /// The format's word on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
            Format::Events => "events",
            Format::Junit => "junit",
            Format::Tap => "tap",
            Format::Markdown => "markdown",
            Format::Github => "github",
            Format::Html => "html",
        }
    }

    /// The format with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.word() == word)
    }

    /// All words, for an error message: `text, json, …`.
    #[must_use]
    pub fn words() -> String {
        Format::ALL.map(Format::word).join(", ")
    }

    /// Whether one report of this format shows several runs.
    #[must_use]
    pub fn takes_several(self) -> bool {
        !matches!(self, Format::Json | Format::Tap)
    }

    /// A report of this format that is written to `out`. Only text has options.
    #[must_use]
    pub fn report(self, out: impl Write + Send + 'static, options: Options) -> Box<dyn Report + Send> {
        match self {
            Format::Text => Box::new(Text::new(out, options)),
            Format::Json => Box::new(Json::new(out)),
            Format::Events => Box::new(Events::new(out)),
            Format::Junit => Box::new(Junit::new(out)),
            Format::Tap => Box::new(Tap::new(out)),
            Format::Markdown => Box::new(Markdown::new(out)),
            Format::Github => Box::new(Github::new(out)),
            Format::Html => Box::new(Html::new(out)),
        }
    }
}
