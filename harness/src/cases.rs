//! The catalogue: which cases there are, which are selected, and which can be asked of a peer.

mod long;

pub use long::{Parts, Rest, read_long};

use crate::preflight::Facts;
use dnode_reports::event::Verdict;
use dnode_spec::clause::{self, CLAUSES, Clause, Judge, Level};
use dnode_spec::dialect::Dialect;
use dnode_spec::transcript::{Transcript, TranscriptError};
use globset::{Glob, GlobSet, GlobSetBuilder};

/// A transcript with its text.
#[derive(Debug, Clone)]
pub struct Case {
    /// The transcript.
    pub transcript: Transcript,
    /// Its lines, as they are written.
    pub text: String,
    /// The file that it was read from; none for the catalogue.
    pub file: Option<String>,
    /// The steps that follow those of the transcript, where it is too long to be held.
    pub rest: Option<Rest>,
}

impl Case {
    /// Reads a case from the text of its file.
    ///
    /// # Errors
    /// What is wrong with the transcript, and where.
    pub fn read(text: &str) -> Result<Case, TranscriptError> {
        let transcript = Transcript::read(text)?;
        Ok(Case { transcript, text: text.trim_end().to_owned(), file: None, rest: None })
    }

    /// Its permanent id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.transcript.header.id
    }

    /// Whether an end that speaks this dialect can be held to it.
    #[must_use]
    pub fn is_of(&self, dialect: Dialect) -> bool {
        self.transcript.header.dialect.is_none_or(|only| only == dialect)
    }

    /// The level of its first clause.
    #[must_use]
    pub fn level(&self) -> Level {
        self.transcript.header.clauses.first().map_or(Level::Observed, |clause| level(clause))
    }

    /// The verdict on a peer that cannot be asked, and why.
    #[must_use]
    pub fn ruled_out(&self, facts: &Facts) -> Option<(Verdict, String)> {
        if let Some(floods) = facts.floods {
            let reason = format!("{floods}, so nothing that it does can be told apart");
            return Some((Verdict::Inconclusive, reason));
        }
        if facts.ended {
            let reason = "the peer's process ended with its first connection";
            return Some((Verdict::Inconclusive, reason.to_owned()));
        }
        let header = &self.transcript.header;
        if let Some(only) = header.dialect.filter(|only| *only != facts.terms.dialect) {
            let reason = format!(
                "the transcript is one of dialect {only}, and --dialect says {}",
                facts.terms.dialect
            );
            return Some((Verdict::NotApplicable, reason));
        }
        let tests = |clause: &str| header.clauses.iter().any(|tested| tested == clause);
        let missing = |clause: &str| {
            let reason = needs(clause, "which this peer does not do");
            (facts.missing.contains(clause) && !tests(clause)).then_some((Verdict::Inconclusive, reason))
        };
        let silent = facts.members.is_none() || (header.manual_handshake && self.transcript.awaits_methods());
        if silent && let Some(reason) = missing("methods/sent") {
            return Some(reason);
        }
        if self.transcript.calls_methods_by_id()
            && let Some(reason) = missing("methods/by-id")
        {
            return Some(reason);
        }
        if let Some(reason) = header.requires.iter().find_map(|clause| missing(clause)) {
            return Some(reason);
        }
        // Where the known-good call is not answered, silence means nothing any more.
        let about_calling = tests("methods/by-id") || tests("methods/by-name");
        if facts.ping.is_none()
            && !about_calling
            && let Some(reason) = missing("methods/by-id").or_else(|| missing("methods/by-name"))
        {
            return Some(reason);
        }
        if let Some(reason) = facts.limits.refuses(&self.transcript) {
            return Some((Verdict::NotApplicable, reason));
        }
        if let Some(reason) = header.needs.iter().find_map(|method| facts.lacks(method)) {
            return Some((Verdict::NotApplicable, reason));
        }
        // The probe's own cases show what is wrong with a method; the others rest on it.
        let silent = header.needs.iter().find(|method| facts.unanswered.contains(method.as_str()));
        silent.filter(|_| !tests(PROBE_COMPLETE)).map(|method| {
            let reason = format!("{NEEDS}{method}{OF_THE_PROBE}, which this peer does not answer");
            (Verdict::Inconclusive, reason)
        })
    }
}

/// How the reason begins of a case that rests on what the peer does not do.
const NEEDS: &str = "needs ";

const OF_THE_PROBE: &str = " of the probe";

/// The reason of a case that rests on this clause.
pub(crate) fn needs(clause: &str, why: &str) -> String {
    format!("{NEEDS}{clause}, {why}")
}

/// The clause that a case with this reason rests on.
pub(crate) fn needed(reason: &str) -> Option<&str> {
    let (needed, _) = reason.strip_prefix(NEEDS)?.split_once(", ")?;
    Some(if needed.ends_with(OF_THE_PROBE) { PROBE_COMPLETE } else { needed })
}

/// The level of a clause.
#[must_use]
pub fn level(id: &str) -> Level {
    clause::find(id).map_or(Level::Observed, |clause| clause.level)
}

/// All cases of the catalogue for this dialect: first those that are run side by side, then the hostile ones; by id.
///
/// # Errors
/// The file and line of a transcript that cannot be read: a fault of the suite's.
pub fn catalogue(dialect: Dialect) -> Result<Vec<Case>, String> {
    let mut cases = all()?;
    cases.retain(|case| !case.transcript.header.server && case.is_of(dialect));
    Ok(cases)
}

/// The cases for a client that can only call and read one answer: it asks our object for its task, does it, and reports.
///
/// # Errors
/// As of [`catalogue`].
pub fn pull() -> Result<Vec<Case>, String> {
    Ok(all()?.into_iter().filter(|case| case.transcript.header.server).collect())
}

/// Those of both, in all dialects.
///
/// # Errors
/// As of [`catalogue`].
pub fn all() -> Result<Vec<Case>, String> {
    let read = dnode_fixtures::CATALOGUE.iter().map(|(id, text)| {
        let case = Case::read(text).map_err(|error| format!("fixtures/transcripts/{id}.jsonl, {error}"))?;
        if case.id() == *id { Ok(case) } else { Err(format!("the case {} lies in {id}.jsonl", case.id())) }
    });
    let mut cases: Vec<Case> = read.collect::<Result<_, _>>()?;
    cases.sort_by(|a, b| {
        let key = |case: &Case| (case.transcript.header.hostile, case.id().to_owned());
        key(a).cmp(&key(b))
    });
    Ok(cases)
}

/// The recorded sessions that speak for the end that connects. They are no cases of the catalogue.
#[must_use]
pub fn recorded() -> Vec<Case> {
    let read = dnode_fixtures::RECORDED.iter().filter_map(|text| Case::read(text).ok());
    read.filter(|case| !case.transcript.header.server).collect()
}

/// The id of the case that stands for a clause which the monitor judges on every line.
#[must_use]
pub fn invariant_id(clause: &Clause) -> String {
    format!("always/{}", clause.id.replace('/', "-"))
}

/// The clauses that the monitor judges in this dialect.
pub fn invariants(dialect: Dialect) -> impl Iterator<Item = &'static Clause> {
    CLAUSES.iter().filter(move |clause| clause.judge == Judge::Monitor && clause.is_of(dialect))
}

/// The case that stands for a peer which ends between the cases, or while several run, so that it is the fault of none.
pub const LIFE: &str = "always/robust-survives";

/// The clause of [`LIFE`].
pub const LIFE_CLAUSE: &str = "robust/survives";

/// What [`LIFE`] is about.
pub const LIFE_ABOUT: &str =
    "Over the whole run: the peer's process ends in no other moment than in a case that ends it by itself.";

/// The case that looks at the probe itself.
pub const PROBE_COMPLETE: &str = "probe/complete";

/// A case without a transcript: what it stands for shows in all the others.
#[derive(Debug, Clone)]
pub struct OverTheRun {
    /// Its permanent id.
    pub id: String,
    /// What it is about.
    pub clause: &'static Clause,
    /// One sentence about it.
    pub about: String,
    /// The version that it came with.
    pub since: &'static str,
}

/// The cases without a transcript, in all dialects: those of the monitor, of the peer's life and of the probe.
pub fn over_the_run() -> impl Iterator<Item = OverTheRun> {
    // A clause that the monitor comes to judge later says so here.
    let since = "0.1.0";
    let on_every_line = move |clause: &'static Clause| OverTheRun {
        id: invariant_id(clause),
        clause,
        about: format!("On every line of the run: {}", clause.text),
        since,
    };
    let one = move |id: &str, clause: &'static Clause, about: &str| OverTheRun {
        id: id.to_owned(),
        clause,
        about: about.to_owned(),
        since,
    };
    let life = clause::find(LIFE_CLAUSE).map(|clause| one(LIFE, clause, LIFE_ABOUT));
    let probe = clause::find(PROBE_COMPLETE).map(|clause| one(PROBE_COMPLETE, clause, clause.text));
    let monitored = CLAUSES.iter().filter(|clause| clause.judge == Judge::Monitor);
    monitored.map(on_every_line).chain(life).chain(probe)
}

/// Patterns of case ids.
#[derive(Debug, Clone)]
pub struct Selection(Option<GlobSet>);

impl Selection {
    /// Everything.
    #[must_use]
    pub fn all() -> Selection {
        Selection(None)
    }

    /// Reads patterns, `callback/*` for example; none selects everything.
    ///
    /// # Errors
    /// The pattern that is none, and why.
    pub fn new(patterns: &[String]) -> Result<Selection, String> {
        if patterns.is_empty() {
            return Ok(Selection(None));
        }
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            set.add(Glob::new(pattern).map_err(|error| format!("--case {pattern:?}: {error}"))?);
        }
        set.build().map(|set| Selection(Some(set))).map_err(|error| error.to_string())
    }

    /// Whether it selects everything.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.0.is_none()
    }

    /// Whether this case is selected.
    #[must_use]
    pub fn takes(&self, id: &str) -> bool {
        self.0.as_ref().is_none_or(|set| set.is_match(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_transcript_reads_and_every_testable_clause_has_a_case() {
        let cases = all().unwrap();
        let tested: BTreeSet<&str> =
            cases.iter().flat_map(|case| case.transcript.header.clauses.iter().map(String::as_str)).collect();
        for clause in
            CLAUSES.iter().filter(|clause| clause.judge == Judge::Case && clause.id != PROBE_COMPLETE)
        {
            assert!(tested.contains(clause.id), "no case tests {}", clause.id);
        }
    }

    #[test]
    fn a_case_is_of_the_dialect_of_its_clauses() {
        for case in all().unwrap() {
            for clause in case.transcript.header.clauses.iter().filter_map(|clause| clause::find(clause)) {
                assert!(
                    clause.dialect.is_none() || clause.dialect == case.transcript.header.dialect,
                    "{} tests {}",
                    case.id(),
                    clause.id
                );
            }
        }
    }

    #[test]
    fn a_reason_says_what_it_rests_on() {
        assert_eq!(needed(&needs("methods/by-id", "which failed in x")), Some("methods/by-id"));
        assert_eq!(needed("needs echo of the probe, which this peer does not answer"), Some(PROBE_COMPLETE));
        assert_eq!(needed("the run was interrupted"), None);
    }

    #[test]
    fn a_pattern_selects_by_id() {
        let selection = Selection::new(&["callback/*".to_owned()]).unwrap();
        assert!(selection.takes("callback/many") && !selection.takes("cull/many"));
        assert!(Selection::new(&["[".to_owned()]).is_err());
    }
}
