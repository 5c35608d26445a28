//! Faults of transcripts, and the model of a valid one.

use super::*;

/// The error of each text.
fn errors(texts: &[&str]) -> String {
    texts.iter().map(|text| format!("{}\n", Transcript::read(text).unwrap_err())).collect()
}

/// The error of a transcript with this step in line 3.
fn step_errors(steps: &[&str]) -> String {
    let error = |step: &&str| {
        format!("{step}\n  {}\n", read(&[r#"{"call":"echo","arguments":["$ours"]}"#, step]).unwrap_err())
    };
    steps.iter().map(error).collect()
}

#[test]
fn faults_of_a_header() {
    let header = |from: &str, to: &str| {
        assert!(HEADER.contains(from));
        HEADER.replacen(from, to, 1)
    };
    let texts = [
        "",
        "\n\n",
        "{",
        "[]",
        "{}",
        &header("1", "2"),
        &header("\"a/b\"", "7"),
        &header(r#","about":"x""#, ""),
        &header(r#"["framing/json"]"#, "[]"),
        &header("framing/json", "framing/no-such"),
        &header(r#""about""#, r#""requires":["x"],"about""#),
        &header(r#""about""#, r#""colour":1,"about""#),
        &header(r#""about""#, r#""handshake":"none","about""#),
        &header(r#""about""#, r#""role":"peer","about""#),
        &header(r#""about""#, r#""dialect":"0.3","about""#),
        &header(r#""about""#, r#""object":{"f":"$f"#),
        &header(r#""about""#, r#""object":{"echo":"$echo"},"about""#),
        &header(r#""about""#, r#""object":{"f":"?any"},"about""#),
        &header(r#""about""#, r#""meta":[],"about""#),
    ];
    insta::assert_snapshot!(errors(&texts), @r#"
    line 1: the transcript is empty
    line 1: the transcript is empty
    line 1: the header: EOF while parsing an object at column 1
    line 1: the header: a line is a JSON object
    line 1: the header: missing field `dnode-transcript` at column 2
    line 1: version 2 of the format is not known; this reads 1
    line 1: the header: invalid type: integer `7`, expected a string at column 28
    line 1: the header: missing field `about` at column 93
    line 1: clauses is empty
    line 1: there is no clause framing/no-such
    line 1: there is no clause x
    line 1: the header: unknown field `colour`, expected one of `dnode-transcript`, `id`, `since`, `clauses`, `about`, `needs`, `recorded`, `breaks`, `handshake`, `role`, `dialect`, `meta`, `object`, `requires`, `hostile`, `crossing` at column 84
    line 1: the header: unknown variant `none`, expected `auto` or `manual` at column 94
    line 1: the header: unknown variant `peer`, expected `client` or `server` at column 89
    line 1: there is no dialect "0.3": it is 0.1 or 0.2
    line 1: the header: expected `,` or `}` at column 96
    line 1: $echo is declared by both ends: a function that is handed back needs a new name
    line 1: a matcher cannot be sent
    line 1: the header: invalid type: sequence, expected a map at column 83
    "#);
}

#[test]
fn step_has_one_action() {
    insta::assert_snapshot!(step_errors(&[
        "x",
        "[]",
        "{}",
        r#"{"label":"x"}"#,
        r#"{"nothing":false}"#,
        r#"{"nothing":true,"closed":true}"#,
        r#"{"call":"echo","send":{"method":"echo"}}"#,
        r#"{"line":"","bytes":""}"#,
        r#"{"jump":true}"#,
        r#"{"arguments":[1]}"#,
        r#"{"send":{"method":"echo"},"links":[]}"#,
        r#"{"send":7}"#,
        r#"{"expect":[]}"#,
    ]), @r#"
    x
      line 3: a line is a JSON object
    []
      line 3: a line is a JSON object
    {}
      line 3: a step needs an action: call, send, line, bytes, ping, expect, any-order, either, nothing, survive, served, closed, half-close, reset, wait, unread or repeat
    {"label":"x"}
      line 3: a step needs an action: call, send, line, bytes, ping, expect, any-order, either, nothing, survive, served, closed, half-close, reset, wait, unread or repeat
    {"nothing":false}
      line 3: a step needs an action: call, send, line, bytes, ping, expect, any-order, either, nothing, survive, served, closed, half-close, reset, wait, unread or repeat
    {"nothing":true,"closed":true}
      line 3: a step has one action, this has several
    {"call":"echo","send":{"method":"echo"}}
      line 3: a step has one action, this has several
    {"line":"","bytes":""}
      line 3: a step has one action, this has several
    {"jump":true}
      line 3: unknown field `jump`, expected one of `call`, `arguments`, `callbacks`, `links`, `send`, `line`, `bytes`, `ping`, `expect`, `optional`, `any-order`, `either`, `nothing`, `survive`, `served`, `closed`, `half-close`, `reset`, `wait`, `unread`, `repeat`, `steps`, `ids`, `on`, `split`, `clause`, `label` at column 7
    {"arguments":[1]}
      line 3: arguments, callbacks and links belong to call, or into the message
    {"send":{"method":"echo"},"links":[]}
      line 3: arguments, callbacks and links belong to call, or into the message
    {"send":7}
      line 3: a message is an object
    {"expect":[]}
      line 3: a message is an object
    "#);
}

#[test]
fn faults_of_the_fields_of_an_action() {
    insta::assert_snapshot!(step_errors(&[
        r#"{"nothing":true,"clause":"no/clause"}"#,
        r#"{"line":"x","split":"all"}"#,
        r#"{"line":"x","split":[-1]}"#,
        r#"{"nothing":true,"split":"each"}"#,
        r#"{"closed":true,"optional":true}"#,
        r#"{"any-order":{}}"#,
        r#"{"any-order":[1]}"#,
    ]), @r#"
    {"nothing":true,"clause":"no/clause"}
      line 3: there is no clause no/clause
    {"line":"x","split":"all"}
      line 3: split is "each" or offsets, not "all"
    {"line":"x","split":[-1]}
      line 3: split is "each" or offsets at column 25
    {"nothing":true,"split":"each"}
      line 3: split belongs to call, send, ping, line or bytes
    {"closed":true,"optional":true}
      line 3: optional belongs to expect
    {"any-order":{}}
      line 3: invalid type: map, expected a sequence at column 13
    {"any-order":[1]}
      line 3: a message is an object
    "#);
}

#[test]
fn name_is_bound_by_one_end() {
    insta::assert_snapshot!(step_errors(&[
        r#"{"call":"$unbound"}"#,
        r#"{"call":"$ours"}"#,
        r#"{"send":{"method":"$ours"}}"#,
        r#"{"send":{"method":"cull","arguments":["$ours"]}}"#,
        r#"{"send":{"method":"cull","arguments":["$unbound"]}}"#,
        r#"{"expect":{"method":"$unbound"}}"#,
        r#"{"expect":{"method":"$echo"}}"#,
        r#"{"expect":{"method":"cull","arguments":["$echo"]}}"#,
        r#"{"expect":{"method":"$ours","arguments":["$ours"]}}"#,
        r#"{"expect":{"method":"$ours","arguments":[0],"callbacks":{"$ours":[0]}}}"#,
        r#"{"call":"echo","arguments":["$echo"]}"#,
        r#"{"either":[[{"expect":{"method":"$unbound"}}]]}"#,
        r#"{"any-order":[{"method":"$ours"},{"method":"$unbound"}]}"#,
    ]), @r#"
    {"call":"$unbound"}
      line 3: $unbound is not bound by anything above
    {"call":"$ours"}
      line 3: $ours cannot be called by this end: it is ours
    {"send":{"method":"$ours"}}
      line 3: $ours cannot be called by this end: it is ours
    {"send":{"method":"cull","arguments":["$ours"]}}
      line 3: $ours cannot be called by this end: it is ours
    {"send":{"method":"cull","arguments":["$unbound"]}}
      line 3: $unbound is not bound by anything above
    {"expect":{"method":"$unbound"}}
      line 3: $unbound is not bound by anything above
    {"expect":{"method":"$echo"}}
      line 3: $echo cannot be called by this end: it is the peer's
    {"expect":{"method":"cull","arguments":["$echo"]}}
      line 3: $echo cannot be called by this end: it is the peer's
    {"expect":{"method":"$ours","arguments":["$ours"]}}
      line 3: $ours is declared by both ends: a function that is handed back needs a new name
    {"expect":{"method":"$ours","arguments":[0],"callbacks":{"$ours":[0]}}}
      line 3: $ours is declared by both ends: a function that is handed back needs a new name
    {"call":"echo","arguments":["$echo"]}
      line 3: $echo is declared by both ends: a function that is handed back needs a new name
    {"either":[[{"expect":{"method":"$unbound"}}]]}
      line 3: $unbound is not bound by anything above
    {"any-order":[{"method":"$ours"},{"method":"$unbound"}]}
      line 3: $unbound is not bound by anything above
    "#);
    // A name that one continuation binds is bound after the step, but not in the other
    // continuation.
    let either = r#"{"either":[[{"expect":{"method":"$ours","arguments":["$f"]}}],[{"closed":true}]]}"#;
    let ours = r#"{"call":"echo","arguments":["$ours"]}"#;
    assert!(read(&[ours, either, r#"{"call":"$f"}"#]).is_ok());
    let other =
        r#"{"either":[[{"expect":{"method":"$ours","arguments":["$f"]}}],[{"closed":true},{"call":"$f"}]]}"#;
    assert_eq!(read(&[ours, other]).unwrap_err().line, 3);
    // Raw bytes declare the new names in them.
    let raw = r#"{"line":["{\"method\":",{"id":"$echo"},",\"callbacks\":{\"",{"id":"$new"},"\":[0]}}"]}"#;
    assert!(read(&[raw, r#"{"expect":{"method":"$new"}}"#]).is_ok());
    assert_eq!(read(&[raw, r#"{"call":"$new"}"#]).unwrap_err().line, 3);
    assert!(read(&[raw, r#"{"call":"$echo"}"#]).is_ok());
}

#[test]
fn faults_of_values() {
    insta::assert_snapshot!(step_errors(&[
        r#"{"expect":{"method":"$ours","arguments":["?thing"]}}"#,
        r#"{"expect":{"method":"$ours","arguments":[{"a":["?"]}]}}"#,
        r#"{"expect":{"method":"$ours","arguments":[{"?json":7}]}}"#,
        r#"{"expect":{"method":"$ours","arguments":[{"?json":{"id":"$ours"}}]}}"#,
        r#"{"expect":{"method":"$ours","arguments":[{"?json":"[1,"}]}}"#,
        r#"{"call":"echo","arguments":["?any"]}"#,
        r#"{"call":"echo","arguments":["?function"]}"#,
        r#"{"send":{"method":"echo","arguments":[{"a":"?number"}]}}"#,
        r#"{"expect":{"method":"$ours","callbacks":{"01":[0]}}}"#,
        r#"{"expect":{"method":"$ours","callbacks":{"3":[0.5]}}}"#,
        r#"{"expect":{"method":"$ours","links":[{"from":[0]}]}}"#,
        r#"{"expect":{"method":"$ours","arguments":[0],"callbacks":{"3":[0,"x"]}}}"#,
        r#"{"expect":{"method":"$ours","arguments":[0],"links":[{"from":[1],"to":[0]}]}}"#,
        r#"{"expect":{"method":"$ours","arguments":[0],"links":[{"from":[],"to":[0,0]}]}}"#,
    ]), @r#"
    {"expect":{"method":"$ours","arguments":["?thing"]}}
      line 3: ?thing is no matcher; a string that starts so is written "??thing"
    {"expect":{"method":"$ours","arguments":[{"a":["?"]}]}}
      line 3: ? is no matcher; a string that starts so is written "??"
    {"expect":{"method":"$ours","arguments":[{"?json":7}]}}
      line 3: not an expression for bytes: text, {"base64"}, {"repeat","times"}, {"nest","times"}, {"id"} or a list
    {"expect":{"method":"$ours","arguments":[{"?json":{"id":"$ours"}}]}}
      line 3: ?json cannot hold $ours: the suite knows it only when it sends the message
    {"expect":{"method":"$ours","arguments":[{"?json":"[1,"}]}}
      line 3: ?json is not JSON: at byte 3: expected a value, found the end of the line
    {"call":"echo","arguments":["?any"]}
      line 3: a matcher cannot be sent
    {"call":"echo","arguments":["?function"]}
      line 3: a matcher cannot be sent
    {"send":{"method":"echo","arguments":[{"a":"?number"}]}}
      line 3: a matcher cannot be sent
    {"expect":{"method":"$ours","callbacks":{"01":[0]}}}
      line 3: the callback 01 cannot be expected
    {"expect":{"method":"$ours","callbacks":{"3":[0.5]}}}
      line 3: the callback 3 cannot be expected
    {"expect":{"method":"$ours","links":[{"from":[0]}]}}
      line 3: a link without from and to cannot be expected
    {"expect":{"method":"$ours","arguments":[0],"callbacks":{"3":[0,"x"]}}}
      line 3: arguments[0].x is no place in the arguments
    {"expect":{"method":"$ours","arguments":[0],"links":[{"from":[1],"to":[0]}]}}
      line 3: arguments[1] is no place in the arguments
    {"expect":{"method":"$ours","arguments":[0],"links":[{"from":[],"to":[0,0]}]}}
      line 3: arguments[0][0] is no place in the arguments
    "#);
}

#[test]
fn continuations_start_with_an_action_of_the_peer() {
    let many = format!("{{\"either\":[{}]}}", vec![r#"[{"closed":true}]"#; 27].join(","));
    insta::assert_snapshot!(step_errors(&[
        r#"{"either":[]}"#,
        r#"{"either":[[]]}"#,
        r#"{"either":[[{"closed":true}],[{"call":"echo"}]]}"#,
        r#"{"either":[[{"expect":{"method":"$ours"},"optional":true}]]}"#,
        r#"{"either":[[{"nothing":true}]]}"#,
        r#"{"either":[[{"closed":true},{"colour":1}]]}"#,
    ]), @r#"
    {"either":[]}
      line 3: either has from 1 to 26 continuations
    {"either":[[]]}
      line 3: each continuation starts with an expect or with closed
    {"either":[[{"closed":true}],[{"call":"echo"}]]}
      line 3: each continuation starts with an expect or with closed
    {"either":[[{"expect":{"method":"$ours"},"optional":true}]]}
      line 3: each continuation starts with an expect or with closed
    {"either":[[{"nothing":true}]]}
      line 3: each continuation starts with an expect or with closed
    {"either":[[{"closed":true},{"colour":1}]]}
      line 3: unknown field `colour`, expected one of `call`, `arguments`, `callbacks`, `links`, `send`, `line`, `bytes`, `ping`, `expect`, `optional`, `any-order`, `either`, `nothing`, `survive`, `served`, `closed`, `half-close`, `reset`, `wait`, `unread`, `repeat`, `steps`, `ids`, `on`, `split`, `clause`, `label` at column 37
    "#);
    assert_eq!(read(&[&many]).unwrap_err().to_string(), "line 2: either has from 1 to 26 continuations");
    assert!(read(&[&many.replacen(r#"[{"closed":true}],"#, "", 1)]).is_ok());
    let step = &steps(&[
        r#"{"nothing":true}"#,
        r#"{"either":[[{"closed":true,"label":"gone"}],[{"expect":{"method":3}},{"either":[[{"closed":true}]]}]]}"#,
    ])[1];
    let Action::Either(branches) = &step.action else { panic!() };
    let labels: Vec<Vec<&str>> =
        branches.iter().map(|steps| steps.iter().map(|step| step.label.as_str()).collect()).collect();
    assert_eq!(labels, [vec!["gone"], vec!["step 2b1", "step 2b2"]]);
    let Action::Either(inner) = &branches[1][1].action else { panic!() };
    assert_eq!(inner[0][0].label, "step 2b2a1");
}

#[test]
fn header_is_read() {
    let minimal = Transcript::read(HEADER).unwrap().header;
    assert_eq!((minimal.id.as_str(), minimal.since.as_str(), minimal.about.as_str()), ("a/b", "0.1.0", "x"));
    assert_eq!((minimal.clauses, minimal.needs), (vec!["framing/json".to_owned()], vec!["echo".to_owned()]));
    assert!(!minimal.hostile && !minimal.manual_handshake && !minimal.server && minimal.requires.is_empty());
    assert_eq!(minimal.object.describe(), "a call of methods with [{\"hello\":$hello}]");
    let full = HEADER.replace(
        r#""needs""#,
        r#""requires":["framing/utf8"],"hostile":true,"handshake":"manual","role":"server","meta":{"x":[1]},
           "object":{"f":"$f","n":{"g":"$g"},"t":"$$f"},"needs""#,
    );
    let full = Transcript::read(&full.replace('\n', " ")).unwrap().header;
    assert!(full.hostile && full.manual_handshake && full.server);
    assert_eq!(full.requires, ["framing/utf8"]);
    assert_eq!(full.object.members(), [("f".to_owned(), Name::Word("f".to_owned()))]);
    assert_eq!(full.object.declared().len(), 2);
}

#[test]
fn each_action_is_read() {
    let steps = steps(&[
        r#"  {"call":"echo","arguments":[1,"$cb"],"label":"the call","clause":"framing/utf8","split":"each"}"#,
        "",
        r#"{"send":{"method":0},"split":[3,1]}"#,
        r#"{"line":"x"}"#,
        r#"{"bytes":"x"}"#,
        r#"{"expect":{"method":"$cb"}}"#,
        r#"{"expect":{"method":"$cb"},"optional":true}"#,
        r#"{"any-order":[{"method":"$cb"},{"method":"$cb"}]}"#,
        r#"{"nothing":true}"#,
        r#"{"survive":true}"#,
        r#"{"served":true}"#,
        r#"{"closed":true}"#,
        r#"{"half-close":true}"#,
        r#"{"reset":true}"#,
    ]);
    let ours: Vec<bool> = steps.iter().map(|step| step.action.is_ours()).collect();
    let expected = [true, true, true, true, false, false, false, false, false, false, false, true, true];
    assert_eq!(ours, expected);
    assert_eq!((steps[0].label.as_str(), steps[1].label.as_str()), ("the call", "step 2"));
    assert_eq!((steps[0].clause.as_deref(), steps[1].clause.as_deref()), (Some("framing/utf8"), None));
    assert!(steps[0].text.starts_with('{'));
    assert!(matches!(&steps[0].action, Action::Call(_, _, Split::Each)));
    assert!(matches!(&steps[1].action, Action::Send(_, Split::At(at)) if *at == [3, 1]));
    assert!(matches!(steps[2].action, Action::Bytes(_, true, Split::Whole)));
    assert!(matches!(steps[3].action, Action::Bytes(_, false, Split::Whole)));
    assert!(matches!(
        (&steps[4].action, &steps[5].action),
        (Action::Expect(_, false), Action::Expect(_, true))
    ));
    assert!(matches!(&steps[6].action, Action::AnyOrder(all) if all.len() == 2));
    use Action::{Closed, HalfClose, Nothing, Reset, Served, Survive};
    assert!(matches!(
        steps[7..].iter().map(|step| &step.action).collect::<Vec<_>>()[..],
        [Nothing, Survive, Served, Closed, HalfClose, Reset]
    ));
}

#[test]
fn error_has_its_line() {
    let text = format!("\n{HEADER}\n\n{{\"nothing\":true}}\r\n   \n{{\"x\":1}}");
    let error = Transcript::read(&text).unwrap_err();
    assert_eq!(error.line, 6);
    assert_eq!(Transcript::read("\n\n{}").unwrap_err().line, 3);
}

#[test]
fn words_get_free_numbers() {
    let free = |lines: &[&str]| read(lines).unwrap().first_free_number;
    assert_eq!(free(&[]), 64);
    assert_eq!(free(&[r#"{"call":"echo","arguments":["$a",0],"callbacks":{"141":[1],"7":[2]}}"#]), 142);
    assert_eq!(
        free(&[r#"{"expect":{"method":"echo","callbacks":{"90":[0]}}}"#]),
        64,
        "a number of the peer's"
    );
    let either = r#"{"either":[[{"closed":true},{"send":{"method":"echo","callbacks":{"88":[0]}}}],[{"closed":true}]]}"#;
    assert_eq!(free(&[either]), 89);
    assert!(free(&[r#"{"line":"{}"}"#]) >= 1000);
    let large = r#"{"call":"echo","arguments":["$a",0],"callbacks":{"9223372036854775807":[1],"73":[2]}}"#;
    assert_eq!(free(&[large]), 74);
    let edge = |number: i64| large.replace("9223372036854775807", &number.to_string());
    assert_eq!((free(&[&edge(1 << 24)]), free(&[&edge((1 << 24) - 1)])), (74, 1 << 24));
}

#[test]
fn awaits_methods_if_a_step_expects_them_before_it_sends_its_own() {
    let awaits = |lines: &[&str]| read(lines).unwrap().awaits_methods();
    let methods = r#"{"expect":{"method":"methods","arguments":["?any"]}}"#;
    let call = r#"{"call":"echo","arguments":[1,"$cb"]}"#;
    let any_order = r#"{"any-order":[{"method":"$cb"},{"method":"methods","arguments":["?any"]}]}"#;
    for steps in [&[methods][..], &[methods, call], &[call, methods], &[call, any_order]] {
        assert!(awaits(steps), "{steps:?}");
    }
    let own = r#"{"send":{"method":"methods","arguments":[{}]}}"#;
    for other in [&[][..], &[own, methods], &[r#"{"expect":{"method":"hello"}}"#]] {
        assert!(!awaits(other), "{other:?}");
    }
}

#[test]
fn culls_methods_if_a_step_names_one() {
    let culls = |name: &str| {
        let bound = r#"{"call":"echo","arguments":["$ours"]}"#;
        let theirs = r#"{"expect":{"method":"$ours","arguments":["$theirs"]}}"#;
        let cull = format!(r#"{{"send":{{"method":"cull","arguments":["{name}"]}}}}"#);
        read(&[bound, theirs, &cull]).unwrap().culls_methods()
    };
    assert!(culls("$echo") && !culls("$theirs"));
}

#[test]
fn calls_methods_by_id_if_a_step_writes_one() {
    let writes = |step: &str| {
        let bound = r#"{"call":"echo","arguments":["$ours"]}"#;
        let theirs = r#"{"expect":{"method":"$ours","arguments":["$theirs"]}}"#;
        read(&[bound, theirs, step]).unwrap().calls_methods_by_id()
    };
    for step in [
        r#"{"send":{"method":"$echo"}}"#,
        r#"{"line":["{\"method\":",{"id":"$echo"},"}"]}"#,
        r#"{"either":[[{"closed":true}],[{"closed":true},{"send":{"method":"$echo"}}]]}"#,
    ] {
        assert!(writes(step), "{step}");
    }
    for step in [
        r#"{"call":"$echo"}"#,
        r#"{"send":{"method":"echo"}}"#,
        r#"{"send":{"method":"$theirs"}}"#,
        r#"{"send":{"method":0,"arguments":["$more"]}}"#,
        r#"{"line":["{\"method\":",{"id":"echo"},"}"]}"#,
        r#"{"line":["{\"method\":",{"id":"$theirs"},"}"]}"#,
        r#"{"either":[[{"closed":true},{"send":{"method":"$theirs"}}]]}"#,
    ] {
        assert!(!writes(step), "{step}");
    }
}

#[test]
fn repeated_block_stands_for_its_steps() {
    let block = r#"{"repeat":2,"steps":[{"call":"echo","arguments":["$cb{n}"]},{"expect":{"method":"$cb{n}"},"label":"answer {n}"}]}"#;
    let transcript = read(&[block, r#"{"nothing":true}"#]).unwrap();
    let steps: Vec<String> =
        transcript.steps.iter().map(|step| format!("{}: {}", step.label, step.text)).collect();
    insta::assert_snapshot!(steps.join("\n"), @r#"
    step 1.1, round 1: {"call":"echo","arguments":["$cb1"]}
    answer 1: {"expect":{"method":"$cb1"},"label":"answer 1"}
    step 1.1, round 2: {"call":"echo","arguments":["$cb2"]}
    answer 2: {"expect":{"method":"$cb2"},"label":"answer 2"}
    step 2: {"nothing":true}
    "#);
}

#[test]
fn faults_of_blocks_waits_and_ids() {
    insta::assert_snapshot!(step_errors(&[
        r#"{"repeat":2}"#,
        r#"{"repeat":0,"steps":[{"nothing":true}]}"#,
        r#"{"repeat":10001,"steps":[{"nothing":true}]}"#,
        r#"{"repeat":2,"steps":[{"nothing":true}],"nothing":true}"#,
        r#"{"repeat":2,"steps":[{"repeat":2,"steps":[{"nothing":true}]}]}"#,
        r#"{"repeat":2,"steps":[{"call":"$f{n}"}]}"#,
        r#"{"steps":[{"nothing":true}]}"#,
        r#"{"wait":60001}"#,
        r#"{"unread":-1}"#,
        r#"{"nothing":true,"ids":{"$a":"$b"}}"#,
        r#"{"call":"echo","ids":{"a":"$ours"}}"#,
        r#"{"call":"echo","ids":{"$a":"$theirs"}}"#,
    ]), @r#"
    {"repeat":2}
      line 3: repeat needs steps, and stands for at most 10000 of them
    {"repeat":0,"steps":[{"nothing":true}]}
      line 3: repeat needs steps, and stands for at most 10000 of them
    {"repeat":10001,"steps":[{"nothing":true}]}
      line 3: repeat needs steps, and stands for at most 10000 of them
    {"repeat":2,"steps":[{"nothing":true}],"nothing":true}
      line 3: a step has one action, this has several
    {"repeat":2,"steps":[{"repeat":2,"steps":[{"nothing":true}]}]}
      line 3: a repeated block contains no other block
    {"repeat":2,"steps":[{"call":"$f{n}"}]}
      line 3: $f1 is not bound by anything above
    {"steps":[{"nothing":true}]}
      line 3: steps belongs to repeat
    {"wait":60001}
      line 3: a step waits at most 60000 ms
    {"unread":-1}
      line 3: invalid value: integer `-1`, expected u64 at column 12
    {"nothing":true,"ids":{"$a":"$b"}}
      line 3: ids belongs to call, send, ping, line or bytes
    {"call":"echo","ids":{"a":"$ours"}}
      line 3: $ belongs to the names in ids
    {"call":"echo","ids":{"$a":"$theirs"}}
      line 3: $theirs is not bound by anything above
    "#);
}
