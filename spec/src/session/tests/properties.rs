//! Properties of sessions for any bytes, and for any two sessions that talk.

use super::*;
use crate::sample;
use proptest::prelude::*;
use proptest::sample::Index;

/// Lines that are valid, almost valid, or malformed.
fn line() -> impl Strategy<Value = String> {
    let id = prop::sample::select(vec!["0", "1", "2", "7", "-1", "01", "x", "99999999999999999999"]);
    let path =
        prop::sample::select(vec!["[0]", "[1]", "[0,\"a\"]", "[3,\"x\"]", "[]", "[1025]", "0", "[0.5]"]);
    let callback = (id, path.clone()).prop_map(|(id, path)| format!("\"{id}\":{path}"));
    let link = (path.clone(), path).prop_map(|(from, to)| format!("{{\"from\":{from},\"to\":{to}}}"));
    let method =
        prop::sample::select(vec!["0", "1", "\"f\"", "\"cull\"", "\"methods\"", "\"none\"", "5", "null"]);
    let arguments =
        prop::sample::select(vec!["[]", "[0,1]", "[{\"a\":[]},null]", "[\"x\",7,2]", "{}", "[{}]"]);
    let message =
        (method, arguments, prop::collection::vec(callback, 0..4), prop::collection::vec(link, 0..3))
            .prop_map(|(method, arguments, callbacks, links)| {
                format!(
                    "{{\"method\":{method},\"arguments\":{arguments},\"callbacks\":{{{}}},\"links\":[{}]}}",
                    callbacks.join(","),
                    links.join(",")
                )
            });
    prop_oneof![
        20 => message,
        1 => "[ -~]{0,20}",
        1 => prop::sample::select(vec!["", "{}", "[]", "{\"method\":", "\u{0}"]).prop_map(str::to_owned),
    ]
}

/// The events and output of a session with functions after these segments.
fn outcome(segments: &[&[u8]]) -> String {
    let (mut session, mut out) = fed(&[]);
    for segment in segments {
        session.feed(segment);
        out += &drained(&mut session);
    }
    session.end();
    out + &drained(&mut session)
}

fn cut<'b>(bytes: &'b [u8], cuts: &[Index]) -> Vec<&'b [u8]> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    ends.push(bytes.len());
    ends.sort_unstable();
    let starts = std::iter::once(0).chain(ends.clone());
    starts.zip(ends).map(|(start, end)| &bytes[start..end]).collect()
}

proptest! {
    #[test]
    fn segments_do_not_change_events_and_output(
        lines in prop::collection::vec(line(), 0..8),
        cuts in prop::collection::vec(any::<Index>(), 0..20),
    ) {
        let bytes = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let whole: String = outcome(&[bytes.as_bytes()]);
        // With more segments, events and output are drained more often. Each keeps its own order.
        let parts = |out: &str| -> [Vec<String>; 2] {
            let (sent, events) = out.lines().map(str::to_owned).partition(|line| line.starts_with("sends"));
            [sent, events]
        };
        prop_assert_eq!(parts(&outcome(&cut(bytes.as_bytes(), &cuts))), parts(&whole));
        prop_assert_eq!(parts(&outcome(&bytes.as_bytes().chunks(1).collect::<Vec<_>>())), parts(&whole));
    }

    #[test]
    fn any_bytes_are_safe(
        segments in prop::collection::vec(prop_oneof![
            prop::collection::vec(any::<u8>(), 0..40),
            line().prop_map(|line| format!("{line}\n").into_bytes()),
            "[\\[\\]{}\":,0-9a-z\\\\\n-]{0,40}".prop_map(String::into_bytes),
        ], 0..12),
    ) {
        let (mut session, _) = fed(&[]);
        for segment in &segments {
            session.feed(segment);
        }
        let fed: usize = segments.iter().map(Vec::len).sum();
        prop_assert!(session.held.len() * 4 <= fed, "{} ids held after {} bytes", session.held.len(), fed);
        prop_assert!(session.own.len() <= 2 + fed, "{} own functions after {} bytes", session.own.len(), fed);
        prop_assert!(session.events.len() + session.output.len() <= 1 + segments.concat().split(|&b| b == b'\n').count());
    }

    #[test]
    fn arguments_of_any_shape_arrive(arguments in sample::arguments(12, 3, 3)) {
        let mut talk = Talk::new([empty(), object(&[("f", 1)])]);
        talk.ends[0].call(&Method::named("f"), &arguments.0, arguments.1).unwrap();
        let events = talk.settle();
        let called = events.iter().find_map(|(_, event)| match event {
            Event::Called(Handle(1), graph, root) => Some((graph, *root)),
            _ => None,
        });
        let (graph, root) = called.ok_or_else(|| TestCaseError::fail("no call"))?;
        let own = &talk.ends[0].own;
        let judged = crate::compare::compare((&arguments.0, arguments.1), (graph, root), |function, at| {
            match graph.leaf(at) {
                Some(Function::Theirs(id)) if own.get(id) == Some(function) => Ok(()),
                _ => Err(function.to_string()),
            }
        });
        prop_assert_eq!(judged, Ok(()));
    }
}

/// An action of one of two ends, or of the wire.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    /// An end calls a function that it has seen, or the method "m". The arguments are functions of
    /// its own and some that it has seen.
    Call(usize, Option<Index>, Vec<Result<u64, Index>>),
    /// An end culls a function.
    Cull(usize, Index),
    /// The observer sees the next line of this end.
    Pass(usize),
    /// The next line of this end arrives.
    Arrive(usize),
}

pub(crate) fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let function = prop_oneof![(0..2u64).prop_map(Ok), any::<Index>().prop_map(Err)];
    let functions = prop::collection::vec(function, 0..4);
    let operation = prop_oneof![
        3 => (0..2usize, any::<Option<Index>>(), functions).prop_map(|(end, id, list)| Operation::Call(end, id, list)),
        2 => (0..2usize, any::<Index>()).prop_map(|(end, id)| Operation::Cull(end, id)),
        4 => (0..2usize).prop_map(Operation::Pass),
        4 => (0..2usize).prop_map(Operation::Arrive),
    ];
    prop::collection::vec(operation, 0..80)
}

/// The functions that each end knows. In the arguments, each function has a label with its end and
/// its handle.
pub(crate) struct Model {
    pub(crate) talk: Talk,
    /// The ids that each end has ever received, each with its last label.
    labels: [Vec<(Id, String)>; 2],
    /// The ids of each end for which a cull crossed a declaration.
    crossed: [HashSet<Id>; 2],
}

impl Model {
    /// A model in which the two ends count from these ids.
    pub(crate) fn new(first: [i64; 2]) -> Model {
        let ends = first.map(|first| {
            let mut session = Session::new(1 << 20);
            session.next_id = first;
            let (graph, object) = object(&[("m", 0)]);
            session.start(graph, object);
            session
        });
        Model { talk: Talk::of(ends), labels: Default::default(), crossed: Default::default() }
    }

    fn known(&self, end: usize, index: &Index) -> Option<(Id, String)> {
        let labels = &self.labels[end];
        (!labels.is_empty()).then(|| labels[index.index(labels.len())].clone())
    }

    /// Runs the operation. Gives the line that the observer has seen.
    pub(crate) fn run(&mut self, operation: &Operation) -> Option<(usize, Vec<u8>)> {
        match operation {
            Operation::Call(end, called, list) => self.call(*end, called.as_ref(), list),
            Operation::Cull(end, index) => self.cull(*end, index),
            Operation::Pass(from) => return Some((*from, self.talk.pass(*from)?)),
            Operation::Arrive(from) => {
                for event in self.talk.arrive(*from).into_iter().flatten() {
                    self.receive(1 - from, event);
                }
            }
        }
        (0..2).for_each(|owner| self.note_crossing(owner));
        None
    }

    fn call(&mut self, end: usize, called: Option<&Index>, list: &[Result<u64, Index>]) {
        let (method, label) = match called.and_then(|index| self.known(end, index)) {
            Some((id, label)) => (Method::Id(id), label),
            None => (Method::named("m"), format!("{} 0", 1 - end)),
        };
        let mut graph = Graph::new();
        let mut members = vec![graph.string(&label)];
        for function in list {
            let (function, label) = match function {
                Ok(handle) => (Function::Own(Handle(*handle)), format!("{end} {handle}")),
                Err(index) => match self.known(end, index) {
                    Some((id, label)) => (Function::Theirs(id), label),
                    None => continue,
                },
            };
            let (leaf, label) = (graph.add(Node::Leaf(function)), graph.string(&label));
            members.push(graph.array([leaf, label]));
        }
        let root = graph.array(members);
        let session = &mut self.talk.ends[end];
        let live = match &method {
            Method::Id(id) => session.held.contains(id),
            Method::Name(_) => true,
        };
        assert_eq!(session.call(&method, &graph, root).is_ok(), live);
    }

    fn cull(&mut self, end: usize, index: &Index) {
        let Some((id, _)) = self.known(end, index) else { return };
        let live = self.talk.ends[end].held.contains(&id);
        assert_eq!(self.talk.ends[end].cull(id).is_ok(), live);
    }

    /// Notes the ids of `owner` that have a declaration and a cull on the wire at the same time.
    fn note_crossing(&mut self, owner: usize) {
        let messages = |talk: &mut Talk, from: usize| -> Vec<(Vec<Id>, Vec<Id>)> {
            let lines: Vec<Vec<u8>> = talk.under_way(from).cloned().collect();
            let read = |line: Vec<u8>| {
                let mut monitor = crate::monitor::Monitor::new();
                let received = monitor.line(crate::monitor::End::A, &line).received.unwrap();
                (received.callbacks.into_iter().map(|(id, _)| id).collect(), received.culls)
            };
            lines.into_iter().map(read).collect()
        };
        let declared: HashSet<Id> =
            messages(&mut self.talk, owner).into_iter().flat_map(|(declared, _)| declared).collect();
        let culled = messages(&mut self.talk, 1 - owner).into_iter().flat_map(|(_, culled)| culled);
        self.crossed[owner].extend(culled.filter(|id| declared.contains(id)));
    }

    fn receive(&mut self, end: usize, event: Event) {
        match event {
            Event::Remote(graph, Some(object)) => {
                let id = graph.member(object, "m").and_then(|at| graph.leaf(at)).copied();
                let Some(Function::Theirs(id)) = id else { panic!("an object with a method") };
                self.learn(end, id, format!("{} 0", 1 - end));
            }
            Event::Called(Handle(handle), graph, root) => {
                let [label, given @ ..] = graph.items(root) else { panic!("a label") };
                assert_eq!(*graph.node(*label), Node::String(format!("{end} {handle}").as_str().into()));
                for pair in given {
                    let &[function, label] = graph.items(*pair) else { panic!("a pair") };
                    let (Some(Function::Theirs(id)), Node::String(label)) =
                        (graph.leaf(function), graph.node(label))
                    else {
                        panic!("a function and its label")
                    };
                    self.learn(end, *id, label.to_string());
                }
            }
            Event::Culled(..) => {}
            Event::Refused(problem) => assert_eq!(problem.clause, "callback/unknown-id"),
            other => panic!("{other:?}"),
        }
    }

    fn learn(&mut self, end: usize, id: Id, label: String) {
        match self.labels[end].iter_mut().find(|(known, _)| *known == id) {
            Some((_, known)) => assert_eq!(*known, label, "an id has one function"),
            None => self.labels[end].push((id, label)),
        }
    }

    /// Delivers all lines. Gives the lines that the observer has seen.
    pub(crate) fn settle(&mut self) -> Vec<(usize, Vec<u8>)> {
        let mut seen = Vec::new();
        while (0..2).any(|from| self.talk.under_way(from).next().is_some()) {
            for from in 0..2 {
                seen.extend(self.run(&Operation::Pass(from)));
                self.run(&Operation::Arrive(from));
            }
        }
        seen
    }

    fn assert_agreement(&self) {
        for owner in 0..2 {
            let (own, held) = (&self.talk.ends[owner].own, &self.talk.ends[1 - owner].held);
            for id in own.keys() {
                assert!(held.contains(id), "end {owner} keeps the unused id {id}");
            }
            for id in held.iter().filter(|id| !own.contains_key(id)) {
                assert!(
                    self.crossed[owner].contains(id),
                    "end {owner} has dropped {id}, which did not cross"
                );
            }
            let ids = &self.talk.ends[owner].ids;
            assert_eq!(ids.values().map(Vec::len).sum::<usize>(), own.len());
            for (id, function) in own {
                assert!(ids[function].contains(id) && ids[function].is_sorted());
            }
        }
    }
}

proptest! {
    #[test]
    fn both_ends_agree_on_the_held_functions(operations in operations(), first in prop::sample::select(vec![0, 1, 1000])) {
        let mut model = Model::new([0, first]);
        for operation in &operations {
            model.run(operation);
        }
        model.settle();
        model.assert_agreement();
    }
}
