//! Problems of messages, field by field, and the round trip of written messages.

use super::*;
use crate::sample;
use proptest::prelude::*;

/// Each line, with its problems.
fn judged(lines: &[&str]) -> String {
    let mut out = String::new();
    for line in lines {
        let value = Value::parse(line.as_bytes()).unwrap();
        let decoded = decode(&value);
        out += line;
        if decoded.problems.is_empty() {
            out += "  ok";
        }
        out.push('\n');
        assert_eq!(
            decoded.is_sound(),
            decoded.message.is_some() && decoded.problems.iter().all(|problem| !problem.refused)
        );
        for Problem { clause, at, expected, actual, refused } in &decoded.problems {
            assert!(crate::clause::find(clause).is_some(), "{clause}");
            let weight = if *refused { "refused" } else { "tolerated" };
            out += &format!("  {weight} {clause} at `{at}`: expected {expected}, got {actual}\n");
        }
    }
    out
}

#[test]
fn message_is_an_object() {
    insta::assert_snapshot!(judged(&["null", "true", "1", r#""methods""#, "[]", r#"[{"method":"a"}]"#]), @r#"
    null
      refused message/object at ``: expected an object, got null
    true
      refused message/object at ``: expected an object, got a boolean
    1
      refused message/object at ``: expected an object, got a number
    "methods"
      refused message/object at ``: expected an object, got a string
    []
      refused message/object at ``: expected an object, got an array
    [{"method":"a"}]
      refused message/object at ``: expected an object, got an array
    "#);
}

#[test]
fn method_is_a_string_or_an_integer() {
    let methods =
        r#"""|"0"|"a"|0|7|-1|-0|0.0|0e0|1e2|100e-2|9007199254740991|9007199254740992|9223372036854775807"#;
    let others = "0.5|1e308|1e-400|9223372036854775808|null|true|[]|{}|[0]";
    let methods = methods.split('|').chain(others.split('|'));
    let mut lines: Vec<String> = methods.map(|method| format!("{{\"method\":{method}}}")).collect();
    lines.push("{}".to_owned());
    lines.push(r#"{"Method":"a","arguments":[]}"#.to_owned());
    lines.push(format!("{{\"method\":0.{}5}}", "0".repeat(100)));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    insta::assert_snapshot!(judged(&lines), @r#"
    {"method":""}  ok
    {"method":"0"}  ok
    {"method":"a"}  ok
    {"method":0}  ok
    {"method":7}  ok
    {"method":-1}  ok
    {"method":-0}  ok
    {"method":0.0}  ok
    {"method":0e0}  ok
    {"method":1e2}  ok
    {"method":100e-2}  ok
    {"method":9007199254740991}  ok
    {"method":9007199254740992}  ok
    {"method":9223372036854775807}  ok
    {"method":0.5}
      refused message/method at `method`: expected a string or an integer, got the number 0.5
    {"method":1e308}
      refused message/method at `method`: expected a string or an integer, got the number 1e308
    {"method":1e-400}
      refused message/method at `method`: expected a string or an integer, got the number 1e-400
    {"method":9223372036854775808}
      refused message/method at `method`: expected a string or an integer, got the number 9223372036854775808
    {"method":null}
      refused message/method at `method`: expected a string or an integer, got null
    {"method":true}
      refused message/method at `method`: expected a string or an integer, got a boolean
    {"method":[]}
      refused message/method at `method`: expected a string or an integer, got an array
    {"method":{}}
      refused message/method at `method`: expected a string or an integer, got an object
    {"method":[0]}
      refused message/method at `method`: expected a string or an integer, got an array
    {}
      refused message/method at `method`: expected a string or an integer, got nothing
    {"Method":"a","arguments":[]}
      refused message/method at `method`: expected a string or an integer, got nothing
    {"method":0.00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000005}
      refused message/method at `method`: expected a string or an integer, got the number 0.00000000000000000000000000000000000000
    "#);
}

#[test]
fn number_is_an_id_by_value() {
    let method = |line: &str| {
        let value = Value::parse(line.as_bytes()).unwrap();
        decode(&value).message.unwrap().method
    };
    for (line, id) in [
        (r#"{"method":0.0}"#, 0),
        (r#"{"method":-0}"#, 0),
        (r#"{"method":1e2}"#, 100),
        (r#"{"method":-1}"#, -1),
        (r#"{"method":9223372036854775807}"#, i64::MAX),
        (r#"{"method":"x","method":3}"#, 3),
    ] {
        assert_eq!(method(line), Method::Id(Id(id)), "{line}");
    }
    assert_eq!(method(r#"{"method":"0"}"#), Method::named("0"));
    assert!(method(r#"{"method":"cull"}"#).is("cull"));
}

#[test]
fn each_field_has_its_type() {
    let mut lines = Vec::new();
    for field in ["arguments", "callbacks", "links"] {
        for value in ["null", "true", "0", r#""""#, "[]", "{}"] {
            lines.push(format!("{{\"method\":\"a\",\"{field}\":{value}}}"));
        }
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    insta::assert_snapshot!(judged(&lines), @r#"
    {"method":"a","arguments":null}
      tolerated message/arguments at `arguments`: expected an array, got null
    {"method":"a","arguments":true}
      refused message/arguments at `arguments`: expected an array, got a boolean
    {"method":"a","arguments":0}
      refused message/arguments at `arguments`: expected an array, got a number
    {"method":"a","arguments":""}
      refused message/arguments at `arguments`: expected an array, got a string
    {"method":"a","arguments":[]}  ok
    {"method":"a","arguments":{}}
      refused message/arguments at `arguments`: expected an array, got an object
    {"method":"a","callbacks":null}
      tolerated message/callbacks at `callbacks`: expected an object, got null
    {"method":"a","callbacks":true}
      refused message/callbacks at `callbacks`: expected an object, got a boolean
    {"method":"a","callbacks":0}
      refused message/callbacks at `callbacks`: expected an object, got a number
    {"method":"a","callbacks":""}
      refused message/callbacks at `callbacks`: expected an object, got a string
    {"method":"a","callbacks":[]}
      tolerated message/callbacks at `callbacks`: expected an object, got an array
    {"method":"a","callbacks":{}}  ok
    {"method":"a","links":null}
      tolerated message/links at `links`: expected an array, got null
    {"method":"a","links":true}
      refused message/links at `links`: expected an array, got a boolean
    {"method":"a","links":0}
      refused message/links at `links`: expected an array, got a number
    {"method":"a","links":""}
      refused message/links at `links`: expected an array, got a string
    {"method":"a","links":[]}  ok
    {"method":"a","links":{}}
      refused message/links at `links`: expected an array, got an object
    "#);
}

#[test]
fn key_of_callbacks_is_an_integer() {
    let integers = "0|7|-1|9007199254740991|9007199254740992|9223372036854775807|-9223372036854775808";
    let beyond = "9223372036854775808|-9223372036854775809";
    let others = r"01|-01|00|-0|-|+1|0.5|0.0|1e0|x|| 1|1 |0x1|__proto__|\ud800|\u0661|1\u0000";
    let keys = integers.split('|').chain(beyond.split('|')).chain(others.split('|'));
    let lines: Vec<String> =
        keys.map(|key| format!("{{\"method\":\"a\",\"callbacks\":{{\"{key}\":[0]}}}}")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    insta::assert_snapshot!(judged(&lines), @r#"
    {"method":"a","callbacks":{"0":[0]}}  ok
    {"method":"a","callbacks":{"7":[0]}}  ok
    {"method":"a","callbacks":{"-1":[0]}}
      tolerated callback/id-exact at `callbacks["-1"]`: expected an id between 0 and 2^53 - 1, got -1
    {"method":"a","callbacks":{"9007199254740991":[0]}}  ok
    {"method":"a","callbacks":{"9007199254740992":[0]}}
      tolerated callback/id-exact at `callbacks["9007199254740992"]`: expected an id between 0 and 2^53 - 1, got 9007199254740992
    {"method":"a","callbacks":{"9223372036854775807":[0]}}
      tolerated callback/id-exact at `callbacks["9223372036854775807"]`: expected an id between 0 and 2^53 - 1, got 9223372036854775807
    {"method":"a","callbacks":{"-9223372036854775808":[0]}}
      tolerated callback/id-exact at `callbacks["-9223372036854775808"]`: expected an id between 0 and 2^53 - 1, got -9223372036854775808
    {"method":"a","callbacks":{"9223372036854775808":[0]}}
      refused callback/id-exact at `callbacks["9223372036854775808"]`: expected an id between 0 and 2^53 - 1, got the key "9223372036854775808"
    {"method":"a","callbacks":{"-9223372036854775809":[0]}}
      refused callback/id-exact at `callbacks["-9223372036854775809"]`: expected an id between 0 and 2^53 - 1, got the key "-9223372036854775809"
    {"method":"a","callbacks":{"01":[0]}}
      refused callback/id-integral at `callbacks["01"]`: expected an integer in decimal as the key, got the key "01"
    {"method":"a","callbacks":{"-01":[0]}}
      refused callback/id-integral at `callbacks["-01"]`: expected an integer in decimal as the key, got the key "-01"
    {"method":"a","callbacks":{"00":[0]}}
      refused callback/id-integral at `callbacks["00"]`: expected an integer in decimal as the key, got the key "00"
    {"method":"a","callbacks":{"-0":[0]}}
      refused callback/id-integral at `callbacks["-0"]`: expected an integer in decimal as the key, got the key "-0"
    {"method":"a","callbacks":{"-":[0]}}
      refused callback/id-integral at `callbacks["-"]`: expected an integer in decimal as the key, got the key "-"
    {"method":"a","callbacks":{"+1":[0]}}
      refused callback/id-integral at `callbacks["+1"]`: expected an integer in decimal as the key, got the key "+1"
    {"method":"a","callbacks":{"0.5":[0]}}
      refused callback/id-integral at `callbacks["0.5"]`: expected an integer in decimal as the key, got the key "0.5"
    {"method":"a","callbacks":{"0.0":[0]}}
      refused callback/id-integral at `callbacks["0.0"]`: expected an integer in decimal as the key, got the key "0.0"
    {"method":"a","callbacks":{"1e0":[0]}}
      refused callback/id-integral at `callbacks["1e0"]`: expected an integer in decimal as the key, got the key "1e0"
    {"method":"a","callbacks":{"x":[0]}}
      refused callback/id-integral at `callbacks["x"]`: expected an integer in decimal as the key, got the key "x"
    {"method":"a","callbacks":{"":[0]}}
      refused callback/id-integral at `callbacks[""]`: expected an integer in decimal as the key, got the key ""
    {"method":"a","callbacks":{" 1":[0]}}
      refused callback/id-integral at `callbacks[" 1"]`: expected an integer in decimal as the key, got the key " 1"
    {"method":"a","callbacks":{"1 ":[0]}}
      refused callback/id-integral at `callbacks["1 "]`: expected an integer in decimal as the key, got the key "1 "
    {"method":"a","callbacks":{"0x1":[0]}}
      refused callback/id-integral at `callbacks["0x1"]`: expected an integer in decimal as the key, got the key "0x1"
    {"method":"a","callbacks":{"__proto__":[0]}}
      refused callback/id-integral at `callbacks["__proto__"]`: expected an integer in decimal as the key, got the key "__proto__"
    {"method":"a","callbacks":{"\ud800":[0]}}
      refused callback/id-integral at `callbacks["\ud800"]`: expected an integer in decimal as the key, got the key "\ud800"
    {"method":"a","callbacks":{"\u0661":[0]}}
      refused callback/id-integral at `callbacks["١"]`: expected an integer in decimal as the key, got the key "١"
    {"method":"a","callbacks":{"1\u0000":[0]}}
      refused callback/id-integral at `callbacks["1\u0000"]`: expected an integer in decimal as the key, got the key "1\u0000"
    "#);
}

#[test]
fn long_key_is_cut() {
    let line = format!("{{\"method\":\"a\",\"callbacks\":{{\"{}\":[0]}}}}", "é".repeat(1_000_000));
    let value = Value::parse(line.as_bytes()).unwrap();
    let decoded = decode(&value);
    assert_eq!(decoded.problems[0].clause, "callback/id-integral");
    assert!(decoded.problems[0].at.len() < 100 && decoded.problems[0].actual.len() < 100);
}

#[test]
fn path_is_an_array_of_keys_and_indexes() {
    let paths = r#"[0]|["0"]|["a",0,""]|[-1]|[1.0]|[1e2]|[]|[null]|[0,true]|[0.5]|[[]]|[0,{}]|[1e308]|null|true|0|"0"|{}"#;
    let mut lines: Vec<String> =
        paths.split('|').map(|path| format!("{{\"method\":\"a\",\"callbacks\":{{\"0\":{path}}}}}")).collect();
    lines.push(r#"{"method":"a","callbacks":[[0],[],0,[1]]}"#.to_owned());
    lines.push(
        r#"{"method":"a","callbacks":{"0":["0"],"1":[0],"2":["1"],"3":[1,2],"4":["1",2.0]}}"#.to_owned(),
    );
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    insta::assert_snapshot!(judged(&lines), @r#"
    {"method":"a","callbacks":{"0":[0]}}  ok
    {"method":"a","callbacks":{"0":["0"]}}  ok
    {"method":"a","callbacks":{"0":["a",0,""]}}  ok
    {"method":"a","callbacks":{"0":[-1]}}  ok
    {"method":"a","callbacks":{"0":[1.0]}}  ok
    {"method":"a","callbacks":{"0":[1e2]}}  ok
    {"method":"a","callbacks":{"0":[]}}
      refused callback/path at `callbacks["0"]`: expected an array of keys and indexes, not empty, got an empty array
    {"method":"a","callbacks":{"0":[null]}}
      refused callback/path at `callbacks["0"]`: expected an array of keys and indexes, not empty, got an array whose element 0 is of type null, no key or index
    {"method":"a","callbacks":{"0":[0,true]}}
      refused callback/path at `callbacks["0"]`: expected an array of keys and indexes, not empty, got an array whose element 1 is of type boolean, no key or index
    {"method":"a","callbacks":{"0":[0.5]}}
      refused callback/path at `callbacks["0"]`: expected an array of keys and indexes, not empty, got an array whose element 0 is of type number, no key or index
    {"method":"a","callbacks":{"0":[[]]}}
      refused callback/path at `callbacks["0"]`: expected an array of keys and indexes, not empty, got an array whose element 0 is of type array, no key or index
    {"method":"a","callbacks":{"0":[0,{}]}}
      refused callback/path at `callbacks["0"]`: expected an array of keys and indexes, not empty, got an array whose element 1 is of type object, no key or index
    {"method":"a","callbacks":{"0":[1e308]}}
      refused callback/path at `callbacks["0"]`: expected an array of keys and indexes, not empty, got an array whose element 0 is of type number, no key or index
    {"method":"a","callbacks":{"0":null}}
      refused callback/path at `callbacks["0"]`: expected an array of keys and indexes, not empty, got a value of type null
    {"method":"a","callbacks":{"0":true}}
      refused callback/path at `callbacks["0"]`: expected an array of keys and indexes, not empty, got a value of type boolean
    {"method":"a","callbacks":{"0":0}}
      refused callback/path at `callbacks["0"]`: expected an array of keys and indexes, not empty, got a value of type number
    {"method":"a","callbacks":{"0":"0"}}
      refused callback/path at `callbacks["0"]`: expected an array of keys and indexes, not empty, got a value of type string
    {"method":"a","callbacks":{"0":{}}}
      refused callback/path at `callbacks["0"]`: expected an array of keys and indexes, not empty, got a value of type object
    {"method":"a","callbacks":[[0],[],0,[1]]}
      tolerated message/callbacks at `callbacks`: expected an object, got an array
      refused callback/path at `callbacks[1]`: expected an array of keys and indexes, not empty, got an empty array
      refused callback/path at `callbacks[2]`: expected an array of keys and indexes, not empty, got a value of type number
    {"method":"a","callbacks":{"0":["0"],"1":[0],"2":["1"],"3":[1,2],"4":["1",2.0]}}
      tolerated callback/path-unique at `callbacks["1"]`: expected a place of its own, got arguments[0], which is the place of 0 too
      tolerated callback/path-unique at `callbacks["4"]`: expected a place of its own, got arguments[1][2], which is the place of 3 too
    "#);
}

#[test]
fn link_is_two_paths() {
    let sound = r#"{"from":[0],"to":[1]}|{"to":[],"from":[]}|{"from":[0],"to":[1],"x":1}"#;
    let shapes = r#"null|true|0|"a"|[]|{}|{"from":[0]}|{"to":[0]}"#;
    let ends =
        r#"{"from":null,"to":[0]}|{"from":[0],"to":"0"}|{"from":[null],"to":[0.5]}|{"from":{},"to":1}"#;
    let links = sound.split('|').chain(shapes.split('|')).chain(ends.split('|'));
    let mut lines: Vec<String> =
        links.map(|link| format!("{{\"method\":\"a\",\"links\":[{link}]}}")).collect();
    lines.push(r#"{"method":"a","links":[{"from":[0],"to":[1]},7]}"#.to_owned());
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    insta::assert_snapshot!(judged(&lines), @r#"
    {"method":"a","links":[{"from":[0],"to":[1]}]}  ok
    {"method":"a","links":[{"to":[],"from":[]}]}  ok
    {"method":"a","links":[{"from":[0],"to":[1],"x":1}]}  ok
    {"method":"a","links":[null]}
      refused link/shape at `links[0]`: expected an object with from and to, got null
    {"method":"a","links":[true]}
      refused link/shape at `links[0]`: expected an object with from and to, got a boolean
    {"method":"a","links":[0]}
      refused link/shape at `links[0]`: expected an object with from and to, got a number
    {"method":"a","links":["a"]}
      refused link/shape at `links[0]`: expected an object with from and to, got a string
    {"method":"a","links":[[]]}
      refused link/shape at `links[0]`: expected an object with from and to, got an array
    {"method":"a","links":[{}]}
      refused link/shape at `links[0]`: expected an object with from and to, got an object
    {"method":"a","links":[{"from":[0]}]}
      refused link/shape at `links[0]`: expected an object with from and to, got an object
    {"method":"a","links":[{"to":[0]}]}
      refused link/shape at `links[0]`: expected an object with from and to, got an object
    {"method":"a","links":[{"from":null,"to":[0]}]}
      refused link/path at `links[0].from`: expected an array of keys and indexes, got a value of type null
    {"method":"a","links":[{"from":[0],"to":"0"}]}
      refused link/path at `links[0].to`: expected an array of keys and indexes, got a value of type string
    {"method":"a","links":[{"from":[null],"to":[0.5]}]}
      refused link/path at `links[0].from`: expected an array of keys and indexes, got an array whose element 0 is of type null, no key or index
      refused link/path at `links[0].to`: expected an array of keys and indexes, got an array whose element 0 is of type number, no key or index
    {"method":"a","links":[{"from":{},"to":1}]}
      refused link/path at `links[0].from`: expected an array of keys and indexes, got a value of type object
      refused link/path at `links[0].to`: expected an array of keys and indexes, got a value of type number
    {"method":"a","links":[{"from":[0],"to":[1]},7]}
      refused link/shape at `links[1]`: expected an object with from and to, got a number
    "#);
}

#[test]
fn cull_names_integers() {
    let arguments =
        ["[]", "[0]", "[0.0,-1,9007199254740993]", r#"["0"]"#, "[null,true,0.5,1e308,[],{}]", "{}", "null"];
    let mut lines: Vec<String> =
        arguments.iter().map(|ids| format!("{{\"method\":\"cull\",\"arguments\":{ids}}}")).collect();
    lines.push(r#"{"method":"cull"}"#.to_owned());
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    insta::assert_snapshot!(judged(&lines), @r#"
    {"method":"cull","arguments":[]}  ok
    {"method":"cull","arguments":[0]}  ok
    {"method":"cull","arguments":[0.0,-1,9007199254740993]}  ok
    {"method":"cull","arguments":["0"]}
      tolerated cull/integral at `arguments[0]`: expected an integer, got a string
    {"method":"cull","arguments":[null,true,0.5,1e308,[],{}]}
      tolerated cull/integral at `arguments[0]`: expected an integer, got null
      tolerated cull/integral at `arguments[1]`: expected an integer, got a boolean
      tolerated cull/integral at `arguments[2]`: expected an integer, got a number
      tolerated cull/integral at `arguments[3]`: expected an integer, got a number
      tolerated cull/integral at `arguments[4]`: expected an integer, got an array
      tolerated cull/integral at `arguments[5]`: expected an integer, got an object
    {"method":"cull","arguments":{}}
      refused message/arguments at `arguments`: expected an array, got an object
    {"method":"cull","arguments":null}
      tolerated message/arguments at `arguments`: expected an array, got null
    {"method":"cull"}  ok
    "#);
}

#[test]
fn methods_has_one_object() {
    let arguments =
        ["[{}]", r#"[{"a":1}]"#, "[]", "[{},{}]", "[null]", "[[]]", r#"["x"]"#, "[0]", "[true]", "{}"];
    let mut lines: Vec<String> =
        arguments.iter().map(|object| format!("{{\"method\":\"methods\",\"arguments\":{object}}}")).collect();
    lines.push(r#"{"method":"methods"}"#.to_owned());
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    insta::assert_snapshot!(judged(&lines), @r#"
    {"method":"methods","arguments":[{}]}  ok
    {"method":"methods","arguments":[{"a":1}]}  ok
    {"method":"methods","arguments":[]}
      tolerated methods/one-object at `arguments`: expected one argument, an object, got 0 arguments
    {"method":"methods","arguments":[{},{}]}
      tolerated methods/one-object at `arguments`: expected one argument, an object, got 2 arguments
    {"method":"methods","arguments":[null]}
      tolerated methods/one-object at `arguments`: expected one argument, an object, got null
    {"method":"methods","arguments":[[]]}
      tolerated methods/one-object at `arguments`: expected one argument, an object, got an array
    {"method":"methods","arguments":["x"]}
      tolerated methods/one-object at `arguments`: expected one argument, an object, got a string
    {"method":"methods","arguments":[0]}
      tolerated methods/one-object at `arguments`: expected one argument, an object, got a number
    {"method":"methods","arguments":[true]}
      tolerated methods/one-object at `arguments`: expected one argument, an object, got a boolean
    {"method":"methods","arguments":{}}
      refused message/arguments at `arguments`: expected an array, got an object
      tolerated methods/one-object at `arguments`: expected one argument, an object, got 0 arguments
    {"method":"methods"}
      tolerated methods/one-object at `arguments`: expected one argument, an object, got 0 arguments
    "#);
}

#[test]
fn last_duplicate_counts() {
    let value = Value::parse(
        br#"{"method":"a","method":1,"arguments":null,"arguments":[1],"callbacks":{"0":[5]},"callbacks":{"1":["x"],"0":[0],"1":[1]},
            "links":7,"links":[{"from":[0],"to":0,"to":[1],"from":[2]}]}"#,
    )
    .unwrap();
    let decoded = decode(&value);
    assert_eq!(decoded.problems, []);
    let message = decoded.message.unwrap();
    assert_eq!(message.method, Method::Id(Id(1)));
    assert_eq!(message.arguments.unwrap().to_json(), b"[1]");
    let path = |key: &str| Path::from_keys(vec![key.into()]);
    assert_eq!(message.callbacks, [(Id(1), path("1")), (Id(0), path("0"))]);
    assert_eq!(message.links, [Link { from: path("2"), to: path("1") }]);
}

#[test]
fn cull_is_written_with_two_fields() {
    let path = Path::from_keys(vec!["0".into(), "é\"".into()]);
    let link = Link { from: path.clone(), to: Path::default() };
    let line = |method| {
        String::from_utf8(encode(
            &method,
            b"[1]".to_vec(),
            &[(Id(2), path.clone())],
            std::slice::from_ref(&link),
        ))
        .unwrap()
    };
    insta::assert_snapshot!(line(Method::named("cull")), @r#"{"method":"cull","arguments":[1]}"#);
    insta::assert_snapshot!(line(Method::named("é")), @r#"{"method":"é","arguments":[1],"callbacks":{"2":["0","é\""]},"links":[{"from":["0","é\""],"to":[]}]}"#);
    insta::assert_snapshot!(line(Method::Id(Id(-3))), @r#"{"method":-3,"arguments":[1],"callbacks":{"2":["0","é\""]},"links":[{"from":["0","é\""],"to":[]}]}"#);
}

fn paths(least: usize) -> impl Strategy<Value = Path> {
    prop::collection::vec(sample::text(), least..5).prop_map(Path::from_keys)
}

proptest! {
    #[test]
    fn written_text_is_read_back(
        method in prop_oneof![sample::text().prop_map(Method::Name), any::<i64>().prop_map(|id| Method::Id(Id(id)))],
        arguments in prop::sample::select(vec!["[]", "[null,{}]", r#"[{"a":["x"]},1e400]"#]),
        callbacks in prop::collection::btree_map(any::<i64>().prop_map(Id), paths(1), 0..5),
        links in prop::collection::vec((paths(0), paths(0)), 0..4),
    ) {
        let callbacks: Vec<(Id, Path)> = callbacks.into_iter().collect();
        let links: Vec<Link> = links.into_iter().map(|(from, to)| Link { from, to }).collect();
        let line = encode(&method, arguments.into(), &callbacks, &links);
        prop_assert_eq!(line.iter().position(|&byte| byte == b'\n'), Some(line.len() - 1));
        let value = Value::parse(&line).unwrap();
        let decoded = decode(&value);
        prop_assert!(decoded.is_sound(), "{:?}", decoded.problems);
        let message = decoded.message.unwrap();
        prop_assert_eq!(&message.method, &method);
        prop_assert_eq!(message.arguments.unwrap().to_json(), arguments.as_bytes());
        prop_assert_eq!(message.callbacks, callbacks);
        prop_assert_eq!(message.links, links);
    }

    #[test]
    fn written_id_is_read_back(id: i64, text in "[-+]?0?[0-9]{0,20}") {
        prop_assert_eq!(Id::from_key(&id.to_string()), Some(Id(id)));
        // An id is written as its key was: two keys are never the same id.
        prop_assert!(Id::from_key(&text).is_none_or(|id| id.to_string() == text));
    }
}
