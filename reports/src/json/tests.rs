use dnode_spec::clause::Level;
use serde_json::{Value, json};

use super::*;
use crate::sample::{self, FINE, HOSTILE};

fn report(run: Run, cases: &[Outcome], ended: Ended) -> String {
    let mut out = Vec::new();
    let mut json = Json::new(&mut out);
    for event in sample::events(run, cases, ended) {
        json.event(&event).unwrap();
    }
    String::from_utf8(out).unwrap()
}

/// One case of each verdict, and hostile text wherever the peer has a say.
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
fn the_report_of_a_failing_case() {
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
fn the_order_of_arrival_does_not_matter() {
    let mut cases = one_of_each();
    // The same case twice never happens, and would still have one order.
    cases.push(sample::outcome("values/nest", Verdict::Pass));
    let one = report(sample::run(9), &cases, FINE);
    cases.reverse();
    assert_eq!(report(sample::run(9), &cases, FINE), one);
    cases.rotate_left(4);
    assert_eq!(report(sample::run(9), &cases, FINE), one);
}

#[test]
fn evidence_is_no_part_of_it() {
    let with = sample::crashing("a/case");
    let without = Outcome { evidence: crate::event::Evidence::default(), ..with.clone() };
    let elsewhere =
        Run { target: "127.0.0.1:4711".to_owned(), notes: vec!["slow".to_owned()], ..sample::run(1) };
    assert_eq!(report(sample::run(1), &[with], FINE), report(elsewhere, &[without], FINE));
}

#[test]
fn hidden_characters_are_escapes_and_long_texts_are_cut() {
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
fn interrupted_is_said_only_when_so() {
    let ended = Ended { interrupted: true, answered: false };
    assert!(report(sample::run(0), &[], ended).contains("\n  \"interrupted\": true,\n"));
    assert!(!report(sample::run(0), &[], FINE).contains("interrupted"));
}

#[test]
fn the_run_comes_first() {
    assert!(Json::new(Vec::new()).event(&Event::Ended(FINE)).is_err());
}

/// The keys of a JSON object in their order, or none.
fn keys(value: &Value) -> Vec<&str> {
    value.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

/// Checks that an object has the keys that the schema requires, and none that it does not know, in its order.
#[track_caller]
fn assert_keys(schema: &Value, object: &Value) {
    let mut known = keys(&schema["properties"]).into_iter();
    for key in keys(object) {
        assert!(known.any(|property| property == key), "{key} is unknown or out of order in {object}");
    }
    for key in schema["required"].as_array().unwrap() {
        assert!(object.get(key.as_str().unwrap()).is_some(), "{key} is missing in {object}");
    }
    assert_eq!(schema["additionalProperties"], false);
}

/// A validator of JSON Schema takes minutes to compile, so this compares what changes with the code: keys and words.
#[test]
fn the_schema_knows_the_keys_and_words_of_a_report() {
    let schema: Value = serde_json::from_str(include_str!("../../report.schema.json")).unwrap();
    let definitions = &schema["$defs"];
    assert_eq!(definitions["verdict"]["enum"], json!(Verdict::ALL.map(Verdict::word)));
    assert_eq!(schema["properties"]["verdicts"]["required"], definitions["verdict"]["enum"]);
    assert_eq!(definitions["case"]["properties"]["level"]["enum"], json!(Level::ALL.map(Level::word)));
    assert_eq!(schema["properties"]["format"]["const"], FORMAT);
    for ended in [FINE, Ended { interrupted: true, answered: false }] {
        let value: Value = serde_json::from_str(&report(sample::run(8), &one_of_each(), ended)).unwrap();
        assert_keys(&schema, &value);
        assert_eq!(keys(&value["verdicts"]), Verdict::ALL.map(Verdict::word));
        for case in value["cases"].as_array().unwrap() {
            assert_keys(&definitions["case"], case);
            case.get("divergence")
                .into_iter()
                .for_each(|found| assert_keys(&definitions["divergence"], found));
        }
    }
}
