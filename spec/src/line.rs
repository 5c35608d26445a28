//! From bytes to lines: a message ends with a newline, and a line may be split over many segments
//! of the stream.
//!
//! Feed a [`Splitter`] with the bytes of the stream. It gives the complete lines.
//!
//! ```
//! use dnode_spec::line::Splitter;
//!
//! let mut splitter = Splitter::new(1 << 20);
//! splitter.push(b"{\"method\":\"a\"}\n{\"met");
//! assert_eq!(splitter.next_line(), Some(Ok(&b"{\"method\":\"a\"}"[..])));
//! assert_eq!(splitter.next_line(), None);
//! assert_eq!(splitter.rest(), b"{\"met");
//! ```
//!
//! Rules: after each push, take lines until there are no more. The lines do not depend on the
//! segments. Memory stays below twice the limit plus the longest segment. Each byte is scanned
//! once.
//!
//! Deliberately absent: decoding. A line is bytes, `\r` is one of them, and a line may be empty.

/// Cuts a stream of bytes into lines.
#[derive(Debug, Clone)]
pub struct Splitter {
    limit: usize,
    buffer: Vec<u8>,
    /// The offset of the next line in the buffer.
    start: usize,
    /// There is no newline between `start` and this offset.
    scanned: usize,
    /// The line at `start` is too long, was reported, and has not ended yet.
    dropping: bool,
}

/// A line is longer than the limit. The rest of it, up to its newline, is dropped. The sender is at
/// fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("a line has more than {limit} bytes")]
pub struct TooLong {
    /// The most bytes that a line may have, without its newline.
    pub limit: usize,
    /// The first byte within the limit that is no white space of JSON.
    pub first: Option<u8>,
}

impl Splitter {
    /// A splitter for lines of at most `limit` bytes, their newlines not counted.
    #[must_use]
    pub fn new(limit: usize) -> Splitter {
        Splitter { limit, buffer: Vec::new(), start: 0, scanned: 0, dropping: false }
    }

    /// Takes the next bytes of the stream, cut anywhere.
    pub fn push(&mut self, bytes: &[u8]) {
        // The rest is moved to the front only if more bytes than these were taken: the cost is
        // linear in the stream.
        if self.start > self.buffer.len() / 2 {
            self.buffer.drain(..self.start);
            self.scanned -= self.start;
            self.start = 0;
            // Free the memory of a long line.
            if self.buffer.capacity() > 1 << 20 && self.buffer.len() < self.buffer.capacity() / 8 {
                self.buffer.shrink_to(self.buffer.len() * 2);
            }
        }
        // Grow by a quarter and not by half: a long line takes most of a receiver's memory.
        if self.buffer.capacity() - self.buffer.len() < bytes.len() {
            self.buffer.reserve_exact(bytes.len().max(self.buffer.len() / 4));
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The memory of the buffer, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.buffer.capacity()
    }

    /// The next complete line, without its newline; `None` until more bytes are pushed.
    ///
    /// # Errors
    /// [`TooLong`], once for each line above the limit, and before the line has ended. The lines
    /// after it are not affected.
    pub fn next_line(&mut self) -> Option<Result<&[u8], TooLong>> {
        let is_text = |byte: &u8| !b" \t\r".contains(byte);
        let limit = self.limit;
        let too_long = |line: &[u8]| TooLong { limit, first: line.iter().take(limit).copied().find(is_text) };
        while let Some(length) = memchr::memchr(b'\n', &self.buffer[self.scanned..]) {
            let line = self.start..self.scanned + length;
            self.start = line.end + 1;
            self.scanned = self.start;
            if !std::mem::replace(&mut self.dropping, false) {
                let line = &self.buffer[line];
                return Some(if line.len() <= limit { Ok(line) } else { Err(too_long(line)) });
            }
        }
        // The line goes on in the next segment.
        self.scanned = self.buffer.len();
        let is_news = !self.dropping && self.rest().len() > limit;
        let news = is_news.then(|| Err(too_long(self.rest())));
        self.dropping |= is_news;
        if self.dropping {
            self.buffer.truncate(self.start);
            self.scanned = self.start;
        }
        if is_news {
            self.buffer.shrink_to_fit();
        }
        self.forget_long_line();
        news
    }

    /// Frees the memory of a long line after it was taken, if nothing follows it. Without this,
    /// [`Splitter::next_line`] does it when there are no more lines.
    pub fn forget_long_line(&mut self) {
        if self.rest().is_empty() && self.buffer.capacity() > 1 << 20 {
            self.buffer = Vec::new();
            (self.start, self.scanned) = (0, 0);
        }
    }

    /// The bytes that were pushed and not given as a line. If there are no more lines, these are
    /// the bytes after the last newline; at the end of the stream, an unfinished line. Nothing is
    /// kept of a line that is too long.
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        &self.buffer[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The lines of `segments`, and the rest.
    fn lines(limit: usize, segments: &[&[u8]]) -> (Vec<Result<Vec<u8>, TooLong>>, Vec<u8>) {
        let mut splitter = Splitter::new(limit);
        let mut lines = Vec::new();
        for segment in segments {
            splitter.push(segment);
            while let Some(line) = splitter.next_line() {
                lines.push(line.map(<[u8]>::to_vec));
            }
            assert!(splitter.rest().len() <= limit);
            assert!(splitter.buffer.len() <= 2 * limit + segment.len());
        }
        (lines, splitter.rest().to_vec())
    }

    #[test]
    fn memory_grows_by_a_quarter_and_is_freed() {
        let mut splitter = Splitter::new(8 << 20);
        let segment = [b'x'; 64 << 10];
        for _ in 0..100 {
            splitter.push(&segment);
            assert_eq!(splitter.next_line(), None);
        }
        let most = splitter.rest().len() * 5 / 4 + segment.len();
        assert!(splitter.memory() <= most, "{} bytes for {}", splitter.memory(), splitter.rest().len());
        splitter.push(b"\n");
        assert!(matches!(splitter.next_line(), Some(Ok(_))));
        splitter.push(b"y");
        assert!(splitter.memory() < 1 << 20, "{} bytes for one", splitter.memory());
        splitter.push(&[&[b'x'; 2 << 20][..], b"\n"].concat());
        assert!(matches!(splitter.next_line(), Some(Ok(line)) if line.len() == (2 << 20) + 1));
        assert_eq!(splitter.next_line(), None);
        assert_eq!(splitter.memory(), 0, "all lines were taken");
        for _ in 0..200 {
            splitter.push(&segment);
            let _ = splitter.next_line();
        }
        assert!(splitter.memory() < 1 << 20, "{} bytes for a line that is dropped", splitter.memory());
    }

    #[test]
    fn long_line_is_reported_early_and_the_next_line_is_whole() {
        let mut splitter = Splitter::new(3);
        splitter.push(b"abc\nabcd");
        assert_eq!(splitter.next_line(), Some(Ok(&b"abc"[..])));
        assert_eq!(splitter.next_line(), Some(Err(TooLong { limit: 3, first: Some(b'a') })));
        assert_eq!(splitter.next_line(), None);
        splitter.push(b"efgh");
        assert_eq!(splitter.next_line(), None);
        assert_eq!(splitter.rest(), b"");
        splitter.push(b"i\n\n\r\nx");
        assert_eq!(splitter.next_line(), Some(Ok(&b""[..])));
        assert_eq!(splitter.next_line(), Some(Ok(&b"\r"[..])));
        assert_eq!(splitter.next_line(), None);
        assert_eq!(splitter.rest(), b"x");
        insta::assert_snapshot!(TooLong { limit: 3, first: None }, @"a line has more than 3 bytes");
    }

    #[test]
    fn cost_is_linear_if_lines_are_taken_slowly() {
        let mut splitter = Splitter::new(10);
        for _ in 0..1_000_000 {
            splitter.push(b"ab\ncd\n");
            assert!(splitter.next_line().is_some());
        }
        assert_eq!(splitter.rest().len(), 3_000_000);
    }

    /// Streams with many newlines, and the offsets of the cuts.
    fn cut_stream() -> impl Strategy<Value = (Vec<u8>, Vec<prop::sample::Index>)> {
        let byte = prop_oneof![Just(b'\n'), Just(b'\r'), b'a'..=b'c', any::<u8>()];
        (prop::collection::vec(byte, 0..60), prop::collection::vec(any::<prop::sample::Index>(), 0..12))
    }

    proptest! {
        #[test]
        fn cuts_do_not_change_the_lines((stream, cuts) in cut_stream(), limit in 0usize..8) {
            let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            ends.push(stream.len());
            ends.sort_unstable();
            let mut start = 0;
            let segments: Vec<&[u8]> = ends.iter().map(|&end| {
                let segment = &stream[start..end];
                start = end;
                segment
            }).collect();
            prop_assert_eq!(lines(limit, &segments), lines(limit, &[&stream]));
        }

        #[test]
        fn lines_are_the_bytes_between_newlines(stream in cut_stream().prop_map(|(stream, _)| stream)) {
            let mut expected: Vec<_> = stream.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
            let rest = expected.pop().unwrap();
            prop_assert_eq!(lines(stream.len(), &[&stream]), (expected.into_iter().map(Ok).collect(), rest));
        }
    }
}
