//! The report for people: a terminal, or the log of a CI job.
//!
//! The report starts with the peer and the plan. It shows each finding in full as soon as it is
//! known. At the end it lists the cases without a verdict and the failures that do not gate, and
//! then the summary: the counts, and the exit status with its reasons. The log of a CI job opens at
//! its end, so the ids of the findings are repeated above the summary, unless a single finding is
//! there anyway. If there are more than two, the first one is also repeated in brief.
//!
//! Rules: every text is escaped, the suite's own ids and commands too. No line needs colour to be
//! understood. No text of a peer starts a line with a command for the CI job. Lines are at most 100
//! columns wide, except for commands, which must stay on one line to be copied. A column is a
//! character, although some characters are two columns wide.
//!
//! Deliberately absent: progress. It belongs to a terminal and not to a report.

mod finding;

use std::collections::BTreeMap;
use std::io::{self, Write};

use dnode_spec::clause::Level;

use crate::account::{self, Account, Exit};
use crate::event::{Ended, Event, Outcome, Run, Stale, Verdict};
use crate::page::{self, Page, style};
use crate::report::Report;
use crate::summary::count;
use finding::Detail;

/// How many ids of a group are listed.
const FEW: usize = 5;

/// Up to this many findings, none is shown again at the end, because the first one is near.
const SHORT: usize = 2;

/// How many findings are listed at the end: together with the first of them they fit a screen.
const MANY: usize = 10;

/// The style of the report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Use colours. The caller checks for a terminal and for `NO_COLOR`.
    pub styles: bool,
    /// List every case, and show failures that do not gate in full.
    pub verbose: bool,
}

/// Writes the report for people.
#[derive(Debug)]
pub struct Text<W> {
    out: W,
    options: Options,
    run: Option<Run>,
    account: Account,
    /// The ids of the cases that say nothing about the peer, by verdict and reason.
    unjudged: BTreeMap<(Verdict, String), Vec<String>>,
    /// The failures that do not gate.
    below_gate: Vec<Outcome>,
    /// The ids of the excused cases, by excuse.
    excused: BTreeMap<String, Vec<String>>,
    /// The first finding that was shown in full.
    first: Option<Outcome>,
    /// The findings that were shown in full.
    findings: Vec<Finding>,
    /// How many cases could not be judged because of a broken clause.
    resting: BTreeMap<String, usize>,
    /// The last line written is an entry of the list of all cases.
    listing: bool,
}

/// A finding that was shown in full.
#[derive(Debug)]
struct Finding {
    /// Its verdict and id.
    title: String,
    /// The broken clause.
    clause: String,
}

impl From<&Outcome> for Finding {
    fn from(outcome: &Outcome) -> Finding {
        let title = format!("{} {}", outcome.verdict.word().to_uppercase(), outcome.id);
        let clause = outcome.divergence.as_ref().map(|it| it.clause.clone());
        Finding { title, clause: clause.unwrap_or_default() }
    }
}

impl<W: Write> Text<W> {
    /// A report to `out`, written during the run.
    #[must_use]
    pub fn new(out: W, options: Options) -> Self {
        Text {
            out,
            options,
            run: None,
            account: Account::default(),
            unjudged: BTreeMap::new(),
            below_gate: Vec::new(),
            excused: BTreeMap::new(),
            first: None,
            findings: Vec::new(),
            resting: BTreeMap::new(),
            listing: false,
        }
    }

    /// Starts a run and forgets the previous one.
    fn start(&mut self, run: &Run, page: &mut Page) {
        if self.run.replace(run.clone()).is_some() {
            page.blank();
        }
        self.account = Account::default();
        self.unjudged.clear();
        self.below_gate.clear();
        self.excused.clear();
        self.first = None;
        self.findings.clear();
        self.resting.clear();
        self.listing = false;
        header(run, page);
    }

    /// Takes a verdict, and shows a finding at once.
    fn judged(&mut self, outcome: &Outcome, page: &mut Page) -> io::Result<()> {
        let run = self.run.as_ref().ok_or_else(crate::report::not_started)?;
        self.account.add(outcome);
        if let Some(root) = &outcome.rests_on {
            *self.resting.entry(root.clone()).or_default() += 1;
        }
        let waiver = crate::summary::waiver(run, outcome);
        match outcome.verdict {
            Verdict::Pass => {}
            _ if outcome.excuse.is_some() => {
                let excuse = outcome.excuse.clone().unwrap_or_default();
                self.excused.entry(excuse).or_default().push(outcome.id.clone());
            }
            Verdict::NotApplicable | Verdict::Inconclusive => {
                let reason = crate::summary::reason(outcome).unwrap_or_default().to_owned();
                self.unjudged.entry((outcome.verdict, reason)).or_default().push(outcome.id.clone());
            }
            Verdict::Fail if waiver.is_some() => self.below_gate.push(outcome.clone()),
            Verdict::Fail | Verdict::Crash | Verdict::Hang | Verdict::HarnessError => {
                finding::write(page, run, outcome, Detail::Full);
                self.first.get_or_insert_with(|| outcome.clone());
                self.findings.push(Finding::from(outcome));
                self.listing = false;
                return Ok(());
            }
        }
        if self.options.verbose {
            if !std::mem::replace(&mut self.listing, true) {
                page.blank();
            }
            let note = outcome.excuse.as_deref().or(waiver).or_else(|| crate::summary::reason(outcome));
            page.listed(outcome.verdict, &outcome.id, note);
        }
        Ok(())
    }

    /// Writes the end of the report.
    fn end(&self, ended: &Ended, page: &mut Page) -> io::Result<()> {
        let run = self.run.as_ref().ok_or_else(crate::report::not_started)?;
        for verdict in [Verdict::NotApplicable, Verdict::Inconclusive] {
            let of_verdict = self.unjudged.iter().filter(|((judged, _), _)| *judged == verdict);
            let by_reason = of_verdict.map(|((_, reason), ids)| (reason, ids));
            groups(verdict.word(), page::verdict_style(verdict), by_reason.collect(), page);
        }
        groups("excused", style::BOLD, self.excused.iter().collect(), page);
        self.not_gating(run, page);
        self.repeat_findings(run, page);
        stale(ended, page);
        page.blank();
        page.wrapped("", style::PLAIN, self.account.sum(run, ended));
        let exit = self.account.exit(run, ended);
        page.wrapped("", exit_style(&exit), exit.to_string());
        Ok(())
    }

    /// Repeats the findings for a reader who sees only the end.
    fn repeat_findings(&self, run: &Run, page: &mut Page) {
        let Some(first) = &self.first else {
            return;
        };
        let hidden = self.listing || !self.unjudged.is_empty() || !self.below_gate.is_empty();
        if self.findings.len() == 1 && !hidden {
            return;
        }
        let is_long = self.findings.len() > SHORT;
        let which = if is_long { "; the first of them in brief" } else { "" };
        page.blank();
        page.plain(0, style::BOLD, &format!("{}{which}", count(self.findings.len(), "finding")));
        let mut resting = self.resting.clone();
        for Finding { title, clause } in self.findings.iter().take(MANY) {
            let because = resting
                .remove(clause)
                .map(|cases| format!(" ({} could not be judged because of it)", count(cases, "more case")));
            page.wrapped("  ", style::PLAIN, format!("{title}{}", because.unwrap_or_default()));
        }
        if let more @ 1.. = self.findings.len().saturating_sub(MANY) {
            page.wrapped("  ", style::FAINT, format!("and {more} more"));
        }
        if is_long {
            finding::write(page, run, first, Detail::Brief);
        }
    }

    fn not_gating(&self, run: &Run, page: &mut Page) {
        let Some(weakest) = self.below_gate.iter().map(|outcome| outcome.level).max() else {
            return;
        };
        page.blank();
        let failed = count(self.below_gate.len(), "case");
        let title = format!(
            "not gating: {failed} failed below the gate; with --level {weakest} this would be exit 1"
        );
        page.plain(0, style::BOLD, &title);
        let detail = if self.options.verbose { Detail::Full } else { Detail::Brief };
        for outcome in &self.below_gate {
            finding::write(page, run, outcome, detail);
        }
    }
}

impl<W: Write> Report for Text<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let mut page = Page::new(self.options.styles);
        match event {
            Event::Started(run) => self.start(run, &mut page),
            Event::Judged(outcome) => self.judged(outcome, &mut page)?,
            Event::Ended(ended) => self.end(ended, &mut page)?,
        }
        self.out.write_all(page.into_string().as_bytes())?;
        self.out.flush()
    }
}

/// One finding in full, without colours, for other formats.
pub(crate) fn finding(run: &Run, outcome: &Outcome) -> String {
    let mut page = Page::new(false);
    finding::write(&mut page, run, outcome, Detail::Full);
    page.into_string()
}

/// The suite, the peer and the plan.
fn header(run: &Run, page: &mut Page) {
    page.plain(0, style::BOLD, &format!("dnode-conform {}", run.suite));
    let peer = run.peer.as_deref().unwrap_or("unnamed: it does not claim the probe (conformProbe)");
    page.field("peer", style::PLAIN, peer);
    page.field("target", style::PLAIN, &run.target);
    page.field("planned", style::PLAIN, &format!("{}; {}", count(run.planned, "case"), gate_words(run.gate)));
    if let Some(time) = run.time {
        page.field("deadlines", style::PLAIN, time.describe());
    }
    for note in &run.notes {
        page.field("note", style::PLAIN, note);
    }
}

/// Cases by reason, the largest group first.
fn groups(title: &str, style: anstyle::Style, mut groups: Vec<(&String, &Vec<String>)>, page: &mut Page) {
    if groups.is_empty() {
        return;
    }
    groups.sort_by_key(|(why, ids)| (std::cmp::Reverse(ids.len()), *why));
    page.blank();
    let all = groups.iter().map(|(_, ids)| ids.len()).sum();
    page.plain(0, style, &format!("{title}: {}", count(all, "case")));
    for (why, ids) in groups {
        page.wrapped(&format!("{:>5}  ", ids.len()), style::PLAIN, why);
        page.wrapped("       ", style::FAINT, named(ids));
    }
}

/// The stale entries, grouped by their remedy.
fn stale(ended: &Ended, page: &mut Page) {
    let mut last = None;
    for Stale { reference, id, problem, remedy } in &ended.stale {
        if last.replace((reference, remedy)) != Some((reference, remedy)) {
            page.blank();
            page.wrapped("", style::BOLD, format!("{}: {remedy}", reference.word()));
        }
        page.wrapped("  ", style::PLAIN, format!("{id}: {problem}"));
    }
}

/// `must, should and robust failures gate`.
fn gate_words(gate: Level) -> String {
    let gating = Level::ALL.map(|level| account::gates(level, gate).then_some(level.word()));
    let mut words: Vec<&str> = gating.into_iter().flatten().collect();
    match (words.pop(), words.is_empty()) {
        (Some(last), false) => format!("{} and {last} failures gate", words.join(", ")),
        (last, _) => format!("{} failures gate", last.unwrap_or("no")),
    }
}

/// `a/case, another/case and 12 more`.
fn named(ids: &[String]) -> String {
    let few = ids.iter().take(FEW).map(String::as_str).collect::<Vec<_>>().join(", ");
    match ids.len().saturating_sub(FEW) {
        0 => few,
        more => format!("{few}, and {more} more"),
    }
}

fn exit_style(exit: &Exit) -> anstyle::Style {
    match exit.status {
        0 => style::GOOD,
        1 => style::BAD,
        _ => style::UNSURE,
    }
}

#[cfg(test)]
mod tests;
