//! The memory that all connections of a run may use for the peer's messages. It does not depend on
//! how many cases run side by side. The cost of a line is not its length: a million nested objects
//! take a few megabytes on the wire, and a hundred times as much as values.
//!
//! Each connection may keep a little. One connection at a time may keep much. Another connection
//! that needs much waits, and its peer's time stands still meanwhile. The one that keeps much never
//! waits, so there is no deadlock. A message that is larger than that is a flood.

use crate::clock::Clock;
use memchr::memchr2;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// How many bytes each connection may keep. Ordinary cases need no more.
const LITTLE: usize = 1 << 20;
/// How many bytes one connection at a time may keep. This is enough for the longest answer that a
/// case asks for, 16 MiB as bytes, as text and as a value, and for the deepest.
const MUCH: usize = 64 << 20;
/// How long a connection waits for one that keeps much. No case takes this long.
const LONGEST: Duration = Duration::from_secs(120);

/// The memory of a run: a permit for the connection that may keep much.
#[derive(Debug, Clone)]
pub struct Memory(Arc<Semaphore>);

impl Default for Memory {
    fn default() -> Memory {
        Memory(Arc::new(Semaphore::new(1)))
    }
}

/// Why a connection may not keep more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Another connection kept much for very long.
    Late,
    /// It needs more memory than there is.
    TooMuch,
}

/// The share of one connection.
#[derive(Debug)]
pub(super) struct Share {
    memory: Memory,
    much: Option<OwnedSemaphorePermit>,
}

impl Share {
    /// A share that may keep a little.
    pub(super) fn of(memory: &Memory) -> Share {
        Share { memory: memory.clone(), much: None }
    }

    /// Reduces the share to a little again.
    pub(super) fn give_back(&mut self) {
        self.much = None;
    }

    /// Makes the share large enough for `bytes`.
    pub(super) async fn fit(&mut self, bytes: usize, clock: &Clock) -> Result<(), Refused> {
        if bytes > MUCH {
            return Err(Refused::TooMuch);
        }
        if bytes <= LITTLE {
            self.much = None;
        } else if self.much.is_none() {
            let begun = Instant::now();
            let acquired = tokio::time::timeout(LONGEST, Arc::clone(&self.memory.0).acquire_owned()).await;
            clock.wait_for_suite(begun.elapsed());
            self.much = Some(acquired.ok().and_then(Result::ok).ok_or(Refused::Late)?);
        }
        Ok(())
    }
}

/// How much memory a decoded message takes, in bytes.
pub(super) fn cost_of_message(line: usize, nodes: usize) -> usize {
    256 + line + nodes * 320
}

/// An estimate of the memory that a line takes as a value: twice its text, and a constant for each
/// array, object and member. The constants were measured on lines that contain nothing else.
/// Brackets and commas in strings do not count.
pub(super) fn cost(line: &[u8]) -> usize {
    let (mut cost, mut at) = (line.len() * 2, 0);
    while let Some(&byte) = line.get(at) {
        at += 1;
        match byte {
            b'"' => at += string(&line[at..]),
            b'{' => cost += 304,
            b'[' | b',' => cost += 192,
            _ => {}
        }
    }
    cost
}

/// The length of a string after its opening quote, including the closing one.
fn string(rest: &[u8]) -> usize {
    let mut at = 0;
    while let Some(stop) = memchr2(b'"', b'\\', &rest[at..]) {
        at += stop + 1;
        if rest[at - 1] == b'"' {
            return at;
        }
        at = rest.len().min(at + 1);
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dnode_reports::event::TimeBase;

    #[test]
    fn brackets_and_commas_in_strings_cost_no_more_than_other_text() {
        assert_eq!(cost(br#""{[,\"{[,""#), 2 * 10);
        assert_eq!(cost(br#"[{"a":"\\"},1]"#), 2 * 14 + 192 + 304 + 192);
        assert_eq!(cost(br#"["[\""#), 2 * 5 + 192, "a string that does not end");
        assert_eq!(cost(br#"["\"#), 2 * 3 + 192, "an escape that does not end");
    }

    #[test]
    fn the_costliest_answer_that_a_case_asks_for_fits() {
        // `robust/path-deep`: an object in each object, and the path to the last.
        const DEEP: usize = 100_000;
        let (open, close, path) = ("{\"a\":".repeat(DEEP), "}".repeat(DEEP), ",\"a\"".repeat(DEEP));
        let line = format!(
            "{{\"method\":1,\"arguments\":[{open}1{close}],\"callbacks\":{{\"0\":[\"0\"{path}]}},\"links\":[]}}"
        );
        // The line is also in the buffer, which may be half as long again.
        assert!(cost(line.as_bytes()) + line.len() * 3 / 2 <= MUCH);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_needs_much_waits_but_a_flood_does_not() {
        let clock = Clock::unkept(TimeBase::WallTime);
        let memory = Memory::default();
        let (mut one, mut other) = (Share::of(&memory), Share::of(&memory));
        assert_eq!(one.fit(MUCH + 1, &clock).await, Err(Refused::TooMuch));
        assert_eq!(one.fit(LITTLE + 1, &clock).await, Ok(()));
        assert_eq!(other.fit(LITTLE, &clock).await, Ok(()), "a little is always free");
        let before = clock.now();
        assert_eq!(other.fit(LITTLE + 1, &clock).await, Err(Refused::Late));
        assert!(clock.now().since(before) < Duration::from_secs(1), "the wait is not the peer's time");
        assert_eq!(one.fit(MUCH, &clock).await, Ok(()), "the one that keeps much does not wait");
        assert_eq!(one.fit(LITTLE, &clock).await, Ok(()));
        assert_eq!(other.fit(MUCH, &clock).await, Ok(()));
    }
}
