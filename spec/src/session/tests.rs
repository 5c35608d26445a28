//! Sessions that talk to another session, or read written lines.

pub(crate) mod properties;

use super::*;
use crate::talk::{Talk, empty, functions, object, own, shown};

const F: Function = Function::Own(Handle(1));
const G: Function = Function::Own(Handle(2));

/// A session that has received these lines, with its events and output.
fn fed(lines: &[&str]) -> (Session, String) {
    let mut session = Session::new(1000);
    let (graph, object) = object(&[("f", 1), ("0", 2)]);
    session.start(graph, object);
    while session.poll_output().is_some() {}
    let mut out = String::new();
    for line in lines {
        session.feed(line.as_bytes());
        session.feed(b"\n");
        out += &drained(&mut session);
    }
    (session, out)
}

fn drained(session: &mut Session) -> String {
    let mut out = String::new();
    while let Some(event) = session.poll_event() {
        out += &format!("{}\n", shown(&event));
    }
    while let Some(bytes) = session.poll_output() {
        out += &format!("sends {}", String::from_utf8(bytes).unwrap());
    }
    out
}

fn call(talk: &mut Talk, end: usize, method: &Method, list: &[Function]) -> Result<(), CallError> {
    let (graph, arguments) = functions(list);
    talk.ends[end].call(method, &graph, arguments)
}

#[test]
fn both_ends_offer_their_object() {
    let (mut graph, rich) = object(&[("f", 7)]);
    let (five, nested) = (graph.number(5), own(&mut graph, 8));
    let inner = graph.object([("g", nested)]);
    let Some(Node::Object(members)) = graph.node_mut(rich) else { panic!() };
    members.extend([("n".into(), five), ("in".into(), inner)]);
    let mut talk = Talk::new([(graph, rich), empty()]);
    let events = talk.settled();
    insta::assert_snapshot!(talk.wire(), @r#"
    0> {"method":"methods","arguments":[{"f":"[Function]","n":5,"in":{"g":"[Function]"}}],"callbacks":{"0":["0","f"],"1":["0","in","g"]},"links":[]}
    1> {"method":"methods","arguments":[{}],"callbacks":{},"links":[]}
    "#);
    insta::assert_snapshot!(events, @r#"
    1: remote {"f":function 0,"n":5,"in":{"g":function 1}}
    0: remote {}
    "#);
}

#[test]
fn both_ends_call_by_name_and_by_id() {
    let mut talk = Talk::new([object(&[("a", 1)]), object(&[("b", 2)])]);
    // By name, before the object of the other end has arrived.
    call(&mut talk, 0, &Method::named("b"), &[G]).unwrap();
    call(&mut talk, 1, &Method::named("a"), &[]).unwrap();
    let before = talk.settled();
    call(&mut talk, 1, &Method::Id(Id(0)), &[F]).unwrap();
    call(&mut talk, 1, &Method::Id(Id(1)), &[]).unwrap();
    let after = talk.settled();
    insta::assert_snapshot!(before + &after, @r#"
    1: remote {"a":function 0}
    1: called 2 with [function 1]
    0: remote {"b":function 0}
    0: called 1 with []
    0: called 1 with [function 1]
    0: called 2 with []
    "#);
    insta::assert_snapshot!(talk.wire(), @r#"
    0> {"method":"methods","arguments":[{"a":"[Function]"}],"callbacks":{"0":["0","a"]},"links":[]}
    0> {"method":"b","arguments":["[Function]"],"callbacks":{"1":["0"]},"links":[]}
    1> {"method":"methods","arguments":[{"b":"[Function]"}],"callbacks":{"0":["0","b"]},"links":[]}
    1> {"method":"a","arguments":[],"callbacks":{},"links":[]}
    1> {"method":0,"arguments":["[Function]"],"callbacks":{"1":["0"]},"links":[]}
    1> {"method":1,"arguments":[],"callbacks":{},"links":[]}
    "#);
}

#[test]
fn ids_count_as_in_the_reference() {
    let mut talk = Talk::silent();
    let m = Method::named("m");
    call(&mut talk, 0, &m, &[F, F, G]).unwrap();
    call(&mut talk, 0, &m, &[G, F]).unwrap();
    call(&mut talk, 0, &m, &[F, F]).unwrap();
    talk.settle();
    talk.ends[1].cull(Id(0)).unwrap();
    talk.settle();
    call(&mut talk, 0, &m, &[F]).unwrap();
    talk.settle();
    talk.ends[1].cull(Id(1)).unwrap();
    talk.ends[1].cull(Id(3)).unwrap();
    talk.settle();
    call(&mut talk, 0, &m, &[F, G]).unwrap();
    talk.settle();
    insta::assert_snapshot!(talk.wire(), @r#"
    0> {"method":"m","arguments":["[Function]","[Function]","[Function]"],"callbacks":{"0":["0"],"1":["1"],"2":["2"]},"links":[]}
    0> {"method":"m","arguments":["[Function]","[Function]"],"callbacks":{"2":["0"],"0":["1"]},"links":[]}
    0> {"method":"m","arguments":["[Function]","[Function]"],"callbacks":{"0":["0"],"3":["1"]},"links":[]}
    1> {"method":"cull","arguments":[0]}
    0> {"method":"m","arguments":["[Function]"],"callbacks":{"1":["0"]},"links":[]}
    1> {"method":"cull","arguments":[1]}
    1> {"method":"cull","arguments":[3]}
    0> {"method":"m","arguments":["[Function]","[Function]"],"callbacks":{"4":["0"],"2":["1"]},"links":[]}
    "#);
}

#[test]
fn only_own_members_that_are_functions_are_called_by_name() {
    let names = ["f", "0", "none", "toString", "__proto__", "", "methods", "n"];
    let mut session = Session::new(1000);
    let (mut graph, root) = object(&[("f", 1), ("0", 2)]);
    let n = graph.number(1);
    let Some(Node::Object(members)) = graph.node_mut(root) else { panic!() };
    members.insert("n".into(), n);
    session.start(graph, root);
    while session.poll_output().is_some() {}
    for name in names {
        session.feed(format!("{{\"method\":\"{name}\",\"arguments\":[{{}}]}}\n").as_bytes());
    }
    insta::assert_snapshot!(drained(&mut session), @r#"
    called 1 with [{}]
    called 2 with [{}]
    refused methods/unknown-name at `method`: the name "none"
    refused methods/unknown-name at `method`: the name "toString"
    refused methods/unknown-name at `method`: the name "__proto__"
    refused methods/unknown-name at `method`: the name ""
    remote {}
    refused methods/unknown-name at `method`: the name "n"
    "#);
}

#[test]
fn malformed_messages_are_refused_without_an_answer() {
    let (mut session, out) = fed(&[
        r#"{"method":7}"#,
        r#"{"method":"g","arguments":["[Function]"],"callbacks":{"5":[0]}}"#,
        r#"{"method":0,"arguments":{}}"#,
        r#"{"method":0,"arguments":["x"],"callbacks":{"6":[0,"a"]}}"#,
        r#"{"method":0,"callbacks":{"7":[0],"x":[1]}}"#,
        r#"{"method":0,"callbacks":{"8":[0]},"links":[{"from":[0],"to":[0,"beneath"]}]}"#,
        r#"{"arguments":[]}"#,
        "[]",
        "7",
        r#"{"method":-1}"#,
        r#"{"method":0.5}"#,
    ]);
    insta::assert_snapshot!(out, @r#"
    refused callback/unknown-id at `method`: the id 7
    refused methods/unknown-name at `method`: the name "g"
    refused message/arguments at `arguments`: an object
    refused callback/path-place at `callbacks["6"]`: arguments[0].a, but arguments[0] is "x"
    refused callback/id-integral at `callbacks["x"]`: the key "x"
    refused link/to-place at `links[0].to`: arguments[0].beneath, but arguments[0] is function 8
    refused message/method at `method`: nothing
    refused message/object at ``: an array
    refused message/object at ``: a number
    refused callback/unknown-id at `method`: the id -1
    refused message/method at `method`: the number 0.5
    "#);
    let mut callable = |id| {
        let (graph, arguments) = functions(&[]);
        session.call(&Method::Id(Id(id)), &graph, arguments)
    };
    // A call of an unknown name declares its functions; refused messages do not.
    assert_eq!(callable(5), Ok(()));
    for id in [6, 7, 8] {
        assert_eq!(callable(id), Err(CallError::NotCallable(Id(id))));
    }
}

#[test]
fn unusual_but_clear_messages_are_accepted() {
    let (_, out) = fed(&[
        r#"{"method":0,"arguments":null,"callbacks":null,"links":null}"#,
        r#"{"method":0.0,"arguments":["a","b"],"callbacks":[[1],["0"]]}"#,
        r#"{"method":0,"method":1}"#,
        r#"  {"links":[{"from":[9],"to":[0]}],"x":{},"arguments":[1],"method":"f"}  "#,
        "{\"method\":\"\\u0066\"}\r",
        r#"{"method":0,"callbacks":{"3":[0],"4":["0"]}}"#,
    ]);
    insta::assert_snapshot!(out, @"
    called 1 with []
    called 1 with [function 1,function 0]
    called 2 with []
    called 1 with [1]
    called 1 with []
    called 1 with [function 4]
    ");
}

#[test]
fn returned_function_is_forwarded() {
    let mut talk = Talk::silent();
    call(&mut talk, 0, &Method::named("m"), &[F]).unwrap();
    talk.settle();
    call(&mut talk, 1, &Method::named("m"), &[Function::Theirs(Id(0))]).unwrap();
    talk.settle();
    talk.wire();
    call(&mut talk, 0, &Method::Id(Id(0)), &[G]).unwrap();
    insta::assert_snapshot!(talk.settled(), @"0: called 1 with [function 1]");
    insta::assert_snapshot!(talk.wire(), @r#"
    0> {"method":0,"arguments":["[Function]"],"callbacks":{"1":["0"]},"links":[]}
    1> {"method":0,"arguments":["[Function]"],"callbacks":{"1":["0"]},"links":[]}
    "#);
    // After its holder has culled it, a call is not forwarded.
    talk.ends[1].cull(Id(0)).unwrap();
    talk.settle();
    call(&mut talk, 0, &Method::Id(Id(0)), &[]).unwrap();
    assert_eq!(talk.settled(), "");
}

#[test]
fn cull_removes_a_function_at_both_ends() {
    let mut talk = Talk::silent();
    for end in 0..2 {
        call(&mut talk, end, &Method::named("m"), &[F, G]).unwrap();
        talk.settle();
        talk.wire();
        let holder = 1 - end;
        talk.ends[holder].cull(Id(0)).unwrap();
        assert_eq!(talk.settled(), format!("{end}: culled [Id(0)]\n"));
        assert_eq!(talk.wire(), format!("{holder}> {{\"method\":\"cull\",\"arguments\":[0]}}\n"));
        assert_eq!(call(&mut talk, holder, &Method::Id(Id(0)), &[]), Err(CallError::NotCallable(Id(0))));
        assert_eq!(talk.ends[holder].cull(Id(0)), Err(CallError::NotCallable(Id(0))));
        assert_eq!(talk.ends[holder].cull(Id(99)), Err(CallError::NotCallable(Id(99))));
        assert_eq!(call(&mut talk, holder, &Method::Id(Id(1)), &[]), Ok(()));
        assert_eq!(talk.settled(), format!("{end}: called 2 with []\n"));
    }
}

#[test]
fn culled_id_is_not_run() {
    let (_, out) = fed(&[
        r#"{"method":"cull","arguments":[7,0,null,"1",0]}"#,
        r#"{"method":0}"#,
        r#"{"method":"f"}"#,
        r#"{"method":1}"#,
        r#"{"method":"cull"}"#,
    ]);
    insta::assert_snapshot!(out, @"
    culled [Id(7), Id(0), Id(0)]
    refused callback/unknown-id at `method`: the id 0
    called 1 with []
    called 2 with []
    culled []
    ");
}

#[test]
fn call_that_crosses_a_cull_is_refused() {
    let mut talk = Talk::silent();
    call(&mut talk, 0, &Method::named("m"), &[F]).unwrap();
    talk.settle();
    call(&mut talk, 1, &Method::Id(Id(0)), &[]).unwrap();
    talk.ends[1].cull(Id(0)).unwrap();
    // The declaration crosses the cull, so end 1 believes that it may call.
    call(&mut talk, 0, &Method::named("m"), &[F]).unwrap();
    insta::assert_snapshot!(talk.settled(), @r#"
    1: refused methods/unknown-name at `method`: the name "m"
    0: called 1 with []
    0: culled [Id(0)]
    "#);
    call(&mut talk, 1, &Method::Id(Id(0)), &[]).unwrap();
    insta::assert_snapshot!(talk.settled(), @"0: refused callback/unknown-id at `method`: the id 0");
    // The next time the function has another id.
    call(&mut talk, 0, &Method::named("m"), &[F]).unwrap();
    talk.settle();
    assert_eq!(call(&mut talk, 1, &Method::Id(Id(1)), &[]), Ok(()));
    assert_eq!(talk.settled(), "0: called 1 with []\n");
}

#[test]
fn new_object_replaces_the_old_one() {
    let mut talk = Talk::new([object(&[("f", 1)]), empty()]);
    talk.settle();
    let (graph, next) = object(&[("g", 2)]);
    talk.ends[0].start(graph, next);
    assert_eq!(talk.settled(), "1: remote {\"g\":function 1}\n");
    for name in ["f", "g"] {
        call(&mut talk, 1, &Method::named(name), &[]).unwrap();
    }
    call(&mut talk, 1, &Method::Id(Id(0)), &[]).unwrap();
    insta::assert_snapshot!(talk.settled(), @r#"
    0: refused methods/unknown-name at `method`: the name "f"
    0: called 2 with []
    0: called 1 with []
    "#);
}

#[test]
fn malformed_line_ends_the_session() {
    for (line, why) in [
        ("", "ended, framing/json: at byte 0"),
        ("x", "ended, framing/json: at byte 0"),
        ("{\"method\":0}}", "ended, framing/json: at byte 12"),
        (&"1".repeat(1001), "ended, framing/json: a line has more than 1000 bytes"),
    ] {
        let (mut session, out) = fed(&[line, r#"{"method":0}"#]);
        assert!(out.starts_with(why) && out.lines().count() == 1, "{out}");
        assert!(session.is_ended());
        session.end();
        assert_eq!(drained(&mut session), "");
    }
    let mut session = Session::new(14);
    session.feed(b"{\"method\":\"\xff\"");
    assert!(!session.is_ended(), "a line is judged when it is complete");
    session.feed(b"  ");
    assert!(session.is_ended(), "or too long");
}

#[test]
fn end_drops_an_unfinished_line() {
    let (mut session, _) = fed(&[]);
    session.feed(br#"{"method":0}"#);
    session.end();
    session.feed(b"\n{\"method\":0}\n");
    session.end();
    assert_eq!(drained(&mut session), "ended\n");
    let (graph, arguments) = functions(&[]);
    for method in [Method::named("m"), Method::Id(Id(0))] {
        assert_eq!(session.call(&method, &graph, arguments), Err(CallError::Ended));
    }
    assert_eq!(session.cull(Id(0)), Err(CallError::Ended));
    assert_eq!(drained(&mut session), "");
}

#[test]
fn session_is_closed_when_its_last_output_is_taken() {
    let (mut session, _) = fed(&[]);
    while session.poll_output().is_some() {}
    assert!(!session.is_closed(), "an open connection has output later");
    let (graph, arguments) = functions(&[]);
    session.call(&Method::named("m"), &graph, arguments).unwrap();
    session.end();
    assert!(session.is_ended() && !session.is_closed());
    assert!(session.poll_output().is_some() && !session.is_closed());
    assert!(session.poll_output().is_none() && session.is_closed());
}

#[test]
fn errors_and_functions_are_displayed() {
    insta::assert_snapshot!(CallError::Ended, @"caller: the session has ended");
    insta::assert_snapshot!(CallError::NotCallable(Id(3)), @"caller: the other end has no function 3, or it was culled");
    insta::assert_snapshot!(format!("{F}, {}", Function::Theirs(Id(4))), @"own function 1, function 4");
}

#[test]
fn culled_functions_need_no_memory() {
    let (mut session, _) = fed(&[]);
    for n in 0..1000 {
        session.feed(format!("{{\"method\":0,\"callbacks\":{{\"{n}\":[0]}}}}\n").as_bytes());
        let (graph, arguments) = functions(&[Function::Theirs(Id(n)), Function::Own(Handle(n as u64 + 10))]);
        session.call(&Method::Id(Id(n)), &graph, arguments).unwrap();
        session.feed(
            format!("{{\"method\":\"cull\",\"arguments\":[{},{}]}}\n", 2 * n + 2, 2 * n + 3).as_bytes(),
        );
        session.cull(Id(n)).unwrap();
        drained(&mut session);
    }
    assert_eq!((session.held.len(), session.own.len(), session.ids.len()), (0, 2, 2));
}

#[test]
fn forgotten_function_is_not_called_and_gets_a_new_id() {
    let mut talk = Talk::silent();
    call(&mut talk, 0, &Method::named("x"), &[F, G]).unwrap();
    talk.settle();
    let id = talk.ends[0].ids(F)[0];
    talk.ends[0].forget(F);
    assert!(talk.ends[0].ids(F).is_empty() && talk.ends[0].ids(G).len() == 1);
    call(&mut talk, 1, &Method::Id(id), &[]).unwrap();
    let events = talk.settled();
    assert!(events.contains("callback/unknown-id"), "{events}");
    call(&mut talk, 0, &Method::named("x"), &[F]).unwrap();
    talk.settle();
    assert_ne!(talk.ends[0].ids(F), [id]);
    talk.ends[1].forget(Function::Theirs(id));
    assert_eq!(call(&mut talk, 1, &Method::Id(id), &[]), Err(CallError::NotCallable(id)));
    assert!(talk.settle().is_empty(), "the other end was not told");
}

#[test]
fn cull_event_lists_functions_without_ids() {
    let mut talk = Talk::silent();
    call(&mut talk, 0, &Method::named("x"), &[F, F, G]).unwrap();
    talk.settle();
    let ids = talk.ends[0].ids(F).to_vec();
    assert_eq!(ids.len(), 2);
    let mut gone = Vec::new();
    for id in ids {
        talk.ends[1].cull(id).unwrap();
        for (_, event) in talk.settle() {
            let Event::Culled(_, functions) = event else { panic!("{event:?}") };
            gone.push(functions);
        }
    }
    assert_eq!(gone, [vec![], vec![F]]);
}
