//! The dialects of the protocol: what changed on the wire between versions of dnode-protocol.
//!
//! The protocol document describes what they have in common, and mentions neither `cull` nor `error`.

use std::fmt;
use std::str::FromStr;

/// A dialect, named by the versions of dnode-protocol that speak it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// 0.1.x: the owner of a function says with `cull` that it is gone, and the method `error` tells of an error.
    V0_1,
    /// 0.2.x: the holder of a function says with `cull` that it has dropped it; `error` is a name like any other.
    #[default]
    V0_2,
}

impl Dialect {
    /// Both, the older first.
    pub const ALL: [Dialect; 2] = [Dialect::V0_1, Dialect::V0_2];

    /// Its word in files and on the command line.
    ///
    /// ```
    /// use dnode_spec::dialect::Dialect;
    /// assert_eq!("0.1".parse(), Ok(Dialect::V0_1));
    /// assert_eq!(Dialect::default().word(), "0.2");
    /// ```
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Dialect::V0_1 => "0.1",
            Dialect::V0_2 => "0.2",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Dialect {
    type Err = String;

    /// The caller is at fault where there is no such dialect.
    fn from_str(word: &str) -> Result<Dialect, String> {
        let known = Dialect::ALL.into_iter().find(|dialect| dialect.word() == word);
        known.ok_or_else(|| format!("there is no dialect {word:?}: it is 0.1 or 0.2"))
    }
}
