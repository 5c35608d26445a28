//! The account of a run: the count of each verdict, and the exit status.
//!
//! Rules: each case is counted once, under its verdict, so the counts add up to the planned cases.
//! A failure gates if its level is at least as strict as the gate, in the order must, should,
//! robust, observed. A crash or a hang gates at every level. An excused case never affects the exit
//! status.
//!
//! The exit status is
//! - 1 if a gating case failed, any case ended in crash or hang, or an entry of a baseline or
//!   snapshot no longer holds;
//! - else 2 if the run proves nothing: it was interrupted, the suite itself failed, a case is
//!   inconclusive or has no verdict, nothing was executed, or the peer answered no call;
//! - else 0. Cases that are not applicable do not make a run fail, unless nothing else was planned.

use std::collections::BTreeMap;
use std::fmt;

use dnode_spec::clause::Level;

use crate::event::{Ended, Outcome, Reference, Run, Stale, Verdict};

/// The count of each verdict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    verdicts: BTreeMap<Verdict, usize>,
    /// The failures by level, without the excused ones.
    failures: BTreeMap<Level, usize>,
    /// The excused cases by verdict.
    excused: BTreeMap<Verdict, usize>,
}

/// The exit status and its reasons. Shown as `exit 1: 3 gating failures, 2 crashes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// The exit status: 0, 1 or 2.
    pub status: u8,
    /// All reasons, in a fixed order.
    pub why: String,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit {}: {}", self.status, self.why)
    }
}

/// Whether a failure at `level` gates. `gate` is the weakest level that gates.
#[must_use]
pub fn gates(level: Level, gate: Level) -> bool {
    level <= gate
}

impl Outcome {
    /// Whether this verdict makes the run fail. `gate` is the weakest level that gates.
    #[must_use]
    pub fn gates(&self, gate: Level) -> bool {
        match self.verdict {
            _ if self.excuse.is_some() => false,
            Verdict::Fail => gates(self.level, gate),
            Verdict::Crash | Verdict::Hang => true,
            Verdict::Pass | Verdict::NotApplicable | Verdict::Inconclusive | Verdict::HarnessError => false,
        }
    }
}

impl Account {
    /// Adds a case.
    pub fn add(&mut self, outcome: &Outcome) {
        *self.verdicts.entry(outcome.verdict).or_default() += 1;
        if outcome.excuse.is_some() {
            *self.excused.entry(outcome.verdict).or_default() += 1;
        } else if outcome.verdict == Verdict::Fail {
            *self.failures.entry(outcome.level).or_default() += 1;
        }
    }

    /// How many cases got this verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.verdicts.get(&verdict).copied().unwrap_or_default()
    }

    /// How many cases got this verdict without an excuse.
    fn counting(&self, verdict: Verdict) -> usize {
        self.count(verdict) - self.excused.get(&verdict).copied().unwrap_or_default()
    }

    /// How many cases have a verdict.
    #[must_use]
    pub fn total(&self) -> usize {
        self.verdicts.values().sum()
    }

    /// Whether every planned case has a verdict.
    #[must_use]
    pub fn complete(&self, planned: usize) -> bool {
        self.total() == planned
    }

    /// How many cases failed at a level that gates. Crashes and hangs are not among them.
    #[must_use]
    pub fn gating_failures(&self, gate: Level) -> usize {
        self.failures.iter().filter(|(level, _)| gates(**level, gate)).map(|(_, count)| count).sum()
    }

    /// How many cases were executed and say something about the peer.
    #[must_use]
    pub fn executed(&self) -> usize {
        [Verdict::Pass, Verdict::Fail, Verdict::Crash, Verdict::Hang]
            .map(|verdict| self.count(verdict))
            .iter()
            .sum()
    }

    /// The counts in one line: `12 planned: 9 pass, 2 fail (1 not gating), 1 crash (1 excused)`.
    #[must_use]
    pub fn sum(&self, run: &Run, ended: &Ended) -> String {
        let below = self.counting(Verdict::Fail) - self.gating_failures(run.gate);
        let counts: Vec<String> = Verdict::ALL
            .into_iter()
            .filter(|verdict| self.count(*verdict) > 0)
            .map(|verdict| {
                let not_gating = if verdict == Verdict::Fail { below } else { 0 };
                let mut marks = Vec::new();
                push_count(&mut marks, not_gating, "not gating", "not gating");
                push_count(&mut marks, self.count(verdict) - self.counting(verdict), "excused", "excused");
                let marks = if marks.is_empty() { String::new() } else { format!(" ({})", marks.join(", ")) };
                format!("{} {verdict}{marks}", self.count(verdict))
            })
            .collect();
        let counts = if counts.is_empty() { "no verdict".to_owned() } else { counts.join(", ") };
        let interrupted = if ended.interrupted { ", interrupted" } else { "" };
        format!("{} planned{interrupted}: {counts}", run.planned)
    }

    /// The exit status of the run.
    #[must_use]
    pub fn exit_status(&self, run: &Run, ended: &Ended) -> u8 {
        self.exit(run, ended).status
    }

    /// The exit status of the run, with its reasons.
    #[must_use]
    pub fn exit(&self, run: &Run, ended: &Ended) -> Exit {
        let red = self.red(run.gate, ended);
        let mut unwritten = Vec::new();
        push_count(&mut unwritten, ended.unwritten, "report cannot be written", "reports cannot be written");
        if !unwritten.is_empty() {
            unwritten.extend(red);
            return Exit { status: 2, why: unwritten.join(", ") };
        }
        if !red.is_empty() {
            return Exit { status: 1, why: red.join(", ") };
        }
        let void = self.void(run.planned, ended);
        if !void.is_empty() {
            return Exit { status: 2, why: void.join(", ") };
        }
        Exit { status: 0, why: "nothing that gates failed".to_owned() }
    }

    /// The reasons for exit status 1.
    fn red(&self, gate: Level, ended: &Ended) -> Vec<String> {
        let mut why = Vec::new();
        push_count(&mut why, self.gating_failures(gate), "gating failure", "gating failures");
        push_count(&mut why, self.counting(Verdict::Crash), "crash", "crashes");
        push_count(&mut why, self.counting(Verdict::Hang), "hang", "hangs");
        let stale =
            |reference| ended.stale.iter().filter(|stale: &&Stale| stale.reference == reference).count();
        let baseline = stale(Reference::Baseline);
        push_count(&mut why, baseline, "stale baseline entry", "stale baseline entries");
        let snapshot = stale(Reference::Snapshot);
        push_count(&mut why, snapshot, "difference from the snapshot", "differences from the snapshot");
        why
    }

    /// The reasons for exit status 2.
    fn void(&self, planned: usize, ended: &Ended) -> Vec<String> {
        let mut why = Vec::new();
        if ended.interrupted {
            why.push("interrupted".to_owned());
        }
        push_count(&mut why, self.counting(Verdict::HarnessError), "harness error", "harness errors");
        push_count(&mut why, self.counting(Verdict::Inconclusive), "case inconclusive", "cases inconclusive");
        if !self.complete(planned) {
            why.push(format!("{} of {planned} planned cases judged", self.total()));
        }
        if self.executed() == 0 {
            why.push("no case was executed".to_owned());
        }
        if !ended.answered {
            why.push("the peer answered no call".to_owned());
        }
        why
    }
}

/// Adds `COUNT word`, unless the count is 0.
fn push_count(why: &mut Vec<String>, count: usize, one: &str, many: &str) {
    match count {
        0 => {}
        1 => why.push(format!("1 {one}")),
        _ => why.push(format!("{count} {many}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{self, FINE};

    /// The exit of a run of exactly these cases.
    fn exit(gate: Level, cases: &[(Verdict, Level)], ended: Ended) -> String {
        let mut account = Account::default();
        for (verdict, level) in cases {
            account.add(&Outcome { level: *level, ..sample::outcome("a/case", *verdict) });
        }
        account.exit(&Run { gate, ..sample::run(cases.len()) }, &ended).to_string()
    }

    #[test]
    fn passes_exit_0() {
        let cases = [(Verdict::Pass, Level::Must), (Verdict::NotApplicable, Level::Must)];
        assert_eq!(exit(Level::Robust, &cases, FINE), "exit 0: nothing that gates failed");
    }

    #[test]
    fn failure_gates_at_its_level_and_weaker_gates() {
        for level in Level::ALL {
            for gate in Level::ALL {
                let cases = [(Verdict::Pass, Level::Must), (Verdict::Fail, level)];
                let expected = match level <= gate {
                    true => "exit 1: 1 gating failure",
                    false => "exit 0: nothing that gates failed",
                };
                assert_eq!(exit(gate, &cases, FINE), expected, "{level} with the gate {gate}");
            }
        }
        let strictest_first = [Level::Must, Level::Should, Level::Robust, Level::Observed];
        assert!(strictest_first.is_sorted() && gates(Level::Must, Level::Must));
        assert!(gates(Level::Should, Level::Robust) && !gates(Level::Observed, Level::Robust));
    }

    #[test]
    fn crash_and_hang_gate_at_every_level() {
        for gate in Level::ALL {
            let crash = [(Verdict::Pass, Level::Must), (Verdict::Crash, Level::Observed)];
            assert_eq!(exit(gate, &crash, FINE), "exit 1: 1 crash");
            let hang = [(Verdict::Hang, Level::Observed), (Verdict::Hang, Level::Must)];
            assert_eq!(exit(gate, &hang, FINE), "exit 1: 2 hangs");
        }
    }

    #[test]
    fn harness_error_exits_2() {
        let cases = [(Verdict::Pass, Level::Must), (Verdict::HarnessError, Level::Observed)];
        assert_eq!(exit(Level::Robust, &cases, FINE), "exit 2: 1 harness error");
    }

    #[test]
    fn inconclusive_without_failure_exits_2() {
        let cases = [(Verdict::Pass, Level::Must), (Verdict::Inconclusive, Level::Must)];
        assert_eq!(exit(Level::Robust, &cases, FINE), "exit 2: 1 case inconclusive");
    }

    #[test]
    fn inconclusive_with_a_failure_below_the_gate_exits_2() {
        let cases = [(Verdict::Fail, Level::Observed), (Verdict::Inconclusive, Level::Must)];
        assert_eq!(exit(Level::Robust, &cases, FINE), "exit 2: 1 case inconclusive");
    }

    #[test]
    fn gating_failure_outweighs_exit_2() {
        let cases = [
            (Verdict::Fail, Level::Must),
            (Verdict::Fail, Level::Should),
            (Verdict::Crash, Level::Robust),
            (Verdict::Inconclusive, Level::Must),
            (Verdict::HarnessError, Level::Must),
        ];
        let ended = Ended { interrupted: true, answered: false, ..Ended::default() };
        assert_eq!(exit(Level::Robust, &cases, ended), "exit 1: 2 gating failures, 1 crash");
    }

    #[test]
    fn peer_without_any_answer_exits_2() {
        let ended = Ended { interrupted: false, answered: false, ..Ended::default() };
        let cases = [(Verdict::Pass, Level::Must)];
        assert_eq!(exit(Level::Robust, &cases, ended), "exit 2: the peer answered no call");
    }

    #[test]
    fn nothing_executed_exits_2() {
        assert_eq!(exit(Level::Robust, &[], FINE), "exit 2: no case was executed");
        let cases = [(Verdict::NotApplicable, Level::Must)];
        assert_eq!(exit(Level::Robust, &cases, FINE), "exit 2: no case was executed");
    }

    #[test]
    fn interrupted_run_exits_2() {
        let ended = Ended { interrupted: true, answered: true, ..Ended::default() };
        let cases = [(Verdict::Pass, Level::Must)];
        assert_eq!(exit(Level::Robust, &cases, ended), "exit 2: interrupted");
    }

    #[test]
    fn case_without_a_verdict_exits_2() {
        let mut account = Account::default();
        account.add(&sample::outcome("a/case", Verdict::Pass));
        assert!(account.complete(1) && !account.complete(2) && !account.complete(0));
        let exit = account.exit(&sample::run(2), &FINE);
        assert_eq!(exit.to_string(), "exit 2: 1 of 2 planned cases judged");
        assert_eq!(account.exit_status(&sample::run(2), &FINE), 2);
    }

    #[test]
    fn the_sum_counts_every_verdict() {
        let mut account = Account::default();
        for verdict in Verdict::ALL {
            account.add(&sample::outcome("a/case", verdict));
            assert_eq!(account.count(verdict), 1);
        }
        assert_eq!((account.total(), account.executed()), (7, 4));
    }
}
