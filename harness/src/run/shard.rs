//! A part of the cases, so that several machines can share a run.
//!
//! The selected cases are sorted by id, and shard K of N takes the K-th of every N. So the shards
//! have no case in common, and together they have all cases. Neighbours in the catalogue take about
//! the same time, so the shards do too.
//!
//! Deliberately absent: sharing the cases without a transcript. Each shard judges the probe and the
//! monitor's clauses on its own lines. Shards also do not exchange results: if a clause is broken
//! in another shard, a case that rests on it fails, but in a whole run it would be inconclusive.

use crate::cases::Case;
use dnode_spec::generate::Seed;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The most shards: as many as a run has generated sessions.
const MOST: u64 = 1_000_000;

/// Part `number` of `of` parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 1 to `of`.
    number: u64,
    of: u64,
}

impl Shard {
    /// Whether it has the case at this place, counted from 0.
    #[must_use]
    pub fn takes(self, place: u64) -> bool {
        place % self.of == self.number - 1
    }

    /// Its part of these cases, in their order.
    #[must_use]
    pub fn of_cases(self, cases: Vec<Case>) -> Vec<Case> {
        let mut ids: Vec<String> = cases.iter().map(|case| case.id().to_owned()).collect();
        ids.sort_unstable();
        let mut place = 0..;
        ids.retain(|_| place.next().is_some_and(|place| self.takes(place)));
        cases
            .into_iter()
            .filter(|case| ids.binary_search_by(|id| id.as_str().cmp(case.id())).is_ok())
            .collect()
    }

    /// Its part of these generated sessions.
    #[must_use]
    pub fn of_seeds(self, mut seeds: Vec<Seed>) -> Vec<Seed> {
        let mut place = 0..;
        seeds.retain(|_| place.next().is_some_and(|place| self.takes(place)));
        seeds
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// A text that is not a shard. The caller is at fault.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum ShardError {
    /// It is not of the form `K/N`.
    #[error("write K/N, for example 1/3 for the first of three")]
    Malformed,
    /// There are more shards than a run has cases.
    #[error("a run has at most {MOST} shards")]
    TooMany,
    /// There is no such shard.
    #[error("there is no shard {0} of {1}; write 1/{n} to {n}/{n}", n = (*.1).max(1))]
    OutOfRange(u64, u64),
}

impl FromStr for Shard {
    type Err = ShardError;

    /// Reads `K/N`.
    fn from_str(text: &str) -> Result<Shard, ShardError> {
        let parts = text.split_once('/').ok_or(ShardError::Malformed)?;
        // A number of more digits than fit is a number, too.
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(parts.0) || !is_number(parts.1) {
            return Err(ShardError::Malformed);
        }
        let read = |part: &str| part.parse().unwrap_or(u64::MAX);
        match (read(parts.0), read(parts.1)) {
            (_, of) if of > MOST => Err(ShardError::TooMany),
            (number, of) if 1 <= number && number <= of => Ok(Shard { number, of }),
            (number, of) => Err(ShardError::OutOfRange(number, of)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::catalogue;
    use dnode_spec::dialect::Dialect;
    use dnode_spec::generate::Kind;

    fn shards(of: u64) -> impl Iterator<Item = Shard> {
        (1..=of).map(move |number| Shard { number, of })
    }

    #[test]
    fn the_shards_partition_the_catalogue_and_keep_its_order() {
        let whole = catalogue(Dialect::default()).unwrap();
        let ids = |cases: &[Case]| cases.iter().map(|case| case.id().to_owned()).collect::<Vec<_>>();
        for of in [1, 2, 3, 7] {
            let parts: Vec<Vec<String>> =
                shards(of).map(|shard| ids(&shard.of_cases(whole.clone()))).collect();
            for part in &parts {
                let kept = whole.iter().map(Case::id).filter(|id| part.iter().any(|it| it == id));
                assert!(kept.eq(part.iter().map(String::as_str)), "the order of the catalogue");
                assert!(part.len().abs_diff(whole.len() / usize::try_from(of).unwrap()) <= 1);
            }
            let (mut union, mut all) = (parts.concat(), ids(&whole));
            union.sort_unstable();
            all.sort_unstable();
            assert_eq!(union, all, "{of} shards");
        }
    }

    #[test]
    fn shards_partition_generated_sessions_even_if_there_are_more_shards_than_sessions() {
        let whole: Vec<Seed> = (0..10).map(|number| Seed { seed: 7, number, kind: Kind::Legal }).collect();
        for of in [3, 12] {
            let mut union: Vec<Seed> = shards(of).flat_map(|shard| shard.of_seeds(whole.clone())).collect();
            union.sort_unstable_by_key(|seed| seed.number);
            assert_eq!(union, whole, "{of} shards");
        }
    }

    #[test]
    fn only_a_number_from_one_to_n_is_a_shard() {
        assert_eq!("2/3".parse(), Ok(Shard { number: 2, of: 3 }));
        for bad in ["0/3", "4/3", "0/0", "1/0", "-1/3", "1", "1/", "/3", "1/2/3", "a/b", ""] {
            assert!(bad.parse::<Shard>().is_err(), "{bad:?}");
        }
    }
}
