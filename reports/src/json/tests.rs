use dnode_spec::clause::Level;
use serde_json::Value;

use super::*;
use crate::event::{Activity, TimeBase};
use crate::sample::{self, FINE, HOSTILE};

fn report(run: Run, cases: &[Outcome], ended: Ended) -> String {
    let mut out = Vec::new();
    let mut json = Json::new(&mut out);
    for event in sample::events(run, cases, ended) {
        json.event(&event).unwrap();
    }
    String::from_utf8(out).unwrap()
}

/// One case of each verdict, with hostile text in every field that the peer controls.
fn one_of_each() -> Vec<Outcome> {
    let mut hostile = sample::failing("values/hostile");
    if let Some(divergence) = &mut hostile.divergence {
        divergence.actual = HOSTILE.repeat(20);
        divergence.path = format!("arguments[0].{HOSTILE}");
    }
    vec![
        sample::outcome("message/plain", Verdict::Pass),
        sample::failing("message/argument-order"),
        hostile,
        sample::crashing("values/deep"),
        Outcome { verdict: Verdict::Hang, ..sample::failing("values/long") },
        sample::because("values/cycle", Verdict::NotApplicable, "the probe declares cycle absent"),
        sample::outcome("values/shared", Verdict::Inconclusive),
        sample::because("values/nest", Verdict::HarnessError, "no port was free"),
    ]
}

#[test]
fn failing_case() {
    let cases = [sample::outcome("b/case", Verdict::Pass), sample::failing("a/case")];
    insta::assert_snapshot!(report(sample::run(2), &cases, FINE), @r#"
    {
      "format": 1,
      "suite": "dnode-conform 0.1.0",
      "peer": "dnode 1.2.2",
      "planned": 2,
      "verdicts": {
        "pass": 1,
        "fail": 1,
        "crash": 0,
        "hang": 0,
        "not-applicable": 0,
        "inconclusive": 0,
        "harness-error": 0
      },
      "cases": [
        {
          "id": "a/case",
          "verdict": "fail",
          "level": "must",
          "clauses": [
            "message/argument-order"
          ],
          "divergence": {
            "step": "step 2",
            "clause": "message/argument-order",
            "kind": "differs",
            "path": "arguments[0]",
            "expected": "3",
            "actual": "\"12\"",
            "fingerprint": "1:f2bb57ebe676"
          }
        },
        {
          "id": "b/case",
          "verdict": "pass",
          "level": "must",
          "clauses": [
            "message/argument-order"
          ]
        }
      ]
    }
    "#);
}

#[test]
fn order_of_events_does_not_matter() {
    let mut cases = one_of_each();
    // A case never occurs twice, but the order would still be fixed.
    cases.push(sample::outcome("values/nest", Verdict::Pass));
    let one = report(sample::run(9), &cases, FINE);
    cases.reverse();
    assert_eq!(report(sample::run(9), &cases, FINE), one);
    cases.rotate_left(4);
    assert_eq!(report(sample::run(9), &cases, FINE), one);
}

#[test]
fn evidence_is_left_out() {
    let mut with = sample::crashing("a/case");
    with.evidence.activity = Some(Activity { time: 2000, cpu: 1 });
    let without = Outcome { evidence: crate::event::Evidence::default(), ..with.clone() };
    let elsewhere = Run {
        target: "127.0.0.1:4711".to_owned(),
        notes: vec!["slow".to_owned()],
        time: Some(TimeBase::OwnTime),
        ..sample::run(1)
    };
    assert_eq!(report(sample::run(1), &[with], FINE), report(elsewhere, &[without], FINE));
}

#[test]
fn hidden_characters_are_escaped_and_long_texts_are_cut() {
    let run = Run { peer: Some(HOSTILE.to_owned()), ..sample::run(8) };
    let text = report(run, &one_of_each(), FINE);
    assert!(!text.contains(|c| c != '\n' && escape::is_hidden(c)));
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["peer"], HOSTILE);
    let hostile =
        value["cases"].as_array().unwrap().iter().find(|case| case["id"] == "values/hostile").unwrap();
    let actual = hostile["divergence"]["actual"].as_str().unwrap();
    assert!(actual.starts_with(HOSTILE) && actual.ends_with(" bytes more)"), "{actual}");
}

#[test]
fn interrupted_is_written_only_if_true() {
    let ended = Ended { interrupted: true, answered: false, ..Ended::default() };
    assert!(report(sample::run(0), &[], ended).contains("\n  \"interrupted\": true,\n"));
    assert!(!report(sample::run(0), &[], FINE).contains("interrupted"));
}

#[test]
fn the_first_event_must_be_started() {
    assert!(Json::new(Vec::new()).event(&Event::Ended(FINE)).is_err());
}

#[test]
fn read_rejects_malformed_reports() {
    let text = report(sample::run(8), &one_of_each(), FINE);
    let wrong = |text: &str| read(text, "", Level::Robust).unwrap_err().to_string();
    assert!(read(&text, "", Level::Robust).is_ok());
    assert_eq!(
        wrong(&text.replace("\"format\": 1", "\"format\": 2")),
        "format 2 is unknown; this version reads format 1"
    );
    assert_eq!(
        wrong(&text.replace("\"pass\": 1", "\"pass\": 2")),
        "the counts in \"verdicts\" do not match the cases"
    );
    assert!(
        wrong(&text.replace("\"verdict\": \"pass\"", "\"verdict\": \"good\""))
            .contains("\"good\" is not a verdict")
    );
    assert!(wrong(&text.replace("\"must\"", "\"may\"")).contains("\"may\" is not a level"));
    assert!(wrong("{}").contains("missing field"));
}
