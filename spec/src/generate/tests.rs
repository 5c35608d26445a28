//! What the generator makes is legal, and what its illegal step breaks, the monitor names.

use super::*;
use crate::monitor::{End, Monitor};
use crate::transcript::{Action, Called, Transcript};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn sample(number: u64, illegal: bool) -> String {
    session(Seed { seed: 1, number, illegal })
}

#[test]
fn every_session_reads_and_all_kinds_of_steps_occur() {
    let mut called: BTreeMap<String, usize> = BTreeMap::new();
    for number in 0..500 {
        let text = sample(number, false);
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
fn an_illegal_step_breaks_the_clause_that_it_names() {
    for Illegal { clause, line } in ILLEGAL {
        let mut monitor = Monitor::new();
        let broken: Vec<&str> =
            monitor.line(End::A, line).problems.iter().map(|problem| problem.clause).collect();
        assert_eq!(broken, [*clause], "{}", String::from_utf8_lossy(line));
    }
    for number in 0..100 {
        let text = sample(number, true);
        let transcript = Transcript::read(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert!(transcript.header.hostile);
    }
}

proptest! {
    #[test]
    fn the_monitor_accepts_what_both_ends_of_a_generated_session_say(plan in plan()) {
        let mut client = client::Client::new(plan.style);
        plan.moves.iter().for_each(|step| client.play(step, &plan.weights));
        client.exchange();
        let mut monitor = Monitor::new();
        for (from, line) in &client.said {
            let problems = monitor.line(*from, line).problems;
            prop_assert!(problems.is_empty(), "{:?} in {}", problems, line.escape_ascii());
        }
    }
}
