//! A line of progress on a terminal; nothing in a pipe.

use super::output;
use crate::run::Running;
use dnode_reports::event::{Event, Verdict};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt;
use std::time::Duration;

/// How long a case may take before the line names it.
const LONG: Duration = Duration::from_secs(2);

/// The line of progress of a run.
#[derive(Clone)]
pub(super) struct Progress {
    bar: ProgressBar,
    findings: usize,
    running: Running,
}

impl Progress {
    /// Shows the line on standard error, if that is a terminal. `running`: the cases of the run.
    pub(super) fn new(running: Running) -> Progress {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(style("{spinner} {msg}", &running));
        bar.set_message("starting the peer");
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Progress { bar, findings: 0, running }
    }

    /// Updates the line.
    pub(super) fn event(&mut self, event: &Event) {
        match event {
            Event::Started(run) => {
                self.bar.set_style(style("{spinner} {pos}/{len} cases, {msg}{waiting}", &self.running));
                self.bar.set_length(run.planned as u64);
                self.bar.set_message("no findings");
            }
            Event::Judged(outcome) => {
                self.bar.inc(1);
                self.findings +=
                    usize::from(matches!(outcome.verdict, Verdict::Fail | Verdict::Crash | Verdict::Hang));
                match self.findings {
                    0 => {}
                    1 => self.bar.set_message("1 finding"),
                    count => self.bar.set_message(format!("{count} findings")),
                }
            }
            Event::Ended(_) => self.finish(),
        }
    }

    /// Says that the run was interrupted. The line of progress stays below.
    pub(super) fn interrupted(&self) {
        self.suspend(|| {
            output::warn("interrupted: the cases that run are finished; press again to stop now")
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

/// A style whose `{waiting}` is made again each time the line is drawn.
fn style(template: &str, running: &Running) -> ProgressStyle {
    let running = running.clone();
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    style.with_key("waiting", move |_: &ProgressState, line: &mut dyn fmt::Write| {
        let _ = line.write_str(&waiting(running.longest()));
    })
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
