//! The places of paths, and the changes that placing a node makes.

use super::*;
use crate::graph::describe;
use crate::sample;
use crate::value::Value;
use proptest::prelude::*;

fn path(json: &str) -> Path {
    Path::decode(Value::parse(json.as_bytes()).unwrap().root()).unwrap()
}

/// The value of this JSON, with a function for each text "f".
fn graph(json: &str) -> (Graph<&'static str>, NodeId) {
    let value = Value::parse(json.as_bytes()).unwrap();
    let mut graph = Graph::new();
    let root = graph.import(value.root(), |value| {
        value.as_text().is_some_and(|text| text == "f").then_some(Node::Leaf("function"))
    });
    (graph, root)
}

/// The value after `NEW` was placed at the path, or the length at which placing stopped.
fn placed(json: &str, at: &str) -> String {
    let (mut graph, root) = graph(json);
    let node = graph.add(Node::Leaf("NEW"));
    match path(at).place(&mut graph, root, node) {
        Ok(()) => {
            assert_eq!(path(at).resolve(&graph, root), Some(node));
            describe(&graph, root)
        }
        Err(depth) => format!("{} keys in; {}", depth, describe(&graph, root)),
    }
}

fn table(rows: &[(&str, &str)]) -> String {
    rows.iter().map(|(json, at)| format!("{json} at {at}: {}\n", placed(json, at))).collect()
}

#[test]
fn missing_places_are_made() {
    insta::assert_snapshot!(table(&[
        ("[]", "[0]"),
        ("[1,2]", "[1]"),
        (r#"[{"a":1}]"#, r#"[0,"a"]"#),
        (r#"[{"a":1}]"#, r#"[0,"b"]"#),
        ("[]", r#"[0,"a",0]"#),
        ("[]", r#"[2,"x",1]"#),
        ("[{}]", r#"[0,"__proto__","polluted"]"#),
        ("[{}]", r#"[0,"constructor","prototype","x"]"#),
        ("[{}]", r#"[0,"length"]"#),
        ("[{}]", r#"[0,""]"#),
        ("[{}]", "[0,-1]"),
        ("[{}]", r#"[0,"01"]"#),
        (r#"[{"0":1}]"#, "[0,0]"),
    ]), @r#"
    [] at [0]: [NEW]
    [1,2] at [1]: [1,NEW]
    [{"a":1}] at [0,"a"]: [{"a":NEW}]
    [{"a":1}] at [0,"b"]: [{"a":1,"b":NEW}]
    [] at [0,"a",0]: [{"a":{"0":NEW}}]
    [] at [2,"x",1]: [nothing,nothing,{"x":{"1":NEW}}]
    [{}] at [0,"__proto__","polluted"]: [{"__proto__":{"polluted":NEW}}]
    [{}] at [0,"constructor","prototype","x"]: [{"constructor":{"prototype":{"x":NEW}}}]
    [{}] at [0,"length"]: [{"length":NEW}]
    [{}] at [0,""]: [{"":NEW}]
    [{}] at [0,-1]: [{"-1":NEW}]
    [{}] at [0,"01"]: [{"01":NEW}]
    [{"0":1}] at [0,0]: [{"0":NEW}]
    "#);
}

#[test]
fn scalar_and_array_have_no_place_for_a_key() {
    insta::assert_snapshot!(table(&[
        ("[1]", "[]"),
        ("[1]", "[0,0]"),
        (r#"["text"]"#, "[0,0]"),
        (r#"["text"]"#, r#"[0,"length"]"#),
        ("[null]", r#"[0,"a"]"#),
        ("[false]", r#"[0,"a","b"]"#),
        (r#"["f"]"#, r#"[0,"prototype"]"#),
        (r#"[{"a":[true]}]"#, r#"[0,"a",0,"b"]"#),
        ("[1]", r#"["length"]"#),
        ("[1]", r#"["__proto__","x"]"#),
        ("[1]", r#"["01"]"#),
        ("[1]", r#"["-1"]"#),
        ("[1]", r#"["+0"]"#),
        ("[1]", r#"["1e0"]"#),
        ("[1]", r#"[" 0"]"#),
        ("[1]", r#"[""]"#),
        ("[1]", r#"["18446744073709551616"]"#),
        ("[1]", r#"["18446744073709551615"]"#),
    ]), @r#"
    [1] at []: 0 keys in; [1]
    [1] at [0,0]: 1 keys in; [1]
    ["text"] at [0,0]: 1 keys in; ["text"]
    ["text"] at [0,"length"]: 1 keys in; ["text"]
    [null] at [0,"a"]: 1 keys in; [null]
    [false] at [0,"a","b"]: 1 keys in; [false]
    ["f"] at [0,"prototype"]: 1 keys in; [function]
    [{"a":[true]}] at [0,"a",0,"b"]: 3 keys in; [{"a":[true]}]
    [1] at ["length"]: 0 keys in; [1]
    [1] at ["__proto__","x"]: 0 keys in; [1]
    [1] at ["01"]: 0 keys in; [1]
    [1] at ["-1"]: 0 keys in; [1]
    [1] at ["+0"]: 0 keys in; [1]
    [1] at ["1e0"]: 0 keys in; [1]
    [1] at [" 0"]: 0 keys in; [1]
    [1] at [""]: 0 keys in; [1]
    [1] at ["18446744073709551616"]: 0 keys in; [1]
    [1] at ["18446744073709551615"]: 0 keys in; [1]
    "#);
}

#[test]
fn array_grows_by_a_bounded_gap() {
    let (mut graph, root) = graph("[1,2]");
    let node = graph.add(Node::Leaf("NEW"));
    let at = |index: usize| Path::from_keys(vec![index.to_string().as_str().into()]);
    assert_eq!(at(2 + MAX_GAP + 1).place(&mut graph, root, node), Err(0));
    assert_eq!(graph.items(root).len(), 2);
    let nodes = graph.len();
    assert_eq!(at(2 + MAX_GAP).place(&mut graph, root, node), Ok(()));
    assert_eq!(graph.items(root).len(), 2 + MAX_GAP + 1);
    assert!(graph.items(root)[2..2 + MAX_GAP].iter().all(|&hole| *graph.node(hole) == Node::Missing));
    assert!(graph.len() <= nodes + 1, "a gap costs one node, however wide");
    // Filling a hole does not change its neighbours.
    let deep = Path::from_keys(vec!["5".into(), "x".into()]);
    assert_eq!(deep.place(&mut graph, root, node), Ok(()));
    assert_eq!(deep.resolve(&graph, root), Some(node));
    assert_eq!(*graph.node(at(4).resolve(&graph, root).unwrap()), Node::Missing);
    assert_eq!(*graph.node(at(6).resolve(&graph, root).unwrap()), Node::Missing);
    // Without a gap there is no hole.
    let nodes = graph.len();
    assert_eq!(at(0).place(&mut graph, root, node), Ok(()));
    assert_eq!(graph.len(), nodes);
}

#[test]
fn resolve_finds_own_members_only() {
    let (graph, root) = graph(r#"[{"a":[null,"text"],"":7,"length":3},"f"]"#);
    let there = |at: &str| path(at).resolve(&graph, root).map(|id| describe(&graph, id));
    for (at, expected) in [
        ("[]", Some(r#"[{"a":[null,"text"],"":7,"length":3},function]"#)),
        (r#"["0","a",1]"#, Some(r#""text""#)),
        (r#"[0,""]"#, Some("7")),
        (r#"[0,"length"]"#, Some("3")),
        ("[1]", Some("function")),
        (r#"["length"]"#, None),
        (r#"[0,"a","length"]"#, None),
        (r#"[0,"a",1,"length"]"#, None),
        (r#"[0,"a",1,0]"#, None),
        (r#"[0,"__proto__"]"#, None),
        (r#"[0,"a","00"]"#, None),
        ("[2]", None),
        ("[-1]", None),
        ("[1,0]", None),
    ] {
        assert_eq!(there(at).as_deref(), expected, "{at}");
    }
}

#[test]
fn path_is_displayed_as_code() {
    let shown = |json: &str| path(json).to_string();
    insta::assert_snapshot!(shown("[]"), @"arguments");
    insta::assert_snapshot!(shown(r#"[0,"inc","$x_1",12,"01","-1","a b","1a","","é","a\"b","\ud800"]"#), @r#"arguments[0].inc.$x_1[12]["01"]["-1"]["a b"]["1a"][""].é["a\"b"]["\ud800"]"#);
    assert_eq!(path("[0,1]").prefix(1), path("[0]"));
    assert_eq!(path("[0,1]").prefix(9), path("[0,1]"));
}

#[test]
fn indexes_are_strings_or_integers() {
    let path = path(r#"["0",12,"01","-1","+1","","a",4294967295,4294967296]"#);
    let written = [PathForm::Strings, PathForm::Integers].map(|form| {
        let mut out = Vec::new();
        path.write_json_as(form, &mut out);
        String::from_utf8(out).unwrap()
    });
    insta::assert_snapshot!(written.join("\n"), @r#"
    ["0","12","01","-1","+1","","a","4294967295","4294967296"]
    [0,12,"01","-1","+1","","a",4294967295,"4294967296"]
    "#);
}

#[test]
fn malformed_path_has_a_reason() {
    let error =
        |json: &str| Path::decode(Value::parse(json.as_bytes()).unwrap().root()).unwrap_err().to_string();
    let all = ["null", "{}", r#"["a",null]"#, "[[]]", "[{}]", "[0.5]", "[true]"].map(error).join("\n");
    insta::assert_snapshot!(all, @"
    a value of type null
    a value of type object
    an array whose element 1 is of type null, no key or index
    an array whose element 0 is of type array, no key or index
    an array whose element 0 is of type object, no key or index
    an array whose element 0 is of type number, no key or index
    an array whose element 0 is of type boolean, no key or index
    ");
}

/// All places that are reachable without a cycle, up to a depth, with their nodes.
fn places(graph: &Graph<crate::session::Function>, root: NodeId) -> Vec<(Vec<TextBuf>, NodeId)> {
    let mut found = vec![(Vec::new(), root)];
    let mut next = 0;
    while next < found.len() && found.len() < 300 {
        let (keys, at) = found[next].clone();
        let children: Vec<(TextBuf, NodeId)> = match graph.node(at) {
            Node::Array(items) => {
                items.iter().enumerate().map(|(n, &id)| (n.to_string().as_str().into(), id)).collect()
            }
            Node::Object(members) => members.iter().map(|(key, &id)| (key.clone(), id)).collect(),
            _ => Vec::new(),
        };
        found.extend(children.into_iter().map(|(key, id)| ([keys.clone(), vec![key]].concat(), id)));
        next += 1;
    }
    found
}

#[test]
fn place_in_a_cycle_may_cut_its_own_path() {
    let mut graph: Graph<crate::session::Function> = Graph::new();
    let around = graph.array([]);
    let root = graph.array([around]);
    if let Some(Node::Array(items)) = graph.node_mut(around) {
        items.push(around);
    }
    let node = graph.add(Node::Null);
    assert_eq!(path("[0,0,0]").place(&mut graph, root, node), Ok(()));
    assert_eq!(path("[0,0]").resolve(&graph, root), Some(node));
}

proptest! {
    #[test]
    fn place_changes_only_the_container(
        (mut graph, root) in sample::arguments(8, 3, 2),
        keys in prop::collection::vec(sample::text(), 0..4),
    ) {
        let (before, at) = (graph.clone(), Path::from_keys(keys.clone()));
        let node = graph.add(Node::Null);
        let outcome = at.place(&mut graph, root, node);
        let way: Vec<NodeId> = (0..keys.len()).filter_map(|n| at.prefix(n).resolve(&before, root)).collect();
        // Of the nodes that existed, only the last container on the path may have changed.
        let known = way.last().copied();
        // If the path runs through it before, in a cycle, the change may also cut the path.
        if way.iter().filter(|id| Some(**id) == known).count() < 2 {
            prop_assert_eq!(at.resolve(&graph, root) == Some(node), outcome.is_ok());
        }
        for (_, id) in places(&before, root) {
            if Some(id) != known {
                prop_assert_eq!(before.node(id), graph.node(id));
            }
        }
        if let Err(depth) = outcome {
            prop_assert!(depth < keys.len().max(1));
        }
    }

    #[test]
    fn written_text_is_read_back(keys in prop::collection::vec(sample::text(), 0..6)) {
        let path = Path::from_keys(keys);
        let mut json = Vec::new();
        path.write_json(&mut json);
        prop_assert_eq!(Path::decode(Value::parse(&json).unwrap().root()), Ok(path));
    }
}

/// `[{"name":"x","self":↑,"all":[↑ root]}]`, and its object.
fn cyclic() -> (Graph<String>, NodeId, NodeId) {
    let mut graph = Graph::new();
    let name = graph.string("x");
    let all = graph.array([]);
    let object = graph.object([("name", name), ("self", name), ("all", all)]);
    let root = graph.array([object]);
    if let Some(Node::Object(members)) = graph.node_mut(object) {
        members.insert("self".into(), object);
    }
    if let Some(Node::Array(items)) = graph.node_mut(all) {
        items.push(root);
    }
    (graph, root, object)
}

#[test]
fn a_cycle_is_a_reference_to_the_place_where_it_begins() {
    let (graph, root, object) = cyclic();
    let whole = Path::default().describe_cycle(&graph, root);
    assert_eq!(whole.as_deref(), Some(r#"[{"name":"x","self":↑ arguments[0],"all":[↑ arguments]}]"#));
    // What contains the described part is unrolled once.
    let part = Path::from_keys(vec!["0".into()]).describe_cycle(&graph, object);
    assert_eq!(part.as_deref(), Some(r#"{"name":"x","self":↑ arguments[0],"all":[[↑ arguments[0]]]}"#));
    assert!(describe(&graph, root).starts_with(r#"[{"name":"x","self":{"name":"x","self":{"#));
}

#[test]
fn a_shared_part_is_no_cycle() {
    let mut graph = Graph::<String>::new();
    let shared = graph.array([]);
    let root = graph.array([shared, shared]);
    assert_eq!(Path::default().describe_cycle(&graph, root), None);
    assert_eq!(describe(&graph, root), "[[],[]]");
}
