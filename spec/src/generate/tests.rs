//! Generated sessions are legal, and the monitor names the clause of an illegal step.

use super::client::Client;
use super::illegal::ILLEGAL;
use super::plan::Move;
use super::rare::{RARE, Rare};
use super::*;
use crate::monitor::{End, Monitor};
use crate::transcript::{Action, Called, Transcript};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn sample(number: u64, kind: Kind) -> String {
    session(Seed { seed: 1, number, kind })
}

#[test]
fn all_sessions_are_readable_and_all_kinds_of_steps_occur() {
    let mut called: BTreeMap<String, usize> = BTreeMap::new();
    for number in 0..500 {
        let text = sample(number, Kind::Legal);
        let transcript = Transcript::read(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        for step in transcript.steps {
            let kind = match step.action {
                Action::Call(Called::Member(name), ..) => name.to_string(),
                Action::Call(..) => "a function".to_owned(),
                Action::Send(pattern, _) => match pattern.called {
                    Called::Member(name) => name.to_string(),
                    _ => "a message as written".to_owned(),
                },
                Action::Expect(..) => "expect".to_owned(),
                Action::Bytes(..) => "bytes".to_owned(),
                Action::HalfClose => "half-close".to_owned(),
                Action::Closed => "closed".to_owned(),
                Action::Either(_) => "either".to_owned(),
                other => panic!("{other:?}"),
            };
            *called.entry(kind).or_default() += 1;
        }
    }
    let kinds: Vec<&str> =
        called.iter().filter(|(_, count)| **count > 50).map(|(kind, _)| kind.as_str()).collect();
    insta::assert_snapshot!(kinds.join(" "), @"a function a message as written add applyTo callMe callTwice cull cycle echo expect getCounter keeper later nest repeat shared");
}

#[test]
fn rare_move_is_named_in_the_header_and_changes_the_steps() {
    for (rare, clause) in RARE {
        let plan = Plan { rare: Some((*rare, 0, 3)), moves: vec![Move::bare(1)], ..Plan::default() };
        let about = About {
            id: "generated/1-1".to_owned(),
            since: "0.1.0".to_owned(),
            about: "A session.".to_owned(),
            recorded: false,
            breaks: Vec::new(),
            meta: Map::new(),
        };
        let write = |plan: &Plan| {
            let (header, steps) = super::write(plan, Kind::Legal, &about);
            text(&header, steps)
        };
        let text = write(&plan);
        let transcript = Transcript::read(&text).unwrap_or_else(|error| panic!("{rare:?}: {error}\n{text}"));
        assert_eq!(transcript.header.requires, [*clause]);
        let plain = write(&Plan { rare: None, ..plan });
        assert_ne!(
            plain.lines().skip(1).collect::<Vec<_>>(),
            text.lines().skip(1).collect::<Vec<_>>(),
            "{rare:?}"
        );
    }
}

/// The deepest nesting of arrays and objects in these lines, which have no brackets in strings.
fn depth(lines: &str) -> usize {
    let deepest = |line: &str| {
        line.bytes().fold((0_usize, 0), |(now, most), byte| match byte {
            b'[' | b'{' => (now + 1, most.max(now + 1)),
            b']' | b'}' => (now - 1, most),
            _ => (now, most),
        })
    };
    lines.lines().map(|line| deepest(line).1).max().unwrap_or_default()
}

#[test]
fn values_are_at_most_forty_deep_because_a_peer_may_limit_more() {
    let depths = (0..400).map(|pick| {
        let mut client = Client::new(crate::transcript::Style::default(), Some(Rare::Deep));
        client.do_rare(Rare::Deep, pick);
        depth(
            &String::from_utf8(
                client.said.into_iter().flat_map(|(_, line)| [line, vec![b'\n']].concat()).collect(),
            )
            .unwrap(),
        )
    });
    // The message and its arguments are two more levels.
    assert_eq!(depths.max(), Some(42));
}

#[test]
fn illegal_step_breaks_its_clause() {
    for Illegal { clause, line } in ILLEGAL {
        let mut monitor = Monitor::new();
        let broken: Vec<&str> =
            monitor.line(End::A, line).problems.iter().map(|problem| problem.clause).collect();
        assert_eq!(broken, [*clause], "{}", String::from_utf8_lossy(line));
    }
    for number in 0..100 {
        let text = sample(number, Kind::Illegal);
        let transcript = Transcript::read(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert!(transcript.header.hostile);
    }
}

proptest! {
    #[test]
    fn generated_session_breaks_no_clause(plan in plan(), kind in prop::sample::select(&Kind::ALL)) {
        let client = play(&plan, kind);
        let mut monitor = Monitor::new();
        for (from, line) in &client.said {
            let problems = monitor.line(*from, line).problems;
            prop_assert!(problems.is_empty(), "{:?} in {}", problems, line.escape_ascii());
        }
    }
}
