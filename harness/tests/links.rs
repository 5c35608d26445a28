//! Every relative link and anchor in a committed Markdown file resolves, by GitHub's rules for
//! anchors.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// The committed Markdown files, as paths from the root.
fn documents() -> Vec<PathBuf> {
    let output = Command::new("git").args(["ls-files", "-z", "--", "*.md"]).current_dir(root()).output();
    let output = output.unwrap_or_else(|error| panic!("this test needs git on the PATH: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).unwrap();
    names.split_terminator('\0').map(PathBuf::from).collect()
}

/// The lines outside of fenced code blocks, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((index + 1, line))
    })
}

/// The line without its code spans.
fn without_code(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, from_tick)) = rest.find('`').map(|at| rest.split_at(at)) {
        out.push_str(before);
        let ticks = from_tick.len() - from_tick.trim_start_matches('`').len();
        let (tick, after) = from_tick.split_at(ticks);
        rest = match after.find(tick) {
            Some(end) => &after[end + ticks..],
            None => after,
        };
    }
    out + rest
}

/// The targets of the links in a line: `[text](target)` and `[label]: target`.
fn targets(line: &str) -> Vec<String> {
    let line = without_code(line);
    let inline = line.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()));
    let definition = line.strip_prefix('[').and_then(|rest| Some(rest.split_once("]: ")?.1.to_owned()));
    inline.chain(definition).collect()
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    // Only the text of a link in a heading counts.
    let mut text = String::new();
    let mut rest = heading;
    while let Some((before, after)) = rest.split_once("](") {
        text.push_str(before);
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    let kept = text.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The anchors of a document. A heading that repeats another one gets a number.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let headings = prose(text).filter(|(_, line)| line.starts_with('#'));
    headings
        .map(|(_, line)| {
            let anchor = anchor(line.trim_start_matches('#'));
            let repeats = seen.entry(anchor.clone()).or_default();
            *repeats += 1;
            if *repeats == 1 { anchor } else { format!("{anchor}-{}", *repeats - 1) }
        })
        .collect()
}

/// Why this link of a document does not resolve, if it does not.
fn broken(document: &Path, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let file = match path.is_empty() {
        true => root().join(document),
        false => root().join(document.parent().unwrap()).join(path),
    };
    let Ok(file) = file.canonicalize() else { return Some("no such file".to_owned()) };
    if !file.starts_with(root()) {
        return Some("it leaves the repository".to_owned());
    }
    let is_document = file.extension().is_some_and(|extension| extension == "md");
    if anchor.is_empty() || !is_document {
        return None;
    }
    let text = std::fs::read_to_string(&file).unwrap();
    (!anchors(&text).contains(anchor)).then(|| "no such heading".to_owned())
}

#[test]
fn relative_links_resolve() {
    let mut wrong = Vec::new();
    for document in documents() {
        let text = std::fs::read_to_string(root().join(&document)).unwrap();
        for (number, line) in prose(&text) {
            for target in targets(line) {
                if let Some(reason) = broken(&document, &target) {
                    wrong.push(format!("{}:{number}: {target}: {reason}", document.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "links that do not resolve:\n{}", wrong.join("\n"));
}

#[test]
fn readme_links_every_page_of_the_documentation_and_is_short() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    for page in documents().iter().filter(|document| document.starts_with("harness/docs")) {
        assert!(
            readme.contains(&format!("({}", page.display())),
            "README.md does not link {}",
            page.display()
        );
    }
    for (document, limit) in [("README.md", 120), ("ARCHITECTURE.md", 200)] {
        let lines = std::fs::read_to_string(root().join(document)).unwrap().lines().count();
        assert!(lines <= limit, "{document} has {lines} lines: move details to harness/docs");
    }
}

#[test]
fn anchors_follow_the_rules_of_github() {
    let text = "# A `--flag`, and more\n## Where do I add …\n## Same\n## Same\n```\n# no heading\n```\n## [Link](x.md) text\n";
    let expected = ["a---flag-and-more", "where-do-i-add-", "same", "same-1", "link-text"];
    assert_eq!(anchors(text), expected.map(str::to_owned).into());
}

#[test]
fn broken_links_are_found() {
    assert_eq!(targets("see `[no](link)`, [a](b.md) and [c](#d)"), ["b.md", "#d"]);
    assert_eq!(targets("[label]: e.md"), ["e.md"]);
    let readme = Path::new("README.md");
    assert_eq!(broken(readme, "no-such-file.md").as_deref(), Some("no such file"));
    assert_eq!(broken(readme, "README.md#no-such-heading").as_deref(), Some("no such heading"));
    assert_eq!(broken(readme, "#exit-status"), None);
}
