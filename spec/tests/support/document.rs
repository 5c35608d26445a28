//! Reads `PROTOCOL.md`: its sentences with their clauses, and its fenced blocks.
//!
//! A sentence may be followed by one link to a clause. Notes, tables, headings, comments and
//! fenced blocks have no normative sentences.

use dnode_spec::clause::{self, CLAUSES, Clause, Level};
use dnode_spec::dialect::Dialect;
use std::collections::BTreeSet;

/// The groups that are not part of the wire, so the document says nothing about them, and why.
pub(crate) const EXEMPT: &[(&str, &str)] = &[
    ("probe", "it is about programs that are written for the suite"),
    ("interop", "it restates that all other clauses together are enough for two implementations"),
    ("document", "it restates framing/equal-ends, which can be tested"),
];

/// The start of the heading of the chapter about dialect 0.1.
const OTHER_DIALECT: &str = "## 14.";

/// A sentence, without code spans.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sentence {
    pub(crate) text: String,
    /// The text and the target of the link after it.
    pub(crate) link: Option<(String, String)>,
    /// It stands in the chapter about dialect 0.1.
    is_of_other_dialect: bool,
    is_note: bool,
}

/// A fenced block: the words after the fence, and the lines.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) info: String,
    pub(crate) lines: Vec<String>,
}

/// The fenced blocks.
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => open = Some(Block { info: info.to_owned(), lines: Vec::new() }),
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some(block)) => block.lines.push(line.to_owned()),
            (None, None) => {}
        }
    }
    found
}

/// The sentences of all paragraphs, list items and notes.
pub(crate) fn sentences(text: &str) -> Vec<Sentence> {
    let (mut found, mut paragraph) = (Vec::new(), String::new());
    let (mut is_fenced, mut is_of_other_dialect, mut is_note) = (false, false, false);
    for line in text.lines().chain([""]) {
        let is_fence = line.starts_with("```");
        is_fenced ^= is_fence;
        let is_prose = !is_fenced
            && !is_fence
            && !line.is_empty()
            && !line.starts_with(['#', '|'])
            && !line.starts_with("<!--");
        if !is_prose || line.starts_with("- ") {
            found.extend(split(&std::mem::take(&mut paragraph), is_of_other_dialect, is_note));
        }
        if is_prose {
            is_note = line.starts_with('>');
            paragraph.push_str(line.trim_start_matches(['>', '-', ' ']));
            paragraph.push(' ');
        }
        if line.starts_with("## ") && !is_fenced {
            is_of_other_dialect = line.starts_with(OTHER_DIALECT);
        }
    }
    found
}

/// The sentences of one paragraph.
fn split(paragraph: &str, is_of_other_dialect: bool, is_note: bool) -> Vec<Sentence> {
    let prose: String = paragraph.split('`').step_by(2).collect::<Vec<_>>().join("CODE");
    let (mut found, mut rest) = (Vec::new(), prose.trim());
    while !rest.is_empty() {
        let end = [". ", "? ", ": "].iter().filter_map(|mark| rest.find(mark)).min();
        let end = end.map_or(rest.len(), |at| at + 1);
        let (text, after) = rest.split_at(end);
        let mut sentence = Sentence { text: text.to_owned(), link: None, is_of_other_dialect, is_note };
        rest = after.trim_start();
        if let Some((link, after)) = clause_link(rest) {
            sentence.link = Some(link);
            rest = after.trim_start();
        }
        // A colon ends no sentence.
        let joined: Option<&mut Sentence> =
            found.last_mut().filter(|it: &&mut Sentence| it.text.ends_with(':'));
        match joined.filter(|it| it.link.is_none()) {
            Some(before) => {
                before.text = format!("{} {}", before.text, sentence.text);
                before.link = sentence.link;
            }
            None => found.push(sentence),
        }
    }
    found
}

/// The link to a clause with which `text` begins, and the text after it.
fn clause_link(text: &str) -> Option<((String, String), &str)> {
    let (label, rest) = text.strip_prefix('[')?.split_once("](")?;
    let (target, rest) = rest.split_once(')')?;
    let is_clause = target.starts_with("CLAUSES.md#") && !label.contains(']');
    is_clause.then(|| ((label.to_owned(), target.to_owned()), rest))
}

/// The problems of a document: each normative sentence has the clause that it states, with the
/// words of its level, and each clause of `clauses` has a sentence.
pub(crate) fn problems<'c>(text: &str, clauses: impl IntoIterator<Item = &'c Clause>) -> Vec<String> {
    let (mut found, mut stated) = (Vec::new(), BTreeSet::new());
    for sentence in sentences(text) {
        let why = match &sentence.link {
            Some((label, target)) => {
                stated.insert(label.clone());
                linked(&sentence, label, target)
            }
            None => unlinked(&sentence),
        };
        found.extend(why.map(|why| format!("{:?}: {why}", sentence.text)));
    }
    for clause in clauses {
        let is_exempt = EXEMPT.iter().any(|(group, _)| clause.id.starts_with(&format!("{group}/")));
        if !is_exempt && !stated.contains(clause.id) {
            found.push(format!("no sentence states {}: {}", clause.id, clause.text));
        }
    }
    found
}

/// All clauses.
pub(crate) fn all() -> impl Iterator<Item = &'static Clause> {
    CLAUSES.iter()
}

fn linked(sentence: &Sentence, label: &str, target: &str) -> Option<String> {
    let Some(clause) = clause::find(label) else { return Some(format!("there is no clause {label}")) };
    let link = clause.link();
    let anchor = link.rsplit('#').next().unwrap_or_default();
    if target != format!("CLAUSES.md#{anchor}") {
        return Some(format!("the link to {label} should lead to CLAUSES.md#{anchor}"));
    }
    if !sentence.text.ends_with('.') {
        return Some(format!("the link to {label} is within a sentence"));
    }
    if sentence.is_note {
        return Some("a note states no clause".to_owned());
    }
    if sentence.is_of_other_dialect != (clause.dialect == Some(Dialect::V0_1)) {
        return Some(format!("{label} belongs to the chapters of the other dialect"));
    }
    let words = words(&sentence.text);
    let fits = match clause.level {
        Level::Must | Level::Robust => words == BTreeSet::from(["MUST"]),
        Level::Should => words == BTreeSet::from(["SHOULD"]),
        Level::Observed => {
            let is_free = sentence.text.starts_with("The reference") || words.contains("MAY");
            is_free && words.iter().all(|word| *word == "MAY")
        }
    };
    (!fits).then(|| format!("these are not the words of {label}, which is {}", clause.level))
}

fn unlinked(sentence: &Sentence) -> Option<String> {
    if let Some(word) = words(&sentence.text).first() {
        return Some(format!("it says {word} and has no clause"));
    }
    (sentence.text.contains("](CLAUSES.md#")).then(|| "a link to a clause follows a full stop".to_owned())
}

/// The words of requirement in a sentence.
fn words(text: &str) -> BTreeSet<&str> {
    const WORDS: &[&str] = &["MUST", "SHOULD", "MAY", "SHALL", "REQUIRED", "RECOMMENDED", "OPTIONAL"];
    text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| WORDS.contains(word)).collect()
}

/// The text with the content between `<!-- NAME -->` and `<!-- end of NAME -->` replaced; `None` if
/// the text has no such place.
pub(crate) fn replaced(text: &str, name: &str, content: &str) -> Option<String> {
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->\n"));
    let (before, rest) = text.split_once(&start)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{start}{content}{end}{after}"))
}
