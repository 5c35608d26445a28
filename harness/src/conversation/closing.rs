//! The orderly end of a connection: we close our half and read until the peer closes its half.

use crate::wire::Wire;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How long a peer may take to close a connection after we closed our half, if it is known to
/// close. With a shorter time, a slow peer would see resets instead of orderly ends.
pub(super) const DRAIN: Duration = Duration::from_secs(2);

/// The same for a peer that did not close the connection of the preflight.
const BRIEF: Duration = Duration::from_millis(20);

/// After this many connections that the peer did not close in time, the wait is short.
const MISSES: u32 = 3;

/// Whether a peer closes its connections after we closed our half. The clones share what is
/// learned during a run.
#[derive(Debug, Clone, Default)]
pub struct Closing {
    /// The peer closed the connection of the preflight.
    known: bool,
    /// How many other connections it did not close in time.
    missed: Arc<AtomicU32>,
}

impl Closing {
    /// What the connection of the preflight showed.
    #[must_use]
    pub fn seen(known: bool) -> Closing {
        Closing { known, ..Closing::default() }
    }

    /// Whether the peer closed the connection of the preflight.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.known
    }

    /// How long to wait for the peer to close a connection. `quiet`: the time that shows silence.
    pub(super) fn wait(&self, quiet: Duration) -> Duration {
        match (self.known, self.missed.load(Ordering::Relaxed) >= MISSES) {
            (false, _) => BRIEF,
            (true, false) => DRAIN,
            (true, true) => quiet,
        }
    }

    /// Closes a connection and waits for the peer to close it too, but no longer than `most`. What
    /// the peer sends until then is judged.
    ///
    /// A peer may close most of its connections and keep some, as a language with a garbage
    /// collector does. The wait shows nothing about such a peer. So after some connections that
    /// stayed open, no other one gets the full wait.
    pub(super) async fn close(&self, wire: &mut Wire, quiet: Duration, most: Duration) {
        let wait = self.wait(quiet).min(most);
        wire.close(wire.clock().now() + wait).await;
        if self.known && wait >= DRAIN / 2 && !wire.is_closed() && !wire.is_overloaded() {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Route;
    use crate::wire::Terms;
    use dnode::transport::Address;
    use tokio::time::Instant;

    const QUIET: Duration = Duration::from_millis(100);

    /// How long each of five connections waits for a peer that keeps it open.
    async fn waits(closing: &Closing) -> Vec<Duration> {
        let mut waits = Vec::new();
        for _ in 0..5 {
            let (kept, theirs) = std::sync::mpsc::channel();
            let route = Route::on_paused_clock(Address::in_memory("open", move || {
                let (ours, theirs) = tokio::io::duplex(1 << 10);
                let _ = kept.send(theirs);
                ours
            }));
            let soon = route.clock().now() + DRAIN;
            let mut wire = Wire::open(&route, &Terms::default(), soon).await.unwrap();
            let _theirs = theirs.recv().unwrap();
            let begun = Instant::now();
            closing.close(&mut wire, QUIET, Duration::MAX).await;
            waits.push(begun.elapsed());
        }
        waits
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_keeps_some_connections_open_costs_three_full_waits() {
        let waits = waits(&Closing::seen(true)).await;
        let full = waits.iter().filter(|wait| **wait >= DRAIN).count();
        assert_eq!(full, 3, "{waits:?}");
        assert!(waits[3..].iter().all(|wait| *wait >= QUIET), "{waits:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_kept_the_first_connection_open_costs_no_full_wait() {
        let waits = waits(&Closing::seen(false)).await;
        assert!(waits.iter().all(|wait| *wait < QUIET), "{waits:?}");
    }
}
