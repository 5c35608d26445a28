//! The static site in memory. `harness/tests/site.rs` opens it in a browser.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::escape;
use crate::site::{Content, ContentError, Document, File, Machine, Sources, build};

/// The most bytes that a page may have.
const LARGEST: usize = 300_000;

/// A site of these reports, with a document, a note and a machine for each.
fn site(reports: &[(&str, Vec<Event>)], text: &str) -> Vec<File> {
    let names: Vec<String> = reports.iter().map(|(name, _)| (*name).to_owned()).collect();
    let machine = Machine { text: text.to_owned(), drawing: Some("<svg/>".to_owned()) };
    let sources = Sources {
        reports: reports.iter().map(|(name, events)| ((*name).to_owned(), events.clone())).collect(),
        notes: names.iter().map(|name| (name.clone(), text.to_owned())).collect(),
        machines: names.iter().map(|name| (name.clone(), machine.clone())).collect(),
        documents: vec![Document { path: "harness/docs/x.md".to_owned(), text: text.to_owned() }],
        ..Sources::default()
    };
    build(&Content::new(sources).unwrap())
}

/// The page with this path.
fn page<'f>(files: &'f [File], path: &str) -> &'f str {
    &files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("no {path}")).text
}

/// The file that a relative link leads to.
fn target(from: &str, link: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.split(['#', '?']).next().unwrap().split('/') {
        match part {
            ".." => drop(parts.pop().unwrap()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn a_report_of_events_is_shown_with_its_sessions() {
    let files = site(&[("my-port", sample_run())], "# Title\n\n[a](../ci.md) [b](x.md#part)\n\n## Part\n");
    let port = page(&files, "implementations/my-port.html");
    assert!(port.contains("<h1 class=\"headline\">dnode 1.2.2</h1>"), "{port}");
    assert!(port.contains("Session of message/argument-order") && port.contains("class=\"wire\""), "{port}");
    let clause = page(&files, "clauses/message/argument-order.html");
    assert!(clause.contains("id=\"failure/message/argument-order\"") && clause.contains("class=\"wire\""));
    assert!(page(&files, "badges/my-port.svg").contains(">1 of 7</text>"));
}

#[test]
fn links_are_relative_and_lead_to_files() {
    let files =
        site(&[("a", sample_run()), ("a-client", sample_run()), ("b", hostile::hostile_run())], "# T\n");
    let paths: BTreeSet<&str> = files.iter().map(|file| &*file.path).collect();
    let mut links = 0;
    for file in files.iter().filter(|file| file.path.ends_with(".html")) {
        for attribute in [" href=\"", " src=\"", " action=\""] {
            for rest in file.text.split(attribute).skip(1) {
                let link = rest.split('"').next().unwrap();
                let is_other = ["#", "data:", "https://github.com/"].iter().any(|it| link.starts_with(it));
                assert!(is_other || paths.contains(&*target(&file.path, link)), "{}: {link}", file.path);
                links += 1;
            }
        }
    }
    assert!(links > 1000, "only {links} links were found");
}

#[test]
fn no_file_has_hidden_characters() {
    let text = format!("# {0}\n\n{0}\n\n- `{0}`\n\n```\n{0}\n```\n", crate::sample::HOSTILE);
    for file in site(&[(crate::sample::HOSTILE, hostile::hostile_run())], &text) {
        let hidden = file.text.chars().find(|c| *c != '\n' && escape::is_hidden(*c));
        assert_eq!(hidden, None, "{}", file.path);
        assert!(!file.path.contains(|c| escape::is_hidden(c) || c == '\\'), "{}", file.path);
    }
}

#[test]
fn pages_of_huge_texts_and_many_findings_are_small() {
    let huge = hostile::events(&[Verdict::Crash, Verdict::Fail], &"<\u{1b}\n".repeat(1 << 20));
    let cases: Vec<Outcome> = (0..3000).map(|number| sample::failing(&format!("value/{number}"))).collect();
    let many = sample::events(sample::run(cases.len()), &cases, FINE);
    for file in site(&[("huge", huge), ("many", many)], "# T\n") {
        let is_index = file.path == "search-index.js";
        assert!(is_index || file.text.len() < LARGEST, "{}: {} bytes", file.path, file.text.len());
    }
}

#[test]
fn names_of_reports_group_them_by_version() {
    let version = |it: &str| {
        format!("{{\"version\": \"{it}\", \"report\": \"port-{it}\", \"released\": \"2020-01-0{it}\"}}")
    };
    let manifest = format!(
        "{{\"implementations\": [{{\"name\": \"my port\", \"language\": \"Go\", \"versions\": [{}, {}]}}]}}",
        version("2"),
        version("1")
    );
    let names = ["port-1", "port-1-client", "port-2", "port-2-dialect-0.1", "other"];
    let reports: BTreeMap<String, Vec<Event>> = names.map(|name| (name.to_owned(), sample_run())).into();
    let sources = Sources { manifest: Some(manifest), reports, ..Sources::default() };
    let files = build(&Content::new(sources).unwrap());
    let one = page(&files, "implementations/port-1.html");
    assert!(one.contains("id=\"port-1\"") && one.contains("id=\"port-1-client\""), "{one}");
    assert!(page(&files, "history/my-port.html").contains("my port 2 after 1"));
    let front = page(&files, "index.html");
    let place = |text: &str| front.find(text).unwrap_or_else(|| panic!("no {text} in {front}"));
    assert!(
        place("2020-01-02") < place("2020-01-01")
            && place("2020-01-01") < place("implementations/other.html")
    );
}

#[test]
fn sources_that_do_not_fit_are_explained() {
    let nothing = Content::new(Sources::default()).unwrap_err();
    assert!(matches!(nothing, ContentError::Nothing) && !nothing.help().is_empty());
    let twice = [sample_run(), sample_run()].concat();
    let reports = BTreeMap::from([("two".to_owned(), twice)]);
    let error = Content::new(Sources { reports, ..Sources::default() }).unwrap_err();
    assert_eq!(error.to_string(), "two.json does not have exactly one run");
}
