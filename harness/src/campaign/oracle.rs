//! The oracles of a campaign, and the identity of a finding.
//!
//! The identity of a finding is its oracle, its clause, the operation that showed it, and the class
//! of the behaviour, never a hash of the input. If a process that we started died, the name of its
//! crash replaces the operation: two inputs that crash it in the same place are one finding.

use dnode_reports::event::Death;
use dnode_reports::trace;
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

/// What found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Oracle {
    /// The peer's process ended, or it refuses connections.
    Died,
    /// The connection stays open, but the peer answers nothing on it.
    Deaf,
    /// The peer does not serve a new connection.
    NotServed,
    /// The peer no longer answers on another connection, which did nothing wrong.
    Disturbed,
    /// A line or an answer breaks a clause.
    Clause,
    /// The peer served no connection for a while, and then continued.
    Hang,
    /// The memory of the peer's process grows without bound.
    Memory,
    /// The peer answered far slower than usual.
    Slow,
    /// The peer answered with far more bytes than it received.
    Amplified,
}

impl Oracle {
    /// All oracles.
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

    /// Its permanent id.
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

    /// A sentence about its findings.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Oracle::Died => "The peer's process ended, or it no longer accepts connections.",
            Oracle::Deaf => "The connection stays open, but the peer no longer answers on it.",
            Oracle::NotServed => "The peer accepts a new connection but does not serve it.",
            Oracle::Disturbed => "The peer no longer answers on another connection, which did nothing wrong.",
            Oracle::Clause => "A message of the peer breaks a clause.",
            Oracle::Hang => "The peer served no connection for a while, and then continued.",
            Oracle::Memory => "The memory of the peer's process has grown far above its first size.",
            Oracle::Slow => "The peer answered far slower than usual.",
            Oracle::Amplified => "The peer answered with far more bytes than were sent.",
        }
    }

    /// Whether its symptom takes a deadline to show, and not only a start of the peer.
    #[must_use]
    pub fn is_slow(self) -> bool {
        matches!(self, Oracle::Deaf | Oracle::NotServed | Oracle::Disturbed | Oracle::Hang | Oracle::Slow)
    }

    /// Whether its findings fail the campaign. The others only warn.
    #[must_use]
    pub fn fails(self) -> bool {
        self <= Oracle::Clause
    }
}

/// The identity of a finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// The oracle that found it.
    pub oracle: Oracle,
    /// The broken clause.
    pub clause: String,
    /// The operation that showed it, or the name of the crash of a process that died.
    pub what: String,
    /// The class of the behaviour.
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

    #[cfg(test)]
    pub(crate) fn sample() -> Identity {
        Identity::new(Oracle::Died, "robust/survives", "x", "y")
    }

    /// The name of the folder of the finding: readable, and unique for each identity.
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

/// FNV-1a: a hash that is the same in all versions.
fn fnv(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The name of the crash of a process that left a trace.
#[must_use]
pub(super) fn crash(death: &Death) -> Option<String> {
    trace::read(&death.stderr).map(|trace| trace.key())
}

/// The name of a death: that of the crash, or else the last line of the process. `None` if it wrote
/// nothing.
#[must_use]
pub(super) fn last_words(death: &Death) -> Option<String> {
    crash(death).or_else(|| trace::last_line(&death.stderr))
}

/// How long this peer usually takes.
#[derive(Debug, Default)]
pub(super) struct Pace {
    took: VecDeque<Duration>,
}

impl Pace {
    pub(super) const KEPT: usize = 256;
    /// A session is slow if it takes this many times the median, and long enough for a person to
    /// notice.
    const FAR: u32 = 50;
    const NOTICED: Duration = Duration::from_millis(400);

    /// Adds a session.
    pub(super) fn add(&mut self, took: Duration) {
        self.took.push_back(took);
        if self.took.len() > Pace::KEPT {
            self.took.pop_front();
        }
    }

    /// Whether a session was slow. `false` until there are enough sessions.
    #[must_use]
    pub(super) fn is_slow(&self, took: Duration) -> bool {
        let mut sorted: Vec<Duration> = self.took.iter().copied().collect();
        sorted.sort_unstable();
        let is_far = sorted.len() >= Pace::KEPT / 4 && took > sorted[sorted.len() / 2] * Pace::FAR;
        is_far && took >= Pace::NOTICED
    }
}

/// Whether the peer sent far more bytes than it received.
#[must_use]
pub(super) fn is_amplified(sent: usize, received: u64) -> bool {
    const TIMES: u64 = 100;
    const LEAST: u64 = 1 << 20;
    received > LEAST && received / TIMES > sent as u64
}

/// The resident memory of a process group in bytes. `None` if it is unknown.
#[must_use]
pub(super) fn memory(group: i32) -> Option<u64> {
    let mut sum = None;
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        // The name of a process may contain spaces and brackets.
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
    fn slow_and_amplified_need_a_reference() {
        let mut pace = Pace::default();
        assert!(!pace.is_slow(Duration::from_secs(9)));
        (0..100).for_each(|_| pace.add(Duration::from_millis(2)));
        assert!(pace.is_slow(Duration::from_secs(9)) && !pace.is_slow(Duration::from_millis(90)));
        assert!(is_amplified(100, 2 << 20) && !is_amplified(100_000, 2 << 20) && !is_amplified(1, 5000));
    }
}
