//! All formats show the same ids, verdicts and counts for the same run.

use std::collections::BTreeMap;

use quick_junit::{NonSuccessKind, TestCaseStatus};
use serde_json::Value;

use super::*;
use crate::account::Account;
use crate::cause::Cause;
use crate::event::outcomes;

type Verdicts = BTreeMap<String, Verdict>;

fn from_word(word: &str) -> Option<Verdict> {
    Verdict::ALL.into_iter().find(|verdict| verdict.word() == word.to_lowercase())
}

/// The verdicts in a report, parsed as a reader of that format would.
fn verdicts(format: Format, text: &str) -> Verdicts {
    match format {
        Format::Text => in_text(text),
        Format::Json => in_json(text),
        Format::Events => in_events(text),
        Format::Junit => in_junit(text),
        Format::Tap => in_tap(text),
        Format::Markdown => in_markdown(text),
        Format::Github => in_github(text),
        Format::Html => in_html(text),
    }
}

fn in_text(text: &str) -> Verdicts {
    let line = |line: &str| {
        let line = line.replace(" (not gating)", "").replace(" (excused)", "");
        // The causes are indented.
        let mut words = line.split_whitespace().filter(|_| !line.starts_with(' '));
        let verdict = from_word(words.next()?)?;
        let id = words.next()?.trim_end_matches(':');
        id.contains('/').then(|| (id.to_owned(), verdict))
    };
    text.lines().filter_map(line).collect()
}

fn in_json(text: &str) -> Verdicts {
    let value: Value = serde_json::from_str(text).unwrap();
    let cases = value["cases"].as_array().unwrap().iter();
    let entry = |case: &Value| {
        (case["id"].as_str().unwrap().to_owned(), from_word(case["verdict"].as_str().unwrap()).unwrap())
    };
    cases.map(entry).collect()
}

fn in_events(text: &str) -> Verdicts {
    let events = crate::events::read(text).unwrap();
    outcomes(&events).map(|outcome| (outcome.id.clone(), outcome.verdict)).collect()
}

fn in_junit(text: &str) -> Verdicts {
    let report = quick_junit::Report::deserialize_from_str(text).unwrap();
    let cases = report.test_suites.iter().flat_map(|suite| &suite.test_cases);
    cases
        .filter(|case| case.classname.as_ref().is_some_and(|class| class.as_str().starts_with("dnode.")))
        .map(|case| {
            let word = match &case.status {
                TestCaseStatus::Success { .. } => "pass",
                TestCaseStatus::NonSuccess { ty, kind, .. } => {
                    let word = ty.as_deref().unwrap();
                    let error = ["inconclusive", "harness-error"].contains(&word);
                    assert_eq!(error, *kind == NonSuccessKind::Error);
                    word
                }
                TestCaseStatus::Skipped { description, .. } => {
                    description.as_deref().unwrap().split([',', ':']).next().unwrap()
                }
            };
            (case.name.as_str().to_owned(), from_word(word).unwrap())
        })
        .collect()
}

fn in_tap(text: &str) -> Verdicts {
    let mut found = Verdicts::new();
    let mut last = String::new();
    for line in text.lines() {
        if let Some((ok, rest)) = line.split_once(" - ").filter(|(ok, _)| ok.contains("ok ")) {
            let (id, directive) = rest.split_once(" # ").unwrap_or((rest, ""));
            let skipped = directive.starts_with("SKIP");
            let verdict = if skipped { Verdict::NotApplicable } else { Verdict::Pass };
            if ok.starts_with("ok") {
                found.insert(id.to_owned(), verdict);
            }
            id.clone_into(&mut last);
        }
        if let Some(word) = line.strip_prefix("  verdict: ") {
            found.insert(last.clone(), from_word(word.trim_matches('"')).unwrap());
        }
    }
    found
}

fn in_markdown(text: &str) -> Verdicts {
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, id, _, word, _] = cells.as_slice() else { return None };
        Some((id.trim_matches('`').to_owned(), from_word(word)?))
    };
    text.lines().filter_map(row).collect()
}

fn in_github(text: &str) -> Verdicts {
    let line = |line: &str| {
        let (_, title) = line.split_once("title=")?;
        let (word, id) = title.split("::").next()?.split_once(' ')?;
        Some((id.to_owned(), from_word(word)?))
    };
    text.lines().filter_map(line).collect()
}

fn in_html(text: &str) -> Verdicts {
    let letters = "pfchnie";
    let row = |part: &str| {
        let (_, rest) = part.split_once("data-v=\"").unwrap();
        let place = letters.find(&rest[..1]).unwrap();
        let (_, link) = rest.split_once("href=\"#case/").unwrap();
        (link.split('"').next().unwrap().to_owned(), Verdict::ALL[place])
    };
    text.split("<tr class=\"case\"").skip(1).map(row).collect()
}

/// Fails if a format disagrees with the events of this run.
#[track_caller]
fn assert_agreement(events: &[Event]) {
    let (Some(Event::Started(run)), Some(Event::Ended(ended))) = (events.first(), events.last()) else {
        panic!("no whole run");
    };
    let mut account = Account::default();
    outcomes(events).for_each(|outcome| account.add(outcome));
    let all: Verdicts = outcomes(events).map(|outcome| (outcome.id.clone(), outcome.verdict)).collect();
    for format in Format::ALL {
        let text = render(format, events);
        let mut expected = all.clone();
        let shows_stale = !matches!(format, Format::Json);
        for stale in ended.stale.iter().filter(|_| shows_stale) {
            assert!(text.contains(&stale.id) && text.contains(stale.reference.word()), "{}", format.word());
        }
        let found = verdicts(format, &text);
        // GitHub gets the causes, each with one of its cases.
        if format == Format::Github {
            let causes = Cause::of(outcomes(events), run.gate);
            expected.retain(|id, _| causes.iter().take(found.len()).any(|cause| cause.shown.id == *id));
        }
        assert_eq!(found, expected, "{}", format.word());
        let sum = account.sum(run, ended);
        match format {
            Format::Json => {
                let value: Value = serde_json::from_str(&text).unwrap();
                for verdict in Verdict::ALL {
                    assert_eq!(value["verdicts"][verdict.word()], account.count(verdict));
                }
            }
            Format::Events => {}
            _ => {
                let unfolded = text.replace("\n", " ");
                assert!(unfolded.contains(&sum), "{}: no {sum:?}", format.word());
            }
        }
    }
}

#[test]
fn formats_agree_on_every_verdict() {
    assert_agreement(&sample_run());
}

#[test]
fn formats_agree_on_whole_catalogues() {
    for (name, text) in known() {
        assert_agreement(&crate::json::read(&text, &name, Level::Robust).unwrap());
    }
}

#[test]
fn canonical_report_round_trips() {
    for (name, text) in known() {
        let events = crate::json::read(&text, &name, Level::Robust).unwrap();
        assert!(render(Format::Json, &events) == text, "{name}");
    }
}

#[test]
fn events_file_renders_like_the_run() {
    let events = sample_run();
    let later = crate::events::read(&render(Format::Events, &events)).unwrap();
    for format in Format::ALL {
        assert_eq!(render(format, &later), render(format, &events), "{}", format.word());
    }
}

#[test]
fn several_runs_are_shown_side_by_side() {
    let events = known_events();
    let runs = known().len();
    let markdown = render(Format::Markdown, &events);
    let row = markdown.lines().find(|line| line.starts_with("| `framing/half-close` |")).unwrap();
    assert_eq!(row.matches('|').count(), runs + 3);
    let html = render(Format::Html, &events);
    let (_, rest) = html.split_once(" id=\"case/framing/half-close\" data-v=\"").unwrap();
    assert_eq!(rest.find('"'), Some(runs));
    let junit = quick_junit::Report::deserialize_from_str(&render(Format::Junit, &events)).unwrap();
    assert_eq!(junit.test_suites.len(), runs);
    assert_eq!(render(Format::Github, &events).matches("title=dnode-conform").count(), runs);
    assert_eq!(render(Format::Text, &events).matches("\nexit ").count(), runs);
}
