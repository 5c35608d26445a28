//! The Test Anything Protocol: one line per case, for `prove` and other TAP readers.
//!
//! The syntax is TAP 14, but the first line says 13: `prove` rejects a document that says 14, and
//! readers of TAP 14 accept one that says 13.
//!
//! Rules: not applicable is `ok` with SKIP; a failure that does not gate is `not ok` with TODO;
//! inconclusive is a plain `not ok`, because a run with such a case never exits with 0. So a
//! reader's verdict matches the exit status. If no case shows the failure, for example because the
//! peer answered no call, the document ends with `Bail out!`.

use std::io::{self, Write};

use crate::account::Account;
use crate::escape::{terminal, terminal_cut};
use crate::event::{Ended, Event, Outcome, Run, Stale, Verdict};
use crate::report::{Report, not_started};

/// How many characters of one text are shown.
const LONGEST: usize = 400;

/// Writes TAP during the run.
#[derive(Debug)]
pub struct Tap<W> {
    out: W,
    run: Option<Run>,
    account: Account,
    /// A plain `not ok` was written.
    has_failure: bool,
}

impl<W: Write> Tap<W> {
    /// A report to `out`, written during the run.
    #[must_use]
    pub fn new(out: W) -> Self {
        Tap { out, run: None, account: Account::default(), has_failure: false }
    }

    fn start(&mut self, run: &Run) -> io::Result<()> {
        writeln!(self.out, "TAP version 13\n1..{}", run.planned)?;
        let peer = run.peer.as_deref().unwrap_or("unnamed");
        for (name, value) in [("dnode-conform", run.suite.as_str()), ("peer", peer), ("target", &run.target)]
        {
            writeln!(self.out, "# {name} {}", comment(value))?;
        }
        self.run = Some(run.clone());
        Ok(())
    }

    fn judged(&mut self, outcome: &Outcome) -> io::Result<()> {
        let run = self.run.as_ref().ok_or_else(not_started)?;
        self.account.add(outcome);
        let reason = description(crate::summary::reason(outcome).unwrap_or_default());
        let (ok, directive) = match outcome.verdict {
            Verdict::Pass => ("ok", String::new()),
            Verdict::NotApplicable => ("ok", format!(" # SKIP {reason}")),
            _ => match (crate::summary::waiver(run, outcome), &outcome.excuse) {
                (_, Some(excuse)) => ("not ok", format!(" # TODO excused: {}", description(excuse))),
                (Some(why), None) => ("not ok", format!(" # TODO {why}")),
                (None, None) => ("not ok", String::new()),
            },
        };
        self.has_failure |= ok == "not ok" && directive.is_empty();
        let number = self.account.total();
        writeln!(self.out, "{ok} {number} - {}{directive}", description(&outcome.id))?;
        if matches!(outcome.verdict, Verdict::Pass | Verdict::NotApplicable) {
            return Ok(());
        }
        writeln!(self.out, "  ---")?;
        for (key, value) in diagnosis(outcome) {
            // A JSON string is a YAML string.
            writeln!(self.out, "  {key}: {}", serde_json::to_string(&terminal_cut(value, LONGEST, 0))?)?;
        }
        writeln!(self.out, "  ...")
    }

    fn end(&mut self, ended: &Ended) -> io::Result<()> {
        let run = self.run.as_ref().ok_or_else(not_started)?;
        let exit = self.account.exit(run, ended);
        writeln!(self.out, "# {}\n# {exit}", comment(&self.account.sum(run, ended)))?;
        for Stale { reference, id, problem, remedy } in &ended.stale {
            let line = format!("{}: {id}: {problem}: {remedy}", reference.word());
            writeln!(self.out, "# {}", comment(&line))?;
        }
        if exit.status != 0 && !self.has_failure {
            writeln!(self.out, "Bail out! {}", comment(&exit.why))?;
        }
        Ok(())
    }
}

impl<W: Write> Report for Tap<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Started(run) => self.start(run)?,
            Event::Judged(outcome) => self.judged(outcome)?,
            Event::Ended(ended) => self.end(ended)?,
        }
        self.out.flush()
    }
}

/// The details of a case that did not pass, as keys and values.
fn diagnosis(outcome: &Outcome) -> Vec<(&'static str, &str)> {
    let mut lines = vec![
        ("verdict", outcome.verdict.word()),
        ("level", outcome.level.word()),
        ("about", &outcome.about),
        ("reason", crate::summary::reason(outcome).unwrap_or_default()),
    ];
    if let Some(divergence) = &outcome.divergence {
        lines.extend([
            ("clause", divergence.clause.as_str()),
            ("step", &divergence.step),
            ("at", &divergence.path),
            ("expected", &divergence.expected),
            ("got", &divergence.actual),
            ("difference", divergence.kind.word()),
            ("fingerprint", &divergence.fingerprint),
        ]);
    }
    lines.push(("repeat", &outcome.evidence.repeat));
    lines.retain(|(_, value)| !value.is_empty());
    lines
}

/// Escapes the text of a comment.
fn comment(text: &str) -> String {
    terminal_cut(text, LONGEST, 0)
}

/// Escapes a description: `#` would start a directive.
fn description(text: &str) -> String {
    terminal(crate::escape::cut(text, LONGEST).as_ref()).replace('\\', "\\\\").replace('#', "\\#")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{self, FINE};
    use dnode_spec::clause::Level;

    fn report(cases: &[Outcome], ended: Ended) -> String {
        let mut out = Vec::new();
        let mut tap = Tap::new(&mut out);
        for event in sample::events(sample::run(cases.len()), cases, ended) {
            tap.event(&event).unwrap();
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn one_line_per_case() {
        let observed = Outcome { level: Level::Observed, ..sample::failing("methods/again") };
        let cases = [
            sample::outcome("a/case", Verdict::Pass),
            sample::because("value/cycle", Verdict::NotApplicable, "the probe declares #cycle absent"),
            sample::because("value/nest", Verdict::Inconclusive, "methods/by-id failed"),
            observed,
        ];
        insta::assert_snapshot!(report(&cases, FINE), @r#"
        TAP version 13
        1..4
        # dnode-conform 0.1.0
        # peer dnode 1.2.2
        # target node fixtures/peers/dnode/peer.js
        ok 1 - a/case
        ok 2 - value/cycle # SKIP the probe declares \#cycle absent
        not ok 3 - value/nest
          ---
          verdict: "inconclusive"
          level: "must"
          about: "The arguments come back as they were sent."
          reason: "methods/by-id failed"
          ...
        not ok 4 - methods/again # TODO not gating
          ---
          verdict: "fail"
          level: "observed"
          about: "The arguments come back as they were sent."
          clause: "message/argument-order"
          step: "step 2"
          at: "arguments[0]"
          expected: "3"
          got: "\"12\""
          difference: "differs"
          fingerprint: "1:8f84bbf42a79"
          repeat: "dnode-conform --case methods/again -- node fixtures/peers/dnode/peer.js"
          ...
        # 4 planned: 1 pass, 1 fail (1 not gating), 1 not-applicable, 1 inconclusive
        # exit 2: 1 case inconclusive
        "#);
    }

    #[test]
    fn run_without_an_executed_case_bails_out() {
        let cases = [sample::outcome("a/case", Verdict::NotApplicable)];
        assert!(report(&cases, FINE).ends_with("Bail out! no case was executed\n"));
        assert!(!report(&[sample::outcome("a/case", Verdict::Pass)], FINE).contains("Bail"));
    }
}
