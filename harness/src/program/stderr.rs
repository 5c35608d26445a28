//! The standard error of a process: its first lines, which mostly name the error, and its last ones.

use dnode_reports::trace::fold;

/// How many of the first and of the last bytes are kept.
const FIRST: usize = 8 << 10;
const LAST: usize = 8 << 10;
/// How many of the first and of the last lines are shown, after repeated ones are folded.
const SHOWN: usize = 24;

/// The kept bytes.
#[derive(Debug, Default)]
pub(super) struct Stderr {
    first: Vec<u8>,
    last: Vec<u8>,
    /// The number of bytes between them that were dropped.
    dropped: usize,
}

impl Stderr {
    /// Adds bytes.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        let (first, rest) = bytes.split_at(bytes.len().min(FIRST - self.first.len()));
        self.first.extend_from_slice(first);
        self.last.extend_from_slice(rest);
        let excess = self.last.len().saturating_sub(LAST);
        self.last.drain(..excess);
        self.dropped += excess;
    }

    /// The first and the last lines, with repeated lines folded.
    pub(super) fn text(&self) -> String {
        let first = String::from_utf8_lossy(&self.first);
        let last = String::from_utf8_lossy(&self.last);
        let text = match self.dropped {
            0 => String::from_utf8_lossy(&[self.first.as_slice(), &self.last].concat()).into_owned(),
            dropped => format!("{first}\n… {dropped} bytes are left out\n{last}"),
        };
        let text = fold(&text);
        let lines: Vec<&str> = text.lines().collect();
        match lines.len().saturating_sub(2 * SHOWN) {
            0 => lines.join("\n"),
            omitted => {
                let note = format!("… {} are left out", dnode_reports::count(omitted, "line"));
                let (first, last) = (&lines[..SHOWN], &lines[SHOWN + omitted..]);
                [first, &[note.as_str()], last].concat().join("\n")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_and_last_lines_are_kept() {
        let mut stderr = Stderr::default();
        stderr.add(b"Error: the cause\n");
        (0..5000).for_each(|n| stderr.add(format!("line {n}\n").as_bytes()));
        let text = stderr.text();
        assert!(text.starts_with("Error: the cause\nline 0\n") && text.ends_with("line 4998\nline 4999"));
        assert!(text.contains("left out") && text.lines().count() == 2 * SHOWN + 1, "{text}");
    }

    #[test]
    fn short_text_is_whole_and_repetitions_are_folded() {
        let mut stderr = Stderr::default();
        stderr.add("é at f\n at g\n at g\n at g\n at main".as_bytes());
        assert_eq!(stderr.text(), "é at f\n at g\n… the last line repeats 2 more times\n at main");
    }
}
