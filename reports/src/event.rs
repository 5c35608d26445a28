//! The events of a run: the only interface between the runner and the reports.
//!
//! The runner emits one [`Event::Started`], then one [`Event::Judged`] for each planned case in the
//! order of the catalogue, then one [`Event::Ended`]. Several runs follow one another. These values
//! hold everything that a report shows. Texts of the peer are raw here; each format escapes them.

mod status;
mod time;

use dnode_spec::clause::Level;
use dnode_spec::compare::Kind as DifferenceKind;
use dnode_spec::dialect::Dialect;
use serde::{Deserialize, Serialize};

use crate::words::words;
pub use status::{Status, StatusError};
pub use time::{Activity, TimeBase};

/// One event of a run.
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

/// The outcomes among these events.
pub fn outcomes(events: &[Event]) -> impl Iterator<Item = &Outcome> {
    events.iter().filter_map(|event| match event {
        Event::Judged(outcome) => Some(&**outcome),
        Event::Started(_) | Event::Ended(_) => None,
    })
}

/// The suite, the peer, and the plan of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Run {
    /// The version of the suite.
    pub suite: String,
    /// The name that the peer gives in its answer to `conformProbe`, raw; `None` if it does not
    /// claim the probe.
    pub peer: Option<String>,
    /// The role of the peer. Files leave it out if it is a server.
    #[serde(default, skip_serializing_if = "crate::serial::is_default")]
    pub role: Role,
    /// The dialect that the suite speaks. Files leave it out if it is the latest.
    #[serde(default, with = "crate::serial::dialect", skip_serializing_if = "crate::serial::is_default")]
    pub dialect: Dialect,
    /// Each case is a session with one client, and the id of the case is the name of the client.
    #[serde(default, skip_serializing_if = "crate::serial::is_default")]
    pub interop: bool,
    /// The peer's address or command, for people. Not part of the canonical report.
    pub target: String,
    /// How many cases are planned.
    pub planned: usize,
    /// Findings of the preflight that a reader of the verdicts should know, one sentence each.
    pub notes: Vec<String>,
    /// The weakest level whose failures gate.
    #[serde(with = "crate::serial::level")]
    pub gate: Level,
    /// The time that the deadlines count. Not part of the canonical report. Absent from files of
    /// earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<TimeBase>,
}

words! {
    /// The role of the peer under test.
    #[derive(Default)]
    pub enum Role ("a role of the peer") {
        /// The peer accepts connections.
        #[default]
        Server = "server",
        /// The peer connects to the suite.
        Client = "client",
    }
}

words! {
    /// The verdict on a case. Every planned case gets exactly one. Reports count the verdicts in
    /// this order.
    pub enum Verdict ("a verdict") {
        /// The peer did as the clause says.
        Pass = "pass",
        /// The peer did something else.
        Fail = "fail",
        /// The peer's process ended, or the peer no longer accepts connections.
        Crash = "crash",
        /// The peer left the connection open and stopped answering.
        Hang = "hang",
        /// The case does not apply to this peer, for the reason given.
        NotApplicable = "not-applicable",
        /// The case proves nothing about this peer, for the reason given.
        Inconclusive = "inconclusive",
        /// The suite itself failed.
        HarnessError = "harness-error",
    }
}

impl Verdict {
    /// Whether it reports a problem of the peer or of the suite. Reports show such verdicts in
    /// full.
    #[must_use]
    pub fn is_finding(self) -> bool {
        matches!(self, Verdict::Fail | Verdict::Crash | Verdict::Hang | Verdict::HarnessError)
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
    #[serde(with = "crate::serial::level")]
    pub level: Level,
    /// The clauses that the case tests.
    pub clauses: Vec<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// The reason for the verdict, one sentence. Not-applicable, inconclusive and harness-error
    /// always have one.
    pub reason: Option<String>,
    /// The clause that the case relies on and that the peer does not keep: the root of an
    /// inconclusive verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rests_on: Option<String>,
    /// The difference, if the verdict is fail, crash or hang.
    pub divergence: Option<Divergence>,
    /// Why a verdict that would gate does not: the failure is known, the case is newer than the
    /// gate, and so on. Not part of the canonical report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excuse: Option<String>,
    /// Material to check the verdict and to reproduce it. Not part of the canonical report.
    pub evidence: Evidence,
}

/// One difference between a clause and the peer's behaviour.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Divergence {
    /// The step: its `label`, or `step N` counted from 1, or `after the last step`.
    pub step: String,
    /// The id of the broken clause.
    pub clause: String,
    /// The kind of difference.
    pub kind: Kind,
    /// The place in the message, as a path from its root with names for functions
    /// (`arguments[0].inc`); empty if the difference concerns the whole message.
    pub path: String,
    /// The expected behaviour, in one line, raw.
    pub expected: String,
    /// The actual behaviour, in one line, raw.
    pub actual: String,
    /// The stable short hash of this difference.
    pub fingerprint: String,
}

impl Divergence {
    /// How much it counts, by the level of its clause: `violation` of a must or robust clause,
    /// `deviation` from a should clause, or `observed` if the protocol leaves the behaviour free.
    #[must_use]
    pub fn weight(&self) -> &'static str {
        match dnode_spec::clause::find(&self.clause).map(|clause| clause.level) {
            Some(Level::Must | Level::Robust) => "violation",
            Some(Level::Should) => "deviation",
            Some(Level::Observed) | None => "observed",
        }
    }
}

words! {
    /// The kind of a difference. The words feed the fingerprint, so they never change.
    pub enum Kind ("a kind of difference") {
        /// Something expected did not come.
        Absent = "absent",
        /// The peer sent a line that breaks a clause.
        Broken = "broken",
        /// The peer closed or reset the connection too early.
        Closed = "closed",
        /// The peer left the connection open and stopped answering.
        Deaf = "deaf",
        /// The peer's process ended, or the peer no longer accepts connections.
        Died = "died",
        /// The peer sent a different value.
        Differs = "differs",
        /// The peer sent more than the suite keeps.
        Flood = "flood",
        /// The peer does not serve a new connection.
        NotServed = "not-served",
        /// The peer sent two messages in the wrong order.
        Order = "order",
        /// The peer did not accept the connection.
        Refused = "refused",
        /// The peer sent something that nothing expects.
        Unexpected = "unexpected",
    }
}

impl From<DifferenceKind> for Kind {
    fn from(kind: DifferenceKind) -> Kind {
        match kind {
            DifferenceKind::Differs => Kind::Differs,
            DifferenceKind::Absent => Kind::Absent,
            DifferenceKind::Unexpected => Kind::Unexpected,
        }
    }
}

/// Material that shows a verdict to a person.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// The wire log: everything that went over the connection, in order.
    pub wire: Vec<Wire>,
    /// The steps of the transcript, one per line.
    pub transcript: String,
    /// The ids of the functions that have names in the transcript, for example `$cb is id 1001`.
    /// Absent from files of earlier versions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub names: String,
    /// The command that runs this case again.
    pub repeat: String,
    /// The number of the suite's function that the peer called, if nothing expects this call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<i64>,
    /// The texts of the divergence in which each cycle is a reference, if they have cycles. The texts
    /// of the divergence itself unroll them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycles: Option<Cycles>,
    /// How the peer's process ended, if the suite started it and it ended.
    pub death: Option<Death>,
    /// What the peer's processes did while an answer did not come, if the suite can see them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<Activity>,
    /// The standard error of the peer's processes from the time of the case, if it is a finding and
    /// they still run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stderr: Option<Written>,
    /// How long the case took, in milliseconds. Absent if it did not run, and from files of earlier
    /// versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took: Option<u64>,
}

words! {
    /// The end of the connection that did something.
    pub enum Origin ("an end of the connection") {
        /// The suite.
        Suite = "suite",
        /// The peer under test.
        Peer = "peer",
    }
}

/// One entry of the wire log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wire {
    /// Bytes that one end sent: one line, or a piece of a line.
    Bytes {
        /// The end that sent them.
        from: Origin,
        /// The first few thousand bytes.
        #[serde(with = "crate::serial::bytes")]
        bytes: Vec<u8>,
        /// How many more bytes there were.
        cut: usize,
        /// The step that sent or expected them, as a [`Divergence`] names it; empty if it is not
        /// known. Absent from files of earlier versions.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        step: String,
    },
    /// Something else that one end did.
    Event {
        /// The end that did it.
        from: Origin,
        /// The action.
        what: Act,
    },
    /// So many entries are left out to keep the log small.
    Omitted(usize),
}

impl Wire {
    /// Whether it is a whole message `methods`, as most ends write it.
    pub(crate) fn is_methods(&self) -> bool {
        matches!(self, Wire::Bytes { bytes, cut: 0, .. } if bytes.starts_with(br#"{"method":"methods""#))
    }
}

words! {
    /// An action on the connection other than to send bytes. The words continue a sentence: `the
    /// peer …`.
    pub enum Act ("an event of the wire log") {
        /// It closes the connection.
        Closes = "closes the connection",
        /// It closes its sending half and still reads.
        HalfCloses = "closes its sending half",
        /// It resets the connection.
        Resets = "resets the connection",
        /// It closes the connection because the peer sent more than the suite keeps.
        GivesUp = "gives up: the peer sends more than is kept",
        /// It opens a second connection.
        Reconnects = "connects a second time",
        /// The second connection answers.
        IsServedAgain = "is served on the second connection",
        /// It opens another connection, which the transcript names.
        OpensAnother = "opens another connection",
        /// The entries from here on are those of another connection.
        UsesAnother = "had this traffic on another connection",
    }
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Death {
    /// Its exit status or signal.
    pub status: Status,
    /// The first and the last lines that it wrote to standard error, raw; repeated lines are folded.
    pub stderr: String,
}

/// The expected and the actual behaviour in one line, raw, with references such as
/// `↑ arguments[0]` to the place where a cycle begins. A text without cycles is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cycles {
    /// The expected behaviour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The actual behaviour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
}

/// What processes wrote to standard error while a case ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The first and the last lines, raw; repeated lines are folded.
    pub text: String,
    /// Other cases ran at the same time, so a line may be about one of those.
    pub beside: bool,
}

words! {
    /// A file that a run is compared with, beside the clauses.
    pub enum Reference ("a reference") {
        /// The known failures.
        Baseline = "baseline",
        /// The behaviour of an earlier run.
        Snapshot = "snapshot",
    }
}

/// An entry of a reference that no longer holds. It makes the run fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stale {
    /// The reference.
    pub reference: Reference,
    /// The case.
    pub id: String,
    /// The problem with the entry, one sentence, raw.
    pub problem: String,
    /// How to fix it, one sentence.
    pub remedy: String,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// How the run ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The run was interrupted. Cases that had not run are inconclusive.
    pub interrupted: bool,
    /// The peer answered at least one call.
    pub answered: bool,
    /// Entries of the references that no longer hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale: Vec<Stale>,
    /// How often the connections of the run used each row of [`dnode_spec::state::TABLE`], in its
    /// order. Absent from files of earlier versions. Not part of the canonical report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub life: Vec<u64>,
    /// How many other reports could not be written. Only a report on standard output knows that.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unwritten: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for kind in Kind::ALL {
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(json, format!("\"{kind}\""));
            assert_eq!(serde_json::from_str::<Kind>(&json).unwrap(), kind);
        }
        let unknown = serde_json::from_str::<Verdict>("\"good\"").unwrap_err().to_string();
        assert!(unknown.starts_with("\"good\" is not a verdict; expected one of: pass, fail, "), "{unknown}");
    }

    #[test]
    fn every_status_reads_back() {
        let signal = |name: Option<&str>| Status::Signal { number: 11, name: name.map(str::to_owned) };
        for status in
            [Status::Exit(0), signal(Some("SIGSEGV")), signal(Some(" () ")), signal(None), Status::Unknown]
        {
            assert_eq!(status.to_string().parse(), Ok(status));
        }
        for words in ["", "exit status", "exit status x", "signal 1 (", "died"] {
            assert!(
                words.parse::<Status>().unwrap_err().to_string().contains("expected `exit status N`"),
                "{words}"
            );
        }
    }
}
