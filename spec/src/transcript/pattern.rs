//! Messages of a transcript: made into bytes, or matched against what comes.

use super::bytes::Bytes;
use super::names::{Name, Names};
use super::parse_json;
use crate::dialect::Dialect;
use crate::graph::{Graph, Node, NodeId, compare, describe};
use crate::message::{Id, Link, Method, write_callbacks};
use crate::monitor::Received;
use crate::path::Path;
use crate::scrub::{Written, scrub};
use crate::text::{Text, TextBuf};
use crate::value::{Kind, Ref, Value};
use foldhash::{HashSet, HashSetExt};

/// What stands in the arguments of a transcript where the wire has a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// A function.
    Function(Name),
    /// Any value.
    Any,
    /// Any function.
    AnyFunction,
    /// Any value of this type.
    Type(Kind),
    /// The value of this JSON text, which names no functions.
    Json(Bytes),
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Mark::Function(name) => write!(f, "{name}"),
            Mark::Any => f.write_str("any value"),
            Mark::AnyFunction => f.write_str("a function"),
            Mark::Type(kind) => write!(f, "a value of type {}", kind.word()),
            Mark::Json(bytes) => {
                let text = written_out(bytes);
                let short = String::from_utf8_lossy(&text[..text.len().min(60)]).into_owned();
                write!(f, "{short}{}", if text.len() > 60 { "…" } else { "" })
            }
        }
    }
}

/// What a step calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Called {
    /// A function with a name in the transcript.
    Function(Name),
    /// A member of an object, or `methods` or `cull`.
    Member(TextBuf),
    /// Something that is no method: sent as it stands.
    Verbatim(Vec<u8>),
}

impl Called {
    /// Reads what `"call"` and `{"id": …}` say: `$word` or a member.
    pub(super) fn read(text: &str) -> Called {
        match text.strip_prefix('$') {
            Some(rest) if !rest.starts_with('$') => Called::Function(Name::Word(rest.to_owned())),
            Some(rest) => Called::Member(TextBuf::from(rest)),
            None => Called::Member(TextBuf::from(text)),
        }
    }
}

impl std::fmt::Display for Called {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Called::Function(name) => write!(f, "{name}"),
            Called::Member(key) => write!(f, "{}", key.as_text()),
            Called::Verbatim(text) => f.write_str(&String::from_utf8_lossy(text)),
        }
    }
}

/// A message of a transcript.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// What is called.
    pub called: Called,
    /// As written.
    source: Value<'static>,
    /// The values, with marks where names, matchers and callbacks stand and the links applied.
    graph: Graph<Mark>,
    root: NodeId,
    /// The functions that the message declares.
    declared: Vec<Name>,
    /// For `cull`: the functions that it names.
    culls: Vec<Name>,
    /// Whether the arguments can go out as they are written.
    verbatim: bool,
    /// Whether omitted fields go out as empty ones, as the reference sends them.
    complete: bool,
}

/// How a message differs from what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// It calls something else.
    Method,
    /// Its arguments differ.
    Arguments(Box<crate::graph::Difference>),
}

/// The explicit callbacks and links of a message.
type Places = (Vec<(Name, Path)>, Vec<Link>);

impl Pattern {
    /// Reads a message. `ours`: we send it.
    pub(super) fn read(json: &str, ours: bool) -> Result<Pattern, String> {
        let source = parse_json(json)?;
        if source.root().kind() != Kind::Object {
            return Err("a message is an object".to_owned());
        }
        let called = read_called(source.root().get("method"), ours);
        Pattern::assemble(called, source, ours)
    }

    /// A message made of what `call` says: `json` is an object with `arguments`, `callbacks`, `links`.
    pub(super) fn read_call(called: Called, json: &str) -> Result<Pattern, String> {
        let pattern = Pattern::assemble(called, parse_json(json)?, true)?;
        Ok(Pattern { complete: true, ..pattern })
    }

    /// A call of `called` with these arguments, written as in a transcript.
    ///
    /// # Errors
    /// What is wrong with the arguments.
    pub fn call(called: Called, arguments: &str) -> Result<Pattern, String> {
        Pattern::read_call(called, &format!("{{\"arguments\":{arguments}}}"))
    }

    fn assemble(called: Called, source: Value<'static>, ours: bool) -> Result<Pattern, String> {
        let mut graph = Graph::new();
        let (mut declared, mut error, mut verbatim) = (Vec::new(), None, true);
        let cull = matches!(&called, Called::Member(name) if name.as_text() == "cull");
        let mut culls = Vec::new();
        let root = match source.root().get("arguments") {
            Some(arguments) if arguments.kind() == Kind::Array && cull => {
                culls = arguments.items().filter_map(|id| read_name(id, !ours)).collect();
                graph.array([])
            }
            Some(arguments) if arguments.kind() == Kind::Array => graph.import(arguments, |value| {
                let node = read_mark(value).unwrap_or_else(|problem| {
                    error.get_or_insert(problem);
                    None
                })?;
                verbatim = false;
                match &node {
                    Node::Leaf(Mark::Function(name)) => declared.push(name.clone()),
                    Node::Leaf(Mark::Any | Mark::AnyFunction | Mark::Type(_)) if ours => {
                        error.get_or_insert("a matcher cannot be sent".to_owned());
                    }
                    _ => {}
                }
                Some(node)
            }),
            _ => graph.array([]),
        };
        if let Some(error) = error {
            return Err(error);
        }
        let mut pattern = Pattern { called, source, graph, root, declared, culls, verbatim, complete: false };
        let links = pattern.read_fields(ours);
        if !ours {
            pattern.apply(links?)?;
        }
        Ok(pattern)
    }

    /// Reads the explicit callbacks and links; what a peer could not send is an error only in what we expect.
    fn read_fields(&mut self, ours: bool) -> Result<Places, String> {
        let root = self.source.root();
        let mut callbacks = Vec::new();
        let mut problem = None;
        for (key, path) in root.get("callbacks").into_iter().flat_map(|callbacks| callbacks.members()) {
            match (read_key(key.to_str().unwrap_or_default(), ours), Path::decode(path)) {
                (Some(name), Ok(path)) => callbacks.push((name, path)),
                (Some(name), Err(_)) if ours => callbacks.push((name, Path::default())),
                _ => problem = Some(format!("the callback {key} cannot be expected")),
            }
        }
        self.declared.extend(callbacks.iter().map(|(name, _)| name.clone()));
        let mut links = Vec::new();
        for link in root.get("links").into_iter().flat_map(|links| links.items()) {
            let end = |name| link.get(name).and_then(|path| Path::decode(path).ok());
            match (end("from"), end("to")) {
                (Some(from), Some(to)) => links.push(Link { from, to }),
                _ => problem = Some("a link without from and to cannot be expected".to_owned()),
            }
        }
        problem.filter(|_| !ours).map_or(Ok((callbacks, links)), Err)
    }

    fn apply(&mut self, (callbacks, links): Places) -> Result<(), String> {
        let no_place = |path: &Path| format!("{path} is no place in the arguments");
        for (name, path) in callbacks {
            let leaf = self.graph.add(Node::Leaf(Mark::Function(name)));
            path.place(&mut self.graph, self.root, leaf).map_err(|_| no_place(&path))?;
        }
        for link in links {
            let node = link.from.resolve(&self.graph, self.root).ok_or_else(|| no_place(&link.from))?;
            link.to.place(&mut self.graph, self.root, node).map_err(|_| no_place(&link.to))?;
        }
        Ok(())
    }

    /// The functions that the message declares.
    #[must_use]
    pub fn declared(&self) -> &[Name] {
        &self.declared
    }

    /// The functions that the message culls.
    #[must_use]
    pub fn culls(&self) -> &[Name] {
        &self.culls
    }

    /// The members of the first argument that are functions: what our `methods` offers.
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

    /// The line, newline included, that this message is with the numbers of `names`. `method` is the text of the field.
    pub fn encode(&self, method: &[u8], names: &mut Names) -> Vec<u8> {
        let mut callbacks: Vec<(Id, Path)> = Vec::new();
        let mut used = HashSet::new();
        let arguments = if let Some(ids) = self.encode_culls(names) {
            Some(ids)
        } else if self.verbatim {
            self.source.root().get("arguments").map(|arguments| arguments.to_json())
        } else {
            let scrubbed = scrub(&self.graph, self.root, |mark| match mark {
                Mark::Function(name) => Written::Function(names.declare_once(name, &mut used)),
                Mark::Json(bytes) => Written::Json(written_out(bytes)),
                _ => Written::Json(b"null".to_vec()),
            });
            callbacks = scrubbed.callbacks;
            Some(scrubbed.arguments)
        };
        self.write_fields(method, arguments, &callbacks, names)
    }

    fn encode_culls(&self, names: &mut Names) -> Option<Vec<u8>> {
        if self.culls.is_empty() {
            return None;
        }
        let mut ids = Vec::new();
        for value in self.source.root().get("arguments")?.items() {
            let Some(name) = read_name(value, false) else {
                ids.push(String::from_utf8_lossy(&value.to_json()).into_owned());
                continue;
            };
            let known = match names.dialect {
                Dialect::V0_1 => names.our_number(&name),
                // Where all numbers of the name are culled, the latest is culled again.
                Dialect::V0_2 => {
                    names.callable(&name).or_else(|| names.number(&Called::Function(name.clone())))
                }
            };
            let id = known.or(match name {
                Name::Ours(id) | Name::Theirs(id) => Some(id),
                Name::Word(_) => None,
            });
            if let Some(id) = id {
                names.culled_by_us(id);
                ids.push(id.to_string());
            }
        }
        Some(format!("[{}]", ids.join(",")).into_bytes())
    }

    /// All fields in the order in which they are written; what a field lacks is added at the end.
    fn write_fields(
        &self,
        method: &[u8],
        arguments: Option<Vec<u8>>,
        callbacks: &[(Id, Path)],
        names: &mut Names,
    ) -> Vec<u8> {
        let root = self.source.root();
        let room = method.len() + arguments.as_ref().map_or(0, Vec::len) + 128;
        let mut line = Fields(Vec::with_capacity(room));
        if root.get("method").is_none() && !matches!(&self.called, Called::Verbatim(text) if text.is_empty())
        {
            line.field("method".into()).extend_from_slice(method);
        }
        let mut declares = !callbacks.is_empty();
        let mut empty = [("arguments", Some("[]")), ("callbacks", Some("{}")), ("links", Some("[]"))];
        for (n, (key, value)) in root.members().enumerate() {
            // Of a field that stands twice the last counts; the others go out as they are.
            let counts = root.members().skip(n + 1).all(|(later, _)| later != key);
            empty.iter_mut().filter(|(field, _)| key == *field).for_each(|(_, empty)| *empty = None);
            let out = line.field(key);
            match (key.to_str().filter(|_| counts), &arguments) {
                (Some("method"), _) => out.extend_from_slice(method),
                (Some("arguments"), Some(arguments)) => out.extend_from_slice(arguments),
                (Some("callbacks"), _) if value.kind() == Kind::Object => {
                    declares = false;
                    rename_callbacks(value, callbacks, names, out);
                }
                _ => value.write_json(out),
            }
        }
        if declares {
            write_callbacks(callbacks, names.path_form, line.field("callbacks".into()));
            empty[1].1 = None;
        }
        for (key, empty) in empty.iter().filter(|_| self.complete) {
            if let Some(empty) = empty {
                line.field((*key).into()).extend_from_slice(empty.as_bytes());
            }
        }
        line.end()
    }

    /// Whether `received` is this message; binds its functions in `names` where it is.
    ///
    /// # Errors
    /// What differs.
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
        let mut bound: Vec<(Name, Id)> = Vec::new();
        let fitted = self.without_other_members(received);
        let graph = fitted.as_ref().unwrap_or(&received.graph);
        let judged = compare((&self.graph, self.root), (graph, received.root), |mark, at| {
            judge(mark, graph, at, &mut bound)
        });
        judged.map_err(Mismatch::Arguments)?;
        for (name, id) in bound {
            names.bind(&name, id);
        }
        Ok(())
    }

    /// For `methods`: what came without the members that a transcript cannot know of.
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

    /// Whether a message with this method calls what this pattern calls.
    #[must_use]
    pub fn calls(&self, method: &Method, names: &Names) -> bool {
        let called = match method {
            Method::Id(id) => names.our_name(*id),
            Method::Name(key) => names.of_own_member(key),
        };
        match (&self.called, method) {
            // A number that nothing in the transcript binds stands for itself.
            (Called::Function(Name::Ours(id)), Method::Id(other)) if called.is_none() => id == other,
            (Called::Function(name), _) => called == Some(name),
            (Called::Member(wanted), Method::Name(key)) if wanted == key => true,
            (Called::Member(wanted), _) => called.is_some() && names.of_own_member(wanted) == called,
            (Called::Verbatim(_), _) => false,
        }
    }

    /// The message in one line, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        format!("a call of {} with {}", self.called, describe(&self.graph, self.root))
    }
}

fn judge(mark: &Mark, graph: &Graph<Id>, at: NodeId, bound: &mut Vec<(Name, Id)>) -> Result<(), String> {
    let fits = match mark {
        Mark::Any => true,
        Mark::AnyFunction => graph.leaf(at).is_some(),
        Mark::Function(name) => {
            bound.extend(graph.leaf(at).map(|id| (name.clone(), *id)));
            graph.leaf(at).is_some()
        }
        // A hole is null.
        Mark::Type(Kind::Null) => matches!(graph.node(at), Node::Null | Node::Missing),
        Mark::Type(kind) => crate::graph::class(graph, at) == kind.word(),
        Mark::Json(bytes) => {
            let text = written_out(bytes);
            let value = Value::parse(&text).map_err(|error| error.to_string())?;
            match (value.root().as_text(), graph.node(at)) {
                // A long one is not copied.
                (Some(expected), Node::String(actual)) => expected == actual.as_text(),
                _ => {
                    let mut expected: Graph<Mark> = Graph::new();
                    let root = expected.import(value.root(), |_| None);
                    compare((&expected, root), (graph, at), |_, _| Ok(())).is_ok()
                }
            }
        }
    };
    if fits { Ok(()) } else { Err(mark.to_string()) }
}

/// The text of a `?json`: that it names no functions was seen when it was read.
fn written_out(json: &Bytes) -> Vec<u8> {
    json.expand(&mut |_| None).unwrap_or_default()
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

/// A name in one of the places of ids: `$word`, or a natural number in the numbering of its owner.
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

/// What a value in the arguments means, where that is not itself.
fn read_mark(value: Ref<'_>) -> Result<Option<Node<Mark>>, String> {
    if value.kind() == Kind::Object && value.len() == 1 {
        let Some(json) = value.get("?json") else { return Ok(None) };
        let json = String::from_utf8(json.to_json()).map_err(|error| error.to_string())?;
        let bytes = Bytes::read(&json)?;
        // Written out to see whether it is JSON, and not kept: it may be long.
        let text = bytes.expand(&mut |_| None);
        let text = text.map_err(|called| format!("?json cannot hold the number of {called}"))?;
        Value::parse(&text).map_err(|error| format!("?json is not JSON: {error}"))?;
        return Ok(Some(Node::Leaf(Mark::Json(bytes))));
    }
    let Some(text) = value.as_text().and_then(|text| text.to_str()) else { return Ok(None) };
    let mark = match text.as_bytes() {
        [b'$', b'$', ..] | [b'?', b'?', ..] => return Ok(Some(Node::String(TextBuf::from(&text[1..])))),
        [b'$', ..] => Mark::Function(Name::Word(text[1..].to_owned())),
        [b'?', ..] => match &text[1..] {
            "any" => Mark::Any,
            "function" => Mark::AnyFunction,
            "null" => Mark::Type(Kind::Null),
            "boolean" => Mark::Type(Kind::Boolean),
            "number" => Mark::Type(Kind::Number),
            "string" => Mark::Type(Kind::String),
            "array" => Mark::Type(Kind::Array),
            "object" => Mark::Type(Kind::Object),
            _ => return Err(format!("{text} is no matcher; a string that starts so is written \"?{text}\"")),
        },
        _ => return Ok(None),
    };
    Ok(Some(Node::Leaf(mark)))
}

/// The `callbacks` field as written, with numbers for names, and what the arguments declare besides.
fn rename_callbacks(value: Ref<'_>, more: &[(Id, Path)], names: &mut Names, out: &mut Vec<u8>) {
    let mut used: HashSet<Id> = more.iter().map(|(id, _)| *id).collect();
    out.push(b'{');
    for (n, (key, path)) in value.members().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        match key.to_str().and_then(|key| read_key(key, true)) {
            Some(name @ Name::Word(_)) => {
                out.extend_from_slice(format!("\"{}\"", names.declare_once(&name, &mut used)).as_bytes());
            }
            Some(name) => out.extend_from_slice(format!("\"{}\"", names.declare(&name)).as_bytes()),
            None => key.write_json(out),
        }
        out.push(b':');
        path.write_json(out);
    }
    let mut rest = Vec::new();
    write_callbacks(more, names.path_form, &mut rest);
    if !value.is_empty() && !more.is_empty() {
        out.push(b',');
    }
    out.extend_from_slice(&rest[1..]);
}

/// An object of JSON that is being written.
struct Fields(Vec<u8>);

impl Fields {
    /// Writes the key of the next field; its value is to follow.
    fn field(&mut self, key: Text<'_>) -> &mut Vec<u8> {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        key.write_json(&mut self.0);
        self.0.push(b':');
        &mut self.0
    }

    /// The line, with its newline.
    fn end(mut self) -> Vec<u8> {
        if self.0.is_empty() {
            self.0.push(b'{');
        }
        self.0.extend_from_slice(b"}\n");
        self.0
    }
}
