//! Parsers of argument values, and the default of `--seed`.

use super::failure::Failure;
use crate::conversation::ping::Ping;
use crate::files;
use clap::ValueEnum;
use dnode_spec::clause::Level;
use dnode_spec::machine::File;
use semver::Version;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::time::Duration;

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum GateLevel {
    Must,
    Should,
    Robust,
    Observed,
}

impl From<GateLevel> for Level {
    fn from(level: GateLevel) -> Level {
        match level {
            GateLevel::Must => Level::Must,
            GateLevel::Should => Level::Should,
            GateLevel::Robust => Level::Robust,
            GateLevel::Observed => Level::Observed,
        }
    }
}

/// Reads a released version of this suite.
pub(super) fn version(text: &str) -> Result<Version, String> {
    let current = env!("CARGO_PKG_VERSION");
    let version =
        Version::parse(text).map_err(|_| format!("a version has three numbers, for example {current}"))?;
    match Version::parse(current).is_ok_and(|current| version <= current) {
        true => Ok(version),
        false => Err(format!("this is dnode-conform {current}, which knows no later version")),
    }
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if (Duration::from_millis(100)..=Duration::from_secs(3600)).contains(&duration) => {
            Ok(duration)
        }
        Ok(_) => {
            Err("a deadline must be from 100ms to 1h; a shorter one says nothing about a peer".to_owned())
        }
        Err(_) => Err("write a number and its unit, for example 500ms or 5s".to_owned()),
    }
}

/// Reads how long something may take in all, such as a run.
pub(super) fn limit(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(limit) if !limit.is_zero() => Ok(limit),
        Ok(_) => Err("the time must be longer than 0".to_owned()),
        Err(_) => Err("write a number and its unit, for example 90s or 10m".to_owned()),
    }
}

/// Like [`limit`]. 0 is no limit.
pub(super) fn limit_or_none(text: &str) -> Result<Duration, String> {
    if text == "0" {
        Ok(Duration::ZERO)
    } else {
        limit(text).map_err(|error| format!("{error}; 0 is no limit"))
    }
}

/// A random seed, short enough to type.
pub(super) fn random_seed() -> u64 {
    RandomState::new().hash_one(0_u8) % 1_000_000
}

/// Parses the value of `--ping`.
pub(super) fn ping(text: Option<&str>) -> Result<Option<Ping>, Failure> {
    let parsed = text.map(Ping::parse).transpose();
    parsed.map_err(|error| Failure::from(error).within("--ping "))
}

/// Reads a machine that `learn --report json=FILE` wrote.
pub(super) fn machine_file(path: &Path) -> Result<File, Failure> {
    let failed = |problem: &dyn std::fmt::Display| {
        Failure::caller(format!("{} has no machine: {problem}", path.display()))
    };
    let text = files::read(path).map_err(|error| failed(&error))?;
    File::read(&text).map_err(|error| failed(&error))
}
