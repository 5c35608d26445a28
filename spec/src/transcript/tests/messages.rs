//! Messages of transcripts: their bytes, and their match with received messages.

use super::*;
use crate::dialect::Dialect;
use crate::message::Id;
use crate::monitor::{End, Monitor, Received};

/// The line of this step, with this text in the field `method`. Words have numbers from 100.
fn encoded(step: &str, method: &str, names: &mut Names) -> String {
    let before = r#"{"expect":{"method":"x","arguments":["$theirs","$other"],"callbacks":{"8":[2]}}}"#;
    let pattern = patterns(&[before, step]).pop().unwrap();
    String::from_utf8(pattern.encode(method.as_bytes(), names)).unwrap()
}

fn table(method: &str, steps: &[&str]) -> String {
    steps.iter().map(|step| format!("{step}\n  {}", encoded(step, method, &mut Names::new(100)))).collect()
}

#[test]
fn call_is_encoded_with_numbers_for_names() {
    insta::assert_snapshot!(table("\"echo\"", &[
        r#"{"call":"echo"}"#,
        r#"{"call":"echo","arguments":[1.50,"x",{"b":1,"a":[null]}]}"#,
        r#"{"call":"echo","arguments":["$a",{"k":["$b","$a"]}]}"#,
        r#"{"call":"echo","arguments":["[Function]","$a"],"callbacks":{"7":[0]}}"#,
        r#"{"call":"echo","arguments":["x"],"callbacks":{"$a":[0],"01":[1],"-1":["x"],"7":null}}"#,
        r#"{"call":"echo","arguments":["$a","$a"],"callbacks":{"$b":[2],"$a":[3]}}"#,
        r#"{"call":"echo","arguments":["$a"],"callbacks":{}}"#,
        r#"{"call":"echo","arguments":["$a",{}],"links":[{"from":[0],"to":[1,"x"]},7]}"#,
        r#"{"call":"echo","arguments":["$$a","??b","a$b"," $c"]}"#,
        r#"{"call":"echo","arguments":[{"?json":"[1e400, \"\\ud800\"]"},{"?json":{"nest":["[","","]"],"times":3}}]}"#,
        r#"{"call":"echo","arguments":[{"?json":"1","x":2},{"json":"$$"}]}"#,
        r#"{"call":"echo","arguments":7}"#,
    ]), @r#"
    {"call":"echo"}
      {"method":"echo","arguments":[],"callbacks":{},"links":[]}
    {"call":"echo","arguments":[1.50,"x",{"b":1,"a":[null]}]}
      {"method":"echo","arguments":[1.50,"x",{"b":1,"a":[null]}],"callbacks":{},"links":[]}
    {"call":"echo","arguments":["$a",{"k":["$b","$a"]}]}
      {"method":"echo","arguments":["[Function]",{"k":["[Function]","[Function]"]}],"callbacks":{"100":["0"],"101":["1","k","0"],"102":["1","k","1"]},"links":[]}
    {"call":"echo","arguments":["[Function]","$a"],"callbacks":{"7":[0]}}
      {"method":"echo","arguments":["[Function]","[Function]"],"callbacks":{"7":[0],"100":["1"]},"links":[]}
    {"call":"echo","arguments":["x"],"callbacks":{"$a":[0],"01":[1],"-1":["x"],"7":null}}
      {"method":"echo","arguments":["x"],"callbacks":{"100":[0],"01":[1],"-1":["x"],"7":null},"links":[]}
    {"call":"echo","arguments":["$a","$a"],"callbacks":{"$b":[2],"$a":[3]}}
      {"method":"echo","arguments":["[Function]","[Function]"],"callbacks":{"102":[2],"103":[3],"100":["0"],"101":["1"]},"links":[]}
    {"call":"echo","arguments":["$a"],"callbacks":{}}
      {"method":"echo","arguments":["[Function]"],"callbacks":{"100":["0"]},"links":[]}
    {"call":"echo","arguments":["$a",{}],"links":[{"from":[0],"to":[1,"x"]},7]}
      {"method":"echo","arguments":["[Function]",{}],"links":[{"from":[0],"to":[1,"x"]},7],"callbacks":{"100":["0"]}}
    {"call":"echo","arguments":["$$a","??b","a$b"," $c"]}
      {"method":"echo","arguments":["$a","?b","a$b"," $c"],"callbacks":{},"links":[]}
    {"call":"echo","arguments":[{"?json":"[1e400, \"\\ud800\"]"},{"?json":{"nest":["[","","]"],"times":3}}]}
      {"method":"echo","arguments":[[1e400, "\ud800"],[[[]]]],"callbacks":{},"links":[]}
    {"call":"echo","arguments":[{"?json":"1","x":2},{"json":"$$"}]}
      {"method":"echo","arguments":[{"?json":"1","x":2},{"json":"$"}],"callbacks":{},"links":[]}
    {"call":"echo","arguments":7}
      {"method":"echo","arguments":7,"callbacks":{},"links":[]}
    "#);
}

#[test]
fn message_keeps_its_fields() {
    insta::assert_snapshot!(table("METHOD", &[
        r#"{"send":{"links":[],"x":[1,{"y":"$n"}],"method":"echo","arguments":["$a"]}}"#,
        r#"{"send":{"arguments":[1]}}"#,
        r#"{"send":{}}"#,
        r#"{"send":{"method":"echo","arguments":{"0":"$a"},"callbacks":[["0"]],"links":null}}"#,
        r#"{"send":{"method":null,"callbacks":{"3":[0]},"arguments":["$a"]}}"#,
        r#"{"send":{"method":"x","arguments":[1],"callbacks":7,"method":0,"arguments":["$a"],"callbacks":{"2":[0]}}}"#,
    ]), @r#"
    {"send":{"links":[],"x":[1,{"y":"$n"}],"method":"echo","arguments":["$a"]}}
      {"links":[],"x":[1,{"y":"$n"}],"method":METHOD,"arguments":["[Function]"],"callbacks":{"100":["0"]}}
    {"send":{"arguments":[1]}}
      {"arguments":[1]}
    {"send":{}}
      {}
    {"send":{"method":"echo","arguments":{"0":"$a"},"callbacks":[["0"]],"links":null}}
      {"method":METHOD,"arguments":{"0":"$a"},"callbacks":[["0"]],"links":null}
    {"send":{"method":null,"callbacks":{"3":[0]},"arguments":["$a"]}}
      {"method":METHOD,"callbacks":{"3":[0],"100":["0"]},"arguments":["[Function]"]}
    {"send":{"method":"x","arguments":[1],"callbacks":7,"method":0,"arguments":["$a"],"callbacks":{"2":[0]}}}
      {"method":"x","arguments":[1],"callbacks":7,"method":METHOD,"arguments":["[Function]"],"callbacks":{"2":[0],"100":["0"]}}
    "#);
}

#[test]
fn name_is_one_function_with_several_numbers() {
    let mut names = Names::new(100);
    let step = r#"{"call":"echo","arguments":["$a","[Function]"],"callbacks":{"7":[1]}}"#;
    let first = encoded(step, "0", &mut names);
    assert_eq!(encoded(step, "0", &mut names), first);
    names.culled_by_peer(Id(100));
    names.culled_by_peer(Id(7));
    insta::assert_snapshot!(first + &encoded(step, "0", &mut names), @r#"
    {"method":0,"arguments":["[Function]","[Function]"],"callbacks":{"7":[1],"100":["0"]},"links":[]}
    {"method":0,"arguments":["[Function]","[Function]"],"callbacks":{"102":[1],"101":["0"]},"links":[]}
    "#);
}

#[test]
fn cull_has_the_numbers_of_the_peer() {
    let mut names = Names::new(100);
    for (name, id) in [("theirs", 31), ("theirs", 32), ("other", 33)] {
        names.bind(&Name::Word(name.to_owned()), Id(id));
    }
    names.bind(&Name::Theirs(Id(8)), Id(34));
    let cull = |ids: &str, names: &mut Names| {
        let line =
            encoded(&format!("{{\"send\":{{\"method\":\"cull\",\"arguments\":{ids}}}}}"), "\"cull\"", names);
        line.trim_start_matches("{\"method\":\"cull\",\"arguments\":").trim_end_matches("}\n").to_owned()
    };
    assert_eq!(cull(r#"["$theirs","$other",8,99]"#, &mut names), "[32,33,34,99]");
    assert_eq!(cull(r#"["$theirs"]"#, &mut names), "[31]", "the other number of the name");
    assert_eq!(
        cull(r#"["$theirs",8]"#, &mut names),
        "[32,34]",
        "a name without a live number has its latest again"
    );
    assert_eq!(cull(r#"[8,-1,"01",null,0.5,[8],1e2]"#, &mut names), r#"[34,-1,"01",null,0.5,[8],1e2]"#);
    assert_eq!(cull("[]", &mut names), "[]");
    assert_eq!(cull("[null]", &mut names), "[null]");
    assert_eq!(cull(r#"{"0":8}"#, &mut names), r#"{"0":8}"#);
}

#[test]
fn cull_names_functions_of_the_other_end() {
    let culls = |ours| {
        let cull = r#"{"method":"cull","arguments":[8,"$f",-1,"f"]}"#;
        Pattern::read(cull, ours).unwrap().culls().to_vec()
    };
    let word = Name::Word("f".to_owned());
    assert_eq!(culls(true), [Name::Theirs(Id(8)), word.clone()]);
    assert_eq!(culls(false), [Name::Ours(Id(8)), word]);
}

#[test]
fn sent_message_declares_names_with_malformed_paths_too() {
    let message = r#"{"method":"echo","callbacks":{"$a":7,"3":[0.5],"01":[0]}}"#;
    let declared = [Name::Word("a".to_owned()), Name::Ours(Id(3))];
    assert_eq!(Pattern::read(message, true).unwrap().declared(), declared);
}

fn received(line: &str) -> Received {
    Monitor::new().line(End::B, line.as_bytes()).received.unwrap()
}

/// Matches a line with the last of these steps, after the others have declared their names. Words
/// have numbers from 100.
fn checked(before: &[&str], expect: &str, line: &str, names: &mut Names) -> String {
    let lines = [before, &[expect]].concat();
    let mut patterns = patterns(&lines);
    let pattern = patterns.pop().unwrap();
    for ours in patterns {
        ours.encode(b"0", names);
    }
    match pattern.check(&received(line), names) {
        Ok(()) => "fits".to_owned(),
        Err(Mismatch::Method) => "another method".to_owned(),
        Err(Mismatch::Arguments(found)) => {
            format!("{} {}: expected {}, got {}", found.path, found.kind.word(), found.expected, found.actual)
        }
    }
}

const CB: &str = r#"{"call":"echo","arguments":["$cb"]}"#;

#[test]
fn matchers_match_values_of_their_type() {
    let values = ["null", "true", "0", r#""x""#, "[]", "{}"];
    let words = ["null", "boolean", "number", "string", "array", "object"];
    let fits = |mark: &str, line: &str| {
        let expect = format!("{{\"expect\":{{\"method\":\"$cb\",\"arguments\":[{mark}]}}}}");
        checked(&[CB], &expect, line, &mut Names::new(100)) == "fits"
    };
    for (n, word) in words.iter().enumerate() {
        for (m, value) in values.iter().enumerate() {
            let line = format!("{{\"method\":100,\"arguments\":[{value}]}}");
            assert_eq!(fits(&format!("\"?{word}\""), &line), n == m, "{word} {value}");
            assert_eq!(fits(values[n], &line), n == m, "{word} {value}");
            assert!(fits("\"?any\"", &line) && !fits("\"?function\"", &line) && !fits("\"$f\"", &line));
        }
    }
    let function = r#"{"method":100,"arguments":["[Function]"],"callbacks":{"5":[0]}}"#;
    for (mark, expected) in
        [("\"?function\"", true), ("\"?any\"", true), ("\"$f\"", true), ("\"?string\"", false)]
    {
        assert_eq!(fits(mark, function), expected, "{mark}");
    }
    // A hole is null.
    let hole = r#"{"method":100,"arguments":[],"callbacks":{"5":[1]}}"#;
    for mark in ["\"?null\"", "null", "\"?any\"", r#"{"?json":"null"}"#] {
        assert!(fits(&format!("{mark},\"?function\""), hole), "{mark}");
    }
    let deep = format!("{{\"method\":100,\"arguments\":[{}{}]}}", "[".repeat(3), "]".repeat(3));
    assert!(fits(r#"{"?json":{"nest":["[","","]"],"times":3}}"#, &deep));
    assert!(!fits(r#"{"?json":{"nest":["[","","]"],"times":4}}"#, &deep));
    assert!(!fits(r#"{"?json":"7"}"#, function));
    assert!(fits(r#""$$cb""#, r#"{"method":100,"arguments":["$cb"]}"#));
    assert!(fits(r#""??any""#, r#"{"method":100,"arguments":["?any"]}"#));
}

#[test]
fn mismatch_has_place_and_values() {
    let table = [
        (r#"{"method":"$cb"}"#, r#"{"method":101}"#),
        (r#"{"method":"$cb"}"#, r#"{"method":"cb"}"#),
        (r#"{"method":"$cb"}"#, r#"{"method":100,"arguments":[1]}"#),
        (r#"{"method":"$cb","arguments":[1]}"#, r#"{"method":100}"#),
        (r#"{"method":"$cb","arguments":[{"a":"?number"}]}"#, r#"{"method":100,"arguments":[{"a":"x"}]}"#),
        (r#"{"method":"$cb","arguments":["$f"]}"#, r#"{"method":100,"arguments":["[Function]"]}"#),
        (
            r#"{"method":"$cb","arguments":["[Function]"]}"#,
            r#"{"method":100,"arguments":[0],"callbacks":{"5":[0]}}"#,
        ),
        (r#"{"method":"$cb","arguments":[{"?json":"[1,2]"}]}"#, r#"{"method":100,"arguments":[[1,3]]}"#),
        (
            r#"{"method":"$cb","arguments":[{}],"links":[{"from":[0],"to":[0,"self"]}]}"#,
            r#"{"method":100,"arguments":[{}]}"#,
        ),
        (
            r#"{"method":"$cb","arguments":[{}],"callbacks":{"3":[0,"f"]}}"#,
            r#"{"method":100,"arguments":[{"f":1}]}"#,
        ),
    ];
    let shown = table.map(|(expect, line)| {
        let step = format!("{{\"expect\":{expect}}}");
        format!("{expect} to {line}\n  {}\n", checked(&[CB], &step, line, &mut Names::new(100)))
    });
    insta::assert_snapshot!(shown.concat(), @r#"
    {"method":"$cb"} to {"method":101}
      another method
    {"method":"$cb"} to {"method":"cb"}
      another method
    {"method":"$cb"} to {"method":100,"arguments":[1]}
      arguments[0] unexpected: expected nothing, got 1
    {"method":"$cb","arguments":[1]} to {"method":100}
      arguments[0] absent: expected 1, got nothing
    {"method":"$cb","arguments":[{"a":"?number"}]} to {"method":100,"arguments":[{"a":"x"}]}
      arguments[0].a differs: expected a value of type number, got "x"
    {"method":"$cb","arguments":["$f"]} to {"method":100,"arguments":["[Function]"]}
      arguments[0] differs: expected $f, got "[Function]"
    {"method":"$cb","arguments":["[Function]"]} to {"method":100,"arguments":[0],"callbacks":{"5":[0]}}
      arguments[0] differs: expected "[Function]", got 5
    {"method":"$cb","arguments":[{"?json":"[1,2]"}]} to {"method":100,"arguments":[[1,3]]}
      arguments[0] differs: expected [1,2], got [1,3]
    {"method":"$cb","arguments":[{}],"links":[{"from":[0],"to":[0,"self"]}]} to {"method":100,"arguments":[{}]}
      arguments[0].self absent: expected {"self":{"self":{"self":{"self":{"self":{"self":{"self":{"self":{"self":{"self":{"self":{"self":{"self":{"self":{"self":{"self":{"self":{"self":{"self":{"self":…, got nothing
    {"method":"$cb","arguments":[{}],"callbacks":{"3":[0,"f"]}} to {"method":100,"arguments":[{"f":1}]}
      arguments[0].f differs: expected function 3, got 1
    "#);
}

#[test]
fn number_is_a_name_of_its_owner() {
    let ours = r#"{"call":"echo","arguments":["[Function]"],"callbacks":{"7":[0]}}"#;
    let expect = r#"{"expect":{"method":7}}"#;
    let mut names = Names::new(100);
    assert_eq!(checked(&[ours], expect, r#"{"method":7}"#, &mut names), "fits");
    // After a cull of the peer, the function has another number, and the peer calls that.
    names.culled_by_peer(Id(7));
    assert_eq!(checked(&[ours], expect, r#"{"method":100}"#, &mut names), "fits");
    assert_eq!(
        checked(&[], expect, r#"{"method":7}"#, &mut names),
        "fits",
        "a call may have crossed the cull"
    );
    assert_eq!(checked(&[], expect, r#"{"method":8}"#, &mut names), "another method");
    // A number that no step binds stands for itself.
    assert_eq!(checked(&[], expect, r#"{"method":7}"#, &mut Names::new(100)), "fits");
    assert_eq!(checked(&[], expect, r#"{"method":"7"}"#, &mut Names::new(100)), "another method");
}

#[test]
fn our_members_are_called_by_name_and_by_id() {
    let mut names = Names::new(100);
    let name = Name::Word("g".to_owned());
    names.own_member("greet", name.clone());
    assert_eq!(names.declare(&name), Id(100));
    assert_eq!(names.declare(&Name::Word("another".to_owned())), Id(101));
    for expect in [r#"{"expect":{"method":"greet"}}"#] {
        for line in [r#"{"method":"greet"}"#, r#"{"method":100}"#] {
            assert_eq!(checked(&[], expect, line, &mut names), "fits");
        }
        for line in [r#"{"method":101}"#, r#"{"method":102}"#, r#"{"method":"meet"}"#] {
            assert_eq!(checked(&[], expect, line, &mut names), "another method");
        }
    }
    // A member that our object does not have has no number.
    let missing = r#"{"expect":{"method":"meet"}}"#;
    assert_eq!(checked(&[], missing, r#"{"method":102}"#, &mut names), "another method");
    // The same with the name of the function in the transcript.
    let text = HEADER.replace(r#""needs""#, r#""object":{"greet":"$g"},"needs""#);
    let transcript = Transcript::read(&format!("{text}\n{{\"expect\":{{\"method\":\"$g\"}}}}")).unwrap();
    let Action::Expect(pattern, _) = &transcript.steps[0].action else { panic!() };
    for (line, calls) in
        [(r#"{"method":"greet"}"#, true), (r#"{"method":100}"#, true), (r#"{"method":"g"}"#, false)]
    {
        assert_eq!(pattern.calls(&received(line).method, &names), calls, "{line}");
    }
}

#[test]
fn methods_and_cull_call_no_members() {
    let mut names = Names::new(100);
    for member in ["methods", "cull"] {
        let name = Name::Word(member.to_owned());
        names.declare(&name);
        names.own_member(member, name);
    }
    let calls = |expected: &str, line: &str| {
        let pattern = Pattern::read(expected, false).unwrap();
        pattern.calls(&received(line).method, &names)
    };
    assert!(calls(r#"{"method":"$methods"}"#, r#"{"method":100}"#));
    assert!(!calls(r#"{"method":"$methods"}"#, r#"{"method":"methods"}"#));
    assert!(!calls(r#"{"method":"$cull"}"#, r#"{"method":"cull"}"#));
    assert!(!calls(r#"{"method":"methods"}"#, r#"{"method":100}"#));
    assert!(calls(r#"{"method":"methods"}"#, r#"{"method":"methods"}"#));
}

#[test]
fn only_a_match_binds_names() {
    let expect = r#"{"expect":{"method":"$cb","arguments":["$f",{"g":"$g"},1],"callbacks":{"4":[3]}}}"#;
    let mut names = Names::new(100);
    let line = |last: u8| {
        format!(
            "{{\"method\":100,\"arguments\":[0,{{}},{last}],\"callbacks\":{{\"50\":[0],\"51\":[1,\"g\"],\"52\":[3]}}}}"
        )
    };
    let word = |name: &str| Name::Word(name.to_owned());
    assert_ne!(checked(&[CB], expect, &line(2), &mut names), "fits");
    assert_eq!((names.callable(&word("f")), names.callable(&word("g"))), (None, None));
    assert_eq!(checked(&[CB], expect, &line(1), &mut names), "fits");
    assert_eq!((names.callable(&word("f")), names.callable(&word("g"))), (Some(Id(50)), Some(Id(51))));
    assert_eq!(names.callable(&Name::Theirs(Id(4))), Some(Id(52)));
}

#[test]
fn other_members_of_the_peers_object_are_ignored() {
    let expect = r#"{"expect":{"method":"methods","arguments":[{"echo":"?function","n":1}]}}"#;
    let fits = |line: &str| checked(&[], expect, line, &mut Names::new(100));
    let object = |members: &str| {
        format!("{{\"method\":\"methods\",\"arguments\":[{members}],\"callbacks\":{{\"0\":[0,\"echo\"]}}}}")
    };
    assert_eq!(fits(&object(r#"{"more":1,"n":1,"than":{}}"#)), "fits");
    insta::assert_snapshot!(fits(&object(r#"{"more":1}"#)), @"arguments[0].n absent: expected 1, got nothing");
    insta::assert_snapshot!(fits(&object(r#"{"n":2}"#)), @"arguments[0].n differs: expected 1, got 2");
    // In any other message they are compared.
    let expect = expect.replace("methods", "$cb");
    let line = object(r#"{"n":1,"more":1}"#).replace("\"methods\"", "100");
    insta::assert_snapshot!(checked(&[CB], &expect, &line, &mut Names::new(100)), @"arguments[0].more unexpected: expected nothing, got 1");
}

#[test]
fn pattern_is_described_in_words() {
    let described = |step: &str| patterns(&[CB, step]).pop().unwrap().describe();
    insta::assert_snapshot!(described(r#"{"expect":{"method":"$cb","arguments":["$f","?any","?function",{"a":"?null"},{"?json":"[1]"}]}}"#), @r#"a call of $cb with [$f,any value,a function,{"a":a value of type null},[1]]"#);
    insta::assert_snapshot!(described(r#"{"send":{"method":0.5}}"#), @"a call of 0.5 with []");
    let long = described(
        r#"{"expect":{"method":"$cb","arguments":[{"?json":["\"",{"repeat":"é","times":1000},"\""]}]}}"#,
    );
    assert!(long.len() < 200 && long.contains('…'), "{long}");
    assert_eq!(Pattern::call(Called::Member("echo".into()), "[1,\"$x\"]").unwrap().declared().len(), 1);
    assert!(Pattern::call(Called::Member("echo".into()), "[1,").is_err());
}

#[test]
fn cull_of_dialect_0_1_has_the_senders_numbers() {
    let text = [
        &HEADER.replace("\"about\"", "\"dialect\":\"0.1\",\"about\""),
        r#"{"send":{"method":"x","arguments":["$f"]}}"#,
        r#"{"send":{"method":"cull","arguments":["$f",7]}}"#,
        r#"{"send":{"method":"x","arguments":["$f"]}}"#,
        r#"{"expect":{"method":"x","arguments":["$theirs"]}}"#,
        r#"{"expect":{"method":"cull","arguments":["$theirs"]}}"#,
    ];
    let transcript = Transcript::read(&text.join("\n")).unwrap();
    assert!(read(&text[4..]).is_err(), "in 0.2 the peer culls our functions");
    let mut names = Names::new(100);
    names.dialect = Dialect::V0_1;
    let mut sent = Vec::new();
    for step in &transcript.steps {
        match &step.action {
            Action::Send(pattern, _) => {
                sent.push(String::from_utf8(pattern.encode(b"\"x\"", &mut names)).unwrap());
            }
            Action::Expect(pattern, _) if pattern.culls().is_empty() => {
                names.bind(&Name::Word("theirs".to_owned()), Id(31));
            }
            Action::Expect(pattern, _) => {
                let mut check = |line| pattern.check(&received(line), &mut names);
                assert_eq!(check(r#"{"method":"cull","arguments":[31]}"#), Ok(()));
                assert_eq!(check(r#"{"method":"cull","arguments":[32]}"#), Err(Mismatch::Method));
            }
            _ => unreachable!(),
        }
    }
    insta::assert_snapshot!(sent.concat(), @r#"
    {"method":"x","arguments":["[Function]"],"callbacks":{"100":["0"]}}
    {"method":"x","arguments":[100,7]}
    {"method":"x","arguments":["[Function]"],"callbacks":{"101":["0"]}}
    "#);
    names.culled_by_peer(Id(31));
    assert_eq!(names.callable(&Name::Word("theirs".to_owned())), None, "the peer has dropped it");
}
