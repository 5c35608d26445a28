//! A line of progress on a terminal; nothing in a pipe.

use super::output;
use dnode_reports::event::{Event, Verdict};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// The line of progress of a run.
#[derive(Clone)]
pub(super) struct Progress {
    bar: ProgressBar,
    findings: usize,
}

impl Progress {
    /// Shows the line on standard error, if that is a terminal.
    pub(super) fn new() -> Progress {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(style("{spinner} {msg}"));
        bar.set_message("starting the peer");
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Progress { bar, findings: 0 }
    }

    /// Updates the line.
    pub(super) fn event(&mut self, event: &Event) {
        match event {
            Event::Started(run) => {
                self.bar.set_style(style("{spinner} {pos}/{len} cases, {msg}"));
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

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
