//! What a campaign looks at, and what it calls what it saw.
//!
//! A finding is what it is: the oracle, the clause, the operation that showed it, the class of what came; never a hash of the input. Where a
//! process that we started has ended, what it last said stands for the operation: two inputs that end it in one place are one finding.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

/// What told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Oracle {
    /// The peer's process ended, or it refuses connections.
    Died,
    /// The connection stays open and answers nothing.
    Deaf,
    /// A fresh connection is not served.
    NotServed,
    /// Another connection, which did nothing wrong, no longer answers.
    Disturbed,
    /// A line or an answer breaks a clause.
    Clause,
    /// The peer served nobody for a while, and then went on.
    Hang,
    /// The memory of its process grows without bound.
    Memory,
    /// It answered far slower than it does.
    Slow,
    /// It answered with far more bytes than came.
    Amplified,
}

impl Oracle {
    /// All of them.
    pub const ALL: [Oracle; 9] = [
        Oracle::Died,
        Oracle::Deaf,
        Oracle::NotServed,
        Oracle::Disturbed,
        Oracle::Clause,
        Oracle::Hang,
        Oracle::Memory,
        Oracle::Slow,
        Oracle::Amplified,
    ];

    /// Its permanent word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Oracle::Died => "died",
            Oracle::Deaf => "deaf",
            Oracle::NotServed => "not-served",
            Oracle::Disturbed => "disturbed",
            Oracle::Clause => "clause",
            Oracle::Hang => "hang",
            Oracle::Memory => "memory",
            Oracle::Slow => "slow",
            Oracle::Amplified => "amplified",
        }
    }

    /// What it saw, in a sentence.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Oracle::Died => "The peer's process ended, or it accepts no connections any more.",
            Oracle::Deaf => "The connection stays open and answers nothing any more.",
            Oracle::NotServed => "A fresh connection is accepted and not served.",
            Oracle::Disturbed => "Another connection, on which nothing wrong was sent, no longer answers.",
            Oracle::Clause => "What the peer said breaks a clause.",
            Oracle::Hang => "The peer served nobody for a while, and then went on.",
            Oracle::Memory => "The memory of the peer's process has grown far above where it was.",
            Oracle::Slow => "The peer answered far slower than it does otherwise.",
            Oracle::Amplified => "The peer answered with far more bytes than were sent.",
        }
    }

    /// Whether what it finds fails a campaign; the others warn.
    #[must_use]
    pub fn fails(self) -> bool {
        self <= Oracle::Clause
    }
}

/// What a finding is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// What told.
    pub oracle: Oracle,
    /// The clause that is broken.
    pub clause: String,
    /// What showed it: the operation, or what the process that ended said last.
    pub what: String,
    /// The class of what came.
    pub class: String,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} | {} | {} | {}", self.oracle.word(), self.clause, self.what, self.class)
    }
}

impl Identity {
    pub(super) fn new(oracle: Oracle, clause: &str, what: &str, class: &str) -> Identity {
        Identity { oracle, clause: clause.to_owned(), what: what.to_owned(), class: class.to_owned() }
    }

    /// A name for a folder: readable, and one for each identity.
    #[must_use]
    pub fn folder(&self) -> String {
        let text = format!("{}-{}-{}", self.oracle.word(), self.clause, self.what);
        let mut slug = String::new();
        for c in text.chars() {
            match c {
                c if c.is_ascii_alphanumeric() => slug.push(c.to_ascii_lowercase()),
                _ if slug.ends_with('-') => {}
                _ => slug.push('-'),
            }
        }
        slug.truncate(90);
        format!("{}-{:08x}", slug.trim_matches('-'), fnv(&self.to_string()))
    }
}

/// FNV-1a: the same in every version of every program.
fn fnv(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// What a process said last, without what differs from run to run: the message and the place. `None` where it said nothing.
#[must_use]
pub(super) fn last_words(stderr: &str) -> Option<String> {
    let lines: Vec<&str> = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    // A message names an error, mostly; its stack follows it, or, with the innermost place last, stands before it.
    let names_error = |line: &str| {
        let word = line.split([':', ' ']).next().unwrap_or_default();
        line.contains(':')
            && ["Error", "Exception", "error", "panicked"].iter().any(|end| word.ends_with(end))
    };
    let said = lines.iter().position(|line| names_error(line));
    let message = match said {
        Some(at) => lines[at],
        None => lines.iter().rev().find(|line| !line.starts_with("Node.js v"))?,
    };
    let after = lines[said.unwrap_or(0)..].iter().find(|line| line.starts_with("at ")).copied();
    let place = after.or_else(|| lines.iter().rev().find(|line| line.starts_with("File ")).copied());
    // Of a long stack only the end may have been kept.
    let message = Some(message).filter(|message| !message.starts_with("at ")).map(|it| plain(it, false));
    let words = [message, place.map(|place| plain(place, true))];
    Some(words.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

/// Without folders, without what is quoted and without numbers; `place`: numbers of lines are kept.
fn plain(text: &str, place: bool) -> String {
    let text: String = text.chars().take(300).collect();
    let mut quote = None;
    let mut out = String::new();
    for word in text.split_inclusive([' ', '(', ',']) {
        let kept = match word.rfind('/') {
            Some(at) if word.contains(['.', ':']) => &word[at + 1..],
            _ => word,
        };
        for c in kept.chars() {
            match (quote, c) {
                (None, '"' | '\'' | '`') if !place => quote = Some(c),
                (Some(open), c) if open == c => {
                    quote = None;
                    out.push('…');
                }
                (Some(_), _) => {}
                (None, c) if c.is_ascii_digit() && !place => {
                    if !out.ends_with('N') {
                        out.push('N');
                    }
                }
                (None, c) => out.push(c),
            }
        }
    }
    out.chars().take(140).collect()
}

/// How long this peer takes, as a rule.
#[derive(Debug, Default)]
pub(super) struct Pace {
    took: VecDeque<Duration>,
}

impl Pace {
    const KEPT: usize = 256;
    /// So many times slower than the median is far slower, where it is also so long that a person notices.
    const FAR: u32 = 50;
    const NOTICED: Duration = Duration::from_millis(400);

    /// Takes in a session.
    pub(super) fn add(&mut self, took: Duration) {
        self.took.push_back(took);
        if self.took.len() > Pace::KEPT {
            self.took.pop_front();
        }
    }

    /// Whether this is far slower than the others; nothing is before there are enough of them.
    #[must_use]
    pub(super) fn is_slow(&self, took: Duration) -> bool {
        if self.took.len() < Pace::KEPT / 4 || took < Pace::NOTICED {
            return false;
        }
        let mut sorted: Vec<Duration> = self.took.iter().copied().collect();
        sorted.sort_unstable();
        took > sorted[sorted.len() / 2] * Pace::FAR
    }
}

/// Whether so many bytes are far more than were sent.
#[must_use]
pub(super) fn is_amplified(sent: usize, came: u64) -> bool {
    const TIMES: u64 = 100;
    const LEAST: u64 = 1 << 20;
    came > LEAST && came / TIMES > sent as u64
}

/// The memory that a process group holds, in bytes, as far as the system tells.
#[must_use]
pub(super) fn memory(group: i32) -> Option<u64> {
    let mut sum = None;
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        // The name may hold anything, also spaces and brackets.
        let Some((_, fields)) = stat.rsplit_once(')') else { continue };
        if fields.split_whitespace().nth(2).and_then(|field| field.parse().ok()) != Some(group) {
            continue;
        }
        let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        sum = Some(sum.unwrap_or(0) + kilobytes.unwrap_or(0) * 1024);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_said_last_is_the_same_wherever_it_lies_and_whatever_it_quotes() {
        let node = |folder: &str, quoted: &str| {
            format!(
                "{folder}/index.js:10\n  throw\n\nTypeError: Cannot read properties of null (reading '{quoted}')\n    at Proto.handle ({folder}/index.js:80:7)\n    at x\n\nNode.js v20.1.0"
            )
        };
        let words = last_words(&node("/a/b", "x")).unwrap();
        assert_eq!(
            words,
            "TypeError: Cannot read properties of null (reading …) at Proto.handle (index.js:80:7)"
        );
        assert_eq!(last_words(&node("/c", "y")).unwrap(), words);
        let python = "Traceback:\n  File \"/a/x.py\", line 7, in f\n    g()\nValueError: bad 'q' 12";
        assert_eq!(last_words(python).unwrap(), "ValueError: bad … N File x.py\", line 7, in f");
        assert_eq!(last_words(" \n"), None);
    }

    #[test]
    fn far_slower_is_said_only_once_there_is_a_pace() {
        let mut pace = Pace::default();
        assert!(!pace.is_slow(Duration::from_secs(9)));
        (0..100).for_each(|_| pace.add(Duration::from_millis(2)));
        assert!(pace.is_slow(Duration::from_secs(9)) && !pace.is_slow(Duration::from_millis(90)));
        assert!(is_amplified(100, 2 << 20) && !is_amplified(100_000, 2 << 20) && !is_amplified(1, 5000));
    }
}
