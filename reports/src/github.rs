//! Annotations of GitHub: lines on standard output that a job of GitHub Actions turns into marks.
//!
//! What gates is an `error`, what only failed or could not be judged a `warning`; what passed or is not applicable has no
//! line. The last line is the sum. GitHub shows the first ten of a kind in each step; all are in its log. So the sum is an
//! error only where the exit status is not 0 and nothing else was one: else it is a notice, of which there is no other.
//!
//! Rules: a line is one command. Hidden characters are made visible first, so that a peer has no line end to start a
//! command of its own with; then `%`, and in the title `:` and `,`, are written as GitHub wants them.

use std::io::{self, Write};

use dnode_spec::clause;

use crate::account::Account;
use crate::escape::terminal_cut;
use crate::event::{Event, Outcome, Run, Stale, Verdict};
use crate::{Report, brief, not_started};

/// How many characters of one text are shown.
const LONGEST: usize = 400;

/// Writes annotations as the run goes on.
#[derive(Debug)]
pub struct Github<W> {
    out: W,
    run: Option<Run>,
    account: Account,
    /// An error was told of.
    red: bool,
}

impl<W: Write> Github<W> {
    /// A report that is written to `out` as the run goes on.
    #[must_use]
    pub fn new(out: W) -> Self {
        Github { out, run: None, account: Account::default(), red: false }
    }

    fn annotation(&mut self, kind: &str, title: &str, lines: &[String]) -> io::Result<()> {
        let lines: Vec<String> = lines.iter().map(|line| data(line)).collect();
        // %0A is the line end of a message.
        writeln!(self.out, "::{kind} title={}::{}", property(title), lines.join("%0A"))
    }

    fn judged(&mut self, outcome: &Outcome) -> io::Result<()> {
        let run = self.run.as_ref().ok_or_else(not_started)?;
        self.account.add(outcome);
        let kind = match outcome.verdict {
            Verdict::Pass | Verdict::NotApplicable => return Ok(()),
            // What is known is no news, and a step may have ten warnings.
            _ if outcome.excuse.is_some() => return Ok(()),
            Verdict::HarnessError => "error",
            _ if outcome.gates(run.gate) => "error",
            _ => "warning",
        };
        let mut lines = vec![outcome.about.clone(), brief(outcome)];
        if let Some(clause) = outcome.divergence.as_ref().and_then(|it| clause::find(&it.clause)) {
            lines.push(format!("{} ({}): {}", clause.id, clause.level, clause.text));
            lines.push(clause.link());
        }
        if !outcome.evidence.repeat.is_empty() {
            lines.push(format!("repeat: {}", outcome.evidence.repeat));
        }
        lines.retain(|line| !line.is_empty());
        self.red |= kind == "error";
        self.annotation(kind, &format!("{} {}", outcome.verdict, outcome.id), &lines)
    }
}

impl<W: Write> Report for Github<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(run) => {
                self.run = Some(run.clone());
                self.account = Account::default();
                self.red = false;
            }
            Event::Judged(outcome) => self.judged(outcome)?,
            Event::Ended(ended) => {
                for Stale { reference, id, problem, remedy } in &ended.stale {
                    let lines = [problem.clone(), remedy.clone()];
                    self.annotation("error", &format!("{} {id}", reference.word()), &lines)?;
                }
                let run = self.run.as_ref().ok_or_else(not_started)?;
                let exit = self.account.exit(run, ended);
                let lines = [self.account.sum(run, ended), exit.to_string()];
                let title = format!("dnode-conform: {}", run.peer.as_ref().unwrap_or(&run.target));
                let alone = exit.status != 0 && !self.red;
                self.annotation(if alone { "error" } else { "notice" }, &title, &lines)?;
            }
        }
        self.out.flush()
    }
}

/// A line of a message.
fn data(text: &str) -> String {
    terminal_cut(text, LONGEST, 0).replace('%', "%25")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{self, FINE, HOSTILE};
    use dnode_spec::clause::Level;

    fn report(cases: &[Outcome]) -> String {
        let mut out = Vec::new();
        let mut github = Github::new(&mut out);
        for event in sample::events(sample::run(cases.len()), cases, FINE) {
            github.event(&event).unwrap();
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn findings_are_errors_and_what_does_not_gate_is_a_warning() {
        let observed = Outcome { level: Level::Observed, ..sample::failing("methods/again") };
        let cases = [
            sample::outcome("a/case", Verdict::Pass),
            sample::failing("message/argument-order"),
            observed,
            sample::because("value/cycle", Verdict::Inconclusive, "needs methods/by-id"),
        ];
        insta::assert_snapshot!(report(&cases), @r#"
        ::error title=fail message/argument-order::The arguments come back as they were sent.%0Astep 2 at arguments[0]: expected 3, came "12"%0Amessage/argument-order (must): The arguments reach the function in their order and number.%0Ahttps://github.com/dnode-conform/dnode-conform/blob/v0.1.0/spec/CLAUSES.md#messageargument-order%0Arepeat: dnode-conform --case message/argument-order -- node fixtures/peers/dnode/peer.js
        ::warning title=fail methods/again::The arguments come back as they were sent.%0Astep 2 at arguments[0]: expected 3, came "12"%0Amessage/argument-order (must): The arguments reach the function in their order and number.%0Ahttps://github.com/dnode-conform/dnode-conform/blob/v0.1.0/spec/CLAUSES.md#messageargument-order%0Arepeat: dnode-conform --case methods/again -- node fixtures/peers/dnode/peer.js
        ::warning title=inconclusive value/cycle::The arguments come back as they were sent.%0Aneeds methods/by-id
        ::notice title=dnode-conform%3A dnode 1.2.2::4 planned: 1 pass, 2 fail (1 not gating), 1 inconclusive%0Aexit 1: 1 gating failure
        "#);
    }

    #[test]
    fn a_run_that_is_red_without_a_finding_has_an_error() {
        let unknown = sample::because("value/cycle", Verdict::Inconclusive, "needs methods/by-id");
        let text = report(&[unknown]);
        assert!(text.starts_with("::warning ") && text.contains("\n::error title=dnode-conform"), "{text}");
    }

    #[test]
    fn a_peer_starts_no_command() {
        let mut hostile = sample::failing("a,b:c%");
        if let Some(divergence) = &mut hostile.divergence {
            divergence.actual = format!("%0A::error::owned\n::stop-commands::x\r\n{HOSTILE}");
        }
        let text = report(&[hostile]);
        let [finding, sum] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
        assert!(finding.starts_with("::error title=") && sum.starts_with("::notice title="), "{text}");
        assert!(
            text.contains("title=fail a%2Cb%3Ac%25::") && text.contains(r"%250A::error::owned\x0a::stop")
        );
    }
}
