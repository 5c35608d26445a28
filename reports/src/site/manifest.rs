//! `site/implementations.json`: the facts about implementations that no report has.

use serde::Deserialize;

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// The public address of the folder of the reports. Links of its documents to files outside of
    /// the site lead there.
    #[serde(default)]
    pub(super) source: Option<String>,
    /// The implementations, in the order of the front page.
    pub(super) implementations: Vec<Entry>,
}

/// An implementation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) name: String,
    #[serde(default)]
    pub(super) language: Option<String>,
    #[serde(default)]
    pub(super) homepage: Option<String>,
    /// The uses for which it is good, one sentence.
    #[serde(default)]
    pub(super) advice: Option<String>,
    /// The versions, the newest first.
    pub(super) versions: Vec<Released>,
}

/// A version of an implementation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Released {
    pub(super) version: String,
    /// The name of its reports without the ending and without `-client` and `-dialect-0.1`.
    pub(super) report: String,
    /// When it was released.
    #[serde(default)]
    pub(super) released: Option<String>,
    /// When its reports were made.
    #[serde(default)]
    pub(super) reported: Option<String>,
}
