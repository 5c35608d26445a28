//! Hostile text in any field: every format escapes it, and every report stays small.

use pulldown_cmark::{Event as Part, Options as Extensions, Parser, Tag, TagEnd};

use super::*;
use crate::escape;
use crate::event::{Act, Cycles, Death, Divergence, Kind, Status, Wire, Written};
use crate::sample::HOSTILE;

/// A text that is markup, a command or structure in at least one format.
pub(super) const MARKUP: &str = concat!(
    "</code></pre></script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&]]>--><!--",
    "```` ``` `|[a](https://evil.example)![b](https://evil.example)<https://evil.example> https://evil.example\\|\\`|",
    "\n::error::x\n    ::stop-commands::x\n##[error]x\nnot ok 99 - x\nBail out!\n1..0\n  ...\n# heading\n- list\n\n---\n",
    "%0A::error::%0D\u{fffe}\u{ffff}\u{0}\u{85}\r\n\t",
);

/// An outcome with this text in every field. Fields that the suite writes are short.
fn outcome(verdict: Verdict, text: &str) -> Outcome {
    let short = || text.chars().take(300).collect::<String>();
    let whole = || text.to_owned();
    let mut outcome = sample::crashing("a/case");
    outcome.id = format!("{verdict}/{}", short());
    outcome.about = short();
    outcome.clauses = vec![short()];
    outcome.verdict = verdict;
    outcome.reason = Some(whole());
    outcome.divergence = Some(Divergence {
        step: short(),
        clause: short(),
        kind: Kind::Differs,
        path: whole(),
        expected: whole(),
        actual: whole(),
        // The schema of the canonical report requires this form.
        fingerprint: "1:f2bb57ebe676".to_owned(),
    });
    outcome.evidence.wire = vec![
        sample::sent(text),
        sample::came(text),
        sample::came([text.as_bytes(), b"\xff\xfe\n"].concat()),
        sample::peer_does(Act::Closes),
        Wire::Omitted(3),
    ];
    outcome.evidence.transcript = short();
    outcome.evidence.repeat = short();
    outcome.evidence.cycles = Some(Cycles { expected: Some(whole()), actual: Some(whole()) });
    outcome.evidence.stderr = Some(Written { text: whole(), beside: true });
    outcome.evidence.took = Some(u64::MAX);
    outcome.evidence.death =
        Some(Death { status: Status::Signal { number: 1, name: Some(whole()) }, stderr: whole() });
    outcome
}

pub(super) fn events(verdicts: &[Verdict], text: &str) -> Vec<Event> {
    let mut cases: Vec<Outcome> = verdicts.iter().map(|verdict| outcome(*verdict, text)).collect();
    cases.push(Outcome { id: "b/case".to_owned(), level: Level::Observed, ..outcome(Verdict::Fail, text) });
    let run = Run {
        suite: text.chars().take(300).collect(),
        peer: Some(text.to_owned()),
        target: text.chars().take(300).collect(),
        notes: vec![text.to_owned()],
        ..sample::run(cases.len())
    };
    sample::events(run, &cases, FINE)
}

pub(super) fn hostile_run() -> Vec<Event> {
    events(&Verdict::ALL, &format!("{HOSTILE}{MARKUP}"))
}

#[test]
fn no_format_has_hidden_characters() {
    for format in Format::ALL {
        let text = render(format, &hostile_run());
        let hidden = text.chars().find(|c| *c != '\n' && escape::is_hidden(*c));
        assert_eq!(hidden, None, "{}", format.word());
    }
}

#[test]
fn reports_of_huge_texts_are_small() {
    for text in ["\u{1b}".repeat(16 << 20), "<\n".repeat(1 << 20)] {
        let events = events(&[Verdict::Crash], &text);
        for format in Format::ALL {
            let size = render(format, &events).len();
            assert!(size < 1_000_000, "{}: {size} bytes", format.word());
        }
    }
}

/// Each marker, in each format, wherever a peer's text is shown.
#[test]
fn no_format_has_a_command_for_a_ci_service() {
    for (marker, services) in escape::COMMANDS {
        let text = format!("\u{1b}{marker}x]\r{}y]{marker}", marker.to_uppercase());
        let events = events(&Verdict::ALL, &text);
        for format in Format::ALL {
            let report = render(format, &events);
            let at = report.to_lowercase().find(marker);
            assert_eq!(at, None, "{}: {marker} is a command for {services}", format.word());
            assert!(format != Format::Json || report.contains(&marker[..marker.len() - 1]));
        }
    }
}

#[test]
fn no_line_is_a_command_for_a_github_job() {
    for format in Format::ALL {
        for line in render(format, &hostile_run()).lines() {
            let own = format == Format::Github && line.starts_with("::");
            assert!(own || !line.trim_start().starts_with("::"), "{}: {line}", format.word());
        }
    }
    let github = render(Format::Github, &hostile_run());
    let known = |line: &str| {
        ["::error title=", "::warning title=", "::notice title="].iter().any(|it| line.starts_with(it))
    };
    let mut is_in_group = false;
    for line in github.lines() {
        let begins = line.starts_with("::group::");
        assert!(!(begins && is_in_group), "a group in a group: {line}");
        assert!(begins || is_in_group || known(line), "{line}");
        is_in_group = begins || is_in_group && line != "::endgroup::";
    }
    assert!(!is_in_group, "{github}");
}

#[test]
fn tap_has_only_its_own_lines() {
    let text = render(Format::Tap, &hostile_run());
    let mut points = 0;
    for line in text.lines().skip(2) {
        let point = line.starts_with("ok ") || line.starts_with("not ok ");
        points += usize::from(point);
        assert!(point || line.starts_with("# ") || line.starts_with("  "), "{line}");
    }
    assert_eq!(points, Verdict::ALL.len() + 1);
    let blocks = text.lines().filter(|line| *line == "  ...").count();
    assert_eq!(blocks, text.lines().filter(|line| *line == "  ---").count());
}

#[test]
fn markdown_has_no_markup_of_a_peer() {
    let text = render(Format::Markdown, &hostile_run());
    let extensions = Extensions::ENABLE_TABLES | Extensions::ENABLE_STRIKETHROUGH;
    let (mut rows, mut cells, mut block) = (0, 0, false);
    for part in Parser::new_ext(&text, extensions) {
        match part {
            Part::Html(html) | Part::InlineHtml(html) => {
                let own = [
                    "<details>",
                    "</details>",
                    "<details><summary>evidence</summary>",
                    "<details><summary>All cases</summary>",
                ];
                assert!(own.contains(&html.trim()), "{html}");
            }
            Part::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                panic!("a link to {dest_url}")
            }
            Part::Start(Tag::CodeBlock(_)) => block = true,
            Part::End(TagEnd::CodeBlock) => block = false,
            // Inline code is a part of its own. Outside of code there is only text of the suite.
            Part::Text(text) => assert!(block || !text.contains("evil"), "{text}"),
            Part::Start(Tag::TableRow) => rows += 1,
            Part::Start(Tag::TableCell) => cells += 1,
            Part::Start(Tag::Heading { level, .. }) => assert!(level as usize <= 3),
            _ => {}
        }
    }
    // Each row and the heading have three cells, so no text splits a cell.
    assert_eq!(cells, (rows + 1) * 3);
    assert!(rows > Verdict::ALL.len());
}

#[test]
fn html_has_one_script_and_no_markup_of_a_peer() {
    let text = render(Format::Html, &hostile_run());
    assert_eq!(text.matches("<script").count(), 1);
    assert!(!text.contains("<img") && text.contains("&lt;img src=x onerror=alert(2)&gt;"));
}

#[test]
fn junit_reader_gets_the_written_ids() {
    let events = hostile_run();
    let report = quick_junit::Report::deserialize_from_str(&render(Format::Junit, &events)).unwrap();
    let names = report.test_suites[0].test_cases.iter().map(|case| case.name.as_str().to_owned());
    let ids = events.iter().filter_map(|event| match event {
        Event::Judged(outcome) => Some(escape::terminal_cut(&outcome.id, 400, 0)),
        _ => None,
    });
    assert_eq!(names.collect::<Vec<_>>(), ids.collect::<Vec<_>>());
}
