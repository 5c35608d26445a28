//! Splitting bytes into lines.

use dnode_spec::line::Splitter;

/// Splits a stream into lines. The result does not depend on the cuts into segments, and every
/// limit is respected.
///
/// # Panics
/// If this does not hold.
pub fn lines(data: &[u8]) {
    let (half, whole) = (data.len() / 2 + 1, data.len() + 1);
    for limit in [0, 1, 16, usize::MAX] {
        for length in [1, 7, half, whole] {
            check(data.chunks(length), data, limit);
        }
        // Cuts after each newline, then before each newline.
        check(data.split_inclusive(|&byte| byte == b'\n'), data, limit);
        let starts = data.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
        let ends = starts.clone().chain([data.len()]);
        check([0].into_iter().chain(starts).zip(ends).map(|(start, end)| &data[start..end]), data, limit);
    }
}

/// Splits `data`, which arrives in these segments.
fn check<'d>(segments: impl Iterator<Item = &'d [u8]>, data: &[u8], limit: usize) {
    let mut splitter = Splitter::new(limit);
    let mut expected = data.split(|&byte| byte == b'\n').peekable();
    let mut last_is_reported = false;
    for segment in segments {
        splitter.push(segment);
        while let Some(line) = splitter.next_line() {
            let expected_line = expected.next();
            last_is_reported = expected.peek().is_none();
            match line {
                Ok(line) => assert_eq!(Some(line), expected_line.filter(|line| line.len() <= limit)),
                Err(_) => {
                    assert!(expected_line.is_some_and(|line| line.len() > limit), "the line is not too long")
                }
            }
        }
        assert!(splitter.rest().len() <= limit, "the splitter keeps more bytes than its limit");
    }
    let rest = if last_is_reported { &[] } else { expected.next().unwrap_or_default() };
    assert_eq!(splitter.rest(), rest);
    assert_eq!(expected.next(), None, "a line is missing");
}
