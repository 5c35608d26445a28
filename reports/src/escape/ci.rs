//! What a CI service would take for a command.
//!
//! A CI service reads what a job prints, and obeys some of it: it sets variables, changes the result
//! of the job, or folds lines. A peer may write such text into its name or into a value. So the last
//! character of each marker in [`COMMANDS`] is escaped wherever a report shows it.

use std::borrow::Cow;

/// A text that a CI service acts on at any place in a line, and which services do.
///
/// Sources: the runners of GitHub and Azure (`ActionCommand`, `Command.TryParse`), the manual of
/// TeamCity (service messages), the documentation of GitLab (custom collapsible sections), the log
/// viewer of Travis CI, and `ConsoleNote` of Jenkins. GitHub also obeys a line that begins with `::`,
/// see [`no_command`].
pub(crate) const COMMANDS: [(&str, &str); 8] = [
    ("##[", "GitHub, Azure"),
    ("##vso[", "Azure"),
    ("##teamcity[", "TeamCity"),
    ("section_start:", "GitLab"),
    ("section_end:", "GitLab"),
    ("travis_fold:", "Travis CI"),
    ("travis_time:", "Travis CI"),
    ("[8mha:", "Jenkins"),
];

/// Whether this character after this text completes a marker.
pub(super) fn completes_command(text: &str, c: char) -> bool {
    let completes = |marker: &str| {
        let Some(head) = marker.strip_suffix(c) else { return false };
        let start = text.len().checked_sub(head.len());
        start.and_then(|start| text.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(head))
    };
    COMMANDS.iter().any(|(marker, _)| completes(marker))
}

/// Escapes `::` at the start of a line, because a GitHub runner would execute it as a command.
///
/// ```
/// assert_eq!(dnode_reports::escape::no_command("::error::x"), r"\x3a:error::x");
/// ```
#[must_use]
pub fn no_command(line: &str) -> Cow<'_, str> {
    match line.trim_start().strip_prefix("::") {
        Some(rest) => Cow::Owned(format!(r"\x3a:{rest}")),
        None => Cow::Borrowed(line),
    }
}
