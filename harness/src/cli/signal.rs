//! Signals that end the program.
//!
//! They have a thread of their own, and all that may wait for an output is done in yet another one:
//! a reader that reads no more must not keep us from ending.

use super::failure::COULD_NOT_RUN;
use super::output;
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Signals within this time count as one: `timeout` and others signal both the process and its
/// group.
const AT_ONCE: Duration = Duration::from_millis(200);

/// How long the last words before the end may wait for an output.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Calls `act` on each SIGINT, SIGTERM, SIGQUIT and SIGHUP, in a thread of its own. A second signal
/// after a fifth of a second ends the program, unless it is a SIGHUP: the shell and the kernel may
/// both send one if a terminal is closed.
pub(super) fn on_signal(act: impl Fn() + Send + Sync + 'static) {
    on_signal_or_end(act, || {});
}

/// Like [`on_signal`]. Calls `end` before the program ends.
pub(super) fn on_signal_or_end(act: impl Fn() + Send + Sync + 'static, end: impl FnOnce() + Send + 'static) {
    let Ok(runtime) = Builder::new_current_thread().enable_io().build() else { return };
    // Install the handlers now, not when the thread first runs.
    let installed = {
        let _within = runtime.enter();
        Signals::install()
    };
    let Ok(mut signals) = installed else { return };
    let act = Arc::new(act);
    thread::spawn(move || {
        let mut first: Option<Instant> = None;
        loop {
            let hangs_up = runtime.block_on(signals.next());
            let act = Arc::clone(&act);
            thread::spawn(move || act());
            if first.get_or_insert_with(Instant::now).elapsed() > AT_ONCE && !hangs_up {
                break;
            }
        }
        let (said, hears) = mpsc::channel();
        thread::spawn(move || {
            end();
            output::warn("stopped; the reports of this run are not written");
            let _ = said.send(());
        });
        let _ = hears.recv_timeout(LAST_WORDS);
        stop();
    });
}

/// Makes a write beyond the limit of `ulimit -f` an error that we can report. Without a handler, its
/// signal ends us.
pub(super) fn report_full_files() {
    let _ = signal(SignalKind::from_raw(nix::sys::signal::Signal::SIGXFSZ as i32));
}

/// Ends the program in the middle of its work.
pub(super) fn stop() -> ! {
    crate::files::remove_unfinished();
    crate::program::kill_all();
    std::process::exit(i32::from(COULD_NOT_RUN));
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
