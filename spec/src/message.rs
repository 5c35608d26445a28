//! One message. Decoding reports each problem and its place; encoding writes the form of the
//! reference implementation.
//!
//! Ids. A key of `callbacks` is an id if it is a decimal integer without leading zeros, plus sign,
//! fraction or exponent: `"7"` and `"-1"` are ids; `"01"`, `"0.5"` and `"x"` are not. A `method`
//! that is a number is an id if its value is an integer: `0`, `0.0` and `0e0` are the id 0; `0.5`
//! is malformed. A `method` that is a string is a name, even `"0"`. Negative ids and ids from 2^53 on
//! are valid ids that no implementation relies on: they break `callback/id-exact`. Ids that need
//! more than 64 bits are refused, because this crate cannot distinguish them.
//!
//! A problem names the clause that the message breaks. A session does not act on a *refused*
//! message. It tolerates the other problems, such as `callbacks` as a list (the PHP port writes it
//! so) or a field that is null.

mod encode;

pub use encode::encode;
pub(crate) use encode::{write_callbacks, write_links};

use crate::path::Path;
use crate::text::{Text, TextBuf};
use crate::value::{Kind, Number, Ref, Value};
use foldhash::{HashMap, HashMapExt, fast::RandomState};
use indexmap::IndexMap;
use smallvec::SmallVec;

/// Up to this number, each is compared with each, which costs less than hashing. Most messages
/// declare at most one function.
const FEW: usize = 8;

/// The largest integer up to which a double can represent all integers: 2^53 - 1.
const MAX_EXACT: i64 = (1 << 53) - 1;

/// The number of a function, chosen by the end that declared it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub i64);

impl Id {
    /// Reads an id from a key of the field `callbacks`; `None` if it is not an integer of up to 64
    /// bits in decimal.
    #[must_use]
    pub fn from_key(text: &str) -> Option<Id> {
        is_integer(text).then(|| text.parse().ok().map(Id))?
    }

    /// Reads an id from a number by its value; `None` if it is not an integer of up to 64 bits.
    #[must_use]
    pub fn from_number(number: Number<'_>) -> Option<Id> {
        Id::from_key(number.text()).or_else(|| number.to_integer().map(Id))
    }

    fn is_exact(self) -> bool {
        (0..=MAX_EXACT).contains(&self.0)
    }
}

/// Whether this is an integer in decimal without leading zeros, plus sign, fraction or exponent.
fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = text == "0" || (digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0'));
    canonical && !digits.is_empty()
}

/// The number in decimal.
impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The method of a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Method {
    /// A method of the receiver's object by its name, or `methods` or `cull`.
    Name(TextBuf),
    /// A function that the receiver declared.
    Id(Id),
}

impl Method {
    /// The method with this name.
    #[must_use]
    pub fn named(name: &str) -> Method {
        Method::Name(TextBuf::from(name))
    }

    /// Whether this is the name `name`.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        matches!(self, Method::Name(text) if text.as_text() == name)
    }

    /// The id; `None` for a name.
    #[must_use]
    pub fn id(&self) -> Option<Id> {
        match self {
            Method::Id(id) => Some(*id),
            Method::Name(_) => None,
        }
    }
}

/// Whether a method of this name has a meaning in the protocol: then no message with the name calls
/// a member of the object.
#[must_use]
pub fn is_reserved(name: Text<'_>) -> bool {
    ["methods", "cull", "error"].iter().any(|reserved| name == *reserved)
}

/// A link: the value at `from` is also at `to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The place of the value.
    pub from: Path,
    /// Its other place.
    pub to: Path,
}

/// A decoded message. It borrows the arguments from the parsed line.
#[derive(Clone)]
pub struct Message<'v> {
    /// The method that it calls.
    pub method: Method,
    /// The array of arguments; `None` if the field is omitted.
    pub arguments: Option<Ref<'v>>,
    /// The declared functions and their places, in the order of the field.
    pub callbacks: Vec<(Id, Path)>,
    /// The links, in the order of the field.
    pub links: Vec<Link>,
}

impl Message<'_> {
    /// The ids that a `cull` names, in their order; empty for any other message. Arguments that are
    /// not ids are skipped.
    #[must_use]
    pub fn culls(&self) -> Vec<Id> {
        let arguments = self.arguments.filter(|_| self.method.is("cull"));
        let numbers = arguments.into_iter().flat_map(Ref::items).filter_map(Ref::as_number);
        numbers.filter_map(Id::from_number).collect()
    }
}

/// A violation of a clause by a message. The sender is at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The id of the clause.
    pub clause: &'static str,
    /// The place in the message: `method`, `callbacks["01"]`, `links[0].from` and so on; empty for
    /// the whole line.
    pub at: String,
    /// The expected content of that place, in words.
    pub expected: String,
    /// The actual content, in words.
    pub actual: String,
    /// Whether a receiver would have to guess to act on the message.
    pub refused: bool,
}

/// The result of decoding: the message as far as it can be understood, and its problems.
#[derive(Clone)]
pub struct Decoded<'v> {
    /// The message; `None` if its method is malformed.
    pub message: Option<Message<'v>>,
    /// The problems, in the order of the fields.
    pub problems: Vec<Problem>,
    /// Whether a field is duplicated. The protocol does not say which one counts, so another
    /// receiver may read the message differently.
    pub ambiguous: bool,
}

impl Decoded<'_> {
    /// Whether a session acts on the message: it has a method, and no problem is refused.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.message.is_some() && !self.problems.iter().any(|problem| problem.refused)
    }
}

/// Decodes one parsed line.
///
/// ```
/// use dnode_spec::{message, value::Value};
/// let value = Value::parse(br#"{"method":"add","arguments":[1,2,0],"callbacks":{"01":["2"]}}"#).unwrap();
/// let decoded = message::decode(&value);
/// assert_eq!(decoded.problems[0].clause, "callback/id-integral");
/// assert_eq!(decoded.problems[0].at, "callbacks[\"01\"]");
/// ```
#[must_use]
pub fn decode<'v>(value: &'v Value<'_>) -> Decoded<'v> {
    let root = value.root();
    let mut problems = Problems(Vec::new());
    if root.kind() != Kind::Object {
        problems.add("message/object", String::new(), "an object", kind(root), true);
        return Decoded { message: None, problems: problems.0, ambiguous: false };
    }
    let fields = Fields::of(root);
    let method = decode_method(fields.method, &mut problems);
    let arguments = field(fields.arguments, "arguments", Kind::Array, "message/arguments", &mut problems);
    let callbacks = decode_callbacks(fields.callbacks, &mut problems);
    let links = decode_links(fields.links, &mut problems);
    if let (Some(method), Some(arguments)) = (&method, arguments)
        && method.is("cull")
    {
        check_cull(arguments, &mut problems);
    }
    if method.as_ref().is_some_and(|method| method.is("methods")) {
        check_methods(arguments, &mut problems);
    }
    let message = method.map(|method| Message { method, arguments, callbacks, links });
    Decoded { message, problems: problems.0, ambiguous: fields.twice }
}

/// The fields of a message. Of duplicates the last one counts.
#[derive(Default)]
struct Fields<'v> {
    method: Option<Ref<'v>>,
    arguments: Option<Ref<'v>>,
    callbacks: Option<Ref<'v>>,
    links: Option<Ref<'v>>,
    /// A field is duplicated.
    twice: bool,
}

impl<'v> Fields<'v> {
    fn of(root: Ref<'v>) -> Fields<'v> {
        let mut fields = Fields::default();
        for (key, value) in root.members() {
            let field = match key.as_bytes() {
                b"method" => &mut fields.method,
                b"arguments" => &mut fields.arguments,
                b"callbacks" => &mut fields.callbacks,
                b"links" => &mut fields.links,
                _ => continue,
            };
            fields.twice |= field.replace(value).is_some();
        }
        fields
    }
}

struct Problems(Vec<Problem>);

impl Problems {
    fn add(
        &mut self,
        clause: &'static str,
        at: String,
        expected: &str,
        actual: impl Into<String>,
        refused: bool,
    ) {
        self.0.push(Problem { clause, at, expected: expected.to_owned(), actual: actual.into(), refused });
    }
}

fn kind(value: Ref<'_>) -> String {
    match value.kind() {
        Kind::Array | Kind::Object => format!("an {}", value.kind().word()),
        Kind::Null => "null".to_owned(),
        other => format!("a {}", other.word()),
    }
}

fn decode_method(method: Option<Ref<'_>>, problems: &mut Problems) -> Option<Method> {
    const EXPECTED: &str = "a string or an integer";
    let at = || "method".to_owned();
    let Some(method) = method else {
        problems.add("message/method", at(), EXPECTED, "nothing", true);
        return None;
    };
    if let Some(text) = method.as_text() {
        return Some(Method::Name(text.to_owned()));
    }
    let Some(number) = method.as_number() else {
        problems.add("message/method", at(), EXPECTED, kind(method), true);
        return None;
    };
    let Some(id) = Id::from_number(number) else {
        let text: String = number.text().chars().take(40).collect();
        problems.add("message/method", at(), EXPECTED, format!("the number {text}"), true);
        return None;
    };
    // Whether the id is exact is judged at its declaration.
    Some(Method::Id(id))
}

/// A field of the given kind; `None` if it is omitted, or of another kind, which is a problem.
fn field<'v>(
    value: Option<Ref<'v>>,
    name: &str,
    wanted: Kind,
    clause: &'static str,
    problems: &mut Problems,
) -> Option<Ref<'v>> {
    let value = value?;
    if value.kind() == wanted {
        return Some(value);
    }
    // The reference reads null as omitted. With any other value a receiver would have to guess.
    problems.add(clause, name.to_owned(), &format!("an {}", wanted.word()), kind(value), !value.is_null());
    None
}

fn decode_callbacks(value: Option<Ref<'_>>, problems: &mut Problems) -> Vec<(Id, Path)> {
    let mut callbacks = Vec::new();
    let Some(value) = value else {
        return callbacks;
    };
    if value.kind() == Kind::Array {
        // The PHP port writes a dense map as a list. It is understood, but it is a problem.
        problems.add("message/callbacks", "callbacks".to_owned(), "an object", "an array", false);
        for (index, path) in value.items().enumerate() {
            let id = Id(i64::try_from(index).unwrap_or(i64::MAX));
            decode_callback(id, &|| format!("callbacks[{index}]"), path, &mut callbacks, problems);
        }
        return callbacks;
    }
    let Some(value) = field(Some(value), "callbacks", Kind::Object, "message/callbacks", problems) else {
        return callbacks;
    };
    if value.is_empty() {
        return callbacks;
    }
    callbacks.reserve(value.len());
    for (key, path) in last_of_each(value) {
        let at = || format!("callbacks[{}]", quoted(key));
        match key.to_str().and_then(Id::from_key) {
            Some(id) => decode_callback(id, &at, path, &mut callbacks, problems),
            None => {
                let (clause, expected) = match key.to_str().is_some_and(is_integer) {
                    true => ("callback/id-exact", EXACT),
                    false => ("callback/id-integral", "an integer in decimal as the key"),
                };
                problems.add(clause, at(), expected, format!("the key {}", quoted(key)), true);
            }
        }
    }
    check_places(&callbacks, problems);
    callbacks
}

/// The members of an object. Of duplicate keys the last one counts.
fn last_of_each(object: Ref<'_>) -> SmallVec<[(Text<'_>, Ref<'_>); 1]> {
    if object.len() > FEW {
        return object.members().collect::<IndexMap<_, _, RandomState>>().into_iter().collect();
    }
    let mut last: SmallVec<[(Text<'_>, Ref<'_>); 1]> = SmallVec::with_capacity(object.len());
    for (key, value) in object.members() {
        match last.iter_mut().find(|(known, _)| *known == key) {
            Some(known) => known.1 = value,
            None => last.push((key, value)),
        }
    }
    last
}

/// A key as JSON, cut to 60 bytes.
fn quoted(key: Text<'_>) -> String {
    let mut quoted = Vec::new();
    key.write_json(&mut quoted);
    quoted.truncate(60);
    String::from_utf8_lossy(&quoted).into_owned()
}

/// The expectation of `callback/id-exact`.
const EXACT: &str = "an id between 0 and 2^53 - 1";

fn decode_callback(
    id: Id,
    at: &dyn Fn() -> String,
    path: Ref<'_>,
    callbacks: &mut Vec<(Id, Path)>,
    problems: &mut Problems,
) {
    const EXPECTED: &str = "an array of keys and indexes, not empty";
    if !id.is_exact() {
        problems.add("callback/id-exact", at(), EXACT, id.to_string(), false);
    }
    match Path::decode(path) {
        Ok(path) if path.is_empty() => {
            problems.add("callback/path", at(), EXPECTED, "an empty array", true);
        }
        Ok(path) => callbacks.push((id, path)),
        Err(error) => problems.add("callback/path", at(), EXPECTED, error.to_string(), true),
    }
}

fn check_places(callbacks: &[(Id, Path)], problems: &mut Problems) {
    if callbacks.len() < 2 {
        return;
    }
    let many = callbacks.len() > FEW;
    let mut places = HashMap::with_capacity(if many { callbacks.len() } else { 0 });
    for (n, (id, path)) in callbacks.iter().enumerate() {
        let other = match many {
            true => places.insert(path, id),
            false => callbacks[..n].iter().rev().find(|(_, other)| other == path).map(|(id, _)| id),
        };
        if let Some(other) = other {
            let at = format!("callbacks[\"{id}\"]");
            let actual = format!("{path}, which is the place of {other} too");
            problems.add("callback/path-unique", at, "a place of its own", actual, false);
        }
    }
}

fn decode_links(value: Option<Ref<'_>>, problems: &mut Problems) -> Vec<Link> {
    let mut links = Vec::new();
    let Some(value) = field(value, "links", Kind::Array, "message/links", problems) else {
        return links;
    };
    for (index, link) in value.items().enumerate() {
        let at = format!("links[{index}]");
        let (Some(from), Some(to)) = (link.get("from"), link.get("to")) else {
            problems.add("link/shape", at, "an object with from and to", kind(link), true);
            continue;
        };
        let mut end = |name: &str, value| match Path::decode(value) {
            Ok(path) => Some(path),
            Err(error) => {
                let at = format!("{at}.{name}");
                problems.add("link/path", at, "an array of keys and indexes", error.to_string(), true);
                None
            }
        };
        if let (Some(from), Some(to)) = (end("from", from), end("to", to)) {
            links.push(Link { from, to });
        }
    }
    links
}

fn check_cull(arguments: Ref<'_>, problems: &mut Problems) {
    // An integer of any size: it may be a large id that the other end has declared.
    let integer = |number: Number<'_>| {
        let digits = number.text().strip_prefix('-').unwrap_or(number.text());
        number.to_integer().is_some() || digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    for (index, id) in arguments.items().enumerate() {
        if !id.as_number().is_some_and(integer) {
            let at = format!("arguments[{index}]");
            problems.add("cull/integral", at, "an integer", kind(id), false);
        }
    }
}

fn check_methods(arguments: Option<Ref<'_>>, problems: &mut Problems) {
    const EXPECTED: &str = "one argument, an object";
    let count = arguments.map_or(0, |arguments| arguments.len());
    let first = arguments.and_then(|arguments| arguments.item(0));
    let actual = match first {
        Some(first) if count == 1 && first.kind() == Kind::Object => return,
        Some(first) if count == 1 => kind(first),
        _ => format!("{count} arguments"),
    };
    problems.add("methods/one-object", "arguments".to_owned(), EXPECTED, actual, false);
}

#[cfg(test)]
mod tests;
