//! The lines that each method of the probe sends.

use super::*;
use crate::value::Value;

/// A session with a probe, driven by lines.
struct Bench {
    session: Session,
    probe: Probe,
}

impl Bench {
    fn new() -> Bench {
        let (mut session, probe) = (Session::new(1 << 20), Probe::new("bench 1.0"));
        let (graph, object) = probe.object();
        session.start(graph, object);
        while session.poll_output().is_some() {}
        Bench { session, probe }
    }

    /// Feeds all lines at once. Gives the answers, with a mark before those that were put off.
    fn say(&mut self, lines: &[&str]) -> String {
        for line in lines {
            self.session.feed(format!("{line}\n").as_bytes());
        }
        while let Some(event) = self.session.poll_event() {
            self.probe.handle(event, &mut self.session);
        }
        let mut out = self.sent();
        self.probe.turn(&mut self.session);
        let later = self.sent();
        if !later.is_empty() {
            out += &format!("turn\n{later}");
        }
        out
    }

    fn sent(&mut self) -> String {
        let lines = std::iter::from_fn(|| self.session.poll_output());
        lines.map(|line| String::from_utf8(line).unwrap()).collect()
    }

    /// Calls a method by name with these arguments. The text "fN" is our function N.
    fn call(&mut self, method: &str, arguments: &str) -> String {
        let method = method.parse::<i64>().map_or_else(|_| format!("\"{method}\""), |id| id.to_string());
        let mut callbacks = Vec::new();
        let list = Value::parse(arguments.as_bytes()).unwrap();
        for (place, argument) in list.root().items().enumerate() {
            let text = argument.as_text().map(|text| text.to_string());
            if let Some(id) = text.as_deref().and_then(|text| text.strip_prefix('f')) {
                callbacks.push(format!("\"{id}\":[{place}]"));
            }
        }
        let callbacks = callbacks.join(",");
        self.say(&[&format!(
            "{{\"method\":{method},\"arguments\":{arguments},\"callbacks\":{{{callbacks}}}}}"
        )])
    }
}

#[test]
fn object_has_all_methods() {
    let (graph, object) = Probe::new("x").object();
    let Node::Object(members) = graph.node(object) else { panic!() };
    let names: Vec<String> = members.keys().map(ToString::to_string).collect();
    assert_eq!(names, [REQUIRED, OPTIONAL].concat());
    for (name, &member) in &**members {
        assert_eq!(graph.leaf(member).is_some(), *name != PLAIN, "{name}");
    }
    assert_eq!(crate::graph::describe(&graph, members[PLAIN.as_bytes()]), "42");
}

#[test]
fn required_methods_answer() {
    let mut bench = Bench::new();
    insta::assert_snapshot!(bench.call("conformProbe", r#"["f0"]"#), @r#"{"method":0,"arguments":["bench 1.0"],"callbacks":{},"links":[]}"#);
    insta::assert_snapshot!(bench.call("echo", r#"[{"a":[1.50,null]},"f1"]"#), @r#"{"method":1,"arguments":[{"a":[1.50,null]}],"callbacks":{},"links":[]}"#);
    insta::assert_snapshot!(bench.call("echo", r#"["f2","f1"]"#), @r#"{"method":1,"arguments":["[Function]"],"callbacks":{"14":["0"]},"links":[]}"#);
    insta::assert_snapshot!(bench.call("add", r#"[1,2,"f3"]"#), @r#"{"method":3,"arguments":[3],"callbacks":{},"links":[]}"#);
    insta::assert_snapshot!(bench.call("add", r#"[0.1,-1e1,"f3"]"#), @r#"{"method":3,"arguments":[-9.9],"callbacks":{},"links":[]}"#);
    insta::assert_snapshot!(bench.call("callTwice", r#"["f4"]"#), @r#"
    {"method":4,"arguments":[1],"callbacks":{},"links":[]}
    {"method":4,"arguments":[2],"callbacks":{},"links":[]}
    "#);
}

#[test]
fn sum_that_is_no_number_is_null() {
    let mut bench = Bench::new();
    let answer = "{\"method\":0,\"arguments\":[null],\"callbacks\":{},\"links\":[]}\n";
    for arguments in [r#"[1,"x","f0"]"#, r#"[null,1,"f0"]"#, r#"[1e308,1e308,"f0"]"#, r#"[1e999,1,"f0"]"#] {
        assert_eq!(bench.call("add", arguments), answer, "{arguments}");
    }
}

#[test]
fn apply_to_passes_a_value_and_a_function() {
    let mut bench = Bench::new();
    insta::assert_snapshot!(bench.call("applyTo", r#"["f0","x","f1"]"#), @r#"{"method":0,"arguments":["x","[Function]"],"callbacks":{"14":["1"]},"links":[]}"#);
    insta::assert_snapshot!(bench.call("14", r#"["result",2]"#), @r#"{"method":1,"arguments":["result",2],"callbacks":{},"links":[]}"#);
    insta::assert_snapshot!(bench.call("applyTo", r#"["f0"]"#), @r#"{"method":0,"arguments":[null,null],"callbacks":{},"links":[]}"#);
}

#[test]
fn counters_are_independent() {
    let mut bench = Bench::new();
    insta::assert_snapshot!(bench.call("getCounter", r#"["f0"]"#) + &bench.call("getCounter", r#"["f1"]"#), @r#"
    {"method":0,"arguments":[{"inc":"[Function]","get":"[Function]"}],"callbacks":{"14":["0","inc"],"15":["0","get"]},"links":[]}
    {"method":1,"arguments":[{"inc":"[Function]","get":"[Function]"}],"callbacks":{"16":["0","inc"],"17":["0","get"]},"links":[]}
    "#);
    let numbers: String =
        ["14", "14", "16", "15", "17"].iter().map(|id| bench.call(id, r#"["f2"]"#)).collect();
    insta::assert_snapshot!(numbers, @r#"
    {"method":2,"arguments":[1],"callbacks":{},"links":[]}
    {"method":2,"arguments":[2],"callbacks":{},"links":[]}
    {"method":2,"arguments":[1],"callbacks":{},"links":[]}
    {"method":2,"arguments":[2],"callbacks":{},"links":[]}
    {"method":2,"arguments":[1],"callbacks":{},"links":[]}
    "#);
}

#[test]
fn keeper_keeps_one_function() {
    let mut bench = Bench::new();
    let mut out = bench.call("keeper", r#"["f0"]"#);
    for (id, arguments) in [
        ("15", r#"["f7","f9"]"#),
        ("16", r#"["early"]"#),
        ("14", r#"["f7","f1"]"#),
        ("15", r#"["f7","f2"]"#),
        ("15", r#"["f8","f2"]"#),
        ("16", "[5]"),
        ("16", "[]"),
        ("17", r#"["f3"]"#),
        ("16", "[6]"),
        ("15", r#"["f7","f2"]"#),
    ] {
        out += &format!("{id} {arguments}\n{}", bench.call(id, arguments));
    }
    insta::assert_snapshot!(out, @r#"
    {"method":0,"arguments":[{"keep":"[Function]","is":"[Function]","fire":"[Function]","drop":"[Function]"}],"callbacks":{"14":["0","keep"],"15":["0","is"],"16":["0","fire"],"17":["0","drop"]},"links":[]}
    15 ["f7","f9"]
    {"method":9,"arguments":["no"],"callbacks":{},"links":[]}
    16 ["early"]
    14 ["f7","f1"]
    {"method":1,"arguments":[],"callbacks":{},"links":[]}
    15 ["f7","f2"]
    {"method":2,"arguments":["yes"],"callbacks":{},"links":[]}
    15 ["f8","f2"]
    {"method":2,"arguments":["no"],"callbacks":{},"links":[]}
    16 [5]
    {"method":7,"arguments":[5],"callbacks":{},"links":[]}
    16 []
    {"method":7,"arguments":[],"callbacks":{},"links":[]}
    17 ["f3"]
    {"method":3,"arguments":[],"callbacks":{},"links":[]}
    16 [6]
    15 ["f7","f2"]
    {"method":2,"arguments":["no"],"callbacks":{},"links":[]}
    "#);
}

#[test]
fn structures_are_sent_as_defined() {
    let mut bench = Bench::new();
    insta::assert_snapshot!(bench.call("repeat", r#"["f0"]"#), @r#"{"method":0,"arguments":["[Function]","[Function]"],"callbacks":{"14":["0"],"15":["1"]},"links":[]}"#);
    insta::assert_snapshot!(bench.call("14", r#"["f1"]"#) + &bench.call("15", r#"["f1"]"#), @r#"
    {"method":1,"arguments":["repeat"],"callbacks":{},"links":[]}
    {"method":1,"arguments":["repeat"],"callbacks":{},"links":[]}
    "#);
    insta::assert_snapshot!(bench.call("cycle", r#"["f0"]"#), @r#"{"method":0,"arguments":[{"name":"cycle","self":"[Circular]"}],"callbacks":{},"links":[{"from":["0"],"to":["0","self"]}]}"#);
    insta::assert_snapshot!(bench.call("shared", r#"["f0"]"#), @r#"{"method":0,"arguments":[[{"name":"shared"},{"name":"shared"}]],"callbacks":{},"links":[]}"#);
    insta::assert_snapshot!(bench.call("nest", r#"["f0"]"#), @r#"{"method":0,"arguments":[{"a":[0,{"b":{"f":"[Function]"}}]}],"callbacks":{"16":["0","a","1","b","f"]},"links":[]}"#);
    insta::assert_snapshot!(bench.call("16", r#"["f2"]"#), @r#"{"method":2,"arguments":["nest"],"callbacks":{},"links":[]}"#);
}

#[test]
fn call_me_calls_our_methods() {
    let mut bench = Bench::new();
    let before = bench.call("callMe", r#"["hello",[],"f1"]"#);
    let object = r#"{"method":"methods","arguments":[{"hello":0,"n":1}],"callbacks":{"5":[0,"hello"]}}"#;
    let call = |name: &str| {
        format!(
            r#"{{"method":"callMe","arguments":["{name}",[1,{{"g":0}}],0],"callbacks":{{"1":[2],"6":[1,1,"g"]}}}}"#
        )
    };
    let calls: String = ["hello", "n", "none"].iter().map(|name| bench.say(&[object, &call(name)])).collect();
    insta::assert_snapshot!(before + &calls, @r#"
    {"method":1,"arguments":[],"callbacks":{},"links":[]}
    {"method":5,"arguments":[1,{"g":"[Function]"}],"callbacks":{"14":["1","g"]},"links":[]}
    {"method":1,"arguments":[],"callbacks":{},"links":[]}
    {"method":1,"arguments":[],"callbacks":{},"links":[]}
    {"method":1,"arguments":[],"callbacks":{},"links":[]}
    "#);
}

#[test]
fn later_answers_after_the_pending_messages() {
    let mut bench = Bench::new();
    let later = r#"{"method":"later","arguments":["late",0],"callbacks":{"0":[1]}}"#;
    let now = r#"{"method":"echo","arguments":["now",0],"callbacks":{"1":[1]}}"#;
    insta::assert_snapshot!(bench.say(&[later, later, now]), @r#"
    {"method":1,"arguments":["now"],"callbacks":{},"links":[]}
    turn
    {"method":0,"arguments":["late"],"callbacks":{},"links":[]}
    {"method":0,"arguments":["late"],"callbacks":{},"links":[]}
    "#);
    assert_eq!(bench.say(&[]), "");
}

#[test]
fn call_without_a_callback_has_no_answer() {
    let mut bench = Bench::new();
    let names: Vec<&str> = METHODS.iter().map(|(name, _)| *name).collect();
    for name in names {
        for arguments in ["[]", "[1]", "[1,2,3]", "[[],{},null]"] {
            assert_eq!(bench.call(name, arguments), "", "{name} {arguments}");
        }
    }
    assert_eq!(bench.call("plain", r#"["f0"]"#), "");
    assert_eq!(bench.call("throwNow", r#"["f0"]"#), "");
}

#[test]
fn culled_function_is_not_called() {
    let mut bench = Bench::new();
    bench.call("keeper", r#"["f0"]"#);
    bench.call("14", r#"["f7","f1"]"#);
    let late = r#"{"method":"later","arguments":["x",0],"callbacks":{"3":[1]}}"#;
    assert_ne!(bench.say(&[late]), "");
    // The probe never culls. It calls the functions that it has, even if the other end has dropped
    // them.
    assert_eq!(bench.say(&[r#"{"method":"cull","arguments":[16]}"#, r#"{"method":16,"arguments":[1]}"#]), "");
    assert_ne!(bench.call("echo", r#"["x","f7"]"#), "");
}

#[test]
fn limited_function_of_dialect_0_1_is_culled() {
    let (mut session, probe) =
        (Session::new(1 << 20).speaking(Dialect::V0_1), Probe::new("x").speaking(Dialect::V0_1));
    let (graph, object) = probe.object();
    let Node::Object(members) = graph.node(object) else { panic!() };
    assert!(optional_in(Dialect::V0_1).iter().all(|name| members.contains_key(name.as_bytes())));
    session.start(graph, object);
    while session.poll_output().is_some() {}
    let mut bench = Bench { session, probe };
    insta::assert_snapshot!(bench.call("limited", r#"["f0"]"#), @r#"{"method":0,"arguments":["[Function]"],"callbacks":{"15":["0"]},"links":[]}"#);
    insta::assert_snapshot!(bench.call("15", r#"["f1"]"#), @r#"
    {"method":1,"arguments":["limited"],"callbacks":{},"links":[]}
    {"method":"cull","arguments":[15]}
    "#);
    assert_eq!(bench.call("15", r#"["f2"]"#), "", "it is gone");
    let told = r#"{"method":"error","arguments":[{"message":"no"}]}"#;
    assert_eq!(bench.say(&[r#"{"method":"cull","arguments":[1]}"#, told]), "");
    assert_eq!(bench.call("echo", r#"[1,"f2"]"#).lines().count(), 1, "the ids of this end are its own");
}
