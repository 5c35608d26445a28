use super::parts::fragment;
use super::*;
use crate::event::{Activity, Outcome, Run, TimeBase};
use crate::sample::{self, FINE};

#[test]
fn fragment_is_escaped() {
    assert_eq!(fragment("callback/any-depth"), "callback/any-depth");
    assert_eq!(fragment("a b\"<%\u{1b}é"), "a%20b%22%3c%25%5cx1b%c3%a9");
}

#[test]
fn every_verdict_has_its_own_class_and_word() {
    let letters: std::collections::BTreeSet<&str> = Verdict::ALL.into_iter().map(letter).collect();
    assert_eq!(letters.len(), Verdict::ALL.len());
    for verdict in Verdict::ALL {
        assert!(badge(verdict).into_string().contains(&format!(">{verdict}<")));
        let style = include_str!("page.css");
        assert!(style.contains(&format!("\n.{} {{ background:", letter(verdict))), "{verdict} has no colour");
    }
}

#[test]
fn page_says_what_the_peer_did_during_a_wait_and_what_time_that_counts() {
    let mut hung = Outcome { verdict: Verdict::Hang, ..sample::failing("a/case") };
    hung.evidence.activity = Some(Activity { time: 2000, cpu: 10 });
    let page = page(hung);
    assert!(page.contains("<dt>deadlines</dt><dd>wall time"));
    assert!(page.contains("<dt>meanwhile</dt><dd>the peer slept for 2.0 s</dd>"));
}

#[test]
fn cases_count_in_the_group_of_their_id_as_in_the_text() {
    // Both cases are about a clause of the group `message`.
    let page = page_of(&[sample::failing("always/a"), sample::failing("message/b")]);
    for group in ["always", "message"] {
        assert!(page.contains(&format!("<tr><th scope=\"row\">{group}</th>")), "{group}");
    }
}

/// The page of a run of one case.
fn page(outcome: Outcome) -> String {
    page_of(&[outcome])
}

fn page_of(outcomes: &[Outcome]) -> String {
    let mut html = Html::new(Vec::new());
    let run = Run { time: Some(TimeBase::WallTime), ..sample::run(outcomes.len()) };
    for event in sample::events(run, outcomes, FINE) {
        html.event(&event).unwrap();
    }
    html.finish().unwrap();
    String::from_utf8(html.out).unwrap()
}

#[test]
fn finding_and_matrix_link_to_the_clause() {
    let outcome = sample::failing("a/case");
    let clause = dnode_spec::clause::find(&outcome.divergence.as_ref().unwrap().clause).unwrap();
    assert_eq!(page(outcome).matches(&format!("<a href=\"{}\">", clause.link())).count(), 2);
}

#[test]
fn a_blank_line_that_was_sent_is_shown_as_one() {
    let mut outcome = sample::failing("a/case");
    outcome.evidence.wire = vec![sample::sent("\n")];
    assert!(page(outcome).contains("<dt>sent</dt><dd>(an empty line)</dd>"));
}

#[test]
fn a_line_that_came_instead_of_an_answer_is_shown() {
    let page = page(sample::answered_otherwise("7\n"));
    assert!(page.contains("<dt>got</dt><dd><code>7</code></dd>"));
}

#[test]
fn long_log_is_cut_around_the_difference() {
    let mut outcome: Outcome = sample::failing("a/case");
    let line = outcome.evidence.wire.pop().unwrap();
    let padding = || (0..100).map(|_| sample::sent("{}\n"));
    outcome.evidence.wire = padding().chain([line]).chain(padding()).collect();
    let text = page(outcome);
    assert!(text.contains("173 entries left out"));
    assert_eq!(text.matches("<li class=\"suite\">").count(), 2 * 28, "in the card and in the finding");
    assert!(text.contains("<mark>&quot;12&quot;</mark>"));
}
