//! Equality of graphs as infinite trees, the first difference, depth and cycles.

use super::*;
use crate::message::{Id, Method};
use crate::sample::{self, tower, wire};
use crate::scrub::{Written, scrub};
use crate::session::Function;
use proptest::prelude::*;

/// Compares the arguments of two messages. Functions are equal if their numbers are. Gives the
/// difference in one line.
fn difference(expected: &str, actual: &str) -> String {
    let (expected, actual) = (wire(expected), wire(actual));
    let same = |id: &Id, at| match actual.0.leaf(at) {
        Some(other) if other == id => Ok(()),
        _ => Err(format!("function {id}")),
    };
    match compare((&expected.0, expected.1), (&actual.0, actual.1), same) {
        Ok(()) => "same".to_owned(),
        Err(found) => {
            let Difference { path, kind, expected, actual, class, .. } = *found;
            format!("{path} {}: expected {expected}, got {actual} ({class})", kind.word())
        }
    }
}

/// Compares two lists of arguments in both directions, which must agree.
fn arguments(expected: &str, actual: &str) -> String {
    let [expected, actual] = [expected, actual].map(|list| format!("{{\"method\":0,\"arguments\":{list}}}"));
    let there = difference(&expected, &actual);
    assert_eq!(there == "same", difference(&actual, &expected) == "same", "{expected} {actual}");
    there
}

#[test]
fn numbers_are_doubles() {
    for same in [
        "1 1.0",
        "1 1e0",
        "1 10e-1",
        "0 -0",
        "0.1 1e-1",
        "9007199254740993 9007199254740992",
        "1e400 1e500",
        "1e-400 0",
        "0.1000000000000000055511151231257827 0.1",
    ] {
        let (one, other) = same.split_once(' ').unwrap();
        assert_eq!(arguments(&format!("[{one}]"), &format!("[{other}]")), "same", "{same}");
    }
    for differing in
        ["1 -1", "9007199254740993 9007199254740994", "1e400 -1e400", "1e400 1e308", "1 1.0000000000000003"]
    {
        let (one, other) = differing.split_once(' ').unwrap();
        assert_ne!(arguments(&format!("[{one}]"), &format!("[{other}]")), "same", "{differing}");
    }
    // So long that the standard library would misread the exponent.
    let zeros = "0".repeat(1_000_000);
    assert_eq!(arguments(&format!("[1{zeros}e-1000000]"), "[1]"), "same");
    assert_eq!(arguments(&format!("[0.{zeros}1e1000001]"), "[1]"), "same");
}

#[test]
fn difference_has_place_and_values() {
    let table = [
        (r#"[1,"1",null,true,{},[]]"#, r#"[1,"1",null,true,{},[]]"#),
        (r#"[{"a":1,"b":2}]"#, r#"[{"b":2,"a":1}]"#),
        ("[1]", r#"["1"]"#),
        ("[null]", "[false]"),
        ("[0]", "[null]"),
        ("[true]", "[false]"),
        (r#"["a"]"#, r#"["A"]"#),
        ("[[]]", "[{}]"),
        (r#"["\ud800"]"#, r#"["\ufffd"]"#),
        ("[1,2,3]", "[1]"),
        ("[]", "[1,2]"),
        ("[[null]]", "[[]]"),
        ("[[]]", "[[null]]"),
        (r#"[{"a":null}]"#, "[{}]"),
        ("[{}]", r#"[{"a":null}]"#),
        (r#"[{"a":1,"b":2,"c":3}]"#, r#"[{"c":3}]"#),
        (r#"[{"a":1}]"#, r#"[{"z":1,"a":1,"y":1}]"#),
        (r#"[{"a":1}]"#, r#"[{"b":1}]"#),
        (r#"[{"a":[0,{"b":"x"}]},2]"#, r#"[{"a":[0,{"b":"y"}]},3]"#),
        (r#"[{"a":1,"b":[1]}]"#, r#"[{"b":[2],"a":2}]"#),
    ];
    let shown: String = table.map(|(e, a)| format!("{e} to {a}: {}\n", arguments(e, a))).concat();
    insta::assert_snapshot!(shown, @r#"
    [1,"1",null,true,{},[]] to [1,"1",null,true,{},[]]: same
    [{"a":1,"b":2}] to [{"b":2,"a":1}]: same
    [1] to ["1"]: arguments[0] differs: expected 1, got "1" (string)
    [null] to [false]: arguments[0] differs: expected null, got false (boolean)
    [0] to [null]: arguments[0] differs: expected 0, got null (null)
    [true] to [false]: arguments[0] differs: expected true, got false (boolean)
    ["a"] to ["A"]: arguments[0] differs: expected "a", got "A" (string)
    [[]] to [{}]: arguments[0] differs: expected [], got {} (object)
    ["\ud800"] to ["\ufffd"]: arguments[0] differs: expected "\ud800", got "�" (string)
    [1,2,3] to [1]: arguments[1] absent: expected 2, got nothing (absent)
    [] to [1,2]: arguments[0] unexpected: expected nothing, got 1 (number)
    [[null]] to [[]]: arguments[0][0] absent: expected null, got nothing (absent)
    [[]] to [[null]]: arguments[0][0] unexpected: expected nothing, got null (null)
    [{"a":null}] to [{}]: arguments[0].a absent: expected null, got nothing (absent)
    [{}] to [{"a":null}]: arguments[0].a unexpected: expected nothing, got null (null)
    [{"a":1,"b":2,"c":3}] to [{"c":3}]: arguments[0].a absent: expected 1, got nothing (absent)
    [{"a":1}] to [{"z":1,"a":1,"y":1}]: arguments[0].y unexpected: expected nothing, got 1 (number)
    [{"a":1}] to [{"b":1}]: arguments[0].b unexpected: expected nothing, got 1 (number)
    [{"a":[0,{"b":"x"}]},2] to [{"a":[0,{"b":"y"}]},3]: arguments[0].a[1].b differs: expected "x", got "y" (string)
    [{"a":1,"b":[1]}] to [{"b":[2],"a":2}]: arguments[0].a differs: expected 1, got 2 (number)
    "#);
}

#[test]
fn hole_is_null_in_an_array_and_absent_in_an_object() {
    let hole = r#"{"method":0,"arguments":[1],"callbacks":{"0":[2]}}"#;
    assert_eq!(difference(hole, r#"{"method":0,"arguments":[1,null,"f"],"callbacks":{"0":[2]}}"#), "same");
    assert_eq!(difference(r#"{"method":0,"arguments":[1,null,"f"],"callbacks":{"0":[2]}}"#, hole), "same");
    insta::assert_snapshot!(difference(hole, r#"{"method":0,"arguments":[1,0,"f"],"callbacks":{"0":[2]}}"#), @"arguments[1] differs: expected nothing, got 0 (number)");
    insta::assert_snapshot!(difference(r#"{"method":0,"arguments":[1,0,"f"],"callbacks":{"0":[2]}}"#, hole), @"arguments[1] differs: expected 0, got nothing (absent)");
    let mut graph: Graph<Id> = Graph::new();
    let missing = graph.add(Node::Missing);
    let (with, without) = (graph.object([("a", missing)]), graph.object([]));
    assert_eq!(compare((&graph, with), (&graph, without), |_, _| Ok(())), Ok(()));
    assert_eq!(compare((&graph, without), (&graph, with), |_, _| Ok(())), Ok(()));
}

#[test]
fn cycle_equals_its_unfolding() {
    let tight = r#"{"method":0,"arguments":[{"n":1,"self":0}],"links":[{"from":[0],"to":[0,"self"]}]}"#;
    let loose = r#"{"method":0,"arguments":[{"n":1,"self":{"n":1.0,"self":{"n":1,"self":0}}}],
        "links":[{"from":[0,"self"],"to":[0,"self","self","self"]}]}"#;
    let other = r#"{"method":0,"arguments":[{"n":1,"self":{"n":1,"self":{"n":2,"self":0}}}],
        "links":[{"from":[0,"self"],"to":[0,"self","self","self"]}]}"#;
    let finite = r#"{"method":0,"arguments":[{"n":1,"self":{"n":1,"self":"[Circular]"}}]}"#;
    assert_eq!(difference(tight, loose), "same");
    assert_eq!(difference(loose, tight), "same");
    insta::assert_snapshot!(difference(tight, other), @"arguments[0].self.self.n differs: expected 1, got 2 (number)");
    insta::assert_snapshot!(difference(other, tight), @"arguments[0].self.self.n differs: expected 2, got 1 (number)");
    insta::assert_snapshot!(difference(tight, finite), @r#"arguments[0].self.self differs: expected {"n":1,"self":{"n":1,"self":{"n":1,"self":{"n":1,"self":{"n":1,"self":{"n":1,"self":{"n":1,"self":{"n":1,"self":{"n":1,"self":{"n":1,"self":{"n":1,"self":{"n":1…, got "[Circular]" (string)"#);
}

#[test]
fn sharing_is_ignored() {
    let shared = r#"{"method":0,"arguments":[["x"],0,{"o":0}],"links":[{"from":[0],"to":[1]},{"from":[1],"to":[2,"o"]}]}"#;
    assert_eq!(difference(shared, r#"{"method":0,"arguments":[["x"],["x"],{"o":["x"]}]}"#), "same");
    assert_eq!(difference(r#"{"method":0,"arguments":[["x"],["x"],{"o":["x"]}]}"#, shared), "same");
    insta::assert_snapshot!(difference(shared, r#"{"method":0,"arguments":[["x"],["x"],{"o":["y"]}]}"#), @r#"arguments[2].o[0] differs: expected "x", got "y" (string)"#);
}

#[test]
fn leaf_is_compared_by_the_callback() {
    let (expected, root) = wire(r#"{"method":0,"arguments":[{"a":0}],"callbacks":{"7":[0,"a"]}}"#);
    let (actual, actual_root) = wire(r#"{"method":0,"arguments":[{"a":{"any":[1]}}]}"#);
    let mut asked = Vec::new();
    let outcome = compare((&expected, root), (&actual, actual_root), |mark, at| {
        asked.push((*mark, describe(&actual, at)));
        Ok(())
    });
    assert_eq!((outcome, asked), (Ok(()), vec![(Id(7), r#"{"any":[1]}"#.to_owned())]));
    let refuse = |_: &Id, _| Err("a word".to_owned());
    let found = compare((&expected, root), (&actual, actual_root), refuse).unwrap_err();
    assert_eq!((found.expected.as_str(), found.class), ("a word", "object"));
    assert_eq!(found.path.to_string(), "arguments[0].a");
    // A function does not match an expected value, and a leaf does not match an absent value.
    assert_eq!(compare((&actual, actual_root), (&expected, root), refuse).unwrap_err().class, "function");
    let (empty, empty_root) = wire(r#"{"method":0,"arguments":[{}]}"#);
    let found = compare((&expected, root), (&empty, empty_root), |_, _| Ok(())).unwrap_err();
    assert_eq!((found.kind, found.class), (Kind::Absent, "absent"));
}

/// A ring of arrays. Each has a number and the next array. One may have another number.
fn ring(length: usize, odd: Option<usize>) -> (Graph<Id>, NodeId) {
    let mut graph = Graph::new();
    let nodes: Vec<NodeId> = (0..length).map(|_| graph.array([])).collect();
    for (n, &node) in nodes.iter().enumerate() {
        let number = graph.number(i32::from(Some(n) == odd));
        *graph.node_mut(node).unwrap() = Node::Array(vec![number, nodes[(n + 1) % length]]);
    }
    (graph, nodes[0])
}

#[test]
fn cycles_of_coprime_lengths_end() {
    let (long, short) = (ring(1009, None), ring(997, None));
    assert_eq!(compare((&long.0, long.1), (&short.0, short.1), |_, _| Ok(())), Ok(()));
    let odd = ring(997, Some(996));
    let found = compare((&ring(3, None).0, ring(3, None).1), (&odd.0, odd.1), |_, _| Ok(())).unwrap_err();
    assert_eq!(found.path.keys().len(), 997);
}

#[test]
fn million_levels_are_compared() {
    const HEIGHT: usize = 1_000_000;
    let mut graph: Graph<Function> = Graph::new();
    let core = graph.add(Node::Leaf(Function::Theirs(Id(1))));
    let one = tower(&mut graph, HEIGHT, core);
    let other = graph.number(0);
    let other = tower(&mut graph, HEIGHT, other);
    assert_eq!(compare((&graph, one), (&graph.clone(), one), |_, _| Ok(())), Ok(()));
    let found = compare((&graph, other), (&graph, one), |_, _| Ok(())).unwrap_err();
    assert_eq!((found.path.keys().len(), found.expected.as_str()), (HEIGHT, "0"));
    assert!(describe(&graph, one).len() < 200);

    let root = graph.array([one]);
    let scrubbed = scrub(&graph, root, |_| Written::Function(Id(1)));
    assert_eq!(scrubbed.arguments.len(), 2 * HEIGHT + 2 + "\"[Function]\"".len());
    let line =
        crate::message::encode(&Method::Id(Id(0)), scrubbed.arguments, &scrubbed.callbacks, &scrubbed.links);
    let again = wire(std::str::from_utf8(&line).unwrap());
    let same = |_: &Function, at| again.0.leaf(at).map(|_| ()).ok_or_else(String::new);
    assert_eq!(compare((&graph, root), (&again.0, again.1), same), Ok(()));
}

#[test]
fn description_is_one_short_line() {
    let shown = |line: &str| {
        let (graph, root) = wire(line);
        describe(&graph, root)
    };
    let all = r#"{"method":0,"arguments":[null,true,-1.50,"a\n\ud800",[],{},{"k y":[1,2],"":3},0],"callbacks":{"7":[7],"8":[9]}}"#;
    insta::assert_snapshot!(shown(all), @r#"[null,true,-1.50,"a\n\ud800",[],{},{"k y":[1,2],"":3},7,nothing,8]"#);
    let cycle = r#"{"method":0,"arguments":[{"é":0}],"links":[{"from":[],"to":[0,"é"]}]}"#;
    insta::assert_snapshot!(shown(cycle), @r#"[{"é":[{"é":[{"é":[{"é":[{"é":[{"é":[{"é":[{"é":[{"é":[{"é":[{"é":[{"é":[{"é":[{"é":[{"é":[{"é":[{"é":[{"é":[{"é":[{"é":[{"é":[{"é":[{"é"…"#);
    for character in ["x", "é", "€", "😀", "\\ud800", "\\n"] {
        for shift in 0..6 {
            let long = format!("{}{}", "a".repeat(shift), character.repeat(1000));
            for list in [format!("[\"{long}\"]"), format!("[{{\"{long}\":0}}]")] {
                let short = shown(&format!("{{\"method\":0,\"arguments\":{list}}}"));
                assert!(short.len() <= 160 + "…".len() && short.ends_with('…'), "{short}");
                assert!(!short.contains(char::REPLACEMENT_CHARACTER), "{short}");
            }
        }
    }
    let number = "1".repeat(1000);
    assert_eq!(shown(&format!("{{\"method\":0,\"arguments\":[{number}]}}")), format!("[{}…", &number[..159]));
    let fits = format!("[\"{}\"]", "x".repeat(156));
    assert_eq!(shown(&format!("{{\"method\":0,\"arguments\":{fits}}}")), fits);
}

#[test]
fn each_value_has_a_class() {
    let (graph, root) =
        wire(r#"{"method":0,"arguments":[null,true,0,"",[],{}],"callbacks":{"0":[6],"1":[8]}}"#);
    let classes: Vec<&str> = graph.items(root).iter().map(|&id| class(&graph, id)).collect();
    let expected =
        ["null", "boolean", "number", "string", "array", "object", "function", "absent", "function"];
    assert_eq!(classes, expected);
}

#[test]
fn id_of_another_graph_is_safe() {
    let mut large: Graph<Id> = Graph::new();
    let far = (0..10).map(|_| large.number(1)).last().unwrap();
    let mut small: Graph<Id> = Graph::new();
    assert_eq!(*small.node(far), Node::Missing);
    assert!(small.node_mut(far).is_none() && small.items(far).is_empty() && small.is_empty());
    assert!(small.member(far, "a").is_none() && small.leaf(far).is_none());
    assert_eq!((large.len(), large.is_empty(), small.len()), (10, false, 0));
}

proptest! {
    #[test]
    fn graph_equals_itself_and_differs_after_a_change(
        (graph, root) in sample::arguments(10, 3, 3),
        changed in any::<prop::sample::Index>(),
    ) {
        let same = |leaf: &Function, graph: &Graph<Function>, at| match graph.leaf(at) {
            Some(other) if other == leaf => Ok(()),
            _ => Err(leaf.to_string()),
        };
        prop_assert_eq!(compare((&graph, root), (&graph, root), |leaf, at| same(leaf, &graph, at)), Ok(()));
        // If a part of the root is replaced by a new text, the difference is there, or at an
        // earlier place that has the part.
        if !graph.items(root).is_empty() {
            let place = changed.index(graph.items(root).len());
            let mut other = graph.clone();
            let text = other.string("a text of its own");
            if let Some(Node::Array(items)) = other.node_mut(root) {
                items[place] = text;
            }
            let found = compare((&graph, root), (&other, root), |leaf, at| same(leaf, &other, at)).unwrap_err();
            prop_assert_eq!(found.path.keys().len(), 1);
            prop_assert_eq!(found.path.keys()[0].to_string(), place.to_string());
            prop_assert_eq!(found.class, "string");
        }
    }
}
