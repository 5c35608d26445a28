//! The formats by their words.

use std::io::Write;

use crate::events::Events;
use crate::github::Github;
use crate::html::Html;
use crate::json::Json;
use crate::junit::Junit;
use crate::markdown::Markdown;
use crate::report::Report;
use crate::tap::Tap;
use crate::text::{Options, Text};
use crate::words::words;

words! {
    /// A format of reports. The word is that of the command line.
    pub enum Format ("a format") {
        /// For people, in a terminal or a log.
        Text = "text",
        /// The canonical report.
        Json = "json",
        /// All events, as input for the other formats.
        Events = "events",
        /// JUnit XML.
        Junit = "junit",
        /// The Test Anything Protocol.
        Tap = "tap",
        /// For a GitHub step summary, a comment or a page.
        Markdown = "markdown",
        /// GitHub annotations.
        Github = "github",
        /// A web page.
        Html = "html",
    }
}

impl Format {
    /// All words, for an error message: `text, json, …`.
    #[must_use]
    pub fn words() -> String {
        Format::ALL.map(Format::word).join(", ")
    }

    /// Whether one report of this format can show several runs.
    #[must_use]
    pub fn takes_several(self) -> bool {
        !matches!(self, Format::Json | Format::Tap)
    }

    /// A report of this format to `out`. Only text uses the options.
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
