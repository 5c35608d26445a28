//! The documents of the suite that a site shows: the protocol and the guides. The program has them,
//! so that it works without a checkout.

use dnode_reports::site::Document;

/// The guides, by their names in `harness/docs`.
macro_rules! guides {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../docs/", $name, ".md")))),+]
    };
}

/// In the order of a reader who begins.
const GUIDES: &[(&str, &str)] = guides![
    "first-hour",
    "implement",
    "questions",
    "glossary",
    "reports",
    "rules-of-judgement",
    "ci",
    "site",
    "clients",
    "transports",
    "dialects",
    "interop",
    "sessions",
    "campaigns",
    "machines",
    "rust",
    "commands",
];

/// All documents, the protocol first.
pub(super) fn all() -> Vec<Document> {
    let protocol = Document { path: "spec/PROTOCOL.md".to_owned(), text: dnode_spec::PROTOCOL.to_owned() };
    let guide = |(name, text): &(&str, &str)| Document {
        path: format!("harness/docs/{name}.md"),
        text: (*text).to_owned(),
    };
    std::iter::once(protocol).chain(GUIDES.iter().map(guide)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_site_shows_every_guide() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let files: BTreeSet<String> = files.map(|name| name.into_string().unwrap()).collect();
        let shown: BTreeSet<String> = GUIDES.iter().map(|(name, _)| format!("{name}.md")).collect();
        assert_eq!(shown, files);
    }
}
