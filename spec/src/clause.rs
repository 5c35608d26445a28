//! The clauses: the sentences by which an implementation of dnode is judged.
//!
//! A clause is one plain sentence with a permanent id, a level, the source that it rests on, and
//! who judges it. The table is the only place where a clause is stated; reports, cases and the
//! generated `spec/CLAUSES.md` take it from here.
//!
//! Rules: an id is never renamed or reused. A `must` names a sentence of the protocol document, or
//! of JSON, on which that document builds. If only the reference implementation does it, the clause
//! is `observed`, unless two implementations cannot interoperate without it.

mod table;

pub use table::CLAUSES;

use crate::dialect::Dialect;

/// The weight of a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The protocol document says so. A failure gates.
    Must,
    /// The document recommends it, dnode-protocol 0.2 fixed it later, or interoperation needs it. A
    /// failure gates.
    Should,
    /// A peer must survive hostile input in this way. A failure gates.
    Robust,
    /// The reference implementation does it, and the document leaves it free. A failure is shown,
    /// and gates only on request.
    Observed,
}

impl Level {
    /// All levels, the strictest first.
    pub const ALL: [Level; 4] = [Level::Must, Level::Should, Level::Robust, Level::Observed];

    /// The name of the level in files and reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Level::Must => "must",
            Level::Should => "should",
            Level::Robust => "robust",
            Level::Observed => "observed",
        }
    }

    /// The level with the name `word`.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.word() == word)
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// The source of a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A sentence of the protocol document (`doc/protocol.markdown` in substack/dnode-protocol).
    Document {
        /// The heading above the sentence.
        section: &'static str,
        /// The number of the sentence below that heading, from 1. A list is part of the sentence
        /// before it.
        sentence: u8,
    },
    /// JSON itself (RFC 8259), on which the document's first sentence builds.
    Json {
        /// The section of RFC 8259.
        section: &'static str,
    },
    /// dnode-protocol 0.2.2 does it, as its source and the wire show.
    Reference {
        /// The place in the source of the reference implementation.
        place: &'static str,
    },
    /// This suite asks it of any peer that faces hostile input; no document says it.
    Hostile,
    /// This suite asks it of a program that claims to have the probe.
    Probe,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Document { section, sentence } => {
                write!(f, "protocol document, \"{section}\", sentence {sentence}")
            }
            Source::Json { section } => write!(f, "JSON (RFC 8259, section {section})"),
            Source::Reference { place } => write!(f, "reference implementation, {place}"),
            Source::Probe => f.write_str("this suite: what the probe must do to be of use"),
            Source::Hostile => f.write_str("this suite: what hostile input must not do"),
        }
    }
}

/// The judge of a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judge {
    /// The monitor judges it on every line of every session.
    Monitor,
    /// Cases of the catalogue test it.
    Case,
    /// Sessions between two implementations test it.
    Interop,
    /// It cannot be tested over the wire, for this reason.
    NotTestable(&'static str),
}

/// One clause of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clause {
    /// The permanent id, `group/words`.
    pub id: &'static str,
    /// The weight.
    pub level: Level,
    /// The source.
    pub source: Source,
    /// The clause in one sentence.
    pub text: &'static str,
    /// What usually causes a failure, and what to do about it. Empty for a clause that no run can
    /// show broken.
    pub hint: &'static str,
    /// The judge.
    pub judge: Judge,
    /// The only dialect that has this clause; `None` if both have it.
    pub dialect: Option<Dialect>,
}

impl Clause {
    /// Whether this dialect has the clause.
    #[must_use]
    pub fn is_of(&self, dialect: Dialect) -> bool {
        self.dialect.is_none_or(|only| only == dialect)
    }

    /// The address of this clause in the [document](to_markdown) of this version.
    ///
    /// The anchor of a heading is its text, reduced to letters, digits, hyphens and spaces.
    #[must_use]
    pub fn link(&self) -> String {
        let repository = env!("CARGO_PKG_REPOSITORY");
        let version = env!("CARGO_PKG_VERSION");
        format!("{repository}/blob/v{version}/spec/CLAUSES.md#{}", self.id.replace('/', ""))
    }
}

/// The clause with this id.
///
/// ```
/// assert_eq!(dnode_spec::clause::find("framing/json").unwrap().level.word(), "must");
/// ```
#[must_use]
pub fn find(id: &str) -> Option<&'static Clause> {
    CLAUSES.iter().find(|clause| clause.id == id)
}

/// The table as a Markdown document, the content of `spec/CLAUSES.md`.
#[must_use]
pub fn to_markdown() -> String {
    let mut out = String::from(
        "# Clauses\n\nGenerated from `spec/src/clause/table.rs`; `UPDATE=1 cargo test -p dnode-spec` rewrites it.\n\n\
         Each clause is one sentence that an implementation is judged by, with its level, its source, and who judges\n\
         it: the monitor on every line, or cases. A clause that cannot be tested says why. The hint says what usually\n\
         causes a failure.\n",
    );
    let mut group = "";
    for clause in CLAUSES {
        let (head, _) = clause.id.split_once('/').unwrap_or((clause.id, ""));
        if head != group {
            group = head;
            out.push_str(&format!("\n## {group}\n"));
        }
        let judge = match clause.judge {
            Judge::Monitor => "the monitor, on every line".to_owned(),
            Judge::Case => "cases".to_owned(),
            Judge::Interop => "sessions of two implementations (`dnode-conform interop`)".to_owned(),
            Judge::NotTestable(reason) => format!("nobody; not testable over the wire: {reason}"),
        };
        let hint = if clause.hint.is_empty() { String::new() } else { format!("\n\nHint: {}", clause.hint) };
        out.push_str(&format!(
            "\n### {}\n{}{hint}\n\n*{}* · {} · judged by {judge}{}\n",
            clause.id,
            clause.text,
            clause.level,
            clause.source,
            clause.dialect.map(|dialect| format!(" · dialect {dialect} only")).unwrap_or_default()
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_have_a_group() {
        let mut seen = std::collections::BTreeSet::new();
        for clause in CLAUSES {
            assert!(seen.insert(clause.id), "{} has two rows", clause.id);
            let (group, name) = clause.id.split_once('/').unwrap();
            let word =
                |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            assert!(word(group) && word(name) && !name.is_empty(), "{} is not group/words", clause.id);
        }
    }

    #[test]
    fn each_clause_that_can_fail_has_a_hint() {
        for clause in CLAUSES {
            let can_fail = !matches!(clause.judge, Judge::NotTestable(_));
            assert_eq!(can_fail, clause.hint.ends_with('.'), "{}: {:?}", clause.id, clause.hint);
        }
    }

    #[test]
    fn must_is_based_on_the_document_or_on_json() {
        for clause in CLAUSES.iter().filter(|clause| clause.level == Level::Must) {
            assert!(
                matches!(clause.source, Source::Document { .. } | Source::Json { .. }),
                "{} is must, but its source is {}",
                clause.id,
                clause.source
            );
        }
    }

    #[test]
    fn links_are_unique() {
        let links: std::collections::BTreeSet<String> = CLAUSES.iter().map(Clause::link).collect();
        assert_eq!(links.len(), CLAUSES.len());
        // The groups are headings too.
        let group = |link: &String| {
            CLAUSES.iter().any(|it| link.ends_with(&format!("#{}", it.id.split('/').next().unwrap())))
        };
        assert!(!links.iter().any(group));
        let link = find("framing/split-character").unwrap().link();
        assert!(link.ends_with("/spec/CLAUSES.md#framingsplit-character"), "{link}");
    }

    #[test]
    fn level_is_found_by_its_word() {
        for level in Level::ALL {
            assert_eq!(Level::from_word(level.word()), Some(level));
        }
        assert_eq!(Level::from_word("Must"), None);
    }

    #[test]
    fn document_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/CLAUSES.md");
        crate::fresh::assert_fresh(path, &to_markdown());
    }
}
