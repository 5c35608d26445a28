//! What happens in a run: the only interface between the runner and the reports.
//!
//! The runner emits one [`Event::Started`], then an [`Event::Judged`] for each planned case in the order of the
//! catalogue, then one [`Event::Ended`]. Several runs follow one another. Everything that a report shows is in these
//! values. Texts that come from the peer are raw here; each format escapes them for where it writes them.

use dnode_spec::clause::Level;
use serde::{Deserialize, Serialize};

/// One thing that happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// The run begins: the preflight is over and the cases are planned.
    Started(Run),
    /// A case has its verdict.
    Judged(Box<Outcome>),
    /// The run is over.
    Ended(Ended),
}

/// What is run against whom.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Run {
    /// The version of the suite.
    pub suite: String,
    /// What the peer calls itself (`conformProbe`), raw; `None` where it does not claim the probe.
    pub peer: Option<String>,
    /// How the peer is reached, for people: an address or a command. Not part of the canonical report.
    pub target: String,
    /// How many cases are planned.
    pub planned: usize,
    /// What the preflight found that a reader of the verdicts should know, one sentence each.
    pub notes: Vec<String>,
    /// The weakest level whose failures gate.
    #[serde(with = "crate::events::level")]
    pub gate: Level,
}

/// The verdict on a case. Every planned case gets exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The peer did what the clause says.
    Pass,
    /// The peer did something else.
    Fail,
    /// The peer's process ended, or the peer no longer accepts connections.
    Crash,
    /// The peer left the connection open and stopped answering.
    Hang,
    /// The case cannot be asked of this peer, for the reason given.
    NotApplicable,
    /// The case says nothing about this peer, for the reason given.
    Inconclusive,
    /// The suite itself failed.
    HarnessError,
}

impl Verdict {
    /// All verdicts, in the order in which reports count them.
    pub const ALL: [Verdict; 7] = [
        Verdict::Pass,
        Verdict::Fail,
        Verdict::Crash,
        Verdict::Hang,
        Verdict::NotApplicable,
        Verdict::Inconclusive,
        Verdict::HarnessError,
    ];

    /// The verdict's word, as it stands in files and reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Crash => "crash",
            Verdict::Hang => "hang",
            Verdict::NotApplicable => "not-applicable",
            Verdict::Inconclusive => "inconclusive",
            Verdict::HarnessError => "harness-error",
        }
    }

    /// Whether it says that something is wrong, with the peer or with the suite, and so is shown in full.
    #[must_use]
    pub fn is_finding(self) -> bool {
        matches!(self, Verdict::Fail | Verdict::Crash | Verdict::Hang | Verdict::HarnessError)
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// A case and its verdict.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outcome {
    /// The case's permanent id.
    pub id: String,
    /// One sentence about the case.
    pub about: String,
    /// The level of the clause that the verdict is about.
    #[serde(with = "crate::events::level")]
    pub level: Level,
    /// The clauses that the case tests.
    pub clauses: Vec<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, where the verdict is not-applicable, inconclusive, harness-error, or needs a word.
    pub reason: Option<String>,
    /// What differed, where the verdict is fail, crash or hang.
    pub divergence: Option<Divergence>,
    /// Why the verdict makes no run red although it would: the failure is known, the case newer than the gate, and so on. Not part of the
    /// canonical report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excuse: Option<String>,
    /// What a reader needs to believe and to repeat it. Not part of the canonical report.
    pub evidence: Evidence,
}

/// One difference between what a clause says and what the peer did.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Divergence {
    /// The label of the step: its `label`, or `step N` counted from 1, or `after the last step`.
    pub step: String,
    /// The clause that is broken.
    pub clause: String,
    /// What kind of difference, in a permanent word: `absent`, `unexpected`, `differs`, `closed`, `deaf`, `died` …
    pub kind: String,
    /// Where in the message, as a path from its root with names for functions (`arguments[0].inc`); empty for the whole.
    pub path: String,
    /// What was expected, in one line, raw.
    pub expected: String,
    /// What came, in one line, raw.
    pub actual: String,
    /// The stable short hash of what this difference is.
    pub fingerprint: String,
}

impl Divergence {
    /// How much it counts, by the level of its clause: a violation of what must hold, a deviation from what should, or something observed
    /// that is left free.
    #[must_use]
    pub fn weight(&self) -> &'static str {
        match dnode_spec::clause::find(&self.clause).map(|clause| clause.level) {
            Some(Level::Must | Level::Robust) => "violation",
            Some(Level::Should) => "deviation",
            Some(Level::Observed) | None => "observed",
        }
    }
}

/// What shows a verdict to a person.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// What went over the wire, in order.
    pub wire: Vec<Wire>,
    /// The steps of the transcript, one a line.
    pub transcript: String,
    /// The command that repeats just this case.
    pub repeat: String,
    /// How the peer's process ended, where it did and we had started it.
    pub death: Option<Death>,
}

/// Which end something came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum From {
    /// The suite.
    Suite,
    /// The peer under test.
    Peer,
}

/// One entry of the wire log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wire {
    /// Bytes that one end sent: one line, or a piece that is no line.
    Bytes {
        /// The end that sent them.
        from: From,
        /// The bytes, cut after the first few thousand.
        #[serde(with = "crate::events::bytes")]
        bytes: Vec<u8>,
        /// How many bytes were cut off.
        cut: usize,
    },
    /// Something that is not bytes: `closes`, `resets`, `half-closes`, `connects`.
    Event {
        /// The end that did it.
        from: From,
        /// What it did.
        what: String,
    },
    /// Entries that the log left out to stay small.
    Omitted(usize),
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Death {
    /// Its exit status or signal, in words.
    pub status: String,
    /// The last lines that it wrote to standard error, raw.
    pub stderr: String,
}

/// What verdicts are held against, beside the clauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reference {
    /// The known failures.
    Baseline,
    /// The behaviour of an earlier run.
    Snapshot,
}

impl Reference {
    /// Its word, as it stands in files and reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Reference::Baseline => "baseline",
            Reference::Snapshot => "snapshot",
        }
    }
}

/// Where what is known of a peer no longer holds. It makes a run red.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stale {
    /// What does not hold.
    pub reference: Reference,
    /// The case.
    pub id: String,
    /// In what, one sentence, raw.
    pub problem: String,
    /// What to do about it, one sentence.
    pub remedy: String,
}

/// How the run ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// It was interrupted: what was not run is inconclusive.
    pub interrupted: bool,
    /// At least one call was answered by the peer.
    pub answered: bool,
    /// What no longer holds of what was known before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale: Vec<Stale>,
}
