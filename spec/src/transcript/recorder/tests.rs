//! The transcripts of recorded sessions.

use super::*;
use crate::transcript::Transcript;

fn about() -> About {
    About {
        id: "recorded/test".to_owned(),
        since: "0.1.0".to_owned(),
        about: "A test.".to_owned(),
        recorded: false,
        breaks: Vec::new(),
        meta: serde_json::Map::new(),
    }
}

/// The transcript of these lines, seen from the end `>`. It must be readable.
fn recorded(lines: &str) -> String {
    finished(Recorder::new(End::A), lines)
}

fn finished(mut recorder: Recorder, lines: &str) -> String {
    for line in lines.lines() {
        let (from, line) = line.trim().split_at(1);
        recorder.line(if from == ">" { End::A } else { End::B }, line.trim().as_bytes());
    }
    let text = recorder.finish(&about());
    if let Err(error) = Transcript::read(&text) {
        panic!("{error}\n{text}");
    }
    // Only the part that depends on the session.
    text.split_once("\"about\":\"A test.\"").unwrap().1.to_owned()
}

const HELLOS: &str = r#"> {"method":"methods","arguments":[{"hello":"[Function]"}],"callbacks":{"0":["0","hello"]},"links":[]}
    < {"method":"methods","arguments":[{"echo":"[Function]","callMe":"[Function]"}],"callbacks":{"3":["0","echo"],"4":["0","callMe"]},"links":[]}
"#;

fn after_hellos(lines: &str) -> String {
    recorded(&format!("{HELLOS}{lines}"))
}

#[test]
fn ids_become_names_and_methods_are_called_by_name() {
    insta::assert_snapshot!(after_hellos(r#"
        > {"method":3,"arguments":[{"f":"[Function]"},"[Function]"],"callbacks":{"1":["0","f"],"2":["1"]},"links":[]}
        < {"method":2,"arguments":[{"f":"[Function]"}],"callbacks":{"9":["0","f"]},"links":[]}
        > {"method":9,"arguments":[1]}
        < {"method":1,"arguments":[1]}
        > {"method":"echo","arguments":["$5","?",null,"[Function]"],"callbacks":{"2":["3"]}}
        > {"method":"cull","arguments":[9,3]}"#.trim()), @r#"
    ,"needs":["echo"],"object":{"hello":"$ours0"}}
    {"call":"echo","arguments":[{"f":"$ours1"},"$ours2"]}
    {"expect":{"method":"$ours2","arguments":[{"f":"$theirs9"}]}}
    {"call":"$theirs9","arguments":[1]}
    {"expect":{"method":"$ours1","arguments":[1]}}
    {"call":"echo","arguments":["$$5","??",null,"$ours2"]}
    {"send":{"method":"cull","arguments":["$theirs9","$echo"]}}
    "#);
}

#[test]
fn links_are_kept() {
    insta::assert_snapshot!(after_hellos(r#"
        > {"method":3,"arguments":[{"me":"[Circular]"},"[Function]"],"callbacks":{"1":["1"]},"links":[{"from":["0"],"to":["0","me"]}]}
        < {"method":1,"arguments":[{"me":"[Circular]"}],"callbacks":{},"links":[{"from":["0"],"to":["0","me"]}]}"#.trim()), @r#"
    ,"needs":["echo"],"object":{"hello":"$ours0"}}
    {"call":"echo","arguments":[{"me":"[Circular]"},"$ours1"],"links":[{"from":["0"],"to":["0","me"]}]}
    {"expect":{"method":"$ours1","arguments":[{"me":"[Circular]"}],"links":[{"from":["0"],"to":["0","me"]}]}}
    "#);
}

#[test]
fn unrequested_call_of_the_other_end_is_optional() {
    insta::assert_snapshot!(after_hellos(r#"
        < {"method":0,"arguments":[1]}
        > {"method":4,"arguments":["hello",[2],"[Function]"],"callbacks":{"1":["2"]}}
        < {"method":0,"arguments":[2]}
        < {"method":"hello","arguments":[3]}
        < {"method":1,"arguments":[]}"#.trim()), @r#"
    ,"needs":["callMe"],"object":{"hello":"$ours0"}}
    {"expect":{"method":"$ours0","arguments":[1]},"optional":true}
    {"call":"callMe","arguments":["hello",[2],"$ours1"]}
    {"expect":{"method":"$ours0","arguments":[2]}}
    {"expect":{"method":"hello","arguments":[3]},"optional":true}
    {"expect":{"method":"$ours1","arguments":[]}}
    "#);
}

#[test]
fn unsound_line_of_ours_is_kept_and_of_theirs_left_out() {
    let mut recorder = Recorder::new(End::B);
    recorder.line(End::A, b"nonsense");
    recorder.line(End::A, br#"{"method":77,"arguments":[]}"#);
    recorder.line(End::B, b"\xff");
    recorder.line(End::B, br#"{"method":5}"#);
    assert_eq!(recorder.left_out(), 2);
    insta::assert_snapshot!(recorder.finish(&about()), @r#"
    {"dnode-transcript":1,"id":"recorded/test","since":"0.1.0","clauses":["robust/not-deaf"],"about":"A test.","handshake":"manual","role":"server","object":{},"hostile":true}
    {"line":{"base64":"/w=="}}
    {"line":"{\"method\":5}"}
    "#);
}

#[test]
fn object_like_an_expression_and_deep_object_stay_values() {
    let deep = format!("{}1{}", "[".repeat(300), "]".repeat(300));
    let text = after_hellos(&format!(
        "> {{\"method\":3,\"arguments\":[{{\"?json\":1}},\"\\ud800\",\"?\\ud800\",{deep}]}}"
    ));
    insta::assert_snapshot!(text.replace(&deep, "DEEP"), @r#"
    ,"needs":["echo"],"object":{"hello":"$ours0"}}
    {"call":"echo","arguments":[{"?json":"{\"?json\":1}"},"\ud800",{"?json":"\"?\\ud800\""},DEEP]}
    "#);
}

#[test]
fn redaction_replaces_all_values_and_keeps_equality() {
    let mut recorder = Recorder::new(End::A).redacting();
    for (from, line) in [
        (
            End::A,
            r#"{"method":"methods","arguments":[{"hello":"[Function]"}],"callbacks":{"0":["0","hello"]}}"#,
        ),
        (
            End::B,
            r#"{"method":"methods","arguments":[{"callMe":"[Function]"}],"callbacks":{"0":["0","callMe"]}}"#,
        ),
        (
            End::A,
            r#"{"method":0,"arguments":["hello",["secret",17],"[Function]",true],"callbacks":{"1":["2"]}}"#,
        ),
        (End::B, r#"{"method":0,"arguments":["secret",17.0]}"#),
        (End::A, "secret"),
    ] {
        recorder.line(from, line.as_bytes());
    }
    let text = recorder.finish(&about());
    Transcript::read(&text).unwrap();
    insta::assert_snapshot!(text.split_once("\n").unwrap().1, @r#"
    {"call":"callMe","arguments":["hello",["text 1",2],"$ours1",true]}
    {"expect":{"method":"$ours0","arguments":["text 1",2]}}
    "#);
}

#[test]
fn method_named_like_a_message_is_called_as_a_function() {
    let mut recorder = Recorder::new(End::A);
    for (from, line) in [
        (End::A, r#"{"method":"methods","arguments":[{}]}"#),
        (
            End::B,
            r#"{"method":"methods","arguments":[{"cull":0,"$":0}],"callbacks":{"0":["0","cull"],"1":["0","$"]}}"#,
        ),
        (End::A, r#"{"method":0,"arguments":[1]}"#),
        (End::A, r#"{"method":1,"arguments":[1]}"#),
        (End::A, r#"{"method":"cull","arguments":[0,1]}"#),
    ] {
        recorder.line(from, line.as_bytes());
    }
    let text = recorder.finish(&about());
    Transcript::read(&text).unwrap();
    insta::assert_snapshot!(text.split_once("\n").unwrap().1, @r#"
    {"call":"$cull","arguments":[1]}
    {"call":"$$","arguments":[1]}
    {"send":{"method":"cull","arguments":["$cull","$$"]}}
    "#);
}

#[test]
fn link_without_a_place_is_left_out() {
    let mut recorder = Recorder::new(End::A);
    recorder.line(End::A, br#"{"method":"methods","arguments":[{"f":0}],"callbacks":{"0":["0","f"]}}"#);
    for line in [
        r#"{"method":0,"arguments":[{"a":null,"o":{}}],"links":[{"from":[0,"o"],"to":[0,"a","x"]}]}"#,
        r#"{"method":0,"callbacks":{"0":[1]},"links":[{"from":[],"to":[0,"x"]}]}"#,
    ] {
        recorder.line(End::B, line.as_bytes());
    }
    assert_eq!((recorder.left_out(), recorder.take_steps().len()), (2, 0));
}

#[test]
fn method_named_like_a_recorded_function_is_called_by_id() {
    let mut recorder = Recorder::new(End::A);
    for (from, line) in [
        (End::A, r#"{"method":"methods","arguments":[{"f":0}],"callbacks":{"0":["0","f"]}}"#),
        (End::B, r#"{"method":"methods","arguments":[{"ours0":0}],"callbacks":{"7":["0","ours0"]}}"#),
        (End::A, r#"{"method":7}"#),
    ] {
        recorder.line(from, line.as_bytes());
    }
    let text = recorder.finish(&about());
    Transcript::read(&text).unwrap();
    assert_eq!(text.split_once("\n").unwrap().1, "{\"line\":\"{\\\"method\\\":7}\"}\n");
}

/// A counter, of which two calls are in flight.
const COUNTER: &str = r#"
        < {"method":0,"arguments":[{"inc":"[Function]","get":"[Function]"}],"callbacks":{"6":["0","inc"],"7":["0","get"]},"links":[]}
        > {"method":6,"arguments":["[Function]"],"callbacks":{"1":["0"]},"links":[]}
        > {"method":7,"arguments":["[Function]"],"callbacks":{"2":["0"]},"links":[]}
        > {"method":3,"arguments":["[Function]"],"callbacks":{"3":["0"]},"links":[]}
"#;

#[test]
fn calls_that_may_share_a_state_stand_in_order() {
    let session = format!(
        r#"{HELLOS}{}
        < {{"method":1,"arguments":[1]}}
        < {{"method":2,"arguments":[1]}}
        < {{"method":3,"arguments":[]}}"#,
        COUNTER.trim()
    );
    insta::assert_snapshot!(finished(Recorder::new(End::A).in_order(), &session), @r#"
    ,"needs":["echo"],"object":{"hello":"$ours0"}}
    {"expect":{"method":"$ours0","arguments":[{"inc":"$theirs6","get":"$theirs7"}]},"optional":true}
    {"call":"$theirs6","arguments":["$ours1"]}
    {"expect":{"method":"$ours1","arguments":[1]}}
    {"call":"$theirs7","arguments":["$ours2"]}
    {"call":"echo","arguments":["$ours3"]}
    {"expect":{"method":"$ours2","arguments":[1]}}
    {"expect":{"method":"$ours3","arguments":[]}}
    "#);
}

#[test]
fn answer_to_a_delayed_call_ends_the_delay() {
    let session = format!(
        r#"{HELLOS}{}
        < {{"method":2,"arguments":[1]}}
        < {{"method":1,"arguments":[1]}}"#,
        COUNTER.trim()
    );
    insta::assert_snapshot!(finished(Recorder::new(End::A).in_order(), &session), @r#"
    ,"needs":["echo"],"object":{"hello":"$ours0"}}
    {"expect":{"method":"$ours0","arguments":[{"inc":"$theirs6","get":"$theirs7"}]},"optional":true}
    {"call":"$theirs6","arguments":["$ours1"]}
    {"call":"$theirs7","arguments":["$ours2"]}
    {"call":"echo","arguments":["$ours3"]}
    {"expect":{"method":"$ours2","arguments":[1]}}
    {"expect":{"method":"$ours1","arguments":[1]}}
    "#);
}

#[test]
fn delayed_calls_without_an_answer_stand_at_the_end() {
    let session = format!("{HELLOS}{}", COUNTER.trim());
    let (steps, in_order) =
        (finished(Recorder::new(End::A), &session), finished(Recorder::new(End::A).in_order(), &session));
    assert_eq!(steps, in_order);
}
