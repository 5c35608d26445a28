//! The dialects of the protocol: the wire format changed between versions of dnode-protocol.
//!
//! The protocol document describes the common part of both. It does not mention `cull` or `error`.

use std::fmt;
use std::str::FromStr;

/// A dialect, named by the versions of dnode-protocol that speak it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// 0.1.x: with `cull`, the owner of a function says that it has dropped it; the method `error`
    /// reports an error.
    V0_1,
    /// 0.2.x: with `cull`, the holder of a function says that it has dropped it; `error` is an
    /// ordinary name.
    #[default]
    V0_2,
}

impl Dialect {
    /// Both dialects, the older first.
    pub const ALL: [Dialect; 2] = [Dialect::V0_1, Dialect::V0_2];

    /// The name of the dialect in files and on the command line.
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

/// No dialect has this name. The caller is at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no dialect {0:?}: it is 0.1 or 0.2")]
pub struct UnknownDialect(pub String);

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(word: &str) -> Result<Dialect, UnknownDialect> {
        let known = Dialect::ALL.into_iter().find(|dialect| dialect.word() == word);
        known.ok_or_else(|| UnknownDialect(word.to_owned()))
    }
}
