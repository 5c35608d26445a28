//! The layout of reports as text: columns, wrapping, colours, and the one place where text is
//! escaped.

use anstyle::{AnsiColor, Style};

use crate::escape::{self, no_command};
use crate::event::Verdict;

/// How wide a line is if nothing else is said, and how wide it can be.
pub(crate) const WIDTH: usize = 100;
const WIDTHS: std::ops::RangeInclusive<usize> = 60..=200;

/// How many characters of one text are shown.
const LONGEST: usize = 800;

/// The colours, by meaning.
pub(crate) mod style {
    use anstyle::{AnsiColor, Style};

    pub(crate) const PLAIN: Style = Style::new();
    pub(crate) const BOLD: Style = Style::new().bold();
    pub(crate) const FAINT: Style = Style::new().dimmed();
    pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
    pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
    pub(crate) const UNSURE: Style = AnsiColor::Yellow.on_default().bold();
}

/// The colour of a verdict.
pub(crate) fn verdict_style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Pass => style::GOOD,
        Verdict::Fail | Verdict::Crash | Verdict::Hang => style::BAD,
        Verdict::NotApplicable => AnsiColor::Cyan.on_default(),
        Verdict::Inconclusive | Verdict::HarnessError => style::UNSURE,
    }
}

/// A text with layout. Every method escapes its arguments.
pub(crate) struct Page {
    text: String,
    styles: bool,
    width: usize,
}

impl Page {
    /// A page with lines of this width, as far as it is a sensible one.
    pub(crate) fn new(styles: bool, width: usize) -> Self {
        Page { text: String::new(), styles, width: width.clamp(*WIDTHS.start(), *WIDTHS.end()) }
    }

    /// How many lines it has.
    pub(crate) fn lines_so_far(&self) -> usize {
        self.text.matches('\n').count()
    }

    /// How wide a line may be.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn into_string(self) -> String {
        self.text
    }

    /// An empty line.
    pub(crate) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// One line of any length.
    pub(crate) fn plain(&mut self, indent: usize, style: Style, text: &str) {
        self.text.push_str(&" ".repeat(indent));
        self.push(style, &no_command(&escape::terminal(text)));
        self.blank();
    }

    /// The first line of a finding.
    pub(crate) fn title(&mut self, verdict: Verdict, mark: &str, id: &str) {
        self.blank();
        self.push(verdict_style(verdict), &verdict.word().to_uppercase());
        self.push(style::FAINT, mark);
        self.text.push_str("  ");
        self.push(style::BOLD, &escape::terminal(id));
        self.blank();
    }

    /// A case in the list of all cases.
    pub(crate) fn listed(&mut self, verdict: Verdict, id: &str, note: Option<&str>) {
        let note = note.map(|note| format!(": {note}")).unwrap_or_default();
        self.labelled(&format!("{:14}  ", verdict.word()), verdict_style(verdict), &format!("{id}{note}"));
    }

    /// A text with a label. Its lines are aligned. Without a label it continues the field before.
    pub(crate) fn field(&mut self, label: &str, style: Style, value: &str) {
        self.wrapped(&format!("  {label:10}  "), style, value);
    }

    /// The heading of a block.
    pub(crate) fn block(&mut self, label: &str, about: &str) {
        self.blank();
        self.field(label, style::FAINT, about);
    }

    /// A text behind a gutter. Its lines are aligned.
    pub(crate) fn wrapped(&mut self, gutter: &str, style: Style, text: impl AsRef<[u8]>) {
        self.wrapped_cut(gutter, style, text, 0);
    }

    /// Like [`Page::wrapped`], for a text that was already cut by `missing` bytes.
    pub(crate) fn wrapped_cut(&mut self, gutter: &str, style: Style, text: impl AsRef<[u8]>, missing: usize) {
        let shown = escape::terminal_cut(text, LONGEST, missing);
        self.lines(style::FAINT, gutter, style, &shown);
    }

    /// A text behind a gutter on one line. If it does not fit, its end is cut, and the line says how
    /// long it is. `missing` bytes were already cut off.
    pub(crate) fn one_line(&mut self, gutter: &str, style: Style, text: impl AsRef<[u8]>, missing: usize) {
        let room = self.width - gutter.chars().count();
        let mut shown = escape::terminal(&text);
        if missing > 0 || shown.chars().count() > room {
            let mark = format!("… ({} bytes)", text.as_ref().len().saturating_add(missing));
            shown = shown.chars().take(room - mark.chars().count()).collect::<String>() + &mark;
        }
        self.lines(style::FAINT, gutter, style, &shown);
    }

    /// A text behind a gutter that has a colour.
    pub(crate) fn labelled(&mut self, gutter: &str, gutter_style: Style, text: &str) {
        let shown = escape::terminal_cut(text, LONGEST, 0);
        self.lines(gutter_style, gutter, style::PLAIN, &shown);
    }

    /// A command behind a gutter. It stays on one line, to be copied.
    pub(crate) fn command(&mut self, gutter: &str, command: &str) {
        self.push(style::FAINT, gutter);
        self.plain(0, style::BOLD, command);
    }

    /// A row of a table: its cells have their own colours.
    pub(crate) fn row(&mut self, cells: &[(String, Style)]) {
        for (cell, style) in cells {
            self.push(*style, &no_command(&escape::terminal(cell)));
        }
        let kept = self.text.trim_end_matches(' ').len();
        self.text.truncate(kept);
        self.blank();
    }

    /// The lines of an escaped text, the first one behind the gutter.
    fn lines(&mut self, gutter_style: Style, gutter: &str, style: Style, escaped: &str) {
        let indent = gutter.chars().count();
        for (number, line) in wrap(escaped, self.width - indent).into_iter().enumerate() {
            match (number, line) {
                (0, "") => self.push(gutter_style, gutter.trim_end()),
                (0, _) => self.push(gutter_style, gutter),
                _ => self.text.push_str(&" ".repeat(indent)),
            }
            self.push(style, &no_command(line));
            self.blank();
        }
    }

    /// Adds an escaped text.
    fn push(&mut self, style: Style, escaped: &str) {
        if self.styles && !escaped.is_empty() && style != style::PLAIN {
            self.text.push_str(&format!("{style}{escaped}{style:#}"));
        } else {
            self.text.push_str(escaped);
        }
    }
}

/// Wraps the text into lines of at most `width` characters. A line breaks after its last space or
/// comma; if it has none, after its last bracket or colon; if it has none of them either, anywhere.
/// So only words that are longer than a line are broken.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some((end, _)) = rest.char_indices().nth(width) {
        let head = rest.get(..end).unwrap_or(rest);
        let after = |breaks: &[char]| head.rfind(breaks).map(|at| at + 1);
        let at = after(&[' ', ',']).or_else(|| after(&['{', '}', '[', ']', ':'])).unwrap_or(end);
        // A word that is longer than a line is broken anyway, so it need not begin on a new one.
        let word = rest[at..].find([' ', ',']).unwrap_or(rest.len() - at);
        let at = if word > width && at * 2 < end { end } else { at };
        let (line, tail) = rest.split_at(at);
        lines.push(line.trim_end_matches(' '));
        rest = tail.strip_prefix(' ').unwrap_or(tail);
    }
    lines.push(rest);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_break_after_a_space_or_a_comma() {
        assert_eq!(wrap("one two three", 9), ["one two", "three"]);
        assert_eq!(wrap("[100,200,300]", 9), ["[100,200,", "300]"]);
        assert_eq!(wrap("abcdefghijkl", 5), ["abcde", "fghij", "kl"]);
        assert_eq!(wrap("a bcdefghijkl", 8), ["a bcdefg", "hijkl"]);
        assert_eq!(wrap("{\"a\":{\"b\":1}}", 9), ["{\"a\":{", "\"b\":1}}"]);
        assert_eq!(wrap("", 5), [""]);
    }

    /// A report says how many bytes it cut, and a report may say anything.
    #[test]
    fn any_number_of_missing_bytes_fits() {
        let mut page = Page::new(false, *WIDTHS.start());
        page.one_line("gutter  ", style::PLAIN, "x".repeat(500), usize::MAX);
        assert!(page.text.ends_with(&format!("… ({} bytes)\n", usize::MAX)), "{}", page.text);
    }

    proptest! {
        #[test]
        fn wrapping_loses_only_spaces(text in "[a-zé ,日]{0,60}", width in 1usize..20) {
            let lines = wrap(&text, width);
            prop_assert!(lines.iter().all(|line| line.chars().count() <= width));
            prop_assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        }
    }
}
