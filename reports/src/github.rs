//! GitHub annotations: lines on standard output that GitHub Actions shows beside the job.
//!
//! Each cause has a line, in the order in which to fix them: an `error` if it makes the run fail, else
//! a `warning`. The inconclusive cases share a `warning`. Known failures have no line. Then each cause
//! has its finding in full, in a group, which the log shows folded. The last line is the summary.
//!
//! GitHub shows the first ten annotations of a kind in each step, so there are at most ten lines for
//! causes, and the last of them counts the rest. The summary must not be lost, so it is the only
//! `notice`. It is an `error` only if the exit status is not 0 and there is no other error.
//!
//! Rules: a line is one command, or a line of text in a group. Hidden characters are escaped first, so
//! that a peer cannot end the line and start its own command. In a command, `%` is escaped for GitHub
//! after that, and in the title of an annotation `:` and `,` too. A line of text never begins with
//! `::` (`page.rs`), so a peer can neither end a group nor start one.

use std::io::{self, Write};

use dnode_spec::clause::{self, Level};

use crate::account::Account;
use crate::cause::{Cause, Causes};
use crate::escape::terminal_cut;
use crate::event::{Event, Outcome, Run, Stale, Verdict};
use crate::report::{Report, not_started};
use crate::summary::{brief, count};
use crate::text;

/// How many characters of one text are shown.
const LONGEST: usize = 400;

/// How many lines causes have at most.
const MOST: usize = 10;

/// How many bytes the groups may take before the rest of them is left out.
const FULL: usize = 200_000;

/// Writes annotations at the end of the run.
#[derive(Debug)]
pub struct Github<W> {
    out: W,
    run: Option<Run>,
    account: Account,
    causes: Causes,
    /// The inconclusive cases.
    inconclusive: Vec<String>,
}

impl<W: Write> Github<W> {
    /// A report to `out`, written at the end of the run.
    #[must_use]
    pub fn new(out: W) -> Self {
        Github {
            out,
            run: None,
            account: Account::default(),
            causes: Causes::default(),
            inconclusive: Vec::new(),
        }
    }

    fn annotation(&mut self, kind: &str, title: &str, lines: &[String]) -> io::Result<()> {
        let lines = lines.iter().filter(|line| !line.is_empty()).map(|line| data(line));
        // GitHub shows %0A as a line end.
        writeln!(self.out, "::{kind} title={}::{}", property(title), lines.collect::<Vec<_>>().join("%0A"))
    }

    fn judged(&mut self, outcome: &Outcome, gate: Level) {
        self.account.add(outcome);
        self.causes.add(outcome, gate);
        if outcome.verdict == Verdict::Inconclusive && outcome.excuse.is_none() {
            let reason = crate::summary::reason(outcome).unwrap_or_default();
            self.inconclusive.push(format!("{}: {reason}", outcome.id));
        }
    }

    /// Writes a line for each cause. Returns whether one of them is an error.
    fn annotate(&mut self, causes: &[Cause]) -> io::Result<bool> {
        let shown = if causes.len() > MOST { MOST - 1 } else { causes.len() };
        for cause in &causes[..shown] {
            let mut lines = vec![cause.sentence(), cause.cases(LONGEST), brief(&cause.shown)];
            if let Some(clause) = clause::find(cause.clause()) {
                lines.push(format!("{} ({}): {}", clause.id, clause.level, clause.text));
                lines.push(cause.hint().to_owned());
                lines.push(clause.link());
            }
            if !cause.shown.evidence.repeat.is_empty() {
                lines.push(format!("repeat: {}", cause.shown.evidence.repeat));
            }
            let kind = if cause.gates { "error" } else { "warning" };
            self.annotation(kind, &format!("{} {}", cause.shown.verdict, cause.shown.id), &lines)?;
        }
        if let Some(next) = causes.get(shown) {
            let kind = if next.gates { "error" } else { "warning" };
            let rest = causes[shown..].iter().filter(|cause| cause.gates == next.gates);
            let rest = rest.map(|cause| cause.shown.id.clone()).collect::<Vec<_>>();
            let title = format!("{} more", count(rest.len(), "cause"));
            self.annotation(kind, &title, &[rest.join(", ")])?;
        }
        Ok(causes.iter().any(|cause| cause.gates))
    }

    /// Writes a line for each entry that no longer holds.
    fn stale(&mut self, stale: &[Stale]) -> io::Result<()> {
        let shown = if stale.len() > MOST { MOST - 1 } else { stale.len() };
        for Stale { reference, id, problem, remedy } in &stale[..shown] {
            let lines = [problem.clone(), remedy.clone()];
            self.annotation("error", &format!("{} {id}", reference.word()), &lines)?;
        }
        let rest: Vec<&str> = stale[shown..].iter().map(|stale| &*stale.id).collect();
        if let Some(first) = stale.get(shown) {
            let title = format!("{} {} more", rest.len(), first.reference.word());
            self.annotation("error", &title, &[rest.join(", ")])?;
        }
        Ok(())
    }

    /// Writes a group for each cause, with its finding in full.
    fn groups(&mut self, run: &Run, causes: &[Cause]) -> io::Result<()> {
        let mut written = 0;
        for cause in causes {
            if written > FULL {
                return self
                    .group("more causes", "The text report lists them, and `show` prints each in full.\n");
            }
            let finding = text::finding(run, &cause.shown);
            written += finding.len();
            self.group(&format!("{} {}", cause.number, cause.sentence()), finding.trim_start_matches('\n'))?;
        }
        Ok(())
    }

    /// Writes lines that have no command.
    fn group(&mut self, title: &str, lines: &str) -> io::Result<()> {
        writeln!(self.out, "::group::{}\n{lines}::endgroup::", data(title))
    }
}

impl<W: Write> Report for Github<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(run) => {
                self.run = Some(run.clone());
                self.account = Account::default();
                self.causes = Causes::default();
                self.inconclusive.clear();
            }
            Event::Judged(outcome) => {
                let gate = self.run.as_ref().ok_or_else(not_started)?.gate;
                self.judged(outcome, gate);
            }
            Event::Ended(ended) => {
                let run = self.run.clone().ok_or_else(not_started)?;
                let causes = std::mem::take(&mut self.causes).in_order();
                let has_error = self.annotate(&causes)? || !ended.stale.is_empty();
                if !self.inconclusive.is_empty() {
                    let lines = std::mem::take(&mut self.inconclusive);
                    let title = format!("{} inconclusive", count(lines.len(), "case"));
                    self.annotation("warning", &title, &lines)?;
                }
                self.stale(&ended.stale)?;
                self.groups(&run, &causes)?;
                let exit = self.account.exit(&run, ended);
                let lines = [self.account.sum(&run, ended), exit.to_string()];
                let title = format!("dnode-conform: {}", run.peer.as_ref().unwrap_or(&run.target));
                let alone = exit.status != 0 && !has_error;
                self.annotation(if alone { "error" } else { "notice" }, &title, &lines)?;
            }
        }
        self.out.flush()
    }
}

/// Escapes a line of a message.
fn data(text: &str) -> String {
    terminal_cut(text, LONGEST, 0).replace('%', "%25")
}

/// Escapes the value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Ended, Reference};
    use crate::sample::{self, FINE, HOSTILE};
    use dnode_spec::clause::{CLAUSES, Level};

    fn report(cases: &[Outcome]) -> String {
        let mut out = Vec::new();
        let mut github = Github::new(&mut out);
        for event in sample::events(sample::run(cases.len()), cases, FINE) {
            github.event(&event).unwrap();
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn entries_that_no_longer_hold_have_at_most_ten_annotations() {
        let stale = |number: usize| Stale {
            reference: Reference::Snapshot,
            id: format!("a/{number}"),
            problem: "it differs".to_owned(),
            remedy: "look".to_owned(),
        };
        let mut out = Vec::new();
        let mut github = Github::new(&mut out);
        let ended = Ended { stale: (0..30).map(stale).collect(), ..FINE };
        for event in sample::events(sample::run(0), &[], ended) {
            github.event(&event).unwrap();
        }
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches("::error ").count(), MOST);
        assert!(text.contains("::error title=21 snapshot more::a/9, a/10, "), "{text}");
    }

    #[test]
    fn gating_findings_are_errors_and_others_are_warnings() {
        let observed = Outcome { level: Level::Observed, ..sample::failing("methods/again") };
        let cases = [
            sample::outcome("a/case", Verdict::Pass),
            sample::failing("message/argument-order"),
            observed,
            sample::because("value/cycle", Verdict::Inconclusive, "methods/by-id failed"),
        ];
        insta::assert_snapshot!(report(&cases), @r#"
    ::error title=fail message/argument-order::message/argument-order: The arguments reach the function in their order and number%0Amessage/argument-order, methods/again%0Astep 2 at arguments[0]: expected 3, got "12"%0Amessage/argument-order (must): The arguments reach the function in their order and number.%0APass all arguments to the function, in their order, without extra ones.%0Ahttps://github.com/dnode-conform/dnode-conform/blob/v0.1.0/spec/CLAUSES.md#messageargument-order%0Arepeat: dnode-conform --case message/argument-order -- node fixtures/peers/dnode/peer.js
    ::warning title=1 case inconclusive::value/cycle: methods/by-id failed
    ::group::1 message/argument-order: The arguments reach the function in their order and number
    FAIL  message/argument-order
      The arguments come back as they were sent.

      peer        dnode 1.2.2, at node fixtures/peers/dnode/peer.js
      clause      message/argument-order (must)
                  The arguments reach the function in their order and number.
                  source: protocol document, "data fields", sentence 4
      step        step 2
      where       arguments[0]
      expected    3
      got         "12"
      difference  violation: differs
                  fingerprint: 1:9a24989d367b
      hint        Pass all arguments to the function, in their order, without extra ones.

      wire        the traffic of the connection, in order: suite -> peer, suite <- peer
        suite ->       {"method":"methods","arguments":[{}],"callbacks":{},"links":[]}
              <- peer  {"method":"methods","arguments":[{"add":"[Function]"}],"callbacks":{"0":["0",
                       "add"]},"links":[]}
        suite ->       {"method":"add","arguments":[1,2,"[Function]"],"callbacks":{"0":["2"]},
                       "links":[]}
              <- peer  {"method":0,"arguments":["12"],"callbacks":{},"links":[]}

      transcript  the steps of the session; > marks the one that failed
         1  {"send":{"method":"add","arguments":[1,2,{"$fn":"cb"}]}}
      >  2  {"expect":{"method":{"$fn":"cb"},"arguments":[3]}}
           ($cb is id 2)

      repeat      the command that runs this case again
        dnode-conform --case message/argument-order -- node fixtures/peers/dnode/peer.js
    ::endgroup::
    ::notice title=dnode-conform%3A dnode 1.2.2::4 planned: 1 pass, 2 fail (1 not gating), 1 inconclusive%0Aexit 1: 1 gating failure
    "#);
    }

    #[test]
    fn a_peer_cannot_end_its_group() {
        let mut hostile = sample::crashing("a/case");
        if let Some(death) = &mut hostile.evidence.death {
            death.stderr = "::endgroup::\n  ::group::x\n##[endgroup]\n".to_owned();
        }
        let text = report(&[hostile]);
        let commands =
            text.lines().filter(|line| line.trim_start().starts_with("::") || line.contains("##["));
        assert_eq!(commands.count(), 4, "an error, a group, its end, and the summary: {text}");
        assert!(text.contains(r"| \x3a:endgroup::") && text.contains(r"##\x5bendgroup]"), "{text}");
    }

    #[test]
    fn groups_of_many_causes_are_limited() {
        let cases = (0..400).map(|number| {
            let mut case = sample::failing(&format!("a/case-{number}"));
            case.evidence.wire = vec![sample::came([b'x'; 800]); 10];
            if let Some(divergence) = &mut case.divergence {
                divergence.actual = number.to_string();
                divergence.step = format!("step {number}");
                divergence.clause = CLAUSES[number % CLAUSES.len()].id.to_owned();
            }
            case
        });
        let text = report(&cases.collect::<Vec<_>>());
        assert!(text.len() < FULL + 50_000 && text.contains("::group::more causes\n"), "{}", text.len());
        assert_eq!(text.matches("::group::").count(), text.matches("\n::endgroup::\n").count());
    }

    #[test]
    fn failed_run_without_a_finding_has_an_error() {
        let unknown = sample::because("value/cycle", Verdict::Inconclusive, "methods/by-id failed");
        let text = report(&[unknown]);
        assert!(text.starts_with("::warning ") && text.contains("\n::error title=dnode-conform"), "{text}");
    }

    #[test]
    fn hostile_text_does_not_start_a_command() {
        let mut hostile = sample::failing("a,b:c%");
        if let Some(divergence) = &mut hostile.divergence {
            divergence.actual = format!("%0A::error::owned\n::stop-commands::x\r\n{HOSTILE}");
        }
        let text = report(&[hostile]);
        let commands = text.lines().filter(|line| line.trim_start().starts_with("::"));
        let [finding, group, end, sum] = commands.collect::<Vec<_>>()[..] else { panic!("{text}") };
        assert!(finding.starts_with("::error title=") && sum.starts_with("::notice title="), "{text}");
        assert!(group.starts_with("::group::1 ") && end == "::endgroup::", "{text}");
        assert!(
            text.contains("title=fail a%2Cb%3Ac%25::") && text.contains(r"%250A::error::owned\x0a::stop")
        );
    }
}
