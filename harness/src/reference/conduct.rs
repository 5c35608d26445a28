//! Conducts: how a served peer differs from the plain reference peer.
//!
//! A conduct sits between the wire and the session. It rewrites incoming segments and lines, and
//! outgoing lines. A [fault](super::fault) is a conduct that breaks a clause; a
//! [variant](super::variant) breaks none. A line that a conduct cannot parse passes unchanged.

use std::time::Duration;

/// A message as a conduct sees it.
pub type Json = serde_json::Value;

/// The exit status of a peer whose fault is to crash.
pub(super) const DIED: i32 = 70;

/// The peer's reaction to an incoming line.
#[derive(Debug, Clone, PartialEq)]
pub enum Reaction {
    /// It passes this line to the session.
    Pass(Vec<u8>),
    /// It sends this message at once, in addition to those of the session.
    Answer(Json),
    /// It closes the connection.
    Close,
    /// It keeps the connection open and ignores everything that arrives on it.
    Deaf,
    /// Its process exits.
    Crash,
    /// It stops serving all connections.
    Hang,
}

/// How a peer behaves on one connection.
pub trait Conduct: Send {
    /// Bytes as they arrived.
    fn segment(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }

    /// An incoming line, without its newline.
    fn receive(&mut self, line: Vec<u8>) -> Vec<Reaction> {
        vec![Reaction::Pass(line)]
    }

    /// An outgoing line, with its newline.
    fn send(&mut self, line: Vec<u8>) -> Vec<Vec<u8>> {
        vec![line]
    }

    /// The other end closed its sending half; `rest` is the bytes after the last newline. Returns a
    /// line for the session, if any, and bytes to send before closing.
    fn end(&mut self, _rest: &[u8]) -> (Option<Vec<u8>>, Vec<u8>) {
        (None, Vec::new())
    }

    /// How long to delay the answers. Each stands with the number of the line that caused it.
    fn hold(&mut self, _answers: &mut Vec<(u64, Vec<u8>)>) -> Option<Duration> {
        None
    }

    /// How long to wait for more lines before the kept ones are handled; `None` if none are kept.
    fn keeps(&self) -> Option<Duration> {
        None
    }

    /// Handles the kept lines.
    fn release(&mut self) -> Vec<Reaction> {
        Vec::new()
    }

    /// Whether delayed answers are lost when the other end closes its sending half.
    fn loses_held(&self) -> bool {
        false
    }

    /// The size of the pieces in which lines are written, in bytes.
    fn piece(&self) -> Option<usize> {
        None
    }

    /// Whether it drops what the other end does not read at once.
    fn drops_unread(&self) -> bool {
        false
    }

    /// Whether the process exits when a connection is reset.
    fn dies_of_resets(&self) -> bool {
        false
    }

    /// Whether a second connection is served only after the first has ended.
    fn one_at_a_time(&self) -> bool {
        false
    }
}

/// The plain reference peer.
pub struct Plain;

impl Conduct for Plain {}

/// A conduct made of one function over incoming messages.
pub struct OnReceive<F>(pub F);

impl<F: FnMut(&mut Json) -> Vec<Reaction> + Send> Conduct for OnReceive<F> {
    fn receive(&mut self, line: Vec<u8>) -> Vec<Reaction> {
        let Ok(mut message) = serde_json::from_slice(&line) else { return vec![Reaction::Pass(line)] };
        (self.0)(&mut message)
    }
}

/// A conduct made of one function over outgoing messages.
pub struct OnSend<F>(pub F);

impl<F: FnMut(&mut Json) -> Vec<Json> + Send> Conduct for OnSend<F> {
    fn send(&mut self, line: Vec<u8>) -> Vec<Vec<u8>> {
        let Ok(mut message) = serde_json::from_slice(&line) else { return vec![line] };
        (self.0)(&mut message).iter().map(line_of).collect()
    }
}

/// A conduct made of two functions that share a state: one over incoming, one over outgoing
/// messages.
pub struct Both<S, H, W> {
    /// The shared state.
    pub state: S,
    /// Over incoming messages.
    pub receive: H,
    /// Over outgoing messages.
    pub send: W,
}

impl<S, H, W> Conduct for Both<S, H, W>
where
    S: Send,
    H: FnMut(&mut S, &mut Json) -> Vec<Reaction> + Send,
    W: FnMut(&mut S, &mut Json) -> Vec<Json> + Send,
{
    fn receive(&mut self, line: Vec<u8>) -> Vec<Reaction> {
        let Ok(mut message) = serde_json::from_slice(&line) else { return vec![Reaction::Pass(line)] };
        (self.receive)(&mut self.state, &mut message)
    }

    fn send(&mut self, line: Vec<u8>) -> Vec<Vec<u8>> {
        let Ok(mut message) = serde_json::from_slice(&line) else { return vec![line] };
        (self.send)(&mut self.state, &mut message).iter().map(line_of).collect()
    }
}

/// A conduct that ignores the lines that match a predicate.
pub struct Ignores<F>(pub F);

impl<F: FnMut(&[u8]) -> bool + Send> Conduct for Ignores<F> {
    fn receive(&mut self, line: Vec<u8>) -> Vec<Reaction> {
        if (self.0)(&line) { Vec::new() } else { vec![Reaction::Pass(line)] }
    }
}

/// Several conducts. An incoming line passes through the first one first, an outgoing line passes
/// through it last.
pub struct Chain(pub Vec<Box<dyn Conduct>>);

impl Conduct for Chain {
    fn segment(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        self.0.iter_mut().fold(bytes, |bytes, conduct| conduct.segment(bytes))
    }

    fn receive(&mut self, line: Vec<u8>) -> Vec<Reaction> {
        self.pass_on(0, vec![Reaction::Pass(line)])
    }

    fn send(&mut self, line: Vec<u8>) -> Vec<Vec<u8>> {
        self.0.iter_mut().rev().fold(vec![line], |lines, conduct| {
            lines.into_iter().flat_map(|line| conduct.send(line)).collect()
        })
    }

    fn hold(&mut self, answers: &mut Vec<(u64, Vec<u8>)>) -> Option<Duration> {
        self.0.iter_mut().filter_map(|conduct| conduct.hold(answers)).max()
    }

    fn keeps(&self) -> Option<Duration> {
        self.0.iter().filter_map(|conduct| conduct.keeps()).max()
    }

    fn release(&mut self) -> Vec<Reaction> {
        let mut all = Vec::new();
        for at in 0..self.0.len() {
            let released = self.0[at].release();
            all.append(&mut self.pass_on(at + 1, released));
        }
        all
    }

    fn end(&mut self, rest: &[u8]) -> (Option<Vec<u8>>, Vec<u8>) {
        let ends: Vec<_> = self.0.iter_mut().map(|conduct| conduct.end(rest)).collect();
        let (lines, last_words): (Vec<_>, Vec<_>) = ends.into_iter().unzip();
        (lines.into_iter().flatten().next(), last_words.concat())
    }

    fn loses_held(&self) -> bool {
        self.0.iter().any(|conduct| conduct.loses_held())
    }

    fn piece(&self) -> Option<usize> {
        self.0.iter().filter_map(|conduct| conduct.piece()).min()
    }

    fn drops_unread(&self) -> bool {
        self.0.iter().any(|conduct| conduct.drops_unread())
    }

    fn dies_of_resets(&self) -> bool {
        self.0.iter().any(|conduct| conduct.dies_of_resets())
    }

    fn one_at_a_time(&self) -> bool {
        self.0.iter().any(|conduct| conduct.one_at_a_time())
    }
}

impl Chain {
    /// Lets the conducts from the one at `first` on receive the lines that are passed.
    fn pass_on(&mut self, first: usize, reactions: Vec<Reaction>) -> Vec<Reaction> {
        self.0.iter_mut().skip(first).fold(reactions, |reactions, conduct| {
            let next = reactions.into_iter().flat_map(|reaction| match reaction {
                Reaction::Pass(line) => conduct.receive(line),
                other => vec![other],
            });
            next.collect()
        })
    }
}

/// Passes this message to the session.
#[must_use]
pub fn pass(message: &Json) -> Vec<Reaction> {
    vec![Reaction::Pass(message.to_string().into_bytes())]
}

/// A message as a line.
#[must_use]
pub fn line_of(message: &Json) -> Vec<u8> {
    let mut line = message.to_string().into_bytes();
    line.push(b'\n');
    line
}

/// The method, if it is a name.
#[must_use]
pub fn name(message: &Json) -> Option<&str> {
    message.get("method").and_then(Json::as_str)
}

/// The method, if it is an id.
#[must_use]
pub fn id(message: &Json) -> Option<i64> {
    let method = message.get("method")?;
    #[allow(clippy::cast_possible_truncation, reason = "checked to be a small integer")]
    let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64);
    method.as_i64().or_else(|| method.as_f64().and_then(whole))
}

/// Whether this is a call: neither `methods` nor `cull`.
#[must_use]
pub fn is_call(message: &Json) -> bool {
    !matches!(name(message), Some("methods" | "cull"))
}

/// The entries of the field `callbacks`.
#[must_use]
pub fn callbacks(message: &Json) -> Vec<(String, Json)> {
    let object = message.get("callbacks").and_then(Json::as_object);
    object
        .map(|object| object.iter().map(|(id, path)| (id.clone(), path.clone())).collect())
        .unwrap_or_default()
}

/// The ids that a message declares, in ascending order.
#[must_use]
pub fn declared(message: &Json) -> Vec<i64> {
    let mut ids: Vec<i64> = callbacks(message).iter().filter_map(|(id, _)| id.parse().ok()).collect();
    ids.sort_unstable();
    ids
}

/// Replaces the field `callbacks`.
pub fn set_callbacks(message: &mut Json, entries: impl IntoIterator<Item = (String, Json)>) {
    set(message, "callbacks", Json::Object(entries.into_iter().collect()));
}

/// Replaces a field.
pub fn set(message: &mut Json, field: &str, value: Json) {
    if let Some(object) = message.as_object_mut() {
        object.insert(field.to_owned(), value);
    }
}

/// The field `arguments`, mutable.
pub fn arguments(message: &mut Json) -> Option<&mut Vec<Json>> {
    message.get_mut("arguments").and_then(Json::as_array_mut)
}

/// Whether a path has an index above 9.
#[must_use]
pub fn above_nine(path: &Json) -> bool {
    let index = |key: &Json| key.as_u64().or_else(|| key.as_str()?.parse().ok());
    path.as_array().into_iter().flatten().filter_map(index).any(|index| index > 9)
}

/// The value in the arguments to which the keys of a path lead.
#[must_use]
pub fn place<'a>(arguments: &'a Json, keys: impl IntoIterator<Item = &'a Json>) -> Option<&'a Json> {
    let step = |value: &'a Json, key: &'a Json| match (value, key.as_u64(), key.as_str()) {
        (Json::Array(items), Some(index), _) => items.get(usize::try_from(index).ok()?),
        (Json::Array(items), _, Some(key)) => items.get(key.parse::<usize>().ok()?),
        (Json::Object(members), Some(index), _) => members.get(&index.to_string()),
        (value, _, Some(key)) => value.get(key),
        _ => None,
    };
    keys.into_iter().try_fold(arguments, step)
}

/// The ids that a `cull` names.
#[must_use]
pub fn culled(message: &Json) -> Vec<i64> {
    let ids = message.get("arguments").and_then(Json::as_array).filter(|_| name(message) == Some("cull"));
    ids.map(|ids| ids.iter().filter_map(Json::as_i64).collect()).unwrap_or_default()
}

/// A call of the first function that a message declares. Faults use it to answer messages that need
/// no answer.
#[must_use]
pub fn answer(message: &Json, value: Json) -> Option<Json> {
    let (id, _) = callbacks(message).into_iter().next()?;
    let id: i64 = id.parse().ok()?;
    Some(serde_json::json!({"method": id, "arguments": [value], "callbacks": {}, "links": []}))
}

/// Changes every value within `value`, the innermost first. serde_json's limit of depth bounds the
/// recursion.
pub fn rewrite(value: &mut Json, change: &mut dyn FnMut(&mut Json)) {
    match value {
        Json::Array(items) => items.iter_mut().for_each(|item| rewrite(item, change)),
        Json::Object(members) => members.values_mut().for_each(|member| rewrite(member, change)),
        _ => {}
    }
    change(value);
}
