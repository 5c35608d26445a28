//! GitHub annotations: lines on standard output that GitHub Actions shows beside the job.
//!
//! A gating finding is an `error`; any other finding and an inconclusive case are a `warning`.
//! Cases that pass, are not applicable or are excused have no line. The last line is the summary.
//!
//! GitHub shows the first ten annotations of a kind in each step, and all of them in the log. The
//! summary must not be lost, so it is the only `notice`. It is an `error` only if the exit status
//! is not 0 and there is no other error.
//!
//! Rules: a line is one command. Hidden characters are escaped first, so that a peer cannot end the
//! line and start its own command. Then `%`, and in the title `:` and `,`, are escaped for GitHub.

use std::io::{self, Write};

use dnode_spec::clause;

use crate::account::Account;
use crate::escape::terminal_cut;
use crate::event::{Event, Outcome, Run, Stale, Verdict};
use crate::report::{Report, not_started};
use crate::summary::brief;

/// How many characters of one text are shown.
const LONGEST: usize = 400;

/// Writes annotations during the run.
#[derive(Debug)]
pub struct Github<W> {
    out: W,
    run: Option<Run>,
    account: Account,
    /// An error was written.
    has_error: bool,
}

impl<W: Write> Github<W> {
    /// A report to `out`, written during the run.
    #[must_use]
    pub fn new(out: W) -> Self {
        Github { out, run: None, account: Account::default(), has_error: false }
    }

    fn annotation(&mut self, kind: &str, title: &str, lines: &[String]) -> io::Result<()> {
        let lines: Vec<String> = lines.iter().map(|line| data(line)).collect();
        // GitHub shows %0A as a line end.
        writeln!(self.out, "::{kind} title={}::{}", property(title), lines.join("%0A"))
    }

    fn judged(&mut self, outcome: &Outcome) -> io::Result<()> {
        let run = self.run.as_ref().ok_or_else(not_started)?;
        self.account.add(outcome);
        let kind = match outcome.verdict {
            Verdict::Pass | Verdict::NotApplicable => return Ok(()),
            // A known failure is not news, and a step shows only ten warnings.
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
        self.has_error |= kind == "error";
        self.annotation(kind, &format!("{} {}", outcome.verdict, outcome.id), &lines)
    }
}

impl<W: Write> Report for Github<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(run) => {
                self.run = Some(run.clone());
                self.account = Account::default();
                self.has_error = false;
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
                let alone = exit.status != 0 && !self.has_error;
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
    fn gating_findings_are_errors_and_others_are_warnings() {
        let observed = Outcome { level: Level::Observed, ..sample::failing("methods/again") };
        let cases = [
            sample::outcome("a/case", Verdict::Pass),
            sample::failing("message/argument-order"),
            observed,
            sample::because("value/cycle", Verdict::Inconclusive, "methods/by-id failed"),
        ];
        insta::assert_snapshot!(report(&cases), @r#"
        ::error title=fail message/argument-order::The arguments come back as they were sent.%0Astep 2 at arguments[0]: expected 3, got "12"%0Amessage/argument-order (must): The arguments reach the function in their order and number.%0Ahttps://github.com/dnode-conform/dnode-conform/blob/v0.1.0/spec/CLAUSES.md#messageargument-order%0Arepeat: dnode-conform --case message/argument-order -- node fixtures/peers/dnode/peer.js
        ::warning title=fail methods/again::The arguments come back as they were sent.%0Astep 2 at arguments[0]: expected 3, got "12"%0Amessage/argument-order (must): The arguments reach the function in their order and number.%0Ahttps://github.com/dnode-conform/dnode-conform/blob/v0.1.0/spec/CLAUSES.md#messageargument-order%0Arepeat: dnode-conform --case methods/again -- node fixtures/peers/dnode/peer.js
        ::warning title=inconclusive value/cycle::The arguments come back as they were sent.%0Amethods/by-id failed
        ::notice title=dnode-conform%3A dnode 1.2.2::4 planned: 1 pass, 2 fail (1 not gating), 1 inconclusive%0Aexit 1: 1 gating failure
        "#);
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
        let [finding, sum] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
        assert!(finding.starts_with("::error title=") && sum.starts_with("::notice title="), "{text}");
        assert!(
            text.contains("title=fail a%2Cb%3Ac%25::") && text.contains(r"%250A::error::owned\x0a::stop")
        );
    }
}
