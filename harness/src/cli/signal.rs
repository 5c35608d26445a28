//! Signals that end the program.

use super::failure::COULD_NOT_RUN;
use super::output;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Calls `act` on each SIGINT, SIGTERM, SIGQUIT and SIGHUP. A second one after a fifth of a second
/// ends the program, unless it is a SIGHUP: the shell and the kernel may both send one if a terminal
/// is closed.
pub(super) fn on_signal(act: impl Fn() + Send + 'static) {
    on_signal_or_end(act, || {});
}

/// Like [`on_signal`]. Calls `end` before the program ends.
pub(super) fn on_signal_or_end(act: impl Fn() + Send + 'static, end: impl Fn() + Send + 'static) {
    // Install the handlers now, not when the task first runs.
    let Ok(mut signals) = Signals::install() else { return };
    tokio::spawn(async move {
        let mut first: Option<Instant> = None;
        loop {
            let hangs_up = signals.next().await;
            act();
            // `timeout` and others signal both the process and its group. Two at once count as one.
            let since = first.get_or_insert_with(Instant::now).elapsed();
            if !hangs_up && since > Duration::from_millis(200) {
                end();
                output::warn("stopped; the reports of this run are not complete");
                crate::program::kill_all();
                std::process::exit(i32::from(COULD_NOT_RUN));
            }
        }
    });
}

/// The signals that end the program.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    quit: Signal,
    /// The terminal was closed. `None` if that should not end us.
    hangup: Option<Signal>,
}

impl Signals {
    fn install() -> std::io::Result<Signals> {
        let is_ignored = hangup_is_ignored();
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            quit: signal(SignalKind::quit())?,
            hangup: (!is_ignored).then(|| signal(SignalKind::hangup())).transpose()?,
        })
    }

    /// Waits for a signal. Returns whether it is SIGHUP.
    async fn next(&mut self) -> bool {
        tokio::select! {
            _ = self.interrupt.recv() => false,
            _ = self.terminate.recv() => false,
            _ = self.quit.recv() => false,
            Some(()) = async { self.hangup.as_mut()?.recv().await } => true,
        }
    }
}

/// Whether we were started to ignore SIGHUP, as `nohup` does. A child inherits this, so one that
/// survives the signal shows it.
fn hangup_is_ignored() -> bool {
    let mut shell = Command::new("sh");
    shell.args(["-c", "kill -s HUP $$"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    shell.status().is_ok_and(|status| status.success())
}
