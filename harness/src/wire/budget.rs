//! What all connections of a run together may keep of what the peer sends. Memory is one, however many cases run side by side, and what a
//! line costs is not its length: a million opened objects take a few megabytes on the wire and a hundred times that as values.
//!
//! Each connection may keep a little. One at a time may keep more: another that needs it waits, at most until its deadline, and since
//! who keeps much waits for nobody, no two wait for each other. What no waiting can make fit is a flood.

use memchr::memchr2;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// How many bytes each connection may keep, so that ordinary cases never meet here.
const LITTLE: usize = 1 << 20;
/// How many bytes one connection at a time may keep: what the longest answer takes that a case asks for, 16 MiB as bytes, as text and as a
/// value, and the deepest, whatever its keys are written as.
const MUCH: usize = 64 << 20;

/// The memory of a run: the place of the one that may keep much.
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
    /// Another kept much until the deadline.
    Late,
    /// It is more than there is.
    TooMuch,
}

/// The part of one connection.
#[derive(Debug)]
pub(super) struct Share {
    memory: Memory,
    much: Option<OwnedSemaphorePermit>,
}

impl Share {
    /// A little.
    pub(super) fn of(memory: &Memory) -> Share {
        Share { memory: memory.clone(), much: None }
    }

    /// Keeps a little again.
    pub(super) fn give_back(&mut self) {
        self.much = None;
    }

    /// Makes the part as large as `bytes` need.
    pub(super) async fn fit(&mut self, bytes: usize, deadline: Instant) -> Result<(), Refused> {
        if bytes > MUCH {
            return Err(Refused::TooMuch);
        }
        if bytes <= LITTLE {
            self.much = None;
        } else if self.much.is_none() {
            let acquired = timeout_at(deadline, Arc::clone(&self.memory.0).acquire_owned()).await;
            self.much = Some(acquired.ok().and_then(Result::ok).ok_or(Refused::Late)?);
        }
        Ok(())
    }
}

/// How much memory a message takes that has been taken apart.
pub(super) fn cost_of_message(line: usize, nodes: usize) -> usize {
    256 + line + nodes * 320
}

/// About how much memory a line takes as a value: its text twice, and so much for each array, object and member, as measured of lines that
/// are made of nothing else. Brackets and commas within strings are none.
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

/// How long a string is after its opening quote, its closing one included.
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
    use std::time::Duration;

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
        // It lies in the buffer too, which has some room.
        assert!(cost(line.as_bytes()) + line.len() * 3 / 2 <= MUCH);
    }

    #[tokio::test(start_paused = true)]
    async fn who_needs_much_waits_for_the_one_that_has_it_and_a_flood_does_not() {
        let soon = Instant::now() + Duration::from_secs(1);
        let memory = Memory::default();
        let (mut one, mut other) = (Share::of(&memory), Share::of(&memory));
        assert_eq!(one.fit(MUCH + 1, soon).await, Err(Refused::TooMuch));
        assert_eq!(one.fit(LITTLE + 1, soon).await, Ok(()));
        assert_eq!(other.fit(LITTLE, soon).await, Ok(()), "a little is always there");
        assert_eq!(other.fit(LITTLE + 1, soon).await, Err(Refused::Late));
        assert_eq!(one.fit(MUCH, soon).await, Ok(()), "who has much waits for nobody");
        assert_eq!(one.fit(LITTLE, soon).await, Ok(()));
        assert_eq!(other.fit(MUCH, Instant::now() + Duration::from_secs(1)).await, Ok(()));
    }
}
