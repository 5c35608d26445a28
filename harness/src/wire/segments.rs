//! Which of our bytes share a segment, and the pauses between segments.

use dnode_spec::message::{Id, Method};
use dnode_spec::monitor::Received;
use memchr::{memchr, memchr_iter};
use std::borrow::Cow;
use std::time::Duration;

/// The pause between two segments. Two writes without a pause would reach the peer as one, and we
/// cannot see when it has read the first. Some of many segments may be merged, but a few segments
/// must not be.
const BETWEEN_MANY: Duration = Duration::from_millis(1);
pub(super) const BETWEEN_FEW: Duration = Duration::from_millis(25);

/// So many segments are a few.
const FEW: usize = 8;

/// More messages than this in one write are meant to be a flood. They share segments even if
/// messages travel alone.
const FLOOD: usize = 64;

/// The segments of one connection.
#[derive(Debug, Default)]
pub(super) struct Segments {
    /// Each of our messages travels in a segment of its own.
    alone: bool,
    /// The messages of one write share their segments all the same.
    shared_by_write: bool,
    /// The peer may not have read the bytes that were sent.
    unread: bool,
    /// The functions that our last message declared.
    declared: Vec<Id>,
    /// The bytes that were sent ended with a message.
    message_ended: bool,
}

impl Segments {
    /// `alone`: each message travels in a segment of its own.
    pub(super) fn new(alone: bool) -> Segments {
        Segments { alone, ..Segments::default() }
    }

    /// Lets the messages of one write share their segments all the same.
    pub(super) fn share_by_write(&mut self) {
        self.shared_by_write = true;
    }

    /// The segments of one write.
    pub(super) fn of<'b>(&self, segments: &'b [&'b [u8]]) -> Cow<'b, [&'b [u8]]> {
        let messages = || segments.iter().map(|bytes| memchr_iter(b'\n', bytes).count()).sum::<usize>();
        if !self.alone || self.shared_by_write || messages() > FLOOD {
            return Cow::Borrowed(segments);
        }
        segments.iter().flat_map(|bytes| bytes.split_inclusive(|&byte| byte == b'\n')).collect()
    }

    /// The pause before segment `n` of so many.
    pub(super) fn pause_before(&self, n: usize, segments: usize) -> Option<Duration> {
        // The peer must read what was sent before, a message or a part of one.
        let read_before = self.alone && if n == 0 { self.unread } else { self.message_ended };
        (n > 0 || read_before).then(|| if read_before { BETWEEN_FEW } else { pause_in(segments) })
    }

    /// How long the pauses of one write take at most. The time of the peer should not include them.
    pub(super) fn pauses(&self, segments: &[&[u8]]) -> Duration {
        let count = self.of(segments).len();
        let pause = if self.alone { BETWEEN_FEW } else { pause_in(count) };
        let first = usize::from(!self.alone);
        pause * u32::try_from(count.saturating_sub(first)).unwrap_or(u32::MAX)
    }

    /// Takes note of a segment that was sent.
    pub(super) fn sent(&mut self, segment: &[u8]) {
        self.unread = true;
        self.message_ended = segment.last() == Some(&b'\n');
    }

    /// Takes note of a message of ours, before it is sent.
    pub(super) fn declared(&mut self, message: Option<&Received>) {
        if self.alone {
            self.declared = message.iter().flat_map(|it| it.callbacks.iter().map(|(id, _)| *id)).collect();
        }
    }

    /// Takes note of a call of the peer. A peer that calls a function has read the message that
    /// declared it, so the next message needs no pause.
    pub(super) fn heard(&mut self, method: &Method) {
        if matches!(method, Method::Id(id) if self.declared.contains(id)) {
            self.unread = false;
        }
    }

    /// Whether this segment may wait for the next one, to share a write with it.
    pub(super) fn may_wait(&self, segment: &[u8]) -> bool {
        !self.alone || memchr(b'\n', segment).is_none()
    }
}

/// The pause between two of so many segments.
fn pause_in(segments: usize) -> Duration {
    if segments <= FEW { BETWEEN_FEW } else { BETWEEN_MANY }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dnode_spec::dialect::Dialect;
    use dnode_spec::monitor::Monitor;
    use dnode_spec::state::End;

    const TWO: &[u8] = b"{\"method\":1}\n{\"method\":2}\n";
    const PART: &[u8] = b"{\"method\":";

    #[test]
    fn a_message_alone_gets_a_segment_and_a_pause() {
        let mut alone = Segments::new(true);
        assert_eq!(alone.of(&[TWO, PART]).len(), 3);
        assert_eq!(alone.pause_before(0, 1), None, "nothing was sent before");
        alone.sent(TWO);
        assert_eq!(alone.pause_before(0, 1), Some(BETWEEN_FEW));
        alone.sent(PART);
        assert_eq!(alone.pause_before(0, 1), Some(BETWEEN_FEW));
        assert_eq!(alone.pause_before(1, 9), Some(BETWEEN_MANY), "the message goes on");
        assert!(alone.may_wait(PART) && !alone.may_wait(TWO));
    }

    #[test]
    fn an_answer_ends_the_pause() {
        let line = br#"{"method":"add","arguments":[1,2,"[Function]"],"callbacks":{"70":[2]}}"#;
        let call = Monitor::of(Dialect::default()).line(End::A, line).received.unwrap();
        let mut alone = Segments::new(true);
        alone.declared(Some(&call));
        alone.sent(TWO);
        alone.heard(&Method::Id(call.callbacks[0].0));
        assert_eq!(alone.pause_before(0, 1), None);
        alone.declared(None);
        alone.sent(TWO);
        alone.heard(&Method::Id(call.callbacks[0].0));
        assert_eq!(alone.pause_before(0, 1), Some(BETWEEN_FEW), "this answers an earlier message");
    }

    #[test]
    fn messages_share_the_segments_that_a_transcript_gives_them() {
        let mut free = Segments::default();
        free.sent(TWO);
        assert_eq!((free.of(&[TWO]).len(), free.pause_before(0, 1)), (1, None));
        assert!(free.may_wait(TWO));
        let mut shared = Segments::new(true);
        shared.share_by_write();
        assert_eq!(shared.of(&[TWO]).len(), 1);
    }

    #[test]
    fn a_flood_is_not_taken_apart() {
        let flood = TWO.repeat(FLOOD);
        let alone = Segments::new(true);
        assert_eq!(alone.of(&[&flood]).len(), 1);
    }
}
