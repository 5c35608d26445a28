//! The report for people: a terminal, or the log of a CI job.
//!
//! The report starts with the peer and the plan. With the option for details it shows each finding
//! in full as soon as it is known. At the end it has the causes, a few lines for each, the cases
//! without a verdict, the verdicts by group and level, and the summary: the counts, and the exit
//! status with its reasons.
//!
//! Rules: every text is escaped, the suite's own ids and commands too. No line needs colour to be
//! understood. No text of a peer starts a line with a command for the CI job. Lines are not wider
//! than the width that the caller gives, except for commands, which must stay on one line to be
//! copied. A column is a character, although some characters are two columns wide.
//!
//! Deliberately absent: progress. It belongs to a terminal and not to a report.

mod causes;
mod finding;

use std::collections::BTreeMap;
use std::io::{self, Write};

use dnode_spec::clause::Level;

use crate::account::{self, Account, Exit};
use crate::cause::{Causes, Finding};
use crate::event::{Ended, Event, Outcome, Run, Stale, Verdict};
use crate::page::{self, Page, WIDTH, style};
use crate::report::Report;
use crate::summary::count;
use crate::tally::Groups;
use finding::Handshakes;

/// How many ids of a group are listed.
const FEW: usize = 5;

/// How many reasons for no verdict are listed.
const REASONS: usize = 6;

/// The style of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Use colours. The caller checks for a terminal and for `NO_COLOR`.
    pub styles: bool,
    /// Show each finding in full: the wire log, the transcript and the clause.
    pub details: bool,
    /// List every case.
    pub verbose: bool,
    /// How wide a line may be, in characters, from 60 to 200.
    pub width: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options { styles: false, details: false, verbose: false, width: WIDTH }
    }
}

/// Writes the report for people.
#[derive(Debug)]
pub struct Text<W> {
    out: W,
    options: Options,
    run: Option<Run>,
    account: Account,
    groups: Groups,
    causes: Causes,
    /// The ids of the cases that say nothing about the peer, by verdict and reason.
    unjudged: BTreeMap<(Verdict, String), Vec<String>>,
    /// The ids of the excused cases, by excuse.
    excused: BTreeMap<String, Vec<String>>,
    /// The handshakes that were shown.
    handshakes: Handshakes,
    /// The last line written is an entry of the list of all cases.
    listing: bool,
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
            groups: Groups::default(),
            causes: Causes::default(),
            unjudged: BTreeMap::new(),
            excused: BTreeMap::new(),
            handshakes: Handshakes::default(),
            listing: false,
        }
    }

    /// Starts a run and forgets the previous one.
    fn start(&mut self, run: &Run, page: &mut Page) {
        if self.run.replace(run.clone()).is_some() {
            page.blank();
        }
        self.account = Account::default();
        self.groups = Groups::default();
        self.causes = Causes::default();
        self.unjudged.clear();
        self.excused.clear();
        self.handshakes = Handshakes::default();
        self.listing = false;
        header(run, self.options.details, page);
    }

    /// Takes a verdict.
    fn judged(&mut self, outcome: &Outcome, page: &mut Page) -> io::Result<()> {
        let run = self.run.as_ref().ok_or_else(crate::report::not_started)?;
        self.account.add(outcome);
        self.groups.add(outcome);
        let is_cause = outcome.verdict.is_finding() && outcome.excuse.is_none();
        self.causes.add(outcome, run.gate);
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
            Verdict::Fail | Verdict::Crash | Verdict::Hang | Verdict::HarnessError => {}
        }
        if is_cause && self.options.details {
            finding::write(page, run, outcome, &mut self.handshakes);
            self.listing = false;
        } else if self.options.verbose {
            if !std::mem::replace(&mut self.listing, true) {
                page.blank();
            }
            let waiver = crate::summary::waiver(run, outcome);
            let note = outcome.excuse.as_deref().or(waiver).or_else(|| crate::summary::reason(outcome));
            page.listed(outcome.verdict, &outcome.id, note);
        }
        Ok(())
    }

    /// Writes the end of the report.
    fn end(&mut self, ended: &Ended, page: &mut Page) -> io::Result<()> {
        let run = self.run.as_ref().ok_or_else(crate::report::not_started)?;
        causes::write(page, &std::mem::take(&mut self.causes).in_order());
        for verdict in [Verdict::NotApplicable, Verdict::Inconclusive] {
            let of_verdict = self.unjudged.iter().filter(|((judged, _), _)| *judged == verdict);
            let by_reason = of_verdict.map(|((_, reason), ids)| (reason, ids));
            groups(verdict.word(), page::verdict_style(verdict), by_reason.collect(), page);
        }
        groups("excused", style::BOLD, self.excused.iter().collect(), page);
        stale(ended, page);
        causes::groups(page, &self.groups);
        page.blank();
        page.wrapped("", style::PLAIN, self.account.sum(run, ended));
        let exit = self.account.exit(run, ended);
        page.wrapped("", exit_style(&exit), exit.to_string());
        Ok(())
    }
}

impl<W: Write> Report for Text<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let mut page = Page::new(self.options.styles, self.options.width);
        match event {
            Event::Started(run) => self.start(run, &mut page),
            Event::Judged(outcome) => self.judged(outcome, &mut page)?,
            Event::Ended(ended) => self.end(ended, &mut page)?,
        }
        self.out.write_all(page.into_string().as_bytes())?;
        self.out.flush()
    }
}

/// The report of these events as a text.
#[must_use]
pub fn report(events: &[Event], options: Options) -> String {
    let mut out = Vec::new();
    let mut text = Text::new(&mut out, options);
    for event in events {
        // Writing to memory cannot fail, and a file of events begins with the start of the run.
        let _ = text.event(event);
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A finding in full, and the ids of the others that have the same cause.
#[must_use]
pub fn with_others(run: &Run, outcome: &Outcome, others: &[Finding], options: Options) -> String {
    let mut page = Page::new(options.styles, options.width);
    finding::write(&mut page, run, outcome, &mut Handshakes::default());
    if !others.is_empty() {
        page.blank();
        page.plain(0, style::BOLD, &format!("{} with the same cause", count(others.len(), "more finding")));
        for other in others {
            page.wrapped("  ", style::PLAIN, format!("{} {}", other.verdict.word().to_uppercase(), other.id));
        }
    }
    page.into_string().trim_start_matches('\n').to_owned()
}

/// One finding in full, without colours, for other formats.
pub(crate) fn finding(run: &Run, outcome: &Outcome) -> String {
    let mut page = Page::new(false, WIDTH);
    finding::write(&mut page, run, outcome, &mut Handshakes::default());
    page.into_string()
}

/// The suite, the peer and the plan.
fn header(run: &Run, details: bool, page: &mut Page) {
    let peer = run.peer.as_deref().unwrap_or("a peer without the probe");
    let peer = crate::escape::cut(peer, 80);
    let planned = count(run.planned, "case");
    page.wrapped("", style::BOLD, format!("dnode-conform {}: {peer}, {planned}", run.suite));
    page.wrapped("", style::PLAIN, format!("{}; {}", gate_words(run.gate), run.target));
    if let Some(time) = run.time.filter(|_| details) {
        page.field("deadlines", style::PLAIN, time.describe());
    }
    for note in &run.notes {
        page.wrapped("note: ", style::PLAIN, note);
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
    let more = groups.len().saturating_sub(REASONS);
    for (why, ids) in groups.into_iter().take(REASONS) {
        page.wrapped(&format!("{:>5}  ", ids.len()), style::PLAIN, why);
        page.wrapped("       ", style::FAINT, named(ids));
    }
    if more > 0 {
        page.wrapped(
            "       ",
            style::FAINT,
            format!("{} with other reasons: see --verbose", count(more, "group")),
        );
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

/// `the run fails on must, should and robust`.
fn gate_words(gate: Level) -> String {
    let gating = Level::ALL.map(|level| account::gates(level, gate).then_some(level.word()));
    let mut words: Vec<&str> = gating.into_iter().flatten().collect();
    match (words.pop(), words.is_empty()) {
        (Some(last), false) => format!("the run fails on {} and {last}", words.join(", ")),
        (last, _) => format!("the run fails on {}", last.unwrap_or("nothing")),
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
