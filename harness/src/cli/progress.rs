//! A line of progress on a terminal; nothing in a pipe.

use super::output;
use super::screen;
use crate::run::{GRACE, Running};
use dnode_reports::count;
use dnode_reports::event::{Event, Verdict};
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// How long a case may take before the line names it.
const LONG: Duration = Duration::from_secs(2);

/// The line of progress of a run.
#[derive(Clone)]
pub(super) struct Progress {
    bar: ProgressBar,
    /// Whether the cases have begun. Asking the bar would wait for a screen that is stuck.
    begun: Arc<AtomicBool>,
    /// The findings among the emitted outcomes.
    findings: Arc<AtomicUsize>,
    running: Running,
}

impl Progress {
    /// Shows the line on standard error, if that is a terminal. `running`: the cases of the run.
    pub(super) fn new(running: Running) -> Progress {
        let bar = ProgressBar::with_draw_target(None, screen::of_stderr());
        bar.set_style(style("{spinner} {msg}"));
        bar.set_message("starting the peer");
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Progress { bar, begun: Arc::default(), findings: Arc::default(), running }
    }

    /// Updates the line.
    pub(super) fn event(&mut self, event: &Event) {
        match event {
            Event::Started(run) => {
                self.begun.store(true, Ordering::Relaxed);
                self.bar.set_style(self.style_of_cases());
                self.bar.set_length(run.planned as u64);
            }
            Event::Judged(outcome) => {
                let is_finding = matches!(outcome.verdict, Verdict::Fail | Verdict::Crash | Verdict::Hang);
                self.findings.fetch_add(usize::from(is_finding), Ordering::Relaxed);
                self.bar.inc(1);
            }
            Event::Ended(_) => self.finish(),
        }
    }

    /// A style whose text is made again each time the line is drawn, not only at an event.
    fn style_of_cases(&self) -> ProgressStyle {
        let (running, findings) = (self.running.clone(), Arc::clone(&self.findings));
        style("{spinner} {cases}").with_key("cases", move |bar: &ProgressState, line: &mut dyn fmt::Write| {
            let so_far = running.so_far();
            // Outcomes are emitted in order, so a slow case holds back others that have their verdict.
            let cases = so_far.cases.max(usize::try_from(bar.pos()).unwrap_or_default());
            let findings = so_far.findings.max(findings.load(Ordering::Relaxed));
            let planned = bar.len().unwrap_or_default();
            let (findings, waiting) = (in_words(findings), waiting(running.longest()));
            let _ = write!(line, "{cases}/{planned} cases, {findings}{waiting}");
        })
    }

    /// Whether the cases have begun. None may be running at this moment.
    pub(super) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    /// Says that the run is interrupted. The line of progress stays below. `in_cases`: whether the cases had begun.
    pub(super) fn interrupted(&self, in_cases: bool) {
        let when = if in_cases { after_cases() } else { String::new() };
        self.suspend(|| {
            output::warn(format_args!("interrupted: the run ends{when}; press Ctrl-C again to stop"))
        });
    }

    /// Says where the run is when its time is over.
    pub(super) fn out_of_time(&self) {
        let at = match self.running.longest() {
            Some((id, _)) => {
                let id = dnode_reports::escape::terminal(id);
                format!("while {id} was running: the run ends{}", after_cases())
            }
            None => "while no case was running: the run ends".to_owned(),
        };
        self.suspend(|| {
            output::warn(format_args!("--max-time elapsed {at}"));
        });
    }

    /// Hides the line while `print` runs.
    pub(super) fn suspend(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    /// Removes the line.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn after_cases() -> String {
    format!(" after the current cases, at most {} s later", GRACE.as_secs())
}

fn in_words(findings: usize) -> String {
    if findings == 0 { "no findings".to_owned() } else { count(findings, "finding") }
}

/// The end of the line: the case that has been running for the longest time, if that is long.
fn waiting(longest: Option<(String, Duration)>) -> String {
    match longest.filter(|(_, time)| *time >= LONG) {
        // A transcript from a file may have any id.
        Some((id, time)) => {
            format!(", waiting for {}, {} s", dnode_reports::escape::terminal(id), time.as_secs())
        }
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(milliseconds: u64) -> Option<(String, Duration)> {
        Some(("robust/link-bomb".to_owned(), Duration::from_millis(milliseconds)))
    }

    #[test]
    fn a_case_is_named_after_two_seconds() {
        assert_eq!(waiting(None), "");
        assert_eq!(waiting(after(1999)), "");
        assert_eq!(waiting(after(2000)), ", waiting for robust/link-bomb, 2 s");
        assert_eq!(waiting(after(6900)), ", waiting for robust/link-bomb, 6 s");
        let hostile = Some(("a\u{1b}[2J".to_owned(), LONG));
        assert_eq!(waiting(hostile), r", waiting for a\x1b[2J, 2 s");
    }
}
