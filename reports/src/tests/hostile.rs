//! Whatever a peer says, in whatever place: nothing breaks out of any format, and every report stays small.

use pulldown_cmark::{Event as Part, Options as Extensions, Parser, Tag, TagEnd};

use super::*;
use crate::escape;
use crate::event::{Act, Death, Divergence, Kind, Status, Wire};
use crate::sample::HOSTILE;

/// A text that is markup, a command or a structure in one format or another.
const MARKUP: &str = concat!(
    "</code></pre></script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&]]>--><!--",
    "```` ``` `|[a](https://evil.example)![b](https://evil.example)<https://evil.example> https://evil.example\\|\\`|",
    "\n::error::x\n    ::stop-commands::x\n##[error]x\nnot ok 99 - x\nBail out!\n1..0\n  ...\n# heading\n- list\n\n---\n",
    "%0A::error::%0D\u{fffe}\u{ffff}\u{0}\u{85}\r\n\t",
);

/// An outcome whose every text is this one; what the suite itself writes is short in any case.
fn outcome(verdict: Verdict, text: &str) -> Outcome {
    let own = || text.chars().take(300).collect::<String>();
    let whole = || text.to_owned();
    let mut outcome = sample::crashing("a/case");
    outcome.id = format!("{verdict}/{}", own());
    outcome.about = own();
    outcome.clauses = vec![own()];
    outcome.verdict = verdict;
    outcome.reason = Some(whole());
    outcome.divergence = Some(Divergence {
        step: own(),
        clause: own(),
        kind: Kind::Differs,
        path: whole(),
        expected: whole(),
        actual: whole(),
        // The schema of the canonical report holds it to its form.
        fingerprint: "1:f2bb57ebe676".to_owned(),
    });
    outcome.evidence.wire = vec![
        sample::sent(text),
        sample::came(text),
        sample::came([text.as_bytes(), b"\xff\xfe\n"].concat()),
        sample::peer_does(Act::Closes),
        Wire::Omitted(3),
    ];
    outcome.evidence.transcript = own();
    outcome.evidence.repeat = own();
    outcome.evidence.death =
        Some(Death { status: Status::Signal { number: 1, name: Some(whole()) }, stderr: whole() });
    outcome
}

fn events(verdicts: &[Verdict], text: &str) -> Vec<Event> {
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
fn nothing_hidden_is_left_in_any_format() {
    for format in Format::ALL {
        let text = render(format, &hostile_run());
        let hidden = text.chars().find(|c| *c != '\n' && escape::is_hidden(*c));
        assert_eq!(hidden, None, "{}", format.word());
    }
}

#[test]
fn a_report_of_endless_texts_is_small() {
    for text in ["\u{1b}".repeat(16 << 20), "<\n".repeat(1 << 20)] {
        let events = events(&[Verdict::Crash], &text);
        for format in Format::ALL {
            let size = render(format, &events).len();
            assert!(size < 1_000_000, "{}: {size} bytes", format.word());
        }
    }
}

#[test]
fn no_line_is_a_command_of_a_job_but_those_of_its_own_format() {
    for format in Format::ALL {
        for line in render(format, &hostile_run()).lines() {
            // Elsewhere it would have to be printed to do harm, and the events are one line each.
            let printed = matches!(format, Format::Text | Format::Github | Format::Tap);
            let command = line.trim_start().starts_with("::") || line.contains("##[");
            let own = format == Format::Github && line.starts_with("::");
            assert!(!printed || !command || own, "{}: {line}", format.word());
        }
    }
    let github = render(Format::Github, &hostile_run());
    let known = |line: &str| {
        ["::error title=", "::warning title=", "::notice title="].iter().any(|it| line.starts_with(it))
    };
    assert!(github.lines().all(known), "{github}");
}

#[test]
fn tap_has_no_line_but_its_own() {
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
fn markdown_takes_nothing_of_a_peer_for_markup() {
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
            // What is in code is a part of its own, but in a block; outside there are the words of the suite alone.
            Part::Text(text) => assert!(block || !text.contains("evil"), "{text}"),
            Part::Start(Tag::TableRow) => rows += 1,
            Part::Start(Tag::TableCell) => cells += 1,
            Part::Start(Tag::Heading { level, .. }) => assert!(level as usize <= 3),
            _ => {}
        }
    }
    // Each row has three cells, the heading too: no text divides one.
    assert_eq!(cells, (rows + 1) * 3);
    assert!(rows > Verdict::ALL.len());
}

#[test]
fn html_has_one_script_and_no_element_of_a_peer() {
    let text = render(Format::Html, &hostile_run());
    assert_eq!(text.matches("<script").count(), 1);
    assert!(!text.contains("<img") && text.contains("&lt;img src=x onerror=alert(2)&gt;"));
}

#[test]
fn what_a_reader_of_junit_reads_is_what_was_written() {
    let events = hostile_run();
    let report = quick_junit::Report::deserialize_from_str(&render(Format::Junit, &events)).unwrap();
    let names = report.test_suites[0].test_cases.iter().map(|case| case.name.as_str().to_owned());
    let ids = events.iter().filter_map(|event| match event {
        Event::Judged(outcome) => Some(escape::terminal_cut(&outcome.id, 400, 0)),
        _ => None,
    });
    assert_eq!(names.collect::<Vec<_>>(), ids.collect::<Vec<_>>());
}
