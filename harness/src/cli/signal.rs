//! Signals that end the program.

use super::failure::COULD_NOT_RUN;
use super::output;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// Calls `act` on each SIGINT and SIGTERM. A second one after a fifth of a second ends the program.
pub(super) fn on_signal(act: impl Fn() + Send + 'static) {
    on_signal_or_end(act, || {});
}

/// Like [`on_signal`]. Calls `end` before the program ends.
pub(super) fn on_signal_or_end(act: impl Fn() + Send + 'static, end: impl Fn() + Send + 'static) {
    // Install the handlers now, not when the task first runs.
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    tokio::spawn(async move {
        let mut first: Option<Instant> = None;
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            act();
            // `timeout` and others signal both the process and its group. Two at once count as one.
            if first.get_or_insert_with(Instant::now).elapsed() > Duration::from_millis(200) {
                end();
                output::warn("stopped; the reports of this run are not complete");
                crate::program::process::kill_all();
                std::process::exit(i32::from(COULD_NOT_RUN));
            }
        }
    });
}
