//! Messages of a transcript: read from their text, and matched against received messages.

mod encode;

use super::error::Fault;
use super::mark::Mark;
use super::names::{Called, Name, Names};
use crate::compare::{Difference, compare};
use crate::graph::{Graph, Node, NodeId, describe};
use crate::message::{Id, Link, Method};
use crate::monitor::Received;
use crate::path::Path;
use crate::text::TextBuf;
use crate::value::{Kind, Ref, Value};

/// A message of a transcript.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// The function or method that it calls.
    pub called: Called,
    /// The message as it is written.
    source: Value<'static>,
    /// The values, with marks in the places of names, matchers and callbacks, and with the links in
    /// place.
    graph: Graph<Mark>,
    root: NodeId,
    /// The functions that the message declares.
    declared: Vec<Name>,
    /// The functions that a `cull` names.
    culls: Vec<Name>,
    /// Whether an expectation takes any arguments.
    any_arguments: bool,
    /// Whether the arguments can go out as they are written.
    verbatim: bool,
    /// Whether omitted fields go out as empty ones, as the reference sends them.
    complete: bool,
}

/// How a message differs from the expected one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// It calls something else.
    Method,
    /// Its arguments differ.
    Arguments(Box<Difference>),
}

/// The explicit callbacks and links of a message.
type Places = (Vec<(Name, Path)>, Vec<Link>);

impl Pattern {
    /// Reads a message. `ours`: we send it.
    pub(super) fn read(json: &str, ours: bool) -> Result<Pattern, Fault> {
        let source = parse(json)?;
        if source.root().kind() != Kind::Object {
            return Err(Fault::Message);
        }
        let called = read_called(source.root().get("method"), ours);
        Pattern::assemble(called, source, ours)
    }

    /// Makes the message of a `call`. `json` is an object with `arguments`, `callbacks` and
    /// `links`.
    pub(super) fn read_call(called: Called, json: &str) -> Result<Pattern, Fault> {
        let pattern = Pattern::assemble(called, parse(json)?, true)?;
        Ok(Pattern { complete: true, ..pattern })
    }

    /// A call of `called` with these arguments, a JSON array that is written as in a transcript.
    ///
    /// # Errors
    /// The fault of the arguments. The caller is at fault.
    pub fn call(called: Called, arguments: &str) -> Result<Pattern, Fault> {
        Pattern::read_call(called, &format!("{{\"arguments\":{arguments}}}"))
    }

    fn assemble(called: Called, source: Value<'static>, ours: bool) -> Result<Pattern, Fault> {
        let arguments = source.root().get("arguments").filter(|arguments| arguments.kind() == Kind::Array);
        let is_cull = matches!(&called, Called::Member(name) if name.as_text() == "cull");
        let culls = arguments.filter(|_| is_cull).into_iter().flat_map(Ref::items);
        let culls = culls.filter_map(|id| read_name(id, !ours)).collect();
        let mut graph = Graph::new();
        let (mut declared, mut verbatim) = (Vec::new(), true);
        let root = match arguments.filter(|_| !is_cull) {
            Some(arguments) => {
                let (root, marks) = import(&mut graph, arguments, ours)?;
                verbatim = marks.is_empty();
                declared.extend(marks.into_iter().flatten());
                root
            }
            None => graph.array([]),
        };
        let written = source.root().get("arguments").and_then(Ref::as_text);
        let any_arguments = !ours && written.is_some_and(|text| text.to_str() == Some("?any"));
        let mut pattern = Pattern {
            called,
            source,
            graph,
            root,
            declared,
            culls,
            any_arguments,
            verbatim,
            complete: false,
        };
        let places = pattern.read_places(ours);
        if !ours {
            pattern.apply(places?)?;
        }
        Ok(pattern)
    }

    /// Reads the explicit callbacks and links. A malformed one is an error in an expectation; we
    /// may send it.
    fn read_places(&mut self, ours: bool) -> Result<Places, Fault> {
        let root = self.source.root();
        let mut callbacks = Vec::new();
        let mut fault = None;
        for (key, path) in root.get("callbacks").into_iter().flat_map(Ref::members) {
            match (read_key(key.to_str().unwrap_or_default(), ours), Path::decode(path)) {
                (Some(name), Ok(path)) => callbacks.push((name, path)),
                (Some(name), Err(_)) if ours => callbacks.push((name, Path::default())),
                _ => fault = Some(Fault::Callback(key.to_string())),
            }
        }
        self.declared.extend(callbacks.iter().map(|(name, _)| name.clone()));
        let mut links = Vec::new();
        for link in root.get("links").into_iter().flat_map(Ref::items) {
            let end = |name| link.get(name).and_then(|path| Path::decode(path).ok());
            match (end("from"), end("to")) {
                (Some(from), Some(to)) => links.push(Link { from, to }),
                _ => fault = Some(Fault::Link),
            }
        }
        fault.filter(|_| !ours).map_or(Ok((callbacks, links)), Err)
    }

    fn apply(&mut self, (callbacks, links): Places) -> Result<(), Fault> {
        for (name, path) in callbacks {
            let leaf = self.graph.add(Node::Leaf(Mark::Function(name)));
            let placed = path.place(&mut self.graph, self.root, leaf);
            placed.map_err(|_| Fault::NoPlace(path))?;
        }
        for Link { from, to } in links {
            let node = from.resolve(&self.graph, self.root).ok_or(Fault::NoPlace(from))?;
            let placed = to.place(&mut self.graph, self.root, node);
            placed.map_err(|_| Fault::NoPlace(to))?;
        }
        Ok(())
    }

    /// The arguments, as they are written in the transcript.
    pub fn arguments(&self) -> impl Iterator<Item = Ref<'_>> {
        self.source.root().get("arguments").into_iter().flat_map(Ref::items)
    }

    /// The functions that the message declares.
    #[must_use]
    pub fn declared(&self) -> &[Name] {
        &self.declared
    }

    /// The functions that a `cull` names; empty for any other message.
    #[must_use]
    pub fn culls(&self) -> &[Name] {
        &self.culls
    }

    /// The members of the first argument that are functions. For our `methods`, these are the
    /// methods that we offer.
    #[must_use]
    pub fn members(&self) -> Vec<(String, Name)> {
        let object = self.graph.items(self.root).first().map(|&id| self.graph.node(id));
        let Some(Node::Object(members)) = object else { return Vec::new() };
        let functions = members.iter().filter_map(|(key, &id)| match self.graph.leaf(id) {
            Some(Mark::Function(name)) => Some((key.as_text().to_str()?.to_owned(), name.clone())),
            _ => None,
        });
        functions.collect()
    }

    /// Checks whether `received` is this message. If it is, binds its functions in `names`.
    ///
    /// # Errors
    /// The first difference. The peer is at fault.
    pub fn check(&self, received: &Received, names: &mut Names) -> Result<(), Mismatch> {
        if !self.calls(&received.method, names) {
            return Err(Mismatch::Method);
        }
        if !self.culls.is_empty() {
            let named = |(name, id): (&Name, &Id)| names.is_theirs(name, *id);
            let fits =
                self.culls.len() == received.culls.len() && self.culls.iter().zip(&received.culls).all(named);
            return if fits { Ok(()) } else { Err(Mismatch::Method) };
        }
        if self.any_arguments {
            return Ok(());
        }
        let mut bound: Vec<(Name, Id)> = Vec::new();
        let fitted = self.without_other_members(received);
        let graph = fitted.as_ref().unwrap_or(&received.graph);
        let judged = compare((&self.graph, self.root), (graph, received.root), |mark, at| {
            mark.check(graph, at, &mut bound)
        });
        judged.map_err(Mismatch::Arguments)?;
        for (name, id) in bound {
            names.bind(&name, id);
        }
        Ok(())
    }

    /// For `methods`: the received message without the members that a transcript cannot know.
    fn without_other_members(&self, received: &Received) -> Option<Graph<Id>> {
        let expected = *self.graph.items(self.root).first().filter(|_| received.method.is("methods"))?;
        let Node::Object(known) = self.graph.node(expected) else { return None };
        let object = *received.graph.items(received.root).first()?;
        let mut graph = received.graph.clone();
        if let Some(Node::Object(members)) = graph.node_mut(object) {
            members.retain(|key, _| known.contains_key(key));
        }
        Some(graph)
    }

    /// Whether a message with this method calls what this pattern calls. The names of the protocol
    /// call no member of an object.
    #[must_use]
    pub fn calls(&self, method: &Method, names: &Names) -> bool {
        let is_reserved = |key: &TextBuf| *key == "methods" || *key == "cull";
        let called = match method {
            Method::Id(id) => names.our_name(*id),
            Method::Name(key) => names.of_own_member(key).filter(|_| !is_reserved(key)),
        };
        match (&self.called, method) {
            // A number that no step binds stands for itself.
            (Called::Function(Name::Ours(id)), Method::Id(other)) if called.is_none() => id == other,
            (Called::Function(name), _) => called == Some(name),
            (Called::Member(wanted), Method::Name(key)) if wanted == key => true,
            (Called::Member(wanted), _) if is_reserved(wanted) => false,
            (Called::Member(wanted), _) => called.is_some() && names.of_own_member(wanted) == called,
            (Called::Verbatim(_), _) => false,
        }
    }

    /// The arguments in one line, as a JSON array. A part that contains itself is a reference.
    #[must_use]
    pub fn describe_arguments(&self) -> String {
        let cyclic = Path::default().describe_cycle(&self.graph, self.root);
        cyclic.unwrap_or_else(|| describe(&self.graph, self.root))
    }

    /// The message in one line, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        match self.any_arguments {
            true => format!("a call of {} with any arguments", self.called),
            false => format!("a call of {} with {}", self.called, describe(&self.graph, self.root)),
        }
    }

    /// The message with references, if its arguments have a cycle: see [`Path::describe_cycle`].
    #[must_use]
    pub fn describe_cycle(&self) -> Option<String> {
        let arguments = Path::default().describe_cycle(&self.graph, self.root)?;
        (!self.any_arguments).then(|| format!("a call of {} with {arguments}", self.called))
    }
}

fn parse(json: &str) -> Result<Value<'static>, Fault> {
    Value::parse(json.as_bytes()).map(Value::into_owned).map_err(Fault::MessageJson)
}

/// Imports the arguments, with marks. Gives their node, and for each mark or escaped text the
/// function that it is.
fn import(
    graph: &mut Graph<Mark>,
    arguments: Ref<'_>,
    ours: bool,
) -> Result<(NodeId, Vec<Option<Name>>), Fault> {
    let (mut marks, mut fault) = (Vec::new(), None);
    let root = graph.import(arguments, |value| {
        let node = Mark::read(value).unwrap_or_else(|found| {
            fault.get_or_insert(found);
            None
        })?;
        marks.push(match &node {
            Node::Leaf(Mark::Function(name)) => Some(name.clone()),
            _ => None,
        });
        if ours && matches!(&node, Node::Leaf(mark) if mark.is_matcher()) {
            fault.get_or_insert(Fault::SentMatcher);
        }
        Some(node)
    });
    fault.map_or(Ok((root, marks)), Err)
}

fn read_called(method: Option<Ref<'_>>, ours: bool) -> Called {
    let Some(method) = method else { return Called::Verbatim(Vec::new()) };
    if let Some(text) = method.as_text() {
        return match text.to_str() {
            Some(text) => Called::read(text),
            None => Called::Member(text.to_owned()),
        };
    }
    match read_name(method, !ours) {
        Some(name) => Called::Function(name),
        None => Called::Verbatim(method.to_json()),
    }
}

/// Reads a name in the place of an id: `$word`, or a natural number in the numbering of its owner.
fn read_name(value: Ref<'_>, ours: bool) -> Option<Name> {
    if let Some(text) = value.as_text() {
        return text.to_str()?.strip_prefix('$').map(|word| Name::Word(word.to_owned()));
    }
    let id = Id::from_key(value.as_number()?.text()).filter(|id| id.0 >= 0)?;
    Some(if ours { Name::Ours(id) } else { Name::Theirs(id) })
}

fn read_key(key: &str, ours: bool) -> Option<Name> {
    if let Some(word) = key.strip_prefix('$') {
        return Some(Name::Word(word.to_owned()));
    }
    let id = Id::from_key(key).filter(|id| id.0 >= 0)?;
    Some(if ours { Name::Ours(id) } else { Name::Theirs(id) })
}
