//! What all connections of a run together may keep of what the peer sends. Memory is one, however many cases run side by side, and what a
//! line costs is not its length: a million opened objects take a few megabytes on the wire and a hundred times that as values.
//!
//! A connection takes its part before it reads on or takes a line apart, and waits, at most until its deadline, for others to give theirs
//! back. What no waiting can make fit is a flood. What a connection keeps below [`FREE`] is not counted, so that ordinary cases never
//! meet here.

use memchr::memchr2;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// The unit in which memory is counted.
const UNIT: usize = 1024;
/// How many units there are: what the longest answer takes that a case asks for, 16 MiB as bytes, as text and as a value, and the deepest,
/// whatever its keys are written as.
const TOTAL: usize = 64 * 1024;
/// How many bytes of a connection are not counted.
const FREE: usize = 256 * 1024;

/// The memory of a run.
#[derive(Debug, Clone)]
pub struct Memory(Arc<Semaphore>);

impl Default for Memory {
    fn default() -> Memory {
        Memory(Arc::new(Semaphore::new(TOTAL)))
    }
}

/// Why a connection may not keep more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Others kept too much until the deadline.
    Late,
    /// It is more than there is.
    TooMuch,
}

/// The part of one connection.
#[derive(Debug)]
pub(super) struct Share {
    memory: Memory,
    taken: Option<OwnedSemaphorePermit>,
}

impl Share {
    /// Nothing yet.
    pub(super) fn of(memory: &Memory) -> Share {
        Share { memory: memory.clone(), taken: None }
    }

    /// Makes the part as large as `bytes` need.
    pub(super) async fn fit(&mut self, bytes: usize, deadline: Instant) -> Result<(), Refused> {
        let wanted = bytes.saturating_sub(FREE).div_ceil(UNIT);
        let held = self.taken.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        if wanted > TOTAL {
            return Err(Refused::TooMuch);
        }
        if wanted <= held {
            drop(self.taken.as_mut().and_then(|taken| taken.split(held - wanted)));
            return Ok(());
        }
        let more = u32::try_from(wanted - held).unwrap_or(u32::MAX);
        let acquired = timeout_at(deadline, Arc::clone(&self.memory.0).acquire_many_owned(more)).await;
        let Ok(Ok(more)) = acquired else { return Err(Refused::Late) };
        match &mut self.taken {
            Some(taken) => taken.merge(more),
            taken => *taken = Some(more),
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
        assert!(cost(line.as_bytes()) + line.len() * 3 / 2 <= TOTAL * UNIT);
    }

    #[tokio::test]
    async fn a_part_waits_for_the_others_and_a_flood_does_not() {
        let soon = Instant::now() + std::time::Duration::from_millis(1);
        let memory = Memory::default();
        let (mut one, mut other) = (Share::of(&memory), Share::of(&memory));
        assert_eq!(one.fit(TOTAL * UNIT + FREE + 1, soon).await, Err(Refused::TooMuch));
        assert_eq!(one.fit(TOTAL * UNIT + FREE, soon).await, Ok(()));
        assert_eq!(other.fit(FREE, soon).await, Ok(()), "what is not counted is always there");
        assert_eq!(other.fit(FREE + 1, soon).await, Err(Refused::Late));
        assert_eq!(one.fit(FREE, soon).await, Ok(()));
        let later = Instant::now() + std::time::Duration::from_secs(60);
        assert_eq!(other.fit(FREE + 1, later).await, Ok(()));
    }
}
