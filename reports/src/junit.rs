//! JUnit XML, as Jenkins, GitLab and most others read it.
//!
//! Each run is a `<testsuite>` and each case a `<testcase>`: its class is the group of the id, its
//! name the whole id. A gating finding is a `<failure>`. Inconclusive cases and harness errors are
//! `<error>`s, because such a run never exits with 0. Cases that are not applicable, and failures
//! that do not gate, are `<skipped>`. So the report fails if the exit status is not 0. If no case
//! shows the failure, an extra test case named `run` does.
//!
//! The time of a case is in seconds, as is that of a suite, which is the sum of its cases. Cases run
//! side by side, so a run is shorter than that sum. A report from a canonical JSON report has no times.

use std::io::{self, Write};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};

use crate::escape::terminal_cut;
use crate::event::{Event, Outcome, Run, Stale, Verdict};
use crate::record::{Record, Records};
use crate::report::Report;
use crate::summary::brief;
use crate::text;

/// How many characters of one text are shown.
const LONGEST: usize = 400;

/// The longest time of a case.
const LONGEST_TIME: Duration = Duration::from_secs(1_000_000);

/// Writes JUnit XML at the end.
#[derive(Debug)]
pub struct Junit<W> {
    out: W,
    records: Records,
}

impl<W: Write> Junit<W> {
    /// A report to `out`, written at the end.
    #[must_use]
    pub fn new(out: W) -> Self {
        Junit { out, records: Records::default() }
    }
}

impl<W: Write> Report for Junit<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.records.event(event)
    }

    fn finish(&mut self) -> io::Result<()> {
        let mut report = quick_junit::Report::new("dnode-conform");
        report.add_test_suites(self.records.all().iter().map(suite));
        let text = report.to_string().map_err(io::Error::other)?;
        // The schema of Jenkins allows `skipped` on each suite but not on the root element, which
        // comes first.
        let text = text.replacen(&format!(" skipped=\"{}\"", report.skipped), "", 1);
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

fn suite(record: &Record) -> TestSuite {
    let run = &record.run;
    let mut suite = TestSuite::new(short(record.name()));
    let exit = record.exit();
    for (name, value) in [
        ("suite", format!("dnode-conform {}", run.suite)),
        ("target", run.target.clone()),
        ("level", run.gate.to_string()),
        ("sum", record.sum()),
        ("exit", exit.to_string()),
    ] {
        suite.add_property(Property::new(name, short(&value)));
    }
    suite.add_test_cases(record.outcomes.iter().map(|outcome| case(run, outcome)));
    let times = || record.outcomes.iter().filter_map(time);
    if times().next().is_some() {
        suite.set_time(times().fold(Duration::ZERO, Duration::saturating_add));
    }
    suite.add_test_cases(record.ended.stale.iter().map(stale));
    if exit.status != 0 && suite.failures + suite.errors == 0 {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type("run").set_message(exit.to_string());
        suite.add_test_case(TestCase::new("run", status));
    }
    suite
}

fn case(run: &Run, outcome: &Outcome) -> TestCase {
    let waiver = crate::summary::waiver(run, outcome);
    let mut status = match outcome.verdict {
        Verdict::Pass => TestCaseStatus::success(),
        Verdict::NotApplicable => TestCaseStatus::skipped(),
        _ if waiver.is_some() => TestCaseStatus::skipped(),
        Verdict::Fail | Verdict::Crash | Verdict::Hang => {
            TestCaseStatus::non_success(NonSuccessKind::Failure)
        }
        Verdict::Inconclusive | Verdict::HarnessError => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    let message = short(&brief(outcome));
    match &status {
        TestCaseStatus::Success { .. } => {}
        // The schema of Jenkins allows no attribute here.
        TestCaseStatus::Skipped { .. } => {
            let mark = match (waiver, &outcome.excuse) {
                (_, Some(excuse)) => format!(", excused ({})", short(excuse)),
                (Some(why), None) => format!(", {why}"),
                (None, None) => String::new(),
            };
            status.set_description(format!("{}{mark}: {message}", outcome.verdict));
        }
        TestCaseStatus::NonSuccess { .. } => {
            status.set_type(outcome.verdict.word()).set_message(message);
            status.set_description(text::finding(run, outcome));
        }
    }
    let mut case = TestCase::new(short(&outcome.id), status);
    let group = outcome.id.split('/').next().unwrap_or_default();
    case.set_classname(short(&format!("dnode.{group}")));
    if let Some(time) = time(outcome) {
        case.set_time(time);
    }
    case
}

/// How long a case took, if it ran. A file may have any number; an XML reader wants a small one.
fn time(outcome: &Outcome) -> Option<Duration> {
    outcome.evidence.took.map(|milliseconds| Duration::from_millis(milliseconds).min(LONGEST_TIME))
}

/// A stale entry fails as a test case of its own, because the case that it names may have passed.
fn stale(stale: &Stale) -> TestCase {
    let Stale { reference, id, problem, remedy } = stale;
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type("stale").set_message(short(problem)).set_description(short(remedy));
    let mut case = TestCase::new(short(id), status);
    case.set_classname(reference.word());
    case
}

fn short(text: &str) -> String {
    terminal_cut(text, LONGEST, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Ended;
    use crate::sample::{self, FINE};
    use dnode_spec::clause::Level;

    fn report(cases: &[Outcome], ended: Ended) -> String {
        let mut out = Vec::new();
        let mut junit = Junit::new(&mut out);
        for event in sample::events(sample::run(cases.len()), cases, ended) {
            junit.event(&event).unwrap();
        }
        junit.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn one_element_per_case() {
        let mut observed = Outcome { level: Level::Observed, ..sample::failing("methods/again") };
        observed.evidence = crate::event::Evidence::default();
        let cases = [
            sample::outcome("a/case", Verdict::Pass),
            sample::because("value/nest", Verdict::Inconclusive, "methods/by-id failed"),
            Outcome { evidence: crate::event::Evidence::default(), ..sample::failing("message/order") },
            observed,
        ];
        insta::assert_snapshot!(report(&cases, FINE), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="dnode-conform" tests="4" failures="1" errors="1">
            <testsuite name="dnode 1.2.2" tests="4" skipped="1" errors="1" failures="1">
                <properties>
                    <property name="suite" value="dnode-conform 0.1.0"/>
                    <property name="target" value="node fixtures/peers/dnode/peer.js"/>
                    <property name="level" value="robust"/>
                    <property name="sum" value="4 planned: 1 pass, 2 fail (1 not gating), 1 inconclusive"/>
                    <property name="exit" value="exit 1: 1 gating failure"/>
                </properties>
                <testcase name="a/case" classname="dnode.a"/>
                <testcase name="value/nest" classname="dnode.value">
                    <error message="methods/by-id failed" type="inconclusive">
        INCONCLUSIVE  value/nest
          The arguments come back as they were sent.

          peer        dnode 1.2.2, at node fixtures/peers/dnode/peer.js
          clause      message/argument-order (must)
                      The arguments reach the function in their order and number.
                      source: protocol document, &quot;data fields&quot;, sentence 4
          reason      methods/by-id failed
        </error>
                </testcase>
                <testcase name="message/order" classname="dnode.message">
                    <failure message="step 2 at arguments[0]: expected 3, got &quot;12&quot;" type="fail">
        FAIL  message/order
          The arguments come back as they were sent.

          peer        dnode 1.2.2, at node fixtures/peers/dnode/peer.js
          clause      message/argument-order (must)
                      The arguments reach the function in their order and number.
                      source: protocol document, &quot;data fields&quot;, sentence 4
          step        step 2
          where       arguments[0]
          expected    3
          got         &quot;12&quot;
          difference  violation: differs
                      fingerprint: 1:bf36ebf234f3
          hint        Pass all arguments to the function, in their order, without extra ones.
        </failure>
                </testcase>
                <testcase name="methods/again" classname="dnode.methods">
                    <skipped>fail, not gating: step 2 at arguments[0]: expected 3, got &quot;12&quot;</skipped>
                </testcase>
            </testsuite>
        </testsuites>
        "#);
    }

    #[test]
    fn times_are_in_seconds_and_add_up() {
        let took = |id: &str, verdict, milliseconds| {
            let mut outcome = sample::because(id, verdict, "methods/by-id failed");
            outcome.evidence.took = milliseconds;
            outcome
        };
        let cases = [
            took("a/pass", Verdict::Pass, Some(4)),
            took("a/late", Verdict::Inconclusive, Some(2119)),
            took("a/unrun", Verdict::NotApplicable, None),
        ];
        let text = report(&cases, FINE);
        assert!(text.contains(r#"<testcase name="a/pass" classname="dnode.a" time="0.004"/>"#), "{text}");
        assert!(text.contains(r#"<testcase name="a/late" classname="dnode.a" time="2.119">"#), "{text}");
        assert!(text.contains(r#"<testcase name="a/unrun" classname="dnode.a">"#), "{text}");
        assert!(text.contains(r#"failures="0" time="2.123">"#), "{text}");
    }

    #[test]
    fn run_without_an_executed_case_has_an_error() {
        let cases = [sample::outcome("a/case", Verdict::NotApplicable)];
        assert!(
            report(&cases, FINE).contains(r#"<error message="exit 2: no case was executed" type="run"/>"#)
        );
    }
}
