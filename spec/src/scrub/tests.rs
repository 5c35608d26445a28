//! Round trips of values over the wire, and the cost of large messages.

use super::*;
use crate::compare::compare;
use crate::message::{self, Method};
use crate::sample::{self, tower, unscrubbed, wire};
use crate::session::{Arguments, Function, Handle};
use proptest::prelude::*;

/// Scrubs with ids from 0. Gives the function of each id too.
fn scrubbed((graph, root): &Arguments) -> (Scrubbed, Vec<Function>) {
    let mut functions = Vec::new();
    let scrubbed = scrub(graph, *root, |function| {
        functions.push(*function);
        Written::Function(Id(functions.len() as i64 - 1))
    });
    (scrubbed, functions)
}

fn line(scrubbed: &Scrubbed) -> String {
    let method = Method::named("m");
    let line = message::encode(&method, scrubbed.arguments.clone(), &scrubbed.callbacks, &scrubbed.links);
    String::from_utf8(line).unwrap()
}

fn is_below(from: &Path, to: &Path) -> bool {
    to.keys().len() > from.keys().len() && to.keys()[..from.keys().len()] == *from.keys()
}

/// Writes and reads the arguments, and compares the result.
fn assert_round_trip(arguments: &Arguments) -> Scrubbed {
    let (scrubbed, functions) = scrubbed(arguments);
    let (graph, root) = wire(&line(&scrubbed));
    let same = |function: &Function, at| match graph.leaf(at) {
        Some(Id(id)) if functions[*id as usize] == *function => Ok(()),
        _ => Err(function.to_string()),
    };
    assert_eq!(compare((&arguments.0, arguments.1), (&graph, root), same), Ok(()), "{}", line(&scrubbed));
    scrubbed
}

proptest! {
    #[test]
    fn scrubbed_arguments_are_read_back(arguments in sample::arguments(12, 4, 3)) {
        assert_round_trip(&arguments);
    }

    #[test]
    fn widely_shared_values_are_read_back(arguments in sample::arguments(40, 12, 2)) {
        assert_round_trip(&arguments);
    }

    #[test]
    fn small_graph_has_links_for_cycles_only(arguments in sample::arguments(5, 3, 2)) {
        for link in assert_round_trip(&arguments).links {
            prop_assert!(is_below(&link.from, &link.to), "{:?}", link);
        }
    }

    #[test]
    fn unscrub_places_everything_or_reports_it(
        arguments in prop::sample::select(vec!["[]", "[[],{}]", r#"[{"a":[null,"x",{"b":1}]},[[0]]]"#]),
        callbacks in prop::collection::vec(paths(), 0..6),
        links in prop::collection::vec((paths(), paths()), 0..6),
    ) {
        let callbacks: Vec<(Id, Path)> = (0..).map(Id).zip(callbacks).collect();
        let links = links.into_iter().map(|(from, to)| Link { from, to }).collect();
        let asked = Scrubbed { arguments: arguments.into(), callbacks, links };
        let Unscrubbed { graph, root, problems } = unscrubbed(&line(&asked));
        prop_assert!(matches!(graph.node(root), Node::Array(_)), "the list of arguments stays a list");
        prop_assert!(problems.len() <= asked.callbacks.len() + asked.links.len());
        assert_in_place(&asked, &graph, root, &problems)?;
        // Any result can be sent on, and stays the same.
        let mut values = Graph::new();
        let copy = carry(&graph, root, &mut values);
        assert_round_trip(&(values, copy));
    }
}

/// Each callback without a problem is in its place, unless a later write has replaced it; so is the
/// last link.
fn assert_in_place(
    asked: &Scrubbed,
    graph: &Graph<Id>,
    root: NodeId,
    problems: &[Problem],
) -> Result<(), TestCaseError> {
    let is_sound = |at: String| problems.iter().all(|problem| !problem.at.starts_with(&at));
    if let Some(Link { from, to }) = asked.links.last() {
        let is_kept = to != from && !is_below(to, from);
        if is_kept && is_sound(format!("links[{}]", asked.links.len() - 1)) {
            prop_assert!(to.resolve(graph, root).is_some());
            prop_assert_eq!(from.resolve(graph, root), to.resolve(graph, root));
        }
        return Ok(());
    }
    for (n, (id, path)) in asked.callbacks.iter().enumerate() {
        let is_kept =
            asked.callbacks[n + 1..].iter().all(|(_, later)| later != path && !is_below(later, path));
        if is_kept && is_sound(format!("callbacks[\"{id}\"]")) {
            let leaf = path.resolve(graph, root).and_then(|at| graph.leaf(at));
            prop_assert_eq!(leaf, Some(id), "at {}", path);
        }
    }
    Ok(())
}

fn paths() -> impl Strategy<Value = Path> {
    let keys = prop::sample::select(vec!["0", "1", "2", "a", "b", "length", "__proto__"]);
    prop::collection::vec(keys.prop_map(TextBuf::from), 1..4).prop_map(Path::from_keys)
}

/// Copies the graph, with own functions for ids.
fn carry(graph: &Graph<Id>, root: NodeId, into: &mut Graph<Function>) -> NodeId {
    let mut made: HashMap<NodeId, NodeId> = HashMap::from_iter([(root, into.add(Node::Null))]);
    let mut todo = vec![root];
    while let Some(at) = todo.pop() {
        let mut copy = |id: &NodeId| {
            *made.entry(*id).or_insert_with(|| {
                todo.push(*id);
                into.add(Node::Null)
            })
        };
        let node = match graph.node(at) {
            Node::Array(items) => Node::Array(items.iter().map(&mut copy).collect()),
            Node::Object(members) => {
                Node::Object(Box::new(members.iter().map(|(key, id)| (key.clone(), copy(id))).collect()))
            }
            Node::Leaf(Id(id)) => Node::Leaf(Function::Own(Handle(*id as u64))),
            Node::Missing => Node::Missing,
            Node::Null => Node::Null,
            Node::Boolean(value) => Node::Boolean(*value),
            Node::Number(text) => Node::Number(text.clone()),
            Node::String(text) => Node::String(text.clone()),
        };
        *into.node_mut(made[&at]).unwrap() = node;
    }
    made[&root]
}

#[test]
fn output_is_that_of_the_reference() {
    let mut graph = Graph::new();
    let function = graph.add(Node::Leaf(Function::Own(Handle(1))));
    let (hole, text) = (graph.add(Node::Missing), graph.string("a\"b"));
    let shared = graph.array([text, function]);
    let object = graph.object([("f", function), ("gone", hole), ("s", shared), ("t", shared)]);
    let Some(Node::Object(members)) = graph.node_mut(object) else { panic!() };
    members.insert("self".into(), object);
    let root = graph.array([hole, object, function]);
    let (scrubbed, functions) = scrubbed(&(graph, root));
    assert_eq!(functions.len(), 4);
    insta::assert_snapshot!(line(&scrubbed), @r#"{"method":"m","arguments":[null,{"f":"[Function]","s":["a\"b","[Function]"],"t":["a\"b","[Function]"],"self":"[Circular]"},"[Function]"],"callbacks":{"0":["1","f"],"1":["1","s","1"],"2":["1","t","1"],"3":["2"]},"links":[{"from":["1"],"to":["1","self"]}]}"#);
}

#[test]
fn shared_value_is_written_at_each_place() {
    let mut graph: Graph<Function> = Graph::new();
    let one = graph.number(1);
    let shared = graph.array([one]);
    let root = graph.array([shared, shared, shared]);
    let (scrubbed, _) = scrubbed(&(graph, root));
    assert_eq!((&*scrubbed.arguments, scrubbed.links.len()), (&b"[[1],[1],[1]]"[..], 0));
}

#[test]
fn each_place_counts_against_the_limit() {
    let mut graph: Graph<Function> = Graph::new();
    let one = graph.number(1);
    let shared = graph.array([one]);
    let root = graph.array([shared, shared, shared]);
    assert!(fits(&graph, root, 6) && !fits(&graph, root, 5), "three lists of one number");
}

#[test]
fn cycle_is_a_link_to_the_ancestor() {
    let (graph, root) = wire(
        r#"{"method":0,"arguments":[{"a":{"b":0,"c":0}}],"links":[{"from":[0],"to":[0,"a","b"]},{"from":[0,"a"],"to":[0,"a","c"]},
            {"from":[],"to":[1]}]}"#,
    );
    let scrubbed = scrub(&graph, root, |id| Written::Function(*id));
    insta::assert_snapshot!(line(&scrubbed), @r#"{"method":"m","arguments":[{"a":{"b":"[Circular]","c":"[Circular]"}},"[Circular]"],"callbacks":{},"links":[{"from":["0"],"to":["0","a","b"]},{"from":["0","a"],"to":["0","a","c"]},{"from":[],"to":["1"]}]}"#);
}

#[test]
fn text_is_written_unchanged() {
    let mut graph = Graph::new();
    let (one, two) = (graph.add(Node::Leaf("[")), graph.add(Node::Leaf("{}")));
    let object = graph.object([("a", one), ("b", two)]);
    let root = graph.array([one, two, object]);
    let scrubbed = scrub(&graph, root, |text| Written::Json(text.as_bytes().to_vec()));
    assert_eq!(scrubbed.arguments, br#"[[,{},{"a":[,"b":{}}]"#);
}

#[test]
fn exponential_graph_stays_small() {
    let mut graph = Graph::new();
    let function = graph.add(Node::Leaf(Function::Own(Handle(7))));
    let mut node = graph.array([function]);
    for _ in 0..40 {
        node = graph.array([node, node]);
    }
    let root = graph.array([node]);
    let bomb = (graph, root);
    let sent = assert_round_trip(&bomb);
    assert!(sent.arguments.len() < 2000);
    assert_eq!((sent.links.len(), sent.callbacks.len()), (40, 1));

    // The same graph, made by links in a short message.
    let links: Vec<String> =
        (0..40).flat_map(|n| [0, 1].map(|k| format!("{{\"from\":[{n}],\"to\":[{},{k}]}}", n + 1))).collect();
    let line =
        format!("{{\"method\":0,\"arguments\":[1{}],\"links\":[{}]}}", ",[]".repeat(40), links.join(","));
    let (graph, root) = wire(&line);
    let last = graph.items(root)[40];
    let mut values = Graph::new();
    let copy = carry(&graph, last, &mut values);
    let root = values.array([copy]);
    assert!(assert_round_trip(&(values, root)).arguments.len() < 2000);
}

#[test]
fn complete_graph_is_written_once() {
    let mut graph: Graph<Function> = Graph::new();
    let all: Vec<NodeId> = (0..60).map(|_| graph.array([])).collect();
    for &one in &all {
        *graph.node_mut(one).unwrap() = Node::Array(all.clone());
    }
    let root = graph.array([all[0]]);
    let sent = assert_round_trip(&(graph, root));
    assert_eq!(sent.links.len(), 60 * 60 + 1 - 60);
}

#[test]
fn links_are_applied_after_callbacks_in_order() {
    let shown = |line: &str| {
        let (graph, root) = wire(line);
        describe(&graph, root)
    };
    let chain = |first: &str, second: &str| {
        shown(&format!("{{\"method\":0,\"arguments\":[\"x\",0,0],\"links\":[{first},{second}]}}"))
    };
    let (one, two) = (r#"{"from":[0],"to":[1]}"#, r#"{"from":[1],"to":[2]}"#);
    assert_eq!(chain(one, two), r#"["x","x","x"]"#);
    assert_eq!(chain(two, one), r#"["x","x",0]"#);
    let function = r#"{"method":0,"arguments":[0,1],"links":[{"from":[0],"to":[1]}],"callbacks":{"5":[0]}}"#;
    assert_eq!(shown(function), "[5,5]");
    let over = r#"{"method":0,"arguments":["x",0],"callbacks":{"5":[1]},"links":[{"from":[0],"to":[1]}]}"#;
    assert_eq!(shown(over), r#"["x","x"]"#);
}

#[test]
fn path_without_a_place_is_a_problem() {
    let shown = |line: &str| {
        let Unscrubbed { graph, root, problems } = unscrubbed(line);
        let problems = problems.into_iter().map(|Problem { clause, at, expected, actual, refused }| {
            let weight = if refused { "refused" } else { "tolerated" };
            format!("\n  {weight} {clause} at `{at}`: expected {expected}, got {actual}")
        });
        format!("{}{}\n", describe(&graph, root), problems.collect::<String>())
    };
    let lines = [
        r#"{"method":0,"arguments":["text"],"callbacks":{"3":[0,"x"]}}"#,
        r#"{"method":0,"arguments":[{"a":null}],"callbacks":{"3":[0,"a","b","c"]}}"#,
        r#"{"method":0,"callbacks":{"3":["length"]}}"#,
        r#"{"method":0,"callbacks":{"3":[2000]}}"#,
        r#"{"method":0,"callbacks":{"3":[0],"4":[0,"within"]}}"#,
        r#"{"method":0,"arguments":["x",1],"links":[{"from":[7,"a"],"to":[1]}]}"#,
        r#"{"method":0,"arguments":["x",1],"callbacks":{"0":[3]},"links":[{"from":[2],"to":[1]}]}"#,
        r#"{"method":0,"arguments":["x",1],"links":[{"from":[0,"length"],"to":[1]}]}"#,
        r#"{"method":0,"arguments":["x",1],"links":[{"from":[0],"to":[1,"beneath"]}]}"#,
        r#"{"method":0,"arguments":["x",1],"links":[{"from":[0],"to":[]}]}"#,
        r#"{"method":0,"arguments":[{}],"links":[{"from":[0],"to":[0,"a"]},{"from":[0,"b"],"to":[0,"c"]},{"from":[0,"a","a"],"to":[1]}]}"#,
    ];
    insta::assert_snapshot!(lines.map(shown).concat(), @r#"
    ["text"]
      refused callback/path-place at `callbacks["3"]`: expected a path to a place that is there or can be made, got arguments[0].x, but arguments[0] is "text"
    [{"a":null}]
      refused callback/path-place at `callbacks["3"]`: expected a path to a place that is there or can be made, got arguments[0].a.b.c, but arguments[0].a is null
    []
      refused callback/path-place at `callbacks["3"]`: expected a path to a place that is there or can be made, got arguments.length, but arguments is []
    []
      refused callback/path-place at `callbacks["3"]`: expected a path to a place that is there or can be made, got arguments[2000], but arguments is []
    [3]
      refused callback/path-place at `callbacks["4"]`: expected a path to a place that is there or can be made, got arguments[0].within, but arguments[0] is 3
    ["x",1]
      tolerated link/from-place at `links[0].from`: expected a path to a value, got arguments[7].a, where nothing is
    ["x",1,nothing,0]
      tolerated link/from-place at `links[0].from`: expected a path to a value, got arguments[2], where nothing is
    ["x",1]
      tolerated link/from-place at `links[0].from`: expected a path to a value, got arguments[0].length, where nothing is
    ["x",1]
      refused link/to-place at `links[0].to`: expected a path to a place that is there or can be made, got arguments[1].beneath, but arguments[1] is 1
    ["x",1]
      refused link/to-place at `links[0].to`: expected a path to a place that is there or can be made, got arguments, but arguments is ["x",1]
    [{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a"…
      tolerated link/from-place at `links[1].from`: expected a path to a value, got arguments[0].b, where nothing is
    "#);
}

#[test]
fn hundred_thousand_of_each_take_linear_time() {
    const COUNT: usize = 100_000;
    let callbacks: Vec<String> = (0..COUNT).map(|n| format!("\"{n}\":[0,{n}]")).collect();
    let links: Vec<String> =
        (0..COUNT).map(|n| format!("{{\"from\":[0,{n}],\"to\":[1,\"k{n}\"]}}")).collect();
    let line = format!(
        "{{\"method\":0,\"arguments\":[[],{{}}],\"callbacks\":{{{}}},\"links\":[{}]}}",
        callbacks.join(","),
        links.join(",")
    );
    let (graph, root) = wire(&line);
    let [list, object] = *graph.items(root) else { panic!() };
    assert_eq!(graph.items(list).len(), COUNT);
    assert_eq!(graph.member(object, "k99999").and_then(|at| graph.leaf(at)), Some(&Id(99_999)));
    let sent = scrub(&graph, root, |id| Written::Function(*id));
    assert_eq!((sent.callbacks.len(), sent.links.len()), (2 * COUNT, 0));
}

#[test]
fn many_problems_with_one_long_text_take_linear_memory() {
    const COUNT: usize = 50_000;
    let beneath: Vec<String> = (0..COUNT).map(|n| format!("\"{n}\":[0,0]")).collect();
    let text = "\\n".repeat(1_000_000);
    for arguments in
        [format!("[\"{text}\"]"), format!("[{}]", "1".repeat(1_000_000)), format!("[{{\"{text}\":1}}]")]
    {
        let line =
            format!("{{\"method\":0,\"arguments\":{arguments},\"callbacks\":{{{}}}}}", beneath.join(","));
        let problems = unscrubbed(&line).problems;
        assert!(problems.iter().all(|problem| problem.actual.len() < 300));
        if !arguments.starts_with("[{") {
            assert_eq!(problems.len(), COUNT);
        }
    }
}

#[test]
fn wide_gaps_need_little_memory() {
    // Each callback extends the list by the largest gap: 10,000 of them in 200 kB.
    let far: Vec<String> =
        (1..=10_000).map(|n| format!("\"{n}\":[{}]", n * (crate::path::MAX_GAP + 1) - 1)).collect();
    let line = format!("{{\"method\":0,\"callbacks\":{{{}}}}}", far.join(","));
    let (graph, root) = wire(&line);
    assert_eq!(graph.items(root).len(), 10_000 * (crate::path::MAX_GAP + 1));
    assert!(graph.len() <= 2 * 10_000 + 1, "{} nodes", graph.len());
}

#[test]
fn deep_links_are_written_and_read() {
    let mut graph: Graph<Function> = Graph::new();
    let bottom = graph.array([]);
    let top = tower(&mut graph, 2000, bottom);
    if let Some(Node::Array(items)) = graph.node_mut(bottom) {
        items.extend([top, bottom]);
    }
    let root = graph.array([top]);
    let sent = assert_round_trip(&(graph, root));
    assert_eq!(sent.links.len(), 2);
}
